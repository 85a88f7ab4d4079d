"""Processes that may die: a worker that crashes, hangs or runs out of memory costs the file that it was at.

`concurrent.futures` gives up as a whole when a worker dies and cannot stop one that hangs; here each worker has a
pipe of its own, so the parent always knows which file a worker is at.
"""

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Self

from gcfit.batch.records import Job, Limits, Outcome, Outcomes, Work
from gcfit.batch.worker import OUT_OF_MEMORY, READY, serve
from gcfit.errors import GcfitError

CHUNK_S = 0.1  # work handed out at once [s]: far above the price of a message, far below what unevens the end
CHUNK_MAX = 64
START_FAILURES = 3  # workers in a row that end before they are ready
SPAWN = multiprocessing.get_context("spawn")


def processes(work: Work, jobs: Iterable[Job], *, count: int, limits: Limits) -> Outcomes:
    """Map `work` over `jobs` in `count` processes; outcomes come in the order in which they are ready.

    A file whose worker dies is tried once more at the end, alone in a fresh worker, before it is called failed.

    Raises
    ------
    GcfitError
        If worker processes do not start, or take more memory at the start than they may.
    """
    with Pool(work, count, limits) as pool:
        yield from pool.run(jobs)
        suspects = [job for job, _ in pool.deaths]
    for job in suspects:
        with Pool(work, 1, limits) as pool:
            yield from pool.run([job])
            yield from (_died(job, death) for _, death in pool.deaths)


@dataclass(eq=False)
class _Worker:
    """A process, its pipe, the jobs it has not answered, and since when [s, monotonic] it is at the first of them."""

    process: SpawnProcess
    pipe: "Connection[Any, Any]"
    ready: bool = False
    jobs: deque[Job] = field(default_factory=deque)
    since: float = 0.0


class Pool:
    """Workers, alive as long as the `with` lasts; `deaths` collects the jobs that took a worker along, and how.

    Parameters
    ----------
    work : callable
        What is mapped; workers find it by its name.
    count : int
        Workers at most.
    limits : Limits
        What one job may cost.
    """

    def __init__(self, work: Work, count: int, limits: Limits) -> None:
        self.work, self.count, self.limits = work, count, limits
        self.workers: list[_Worker] = []
        self.deaths: list[tuple[Job, str]] = []
        self.start_failures = 0
        self.mean_seconds = CHUNK_S

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.process.kill()
        for worker in list(self.workers):
            self._bury(worker)

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Yield the outcomes of all jobs but those in `deaths` and, in the end, leave the workers idle."""
        queue = _Queue(jobs)
        while True:
            self._staff(queue)
            self._hand_out(queue)
            if not queue.ahead(1) and not any(worker.jobs for worker in self.workers):
                return
            for worker in self._heard():
                yield from self._listen(worker, queue)
            for worker in [worker for worker in self.workers if self._late(worker)]:
                yield self._stop(worker, queue)

    def _staff(self, queue: "_Queue") -> None:
        """Start workers while there are more jobs than workers without one."""
        free = sum(not worker.jobs for worker in self.workers)
        while len(self.workers) < self.count and free < queue.ahead(self.count):
            self.workers.append(_started(self.work, self.limits))
            free += 1

    def _hand_out(self, queue: "_Queue") -> None:
        size = max(1, min(CHUNK_MAX, int(CHUNK_S / self.mean_seconds)))
        for worker in self.workers:
            if worker.ready and not worker.jobs and (chunk := queue.take(size)):
                worker.jobs.extend(chunk)
                worker.since = time.monotonic()
                _send(worker, chunk)

    def _heard(self) -> list[_Worker]:
        """Wait until a worker speaks, dies or is late."""
        by_pipe = {worker.pipe: worker for worker in self.workers}
        patience = None
        if self.limits.timeout is not None and any(worker.jobs for worker in self.workers):
            oldest = min(worker.since for worker in self.workers if worker.jobs)
            patience = max(0.0, oldest + self.limits.timeout - time.monotonic())
        return [by_pipe[pipe] for pipe in wait(list(by_pipe), patience)]  # type: ignore[index]

    def _listen(self, worker: _Worker, queue: "_Queue") -> Iterator[Outcome]:
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            self._mourn(worker, queue)
            return
        if message == READY:
            worker.ready, self.start_failures = True, 0
            return
        if isinstance(message, int):
            text = f"--max-memory is too small: a worker takes {message / 2**20:.0f} MB before it begins"
            raise GcfitError(f"{text}; give more")
        worker.jobs.popleft()
        worker.since = time.monotonic()
        self.mean_seconds += 0.2 * (max(message.seconds, 1e-6) - self.mean_seconds)
        yield message

    def _mourn(self, worker: _Worker, queue: "_Queue") -> None:
        """Note which job the dead worker was at; its other jobs go back into the queue."""
        death = self._bury(worker)
        if not worker.ready:
            self.start_failures += 1
            if self.start_failures == START_FAILURES:
                raise GcfitError(f"worker processes end before they are ready: {death}; try --jobs 1")
        if worker.jobs:
            self.deaths.append((worker.jobs.popleft(), death))
        queue.put_back(worker.jobs)

    def _late(self, worker: _Worker) -> bool:
        if self.limits.timeout is None or not worker.jobs or worker.pipe.poll():
            return False
        return time.monotonic() - worker.since >= self.limits.timeout

    def _stop(self, worker: _Worker, queue: "_Queue") -> Outcome:
        """Kill a worker that is late; its other jobs go back into the queue."""
        worker.process.kill()
        self._bury(worker)
        job = worker.jobs.popleft()
        queue.put_back(worker.jobs)
        text, seconds = f"{job.name}: took longer than {self.limits.timeout:g} s", time.monotonic() - worker.since
        return Outcome(job, "failed", message=text, again=True, seconds=seconds)

    def _bury(self, worker: _Worker) -> str:
        """Collect a dead worker; return how it died."""
        worker.process.join()
        death = _death(worker.process.exitcode, limited=self.limits.max_memory is not None)
        worker.pipe.close()
        worker.process.close()
        self.workers.remove(worker)
        return death


class _Queue:
    """Jobs taken from an iterator only when they are needed, and those that came back."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._source, self._front = iter(jobs), deque[Job]()

    def ahead(self, wanted: int) -> int:
        """Number of waiting jobs, counted up to `wanted`."""
        self._front.extend(islice(self._source, max(0, wanted - len(self._front))))
        return min(wanted, len(self._front))

    def take(self, wanted: int) -> list[Job]:
        return [self._front.popleft() for _ in range(self.ahead(wanted))]

    def put_back(self, jobs: Iterable[Job]) -> None:
        self._front.extend(jobs)


def _died(job: Job, how: str) -> Outcome:
    return Outcome(job, "failed", message=f"{job.name}: {how}", again=True, died=True)


def _started(work: Work, limits: Limits) -> _Worker:
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=serve, args=(there, limits.max_memory), daemon=True)
    # Ctrl-C reaches every process of a terminal; stopping is the parent's business. The tracker of multiprocessing
    # unblocks the signal when it starts, so it starts first.
    resource_tracker.ensure_running()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
    try:
        process.start()
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    there.close()
    worker = _Worker(process, here)
    _send(worker, work)
    return worker


def _send(worker: _Worker, message: object) -> None:
    try:
        worker.pipe.send(message)
    except (BrokenPipeError, ConnectionResetError):
        return  # it has died; the end of its pipe will be heard


def _death(status: int | None, *, limited: bool) -> str:
    """Say in words how a worker ended; with limited memory, libraries end it in ways of their own."""
    scarce = ", often for want of memory"
    if status == OUT_OF_MEMORY:
        return "not enough memory"
    if status is not None and status < 0:
        name = signal.Signals(-status).name
        return f"its worker process was ended by {name}{scarce if limited or name == 'SIGKILL' else ''}"
    return f"its worker process ended with status {status}{scarce if limited else ''}"
