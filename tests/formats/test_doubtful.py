"""Text that is easily misread: every file is read right, or refused or warned about in one line; none in silence.

The run is 601 points at 0.5 s with one peak at 150 s; each test writes it in another way.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gcfit.errors import InputError
from gcfit.formats import ReadOptions, read_file
from gcfit.formats.clean import runs_of
from gcfit.formats.records import Reading
from tests.formats.samples import ezchrom

TIMES = [i / 2 for i in range(601)]


def peak(time: float, top: float = 150.0, height: float = 1000.0) -> float:
    return 5 + height * math.exp(-0.5 * ((time - top) / 10) ** 2)


SIGNAL = [round(peak(t), 3) for t in TIMES]
Row = Callable[[float, float, int], str]


def comma(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}".replace(".", ",")


def text_of(heading: str, row: Row) -> str:
    return heading + "".join(row(t, y, i) + "\n" for i, (t, y) in enumerate(zip(TIMES, SIGNAL, strict=True)))


def reading(folder: Path, text: str, **options: object) -> Reading:
    path = folder / "run.csv"
    path.write_text(text, encoding="utf-8")
    return read_file(path, ReadOptions(**options))  # type: ignore[arg-type]


def assert_read(found: Reading, times: list[float] = TIMES, signal: list[float] = SIGNAL) -> None:
    """The first trace is the run."""
    np.testing.assert_allclose(found.chromatograms[0].time, times, atol=1e-9)
    np.testing.assert_allclose(found.chromatograms[0].signal, signal, rtol=1e-12)


SEMICOLONS: Row = lambda t, y, i: f"{t};{y}"  # noqa: E731
COMMAS: Row = lambda t, y, i: f"{t},{y}"  # noqa: E731
GERMAN: Row = lambda t, y, i: f"{comma(t, 1)};{comma(y)}"  # noqa: E731

READ_RIGHT: dict[str, tuple[str, Row]] = {
    "empty columns at the end": ("Zeit (s);Signal (pA)\n", lambda t, y, i: f"{comma(t, 1)};{comma(y)};;"),
    "more of them": ("Zeit (s);Signal (pA)\n", lambda t, y, i: f"{comma(t, 1)};{comma(y)};;;"),
    "empty ones with a name": ("Zeit (s);A;B;C\n", lambda t, y, i: f"{comma(t, 1)};{comma(y)};;"),
    "a padded blank line above": ("Sample;A12\n;\nTime (s);Signal\n", GERMAN),
    "a count of rows without a name": (",time (s),intensity\n", lambda t, y, i: f"{i},{t},{y}"),
    "a count of rows with one": ("#Point,X(Seconds),Y(Counts)\n", lambda t, y, i: f"{i},{t},{y}"),
    "row names": ("time (s),intensity\n", lambda t, y, i: f"{i + 1},{t},{y}"),
    "a flow by the minute before the time": ("Flow (mL/min);Time (s);FID\n", lambda t, y, i: f"{1 + t / 600};{t};{y}"),
    "a temperature t before the time": ("T (°C);Time (s);FID\n", lambda t, y, i: f"{40 + t / 60};{t};{y}"),
    "an index before the time": ("Retention index;RT (s);FID\n", lambda t, y, i: f"{600 + t};{t};{y}"),
    "counts by the second": ("Intensity (counts/sec);Time (s)\n", lambda t, y, i: f"{y};{t}"),
    "names of numbers": ("Time (s),220\n", COMMAS),
    "three lines of Origin": ("Time;Signal\ns;pA\n;FID1\n", SEMICOLONS),
    "three lines of Origin with a remark": ("Time;Signal\ns;pA\nComments;FID1\n", SEMICOLONS),
    "names below names": ("Time (s);Channel A\nRun 12;FID\n", SEMICOLONS),
    "names of two lines": ('"Time\n(s)";"FID\n(pA)"\n', SEMICOLONS),
    "a unit of time above": ("Time unit: s\nTime;Signal\n", SEMICOLONS),
    "names of several words between blanks": ("Retention Time (s) FID\n", lambda t, y, i: f"{t} {y}"),
    "double blanks between names": ("Time (s)  Detector A\n", lambda t, y, i: f"{t}  {y}"),
    "thousands further down": ("Zeit (s);Signal\n", lambda t, y, i: f"{t};{y:,.9f}".replace(",", "'")),
    "narrow blanks further down": ("Time (s);Signal\n", lambda t, y, i: f"{t};{y:,.9f}".replace(",", "\u202f")),
    "quoted thousands further down": ("Time (s),Signal\n", lambda t, y, i: f'{t},"{y:,.9f}"'),
    "long form with decimal commas": ("Probe;Zeit (s);Signal\n", lambda t, y, i: f"A;{comma(t)};{comma(y)}"),
}  # fmt: skip


@pytest.mark.parametrize("name", READ_RIGHT)
def test_what_is_read_right(name: str, tmp_path: Path) -> None:
    heading, row = READ_RIGHT[name]
    found = reading(tmp_path, text_of(heading, row))
    assert len(found.chromatograms) == 1
    assert_read(found)
    assert "time in s, as the file says" in found.notes
    assert found.warnings == ()


WARNED: dict[str, tuple[str, Row, str]] = {
    "a heading of numbers": ("0,220\n", COMMAS, "line 1 '0, 220' is taken for a heading"),
    "a heading of numbers and a gap": (";220\n", SEMICOLONS, "line 1 ', 220' is taken for a heading"),
    "a number of points": ("601 0.5\n", lambda t, y, i: f"{t} {y}", "line 1 '601, 0.5' is taken for a heading"),
    "whole times and a column without a heading": (
        "Time (ms);Signal\n", lambda t, y, i: f"{t * 1000:.0f};{y};0", "the last of 3 columns has no heading"),
    "a column of percents": ("time (s),signal,rel\n", lambda t, y, i: f"{t},{y},{y / 10:.0f}%", "'rel' holds words"),
}  # fmt: skip


@pytest.mark.parametrize("name", WARNED)
def test_what_is_read_with_a_warning(name: str, tmp_path: Path) -> None:
    heading, row, message = WARNED[name]
    found = reading(tmp_path, text_of(heading, row))
    assert_read(found)
    assert message in found.warnings[0]


def clock(time: float) -> str:
    return f"00:{int(time // 60):02d}:{time % 60:04.1f}"


REFUSED: dict[str, tuple[str, Row, str]] = {
    "whole times, decimal commas between commas": (
        "Time (s),Signal\n", lambda t, y, i: f"{i},{comma(y, 2)}", "2 headings above 3 cells: the commas"),
    "whole signals, decimal commas between commas": (
        "Time (min),Signal\n", lambda t, y, i: f"{comma(t / 60)},{y:.0f}", "2 headings above 3 cells: the commas"),
    "decimal commas between commas, no heading": (
        "", lambda t, y, i: f"{comma(t, 1)},{comma(y, 2)}", "4 cells a line, some with a leading 0: the commas"),
    "the signal first, no heading": (
        "", lambda t, y, i: f"{y},{t}", "there are no headings and column 1 does not rise"),
    "a flow, and a time by no name": (
        "Flow (mL/min);Elapsed;FID\n", lambda t, y, i: f"{1 + t / 600};{t};{y}", "no heading speaks of time"),
    "a clock beside a count": (
        "No,Time,Signal\n", lambda t, y, i: f"{i},{clock(t)},{y}", "column 'Time' holds times such as '00:0"),
    "a clock beside a temperature": (
        "Time,Oven,FID\n", lambda t, y, i: f"{clock(t)},{40 + i / 60},{y}", "column 'Time' holds times such as"),
    "a clock without a heading": ("", lambda t, y, i: f"{clock(t)},{y},{2 * y}", "column 1 holds times such as"),
    "commas beside points": (
        "Time (min);Signal\n", lambda t, y, i: f"{comma(t / 60)};{y:.1f}", "see --decimal and --thousands"),
    "points beside commas": (
        "Time (min);Signal\n", lambda t, y, i: f"{t / 60:.3f};{comma(y)}", "see --decimal and --thousands"),
    "blanks of thousands further down": (
        "Zeit (s);Signal\n", lambda t, y, i: f"{comma(t, 1)};" + comma(y).rjust(8, "#").replace("#1", "1 ").strip("#"),
        "see --decimal and --thousands"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str, tmp_path: Path) -> None:
    heading, row, message = REFUSED[name]
    with pytest.raises(InputError) as caught:
        reading(tmp_path, text_of(heading, row))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("unit", "seconds"),
    [
        ("Std.", 3600), ("Stunden", 3600), ("heures", 3600), ("horas", 3600), ("in Minuten", 60), ("minutos", 60),
        ("secondes", 1), ("segundos", 1), ("secondi", 1), ("seg", 1), ("Sekunde", 1), ("sekunder", 1), ("秒", 1),
        ("Millisekunden", 0.001),
    ],
)  # fmt: skip
def test_units_of_time_in_other_languages(unit: str, seconds: float, tmp_path: Path) -> None:
    found = reading(tmp_path, text_of(f"Zeit ({unit});Signal\n", lambda t, y, i: f"{t / seconds:.9f};{y}"))
    np.testing.assert_allclose(found.chromatograms[0].time, TIMES, atol=2e-6)
    assert any("as the file says" in note for note in found.notes)
    assert found.warnings == ()


@pytest.mark.parametrize("unit", ["milli sec", "0.01 min", "x10 ms", "1/100 min", "us", "jiffies"])
def test_a_unit_of_time_that_is_not_known_is_said(unit: str, tmp_path: Path) -> None:
    """The times are certain by their numbers, were there no unit."""
    found = reading(tmp_path, text_of(f"Time ({unit});Signal\n", SEMICOLONS))
    assert found.warnings == (f"the unit of time '{unit}' is not known, s is assumed; --time-unit overrides it",)


RUNS = [(top, 1000.0 * number) for number, top in enumerate((100.0, 150.0, 200.0), 1)]


@pytest.mark.parametrize(
    ("heading", "lead", "names"),
    [
        ("time (s),signal\n", "", ["run 1", "run 2", "run 3"]),
        ("injection,time (s),signal\n", "{number},", ["injection 1", "injection 2", "injection 3"]),
        ("injection,time (s),FID\n", "{number},", ["injection 1", "injection 2", "injection 3"]),
        ("sample,injection,time (s),signal\n", "A,{number},", ["injection 1", "injection 2", "injection 3"]),
    ],
)
def test_runs_below_one_another_are_kept_apart(heading: str, lead: str, names: list[str], tmp_path: Path) -> None:
    lines = [
        f"{lead.format(number=number)}{t},{peak(t, top, height):.3f}\n"
        for number, (top, height) in enumerate(RUNS, 1)
        for t in TIMES
    ]
    found = reading(tmp_path, heading + "".join(lines))
    assert [trace.trace for trace in found.chromatograms] == names
    for trace, (top, height) in zip(found.chromatograms, RUNS, strict=True):
        assert (trace.time.size, trace.time[trace.signal.argmax()]) == (601, top)
        assert trace.signal.max() == pytest.approx(5 + height)
    assert found.warnings == ("the times begin anew 2 times: 3 runs, read as traces of their own",)


def test_rows_in_disorder_are_no_runs() -> None:
    assert runs_of(np.array([3.0, 1, 2, 2, 7.5])) == [slice(0, 5)]
    assert runs_of(np.array([1.0, 2, 3, 10, 4, 5, 6, 7, 8, 9])) == [slice(0, 10)]
    assert runs_of(np.arange(9.0)[::-1]) == [slice(0, 9)]
    assert runs_of(np.array([0, 1, 2, np.nan, 3, 0, 1, 2])) == [slice(0, 5), slice(5, 8)]


def test_many_repeated_times_are_said(tmp_path: Path) -> None:
    found = reading(tmp_path, text_of("time (s),signal\n", lambda t, y, i: f"{t:.0f},{y}"))
    assert "300 of 601 times are repeated" in found.warnings[0]


def test_long_form_with_more_names_than_a_few(tmp_path: Path) -> None:
    lines = [f"run{k},{t},{k + t}\n" for k in range(100) for t in range(5)]
    found = reading(tmp_path, "sample,time (s),signal\n" + "".join(lines))
    assert [(t.trace, t.signal.tolist()) for t in found.chromatograms] == [
        (f"run{k}", [k, k + 1, k + 2, k + 3, k + 4]) for k in range(100)
    ]
    lines = [f"run{k},{t},{k + t}\n" for k in range(300) for t in range(5)]
    with pytest.raises(InputError, match="column 'sample' holds more than 256 different words and the times"):
        reading(tmp_path, "sample,time (s),signal\n" + "".join(lines))


@pytest.mark.parametrize(
    "text",
    [
        "Time (s);Signal\n" + "".join(f"{i};{950 + i:,}\n" for i in range(100)).replace(",", "."),
        "Time (s);Signal\n" + "".join(f"{i};{950 + i:,}\n" for i in range(100)),
        "Time (s);Signal\n" + "".join(f"{i};{max(i, 950):,}\n" for i in range(1050)).replace(",", "."),  # row 1000 on
        "Time (s),Signal\n" + "".join(f'{i},"{2950 + i:,}"\n' for i in range(100)),
        "Time (ms);Signal\n" + "".join(f"{i * 500:,};{i}\n" for i in range(100)).replace(",", "."),
    ],
)
def test_thousands_that_look_like_decimals(text: str, tmp_path: Path) -> None:
    trace, *_ = reading(tmp_path, text).chromatograms
    assert np.unique(np.diff(trace.time)).size == 1
    assert np.diff(trace.signal).max() == 1
    assert trace.signal.max() in (1049, 3049, 99)


def test_a_leading_zero_is_that_of_decimals(tmp_path: Path) -> None:
    text = "Probe;Zeit (min);Signal\n" + "".join(f"A;0,{i:03d};{5 + i}\n" for i in range(50))
    assert reading(tmp_path, text).chromatograms[0].time[-1] == pytest.approx(0.049 * 60)
    quoted = "Time (s),Signal\n" + "".join(f'{i},"0,{i:03d}"\n' for i in range(50))
    assert reading(tmp_path, quoted).chromatograms[0].signal[-1] == 0.049


@pytest.mark.parametrize(
    ("heading", "second"), [("Time A (s);A;Time B (s);B\n", 1.0), ("Time (s);A;Time (min);B\n", 60.0)]
)
def test_pairs_of_columns_have_a_time_each(heading: str, second: float, tmp_path: Path) -> None:
    found = reading(tmp_path, text_of(heading, lambda t, y, i: f"{t};{y};{30 + 2 * t};{2 * y}"))
    assert_read(found)
    assert found.chromatograms[1].time.tolist() == [(30 + 2 * t) * second for t in TIMES]
    assert [trace.trace for trace in found.chromatograms] == ["A", "B"]
    chosen = reading(tmp_path, text_of(heading, lambda t, y, i: f"{t};{y};{30 + 2 * t};{2 * y}"), signal_column="B")
    assert chosen.chromatograms[0].time[0] == 30 * second


def test_pairs_of_columns_without_headings_are_said(tmp_path: Path) -> None:
    found = reading(tmp_path, text_of("", lambda t, y, i: f"{t};{y};{30 + 2 * t};{2 * y}"))
    assert "columns 1 and 3 both rise like times" in found.warnings[0]


def test_a_rate_by_the_second_is_no_second_time(tmp_path: Path) -> None:
    found = reading(tmp_path, text_of("Time (s);FID (pA);MS (counts/sec)\n", lambda t, y, i: f"{t};{y};{2 * y}"))
    assert [trace.trace for trace in found.chromatograms] == ["FID (pA)", "MS (counts/sec)"]


@pytest.mark.parametrize("cell", ["-", "", "NaN"])
def test_cells_that_are_empty_at_the_top_are_said(cell: str, tmp_path: Path) -> None:
    found = reading(tmp_path, text_of("Time (s),Signal\n", lambda t, y, i: f"{t},{cell if y > 900 else y}"))
    (warning,) = found.warnings
    assert "cells are empty where the signal is high, from data row 292 on" in warning
    valley = reading(tmp_path, text_of("Time (s),Signal\n", lambda t, y, i: f"{t},{cell if i < 20 else y}"))
    assert valley.warnings == ()


def test_the_rows_of_a_trace_that_cannot_be_made_are_named(tmp_path: Path) -> None:
    lines = ["A,0,1", "A,1,2", "A,2,3", "B,0,1", "B,1,2"]
    with pytest.raises(InputError, match="rows of 'B': 2 data points"):
        reading(tmp_path, "sample,time (s),signal\n" + "\n".join(lines))


def test_decimal_commas_of_ezchrom(tmp_path: Path) -> None:
    head, values = ezchrom().split(b"Pts.", 1)
    path = tmp_path / "run.asc"
    path.write_bytes(
        (head + b"Pts.").replace(b"2.0", b"2,0").replace(b"0.5\tHz", b"0,5\tHz") + values.replace(b".", b",")
    )
    first, second = read_file(path).chromatograms
    assert (first.time[1], first.signal[0], second.time[1], second.signal[0]) == (0.5, 5.0, 2.0, 1.0)


JCAMP = (
    "##TITLE=x\n##JCAMP-DX=4.24\n##DATA TYPE=GAS CHROMATOGRAM\n##XUNITS=SECONDS\n##FIRSTX=0\n##LASTX=2\n"
    "##YFACTOR={}\n{}\n##END=\n"
)


def test_decimal_commas_of_jcamp(tmp_path: Path) -> None:
    table = "##XYDATA=(X++(Y..Y))\n0 10 20 30"
    assert reading(tmp_path, JCAMP.format("0,5", table)).chromatograms[0].signal.tolist() == [5, 10, 15]
    with pytest.raises(InputError, match="##YFACTOR=: 'half' is no number"):
        reading(tmp_path, JCAMP.format("half", table))
    with pytest.raises(InputError, match="3 numbers in a line are no pairs; decimals need a point"):
        reading(tmp_path, JCAMP.format("1", "##XYPOINTS=(XY..XY)\n0,0 10\n0,5 20"))


def test_decimal_commas_of_chemstation(tmp_path: Path) -> None:
    text = "D:\\x.D 06 Jun 24\nStart of data points\n"
    found = reading(tmp_path, text_of(text, lambda t, y, i: f"{comma(t / 60, 3)},{int(y)}"))
    assert "times are repeated" in found.warnings[0]
