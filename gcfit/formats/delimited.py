"""Delimited text: columns of numbers separated by commas, semicolons, tabs, bars or blanks.

Decimal point or comma, marks of thousands, quoted cells, any line end and text encoding; headings or none, lines of
words above; several blocks of numbers below one another, each under its own heading, are several traces. With more
than one column of signals each is a trace; where the heading calls one of them `signal`, that one is the trace.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from gcfit.chromatogram import MIN_POINTS, Array, Chromatogram
from gcfit.formats import clean, longtable
from gcfit.formats.columns import Headings, choose, headings
from gcfit.formats.dialect import Dialect, Found, find
from gcfit.formats.records import Reading
from gcfit.formats.rows import Numbers, Words, runs
from gcfit.formats.source import Head, Source

_SAMPLES = (1 << 12, 1 << 15)  # bytes that are tried for the dialect; the longer one where the shorter shows few rows
_ENOUGH_ROWS = 10
_MOST_RUNS = 20_000
_MOST_LEFT_OUT = 0.1
_FEW = 3


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
    found = _dialect(first, source)
    if found is None:
        return longtable.read(source, first, blocks)
    table = _collect(source, found, first, blocks)
    notes = [f"delimited text: {found.dialect}, encoding {source.encoding.name}"]
    warnings = list(found.warnings)
    if table.left_out:
        _judge_left_out(source, table, warnings)
    clean.check_number(source, len(table.blocks))
    traces = [
        trace for block in table.blocks for trace in _traces(source, found, block, len(table.blocks), notes, warnings)
    ]
    return Reading(
        tuple(clean.named_apart(traces)), "delimited", notes=tuple(notes), warnings=tuple(dict.fromkeys(warnings))
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


def _dialect(first: bytes, source: Source) -> Found | None:
    """Find the dialect on the first lines of numbers."""
    found = None
    for size in _SAMPLES:
        sample = first[: first.rfind(b"\n", 0, size) + 1] or first
        found = find(sample.lstrip(b"\n"), source.options)
        if found and found.rows >= _ENOUGH_ROWS:
            return found
    return found


def _collect(source: Source, found: Found, first: bytes, blocks: Iterator[bytes]) -> _Table:
    """Read all rows."""
    table, above, line, seen = _Table(), None, 1, 0
    text: bytes | None = first
    while text is not None:
        for run in runs(text, found.dialect, line):
            seen += 1
            if seen > _MOST_RUNS:
                raise source.error(
                    "rows of numbers and other lines alternate; this is no table", place=f"line {run.line}"
                )
            above = _put(table, run, above, found.columns)
        line += int(np.count_nonzero(np.frombuffer(text, dtype=np.uint8) == 0x0A))
        text = next(blocks, None)
    if above is not None and table.blocks:
        table.leave_out(above.line, above.count, _shown(source, above))
    return table


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
    values = _without_empty_end(block.joined())
    names = Headings() if source.options.no_header else headings(lines, found.dialect, len(values))
    if not names.names:
        _check_collision(source, found.dialect, lines, len(values))
    chosen = choose(names, values, source.options, source.name, place)
    clean.check_number(source, len(chosen.signals) * blocks)
    notes += chosen.notes
    warnings += chosen.warnings
    unit = clean.time_unit_of(source, names.time_unit(chosen.time), values[chosen.time], notes, warnings)
    title = _title(lines, names, found.dialect) if blocks > 1 else ""
    for column in chosen.signals:
        name = " ".join(part for part in (title, names.name(column) if len(chosen.signals) > 1 else "") if part)
        pair = values[chosen.time], values[column]
        unit_of_signal = names.signal_unit(column)
        yield clean.trace(source.name, *pair, unit=unit, signal_unit=unit_of_signal, name=name, place=place)


def _without_empty_end(values: list[Array]) -> list[Array]:
    """Leave out the column that a delimiter at the end of every line makes."""
    return values[:-1] if len(values) > 2 and np.isnan(values[-1]).all() else values


def _title(lines: list[str], names: Headings, dialect: Dialect) -> str:
    """Return the line right above the numbers and headings of a block as its name."""
    known = ("", *names.names), ("", *names.units)
    for line in reversed(lines):
        cells = tuple(dialect.split(line))
        if any(cells) and ("", *cells) not in known:
            return cells[0] if len(cells) == 1 else line.strip()
    return ""


def _check_collision(source: Source, dialect: Dialect, lines: list[str], columns: int) -> None:
    """Refuse decimal commas between commas: twice as many cells as headings."""
    if dialect.delimiter != "," or not lines:
        return
    cells = dialect.split(lines[-1])
    if len(cells) > 1 and 2 * len(cells) == columns and all(any(c.isalpha() for c in cell) for cell in cells):
        found = f"{len(cells)} headings above {columns} cells: the commas separate cells and mark decimals"
        raise source.error(found, remedy="export it with another delimiter, or with quoted cells")
