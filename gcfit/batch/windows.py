"""The windows of one file in many processes, once its fit takes long."""

import io
import pickle
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from gcfit.batch.maps import cores
from gcfit.batch.progress import Line
from gcfit.batch.records import Job, Limits, Outcome

if TYPE_CHECKING:
    from gcfit.batch.pool import Pool
    from gcfit.chromatogram import Array
    from gcfit.fitting.states import State
    from gcfit.fitting.task import Task, WindowMap, WindowsFit

PATIENCE_S = 2.0  # of fits in this process before others are started, which takes about half as long


@dataclass(frozen=True, eq=False)
class _Group(Job):
    """What fits some windows, and these, packed; their path is their place among the groups."""

    content: bytes


@dataclass(frozen=True, eq=False)
class _Ended(Outcome):
    states: bytes = b""


@contextmanager
def windows_over(jobs: int, name: str = "", stream: TextIO | None = None) -> "Iterator[WindowMap]":
    """Give a map over groups of windows that uses so many processes; the results are the same for all numbers.

    Parameters
    ----------
    jobs : int
        Processes; 0 for one a core.
    name : str
        Of the file.
    stream : text stream, optional
        How far a fit has come that takes long is drawn there if it is a terminal.
    """
    count, line = jobs or cores(), Line(stream)
    if count == 1 and not line.seen:
        yield map
        return
    with ExitStack() as stack:
        stack.callback(line.clear)
        yield _Spread(count, stack, name, line).groups


class _Spread:
    """Groups of windows in this process while that takes no long, then in others."""

    def __init__(self, count: int, stack: ExitStack, name: str, line: Line) -> None:
        self._count, self._stack, self._name, self._line = count, stack, name, line
        self._began, self._done = time.monotonic(), 0
        self._pool: Pool | None = None

    def groups(self, function: "WindowsFit", groups: "list[list[Task]]") -> "Iterable[list[State | None]]":
        """Yield the states of the windows of each group, in order."""
        for place, group in enumerate(groups):
            shared = self._pool is not None or time.monotonic() - self._began > PATIENCE_S
            if self._count > 1 and len(groups) - place > 1 and shared:
                yield from self._elsewhere(function, groups[place:])
                return
            states = function(group)
            self._tell(len(group))
            yield states

    def _tell(self, windows: int) -> None:
        """Say how many fits of windows are done."""
        self._done += windows
        seconds = time.monotonic() - self._began
        if seconds > PATIENCE_S:
            self._line.draw(f"{self._name}: {self._done} fits of windows, {seconds:.0f} s")

    def _elsewhere(self, function: "WindowsFit", groups: "list[list[Task]]") -> "Iterator[list[State | None]]":
        from gcfit.batch.pool import Pool  # slow to load

        if self._pool is None:
            self._pool = self._stack.enter_context(Pool(_fitted, self._count, Limits()))
        jobs = [_Group(str(place), "windows", _packed((function, group))) for place, group in enumerate(groups)]
        ended: dict[str, Outcome] = {}
        for outcome in self._pool.run(jobs):
            ended[outcome.job.path] = outcome
            self._tell(len(groups[int(outcome.job.path)]))
        for job, group in zip(jobs, groups, strict=True):
            end = ended.get(job.path)
            # what took a worker along, or raised there, does so here, where it is seen
            yield pickle.loads(end.states) if isinstance(end, _Ended) else function(group)


def _fitted(job: Job) -> Outcome:
    """Fit a group of windows, in a worker."""
    began, place = time.perf_counter(), Job(job.path, job.name)
    if not isinstance(job, _Group):
        raise TypeError(f"{job} holds no windows")
    try:
        function, tasks = pickle.loads(job.content)
        states = _packed(function(tasks))
    except Exception as error:  # noqa: BLE001  it is raised again in the main process
        return Outcome(place, "failed", message=str(error))
    return _Ended(place, "done", seconds=time.perf_counter() - began, states=states)


class _Pickler(pickle.Pickler):
    """Keeps the layout of arrays: a sum over a part of a larger array may differ from that over a copy in the last bit.

    The pickles of numpy are copies without gaps.
    """

    def reducer_override(self, thing: object) -> Any:
        """Tell how an array with gaps is made again; all else is made as ever."""
        import numpy as np

        if not isinstance(thing, np.ndarray) or thing.ndim != 2 or thing.flags.forc:
            return NotImplemented
        down, across = (stride // thing.itemsize for stride in thing.strides)
        return _with_gaps, (np.ascontiguousarray(thing), down, across)


def _with_gaps(values: "Array", down: int, across: int) -> "Array":
    """An array of two dimensions whose elements lie so many places apart from row to row and along a row."""
    import numpy as np

    rows, columns = values.shape
    whole = np.empty(max((rows - 1) * down + (columns - 1) * across + 1, 1), dtype=values.dtype)
    shape = np.lib.stride_tricks.as_strided(whole, values.shape, (down * whole.itemsize, across * whole.itemsize))
    shape[...] = values
    return shape


def _packed(thing: object) -> bytes:
    """Pickle with the layout of arrays."""
    buffer = io.BytesIO()
    _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(thing)
    return buffer.getvalue()
