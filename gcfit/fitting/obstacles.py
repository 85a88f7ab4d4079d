"""What a window must not reach over: jumps of the level, and dips where only peaks that point upwards are fitted."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting.defects import Defects
from gcfit.fitting.detect import Candidate, find_troughs
from gcfit.fitting.records import FitSettings, Noise
from gcfit.fitting.windows import LEAST_POINTS, Window

DIP = 0.02  # of the range of the signal; smaller dips are none,
AMONG_SMALL = 0.4  # unless they are as deep as this part of the range of the signal around
CLEAR = 20.0  # least height of a dip, in standard deviations of the noise
FLANK = 4.0  # σ from the bottom of a dip to where it begins
CORE = 4.0  # σ around its apex that a peak keeps whatever is beside it
BESIDE = 30.0  # σ to both sides of a dip over which the trace must not come near its bottom
BELOW = 0.4  # part of its depth that a dip must lie below one side; a valley between peaks does not


def find_dips(part: Chromatogram, noise: Noise, defects: Defects, settings: FitSettings) -> tuple[Candidate, ...]:
    """Return the peaks that point downwards where only those that point upwards are fitted, in order of time."""
    low, high = float(part.signal.min()), float(part.signal.max())
    clear = CLEAR * noise.deviation
    shallow = np.count_nonzero(part.signal <= low + clear) > part.signal.size // 2
    if settings.polarity != "positive" or shallow:
        return ()
    found = find_troughs(part.time, part.signal, noise, defects)
    seen = (dip for dip in found if dip.height > clear)
    deep = (dip for dip in seen if dip.height > DIP * (high - low) or _among_small(dip, part))
    return tuple(dip for dip in deep if _below_its_sides(dip, part))


def _among_small(dip: Candidate, part: Chromatogram) -> bool:
    """Whether a dip is deep beside all that is around it, however high the signal is elsewhere."""
    reach = BESIDE * dip.sigma
    around = part.signal[slice(*np.searchsorted(part.time, [dip.apex_time - reach, dip.apex_time + reach]))]
    return dip.height > AMONG_SMALL * float(np.ptp(around))


def _below_its_sides(dip: Candidate, part: Chromatogram) -> bool:
    """Whether a dip goes below the lowest points on one side at least: where it does not, it is a valley."""
    places = dip.apex_time + dip.sigma * np.array([-BESIDE, -FLANK, -1.0, 1.0, FLANK, BESIDE])
    bounds = np.searchsorted(part.time, places)
    before, bottom, behind = (
        float(part.signal[first:last].min(initial=np.inf)) for first, last in bounds.reshape(3, 2).tolist()
    )
    sides = [side for side in (before, behind) if np.isfinite(side)]
    return not sides or max(sides) - bottom > BELOW * dip.height


def cut_short(
    windows: Sequence[Window], time: Array, defects: Defects, dips: Sequence[Candidate]
) -> tuple[Window, ...]:
    """Return the windows, each ending before the nearest obstacle on either side of its peaks.

    A dip between two peaks of a window parts it, since no baseline leads through the dip.
    """
    windows = [part for window in windows for part in _parted(window, time, dips)]
    steps = time[np.flatnonzero(defects.steps)].tolist()
    spans = [(step, step) for step in steps] + [
        (dip.apex_time - FLANK * dip.sigma, dip.apex_time + FLANK * dip.sigma) for dip in dips
    ]
    return tuple(_cut(window, time, spans) for window in windows) if spans else tuple(windows)


def _parted(window: Window, time: Array, dips: Sequence[Candidate]) -> list[Window]:
    """Return the parts of a window on either side of the dips between its peaks."""
    peaks = window.candidates
    for place, (before, after) in enumerate(pairwise(peaks), 1):
        between = [dip for dip in dips if before.apex_time < dip.apex_time < after.apex_time]
        if between:
            begin = max(between[0].apex_time - FLANK * between[0].sigma, before.apex_time)
            end = min(between[-1].apex_time + FLANK * between[-1].sigma, after.apex_time)
            last, first = (int(point) for point in np.searchsorted(time, [begin, end], side="right"))
            if min(last - window.first, window.last - first) < LEAST_POINTS:
                continue
            rest = Window(first, window.last, peaks[place:])
            return [Window(window.first, last, peaks[:place]), *_parted(rest, time, dips)]
    return [window]


def _cut(window: Window, time: Array, spans: Sequence[tuple[float, float]]) -> Window:
    begin = min(peak.apex_time - CORE * max(peak.sigma, peak.left_half_width) for peak in window.candidates)
    end = max(peak.apex_time + CORE * max(peak.sigma, peak.right_half_width) for peak in window.candidates)
    before = [stop for start, stop in spans if (start + stop) / 2 < begin]
    behind = [start for start, stop in spans if (start + stop) / 2 > end]
    first, last = window.first, window.last
    if before:
        first = max(first, int(np.searchsorted(time, min(max(before), begin), side="right")))
    if behind:
        last = min(last, int(np.searchsorted(time, max(min(behind), end), side="right")))
    return replace(window, first=first, last=last)
