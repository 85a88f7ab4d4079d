"""The store: rows are replaced as a whole, foreign and damaged files are left alone, one run at a time."""

import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gcfit.batch.lock import locked
from gcfit.batch.records import Row
from gcfit.batch.store import NAME, Record, opened, readable
from gcfit.errors import OutputError
from gcfit.results import FILE_COLUMNS, PEAK_COLUMNS
from tests.batch import tasks
from tests.readme import README


def record(
    path: str, *, peaks: int = 2, name: str = "x.txt", traces: Sequence[str] = ("",), again: bool = False
) -> Record:
    content = path.encode("utf-8", "surrogateescape")
    files: list[Row] = [{**tasks.file_row(name, trace, content, peaks), "sha256": "ab"} for trace in traces]
    rows = [tasks.peak_row(name, traces[0], content, number + 1) for number in range(peaks)]
    return Record(path, files, rows, settings="s", size=7, again=again, figures=[None] * len(files))


def query(folder: Path, text: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(folder / NAME)
    try:
        return connection.execute(text).fetchall()
    finally:
        connection.close()


def test_the_tables_of_the_contract_are_there_for_any_sqlite(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.use_settings("s", "{}")
        store.put(record("/data/x.txt"))
    tables = query(tmp_path, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    assert {("curves",), ("files",), ("peaks",), ("settings",)} <= set(tables)
    for table, columns in (("files", FILE_COLUMNS), ("peaks", PEAK_COLUMNS)):
        found = [row[1] for row in query(tmp_path, f"PRAGMA table_info({table})")]
        assert tuple(found[: len(columns)]) == columns
    assert query(tmp_path, "SELECT count(*), typeof(area), typeof(peak), typeof(fwhm_s) FROM peaks") == [
        (2, "real", "integer", "null")
    ]
    assert query(tmp_path, "SELECT * FROM settings") == [("s", "{}")]
    assert sorted(path.name for path in tmp_path.iterdir()) == [NAME]


def test_the_readme_names_every_table_and_every_column_of_the_store(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    text = README.read_text(encoding="utf-8").partition("## The record")[2].partition("\n## ")[0]
    tables = [str(row[0]) for row in query(tmp_path, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert len(tables) == 5
    for table in tables:
        (line,) = re.findall(rf"^\| `{table}` \| (?:a|what) .*$", text, re.M)
        columns = {str(row[1]) for row in query(tmp_path, f"PRAGMA table_info({table})")}
        assert all(f"`{column}`" in line for column in columns.difference(FILE_COLUMNS, PEAK_COLUMNS))


def test_rows_come_back_bit_for_bit_in_the_order_of_the_paths(tmp_path: Path) -> None:
    paths = ["/b/x.txt", "/a/x.txt", "/a/b.txt", "/a/é.txt"]
    with opened(tmp_path) as store:
        for path in paths:
            store.put(record(path, name=path))
        got = list(store.rows("peaks"))
    expected = [tuple(row.values()) for path in sorted(paths) for row in record(path, name=path).peaks]
    assert got == expected


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.put(record("/x.txt", peaks=5, traces=("A", "B")))
        store.put(record("/y.txt", peaks=1))
        store.put(record("/x.txt", peaks=2))
        assert [row[1] for row in store.rows("files")] == ["", ""]
        assert len(list(store.rows("peaks"))) == 3
        store.remove("/x.txt")
        assert list(store.paths()) == ["/y.txt"]
        assert len(list(store.rows("peaks"))) == 1
        assert store.known("/x.txt") is None


def test_a_replacement_that_fails_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.put(record("/x.txt", peaks=3))
        before = list(store.rows("files")), list(store.rows("peaks"))
        broken = record("/x.txt", peaks=4)
        broken.peaks[-1]["area"] = object()  # type: ignore[index]
        with pytest.raises(sqlite3.Error):
            store.put(broken)
        assert (list(store.rows("files")), list(store.rows("peaks"))) == before


def test_what_is_known_of_a_file(tmp_path: Path) -> None:
    failed = record("/x.txt", peaks=0, traces=("A", "B"), again=True)
    failed.files[1].update(status="failed", message="flat")  # type: ignore[attr-defined]
    with opened(tmp_path) as store:
        store.put(failed)
        known = store.known("/x.txt")
    assert known is not None
    assert (known.name, known.sha256, known.size, known.settings) == ("x.txt", "ab", 7, "s")
    assert (known.again, known.status, known.message, known.fitted) == (True, "failed", "flat", True)


def test_what_was_begun_and_not_ended_is_known(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for path in ("/a.txt", "/b.txt", "/c.txt"):
            store.begin(path)
        store.put(record("/a.txt"))
        store.put(replace(record("/b.txt"), died=True))
    with opened(tmp_path) as store:
        assert store.begun() == {"/b.txt", "/c.txt"}
        store.put(record("/b.txt"))
        store.remove("/c.txt")
        assert store.begun() == set()


def test_names_in_any_encoding_survive(tmp_path: Path) -> None:
    path = os.fsdecode(b"/data/m\xfcller.txt")  # Latin-1 bytes: no UTF-8
    with opened(tmp_path) as store:
        store.put(record(path, name=path))
        store.rename(path, path, path + "2")
    with opened(tmp_path) as store:
        known = store.known(path)
        assert known is not None
        assert known.name == path + "2"
        assert list(store.paths()) == [path]
        assert {row[0] for row in store.rows("peaks")} == {path + "2"}


def foreign_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE files (a)")
    connection.commit()
    connection.close()


def newer(path: Path) -> None:
    with opened(path.parent):
        pass
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def other_application(path: Path) -> None:
    foreign_database(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id = 252006673")
    connection.close()


FOREIGN = {
    "text": lambda path: path.write_text("file,trace,peak\n"),
    "another database": foreign_database,
    "another program's database": other_application,
    "a newer version": newer,
}


@pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_is_refused_and_left_as_it_is(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / NAME)
    before = (tmp_path / NAME).read_bytes()
    with pytest.raises(OutputError, match=r"results\.sqlite: .*move it away"), opened(tmp_path):
        pass
    assert (tmp_path / NAME).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def filled(folder: Path, files: int = 200) -> bytearray:
    with opened(folder) as store:
        for index in range(files):
            store.put(record(f"/data/{index:04d}.txt"))
    return bytearray((folder / NAME).read_bytes())


@pytest.mark.parametrize("damage", ["cut", "zeros", "noise"])
def test_a_damaged_store_is_refused_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    content = filled(tmp_path)
    page = slice(4096 * 6, 4096 * 7)
    if damage == "cut":
        del content[len(content) // 2 :]
    else:
        content[page] = bytes(4096) if damage == "zeros" else bytes(range(255, -1, -1)) * 16
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(OutputError, match="left as it is"), opened(tmp_path):
        pass
    assert (tmp_path / NAME).read_bytes() == content


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("DROP TABLE peaks", "table peaks lacks file, path, position"),
        ("DROP TABLE settings", "table settings lacks id, content"),
        ("ALTER TABLE files DROP COLUMN again", "table files lacks again"),
    ],
)
def test_a_store_without_its_tables_is_damaged_and_left_as_it_is(tmp_path: Path, change: str, found: str) -> None:
    filled(tmp_path, 2)
    query(tmp_path, change)
    before = (tmp_path / NAME).read_bytes()
    told = rf"results\.sqlite: is damaged \({found}\) and is left as it is; move it away"
    with pytest.raises(OutputError, match=told), opened(tmp_path):
        pass
    assert (tmp_path / NAME).read_bytes() == before


def test_a_store_that_may_not_be_written_to_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened read-only, which is how it is for whoever may not write; root may always."""
    filled(tmp_path, 2)
    connect = sqlite3.connect

    def reading(path: Path, **options: float) -> sqlite3.Connection:
        return connect(f"{path.as_uri()}?mode=ro", uri=True, **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr("gcfit.batch.store.sqlite3.connect", reading)
    told = r"cannot be written \(attempt to write a readonly database\); let it be written to"
    with pytest.raises(OutputError, match=told), opened(tmp_path):
        pass


def test_a_folder_in_place_of_the_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(OutputError, match="Is a directory"), opened(tmp_path):
        pass


def test_columns_that_came_later_are_added(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    connection = sqlite3.connect(tmp_path / NAME)
    connection.execute("ALTER TABLE peaks DROP COLUMN loading")
    connection.close()
    with opened(tmp_path) as store:
        store.put(record("/data/0001.txt"))
        assert len(list(store.rows("peaks"))) == 4


def test_the_log_of_a_removed_store_is_not_played_into_the_new_one(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.put(record("/old.txt"))
        for name in (NAME, NAME + "-wal"):  # as kill -9 would leave them
            shutil.copy(tmp_path / name, tmp_path / ("kept-" + name))
    (tmp_path / ("kept-" + NAME + "-wal")).rename(tmp_path / (NAME + "-wal"))
    (tmp_path / NAME).unlink()
    with opened(tmp_path) as store:
        assert list(store.paths()) == []


def test_what_a_killed_process_had_finished_is_there(tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    killed.mkdir()
    with opened(tmp_path) as store:
        store.put(record("/old.txt"))
        for name in (NAME, NAME + "-wal"):
            shutil.copy(tmp_path / name, killed / name)
    with opened(killed) as store:
        assert list(store.paths()) == ["/old.txt"]


def test_the_empty_file_of_a_reader_who_came_too_early_is_no_hindrance(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        query(tmp_path, "SELECT * FROM files")
    assert (tmp_path / NAME).stat().st_size == 0
    with opened(tmp_path) as store:
        store.put(record("/x.txt"))
    assert query(tmp_path, "SELECT count(*) FROM files") == [(1,)]


def test_a_store_half_made_is_made_again(tmp_path: Path) -> None:
    (tmp_path / f".{NAME}.new").write_bytes(b"half")
    with opened(tmp_path) as store:
        store.put(record("/x.txt"))
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("replaced", [False, True])
def test_a_store_that_disappears_is_noticed(tmp_path: Path, replaced: bool) -> None:
    with opened(tmp_path) as store:
        (tmp_path / NAME).rename(tmp_path / "elsewhere")
        if replaced:
            shutil.copy(tmp_path / "elsewhere", tmp_path / NAME)
        with pytest.raises(OutputError, match="removed or replaced"):
            store.put(record("/x.txt"))


def test_a_reader_sees_finished_files_during_the_run(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.put(record("/x.txt"))
        assert query(tmp_path, "SELECT count(*) FROM files") == [(1,)]
        reader = sqlite3.connect(tmp_path / NAME)
        cursor = reader.execute("SELECT * FROM peaks")
        cursor.fetchone()
        store.put(record("/y.txt"))  # not held up by the reader, who sees what was there when it began
        assert len(cursor.fetchall()) == 1
    reader.close()


def test_the_store_can_be_read_while_another_run_writes_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "50% of é?#"
    folder.mkdir()
    with locked(folder), opened(folder) as store:
        store.put(record("/x.txt"))
        with readable(folder) as other:
            assert list(other.rows("peaks")) == list(store.rows("peaks"))
            assert len(list(other.rows("peaks"))) == 2
    with readable(folder) as alone, pytest.raises(OutputError, match="readonly database"):
        alone.put(record("/y.txt"))


def test_one_run_a_folder(tmp_path: Path) -> None:
    with (
        locked(tmp_path),
        pytest.raises(OutputError, match="another gcfit is writing to this folder"),
        locked(tmp_path),
    ):
        pass
    with locked(tmp_path):
        pass
