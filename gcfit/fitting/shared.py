"""One exponential tail for all peaks of a run, as one inlet makes it: an outer search around the fits of the windows.

Given the tail the windows are independent; the sum of their χ² is a function of the tail alone. Its minimum is the
estimate, its curvature the standard error, and how far the peaks move with the tail is added to their covariances.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.searches import solved_all
from gcfit.fitting.states import Search, State
from gcfit.fitting.task import Task, WindowMap, mapped
from gcfit.fitting.window_result import WindowResult

SHORTEST, LONGEST = 0.02, 6.0  # of the narrowest and the widest peak's σ, between which a tail is looked for
PLACES = 9  # at which the sum of χ² is taken before its minimum is narrowed down
PRECISE = 1e-3  # of the tail
STEP = 0.5  # of the standard error, for differences by the tail
HALVINGS = 6  # of the distance in which the sum of χ² rises by 1


@dataclass(frozen=True, eq=False)
class _Held:
    """All windows solved with a tail; `chi_squared` is infinite where one of them has no solution."""

    tail: float
    states: tuple[State | None, ...]
    chi_squared: float


def held(tasks: Sequence[Task]) -> list[State | None]:
    """Fit windows from their starts with their models and baselines as they are."""
    return solved_all([Search(task.whole, task.start, task.base_order) for task in tasks])


def with_tail(tasks: Sequence[Task], tail: float) -> list[Task]:
    """The tasks with a tail that all peaks share [s]."""
    return [replace(task, known=replace(task.known, tail=tail)) for task in tasks]


def with_best_tail(results: Sequence[WindowResult], map_: WindowMap) -> list[WindowResult]:
    """Fit windows again with the tail that describes all of them best.

    Parameters
    ----------
    results : sequence of WindowResult
        Windows as fitted with some tail; their models stand.
    map_ : callable
        Maps over windows.

    Returns
    -------
    list of WindowResult
        With the tail in their tasks, its standard error and the motion of the peaks with it; as they came where no
        window has a peak.
    """
    sound = [result for result in results if result.state is not None]
    if not sound:
        return list(results)
    search = _Search(sound, map_)
    best = search.best()
    error, motion = search.error_of(best)
    fitted = iter(zip(with_tail([result.task for result in sound], best.tail), best.states, motion, strict=True))
    return [result if result.state is None else WindowResult(*next(fitted), tail_error=error) for result in results]


class _Search:
    """Windows with peaks, their variances, and the solutions found so far, from which the next ones start."""

    def __init__(self, results: Sequence[WindowResult], map_: WindowMap) -> None:
        self.tasks = [result.task for result in results]
        self.map_, self.inflation = map_, max(self.tasks[0].inflation, 1.0)
        states = [result.state for result in results if result.state is not None]
        self.variances = [_variance(state, task) for task, state in zip(self.tasks, states, strict=True)]
        tail = self.tasks[0].known.tail or 0.0
        self.known = {tail: _Held(tail, tuple(states), self._sum(states))}
        widths = [peak.sigma for state in states for peak in state.peaks]
        self.shortest, self.longest = SHORTEST * min(widths), LONGEST * max(widths)

    def at(self, tail: float) -> _Held:
        """Solve all windows with a tail, from the nearest that is known."""
        if tail not in self.known or tail == self.tasks[0].known.tail:
            near = self.known[min(self.known, key=lambda one: abs(one - tail))]
            starts = [
                replace(task, start=state.peaks, base_order=state.base_order)
                for task, state in zip(with_tail(self.tasks, tail), near.states, strict=True)
                if state is not None
            ]
            states = tuple(mapped(held, starts, self.map_))
            if all(state is not None for state in states):
                self.known[tail] = _Held(tail, states, self._sum(states))
            else:
                return _Held(tail, near.states, np.inf)
        return self.known[tail]

    def _sum(self, states: Sequence[State | None]) -> float:
        return sum(
            state.solution.rss / variance
            for state, variance in zip(states, self.variances, strict=True)
            if state is not None
        )

    def best(self) -> _Held:
        """The tail with the least sum of χ²: among some places, then between the neighbours of the best."""
        from scipy.optimize import minimize_scalar

        places = [0.0, *np.geomspace(self.shortest, self.longest, PLACES).tolist()]
        values = [self.at(place).chi_squared for place in places]
        least = int(np.argmin(values))
        low, high = places[max(least - 1, 0)], places[min(least + 1, PLACES)]
        found = minimize_scalar(
            lambda tail: self.at(float(tail)).chi_squared,
            bounds=(low, high), method="bounded", options={"xatol": PRECISE * max(places[least], self.shortest)},
        )  # fmt: skip
        return min((self.at(float(found.x)), self.at(places[least])), key=lambda one: one.chi_squared)

    def error_of(self, best: _Held) -> tuple[float | None, list[tuple[Array, ...]]]:
        """Standard error of the tail [s], and the motion of each window's peaks with it.

        From the curvature of the sum of χ²; at a tail of 0, where it has none, from the tail that raises it by 1.
        """
        still: list[tuple[Array, ...]] = [() for _ in best.states]
        if best.tail < self.shortest:
            rise = self._raising(best)
            return (None, still) if rise is None else (self._scaled(rise), _motion(best, self.at(best.tail + rise)))
        step = min(0.02 * best.tail, best.tail)
        for _ in range(3):
            low, high = self.at(best.tail - step), self.at(best.tail + step)
            bend = (high.chi_squared - 2 * best.chi_squared + low.chi_squared) / step**2
            if not (np.isfinite(bend) and bend > 0):
                return None, still
            error = float(np.sqrt(2 / bend))
            if 0.3 < step / error < 1.0:
                break
            step = min(STEP * error, best.tail)
        return self._scaled(error), _motion(low, high)

    def _raising(self, best: _Held) -> float | None:
        """The tail [s] above the best that raises the sum of χ² by 1; None where none does."""
        above = [one for one in self.known.values() if one.tail > best.tail and one.chi_squared > best.chi_squared + 1]
        if not above:
            return None
        low, high = best.tail, min(one.tail for one in above)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if self.at(middle).chi_squared > best.chi_squared + 1 else (middle, high)
        return high - best.tail

    def _scaled(self, error: float | None) -> float | None:
        """The error for the noise as it is, whose neighbouring points are not independent."""
        return None if error is None else error * float(np.sqrt(self.inflation))


def _variance(state: State, task: Task) -> float:
    """Variance by which a window's residuals count: that of the noise, or of the misfit where it is larger."""
    freedom = max(state.solution.residual.size - state.solution.columns, 1)
    return max(task.deviation**2, state.solution.rss / freedom, float(np.finfo(float).tiny))


def _motion(low: _Held, high: _Held) -> list[tuple[Array, ...]]:
    """Derivatives of each peak's amplitude and coordinates by the tail, window by window."""
    distance = high.tail - low.tail
    return [
        tuple((up - down) / distance for up, down in zip(_columns(above), _columns(below), strict=True))
        for above, below in zip(high.states, low.states, strict=True)
        if above is not None and below is not None
    ]


def _columns(state: State) -> list[Array]:
    return [
        np.concatenate([[amplitude], peak.coordinates])
        for amplitude, peak in zip(state.solution.amplitudes, state.peaks, strict=True)
    ]
