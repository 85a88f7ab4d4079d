"""The march in time: steps of the Rosenbrock method on the part of the column where there is anything."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import blas, lapack

from gcfit.chromatogram import Array
from gcfit.column.numerical import rosenbrock
from gcfit.column.numerical.grid import LOWER, MIN_CELLS, OUTLET_VALUE, UPPER, Grid, outlet_flux_weights
from gcfit.column.numerical.kinetics import Inlet, Kinetics, stage_kinetics
from gcfit.errors import SolverError

FAINT = 1e-13  # share of the highest loading below which a cell counts as empty
REACH = 46.0  # -ln of what a step may carry beyond the cells that it solves
SAFETY, SHRINK, GROW = 0.9, 0.2, 4.0
MAX_STEPS = 200_000
_TAIL = OUTLET_VALUE.size
_OUTLET_FLUX = outlet_flux_weights()
_PAST = np.stack([rosenbrock.A, rosenbrock.C], axis=1)  # shape (8, 2, 8)
_STAGE_STATE = rosenbrock.A + np.eye(rosenbrock.STAGES)


@dataclass(frozen=True, eq=False)
class Problem:
    """m components on one grid of n cells; `bands` is the transport operator, shape (5 m + 1, n m)."""

    grid: Grid
    bands: Array
    kinetics: Kinetics
    inlet: Inlet
    tolerance: float

    @property
    def components(self) -> int:
        """Number of components m."""
        return self.kinetics.adsorption.size


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
        |injected - left - remaining| over injected at the last time.
    roughness, undershoot : ndarray, shape (m,)
        Largest difference of the last two cells, and depth of the outlet flux below zero, over the highest outlet
        flux; zero where nothing has left.
    steps : int
        Accepted steps.
    """

    outlet: Array
    snapshots: tuple[Array, ...]
    balance: Array
    roughness: Array
    undershoot: Array
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
        roughness=state.relative(state.jump),
        undershoot=state.relative(-state.lowest),
        steps=state.steps,
    )


class _March:
    """The moving state: fluxes and loadings, shape (2, n, m), and what has been seen at the outlet."""

    def __init__(self, problem: Problem, times: Array) -> None:
        cells, count = problem.grid.cells, problem.components
        self.problem, self.times = problem, times
        self.time, self.steps = problem.inlet.start, 0
        self.values = np.zeros((2, cells, count))
        self.outlet = np.zeros((times.size, count))
        self.left, self.ever = np.zeros(count), np.zeros(count)
        self.highest, self.lowest, self.jump = np.zeros(count), np.zeros(count), np.zeros(count)
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
        stages = stages_of_step(self.problem, self.values, self.time, size, (self.low, self.high))
        before = self.values[:, self.low : self.high]
        after = before + np.tensordot(rosenbrock.B, stages, 1)
        total = np.maximum(np.abs(before.sum(axis=0)), np.abs(after.sum(axis=0))).max(axis=0)
        error = float((np.abs(stages[-1].sum(axis=0)).max(axis=0) / total).max()) / self.problem.tolerance
        factor = SAFETY * error ** (-1 / (rosenbrock.EMBEDDED_ORDER + 1)) if error > 0 else GROW
        if not np.isfinite(error) or size < 1e-13 * max(abs(end), 1.0) or self.steps >= MAX_STEPS:
            raise SolverError(f"the numerical solution stopped at {self.time:g} s: no step is small enough")
        if error <= 1:
            self._keep(stages, after, size, end)
        return size * min(max(factor, SHRINK), GROW)

    def _keep(self, stages: Array, after: Array, size: float, end: float) -> None:
        if self.high == self.problem.grid.cells:
            self._watch_outlet(stages[:, 0, -_TAIL:], after[0, -_TAIL:], size, end)
        self.values[:, self.low : self.high] = after
        self.time, self.steps = end, self.steps + 1

    def _watch_outlet(self, stages: Array, after: Array, size: float, end: float) -> None:
        """Read the outlet flux within a step from the last five cells, shapes (8, 5, m) and (5, m)."""
        before = self.values[0, -_TAIL:]
        states = before + np.tensordot(_STAGE_STATE, stages, 1)
        self.left += size * np.einsum("i,c,icm->m", rosenbrock.INTEGRAL, _OUTLET_FLUX, states)
        first, last = np.searchsorted(self.times, (self.time, end), side="right")
        start, stop = OUTLET_VALUE @ before, OUTLET_VALUE @ after
        if last > first:
            part = (self.times[first:last] - self.time) / size
            increments = np.tensordot(stages, OUTLET_VALUE, (1, 0))
            self.outlet[first:last] = rosenbrock.dense(part, start, stop, increments)
        self.highest, self.lowest = np.maximum(self.highest, stop), np.minimum(self.lowest, stop)
        self.jump = np.maximum(self.jump, np.abs(after[-1] - after[-2]))

    def _find_window(self) -> bool:
        """Find the cells where there is something now or can be after the next step; false when there is nothing."""
        inlet, grid = self.problem.inlet, self.problem.grid
        total = np.abs(self.values[:, self.low : self.high].sum(axis=0))
        if total.size:
            self.ever = np.maximum(self.ever, total.max(axis=0))
        busy = np.flatnonzero((total > FAINT * self.ever).any(axis=1))
        fed = self.time < inlet.end or bool(inlet.tail)
        if not (fed or busy.size):
            return False
        first = 0 if fed else max(self.low + int(busy[0]) - LOWER, 0)
        front = self.low + int(busy[-1]) if busy.size else 0
        self.high = min(front + self._margin(front), grid.cells)
        self.low = min(first, self.high - MIN_CELLS)
        return True

    def _margin(self, front: int) -> int:
        """Cells beyond the front that an implicit step reaches: the flux falls by a constant factor a cell."""
        kinetics = self.problem.kinetics
        shift = 1 / (rosenbrock.GAMMA * self.step)
        uptake = float((shift * (1 + kinetics.adsorption / (shift + kinetics.desorption))).min())
        fall = np.log1p(uptake * float(self.problem.grid.widths[front]))
        return int(REACH / fall) + MIN_CELLS

    def balance(self) -> Array:
        remaining = self.problem.grid.widths @ self.values.sum(axis=0)
        injected = self.problem.inlet.injected(self.time)
        return np.abs(injected - self.left - remaining) / injected

    def relative(self, amount: Array) -> Array:
        return np.divide(amount, self.highest, out=np.zeros_like(amount), where=self.highest > 0)


def stages_of_step(problem: Problem, values: Array, time: float, size: float, window: tuple[int, int]) -> Array:
    """Stages of one Rosenbrock step.

    Parameters
    ----------
    problem : Problem
        Grid, transport, kinetics and inlet.
    values : ndarray, shape (2, n, m)
        Fluxes and loadings at `time`.
    time, size : float
        Start and size of the step [s].
    window : (int, int)
        First cell, and one past the last, that the step changes.

    Returns
    -------
    ndarray, shape (8, 2, k, m)
        Increments of fluxes and loadings on the k cells of the window.
    """
    low, high = window
    count = problem.components
    lower, upper = LOWER * count, UPPER * count
    now, kinetics = values[:, low:high], problem.kinetics.within(low, high)
    bands = problem.bands[:, low * count : high * count]
    shift = 1 / (rosenbrock.GAMMA * size)
    sorption = stage_kinetics(kinetics, now[0], now[1], shift)
    matrix = np.zeros((lower + bands.shape[0], bands.shape[1]), order="F")
    matrix[lower:] = bands
    sorption.add_to(matrix, shift)
    factors, pivots, _ = lapack.dgbtrf(matrix, lower, upper, overwrite_ab=1)
    stages = np.zeros((rosenbrock.STAGES, *now.shape))
    flat = stages.reshape(rosenbrock.STAGES, -1)
    for stage in range(rosenbrock.STAGES):
        past = (_PAST[stage, :, :stage] @ flat[:stage]).reshape(2, *now.shape)
        flux, loading = now + past[0]
        right = past[1] / size
        right_loading = kinetics.rate(flux, loading) + right[1]
        right_total = right[0] + right[1]
        right_total -= blas.dgbmv(flux.size, flux.size, lower, upper, 1.0, bands, flux.ravel()).reshape(flux.shape)
        if low == 0:
            right_total[0] += _feed(problem, time, size, stage)
        loaded = sorption.solve(right_loading)
        right_total -= shift * loaded
        solved, _ = lapack.dgbtrs(factors, lower, upper, right_total.ravel(), pivots, overwrite_b=1)
        stages[stage, 0] = solved.reshape(flux.shape)
        stages[stage, 1] = loaded + sorption.solve(sorption.forward * stages[stage, 0])
    return stages


def _feed(problem: Problem, time: float, size: float, stage: int) -> float:
    """What the inlet adds to the first cell in a stage [1/s]."""
    flux, slope = problem.inlet.flux(time + rosenbrock.NODES[stage] * size, time + size / 2)
    return (flux + size * rosenbrock.TIME_WEIGHTS[stage] * slope) / float(problem.grid.widths[0])
