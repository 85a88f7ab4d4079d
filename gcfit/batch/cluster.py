"""The map over a Dask cluster: the same function, the same outcomes, on other machines that see the same files."""

import logging
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import count, islice
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from gcfit.batch.records import Job, Outcome, Outcomes, Work
from gcfit.errors import GcfitError, MissingExtraError

CONNECT_S = 15.0
PATIENCE_S = 60.0  # without a single worker [s], before the run gives up
PULSE_S = 1.0  # how often [s] the cluster is counted
LOGGERS = ("distributed", "distributed.client", "tornado.application")
AHEAD = 4  # jobs under way for each thread of the cluster: an answer of the scheduler takes some milliseconds


def cluster(work: Work, jobs: Iterable[Job], *, address: str) -> Outcomes:
    """Map `work` over `jobs` on the cluster at `address`.

    The scheduler gives the jobs of a worker that disappears to another one; a job that took several workers along is
    reported as failed.

    Raises
    ------
    MissingExtraError
        If Dask is not installed.
    GcfitError
        If no scheduler answers, if it goes away, or if it has no worker for `PATIENCE_S`.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError("--dask", "dask") from error
    try:
        client: Any = Client(address, timeout=CONNECT_S, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise GcfitError(f"no Dask scheduler answers at {address}; start one with: dask scheduler") from error
    try:
        with _silence(), client:
            yield from _Cluster(client, address).run(work, iter(jobs))
    except (OSError, CancelledError) as error:
        raise _gone(address) from error


@contextmanager
def _silence() -> Iterator[None]:
    """Keep Dask's own log off stderr: lost workers and connections are told by the outcomes, or by one error."""
    levels = {logging.getLogger(name): logging.getLogger(name).level for name in LOGGERS}
    for logger in levels:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)


class _Cluster:
    """One client, the futures under way, and the number of threads that the cluster had when it was last counted."""

    def __init__(self, client: Any, address: str) -> None:
        self.client, self.address = client, address
        self.waiting: dict[Any, Job] = {}
        self.finished: SimpleQueue[Any] = SimpleQueue()
        self.threads = 0
        self.counted = self.manned = time.monotonic()

    def run(self, work: Work, jobs: Iterator[Job]) -> Iterator[Outcome]:
        """Keep `AHEAD` jobs a thread under way; yield the outcomes as they come."""
        # keys of their own: two runs on one cluster must not share results
        keys = (f"gcfit-{uuid4().hex}-{number}" for number in count())
        self._count()
        while True:
            room = AHEAD * max(1, self.threads) - len(self.waiting)
            for job in islice(jobs, max(0, room)):
                future = self.client.submit(work, job, key=next(keys), pure=False)
                self.waiting[future] = job
                future.add_done_callback(self.finished.put)
            if not self.waiting:
                return
            yield from self._answers()

    def _answers(self) -> Iterator[Outcome]:
        """Outcomes of the futures that have finished, after a pulse at the latest."""
        try:
            futures = [self.finished.get(timeout=PULSE_S)]
        except Empty:
            futures = []
        while not self.finished.empty():
            futures.append(self.finished.get())
        if time.monotonic() - self.counted > PULSE_S:
            self._count()
        good = [future for future in futures if future.status == "finished"]
        yield from self.client.gather(good)
        for future in futures:
            job = self.waiting.pop(future)
            if future.status != "finished":
                yield self._failure(future, job)

    def _failure(self, future: Any, job: Job) -> Outcome:
        """What became of a job whose future has no result: its worker died too often, or the scheduler is gone."""
        if future.status != "error":
            raise _gone(self.address)
        error = future.exception()
        if type(error).__name__ == "KilledWorker":
            return Outcome(job, "failed", message=f"{job.name}: every worker that took it has died", again=True)
        text = " ".join(str(error).split())
        return Outcome(job, "failed", message=f"{job.name}: {type(error).__name__} on the cluster: {text}", again=True)

    def _count(self) -> None:
        """Count the threads; raise when the scheduler is gone or nobody has worked for long."""
        if self.client.status != "running":
            raise _gone(self.address)
        self.threads = sum(self.client.nthreads().values())
        self.counted = time.monotonic()
        if self.threads:
            self.manned = self.counted
        elif self.counted - self.manned > PATIENCE_S:
            raise GcfitError(f"the Dask scheduler at {self.address} has no worker; start one with: dask worker ADDRESS")


def _gone(address: str) -> GcfitError:
    return GcfitError(f"the Dask scheduler at {address} has gone; run the same command again for the rest")
