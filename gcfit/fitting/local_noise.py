"""Where a trace is noisier than at its quietest: regions of flicker or bleed, and flanks that the detector reads unevenly."""

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.noise import autocovariances, mixing, quiet_mask
from gcfit.fitting.records import Noise

BLOCK, DEGREE = 64, 2
REGION = 24  # blocks
LEAST_QUIET = 0.6  # part of a region's blocks that must scatter alike to be noise, not peaks
LEAST_FACTOR = 2.0  # smaller excess is left alone: it is within the errors of the estimate
WINDOW = 17  # points over which the ripple is averaged
WHITE_RIPPLE = 56.0  # -E[d_i d_(i+1)] of fourth differences of white noise of variance 1


def regional_factor(signal: Array, noise: Noise) -> Array:
    """Return the noise of each region over that of the whole trace, shape (n,), 1 where peaks leave no telling.

    A region counts as noisy when most of its blocks scatter alike, and by more than the trace's noise.
    """
    blocks = autocovariances(signal, BLOCK, DEGREE)
    expected = _expected_variance(noise)
    if len(blocks.slow) < REGION or expected <= 0:
        return np.ones(signal.size)
    starts = np.arange(0, len(blocks.slow) - REGION + 1, REGION // 2)
    factor = np.ones(starts.size)
    for i, start in enumerate(starts):
        part = blocks.only(np.arange(start, start + REGION))
        if np.median(part.covariance[:, 0]) > LEAST_FACTOR**2 * expected:
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

    Fourth differences of noise change sign from point to point, those of a peak of more than a few points do not, so the
    mean product of neighbours tells uneven flanks (missing codes, repeated readings, flicker) from shape.
    """
    if signal.size < WINDOW + 5 or noise.deviation <= 0:
        return np.ones(signal.size)
    fourth = np.diff(signal / noise.deviation, 4)
    zigzag = np.convolve(-fourth[1:] * fourth[:-1], np.full(WINDOW, 1 / WINDOW), "same")
    factor = np.sqrt(np.maximum(zigzag, 0.0) / WHITE_RIPPLE)
    factor[factor < LEAST_FACTOR] = 1.0
    return np.pad(factor, (2, signal.size - factor.size - 2), mode="edge")
