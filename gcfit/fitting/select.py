"""Which model each peak of a window gets: the simplest that the data support.

Evidence is the Bayesian information criterion with the noise known (Schwarz 1978): χ² + columns × ln(points), both
with the number of points reduced by the autocorrelation of the noise. A share of the signal itself counts as noise, so
that no model is asked to describe a measured peak better than such models can.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.polynomial.hermite_e import hermeval

from gcfit.chromatogram import Array
from gcfit.fitting.loading import GREATEST, to_core
from gcfit.fitting.models import MODELS, PARTS, Known, PeakModel, curve, feasible
from gcfit.fitting.sampling import Curve, Sampling
from gcfit.fitting.solver import COARSE, FINE, Effort, Solution, Term, covariance, solve

INADEQUACY = 2e-4  # of the signal; what no model of a measured peak is expected to describe
ROUNDING = 1e-7  # of the highest signal, for data without noise
DECISIVE = 6.0  # fall of the criterion that a further part must bring
SCREEN = 14.0  # a sum of squared scores above this plus the penalty calls for more than the pair


@dataclass(frozen=True)
class Freedom:
    """How far the core of a peak may go from where it was found: widths of that of the peak, and σ for its mean."""

    narrowest: float
    widest: float
    before: float
    behind: float


ALONE = Freedom(0.2, 2.5, 5.0, 2.5)  # a core does not become a hump
IN_A_CROWD = Freedom(0.4, 2.2, 2.5, 1.0)  # nor its neighbour
LONGEST_DELAY = 5.0  # σ; mean delay at a second kind of site
SLOWEST_SITE, SLOWEST_TAIL = 15.0, 6.0  # σ; anything slower is the baseline's
PHANTOM = 3.0  # standard errors of its area below which a peak is none
NEAR_BEFORE, NEAR_AFTER = 10.0, 14.0  # σ around a group of peaks that choose their models among others
STRONG = 4.0  # σ; neighbours nearer than this stay free while a peak's model is chosen
SLIGHT = 0.05  # of the height of a peak; a lower neighbour stands still meanwhile
BASE_ORDERS = (3, 4, 5, 6, 8, 11, 15, 20, 28, 40)
MAX_BASE_ORDER = 40
BASE_GAIN = 4.0  # fall of χ² that each further column of the baseline must bring
BARE = 1e-3  # of a peak's height, below which the baseline shows
LEAST_FREE = 0.1  # of a window's points; with fewer of them free of peaks, the peaks have to tell
BASE_PIECE = 10.0  # σ of free baseline that each further column of the baseline needs
FAINT = {"site": (np.log(0.1), np.log(2.0)), "tail": (np.log(0.3),), "load": (0.0,)}  # as START_VALUES, all but nothing
VAGUE = 0.2  # relative error of an area; an addition that leaves more trades the peak for its baseline
UNSURE = 3.0  # standard errors; an addition of all peaks that is smaller is taken off a peak
START_VALUES: dict[str, tuple[tuple[float, ...], ...]] = {
    "site": ((np.log(0.5), np.log(1.0)), (np.log(0.1), np.log(4.0))),
    "tail": ((np.log(0.7),),),
    "load": ((-8.0,), (3.0,)),
}


# a unit-area peak of a model at coordinates, and its derivatives; None where these describe no curve
CurveOf = Callable[[PeakModel, Array, Sampling, Known], Curve | None]


@dataclass(frozen=True, eq=False)
class Peak:
    """One peak of a window on its way: the model's name and its coordinates.

    `anchor` and `sigma` [s] are where and how wide it was found, `sign` whether it points up: they bound the search.
    """

    model: str
    coordinates: Array
    anchor: float
    sigma: float
    sign: int = 1


@dataclass(frozen=True, eq=False)
class WindowData:
    """The points of one window and what is known about them.

    Where it is `rigid`, so is the baseline; where it is `crowded`, peaks stay close to where they were found.
    """

    sampling: Sampling
    signal: Array
    weights: Array | None
    deviation: float
    inflation: float
    known: Known
    rigid: bool = False
    crowded: bool = False
    curve: CurveOf = curve

    @property
    def time(self) -> Array:
        """Times [s], shape (n,)."""
        return self.sampling.time

    def part(self, first: int, last: int, signal: Array) -> "WindowData":
        """The points `first` to `last` with another signal."""
        weights = None if self.weights is None else self.weights[first:last]
        return replace(self, sampling=self.sampling.part(first, last), signal=signal[first:last], weights=weights)


@dataclass(frozen=True, eq=False)
class State:
    """A solved window: its peaks, baseline order, solution and criterion."""

    peaks: tuple[Peak, ...]
    base_order: int
    solution: Solution
    criterion: float


def base_columns(time: Array, order: int) -> Array:
    """Columns of a baseline, shape (order, n): a line, a parabola, then cubic splines of order - 3 equal pieces."""
    x = (time - time[0]) / (time[-1] - time[0])
    if order <= 3:
        columns: Array = np.polynomial.legendre.legvander(2 * x - 1, order - 1).T
        return columns
    pieces = order - 3
    piece = np.minimum((pieces * x).astype(np.intp), pieces - 1)
    u = pieces * x - piece
    splines = np.zeros((order, time.size))
    # the cardinal cubic B-spline: four of them are above zero at a point
    points = np.arange(time.size)
    for k, values in enumerate(((1 - u) ** 3 / 6, 2 / 3 - u**2 + u**3 / 2, (1 + 3 * (u + u**2 - u**3)) / 6, u**3 / 6)):
        splines[piece + k, points] = values
    return splines


def solved(data: WindowData, peaks: Sequence[Peak], base_order: int, effort: Effort = FINE) -> State | None:
    """Fit the peaks with a baseline of that order; None where the start describes no peak or loses one."""
    terms = [_term(peak, data) for peak in peaks]
    effort = replace(effort, noise=data.deviation**2)
    solution = solve(data.signal, terms, base_columns(data.time, base_order), data.weights, effort)
    if solution is None:
        return None
    fitted = tuple(
        replace(peak, coordinates=coordinates) for peak, coordinates in zip(peaks, solution.coordinates, strict=True)
    )
    return State(fitted, base_order, solution, criterion(data, solution))


def criterion(data: WindowData, solution: Solution) -> float:
    """Bayesian information criterion of a solved window."""
    return _chi_squared(data, solution) + solution.columns * penalty(data)


def _chi_squared(data: WindowData, solution: Solution) -> float:
    residual = solution.residual if data.weights is None else solution.residual * (data.weights > 0)
    return float(np.sum(residual**2 / _variance(data, solution))) / data.inflation


def penalty(data: WindowData) -> float:
    """What one more column costs."""
    return float(np.log(max(data.signal.size / data.inflation, 2.0)))


def _variance(data: WindowData, solution: Solution) -> Array:
    height = np.zeros_like(data.signal)
    for amplitude, shape in zip(solution.amplitudes, solution.curves, strict=True):
        height[shape.first : shape.last] += amplitude * shape.rows[0]
    top = float(np.abs(height).max(initial=0.0))
    tiny = np.finfo(float).tiny
    return data.deviation**2 + (INADEQUACY * height) ** 2 + (ROUNDING * top) ** 2 + tiny


def choose(data: WindowData, state: State, allowed: Sequence[str]) -> State:
    """Let each peak of a solved window take the model that the data support among the allowed ones.

    Peaks are taken from the highest down, each with the neighbours that it overlaps strongly while the others stand;
    then all are fitted together.
    """
    heights, sum_of_peaks = _heights(state), _Sum(data, state)
    peaks = list(state.peaks)
    for place in np.argsort(-heights):
        group = _overlapping(peaks, heights, int(place))
        local = sum_of_peaks.neighbourhood(peaks, group)
        # peaks that overlap do not determine all additions at once
        most = len(PARTS) if len(group) == 1 else len(PARTS) - 1
        names = [name for name in allowed if len(MODELS[name].parts) <= most]
        best = _chosen(local.data, [peaks[k] for k in group], group.index(int(place)), names)
        if best is None or best.peaks[group.index(int(place))].model == peaks[place].model:
            continue
        for k, peak in zip(group, best.peaks, strict=True):
            peaks[k] = peak
        sum_of_peaks.update(group, best.solution, local.first)
    if all(new.model == old.model for new, old in zip(peaks, state.peaks, strict=True)):
        return state
    joint = solved(data, peaks, state.base_order)
    return joint if joint is not None and supports(data, state, joint, DECISIVE) else state


def together(data: WindowData, state: State, parts: int) -> State:
    """Let the peaks of a window that overlap take the same additions at once, so many, as far as the data support.

    Overlapping peaks hide each other's shape: none gains by an addition of its own what all gain together, and the
    column, inlet and detector that shape them are the same. Each addition starts from where it changes next to
    nothing. An addition that a peak does not need is taken off it again.
    """
    best, members = state, _comparable(state)
    left = [part for part in PARTS if members and (part != "tail" or data.known.tail is None)]
    known = len(left)
    while left and known - len(left) < parts:
        tried = {part: _with_part(data, best, part, members) for part in left}
        found = {part: one for part, one in tried.items() if one is not None}
        if not found:
            break
        part = min(found, key=lambda name: found[name].criterion)
        if not supports(data, best, found[part], DECISIVE):
            break
        best = found[part]
        left.remove(part)
    return best if best is state else _pruned(data, best)


def _comparable(state: State) -> set[int]:
    """Places of the peaks that overlap strongly with one of about their own size."""
    heights, peaks = _heights(state), state.peaks
    groups = [set(_overlapping(peaks, heights, place)) for place in range(len(peaks))]
    return {place for place, group in enumerate(groups) if any(place in groups[k] for k in group - {place})}


def _with_part(data: WindowData, state: State, part: str, members: AbstractSet[int]) -> State | None:
    """The window solved again with one addition to the members that can have it."""
    peaks = [_grown(peak, part) if place in members else peak for place, peak in enumerate(state.peaks)]
    return solved(data, peaks, state.base_order, COARSE)


def _grown(peak: Peak, part: str) -> Peak:
    """A peak with an addition that changes next to nothing yet; as it is where its core knows no such addition."""
    model = MODELS[peak.model]
    name = next((name for name, one in MODELS.items() if one == PeakModel(model.core, _ordered(model, part))), None)
    if name is None:
        return peak
    held = dict(zip(model.parameters, peak.coordinates.tolist(), strict=True))
    offset = 0.0 if part == "load" else np.log(peak.sigma)
    held.update(zip(PARTS[part], (value + offset for value in FAINT[part]), strict=True))
    if part != "load":
        held["retention"] -= float(np.exp(held[PARTS[part][0]]))
    return replace(peak, model=name, coordinates=np.array([held[key] for key in MODELS[name].parameters]))


def _ordered(model: PeakModel, part: str) -> tuple[str, ...]:
    return tuple(name for name in PARTS if name == part or name in model.parts)


def _pruned(data: WindowData, state: State) -> State:
    """Take off the additions that are not sure of themselves, all at once, unless the data say they are needed."""
    peaks = [_without_unsure(data, state, place) for place in range(len(state.peaks))]
    if all(new is old for new, old in zip(peaks, state.peaks, strict=True)):
        return state
    simpler = solved(data, peaks, state.base_order)
    return state if simpler is None or supports(data, simpler, state, DECISIVE) else simpler


def _without_unsure(data: WindowData, state: State, place: int) -> Peak:
    """A peak without the additions whose size is within `UNSURE` standard errors of nothing."""
    peak, errors = state.peaks[place], _errors(data, state, place)
    model = MODELS[peak.model]
    held = dict(zip(model.parameters, peak.coordinates.tolist(), strict=True))
    parts = tuple(part for part in model.parts if _certain(part, held, errors))
    if parts == model.parts and errors.get("area", 0.0) > VAGUE:
        # what is slow may stand for a sagging baseline
        parts = tuple(part for part in parts if part != ("site" if "site" in parts else parts[0]))
    if parts == model.parts:
        return peak
    name = next(name for name, one in MODELS.items() if one == PeakModel(model.core, parts))
    if "load" in model.parts and "load" not in parts:
        held["retention"], held["log_sigma"] = to_core(held["retention"], held["log_sigma"], held["loading"])
    return replace(peak, model=name, coordinates=np.array([held[key] for key in MODELS[name].parameters]))


def _certain(part: str, held: Mapping[str, float], errors: Mapping[str, float]) -> bool:
    name = PARTS[part][0]
    # the first coordinate of site and tail is a logarithm: its error is the relative error of the size
    size = abs(held[name]) if part == "load" else 1.0
    return size > UNSURE * errors.get(name, 0.0)


def _errors(data: WindowData, state: State, place: int) -> dict[str, float]:
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


def _width(peak: Peak) -> float:
    """σ [s] of a peak as it was found or as it is, whichever is wider: neighbours make it look narrow."""
    return max(peak.sigma, float(np.exp(peak.coordinates[1])))


def _overlapping(peaks: Sequence[Peak], heights: Array, place: int) -> list[int]:
    """Places of a peak and of the nearest ones within `STRONG` mean σ that matter beside it, at most one a side."""
    own = peaks[place]
    return [
        k
        for k in (place - 1, place, place + 1)
        if 0 <= k < len(peaks)
        and heights[k] >= SLIGHT * heights[place]
        and abs(peaks[k].coordinates[0] - own.coordinates[0]) <= STRONG * (_width(peaks[k]) + _width(own)) / 2
    ]


@dataclass(frozen=True, eq=False)
class _Local:
    """Part of a window from point `first` on."""

    first: int
    data: WindowData


class _Sum:
    """The peaks of a window as curves at its points, while their models are chosen one after the other."""

    def __init__(self, data: WindowData, state: State) -> None:
        self.data = data
        self.parts: list[tuple[int, Array]] = [
            (shape.first, amplitude * shape.rows[0])
            for amplitude, shape in zip(state.solution.amplitudes, state.solution.curves, strict=True)
        ]

    def neighbourhood(self, peaks: Sequence[Peak], group: Sequence[int]) -> _Local:
        """The points around a group of peaks, with the curves of all others taken out."""
        if len(group) == len(peaks):
            return _Local(0, self.data)
        rest = self.data.signal.copy()
        for place, (first, values) in enumerate(self.parts):
            if place not in group:
                rest[first : first + values.size] -= values
        begin = min(peaks[k].coordinates[0] - NEAR_BEFORE * peaks[k].sigma for k in group)
        end = max(peaks[k].coordinates[0] + NEAR_AFTER * peaks[k].sigma for k in group)
        first, last = (int(place) for place in np.searchsorted(self.data.time, [begin, end]))
        return _Local(first, self.data.part(first, last, rest))

    def update(self, group: Sequence[int], solution: Solution, offset: int) -> None:
        """Take over the curves of a group from its own fit."""
        for k, amplitude, shape in zip(group, solution.amplitudes, solution.curves, strict=True):
            self.parts[k] = (offset + shape.first, amplitude * shape.rows[0])


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


def _chosen(data: WindowData, peaks: Sequence[Peak], place: int, allowed: Sequence[str]) -> State | None:
    """Some peaks with the model of one of them chosen: by number of parts, until the residual calls for no more.

    Each model starts from the simpler ones that it contains: a pair of parts can describe what neither does alone.
    """
    start = solved(data, peaks, 2)
    if start is None:
        return None
    best, found = start, {start.peaks[place].model: start}
    for size in range(1, len(PARTS) + 1):
        if not calls_for_more(data, best, place):
            break
        for name in (name for name in allowed if len(MODELS[name].parts) == size and name not in found):
            tried = [
                _with(data, simpler, place, trial)
                for simpler in _simpler(name, found, place)
                for trial in _starts(simpler.peaks[place], name)
            ]
            fitted = [one for one in tried if one is not None and _errors(data, one, place).get("area", 1.0) < VAGUE]
            if fitted:
                found[name] = min(fitted, key=lambda one: one.criterion)
        winner = min(found.values(), key=lambda one: one.criterion)
        if supports(data, best, winner, DECISIVE):
            best = winner
    return best


def _simpler(name: str, found: Mapping[str, State], place: int) -> list[State]:
    """States to start a model from: all that it contains; among overlapping peaks, and for three parts, the nearest."""
    model = MODELS[name]
    states = [
        state
        for held, state in found.items()
        if MODELS[held].core == model.core and set(MODELS[held].parts) < set(model.parts)
    ]
    most = max(len(MODELS[one.peaks[place].model].parts) for one in states) if states else 0
    if len(states) and len(states[0].peaks) > 1:
        states = [one for one in states if len(MODELS[one.peaks[place].model].parts) == most]
    return states if len(model.parts) < 3 else [min(states, key=lambda one: one.criterion)]


def _with(data: WindowData, state: State, place: int, peak: Peak) -> State | None:
    """The window solved again with one peak replaced."""
    return solved(data, (*state.peaks[:place], peak, *state.peaks[place + 1 :]), state.base_order, COARSE)


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
    """Whether the residual near a peak holds more than noise along the directions in which additions bend it.

    The directions are Gauss-Hermite functions of orders 3 to 8 on the peak and two decays behind it, made orthonormal:
    the sum of squared scores is χ² with as many degrees of freedom under pure noise.
    """
    peak = state.peaks[place]
    near = slice(*np.searchsorted(data.time, peak.coordinates[0] + peak.sigma * np.array([-12.0, 60.0])))
    z = (data.time[near] - peak.coordinates[0]) / peak.sigma
    late = np.maximum(z - 2, 0)
    bell = np.exp(-(z**2) / 2)
    rows = [hermeval(z, [0] * order + [1]) * bell for order in range(3, 9)]
    rows += [late * np.exp(-late / slow) for slow in (2.0, 8.0)]
    return _score(data, state.solution, np.stack(rows), near) > SCREEN + penalty(data)


def order_of(time: Array, ground: Array, tolerance: float) -> int:
    """Smallest order of a baseline that follows a first guess of it within a tolerance [signal unit]."""
    for order in (2, *BASE_ORDERS):
        columns = base_columns(time, order)
        left = ground - np.linalg.lstsq(columns.T, ground, rcond=None)[0] @ columns
        if np.sqrt(np.mean(left**2)) <= tolerance:
            return order
    return BASE_ORDERS[-1]


def bend_base(data: WindowData, state: State) -> State:
    """Let the baseline of a solved window bend as much as the data support, where peaks leave room for it."""
    if data.rigid:
        return state
    sigma = max(peak.sigma for peak in state.peaks)
    covered = np.zeros(data.time.size, dtype=bool)
    for peak in state.peaks:
        covered |= np.abs(data.time - peak.coordinates[0]) < 2 * peak.sigma
    free = float(np.mean(~covered)) * (data.time[-1] - data.time[0])
    greatest = min(2 + int(free / (BASE_PIECE * sigma)), MAX_BASE_ORDER)
    best, misses = state, 0
    for order in (order for order in BASE_ORDERS if best.base_order < order <= greatest):
        bent = None
        if _score(data, best.solution, base_columns(data.time, order)) > BASE_GAIN / 2:
            bent = solved(data, best.peaks, order)
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


def _seen_beside_peaks(data: WindowData, before: State, after: State) -> bool:
    """Whether a bend of the baseline shows where there is nothing else: under a peak it may be the model's misfit."""
    free = np.ones(data.time.size, dtype=bool)
    for state in (before, after):
        for amplitude, shape in zip(state.solution.amplitudes, state.solution.curves, strict=True):
            height = np.abs(amplitude * shape.rows[0])
            free[shape.first : shape.last] &= height < max(BARE * height.max(initial=0.0), data.deviation)
    if data.weights is not None:
        free &= data.weights > 0
    if np.count_nonzero(free) < LEAST_FREE * free.size:
        return True
    was, now = (float(np.sum(state.solution.residual[free] ** 2)) for state in (before, after))
    return now < was


def supports(data: WindowData, before: State, after: State, decisive: float) -> bool:
    """Whether data support one state over another: its criterion must fall by `decisive`.

    Where even the better state describes the data no better than to so many times the noise, that is the noise to
    judge by: otherwise any addition would do, as it always bends the residual a little.
    """
    excess = max(_chi_squared(data, after.solution) / max(data.signal.size / data.inflation, 1.0), 1.0)
    columns = after.solution.columns - before.solution.columns
    fall = _chi_squared(data, before.solution) - _chi_squared(data, after.solution)
    return fall > (decisive + columns * penalty(data)) * excess


def _score(data: WindowData, solution: Solution, directions: Array, points: slice = slice(None)) -> float:
    """Sum of squared projections of the scaled residual on an orthonormal basis of directions over some points."""
    scale = np.sqrt(_variance(data, solution)[points] * data.inflation)
    if data.weights is not None:
        directions = directions * data.weights[points]
    size = np.linalg.norm(directions, axis=1)
    directions = directions[size > 0] / size[size > 0, None]
    # eigenvectors of the small matrix: quicker than an orthogonal factor of the long one
    values, vectors = np.linalg.eigh(directions @ directions.T)
    projections = vectors.T @ (directions @ (solution.residual[points] / scale))
    sound = values > 1e-9 * values[-1:]
    return float(np.sum(projections[sound] ** 2 / values[sound]))


def bounds(peak: Peak, interval: float, crowded: bool) -> tuple[Array, Array, Array]:
    """Lower and upper bounds of a peak's coordinates and the longest step of each, for points so far apart [s].

    In a window that is `crowded` a peak stays nearer to where it was found.
    """
    finest = np.log(0.3 * interval)
    free, sigma = IN_A_CROWD if crowded else ALONE, peak.sigma
    limits = {
        "retention": (peak.anchor - free.before * sigma, peak.anchor + free.behind * sigma, 1.5 * sigma),
        "log_sigma": (max(np.log(free.narrowest * sigma), finest), np.log(free.widest * sigma), 0.7),
        "log_site_delay": (np.log(1e-5 * peak.sigma), np.log(LONGEST_DELAY * peak.sigma), 1.5),
        "log_site_time": (np.log(0.3 * peak.sigma), np.log(SLOWEST_SITE * peak.sigma), 1.0),
        "log_tail": (np.log(0.02 * peak.sigma), np.log(SLOWEST_TAIL * peak.sigma), 1.0),
        "loading": (-GREATEST, GREATEST, 5.0),
    }
    lower, upper, stride = np.array([limits[name] for name in MODELS[peak.model].parameters]).T
    return lower, upper, stride


def _term(peak: Peak, data: WindowData) -> Term:
    """The search's view of a peak: curve, start, bounds and longest steps."""
    model, known = MODELS[peak.model], data.known
    lower, upper, stride = bounds(peak, data.sampling.interval, data.crowded)

    def evaluate(coordinates: Array) -> Curve | None:
        return data.curve(model, coordinates, data.sampling, known) if feasible(model, coordinates, known) else None

    return Term(evaluate, np.clip(peak.coordinates, lower, upper), lower, upper, stride, peak.sign)


def _heights(state: State) -> Array:
    return np.array(
        [
            abs(amplitude) * shape.rows[0].max(initial=0.0)
            for amplitude, shape in zip(state.solution.amplitudes, state.solution.curves, strict=True)
        ]
    )


def forced(data: WindowData, state: State, name: str) -> State:
    """Give every peak of a solved window the named model, from the best of its starts."""
    for place in range(len(state.peaks)):
        if state.peaks[place].model == name:
            continue
        tried = [_with(data, state, place, trial) for trial in _starts(state.peaks[place], name)]
        state = min((one for one in tried if one is not None), key=lambda one: one.solution.rss, default=state)
    return state
