"""Peaks of a solved window that tell nothing: counterparts of others, of a sagging baseline, of another's misfit."""

from dataclasses import replace

import numpy as np

from gcfit.fitting.models import MODELS
from gcfit.fitting.states import Peak, State, WindowData, solved

OWN = 0.05  # of its apex, above which points are a peak's own
TAKEN_BACK = 0.25  # of its height, less than which a peak shows in the signal only where the baseline makes room for it
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
    found = np.array([peak.anchor, np.log(peak.sigma)])
    return replace(peak, model=MODELS[peak.model].core, coordinates=found)


def _senseless(data: WindowData, state: State, place: int) -> bool:
    """Whether a peak points the wrong way, a level would describe its points better, or the baseline takes it back."""
    shape = state.solution.curves[place]
    if state.solution.amplitudes[place] * state.peaks[place].sign < 0:
        return True
    size = np.abs(state.solution.amplitudes[place] * shape.rows[0])
    own = shape.first + (size > OWN * size.max(initial=0.0)).nonzero()[0]
    if data.weights is not None:
        own = own[data.weights[own] > 0]
    if own.size < 3:
        return True
    signal, residual = data.signal[own], state.solution.residual[own]
    about = signal - signal.sum() / own.size
    if about @ about < residual @ residual:
        return True
    seen = signal - state.solution.total[own]
    seen += state.solution.amplitudes[place] * shape.rows[0][own - shape.first]
    return bool(seen.max() - seen.min() < TAKEN_BACK * size.max())
