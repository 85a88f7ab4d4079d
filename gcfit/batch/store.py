"""The record of a batch: `results.sqlite`, one transaction a file, refused when it is foreign or damaged.

Tables: `files` (a row a trace), `peaks` (a row a peak), `settings` (what a file was fitted with), `curves` (what the
report draws of a trace: JSON, compressed by zlib). `path`, the absolute
path as bytes, and `position` tell the rows of files with the same name apart and give the tables their order.
`begun` holds the paths of files that a process has begun with and not survived, or is at.
"""

import os
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gcfit.batch.records import Row
from gcfit.errors import OutputError, one_line
from gcfit.results import COLUMNS, Table

NAME = "results.sqlite"
APPLICATION = int.from_bytes(b"gcft", "big")
VERSION = 2
BUSY_S = 60.0  # patience with somebody who writes to the store by other means
KEY = ("path", "position")
_QUICK = 1  # of zlib: a tenth longer in half the time
# size: bytes that were hashed; again: try the file next time even if unchanged; figure: its file under figures/;
# unreadable: it is not what the task takes, which is skipped or a failure by how it was named
EXTRA: dict[Table, tuple[str, ...]] = {
    "files": (*KEY, "size", "settings", "again", "figure", "unreadable"),
    "peaks": KEY,
}
# what a store cannot be understood without; other columns may have come later
ESSENTIAL: dict[str, tuple[str, ...]] = {
    "settings": ("id", "content"),
    "files": ("file", *KEY, "size", "settings", "again", "figure"),
    "peaks": ("file", *KEY),
}


@dataclass(frozen=True)
class Known:
    """What the store holds of one path.

    `status` and `message` are those of the first trace that is not `ok`; `fitted` is whether there is one that is.
    """

    name: str
    sha256: str
    size: int
    settings: str
    again: bool
    unreadable: bool
    status: str
    message: str
    fitted: bool
    figures: tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """What is to be stored of one path: it replaces what was there."""

    path: str
    files: Sequence[Row]
    peaks: Sequence[Row]
    settings: str
    size: int
    again: bool
    figures: Sequence[str | None]
    curves: Sequence[str] = ()
    unreadable: bool = False
    died: bool = False


class Store:
    """An open store; made by `opened`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path, self._connection = path, connection
        self._identity = _identity(path)

    def use_settings(self, identity: str, content: str) -> None:
        """Remember the settings of this run, as JSON."""
        with told(self.path), self._connection as transaction:
            transaction.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (identity, content))

    def known(self, path: str) -> Known | None:
        """Return what is stored of the file at an absolute path."""
        query = (
            "SELECT file, sha256, size, settings, again, unreadable, figure, status, message "
            "FROM files WHERE path = ? ORDER BY position"
        )
        with told(self.path):
            rows = self._connection.execute(query, (os.fsencode(path),)).fetchall()
        if not rows:
            return None
        name, sha256, size, settings, again, unreadable, *_ = rows[0]
        figures = tuple(_read(row[6]) for row in rows if row[6])
        status, message = next((row[7:] for row in rows if row[7] != "ok"), ("ok", ""))
        fitted = any(row[7] == "ok" for row in rows)
        key = _read(name), sha256 or "", size, settings, bool(again), bool(unreadable)
        return Known(*key, status, _read(message or ""), fitted, figures)

    def put(self, record: Record) -> None:
        """Replace the rows of one file, in one transaction."""
        self.still_there()
        key = os.fsencode(record.path)
        more = (record.size, record.settings, record.again)
        extra = [(key, at, *more, _stored(name), record.unreadable) for at, name in enumerate(record.figures)]
        with told(self.path), self._connection as transaction:
            _forget(transaction, key)
            _insert(transaction, "files", record.files, extra)
            _insert(transaction, "peaks", record.peaks, [(key, at) for at in range(len(record.peaks))])
            drawn = [(key, at, zlib.compress(text.encode(), _QUICK)) for at, text in enumerate(record.curves) if text]
            transaction.executemany("INSERT INTO curves VALUES (?, ?, ?)", drawn)
            if record.died:
                transaction.execute("INSERT INTO begun VALUES (?)", (key,))

    def begin(self, path: str) -> None:
        """Note that this process begins with a file: if it does not survive that, the next run will know."""
        self.still_there()
        with told(self.path), self._connection as transaction:
            transaction.execute("INSERT OR IGNORE INTO begun VALUES (?)", (os.fsencode(path),))

    def begun(self) -> set[str]:
        """Absolute paths of the files that were begun and not ended."""
        with told(self.path):
            return {os.fsdecode(path) for (path,) in self._connection.execute("SELECT path FROM begun")}

    def end(self, path: str) -> None:
        """Note that this process has survived a file, whose rows stay as they are."""
        self.still_there()
        with told(self.path), self._connection as transaction:
            transaction.execute("DELETE FROM begun WHERE path = ?", (os.fsencode(path),))

    def rename(self, path: str, before: str, name: str) -> None:
        """The user calls a file by another name than before (a relative path from another folder)."""
        self.still_there()
        key = os.fsencode(path)
        with told(self.path), self._connection as transaction:
            for table in COLUMNS:
                transaction.execute(f'UPDATE "{table}" SET file = ? WHERE path = ?', (_stored(name), key))
            told_of = transaction.execute("SELECT position, message FROM files WHERE path = ?", (key,)).fetchall()
            messages = [(_stored(_renamed(_read(text or ""), before, name)), key, at) for at, text in told_of]
            transaction.executemany("UPDATE files SET message = ? WHERE path = ? AND position = ?", messages)

    def remove(self, path: str) -> None:
        """Remove the rows of one file."""
        self.still_there()
        with told(self.path), self._connection as transaction:
            _forget(transaction, os.fsencode(path))

    def paths(self) -> Iterator[str]:
        """Absolute paths of all stored files, in the order of the tables."""
        with told(self.path):
            for (path,) in self._connection.execute("SELECT DISTINCT path FROM files ORDER BY path"):
                yield os.fsdecode(path)

    def rows(self, table: Table) -> Iterator[tuple[Any, ...]]:
        """Rows of a table with its public columns, ordered by path and position: independent of how they came."""
        with told(self.path):
            query = f'SELECT {_names(COLUMNS[table])} FROM "{table}" ORDER BY path, position'
            for row in self._connection.execute(query):
                yield tuple(map(_read, row))

    def traces(self) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]], str | None]]:
        """Row of the file table, rows of the peak table and curves of every trace, in the order of the tables."""
        files = (
            f"SELECT {_names(COLUMNS['files'])}, path, content "
            "FROM files LEFT JOIN curves USING (path, position) ORDER BY path, position"
        )
        peaks = f"SELECT {_names(COLUMNS['peaks'])} FROM peaks WHERE path = ? AND trace IS ? ORDER BY position"
        with told(self.path):
            for *cells, path, content in self._connection.execute(files):
                file = _row("files", cells)
                found = self._connection.execute(peaks, (path, _stored(file["trace"]))).fetchall()
                text = None if content is None else zlib.decompress(content).decode()
                yield file, [_row("peaks", values) for values in found], text

    def fitted_otherwise(self, identity: str) -> int:
        """Number of files whose rows come from other settings than these: they have vanished since, for instance."""
        with told(self.path):
            query = "SELECT count(DISTINCT path) FROM files WHERE settings != ?"
            return int(self._connection.execute(query, (identity,)).fetchone()[0])

    def still_there(self) -> None:
        """Raise `OutputError` when the file was removed or replaced: what is written to it then is lost."""
        if _identity(self.path) != self._identity:
            raise OutputError(f"{self.path}: was removed or replaced by another program; run the same command again")


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    """Open the store of an output folder, or make it; only one process may do so at a time.

    Raises
    ------
    OutputError
        If the file is no store of gcfit, is damaged or cannot be written.
    """
    path = folder / NAME
    with told(path):
        # a reader that comes before the store leaves an empty file
        if path.exists() and path.stat().st_size:
            _recognise(path)
        else:
            _create(path)
        connection = sqlite3.connect(path, timeout=BUSY_S)
    with closing(connection):
        with told(path):
            _prepare(connection, path)
        yield Store(path, connection)
        # One plain file in the end, where it can be had: with a reader or a full disk the log stays beside it.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def readable(folder: Path) -> Iterator[Store]:
    """Open the store of an output folder to read it, whoever is writing to it.

    Raises
    ------
    OutputError
        If there is none, or it cannot be read.
    """
    path = folder / NAME
    with told(path):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)
    with closing(connection):
        yield Store(path, connection)


def _create(path: Path) -> None:
    """Make an empty store under a temporary name and put it in place complete."""
    new = path.with_name(f".{NAME}.new")
    # logs without their store would be played into the new one
    for stale in (new, *(path.with_name(NAME + suffix) for suffix in ("-wal", "-shm", "-journal"))):
        stale.unlink(missing_ok=True)
    with closing(sqlite3.connect(new)) as connection, connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("CREATE TABLE settings (id TEXT PRIMARY KEY, content TEXT NOT NULL)")
        for table, extra in EXTRA.items():
            columns = _names((*COLUMNS[table], *extra))
            connection.execute(f'CREATE TABLE "{table}" ({columns}, PRIMARY KEY ({_names(KEY)})) WITHOUT ROWID')
    new.rename(path)


def _recognise(path: Path) -> None:
    """Refuse a file that is no store of gcfit, by its header alone: SQLite itself could write to it."""
    with path.open("rb") as file:
        header = file.read(100)
    application, version = int.from_bytes(header[68:72], "big"), int.from_bytes(header[60:64], "big")
    remedy = "move it away or choose another folder with -o"
    if not header.startswith(b"SQLite format 3\0") or application != APPLICATION:
        raise OutputError(f"{path}: is not a store of gcfit and is left as it is; {remedy}")
    if version != VERSION:
        raise OutputError(f"{path}: has version {version} of the store, this gcfit has {VERSION}; {remedy}")


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Check the content, add columns that this version of the tables has more, choose how to write."""
    found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise _damaged(path, " ".join(found.split()))
    for table, columns in ESSENTIAL.items():
        missing = [name for name in columns if name not in _columns(connection, table)]
        if missing:
            raise _damaged(path, f"table {table} lacks {', '.join(missing)}")
    # the log is written without waiting for the disk: a killed process loses nothing, a power cut the last files
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE IF NOT EXISTS begun (path PRIMARY KEY) WITHOUT ROWID")
    connection.execute("CREATE TABLE IF NOT EXISTS curves (path, position, content, PRIMARY KEY (path, position))")
    for known, columns in COLUMNS.items():
        there = _columns(connection, known)
        for name in (name for name in (*columns, *EXTRA[known]) if name not in there):
            connection.execute(f'ALTER TABLE "{known}" ADD COLUMN "{name}"')


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    """Names of the columns of a table, none where there is no such table."""
    return {row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')}


def _damaged(path: Path, found: str) -> OutputError:
    return OutputError(
        f"{path}: is damaged ({found}) and is left as it is; move it away or choose another folder with -o"
    )


def _forget(transaction: sqlite3.Connection, key: bytes) -> None:
    for table in ("files", "peaks", "begun", "curves"):
        transaction.execute(f"DELETE FROM {table} WHERE path = ?", (key,))


def _insert(
    transaction: sqlite3.Connection, table: Table, rows: Sequence[Row], extra: Sequence[tuple[Any, ...]]
) -> None:
    columns = COLUMNS[table]
    values = ([*map(_stored, map(row.__getitem__, columns)), *more] for row, more in zip(rows, extra, strict=True))
    transaction.executemany(_insertion(table), values)


@cache
def _insertion(table: Table) -> str:
    names = (*COLUMNS[table], *EXTRA[table])
    return f'INSERT INTO "{table}" ({_names(names)}) VALUES ({", ".join("?" * len(names))})'


def _renamed(message: str, before: str, name: str) -> str:
    """A message that begins with the name of its file, with its control characters escaped or not."""
    for old, new in ((before, name), (one_line(before), one_line(name))):
        if message.startswith(old):
            return new + message.removeprefix(old)
    return message


def _row(table: Table, cells: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(COLUMNS[table], map(_read, cells), strict=True))


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _stored(value: object) -> object:
    """A file name that is no text in any encoding is stored as its bytes."""
    return value if not isinstance(value, str) or _encodable(value) else os.fsencode(value)


def _encodable(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _read(value: Any) -> Any:
    return os.fsdecode(value) if isinstance(value, bytes) else value


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn an error of the disk or the database into one line that says what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            remedy = "let it be written to or choose another folder with -o"
            raise OutputError(f"{path}: cannot be written ({error}); {remedy}") from error
        if isinstance(error, sqlite3.OperationalError):
            raise OutputError(f"{path}: {error}; finished files are kept, run the same command again") from error
        if type(error) is sqlite3.DatabaseError:
            raise OutputError(f"{path}: {error}; it is left as it is, move it away") from error
        raise
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}; choose a folder that can be written") from error
