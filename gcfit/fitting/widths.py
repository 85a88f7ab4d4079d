"""How wide the peaks of a crowd may be: between others a bulge is narrower than its peak."""

from dataclasses import replace

import numpy as np

from gcfit.fitting.states import Peak, State, WindowData, bounds

AROUND = 3  # peaks on either side that tell how wide those of a crowd are
WIDER = 1.5  # times as wide as these a peak may be in any case
EDGE = 1 - 1e-6  # of its bound, where a width is on it


def freed(data: WindowData, state: State) -> tuple[Peak, ...]:
    """The peaks of a solved crowd, those at the bound of their width free to be as wide as their neighbours."""
    widths = np.exp([peak.coordinates[1] for peak in state.peaks])
    peaks = list(state.peaks)
    for place, peak in enumerate(peaks):
        around = widths[max(place - AROUND, 0) : place + AROUND + 1]
        usual = float(np.median(np.delete(around, min(place, AROUND))))
        widest = np.exp(bounds(peak, data.sampling.interval, data.crowded)[1][1])
        if widths[place] >= EDGE * widest and widest < WIDER * usual:
            peaks[place] = replace(peak, sigma=min(usual, float(widths[place])))
    return tuple(peaks)
