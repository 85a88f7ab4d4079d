"""Delimited text: every dialect, what is inferred, what is repaired, what is refused."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from gcfit.errors import InputError
from gcfit.formats import ReadOptions, read, read_file
from gcfit.formats.records import Reading

# 301 points at 0.6 s, exact decimals in seconds and in minutes; the signal a parabola with three decimals
SECONDS = [f"{6 * i / 10:.1f}" for i in range(301)]
MINUTES = [f"{i / 100:.2f}" for i in range(301)]
SIGNAL = [f"{(i - 150) ** 2 * 0.125 - 900:.3f}" for i in range(301)]
EXPECTED = np.array([float(x) for x in SECONDS]), np.array([float(x) for x in SIGNAL])

DIALECTS = [
    (delimiter, decimal, encoding, end, unit, header)
    for delimiter, decimal, encoding, end, unit, header in itertools.product(
        (",", ";", "\t", "|", "  "), (".", ","), ("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"),
        ("\n", "\r\n", "\r"), ("s", "min"), (True, False),
    )
    if delimiter != decimal
]  # fmt: skip


def written(folder: Path, text: str | bytes, name: str = "run.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def reading(folder: Path, text: str | bytes, **options: object) -> Reading:
    return read_file(written(folder, text), ReadOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
def test_one_run_in_every_dialect_is_the_same_run(tmp_path: Path, encoding: str) -> None:
    for delimiter, decimal, code, end, unit, header in DIALECTS:
        if code != encoding:
            continue
        times = SECONDS if unit == "s" else MINUTES
        rows = [delimiter.join((t, y)).replace(".", decimal) for t, y in zip(times, SIGNAL, strict=True)]
        heading = [f"Zeit [{unit}]{delimiter}Fläche µ"] if header else []
        path = written(tmp_path, (end.join(heading + rows) + end).encode(encoding))
        found = read(path)
        assert found.time.tobytes() == EXPECTED[0].tobytes(), (delimiter, decimal, encoding, end, unit, header)
        assert found.signal.tobytes() == EXPECTED[1].tobytes(), (delimiter, decimal, encoding, end, unit, header)
        assert found.notes == ()


def test_simulated_runs_and_their_columns(tmp_path: Path) -> None:
    text = "time_s,signal,benzene,toluene\n0.0,3.5,1.0,2.5\n0.5,4.5,1.5,3.0\n1.0,5.5,2.0,3.5\n"
    found = reading(tmp_path, text)
    assert [trace.trace for trace in found.chromatograms] == [""]
    assert found.chromatograms[0].signal.tolist() == [3.5, 4.5, 5.5]
    assert any("benzene, toluene" in note and "--signal-column" in note for note in found.notes)
    chosen = read(written(tmp_path, text), signal_column="toluene")
    assert chosen.signal.tolist() == [2.5, 3.0, 3.5]


def test_several_signals_are_several_traces(tmp_path: Path) -> None:
    text = "Time (min)\tFID_pA\tTCD (25 uV)\tOven temperature\n" + "".join(
        f"{i / 100}\t{i}\t{2 * i}\t80\n" for i in range(50)
    )
    found = reading(tmp_path, text)
    assert [(t.trace, t.signal_unit) for t in found.chromatograms] == [("FID_pA", "pA"), ("TCD (25 uV)", "25 uV")]
    with pytest.raises(InputError, match=r"2 traces: 'FID_pA', 'TCD \(25 uV\)'; choose one with trace="):
        read(written(tmp_path, text))
    assert read(written(tmp_path, text), trace="TCD*").signal[3] == 6
    with pytest.raises(InputError, match="no trace matches 'MS'"):
        read(written(tmp_path, text), trace="MS")


def test_blocks_below_one_another(tmp_path: Path) -> None:
    rows = "".join(f"{i / 100:.2f},{i}\n" for i in range(50))
    found = reading(tmp_path, f'"FID1A"\n{rows}"TCD2B"\n{rows}')
    assert [(t.trace, t.time.size) for t in found.chromatograms] == [("FID1A", 50), ("TCD2B", 50)]


def test_preamble_with_its_own_numbers(tmp_path: Path) -> None:
    preamble = "Instrument: GC 7\nRun,12\nDate,2024-01-05\n1,2,3\n\n"
    found = read(written(tmp_path, preamble + "time_min,mV\n" + "".join(f"{i / 100},{i * i}\n" for i in range(40))))
    assert (found.time[1], found.time.size, found.signal[-1]) == (0.6, 40, 1521)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('t_s;y\n0;"1.234,5"\n1;"12,25"\n2;"1.422,116"\n', [1234.5, 12.25, 1422.116]),
        ("t_s\ty\n0.0\t1,234.5\n0.5\t12.25\n1.0\t1,422.116\n", [1234.5, 12.25, 1422.116]),
        ('t_s,y\n0,"1,5"\n1,"12,25"\n2,"7,0"\n', [1.5, 12.25, 7.0]),
        ("t_s;y\n0;1'234.5\n1;12.25\n2;1'422.1\n", [1234.5, 12.25, 1422.1]),
        ("t_s;y\n0;1 234,5\n1;12,25\n2;1 422,1\n", [1234.5, 12.25, 1422.1]),
        ("t_s;y\n0;1\u202f234,5\n1;\u221212,25\n2;7,5\n", [1234.5, -12.25, 7.5]),
        ("t_s,y\n0,-1.5e-3\n1,2E+3\n2,.5\n", [-0.0015, 2000.0, 0.5]),
        ("  t_s    y\n   0     1.5\n   1    -2.5 \n  10     3.5\n", [1.5, -2.5, 3.5]),
        ("t_s , y\n0 , 1.5\n1 , 2.5\n2 , 3.5\n", [1.5, 2.5, 3.5]),
    ],
)  # fmt: skip
def test_marks_of_decimals_and_thousands(tmp_path: Path, text: str, expected: list[float]) -> None:
    assert read(written(tmp_path, text)).signal.tolist() == expected


def test_a_comma_before_three_digits_is_decided_by_the_times_or_said(tmp_path: Path) -> None:
    rising = "time_s\ty\n" + "".join(f"{i:,}\t5\n" for i in range(998, 1012))
    assert read(written(tmp_path, rising)).time[-1] == 1011
    doubtful = reading(tmp_path, "time_s\ty\n1,250\t3,125\n1,500\t4,125\n1,750\t5,125\n")
    assert doubtful.chromatograms[0].time.tolist() == [1.25, 1.5, 1.75]
    assert any("--thousands" in warning for warning in doubtful.warnings)
    told = read(written(tmp_path, "time_s\ty\n1,250\t3,125\n1,500\t4,125\n1,750\t5,125\n"), thousands=",")
    assert told.time.tolist() == [1250, 1500, 1750]


@pytest.mark.parametrize(
    ("times", "unit"),
    [
        (np.arange(600) * 1.0, "s"),  # integer seconds: as minutes a value every minute
        (np.arange(2000) * 0.005 + 12.0, "min"),  # as seconds a run of 10 s at 200 Hz
        (np.arange(60000) * 0.0033333, "min"),  # as seconds 300 Hz
        (np.arange(400) * 0.5, "s"),
    ],
)
def test_the_numbers_decide_the_unit_where_they_can(tmp_path: Path, times: np.ndarray, unit: str) -> None:
    found = reading(tmp_path, "Time,Signal\n" + "".join(f"{t:.6f},1\n" for t in times))
    assert found.warnings == ()
    assert found.chromatograms[0].time[-1] == pytest.approx(times[-1] * {"s": 1, "min": 60}[unit], abs=1e-4)


def test_where_they_cannot_the_assumption_is_said(tmp_path: Path) -> None:
    text = "Time,Signal\n" + "".join(f"{i / 50:.2f},1\n" for i in range(1501))  # 30 s at 50 Hz, or 30 min at 1.2 s
    found = reading(tmp_path, text)
    assert found.chromatograms[0].time[-1] == 1800
    assert found.warnings == ("the file does not say its unit of time, min is assumed; --time-unit overrides it",)
    assert read(written(tmp_path, text), time_unit="s").time[-1] == 30
    assert read(written(tmp_path, text), time_unit="h").time[-1] == 30 * 3600


def test_times_are_put_in_order_and_repeated_ones_averaged(tmp_path: Path) -> None:
    found = read(written(tmp_path, "time_s,y\n3,30\n1,10\n2,20\n2,22\n7.5,75\n"))
    assert found.time.tolist() == [1, 2, 3, 7.5]
    assert found.signal.tolist() == [10, 21, 30, 75]
    assert len(found.notes) == 2


def test_a_row_of_numbers_below_the_table_is_sorted_in_with_a_warning(tmp_path: Path) -> None:
    text = "time_s,y\n" + "".join(f"{i},{i % 7}\n" for i in range(60))
    found = reading(tmp_path, text + "\n40.5,25\n")
    assert found.chromatograms[0].time.tolist()[40:43] == [40, 40.5, 41]
    assert found.warnings == ("times fall at data row 61: rows were sorted by their times",)
    assert not reading(tmp_path, text).warnings


def test_rows_with_an_empty_cell_are_left_out_with_a_note(tmp_path: Path) -> None:
    found = read(written(tmp_path, "time_s,y\n1,10\n2,NaN\n3,\n4,n.a.\n5,50\n6,60\n"))
    assert found.time.tolist() == [1, 5, 6]
    assert found.notes == ("3 rows with an empty cell left out, the first is data row 2",)


def test_lines_that_are_no_rows_are_left_out_with_a_warning_that_shows_the_first(tmp_path: Path) -> None:
    rows = [f"{i},{i}" for i in range(60)]
    found = reading(tmp_path, "\n".join(["time_s,y", *rows[:30], "# valve opened", *rows[30:], "59.5"]))
    assert found.chromatograms[0].time.size == 60
    assert found.warnings == (
        "2 of 62 lines are no rows of the table, the first is line 32 '# valve opened'; left out",
    )


def test_options_override_what_would_be_inferred(tmp_path: Path) -> None:
    text = "99;98;97\n5;0;100\n6;1;200\n7;2;300\n8;3;400\n"
    found = read(
        written(tmp_path, text), skip_lines=1, no_header=True, time_column="2", signal_column="3", time_unit="s"
    )
    assert found.time.tolist() == [0, 1, 2, 3]
    assert found.signal.tolist() == [100, 200, 300, 400]
    with pytest.raises(InputError, match="no column 'x'"):
        read(written(tmp_path, text), time_column="x")
    assert read(written(tmp_path, "a|b\n0|1\n1|2\n2|3\n"), delimiter="|", time_unit="s").time.size == 3
    assert read(written(tmp_path, "0,5 1,5\n1,5 2,5\n2,5 3\n"), decimal=",", time_unit="s").time.tolist() == [
        0.5,
        1.5,
        2.5,
    ]
    latin = read(written(tmp_path, "Zeit_s;µV\n0;1\n1;2\n2;3\n".encode("cp850")), encoding="cp850")
    assert latin.signal.size == 3


def test_counted_rows_are_not_the_time(tmp_path: Path) -> None:
    found = reading(tmp_path, "".join(f"{i},{i / 100 + 3:.2f},{i * i}\n" for i in range(200)))
    assert found.chromatograms[0].signal[5] == 25
    assert any("--time-column" in warning for warning in found.warnings)
    named = read(written(tmp_path, '"","time_s","signal"\n"1",0.5,7\n"2",1.0,8\n"3",1.5,9\n'))
    assert named.time.tolist() == [0.5, 1.0, 1.5]


def test_units_in_a_line_of_their_own(tmp_path: Path) -> None:
    found = read(written(tmp_path, "Time\tSignal\nmin\tpA\n" + "".join(f"{i / 100}\t{i}\n" for i in range(9))))
    assert (found.time[1], found.signal_unit) == (0.6, "pA")


def test_long_form(tmp_path: Path) -> None:
    lines = [f'"run 7",{d},{i / 100},{i * k}' for d, k in (("FID", 1), ("TCD", 2)) for i in range(20)]
    found = reading(tmp_path, "sample,detector,minutes,intensity\n" + "\n".join(lines) + "\n")
    assert [(t.trace, t.time[1], t.signal[-1]) for t in found.chromatograms] == [("FID", 0.6, 19), ("TCD", 0.6, 38)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is empty"),
        (b" \n\n\t\n", "holds nothing but blanks"),
        (b"time_s,signal\n0,1\n1,2\n", "2 data points, at least 3 are needed"),
        (b"time_s,signal\n0,nan\n1,nan\n2,nan\n", "1 of 2 columns are empty or NaN throughout"),
        (b"time_s,signal\n0,1\n1,inf\n2,3\n", "data row 2: signal is infinite"),
        (b"dear all\nthe column arrived\n", "no rows with two numbers"),
        (b"1\n2\n3\n4\n", "no rows with two numbers"),
        (b"time,signal\n0,5,1,5\n0,6,1,7\n0,7,1,9\n", "2 headings above 4 cells"),
        (b"peak,retention_time,area\n1,5.5,100\n2,6.5,200\n3,7.5,300\n", "is a table of peaks or results"),
        (b"name,mass\nb,1\n", "no rows with two numbers"),
        (b"alpha,beta\n3,1\n1,1\n2,1\n", "no heading speaks of time and 'alpha' does not rise"),
        (b"\x00\x01\x02\x03" * 50, "is a binary file"),
        (b"0,1\n1,2\n2,3\n" + b"only words\n" * 5, "5 of 8 lines are no rows of the table, the first is line 4"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_in_one_line(tmp_path: Path, text: bytes, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened: No such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(InputError, match="unknown encoding 'klingon'"):
        read(written(tmp_path, "1,2\n"), encoding="klingon")
    with pytest.raises(InputError, match="unknown encoding 'zip'"):
        read(written(tmp_path, "1,2\n"), encoding="zip")
    with pytest.raises(InputError, match="is not text in ascii"):
        read(written(tmp_path, "Zeit_s,µV\n0,1\n1,2\n2,3\n"), encoding="ascii")
    with pytest.raises(InputError, match="cannot be opened"):
        read("a\0b")


def test_a_long_file_is_read_in_blocks_with_nothing_lost(tmp_path: Path) -> None:
    """Blocks end anywhere: within a line, between CR and LF, within a character of UTF-16."""
    count = 150_000
    text = "time_s;signal µ\r\n" + "".join(f"{i / 4};{i * 7 % 1000}\r\n" for i in range(count))
    for encoding in ("utf-8", "utf-16"):
        found = read(written(tmp_path, text.encode(encoding)))
        assert found.time.tolist() == (np.arange(count) / 4).tolist()
        assert found.signal.tolist() == (np.arange(count) * 7 % 1000).tolist()


def test_the_default_road_loads_nothing_heavy(tmp_path: Path) -> None:
    import subprocess
    import sys

    path = written(tmp_path, "time_s,signal\n0,1\n1,2\n2,3\n")
    code = (
        "import sys; from gcfit.formats import read; read(sys.argv[1])\n"
        "print([m for m in ('pandas', 'scipy', 'matplotlib', 'json', 'xml', 'csv', 'sqlite3') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert run.stdout.strip() in ("[]", "['json']")  # numpy itself may load json
