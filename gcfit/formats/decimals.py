"""Decimal numbers in text to float64, all at once: a table of cells is scanned in a few vectorised passes.

A text of `n` cells costs some fifty operations on arrays of length `n`; every number is rounded correctly, that is, it
equals `float(cell)` bit for bit. Eight digits are read as one 64-bit word: after removing the character code of zero,
pairs, fours and eights of digits are joined by multiplication within the word. The digits of a number form an integer
`m`, so the number is `m / 10**k`, which `gcfit.formats.quotients` rounds; what is in doubt there, or has more digits
than a word holds, is given to `float`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.formats.quotients import TOP, Flags, Index, Words, scaled

_CELLS = 10_000  # of a block, whose arrays then fit into a cache of 1 MB; ten times as many take twice as long a cell
_LEAST = 1 << 13  # bytes of a text that tell how long its cells are
_MOST_HEADINGS = 64  # lines
_WORD = np.uint64
_ROOM = 16  # positions before the text that a window may end at, for numbers of up to 24 digits
_ZEROS = _WORD(0x3030303030303030)
_KEEP = np.array([(2**64 - 1) ^ (2 ** (64 - 8 * n) - 1) for n in range(9)], dtype=np.uint64)  # the last n characters
_JOINS = (  # factor, shift and mask that join pairs, fours and eights of digits
    (_WORD(10 * 2**8 + 1), _WORD(8), _WORD(0x00FF00FF00FF00FF)),
    (_WORD(100 * 2**16 + 1), _WORD(16), _WORD(0x0000FFFF0000FFFF)),
    (_WORD(10000 * 2**32 + 1), _WORD(32), _WORD(2**32 - 1)),
)
_POWERS = np.array([10**k for k in range(20)], dtype=np.uint64)
_HUGE = _WORD(2**64 - 1)
_NUMBER = re.compile(rb"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")


def _keys(*names: bytes) -> Words:
    """Return short lower-case words as `_windows` shows them, characters before them cleared."""
    return np.array([int.from_bytes(name.rjust(8, b"\0"), "little") for name in names], dtype=np.uint64)


_LOWER = _WORD(0x2020202020202020)
_MISSING = _keys(*b"nan -nan n.a. n,a, n/a #n/a na null none nil missing - -- ---".split(), b"")
_PLUS_INFINITY = _keys(b"inf", b"+inf", b"infinity")
_MINUS_INFINITY = _keys(b"-inf")


@dataclass(frozen=True, eq=False)
class Cells:
    """All cells of a text, row after row.

    `values`, shape (n,), is NaN in cells that are empty or say that a value is missing, and in wrong ones; `wrong`,
    shape (n,), marks cells that hold something else; `end`, shape (n,), is where they end in the text; `last`, shape
    (rows,), is the index of the last cell of each line.
    """

    values: Array
    wrong: Flags
    end: Index
    last: Index

    @property
    def counts(self) -> Index:
        """Number of cells of each line, shape (rows,)."""
        return np.diff(self.last, prepend=-1)


@dataclass(frozen=True, eq=False)
class _Parts:
    """Where the parts of each cell lie, as positions in the text.

    The integer digits reach from `start` to `point`, those of the fraction from behind it to `end`; `wrong` is None
    where every character has its place.
    """

    cell_start: Index
    cell_end: Index
    start: Index
    point: Index
    end: Index
    negative: Flags
    wrong: Flags | None


def scan(text: bytes, delimiter: bytes) -> Cells:
    """Read every cell of a text.

    Parameters
    ----------
    text : bytes
        Lines that end in a line feed, the last one too; decimal point, no blanks or quotes within numbers.
    delimiter : bytes
        The one byte that separates cells.
    """
    if not text:
        return Cells(np.empty(0), np.empty(0, dtype=bool), *(np.empty(0, dtype=np.int64) for _ in range(2)))
    parts = list(_blocks(text, delimiter))
    if len(parts) == 1:
        return _scan(text, delimiter)
    return _joined([_scan(part, delimiter) for part in parts], [len(part) for part in parts])


def _blocks(text: bytes, delimiter: bytes) -> Iterator[bytes]:
    """Cut a text at line ends into its heading, if it has one, and blocks of some `_CELLS` cells."""
    start = _heading(text)
    if start:
        yield text[:start]
    sample = text[start : start + _LEAST]
    size = _CELLS * len(sample) // (sample.count(delimiter) + sample.count(b"\n") + 1)
    while start < len(text):
        end = text.rfind(b"\n", start, start + size) + 1 or text.index(b"\n", start) + 1
        yield text[start : end if len(text) - end > size // 2 else len(text)]
        start = end if len(text) - end > size // 2 else len(text)


def _heading(text: bytes) -> int:
    """Return where the lines with letters at the begin of a text end: words cost, and numbers do not have to wait."""
    end = 0
    for _ in range(_MOST_HEADINGS):
        line = text[end : text.find(b"\n", end) + 1]
        if line.lower() == line.upper():
            break
        end += len(line)
    return end


def _joined(parts: list[Cells], lengths: list[int]) -> Cells:
    """Put the cells of consecutive blocks of these lengths together."""
    values, wrong = ([getattr(part, name) for part in parts] for name in ("values", "wrong"))
    end = [part.end + offset for part, offset in zip(parts, np.cumsum([0, *lengths[:-1]]), strict=True)]
    sizes = [0, *(part.values.size for part in parts[:-1])]
    last = [part.last + offset for part, offset in zip(parts, np.cumsum(sizes), strict=True)]
    return Cells(*(np.concatenate(each) for each in (values, wrong, end, last)))


def _scan(text: bytes, delimiter: bytes) -> Cells:
    """Read every cell of one block."""
    raw = np.frombuffer(text, dtype=np.uint8)
    newline = raw == 0x0A
    cell_end = np.flatnonzero(newline | (raw == delimiter[0]))
    parts = _locate(text, raw, cell_end)
    values, wrong = _evaluate(text, parts)
    return Cells(values, wrong, cell_end, np.flatnonzero(newline[cell_end]))


def _locate(text: bytes, raw: NDArray[np.uint8], cell_end: Index) -> _Parts:
    """Find sign, point and exponent of each cell."""
    cell_start = np.empty_like(cell_end)
    cell_start[0], cell_start[1:] = 0, cell_end[:-1] + 1
    first = raw[cell_start]
    negative = first == 0x2D
    signed = negative | (first == 0x2B)
    start = cell_start + signed
    wrong = np.zeros(cell_end.size, dtype=bool)
    points = np.flatnonzero(raw == 0x2E)
    point = _place(start, cell_end, points, wrong)
    end = cell_end
    if b"e" in text or b"E" in text:
        end = _place(start, cell_end, np.flatnonzero((raw | 0x20) == 0x65), wrong)
        wrong |= (point > end) & (point < cell_end)
        point = np.minimum(point, end)
    digits = int(np.count_nonzero((raw - 0x30) < 10))
    known = end is cell_end and digits + cell_end.size + points.size + int(np.count_nonzero(signed)) == raw.size
    return _Parts(cell_start, cell_end, start, point, end, negative, None if known and not wrong.any() else wrong)


def _place(start: Index, cell_end: Index, marks: Index, wrong: Flags) -> Index:
    """Return the position of the mark in each cell, the cell's end where there is none; a second one makes it wrong."""
    if marks.size == cell_end.size and (marks >= start).all() and (marks < cell_end).all():
        return marks
    owner = np.searchsorted(cell_end, marks)
    place = cell_end.copy()
    place[owner] = marks
    wrong[owner[1:][owner[1:] == owner[:-1]]] = True
    return place


def _windows(text: bytes) -> Words:
    """Return the eight bytes before each position as a word, from position -16 on, shape (len(text) + 17,)."""
    padded = b"0" * (_ROOM + 8) + text
    words: Words = np.ndarray((len(text) + _ROOM + 1,), dtype="<u8", buffer=padded, strides=(1,))
    return words


def _eight(words: Words, end: Index, digits: Index, wrong: Flags | None) -> Words:
    """Read the last `digits` (at most eight) characters before `end` as an integer; mark what is no digit as wrong."""
    word = words[end]
    word ^= _ZEROS
    word &= _KEEP.take(digits, mode="clip")  # the characters before the number lie in the low bytes
    if wrong is not None:
        wrong |= ((word + _WORD(0x7676767676767676)) | word) & _WORD(0x8080808080808080) != 0
    for factor, shift, mask in _JOINS:
        word *= factor
        word >>= shift
        word &= mask
    return word


def _integer(words: Words, end: Index, digits: Index, wrong: Flags | None) -> Words:
    """Read the last 24 digits before `end` at most, eight by eight; what is too long for a word is `_HUGE`."""
    value = _eight(words, end, digits, wrong)
    most = min(int(digits.max(initial=0)), 24)
    for done in range(8, most, 8):
        longer = digits > done
        if 2 * np.count_nonzero(longer) > digits.size and done == 8:
            more = _eight(words, end - done, digits - done, wrong)
            value += more * _POWERS[done]
            continue
        rows = np.flatnonzero(longer)
        bad = None if wrong is None else np.zeros(rows.size, dtype=bool)
        more = _eight(words, end[rows] - done, digits[rows] - done, bad)
        value[rows] += more * _POWERS[done]
        if done == 16:
            value[rows[more > 1843]] = _HUGE
        if wrong is not None and bad is not None:
            wrong[rows] |= bad
    return value


def _exponents(text: bytes, words: Words, parts: _Parts, wrong: Flags) -> Index:
    """Read the decimal exponents, shape (n,), 0 where there is none."""
    exponent = np.zeros(parts.end.size, dtype=np.int64)
    rows = np.flatnonzero(parts.end < parts.cell_end)
    raw = np.frombuffer(text, dtype=np.uint8)
    sign = raw[parts.end[rows] + 1]
    start = parts.end[rows] + 1 + ((sign == 0x2D) | (sign == 0x2B))
    digits = parts.cell_end[rows] - start
    bad = (digits < 1) | (digits > 8)
    value = _eight(words, parts.cell_end[rows] + _ROOM, digits, bad)
    wrong[rows[bad]] = True
    exponent[rows] = np.where(sign == 0x2D, -1, 1) * value.astype(np.int64)
    return exponent


def _evaluate(text: bytes, parts: _Parts) -> tuple[Array, Flags]:
    """Return the values and the flags of the cells that are no numbers, both of shape (n,)."""
    words, wrong = _windows(text), parts.wrong
    whole_digits = parts.point - parts.start
    fraction_digits = parts.end - parts.point
    fraction_digits -= parts.point < parts.end
    whole = _integer(words, parts.point + _ROOM, whole_digits, wrong)
    fraction = _integer(words, parts.end + _ROOM, fraction_digits, wrong)
    digits = whole_digits + fraction_digits
    none = digits < 1
    wrong = none if wrong is None else wrong | none
    scale = fraction_digits
    if parts.end is not parts.cell_end:
        scale = scale - _exponents(text, words, parts, wrong)
    values, doubtful = scaled(whole * _POWERS.take(fraction_digits, mode="clip") + fraction, scale)
    if int(digits.max()) > 16:
        doubtful |= (whole_digits > 16) | (fraction_digits > 24) | (fraction >= TOP) | ((digits > 19) & (whole != 0))
    if parts.negative.any():
        np.negative(values, out=values, where=parts.negative)
    _by_float(text, parts, values, wrong, np.flatnonzero(doubtful))
    if wrong.any():
        values[wrong] = np.nan
        _read_words(words, parts, values, wrong)
    return values, wrong


def _read_words(words: Words, parts: _Parts, values: Array, wrong: Flags) -> None:
    """Find the cells that are empty, missing or infinite among the wrong ones; fills `values` and `wrong`."""
    rows = np.flatnonzero(wrong)
    length = parts.cell_end[rows] - parts.cell_start[rows]
    word = (words[parts.cell_end[rows] + _ROOM] | _LOWER) & _KEEP.take(length, mode="clip")
    short = length <= 8
    wrong[rows[short & _among(word, _MISSING)]] = False
    for infinity, sign in ((_PLUS_INFINITY, 1.0), (_MINUS_INFINITY, -1.0)):
        found = rows[short & _among(word, infinity)]
        values[found], wrong[found] = sign * np.inf, False


def _among(words: Words, known: Words) -> Flags:
    """Whether each word is one of a few, shape (n,)."""
    among = np.zeros(words.size, dtype=bool)
    for each in known:
        among |= words == each
    return among


def _by_float(text: bytes, parts: _Parts, values: Array, wrong: Flags, rows: Index) -> None:
    """Give the cells of these rows to `float`; fills `values` and `wrong`."""
    if rows.size:
        spans = zip(parts.cell_start[rows].tolist(), parts.cell_end[rows].tolist(), strict=True)
        cells = [text[start:end] for start, end in spans]
        numbers = [float(cell) if _NUMBER.fullmatch(cell) else None for cell in cells]
        wrong[rows] = [number is None for number in numbers]
        values[rows] = [np.nan if number is None else number for number in numbers]
