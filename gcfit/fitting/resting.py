"""Windows of badly described peaks, cut where the trace comes to rest between and beside them.

Peaks share a window when their widths say that they may overlap, and a window takes in baseline far beside its peaks.
A disturbance or a tail that no model describes is then in the way of peaks that it does not touch: next to them the
trace is a level line for as long as a peak is wide. And where the baseline floats, far from the trace where that rests
for long, tails that cancel it are the model's invention, however well the sum describes what is seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.detect import Candidate
from gcfit.fitting.misfit import NOISE, explained
from gcfit.fitting.parting import Piece
from gcfit.fitting.restarts import searched
from gcfit.fitting.states import State, heights_of
from gcfit.fitting.task import Task, WindowMap, part_of
from gcfit.fitting.views import running_sum
from gcfit.fitting.window_result import WindowResult

REST = 3.0  # σ of a peak, of the narrower of two, that the trace rests beside it; the bottom of a valley is shorter
LEVEL = 0.02  # of the height of a peak, by which the trace rises or falls at most while it rests
LONG = 6.0, 3.0  # σ of the narrowest and the widest peak that the trace rests at least where the baseline is seen
STEADY = 0.1  # of what the baseline is away from there, by which the trace changes at most: a tail falls by more
FLOATING = 0.05  # of the height of a peak, by which the baseline is far from a trace that rests
SURE = 10.0  # times the noise, by which it is so
BEYOND = 1.25  # times the range of the signal of a part, higher than which no peak of it is
LEAST = 12  # points of a rest
LESS = 0.5  # of the sum of squares of the whole window, of which no more may be left of its parts
LINE = 2  # order of a baseline


@dataclass(frozen=True, eq=False)
class _Part:
    """A part of a window: with all that is in the signal, and without what others add."""

    original: Task
    task: Task


def at_rests(pieces: Sequence[Piece], map_: WindowMap) -> list[Piece]:
    """Cut windows of badly described peaks where the trace rests, and fit their parts; kept where far less is left.

    Where the baseline floated, the parts stand above lines, and are kept where these do not float.
    """
    floating = [_floats(piece.result) for piece in pieces]
    groups = [_parts(piece, floats) for piece, floats in zip(pieces, floating, strict=True)]
    states = iter(searched([part.task for group in groups for part in group], map_))
    ended = []
    for piece, group, floats in zip(pieces, groups, floating, strict=True):
        fits = zip(group, islice(states, len(group)), strict=True)
        parts = [Piece(part.original, WindowResult(part.task, state)) for part, state in fits]
        better = bool(parts) and (_grounded(parts) if floats else _better(piece.result, parts))
        ended += parts if better else [piece]
    return ended


def _floats(result: WindowResult) -> bool:
    """Whether the baseline of a window is far from the trace where that rests for long beside its peaks."""
    task = result.task
    if result.state is None or task.model != "auto" or task.crowded:
        return False
    sigmas = [one.sigma for one in task.candidates]
    duration = max(LONG[0] * min(sigmas), LONG[1] * max(sigmas))
    points, least = _points(task, duration), min(one.height for one in task.candidates)
    above, tops = task.signal - result.baseline, _tops(result.state)
    away = np.abs(above) > max(FLOATING * least, SURE * task.deviation)
    if np.count_nonzero(away & (tops == 0)) < points:
        return False  # as nearly always: nothing but flanks
    if explained(result.state, task.deviation):
        return False  # a long tail: all that is seen is one description
    places = np.searchsorted(task.time, [one.apex_time for one in task.candidates]).tolist()
    beside = [task.candidates[:1], *pairwise(task.candidates), task.candidates[-1:]]
    for some, (first, last) in zip(beside, pairwise([0, *places, task.time.size]), strict=True):
        if last - first < points:
            continue
        height, half = min(one.height for one in some), points // 2
        level = np.abs(_means(above[first:last], points))
        halves = _means(task.signal[first:last], half)
        change = np.abs(halves[points - half :] - halves[: level.size])
        far = (level > max(FLOATING * height, SURE * task.deviation)) & (change < STEADY / 2 * level)
        far &= _means(tops[first:last], points) == 0
        if far.any() and far[rests(task, first, last, duration, height)[0] - first].any():
            return True
    return False


def _tops(state: State) -> Array:
    """1 where a peak of a window is above half its height, as on a long injection's level top, else 0, shape (n,)."""
    tops = np.zeros_like(state.solution.residual)
    for shape in state.solution.curves:
        height = np.abs(shape.rows[0])
        tops[shape.first : shape.last][height > 0.5 * height.max(initial=0.0)] = 1.0
    return tops


def _means(values: Array, points: int) -> Array:
    """Mean of so many values from each on, shape (n - points + 1,)."""
    total = running_sum(values)
    return np.asarray((total[points:] - total[:-points]) / points)


def _grounded(parts: Sequence[Piece]) -> bool:
    """Whether parts of a window whose baseline floated have peaks that are seen, above baselines that do not float."""
    states = [(part.result.task, part.result.state) for part in parts]
    found = [(task, state) for task, state in states if state is not None]
    high = any(heights_of(state).max(initial=0.0) > BEYOND * np.ptp(task.signal) for task, state in found)
    return bool(found) and not high and not any(_floats(part.result) for part in parts)


def _better(whole: WindowResult, parts: Sequence[Piece]) -> bool:
    """Whether the parts of a window that have a peak's shape leave far less than it did at their points.

    A part may have none only where all that the window held there was described badly.
    """
    if whole.state is None:
        return any(part.result.state is not None for part in parts)
    good = ~np.array(whole.poor)
    anchors = np.array([peak.anchor for peak in whole.state.peaks])
    # a peak may stand just outside the points of its window
    owners = np.searchsorted([part.result.task.time[0] for part in parts[1:]], anchors, side="right")
    was = now = 0.0
    for place, part in enumerate(parts):
        task, after = part.result.task, part.result.state
        if after is not None:
            first = task.first - whole.task.first
            was += float(np.sum(whole.state.solution.residual[first : first + task.time.size] ** 2))
            now += after.solution.rss
        elif good[owners == place].any():
            return False
    return now < LESS * was


def _parts(piece: Piece, floats: bool) -> list[_Part]:
    """The parts of a window that holds badly described peaks or none, or whose baseline floats; else nothing.

    In a crowd a level stretch may as well be the saddle between two peaks on a third.
    """
    task, state = piece.result.task, piece.result.state
    free = task.model == "auto" and not task.rigid and not task.crowded
    if not free or (state is not None and not any(piece.result.poor) and not floats):
        return []
    groups, cuts = [[task.candidates[0]]], []
    for before, one in pairwise(task.candidates):
        if cut := _between(task, before, one):
            cuts.append(cut)
            groups.append([])
        groups[-1].append(one)
    bounds = [_before(task, task.candidates[0]), *cuts, _behind(task, task.candidates[-1])]
    if bounds == [0, task.time.size] and not floats:
        return []
    spans = zip(groups, pairwise(bounds), strict=True)
    return [_part(piece.original, task, slice(*ends), tuple(group), floats) for group, ends in spans]


def _part(original: Task, task: Task, points: slice, candidates: tuple[Candidate, ...], rigid: bool) -> _Part:
    return _Part(*(replace(part_of(one, points, candidates, LINE), rigid=rigid) for one in (original, task)))


def _between(task: Task, before: Candidate, after: Candidate) -> int:
    """The middle of the straightest rest between two candidates; 0 where the trace does not rest there."""
    first, last = np.searchsorted(task.time, [before.apex_time, after.apex_time]).tolist()
    sigma, height = min(before.sigma, after.sigma), min(before.height, after.height)
    starts, scatter, points = rests(task, first, last, REST * sigma, height)
    return int(starts[np.argmin(scatter)]) + points // 2 if starts.size else 0


def _before(task: Task, peak: Candidate) -> int:
    """Where the last rest before a candidate begins; 0 where the trace does not rest there."""
    starts, _, _ = rests(task, 0, int(np.searchsorted(task.time, peak.apex_time)), REST * peak.sigma, peak.height)
    return int(starts[-1]) if starts.size else 0


def _behind(task: Task, peak: Candidate) -> int:
    """Where the first rest after a candidate ends; the end of the window where the trace does not rest there."""
    first, last = int(np.searchsorted(task.time, peak.apex_time)), task.time.size
    starts, _, points = rests(task, first, last, REST * peak.sigma, peak.height)
    return int(starts[0]) + points if starts.size else last


def _points(task: Task, duration: float) -> int:
    """Points of a rest of some duration [s]."""
    interval = (task.time[-1] - task.time[0]) / (task.time.size - 1)
    return max(LEAST, round(float(duration / interval)))


def rests(
    task: Task, first: int, last: int, duration: float, height: float, level: float = LEVEL
) -> tuple[NDArray[np.intp], NDArray[np.float64], int]:
    """First points of all stretches of some duration [s] in which the trace rests, their scatter, and their points.

    It rises or falls there by a share of a height, its `level`, at most.
    """
    points = _points(task, duration)
    if last - first < points:
        return np.zeros(0, dtype=np.intp), np.zeros(0), points
    stretches = sliding_window_view(task.signal[first:last] - task.signal[first], points)
    line = np.linspace(-1.0, 1.0, points)
    slopes = stretches @ line / (line @ line)
    scatter = np.sqrt(np.maximum(stretches.var(axis=1) - slopes**2 * np.mean(line**2), 0.0))
    resting = (2 * np.abs(slopes) <= level * height) & (scatter <= NOISE * task.deviation)
    places = np.flatnonzero(resting)
    return first + places, scatter[places], points
