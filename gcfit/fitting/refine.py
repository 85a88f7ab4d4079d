"""The last turn of a crowd: where peaks leave far more than noise, they are searched again from other starts.

A peak that was missed bends all around it: its neighbour's search ends where it stands for two. And a loading has local
minima. So each peak that is described badly starts once more as it was found, with a loading, and then with one more
peak beside it where the residual asks for one most. What takes up most of the misfit stays.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.hidden import explained
from gcfit.fitting.misfit import leaves
from gcfit.fitting.models import MODELS, PARTS
from gcfit.fitting.neighbourhood import Local, SumOfPeaks
from gcfit.fitting.select import chosen
from gcfit.fitting.sense import as_found
from gcfit.fitting.states import DECISIVE, Peak, State, WindowData, solved, supports
from gcfit.fitting.terms import CLOSE, COARSE
from gcfit.fitting.together import TOUCHING, overlapping

BADLY = 0.006  # of the height of a peak; one that leaves less is described well: R² is above 0.9997
MISSED = 0.008  # of the height of a peak; less is left by the models of one peak themselves (R² of 0.9995 to 0.998)
WORTH = 0.8  # of the misfit of one peak; a first search with two that leaves more is not followed up
MOST = 0.4  # of it that is left at most where a peak is added
CLEARLY = 0.1  # of it below which the pair is enough for both
PLACES = np.arange(-3.5, 3.6, 0.5)  # of a new peak, in widths of the one that it is beside
WIDTHS = (0.6, 1.0)  # of a new peak, in those of the one that it is beside
APART = 0.5  # σ between a new peak and all others at least
INSEPARABLE = 1e-6  # of the sum of squares of a new peak, of which less is left beside the fitted columns


def refined(data: WindowData, state: State, allowed: Sequence[str]) -> State:
    """A solved crowd whose badly described peaks were searched again, if the criterion falls.

    Parameters
    ----------
    data : WindowData
    state : State
    allowed : sequence of str
        Models that peaks may take.
    """
    peaks = _turn(data, state, allowed)
    joint = solved(data, peaks, state.base_order, CLOSE) if peaks else None
    return state if joint is None or joint.criterion >= state.criterion else joint


def _turn(data: WindowData, state: State, allowed: Sequence[str]) -> list[Peak]:
    """Peaks of a solved window after each badly described one was searched again where it stands; none if all stay."""
    peaks, whole, changed = list(state.peaks), SumOfPeaks(data, state), False
    for anchor in _badly_described(data, state):
        place = next(k for k, peak in enumerate(peaks) if peak.anchor == anchor)
        group = overlapping(peaks, whole.heights(), place, TOUCHING)
        local = whole.neighbourhood(peaks, group)
        before = solved(local.data, [peaks[k] for k in group], local.base_order, COARSE)
        if before is None or not leaves(local.data, before, group.index(place), BADLY):
            continue
        best = _searched_again(local, before, group.index(place), allowed)
        if best is not before:
            _take_over(peaks, whole, group, best, local.first)
            changed = True
    return peaks if changed else []


def _badly_described(data: WindowData, state: State) -> list[float]:
    """Anchors of the peaks that are described badly, from the highest down: what they leave bends those beside them."""
    heights = SumOfPeaks(data, state).heights()
    return [state.peaks[k].anchor for k in np.argsort(-heights).tolist() if leaves(data, state, k, BADLY)]


def _take_over(peaks: list[Peak], whole: SumOfPeaks, group: Sequence[int], best: State, first: int) -> None:
    """Put the peaks of a group's own fit in its place, with the one that it may have more."""
    for place in range(group[-1] + 1, group[0] + len(best.peaks)):
        whole.insert(place)
    peaks[group[0] : group[-1] + 1] = best.peaks
    whole.update(range(group[0], group[0] + len(best.peaks)), best.solution, first)


def _searched_again(local: Local, before: State, place: int, allowed: Sequence[str]) -> State:
    """Some peaks with one of them as found and loaded, or with one more beside it; as before if neither helps."""
    data, peaks = local.data, before.peaks
    loaded = [name for name in allowed if "load" in MODELS[name].parts and len(MODELS[name].parts) < len(PARTS)]
    again = chosen(local, [*peaks[:place], as_found(peaks[place]), *peaks[place + 1 :]], place, loaded)
    best = again if again is not None and supports(data, before, again, DECISIVE) else before
    # a peak that touches no other is one as far as anyone can see
    if len(peaks) == 1 or not leaves(data, best, place, MISSED):
        return best
    trials = [solved(data, trial, local.base_order, COARSE) for trial in _with_one_more(data, before, place)]
    two = min((one for one in trials if one is not None), key=lambda one: one.chi_squared, default=None)
    if two is None or two.chi_squared > WORTH * best.chi_squared:
        return best
    if two.chi_squared > CLEARLY * best.chi_squared:
        own = next(k for k, peak in enumerate(two.peaks) if peak.anchor == peaks[place].anchor)
        shaped = chosen(local, two.peaks, own, allowed)
        two = shaped if shaped is not None and shaped.criterion < two.criterion else two
    if two.chi_squared > MOST * best.chi_squared or not supports(data, best, two, DECISIVE):
        return best
    new = next(peak for peak in two.peaks if peak.anchor not in {one.anchor for one in peaks})
    return two if explained(data, best, two, new) else best


def _with_one_more(data: WindowData, state: State, place: int) -> Iterator[list[Peak]]:
    """Peaks with one of them as it was found and a new one beside it, where the residual asks for it on either side."""
    peak = state.peaks[place]
    gains = _gains(data, state, place)
    for side in (PLACES < 0, PLACES > 0):
        width, away = np.unravel_index(int(np.argmax(gains * side)), gains.shape)
        anchor, sigma = peak.anchor + peak.sigma * float(PLACES[away]), peak.sigma * WIDTHS[width]
        inside = data.time[0] < anchor < data.time[-1]
        nearest = min(abs(anchor - one.anchor) for one in state.peaks)
        if not inside or gains[width, away] <= 0 or nearest < APART * sigma:
            continue
        new = Peak(MODELS[peak.model].core, np.array([anchor, np.log(sigma)]), anchor, sigma, peak.sign)
        others = [*state.peaks[:place], *state.peaks[place + 1 :]]
        yield sorted([*others, as_found(peak), new], key=lambda one: one.anchor)


def _gains(data: WindowData, state: State, place: int) -> Array:
    """Fall of the sum of squares that a Gaussian beside a peak promises, shape (widths, places); 0 for a wrong sign.

    It is what the residual holds along the Gaussian less what the fitted columns take of it.
    """
    peak, weights = state.peaks[place], 1.0 if data.weights is None else data.weights
    z = (data.time - peak.anchor - peak.sigma * PLACES[:, None]) / (peak.sigma * np.array(WIDTHS)[:, None, None])
    rows = np.exp(-0.5 * z * z) * weights
    columns, _ = np.linalg.qr(_fitted_columns(state).T)
    left = rows - (rows @ columns) @ columns.T
    size, inner = np.sum(left**2, axis=-1), peak.sign * (left @ (state.solution.residual * weights))
    sound = (inner > 0) & (size > INSEPARABLE * np.sum(rows**2, axis=-1))
    gains: Array = np.divide(inner**2, size, out=np.zeros_like(inner), where=sound)
    return gains


def _fitted_columns(state: State) -> Array:
    """All that is free in a window, shape (columns, n): the baseline, the peaks and their derivatives."""
    solution = state.solution
    parts = [solution.base]
    for shape, own in zip(solution.curves, solution.rows, strict=True):
        rows = np.zeros((own.shape[0], solution.residual.size))
        rows[:, shape.first : shape.last] = own
        parts.append(rows)
    return np.concatenate(parts)
