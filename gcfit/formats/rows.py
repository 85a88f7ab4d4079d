"""From lines to runs: stretches of rows with equally many numbers, and the lines of words between them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gcfit.chromatogram import Array
from gcfit.formats.decimals import Cells
from gcfit.formats.dialect import Dialect
from gcfit.formats.quotients import Index

_KEPT = 40  # lines of a run of words that are kept, the last ones; headings stand right above their numbers


@dataclass(frozen=True, eq=False)
class Numbers:
    """Rows of equally many numbers, `values` of shape (rows, columns); `line` is the first one's, counted from 1."""

    line: int
    values: Array


@dataclass(frozen=True)
class Words:
    """Lines that are no rows of numbers: that of the first one, how many, the first and the last of them."""

    line: int
    count: int
    first: bytes
    last: tuple[bytes, ...]


def runs(text: bytes, dialect: Dialect, line: int) -> Iterator[Numbers | Words]:
    """Yield the runs of whole lines in their order; lines whose cells are all empty are passed over.

    Parameters
    ----------
    text : bytes
        Lines that end in a line feed.
    line : int
        Number of the first one.
    """
    cells = dialect.cells(text)
    counts = cells.counts
    if not counts.size:
        return
    if counts[0] > 1 and not cells.wrong.any() and (counts == counts[0]).all():
        yield Numbers(line, cells.values.reshape(-1, int(counts[0])))
        return
    yield from _mixed(text, cells, counts, line)


def _mixed(text: bytes, cells: Cells, counts: Index, line: int) -> Iterator[Numbers | Words]:
    """Yield the runs of lines of several kinds."""
    first = cells.last - counts + 1
    kind = np.where(np.logical_or.reduceat(cells.wrong, first), 0, counts)
    blank = (kind > 0) & np.logical_and.reduceat(np.isnan(cells.values), first)
    kept = np.flatnonzero(~blank)
    if not kept.size:
        return
    kind, first = kind[kept], first[kept]
    edges = np.concatenate(([0], np.flatnonzero(np.diff(kind)) + 1, [kept.size]))
    line_ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == 0x0A)
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        number = line + int(kept[start])
        if kind[start]:
            yield Numbers(number, _rows(cells.values, first[start:stop], int(kind[start])))
        else:
            yield _words(text, line_ends, kept[start:stop], number)


def _rows(values: Array, first: Index, columns: int) -> Array:
    """Shape the cells of some lines by their first cells; those of blank lines between them are left out."""
    stretch = values[first[0] : first[-1] + columns]
    if stretch.size == columns * first.size:
        return stretch.reshape(-1, columns)
    table: Array = values[first[:, None] + np.arange(columns)]
    return table


def _words(text: bytes, line_ends: Index, lines: Index, number: int) -> Words:
    """Cut the lines with these indices out of the text."""
    shown = [int(lines[0]), *lines[-_KEPT:].tolist()]
    cut = [text[(line_ends[i - 1] + 1 if i else 0) : line_ends[i]] for i in shown]
    return Words(number, len(lines), cut[0], tuple(cut[1:]))
