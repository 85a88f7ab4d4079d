"""The ways to map the work over the jobs; outcomes are the same in all of them, their order is not."""

import os
from collections.abc import Callable, Collection, Iterable
from functools import partial

from gcfit.batch.records import Job, Limits, Map, Outcomes, Work
from gcfit.errors import GcfitError


def serial(work: Work, jobs: Iterable[Job]) -> Outcomes:
    """Map in this process, in order; a crash of a file is a crash of the run."""
    yield from map(work, jobs)


def wary(work: Work, jobs: Iterable[Job], *, begin: Callable[[str], None], suspects: Collection[str]) -> Outcomes:
    """Map in this process, but for the files at which an earlier run has ended: each gets a process of its own.

    Parameters
    ----------
    begin : callable
        Takes the path of every file that this process is about to work on.
    suspects : collection of str
        Absolute paths.
    """
    for job in jobs:
        if job.path in suspects:
            from gcfit.batch.pool import processes

            yield from processes(work, [job], count=1, limits=Limits())
        else:
            begin(job.path)
            yield work(job)


def chosen(*, jobs: int, files: int, dask: str, limits: Limits) -> Map:
    """Return the map for the wishes of the user.

    Parameters
    ----------
    jobs : int
        Worker processes; 0 for one a core, 1 for none besides this one unless there are limits.
    files : int
        Length of the work list.
    dask : str
        Address of a Dask scheduler, empty for this machine.

    Raises
    ------
    GcfitError
        If limits are asked of a cluster, whose workers have their own, or memory limits of a system without them.
    """
    if jobs < 0:
        raise GcfitError(f"jobs is {jobs}; give 1 or more, or 0 for all cores")
    unlimited = limits == Limits()
    if dask:
        if not unlimited:
            raise GcfitError("--timeout and --max-memory do not reach Dask workers; use dask worker --memory-limit")
        from gcfit.batch.cluster import cluster

        return partial(cluster, address=dask)
    count = min(jobs or cores(), max(1, files))
    if count == 1 and unlimited:
        return serial
    if limits.max_memory is not None and os.name != "posix":
        raise GcfitError("--max-memory is not available on this system")
    from gcfit.batch.pool import processes  # slow to load

    return partial(processes, count=count, limits=limits)


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
