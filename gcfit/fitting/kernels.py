"""Filters that see the curvature of a trace at a scale, thin it by two, and continue it beyond its ends."""

from functools import cache

import numpy as np

from gcfit.chromatogram import Array

BINOMIAL = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16  # variance 1
REACH = 4.5  # of a kernel, in standard deviations


@cache
def filter_of(octave: int, scale: float) -> tuple[Array, float]:
    """Return the taps for a scale on a trace thinned so many times, and the variance of white noise behind them."""
    smoothed, white = 0.0, np.ones(1)
    for _ in range(octave):
        smoothed, white = (smoothed + 1) / 4, thinned(white)
    kernel = curvature_kernel(float(np.sqrt(scale**2 - smoothed)))
    return kernel, variance_through(white, kernel)


def thinned(covariance: Array) -> Array:
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
    size, points = signal.size, min(points, signal.size - 1)
    weights = _end_weights(min(points + 1, max(3, (points + 1) // 2)))
    out = np.empty(size + 2 * points)
    out[points : points + size] = signal
    first, last = weights @ signal[: weights.size], weights @ signal[: -weights.size - 1 : -1]
    np.subtract(2 * first, signal[points:0:-1], out=out[:points])
    np.subtract(2 * last, signal[-2 : -points - 2 : -1], out=out[points + size :])
    return out


@cache
def _end_weights(count: int) -> Array:
    """Return the weights of the first points in the first value of the straight line through them."""
    x = np.arange(count) - (count - 1) / 2
    # Σ x² of whole steps about their middle
    weights: Array = 1 / count + x[0] * x / max(1.0, count * (count * count - 1) / 12)
    weights.flags.writeable = False
    return weights


def variance_through(covariance: Array, kernel: Array) -> float:
    """Return the variance of noise with this two-sided autocovariance behind a filter."""
    both = np.convolve(kernel, kernel[::-1])
    reach = min(both.size, covariance.size) // 2
    a, b = both.size // 2, covariance.size // 2
    return float(both[a - reach : a + reach + 1] @ covariance[b - reach : b + reach + 1])
