"""A batch from the list of files to the tables: what was finished stays, whatever happens."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from gcfit.batch.figures import Figures
from gcfit.batch.lock import locked
from gcfit.batch.look import Examined
from gcfit.batch.maps import chosen, serial, wary
from gcfit.batch.progress import Log, Progress, logging_to
from gcfit.batch.records import TOLD, Counts, Job, Limits, Map, Outcome, Row, Summary, Task
from gcfit.batch.reporting import require_plotly, write_report
from gcfit.batch.store import Known, Record, Store, opened
from gcfit.batch.tables import TableWriter, refuse_foreign, write_csv, write_tables
from gcfit.batch.windows import windows_over
from gcfit.batch.worklist import described, is_unchanged, work_list
from gcfit.errors import GcfitError, OutputError
from gcfit.results import failed_file_row

if TYPE_CHECKING:
    from gcfit.fitting.task import WindowMap


def run(
    files: Iterable[str | os.PathLike[str]],
    settings: Any,
    output: Path,
    *,
    task: Task | None = None,
    jobs: int = 1,
    dask: str = "",
    resume: bool = True,
    prune: bool = False,
    fail_fast: bool = False,
    lenient: bool = False,
    timeout: float | None = None,
    max_memory: int | None = None,
    log: Path | None = None,
    progress: TextIO | None = None,
    write: TableWriter = write_csv,
    report: str | None = None,
) -> Summary:
    """Fit many files; keep each result in `output/results.sqlite`, write `peaks.csv` and `files.csv` from it.

    Parameters
    ----------
    files : iterable of paths
        Each is one job; a folder is one vendor folder.
    settings : frozen record
        Handed to the task; with a file's content it decides whether a stored result is still right.
    task : callable
        `task(path, settings) -> FileResult`, importable by name; by default `gcfit.batch.work.fit_file`, whose
        settings are a `FileTask`.
    jobs : int
        Worker processes, 0 for one a core; 1 works in this process unless there are limits. They share the files,
        or the windows of a single one that takes long.
    dask : str
        Address of a Dask scheduler, empty for this machine.
    resume : bool
        Do not fit unchanged files again.
    prune : bool
        Remove the rows of stored files that are no longer there.
    fail_fast : bool
        Begin no further file after one has failed.
    lenient : bool
        A file that cannot be read is skipped, not failed.
    timeout, max_memory : float or None, int or None
        Longest time [s] and largest address space [bytes] for one file.
    log : Path or None
        File to which JSON lines are appended.
    progress : text stream or None
        Progress is drawn there if it is a terminal.
    write : callable
        Writes a table, from its columns and rows.
    report : str or None
        Also write `report.html` (its rows are held in memory then); the text is the command shown in its head.

    Raises
    ------
    GcfitError
        If the run as a whole cannot go on: folder, store, workers or cluster. What was finished is kept.
    """
    listed = work_list(files, Path(output))
    map_ = chosen(jobs=jobs, files=len(listed), dask=dask, limits=Limits(timeout, max_memory))
    work = task or _fit_file()
    identity, content = described(work, settings)
    if report is not None:
        require_plotly()  # before the fits, not after them
    with ExitStack() as stack:
        stack.enter_context(_stopped_by_signals())
        _make(Path(output))
        stack.enter_context(locked(Path(output)))
        refuse_foreign(Path(output))
        store = stack.enter_context(opened(Path(output)))
        store.use_settings(identity, content)
        if map_ is serial:
            suspects = store.begun()
            map_ = partial(wary, begin=store.begin, suspects=suspects)
            if task is None and len(listed) == 1 and listed[0].path not in suspects:
                work = _fit_file(stack.enter_context(windows_over(jobs, listed[0].name, progress)))
        entries = stack.enter_context(logging_to(log))
        batch = _Batch(store, Path(output), listed, identity, entries, Progress(progress, len(listed)))
        entries.write("start", files=len(listed), output=str(output), settings=content)
        examined = Examined(work, settings, lenient)

        def finish(*, interrupted: bool) -> Summary:
            write_tables(store, Path(output), write)
            summary = batch.summary(interrupted=interrupted)
            if report is not None:
                write_report(store, Path(output), identity, content, {"command": report, "files": summary.line})
            return summary

        try:
            interrupted = batch.work(map_, examined, prune=prune, resume=resume, fail_fast=fail_fast)
        except GcfitError:
            with suppress(GcfitError):  # what ended the run may be in the way here too, and is what is told
                finish(interrupted=True)
            raise
        summary = finish(interrupted=interrupted)
        entries.write("end", exit_code=summary.exit_code, summary=summary.line)
    return summary


class _Batch:
    """The state of one run: what became of the files so far."""

    def __init__(
        self, store: Store, output: Path, listed: list[Job], identity: str, log: Log, progress: Progress
    ) -> None:
        self._store, self._listed, self._identity = store, listed, identity
        self._log, self._progress = log, progress
        self._figures = Figures(output / "figures", store, listed)
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self._worked = 0
        self._started = time.monotonic()

    def work(self, map_: Map, examined: Examined, *, prune: bool, resume: bool, fail_fast: bool) -> bool:
        """Do what is pending; return whether that was interrupted."""
        try:
            if prune:
                self.prune()
            pending = self.pending(resume=resume, fail_fast=fail_fast, lenient=examined.lenient)
            with closing(map_(examined, pending)) as outcomes:
                for outcome in outcomes:
                    self.take(outcome)
        except KeyboardInterrupt:
            return True
        return False

    def pending(self, *, resume: bool, fail_fast: bool, lenient: bool) -> Iterator[Job]:
        """Yield the jobs that are to be done, each when it is asked for."""
        for job in self._listed:
            if fail_fast and self._counts["failed"]:
                return
            known = self._known(job)
            if known is not None and known.sha256 and not os.path.lexists(job.path):
                self._count("vanished", f"{job.name}: is no longer there; its rows are kept")
            elif known is not None and resume and self._is_unchanged(job, known, lenient=lenient):
                self._count("unchanged" if known.status == "ok" else known.status, known.message)
            else:
                yield job

    def take(self, outcome: Outcome) -> None:
        """Store what became of a job."""
        known = self._known(outcome.job) if outcome.withheld else None
        if known is not None and known.fitted:
            self._store.end(outcome.job.path)
            self._tell(outcome, outcome.state, f"{outcome.message}; its earlier rows are kept")
            return
        files, peaks = _rows(outcome)
        pictures = outcome.result.pictures if outcome.result else ()
        names, obsolete = self._figures.write(outcome.job, [str(row["trace"] or "") for row in files], pictures)
        curves = outcome.result.curves if outcome.result else ()
        key = outcome.job.path, files, peaks, self._identity, outcome.size, outcome.again
        self._store.put(Record(*key, names, curves, outcome.unreadable, outcome.died))
        self._figures.remove(obsolete)
        bad = next((row for row in files if row["status"] != "ok"), None)
        status, first = ("fitted", "") if bad is None else (str(bad["status"]), str(bad["message"]))
        self._tell(outcome, status, first, [str(row["message"]) for row in files if row["message"]], peaks=len(peaks))

    def prune(self) -> None:
        """Remove the rows and figures of files that are no longer there."""
        for path in list(self._store.paths()):
            if not os.path.lexists(path):
                known = self._store.known(path)
                self._store.remove(path)
                self._figures.remove(known.figures if known else ())
                self._counts["pruned"] += 1
                self._log.write("pruned", file=known.name if known else path)

    def summary(self, *, interrupted: bool) -> Summary:
        """Return how the run ended."""
        self._progress.clear()
        seconds = time.monotonic() - self._started
        first = next((self._first[state] for state in TOLD if state in self._first), "")
        return Summary(Counts(**self._counts), len(self._listed), seconds, first, interrupted)

    def _known(self, job: Job) -> Known | None:
        """What the store holds of a file, by the name that it has now."""
        known = self._store.known(job.path)
        if known is None or known.name == job.name:
            return known
        self._store.rename(job.path, known.name, job.name)
        return self._store.known(job.path)

    def _is_unchanged(self, job: Job, known: Known, *, lenient: bool) -> bool:
        return is_unchanged(job, known, self._identity, self._figures.folder, lenient=lenient)

    def _tell(self, outcome: Outcome, status: str, first: str, said: Sequence[str] = (), *, peaks: int = 0) -> None:
        """Count and log what was worked on; `said` is everything that there is to say, if that is more than `first`."""
        self._worked += 1
        self._count(status, first)
        seconds, message = round(outcome.seconds, 6) or None, "; ".join(said) or first
        self._log.write("file", file=outcome.job.name, status=status, peaks=peaks, seconds=seconds, message=message)

    def _count(self, status: str, message: str = "") -> None:
        self._counts[status] += 1
        if status in TOLD:
            self._first.setdefault(status, message)
        self._progress.show(self._counts.total() - self._counts["pruned"], self._worked, self._counts["failed"])


def _rows(outcome: Outcome) -> tuple[list[Row], list[Row]]:
    """Rows of the two tables for an outcome."""
    if outcome.result is not None:
        return [{**row, "sha256": outcome.sha256} for row in outcome.result.files], list(outcome.result.peaks)
    row = failed_file_row(outcome.job.name, outcome.message, sha256=outcome.sha256)
    return [{**row, "status": outcome.state, "seconds": outcome.seconds or None}], []


def _fit_file(windows: "WindowMap | None" = None) -> Task:
    from gcfit.batch.work import fit_file  # loads numpy and the fit

    return fit_file if windows is None else partial(fit_file, map_=windows)


def _make(output: Path) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{output}: the folder cannot be made: {error.strerror or error}") from error
    if not os.access(output, os.W_OK | os.X_OK):
        raise OutputError(f"{output}: the folder cannot be written to; choose another one with -o")


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let a request to end the process stop the run as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    wanted = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in wanted}
    # nohup ignores SIGHUP, and a program around this one may have its own way: leave both
    mine = [number for number, handler in before.items() if handler == signal.SIG_DFL]
    for number in mine:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, before[number])


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
