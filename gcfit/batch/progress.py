"""What a run says while it works: a line on a terminal, JSON lines in a log file."""

import errno
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import RawIOBase
from pathlib import Path
from typing import TextIO

from gcfit.errors import OutputError

REDRAW_S = 0.1


class Line:
    """One line on a terminal, drawn over itself; nothing where the stream is no terminal."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream if stream is not None and stream.isatty() else None
        self._drawn, self._width = 0.0, 0

    @property
    def seen(self) -> bool:
        """Whether there is a terminal."""
        return self._stream is not None

    def draw(self, text: str) -> None:
        """Draw the line unless it was drawn a moment ago."""
        now = time.monotonic()
        if now - self._drawn >= REDRAW_S:
            self._drawn = now
            self._put("\r" + text.ljust(self._width))
            self._width = len(text)

    def clear(self) -> None:
        """Leave an empty line."""
        if self._width:
            self._put("\r" + " " * self._width + "\r")
            self._width = 0

    def _put(self, text: str) -> None:
        if self._stream is not None:
            self._stream.write(text)
            self._stream.flush()


class Progress:
    """How far a run has come, on a line of a terminal."""

    def __init__(self, stream: TextIO | None, total: int) -> None:
        self._line, self._total, self._started = Line(stream), total, time.monotonic()

    def show(self, done: int, worked: int, failed: int) -> None:
        """Draw the line.

        Parameters
        ----------
        done, worked, failed : int
            Files that need no more work; those of them that this run worked on; those that failed.
        """
        if self._line.seen:
            self._line.draw(progress_text(done, self._total, worked, failed, time.monotonic() - self._started))

    def clear(self) -> None:
        """Leave an empty line."""
        self._line.clear()


def progress_text(done: int, total: int, worked: int, failed: int, seconds: float) -> str:
    """Return files done, rate and time left, as far as they can be known, and failures."""
    text = f"{done}/{total} files"
    if worked and seconds > 0:
        rate = worked / seconds
        minutes, rest = divmod(round((total - done) / rate), 60)
        text += f", {rate:.3g} a second, {minutes}:{rest:02d} left"
    return f"{text}, {failed} failed" if failed else text


class Log:
    """Appends one JSON object a line; `None` as the path is no log."""

    def __init__(self, path: Path | None, file: RawIOBase | None) -> None:
        self._path, self._file = path, file

    def write(self, event: str, **values: object) -> None:
        """Write an event with its time (UTC) and values."""
        if self._file is None:
            return
        entry = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **values}
        line = json.dumps(entry).encode() + b"\n"
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise _log_error(self._path, error) from error


@contextmanager
def logging_to(path: Path | None) -> Iterator[Log]:
    """Open a log for appending.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    if path is None:
        yield Log(None, None)
        return
    try:
        file = path.open("ab", buffering=0)  # a line is in the file at once, and complete
        if _is_cut(path):
            file.write(b"\n")
    except OSError as error:
        raise _log_error(path, error) from error
    try:
        yield Log(path, file)
    finally:
        file.close()


def _is_cut(path: Path) -> bool:
    """Whether the last line has no end: the disk was full when it was written."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


def _log_error(path: Path | None, error: OSError) -> OutputError:
    return OutputError(f"{path}: the log cannot be written: {error.strerror or error}")
