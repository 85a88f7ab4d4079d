"""Peak tables read again: what `gcfit fit` wrote, as CSV or TSV or in the folder of a batch."""

import csv
import io
import math
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TextIO

from gcfit.chromatogram import Chromatogram
from gcfit.cli.kinds import head_of
from gcfit.errors import InputError
from gcfit.fitting.peak_list import csv_rows
from gcfit.formats.writers import unquoted
from gcfit.results import COUNT_COLUMNS, PEAK_COLUMNS, TEXT_COLUMNS, Row

STORE = "results.sqlite"
DELIMITERS = ",;\t"
# what a curve is made of, and all else: ranges wider than any peak, within which nothing overflows
RANGES = {
    "retention_time_s": (-1e7, 1e7), "fwhm_s": (1e-3, 1e7), "tail_s": (0.0, 1e4), "loading": (-20.0, 20.0),
    "site_n": (0.0, 1e9), "site_k_d_per_s": (0.0, 1e9),
}  # fmt: skip
ANY = (-1e100, 1e100)
_NEEDED = ("file", "trace", "peak", "name", "status")


def is_peak_table(path: str) -> bool:
    """Whether a path is the folder or the store of a batch, or a text that begins with the peak table's columns."""
    place = Path(path)
    if path != "-" and place.is_dir():
        return (place / STORE).is_file()
    if place.suffix == ".sqlite":
        return True
    head = head_of(path).split(b"\n", 1)[0][:4096].decode("utf-8-sig", "replace")
    return set(_NEEDED) <= set(_split(head, _delimiter(head)))


def read_peak_table(path: str) -> list[Row]:
    """Read the rows of a peak table, of standard input for `-`; empty cells are None.

    Raises
    ------
    InputError
        If there is no table, it lacks a column, or a cell holds no number where one should be, or one out of all scale.
    """
    place = Path(path)
    if path == "-":
        text = sys.stdin.buffer.read().decode("utf-8-sig", "surrogateescape")
        return list(_written(path, io.StringIO(text, newline="")))
    if place.is_dir():
        place = place / STORE
        if not place.is_file():
            raise InputError(path, f"is a folder without {STORE}", remedy="give a peak table or the folder of a batch")
    if not place.exists():
        raise InputError(path, "no such file", remedy="give a peak table or the folder of a batch")
    if place.suffix == ".sqlite":
        return list(_stored(place))
    with place.open(encoding="utf-8-sig", newline="", errors="surrogateescape") as stream:
        return list(_written(path, stream))


def rows_of(run: Chromatogram, path: str) -> list[Row]:
    """Read the rows of a peak table that belong to a chromatogram: by file and trace, or by the file's name alone.

    A table of one file is taken as it is, for the file may have been renamed since; so is one fitted from a pipe.

    Raises
    ------
    InputError
        If the table has no rows of it.
    """
    rows = [row for row in read_peak_table(path) if row["trace"] in (run.trace, "")]
    name = Path(run.source).name
    same = [row for row in rows if row["file"] == run.source] or [
        row for row in rows if Path(str(row["file"])).name == name
    ]
    if not same and len({row["file"] for row in rows}) == 1:
        return rows
    if not same:
        raise InputError(path, f"has no peaks of {run.label}", remedy="give the table of this chromatogram")
    return same


def _stored(path: Path) -> Iterator[Row]:
    import sqlite3

    from gcfit.batch.store import Store

    try:
        # only looked at, so that a batch that writes to it is not disturbed
        opened = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise InputError(str(path), f"cannot be read: {error}") from error
    with closing(opened) as connection:
        for values in Store(path, connection).rows("peaks"):
            yield dict(zip(PEAK_COLUMNS, values, strict=True))


def _written(source: str, stream: TextIO) -> Iterator[Row]:
    head = stream.readline()
    delimiter = _delimiter(head)
    names = _split(head, delimiter)
    for name in _NEEDED:
        if name not in names:
            raise InputError(source, f"column {name} is missing", remedy="give a table that gcfit fit wrote")
    for number, cells in enumerate(csv_rows(source, stream, delimiter), 2):
        if cells:
            yield _row(source, number, dict(zip(names, cells, strict=False)), decimal_comma=delimiter == ";")


def _row(source: str, number: int, cells: dict[str, str], *, decimal_comma: bool) -> Row:
    found: Row = dict.fromkeys(PEAK_COLUMNS)
    for name, text in cells.items():
        place = f"line {number}, column {name}"
        found[name] = unquoted(text) if name in TEXT_COLUMNS else _number(source, place, name, text, decimal_comma)
    return found


def _number(source: str, place: str, name: str, cell: str, decimal_comma: bool) -> float | int | None:
    if not cell.strip():
        return None
    try:
        value = float(cell.replace(",", ".") if decimal_comma else cell)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise InputError(source, f"{cell!r} is not a number", place=place)
    least, most = RANGES.get(name, ANY)
    if not least <= value <= most:
        raise InputError(source, f"is {value:g}; it must be from {least:g} to {most:g}", place=place)
    return int(value) if name in COUNT_COLUMNS else value


def _delimiter(head: str) -> str:
    return max(DELIMITERS, key=head.count)


def _split(head: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([head.rstrip("\r\n")], delimiter=delimiter), [])
    except csv.Error:
        # a line that is no CSV is no head of a table: a binary file, or one that ends its lines otherwise
        return []
