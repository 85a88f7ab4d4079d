"""Writers: what is written reads back, nothing is run, a failing run destroys nothing."""

import csv
import io
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gcfit.chromatogram import Chromatogram
from gcfit.errors import GcfitError, MissingExtraError, OutputError
from gcfit.formats import read, read_file, writers
from gcfit.formats.atomic import atomic_write
from gcfit.formats.writers import WRITERS, quoted, unquoted, write_chromatogram, write_table

NAMES = [
    "run 1.csv", 'a "quoted", name.csv', "two\nlines.csv", "Grün µ 漢.csv", "=1+1", "-5", "+x", "@SUM(A1)", "\tx",
    "\rx", "'=x", "end\r", "_x000D_", "bell\x07", "''-x", "'plain", "a|b", "back\\slash", "\u20281", "＝1",
]  # fmt: skip
COLUMNS = ["file", "peak", "area", "note"]
ROWS = [{"file": name, "peak": i, "area": np.float64(0.1) * i, "note": None} for i, name in enumerate(NAMES)]


def written(format: str, **options: bool) -> bytes:
    out = io.BytesIO()
    write_table(ROWS, COLUMNS, out, format, **options)  # type: ignore[arg-type]
    return out.getvalue()


def table(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@pytest.mark.parametrize(("format", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_text_and_numbers_come_back_from_delimited_tables(format: str, delimiter: str) -> None:
    header, *rows = table(written(format).decode(), delimiter)
    assert header == COLUMNS
    assert [unquoted(row[0]) for row in rows] == NAMES
    assert [float(row[2]) for row in rows] == [row["area"] for row in ROWS]
    assert {row[3] for row in rows} == {""}


@pytest.mark.parametrize("format", ["csv", "tsv"])
def test_no_cell_of_text_begins_like_a_formula(format: str) -> None:
    for row in table(written(format).decode(), {"csv": ",", "tsv": "\t"}[format])[1:]:
        assert row[0][0] not in "=+-@\t\r\n＝＋－＠"


def test_numbers_are_never_touched() -> None:
    out = io.StringIO()
    values = [-1.5, -3, 1e-300, 0.1 + 0.2, np.float32(0.5), np.int64(-7), math.inf, True]
    write_table([{"x": value} for value in values], ["x"], out)
    assert out.getvalue().split() == ["x", "-1.5", "-3", "1e-300", "0.30000000000000004", "0.5", "-7", "inf", "True"]


@given(st.text(max_size=8) | st.text(alphabet="'=+-@\t\r\nx", max_size=5))
def test_quoting_is_undone(text: str) -> None:
    assert unquoted(quoted(text)) == text
    assert not quoted(text)[:1] or quoted(text)[0] not in "=+-@\t\r\n"


def test_european_csv() -> None:
    raw = written("csv", decimal_comma=True, bom=True)
    assert raw.startswith(b"\xef\xbb\xbffile;peak;area;note\n")
    assert table(raw.decode("utf-8-sig"), ";")[4][2] == "0,30000000000000004"


def test_json_has_the_same_names_and_numbers() -> None:
    rows = json.loads(written("json"))
    assert [row["file"] for row in rows] == NAMES
    assert [row["area"] for row in rows] == [row["area"] for row in ROWS]
    assert rows[0]["note"] is None
    out = io.StringIO()
    write_table([{"x": math.nan}, {"x": np.float64(math.inf)}], ["x"], out, "json")
    assert json.loads(out.getvalue()) == [{"x": None}, {"x": None}]
    write_table([], ["x"], empty := io.StringIO(), "json")
    assert json.loads(empty.getvalue()) == []


def test_markdown_is_one_line_a_row() -> None:
    lines = written("markdown").decode().rstrip("\n").split("\n")
    assert len(lines) == len(ROWS) + 2
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    assert "note" not in lines[0]  # empty throughout


def test_xlsx_holds_text_as_text_and_numbers_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "peaks.xlsx"
    write_table(ROWS, COLUMNS, path, "xlsx")
    rows = list(openpyxl.load_workbook(path).active.iter_rows())
    assert [cell.value for cell in rows[0]] == COLUMNS
    assert all(row[0].data_type == "s" for row in rows[1:])
    assert [row[2].value for row in rows[1:]] == pytest.approx([row["area"] for row in ROWS], rel=1e-15)
    names = [
        re.sub("_x([0-9A-F]{4})_", lambda m: chr(int(m[1], 16)), row[0].value) for row in rows[1:]
    ]  # as Excel does
    assert [unquoted(name) for name in names] == NAMES
    assert rows[3][0].value == "two\nlines.csv"


def test_parquet_has_types() -> None:
    found = parquet.read_table(io.BytesIO(written("parquet")))
    assert [str(kind) for kind in found.schema.types] == ["string", "int64", "double", "double"]
    assert found.column("file").to_pylist() == NAMES


@pytest.mark.parametrize(("format", "module"), [("xlsx", "openpyxl"), ("parquet", "pyarrow")])
def test_without_its_package_a_format_names_the_extra(
    format: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match="gcfit-chromatography"):
        written(format)


def test_an_unknown_format_lists_the_known_ones() -> None:
    with pytest.raises(GcfitError, match="known are csv, tsv, json, markdown, xlsx, parquet"):
        written("html")
    assert list(WRITERS) == ["csv", "tsv", "json", "markdown", "xlsx", "parquet"]


def test_names_that_are_no_text_survive(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.csv")
    write_table([{"file": name}], ["file"], tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == b"file\ncaf\xe9.csv\n"
    code = "import sys, os; from gcfit.formats.writers import write_table\n"
    code += "write_table([{'file': os.fsdecode(b'caf\\xe9.csv')}], ['file'], sys.stdout)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert run.stdout == b"file\ncaf\xe9.csv\n"
    write_table([{"file": name}], ["file"], json_file := io.BytesIO(), "json")
    assert json.loads(json_file.getvalue().decode()) == [{"file": name}]


times = hnp.arrays(np.float64, st.integers(3, 40), elements=st.floats(-1e9, 1e9), unique=True).map(np.sort)


@given(times, st.data())
def test_a_chromatogram_written_and_read_is_the_same(time: np.ndarray, data: st.DataObject) -> None:
    signal = data.draw(hnp.arrays(np.float64, time.size, elements=st.floats(allow_nan=False, allow_infinity=False)))
    out = io.BytesIO()
    write_chromatogram(Chromatogram(time, signal), out)
    header, *rows = table(out.getvalue().decode())
    assert header == ["time_s", "signal"]
    assert np.array([float(row[0]) for row in rows]).tobytes() == time.tobytes()
    assert np.array([float(row[1]) for row in rows]).tobytes() == signal.tobytes()


def test_it_reads_back_through_the_reader(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    trace = Chromatogram(np.cumsum(rng.uniform(0.01, 1, 500)), rng.normal(size=500) * 1e-7)
    write_chromatogram(trace, tmp_path / "a.csv")
    found = read(tmp_path / "a.csv")
    assert found.time.tobytes() == trace.time.tobytes()
    assert found.signal.tobytes() == trace.signal.tobytes()


def test_several_traces_read_back_with_their_names(tmp_path: Path) -> None:
    time = np.arange(5) / 4
    same = [Chromatogram(time, time**k, trace=name) for k, name in ((1, "FID 1"), (2, "TCD, 25 uV"))]
    write_chromatogram(same, tmp_path / "same.csv")
    apart = [*same, Chromatogram(time[:4] + 1, time[:4], trace="=MS")]
    write_chromatogram(apart, tmp_path / "apart.csv")
    for path, traces in ((tmp_path / "same.csv", same), (tmp_path / "apart.csv", apart)):
        found = read_file(path).chromatograms
        assert [unquoted(t.trace) for t in found] == [t.trace for t in traces]
        assert all(
            (a.time == b.time).all() and (a.signal == b.signal).all() for a, b in zip(found, traces, strict=True)
        )
    with pytest.raises(GcfitError):
        write_chromatogram([], io.BytesIO())


def test_a_failing_run_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "peaks.csv"
    path.write_text("old")
    path.chmod(0o640)

    def fail() -> None:
        with atomic_write(path) as stream:
            stream.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["peaks.csv"]
    with atomic_write(path) as stream:
        stream.write(b"new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["peaks.csv"]


def test_a_link_stays_a_link_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write_table([], ["x"], tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "x\n"
    write_table([], ["x"], "/dev/null")
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("name", ["missing/peaks.csv", "file/peaks.csv", ".", "x" * 300])
def test_what_cannot_be_written_is_said(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_table([], ["x"], tmp_path / name)
    assert writers.WRITERS
