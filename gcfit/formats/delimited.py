"""Delimited text: columns of numbers separated by commas, semicolons, tabs, bars or blanks.

Decimal point or comma, marks of thousands, quoted cells, any line end and text encoding; headings or none, lines of
words above; several blocks of numbers below one another, each under its own heading, are several traces. With more
than one column of signals each is a trace; where the heading calls one of them `signal`, that one is the trace.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np

from gcfit.chromatogram import MIN_POINTS, Array, Chromatogram
from gcfit.formats import clean, longtable
from gcfit.formats.columns import Headings, choose, counts_rows, goes_on, headings
from gcfit.formats.dialect import Dialect
from gcfit.formats.finding import Found, find, revised, seen_marks
from gcfit.formats.records import Reading
from gcfit.formats.rows import Numbers, Words, runs
from gcfit.formats.separate import separate
from gcfit.formats.source import Head, Source
from gcfit.formats.units import unit_said

_SAMPLES = (1 << 12, 1 << 15)  # bytes that are tried for the dialect; the longer one where the shorter shows few rows
_ENOUGH_ROWS = 10
_MOST_RUNS = 20_000
_MOST_LEFT_OUT = 0.1
_FEW = 3
_UNREAD = re.compile(r"(?=.*\d[.,' \u2019]\d)[\d.,'\u2019+eE\s;|\"-]*")  # of digits and marks only


@dataclass(eq=False)
class _Block:
    """Rows under one heading, as they come in."""

    line: int
    above: Words | None
    columns: list[list[Array]]
    rows: int = 0
    last_time: float = -np.inf

    def add(self, values: Array) -> None:
        for column, part in zip(self.columns, values.T, strict=True):
            column.append(part.copy())
        self.rows += len(values)
        self.last_time = float(values[-1, 0])

    def joined(self) -> list[Array]:
        """Return the columns, each of shape (rows,), and forget the parts."""
        joined = []
        for parts in self.columns:
            joined.append(parts[0] if len(parts) == 1 else np.concatenate(parts))
            parts.clear()
        return joined


@dataclass(eq=False)
class _Table:
    """All blocks of a file and what did not fit into them."""

    blocks: list[_Block] = field(default_factory=list)
    left_out: int = 0
    first_left_out: str = ""

    def leave_out(self, line: int, count: int, what: str) -> None:
        self.left_out += count
        self.first_left_out = self.first_left_out or f"line {line} {what}"


def recognise(head: Head) -> bool:
    """Take any text."""
    return bool(head.text.strip())


def read(source: Source) -> Reading:
    """Read a file of delimited text.

    Raises
    ------
    InputError
        If it holds no two columns of numbers that are a trace.
    """
    blocks = _lines_from(source)
    first = next(blocks, b"")
    found, sample = _dialect(first, source)
    if found is None:
        return longtable.read(source, first, blocks)
    table, found = _collect(source, found, sample, chain([first], blocks))
    notes = [f"delimited text: {found.dialect}, encoding {source.encoding.name}"]
    warnings = list(found.warnings)
    if table.left_out:
        _judge_left_out(source, table, warnings)
    clean.check_number(source, len(table.blocks))
    traces = [
        trace for block in table.blocks for trace in _traces(source, found, block, len(table.blocks), notes, warnings)
    ]
    return Reading(
        tuple(clean.named_apart(traces)),
        "delimited",
        notes=tuple(dict.fromkeys(notes)),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _lines_from(source: Source) -> Iterator[bytes]:
    """Yield the blocks of lines; those to be skipped become blank ones, so that the others keep their numbers."""
    skip = source.options.skip_lines or 0
    for block in source.blocks():
        if skip:
            head, kept = _first_lines(block, skip)
            skip -= head
            block = b"\n" * head + kept
        yield block


def _first_lines(block: bytes, count: int) -> tuple[int, bytes]:
    """Return how many of the first `count` lines the block has, and what follows them."""
    lines = block.split(b"\n", count)
    return (count, lines[-1]) if len(lines) > count else (block.count(b"\n"), b"")


def _dialect(first: bytes, source: Source) -> tuple[Found | None, bytes]:
    """Find the dialect on the first lines of numbers; returns these as well."""
    found, sample = None, first
    for size in _SAMPLES:
        sample = (first[: first.rfind(b"\n", 0, size) + 1] or first).lstrip(b"\n")
        found = find(sample, source.options)
        if found and found.rows >= _ENOUGH_ROWS:
            break
    return found, sample


def _collect(source: Source, found: Found, sample: bytes, blocks: Iterator[bytes]) -> tuple[_Table, Found]:
    """Read all rows; returns the dialect as well, which marks that come only further down may change."""
    table, above, line, seen = _Table(), None, 1, 0
    marks = seen_marks(sample, found.dialect.delimiter)
    for text in blocks:
        if new := seen_marks(text, found.dialect.delimiter) - marks:
            found, marks = revised(found, sample, new, text, source.options), marks | new
        for run in runs(text, found.dialect, line):
            seen += 1
            if seen > _MOST_RUNS:
                raise source.error(
                    "rows of numbers and other lines alternate; this is no table", place=f"line {run.line}"
                )
            if isinstance(run, Words):
                _refuse_unread(source, found, run, top=not table.blocks)
            above = _put(table, run, above, found.columns)
        line += int(np.count_nonzero(np.frombuffer(text, dtype=np.uint8) == 0x0A))
    if above is not None and table.blocks:
        table.leave_out(above.line, above.count, _shown(source, above))
    return table, found


def _put(table: _Table, run: Numbers | Words, above: Words | None, columns: int) -> Words | None:
    """Add a run to the table; returns the words that stand above what comes next."""
    if isinstance(run, Words):
        return run if above is None else replace(run, line=above.line, count=above.count + run.count, first=above.first)
    current = table.blocks[-1] if table.blocks else None
    width = run.values.shape[1]
    new = current is None or (
        above is not None and (run.values[0, 0] <= current.last_time or width != len(current.columns))
    )
    if new and (width == columns or (width >= 2 and len(run.values) >= MIN_POINTS)):
        table.blocks.append(_Block(run.line, above, [[] for _ in range(width)]))
    elif current is None or width != len(current.columns):
        table.leave_out(run.line, len(run.values), f"with {width} cell{'s' if width > 1 else ''}")
        return above
    elif above is not None:
        table.leave_out(above.line, above.count, f"'{above.first[:40].decode('utf-8', 'replace')}'")
    table.blocks[-1].add(run.values)
    return None


def _refuse_unread(source: Source, found: Found, words: Words, *, top: bool) -> None:
    """Refuse rows of digits and marks that are no numbers in this dialect, below the first rows or right above them."""
    line, number = (words.last[-1], words.line + words.count - 1) if top else (words.first, words.line)
    text = source.encoding.words(line)
    if _UNREAD.fullmatch(text) and len(found.dialect.split(text)) == found.columns:
        shown = f"'{text[:40]}' holds numbers with other marks than other lines"
        raise source.error(shown, place=f"line {number}", remedy="see --decimal and --thousands")


def _shown(source: Source, words: Words) -> str:
    """Quote the beginning of the first of some lines."""
    return f"'{source.encoding.words(words.first[:40])}'"


def _judge_left_out(source: Source, table: _Table, warnings: list[str]) -> None:
    """Refuse a table of which much does not fit; else warn."""
    rows = sum(block.rows for block in table.blocks)
    lines = f"{table.left_out} of {rows + table.left_out} lines"
    found = f"{lines} are no rows of the table, the first is {table.first_left_out}"
    if table.left_out > max(_FEW, _MOST_LEFT_OUT * rows):
        raise source.error(found, remedy="see --delimiter, --decimal and --skip-lines")
    warnings.append(f"{found}; left out")


def _traces(
    source: Source, found: Found, block: _Block, blocks: int, notes: list[str], warnings: list[str]
) -> Iterator[Chromatogram]:
    """Yield the traces of one block."""
    place = f"lines from {block.line}" if blocks > 1 else ""
    lines = [source.encoding.words(line) for line in block.above.last] if block.above else []
    columns = block.joined()
    values = _without_empty_end(columns)
    names = _headings(source, found, lines, values, len(columns) - len(values), warnings)
    if not names.names:
        values = _without_numeric_heading(values, block.line, warnings)
    chosen = choose(names, values, source.options, source.name, place)
    clean.check_number(source, len(chosen.signals) * blocks)
    notes += chosen.notes
    warnings += chosen.warnings
    title = _title(lines, names, found.dialect) if blocks > 1 else ""
    said = next((unit for line in reversed(lines) if (unit := unit_said(line))), "")
    units = {
        time: clean.time_unit_of(
            source, names.time_unit(time) or said, values[time], notes, warnings, names.strange_unit(time)
        )
        for time in dict.fromkeys(chosen.times)
    }
    for run, rows, signals in separate(source, names, values, chosen, warnings):
        for column, time in signals:
            called = names.name(column) if len(signals) > 1 else ""
            name = " ".join(part for part in (title, run, called) if part)
            pair = values[time][rows], values[column][rows]
            unit_of_signal = names.signal_unit(column)
            yield clean.trace(
                source.name,
                *pair,
                unit=units[time],
                signal_unit=unit_of_signal,
                name=name,
                place=place,
                warnings=warnings,
            )


def _headings(
    source: Source, found: Found, lines: list[str], values: list[Array], empty: int, warnings: list[str]
) -> Headings:
    """Find the headings of a block; refuse one whose decimal commas were taken for ends of cells."""
    if source.options.no_header:
        return Headings()
    split = found.dialect.delimiter == "," and found.zero_led
    numbered = counts_rows(values[0]) and any(goes_on(column) for column in values[1:]) and not split
    names = headings(lines, found.dialect, len(values), empty=empty, row_names=numbered)
    if not names.names or (split and not names.names[-1]):
        _check_collision(source, found.dialect, lines, len(values), split)
    if len(values) > 2 and names.names and not names.names[-1]:
        warnings.append(f"the last of {len(values)} columns has no heading: the headings are taken for the first ones")
    return names


def _without_empty_end(values: list[Array]) -> list[Array]:
    """Leave out the columns that delimiters at the end of every line make."""
    while len(values) > 2 and np.isnan(values[-1]).all():
        values = values[:-1]
    return values


def _without_numeric_heading(values: list[Array], line: int, warnings: list[str]) -> list[Array]:
    """Leave out a first row that does not come before a second one from which on all times rise: a heading of numbers.

    Wavelengths, masses or a number of points stand so above the rows.
    """
    time = values[0]
    if len(time) <= MIN_POINTS or time[0] < time[1] or not (time[2:] > time[1:-1]).all():
        return values
    row = ", ".join("" if np.isnan(column[0]) else f"{column[0]:g}" for column in values)
    warnings.append(f"line {line} '{row[:40]}' is taken for a heading, because it is out of the order of the times")
    return [column[1:] for column in values]


def _title(lines: list[str], names: Headings, dialect: Dialect) -> str:
    """Return the line right above the numbers and headings of a block as its name."""
    known = ("", *names.names), ("", *names.units)
    for line in reversed(lines):
        cells = tuple(dialect.split(line))
        if any(cells) and ("", *cells) not in known:
            return cells[0] if len(cells) == 1 else line.strip()
    return ""


def _check_collision(source: Source, dialect: Dialect, lines: list[str], columns: int, split: bool) -> None:
    """Refuse decimal commas between commas: more cells than headings, twice as many or with cells such as `05`."""
    if dialect.delimiter != ",":
        return
    cells = dialect.split(lines[-1]) if lines else []
    named = len(cells) > 1 and all(any(c.isalpha() for c in cell) for cell in cells)
    if named and (2 * len(cells) == columns or (split and len(cells) < columns)):
        found = f"{len(cells)} headings above {columns} cells: the commas separate cells and mark decimals"
    elif not named and split and columns > 2:
        found = f"{columns} cells a line, some with a leading 0: the commas separate cells and mark decimals"
    else:
        return
    raise source.error(found, remedy="export it with another delimiter, or with quoted cells")
