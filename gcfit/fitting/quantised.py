"""What a converter leaves in a trace: steps of which all differences are multiples, and runs of equal points."""

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.quantiles import quantile

Mask = NDArray[np.bool_]
LONG_RUN = 12  # times the usual run of equal points
NO_RUN = 16  # points; so long a run is no usual one, however short the trace
SAMPLE, MOSTLY = 200, 0.8  # steps of a signal of which so many are whole units if it is quantised


def quantisation_step(signal: Array) -> float:
    """Return the step of which all differences of the signal are multiples, 0 when there is none [signal unit]."""
    steps = np.abs(np.diff(signal))
    steps = steps[steps > 0]
    if steps.size < 2:
        return 0.0
    smallest = float(steps.min())
    unit = quantile(steps[steps < 1.5 * smallest], 0.5)
    # a few of the smaller ones tell most signals that are not quantised
    few = np.sort(steps[:: steps.size // SAMPLE + 1])
    if np.mean(_is_multiple(few[: few.size // 2 + 1], unit)) < MOSTLY:
        return 0.0
    half = max(2, steps.size // 2)
    small = np.partition(steps, half - 1)[:half]
    near = small[small < 1e6 * smallest]
    return unit if near.size > 0.99 * small.size and _is_multiple(near, unit).all() else 0.0


def _is_multiple(steps: Array, unit: float) -> Mask:
    """Return which steps are whole numbers of units, as nearly as so many are known."""
    count = steps / unit
    return np.asarray(np.abs(count - np.rint(count)) < 0.02 + 1e-3 * count)


def padding(signal: Array, step: float = 0.0) -> Mask:
    """Return the mask, shape (n,), of runs of equal points too long for the detector to have measured them."""
    mask = np.zeros(signal.size, dtype=bool)
    moves = signal[1:] != signal[:-1]
    if moves.size - np.count_nonzero(moves) < LONG_RUN:
        return mask
    starts = np.r_[0, np.flatnonzero(moves) + 1]
    lengths = np.diff(np.append(starts, signal.size))
    usual = 1.0
    if step > 0:
        moving = lengths[lengths < max(NO_RUN, signal.size // 2)]
        usual = float(np.sum(moving**2) / np.sum(moving)) if moving.size else 1.0
    for i in np.flatnonzero(lengths > LONG_RUN * usual):
        mask[starts[i] : starts[i] + lengths[i]] = True
    return mask
