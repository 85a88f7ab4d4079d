"""Delimited text in long form: columns of words beside the numbers say which trace a row belongs to.

Every combination of the words that occur is a trace, named by those columns that differ between traces. Words are
compared by a 64-bit sum over their bytes, each times a random factor of its place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.formats import clean
from gcfit.formats.columns import Headings, choose
from gcfit.formats.decimals import Cells, scan
from gcfit.formats.dialect import Dialect, plain
from gcfit.formats.finding import Found, candidates, settled
from gcfit.formats.quotients import Flags, Index, Words
from gcfit.formats.records import Reading
from gcfit.formats.separate import separate
from gcfit.formats.source import Source
from gcfit.formats.units import time_likeness

_SAMPLE = 1 << 14
_MOST_WORDS = 256  # a column with more different words is a comment or a clock
_CLOCK = re.compile(r"\d{1,3}:\d\d(?::\d\d)?(?:[.,]\d+)?")
_NUMERIC = 0.8  # of the first rows, the heading among them
_LONGEST_WORD = 4096


@dataclass(frozen=True)
class _Layout:
    """A dialect in which the rows have `numbers` and `words` columns."""

    found: Found
    numbers: tuple[int, ...]
    words: tuple[int, ...]

    @property
    def dialect(self) -> Dialect:
        """Marks and separator."""
        return self.found.dialect

    @property
    def columns(self) -> int:
        """Number of cells of a row."""
        return self.found.columns


@dataclass(eq=False)
class _Rows:
    """Rows as they come in: numbers and sums of words, block by block, and the words by their sums."""

    names: tuple[str, ...] = ()
    values: list[Array] = field(default_factory=list)
    sums: list[Words] = field(default_factory=list)
    spelled: list[dict[int, str]] = field(default_factory=list)
    other: int = 0


def read(source: Source, first: bytes, rest: Iterator[bytes]) -> Reading:
    """Read a table in long form.

    Raises
    ------
    InputError
        If it is none.
    """
    sample = first[: first.rfind(b"\n", 0, _SAMPLE) + 1] or first
    layout = _layout(sample, source)
    if layout is None:
        raise source.error("no rows with two numbers", remedy="see --delimiter, --decimal and --skip-lines")
    rows = _Rows(spelled=[{} for _ in layout.words])
    block = first
    while block:
        _add(rows, layout, source, block)
        block = next(rest, b"")
    if not rows.values:
        raise source.error("no rows with two numbers")
    return _split(source, layout, rows)


def _layout(sample: bytes, source: Source) -> _Layout | None:
    """Find the dialect in which most lines have as many cells and at least two of these columns hold numbers."""
    tried = [layout for d in candidates(sample, source.options) if d.delimiter != " " and (layout := _try(sample, d))]
    found = settled(sample, [layout.found for layout in tried], source.options)
    layout = _try(sample, found.dialect) if found else None
    return replace(layout, found=replace(layout.found, warnings=found.warnings)) if found and layout else None


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
    rows = ~cells.wrong[first[:, None] + np.array(numbers, dtype=np.int64)].any(axis=1)
    found = Found(dialect, columns, int(rows.sum()))
    return _Layout(found, numbers, words) if len(numbers) >= 2 and words else None


def _add(rows: _Rows, layout: _Layout, source: Source, text: bytes) -> None:
    """Add the rows of a block; the first line with words where numbers should be is the heading."""
    simple = plain(text, layout.dialect)
    cells = scan(simple, layout.dialect.delimiter.encode())
    counts = cells.counts
    first = cells.last - counts + 1
    whole = counts == layout.columns
    wrong = cells.wrong[first[whole][:, None] + np.array(layout.numbers)].any(axis=1)
    if wrong.any() and not rows.names and not rows.values:
        start = int(first[whole][np.flatnonzero(wrong)[0]])
        rows.names = tuple(_spell(source, layout, simple, cells, start + j) for j in range(layout.columns))
    kept = first[whole][~wrong]
    rows.other += int((counts > 1).sum()) - kept.size
    if kept.size:
        rows.values.append(cells.values[kept[:, None] + np.array(layout.numbers)])
        rows.sums.append(_sums(source, layout, rows, simple, cells, kept))


def _sums(source: Source, layout: _Layout, rows: _Rows, text: bytes, cells: Cells, first: Index) -> Words:
    """Return the sums of the words of each row, shape (rows, word columns), and note how new words are spelled."""
    sums: Words = _word_sums(text, cells)[first[:, None] + np.array(layout.words)]
    for number, column in enumerate(layout.words):
        spelled = rows.spelled[number]
        if len(spelled) <= _MOST_WORDS:
            new, where = np.unique(sums[:, number], return_index=True)
            for key, row in list(zip(new.tolist(), where.tolist(), strict=True))[: _MOST_WORDS + 1]:
                spelled.setdefault(key, _spell(source, layout, text, cells, int(first[row]) + column))
    return sums


def _word_sums(text: bytes, cells: Cells) -> Words:
    """Return a sum over the bytes of every cell that tells it from others, shape (n,)."""
    raw = np.frombuffer(text, dtype=np.uint8)
    start = np.concatenate(([0], cells.end[:-1] + 1))
    place = np.arange(raw.size) - np.repeat(start, cells.end - start + 1)
    weighted = (raw.astype(np.uint64) + np.uint64(1)) * _factors().take(place, mode="clip")
    sums: Words = np.add.reduceat(weighted, start)
    return sums


@cache
def _factors() -> Words:
    """Return a random odd factor for each place of a word, made when first asked for: few files need them."""
    random = np.random.default_rng(20240115)
    return random.integers(1, 2**63, _LONGEST_WORD, dtype=np.uint64) | np.uint64(1)


def _spell(source: Source, layout: _Layout, text: bytes, cells: Cells, cell: int) -> str:
    """Return one cell as words; where `plain` exchanged the decimal marks they are exchanged back."""
    start = int(cells.end[cell - 1]) + 1 if cell else 0
    words = source.encoding.words(text[start : min(int(cells.end[cell]), start + 200)])
    mark = layout.dialect.decimal
    return words if mark == "." else words.translate(str.maketrans(f".{mark}", f"{mark}."))


def _split(source: Source, layout: _Layout, rows: _Rows) -> Reading:
    """Make a trace of every combination of words."""
    table, sums = np.concatenate(rows.values), np.concatenate(rows.sums)
    names = Headings(tuple(rows.names[j] for j in layout.numbers) if rows.names else ())
    values = [np.ascontiguousarray(column) for column in table.T]
    _refuse_clocks(source, layout, rows, names)
    chosen = choose(names, values, source.options, source.name, "")
    notes = [f"delimited text in long form: {layout.dialect}", *chosen.notes]
    warnings = [*layout.found.warnings, *chosen.warnings]
    times = values[chosen.time]
    groups = _groups(source, layout, rows, sums, times, warnings)
    clean.check_number(source, len(groups) * len(chosen.signals))
    unit = clean.time_unit_of(
        source, names.time_unit(chosen.time), times[groups[0][1]], notes, warnings, names.strange_unit(chosen.time)
    )
    traces: list[Chromatogram] = []
    for group, members in groups:
        own = [column[members] for column in values]
        for run, part, signals in separate(source, names, own, chosen, warnings):
            for column, time in signals:
                called = names.name(column) if len(signals) > 1 else ""
                name = " ".join(word for word in (*group, run, called) if word)
                traces.append(
                    clean.trace(
                        source.name,
                        own[time][part],
                        own[column][part],
                        unit=unit,
                        signal_unit=names.signal_unit(column),
                        name=name,
                        place=f"rows of '{name}'" if name else "",
                        warnings=warnings,
                    )
                )
    if rows.other > 1:  # one is the heading
        warnings.append(f"{rows.other} lines are no rows of the table; left out")
    return Reading(tuple(clean.named_apart(traces)), "delimited", notes=tuple(notes), warnings=tuple(warnings))


def _refuse_clocks(source: Source, layout: _Layout, rows: _Rows, names: Headings) -> None:
    """Refuse a table whose times are hours, minutes and seconds, unless another column is called a time."""
    if source.options.time_column is not None or any(time_likeness(name) for name in names.names):
        return
    for column, spelled in zip(layout.words, rows.spelled, strict=True):
        if spelled and all(_CLOCK.fullmatch(word.strip()) for word in spelled.values()):
            found = f"{_called(rows, column)} holds times such as '{next(iter(spelled.values()))}', which are not read"
            raise source.error(found, remedy="write them in seconds or minutes, or see --time-column")


def _called(rows: _Rows, column: int) -> str:
    """Return what a column is called in messages."""
    return f"column '{rows.names[column]}'" if rows.names and rows.names[column] else f"column {column + 1}"


def _groups(
    source: Source, layout: _Layout, rows: _Rows, sums: Words, times: Array, warnings: list[str]
) -> list[tuple[list[str], Flags]]:
    """Return the words that tell a trace from others and which rows are its own, in the order of the file.

    Words that change to and fro while the times rise throughout tell nothing: they are remarks, or numbers with a sign
    that is not read.
    """
    rising = bool((times[1:] > times[:-1]).all())
    kept = {j for j, spelled in enumerate(rows.spelled) if 1 < len(spelled) <= _MOST_WORDS}
    telling = [j for j in sorted(kept) if not rising or np.count_nonzero(np.diff(sums[:, j])) < len(rows.spelled[j])]
    aside = [j for j, spelled in enumerate(rows.spelled) if len(spelled) > 1 and j not in telling]
    told = sums[:, telling] * _factors()[: len(telling)]
    _, where, member = np.unique(told.sum(axis=1, dtype=np.uint64), return_index=True, return_inverse=True)
    clean.check_number(source, where.size)
    groups = [
        ([rows.spelled[j][int(sums[where[k], j])] for j in telling], member == k) for k in np.argsort(where).tolist()
    ]
    for j in aside:
        column = _called(rows, layout.words[j])
        if any((np.diff(times[members]) < 0).any() for _, members in groups):
            found = f"{column} holds more than {_MOST_WORDS} different words and the times do not rise"
            raise source.error(found, remedy="give the runs in files of their own")
        warnings.append(f"{column} holds words that tell no traces apart, such as '{_example(rows, j)}'; left out")
    return groups


def _example(rows: _Rows, column: int) -> str:
    """Return the last of some words of a column; the first may be empty."""
    return next((word[:40] for word in reversed(rows.spelled[column].values()) if word), "")
