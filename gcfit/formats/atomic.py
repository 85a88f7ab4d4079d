"""Files that are there whole or not at all: written beside their place, then moved onto it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from gcfit.errors import OutputError


@contextmanager
def atomic_write(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a binary file that takes the place of `path` when the block ends without an exception.

    A run that fails, is killed or finds the disk full leaves what was there before. The new file lies in the same
    folder under a name that begins with a dot and is removed after a failure; mode and target of a symbolic link are
    kept.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        with _beside(target, str(path)) as stream:
            yield stream
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


@contextmanager
def _beside(target: Path, asked: str) -> Iterator[IO[bytes]]:
    """Write next to the target and move the file onto it."""
    if target.is_dir():
        raise OutputError(f"{asked}: cannot be written: it is a folder")
    if target.exists() and not target.is_file():  # a pipe or a device is no file that could be replaced
        with target.open("wb") as stream:
            yield stream
        return
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.part")
    try:
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o7777)
        temporary.replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
