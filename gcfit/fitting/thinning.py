"""Means of neighbouring points: a crowd whose peaks have many more than a search needs is searched on them.

The model is averaged over the same points, so that nothing but their own noise is lost: of the information on a width
0.2/n² at n means a σ.
"""

from dataclasses import replace

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.states import WindowData

MEANS = 6  # a σ of the narrowest peak, at least


def thinned(data: WindowData, sigma: float) -> WindowData:
    """The points of a window as means of as many as a peak of width `sigma` [s] can spare; as they are where of none.

    A mean of points of which one does not count does not count.
    """
    count = int(sigma / (MEANS * data.sampling.interval)) if data.sampling.uniform else 1
    if count < 2:
        return data
    deviation, inflation = noise_of_means(data.deviation, data.inflation, count)
    weights = None if data.weights is None else _grouped(data.weights, count).min(axis=1)
    return replace(
        data, sampling=data.sampling.averages(count), signal=_grouped(data.signal, count).mean(axis=1), weights=weights,
        deviation=deviation, inflation=inflation, free=None if data.free is None else _grouped(data.free, count)[:, 0],
    )  # fmt: skip


def noise_of_means(deviation: float, inflation: float, count: int) -> tuple[float, float]:
    """Standard deviation and inflation of means of points, for noise that is autoregressive of the first order."""
    correlation = (inflation - 1) / (inflation + 1)
    lags = np.arange(1, count)
    share = (count + 2 * float(np.sum((count - lags) * correlation**lags))) / count**2
    return deviation * float(np.sqrt(share)), inflation / (count * share)


def _grouped(values: Array, count: int) -> Array:
    """Neighbouring values side by side, shape (n // count, count); what makes no whole group is left out."""
    groups = values.size // count
    return values[: groups * count].reshape(groups, count)
