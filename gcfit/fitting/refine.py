"""The last turn of a window: where peaks leave far more than noise, they are searched again from other starts.

A peak that was missed bends all around it: its neighbour's search ends where it stands for two. And a loading has local
minima. So each peak that is described badly starts once more as it was found, with a loading, and then with one more
peak beside it where the residual asks for one most. What takes up most of the misfit stays; outside a crowd, and beside
a peak that touches no other, that is nearly all of it, as such a peak is one as far as anyone can see.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.hidden import explained
from gcfit.fitting.misfit import leaves
from gcfit.fitting.neighbourhood import Local, SumOfPeaks
from gcfit.fitting.registry import MODELS, PARTS
from gcfit.fitting.select import chosen
from gcfit.fitting.sense import as_found
from gcfit.fitting.states import DECISIVE, TINY, Peak, State, WindowData, penalty, solved
from gcfit.fitting.terms import CLOSE, COARSE
from gcfit.fitting.together import TOUCHING, overlapping

BADLY = 0.006  # of the height of a peak; one that leaves less is described well: R² is above 0.9997
MISSED = 0.008  # of the height of a peak; less is left by the models of one peak themselves (R² of 0.9995 to 0.998)
WORTH = 0.8  # of the misfit of one peak; a first search with two that leaves more is not followed up
MOST = 0.4  # of it that is left at most where a peak is added
ALONE = 0.1  # the same outside a crowd, and beside a peak that touches no other
PLACES = np.arange(-3.5, 3.6, 0.5)  # of a new peak, in widths of the one that it is beside
WIDTHS = (0.6, 1.0)  # of a new peak, in those of the one that it is beside
APART = 0.5  # σ between a new peak and all others at least
PARTED = 1.0  # σ between it and its neighbours once they are fitted; what is closer is one peak's shape
INSEPARABLE = 1e-6  # of the sum of squares of a new peak, of which less is left beside the fitted columns


def refined(data: WindowData, state: State, allowed: Sequence[str]) -> State:
    """A solved window whose badly described peaks were searched again, if that leaves decisively less.

    Parameters
    ----------
    data : WindowData
    state : State
    allowed : sequence of str
        Models that peaks may take.
    """
    peaks = _turn(data, state, allowed)
    joint = solved(data, peaks, state.base_order, CLOSE) if peaks else None
    return joint if joint is not None and leaves_less(data, state, joint) else state


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
    best = again if again is not None and leaves_less(data, before, again) else before
    # among many, a peak that touches no other is one as far as anyone can see
    if (data.crowded and len(peaks) == 1) or not leaves(data, best, place, MISSED):
        return best
    two = _two(local, before, place, allowed, WORTH * best.solution.rss)
    most = MOST if data.crowded else ALONE
    if two is None or two.solution.rss > most * best.solution.rss:
        return best
    new = next(k for k, peak in enumerate(two.peaks) if peak.anchor not in {one.anchor for one in peaks})
    apart = _parted(data, two, new) and explained(data, best, two, two.peaks[new])
    return two if apart and leaves_less(data, best, two) else best


def leaves_less(data: WindowData, before: State, after: State) -> bool:
    """Whether a state leaves decisively less than another, both of them far more than noise, which says no more then.

    The deviance for a misfit of unknown size is points × ln(sum of squares).
    """
    fall = data.independent * np.log(before.solution.rss / max(after.solution.rss, TINY))
    return bool(fall > DECISIVE + (after.solution.columns - before.solution.columns) * penalty(data))


def _parted(data: WindowData, state: State, place: int) -> bool:
    """Whether a peak and its neighbours, in their order, are further apart than their curves are wide in the mean."""
    solution = state.solution
    apexes = [float(data.time[one.first + int(np.argmax(one.rows[0]))]) for one in solution.curves]
    # σ of the Gaussian of the same area and height
    widths = [1 / (np.sqrt(2 * np.pi) * float(one.rows[0].max())) for one in solution.curves]
    beside = [k for k in (place - 1, place + 1) if 0 <= k < len(apexes)]
    return all((k - place) * (apexes[k] - apexes[place]) > PARTED * (widths[k] + widths[place]) / 2 for k in beside)


def _two(local: Local, before: State, place: int, allowed: Sequence[str], worth: float) -> State | None:
    """Some peaks with one more beside one of them, which may take another model; None where that is not `worth` it.

    The new one is a pair: two peaks of any model would describe any shape.
    """
    data, anchor = local.data, before.peaks[place].anchor
    trials = [solved(data, trial, local.base_order, COARSE) for trial in _with_one_more(data, before, place)]
    found = sorted((one for one in trials if one is not None), key=lambda one: one.solution.rss)
    if len(before.peaks) > 1:
        # among others only the better side, where a first search is worth a second
        found = [one for one in found[:1] if one.solution.rss <= worth]
    return min((_shaped(local, one, anchor, allowed) for one in found), key=lambda one: one.solution.rss, default=None)


def _shaped(local: Local, state: State, anchor: float, allowed: Sequence[str]) -> State:
    """Some peaks with the model of one of them chosen again."""
    own = next(k for k, peak in enumerate(state.peaks) if peak.anchor == anchor)
    # peaks that overlap do not determine all additions at once
    names = [name for name in allowed if len(MODELS[name].parts) < len(PARTS)]
    shaped = chosen(local, state.peaks, own, names)
    return shaped if shaped is not None and leaves_less(local.data, state, shaped) else state


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
