"""Find the peaks of a trace: where it bulges, at some scale, by more than its noise allows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.curvature import LocalNoise, bulges
from gcfit.fitting.defects import Defects, find_defects
from gcfit.fitting.local_noise import ripple_factor
from gcfit.fitting.quantiles import amid, quantile
from gcfit.fitting.records import Noise, Polarity
from gcfit.fitting.ridges import Ridges, follow
from gcfit.fitting.views import FALL, View, at_apexes, look, running_sum

Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
SIGNIFICANCE = 5.5  # of a bulge, in standard deviations: under 1 false in 100 traces of 40,000 points
LONG = 40_000
SPLIT = 0.03  # smallest dip between two bulges, as a part of the larger
WIDEST = 0.08  # largest scale, as a part of the trace
SLOW_LAGS = 32  # lags at which the blocks of the noise end
SLOW_INFLATION = 30.0  # of slow noise, at which a peak must be twice as significant
LEAST_NOISE = 1e-9  # of the range of the signal: below it lies rounding
WIDE = 0.03  # width of a bulge, as a part of the trace, beyond which it may be a bend of the baseline
WIDE_HEIGHT = 15.0  # least height of a wide bulge, in standard deviations of the noise
QUANTUM = 0.6  # steps of a quantised signal that count as one standard deviation at least
LOBE = 0.25  # part of its curvature that must bend the other way on both sides of a rider
DEEPEST_LOBE = 1.5  # beyond it a bulge is the rim of something larger
TOUCH = 8.0  # greatest distance of a shoulder from its peak, in the sum of their widths
AROUND = 30.0  # part of the trace with which a peak is compared, in its widths to both sides
FOOT = 5.0  # distance of the foot of a peak from its apex, in its widths
NEGLIGIBLE = 0.02  # height of a shoulder, as a part of that of a peak that it touches
NEIGHBOURS = 8  # on either side, among which that peak is looked for
RIM = 1.0  # height of the rim of a dip at most, in heights of the dip
RISE = 0.7  # above a rim, in heights of the dip; where the trace rises further, the dip is a valley between peaks
LEVEL = 0.1  # of the height of a rim, within which the trace has come back to its level beyond the dip
ENVELOPE = 0.3  # part of the height of a wide bulge that a narrower one within it must have to make it up


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
    time: Array,
    signal: Array,
    noise: Noise,
    *,
    polarity: Polarity = "positive",
    min_snr: float = 5.0,
    defects: Defects | None = None,
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
    defects : Defects, optional
        Those of the signal, where they are known.
    """
    if np.ptp(signal) == 0:
        return ()
    sign = -1 if polarity == "negative" else 1
    defects = find_defects(signal, noise) if defects is None else defects
    own, turned = (defects, defects.turned()) if sign > 0 else (defects.turned(), defects)
    found, doubtful = _one_sign(time, sign * signal, noise, own, sign, min_snr)
    if polarity == "both":
        others = _standing_out(time, signal, noise, turned, -sign, min_snr)
        found = _without_rims(found, others, time, signal) + others
    elif doubtful:
        others = _standing_out(time, signal, noise, turned, -sign, min_snr)
        beside = [other for other, near in zip(others, _touched(others, doubtful), strict=True) if near]
        found = _without_rims(found, beside, time, signal)
    return tuple(sorted(found, key=lambda peak: peak.apex_time))


def find_troughs(time: Array, signal: Array, noise: Noise, defects: Defects, min_snr: float = 5.0) -> list[Candidate]:
    """Return the peaks that point downwards, those that `find_peaks` gives for both polarities."""
    return _standing_out(time, signal, noise, defects.turned(), -1, min_snr)


def _standing_out(
    time: Array, signal: Array, noise: Noise, defects: Defects, sign: int, min_snr: float
) -> list[Candidate]:
    """Return the peaks of one sign that stand out from the trace around; the defects are those on their side."""
    found, _ = _one_sign(time, sign * signal, noise, defects, sign, min_snr)
    return [peak for peak in found if _stands_out(peak, time, signal)]


def _one_sign(
    time: Array, signal: Array, noise: Noise, defects: Defects, sign: int, min_snr: float
) -> tuple[list[Candidate], list[Candidate]]:
    """Return the peaks that point upwards, and those of them that may be what dips leave between them."""
    grid, y = _even(time, defects.repaired(signal))
    y = y - amid(y)
    local = _local_noise(y, noise, defects.louder if grid is time else np.interp(grid, time, defects.louder))
    threshold = _threshold(y.size, noise)
    ridges = follow(bulges(y, local, threshold, SPLIT, WIDEST * y.size))
    if not ridges.position.size:
        return [], []
    total, usual = running_sum(y), float(np.sqrt(local.covariance[0]))
    ridges = at_apexes(total, ridges, usual)
    view = look(total, ridges, usual)
    deviation = usual * np.interp(ridges.position, np.arange(y.size), local.factor)
    keep = _standing(ridges, view, y, deviation, threshold) & (view.height >= min_snr * deviation)
    keep &= ridges.significance > threshold * _doubt(noise)
    keep &= view.own | ~_beside(ridges, np.interp(time[defects.steps], grid, np.arange(grid.size)))
    candidates = _candidates(ridges, view, keep, grid, deviation, defects.saturated_times(time), sign)
    return candidates, [peak for peak, level in zip(candidates, view.level[keep], strict=True) if level]


def _without_rims(found: list[Candidate], others: list[Candidate], time: Array, signal: Array) -> list[Candidate]:
    """Return the peaks that are not rims of those of the other sign."""
    pairs = zip(others, _touched(others, found), strict=True)
    rims = {peak for other, near in pairs for peak in near if _makes(other, peak, time, signal)}
    return [peak for peak in found if peak not in rims]


def _touched(others: list[Candidate], peaks: list[Candidate]) -> list[list[Candidate]]:
    """Return for each of some candidates the peaks that it may touch."""
    apex, sigma = np.array([(peak.apex_time, peak.sigma) for peak in peaks]).reshape(-1, 2).T
    near = (np.abs(apex - other.apex_time) <= TOUCH * (sigma + other.sigma) for other in others)
    return [[peaks[i] for i in np.flatnonzero(mask)] for mask in near]


def _stands_out(peak: Candidate, time: Array, signal: Array) -> bool:
    """Whether a peak stands out from most of the trace around it, as a valley between others does not."""
    low, high = np.searchsorted(time, (peak.apex_time - AROUND * peak.sigma, peak.apex_time + AROUND * peak.sigma))
    around = peak.sign * signal[low : high : max(1, (high - low) // 200)]
    level = peak.sign * float(np.interp(peak.apex_time, time[low:high], signal[low:high]))
    return level > quantile(around, 0.75) + peak.height / 2


def _makes(other: Candidate, peak: Candidate, time: Array, signal: Array) -> bool:
    """Whether a peak is the rim of one of the other sign: no higher, and around both the trace is at its level."""
    if peak.height > RIM * other.height:
        return False
    away, foot = np.sign(other.apex_time - peak.apex_time), FOOT * other.sigma
    level = float(np.interp(peak.apex_time, time, signal))

    def highest(begin: float, end: float) -> float:
        low, high = np.searchsorted(time, sorted((begin, end)))
        return float((peak.sign * (signal[low : high + 1] - level)).max(initial=-np.inf))

    beyond = highest(other.apex_time, other.apex_time + away * foot)
    around = max(beyond, highest(peak.apex_time - away * foot, other.apex_time))
    rise = beyond if abs(beyond) < LEVEL * peak.height else around
    return beyond > -FALL * peak.height and rise < RISE * other.height


def _threshold(points: int, noise: Noise) -> float:
    """Return the least significance: more for a longer trace, and more where correlation leaves the noise ill known."""
    longer = SIGNIFICANCE**2 + 2 * np.log(max(1.0, points / LONG))
    return float(np.sqrt(longer) * (1 + np.sqrt(max(noise.inflation, 1.0) / points)))


def _doubt(noise: Noise) -> float:
    """Return how much more significant a peak must be where the noise is correlated beyond the blocks that measure it.

    What a polynomial takes out of the blocks is missing in the slow part of the noise: of autoregressive noise 4 % of
    its deviation where the inflation is found to be 5, 14 % at 16, 37 % at 23.
    """
    return 1 + (noise.inflation / SLOW_INFLATION) ** 2 if len(noise.acf or ()) > SLOW_LAGS else 1.0


def _local_noise(y: Array, noise: Noise, louder: Array) -> LocalNoise:
    deviation = max(noise.deviation, QUANTUM * noise.step, LEAST_NOISE * float(np.ptp(y)))
    acf = np.asarray(noise.acf or noise.correlation ** np.arange(30), dtype=np.float64)
    ripple = ripple_factor(y, noise)
    uneven = np.where(ripple > 1, ripple * noise.deviation, 0.0)
    return LocalNoise(deviation**2 * acf, louder, uneven)


def _even(time: Array, signal: Array) -> tuple[Array, Array]:
    """Return times and signal at (nearly) equal steps; interpolated only where the steps differ much."""
    steps = time[1:] - time[:-1]
    spread, least = float(np.ptp(steps)), float(steps.min())
    # the median is dear and no less than the least
    if spread < 0.5 * least or spread < 0.5 * (step := quantile(steps, 0.5)):
        return time, signal
    count = min(int(np.ceil((time[-1] - time[0]) / step)) + 1, 4 * time.size)
    grid = np.linspace(time[0], time[-1], count)
    return grid, np.interp(grid, time, signal)


def _standing(ridges: Ridges, view: View, y: Array, deviation: Array, threshold: float) -> Mask:
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
    shallow, deep = np.maximum(ridges.left_lobe, ridges.right_lobe), np.minimum(ridges.left_lobe, ridges.right_lobe)
    lobes = (shallow < -LOBE * ridges.response) & (deep > -DEEPEST_LOBE * ridges.response)
    certain = (ridges.significance > 2 * threshold) & ~_negligible(ridges, view)
    wide = ridges.sigma > WIDE * y.size
    own = view.own & ~(wide & _bent(view, deviation))
    return (own | (certain & (left & right & ~view.own | lobes & ~wide))) & ~_envelope(ridges, view)


def _bent(view: View, deviation: Array) -> Mask:
    """Return which wide bulges may be a bend of the baseline: one-sided or not far above the noise, shape (m,)."""
    least, most = np.minimum(view.left_fall, view.right_fall), np.maximum(view.left_fall, view.right_fall)
    return np.asarray((least < 0.5 * most) | (view.height < WIDE_HEIGHT * deviation))


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


def _beside(ridges: Ridges, steps: Array) -> Mask:
    """Return which candidates are the corners of steps, shape (m,)."""
    if not steps.size:
        return np.zeros(ridges.position.size, dtype=bool)
    nearest = np.searchsorted((steps[1:] + steps[:-1]) / 2, ridges.position)
    return np.asarray(np.abs(steps[nearest] - ridges.position) < 3 + 2 * ridges.sigma)


def _negligible(ridges: Ridges, view: View) -> Mask:
    """Return which candidates are too small beside a peak that they touch to be told from its shape, shape (m,)."""
    beside = np.zeros(ridges.position.size)
    for away in range(1, min(NEIGHBOURS, beside.size - 1) + 1):
        gap = ridges.position[away:] - ridges.position[:-away]
        near = gap < TOUCH * (ridges.sigma[away:] + ridges.sigma[:-away])
        beside[:-away] = np.maximum(beside[:-away], np.where(near, view.height[away:], 0.0))
        beside[away:] = np.maximum(beside[away:], np.where(near, view.height[:-away], 0.0))
    return np.asarray(view.height < NEGLIGIBLE * beside)


def _envelope(ridges: Ridges, view: View) -> Mask:
    """Return which candidates are the wide sum of narrower ones at the same place, shape (m,)."""
    position, sigma, height = ridges.position, ridges.sigma, view.height
    low, high = np.searchsorted(position, position - sigma), np.searchsorted(position, position + sigma, "right")
    envelope = np.zeros(position.size, dtype=bool)
    for k in (high - low > 1).nonzero()[0]:
        near = slice(low[k], high[k])
        envelope[k] = ((sigma[near] < sigma[k] / 2) & (height[near] > ENVELOPE * height[k])).any()
    return envelope


def _candidates(
    ridges: Ridges, view: View, keep: Mask, grid: Array, deviation: Array, saturated: Array, sign: int
) -> list[Candidate]:
    """Return the records of the candidates to keep, points turned into seconds."""
    points = np.arange(grid.size)
    apex = np.interp(ridges.position, points, grid)
    step = np.interp(ridges.position, points, np.gradient(grid))
    shoulder = np.minimum(view.left_fall, view.right_fall) <= np.maximum(3 * deviation, 0.002 * view.height)
    sigma = ridges.sigma * step
    flat = np.searchsorted(saturated, apex - sigma) < np.searchsorted(saturated, apex + sigma, "right")
    columns = (
        apex, view.height, sigma, view.height / deviation, np.full(apex.size, sign), shoulder,
        view.left_half * step, view.right_half * step, ridges.significance, flat,
    )  # fmt: skip
    return list(map(Candidate, *(column[keep].tolist() for column in columns)))
