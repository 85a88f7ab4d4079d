"""Windows whose areas are vague, with plainer peaks and baselines where the data say as much for these.

Models are chosen peak by peak while most others stand, and the baseline after them. Together they may then trade area
with each other or with the baseline though nothing in the data asks for it: one addition too many, and no area of a
group is determined any more. So what makes an area vague is taken off again, as long as the data do not decide for it.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.covariance import around, covariance
from gcfit.fitting.misfit import poorly_described, variance_of
from gcfit.fitting.models import curve
from gcfit.fitting.registry import MODELS
from gcfit.fitting.sense import as_found
from gcfit.fitting.states import DECISIVE, Peak, State, WindowData, solved, supports
from gcfit.fitting.terms import CLOSE, COARSE
from gcfit.fitting.together import lessened
from gcfit.fitting.window_result import WindowResult

LOOSE = 0.5  # relative error of an area that is within two standard errors of zero
FIRM, LOST = 0.1, 100.0  # relative errors between which a smaller one counts
GAIN = 0.5  # least fall of the sum of their logarithms
MOST = 3  # additions to take off, for each peak

Trial = tuple[Sequence[Peak], int]


def plainer(result: WindowResult) -> WindowResult:
    """A window whose peaks chose their models, without what leaves areas within two standard errors of zero.

    It is taken off one after the other, from the vaguest area on, and last the baseline's, where the data do not decide
    against it and no more peaks are described badly: of what is simpler about a peak and its neighbours that which
    makes the areas surest.
    """
    task, state = result.task, result.state
    if task.model != "auto" or task.curve is not curve or state is None:
        return result
    data, errors = task.whole, _errors(task.whole, state)
    in_vain: set[float] = set()
    for _ in range(MOST * len(state.peaks)):
        anchor = _vaguest(state, errors, in_vain)
        if anchor is None:
            break
        better = _surest(data, state, errors, _about(state, anchor))
        if better is None:
            in_vain.add(anchor)
        else:
            state, errors = better
    if (errors > LOOSE).any():
        state, errors = _surest(data, state, errors, _straighter(state)) or (state, errors)
    return result if state is result.state else WindowResult(task, state)


def _vaguest(state: State, errors: Array, in_vain: AbstractSet[float]) -> float | None:
    """Anchor of the peak with the vaguest area of those that were not tried in vain; None where none is loose."""
    loose = [place for place in np.argsort(-errors).tolist() if errors[place] > LOOSE]
    return next((state.peaks[k].anchor for k in loose if state.peaks[k].anchor not in in_vain), None)


def _surest(data: WindowData, state: State, errors: Array, trials: Iterable[Trial]) -> tuple[State, Array] | None:
    """The window with the change that makes its areas surest, and their errors; None where none does."""
    best, most, poor = None, GAIN, sum(poorly_described(data, state))
    for peaks, base_order in trials:
        trial = solved(data, peaks, base_order, COARSE)
        if trial is None or not _upright(trial) or supports(data, trial, state, DECISIVE):
            continue
        gain = _vagueness(errors) - _vagueness(_errors(data, trial))
        if gain > most and sum(poorly_described(data, trial)) <= poor:
            best, most = trial, gain
    close = None if best is None else solved(data, best.peaks, best.base_order, CLOSE)
    return None if close is None else (close, _errors(data, close))


def _about(state: State, anchor: float) -> Iterator[Trial]:
    """A window with one addition less of a peak or its neighbours, or with the peak as it was found."""
    peaks = state.peaks
    own = next(place for place, peak in enumerate(peaks) if peak.anchor == anchor)
    for place in range(max(own - 1, 0), min(own + 2, len(peaks))):
        parts = MODELS[peaks[place].model].parts
        others = [lessened(peaks[place], tuple(part for part in parts if part != one)) for one in parts]
        for other in [*others, as_found(peaks[place])] if place == own else others:
            yield [*peaks[:place], other, *peaks[place + 1 :]], state.base_order


def _straighter(state: State) -> Iterator[Trial]:
    """A window with baselines that bend less."""
    return ((state.peaks, order) for order in range(state.base_order))


def _errors(data: WindowData, state: State) -> Array:
    """Relative standard errors of the areas, shape (peaks,); infinite where the data do not say."""
    solution = state.solution
    errors = np.full(len(state.peaks), np.inf)
    for place in range(errors.size):
        near = around(place, errors.size)
        unit = covariance(solution, near)
        if unit is not None:
            column = sum(solution.size(term) for term in near if term < place)
            variance = variance_of(data, state, place, data.inflation) * data.inflation
            errors[place] = np.sqrt(variance * unit[column, column]) / abs(solution.amplitudes[place])
    return errors


def _vagueness(errors: Array) -> float:
    return float(np.sum(np.log(np.clip(errors, FIRM, LOST))))


def _upright(state: State) -> bool:
    return all(
        amplitude * peak.sign > 0 for amplitude, peak in zip(state.solution.amplitudes, state.peaks, strict=True)
    )
