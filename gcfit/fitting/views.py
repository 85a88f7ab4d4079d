"""The trace around each candidate: where its apex is, how far it falls on both sides, how wide it is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.ridges import Ridges

Mask = NDArray[np.bool_]
PROFILE = np.arange(-8, 8.01, 0.25)  # where the trace is looked at, in widths of the candidate
AROUND = np.arange(-30, 30.1, 1.0)
MOST = 0.54  # of the trace around that is above half the height of a rim of dips
HALF = 0.25  # half width of the mean taken there
FALL = 0.25  # part of its height by which the trace must fall on both sides of a peak
CERTAIN_FALL = 4.0  # least fall, in standard deviations of the means between which it is measured
COARSE = (np.arange(-1, 1.01, 0.25), 0.25)  # where the apex is looked for, and the half width of the mean taken there
FINE = (np.arange(-0.3, 0.31, 0.06), 0.08)
LEVEL = 0.01  # part of its height by which the trace around a candidate may rise above it and still be level
CLEAR = 50.0  # noise of a mean that the bend of an apex must exceed for the fine look
ENVELOPE = (1 / 3, 0.5)  # widths and heights of a wide bulge, below and above which one on its apex makes it up
HALF_HEIGHT = 1.1774100225154747  # sqrt(2 ln 2): half width at half height of a Gaussian


@dataclass(frozen=True, eq=False)
class View:
    """What the trace does around each candidate, shape (m,).

    Parameters
    ----------
    left_fall, right_fall : ndarray
        How far the trace falls from the apex before it rises above it [signal unit].
    own : ndarray of bool
        Whether both falls are a good part of the height, and more than noise.
    height : ndarray
        Height above the base [signal unit].
    left_half, right_half : ndarray
        Half widths at half height [points].
    left_end, right_end : ndarray of bool
        Whether the trace ends within two widths.
    level : ndarray of bool
        Whether most of the trace around is above half the height, as it is between dips.
    """

    left_fall: Array
    right_fall: Array
    own: Mask
    height: Array
    left_half: Array
    right_half: Array
    left_end: Mask
    right_end: Mask
    level: Mask


def look(total: Array, ridges: Ridges, deviation: float) -> View:
    """Look at the smoothed trace, of running sum `total`, on both sides of each candidate."""
    profile = means(total, ridges.position, ridges.sigma, PROFILE, HALF)
    around = means(total, ridges.position, ridges.sigma, AROUND, HALF)
    centre = PROFILE.size // 2
    left, right = profile[:, centre::-1], profile[:, centre:]
    noise = deviation / np.sqrt(np.maximum(1.0, 2 * HALF * ridges.sigma))
    top = profile[:, centre - 1 : centre + 2].max(axis=1) + np.maximum(LEVEL * ridges.height, 3 * noise)
    left_fall, right_fall = _fall(left, top), _fall(right, top)
    least, most = np.minimum(left_fall, right_fall), np.maximum(left_fall, right_fall)
    own = least > np.maximum(FALL * ridges.height, CERTAIN_FALL * noise)
    height = np.where(own, np.minimum(most, 1.5 * ridges.height), np.minimum(ridges.height, np.maximum(most, 0.0)))
    reach = 2.0 * ridges.sigma
    return View(
        left_fall,
        right_fall,
        own,
        height,
        _half_width(left, height) * ridges.sigma,
        _half_width(right, height) * ridges.sigma,
        ridges.position < reach,
        ridges.position > total.size - 2 - reach,
        np.mean(around > (profile[:, centre] - height / 2)[:, None], axis=1) > MOST,
    )


def at_apexes(total: Array, ridges: Ridges, deviation: float) -> Ridges:
    """Return the ridges moved to where the trace is highest within a width, each apex once, in order of position.

    `total`, shape (n + 1,), is the running sum of the trace.
    A bulge on a flank, where the trace only rises, stays. Where the noise allows, a second look is taken through a
    narrower mean, so that the apex of a skewed peak is not drawn to its slow side.
    """
    position = _highest(total, ridges.position, ridges.sigma, *COARSE)
    places, half = FINE
    bend = ridges.height * places[-1] ** 2 / 2
    clear = bend > CLEAR * deviation / np.sqrt(np.maximum(1.0, 2 * half * ridges.sigma))
    position = np.where(clear, _highest(total, position, ridges.sigma, places, half), position)
    moved = ridges.moved(position)
    ordered = moved.only(np.argsort(moved.position, kind="stable"))
    return ordered.only(~_doubles(ordered))


def _highest(total: Array, position: Array, sigma: Array, places: Array, half: float) -> Array:
    """Return where means of the trace have a maximum among some places around each position, else the position."""
    profile = means(total, position, sigma, places, half)
    rows = np.arange(len(profile))
    best = np.clip(np.argmax(profile, axis=1), 1, places.size - 2)
    before, at, after = profile[rows, best - 1], profile[rows, best], profile[rows, best + 1]
    bend = 2 * at - before - after
    inside = (at >= before) & (at >= after) & (bend > 0)
    part = np.divide(after - before, 2 * bend, out=np.zeros(len(rows)), where=inside)
    shift = sigma * (places[best] + part * (places[1] - places[0]))
    return np.where(inside, position + shift, position)


def _doubles(ridges: Ridges) -> Mask:
    """Return which ridges ended on the apex of a larger neighbour, or are the wide sum of those there, shape (m,)."""
    sigma, height = ridges.sigma, ridges.height
    area = sigma * height
    same = np.diff(ridges.position) < 0.5 * np.minimum(sigma[1:], sigma[:-1])
    left_smaller = area[:-1] < area[1:]
    (narrow, wide), (low, high) = (
        (np.where(left_smaller, row[:-1], row[1:]), np.where(left_smaller, row[1:], row[:-1]))
        for row in (sigma, height)
    )
    left_smaller ^= (narrow < ENVELOPE[0] * wide) & (low > ENVELOPE[1] * high)
    doubles = np.zeros(area.size, dtype=bool)
    doubles[:-1] |= same & left_smaller
    doubles[1:] |= same & ~left_smaller
    return doubles


def means(total: Array, position: Array, sigma: Array, places: Array, half: float) -> Array:
    """Return means of the trace at places around each position, in widths, shape (m, places).

    `total` is the running sum of the trace. A mean goes over `half` widths to both sides, at least over half a point;
    beyond its ends the trace stands still.
    """
    middle = position[:, None] + places * sigma[:, None]
    reach = np.maximum(0.5, half * sigma)[:, None]
    # counted from the begin of the first point
    low = np.clip(middle - reach + 0.5, 0.0, total.size - 2.0)
    high = np.clip(middle + reach + 0.5, low + 1, total.size - 1.0)
    return np.asarray((_summed(total, high) - _summed(total, low)) / (high - low))


def running_sum(y: Array) -> Array:
    """Return the sums of the points before each point and of all, shape (n + 1,)."""
    total = np.zeros(y.size + 1)
    np.cumsum(y, out=total[1:])
    return total


def _summed(total: Array, until: Array) -> Array:
    """Return the sum of the points up to a place that may lie within one."""
    whole = np.minimum(until.astype(np.intp), total.size - 2)
    before = total[whole]
    return np.asarray(before + (total[whole + 1] - before) * (until - whole))


def _fall(outward: Array, top: Array) -> Array:
    """Return how far the trace falls from the apex before it rises above the top, shape (m,)."""
    above = np.maximum.accumulate(outward > top[:, None], axis=1)
    return np.asarray(outward[:, 0] - np.where(above, np.inf, outward).min(axis=1))


def _half_width(outward: Array, height: Array) -> Array:
    """Return the distance to half the height in widths, that of a Gaussian where the trace rises before, shape (m,)."""
    level = outward[:, 0] - height / 2
    first = np.argmax(outward <= level[:, None], axis=1)
    rows = np.arange(first.size)
    before, after = outward[rows, first - 1], outward[rows, first]
    part = np.divide(before - level, before - after, out=np.ones(first.size), where=before > after)
    rises = np.maximum.accumulate(outward > outward[:, :1] + 0.1 * height[:, None], axis=1)[rows, first]
    width = (first - 1 + part) * (PROFILE[1] - PROFILE[0])
    return np.where((first > 0) & ~rises, width, HALF_HEIGHT)
