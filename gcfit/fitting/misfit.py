"""How well a solved window describes each of its peaks, where that peak is seen."""

import numpy as np
from numpy.typing import NDArray

from gcfit.fitting.states import State, WindowData

OWN = 0.05  # of its apex, above which points are a peak's own
WELL = 0.004  # of its height; a peak that leaves less is described well: R² is then above 0.9998
NOISE = 3.0  # root mean square of the residual, in noise, up to which it is no misfit


def own_points(data: WindowData, state: State, place: int) -> NDArray[np.intp]:
    """Points at which a peak of a solved window is seen, shape (m,)."""
    shape = state.solution.curves[place]
    size = np.abs(state.solution.amplitudes[place] * shape.rows[0])
    own = shape.first + np.flatnonzero(size > OWN * size.max(initial=0.0))
    return own if data.weights is None else own[data.weights[own] > 0]


def misfit(data: WindowData, state: State, place: int) -> float:
    """Root mean square of what is left where a peak is seen, as a part of its height; 0 where that may be noise."""
    own = own_points(data, state, place)
    if not own.size:
        return 0.0
    left = float(np.sqrt(np.mean(state.solution.residual[own] ** 2)))
    height = abs(float(state.solution.amplitudes[place])) * float(np.abs(state.solution.curves[place].rows[0]).max())
    return left / height if left > NOISE * data.deviation and height > 0 else 0.0
