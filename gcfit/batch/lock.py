"""One run at a time in an output folder."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gcfit.batch.store import told
from gcfit.errors import OutputError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of an output folder; the operating system releases the lock of a process that is killed.

    Raises
    ------
    OutputError
        If another run holds it, or the folder cannot be written.
    """
    path = folder / ".lock"
    with told(path):
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    with closing(connection):
        with told(path):
            _take(connection, folder)
        yield


def _take(connection: sqlite3.Connection, folder: Path) -> None:
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        remedy = "wait until it has finished or choose another folder with -o"
        raise OutputError(f"{folder}: another gcfit is writing to this folder; {remedy}") from error
