"""A worker process: takes chunks of jobs from a pipe, answers with one outcome a job.

Imports no numpy: the number of BLAS threads must stand in the environment before numpy loads, and the task, which
loads it, arrives through the pipe afterwards.
"""

import multiprocessing
import os
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from gcfit.batch.records import Job, Work
from gcfit.batch.threads import one_blas_thread

READY = "ready"
OUT_OF_MEMORY = 77  # exit status of a worker that ran out of memory


def serve(pipe: "Connection[object, object]", max_memory: int | None) -> None:
    """Answer chunks of jobs until the pipe closes.

    Parameters
    ----------
    pipe : Connection
        Gives the work first, answered by `READY` or, where the limit is below what this process takes already, by
        that [bytes]; then gives lists of jobs and takes one outcome a job.
    max_memory : int or None
        Limit of the address space [bytes].
    """
    one_blas_thread()
    _leave_standard_output()
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        work: Work = pipe.recv()  # type: ignore[assignment]
        if max_memory is not None:
            if (taken := address_space()) > max_memory:
                pipe.send(taken)
                return
            limit_memory(max_memory)
        pipe.send(READY)
        while True:
            chunk: list[Job] = pipe.recv()  # type: ignore[assignment]
            _answer(pipe, work, chunk)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the main process has gone or needs this worker no longer


def _answer(pipe: "Connection[object, object]", work: Work, chunk: list[Job]) -> None:
    for job in chunk:
        outcome = work(job)
        if outcome.out_of_memory:
            # what is left of the heap would fail the next file too
            raise SystemExit(OUT_OF_MEMORY)
        pipe.send(outcome)


def _leave_standard_output() -> None:
    """Send what libraries print to stderr: standard output belongs to the data of the main process."""
    try:
        os.dup2(2, 1)
    except OSError:  # stderr is closed
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def address_space() -> int:
    """Address space that this process takes [bytes], 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def limit_memory(size: int) -> None:
    """Limit the address space of this process to `size` [bytes]; allocations beyond it fail."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (size if hard < 0 else min(size, hard), hard))


def _leave_with_parent() -> None:
    """End at once when the main process ends, in the middle of a fit too."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
