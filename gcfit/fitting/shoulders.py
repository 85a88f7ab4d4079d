"""Shoulders of a crowd: each is a peak of its own, or the shape of the peak that it stands on."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from gcfit.fitting.neighbourhood import SumOfPeaks
from gcfit.fitting.select import chosen
from gcfit.fitting.states import State, WindowData, heights_of, solved
from gcfit.fitting.together import TOUCHING, overlapping


def without_shoulders(data: WindowData, state: State, anchors: AbstractSet[float], allowed: Sequence[str]) -> State:
    """A solved window without those shoulders that one addition to a neighbour describes as well.

    Each is judged where it stands, beside the neighbours that it touches while the others stand; then all are fitted.

    Parameters
    ----------
    data : WindowData
    state : State
    anchors : set of float
        Where the shoulders were found [s].
    allowed : sequence of str
        Models of one addition at most that a neighbour may take instead.
    """
    heights, sum_of_peaks = heights_of(state), SumOfPeaks(data, state)
    needless = []
    for place, peak in enumerate(state.peaks):
        group = overlapping(state.peaks, heights, place, TOUCHING)
        # the highest peak around stands on none
        if peak.anchor in anchors and heights[place] < max(heights[k] for k in group):
            local = sum_of_peaks.neighbourhood(state.peaks, group)
            others = [k for k in group if k != place]
            stands_on = others.index(max(others, key=lambda k: float(heights[k])))
            with_it = chosen(local, [state.peaks[k] for k in group], group.index(others[stands_on]), allowed)
            without = chosen(local, [state.peaks[k] for k in others], stands_on, allowed)
            if without is not None and (with_it is None or without.criterion < with_it.criterion):
                needless.append(place)
    if not needless:
        return state
    rest = [peak for place, peak in enumerate(state.peaks) if place not in needless]
    return solved(data, rest, state.base_order) or state
