"""Delimited text in long form: columns of words beside the numbers say which trace a row belongs to.

Every combination of the words that occur is a trace, named by those columns that differ between traces.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gcfit.chromatogram import Array
from gcfit.formats import clean
from gcfit.formats.columns import Headings, choose
from gcfit.formats.decimals import Cells
from gcfit.formats.dialect import Dialect, candidates
from gcfit.formats.records import Reading
from gcfit.formats.source import Source

_SAMPLE = 1 << 14
_MOST_BYTES = 64 << 20
_MOST_WORDS = 64  # a column with more different words is a comment or a clock
_MOST_TRACES = 256
_NUMERIC = 0.8  # of the first rows, the heading among them


@dataclass(frozen=True)
class _Layout:
    """A dialect in which the rows have `numbers` and `words` columns."""

    dialect: Dialect
    columns: int
    numbers: tuple[int, ...]
    words: tuple[int, ...]
    rows: int


def read(source: Source, first: bytes, rest: Iterator[bytes]) -> Reading:
    """Read a table in long form.

    Raises
    ------
    InputError
        If it is none.
    """
    layout = _layout(first[: first.rfind(b"\n", 0, _SAMPLE) + 1] or first, source)
    if layout is None:
        raise source.error("no rows with two numbers", remedy=_remedy(source))
    rows = _rows(source, layout, first, rest)
    names = Headings(rows.pop(0)) if not source.options.no_header and not _numeric(rows[0], layout) else Headings()
    columns = {j: _column(rows, j, layout) for j in layout.numbers}
    return _split(source, layout, names, rows, columns)


def _remedy(source: Source) -> str:
    """Say what could help."""
    return "" if source.options.describe_a_table else "see --delimiter, --decimal and --skip-lines"


def _layout(sample: bytes, source: Source) -> _Layout | None:
    """Find the dialect in which most lines have as many cells and at least two of these columns hold numbers."""
    found = [layout for d in candidates(sample, source.options) if d.delimiter != " " and (layout := _try(sample, d))]
    return max(found, key=lambda layout: layout.rows, default=None)


def _try(sample: bytes, dialect: Dialect) -> _Layout | None:
    """Look at a sample in one dialect."""
    cells = dialect.cells(sample)
    counts = cells.counts
    usable = counts[counts >= 3]
    if usable.size < 3:
        return None
    columns = int(np.bincount(usable).argmax())
    first = (cells.last - counts + 1)[counts == columns]
    share = np.array([(~cells.wrong & np.isfinite(cells.values))[first + j].mean() for j in range(columns)])
    numbers = tuple(np.flatnonzero(share >= _NUMERIC).tolist())
    words = tuple(j for j in range(columns) if j not in numbers)
    return _Layout(dialect, columns, numbers, words, first.size) if len(numbers) >= 2 and words else None


def _rows(source: Source, layout: _Layout, first: bytes, rest: Iterator[bytes]) -> list[tuple[str, ...]]:
    """Split all lines that have the right number of cells."""
    rows: list[tuple[str, ...]] = []
    size, block = 0, first
    while block:
        size += len(block)
        if size > _MOST_BYTES:
            raise source.error(f"a table with columns of words of more than {_MOST_BYTES >> 20} MB is not read")
        cells = (tuple(layout.dialect.split(line)) for line in source.encoding.words(block).split("\n"))
        rows += [row for row in cells if len(row) == layout.columns]
        block = next(rest, b"")
    return rows


def _numeric(row: tuple[str, ...], layout: _Layout) -> bool:
    """Whether the cells where numbers should be are numbers."""
    return not _cells([row[j] for j in layout.numbers], layout).wrong.any()


def _column(rows: list[tuple[str, ...]], column: int, layout: _Layout) -> Array:
    """Read one column of numbers, shape (rows,), NaN where a cell holds something else."""
    return _cells([row[column] for row in rows], layout).values


def _cells(cells: list[str], layout: _Layout) -> Cells:
    """Read cells, one a line; a line feed cannot be in them."""
    alone = Dialect("\t", layout.dialect.decimal, layout.dialect.thousands)
    return alone.cells("".join(f"{cell}\n" for cell in cells).replace("\t", "?").encode())


def _split(
    source: Source, layout: _Layout, names: Headings, rows: list[tuple[str, ...]], columns: dict[int, Array]
) -> Reading:
    """Make a trace of every combination of words."""
    shown = Headings(tuple(names.names[j] for j in layout.numbers) if names.names else ())
    values = [columns[j] for j in layout.numbers]
    chosen = choose(shown, values, source.options, source.name, "")
    notes = [f"delimited text in long form: {layout.dialect}", *chosen.notes]
    warnings = list(chosen.warnings)
    groups = _groups(source, layout, rows)
    times = values[chosen.time]
    unit = clean.time_unit_of(source, shown.time_unit(chosen.time), times[next(iter(groups.values()))], notes, warnings)
    traces = []
    for key, members in groups.items():
        for column in chosen.signals:
            name = " ".join([*key, *([shown.name(column)] if len(chosen.signals) > 1 else [])])
            pair = times[members], values[column][members]
            signal_unit = shown.signal_unit(column)
            traces.append(clean.trace(source.name, *pair, unit=unit, signal_unit=signal_unit, name=name))
    return Reading(tuple(traces), "delimited", notes=tuple(notes), warnings=tuple(warnings))


def _groups(source: Source, layout: _Layout, rows: list[tuple[str, ...]]) -> dict[tuple[str, ...], list[int]]:
    """Return the rows of each trace under the words that tell it from the others."""
    telling = [j for j in layout.words if 1 < len({row[j] for row in rows}) <= _MOST_WORDS]
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, row in enumerate(rows):
        groups.setdefault(tuple(row[j] for j in telling), []).append(number)
    if len(groups) > _MOST_TRACES:
        found = f"{len(groups)} different combinations of words beside the numbers; this is no table of traces"
        raise source.error(found)
    return groups
