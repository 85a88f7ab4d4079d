"""The fits of many windows; those whose search stopped before it settled are tried again."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gcfit.fitting.states import State
from gcfit.fitting.task import Task, WindowMap, mapped
from gcfit.fitting.window import fit_windows

RESTARTS = (1.0, 1.25, 0.8)  # widths, in those where a search stopped, from which it is tried again


def searched(tasks: Sequence[Task], map_: WindowMap) -> list[State | None]:
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
