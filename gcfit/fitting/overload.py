"""Strongly overloaded peaks: those whose loading ended at the bound of a common search go on beyond it.

Such a bound keeps the peaks of a window apart: a free one may take the shape of all its neighbours. The search of one
that touches none of about its size starts once more beyond it, and goes as far as the data ask.
"""

from dataclasses import replace

from gcfit.chromatogram import Array
from gcfit.fitting.loading import INVERTED
from gcfit.fitting.registry import MODELS
from gcfit.fitting.states import Peak, State, WindowData, heights_of, solved
from gcfit.fitting.terms import COARSE
from gcfit.fitting.together import TOUCHING, overlapping

AT = 0.999  # of the bound, from which a loading is at it
BEYOND = 1.2  # of the bound, where the search begins


def followed(data: WindowData, state: State, place: int) -> State:
    """A solved window with the loading of one peak beyond the bound of all, where it ended there and that leaves less.

    Parameters
    ----------
    data : WindowData
    state : State
    place : int
        Of the peak.
    """
    peak = state.peaks[place]
    if not _at_bound(peak) or overlapping(state.peaks, heights_of(state), place, TOUCHING) != [place]:
        return state
    coordinates: Array = peak.coordinates.copy()
    coordinates[-1] *= BEYOND
    beyond = replace(peak, coordinates=coordinates)
    further = solved(data, (*state.peaks[:place], beyond, *state.peaks[place + 1 :]), state.base_order, COARSE)
    return state if further is None or further.solution.rss >= state.solution.rss else further


def strong(state: State) -> bool:
    """Whether the loading of a peak of a solved window went beyond the bound of all."""
    return any("load" in MODELS[peak.model].parts and abs(peak.coordinates[-1]) > INVERTED for peak in state.peaks)


def _at_bound(peak: Peak) -> bool:
    """Whether a loading is at the bound of a common search; one beside a second site stays there."""
    parts = MODELS[peak.model].parts
    return "load" in parts and "site" not in parts and AT * INVERTED <= abs(peak.coordinates[-1]) <= INVERTED
