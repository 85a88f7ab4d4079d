"""A list of expected peaks, read from a delimited text: `name`, `retention_time_s` and, where known, `window_s`."""

import csv
import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from gcfit.errors import InputError
from gcfit.fitting.records import Expected

NEEDED = ("name", "retention_time_s")
NUMBERS = {"retention_time_s": "retention_time", "window_s": "tolerance", "fwhm_s": "fwhm"}
DELIMITERS = ",;\t"
LATEST = 1e7  # s; no run is as long


def read_expected(path: str) -> tuple[Expected, ...]:
    """Read the components that are expected in a run.

    Parameters
    ----------
    path : str
        Text with a header, `-` is standard input; `name` and `retention_time_s` must be there, `window_s` (half-width
        of the stretch in which the peak is looked for, 3 % of the retention without it) and `fwhm_s` (width of the
        peak at half height) may be; other columns are left alone. A semicolon between the columns goes with the
        decimal comma.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or a row has no name, a name that was there before, or a number
        that is none.
    """
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text in UTF-8"
        raise InputError(path, f"cannot be read: {reason}") from error
    lines = text.splitlines()
    delimiter = max(DELIMITERS, key=lines[0].count) if lines else ","
    header = [cell.strip() for cell in next(csv_rows(path, lines[:1], delimiter, first=1), [])]
    for name in NEEDED:
        if name not in header:
            raise InputError(path, f"column {name} is missing", remedy=f"the first line must name {', '.join(NEEDED)}")
    found = tuple(_components(path, csv_rows(path, lines[1:], delimiter), header))
    if not found:
        raise InputError(path, "holds no peaks", remedy="write one a line")
    return found


def csv_rows(path: str, lines: Iterable[str], delimiter: str, *, first: int = 2) -> Iterator[list[str]]:
    """Yield the cells of lines, the number of which begins with `first`.

    Raises
    ------
    InputError
        If a line cannot be taken apart: a cell that is too long, for instance.
    """
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        yield from reader
    except csv.Error as error:
        raise InputError(path, f"is no row of a table: {error}", place=f"line {reader.line_num + first - 1}") from error


def _components(path: str, rows: Iterator[list[str]], header: list[str]) -> Iterator[Expected]:
    """Yield the components of the rows that are not empty."""
    before: set[str] = set()
    for line, cells in enumerate(rows, 2):
        values = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        if not any(values.values()):
            continue
        name = values.get("name", "")
        if not name or name in before:
            found = f"the name {name!r} was there before" if name else "the name is empty"
            raise InputError(path, found, place=f"line {line}", remedy="give each component a name of its own")
        before.add(name)
        numbers = {key: _number(path, line, column, values.get(column, "")) for column, key in NUMBERS.items()}
        if numbers["retention_time"] is None:
            raise InputError(path, "the retention time is empty", place=f"line {line}, column retention_time_s")
        yield Expected(name, **numbers)  # type: ignore[arg-type]


def _number(path: str, line: int, column: str, cell: str) -> float | None:
    """The number of a cell, None where it is empty; a width must be above 0."""
    if not cell:
        return None
    try:
        value = float(cell.replace(",", "."))
    except ValueError:
        value = math.nan
    place = f"line {line}, column {column}"
    if not abs(value) <= LATEST:
        found = f"is {value:g}; it must be within {LATEST:g} s" if abs(value) > LATEST else f"{cell!r} is not a number"
        raise InputError(path, found, place=place)
    if column != "retention_time_s" and value <= 0:
        raise InputError(path, f"{value:g} is not above 0", place=place)
    return value
