"""The last turn of a crowd: where peaks still leave far more than noise, they are searched again from other starts.

One peak that was missed bends all around it, and a search that started without it ends where it stands for two. So
each peak that is described badly starts once more as it was found, with every model, and with one more peak beside
it, where the residual asks for one most. What takes up most of the misfit stays.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.models import MODELS
from gcfit.fitting.neighbourhood import Local, SumOfPeaks
from gcfit.fitting.select import chosen
from gcfit.fitting.sense import as_found
from gcfit.fitting.states import DECISIVE, Peak, State, WindowData, solved, supports
from gcfit.fitting.terms import CLOSE, COARSE
from gcfit.fitting.together import TOUCHING, overlapping

POOR = 0.004
MISFIT = 16.0
OWN = 0.05
ROUNDS = 2
MOST = 0.4  # of the misfit that is left at most where a peak is added
WORTH = 0.8
EARLY = 0.1
ADD = 0.015
PLACES = np.arange(-3.5, 3.6, 0.5)
WIDTHS = (0.6, 1.0)
CUR = False
GROUPONLY = False

def refined(data: WindowData, state: State, allowed: Sequence[str], add: bool = True) -> State:
    tried: set = set()
    for _ in range(ROUNDS if add else 1):
        better = _turn(data, state, allowed, tried, add)
        if better is state:
            break
        state = better
    return state


def _turn(data: WindowData, state: State, allowed: Sequence[str], tried, add) -> State:
    peaks, whole = list(state.peaks), SumOfPeaks(data, state)
    height = [float(np.abs(values).max(initial=0.0)) for _, values in whole.parts]
    order = [state.peaks[k].anchor for k in np.argsort(height)[::-1] if not _calm(data, state, int(k))]
    changed = False
    for anchor in order:
        place = next((k for k, peak in enumerate(peaks) if peak.anchor == anchor), None)
        if place is None:
            continue
        heights = np.array([float(np.abs(values).max(initial=0.0)) for _, values in whole.parts])
        group = overlapping(peaks, heights, place, TOUCHING)
        key = (anchor, *((peaks[k].anchor, peaks[k].model) for k in group))
        if key in tried:
            continue
        local = whole.neighbourhood(peaks, group)
        before = solved(local.data, [peaks[k] for k in group], local.base_order, COARSE)
        if before is None or _calm(local.data, before, group.index(place)):
            continue
        tried.add(key)
        best = _best(local, before, group.index(place), allowed, add)
        if best is before:
            continue
        changed = True
        if len(best.peaks) > len(group):
            new = next(k for k, peak in enumerate(best.peaks) if peak.anchor not in {one.anchor for one in before.peaks})
            at = group[0] + new
            whole.insert(at)
            peaks.insert(at, best.peaks[new])
            group = list(range(group[0], group[0] + len(best.peaks)))
        for k, peak in zip(group, best.peaks, strict=True):
            peaks[k] = peak
        whole.update(group, best.solution, local.first)
    if not changed:
        return state
    joint = solved(data, peaks, state.base_order, CLOSE)
    import os
    if os.environ.get("DBG"):
        print("   TURN", len(state.peaks), len(peaks), "chi", state.chi_squared, None if joint is None else (joint.chi_squared, joint.solution.iterations, joint.solution.converged, supports(data, state, joint, DECISIVE)))
    return joint if joint is not None and joint.criterion < state.criterion else state


def _misfit(data: WindowData, state: State, place: int, poor: float = 0.0) -> float:
    shape = state.solution.curves[place]
    size = np.abs(state.solution.amplitudes[place] * shape.rows[0])
    own = shape.first + np.flatnonzero(size > OWN * size.max(initial=0.0))
    if own.size < 4:
        return 0.0
    return float(np.mean(state.solution.residual[own] ** 2)) / max(MISFIT * data.deviation**2, ((poor or POOR) * size.max()) ** 2)


def _calm(data: WindowData, state: State, place: int) -> bool:
    return _misfit(data, state, place) < 1


def _best(local: Local, before: State, place: int, allowed: Sequence[str], add) -> State:
    data, best = local.data, before
    anchor = before.peaks[place].anchor
    starts = [before.peaks] if CUR else []
    if not CUR or MODELS[before.peaks[place].model].parts:
        starts.append([*before.peaks[:place], as_found(before.peaks[place]), *before.peaks[place + 1 :]])
    for peaks in starts:
        again = chosen(local, peaks, place, allowed)
        if again is not None and supports(data, best, again, DECISIVE):
            best = again
        if _calm(data, best, place):
            return best
    if (GROUPONLY and len(before.peaks) < 2) or not add or _misfit(data, best, place, ADD) < 1:
        return best
    trials = [solved(data, trial, local.base_order, COARSE) for trial in _with_new(data, before, place)]
    start = min((one for one in trials if one is not None), key=lambda one: one.chi_squared, default=None)
    if start is None or start.chi_squared > WORTH * best.chi_squared:
        return best
    if start.chi_squared > EARLY * best.chi_squared:
        k = next(k for k, peak in enumerate(start.peaks) if peak.anchor == anchor)
        more = chosen(local, start.peaks, k, allowed)
        start = more if more is not None and more.criterion < start.criterion else start
    return start if start.chi_squared < MOST * best.chi_squared and supports(data, best, start, DECISIVE) else best


def _with_new(data: WindowData, state: State, place: int) -> Iterator[list[Peak]]:
    """Peaks with one more beside one of them, where the residual asks for it most on either side."""
    peak = state.peaks[place]
    sigma = peak.sigma
    columns = np.concatenate([state.solution.base, *(_full(state, k) for k in range(len(state.peaks)))])
    if data.weights is not None:
        columns = columns * data.weights
    q, _ = np.linalg.qr(columns.T)
    residual = state.solution.residual if data.weights is None else state.solution.residual * data.weights
    gains = np.zeros((len(WIDTHS), PLACES.size))
    for i, width in enumerate(WIDTHS):
        z = (data.time - peak.anchor - sigma * PLACES[:, None]) / (width * sigma)
        rows = np.exp(-0.5 * z * z)
        if data.weights is not None:
            rows = rows * data.weights
        left = rows - (rows @ q) @ q.T
        size = np.einsum("ij,ij->i", left, left)
        inner = left @ residual
        gains[i] = np.where((inner * peak.sign > 0) & (size > 1e-6 * np.einsum("ij,ij->i", rows, rows)), inner**2 / np.maximum(size, 1e-300), 0)
    for side in (PLACES < 0, PLACES > 0):
        one = np.where(side, gains, 0)
        i, j = np.unravel_index(np.argmax(one), one.shape)
        if one[i, j] <= 0:
            continue
        at = peak.anchor + sigma * float(PLACES[j])
        if not data.time[0] < at < data.time[-1] or any(abs(at - other.anchor) < 0.5 * sigma for other in state.peaks):
            continue
        width = WIDTHS[i] * sigma
        new = Peak(MODELS[peak.model].core, np.array([at, np.log(width)]), at, width, peak.sign)
        yield sorted([*state.peaks[:place], as_found(peak), *state.peaks[place + 1 :], new], key=lambda one: one.anchor)


def _full(state: State, term: int) -> Array:
    curve = state.solution.curves[term]
    rows = np.zeros((state.solution.size(term), state.solution.residual.size))
    rows[:, curve.first : curve.last] = state.solution.rows[term]
    return rows
