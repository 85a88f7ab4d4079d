"""Windows in which high peaks drown small ones, cut between them.

No model describes a measured peak to more than some thousandths of its height. Where peaks a thousand times smaller
share its window, what it leaves is larger than they are: they and the baseline are spent on it. So the small ones are
found again by themselves, without the curves of the high ones, and the high ones without these, above the baseline
that leads from one side to the other, or one that bends where that line sags.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.detect import Candidate
from gcfit.fitting.misfit import NOISE
from gcfit.fitting.restarts import searched
from gcfit.fitting.sense import as_found
from gcfit.fitting.states import TINY, Peak, State, heights_of
from gcfit.fitting.task import Task, WindowMap, part_of, valley
from gcfit.fitting.window_result import WindowResult

SMALL = 0.02  # of the height of the highest peak of a window
DROWNED = 0.02  # of the height of a small peak, of which more is left where it is
SWAMPED = 0.5  # of the height of a small peak, of which more is left in the window
NEAR = 2.0  # σ around a small peak that are its place
VALLEY = 0.3  # of the height of the smaller of two peaks, by which the trace must fall between them
HOLLOW = 3.0  # times the area of a Gaussian as high and wide, more than a tail that is seen adds to it
HOLLOW_ROUNDS = 3  # as one that is no longer hollow may leave that to its neighbour
WORSE = 2.0  # times the sum of squares that was left of the high peaks, beyond which a cut is given up
WELL = 5e-4  # of the scatter of the signal, of which no more may be left of the high peaks all the same
SAGS = 0.5  # of the sum of squares above a bridge, of which no more may be left above a baseline that bends
LEAST = 12  # points of a part
LINE = 2  # order of a baseline


@dataclass(frozen=True, eq=False)
class Piece:
    """A window or a part of one: its task with all that is in the signal, and its result without what others add."""

    original: Task
    result: WindowResult


@dataclass(frozen=True)
class _Span:
    """Points `first` to `last` of a window, the candidates there and whether some are high."""

    first: int
    last: int
    candidates: tuple[Candidate, ...]
    high: bool


@dataclass(frozen=True, eq=False)
class _Part:
    """A part of a window that is to be fitted: with all that is in the signal, and without what others add.

    `held` are the peaks that the window had there.
    """

    original: Task
    task: Task
    high: bool
    held: tuple[Peak, ...]


def parted(pieces: Sequence[Piece], map_: WindowMap) -> list[Piece]:
    """Cut windows in which high peaks drown small ones, and fit their parts.

    The high ones come first, above a line, then the low ones without the curves of these, then the high ones again
    above the baseline between the low ones, or one of their own where that describes them far better.
    """
    groups = [_parts(piece) for piece in pieces]
    parts = [part for group in groups for part in group]
    high = {k: part for k, part in enumerate(parts) if isinstance(part, _Part) and part.high}
    low = {k: part for k, part in enumerate(parts) if isinstance(part, _Part) and not part.high}
    if not low:
        return list(pieces)
    straight = [replace(part.task, base_order=min(part.task.base_order, LINE), rigid=True) for part in high.values()]
    first = [WindowResult(task, state) for task, state in zip(straight, searched(straight, map_), strict=True)]
    alone = [_without(part.task, first) for part in low.values()]
    small = [WindowResult(task, state) for task, state in zip(alone, searched(alone, map_), strict=True)]
    small = _not_hollow(small, map_)
    done = {k: part for k, part in enumerate(parts) if isinstance(part, Piece)}
    done |= {k: Piece(part.original, result) for (k, part), result in zip(low.items(), small, strict=True)}
    bridges = {k: _bridged(part, done.get(k - 1), done.get(k + 1)) for k, part in high.items()}
    again = _again(bridges, dict(zip(high, first, strict=True)), small, map_)
    done |= again | _bent({k: piece for k, piece in again.items() if bridges[k] is not high[k]}, map_)
    ends = list(accumulate(len(group) for group in groups))
    return [
        one
        for piece, group, end in zip(pieces, groups, ends, strict=True)
        for one in _better(piece, group, [done[k] for k in range(end - len(group), end)])
    ]


def _better(piece: Piece, parts: Sequence[Piece | _Part], after: Sequence[Piece]) -> Sequence[Piece]:
    """The parts of a window, where they describe the low ones better and the high ones well enough; else the window.

    By what factor the sums of squares fall counts in the mean over the low parts, as each stands for peaks of its own.
    """
    if piece.result.state is None or len(parts) < 2:
        return [piece]
    residual, gains = piece.result.state.solution.residual, []
    was = now = scatter = 0.0
    for part, one in zip(parts, after, strict=True):
        first, signal = one.original.first - piece.original.first, one.original.signal
        sums = [float(np.sum(left**2)) for left in (residual[first : first + signal.size], _left(one.result))]
        if isinstance(part, _Part) and part.high:
            was, now, scatter = was + sums[0], now + sums[1], scatter + signal.size * float(np.var(signal))
        else:
            gains.append(np.log(max(sums[0], TINY) / max(sums[1], TINY)))
    return after if np.mean(gains) > 0 and now < max(WORSE * was, WELL * scatter) else [piece]


def _left(result: WindowResult) -> Array:
    """What a fit leaves of the signal at its points, shape (n,); without peaks, what a line leaves."""
    return result.task.signal - _ground(result) if result.state is None else result.state.solution.residual


def _ground(result: WindowResult) -> Array:
    """The baseline of a window at its points, shape (n,); without peaks, a line."""
    time, signal = result.task.time, result.task.signal
    return result.baseline if result.state else np.asarray(np.polynomial.Polynomial.fit(time, signal, 1)(time))


def _not_hollow(results: Sequence[WindowResult], map_: WindowMap) -> list[WindowResult]:
    """Low parts; those of their peaks that are all tail start once more as they were found."""
    best = list(results)
    for _ in range(HOLLOW_ROUNDS):
        starts = {}
        for k, result in enumerate(best):
            if (state := result.state) is not None and any(hollow := hollow_peaks(result.task, state)):
                starts[k] = tuple(
                    as_found(peak) if one else peak for peak, one in zip(state.peaks, hollow, strict=True)
                )
        tasks = [replace(results[k].task, start=start) for k, start in starts.items()]
        for k, task, state in zip(starts, tasks, searched(tasks, map_), strict=True):
            best[k] = WindowResult(task, state)
    return best


def hollow_peaks(task: Task, state: State) -> list[bool]:
    """Whether most of each peak's area lies where nobody sees it: what the high peaks leave, taken for a tail."""
    amplitudes = np.abs(state.solution.amplitudes)
    sigmas = np.array([max(peak.sigma, np.exp(peak.coordinates[1])) for peak in state.peaks])
    widths = np.sqrt(2 * np.pi) * sigmas + task.known.injection + (task.known.tail or 0.0)
    return [bool(one) for one in amplitudes > HOLLOW * widths * heights_of(state)]


def _again(
    parts: Mapping[int, _Part], first: Mapping[int, WindowResult], small: Sequence[WindowResult], map_: WindowMap
) -> dict[int, Piece]:
    """High parts fitted again without the small peaks, from where each was and from what the whole window had there."""
    starts = [(k, state.peaks) for k in parts if (state := first[k].state) is not None]
    starts += [(k, part.held) for k, part in parts.items() if part.held]
    trials = [replace(_without(parts[k].task, small), start=peaks) for k, peaks in starts]
    best: dict[int, WindowResult] = {}
    least: dict[int, float] = {}
    for (k, _), task, state in zip(starts, trials, searched(trials, map_), strict=True):
        if state is not None and state.criterion < least.get(k, np.inf):
            best[k], least[k] = WindowResult(task, state), state.criterion
    return {k: Piece(part.original, best.get(k, first[k])) for k, part in parts.items()}


def _bent(bridged: Mapping[int, Piece], map_: WindowMap) -> dict[int, Piece]:
    """Bridged parts of badly described peaks, where a baseline of their own leaves far less: the bridge may sag."""
    poor = {
        k: (piece, state)
        for k, piece in bridged.items()
        if (state := piece.result.state) is not None and any(piece.result.poor)
    }
    tasks = [replace(piece.result.task, rigid=False, start=state.peaks) for piece, state in poor.values()]
    bent = {}
    for (k, (piece, before)), task, state in zip(poor.items(), tasks, searched(tasks, map_), strict=True):
        if state is not None and state.solution.rss < SAGS * before.solution.rss:
            bent[k] = Piece(replace(piece.original, rigid=False), WindowResult(task, state))
    return bent


def _parts(piece: Piece) -> Sequence[Piece | _Part]:
    """The parts of a window, high and low in turn; the window itself where no peak is drowned."""
    task, state = piece.result.task, piece.result.state
    spans = [] if state is None else _spans(task, state)
    if state is None or len(spans) < 2:
        return [piece]
    return [_part(piece.original, task, state, span) for span in spans]


def _spans(task: Task, state: State) -> list[_Span]:
    """Where to cut a window; one span where no peak is drowned."""
    least = SMALL * max(one.height for one in task.candidates)
    spans = [_Span(0, task.time.size, task.candidates[:1], task.candidates[0].height >= least)]
    for before, one in pairwise(task.candidates):
        span, high = spans[-1], one.height >= least
        cut, depth = valley(task, before, one) if high != span.high else (0, 0.0)
        if depth <= VALLEY or cut - span.first < LEAST or task.time.size - cut < LEAST:
            spans[-1] = replace(span, candidates=(*span.candidates, one), high=span.high or high)
        else:
            spans[-1:] = [replace(span, last=cut), _Span(cut, task.time.size, (one,), high)]
    joined = []
    for low, some in groupby(
        spans, lambda span: not span.high and any(_drowned(task, state, c) for c in span.candidates)
    ):
        group = list(some)
        joined.append(
            _Span(group[0].first, group[-1].last, tuple(c for span in group for c in span.candidates), not low)
        )
    return joined


def _drowned(task: Task, state: State, candidate: Candidate) -> bool:
    """Whether far more than noise is left where a candidate was found, and more than a share of its height."""
    reach = NEAR * candidate.sigma
    first, last = np.searchsorted(task.time, [candidate.apex_time - reach, candidate.apex_time + reach])
    here, anywhere = _size(state.solution.residual[first:last]), _size(state.solution.residual)
    share = max(here / DROWNED, anywhere / SWAMPED)
    return max(here, anywhere) > NOISE * task.deviation and share > candidate.height


def _size(residual: Array) -> float:
    return float(np.sqrt(np.mean(residual**2))) if residual.size else 0.0


def _part(original: Task, task: Task, state: State, span: _Span) -> _Part:
    """The part of a window; a high one's baseline bends as much as the window's did there."""
    points = slice(span.first, span.last)
    time, share = task.time[points], (span.last - span.first) / task.time.size
    order = max(LINE, round(share * (state.base_order if span.high else task.base_order)))
    own = part_of(task, points, span.candidates, task.base_order if task.rigid else order)
    held = tuple(peak for peak in state.peaks if time[0] <= peak.anchor <= time[-1])
    return _Part(replace(own, signal=original.signal[points]), own, span.high, held)


def _bridged(part: _Part, before: Piece | None, after: Piece | None) -> _Part:
    """A part above the baseline that leads from one neighbour to the other, where both touch it and have one."""
    task = part.task
    if task.rigid or before is None or after is None:
        return part
    left, right = before.result, after.result
    touching = left.task.first + left.task.time.size == task.first and task.first + task.time.size == right.task.first
    if not touching:
        return part
    ends = [float(left.task.time[-1]), float(right.task.time[0])]
    base = np.interp(task.time, ends, [_ground(left)[-1], _ground(right)[0]])
    original, own = (
        replace(one, signal=one.signal - base, base_order=0, rigid=True) for one in (part.original, part.task)
    )
    return replace(part, original=original, task=own)


def _without(task: Task, others: Sequence[WindowResult]) -> Task:
    """A task without the curves of other windows."""
    spill = sum((one.total_at(task.time) for one in others), np.zeros_like(task.time))
    return replace(task, signal=task.signal - spill)
