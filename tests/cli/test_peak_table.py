"""What the commands take for a peak table, and names of files that come back from it whatever they hold."""

import json
import os
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from gcfit.cli.peak_table import is_peak_table, read_peak_table
from gcfit.formats.writers import unquoted
from tests.cli.shell import inside

NAMES = [
    "run 1, again.csv", 'a "b".csv', "two\nlines.csv", "ü µ 漢.csv", "=1+1.csv", "-x.csv", "+x.csv", "@SUM(A1).csv",
    "'=x.csv", "'x.csv", "\tx.csv", "a;b.csv", os.fsdecode(b"caf\xe9.csv"),
]  # fmt: skip


def test_a_binary_file_is_no_peak_table(tmp_path: Path) -> None:
    path = tmp_path / "trace.ch"
    path.write_bytes(b"\x03181\r\x00file,trace,peak\r\x00 and more\n")
    assert not is_peak_table(path)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small run under every name."""
    folder = tmp_path_factory.mktemp("names")
    time = np.arange(120) * 0.5
    signal = 10 + 100 * np.exp(-0.5 * ((time - 30) / 2) ** 2) + np.random.default_rng(1).normal(scale=0.1, size=120)
    text = "time_s,signal\n" + "".join(f"{t!r},{y!r}\n" for t, y in zip(time.tolist(), signal.tolist(), strict=True))
    for name in NAMES:
        (folder / name).write_text(text)
    return folder


def fitted(shelf: Path, *options: str) -> str:
    run = inside("fit", "--model", "gaussian", *options, "--", *NAMES, cwd=shelf)
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout


@pytest.mark.parametrize("options", ["--format csv", "--format tsv", "--decimal-comma --bom"])
def test_names_come_back_from_text(options: str, shelf: Path, tmp_path: Path) -> None:
    path = tmp_path / "peaks"
    path.write_bytes(fitted(shelf, *options.split()).encode("utf-8", "surrogateescape"))
    assert [row["file"] for row in read_peak_table(str(path))] == NAMES


def test_names_come_back_from_json(shelf: Path) -> None:
    assert [row["file"] for row in json.loads(fitted(shelf, "--format", "json"))] == NAMES


def test_names_come_back_from_a_workbook(shelf: Path, tmp_path: Path) -> None:
    path = tmp_path / "peaks.xlsx"
    path.write_bytes(fitted(shelf, "--format", "xlsx").encode("utf-8", "surrogateescape"))
    rows = list(openpyxl.load_workbook(path).active.values)
    found = [unquoted(row[rows[0].index("file")]) for row in rows[1:]]
    assert found[:-1] == NAMES[:-1]
    assert found[-1] == "caf\\udce9.csv"  # a workbook holds no bytes that are no text


def test_names_come_back_from_the_folder_of_a_batch(shelf: Path, tmp_path: Path) -> None:
    run = inside("fit", "--model", "gaussian", "-o", str(tmp_path / "out"), "--", *NAMES, cwd=shelf)
    assert run.returncode == 0
    for table in ("results.sqlite", "peaks.csv"):
        assert {row["file"] for row in read_peak_table(str(tmp_path / "out" / table))} == set(NAMES)
