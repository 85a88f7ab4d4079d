"""Peaks that stand out and that no model took up: each by itself.

The flank of what a valve or the detector cut off may share a window with a peak. Then nothing describes both, or what
is made of the flank passes over the peak, and it would be lost. So what stands out far above the noise is fitted as far
as the trace falls away from it, above a baseline of its own, and kept where it is described well.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from gcfit.fitting.detect import Candidate
from gcfit.fitting.parting import Piece
from gcfit.fitting.resting import REST, rests
from gcfit.fitting.skimming import LEAST, Again, Skim, made_up, reach, without
from gcfit.fitting.task import Task, part_of
from gcfit.fitting.window_result import WindowResult

REACHES = (5.0, 8.0), (12.0, 16.0)  # σ before and behind a peak, close by first
SURE = 10.0  # times the noise, above which a candidate is no chance
UNSEEN = 0.3  # of the height of a candidate, of which more is left where no peak took it up
LEVEL = 0.05  # of the height of a candidate, by which the trace rises or falls at most where its baseline is seen
LINE = 2  # order of a baseline


def rescued(pieces: Sequence[Piece], again: Again, fit: Callable[[list[Task]], list[Piece]]) -> list[Piece]:
    """Fit the peaks that windows lost by themselves; kept where they are described well.

    Parameters
    ----------
    pieces : sequence of Piece
    again : callable
        Finds the peaks of some points of the run and plans their windows.
    fit : callable
        Fits windows and cuts them.
    """
    for before, behind in REACHES:
        groups = [_stretches(piece, before, behind) for piece in pieces]
        planned = [
            task
            for piece, group in zip(pieces, groups, strict=True)
            for candidate, stretch in group
            for task in again(_of_run(piece, stretch), piece.original.signal[stretch.points], (candidate,))
        ]
        fits = fit(planned) if planned else []
        pieces = [one for piece, group in zip(pieces, groups, strict=True) for one in _taken_out(piece, group, fits)]
    return list(pieces)


def _lost(result: WindowResult) -> list[Candidate]:
    """Candidates of a window far above the noise that it holds no more, and that nothing else describes."""
    task, state = result.task, result.state
    sure = [one for one in task.candidates if not one.shoulder and one.height > SURE * task.deviation]
    if task.model != "auto" or state is None:
        return sure if task.model == "auto" else []
    held = {peak.anchor for peak in state.peaks}
    lost = []
    for one in sure:
        near = np.abs(task.time - one.apex_time) <= one.sigma
        left = state.solution.residual[near]
        if one.apex_time not in held and left.size and np.sqrt(np.mean(left**2)) > UNSEEN * one.height:
            lost.append(one)
    return lost


def _stretches(piece: Piece, before: float, behind: float) -> list[tuple[Candidate, Skim]]:
    """The lost candidates of a window and what is fitted of it for each; none between two that stand higher."""
    lost = _lost(piece.result)
    if not lost:
        return []
    # what a window was rid of may be the tail of what is described badly
    task = piece.original
    firm = [one for one in task.candidates if not one.shoulder]
    tops = [int(np.argmin(np.abs(task.time - one.apex_time))) for one in firm]
    cuts = [
        first + int(np.argmin(one.sign * task.signal[first : last + 1]))
        for one, (first, last) in zip(firm, pairwise(tops), strict=False)
    ]
    stretches = []
    for one, top, (low, high) in zip(firm, tops, pairwise([0, *cuts, task.time.size]), strict=True):
        if one not in lost:
            continue
        left, open_left = reach(task, one.sign, np.arange(top, low - 1, -1), before * one.sigma)
        right, open_right = reach(task, one.sign, np.arange(top, high), behind * one.sigma)
        points = slice(top + 1 - left, top + right)
        seen = (open_left and points.start > low) or (open_right and points.stop < high)
        sides = (points.start, top), (top, points.stop)
        seen = seen or any(rests(task, *side, REST * one.sigma, one.height, LEVEL)[0].size for side in sides)
        if seen and points.stop - points.start >= LEAST:
            stretches.append((one, Skim(points, (), np.zeros_like(task.signal[points]), hemmed=False)))
    return stretches


def _of_run(piece: Piece, stretch: Skim) -> slice:
    """The points of the run that a stretch of a window is."""
    first = piece.original.first
    return slice(first + stretch.points.start, first + stretch.points.stop)


def _taken_out(piece: Piece, group: Sequence[tuple[Candidate, Skim]], fits: Sequence[Piece]) -> Sequence[Piece]:
    """What of a window is described well now, and the rest of it."""
    done: list[tuple[Skim, list[Piece]]] = []
    for candidate, stretch in group:
        own = _of_run(piece, stretch)
        parts = [one for one in fits if own.start <= one.result.task.first < own.stop]
        if _good(candidate, parts):
            done.append((stretch, parts))
    if not done:
        return [piece]
    return _undescribed(piece, done) if piece.result.state is None else without(piece, done)


def _good(candidate: Candidate, parts: Sequence[Piece]) -> bool:
    """Whether a candidate is among what was found, and all of that is described well and seen."""
    results = [part.result for part in parts]
    anchors = [peak.anchor for one in results if one.state is not None for peak in one.state.peaks]
    near = any(abs(anchor - candidate.apex_time) < candidate.sigma for anchor in anchors)
    return near and not any(any(one.poor) or made_up(one) for one in results)


def _undescribed(piece: Piece, done: Sequence[tuple[Skim, list[Piece]]]) -> list[Piece]:
    """Parts of a window that no model describes, and what is left of it with the candidates there, if any."""
    bounds = [0, *(bound for stretch, _ in done for bound in (stretch.points.start, stretch.points.stop))]
    spans = zip(bounds[::2], [*bounds[1::2], piece.original.time.size], strict=True)
    rest = [_rest(piece, slice(*span)) for span in spans]
    parts = [part for _, some in done for part in some]
    return sorted([*parts, *(one for one in rest if one is not None)], key=lambda one: one.result.task.first)


def _rest(piece: Piece, points: slice) -> Piece | None:
    """Some points of a window that no model describes; None where no candidate is there."""
    time = piece.original.time[points]
    candidates = tuple(one for one in piece.original.candidates if time.size and time[0] <= one.apex_time <= time[-1])
    if not candidates:
        return None
    original, own = (part_of(one, points, candidates, LINE) for one in (piece.original, piece.result.task))
    return Piece(original, WindowResult(own, None))
