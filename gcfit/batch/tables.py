"""`peaks.csv` and `files.csv`, written from the store: complete or not at all."""

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from gcfit.batch.store import Store
from gcfit.errors import OutputError
from gcfit.results import COLUMNS

# takes a binary stream, the names of the columns and the rows; None is an empty cell
TableWriter = Callable[[IO[bytes], Sequence[str], Iterable[Sequence[Any]]], None]


def write_csv(stream: IO[bytes], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write CSV with full precision; a file name that is no text keeps its bytes."""
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    text.detach()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def write_tables(store: Store, folder: Path, write: TableWriter = write_csv) -> None:
    """Write both tables from the store, row by row.

    Raises
    ------
    OutputError
        If the folder cannot be written; the tables of an earlier run stay then.
    """
    for table, columns in COLUMNS.items():
        store.still_there()
        with replacing(folder / f"{table}.csv") as file:
            write(file, columns, store.rows(table))


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path` that takes its place when it is complete and on the disk.

    Raises
    ------
    OutputError
        If it cannot be written; what was at `path` stays then.
    """
    # one name, since the folder is locked: what a killed run left is overwritten, not added to
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"{path}: {error.strerror or error}; finished files are kept, run again") from error
