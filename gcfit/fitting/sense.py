"""Peaks of a solved crowd that tell nothing: counterparts of others, of a sagging baseline, of a neighbour's misfit."""

import numpy as np

from gcfit.fitting.certainty import over_range
from gcfit.fitting.states import Peak, State, WindowData, solved

HIGHER = 1.5  # times the height of the signal around it that a peak may be high
OWN = 0.05  # of its apex, above which points are a peak's own
ROUNDS = 6


def sensible(data: WindowData, state: State) -> State | None:
    """A solved window whose peaks all describe the signal where they stand better than a level would.

    Those that do not start once more where they were found, without additions, and are left out if that does not help.
    None where no peak remains.
    """
    tried: set[float] = set()
    for _ in range(ROUNDS):
        senseless = {place for place in range(len(state.peaks)) if _senseless(data, state, place)}
        if not senseless:
            break
        peaks = [
            peak if place not in senseless else _as_found(peak)
            for place, peak in enumerate(state.peaks)
            if place not in senseless or peak.anchor not in tried
        ]
        tried |= {state.peaks[place].anchor for place in senseless}
        again = solved(data, peaks, state.base_order) if peaks else None
        if again is None:
            return None
        state = again
    return state


def _as_found(peak: Peak) -> Peak:
    """A peak of the pair, or a Gaussian, where it was found."""
    return Peak(
        peak.model.split("+")[0], np.array([peak.anchor, np.log(peak.sigma)]), peak.anchor, peak.sigma, peak.sign
    )


def _senseless(data: WindowData, state: State, place: int) -> bool:
    """Whether a level would describe the points of a peak better, or it is much higher than the signal there."""
    shape = state.solution.curves[place]
    size = np.abs(state.solution.amplitudes[place] * shape.rows[0])
    own = shape.first + np.flatnonzero(size > OWN * size.max(initial=0.0))
    if data.weights is not None:
        own = own[data.weights[own] > 0]
    if own.size < 3 or np.var(data.signal[own]) < np.mean(state.solution.residual[own] ** 2):
        return True
    return over_range(data, state, place) > HIGHER
