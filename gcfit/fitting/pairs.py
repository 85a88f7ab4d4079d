"""Unit-area curves of the kinetic pair for many peaks at once, each at the points of its own window.

The same Fourier sums as those of `gcfit.fitting.models`, with the arithmetic of all peaks in one array. A spectrum is
about twenty frequencies long whatever the width of its peak, so that nothing is wasted on the widest; peaks whose
periods have one length are transformed together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.column.laplace import Complex, rectangle_on_axis
from gcfit.fitting.models import CLOSED_MARGIN, LOG_SUPPORT, SLOW_SUPPORT, Known
from gcfit.fitting.normal import Mask
from gcfit.fitting.registry import PeakModel
from gcfit.fitting.sampling import NOWHERE, Curve, Sampling, fast_length, refinement_for
from gcfit.fitting.spectra import pair_spectra

PAIR = PeakModel("laplace")


@dataclass(frozen=True, eq=False)
class Grids:
    """Where windows are sampled, shape (w,) each: first time [s], interval [s], number of points; and what is known.

    `hold_up`, `injection` and `tail` [s], 0 for none, are what is known of each.
    """

    start: Array
    interval: Array
    points: NDArray[np.intp]
    hold_up: Array
    injection: Array
    tail: Array

    @classmethod
    def of(cls, samplings: Sequence[Sampling], known: Sequence[Known]) -> "Grids":
        """The grids of uniform samplings."""
        return cls(
            np.array([one.time[0] for one in samplings]),
            np.array([one.interval for one in samplings]),
            np.array([one.time.size for one in samplings]),
            np.array([one.hold_up for one in known]),
            np.array([one.injection for one in known]),
            np.array([one.tail or 0.0 for one in known]),
        )

    def only(self, some: Sequence[int] | slice) -> "Grids":
        """Some of the windows."""
        return Grids(*(getattr(self, field.name)[some] for field in fields(self)))


def inverted(coordinates: Array, grids: Grids) -> Mask:
    """Which peaks with some coordinates, shape (w, 2), have no part left that passes unretained, shape (w,)."""
    delay, sigma = coordinates[:, 0] - grids.hold_up, np.exp(coordinates[:, 1])
    return np.asarray((delay > 0) & (2 * (delay / sigma) ** 2 >= LOG_SUPPORT + CLOSED_MARGIN))


def curves(coordinates: Array, grids: Grids) -> list[Curve]:
    """Evaluate pairs at their coordinates, shape (w, 2), which must be such that `inverted` holds for all.

    Returns
    -------
    list of Curve
        The curves [1/s] and their derivatives by retention and log σ at the points of their windows where a peak is
        above 1e-11 of its apex scale.
    """
    delay, sigma = coordinates[:, 0] - grids.hold_up, np.exp(coordinates[:, 1])
    time = sigma**2 / (2 * delay)
    root, reach = np.sqrt(delay), np.sqrt(LOG_SUPPORT * time)
    begin = grids.hold_up + np.maximum(root - reach, 0.0) ** 2
    end = grids.hold_up + (root + reach) ** 2 + SLOW_SUPPORT * grids.tail + grids.injection
    first = np.floor((begin - grids.start) / grids.interval)
    begin = grids.start + first * grids.interval
    steps = ((end - begin) / grids.interval).astype(np.intp).tolist()
    lengths = [fast_length(count + 2) for count in steps]
    period = np.array(lengths) * grids.interval
    highest = np.sqrt(LOG_SUPPORT / (delay / time - LOG_SUPPORT)) / time
    counts = (highest * period / (2 * np.pi)).astype(np.intp) + 2
    spectra = _spectra(delay, sigma, begin, period, int(counts.max()), grids)
    finer = [refinement_for(count, length) for count, length in zip(counts.tolist(), lengths, strict=True)]
    spectra *= (np.array(finer) / grids.interval)[:, None, None]
    used = [min(count + 1, length) for count, length in zip(steps, lengths, strict=True)]
    return _placed(spectra, list(zip(lengths, finer, strict=True)), first.astype(np.intp).tolist(), used, grids)


def _spectra(delay: Array, sigma: Array, begin: Array, period: Array, count: int, grids: Grids) -> Complex:
    """Transforms at s = 2πik/T of each peak, its time from `begin`, shape (w, 3, count + 1)."""
    s = np.zeros((period.size, count + 1), dtype=np.complex128)
    np.multiply(np.arange(count + 1), (2 * np.pi / period)[:, None], out=s.imag)
    spectra = pair_spectra(s, delay[:, None], sigma[:, None], (begin - grids.hold_up)[:, None])
    if grids.injection.any():
        spectra *= rectangle_on_axis(s.imag, grids.injection[:, None])
    if grids.tail.any():
        spectra /= 1 + s * grids.tail[:, None]
    return spectra.transpose(1, 0, 2)


def _placed(
    spectra: Complex, shapes: list[tuple[int, int]], first: list[int], used: list[int], grids: Grids
) -> list[Curve]:
    """Curves at the points of their windows from spectra on grids of some lengths, refined so many times."""
    found = [NOWHERE] * len(shapes)
    points = grids.points.tolist()
    for length, finer in sorted(set(shapes)):
        members = [k for k, shape in enumerate(shapes) if shape == (length, finer)]
        values = np.fft.irfft(spectra[members], length * finer)[..., ::finer]
        for rows, k in zip(values, members, strict=True):
            low = min(max(-first[k], 0), length)
            found[k] = Curve(first[k] + low, rows[:, low : max(min(points[k] - first[k], used[k]), low)])
    return found
