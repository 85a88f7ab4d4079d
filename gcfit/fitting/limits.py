"""Between which points a peak is integrated: to a thousandth of its apex, or the valley to what comes next."""

from itertools import pairwise

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.records import Noise
from gcfit.fitting.states import State
from gcfit.fitting.views import running_sum

LIMIT = 1e-3  # of the apex; where the integration of a peak begins and ends
SURE = 7.0  # errors of a mean by which another must exceed it to be higher: five of a difference
MEANS = 4  # means over a width at half height


def limits_of(state: State) -> list[tuple[int, int]]:
    """Points of the window between which each peak is integrated: to 1e-3 of its apex, or the valley to the next."""
    curves = [
        amplitude * shape.rows[0]
        for amplitude, shape in zip(state.solution.amplitudes, state.solution.curves, strict=True)
    ]
    total = state.solution.total
    reach, tops = [], []
    for shape, values in zip(state.solution.curves, curves, strict=True):
        heights = np.abs(values)
        high = (heights > LIMIT * heights.max(initial=0.0)).nonzero()[0]
        low_high = (shape.first + int(high[0]), shape.first + int(high[-1]) + 1) if high.size else (shape.first,) * 2
        reach.append(low_high)
        tops.append(shape.first + int(heights.argmax()) if values.size else shape.first)
    order = np.argsort(tops, kind="stable")
    for left, right in pairwise(order.tolist()):
        if reach[left][1] > reach[right][0] and tops[right] > tops[left]:
            both = slice(tops[left], tops[right] + 1)
            shares = [np.abs(at_points(state.solution.curves[k].first, curves[k], both)) for k in (left, right)]
            part = tops[left] + parting(np.abs(total[both]), *shares)
            reach[left] = (reach[left][0], min(reach[left][1], part + 1))
            reach[right] = (max(reach[right][0], part), reach[right][1])
    return reach


def at_points(first: int, values: Array, points: slice) -> Array:
    """Values that begin at the point `first`, at some points, shape (m,); nothing where they do not reach."""
    out = np.zeros(points.stop - points.start)
    low, high = max(first, points.start), min(first + values.size, points.stop)
    if low < high:
        out[low - points.start : high - points.start] = values[low - first : high - first]
    return out


def parting(total: Array, left: Array, right: Array) -> int:
    """Where two peaks part, from the apex of the first to that of the second: in the valley.

    Where there is none, one of them being a shoulder, where their curves cross; half-way where they do not.
    """
    valley = int(np.argmin(total))
    if 0 < valley < total.size - 1:
        return valley
    if left[0] > right[0] and left[-1] < right[-1]:
        return int(np.argmax(left < right))
    return total.size // 2


def to_valleys(curve: Array, seen: Array, limits: tuple[int, int], noise: Noise) -> tuple[int, int]:
    """Limits of a peak, drawn in to where the signal rises again though the model still falls.

    What rises there has no peak of its own in the fit, and is not the peak's.

    Parameters
    ----------
    curve, seen : ndarray, shape (n,)
        The fitted peak, upright, and what the signal has of it: less the baseline and all other peaks [signal unit].
    limits : tuple of two ints
        First point and the one behind the last.
    noise : Noise
        That of the trace.
    """
    first, last = limits
    height = float(curve.max(initial=0.0))
    high = (curve > height / 2).nonzero()[0]
    if not high.size or not first <= high[0] <= high[-1] < last:
        return limits
    count = max(high.size // MEANS, 1)
    means = _means(seen, count)
    error = noise.deviation * min(np.sqrt(max(noise.inflation, 1.0) / count), 1.0)
    rise = max(SURE * error, LIMIT * height)
    left, right = int(high[0]), int(high[-1])
    return left - _until_rise(means[first : left + 1][::-1], rise), right + _until_rise(means[right:last], rise) + 1


def _means(values: Array, count: int) -> Array:
    """Mean of so many points around each, shape (n,); nothing is added beyond the ends."""
    total = running_sum(values)
    last = np.arange(values.size) + (count + 1) // 2
    return np.asarray(total[np.minimum(last, values.size)] - total[np.maximum(last - count, 0)]) / count


def _until_rise(values: Array, rise: float) -> int:
    """Where values are lowest before they rise by so much above that; the last place where they do not."""
    risen = values > np.minimum.accumulate(values) + rise
    return int(np.argmin(values[: int(np.argmax(risen))])) if risen.any() else values.size - 1
