"""Where the drawn figures of a batch go: `figures/`, under names that stay apart."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from gcfit.batch.records import Job, Picture
from gcfit.batch.store import Store
from gcfit.batch.tables import replacing
from gcfit.errors import OutputError

LONGEST = 200  # bytes of a name, below the limit of every file system with its suffix


class Figures:
    """The folder of figures of one run."""

    def __init__(self, folder: Path, store: Store, listed: Iterable[Job]) -> None:
        self.folder, self._store, self._listed = folder, store, listed
        self._stems: Counter[str] | None = None

    def write(self, job: Job, traces: Sequence[str], pictures: Sequence[Picture]) -> tuple[list[str | None], set[str]]:
        """Write the pictures of a file; return their names, one a trace, and the names that the file had before."""
        known = self._store.known(job.path)
        before = set(known.figures) if known else set()
        drawn = {picture.trace: picture for picture in pictures}
        shared = bool(pictures) and (len(traces) > 1 or self._stem_is_shared(job))
        names: list[str | None] = []
        for trace in traces:
            picture = drawn.get(trace)
            name = figure_name(job.path, trace, shared=shared) + f".{picture.suffix}" if picture else None
            names.append(name)
            if picture and name:
                self._write(name, picture.content)
        return names, before - set(names)

    def remove(self, names: Iterable[str]) -> None:
        """Remove figures that belong to no row any more."""
        for name in names:
            # a figure too many harms nobody; the rows are right already
            with suppress(OSError):
                (self.folder / name).unlink(missing_ok=True)

    def _write(self, name: str, content: bytes) -> None:
        self._store.still_there()
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.folder}: the folder cannot be made: {error.strerror or error}") from error
        with replacing(self.folder / name) as file:
            file.write(content)

    def _stem_is_shared(self, job: Job) -> bool:
        """Whether another file of the list or the store has this file's name without suffix."""
        if self._stems is None:
            paths = {other.path for other in self._listed} | set(self._store.paths())
            self._stems = Counter(Path(path).stem for path in paths)
        return self._stems[Path(job.path).stem] > 1


def figure_name(path: str, trace: str, *, shared: bool) -> str:
    """Return the name of a figure without suffix: that of the file, and what tells it apart where it must.

    Parameters
    ----------
    path : str
        Absolute path of the file.
    shared : bool
        The file's name alone is not enough: add the trace and eight digits of a hash of path and trace.
    """
    stem = Path(path).stem
    if not shared and len(os.fsencode(stem)) <= LONGEST:
        return stem
    mark = hashlib.sha256(os.fsencode(path) + b"\0" + os.fsencode(trace)).hexdigest()[:8]
    words = f"{stem}-{re.sub(r'[^A-Za-z0-9_.]+', '_', trace)}" if trace else stem
    return f"{_cut(words)}-{mark}"


def _cut(text: str) -> str:
    """The start of a text that takes `LONGEST` bytes at most, of whole characters."""
    text = text[:LONGEST]
    while len(os.fsencode(text)) > LONGEST:
        text = text[:-1]
    return text
