"""The local baseline of a window: it bends as much as the data support, where peaks leave room for it."""

from collections.abc import Generator, Sequence

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.bases import CUBIC, base_columns
from gcfit.fitting.detect import Candidate
from gcfit.fitting.gram import solve_scaled
from gcfit.fitting.scores import base_score
from gcfit.fitting.searches import in_step
from gcfit.fitting.states import DECISIVE, Search, State, WindowData, penalty, solved, supports

BASE_ORDERS = (3, 4, 5, 6, 8, 11, 15, 20, 28, 40)
MAX_BASE_ORDER = 40
BASE_GAIN = 5.0  # fall of χ² that each further column of the baseline must bring
BARE = 1e-3  # of a peak's height, below which the baseline shows
LEAST_FREE = 0.1  # of a window's points; with fewer of them free of peaks, the peaks have to tell
LEAST_SEEN = 0.3  # of a window's points; with fewer of them free of peaks, they do not tell how straight it is
COVERED = 3.0  # σ around a peak in which it hides the baseline
LEAST_SHARE = 0.02  # of the pieces of the baseline that a stretch under peaks gets, beside an equal one without
POSSIBLE = 0.5  # of what is decisive; with less no search is begun, as peaks that change bring no more
STRAIGHTER = 3  # orders in turn that a baseline is not better seen with, after which no lower ones are tried
BASE_PIECE = 10.0  # σ of free baseline that each further column of the baseline needs


def free_share(time: Array, candidates: Sequence[Candidate]) -> Array:
    """Share of a window that is free of peaks, up to each point, shape (n,): from 0 to 1, never level."""
    covered = np.zeros(time.size, dtype=bool)
    for candidate in candidates:
        width = max(candidate.sigma, candidate.left_half_width, candidate.right_half_width)
        reach = COVERED * width
        first = np.searchsorted(time, candidate.apex_time - reach, side="right")
        covered[first : np.searchsorted(time, candidate.apex_time + reach)] = True
    steps = np.diff(time) * np.where(covered[1:] | covered[:-1], LEAST_SHARE, 1.0)
    share = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(share / share[-1])


def order_of(time: Array, ground: Array, tolerance: float, free: Array | None = None) -> int:
    """Smallest order of a baseline that follows a first guess of it within a tolerance [signal unit]."""
    for order in (2, *BASE_ORDERS):
        columns = base_columns(time, order, free)
        left = ground - np.linalg.lstsq(columns.T, ground, rcond=None)[0] @ columns
        if np.sqrt(np.mean(left**2)) <= tolerance:
            return order
    return BASE_ORDERS[-1]


def bend_base(data: WindowData, state: State) -> State:
    """Let the baseline of a solved window bend as much as the data support, where peaks leave room for it."""
    return in_step([bending(data, state)])[0] or state


def bending(data: WindowData, state: State) -> Generator[Search, State | None, State]:
    """Ask for the searches of `bend_base`."""
    if data.rigid:
        return state
    sigma = max(peak.sigma for peak in state.peaks)
    covered = np.zeros(data.time.size, dtype=bool)
    for peak in state.peaks:
        covered |= np.abs(data.time - peak.coordinates[0]) < 2 * peak.sigma
    free = (1 - np.count_nonzero(covered) / covered.size) * float(data.time[-1] - data.time[0])
    greatest = min(2 + int(free / (BASE_PIECE * sigma)), MAX_BASE_ORDER)
    best, misses = state, 0
    for order in (order for order in BASE_ORDERS if best.base_order < order <= greatest):
        bent = None
        if base_score(data, best, order) > BASE_GAIN / 2 * (order - best.base_order):
            bent = yield Search(data, best.peaks, order)
        if (
            bent is not None
            and supports(data, best, bent, BASE_GAIN - penalty(data))
            and _seen_beside_peaks(data, best, bent)
        ):
            best, misses = bent, 0
        else:
            misses += 1
        # a symmetric bend shows in every other order only
        if misses == 2:
            break
    return best


def unbent(data: WindowData, state: State) -> State:
    """A solved window with a baseline that bends less, where that describes what is seen of it better.

    What it bent for was then the misfit of a peak.
    """
    best, misses = state, 0
    for order in reversed([order for order in (1, 2, *BASE_ORDERS) if not data.rigid and order < state.base_order]):
        worth = _could_be_seen(data, best, order)
        straighter = solved(data, state.peaks, order) if worth else None
        if straighter is not None and _better_seen(data, best, straighter):
            best, misses = straighter, 0
        else:
            misses += 1
        # what a polynomial could not, no lower one can
        if misses == STRAIGHTER or (not worth and order <= CUBIC):
            break
    return best


def _could_be_seen(data: WindowData, state: State, order: int) -> bool:
    """Whether a baseline of an order, fitted to what is free of peaks alone, is so much better that it may be so."""
    free, solution = _free_of_peaks(data, state), state.solution
    count = np.count_nonzero(free)
    if count < LEAST_SEEN * free.size:
        return False
    residual, columns = solution.residual * free, data.base(order) * free
    seen = residual + (solution.base_coefficients @ data.base(state.base_order)) * free
    left = seen - solve_scaled(columns @ columns.T, columns @ seen) @ columns
    was, now = float(residual @ residual), float(left @ left)
    return bool(was - now > POSSIBLE * DECISIVE * data.inflation * max(data.deviation**2, now / count))


def _better_seen(data: WindowData, one: State, other: State) -> bool:
    """Whether the other of two states decisively describes the points better that are free of peaks in both."""
    free = _free_of_peaks(data, one, other)
    if np.count_nonzero(free) < LEAST_SEEN * free.size:
        return False
    was, now = (float(np.sum(state.solution.residual[free] ** 2)) for state in (one, other))
    variance = max(data.deviation**2, now / np.count_nonzero(free))
    return was - now > DECISIVE * data.inflation * variance


def _seen_beside_peaks(data: WindowData, before: State, after: State) -> bool:
    """Whether a bend of the baseline shows where there is nothing else: under a peak it may be the model's misfit."""
    free = _free_of_peaks(data, before, after)
    if np.count_nonzero(free) < LEAST_FREE * free.size:
        return True
    was, now = (float(np.sum(state.solution.residual[free] ** 2)) for state in (before, after))
    return now < was


def _free_of_peaks(data: WindowData, *states: State) -> NDArray[np.bool_]:
    """Which points count and lie beyond all peaks of some states, shape (n,)."""
    free = np.ones(data.time.size, dtype=bool) if data.weights is None else data.weights > 0
    for state in states:
        for amplitude, shape in zip(state.solution.amplitudes, state.solution.curves, strict=True):
            height = np.abs(amplitude * shape.rows[0])
            free[shape.first : shape.last] &= height < max(BARE * height.max(initial=0.0), data.deviation)
    return free
