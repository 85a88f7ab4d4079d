"""Which column is the time, which are signals: by the headings, by the user's word, by the numbers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gcfit.chromatogram import Array
from gcfit.errors import InputError
from gcfit.formats.dialect import Dialect
from gcfit.formats.records import ReadOptions
from gcfit.formats.units import signal_unit, strange_unit, time_likeness, time_unit, words

_ASIDE = {"step", "index", "relative", "temperature", "temp", "pressure", "flow", "pump", "oven", "gradient", "scan"}
_ASIDE_UNITS = {"°c", "c", "k", "bar", "mbar", "kpa", "psi", "ml/min"}
_TABLE = {"area", "areas", "slope", "intercept", "plates", "resolution"}
_NUMBER = re.compile(r"[-+]?[\d.,']+(?:[eE][-+]?\d+)?")
_MOST_BELOW = 2  # lines of units and comments below the names
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
        return time_unit(self._of_time(column))

    def strange_unit(self, column: int) -> str:
        """Return the unit that a time column has in brackets or below its name, where it is not known; else empty."""
        return strange_unit(self._of_time(column))

    def signal_unit(self, column: int) -> str:
        """Return the unit that the heading of a signal column names, empty if it names none."""
        return self.units[column] if self.units else signal_unit(self.name(column)) if self.names else ""

    def _of_time(self, column: int) -> str:
        """Return the text that names the unit of a time column."""
        return f"({self.units[column]})" if self.units else self.names[column] if self.names else ""


@dataclass(frozen=True)
class Columns:
    """The column of the time, those of the signals, the time of each of these, and what was decided on the way."""

    time: int
    signals: tuple[int, ...]
    times: tuple[int, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def headings(
    lines: Sequence[str], dialect: Dialect, columns: int, *, empty: int = 0, row_names: bool = False
) -> Headings:
    """Find the names of the columns in the lines above the numbers, and their units in a line below the names.

    Parameters
    ----------
    empty : int
        Columns behind the others that hold nothing; a heading may have cells for them.
    row_names : bool
        Whether the first column may be one of row names, which has no heading.
    """
    rows = [cells for line in _joined(lines) if (cells := _cells(line, dialect, columns, empty, row_names))]
    if not rows:
        return Headings()
    main = _main(rows)
    units = next((row for row in rows[main + 1 :] if _are_units(row)), ())
    return Headings(rows[main], tuple(cell.strip("()[]") for cell in units))


def _joined(lines: Sequence[str]) -> list[str]:
    """Put lines together where a quoted cell goes on in the next line."""
    joined: list[str] = []
    for line in lines:
        if joined and joined[-1].count('"') % 2:
            joined[-1] += f" {line}"
        else:
            joined.append(line)
    return joined


def _main(rows: Sequence[tuple[str, ...]]) -> int:
    """Return which of some rows holds the names: the last, or one above it that speaks of time when no later one does.

    That one is all words and states the unit of its times, or a line of units, or nothing, stands below it.
    """
    last = len(rows) - 1
    for number in range(last, max(last - _MOST_BELOW, 0) - 1, -1):
        row, column = rows[number], _best_time(rows[number])
        if column is None or (number and _are_units(row) and _stand_below(row, rows[number - 1])):
            continue
        below = rows[number + 1 :]
        stated = time_unit(row[column]) and not any(_NUMBER.fullmatch(cell) for cell in row)
        if stated or any(_are_units(other) for other in below) or not any(other[column] for other in below):
            return number
        break
    return last - 1 if last and _are_units(rows[last]) else last


def _stand_below(units: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """Whether a row that could be units is one: the row above it speaks of time, or its words are all short."""
    return _best_time(names) is not None or all(len(word) <= 3 for cell in units for word in words(cell))


def _best_time(names: Sequence[str]) -> int | None:
    """Return the first of the columns whose headings speak of time the most, None where none does."""
    likeness = [time_likeness(name) for name in names]
    most = max(likeness, default=0)
    return likeness.index(most) if most else None


def _cells(line: str, dialect: Dialect, columns: int, empty: int, row_names: bool) -> tuple[str, ...]:
    """Split a line into as many cells as there are columns; empty where it has another number of them or no words.

    Numbers among the words are names, such as wavelengths, where the other cell speaks of time.
    """
    line = line.strip("\r\n").lstrip("#%/ ")
    cells = _blank_cells(line, columns) if dialect.delimiter == " " else dialect.split(line)
    while len(cells) > columns and not cells[-1]:
        cells = cells[:-1]
    if len(cells) == columns - 1 >= 2:
        cells = ["", *cells] if row_names else [*cells, ""]
    if columns < len(cells) <= columns + max(empty, 1):  # the last ones head columns that are empty or left out
        cells = cells[:columns]
    numbers = [cell for cell in cells if _NUMBER.fullmatch(cell)]
    if len(cells) != columns or not any(words(cell) for cell in cells):
        return ()
    return tuple(cells) if not numbers or (len(numbers) == columns - 1 and _best_time(cells) is not None) else ()


def _blank_cells(line: str, columns: int) -> list[str]:
    """Split a heading at blanks; where names of several words make too many cells, what can be told apart is."""
    cells = _BLANK_HEADING.findall(line)
    if len(cells) <= columns:
        return cells
    apart = re.split(r"\s{2,}|\t", line.strip())
    if len(apart) == columns:
        return apart
    more = len(cells) - columns
    if time_likeness(cells[more]):
        return [" ".join(cells[: more + 1]), *cells[more + 1 :]]
    known = time_likeness(cells[0]) > 1 and len(cells) <= 2 * columns + 1  # longer ones are sentences
    return [cells[0], *[""] * (columns - 1)] if known else []


def _are_units(cells: tuple[str, ...]) -> bool:
    """Whether a line under the headings names units: one cell is a unit of time and nothing else."""
    return any(time_unit(cell) and len(words(cell)) == 1 for cell in cells) and all(len(words(c)) < 3 for c in cells)


def choose(names: Headings, values: Sequence[Array], options: ReadOptions, source: str, place: str) -> Columns:
    """Choose the columns of time and signals.

    The time is the column that the user names, else the first of those whose heading speaks of time the most, else the
    first one, or the second if the first only counts rows. Signals are the column that the user names, else the one
    named `signal`, else all others that hold numbers, without a second time, steps, temperatures, pressures, flows and
    what counts rows before the time. A second time with signals between the two is the time of those that follow it.

    Parameters
    ----------
    values : sequence of ndarray, each of shape (n,)
        The columns.

    Raises
    ------
    InputError
        If there is no such column, one is to be both time and signal, or the table is none of a trace.
    """
    _refuse_tables(names, options, source, place)
    numeric = [j for j, column in enumerate(values) if np.isfinite(column).any()]
    notes: list[str] = []
    warnings: list[str] = []
    if options.time_column is not None:
        time = _named(options.time_column, "--time-column", names, len(values), source)
    else:
        time = _guess_time(names, values, source, place, notes, warnings)
    further = [] if options.time_column is not None else _further_times(names, values, time)
    if options.signal_column is not None:
        signals: tuple[int, ...] = (_named(options.signal_column, "--signal-column", names, len(values), source),)
    else:
        signals = _guess_signals(names, values, time, [j for j in numeric if j not in (time, *further)], notes)
    if time in signals:
        found = f"{names.name(time)} is the time, and cannot be the signal as well"
        raise InputError(source, found, place=place, remedy="see --time-column and --signal-column")
    if not signals:
        empty = sum(not np.isfinite(column).any() for column in values)
        found = f"no column of numbers besides the time; {empty} of {len(values)} columns are empty or NaN throughout"
        raise InputError(source, found, place=place)
    times = tuple(max((j for j in further if time < j < signal), default=time) for signal in signals)
    return Columns(time, signals, times, tuple(notes), tuple(warnings))


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
    if (column := _best_time(names.names)) is not None:
        return column
    other = signal_unit(names.name(0))
    if not goes_on(values[0]) or other.lower() in _ASIDE_UNITS:
        first = (
            f"no heading speaks of time and '{names.name(0)}'" if names.names else "there are no headings and column 1"
        )
        found = f"{first} {f'is in {other}' if other.lower() in _ASIDE_UNITS else 'does not rise'}"
        raise InputError(source, found, place=place, remedy="--time-column says which column is the time")
    if len(values) > 2 and counts_rows(values[0]) and goes_on(values[1]):
        warnings.append(f"{names.name(0)} counts rows, {names.name(1)} is taken for the time; see --time-column")
        return 1
    if not names.names and _are_pairs(values):
        warnings.append("columns 1 and 3 both rise like times; column 1 is taken for all, see --time-column")
    notes.append(f"{names.name(0)} is taken for the time, because it is the first")
    return 0


def _guess_signals(
    names: Headings, values: Sequence[Array], time: int, others: list[int], notes: list[str]
) -> tuple[int, ...]:
    """Return the columns of signals among the others that hold numbers."""
    called = [j for j in others if words(names.name(j)) == ["signal"]]
    if len(called) == 1 and len(others) > 1:
        rest = ", ".join(names.name(j) for j in others if j != called[0])
        notes.append(f"column 'signal' is taken, not {rest}; see --signal-column")
        return tuple(called)
    aside = [j for j in others if _is_aside(names.name(j)) or (j < time and counts_rows(values[j]))]
    if aside and len(aside) < len(others):
        notes.append(f"left out: {', '.join(names.name(j) for j in aside)}; see --signal-column")
        return tuple(j for j in others if j not in aside)
    return tuple(others)


def _is_aside(name: str) -> bool:
    """Whether a heading is that of no signal: a second time, a step, a temperature, a pressure, a flow."""
    return bool(time_likeness(name) or _ASIDE & set(words(name)) or signal_unit(name).lower() in _ASIDE_UNITS)


def _further_times(names: Headings, values: Sequence[Array], time: int) -> list[int]:
    """Return the columns of times that follow on a signal of the first, as in pairs `Time A, A, Time B, B`."""
    likely = [j for j in range(time + 1, len(names.names)) if time_likeness(names.names[j]) and goes_on(values[j])]
    return [j for j in likely if not all(_is_aside(name) for name in names.names[time + 1 : j])]


def _refuse_tables(names: Headings, options: ReadOptions, source: str, place: str) -> None:
    """Refuse a table whose headings show that its rows are peaks or results."""
    if options.signal_column is None and any(_TABLE & set(words(name)) for name in names.names):
        shown = ", ".join(name for name in names.names[:6] if name) + (", ..." if len(names.names) > 6 else "")
        found = f"is a table of peaks or results (columns {shown}), not a trace"
        raise InputError(source, found, place=place, remedy="give the file that holds the chromatogram")


def _are_pairs(values: Sequence[Array]) -> bool:
    """Whether the first, third, ... column rise, and none of the others does."""
    return (
        len(values) > 3 and len(values) % 2 == 0 and [goes_on(v) for v in values] == [True, False] * (len(values) // 2)
    )


def goes_on(values: Array) -> bool:
    """Whether nine of ten steps go up, or some do and none goes down, as with rounded times."""
    there = values[np.isfinite(values)]
    up = there[1:] > there[:-1]
    return there.size > 1 and bool(up.mean() >= 0.9 or (up.any() and (there[1:] >= there[:-1]).all()))


def counts_rows(values: Array) -> bool:
    """Whether the column is 0, 1, 2, ... or 1, 2, 3, ..."""
    return bool(values[0] in (0, 1) and (values[1:] == values[:-1] + 1).all())
