"""Which files there are to fit, what they are fitted with, and whether that was done before."""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcfit import __version__
from gcfit.batch.look import digest
from gcfit.batch.records import Job, Task
from gcfit.errors import InputError

if TYPE_CHECKING:
    from gcfit.batch.store import Known

STORE = tuple("results.sqlite" + suffix for suffix in ("", "-wal", "-shm", "-journal"))
OWN = frozenset({"peaks.csv", "files.csv", "report.html", "figures", ".lock", *STORE})


def work_list(files: Iterable[str | os.PathLike[str]], output: Path) -> list[Job]:
    """Return one job a file: each file once, in the given order, without what is the batch's own in its folder."""
    own = os.path.realpath(output)
    jobs: dict[str, Job] = {}
    for file in files:
        path = absolute(file)
        if not is_own(path, own):
            jobs.setdefault(path, Job(path, os.fspath(file)))
    return list(jobs.values())


def is_own(path: str, output: str) -> bool:
    """Whether the batch itself keeps a file or folder in its output folder; both paths are without links."""
    place = Path(path)
    return place.is_relative_to(output) and not OWN.isdisjoint(place.relative_to(output).parts[:1])


def described(task: Task, settings: Any) -> tuple[str, str]:
    """Return the identity and the JSON text of everything besides a file's content that decides its result.

    Parameters
    ----------
    settings : dataclass or JSON value
        Numbers, texts, paths and frozen records of them.
    """
    plain = asdict(settings) if hasattr(settings, "__dataclass_fields__") else settings
    content = {"gcfit": __version__, "task": f"{task.__module__}.{task.__qualname__}", "settings": plain}
    text = json.dumps(content, sort_keys=True, default=os.fspath)
    return hashlib.sha256(text.encode()).hexdigest(), text


def is_unchanged(job: Job, known: "Known", settings: str, figures: Path, *, lenient: bool) -> bool:
    """Whether the stored result is that of the file's present content with the present settings.

    `lenient` is whether a file that cannot be read is to be skipped now, and not to be a failure.
    """
    if known.unreadable and (known.status == "skipped") != lenient:
        return False
    if known.again or known.settings != settings or not all((figures / name).exists() for name in known.figures):
        return False
    try:
        # times say nothing: a clock can be set back
        path = Path(job.path)
        same_size = path.is_dir() or path.stat().st_size == known.size
        return same_size and digest(job.path)[0] == known.sha256
    except (OSError, InputError):
        return False  # the worker will say what is wrong with it


def absolute(path: str | os.PathLike[str]) -> str:
    """Return the one path of a file: its folder without links and steps back, and its name, which may be a link."""
    place = Path(path)
    if place.name in ("", ".."):
        return os.path.realpath(place)
    return os.path.join(os.path.realpath(place.parent), place.name)  # noqa: PTH118  Path resolves a loop to an error
