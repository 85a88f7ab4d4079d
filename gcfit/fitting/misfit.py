"""How well a solved window describes each of its peaks, where that peak is seen."""

import numpy as np
from numpy.typing import NDArray

from gcfit.fitting.limits import limits_of
from gcfit.fitting.states import State, WindowData

OWN = 0.05  # of its apex, above which points are a peak's own
NOISE = 3.0  # root mean square of the residual, in noise, up to which it is no misfit
CHANCE = 4.0  # standard errors of the variance of the residual
ALL = 1.2  # of the noise, of which no more is left where all that is seen is described
POOR = 0.003  # of the scatter of the signal between the limits of a peak, of which no more is left of most


def own_points(data: WindowData, state: State, place: int) -> NDArray[np.intp]:
    """Points at which a peak of a solved window is seen, shape (m,)."""
    shape = state.solution.curves[place]
    size = np.abs(state.solution.amplitudes[place] * shape.rows[0])
    own: NDArray[np.intp] = shape.first + (size > OWN * size.max(initial=0.0)).nonzero()[0]
    return own if data.weights is None else own[data.weights[own] > 0]


def height_of(state: State, place: int) -> float:
    """Height of a peak over its baseline [signal unit]."""
    return abs(float(state.solution.amplitudes[place])) * float(state.solution.curves[place].rows[0].max(initial=0.0))


def misfit(data: WindowData, state: State, place: int) -> float:
    """Root mean square of what is left where a peak is seen, as a part of its height."""
    left = _left(data, state, place)
    return left / max(height_of(state, place), left) if left > 0 else 0.0


def leaves(data: WindowData, state: State, place: int, share: float) -> bool:
    """Whether far more than noise is left where a peak is seen, and more than a share of its height."""
    return _left(data, state, place) > NOISE * data.deviation and misfit(data, state, place) > share


def explained(state: State, deviation: float) -> bool:
    """Whether a window's fit leaves no more than noise of some standard deviation."""
    return float(np.sqrt(np.mean(state.solution.residual**2))) <= ALL * deviation


def variance_of(data: WindowData, state: State, place: int, persistence: float) -> float:
    """Variance of a point from which the errors of a peak follow, beside noise that hangs together over so many points.

    It is that of the noise, or of what is left in the window or where the peak is seen, if that is more than
    chance; then as many times as it hangs together over more points than noise does.
    """
    solution, noise = state.solution, data.deviation**2
    own = solution.residual[own_points(data, state, place)]
    points = [max(solution.residual.size - solution.columns, 1), max(own.size, 1)]
    left = [solution.rss / points[0], float(own @ own) / points[1]]
    misfits = [
        one
        for one, count in zip(left, points, strict=True)
        if one >= noise * (1 + CHANCE * np.sqrt(2 * data.inflation / count))
    ]
    return max(misfits) * max(solution.persistence / persistence, 1.0) if misfits else noise


def poorly_described(data: WindowData, state: State) -> list[bool]:
    """Whether far more than noise is left between the limits of each peak, and more than a share of the scatter."""
    bad = []
    for limits in limits_of(state):
        points = slice(*limits)
        left, seen = float(np.sum(state.solution.residual[points] ** 2)), data.signal[points]
        noise = NOISE**2 * seen.size * data.deviation**2
        bad.append(left > max(noise, POOR * float(np.sum((seen - seen.mean()) ** 2))) if seen.size else False)
    return bad


def _left(data: WindowData, state: State, place: int) -> float:
    own = own_points(data, state, place)
    return float(np.sqrt(np.mean(state.solution.residual[own] ** 2))) if own.size else 0.0
