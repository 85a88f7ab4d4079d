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
KILLED = "every worker that took it has died"
AHEAD = 4  # jobs under way for each thread of the cluster: an answer of the scheduler takes some milliseconds


def cluster(work: Work, jobs: Iterable[Job], *, address: str) -> Outcomes:
    """Map `work` over `jobs` on the cluster at `address`.

    The scheduler gives the jobs of a worker that disappears to another one. It gives a job up that was on several
    workers when they died, whether it was the cause or waited there: such a job is tried once more at the end, alone.

    Raises
    ------
    MissingExtraError
        If Dask is not installed.
    GcfitError
        If it is no address, if no scheduler answers, if it goes away, or if it has no worker for `PATIENCE_S`.
    """
    try:
        from distributed import Client
        from distributed.comm.addressing import get_address_host_port
    except ImportError as error:
        raise MissingExtraError("--dask", "dask") from error
    try:
        get_address_host_port(address)  # a client that finds out itself is closed for half a minute
    except ValueError as error:
        raise GcfitError(f"{address} is not the address of a Dask scheduler: {error}; write tcp://HOST:PORT") from error
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
        self.suspects: list[Job] = []
        self.finished: SimpleQueue[Any] = SimpleQueue()
        self.threads = 0
        self.counted = self.manned = time.monotonic()
        # keys of their own: two runs on one cluster must not share results
        self.keys = (f"gcfit-{uuid4().hex}-{number}" for number in count())

    def run(self, work: Work, jobs: Iterator[Job]) -> Iterator[Outcome]:
        """Yield the outcomes of all jobs."""
        yield from self._together(work, jobs)
        suspects, self.suspects = self.suspects, []
        for job in suspects:
            try:
                yield from self._together(work, iter([job]))
            except _NobodyError:  # they may all have died of this one
                self.suspects.append(job)
        yield from (Outcome(job, "failed", message=f"{job.name}: {KILLED}", again=True, died=True)
                    for job in self.suspects)  # fmt: skip

    def _together(self, work: Work, jobs: Iterator[Job]) -> Iterator[Outcome]:
        """Keep `AHEAD` jobs a thread under way; yield the outcomes as they come, but those of the suspects."""
        self._count()
        while True:
            room = AHEAD * max(1, self.threads) - len(self.waiting)
            for job in islice(jobs, max(0, room)):
                future = self.client.submit(work, job, key=next(self.keys), pure=False)
                self.waiting[future] = job
                self._await(future)
            if not self.waiting:
                return
            yield from self._answers()

    def _await(self, future: Any) -> None:
        future.add_done_callback(self.finished.put)

    def _answers(self) -> Iterator[Outcome]:
        """Outcomes of the futures that have finished, after a pulse at the latest."""
        futures = self._heard()
        if time.monotonic() - self.counted > PULSE_S:
            self._count()
        found = self._gathered([future for future in futures if future.status == "finished"])
        for future in futures:
            job = self.waiting.pop(future)
            if future in found:
                yield found[future]
            elif future.status == "error":
                yield from self._failure(future.exception(), job)
            elif future.status == "cancelled":
                raise _gone(self.address)
            else:  # its result went with its worker before it was fetched; another one makes it again
                self.waiting[future] = job
                self._await(future)

    def _heard(self) -> list[Any]:
        """Futures that have finished in one way or another."""
        try:
            futures = [self.finished.get(timeout=PULSE_S)]
        except Empty:
            return []
        while not self.finished.empty():
            futures.append(self.finished.get())
        return futures

    def _gathered(self, futures: list[Any]) -> dict[Any, Outcome]:
        """The results of the futures, except those that went with their worker before they could be fetched."""
        if not futures:
            return {}
        by_key = {future.key: future for future in futures}
        try:
            found = self.client.sync(self.client._gather, by_key, errors="skip", callback_timeout=PATIENCE_S)
        except TimeoutError:
            return {}  # waiting for somebody to compute lost ones again; counting the workers will tell
        return {by_key[key]: outcome for key, outcome in found.items() if outcome is not None}

    def _failure(self, error: BaseException, job: Job) -> Iterator[Outcome]:
        """What became of a job that ended in an error of the cluster's own: nothing yet if its workers died."""
        if type(error).__name__ == "KilledWorker":
            self.suspects.append(job)
        else:
            text = f"{job.name}: {type(error).__name__} on the cluster: {' '.join(str(error).split())}"
            yield Outcome(job, "failed", message=text, again=True)

    def _count(self) -> None:
        """Count the threads; raise when the scheduler is gone or nobody has worked for long."""
        if self.client.status != "running":
            raise _gone(self.address)
        self.threads = sum(self.client.nthreads().values())
        self.counted = time.monotonic()
        if self.threads:
            self.manned = self.counted
        elif self.counted - self.manned > PATIENCE_S:
            self.manned = self.counted
            self.waiting.clear()
            raise _NobodyError(self.address)


class _NobodyError(GcfitError):
    """A cluster without workers."""

    def __init__(self, address: str) -> None:
        super().__init__(f"the Dask scheduler at {address} has no worker; start one with: dask worker ADDRESS")


def _gone(address: str) -> GcfitError:
    return GcfitError(f"the Dask scheduler at {address} has gone; run the same command again for the rest")
