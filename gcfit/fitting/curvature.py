"""Curvature of a trace at many scales: where it bulges, how sharply, and how sure that is.

The response at scale s is -d²/dt² of the trace smoothed by a Gaussian of standard deviation s. A straight baseline has
none, a Gaussian peak (height H, width σ) has H σ (σ² + s²)^(-3/2) at its apex and zeros at ±sqrt(σ² + s²).
Coarse scales work on a trace thinned by two again and again (binomial filter before each), so that all together cost
about twice the finest. The noise of each response follows from the autocovariance of the noise, carried through the
same filters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.kernels import BINOMIAL, extended, filter_of, thinned, variance_through

Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
FINE_SCALES = (0.8, 1.0, np.sqrt(2), 2.0, np.sqrt(8))
SCALES = (2.0, np.sqrt(8))  # per octave, in units of the thinned points
LEAST_NOISE = 0.01  # part of the noise that is white at least: no autocorrelation is known so well
NARROWEST = 0.3  # width of a peak too narrow for its scale to tell, in scales


FIELDS = (
    "position", "sigma", "height", "response", "significance", "left_lobe", "right_lobe", "scale", "left", "right",
)  # fmt: skip


class Row:
    """An attribute of a record that is a row of its `table`."""

    def __init__(self, name: str) -> None:
        self.row = FIELDS.index(name)

    def __get__(self, record: Any, owner: type) -> Array:
        row: Array = record.table[self.row]
        return row


class Rows:
    """What bulges and the ridges that they form have in common."""

    table: Array
    position = Row("position")
    sigma = Row("sigma")
    height = Row("height")
    response = Row("response")
    significance = Row("significance")
    left_lobe = Row("left_lobe")
    right_lobe = Row("right_lobe")
    scale = Row("scale")


@dataclass(frozen=True, eq=False)
class Bulges(Rows):
    """Convex places of the trace, from fine to coarse scales, all in units of the points of the trace.

    `limits` are the first places of each scale that has any, and the number of all. `table`, shape (10, m), has a row
    for each of `FIELDS`, which are also attributes, shape (m,) each:

    position, response
        Where the response has its maxima, and how high they are.
    sigma, height
        Width σ of the Gaussians with the same zeros ±sqrt(σ² + s²) of the curvature, and their height for that
        response.
    significance
        Response in standard deviations of its noise.
    left_lobe, right_lobe
        Smallest response between a maximum and the next on that side (within three widths).
    scale
        Standard deviation s of the smoothing.
    left, right
        Distances to the zeros of the response on both sides, or to the valley before the next maximum.
    """

    table: Array
    limits: Sequence[int]
    left = Row("left")
    right = Row("right")


@dataclass(frozen=True, eq=False)
class LocalNoise:
    """Noise of a trace with what is added to it from place to place.

    `covariance`, shape (lags,), is its autocovariance from lag 0 on [signal unit²]; `factor`, shape (n,), what it is
    multiplied by; `ripple`, shape (n,), the deviation of the white noise added to it between bulges [signal unit].
    """

    covariance: Array
    factor: Array
    ripple: Array


@dataclass(frozen=True, eq=False)
class _Level:
    """The response at one scale, shape (n,), in standard deviations of its noise where that is the usual one.

    `step` is that of the thinned points, `scale` in them; `deviation` that of the response, `gain` the variance of
    white noise of variance one behind the same filters.
    """

    response: Array
    scale: float
    step: int
    deviation: float
    gain: float


@dataclass(frozen=True, eq=False)
class _Stack:
    """Responses of all levels one after the other, -inf before, between and behind them.

    `begins` and `ends` are the places of each level in `response`.
    """

    levels: Sequence[_Level]
    response: Array
    begins: Index
    ends: Index

    @classmethod
    def of(cls, levels: Sequence[_Level]) -> "_Stack":
        gap = np.array([-np.inf])
        whole = np.concatenate([part for level in levels for part in (gap, level.response)] + [gap])
        ends = np.cumsum([level.response.size + 1 for level in levels])
        return cls(levels, whole, ends - [level.response.size for level in levels], ends)

    def of_each(self, name: str, level: Index) -> Array:
        """Attribute of the level in which each of some places lies, shape (m,)."""
        return np.array([getattr(one, name) for one in self.levels])[level]


def bulges(signal: Array, noise: LocalNoise, threshold: float, split: float, widest: float) -> Bulges:
    """Return the significant bulges of a trace.

    Parameters
    ----------
    signal : ndarray, shape (n,)
        Trace at equal steps.
    noise : LocalNoise
        Its noise.
    threshold : float
        Smallest response, in standard deviations of the noise; the dip between two bulges must be twice that.
    split : float
        Smallest dip between two bulges, as a part of the larger one.
    widest : float
        Largest scale [points].
    """
    stack = _Stack.of(list(_levels(signal, noise, widest)))
    response = stack.response
    found = maxima_above(response, threshold)
    level = np.searchsorted(stack.ends, found)
    inner = (found > stack.begins[level]) & (found < stack.ends[level] - 1)
    found, level = found[inner], level[inner]
    if not found.size:
        return Bulges(np.zeros((len(FIELDS), 0)), [0])
    place = (found - stack.begins[level]) * stack.of_each("step", level)
    factor, ripple = noise.factor[place], noise.ripple[place] / stack.of_each("deviation", level)
    uneven = np.sqrt(factor**2 + stack.of_each("gain", level) * ripple**2)
    above = response[found] > threshold * factor
    found, level, uneven = found[above], level[above], uneven[above]
    apart = stand_apart(response, found, 2 * threshold * uneven, split)
    level = level[apart]
    begins = np.flatnonzero(level[1:] > level[:-1]) + 1
    return Bulges(_measured(stack, found[apart], level, uneven[apart]), [0, *begins.tolist(), level.size])


def _levels(signal: Array, noise: LocalNoise, widest: float) -> Iterator[_Level]:
    """Yield the responses of a trace from fine to coarse scales."""
    white = not noise.covariance[1:].any()
    covariance = np.concatenate([noise.covariance[:0:-1], noise.covariance])
    for octave in count():
        step = 2**octave
        for scale in SCALES if octave else FINE_SCALES:
            kernel, gain = filter_of(octave, scale)
            if scale * step > widest or kernel.size > signal.size:
                return
            least = LEAST_NOISE * noise.covariance[0] * gain
            variance = noise.covariance[0] * gain if white else max(variance_through(covariance, kernel), least)
            deviation = float(np.sqrt(variance))
            response = np.convolve(extended(signal, kernel.size // 2), kernel / deviation, "valid")
            yield _Level(response, scale, step, deviation, gain)
        signal = np.convolve(extended(signal, 2), BINOMIAL, "valid")[::2]
        covariance = covariance if white else thinned(covariance)


def maxima_above(response: Array, least: float) -> Index:
    """Return where the response has maxima above `least`, shape (m,)."""
    above = np.flatnonzero(response[1:-1] > least) + 1
    return above[(response[above] > response[above - 1]) & (response[above] >= response[above + 1])]


def stand_apart(response: Array, found: Index, dip: Array, split: float) -> NDArray[np.bool_]:
    """Return which maxima stand out from the valleys beside them, shape (m,).

    Two maxima count as two when the valley between them lies below the lower one by its `dip`, and by `split` times
    the higher one; a valley below zero is deep enough for noise when the lower maximum alone exceeds `dip`. Nothing
    merges over a response of -inf.
    """
    apart = np.ones(found.size, dtype=bool)
    valleys = np.minimum.reduceat(response, found)[:-1] if found.size else np.zeros(0)
    while np.count_nonzero(apart) > 1:
        here = np.flatnonzero(apart)
        high = response[found[here]]
        between = np.minimum.reduceat(valleys[: here[-1]], here[:-1])
        left, right = np.concatenate([[-np.inf], between]), np.concatenate([between, [-np.inf]])
        by_left = left >= right
        before, after = np.concatenate([[np.inf], high[:-1]]), np.concatenate([high[1:], [np.inf]])
        neighbour = np.where(by_left, before, after)
        depth = high - np.maximum(left, right)
        shallow = (np.minimum(depth, high) < dip[here]) | (depth < split * neighbour)
        merged = shallow & np.where(by_left, high <= neighbour, high < neighbour) & (depth < np.inf)
        if not merged.any():
            break
        apart[here[merged]] = False
    return apart


def _measured(stack: _Stack, found: Index, level: Index, noise: Array) -> Array:
    """Return the table of the maxima found in some responses: places, widths and lobes."""
    response = stack.response
    begin, end = stack.begins[level], stack.ends[level]
    negative = np.flatnonzero(response <= 0)
    after_zero = np.searchsorted(negative, found)
    before_that = np.maximum(np.concatenate([[0], found[:-1]]), begin - 1)
    behind_that = np.minimum(np.concatenate([found[1:], [response.size]]), end)
    left, left_free = _reach(response, found, negative[after_zero - 1], before_that, -1)
    right, right_free = _reach(response, found, negative[after_zero], behind_that, 1)
    left_lobe, right_lobe = _lobes(
        response, found, np.maximum(found - np.ceil(3 * left).astype(np.intp), np.maximum(before_that, begin)),
        np.minimum(found + np.ceil(3 * right).astype(np.intp) + 1, behind_that),
    )  # fmt: skip
    before, at, after = response[found - 1], response[found], response[found + 1]
    bend = 2 * at - before - after
    offset = np.divide(after - before, 2 * bend, out=np.zeros(found.size), where=bend > 0)
    step, scale = stack.of_each("step", level), stack.of_each("scale", level)
    unit = stack.of_each("deviation", level) / step**2.0
    left, right = (left + offset) * step, (right - offset) * step
    scale = scale * step
    top = at + (after - before) * offset / 4
    sigma = _sigma(scale, left, right, left_free, right_free)
    height = top * unit * (sigma**2 + scale**2) ** 1.5 / sigma
    position = (found - begin + offset) * step
    return np.stack(
        [
            position, sigma, height, top * unit, top / noise, left_lobe * unit, right_lobe * unit, scale, left, right
        ]
    )  # fmt: skip


def _sigma(scale: Array, left: Array, right: Array, left_free: Mask, right_free: Mask) -> Array:
    """Return the widths of the Gaussians whose zeros are where the free sides end, else halfway between the valleys."""
    free = left_free * 1.0 + right_free
    reach = np.where(free, left * left_free + right * right_free, left + right)
    square = (reach / np.where(free, free, 2.0)) ** 2 - scale**2
    return np.sqrt(np.maximum(square, (NARROWEST * scale) ** 2))


def _reach(response: Array, found: Index, zero: Index, other: Index, way: int) -> tuple[Array, Mask]:
    """Return the distance of each maximum to the zero on one side, else to the valley before the next, and which.

    `other` is the next maximum on that side, or the first place outside the level.
    """
    free = way * zero < way * other
    distance = np.abs(zero - found).astype(np.float64)
    inner, outer = response[zero - way], response[zero]
    # where nothing lies between, the zero is a place outside
    fall = np.subtract(inner, outer, out=np.zeros(found.size), where=free)
    distance -= np.divide(-outer, fall, out=np.zeros(found.size), where=fall > 0)
    for i in np.flatnonzero(~free):
        low, high = sorted((int(found[i]), int(other[i])))
        between = np.where(np.isfinite(response[low : high + 1]), response[low : high + 1], np.inf)
        distance[i] = abs(low + int(np.argmin(between)) - int(found[i]))
    return distance, free


def _lobes(response: Array, found: Index, start: Index, stop: Index) -> tuple[Array, Array]:
    """Return the smallest response from `start` to each maximum, and from there to before `stop`."""
    lows = np.minimum.reduceat(response, np.column_stack([start, found + 1]).ravel())[::2]
    highs = np.minimum.reduceat(response, np.column_stack([found, np.maximum(stop, found + 1)]).ravel())[::2]
    return lows, highs
