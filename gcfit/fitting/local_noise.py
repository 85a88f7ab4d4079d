"""Where a trace is noisier than at its quietest: regions of flicker or bleed, flanks that are read unevenly."""

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.noise import autocovariances, block_variances, mixing, quiet_mask
from gcfit.fitting.records import Noise

BLOCK, DEGREE = 64, 2
REGION = 24  # blocks
LEAST_QUIET = 0.6  # part of a region's blocks that must scatter alike to be noise, not peaks
ALIKE = 20.0  # times the scatter of a quiet block that most blocks of a noisy region may have at most
LEAST_FACTOR = 2.0  # smaller excess is left alone: it is within the errors of the estimate
WINDOW = 17  # points over which the ripple is averaged
WHITE_MEAN, WHITE_MEDIAN = 56.0, 22.65  # of -d_i d_(i+1), fourth differences of white noise of variance 1


def regional_factor(signal: Array, noise: Noise) -> Array:
    """Return the noise of each region over that of the whole trace, shape (n,), 1 where peaks leave no telling.

    A region counts as noisy when most of its blocks scatter alike, and by more than the trace's noise.
    """
    expected = _expected_variance(noise)
    count = signal.size // BLOCK
    if count < REGION or expected <= 0:
        return np.ones(signal.size)
    scatter = block_variances(signal, BLOCK, DEGREE)
    starts = np.arange(0, count - REGION + 1, REGION // 2)
    factor = np.ones(starts.size)
    ranked = np.sort(np.lib.stride_tricks.sliding_window_view(scatter, REGION)[starts], axis=1)
    loud = ranked[:, REGION // 2] > LEAST_FACTOR**2 * expected
    alike = ranked[:, int(LEAST_QUIET * REGION)] < ALIKE * ranked[:, REGION // 10]
    for i in np.flatnonzero(loud & alike):
        part = autocovariances(signal[starts[i] * BLOCK : (starts[i] + REGION) * BLOCK], BLOCK, DEGREE)
        quiet = part.only(quiet_mask(part, noise.step))
        if len(quiet.slow) >= LEAST_QUIET * REGION:
            factor[i] = np.sqrt(np.mean(quiet.covariance[:, 0]) / expected)
    factor[factor < LEAST_FACTOR] = 1.0
    return np.interp(np.arange(signal.size), (starts + REGION / 2) * BLOCK, factor)


def _expected_variance(noise: Noise) -> float:
    """Return the variance that the noise of the whole trace leaves within a block."""
    lags = BLOCK // 4
    acf = np.array(noise.acf or [1.0, noise.correlation])[: lags + 1]
    return float(noise.deviation**2 * mixing(BLOCK, DEGREE)[0, : acf.size] @ acf)


def ripple_factor(signal: Array, noise: Noise) -> Array:
    """Return how much more neighbouring points zigzag than the noise makes them, shape (n,), at least 1.

    Fourth differences of noise change sign from point to point, those of a peak of more than a few points do not, so
    the median product of neighbours tells uneven flanks (missing codes, repeated readings, flicker) from shape.
    """
    if signal.size < WINDOW + 5 or noise.deviation <= 0:
        return np.ones(signal.size)
    fourth = np.diff(signal / noise.deviation, 4)
    products = -fourth[1:] * fourth[:-1]
    total = np.cumsum(np.pad(products, (WINDOW // 2 + 1, WINDOW // 2)))
    suspect = np.flatnonzero(total[WINDOW:] - total[:-WINDOW] > WINDOW * WHITE_MEAN * LEAST_FACTOR**2)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(products, WINDOW // 2), WINDOW)
    factor = np.ones(products.size)
    factor[suspect] = np.sqrt(np.maximum(np.median(windows[suspect], axis=1), WHITE_MEDIAN) / WHITE_MEDIAN)
    factor[factor < LEAST_FACTOR] = 1.0
    return np.pad(factor, (2, signal.size - factor.size - 2), mode="edge")
