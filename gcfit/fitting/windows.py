"""Which peaks are fitted together, and over which points: overlapping peaks share a window, windows do not overlap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.detect import Candidate

OVERLAP = 6.0  # σ; peaks nearer than this to each other's reach share a window
REACH_BEFORE, REACH_AFTER = 20.0, 40.0  # σ of free baseline that a window takes on either side, where there is room
HALF_WIDTH = float(np.sqrt(2 * np.log(2)))  # σ from the apex to half the height of a Gaussian
LEAST_POINTS = 12


@dataclass(frozen=True)
class Window:
    """The points `first` to `last` (exclusive) and the candidates that are fitted there."""

    first: int
    last: int
    candidates: tuple[Candidate, ...]


def plan(time: Array, candidates: Sequence[Candidate]) -> tuple[Window, ...]:
    """Group candidates, sorted by time, into windows.

    Parameters
    ----------
    time : ndarray, shape (n,)
        Times [s].
    candidates : sequence of Candidate

    Returns
    -------
    tuple of Window, in order of time; a window ends midway between its peaks' reach and that of its neighbour.
    """
    groups = _groups(candidates)
    cores = [(min(_left(c, OVERLAP) for c in g), max(_right(c, OVERLAP) for c in g)) for g in groups]
    windows = []
    for place, group in enumerate(groups):
        begin = min(_left(c, REACH_BEFORE) for c in group)
        end = max(_right(c, REACH_AFTER) for c in group)
        if place > 0:
            begin = max(begin, (cores[place - 1][1] + cores[place][0]) / 2)
        if place + 1 < len(groups):
            end = min(end, (cores[place][1] + cores[place + 1][0]) / 2)
        first, last = np.searchsorted(time, [begin, end])
        windows.append(_at_least(Window(int(first), int(last), tuple(group)), time.size))
    return tuple(windows)


def _groups(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    groups: list[list[Candidate]] = []
    reached = -np.inf
    for candidate in sorted(candidates, key=lambda c: _left(c, OVERLAP)):
        if groups and _left(candidate, OVERLAP) < reached:
            groups[-1].append(candidate)
        else:
            groups.append([candidate])
            reached = -np.inf
        reached = max(reached, _right(candidate, OVERLAP))
    return [sorted(group, key=lambda c: c.apex_time) for group in groups]


def _left(candidate: Candidate, sigmas: float) -> float:
    return candidate.apex_time - sigmas * max(candidate.sigma, candidate.left_half_width / HALF_WIDTH)


def _right(candidate: Candidate, sigmas: float) -> float:
    return candidate.apex_time + sigmas * max(candidate.sigma, candidate.right_half_width / HALF_WIDTH)


def _at_least(window: Window, points: int) -> Window:
    """Widen a window that holds too few points to be fitted."""
    lack = LEAST_POINTS - (window.last - window.first)
    if lack <= 0:
        return window
    first = max(window.first - (lack + 1) // 2, 0)
    return Window(first, min(first + LEAST_POINTS, points), window.candidates)
