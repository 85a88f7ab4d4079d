"""Which model each peak of a window gets: the simplest that the data support, near the peak itself."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import product

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.certainty import VAGUE, errors_of
from gcfit.fitting.misfit import misfit
from gcfit.fitting.neighbourhood import Local, SumOfPeaks
from gcfit.fitting.overload import followed
from gcfit.fitting.registry import MODELS, PARTS
from gcfit.fitting.scores import score
from gcfit.fitting.states import (
    DECISIVE,
    Peak,
    State,
    WindowData,
    heights_of,
    penalty,
    solved,
    supports,
)
from gcfit.fitting.terms import COARSE, Solution
from gcfit.fitting.together import STRONG, lessened, overlapping

PERFECT = 1e-3  # of its height; a peak of a crowd that leaves less needs no better model
SWOLLEN = 2.0  # times as wide as before, beside a higher peak; more than an addition makes of a peak
WIDE = 12.0  # σ; neighbours nearer than this are free where tails reach far
SCREEN = 14.0  # a sum of squared scores above this plus the penalty calls for more than the pair
START_VALUES: dict[str, tuple[tuple[float, ...], ...]] = {
    "site": ((np.log(0.5), np.log(1.0)), (np.log(0.1), np.log(4.0))),
    "tail": ((np.log(0.7),),),
    "load": ((-8.0,), (3.0,)),
}


def choose(
    data: WindowData,
    state: State,
    allowed: Sequence[str],
    places: AbstractSet[int] | None = None,
    *,
    wide: bool = False,
) -> State:
    """Let each peak of a solved window, or those at some places, take the model that the data support of the allowed.

    Peaks are taken from the highest down, each with the neighbours that it overlaps strongly while the others stand;
    then all are fitted together. Where it is `wide` tails that reach far are told from the baseline: neighbours farther
    away are free too, and all points of the window are seen. In a crowd those that are described well stay as they are.
    """
    heights, sum_of_peaks = heights_of(state), SumOfPeaks(data, state)
    peaks = list(state.peaks)
    for place in np.argsort(-heights):
        if places is not None and place not in places:
            continue
        if data.crowded and misfit(data, state, int(place)) < PERFECT:
            continue
        group = overlapping(peaks, heights, int(place), WIDE if wide else STRONG)
        local = sum_of_peaks.neighbourhood(peaks, group, wide=wide)
        # peaks that overlap do not determine all additions at once
        most = len(PARTS) if len(group) == 1 else len(PARTS) - 1
        names = [name for name in allowed if len(MODELS[name].parts) <= most]
        best = chosen(local, [peaks[k] for k in group], group.index(int(place)), names)
        if best is None or best.peaks[group.index(int(place))].model == peaks[place].model:
            continue
        for k, peak in zip(group, best.peaks, strict=True):
            peaks[k] = peak
        sum_of_peaks.update(group, best.solution, local.first)
    if all(new.model == old.model for new, old in zip(peaks, state.peaks, strict=True)):
        return state
    joint = solved(data, peaks, state.base_order)
    return joint if joint is not None and supports(data, state, joint, DECISIVE) else state


def chosen(local: Local, peaks: Sequence[Peak], place: int, allowed: Sequence[str]) -> State | None:
    """Some peaks with the model of one of them chosen: by number of parts, until the residual calls for no more.

    Each model starts from the simpler ones that it contains: a pair of parts can describe what neither does alone.
    """
    data = local.data
    start = solved(data, peaks, local.base_order)
    if start is None:
        return None
    best, found = start, {start.peaks[place].model: start, **_bare(data, start, place, allowed)}
    beside = heights_of(start)[place] < max(heights_of(start))
    for size in range(1, len(PARTS) + 1):
        seen = bend_score(data, best, place)
        if seen <= SCREEN + penalty(data):
            break
        for name in (name for name in allowed if len(MODELS[name].parts) == size and name not in found):
            columns = len(MODELS[name].parameters) - best.peaks[place].coordinates.size
            # additions bring no more than what is seen along the directions in which they bend a peak
            if DECISIVE + columns * penalty(data) > seen:
                continue
            tried = [
                _with(data, simpler, place, trial)
                for simpler in _simpler(name, found, place, data.crowded or len(peaks) > 1)
                for trial in _starts(simpler.peaks[place], name)
            ]
            fitted = [
                one
                for one in tried
                if one is not None
                and one.solution.amplitudes[place] * one.peaks[place].sign > 0
                and errors_of(data, one, place).get("area", 1.0) < VAGUE
                and not (beside and _swollen(start, one, place))
            ]
            if fitted:
                found[name] = min(fitted, key=lambda one: one.criterion)
        winner = min(found.values(), key=lambda one: one.criterion)
        if supports(data, best, winner, DECISIVE):
            best = winner
    return _without_needless(data, best, place, allowed)


def _swollen(before: State, after: State, place: int) -> bool:
    """Whether a peak has become so much wider, for its height, that it describes what others leave."""
    was, now = (float(state.solution.curves[place].rows[0].max(initial=0.0)) for state in (before, after))
    return was > SWOLLEN * now


def _bare(data: WindowData, state: State, place: int, allowed: Sequence[str]) -> dict[str, State]:
    """A peak that has additions already without them: others may describe it better, and start from there."""
    model = MODELS[state.peaks[place].model]
    trial = lessened(state.peaks[place], ())
    if not model.parts or trial.model not in allowed:
        return {}
    bare = _with(data, state, place, trial)
    return {} if bare is None else {trial.model: bare}


def _without_needless(data: WindowData, state: State, place: int, allowed: Sequence[str]) -> State:
    """A peak of several parts without the one that it does not need, if there is one.

    From where the richer model ended, a simpler one may end lower than from any start of its own.
    """
    parts = MODELS[state.peaks[place].model].parts
    if len(parts) < 2:
        return state
    trials = [lessened(state.peaks[place], tuple(part for part in parts if part != one)) for one in parts]
    tried = [_with(data, state, place, trial) for trial in trials if trial.model in allowed]
    return min((state, *(one for one in tried if one is not None)), key=lambda one: one.criterion)


def _simpler(name: str, found: Mapping[str, State], place: int, crowded: bool) -> list[State]:
    """States to start a model from: all that it contains; in a crowd, and for three parts, the best."""
    model = MODELS[name]
    states = [
        state
        for held, state in found.items()
        if MODELS[held].core == model.core and set(MODELS[held].parts) < set(model.parts)
    ]
    if len(model.parts) < 3 and not crowded:
        return states
    return [min(states, key=lambda one: one.criterion)] if states else []


def _with(data: WindowData, state: State, place: int, peak: Peak) -> State | None:
    """The window solved again with one peak replaced."""
    again = solved(data, (*state.peaks[:place], peak, *state.peaks[place + 1 :]), state.base_order, COARSE)
    return None if again is None else followed(data, again, place)


def _starts(peak: Peak, name: str) -> Iterator[Peak]:
    """Starts of a model from a fitted simpler one; a loading has local minima and is started from several values."""
    held = dict(zip(MODELS[peak.model].parameters, peak.coordinates.tolist(), strict=True))
    new = [part for part in MODELS[name].parts if part not in MODELS[peak.model].parts]
    for choice in product(*(START_VALUES[part] for part in new)):
        values = dict(held)
        for part, start in zip(new, choice, strict=True):
            # times are in units of σ, a loading is a number
            offset = 0.0 if part == "load" else np.log(peak.sigma)
            values.update(zip(PARTS[part], (value + offset for value in start), strict=True))
        if "tail" in new:
            values["retention"] -= 0.5 * np.exp(values["log_tail"])
            values["log_sigma"] -= 0.2
        yield replace(peak, model=name, coordinates=np.array([values[key] for key in MODELS[name].parameters]))


def calls_for_more(data: WindowData, state: State, place: int) -> bool:
    """Whether the residual near a peak holds more than noise along the directions in which additions bend it."""
    return bend_score(data, state, place) > SCREEN + penalty(data)


def bend_score(data: WindowData, state: State, place: int) -> float:
    """Sum of squared scores (Rao 1948) of the directions in which additions bend a peak: χ² of 8 degrees under noise.

    The directions are Gauss-Hermite functions of orders 3 to 8 on the peak and two decays behind it, less what the
    fitted columns take of them, made orthonormal.
    """
    peak = state.peaks[place]
    near = slice(*np.searchsorted(data.time, peak.coordinates[0] + peak.sigma * np.array([-12.0, 60.0])))
    z = (data.time[near] - peak.coordinates[0]) / peak.sigma
    return score(data, state, _bends(z), near, _fitted_columns(state.solution, place, near))


def _bends(z: Array) -> Array:
    """Gauss-Hermite functions of orders 3 to 8 and two decays at places z [σ], shape (8, n)."""
    late = np.maximum(z - 2, 0)
    rows = np.concatenate([gauss_hermite(z, 8)[3:], np.empty((2, z.size))])
    slow = np.exp(-late / 8)
    np.multiply(late, slow, out=rows[-1])
    # what decays in 2 is the fourth power of what decays in 8
    slow *= slow
    np.multiply(late, slow * slow, out=rows[-2])
    return rows


def _fitted_columns(solution: Solution, place: int, near: slice) -> Array:
    """What is free in a window at some points: columns of a peak and of its neighbours, and of the baseline."""
    terms = range(max(place - 1, 0), min(place + 2, len(solution.curves)))
    base = solution.base[:, near]
    rows = np.zeros((len(base) + sum(solution.size(term) for term in terms), base.shape[1]))
    rows[: len(base)] = base
    begin = len(base)
    for term in terms:
        curve, end = solution.curves[term], begin + solution.size(term)
        low, high = max(curve.first, near.start), min(curve.last, near.stop)
        if low < high:
            # the products of a basis do not depend on the size of its rows
            rows[begin:end, low - near.start : high - near.start] = solution.rows[term][
                :, low - curve.first : high - curve.first
            ]
        begin = end
    return rows


def gauss_hermite(z: Array, highest: int) -> Array:
    """Hermite polynomials He_k of orders 0 to `highest` times exp(-z²/2): He_k = z He_(k-1) - (k - 1) He_(k-2)."""
    rows = np.empty((highest + 1, z.size))
    np.exp(-z * z / 2, out=rows[0])
    np.multiply(z, rows[0], out=rows[1])
    for order in range(2, highest + 1):
        np.multiply(z, rows[order - 1], out=rows[order])
        rows[order] -= (order - 1) * rows[order - 2]
    return rows


def forced(data: WindowData, state: State, name: str) -> State:
    """Give every peak of a solved window the named model, from the best of its starts."""
    for place in range(len(state.peaks)):
        if state.peaks[place].model == name:
            continue
        tried = [_with(data, state, place, trial) for trial in _starts(state.peaks[place], name)]
        state = min((one for one in tried if one is not None), key=lambda one: one.solution.rss, default=state)
    return state
