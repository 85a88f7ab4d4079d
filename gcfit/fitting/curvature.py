"""Curvature of a trace at many scales: where it bulges, how sharply, and how sure that is.

The response at scale s is -d²/dt² of the trace smoothed by a Gaussian of standard deviation s. A straight baseline has
none, a Gaussian peak (height H, width σ) has H σ (σ² + s²)^(-3/2) at its apex and zeros at ±sqrt(σ² + s²).
Coarse scales work on a trace thinned by two again and again (binomial filter before each), so that all together cost
about twice the finest. The noise of each response follows from the autocovariance of the noise, carried through the
same filters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array

Index = NDArray[np.intp]
BINOMIAL = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16  # variance 1
FINE_SCALES = (0.8, 1.0, np.sqrt(2), 2.0, np.sqrt(8))
SCALES = (2.0, np.sqrt(8))  # per octave, in units of the thinned points
LEAST_NOISE = 0.01  # part of the noise that is white at least: no autocorrelation is known so well
NARROWEST = 0.3  # width of a peak too narrow for its scale to tell, in scales
REACH = 4.5  # of a kernel, in standard deviations


@dataclass(frozen=True, eq=False)
class Bulges:
    """Convex places of the trace at one scale, all in units of the points of the trace.

    Parameters
    ----------
    scale : float
        Standard deviation s of the smoothing.
    position, response : ndarray, shape (m,)
        Where the response has its maxima, and how high they are.
    left, right : ndarray, shape (m,)
        Distances to the zeros of the response on both sides, or to the valley before the next maximum.
    left_lobe, right_lobe : ndarray, shape (m,)
        Smallest response between a maximum and the next on that side (within three widths).
    left_free, right_free : ndarray of bool, shape (m,)
        Whether the response passes through zero before the next maximum.
    noise : ndarray, shape (m,)
        Standard deviation of the response there.
    """

    scale: float
    position: Array
    response: Array
    left: Array
    right: Array
    left_lobe: Array
    right_lobe: Array
    left_free: NDArray[np.bool_]
    right_free: NDArray[np.bool_]
    noise: Array

    @cached_property
    def sigma(self) -> Array:
        """Width σ of the Gaussians with the same zeros ±sqrt(σ² + s²) of the curvature, shape (m,)."""
        free = self.left_free * 1.0 + self.right_free
        reach = np.where(free, self.left * self.left_free + self.right * self.right_free, self.left + self.right)
        square = (reach / np.where(free, free, 2.0)) ** 2 - self.scale**2
        return np.sqrt(np.maximum(square, (NARROWEST * self.scale) ** 2))

    @cached_property
    def height(self) -> Array:
        """Height of the Gaussians of the same width and response, shape (m,)."""
        return np.asarray(self.response * (self.sigma**2 + self.scale**2) ** 1.5 / self.sigma)

    @property
    def significance(self) -> Array:
        """Response in standard deviations of its noise, shape (m,)."""
        return np.asarray(self.response / self.noise)


@dataclass(frozen=True, eq=False)
class LocalNoise:
    """Noise of a trace with what is added to it from place to place.

    `covariance`, shape (lags,), is its autocovariance from lag 0 on [signal unit²]; `factor`, shape (n,), what it is
    multiplied by; `ripple`, shape (n,), the deviation of the white noise added to it between bulges [signal unit].
    """

    covariance: Array
    factor: Array
    ripple: Array


def bulges(signal: Array, noise: LocalNoise, threshold: float, split: float, widest: float) -> Iterator[Bulges]:
    """Yield the significant bulges of a trace from fine to coarse scales.

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
    step, smoothed = 1, 0.0
    covariance, white = np.r_[noise.covariance[:0:-1], noise.covariance], np.ones(1)
    while True:
        factor, ripple = noise.factor[::step], noise.ripple[::step]
        for scale in FINE_SCALES if step == 1 else SCALES:
            kernel = curvature_kernel(float(np.sqrt(scale**2 - smoothed)))
            if scale * step > widest or kernel.size > signal.size:
                return
            response = np.convolve(extended(signal, kernel.size // 2), kernel, "valid")
            gain = variance_through(white, kernel)
            variance = max(variance_through(covariance, kernel), LEAST_NOISE * noise.covariance[0] * gain)
            found = maxima_above(response, threshold * np.sqrt(variance))
            found = found[response[found] > threshold * factor[found] * np.sqrt(variance)]
            uneven = np.sqrt(variance * factor[found] ** 2 + gain * ripple[found] ** 2)
            apart = stand_apart(response, found, 2 * threshold * uneven, split)
            if apart.any():
                yield _measured(response, found[apart], scale, uneven[apart], step)
        signal = np.convolve(extended(signal, 2), BINOMIAL, "valid")[::2]
        covariance, white = _thinned(covariance), _thinned(white)
        smoothed, step = (smoothed + 1) / 4, 2 * step


def _thinned(covariance: Array) -> Array:
    """Return the two-sided autocovariance of noise behind the binomial filter, every other point of it."""
    filtered = np.convolve(covariance, np.convolve(BINOMIAL, BINOMIAL))
    return np.asarray(filtered[(filtered.size // 2) % 2 :: 2])


@cache
def curvature_kernel(deviation: float) -> Array:
    """Return the taps of -d²/dx² of a Gaussian: exact for parabolas, blind to straight lines."""
    kernel = _kernel(deviation)
    kernel.flags.writeable = False
    return kernel


def _kernel(deviation: float) -> Array:
    if deviation < 0.75:  # too narrow to be sampled: second difference of a smoothing by three points
        side = deviation**2 / 2
        return np.asarray(np.convolve([side, 1 - 2 * side, side], [-1.0, 2.0, -1.0]))
    reach = int(np.ceil(REACH * deviation))
    x = np.arange(-reach, reach + 1.0)
    bell: Array = np.exp(-0.5 * (x / deviation) ** 2)
    kernel = bell * (1 - (x / deviation) ** 2)
    kernel -= bell * float(np.sum(kernel) / np.sum(bell))
    return np.asarray(-2 * kernel / np.sum(kernel * x**2))


def extended(signal: Array, points: int) -> Array:
    """Return the trace continued on both sides by its point reflection about the fitted end: level and slope go on."""
    points = min(points, signal.size - 1)
    before, after = _reflected(signal[: points + 1]), _reflected(signal[::-1][: points + 1])[::-1]
    return np.concatenate([before, signal, after])


def _reflected(end: Array) -> Array:
    """Return the continuation before the first of `end`, in the order of the trace."""
    few = end[: max(3, end.size // 2)]
    count = few.size
    middle = (count - 1) / 2
    x = np.arange(count) - middle
    # Σ x² of whole steps about their middle
    squares = max(1.0, count * (count * count - 1) / 12)
    first = float(few.sum()) / count - float(x @ few) / squares * middle
    mirrored: Array = 2 * first - end[:0:-1]
    return mirrored


def variance_through(covariance: Array, kernel: Array) -> float:
    """Return the variance of noise with this two-sided autocovariance behind a filter."""
    both = np.convolve(kernel, kernel[::-1])
    reach = min(both.size, covariance.size) // 2
    a, b = both.size // 2, covariance.size // 2
    return float(both[a - reach : a + reach + 1] @ covariance[b - reach : b + reach + 1])


def maxima_above(response: Array, least: float) -> Index:
    """Return where the response has maxima above `least`, shape (m,)."""
    above = np.flatnonzero(response[1:-1] > least) + 1
    return above[(response[above] > response[above - 1]) & (response[above] >= response[above + 1])]


def stand_apart(response: Array, found: Index, dip: Array, split: float) -> NDArray[np.bool_]:
    """Return which maxima stand out from the valleys beside them, shape (m,).

    Two maxima count as two when the valley between them lies below the lower one by its `dip`, and by `split` times
    the higher one; a valley below zero is deep enough for noise when the lower maximum alone exceeds `dip`.
    """
    apart = np.ones(found.size, dtype=bool)
    valleys = np.minimum.reduceat(response, found)[:-1] if found.size else np.zeros(0)
    while np.count_nonzero(apart) > 1:
        here = np.flatnonzero(apart)
        high = response[found[here]]
        between = np.minimum.reduceat(valleys, here[:-1])
        left, right = np.concatenate([[-np.inf], between]), np.concatenate([between, [-np.inf]])
        by_left = left >= right
        before, after = np.concatenate([[np.inf], high[:-1]]), np.concatenate([high[1:], [np.inf]])
        neighbour = np.where(by_left, before, after)
        depth = high - np.maximum(left, right)
        shallow = (np.minimum(depth, high) < dip[here]) | (depth < split * neighbour)
        merged = shallow & np.where(by_left, high <= neighbour, high < neighbour)
        if not merged.any():
            break
        apart[here[merged]] = False
    return apart


def _measured(response: Array, found: Index, scale: float, noise: Array, step: int) -> Bulges:
    """Return the places, widths and lobes of the maxima found in one response."""
    negative = np.concatenate([[-1], np.flatnonzero(response <= 0), [response.size]])
    after_zero = np.searchsorted(negative, found)
    left, left_free = _reach(response, found, negative[after_zero - 1], -1)
    right, right_free = _reach(response, found, negative[after_zero], 1)
    left_lobe, right_lobe = _lobes(response, found, left, right)
    before, at, after = response[found - 1], response[found], response[found + 1]
    bend = 2 * at - before - after
    offset = np.divide(after - before, 2 * bend, out=np.zeros(found.size), where=bend > 0)
    unit = 1.0 / step**2
    return Bulges(
        scale * step,
        np.asarray((found + offset) * step),
        (at + (after - before) * offset / 4) * unit,
        (left + offset) * step,
        (right - offset) * step,
        left_lobe * unit,
        right_lobe * unit,
        left_free,
        right_free,
        noise * unit,
    )


def _reach(response: Array, found: Index, zero: Index, way: int) -> tuple[Array, NDArray[np.bool_]]:
    """Return the distance of each maximum to the zero on one side, else to the valley before the next, and which."""
    other = np.concatenate([found[1:], [response.size]]) if way > 0 else np.concatenate([[-1], found[:-1]])
    free = way * zero < way * other
    distance = np.abs(zero - found).astype(np.float64)
    inner = np.minimum(np.maximum(zero - way, 0), response.size - 1)
    outer = np.minimum(np.maximum(zero, 0), response.size - 1)
    fall = response[inner] - response[outer]
    distance -= np.divide(-response[outer], fall, out=np.zeros(found.size), where=fall > 0)
    for i in np.flatnonzero(~free):
        low, high = sorted((int(found[i]), int(other[i])))
        distance[i] = abs(low + int(np.argmin(response[max(low, 0) : high + 1])) - int(found[i]))
    return distance, free


def _lobes(response: Array, found: Index, left: Array, right: Array) -> tuple[Array, Array]:
    """Return the smallest response on either side of each maximum, within three widths and before the next maximum."""
    padded = np.concatenate([response, [np.inf]])
    start = np.maximum(found - np.ceil(3 * left).astype(np.intp), np.concatenate([[0], found[:-1]]))
    stop = np.minimum(found + np.ceil(3 * right).astype(np.intp) + 1, np.concatenate([found[1:], [response.size]]))
    lows = np.minimum.reduceat(padded, np.column_stack([start, found + 1]).ravel())[::2]
    highs = np.minimum.reduceat(padded, np.column_stack([found, np.maximum(stop, found + 1)]).ravel())[::2]
    return lows, highs
