"""The dialect of delimited text: what separates cells, what marks decimals and groups of thousands.

`plain` turns lines of any dialect into the one that `gcfit.formats.decimals` reads.
"""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gcfit.formats.decimals import Cells, scan

HIDDEN = b"\x1f"  # stands for a delimiter within quotes
_MINUS = "\u2212".encode()
NARROW = ("\u00a0".encode(), "\u202f".encode(), "\u2009".encode())


@dataclass(frozen=True)
class Dialect:
    """Separator of cells (a blank for runs of blanks and tabs), decimal mark, mark of thousands (empty for none)."""

    delimiter: str = ","
    decimal: str = "."
    thousands: str = ""

    @cached_property
    def _byte(self) -> bytes:
        return self.delimiter.encode()

    def cells(self, text: bytes) -> Cells:
        """Read whole lines of this dialect, which end in line feeds."""
        return scan(plain(text, self), self._byte)

    def split(self, line: str) -> list[str]:
        """Split one line of words into its cells, without quotes and blanks around them."""
        if self.delimiter == " ":
            return line.split()
        if '"' not in line:
            return [cell.strip() for cell in line.split(self.delimiter)]
        return [cell.strip() for cell in _quoted_cells(line, self.delimiter)]

    def __str__(self) -> str:
        names = {"\t": "tab", " ": "blanks", ",": "comma", ";": "semicolon", "|": "bar"}
        thousands = f", thousands '{self.thousands}'" if self.thousands else ""
        return f"delimiter {names.get(self.delimiter, repr(self.delimiter))}, decimal '{self.decimal}'{thousands}"


def _quoted_cells(line: str, delimiter: str) -> list[str]:
    """Split a line with quotes, in which two quotes stand for one; a quote that is not closed ends with the line."""
    cells = [""]
    parts = line.split('"')
    for number, part in enumerate(parts):
        if number % 2:
            cells[-1] += part
        elif not part and 0 < number < len(parts) - 1:
            cells[-1] += '"'
        else:
            first, *rest = part.split(delimiter)
            cells[-1] += first
            cells += rest
    return cells


def plain(text: bytes, dialect: Dialect) -> bytes:
    """Return the lines with a decimal point, without thousands, quotes and blanks around cells."""
    delimiter = dialect.delimiter.encode()
    if b'"' in text:
        text = unquoted(text, delimiter)
    if not text.isascii():
        text = text.replace(_MINUS, b"-")
        for blank in NARROW:
            text = text.replace(blank, b" ")
    text = _decimal_point(text, dialect)
    if dialect.delimiter == " ":
        return _single_blanks(text.replace(b"\t", b" "))
    if b" " in text or (delimiter != b"\t" and b"\t" in text):
        text = _stripped_cells(text, delimiter)
    return text


def _decimal_point(text: bytes, dialect: Dialect) -> bytes:
    """Put the decimal point and take the thousands out, also where a quoted cell holds the delimiter itself."""
    if dialect.decimal == dialect.delimiter:
        text = text.replace(HIDDEN, b".")
    elif dialect.thousands == dialect.delimiter and HIDDEN in text:
        text = _ungrouped(text, HIDDEN, dialect.delimiter)
    if dialect.thousands and dialect.thousands != dialect.delimiter and dialect.thousands.encode() in text:
        text = _ungrouped(text, dialect.thousands.encode(), dialect.delimiter)
    if dialect.decimal not in (".", dialect.delimiter):
        text = _exchanged(text)
    return text


def _exchanged(text: bytes) -> bytes:
    """Put points for commas and commas for points; seven times as fast as `bytes.translate`."""
    raw = np.frombuffer(text, dtype=np.uint8)
    step = (raw == 0x2C).view(np.int8)
    step -= (raw == 0x2E).view(np.int8)
    step += step  # the codes of the two lie two apart
    return bytes(step.view(np.uint8) + raw)


def _ungrouped(text: bytes, mark: bytes, delimiter: str) -> bytes:
    """Take out the marks of thousands, only where they stand between groups of three digits, the first without a 0."""
    before = rb"\d." if delimiter == "," else rb"\d.,"
    group = re.compile(
        rb"(?<!["
        + before
        + rb"])([+-]?[1-9]\d{0,2}(?:"
        + re.escape(mark)
        + rb"\d{3})+)(?!\d)(?!"
        + re.escape(mark)
        + rb")"
    )
    single: bytes = group.sub(lambda match: match[0].replace(mark, b""), text)
    return single


def unquoted(text: bytes, delimiter: bytes) -> bytes:
    """Take the quotes out; a delimiter within quotes becomes `HIDDEN`. A quote opens and closes within its line."""
    raw = np.frombuffer(text, dtype=np.uint8)
    quotes = np.cumsum(raw == 0x22)
    starts = np.concatenate(([0], np.flatnonzero(raw == 0x0A)[:-1] + 1))
    lengths = np.diff(starts, append=raw.size)
    before = np.where(starts > 0, quotes[starts - 1], 0)
    inside = (quotes - np.repeat(before, lengths)) % 2 == 1
    changed = np.where(inside & (raw == delimiter[0]), np.uint8(HIDDEN[0]), raw)
    return bytes(changed[raw != 0x22])


def _single_blanks(text: bytes) -> bytes:
    """Make every run of blanks one blank and take those at the ends of lines away."""
    while b"  " in text:
        text = text.replace(b"        ", b" ").replace(b"  ", b" ")
    return text.replace(b" \n", b"\n").replace(b"\n ", b"\n").removeprefix(b" ")


def _stripped_cells(text: bytes, delimiter: bytes) -> bytes:
    """Take away the blanks beside delimiters and line ends; those within a cell stay, so that it is no number."""
    if delimiter != b"\t":
        text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"        ", b" ").replace(b"  ", b" ")
    for edge in (delimiter, b"\n"):
        text = text.replace(b" " + edge, edge).replace(edge + b" ", edge)
    return text.removeprefix(b" ")
