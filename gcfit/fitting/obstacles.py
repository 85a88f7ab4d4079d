"""What a window must not reach over: jumps of the level, and dips where only peaks that point upwards are fitted."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting.defects import Defects
from gcfit.fitting.detect import Candidate, find_peaks
from gcfit.fitting.noise import quantile
from gcfit.fitting.records import FitSettings, Noise
from gcfit.fitting.windows import Window

DIP = 0.02  # of the range of the signal; smaller dips are none
CLEAR = 20.0  # least height of a dip, in standard deviations of the noise
FLANK = 4.0  # σ from the bottom of a dip to where it begins
CORE = 4.0  # σ around its apex that a peak keeps whatever is beside it


def find_dips(part: Chromatogram, noise: Noise, settings: FitSettings) -> tuple[Candidate, ...]:
    """Return the peaks that point downwards where only those that point upwards are fitted, in order of time."""
    depth = quantile(part.signal, 0.5) - float(part.signal.min())
    least = max(CLEAR * noise.deviation, DIP * float(np.ptp(part.signal)))
    if settings.polarity != "positive" or depth <= least:
        return ()
    found = find_peaks(part.time, part.signal, noise, polarity="both")
    return tuple(peak for peak in found if peak.sign < 0 and peak.height > least)


def cut_short(
    windows: Sequence[Window], time: Array, defects: Defects, dips: Sequence[Candidate]
) -> tuple[Window, ...]:
    """Return the windows, each ending before the nearest obstacle on either side of its peaks."""
    steps = time[np.flatnonzero(defects.steps)].tolist()
    spans = [(step, step) for step in steps] + [
        (dip.apex_time - FLANK * dip.sigma, dip.apex_time + FLANK * dip.sigma) for dip in dips
    ]
    return tuple(_cut(window, time, spans) for window in windows) if spans else tuple(windows)


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
