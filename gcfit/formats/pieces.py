"""What the readers of vendors' text files share: sections, lines of keys, tables within a file, single numbers."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from gcfit.chromatogram import Array
from gcfit.errors import InputError
from gcfit.formats.dialect import Dialect
from gcfit.formats.finding import find
from gcfit.formats.records import ReadOptions, VendorPeak
from gcfit.formats.rows import Numbers, runs
from gcfit.formats.source import Source
from gcfit.formats.units import seconds

_SECTION = re.compile(rb"^\[([^\]\n]{1,200})\][ \t]*$", re.MULTILINE)
_SAMPLE = 1 << 14
_MOST_SECTIONS = 4096
MOST_PEAKS = 10_000
_GROUPED = {mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:\{mark}\d{{3}})+(?![\d\{mark}])") for mark in ".,"}


@dataclass(frozen=True)
class Section:
    """A part of a file under a line `[name]`; `line` is the number of the line that follows it."""

    name: str
    line: int
    text: bytes


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of numbers within a text, shape (rows, columns), and the lines of words above them."""

    values: Array
    above: tuple[str, ...]
    dialect: Dialect
    line: int
    warnings: tuple[str, ...]


def sections(source: Source, text: bytes) -> list[Section]:
    """Cut a text at its lines `[name]`; what comes before the first one is left out.

    Raises
    ------
    InputError
        If there are more than `_MOST_SECTIONS`.
    """
    marks = list(islice(_SECTION.finditer(text), _MOST_SECTIONS + 1))
    if len(marks) > _MOST_SECTIONS:
        raise source.error(f"more than {_MOST_SECTIONS} lines such as '[{source.encoding.words(marks[-1][1])}]'")
    ends = [*(mark.start() for mark in marks[1:]), len(text)][: len(marks)]
    cut, line, last = [], 1, 0
    for mark, end in zip(marks, ends, strict=True):
        line += text.count(b"\n", last, mark.start())
        last = mark.start()
        cut.append(Section(source.encoding.words(mark[1]), line + 1, text[mark.end() + 1 : end]))
    return cut


def table(source: Source, text: bytes, line: int, delimiter: str, place: str) -> Table:
    """Return the longest run of rows of numbers in a text and the words right above it.

    Parameters
    ----------
    line : int
        Number of the first line of the text.
    delimiter : str
        Separator of cells; the decimal mark is found.
    place : str
        For messages.

    Raises
    ------
    InputError
        If there are no rows of numbers.
    """
    known = ReadOptions(delimiter=delimiter)
    sample = text[: text.rfind(b"\n", 0, _SAMPLE) + 1] or text
    found = find(sample, known) if sample else None
    if found is None:
        raise source.error("no rows of numbers", place=place)
    above: tuple[str, ...] = ()
    best, words = None, above
    for run in runs(text, found.dialect, line):
        if not isinstance(run, Numbers):
            words = tuple(source.encoding.words(part) for part in run.last)
        elif run.values.shape[1] >= 2 and (best is None or len(run.values) > len(best.values)):
            best, above = run, words
    if best is None:
        raise source.error("no rows of numbers", place=place)
    return Table(best.values, above, found.dialect, best.line, found.warnings)


def keys(lines: Sequence[str], delimiter: str) -> dict[str, list[str]]:
    """Return the cells of lines `key<delimiter>value<delimiter>value` by their key; the first of a kind counts."""
    found: dict[str, list[str]] = {}
    for line in lines:
        key, *cells = (cell.strip() for cell in line.split(delimiter))
        found.setdefault(key, cells)
    return found


def number(cell: str, decimal: str = ".") -> float | None:
    """Return a finite number, None where a cell holds none; marks between groups of three digits are passed over."""
    mark = "," if decimal == "." else "."
    cell = cell.strip()
    try:
        value = float((cell.replace(mark, "") if _GROUPED[mark].match(cell) else cell).replace(decimal, "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def program_number(cell: str) -> float | None:
    """Return the number in a cell of a program that writes no thousands: a single comma marks decimals there."""
    return number(cell, "," if cell.count(",") == 1 and "." not in cell else ".")


def first_number(found: Mapping[str, Sequence[str]], key: str, decimal: str = ".") -> float | None:
    """Return the number in the first cell of a key, None where there is none."""
    cells = found.get(key)
    return number(cells[0], decimal) if cells else None


def times(value: float | None, factor: float) -> float | None:
    """Return value * factor, None for None."""
    return None if value is None else value * factor


def in_seconds(value: float | None, unit: str) -> float | None:
    """Return a time in seconds, None for None."""
    return None if value is None else float(seconds(np.array([value]), unit)[0])


def peak_table(name: str, rows: Iterable[VendorPeak]) -> tuple[VendorPeak, ...]:
    """Collect the rows of the peak tables of a file.

    Raises
    ------
    InputError
        If there are more than `MOST_PEAKS`, which no program writes.
    """
    peaks = tuple(islice(rows, MOST_PEAKS + 1))
    if len(peaks) > MOST_PEAKS:
        raise InputError(name, f"a peak table of more than {MOST_PEAKS} rows")
    return peaks


def check_count(source: Source, announced: float | None, found: int, place: str) -> tuple[str, ...]:
    """Return a warning where a file holds fewer points than it announces, as one cut short does."""
    if announced is None or announced == found:
        return ()
    where = f"{place}: " if place else ""
    return (f"{where}the file announces {announced:.0f} points and holds {found}",)
