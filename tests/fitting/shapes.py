"""Peaks and noise written for the tests alone, by plain formulas and loops."""

import numpy as np
from scipy.special import erfcx
from scipy.stats import norm

Array = np.ndarray
TIME = np.arange(0.0, 500.0, 0.1)


def gaussian(time: Array, apex: float, sigma: float, height: float) -> Array:
    return height * np.exp(-0.5 * ((time - apex) / sigma) ** 2)


def emg(time: Array, mean: float, sigma: float, tail: float, area: float) -> Array:
    """Gaussian folded with an exponential, by erfcx (Kalambet 2011)."""
    z = (sigma / tail - (time - mean) / sigma) / np.sqrt(2)
    near = np.exp(-0.5 * ((time - mean) / sigma) ** 2) * erfcx(np.maximum(z, 0))
    far = 2 * np.exp(np.minimum(sigma**2 / (2 * tail**2) - (time - mean) / tail, 700)) * norm.cdf(-z * np.sqrt(2))
    return area / (2 * tail) * np.where(z >= 0, near, far)


def drift(time: Array, top: float) -> Array:
    """A baseline that rises and bows by a few percent of the highest peak."""
    part = (time - time[0]) / np.ptp(time)
    return top * (0.02 + 0.01 * part + 0.01 * np.sin(np.pi * part))


def white(seed: int, points: int = TIME.size) -> Array:
    return np.random.default_rng(seed).standard_normal(points)


def autoregressive(seed: int, rho: float, points: int = TIME.size) -> Array:
    """First-order autoregressive noise of variance 1, by its recursion."""
    steps = white(seed, points + 200) * np.sqrt(1 - rho**2)
    out = np.zeros(points + 200)
    for i in range(1, out.size):
        out[i] = rho * out[i - 1] + steps[i]
    return out[200:]


def filtered(seed: int, taps: Array, points: int = TIME.size) -> Array:
    """White noise behind a filter, of variance 1."""
    return np.convolve(white(seed, points + taps.size - 1), taps / np.sqrt(np.sum(taps**2)), "valid")


# six resolved peaks: apex [s], σ [s], height
SIX = (
    (92.0, 0.29, 80.0),
    (138.0, 0.98, 40.0),
    (205.0, 0.65, 50.0),
    (251.0, 1.77, 9.0),
    (285.0, 0.9, 40.0),
    (398.0, 2.8, 17.0),
)


def six(time: Array = TIME) -> Array:
    peaks = sum(gaussian(time, *peak) for peak in SIX)
    return peaks + drift(time, 80.0)


def pairs() -> tuple[Array, Array, list[float]]:
    """Five pairs, plate number 2e4: resolutions 1.0, 0.8, 0.6, 1.0, 0.8, height ratios 1, 1/2, 1/3, 1/5, 5."""
    time, apexes = np.arange(0.0, 600.0, 0.1), []
    signal = drift(time, 10.0)
    for first, resolution, ratio in ((110, 1, 1), (190, 0.8, 1 / 2), (280, 0.6, 1 / 3), (380, 1, 1 / 5), (500, 0.8, 5)):
        sigma = first / np.sqrt(2e4)
        second = first + 4 * resolution * sigma / (1 - 2 * resolution / np.sqrt(2e4))
        signal = signal + gaussian(time, first, sigma, 10 / max(ratio, 1))
        signal = signal + gaussian(time, second, second / np.sqrt(2e4), 10 * ratio / max(ratio, 1))
        apexes += [first, second]
    return time, signal, apexes


def forest(seed: int) -> tuple[Array, Array, list[float]]:
    """100 peaks over an hour, plate number 5e4, heights 0.5 to 10, some of them close neighbours."""
    random = np.random.default_rng(seed)
    time = np.arange(0.0, 3600.0, 0.1)
    grid = np.linspace(np.log(90), np.log(3450), 100)
    apexes = np.exp(grid + random.uniform(-0.3, 0.3, 100) * (grid[1] - grid[0]))
    signal = drift(time, 10.0)
    for apex, height in zip(apexes, np.exp(random.uniform(np.log(0.5), np.log(10.0), 100)), strict=True):
        near = np.abs(time - apex) < 10 * apex / np.sqrt(5e4)
        signal[near] += gaussian(time[near], apex, apex / np.sqrt(5e4), height)
    return time, signal, list(apexes)


def solvent(time: Array, height: float, off: float, duration: float) -> Array:
    """A solvent at 50 s that a valve takes away at some time within a duration [s] while it falls, as no peak does."""
    falling = np.where(time < 50, np.exp(-0.5 * ((time - 50) / 2) ** 2), np.exp(-(time - 50) / 8))
    return np.asarray(height * falling / (1 + np.exp((time - off) / duration)))
