"""One job from end to end, in whatever process: look at the file, hash it, run the task, look again.

A file that changes meanwhile, or was written to lately and ends in a cut line, is still being written: it is left for
the next run.
"""

import hashlib
import os
import re
import stat
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gcfit.batch.records import FileResult, Job, Outcome, Task
from gcfit.errors import GcfitError, InputError, one_line

SETTLED_S = 0.5  # a file written to more recently is looked at once more when it has this age
PAUSE_S = 600.0  # a writer that has not written for this long has left the file, be its last line cut or not
TAIL_BYTES = 4096
NUMERIC_LINE = re.compile(rb"[-+0-9.,;\teE ]*[0-9][-+0-9.,;\teE ]*")


@dataclass(frozen=True)
class Examined:
    """The work of every map: a task and its settings, applied to one job."""

    task: Task
    settings: Any
    lenient: bool = False  # what cannot be read is skipped: it may be no chromatogram at all

    def __call__(self, job: Job) -> Outcome:
        """Return how the job ended; nothing that one file can do raises."""
        started = time.perf_counter()
        outcome = _examined(job, self.task, self.settings)
        if self.lenient and outcome.unreadable:
            outcome = replace(outcome, state="skipped")
        return replace(outcome, seconds=time.perf_counter() - started)


def _examined(job: Job, task: Task, settings: Any) -> Outcome:
    try:
        look_into(job.path)
        before = settled(job.path)
        sha256, size = digest(job.path)
        if abs(_age(before)) < PAUSE_S and cut_line(job.path):
            return _incomplete(job, "the last line is cut")
        outcome = _tried(job, task, settings, sha256, size)
        if snapshot(job.path) != before:
            return _incomplete(job, "the file changed while it was read")
    except OSError as error:
        return Outcome(job, "failed", message=f"{job.name}: {error.strerror or error}", again=True, withheld=True)
    except InputError as error:
        return Outcome(job, "failed", message=named(str(error), job), again=True, withheld=True)
    return outcome


def _incomplete(job: Job, why: str) -> Outcome:
    return Outcome(job, "incomplete", message=f"{job.name}: {why}: it is still being written", withheld=True)


def _tried(job: Job, task: Task, settings: Any, sha256: str, size: int) -> Outcome:
    """Run the task; whatever it raises costs this file only."""
    try:
        result = task(job.path, settings)
    except GcfitError as error:
        unreadable = isinstance(error, InputError)
        return Outcome(job, "failed", message=named(str(error), job), sha256=sha256, size=size, unreadable=unreadable)
    except MemoryError:
        message = f"{job.name}: not enough memory"
        return Outcome(job, "failed", message=message, sha256=sha256, size=size, again=True, out_of_memory=True)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001  a fault of the program on one file must not cost the other files
        return Outcome(job, "failed", message=named(fault(error), job), sha256=sha256, size=size)
    if not result.files:
        return Outcome(job, "failed", message=f"{job.name}: no trace in the file", sha256=sha256, size=size)
    return Outcome(job, "done", renamed(result, job), sha256=sha256, size=size)


def fault(error: Exception) -> str:
    """One line on an exception that is no `GcfitError`: its kind, its text and where it arose."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())
    return f"unexpected {type(error).__name__} in {place.name}, {Path(place.filename).name}:{place.lineno}: {text}"


def renamed(result: FileResult, job: Job) -> FileResult:
    """The rows speak of the file by the name that the user gave, on whichever machine it was read."""
    files = tuple({**row, "file": job.name, "message": named(str(row["message"] or ""), job)} for row in result.files)
    peaks = tuple({**row, "file": job.name} for row in result.peaks)
    return FileResult(files, peaks, result.pictures, result.curves)


def named(text: str, job: Job) -> str:
    """Replace the absolute path in a message, with its control characters escaped or not, by the user's name."""
    return text.replace(job.path, job.name).replace(one_line(job.path), one_line(job.name))


# --- what a file is ----------------------------------------------------------------------------------------------


def look_into(path: str) -> None:
    """Do nothing where there is something to read.

    Raises
    ------
    OSError
        If it cannot be examined.
    InputError
        If it is a folder in which only hidden files are, or none.
    """
    place = Path(path)
    if not place.is_dir():
        return
    next(place.iterdir(), None)  # `rglob` passes over what may not be read
    if all(any(part.startswith(".") for part in file.relative_to(place).parts) for file in members(place)):
        raise InputError(path, "is a folder without files", remedy="give a folder that holds chromatograms")


def digest(path: str) -> tuple[str, int]:
    """Return the SHA-256 of a file's bytes and their number; of a folder's names and bytes for a vendor folder.

    Raises
    ------
    OSError
        If it cannot be read.
    InputError
        If it is neither a file nor a folder (a pipe can be read only once).
    """
    mode = Path(path).stat().st_mode
    if stat.S_ISDIR(mode):
        return _folder_digest(Path(path))
    if not stat.S_ISREG(mode):
        raise InputError(path, "neither a file nor a folder", remedy="save it to a file first")
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size


def _folder_digest(folder: Path) -> tuple[str, int]:
    total, size = hashlib.sha256(), 0
    for member in members(folder):
        sha256, bytes_ = digest(str(member))
        total.update(os.fsencode(member.relative_to(folder)) + b"\0" + sha256.encode() + b"\0")
        size += bytes_
    return total.hexdigest(), size


def members(folder: Path) -> Iterator[Path]:
    """Files of a vendor folder in a fixed order."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def snapshot(path: str) -> tuple[tuple[int, int], ...]:
    """Size [bytes] and modification time [ns] of a file, or of everything in a vendor folder."""
    place = Path(path)
    seen = [place, *members(place)] if place.is_dir() else [place]
    return tuple((state.st_size, state.st_mtime_ns) for state in (item.stat() for item in seen))


def settled(path: str) -> tuple[tuple[int, int], ...]:
    """Return the snapshot; of a file written to just now, the snapshot as it was before waiting for `SETTLED_S`."""
    first = snapshot(path)
    age = _age(first)
    # a clock that was set back makes the age negative: then there is nothing to wait for
    if 0 <= age < SETTLED_S:
        time.sleep(SETTLED_S - age)
    return first


def _age(seen: tuple[tuple[int, int], ...]) -> float:
    """Time since the last modification [s]."""
    return time.time() - max(mtime for _, mtime in seen) / 1e9


def cut_line(path: str) -> bool:
    """Whether the last line of a table of numbers has no end and fewer numbers than the two lines before it."""
    if Path(path).is_dir():
        return False
    with Path(path).open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
        # UTF-16 text of numbers is the same text with zero bytes in between
        lines = file.read().replace(b"\0", b"").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    last = lines[-3:]
    # the first line of the tail may itself be cut, by where the tail begins
    if len(lines) < 4 or not all(NUMERIC_LINE.fullmatch(line) for line in last):
        return False
    separator = next((mark for mark in (b";", b"\t", b" ", b",") if mark in last[1].strip()), None)
    before, full, final = (_numbers(line, separator) for line in last)
    return before == full > final


def _numbers(line: bytes, separator: bytes | None) -> int:
    """Number of fields that hold a digit."""
    return sum(any(byte in b"0123456789" for byte in part) for part in line.split(separator))
