"""The fits of all windows of a run, in rounds: neighbours' tails taken out, searches that stopped, one tail for all."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gcfit.fitting.blocks import in_blocks
from gcfit.fitting.parting import Piece, parted
from gcfit.fitting.plainer import plainer
from gcfit.fitting.rescue import rescued
from gcfit.fitting.restarts import searched
from gcfit.fitting.resting import at_rests
from gcfit.fitting.shared import with_best_tail, with_tail
from gcfit.fitting.skimming import Again, skimmed
from gcfit.fitting.states import State
from gcfit.fitting.task import Task, WindowMap, moved
from gcfit.fitting.window_result import WindowResult

SPILL_ROUNDS = 2
SPILL = 0.3  # of the noise; what a neighbour adds to a window beyond this is taken out
WORSE = 0.05  # part by which a window's sum of squares must rise for a neighbour's tail to be denied


def fitted(tasks: list[Task], map_: WindowMap, again: Again, *, at_once: bool = False) -> list[WindowResult]:
    """Fit all windows; those into which a neighbour's tail spills are fitted again without it.

    Windows in which high peaks drown small ones are cut, those of badly described peaks where the trace rests, long
    ones searched in blocks, and what is described badly then or not at all is fitted by itself, with what is found
    `again` there, unless all peaks are to be fitted `at_once`.
    """
    pieces = _windows(tasks, map_) if at_once else _by_themselves(_cut(tasks, map_), map_, again)
    results = [plainer(piece.result) for piece in pieces]
    originals = {piece.original.first: piece.original for piece in pieces}
    for _ in range(SPILL_ROUNDS):
        moves = []
        for place, result in enumerate(results):
            original, reaching = originals[result.task.first], _reaching(results, place)
            if result.state is None or not (reaching or result.task is not original):
                continue
            spill = sum((other.total_at(original.time) for other in reaching), np.zeros_like(original.time))
            before = original.signal - result.task.signal
            if np.abs(spill - before).max(initial=0.0) > SPILL * original.deviation:
                moves.append((place, moved(original, result.state, spill)))
        if not moves:
            break
        states = searched([task for _, task in moves], map_)
        for (place, task), state in zip(moves, states, strict=True):
            if state is not None and not _contradicted(state, results[place]):
                results[place] = plainer(WindowResult(task, state))
    return results


def _windows(tasks: list[Task], map_: WindowMap) -> list[Piece]:
    """Windows that are fitted whole."""
    return [Piece(task, WindowResult(task, state)) for task, state in zip(tasks, searched(tasks, map_), strict=True)]


def _by_themselves(pieces: list[Piece], map_: WindowMap, again: Again) -> list[Piece]:
    """Windows of which what is not described well as it is was fitted by itself."""

    def fit(tasks: list[Task]) -> list[Piece]:
        return _cut(tasks, map_)

    return skimmed(rescued(pieces, again, fit), again, fit)


def _cut(tasks: list[Task], map_: WindowMap) -> list[Piece]:
    """Windows that are fitted and cut."""
    pieces = at_rests(parted(_windows(tasks, map_), map_), map_)
    ended = in_blocks([piece.result for piece in pieces], map_)
    return [replace(piece, result=result) for piece, result in zip(pieces, ended, strict=True)]


def with_one_tail(tasks: list[Task], map_: WindowMap, again: Again, *, at_once: bool = False) -> list[WindowResult]:
    """Fit all windows with one tail.

    It is found with the simplest model first, so that no addition stands in for it; then models and baselines are
    chosen again, given that tail, and it is found again.
    """
    plain = [replace(task, model="laplace") if task.model == "auto" else task for task in tasks]
    results = with_best_tail(fitted(plain, map_, again, at_once=at_once), map_)
    tails = [result.task.known.tail for result in results if result.state is not None]
    if not tails:
        return results
    tail = tails[0] or 0.0
    tailed = fitted(with_tail(tasks, tail), map_, lambda *part: with_tail(again(*part), tail), at_once=at_once)
    return with_best_tail(tailed, map_)


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
