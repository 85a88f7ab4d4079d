"""Badly described peaks between valleys, each few as a window of their own with a baseline of their own.

What a model leaves of a high peak is large beside the small ones on its tail, and what nobody can describe elsewhere in
a window bends the baseline under all. So where peaks are still described badly once all else is decided, those that a
valley parts from the others are skimmed: fitted by themselves, over their own points, without the curves of others that
are described well, as far as the trace beside is straighter so, above a baseline that owes nothing to the rest of the
window. They stay so where far less is left. Between two that stand higher no baseline is seen, and their task says that
they are hemmed in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.certainty import VAGUE, errors_of
from gcfit.fitting.detect import Candidate
from gcfit.fitting.misfit import height_of
from gcfit.fitting.parting import Piece, hollow_peaks
from gcfit.fitting.states import TINY, Peak, State, heights_of, solved
from gcfit.fitting.task import Task, part_of
from gcfit.fitting.terms import CLOSE
from gcfit.fitting.window_result import WindowResult

VALLEY = 0.3  # of the height of the lower of two peaks, by which the trace must fall between them
RISE = 0.1  # of what the trace falls beside a peak, by which it rises again where something else begins
BESIDE = 3  # peaks on either side of a badly described one that are skimmed with it where no valley parts them
SLOPE = 0.1  # of the height of a peak, by which what it stands on falls or rises over a narrow stretch
LEAST = 12  # points of a part
OUTSIDE = 3.0  # σ from a peak, beyond which the trace is that of others and the baseline
BEYOND = 1.25  # times the range of the signal of what is skimmed, higher than which no peak of it is
LESS = 0.5  # of the sum of squares of what is skimmed, of which no more may be left
OVER_LINE = 0.9  # of the area over a straight line that is above the baseline of what is skimmed at least
KEPT = 0.8  # of the area of a well described peak that stays with it at least


@dataclass(frozen=True)
class _Sweep:
    """Whether badly described neighbours are skimmed together; how far before and behind the outermost peaks [σ].

    Where a peak stands on a `slope`, as on the tail of a solvent, no baseline follows that far; elsewhere what is
    narrow cuts tails.
    """

    together: bool
    before: float
    behind: float
    slope: float


SWEEPS = _Sweep(False, 5.0, 8.0, SLOPE), _Sweep(False, 12.0, 16.0, 0.0), _Sweep(True, 12.0, 16.0, 0.0)
# the tasks of some points of the run, given another signal there and peaks that are known there
Again = Callable[[slice, Array, Sequence[Candidate]], list[Task]]


@dataclass(frozen=True, eq=False)
class Skim:
    """Some points of a window, the places of its peaks there, and what is not theirs in the window's signal there.

    They are `hemmed` in where something higher stands on either side.
    """

    points: slice
    places: tuple[int, ...]
    others: Array
    hemmed: bool


def skimmed(pieces: Sequence[Piece], again: Again, fit: Callable[[list[Task]], list[Piece]]) -> list[Piece]:
    """Skim the badly described peaks of windows; kept where far less is left of them.

    Parameters
    ----------
    pieces : sequence of Piece
    again : callable
        Finds the peaks of some points of the run and plans their windows.
    fit : callable
        Fits windows and cuts them.
    """
    tried: set[tuple[int, int]] = set()
    for sweep in SWEEPS:
        groups = [
            [skim for skim in _skims(piece.result, sweep) if _of_run(piece, skim) not in tried] for piece in pieces
        ]
        tried.update(_of_run(piece, skim) for piece, group in zip(pieces, groups, strict=True) for skim in group)
        pieces = _swept(pieces, groups, again, fit)
    return list(pieces)


def _swept(
    pieces: Sequence[Piece], groups: Sequence[Sequence[Skim]], again: Again, fit: Callable[[list[Task]], list[Piece]]
) -> list[Piece]:
    """Windows with what is skimmed of each, or as they were where that is no better."""
    planned = [
        replace(task, hemmed=skim.hemmed)
        for piece, group in zip(pieces, groups, strict=True)
        for skim in group
        for task in _planned(piece, skim, again)
    ]
    fits = fit(planned)
    ended: list[Piece] = []
    for piece, group in zip(pieces, groups, strict=True):
        better = []
        for skim in group:
            first, last = _of_run(piece, skim)
            parts = [one for one in fits if first <= one.result.task.first < last]
            if _better(piece, skim, parts):
                better.append((skim, [_whole(piece, skim, part) for part in parts if part.result.state is not None]))
        ended += without(piece, better) if better else [piece]
    return ended


def _planned(piece: Piece, skim: Skim, again: Again) -> list[Task]:
    """The tasks of what is skimmed, with the peaks that show there by themselves."""
    task = piece.result.task
    begin, end = task.time[[skim.points.start, skim.points.stop - 1]]
    known = [one for one in task.candidates if begin <= one.apex_time <= end]
    return again(slice(*_of_run(piece, skim)), task.signal[skim.points] - skim.others, known)


def _of_run(piece: Piece, skim: Skim) -> tuple[int, int]:
    """Between which points of the run something is skimmed."""
    first = piece.result.task.first
    return first + skim.points.start, first + skim.points.stop


def _better(piece: Piece, skim: Skim, parts: Sequence[Piece]) -> bool:
    """Whether far less is left of what is skimmed, its peaks are described better, and none is lost or made up."""
    task, state = piece.result.task, piece.result.state
    results = [part.result for part in parts if part.result.state is not None]
    if state is None or not results or not _leave_less(piece.result, results):
        return False
    bad = piece.result.poor
    found = [(result.task, result.state) for result in results if result.state is not None]
    still = sum(sum(result.poor) for result in results)
    firm = {one.apex_time for one in task.candidates if not one.shoulder}
    count = sum(len(after.peaks) for _, after in found)
    lost = not sum(state.peaks[k].anchor in firm for k in skim.places) <= count <= len(skim.places)
    if still >= sum(bad[k] for k in skim.places) or lost or any(made_up(result) for result in results):
        return False
    return all(
        any(own.time[0] <= state.peaks[k].anchor <= own.time[-1] for own, _ in found)
        if bad[k]
        else _kept(state.peaks[k], abs(float(state.solution.amplitudes[k])), found)
        for k in skim.places
    )


def _leave_less(whole: WindowResult, parts: Sequence[WindowResult]) -> bool:
    """Whether parts of a window leave far less than it did at their points."""
    was = now = 0.0
    for part in parts:
        if whole.state is not None and part.state is not None:
            first = part.task.first - whole.task.first
            was += float(np.sum(whole.state.solution.residual[first : first + part.task.time.size] ** 2))
            now += part.state.solution.rss
    return now < LESS * was


def made_up(part: WindowResult) -> bool:
    """Whether a peak of a part has an area that the data do not tell, or that its baseline takes from it."""
    task, state = part.task, part.state
    if state is None:
        return False
    if heights_of(state).max(initial=0.0) > BEYOND * np.ptp(task.signal):
        return True
    vague = (errors_of(task.whole, state, k).get("area", 1.0) > VAGUE for k in range(len(state.peaks)))
    return any(hollow_peaks(task, state)) or any(vague) or _arches(part)


def _arches(result: WindowResult) -> bool:
    """Whether the baseline of a part takes more from its peaks than the line from its first point to its last does."""
    if result.state is None:
        return False
    time, signal = result.task.time, result.state.peaks[0].sign * result.task.signal
    over_line = np.trapezoid(signal - np.interp(time, time[[0, -1]], signal[[0, -1]]), time)
    above = np.trapezoid(signal - result.state.peaks[0].sign * result.baseline, time)
    return bool(above < OVER_LINE * over_line)


def _kept(peak: Peak, area: float, found: Sequence[tuple[Task, State]]) -> bool:
    """Whether a peak is among others with its area."""
    new = [
        (one.anchor, abs(float(amplitude)))
        for _, state in found
        for one, amplitude in zip(state.peaks, state.solution.amplitudes, strict=True)
    ]
    anchor, other = min(new, key=lambda one: abs(one[0] - peak.anchor))
    return abs(anchor - peak.anchor) < peak.sigma and KEPT * area <= other <= area / KEPT


def _whole(piece: Piece, skim: Skim, part: Piece) -> Piece:
    """A part with all that is in the signal."""
    first, size = part.original.first - piece.original.first, part.original.time.size
    points = slice(first, first + size)
    removed = piece.original.signal[points] - piece.result.task.signal[points]
    removed = removed + skim.others[first - skim.points.start :][:size]
    return replace(part, original=replace(part.original, signal=part.original.signal + removed))


def _skims(result: WindowResult, sweep: _Sweep) -> list[Skim]:
    """What is skimmed of a window in a sweep."""
    task, state = result.task, result.state
    if state is None or task.model != "auto":
        return []
    bad = result.poor
    if not any(bad):
        return []
    tops = [shape.first + int(np.argmax(shape.rows[0])) for shape in state.solution.curves]
    order = np.argsort(tops, kind="stable").tolist()
    tops = [tops[k] for k in order]
    cuts = _valleys(task, state, order, tops)
    badly = [k for k, one in enumerate(bad) if one]
    skims = []
    for places in _runs([bad[k] for k in order], [depth > VALLEY for _, depth in cuts], sweep.together):
        bounds = [0, *(point for point, _ in cuts), task.time.size][places.start : places.stop + 1]
        own = tuple(order[k] for k in places)
        first, last = tops[places.start], tops[places.stop - 1]
        before, behind = state.peaks[own[0]], state.peaks[own[-1]]
        left, open_left = reach(task, before.sign, np.arange(first, bounds[0] - 1, -1), sweep.before * before.sigma)
        right, open_right = reach(task, behind.sign, np.arange(last, bounds[-1]), sweep.behind * behind.sigma)
        points = slice(first + 1 - left, last + right)
        seen = (open_left and (places.start == 0 or points.start > bounds[0])) or (
            open_right and (places.stop == len(order) or points.stop < bounds[-1])
        )
        if points.stop - points.start < LEAST:
            continue
        ends, height = task.signal[[points.start, points.stop - 1]], max(height_of(state, place) for place in own)
        if abs(ends[1] - ends[0]) >= sweep.slope * height:
            # nobody knows what those that are described badly add
            others = _others(task, state, [*own, *badly])[points]
            if not _straightens(task.time[points], task.signal[points], [state.peaks[k] for k in own], others):
                others = np.zeros_like(others)
            skims.append(Skim(points, own, others, not seen))
    return skims


def reach(task: Task, sign: int, away: NDArray[np.intp], duration: float) -> tuple[int, bool]:
    """How many of the points that lead away from an apex are a peak's, and whether the trace does not rise then.

    They last so long [s], or until it rises.
    """
    time = task.time[away]
    # two peaks may have the same apex
    values = sign * task.signal[away][np.abs(time - time[:1]) <= duration]
    if not values.size:
        return 0, False
    lowest = int(np.argmin(values))
    rises = bool(values[lowest:].max() - values[lowest] > RISE * (values[0] - values[lowest]))
    return lowest + 1 if rises else values.size, not rises


def _straightens(time: Array, signal: Array, peaks: Sequence[Peak], others: Array) -> bool:
    """Whether the trace beside some peaks is straighter without what others are said to add.

    No model knows how the tail of what is a thousand times as high goes on, or whether it was cut off.
    """
    beside = np.all([np.abs(time - peak.anchor) > OUTSIDE * peak.sigma for peak in peaks], axis=0)
    if np.count_nonzero(beside) < LEAST:
        return True
    x, y = time[beside] - time[0], np.stack([signal[beside], signal[beside] - others[beside]], axis=1)
    left = y - np.polynomial.polynomial.polyval(x, np.polynomial.polynomial.polyfit(x, y, 1)).T
    was, now = np.sum(left**2, axis=0)
    return bool(now <= was)


def _others(task: Task, state: State, own: Sequence[int]) -> Array:
    """The curves of all other peaks of a window, shape (n,)."""
    total = np.zeros_like(task.signal)
    for k, (amplitude, shape) in enumerate(zip(state.solution.amplitudes, state.solution.curves, strict=True)):
        if k not in own:
            total[shape.first : shape.last] += amplitude * shape.rows[0]
    return total


def _valleys(task: Task, state: State, order: Sequence[int], tops: Sequence[int]) -> list[tuple[int, float]]:
    """Where the trace is lowest between neighbours, and by how much, in heights of the lower of them."""
    valleys = []
    for (one, other), (left, right) in zip(pairwise(order), pairwise(tops), strict=True):
        sign, height = state.peaks[one].sign, min(height_of(state, one), height_of(state, other))
        point, fall = lowest_between(sign * task.signal, left, right)
        valleys.append((point, fall / max(height, TINY) if state.peaks[other].sign == sign else 0.0))
    return valleys


def lowest_between(signal: Array, left: int, right: int) -> tuple[int, float]:
    """Point between two, never the first of them, where a signal is lowest, and its fall to there.

    It is the middle where the signal does not fall.
    """
    between = signal[left : right + 1]
    lowest = int(np.argmin(between)) or (between.size + 1) // 2
    return left + lowest, float(min(between[0], between[-1]) - between.min())


def _runs(bad: Sequence[bool], parted: Sequence[bool], together: bool) -> list[range]:
    """Neighbours that are skimmed at once: badly described ones, with those beside them that no valley parts."""
    spans: list[range] = []
    for k in (k for k, one in enumerate(bad) if one):
        first, last = k, k + 1
        while first > 0 and k - first < BESIDE and not parted[first - 1]:
            first -= 1
        while last < len(bad) and last - k <= BESIDE and not parted[last - 1]:
            last += 1
        if spans and (first < spans[-1].stop or (together and bad[k - 1])):
            spans[-1] = range(spans[-1].start, max(last, spans[-1].stop))
        else:
            spans.append(range(first, last))
    return spans


def without(piece: Piece, skims: Sequence[tuple[Skim, list[Piece]]]) -> Sequence[Piece]:
    """A window cut into what is skimmed and the rest; as it was where nothing describes the rest."""
    task, state = piece.result.task, piece.result.state
    if state is None:
        return [piece]
    done = [part for _, parts in skims for part in parts]
    added = [part.result for part in done]
    bounds = [0, *(bound for skim, _ in skims for bound in (skim.points.start, skim.points.stop)), task.time.size]
    taken = {k for skim, _ in skims for k in skim.places}
    kept = [k for k in range(len(state.peaks)) if k not in taken]
    ground = piece.result.baseline + _others(task, state, kept)
    for first, last in zip(bounds[::2], bounds[1::2], strict=True):
        # a peak may stand just outside the points of its window
        begin = -np.inf if first == 0 else task.time[min(first, task.time.size - 1)]
        end = np.inf if last == task.time.size else task.time[last]
        peaks = [state.peaks[k] for k in kept if begin <= state.peaks[k].anchor < end]
        if peaks:
            rest = _rest(piece, slice(first, last), peaks, ground, added) if last - first >= LEAST else None
            if rest is None:
                return [piece]
            done.append(rest)
    return sorted(done, key=lambda one: one.result.task.first)


def _rest(
    piece: Piece, points: slice, peaks: Sequence[Peak], ground: Array, skimmed: Sequence[WindowResult]
) -> Piece | None:
    """Points of a window that are not skimmed, with their peaks, above all that the window had there beside them.

    What it took for the tails of what is skimmed stays, as far as that does not reach there any more.
    """
    time = piece.result.task.time[points]
    candidates = tuple(one for one in piece.result.task.candidates if time[0] <= one.apex_time <= time[-1])
    spill: Array = sum((one.total_at(time) for one in skimmed), np.zeros_like(time))
    base = ground[points] - spill
    original, own = (
        replace(part, signal=part.signal - base, rigid=True)
        for part in (part_of(one, points, candidates, 0) for one in (piece.original, piece.result.task))
    )
    own = replace(own, signal=own.signal - spill)
    state = solved(own.whole, peaks, 0, CLOSE)
    return None if state is None else Piece(original, WindowResult(own, state))
