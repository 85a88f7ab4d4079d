"""Which column is the time, which are signals: by the headings, by the user's word, by the numbers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gcfit.chromatogram import Array
from gcfit.errors import InputError
from gcfit.formats.dialect import Dialect
from gcfit.formats.records import ReadOptions
from gcfit.formats.units import says_time, signal_unit, time_unit, words

_ASIDE = {"step", "index", "relative", "temperature", "temp", "pressure", "flow", "pump", "oven", "gradient", "scan"}
_TABLE = {"area", "areas", "slope", "intercept", "plates", "resolution"}
_NUMBER = re.compile(r"[-+]?[\d.,']+(?:[eE][-+]?\d+)?")
_BLANK_HEADING = re.compile(r"\S+(?:\s*[(\[][^)\]]*[)\]])?")


@dataclass(frozen=True)
class Headings:
    """Names of the columns and, where a second line gives them, their units; empty tuples without a heading."""

    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    def name(self, column: int) -> str:
        """Return the heading, or the number of the column where it has none."""
        return (self.names[column] if self.names else "") or f"column {column + 1}"

    def time_unit(self, column: int) -> str:
        """Return the unit that the heading of a time column names, empty if it names none."""
        return time_unit(self.units[column]) if self.units else time_unit(self.name(column)) if self.names else ""

    def signal_unit(self, column: int) -> str:
        """Return the unit that the heading of a signal column names, empty if it names none."""
        return self.units[column] if self.units else signal_unit(self.name(column)) if self.names else ""


@dataclass(frozen=True)
class Columns:
    """The column of the time, those of the signals, and what was decided on the way."""

    time: int
    signals: tuple[int, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def headings(lines: Sequence[str], dialect: Dialect, columns: int) -> Headings:
    """Find the names of the columns in the lines above the numbers; a last line of units only is told apart."""
    rows = [cells for line in lines if (cells := _cells(line, dialect, columns))]
    if not rows:
        return Headings()
    if len(rows) > 1 and _are_units(rows[-1]):
        return Headings(rows[-2], tuple(cell.strip("()[]") for cell in rows[-1]))
    return Headings(rows[-1])


def _cells(line: str, dialect: Dialect, columns: int) -> tuple[str, ...]:
    """Split a line into as many cells as there are columns; empty where it has another number of them or no words."""
    line = line.strip("\r\n").lstrip("#%/ ")
    cells = _BLANK_HEADING.findall(line) if dialect.delimiter == " " else dialect.split(line)
    if len(cells) == columns - 1 >= 2:  # the column of row names has no heading
        cells = ["", *cells]
    if len(cells) == columns + 1:  # the last column was empty and is left out
        cells = cells[:-1]
    if len(cells) != columns or any(_NUMBER.fullmatch(cell) for cell in cells):
        return ()
    return tuple(cells) if any(words(cell) for cell in cells) else ()


def _are_units(cells: tuple[str, ...]) -> bool:
    """Whether a line under the headings names units: one cell is a unit of time and nothing else."""
    return any(time_unit(cell) and len(words(cell)) == 1 for cell in cells) and all(len(words(c)) < 3 for c in cells)


def choose(names: Headings, values: Sequence[Array], options: ReadOptions, source: str, place: str) -> Columns:
    """Choose the columns of time and signals.

    The time is the column that the user names, else the first whose heading speaks of time, else the first one, or the
    second if the first only counts rows. Signals are the column that the user names, else the one named `signal`, else
    all others that hold numbers, without a second time, steps, temperatures, pressures and flows.

    Parameters
    ----------
    values : sequence of ndarray, each of shape (n,)
        The columns.

    Raises
    ------
    InputError
        If there is no such column, or the table is none of a trace.
    """
    _refuse_tables(names, options, source, place)
    numeric = [j for j, column in enumerate(values) if np.isfinite(column).any()]
    notes: list[str] = []
    warnings: list[str] = []
    if options.time_column is not None:
        time = _named(options.time_column, "--time-column", names, len(values), source)
    else:
        time = _guess_time(names, values, source, place, notes, warnings)
    if options.signal_column is not None:
        signals: tuple[int, ...] = (_named(options.signal_column, "--signal-column", names, len(values), source),)
    else:
        counted = {0} if warnings else set()
        signals = _guess_signals(names, [j for j in numeric if j != time and j not in counted], notes)
    if not signals:
        empty = sum(not np.isfinite(column).any() for column in values)
        found = f"no column of numbers besides the time; {empty} of {len(values)} columns are empty or NaN throughout"
        raise InputError(source, found, place=place)
    return Columns(time, signals, tuple(notes), tuple(warnings))


def _named(asked: str, option: str, names: Headings, columns: int, source: str) -> int:
    """Return the index of a column that is given by its number from 1 or by its heading."""
    if asked.isdecimal() and 1 <= int(asked) <= columns:
        return int(asked) - 1
    for column in range(columns):
        if names.names and names.names[column].strip().lower() == asked.strip().lower():
            return column
    known = ", ".join(f"'{name}'" for name in names.names) if names.names else "no headings"
    raise InputError(source, f"no column '{asked}' ({columns} columns: {known})", remedy=f"see {option}")


def _guess_time(
    names: Headings, values: Sequence[Array], source: str, place: str, notes: list[str], warnings: list[str]
) -> int:
    """Return the column of the time, by heading, else by the numbers."""
    for column, name in enumerate(names.names):
        if says_time(name):
            return column
    if names.names and not _mostly_rises(values[0]):
        found = f"no heading speaks of time and '{names.name(0)}' does not rise"
        raise InputError(source, found, place=place, remedy="--time-column says which column is the time")
    if len(values) > 2 and _counts_rows(values[0]) and _mostly_rises(values[1]):
        warnings.append(f"{names.name(0)} counts rows, {names.name(1)} is taken for the time; see --time-column")
        return 1
    notes.append(f"{names.name(0)} is taken for the time, because it is the first")
    return 0


def _guess_signals(names: Headings, others: list[int], notes: list[str]) -> tuple[int, ...]:
    """Return the columns of signals among the others that hold numbers."""
    if not names.names:
        return tuple(others)
    called = [j for j in others if words(names.name(j)) == ["signal"]]
    if len(called) == 1 and len(others) > 1:
        rest = ", ".join(names.name(j) for j in others if j != called[0])
        notes.append(f"column 'signal' is taken, not {rest}; see --signal-column")
        return tuple(called)
    aside = [j for j in others if says_time(names.name(j)) or _ASIDE & set(words(names.name(j)))]
    if aside and len(aside) < len(others):
        notes.append(f"left out: {', '.join(names.name(j) for j in aside)}; see --signal-column")
        return tuple(j for j in others if j not in aside)
    return tuple(others)


def _refuse_tables(names: Headings, options: ReadOptions, source: str, place: str) -> None:
    """Refuse a table whose headings show that its rows are peaks or results."""
    if options.signal_column is None and any(_TABLE & set(words(name)) for name in names.names):
        shown = ", ".join(name for name in names.names[:6] if name) + (", ..." if len(names.names) > 6 else "")
        found = f"is a table of peaks or results (columns {shown}), not a trace"
        raise InputError(source, found, place=place, remedy="give the file that holds the chromatogram")


def _mostly_rises(values: Array) -> bool:
    """Whether nine of ten steps go up."""
    there = values[np.isfinite(values)]
    return there.size > 1 and bool((there[1:] > there[:-1]).mean() >= 0.9)


def _counts_rows(values: Array) -> bool:
    """Whether the column is 0, 1, 2, ... or 1, 2, 3, ..."""
    return bool(values[0] in (0, 1) and (values[1:] == values[:-1] + 1).all())
