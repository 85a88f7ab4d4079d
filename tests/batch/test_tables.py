"""A table takes the place of the old one when it is complete, and not before."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from gcfit.batch.store import NAME, Record, opened
from gcfit.batch.tables import PIECE, replacing, write_csv, write_tables
from gcfit.errors import OutputError
from gcfit.results import FILE_COLUMNS, PEAK_COLUMNS
from tests.batch import tasks


def test_a_reader_of_the_old_table_keeps_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "peaks.csv"
    path.write_text("old " * 1000)
    with path.open() as reader:
        with replacing(path) as file:
            file.write(b"new")
            assert path.read_text() == "old " * 1000
        assert reader.read() == "old " * 1000
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["peaks.csv"]


def _interrupted(path: Path, error: type[BaseException]) -> None:
    with replacing(path) as file:
        file.write(b"half")
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupted_table_leaves_the_old_one(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "peaks.csv"
    path.write_text("old")
    with pytest.raises(error):
        _interrupted(path, error)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["peaks.csv"]


def test_what_a_killed_run_left_does_not_add_up(tmp_path: Path) -> None:
    (tmp_path / ".peaks.csv.part").write_text("left by a killed run, longer than the table")
    with replacing(tmp_path / "peaks.csv") as file:
        file.write(b"new")
    assert {entry.name: entry.read_text() for entry in tmp_path.iterdir()} == {"peaks.csv": "new"}


def test_a_full_device_is_one_line_and_the_old_table_stays(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    path = tmp_path / "peaks.csv"
    path.write_text("old")
    (tmp_path / ".peaks.csv.part").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"peaks\.csv: No space left on device; finished files are kept"):  # noqa: SIM117
        with replacing(path) as file:
            file.write(b"x" * 100_000)
    assert path.read_text() == "old"


def test_tables_longer_than_a_piece_are_the_same_as_in_one_go(tmp_path: Path) -> None:
    rows = [tuple(tasks.peak_row(f"f{n}", "", b"%d" % n, n).values()) for n in range(2 * PIECE + 1)]
    with (tmp_path / "t.csv").open("wb") as file:
        write_csv(file, PEAK_COLUMNS, iter(rows))
    with (tmp_path / "t.csv").open(newline="") as file:
        found = list(csv.reader(file))
    assert found == [list(PEAK_COLUMNS), *([_cell(value) for value in row] for row in rows)]


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def test_any_writer_of_columns_and_rows_will_do(tmp_path: Path) -> None:
    def lines(stream: IO[bytes], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        stream.write(f"{len(columns)} {len(list(rows))}".encode())

    with opened(tmp_path) as store:
        store.put(Record("/x", [tasks.file_row("x", "", b"x", 0)], [], "s", 1, False, [None]))
        write_tables(store, tmp_path, lines)
    assert (tmp_path / "files.csv").read_text() == f"{len(FILE_COLUMNS)} 1"
    assert (tmp_path / "peaks.csv").read_text() == f"{len(PEAK_COLUMNS)} 0"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["files.csv", "peaks.csv", NAME]
