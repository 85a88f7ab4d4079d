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
FAR = 6  # points apart, so little of a block that only peaks make them alike
PEAKS = 0.3  # correlation of points so far apart, by which that of peaks exceeds that of the noise
WINDOW = 17  # points over which the ripple is averaged
WHITE_MEAN, WHITE_MEDIAN = 56.0, 22.65  # of -d_i d_(i+1), fourth differences of white noise of variance 1


def regional_factor(signal: Array, noise: Noise) -> Array:
    """Return the noise of each region over that of the whole trace, shape (n,), 1 where peaks leave no telling.

    A region counts as noisy when most of its blocks scatter alike, and by more than the trace's noise, but not as
    smoothly as a crowd of peaks does.
    """
    expected = _expected_variance(noise)
    count = signal.size // BLOCK
    if count < REGION or expected <= 0:
        return np.ones(signal.size)
    scatter = block_variances(signal, BLOCK, DEGREE)
    starts = np.arange(0, count - REGION + 1, REGION // 2)
    correlation = noise.acf[FAR] if len(noise.acf) > FAR else 0.0
    factor = np.ones(starts.size)
    ranked = np.sort(scatter[starts[:, None] + np.arange(REGION)], axis=1)
    loud = ranked[:, REGION // 2] > LEAST_FACTOR**2 * expected
    if not loud.any():
        return np.ones(signal.size)
    alike = ranked[:, int(LEAST_QUIET * REGION)] < ALIKE * ranked[:, REGION // 10]
    for i in np.flatnonzero(loud & alike):
        part = autocovariances(signal[starts[i] * BLOCK : (starts[i] + REGION) * BLOCK], BLOCK, DEGREE)
        quiet = part.only(quiet_mask(part, noise.step))
        if len(quiet.slow) >= LEAST_QUIET * REGION:
            size, far = quiet.covariance[:, 0].mean(), quiet.covariance[:, FAR].mean()
            factor[i] = np.sqrt(size / expected) if far < (PEAKS + correlation) * size else 1.0
    factor[factor < LEAST_FACTOR] = 1.0
    # a region that begins or ends within another is as noisy as that
    factor[1:-1] = np.max([factor[:-2], factor[1:-1], factor[2:]], axis=0)
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
    second = signal[2:] - 2 * signal[1:-1] + signal[:-2]
    fourth = (second[2:] - 2 * second[1:-1] + second[:-2]) / noise.deviation
    around = np.zeros(fourth.size + WINDOW - 2)
    around[WINDOW // 2 : -(WINDOW // 2)] = -fourth[1:] * fourth[:-1]
    total = np.concatenate([[0.0], np.cumsum(around)])
    suspect = np.flatnonzero(total[WINDOW:] - total[:-WINDOW] > WINDOW * WHITE_MEAN * LEAST_FACTOR**2)
    windows = np.partition(around[suspect[:, None] + np.arange(WINDOW)], WINDOW // 2, axis=1)
    excess = np.sqrt(np.maximum(windows[:, WINDOW // 2], WHITE_MEDIAN) / WHITE_MEDIAN)
    factor, loud = np.ones(signal.size), excess >= LEAST_FACTOR
    factor[suspect[loud] + 2] = excess[loud]
    # the products begin two points and end three points within the trace
    factor[:2], factor[-3:] = factor[2], factor[-4]
    return factor
