"""What a file is by its content: looked at before it is read, standard input too, which its reader then finds whole."""

import io
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LONGEST = 1 << 20  # bytes; no system file is longer


class _Joined(io.RawIOBase):
    """Bytes that were read from a text stream, and then the rest of its bytes."""

    def __init__(self, head: bytes, rest: TextIO) -> None:
        self._kept = rest  # it would close its bytes when nobody holds it
        self._streams: list[IO[bytes]] = [rest.buffer, io.BytesIO(head)]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer).cast("B")
        part = self._streams[-1].read(len(room))
        if not part and len(self._streams) > 1:
            self._streams.pop()
            part = self._streams[-1].read(len(room))
        room[: len(part)] = part
        return len(part)


def head_of(path: str) -> bytes:
    """Return the first bytes of a file, at most one more than `LONGEST`; of standard input for `-`, which keeps them.

    What is no regular file, or cannot be opened, has none: its reader must find it untouched, or says what is wrong.
    """
    if path == "-":
        head = sys.stdin.buffer.read(LONGEST + 1)
        sys.stdin = io.TextIOWrapper(io.BufferedReader(_Joined(head, sys.stdin)), encoding="utf-8")
        return head
    try:
        if not Path(path).is_file():
            return b""
        with Path(path).open("rb") as file:
            return file.read(LONGEST + 1)
    except (OSError, ValueError):  # ValueError: a name that holds a NUL
        return b""


def is_system(path: str) -> bool:
    """Whether a file is a system file: by its suffix, or as TOML with one of the tables of a system file."""
    if path != "-" and Path(path).suffix.lower() == ".toml":
        return True
    import tomllib

    from gcfit.column.system import SECTIONS

    head = head_of(path)
    if len(head) > LONGEST:
        return False
    try:
        document = tomllib.loads(head.decode("utf-8-sig"))
    except (ValueError, RecursionError):  # no TOML, nor a text in UTF-8
        return False
    return any(isinstance(document.get(name), dict | list) for name in SECTIONS)


def kind_of(path: str) -> str:
    """Whether a file is a "system" file, a peak "table" or the folder of a batch, or else a "chromatogram"."""
    from gcfit.cli.peak_table import is_peak_table

    if is_system(path):
        return "system"
    return "table" if is_peak_table(path) else "chromatogram"
