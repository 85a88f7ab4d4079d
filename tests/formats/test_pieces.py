"""The parts of the readers, each with what it was made for: units, headings, dialects, runs, repairs, encodings."""

import random
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcfit.errors import InputError
from gcfit.formats import clean, pieces
from gcfit.formats.columns import Headings, choose, headings
from gcfit.formats.dialect import Dialect, plain
from gcfit.formats.finding import find
from gcfit.formats.quotients import scaled
from gcfit.formats.records import ReadOptions
from gcfit.formats.rows import Numbers, Words, runs
from gcfit.formats.text import Encoding, find_encoding, is_binary
from gcfit.formats.units import seconds, signal_unit, time_likeness, time_unit, unit_by_numbers

AS_FOUND = ReadOptions()


@pytest.mark.parametrize(
    ("heading", "unit"),
    [
        ("time_s", "s"), ("Time (min)", "min"), ("R.Time (min)", "min"), ("Zeit [s]", "s"), ("t/min", "min"),
        ("Minutes", "min"),
        ("time in seconds", "s"), ("Time-Sec", "s"), ("retention_time_min", "min"), ("MINUTES", "min"),
        ("Time(ms)", "ms"), ("Time (h)", "h"), ("time", ""), ("Ret.Time", ""), ("min or s", ""), ("", ""), ("X", ""),
        ("Time (0.01 min)", ""), ("Time (milli sec)", ""), ("Time (x10 ms)", ""), ("Time [A] (min)", "min"),
        ("时间（秒）", "s"), ("Zeit (Std.)", "h"), ("(in min)", "min"),
    ],
)  # fmt: skip
def test_units_of_time_in_headings(heading: str, unit: str) -> None:
    assert time_unit(heading) == unit


@pytest.mark.parametrize(
    "heading", ["time", "Time (min)", "t", "RT", "Minutes", "retention", "Zeit_s", "R.Time", "t_s"]
)
def test_headings_that_speak_of_time(heading: str) -> None:
    assert time_likeness(heading)


@pytest.mark.parametrize(
    "heading",
    [
        "signal", "Intensity", "mV", "data.ms", "Timer", "benzene", "s", "area", "Step", "Flow (mL/min)", "counts/sec",
        "MS (counts/sec)", "T (°C)", "Retention index", "Signal at t", "Std 5",
    ],
)  # fmt: skip
def test_headings_that_do_not(heading: str) -> None:
    assert not time_likeness(heading)


@pytest.mark.parametrize("heading", ["Minutes", "X(Minutes)", "t/min", "retention", "R.T.", "sec"])
def test_headings_that_speak_of_time_less_than_its_name_does(heading: str) -> None:
    assert time_likeness(heading) == 1


@pytest.mark.parametrize(
    ("heading", "unit"),
    [
        ("signal_pA", "pA"), ("Value (mAU)", "mAU"), ("signal_25_uV", "25 uV"), ("TCD [25 µV]", "25 µV"),
        ("U/mV", "mV"),
        ("intensity_mV", "mV"), ("signal", ""), ("FID_front", ""), ("Value ()", ""), ("counts_counts", "counts"),
    ],
)  # fmt: skip
def test_units_of_signals_in_headings(heading: str, unit: str) -> None:
    assert signal_unit(heading) == unit


@given(st.integers(0, 10**9), st.sampled_from([("min", 60), ("h", 3600), ("s", 1)]))
def test_exact_decimal_times_are_the_same_in_every_unit(millis: int, unit: tuple[str, int]) -> None:
    """A time up to 10**6 s, a short decimal in a longer unit, gives the float of its seconds."""
    name, factor = unit
    millis //= factor
    whole = millis * factor  # ms
    assert seconds(np.array([float(f"{millis / 1000:.3f}")]), name)[0] == float(f"{whole // 1000}.{whole % 1000:03d}")


def test_times_that_are_no_short_decimals_stay_products() -> None:
    times = np.array([0.123456789012345, np.pi, 1e7 + 1 / 3])
    assert seconds(times, "min").tolist() == (times * 60).tolist()


@pytest.mark.parametrize(
    ("step", "span", "found"),
    [(0.0033333, 240, ("min", True)), (0.01, 8, ("min", True)), (0.5, 600, ("s", True)), (1, 3000, ("s", True)),
     (0.02, 30, ("min", False)), (0.05, 200, ("s", False)), (1e-6, 1e-3, ("min", False))],
)  # fmt: skip
def test_units_by_numbers(step: float, span: float, found: tuple[str, bool]) -> None:
    assert unit_by_numbers(np.arange(0, span, step)) == found


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": "ab"}, "--delimiter: is 'ab', must be one of comma"),
        ({"delimiter": "5"}, "--delimiter: is '5'"),
        ({"decimal": ";"}, "--decimal: is ';', must be a point or a comma"),
        ({"thousands": "x"}, "--thousands: is 'x'"),
        ({"thousands": ",", "decimal": ","}, "--thousands: is ',', must be"),
        ({"skip_lines": -1}, "--skip-lines: is '-1', must be 0 or more"),
        ({"time_unit": "d"}, "--time-unit: is 'd', must be one of auto, s, min, h, ms"),
    ],
)
def test_options_that_no_file_could_have(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        ReadOptions(**options)  # type: ignore[arg-type]


def test_delimiters_have_names() -> None:
    names = ["comma", "Tab", "\\t", "semicolon", "blank", ";", None]
    assert [ReadOptions(delimiter=name).delimiter for name in names] == [",", "\t", "\t", ";", " ", ";", None]


COMMA, TAB = Dialect(","), Dialect("\t")


@pytest.mark.parametrize(
    ("lines", "dialect", "columns", "names", "units"),
    [
        (["a,b"], COMMA, 2, ("a", "b"), ()),
        (["run 7", "time,signal"], COMMA, 2, ("time", "signal"), ()),
        (["time,signal", "min,pA"], COMMA, 2, ("time", "signal"), ("min", "pA")),
        (["# time, signal"], COMMA, 2, ("time", "signal"), ()),
        (['"time","a, b"'], COMMA, 2, ("time", "a, b"), ()),
        (["a\tb\t"], TAB, 2, ("a", "b"), ()),
        (["time\tsignal"], TAB, 3, ("time", "signal", ""), ()),
        (["time\tsignal\t\t\t"], TAB, 2, ("time", "signal"), ()),
        (["time,signal", "s,mV", ",FID"], COMMA, 2, ("time", "signal"), ("s", "mV")),
        (["Run time,12", "X,Y"], COMMA, 2, ("X", "Y"), ()),
        (["Sample,A12", "min,FID"], COMMA, 2, ("Sample", "A12"), ("min", "FID")),
        (["Sample,A12", "Minutes,FID"], COMMA, 2, ("Minutes", "FID"), ()),
        (["Time (s),220,254"], COMMA, 3, ("Time (s)", "220", "254"), ()),
        (['"Time', '(s)","FID', '(pA)"'], COMMA, 2, ("Time (s)", "FID (pA)"), ()),
        (["Retention Time (s) FID TCD"], Dialect(" "), 3, ("Retention Time (s)", "FID", "TCD"), ()),
        (["Time (s)  Detector A"], Dialect(" "), 2, ("Time (s)", "Detector A"), ()),
        (["Time (s) Front FID Back TCD"], Dialect(" "), 3, ("Time (s)", "", ""), ()),
        (["the time was read off a clock on the wall"], Dialect(" "), 2, (), ()),
        (["R.Time (min)  Intensity (mV)"], Dialect(" "), 2, ("R.Time (min)", "Intensity (mV)"), ()),
        (["1,2"], COMMA, 2, (), ()),
        (["a,b,c,d"], COMMA, 2, (), ()),
        (["n.a.,-5"], COMMA, 2, (), ()),
        ([], COMMA, 2, (), ()),
    ],
)
def test_headings(
    lines: list[str], dialect: Dialect, columns: int, names: tuple[str, ...], units: tuple[str, ...]
) -> None:
    assert headings(lines, dialect, columns) == Headings(names, units)


def test_headings_of_row_names_and_of_empty_columns() -> None:
    assert headings(["time\tsignal"], TAB, 3, row_names=True).names == ("", "time", "signal")
    assert headings(["time\tA\tB\tC"], TAB, 2, empty=2).names == ("time", "A")
    assert headings(["time\tA\tB\tC"], TAB, 2, empty=0).names == ()


RISING, FLAT = np.arange(9.0), np.ones(9)


@pytest.mark.parametrize(
    ("names", "values", "options", "time", "signals"),
    [
        ((), [RISING, FLAT], AS_FOUND, 0, (1,)),
        ((), [RISING, RISING / 7, FLAT], AS_FOUND, 1, (2,)),  # the first counts rows
        (("signal", "time"), [FLAT, RISING], AS_FOUND, 1, (0,)),
        (("t", "a", "b"), [RISING, FLAT, FLAT], AS_FOUND, 0, (1, 2)),
        (("t", "signal", "b"), [RISING, FLAT, FLAT], AS_FOUND, 0, (1,)),
        (("t", "step", "b"), [RISING, FLAT, FLAT], AS_FOUND, 0, (2,)),
        (("t", "pump pressure", "oven temperature", "b"), [RISING, FLAT, FLAT, FLAT], AS_FOUND, 0, (3,)),
        (("t", "a", "b"), [RISING, FLAT, np.full(9, np.nan)], AS_FOUND, 0, (1,)),
        (("a", "b", "c"), [FLAT, RISING, FLAT], ReadOptions(time_column="b", signal_column="3"), 1, (2,)),
        (("peak", "time", "area"), [RISING, RISING, FLAT], ReadOptions(signal_column="area"), 1, (2,)),
    ],
)
def test_choice_of_columns(
    names: tuple[str, ...], values: list[np.ndarray], options: ReadOptions, time: int, signals: tuple[int, ...]
) -> None:
    chosen = choose(Headings(names), values, options, "f", "")
    assert (chosen.time, chosen.signals) == (time, signals)


@pytest.mark.parametrize(
    ("names", "values", "options", "message"),
    [
        (("a", "b"), [FLAT, RISING], AS_FOUND, "no heading speaks of time and 'a' does not rise"),
        (("peak", "area"), [RISING, FLAT], AS_FOUND, "table of peaks"),
        (("t", "b"), [RISING, FLAT * np.nan], AS_FOUND, "1 of 2 columns are empty"),
        (("t", "b"), [RISING, FLAT], ReadOptions(signal_column="3"), "no column '3' (2 columns: 't', 'b')"),
        ((), [RISING, FLAT], ReadOptions(time_column="t"), "no column 't' (2 columns: no headings)"),
    ],
)
def test_columns_that_cannot_be_chosen(
    names: tuple[str, ...], values: list[np.ndarray], options: ReadOptions, message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        choose(Headings(names), values, options, "f", "")


@pytest.mark.parametrize(
    ("dialect", "text", "expected"),
    [
        (COMMA, b'"1","2"\n', b"1,2\n"),
        (COMMA, b' 1 ,\t2 \n  3,4\n', b"1,2\n3,4\n"),
        (Dialect(";", ","), b"1,5;2\n", b"1.5;2\n"),
        (Dialect(";", ",", "."), b"1.234,5;-1.234.567\n", b"1234.5;-1234567\n"),
        (Dialect(";", ",", "."), b"12.34;1.2345\n", b"12,34;1,2345\n"),  # no groups of three: no number
        (Dialect(";", ".", ","), b"0,123;1,234\n", b"0,123;1234\n"),  # a leading 0 is no group
        (Dialect(",", ".", ","), b'5,"1,234","0,123"\n', b"5,1234,0\x1f123\n"),
        (Dialect(";", ".", ","), b"1,234.5;12,34\n", b"1234.5;12,34\n"),
        (Dialect(" "), b"  1   2\t3 \n\n4  5\n", b"1 2 3\n\n4 5\n"),
        (Dialect(",", ","), b'"1,5",2\n', b"1.5,2\n"),
        (Dialect(",", ".", ","), b'"1,234.5",2\n', b"1234.5,2\n"),
        (COMMA, b'"a,b",1\n"open,2\n3,4\n', b"a\x1fb,1\nopen\x1f2\n3,4\n"),
        (Dialect(";", ".", "'"), b"1'234.5;2\n", b"1234.5;2\n"),
        (Dialect(";", ",", " "), "1\u00a0234,5;\u22122\n".encode(), b"1234.5;-2\n"),
    ],
)  # fmt: skip
def test_every_dialect_becomes_the_plain_one(dialect: Dialect, text: bytes, expected: bytes) -> None:
    assert plain(text, dialect) == expected


@pytest.mark.parametrize(
    ("line", "cells"),
    [("a,b", ["a", "b"]), ('"a,b",c', ["a,b", "c"]), ('"say ""x""",2', ['say "x"', "2"]), ('"a"b,c', ["ab", "c"]),
     ('"open,c', ["open,c"]), (",", ["", ""]), ("", [""]), ('""', [""])],
)  # fmt: skip
def test_lines_are_split(line: str, cells: list[str]) -> None:
    assert COMMA.split(line) == cells


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("decimal", [".", ","])
def test_dialects_are_found(delimiter: str, decimal: str) -> None:
    if delimiter == decimal:
        return
    rng = random.Random(3)
    rows = [delimiter.join(f"{rng.uniform(-50, 5000):.4f}".replace(".", decimal) for _ in range(3)) for _ in range(40)]
    found = find(("some words\n" + "\n".join(rows) + "\n").encode(), AS_FOUND)
    assert found is not None
    assert (found.dialect.delimiter, found.dialect.decimal, found.columns, found.rows) == (delimiter, decimal, 3, 40)


def test_no_dialect_of_a_letter() -> None:
    assert find(b"dear all,\nthe column, at last, arrived\n", AS_FOUND) is None
    assert find(b"", AS_FOUND) is None


def test_runs_of_rows_and_words() -> None:
    text = b"top\n1,2\n3,4\n\n5,6\nmiddle\nmore\n7,8,9\n\n\n10\nend\n"
    found = list(runs(text, COMMA, 101))
    shown = [(r.line, r.values.tolist()) if isinstance(r, Numbers) else (r.line, r.count, r.first) for r in found]
    assert shown == [
        (101, 1, b"top"), (102, [[1, 2], [3, 4], [5, 6]]), (106, 2, b"middle"), (108, [[7, 8, 9]]), (111, [[10]]),
        (112, 1, b"end"),
    ]  # fmt: skip
    words = found[2]
    assert isinstance(words, Words)
    assert words.last == (b"middle", b"more")
    assert list(runs(b"\n\n", COMMA, 1)) == []
    assert list(runs(b"", COMMA, 1)) == []


@given(st.lists(st.sampled_from(["1,2", "3,4,5", "x", "", "7", "a,1"]), max_size=30))
def test_runs_cover_every_line_that_is_not_blank(lines: list[str]) -> None:
    """Against a plain loop over the lines."""
    expected = [(i, line) for i, line in enumerate(lines, 1) if line]
    found = []
    for run in runs("".join(f"{line}\n" for line in lines).encode(), COMMA, 1):
        count = len(run.values) if isinstance(run, Numbers) else run.count
        found.append((run.line, count))
    assert sum(count for _, count in found) == len(expected)
    assert [line for line, _ in found] == sorted({line for line, _ in found})
    assert {line for line, _ in found} <= {i for i, _ in expected}


def test_repairs_are_said_and_inputs_are_left_alone() -> None:
    time, signal = np.array([2.0, 1.0, np.nan, 1.0, 5.0]), np.array([20.0, 10.0, 7.0, 12.0, 50.0])
    time.flags.writeable = signal.flags.writeable = False
    found = clean.trace("f", time, signal, unit="min", factor=0.5)
    assert found.time.tolist() == [60, 120, 300]
    assert found.signal.tolist() == [5.5, 10, 25]
    assert len(found.notes) == 3


@pytest.mark.parametrize(
    ("time", "signal", "message"),
    [
        ([1, 2, np.inf], [1, 1, 1], "data row 3: time is infinite"),
        ([1, 2, 3], [1, -np.inf, 1], "data row 2: signal is infinite"),
        ([1, 2, 1e11], [1, 1, 1], "data row 3: time is 6e+12"),
        ([1, 2, 3], [1e305, 1, 1], "data row 1: signal is 1e+305"),
        ([1, 1, 2], [1, 1, 1], "2 data points, at least 3"),
        ([np.nan], [1], "no row with a time and a signal"),
    ],
)
def test_what_cannot_be_repaired(time: list[float], signal: list[float], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"f: there: {message}") + "|" + re.escape(message)):
        clean.trace("f", np.array(time, float), np.array(signal, float), unit="min", place="there")


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"\xef\xbb\xbfa", "utf-8-sig"), ("aä".encode("utf-16"), "utf-16"), ("abcdef".encode("utf-16-be"), "utf-16-be"),
        ("abcdef".encode("utf-32"), "utf-32"), ("µ".encode(), "utf-8"), ("µ".encode("latin-1"), "cp1252"),
        (b"abc", "utf-8"),
        ("µ".encode()[:1], "utf-8"),  # the sample may end within a character
    ],
)  # fmt: skip
def test_encodings_are_found(raw: bytes, name: str) -> None:
    assert find_encoding(raw, None, "f").name == name
    assert not is_binary(raw)


def test_encodings_are_obeyed() -> None:
    assert find_encoding(b"", "LATIN1", "f") == Encoding("iso8859-1", stated=True)
    assert find_encoding("ž".encode("cp1250"), "cp1250", "f").words("ž".encode("cp1250")) == "ž"
    with pytest.raises(InputError, match="is not text in utf-16"):
        Encoding("utf-16", stated=True).text(b"\xff\xfea", cut=False, source="f")
    recode = Encoding("utf-16", stated=True).recoder("f")
    assert recode("1,µ\n".encode("utf-16"), True) == "1,µ\n".encode()


def test_quotients_against_python() -> None:
    """`int / 10**k` in Python divides exactly and rounds once."""
    rng = random.Random(5)
    mantissas = [rng.randrange(10 ** rng.randint(1, 19)) for _ in range(5000)]
    scales = [rng.randint(0, 22) for _ in mantissas]
    values, doubtful = scaled(np.array(mantissas, dtype=np.uint64), np.array(scales))
    exact = np.array([m / 10**k for m, k in zip(mantissas, scales, strict=True)])
    assert (values == exact)[~doubtful].all()
    assert doubtful.sum() < 50


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [("1.5", ".", 1.5), ("1,5", ",", 1.5), ("1.422,5", ",", 1422.5), ("1,422.5", ".", 1422.5), (" 7 ", ".", 7.0),
     ("n.a.", ".", None), ("", ".", None),
     ("0,5", ".", None), ("1,5", ".", None), ("inf", ".", None), ("nan", ".", None), ("1e3", ".", 1000.0)],
)  # fmt: skip
def test_single_numbers(cell: str, decimal: str, value: float | None) -> None:
    assert pieces.number(cell, decimal) == value


@pytest.mark.parametrize(
    ("cell", "value"), [("10,0", 10.0), ("0,016667", 0.016667), ("1,000", 1.0), ("6781", 6781.0), ("0.5", 0.5)]
)
def test_numbers_of_programs_that_write_no_thousands(cell: str, value: float) -> None:
    assert pieces.program_number(cell) == value


def test_lines_of_empty_cells_are_blank() -> None:
    found = list(runs(b"a;b\n;\n;;\n1;2\n;\n3;4\n", Dialect(";"), 1))
    assert [type(run) for run in found] == [Words, Numbers]
    assert isinstance(found[1], Numbers)
    assert (found[1].line, found[1].values.tolist()) == (4, [[1, 2], [3, 4]])


def test_beside_decimal_commas_a_point_is_no_decimal_mark() -> None:
    dialect = Dialect(";", ",")
    assert plain(b"1,5;2.5\n", dialect) == b"1.5;2,5\n"
    cells = dialect.cells(b"1,5;2.5\n")
    assert (cells.values[0], cells.wrong.tolist()) == (1.5, [False, True])
