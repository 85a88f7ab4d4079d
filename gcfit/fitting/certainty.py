"""How sure a peak of a solved window is, and which peaks are none."""

import numpy as np

from gcfit.fitting.covariance import covariance
from gcfit.fitting.models import MODELS
from gcfit.fitting.states import DECISIVE, State, WindowData, solved, supports

VAGUE = 0.2  # relative error of an area; an addition that leaves more trades the peak for its baseline
PHANTOM = 3.0  # standard errors of its area below which a peak is none


def without_phantoms(data: WindowData, state: State) -> State | None:
    """Leave out, one after the other, peaks whose area has the wrong sign or is within `PHANTOM` errors of zero.

    None where no peak remains.
    """
    needed: set[float] = set()
    while True:
        sure = [
            np.inf if peak.anchor in needed else _certainty(data, state, place)
            for place, peak in enumerate(state.peaks)
        ]
        worst = int(np.argmin(sure))
        if sure[worst] >= PHANTOM:
            return state
        rest = (*state.peaks[:worst], *state.peaks[worst + 1 :])
        again = solved(data, rest, state.base_order)
        if again is not None and sure[worst] > 0 and supports(data, again, state, DECISIVE):
            # a large error of the area is not its absence: peak and additions may be sure together only
            needed.add(state.peaks[worst].anchor)
        elif again is None or not rest:
            return None
        else:
            state = again


def _certainty(data: WindowData, state: State, place: int) -> float:
    """Area over its standard error for the noise of the trace, negative for the wrong sign; infinite without error."""
    solution, area = state.solution, float(state.solution.amplitudes[place]) * state.peaks[place].sign
    near = range(max(place - 1, 0), min(place + 2, len(solution.curves)))
    unit = covariance(solution, near)
    if unit is None or data.deviation == 0:
        return float(np.copysign(np.inf, area))
    column = sum(solution.rows[term].shape[0] for term in near if term < place)
    return area / (data.deviation * float(np.sqrt(unit[column, column] * data.inflation)))


def errors_of(data: WindowData, state: State, place: int) -> dict[str, float]:
    """Standard error of a peak's area, relative, and of its coordinates, for the misfit as it is.

    Empty where the data do not say.
    """
    solution, model = state.solution, MODELS[state.peaks[place].model]
    near = range(max(place - 1, 0), min(place + 2, len(state.peaks)))
    unit = covariance(solution, near)
    if unit is None:
        return {}
    begin = sum(solution.rows[term].shape[0] for term in near if term < place)
    spread = unit.diagonal()[begin : begin + 1 + len(model.parameters)]
    shape = solution.curves[place]
    misfit = float(np.mean(solution.residual[shape.first : shape.last] ** 2))
    variance = max(data.deviation**2, misfit) * data.inflation
    errors = np.sqrt(variance * spread)
    errors[0] /= abs(solution.amplitudes[place])
    return dict(zip(("area", *model.parameters), errors.tolist(), strict=True))
