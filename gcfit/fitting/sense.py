"""Peaks of a solved window that tell nothing: counterparts of others, of a sagging baseline, of another's misfit."""

from dataclasses import replace

import numpy as np

from gcfit.fitting.misfit import height_of, own_points
from gcfit.fitting.registry import MODELS
from gcfit.fitting.states import Peak, State, WindowData, solved

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
            peak if place not in senseless else as_found(peak)
            for place, peak in enumerate(state.peaks)
            if place not in senseless or peak.anchor not in tried
        ]
        tried |= {state.peaks[place].anchor for place in senseless}
        again = solved(data, peaks, state.base_order) if peaks else None
        if again is None:
            return None
        state = again
    return state


def as_found(peak: Peak) -> Peak:
    """A peak of the pair, or a Gaussian, where it was found."""
    found = np.array([peak.anchor, np.log(peak.sigma)])
    return replace(peak, model=MODELS[peak.model].core, coordinates=found)


def _senseless(data: WindowData, state: State, place: int) -> bool:
    """Whether a peak points the wrong way, a level would describe its points better, or the baseline takes it back."""
    if state.solution.amplitudes[place] * state.peaks[place].sign < 0:
        return True
    own = own_points(data, state, place)
    if own.size < 3:
        return True
    signal, residual = data.signal[own], state.solution.residual[own]
    about = signal - signal.sum() / own.size
    if about @ about < residual @ residual:
        return True
    shape = state.solution.curves[place]
    curve = state.solution.amplitudes[place] * shape.rows[0][own - shape.first]
    seen = signal - state.solution.total[own] + curve
    return bool(seen.max() - seen.min() < TAKEN_BACK * height_of(state, place))
