"""The fits of all windows of a run, in rounds: neighbours' tails taken out, searches that stopped, one tail for all."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gcfit.fitting.peaks import WindowResult
from gcfit.fitting.records import Noise
from gcfit.fitting.shared import with_best_tail, with_tail
from gcfit.fitting.states import State
from gcfit.fitting.task import Task, WindowMap, mapped, moved
from gcfit.fitting.window import fit_windows

SPILL_ROUNDS = 2
SPILL = 0.3  # of the noise; what a neighbour adds to a window beyond this is taken out
WORSE = 0.05  # part by which a window's sum of squares must rise for a neighbour's tail to be denied
RESTARTS = (1.0, 1.25, 0.8)  # widths, in those where a search stopped, from which it is tried again


def fitted(tasks: list[Task], noise: Noise, map_: WindowMap) -> list[WindowResult]:
    """Fit all windows; those into which a neighbour's tail spills are fitted again without it."""
    results = [WindowResult(task, state) for task, state in zip(tasks, _searched(tasks, map_), strict=True)]
    originals = {task.first: task for task in tasks}
    for _ in range(SPILL_ROUNDS):
        again = []
        for place, result in enumerate(results):
            original, reaching = originals[result.task.first], _reaching(results, place)
            if result.state is None or not (reaching or result.task is not original):
                continue
            spill = sum((other.total_at(original.time) for other in reaching), np.zeros_like(original.time))
            before = original.signal - result.task.signal
            if np.abs(spill - before).max(initial=0.0) > SPILL * noise.deviation:
                again.append((place, moved(original, result.state, spill)))
        if not again:
            break
        states = _searched([task for _, task in again], map_)
        for (place, task), state in zip(again, states, strict=True):
            if state is not None and not _contradicted(state, results[place].state, noise):
                results[place] = WindowResult(task, state)
    return results


def with_one_tail(tasks: list[Task], noise: Noise, map_: WindowMap) -> list[WindowResult]:
    """Fit all windows with one tail.

    It is found with the simplest model first, so that no addition stands in for it; then models and baselines are
    chosen again, given that tail, and it is found again.
    """
    plain = [replace(task, model="laplace") if task.model == "auto" else task for task in tasks]
    results = with_best_tail(fitted(plain, noise, map_), noise, map_)
    tails = [result.task.known.tail for result in results if result.state is not None]
    if not tails:
        return results
    return with_best_tail(fitted(with_tail(tasks, tails[0] or 0.0), noise, map_), noise, map_)


def _contradicted(state: State, before: State | None, noise: Noise) -> bool:
    """Whether a window was described better before its neighbours' tails were taken out: then they do not reach it."""
    if before is None:
        return False
    rise = state.solution.rss - before.solution.rss
    return rise > max(WORSE * before.solution.rss, 10 * noise.inflation * noise.deviation**2)


def _searched(tasks: Sequence[Task], map_: WindowMap) -> list[State | None]:
    """Fit windows; a search that stopped before it settled goes on from there, then from other widths."""
    states = mapped(fit_windows, tasks, map_)
    for width in RESTARTS:
        stopped = [(k, state) for k, state in enumerate(states) if state is not None and not state.solution.converged]
        trials = mapped(fit_windows, [_restarted(tasks[k], state, width) for k, state in stopped], map_)
        for (k, state), trial in zip(stopped, trials, strict=True):
            if trial is not None and (trial.criterion < state.criterion or _as_good(trial, state)):
                states[k] = trial
    return states


def _restarted(task: Task, state: State, width: float) -> Task:
    """The task from where its search stopped, its peaks wider by a factor."""
    peaks = tuple(
        replace(peak, coordinates=peak.coordinates + np.log(width) * (np.arange(peak.coordinates.size) == 1))
        for peak in state.peaks
    )
    return replace(task, start=peaks, base_order=state.base_order)


def _as_good(trial: State, state: State) -> bool:
    """Whether a search that settled ended as low as one that did not, to what it calls settled."""
    return trial.solution.converged and trial.criterion < state.criterion + 0.1


def _reaching(results: Sequence[WindowResult], place: int) -> list[WindowResult]:
    """The other windows whose peaks add something to a window's points."""
    begin, end = float(results[place].task.time[0]), float(results[place].task.time[-1])
    return [result for other, result in enumerate(results) if other != place and result.reaches(begin, end)]
