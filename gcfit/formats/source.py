"""The file itself: opening, unpacking with a bound, its first bytes, its bytes in blocks of whole lines."""

import bz2
import gzip
import io
import lzma
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gcfit.errors import InputError
from gcfit.formats.records import ReadOptions
from gcfit.formats.text import Encoding, find_encoding, is_binary

if TYPE_CHECKING:
    from typing_extensions import Buffer

HEAD = 1 << 15
BLOCK = 1 << 17
LONGEST_LINE = 1 << 20
WHOLE = 256 << 20  # what is read at once; delimited text is read in blocks and may be longer
_LEAST_UNPACKED = 32 << 20
_UNPACK_FACTOR = 8
_XZ_MEMORY = 128 << 20
_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError)


@dataclass(frozen=True)
class Head:
    """The first bytes of a file, as bytes and as text (empty for a binary file), by which readers know their own."""

    raw: bytes
    text: str
    name: str


@dataclass
class Source:
    """An open file; it is read once, from its beginning to its end.

    Parameters
    ----------
    name : str
        As the user gave it, `-` for standard input.
    options : ReadOptions
        Passed on to the reader.
    stream : binary stream
        Unpacked.
    path : Path or None
        None for standard input, which is left open.
    """

    name: str
    options: ReadOptions
    stream: IO[bytes]
    path: Path | None = None

    @cached_property
    def first(self) -> bytes:
        """The first bytes, at most `HEAD`."""
        parts, missing = [], HEAD
        while missing and (part := self._take(missing)):
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    @cached_property
    def encoding(self) -> Encoding:
        """How the bytes are to be read as text."""
        return find_encoding(self.first, self.options.encoding, self.name)

    @cached_property
    def head(self) -> Head:
        """What readers look at to recognise their files."""
        if self.options.encoding is None and is_binary(self.first):
            return Head(self.first, "", self.name)
        return Head(
            self.first, self.encoding.text(self.first, cut=len(self.first) >= HEAD, source=self.name), self.name
        )

    def content(self) -> bytes:
        """Return all bytes.

        Raises
        ------
        InputError
            If the file is longer than `WHOLE`.
        """
        parts, size = [self.first], len(self.first)
        while part := self._take(BLOCK):
            size += len(part)
            if size > WHOLE:
                raise self.error(f"longer than {WHOLE >> 20} MB, which is too long for this kind of file")
            parts.append(part)
        return b"".join(parts)

    def whole(self) -> bytes:
        """Return all lines at once, as `blocks` yields them.

        Raises
        ------
        InputError
            If they are longer than `WHOLE`.
        """
        parts, size = [], 0
        for block in self.blocks():
            size += len(block)
            if size > WHOLE:
                raise self.error(f"longer than {WHOLE >> 20} MB, which is too long for this kind of file")
            parts.append(block)
        return b"".join(parts)

    def blocks(self) -> Iterator[bytes]:
        """Yield the text in blocks of whole lines that end in a line feed, ASCII-compatible whatever the encoding.

        Raises
        ------
        InputError
            At a line of more than `LONGEST_LINE` bytes and at bytes that the encoding does not know.
        """
        decoder = self.encoding.recoder(self.name)
        rest, part = b"", self.first
        while part:
            following = self._take(BLOCK)
            text = rest + decoder(part, not following)
            if not following and not text.endswith((b"\n", b"\r")):
                text += b"\n"
            held = b"\r" if following and text.endswith(b"\r") else b""  # its line feed may follow
            text = _line_feeds(text[: len(text) - len(held)])
            cut = text.rfind(b"\n") + 1
            if cut:
                yield text[:cut]
            rest, part = text[cut:] + held, following
            if len(rest) > LONGEST_LINE:
                raise self.error(f"a line of more than {LONGEST_LINE >> 20} MB; this is no table of numbers")

    def close(self) -> None:
        """Close the file; standard input is left open."""
        if self.path is not None:
            self.stream.close()

    def error(self, found: str, *, place: str = "", remedy: str = "") -> InputError:
        """Return the error that names this file."""
        return InputError(self.name, found, place=place, remedy=remedy)

    def _take(self, size: int) -> bytes:
        """Read up to `size` bytes."""
        try:
            return self.stream.read(size)
        except OSError as error:
            raise self.error(f"cannot be read: {error.strerror or error}") from error


def open_source(name: str | Path, options: ReadOptions) -> Source:
    """Open a file, or standard input for `-`.

    Raises
    ------
    InputError
        If there is no such file, or it cannot be opened.
    """
    if str(name) == "-":
        return Source("-", options, sys.stdin.buffer)
    path = Path(name)
    try:
        stream = path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a name that holds a NUL
        reason = "is a folder" if path.is_dir() else getattr(error, "strerror", None) or str(error)
        raise InputError(str(name), f"cannot be opened: {reason}") from error
    return _unpacked(str(name), path, options, stream)


def _unpacked(name: str, path: Path, options: ReadOptions, stream: IO[bytes]) -> Source:
    """Unpack what is packed, all of it before anything is read; the first bytes decide, not the suffix."""
    if not stream.seekable():
        return Source(name, options, stream, path)
    magic = stream.read(6)
    stream.seek(0)
    open_packed = next((opener for start, opener in _PACKED.items() if magic.startswith(start)), None)
    if open_packed is None:
        return Source(name, options, stream, path)
    bound = max(_LEAST_UNPACKED, _UNPACK_FACTOR * os.fstat(stream.fileno()).st_size)
    with stream:
        return Source(name, options, io.BytesIO(_bounded(name, open_packed(stream), bound)), path)


def _bounded(name: str, stream: IO[bytes], bound: int) -> bytes:
    """Return all that a stream yields if it is within the bound."""
    parts, size = [], 0
    try:
        while part := stream.read(1 << 20):
            parts.append(part)
            size += len(part)
            if size > bound:
                found = f"unpacks to more than {bound >> 20} MB"
                raise InputError(name, found, remedy="if that is meant, unpack it first")
    except _BROKEN as error:
        raise InputError(name, f"cannot be unpacked: {error}") from error
    return b"".join(parts)


class _Xz(io.RawIOBase):
    """An unpacked xz file; unlike `lzma.LZMAFile` it refuses a header that asks for more memory than `xz -9` needs."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._unpacker = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)

    def readable(self) -> bool:
        """Say that this can be read."""
        return True

    def readinto(self, buffer: "Buffer") -> int:
        """Fill the buffer with what the next bytes unpack to; 0 at the end."""
        view = memoryview(buffer).cast("B")
        while True:
            if self._unpacker.eof:
                rest = (self._unpacker.unused_data or self._stream.read(BLOCK)).lstrip(b"\0")
                if not rest:
                    return 0
                self._unpacker = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
            else:
                rest = self._stream.read(BLOCK) if self._unpacker.needs_input else b""
                if not rest and self._unpacker.needs_input:
                    raise EOFError("the file ends before its data do")
            part = self._unpacker.decompress(rest, max_length=len(view))
            if part:
                view[: len(part)] = part
                return len(part)


_PACKED: dict[bytes, Callable[[IO[bytes]], IO[bytes]]] = {
    b"\x1f\x8b": lambda stream: io.BufferedReader(gzip.GzipFile(fileobj=stream)),
    b"BZh": lambda stream: io.BufferedReader(bz2.BZ2File(stream)),
    b"\xfd7zXZ\x00": lambda stream: io.BufferedReader(_Xz(stream)),
}


def _line_feeds(text: bytes) -> bytes:
    """Return the text with every kind of line end as a line feed."""
    if b"\r" not in text:
        return text
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
