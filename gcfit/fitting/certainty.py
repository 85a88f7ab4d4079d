"""How sure a peak of a solved window is, and which peaks are none."""

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.covariance import covariance
from gcfit.fitting.registry import MODELS
from gcfit.fitting.states import DECISIVE, State, WindowData, solved, supports

VAGUE = 0.2  # relative error of an area; an addition that leaves more trades the peak for its baseline
PHANTOM = 3.0  # standard errors of its area below which a peak is none
AROUND, ABSURD = 4.0, 30.0  # σ around a peak; times the height of the signal there that no peak is high
NEAR = 6  # places within which peaks hide each other


def without_phantoms(data: WindowData, state: State) -> State | None:
    """Leave out, in turns, peaks whose area has the wrong sign or is within `PHANTOM` errors of zero.

    A turn takes the least sure ones that are not neighbours; where the data say that it must not take them all, it
    takes the least sure of all. None where no peak remains.
    """
    needed: set[float] = set()
    while True:
        sure = np.array(
            [
                np.inf if peak.anchor in needed else _certainty(data, state, place)
                for place, peak in enumerate(state.peaks)
            ]
        )
        worst = int(np.argmin(sure))
        if sure[worst] >= PHANTOM:
            return state
        for gone in dict.fromkeys((_least_around(sure), (worst,))):
            rest = [peak for place, peak in enumerate(state.peaks) if place not in gone]
            again = solved(data, rest, state.base_order) if rest else None
            if again is None:
                return None
            if not (sure[list(gone)] > 0).any() or not supports(data, again, state, DECISIVE):
                state = again
                break
        else:
            # a large error of the area is not its absence: peak and additions may be sure together only
            needed.add(state.peaks[worst].anchor)


def _least_around(sure: Array) -> tuple[int, ...]:
    """Places of peaks that are less sure than `PHANTOM` and the least sure of those within `NEAR` places."""
    least = [
        place
        for place in np.flatnonzero(sure < PHANTOM).tolist()
        if place == max(place - NEAR, 0) + int(np.argmin(sure[max(place - NEAR, 0) : place + NEAR + 1]))
    ]
    return tuple(least)


def _certainty(data: WindowData, state: State, place: int) -> float:
    """Area over its standard error for the noise of the trace, negative for the wrong sign; infinite without error.

    Among many, a peak that is much higher than the signal around it ranges is the counterpart of another, or of a
    baseline that sags: it is surely none.
    """
    solution, area = state.solution, float(state.solution.amplitudes[place]) * state.peaks[place].sign
    if data.crowded and over_range(data, state, place) > ABSURD:
        return -np.inf
    near = range(max(place - 1, 0), min(place + 2, len(solution.curves)))
    unit = covariance(solution, near)
    if unit is None or data.deviation == 0:
        return float(np.copysign(np.inf, area))
    column = sum(solution.rows[term].shape[0] for term in near if term < place)
    return area / (data.deviation * float(np.sqrt(unit[column, column] * data.inflation)))


def over_range(data: WindowData, state: State, place: int) -> float:
    """Height of a peak over that of the signal around it above the lowest of its window; 0 where it is not all seen."""
    peak, shape = state.peaks[place], state.solution.curves[place]
    reach = AROUND * max(peak.sigma, float(np.exp(peak.coordinates[1])))
    first, last = np.searchsorted(data.time, [peak.coordinates[0] - reach, peak.coordinates[0] + reach])
    if first == 0 or last == data.time.size or (data.weights is not None and not data.weights[first:last].all()):
        return 0.0
    height = abs(float(state.solution.amplitudes[place])) * float(shape.rows[0].max(initial=0.0))
    seen = float((peak.sign * data.signal[first:last]).max() - (peak.sign * data.signal).min())
    return height / max(seen, data.deviation) if height > 0 else 0.0


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
