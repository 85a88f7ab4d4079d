"""The march in time: steps of the Rosenbrock method on the part of the column where there is anything."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gcfit.chromatogram import Array
from gcfit.column.numerical import rosenbrock
from gcfit.column.numerical.grid import LOWER, MIN_WINDOW, OUTLET_CELLS
from gcfit.column.numerical.step import Problem, stages_of_step
from gcfit.errors import SolverError

FAINT = 1e-13  # share of the highest loading below which a cell counts as empty
REACH = 20.0  # -ln of what a step may carry beyond the cells that it solves
SAFETY, SHRINK, GROW = 0.9, 0.2, 4.0
MAX_STEPS, LEAST_STEP = 50_000, 1e-13


@dataclass(frozen=True, eq=False)
class Run:
    """What a march leaves behind.

    Parameters
    ----------
    outlet : ndarray, shape (k, m)
        Fluxes at the outlet at the asked times.
    snapshots : tuple of ndarray, shape (2, n, m)
        Fluxes and loadings at the asked profile times.
    balance : ndarray, shape (m,)
        |injected - left - remaining| over injected at the last time, 0 before the injection.
    highest, lowest : ndarray, shape (m,)
        Extremes of the flux at the outlet, 0 included.
    steepest : ndarray, shape (m,)
        Largest difference between the fluxes in the last two cells.
    steps : int
        Accepted steps.
    """

    outlet: Array
    snapshots: tuple[Array, ...]
    balance: Array
    highest: Array
    lowest: Array
    steepest: Array
    steps: int


def march(problem: Problem, times: Array, snapshot_times: Sequence[float] = ()) -> Run:
    """Solve from the start of the injection to the last of `times` and `snapshot_times`.

    Raises
    ------
    SolverError
        If the steps become too many or too short.
    """
    state = _March(problem, times)
    inlet = problem.inlet
    last = max([inlet.start, *times[-1:], *snapshot_times])
    snapshots = []
    for stop in sorted({inlet.end, last, *snapshot_times}):
        if inlet.start < stop <= last:
            state.advance(stop)
        if stop in snapshot_times:
            snapshots.append(state.values.copy())
    return Run(
        outlet=state.outlet,
        snapshots=tuple(snapshots),
        balance=state.balance(),
        highest=state.highest,
        lowest=state.lowest,
        steepest=state.steepest,
        steps=state.steps,
    )


class _March:
    """The moving state: fluxes and loadings, shape (2, n, m), and what has been seen at the outlet."""

    def __init__(self, problem: Problem, times: Array) -> None:
        cells, count = problem.grid.cells, problem.components
        self.problem, self.times = problem, times
        self.time, self.steps = problem.inlet.start, 0
        self.values, self.mixed = np.zeros((2, cells, count)), 0.0
        self.outlet = np.zeros((times.size, count))
        self.left, self.ever = np.zeros(count), np.zeros(count)
        self.highest, self.lowest, self.steepest = np.zeros(count), np.zeros(count), np.zeros(count)
        self.passed = np.zeros(count)  # highest content of the last cell: the scale of errors once a peak has left
        self.low, self.high = 0, 0
        self.quickest = 0.1 / float((problem.kinetics.adsorption + problem.kinetics.desorption).max())
        self.step = self.quickest

    def advance(self, stop: float) -> None:
        """March to the time `stop`, an end of the injection or a time at which the state is asked for."""
        if self.time in (self.problem.inlet.start, self.problem.inlet.end):
            self.step = self.quickest
        while self.time < stop:
            if not self._find_window():
                self.time = stop
                return
            left = stop - self.time
            size = left if left < 1.001 * self.step else min(self.step, left / 2)
            wished = self._try(size, stop if size == left else self.time + size)
            self.step = wished if size == self.step or wished < size else max(self.step, wished)

    def _try(self, size: float, end: float) -> float:
        """Try a step; keep it when its error is small enough. Return the size to try next."""
        mixing = self.problem.inlet.stages(self.mixed, self.time, size)
        feed = self.mixed + rosenbrock.STATES @ mixing if self.problem.inlet.tail else self._plain_feed()
        stages = stages_of_step(self.problem, self.values, feed, size, (self.low, self.high))
        after = self.values[:, self.low : self.high] + np.tensordot(rosenbrock.B, stages, 1)
        scale = np.maximum(np.abs(after.sum(axis=0)).max(axis=0), self.passed)
        errors = np.abs(stages[-1].sum(axis=0)).max(axis=0) / scale
        error = max(float(errors.max()), abs(float(mixing[-1]))) / self.problem.tolerance
        if not np.isfinite(error) or size < LEAST_STEP * max(abs(end), 1.0) or self.steps >= MAX_STEPS:
            raise SolverError(
                f"the numerical solution stopped at {self.time:g} s after {self.steps} steps of {size:.1e} s"
            )
        if error <= 1:
            self.mixed += float(rosenbrock.B @ mixing)
            self._keep(stages, after, size, end)
        factor = SAFETY * error ** (-1 / (rosenbrock.EMBEDDED_ORDER + 1)) if error > 0 else GROW
        return size * min(max(factor, SHRINK), GROW)

    def _plain_feed(self) -> Array:
        inlet = self.problem.inlet
        return np.full(rosenbrock.STAGES, float(inlet.start <= self.time < inlet.end))

    def _keep(self, stages: Array, after: Array, size: float, end: float) -> None:
        if self.high == self.problem.grid.cells:
            self._watch_outlet(stages[:, 0, -OUTLET_CELLS:], after[0, -OUTLET_CELLS:], size, end)
            self.passed = np.maximum(self.passed, np.abs(after[:, -1].sum(axis=0)))
        self.values[:, self.low : self.high] = after
        self.time, self.steps = end, self.steps + 1

    def _watch_outlet(self, stages: Array, after: Array, size: float, end: float) -> None:
        """Read the outlet flux within a step from the last five cells, shapes (8, 5, m) and (5, m)."""
        before = self.values[0, -OUTLET_CELLS:]
        states = before + np.tensordot(rosenbrock.STATES, stages, 1)
        self.left += size * np.einsum("i,cm,icm->m", rosenbrock.INTEGRAL, self.problem.outlet_flux, states)
        first, last = np.searchsorted(self.times, (self.time, end), side="right")
        weights = self.problem.outlet_value
        start, stop = (weights * before).sum(axis=0), (weights * after).sum(axis=0)
        if last > first:
            part = (self.times[first:last] - self.time) / size
            self.outlet[first:last] = rosenbrock.dense(part, start, stop, (weights * stages).sum(axis=1))
            self.lowest = np.minimum(self.lowest, self.outlet[first:last].min(axis=0))
        self.highest, self.lowest = np.maximum(self.highest, stop), np.minimum(self.lowest, stop)
        self.steepest = np.maximum(self.steepest, np.abs(after[-1] - after[-2]))

    def _find_window(self) -> bool:
        """Find the cells where there is something now or can be after the next step; false when there is nothing."""
        inlet, grid = self.problem.inlet, self.problem.grid
        total = np.abs(self.values[:, self.low : self.high].sum(axis=0))
        if total.size:
            self.ever = np.maximum(self.ever, total.max(axis=0))
        busy = np.flatnonzero((total > FAINT * self.ever).any(axis=1))
        fed = self.time < inlet.end or self.mixed > FAINT
        if not (fed or busy.size):
            return False
        first = 0 if fed else max(self.low + int(busy[0]) - LOWER, 0)
        front = self.low + int(busy[-1]) if busy.size else 0
        self.high = min(front + self._margin(front), grid.cells)
        self.low = min(first, self.high - MIN_WINDOW)
        return True

    def _margin(self, front: int) -> int:
        """Cells beyond the front that an implicit step reaches: the flux falls by a constant factor a cell."""
        kinetics = self.problem.kinetics
        shift = 1 / (rosenbrock.GAMMA * self.step)
        uptake = float((shift * (1 + kinetics.adsorption / (shift + kinetics.desorption))).min())
        fall = np.log1p(uptake * float(self.problem.grid.widths[front]))
        return int(REACH / fall) + MIN_WINDOW

    def balance(self) -> Array:
        remaining = self.problem.grid.widths @ self.values.sum(axis=0)
        injected = self.problem.inlet.injected(self.time)
        within = self.mixed * self.problem.inlet.tail + self.left + remaining
        # where nothing has entered, nothing can be lost
        balance: Array = np.abs(injected - within) / (injected or 1.0)
        return balance
