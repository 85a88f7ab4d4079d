"""`gcfit fit` without `-o`: file after file to one table on stdout, failures and remarks to stderr."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from gcfit.batch.look import fault, look_into, named, renamed
from gcfit.batch.records import Job, Outcome, Row
from gcfit.batch.windows import windows_over
from gcfit.batch.work import FileTask, Fitted, fit_file
from gcfit.cli.output import Layout, put_table, say
from gcfit.errors import GcfitError, InputError
from gcfit.results import PEAK_COLUMNS

SOME_FAILED, ALL_FAILED = 3, 1


@dataclass(frozen=True)
class Work:
    """The task applied to one job; an error of one file is an outcome, so that the others go on.

    When `lenient`, a file that cannot be read is skipped: it may be no chromatogram at all.
    """

    task: FileTask
    lenient: bool = False

    def __call__(self, job: Job) -> Outcome:
        """Return how the job ended."""
        try:
            look_into(job.path)
            return self._fitted(job)
        except OSError as error:
            return Outcome(job, "failed", message=f"{job.name}: {error.strerror or error}")
        except GcfitError as error:
            return Outcome(job, "failed", message=named(str(error), job))
        except Exception as error:  # noqa: BLE001  a fault of the program on one file must not cost the other files
            return Outcome(job, "failed", message=f"{job.name}: {fault(error)}")

    def _fitted(self, job: Job) -> Outcome:
        try:
            return Outcome(job, "done", _named(fit_file(job.path, self.task), job))
        except InputError as error:
            return Outcome(job, "skipped" if self.lenient else "failed", message=named(str(error), job))


def outcomes(files: Sequence[str], task: FileTask, *, jobs: int, dask: str, lenient: bool = False) -> Iterator[Outcome]:
    """Fit the files; yield how each ended, in their order.

    The error of a single file is raised, not returned: then nothing can be done.
    """
    listed = [_job(name, far=bool(dask)) for name in files]
    if len(listed) == 1 and not dask:
        try:
            look_into(listed[0].path)
        except OSError as error:
            raise InputError(listed[0].name, error.strerror or str(error)) from error
        with windows_over(jobs, listed[0].name, sys.stderr) as windows:
            yield Outcome(listed[0], "done", fit_file(listed[0].path, task, windows))
    elif jobs == 1 and not dask:
        yield from map(Work(task, lenient), listed)
    else:
        from gcfit.batch.maps import chosen
        from gcfit.batch.records import Limits

        map_ = chosen(jobs=jobs, files=len(listed), dask=dask, limits=Limits())
        yield from in_order(listed, map_(Work(task, lenient), listed))


def _job(name: str, *, far: bool) -> Job:
    """The job of a file; far workers may have been started in another folder."""
    if not far or name == "-":
        return Job(name, name)
    from gcfit.batch.worklist import absolute

    return Job(absolute(name), name)


def _named(result: Fitted, job: Job) -> Fitted:
    """The result in the words of the user, where the file was read under another name."""
    if job.path == job.name:
        return result
    warnings, notes = (tuple(named(text, job) for text in texts) for texts in (result.warnings, result.notes))
    rows = renamed(result, job)
    return replace(result, files=rows.files, peaks=rows.peaks, warnings=warnings, notes=notes)


def in_order(jobs: Iterable[Job], done: Iterable[Outcome]) -> Iterator[Outcome]:
    """Yield outcomes, which come in any order, in the order of the jobs."""
    waiting: dict[Job, list[Outcome]] = {}
    arriving = iter(done)
    for job in jobs:
        while not waiting.get(job):
            outcome = next(arriving)
            waiting.setdefault(outcome.job, []).append(outcome)
        yield waiting[job].pop()


def put_peaks(ended: Iterable[Outcome], layout: Layout, *, verbose: bool, fail_fast: bool, hint: str = "") -> int:
    """Write the peaks of all files to stdout, failures and remarks to stderr; return the exit code.

    `hint` is said once, when there is a peak whose rates it would determine.
    """
    layout.chosen(PEAK_COLUMNS)  # a wrong name is told before the work
    failed: list[Outcome] = []
    results = _results(ended, failed, verbose=verbose, fail_fast=fail_fast)
    first = next(results, None)
    if first is None:
        return ALL_FAILED
    rows = (row for result in chain([first], results) for row in result.peaks)
    put_table(_hinted(rows, hint), PEAK_COLUMNS, "-", layout)
    return SOME_FAILED if failed else 0


def _results(ended: Iterable[Outcome], failed: list[Outcome], *, verbose: bool, fail_fast: bool) -> Iterator[Fitted]:
    """Yield the results of the files that were fitted; collect and tell the others."""
    for outcome in ended:
        if isinstance(outcome.result, Fitted):
            for remark in outcome.result.warnings + (outcome.result.notes if verbose else ()):
                say(remark)
            yield outcome.result
            if all(row["status"] == "ok" for row in outcome.result.files):
                continue
        elif outcome.state == "skipped":
            say(f"skipped: {outcome.message}")
            continue
        else:
            say(outcome.message)
        failed.append(outcome)
        if fail_fast:
            return


def _hinted(rows: Iterable[Row], hint: str) -> Iterator[Row]:
    for row in rows:
        if hint and str(row["model"]).startswith("laplace"):
            say(hint)
            hint = ""
        yield row
