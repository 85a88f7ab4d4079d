"""Finding the dialect of delimited text: all are tried on the first lines, and again where marks come further down.

The one in which most lines are rows of numbers is taken; between those that read equally many, the times and the
numbers decide where they can, and a warning says where they cannot.
"""

import re
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np

from gcfit.chromatogram import Array
from gcfit.formats.dialect import HIDDEN, NARROW, Dialect, unquoted
from gcfit.formats.records import ReadOptions

DELIMITERS = ("\t", ";", "|", ",", " ")
_MORE = 1 << 12  # bytes before and behind a new mark that show what it is
_BLANK_GROUP = re.compile(rb"\d \d{3}(?!\d)")
_QUOTED_COMMA = re.compile(rb'"[+-]?\d[\d.]*,\d')
_ZERO_LED = re.compile(rb",0\d+(?=[,\n])")


@dataclass(frozen=True)
class Found:
    """A dialect, the number of cells of its rows, how many of the lines tried were such rows, and doubts about it.

    `zero_led` says that there are no points, and cells that begin with a 0 as those behind a decimal mark do.
    """

    dialect: Dialect
    columns: int
    rows: int
    warnings: tuple[str, ...] = field(default=())
    zero_led: bool = False


def find(sample: bytes, options: ReadOptions) -> Found | None:
    """Return the dialect in which most lines of the sample are rows of at least two numbers.

    Parameters
    ----------
    sample : bytes
        Whole lines.
    options : ReadOptions
        What it says about delimiter, decimal and thousands is kept.

    Returns
    -------
    Found or None
        None where no dialect makes two rows.
    """
    tried: list[Found] = []
    lines = sample.count(b"\n")
    for delimiter, dialects in groupby(candidates(sample, options), key=lambda dialect: dialect.delimiter):
        tried += [found for dialect in dialects if (found := _try(sample, dialect))]
        if delimiter != " " and any(found.rows >= lines - 1 for found in tried):
            break  # no other delimiter can do better than all lines below a heading
    return settled(sample, tried, options)


def settled(sample: bytes, tried: list[Found], options: ReadOptions) -> Found | None:
    """Return the one of some dialects that reads most rows of the sample, and with it what may come further down."""
    if not tried:
        return None
    most = max(found.rows for found in tried)
    chosen = _decide(sample, [found for found in tried if found.rows == most], options)
    zero_led = b"." not in sample and _ZERO_LED.search(sample) is not None
    return replace(chosen, dialect=_with_groups(sample, chosen.dialect, options), zero_led=zero_led)


def seen_marks(text: bytes, delimiter: str) -> frozenset[bytes]:
    """Return the marks in a text that may be of decimals or thousands, `,` between commas only where it is quoted."""
    marks = {mark for mark in (b".", b"'", *(() if text.isascii() else NARROW)) if mark in text}
    if (_QUOTED_COMMA.search(text) if b'"' in text else None) if delimiter == "," else b"," in text:
        marks.add(b",")
    return frozenset(marks)


def revised(found: Found, sample: bytes, new: frozenset[bytes], text: bytes, options: ReadOptions) -> Found:
    """Return the dialect anew where a later text has marks that the text before it has not.

    Parameters
    ----------
    sample : bytes
        What the dialect was found on.
    new : frozenset of bytes
        These marks.
    text : bytes
        Whole lines.
    """
    quoted = _QUOTED_COMMA.search(text) if found.dialect.delimiter == "," else None
    first = min(quoted.start() if quoted and mark == b"," else text.index(mark) for mark in new)
    start = text.rfind(b"\n", 0, max(first - _MORE, 0)) + 1
    end = text.find(b"\n", first + _MORE) + 1 or len(text)
    again = find(sample + text[start:end], replace(options, delimiter=found.dialect.delimiter))
    return again if again is not None and again.columns == found.columns else found


def candidates(sample: bytes, options: ReadOptions) -> list[Dialect]:
    """List the dialects that the characters of the sample allow."""
    delimiters = [options.delimiter] if options.delimiter else [d for d in DELIMITERS if d.encode() in sample]
    grouped = b"." in sample and _three_digits(sample, ".")  # 1.004 may be 1004 where commas mark decimals
    found = []
    for delimiter in delimiters:
        quoted = b'"' in sample
        marks = [".", ","] if b"," in sample or (grouped and delimiter != ",") else ["."]
        decimals = [options.decimal] if options.decimal else [m for m in marks if m != delimiter or quoted] or ["."]
        for decimal in decimals:
            found += [Dialect(delimiter, decimal, group) for group in _groups(sample, delimiter, decimal, options)]
    return found


def _groups(sample: bytes, delimiter: str, decimal: str, options: ReadOptions) -> list[str]:
    """List the marks of thousands that the sample allows; none comes first."""
    if options.thousands is not None:
        return [options.thousands]
    blank = (b" " in sample and _BLANK_GROUP.search(sample)) or any(mark in sample for mark in NARROW)
    marks = {".": b"." in sample, ",": b"," in sample, "'": b"'" in sample, " ": bool(blank)}
    usable = (m for m, there in marks.items() if there and m != decimal and (m != delimiter or b'"' in sample))
    return ["", *usable]


def _try(sample: bytes, dialect: Dialect) -> Found | None:
    """Count the rows of numbers that the sample holds in this dialect."""
    if dialect.delimiter == dialect.decimal and b'"' not in sample:
        return None
    cells = dialect.cells(sample)
    counts = cells.counts
    first = cells.last - counts + 1
    numbers = np.logical_not(np.logical_or.reduceat(cells.wrong, first))
    filled = np.logical_or.reduceat(np.isfinite(cells.values), first)
    sizes = counts[numbers & filled & (counts >= 2)]
    if sizes.size < 2:
        return None
    columns = int(np.bincount(sizes).argmax())
    return Found(dialect, columns, int((sizes == columns).sum()))


def _decide(sample: bytes, best: list[Found], options: ReadOptions) -> Found:
    """Choose between dialects that read equally many rows: no grouping before grouping, `DELIMITERS` in their order.

    A mark followed by three digits in every cell may be one of decimals or of thousands. The times decide if they rise
    in one reading only; then whole numbers of three digits beside those with the mark, which decimals do not leave;
    then a point is taken for a decimal mark, a comma within quotes between commas for one of thousands, another comma
    for a decimal mark. All but the first and that of the point are said in a warning.
    """
    ungrouped = [found for found in best if not found.dialect.thousands] or best
    chosen = ungrouped[0]
    delimiter, mark = chosen.dialect.delimiter, chosen.dialect.decimal
    alike = (found for found in best if (found.dialect.delimiter, found.columns) == (delimiter, chosen.columns))
    others = [found for found in alike if found.dialect.thousands == mark]
    within = unquoted(sample, delimiter.encode()).replace(HIDDEN, b"\x1e") if delimiter == mark else sample
    if options.decimal is not None or options.thousands is not None or not others:
        return chosen
    if not _three_digits(within, "\x1e" if delimiter == mark else mark):
        return chosen
    plainly, grouped = _columns(sample, chosen), _columns(sample, others[0])
    if _rises(plainly[0]) != _rises(grouped[0]):
        return chosen if _rises(plainly[0]) else others[0]
    if delimiter == mark or _beside_hundreds(plainly, grouped):
        said = f"'1{mark}234' is taken for 1234; --decimal {mark} reads it as 1.234"
        return replace(others[0], warnings=(said,))
    if mark == ".":
        return chosen
    return replace(chosen, warnings=("'1,234' is taken for a decimal comma; --thousands , reads it as 1234",))


def _with_groups(sample: bytes, dialect: Dialect, options: ReadOptions) -> Dialect:
    """Add the other mark as one of thousands, which may come only further down, where the decimal mark is certain."""
    other = {".": ",", ",": "."}.get(dialect.decimal, "")
    certain = dialect.decimal.encode() in sample and options.thousands is None and not dialect.thousands
    return replace(dialect, thousands=other) if certain and other != dialect.delimiter else dialect


def _three_digits(sample: bytes, mark: str) -> bool:
    """Whether every decimal mark could as well be one of thousands."""
    pattern = re.escape(mark.encode())
    return not re.search(pattern + rb"(?!\d{3}(?!\d))|(?<!\d)0" + pattern, sample)


def _columns(sample: bytes, found: Found) -> Array:
    """Return the columns of the rows, shape (columns, rows)."""
    cells = found.dialect.cells(sample)
    counts = cells.counts
    first = (cells.last - counts + 1)[counts == found.columns]
    columns: Array = cells.values[first[:, None] + np.arange(found.columns)].T
    return columns


def _rises(times: Array) -> bool:
    """Whether the times rise throughout."""
    there = times[np.isfinite(times)]
    return bool((there[1:] > there[:-1]).all())


def _beside_hundreds(plainly: Array, grouped: Array) -> bool:
    """Whether a column has numbers with the mark and whole ones from 100 on without it, but none from 1000 on."""
    marked = grouped != plainly
    whole = (grouped == plainly) & (np.abs(plainly) >= 100)
    beside = (marked & np.isfinite(grouped)).any(axis=1) & whole.any(axis=1)
    return bool((beside & ~(whole & (np.abs(plainly) >= 1000)).any(axis=1)).any())
