"""Find the peaks of a trace: where it bulges, at some scale, by more than its noise allows."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.curvature import LocalNoise, bulges
from gcfit.fitting.defects import find_defects
from gcfit.fitting.local_noise import regional_factor, ripple_factor
from gcfit.fitting.records import Noise, Polarity
from gcfit.fitting.ridges import Ridges, follow

Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
SIGNIFICANCE = 5.5  # of a bulge, in standard deviations: under 1 false in 100 traces of 40,000 points
SPLIT = 0.03  # smallest dip between two bulges, as a part of the larger
WIDEST = 0.08  # largest scale, as a part of the trace
LEAST_NOISE = 1e-9  # of the range of the signal: below it lies rounding
QUANTUM = 0.6  # steps of a quantised signal that count as one standard deviation at least
PROFILE = np.arange(-8, 8.01, 0.25)  # where the trace is looked at around a candidate, in its widths
HALF = 0.25  # half width of the mean taken there
FALL = 0.25  # part of its height by which the trace must fall on both sides of a peak
LOBE = 0.25  # part of its curvature that must bend the other way on both sides of a rider
TOUCH = 8.0  # greatest distance of a shoulder from its peak, in the sum of their widths
NEGLIGIBLE = 0.002  # height of a shoulder, as a part of that of the peak that it touches
ENVELOPE = 0.3  # part of the height of a wide bulge that a narrower one within it must have to make it up
HALF_HEIGHT = 1.1774100225154747  # sqrt(2 ln 2): half width at half height of a Gaussian


@dataclass(frozen=True)
class Candidate:
    """A peak that the trace seems to hold.

    Parameters
    ----------
    apex_time : float
        Time of the apex [s]; of the greatest curvature for a shoulder.
    height : float
        Height above the local base [signal unit], always positive.
    sigma : float
        Standard deviation of the Gaussian with the same inflection points [s].
    snr : float
        Height in standard deviations of the noise.
    sign : int
        +1 or -1.
    shoulder : bool
        Has no maximum of its own.
    left_half_width, right_half_width : float
        Distances from the apex to half the height [s]; those of the Gaussian on a side where a neighbour is nearer.
    significance : float
        Curvature in standard deviations of its noise, at the scale that fits the peak.
    saturated : bool
        The top is cut off by the detector's range.
    """

    apex_time: float
    height: float
    sigma: float
    snr: float
    sign: int = 1
    shoulder: bool = False
    left_half_width: float = 0.0
    right_half_width: float = 0.0
    significance: float = 0.0
    saturated: bool = False


def find_peaks(
    time: Array, signal: Array, noise: Noise, *, polarity: Polarity = "positive", min_snr: float = 5.0
) -> tuple[Candidate, ...]:
    """Return the peaks of a trace in order of time.

    Parameters
    ----------
    time, signal : ndarray, shape (n,)
        Times [s], strictly increasing, and detector signal.
    noise : Noise
        As `estimate_noise` gives it.
    polarity : {"positive", "negative", "both"}
        Which way the peaks point.
    min_snr : float
        Smallest height, in standard deviations of the noise.
    """
    found: list[Candidate] = []
    if np.ptp(signal) > 0:
        for sign in {"positive": (1,), "negative": (-1,), "both": (1, -1)}[polarity]:
            found += _one_sign(time, sign * signal, noise, sign, min_snr)
    return tuple(sorted(found, key=lambda candidate: candidate.apex_time))


def _one_sign(time: Array, signal: Array, noise: Noise, sign: int, min_snr: float) -> list[Candidate]:
    """Return the peaks that point upwards."""
    defects = find_defects(signal, noise)
    grid, y = _even(time, defects.repaired(signal))
    y = y - np.median(y)
    local = _local_noise(y, noise)
    threshold = float(np.sqrt(SIGNIFICANCE**2 + 2 * np.log(max(1.0, y.size / 4e4))))
    ridges = follow(bulges(y, local, threshold, SPLIT, WIDEST * y.size))
    if not ridges.position.size:
        return []
    ridges = _at_apexes(y, ridges)
    view = _view(y, ridges)
    deviation = np.sqrt(local.covariance[0]) * np.interp(ridges.position, np.arange(y.size), local.factor)
    keep = _standing(ridges, view, y, deviation, threshold) & (view.height >= min_snr * deviation)
    return _candidates(ridges, view, keep, grid, deviation, defects.saturated_times(time), sign)


def _local_noise(y: Array, noise: Noise) -> LocalNoise:
    deviation = max(noise.deviation, QUANTUM * noise.step, LEAST_NOISE * float(np.ptp(y)))
    acf = np.array(noise.acf) if noise.acf else noise.correlation ** np.arange(30)
    ripple = ripple_factor(y, noise)
    uneven = np.where(ripple > 1, ripple * noise.deviation, 0.0)
    return LocalNoise(deviation**2 * acf, regional_factor(y, noise), uneven)


def _even(time: Array, signal: Array) -> tuple[Array, Array]:
    """Return times and signal at (nearly) equal steps; interpolated only where the steps differ much."""
    steps = np.diff(time)
    step = float(np.median(steps))
    if float(np.ptp(steps)) < 0.5 * step:
        return time, signal
    count = min(int(np.ceil((time[-1] - time[0]) / step)) + 1, 4 * time.size)
    grid = np.linspace(time[0], time[-1], count)
    return grid, np.interp(grid, time, signal)


@dataclass(frozen=True, eq=False)
class _View:
    """The trace around each candidate, shape (m,): falls from the apex, height above the base, half widths [points]."""

    left_fall: Array
    right_fall: Array
    height: Array
    left_half: Array
    right_half: Array
    left_end: Mask
    right_end: Mask


def _view(y: Array, ridges: Ridges) -> _View:
    """Look at the smoothed trace on both sides of each candidate."""
    profile = _profiles(y, ridges.position, ridges.sigma)
    centre = PROFILE.size // 2
    left, right = profile[:, centre::-1], profile[:, centre:]
    left_fall, right_fall = _fall(left), _fall(right)
    least, most = np.minimum(left_fall, right_fall), np.maximum(left_fall, right_fall)
    own = least > FALL * ridges.height
    height = np.where(own, np.minimum(most, 1.5 * ridges.height), np.minimum(ridges.height, np.maximum(most, 0.0)))
    reach = 2.0 * ridges.sigma
    return _View(
        left_fall,
        right_fall,
        height,
        _half_width(left, height) * ridges.sigma,
        _half_width(right, height) * ridges.sigma,
        ridges.position < reach,
        ridges.position > y.size - 1 - reach,
    )


def _at_apexes(y: Array, ridges: Ridges) -> Ridges:
    """Return the ridges moved to where the trace is highest within a width, each apex once, in order of position.

    A bulge on a flank, where the trace only rises, stays.
    """
    profile = _profiles(y, ridges.position, ridges.sigma)
    near = np.flatnonzero(np.abs(PROFILE) <= 1)
    rows = np.arange(len(profile))
    best = near[0] + np.argmax(profile[:, near], axis=1)
    before, at, after = profile[rows, best - 1], profile[rows, best], profile[rows, best + 1]
    bend = 2 * at - before - after
    inside = (at >= before) & (at >= after) & (bend > 0)
    part = np.divide(after - before, 2 * bend, out=np.zeros(len(rows)), where=inside)
    shift = ridges.sigma * (PROFILE[best] + part * (PROFILE[1] - PROFILE[0]))
    moved = replace(ridges, position=ridges.position + np.where(inside, shift, 0.0))
    ordered = moved.only(np.argsort(moved.position, kind="stable"))
    return ordered.only(~_doubles(ordered))


def _doubles(ridges: Ridges) -> Mask:
    """Return which ridges ended on the apex of a larger neighbour, shape (m,)."""
    area = ridges.sigma * ridges.height
    same = np.diff(ridges.position) < 0.5 * np.minimum(ridges.sigma[1:], ridges.sigma[:-1])
    left_smaller = area[:-1] < area[1:]
    doubles = np.zeros(area.size, dtype=bool)
    doubles[:-1] |= same & left_smaller
    doubles[1:] |= same & ~left_smaller
    return doubles


def _profiles(y: Array, position: Array, sigma: Array) -> Array:
    """Return means of the trace around each candidate at the places `PROFILE`, shape (m, places)."""
    total = np.concatenate([[0.0], np.cumsum(y)])
    half = np.maximum(0.5, HALF * sigma)[:, None]
    middle = position[:, None] + PROFILE * sigma[:, None]
    low = np.clip(middle - half, -0.5, y.size - 1.5)
    high = np.clip(middle + half, low + 1, y.size - 0.5)
    edges = np.arange(y.size + 1) - 0.5
    return np.asarray((np.interp(high, edges, total) - np.interp(low, edges, total)) / (high - low))


def _fall(outward: Array) -> Array:
    """Return how far the trace falls from the apex before it rises above it, shape (m,)."""
    above = np.maximum.accumulate(outward > outward[:, :1], axis=1)
    return np.asarray(outward[:, 0] - np.where(above, np.inf, outward).min(axis=1))


def _half_width(outward: Array, height: Array) -> Array:
    """Return the distance to half the height in widths, that of a Gaussian where the trace rises before, shape (m,)."""
    level = outward[:, 0] - height / 2
    below = outward <= level[:, None]
    first = np.argmax(below, axis=1)
    rows = np.arange(first.size)
    before, after = outward[rows, first - 1], outward[rows, first]
    part = np.divide(before - level, before - after, out=np.ones(first.size), where=before > after)
    rises = np.maximum.accumulate(outward > outward[:, :1] + 0.1 * height[:, None], axis=1)[rows, first]
    width = (first - 1 + part) * (PROFILE[1] - PROFILE[0])
    return np.where((first > 0) & ~rises, width, HALF_HEIGHT)


def _standing(ridges: Ridges, view: _View, y: Array, deviation: Array, threshold: float) -> Mask:
    """Return which candidates are peaks: not steps, rims of dips, bends or the envelope of others.

    On each side the trace must fall, or lead without falling to a neighbour from which it falls, or end.
    A bulge with counter-curvature on both sides stands on whatever slope it rides.
    """
    at = np.clip(np.rint(ridges.position).astype(int), 0, y.size - 1)
    left = _held(at, ridges.sigma, ridges.height, view.left_fall, view.left_end, y, deviation)
    right = _held(
        y.size - 1 - at[::-1],
        ridges.sigma[::-1],
        ridges.height[::-1],
        view.right_fall[::-1],
        view.right_end[::-1],
        y[::-1],
        deviation[::-1],
    )[::-1]
    own = np.minimum(view.left_fall, view.right_fall) > FALL * ridges.height
    lobes = np.maximum(ridges.left_lobe, ridges.right_lobe) < -LOBE * ridges.response
    certain = (ridges.significance > 2 * threshold) & ~_negligible(ridges, view)
    return (own | (certain & (left & right | lobes))) & ~_envelope(ridges, view)


def _held(at: Index, sigma: Array, height: Array, fall: Array, end: Mask, y: Array, deviation: Array) -> Mask:
    """Return which candidates the trace leads down from on the left, by itself or over a neighbour, shape (m,)."""
    held = (fall > FALL * height) | (end & (fall > 3 * deviation))
    base = y[at] - fall
    for i in range(1, held.size):
        near = at[i] - at[i - 1] < TOUCH * (sigma[i] + sigma[i - 1])
        if held[i] or not held[i - 1] or not near:
            continue
        need = y[at[i]] - FALL * height[i]
        lowest = y[at[i - 1] : at[i] + 1].min()
        held[i] = base[i - 1] < need < lowest + 3 * deviation[i]
        base[i] = min(base[i], base[i - 1])
    return held


def _negligible(ridges: Ridges, view: _View) -> Mask:
    """Return which candidates are too small beside a peak that they touch to be told from its shape, shape (m,)."""
    gap = np.diff(ridges.position) < TOUCH * (ridges.sigma[1:] + ridges.sigma[:-1])
    beside = np.zeros(ridges.position.size)
    np.maximum.at(beside, np.flatnonzero(gap), view.height[1:][gap])
    np.maximum.at(beside, np.flatnonzero(gap) + 1, view.height[:-1][gap])
    return np.asarray(view.height < NEGLIGIBLE * beside)


def _envelope(ridges: Ridges, view: _View) -> Mask:
    """Return which candidates are the wide sum of narrower ones at the same place, shape (m,)."""
    low = np.searchsorted(ridges.position, ridges.position - ridges.sigma)
    high = np.searchsorted(ridges.position, ridges.position + ridges.sigma, "right")
    return np.array(
        [
            bool(np.any((ridges.sigma[i:j] < sigma / 2) & (view.height[i:j] > ENVELOPE * height)))
            for i, j, sigma, height in zip(low, high, ridges.sigma, view.height, strict=True)
        ]
    )


def _candidates(
    ridges: Ridges, view: _View, keep: Mask, grid: Array, deviation: Array, saturated: Array, sign: int
) -> list[Candidate]:
    """Return the records of the candidates to keep, points turned into seconds."""
    points = np.arange(grid.size)
    apex = np.interp(ridges.position, points, grid)
    step = np.interp(ridges.position, points, np.gradient(grid))
    shoulder = np.minimum(view.left_fall, view.right_fall) <= np.maximum(3 * deviation, 0.002 * view.height)
    flat = np.array([bool(np.any(np.abs(saturated - t) <= s)) for t, s in zip(apex, ridges.sigma * step, strict=True)])
    return [
        Candidate(
            float(apex[i]),
            float(view.height[i]),
            float(ridges.sigma[i] * step[i]),
            float(view.height[i] / deviation[i]),
            sign,
            bool(shoulder[i]),
            float(view.left_half[i] * step[i]),
            float(view.right_half[i] * step[i]),
            float(ridges.significance[i]),
            bool(flat[i]),
        )
        for i in np.flatnonzero(keep)
    ]
