"""What travels between the work list, the workers and the store: frozen, picklable, without numpy."""

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Row = Mapping[str, object]
State = Literal["done", "failed", "incomplete", "skipped"]


@dataclass(frozen=True)
class Job:
    """One file to fit: its absolute path, and its name as the user gave it, which is what the tables show."""

    path: str
    name: str


@dataclass(frozen=True)
class Picture:
    """A drawn figure of one trace: the bytes of the file and its suffix (`png`)."""

    trace: str
    suffix: str
    content: bytes


@dataclass(frozen=True)
class FileResult:
    """What a task makes of one file.

    Parameters
    ----------
    files : tuple of mappings
        One row of the file table a trace, with the columns `gcfit.results.FILE_COLUMNS`.
    peaks : tuple of mappings
        The rows of the peak table, with the columns `gcfit.results.PEAK_COLUMNS`.
    pictures : tuple of Picture
        At most one a trace.
    curves : tuple of str
        What `gcfit.report.trace_of` says of each trace, one a row of `files`, empty for a trace without a fit; or none.

    The store fills in `file` and `sha256` itself.
    """

    files: tuple[Row, ...]
    peaks: tuple[Row, ...] = ()
    pictures: tuple[Picture, ...] = ()
    curves: tuple[str, ...] = ()


# a pure function of a file's absolute path and the settings; importable by name, since workers find it by name
Task = Callable[[str, Any], FileResult]


@dataclass(frozen=True)
class Outcome:
    """How one job ended.

    Parameters
    ----------
    result : FileResult or None
        Only for the state `done`.
    message : str
        Reason of the states `failed`, `incomplete` and `skipped`.
    again : bool
        The reason may be gone next time (memory, time, permission): the file is tried again by the next run.
    sha256 : str
        Hash of the content that was fitted; empty where nothing was read or the content was changing.
    size : int
        Bytes of the content that was hashed.
    seconds : float
        Duration in the worker [s], 0 where it is not known.
    unreadable : bool
        The file is not what the task takes.
    withheld : bool
        The content could not be had whole: rows of an earlier content say more than this outcome.
    out_of_memory : bool
        The worker had no memory left and is not to be used again.
    died : bool
        The file took its worker process along.
    """

    job: Job
    state: State
    result: FileResult | None = None
    message: str = ""
    again: bool = False
    sha256: str = ""
    size: int = 0
    seconds: float = 0.0
    unreadable: bool = False
    withheld: bool = False
    out_of_memory: bool = False
    died: bool = False


# what is told of a run by the message of the first such file, the gravest before the others
TOLD = {"failed": "failure", "vanished": "vanished", "skipped": "skipped", "incomplete": "incomplete"}
COUNTED = ("fitted", "unchanged", "failed", "incomplete", "skipped", "vanished", "pruned")
Work = Callable[[Job], Outcome]
Outcomes = Generator[Outcome, None, None]  # closing it stops the work
Map = Callable[[Work, Iterable[Job]], Outcomes]


@dataclass(frozen=True)
class Counts:
    """Files of a run by what became of them; `unchanged` were fitted by an earlier run, `vanished` are gone since."""

    fitted: int = 0
    unchanged: int = 0
    failed: int = 0
    incomplete: int = 0
    skipped: int = 0
    vanished: int = 0
    pruned: int = 0

    @property
    def files(self) -> int:
        """Files of the work list that were looked at."""
        return self.fitted + self.unchanged + self.failed + self.incomplete + self.skipped + self.vanished


@dataclass(frozen=True)
class Limits:
    """What one file may cost: time [s], address space of its worker [bytes]; None is no limit."""

    timeout: float | None = None
    max_memory: int | None = None


@dataclass(frozen=True)
class Summary:
    """How a run ended.

    Parameters
    ----------
    listed : int
        Files in the work list.
    first : str
        Message of the first file that failed, else of the first of another state in `TOLD`.
    interrupted : bool
        Stopped by Ctrl-C or a signal; what was finished is kept.
    """

    counts: Counts
    listed: int
    seconds: float
    first: str = ""
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """0 all done, 1 nothing could be done, 3 some files failed, 130 interrupted."""
        if self.interrupted:
            return 130
        useless = sum(getattr(self.counts, state) for state in TOLD)
        if useless and useless == self.counts.files:
            return 1
        return 3 if self.counts.failed or self.counts.vanished else 0

    @property
    def line(self) -> str:
        """The run in one line."""
        words = {"vanished": "vanished (rows kept)"}
        found = {name: getattr(self.counts, name) for name in COUNTED}
        parts = [f"{value} {words.get(name, name)}" for name, value in found.items() if value]
        text = f"{self.listed} file{'s' * (self.listed != 1)}: {', '.join(parts) or 'nothing to do'}"
        text += f"; {self.seconds:.1f} s"
        if self.interrupted:
            text += "; interrupted, run the same command again for the rest"
        if not self.first:
            return text
        return f"{text}; first {next(word for state, word in TOLD.items() if found[state])}: {self.first}"
