"""Peaks that show only in what a solved window leaves: humps beside higher peaks, and what their tails cover."""

from collections.abc import Sequence

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.certainty import errors_of
from gcfit.fitting.detect import Candidate, find_peaks
from gcfit.fitting.neighbourhood import SumOfPeaks
from gcfit.fitting.records import Noise, Polarity
from gcfit.fitting.states import DECISIVE, Peak, State, WindowData, heights_of, solved, supports
from gcfit.fitting.together import TOUCHING

VAGUE = 0.5  # relative error of its area, at most
MISFIT = 4.0  # mean square of the residual, in variances of the noise, from which it is searched for peaks
RIPPLE = 0.12  # of the root mean square of the residual; what the misfit of peaks leaves is no smoother
SHARE = 0.5  # height of a hidden peak, as a part of what the others add up to where it stands
FAINTEST, AROUND = 0.005, 15.0  # of the height of any peak within so many σ
NARROWEST, WIDEST = 0.4, 1.6  # widths of the nearest peak
NEAR = 2.5  # σ around a hidden peak in which it must explain the residual
EXPLAINED = 0.75  # of the sum of squares there
VALLEY = 3.0  # standard deviations of the noise by which a valley parts two peaks
WHOLE = 2.5  # σ on either side of its apex that must be seen


def left_over(data: WindowData, state: State) -> tuple[Candidate, ...]:
    """Peaks that the residual of a solved window seems to hold, none where it is about the noise."""
    residual = _residual(data, state)
    if data.rigid or np.mean(residual**2) < MISFIT * data.deviation**2 or residual.size < 12:
        return ()
    level, signs = _level(data, state), {peak.sign for peak in state.peaks}
    polarity: Polarity = "both" if len(signs) == 2 else "positive" if 1 in signs else "negative"
    noise = Noise(max(data.deviation, RIPPLE * float(np.std(residual))))
    found = find_peaks(data.time, residual, noise, polarity=polarity)
    return tuple(
        candidate
        for candidate in found
        if candidate.height > SHARE * float(np.interp(candidate.apex_time, data.time, level))
        and _as_wide(candidate, state.peaks)
        and candidate.height > FAINTEST * _highest(candidate, state)
    )


def taken_up(data: WindowData, state: State, new: Sequence[tuple[Peak, float]]) -> list[Peak]:
    """The peaks of a solved window with those of some new ones, and their heights, that explain what it leaves.

    They are tried from the most striking down, each with the peaks beside it while the others stand.
    """
    peaks, whole = list(state.peaks), SumOfPeaks(data, state)
    for peak, height in sorted(new, key=lambda one: -one[1] * one[0].sigma):
        place = sum(one.coordinates[0] < peak.coordinates[0] for one in peaks)
        beside = [k for k in (place - 1, place) if 0 <= k < len(peaks) and _touch(peaks[k], peak)]
        local = whole.neighbourhood(peaks, beside, (peak, height))
        with_it = [*(peaks[k] for k in beside if k < place), peak, *(peaks[k] for k in beside if k >= place)]
        after = solved(local.data, with_it, local.base_order)
        before = solved(local.data, [peaks[k] for k in beside], local.base_order)
        if after is None or before is None or not supports(local.data, before, after, DECISIVE):
            continue
        if explained(local.data, before, after, after.peaks[with_it.index(peak)]):
            whole.insert(place)
            peaks.insert(place, peak)
            group = [place + k - with_it.index(peak) for k in range(len(with_it))]
            for k, fitted in zip(group, after.peaks, strict=True):
                peaks[k] = fitted
            whole.update(group, after.solution, local.first)
    return peaks


def _touch(one: Peak, other: Peak) -> bool:
    """Whether two peaks touch, so that a change of one may change the other."""
    return bool(abs(one.coordinates[0] - other.coordinates[0]) <= TOUCHING * (one.sigma + other.sigma) / 2)


def explained(data: WindowData, before: State, after: State, peak: Peak) -> bool:
    """Whether a peak takes up most of what was left where it stands, and stands out from the others there.

    A peak that did not would only mend the misfit of a neighbour; one that the points cut may be another's tail.
    """
    place = after.peaks.index(peak)
    apex, height = _apex(data, after, place)
    reach = WHOLE * float(np.exp(peak.coordinates[1]))
    if apex - reach < data.time[0] or apex + reach > data.time[-1]:
        return False
    if errors_of(data, after, place).get("area", 1.0) > VAGUE:
        return False
    others = float(np.interp(apex, data.time, _level(data, after))) - height
    if not _shows(data, after, place) and height < max(SHARE * others, float(np.abs(_residual(data, after)).max())):
        return False
    near = np.abs(data.time - peak.coordinates[0]) < NEAR * float(np.exp(peak.coordinates[1]))
    was, now = (float(np.sum(_residual(data, state)[near] ** 2)) for state in (before, after))
    return now < (1 - EXPLAINED) * was


def _shows(data: WindowData, state: State, place: int) -> bool:
    """Whether a peak of a solved window has a maximum of its own in the sum of all."""
    level = _level(data, state)
    tops = [shape.first + int(np.argmax(shape.rows[0])) for shape in state.solution.curves]
    own, lowest = tops[place], level[tops[place]] - VALLEY * data.deviation
    beside = [tops[k] for k in (place - 1, place + 1) if 0 <= k < len(tops)]
    return all(level[min(own, other) : max(own, other) + 1].min() < lowest for other in beside)


def _residual(data: WindowData, state: State) -> Array:
    """What the solved window leaves at the points that count, shape (n,) [signal unit]."""
    residual = state.solution.residual
    return residual if data.weights is None else residual * (data.weights > 0)


def _level(data: WindowData, state: State) -> Array:
    """Sum of the peaks of a solved window, shape (n,) [signal unit]."""
    level = np.zeros(data.time.size)
    for amplitude, shape in zip(state.solution.amplitudes, state.solution.curves, strict=True):
        level[shape.first : shape.last] += np.abs(amplitude * shape.rows[0])
    return level


def _highest(candidate: Candidate, state: State) -> float:
    """Height of the highest peak around a candidate [signal unit]."""
    return max(
        (
            height
            for peak, height in zip(state.peaks, heights_of(state), strict=True)
            if abs(peak.coordinates[0] - candidate.apex_time) < AROUND * float(np.exp(peak.coordinates[1]))
        ),
        default=0.0,
    )


def _apex(data: WindowData, state: State, place: int) -> tuple[float, float]:
    """Time [s] and height [signal unit] of the apex of a peak of a solved window."""
    shape, amplitude = state.solution.curves[place], float(state.solution.amplitudes[place])
    top = int(np.argmax(np.abs(shape.rows[0])))
    return float(data.time[shape.first + top]), abs(amplitude * float(shape.rows[0][top]))


def _as_wide(candidate: Candidate, peaks: Sequence[Peak]) -> bool:
    """Whether a candidate is about as wide as the nearest peak."""
    nearest = min(peaks, key=lambda peak: abs(peak.coordinates[0] - candidate.apex_time))
    width = max(float(np.exp(nearest.coordinates[1])), nearest.sigma)
    return NARROWEST * width < candidate.sigma < WIDEST * width
