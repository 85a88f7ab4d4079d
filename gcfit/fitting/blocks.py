"""Long windows, searched again block by block.

In a window of dozens of peaks what is left of each is in the way of all: models, missed peaks and the baseline are
decided for the whole. So blocks of neighbours whose peaks are described badly are searched once more as small windows
of their own, without the curves of all others and the baseline, and the whole goes on from where they ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

import numpy as np

from gcfit.fitting.certainty import without_phantoms
from gcfit.fitting.detect import Candidate
from gcfit.fitting.refine import leaves_less
from gcfit.fitting.restarts import searched
from gcfit.fitting.sense import sensible
from gcfit.fitting.states import Peak, State, solved
from gcfit.fitting.task import Task, WindowMap, part_of, valley
from gcfit.fitting.terms import CLOSE
from gcfit.fitting.window_result import WindowResult

SIZES = (6, 12), (3, 6), (2, 4), (1, 3)  # least and greatest number of candidates of a block, sweep by sweep
WORTH = 0.8  # of what a block leaves as part of its window; what leaves more is not followed up
LINE = 2  # order of a baseline


@dataclass(frozen=True, eq=False)
class _Block:
    """Some points of a window: the peaks that it held there, what they left, and the task of their own fit."""

    held: tuple[Peak, ...]
    left: float
    task: Task


def in_blocks(results: Sequence[WindowResult], map_: WindowMap) -> list[WindowResult]:
    """Search long windows of badly described peaks again block by block; those that end no better stay."""
    best = list(results)
    for sizes in SIZES:
        groups = [_blocks(result, *sizes) for result in best]
        if not any(groups):
            continue
        states = iter(searched([block.task for group in groups for block in group], map_))
        for k, group in enumerate(groups):
            ended = zip(group, islice(states, len(group)), strict=True)
            better = [(block, state) for block, state in ended if state and state.solution.rss < WORTH * block.left]
            best[k] = _joined(best[k], better)
    return best


def _blocks(result: WindowResult, least: int, most: int) -> list[_Block]:
    """The blocks of a window that hold badly described peaks."""
    task, state = result.task, result.state
    if state is None or task.model != "auto" or len(task.candidates) <= most:
        return []
    if not any(result.poor):
        return []
    blocks = []
    for first, last in pairwise((0, *_cuts(task, least, most), task.time.size)):
        begin, end = task.time[first], task.time[last - 1]
        candidates = tuple(one for one in task.candidates if begin <= one.apex_time <= end)
        inside = [begin <= peak.anchor <= end for peak in state.peaks]
        if candidates and any(one and badly for one, badly in zip(inside, result.poor, strict=True)):
            blocks.append(_block(result, state, slice(first, last), candidates, inside))
    return blocks


def _block(
    result: WindowResult, state: State, points: slice, candidates: tuple[Candidate, ...], inside: Sequence[bool]
) -> _Block:
    """A block with the curves of all peaks that are not `inside` and the baseline taken out."""
    task, others = result.task, result.baseline.copy()
    for own, amplitude, shape in zip(inside, state.solution.amplitudes, state.solution.curves, strict=True):
        if not own:
            others[shape.first : shape.last] += amplitude * shape.rows[0]
    held = tuple(peak for peak, own in zip(state.peaks, inside, strict=True) if own)
    alone = part_of(replace(task, signal=task.signal - others), points, candidates, min(state.base_order, LINE))
    return _Block(held, float(np.sum(state.solution.residual[points] ** 2)), alone)


def _cuts(task: Task, least: int, most: int) -> list[int]:
    """Points at which a window is cut into blocks of so many candidates: the deepest valleys."""
    cuts, begin = [], 0
    while begin + most < len(task.candidates):
        places = range(begin + least, begin + most + 1)
        valleys = [valley(task, task.candidates[k - 1], task.candidates[k]) for k in places]
        _, point, begin = min((-depth, point, k) for (point, depth), k in zip(valleys, places, strict=True))
        cuts.append(point)
    return cuts


def _joined(result: WindowResult, ended: Sequence[tuple[_Block, State]]) -> WindowResult:
    """A window that goes on from where its blocks ended: from all of them, or from each that leaves less."""
    together = _from(result, ended)
    if together is not None or len(ended) < 2:
        return together or result
    for one in ended:
        result = _from(result, [one]) or result
    return result


def _from(result: WindowResult, ended: Sequence[tuple[_Block, State]]) -> WindowResult | None:
    """A window searched from where some of its blocks ended; None where that leaves no less."""
    task, state = result.task, result.state
    if state is None or not ended:
        return None
    own = {peak.anchor for block, _ in ended for peak in block.held}
    kept = [peak for peak in state.peaks if peak.anchor not in own]
    new = [peak for _, block_state in ended for peak in block_state.peaks]
    joint = solved(task.whole, sorted([*kept, *new], key=lambda one: one.coordinates[0]), state.base_order, CLOSE)
    joint = None if joint is None else without_phantoms(task.whole, joint)
    joint = None if joint is None else sensible(task.whole, joint)
    return None if joint is None or not leaves_less(task.whole, state, joint) else WindowResult(task, joint)
