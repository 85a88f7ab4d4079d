"""Which parts of a run are shown enlarged: the peaks that are too small or too many to be read in the overview."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gcfit.fitting.records import Fit, PeakFit

READABLE = 0.03  # share of a panel's height below which a peak cannot be judged
MOST_PANELS = 12
WHOLE, EMPTY = 0.8, 1 / 3  # shares of the run: a part so long, with a gap so long in it, enlarges nothing


@dataclass(frozen=True)
class Extent:
    """Where a fitted peak stands: time of its apex and range of its curve [s], signed height [signal unit]."""

    index: int
    apex: float
    start: float
    end: float
    height: float


@dataclass(frozen=True)
class Zoom:
    """One enlarged part: time range [s]; `peaks`, indices into the fit's, set the height, all in range if empty."""

    start: float
    end: float
    peaks: tuple[int, ...] = ()


def extents(fit: Fit) -> list[Extent]:
    """Extents of the peaks that have a curve, in the order of their apexes; the range ends at 1 % of the apex."""
    found = [_extent(fit, index, peak) for index, peak in enumerate(fit.peaks) if is_drawn(peak)]
    return sorted(found, key=lambda extent: extent.apex)


def is_drawn(peak: PeakFit) -> bool:
    """Whether a peak has a curve that can be drawn: a failed one has none, or no finite one."""
    return bool(peak.curve.size and np.isfinite(peak.curve).all() and peak.curve.any())


def is_fitted(fit: Fit) -> bool:
    """Whether anything was fitted: components that were expected and not found have rows, too."""
    return any(peak.found for peak in fit.peaks)


def _extent(fit: Fit, index: int, peak: PeakFit) -> Extent:
    time = fit.chromatogram.time
    size = np.abs(peak.curve)
    top = int(size.argmax())
    inside = np.flatnonzero(size >= 0.01 * size[top]) + peak.first
    return Extent(
        index, float(time[peak.first + top]), float(time[inside[0]]), float(time[inside[-1]]), float(peak.curve[top])
    )


def automatic(fit: Fit, start: float, end: float, span: float, room: int) -> tuple[Zoom, ...]:
    """Choose the parts to enlarge.

    Parameters
    ----------
    fit : Fit
        The fit.
    start, end : float
        The part of the run that is shown [s].
    span : float
        Height of the overview [signal unit].
    room : int
        Number of peaks that can be read side by side in a panel. More than that in the overview are shown again.

    The run is cut into parts of not more than `room` peaks; in each part the largest group of similar height sets
    the scale, and the peaks that are too high or too small for it are gathered over all parts for another round. A
    group that lies at opposite ends of the run is parted at its widest gap.
    """
    peaks = extents(fit)
    small = [peak for peak in peaks if abs(peak.height) < READABLE * span]
    left = peaks if len(peaks) - len(small) > room else small
    zooms: list[Zoom] = []
    while left and len(zooms) < MOST_PANELS:
        groups = [group for part in _parts(left, room) for group in _apart(level(part), end - start)]
        zooms += [_around(group, start, end) for group in groups]
        taken = {peak.index for group in groups for peak in group}
        left = [peak for peak in left if peak.index not in taken]
    return tuple(zooms[:MOST_PANELS])


def level(peaks: Sequence[Extent]) -> list[Extent]:
    """The largest group of peaks that can be read at one scale; of equal groups the one of the higher peaks."""
    heights = np.array([abs(peak.height) for peak in peaks])
    groups = [(heights <= top) & (heights >= READABLE * top) for top in np.sort(heights)[::-1]]
    best = max(groups, key=np.count_nonzero)
    return [peak for peak, inside in zip(peaks, best, strict=True) if inside]


def _parts(peaks: Sequence[Extent], room: int) -> list[list[Extent]]:
    """Peaks in time order, cut into parts of about equal number, each cut at the widest gap nearby."""
    count = -(-len(peaks) // room)
    gaps = [after.start - before.end for before, after in pairwise(peaks)]
    slack = max(room // 5, 1)
    cuts = [0]
    for part in range(1, count):
        wish = round(part * len(peaks) / count)
        nearby = range(max(wish - slack, cuts[-1] + 1), min(wish + slack, len(peaks) - 1) + 1)
        cuts.append(max(nearby, key=lambda cut: (gaps[cut - 1], -abs(cut - wish))))
    return [list(peaks[a:b]) for a, b in zip(cuts, [*cuts[1:], len(peaks)], strict=True)]


def _apart(peaks: Sequence[Extent], run: float) -> list[Sequence[Extent]]:
    """Peaks in time order, parted at the widest gap where they take nearly the whole run [s] and leave it empty."""
    gaps = [after.start - before.end for before, after in pairwise(peaks)]
    if not gaps or peaks[-1].end - peaks[0].start < WHOLE * run or max(gaps) < EMPTY * run:
        return [peaks]
    cut = gaps.index(max(gaps)) + 1
    return [peaks[:cut], peaks[cut:]]


def _around(peaks: Sequence[Extent], start: float, end: float) -> Zoom:
    first, last = min(peak.start for peak in peaks), max(peak.end for peak in peaks)
    margin = (0.06 if len(peaks) > 1 else 0.6) * (last - first)
    return Zoom(max(first - margin, start), min(last + margin, end), tuple(peak.index for peak in peaks))


def rows(spans: Sequence[tuple[float, float]]) -> list[int]:
    """Row of each span, the lowest in which it overlaps none before it."""
    ends: list[float] = []
    chosen = [0] * len(spans)
    for index in sorted(range(len(spans)), key=lambda i: spans[i]):
        start, end = spans[index]
        free = next((row for row, taken in enumerate(ends) if taken <= start), len(ends))
        ends[free : free + 1] = [end]
        chosen[index] = free
    return chosen
