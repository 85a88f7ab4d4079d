"""Stand-in tasks: what a file says is what happens, so that a batch can be tested without a fit.

A file holds one word and its arguments; the rows depend on the file's bytes alone.
"""

import ctypes
import hashlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gcfit.batch import FileResult, Picture
from gcfit.errors import FitError, InputError
from gcfit.results import FILE_COLUMNS, PEAK_COLUMNS


@dataclass(frozen=True)
class Settings:
    """`seconds` is the work that every file costs."""

    seconds: float = 0.0
    label: str = "a"
    picture: str = ""


def fit(path: str, settings: Settings) -> FileResult:
    """Do what the file says."""
    time.sleep(settings.seconds)
    content = Path(path).read_bytes()
    word, *arguments = content.decode("utf-8", "replace").split() or ["empty"]
    act = ACTS.get(word)
    if act is None:
        raise InputError(path, f"{word[:20]!r} is no number", place="line 1", remedy="give a table of numbers")
    return act(path, content, settings, *arguments)


def folder(path: str, settings: Settings) -> FileResult:
    """Fit a vendor folder: whatever its members hold."""
    return ok(path, b"".join(member.read_bytes() for member in sorted(Path(path).iterdir())), settings)


def ok(path: str, content: bytes, settings: Settings, traces: str = "1", peaks: str = "3", *_: str) -> FileResult:
    names = [""] if traces == "1" else [f"D{index}" for index in range(int(traces))]
    files = tuple(file_row(path, trace, content, int(peaks)) for trace in names)
    rows = tuple(peak_row(path, trace, content, number) for trace in names for number in range(1, int(peaks) + 1))
    pictures = tuple(Picture(trace, settings.picture, content + trace.encode()) for trace in names)
    return FileResult(files, rows, pictures if settings.picture else ())


def file_row(path: str, trace: str, content: bytes, peaks: int) -> Mapping[str, object]:
    known = {"file": path, "trace": trace, "status": "ok", "points": len(content), "peaks": peaks, "message": ""}
    numbers = {"noise": number_of(content, trace), "seconds": time.process_time()}
    return dict.fromkeys(FILE_COLUMNS) | known | numbers


def peak_row(path: str, trace: str, content: bytes, number: int) -> Mapping[str, object]:
    known = {"file": path, "trace": trace, "peak": number, "name": "", "model": "laplace", "status": "ok"}
    area = number_of(content, f"{trace}{number}")
    return dict.fromkeys(PEAK_COLUMNS) | known | {"area": area, "message": ""}


def number_of(content: bytes, mark: str) -> float:
    """A float with all its 53 bits in use, from the content and a mark."""
    return int.from_bytes(hashlib.sha256(content + mark.encode()).digest()[:8], "big") / 7.0


def slow(path: str, content: bytes, settings: Settings, seconds: str, *_: str) -> FileResult:
    time.sleep(float(seconds))
    return ok(path, content, settings)


def segfault(*_: object) -> FileResult:
    ctypes.string_at(0)
    raise AssertionError("unreachable")


def late(*_: object) -> FileResult:
    time.sleep(0.5)
    return segfault()


def killed(*_: object) -> FileResult:
    """As the kernel does when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def leave(*_: object) -> FileResult:
    os._exit(3)


def once(path: str, content: bytes, settings: Settings, *_: str) -> FileResult:
    """Die the first time, work the second time."""
    mark = Path(path + ".tried")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return ok(path, content, settings)


def pressed(path: str, content: bytes, settings: Settings, *_: str) -> FileResult:
    """Find no memory the first time."""
    mark = Path(path + ".tried")
    if not mark.exists():
        mark.touch()
        raise MemoryError
    return ok(path, content, settings)


HOARD: list[bytes] = []


def hoard(*_: object) -> FileResult:
    """Run out of memory and keep what was had."""
    HOARD.extend(bytes(1 << 29) for _ in range(2))
    raise MemoryError


def large(path: str, content: bytes, settings: Settings, *_: str) -> FileResult:
    """Need 1 GB for a moment."""
    return ok(path, content, settings) if len(bytes(1 << 30)) else FileResult(())


def memory(*_: object) -> FileResult:
    held = [bytes(1 << 29) for _ in range(16)]  # address space only: zeroed memory is not touched
    raise AssertionError(f"{len(held)} blocks of 512 MB were given")


def bad(path: str, _content: bytes, _settings: Settings, *words: str) -> FileResult:
    raise InputError(path, " ".join(words), place="line 2", remedy="repair it")


def unfit(path: str, *_: object) -> FileResult:
    raise FitError(f"{path}: no fit converged")


def bug(*_: object) -> FileResult:
    return FileResult(({"nothing": 1 // 0},))


def growing(path: str, content: bytes, settings: Settings, *_: str) -> FileResult:
    with Path(path).open("ab") as file:
        file.write(b" more")
    return ok(path, content, settings)


def partly(path: str, content: bytes, _: Settings, *__: str) -> FileResult:
    """Two traces, one of which cannot be fitted."""
    good, wrong = file_row(path, "FID", content, 1), file_row(path, "TCD", content, 0)
    reason = {"status": "failed", "message": f"{path} [TCD]: flat"}
    return FileResult((good, {**wrong, **reason}), (peak_row(path, "FID", content, 1),))


def threads(path: str, content: bytes, settings: Settings, *_: str) -> FileResult:
    """Report the environment of the worker instead of a fit."""
    row = dict(file_row(path, "", content, 0)) | {"message": os.environ.get("OPENBLAS_NUM_THREADS", "unset")}
    print("noise on standard output")
    return FileResult((row,))


ACTS: dict[str, Callable[..., FileResult]] = {
    "ok": ok,
    "slow": slow,
    "segfault": segfault,
    "late": late,
    "killed": killed,
    "quit": leave,
    "once": once,
    "pressed": pressed,
    "hoard": hoard,
    "large": large,
    "memory": memory,
    "bad": bad,
    "unfit": unfit,
    "bug": bug,
    "growing": growing,
    "partly": partly,
    "threads": threads,
}
