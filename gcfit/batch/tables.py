"""`peaks.csv` and `files.csv`, written from the store: complete or not at all."""

import codecs
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any

from gcfit.batch.store import NAME, Store
from gcfit.errors import OutputError
from gcfit.results import COLUMNS

REMEDY = "move it away or choose another folder with -o"
PIECE = 1000  # rows written at once
# takes a binary stream, the names of the columns and the rows; None is an empty cell
TableWriter = Callable[[IO[bytes], Sequence[str], Iterable[Sequence[Any]]], None]


def write_csv(stream: IO[bytes], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write CSV as `gcfit.formats` writes it, piece by piece: a table may be longer than the memory."""
    header = _csv([], columns)
    stream.write(header)
    waiting = iter(rows)
    while piece := list(islice(waiting, PIECE)):
        stream.write(_csv(piece, columns)[len(header) :])


def _csv(rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> bytes:
    from gcfit.formats.writers import write_table

    content = io.BytesIO()
    write_table([dict(zip(columns, row, strict=True)) for row in rows], columns, content)
    return content.getvalue()


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


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder that has no store yet but tables of these names that somebody else made.

    Raises
    ------
    OutputError
        If there is one; it is left as it is.
    """
    if (folder / NAME).exists():
        return
    for path in (folder / f"{table}.csv" for table in COLUMNS):
        with suppress(FileNotFoundError), path.open("rb") as file:
            head = file.read(20).removeprefix(codecs.BOM_UTF8)
            if head and not head.startswith((b"file,trace,", b"file;trace;")):
                raise OutputError(f"{path}: is not a table of gcfit and is left as it is; {REMEDY}")


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
        raise OutputError(f"{path}: {error.strerror or error}; finished files are kept, run again") from error
    finally:
        with suppress(OSError):  # gone already, or as unwritable as the table
            part.unlink(missing_ok=True)
