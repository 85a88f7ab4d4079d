"""The fits of all windows of a run, in rounds: neighbours' tails taken out, searches that stopped, one tail for all."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gcfit.fitting.blocks import in_blocks
from gcfit.fitting.parting import Piece, parted
from gcfit.fitting.restarts import searched
from gcfit.fitting.resting import at_rests
from gcfit.fitting.shared import with_best_tail, with_tail
from gcfit.fitting.states import State
from gcfit.fitting.task import Task, WindowMap, moved
from gcfit.fitting.window_result import WindowResult

SPILL_ROUNDS = 2
SPILL = 0.3  # of the noise; what a neighbour adds to a window beyond this is taken out
WORSE = 0.05  # part by which a window's sum of squares must rise for a neighbour's tail to be denied


def fitted(tasks: list[Task], map_: WindowMap, *, at_once: bool = False) -> list[WindowResult]:
    """Fit all windows; those into which a neighbour's tail spills are fitted again without it.

    Windows in which high peaks drown small ones are cut, those of badly described peaks where the trace rests, and long
    ones searched in blocks, unless all peaks are to be fitted `at_once`.
    """
    found = zip(tasks, searched(tasks, map_), strict=True)
    pieces = [Piece(task, WindowResult(task, state)) for task, state in found]
    pieces = pieces if at_once else at_rests(parted(pieces, map_), map_)
    results = [piece.result for piece in pieces]
    results = results if at_once else in_blocks(results, map_)
    originals = {piece.original.first: piece.original for piece in pieces}
    for _ in range(SPILL_ROUNDS):
        again = []
        for place, result in enumerate(results):
            original, reaching = originals[result.task.first], _reaching(results, place)
            if result.state is None or not (reaching or result.task is not original):
                continue
            spill = sum((other.total_at(original.time) for other in reaching), np.zeros_like(original.time))
            before = original.signal - result.task.signal
            if np.abs(spill - before).max(initial=0.0) > SPILL * original.deviation:
                again.append((place, moved(original, result.state, spill)))
        if not again:
            break
        states = searched([task for _, task in again], map_)
        for (place, task), state in zip(again, states, strict=True):
            if state is not None and not _contradicted(state, results[place]):
                results[place] = WindowResult(task, state)
    return results


def with_one_tail(tasks: list[Task], map_: WindowMap, *, at_once: bool = False) -> list[WindowResult]:
    """Fit all windows with one tail.

    It is found with the simplest model first, so that no addition stands in for it; then models and baselines are
    chosen again, given that tail, and it is found again.
    """
    plain = [replace(task, model="laplace") if task.model == "auto" else task for task in tasks]
    results = with_best_tail(fitted(plain, map_, at_once=at_once), map_)
    tails = [result.task.known.tail for result in results if result.state is not None]
    if not tails:
        return results
    again = fitted(with_tail(tasks, tails[0] or 0.0), map_, at_once=at_once)
    return with_best_tail(again, map_)


def _contradicted(state: State, before: WindowResult) -> bool:
    """Whether a window was described better before its neighbours' tails were taken out: then they do not reach it."""
    if before.state is None:
        return False
    rise = state.solution.rss - before.state.solution.rss
    return rise > max(WORSE * before.state.solution.rss, 10 * before.task.inflation * before.task.deviation**2)


def _reaching(results: Sequence[WindowResult], place: int) -> list[WindowResult]:
    """The other windows whose peaks add something to a window's points."""
    begin, end = float(results[place].task.time[0]), float(results[place].task.time[-1])
    return [result for other, result in enumerate(results) if other != place and result.reaches(begin, end)]
