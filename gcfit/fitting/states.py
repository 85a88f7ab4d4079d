"""A window on its way: its points, its peaks, how they are solved, and the evidence for one state over another.

Evidence is the Bayesian information criterion with the noise known (Schwarz 1978): χ² + columns × ln(points), both
with the number of points reduced by the autocorrelation of the noise. A share of the signal itself counts as noise, so
that no model is asked to describe a measured peak better than such models can.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.bases import CUBIC, Base, base_columns
from gcfit.fitting.loading import GREATEST, INVERTED
from gcfit.fitting.models import Known, curve, feasible
from gcfit.fitting.pairs import PAIR, Grids, curves, inverted
from gcfit.fitting.registry import MODELS, PeakModel
from gcfit.fitting.sampling import Curve, Sampling
from gcfit.fitting.solver import solve
from gcfit.fitting.terms import FINE, ROUGH, Effort, Evaluate, Solution, Term

# a unit-area peak of a model at coordinates, and its derivatives; None where these describe no curve
CurveOf = Callable[[PeakModel, Array, Sampling, Known], Curve | None]
INADEQUACY = 2e-4  # of the signal; what no model of a measured peak is expected to describe
ROUNDING = 1e-7  # of the highest signal, for data without noise
TINY = float(np.finfo(float).tiny)
MANY = 8  # pairs of a window that are quicker evaluated at once
DECISIVE = 6.0  # fall of the criterion that a further part must bring
TIMES = {
    "log_site_delay": (1e-5, 5.0, 1.5),
    "log_site_time": (0.3, 15.0, 1.0),
    "log_tail": (0.02, 6.0, 1.0),
}  # shortest and longest of the times of what is added [σ], and the longest step; anything slower is the baseline's


@dataclass(frozen=True)
class Freedom:
    """How far the core of a peak may go from where it was found: widths of that of the peak, and σ for its mean."""

    narrowest: float
    widest: float
    before: float
    behind: float


ALONE = Freedom(0.2, 2.5, 5.0, 2.5)  # a core does not become a hump
IN_A_CROWD = Freedom(0.4, 2.2, 2.5, 1.0)  # nor its neighbour


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

    Where it is `rigid`, so is the baseline; where it is `crowded`, peaks stay close to where they were found. `free`
    is the share of the window free of peaks up to each point, shape (n,).
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
    free: Array | None = None

    @property
    def time(self) -> Array:
        """Times [s], shape (n,)."""
        return self.sampling.time

    @cached_property
    def independent(self) -> float:
        """How many independent points count."""
        points = self.signal.size if self.weights is None else np.count_nonzero(self.weights)
        return max(points / self.inflation, 2.0)

    @cached_property
    def _bases(self) -> dict[int, Base]:
        return {}

    def base(self, order: int) -> Array:
        """Columns of a baseline of that order, shape (order, n)."""
        return self._base(order).columns[:order]

    def base_products(self, order: int) -> Array:
        """Products of these columns, shape (order, order)."""
        return self._base(order).products[:order, :order]

    def base_factor(self, order: int) -> Array | None:
        """What makes these columns orthonormal, shape (order, order); None where they are dependent."""
        whole = self._base(order).inverse_factor
        return None if whole is None else whole[:order, :order]

    def _base(self, order: int) -> Base:
        # the first columns are those of every lower order
        made = max(order, CUBIC)
        if made not in self._bases:
            self._bases[made] = Base(base_columns(self.time, made, self.free))
        return self._bases[made]

    def part(self, first: int, last: int, signal: Array) -> "WindowData":
        """The points `first` to `last` with another signal there."""
        weights = None if self.weights is None else self.weights[first:last]
        return replace(self, sampling=self.sampling.part(first, last), signal=signal, weights=weights, free=None)


@dataclass(frozen=True, eq=False)
class State:
    """A solved window: its peaks, baseline order and solution.

    `scaled`, shape (n,), is the residual in standard deviations of each point, for as many points as are independent;
    `chi_squared` its sum of squares, `criterion` the Bayesian information criterion.
    """

    peaks: tuple[Peak, ...]
    base_order: int
    solution: Solution
    scaled: Array
    chi_squared: float
    criterion: float


@dataclass(frozen=True, eq=False)
class Search:
    """A window to be solved: where its peaks start, and the order of its baseline."""

    data: WindowData
    peaks: tuple[Peak, ...]
    base_order: int


def solved(data: WindowData, peaks: Sequence[Peak], base_order: int, effort: Effort | None = None) -> State | None:
    """Fit the peaks with a baseline of that order; None where the start describes no peak or loses one.

    Without an `effort` it is as fine as need be until the peaks of the window are settled.
    """
    terms = [_term(peak, data) for peak in peaks]
    effort = effort or (ROUGH if data.crowded else FINE)
    effort = Effort(effort.iterations, effort.settled, data.deviation**2)
    solution = solve(data.signal, terms, data.base(base_order), data.weights, effort, _at_once(data, peaks, terms))
    return None if solution is None else settled(data, peaks, base_order, solution)


def settled(data: WindowData, peaks: Sequence[Peak], base_order: int, solution: Solution) -> State:
    """A window whose search from some peaks has ended, with the evidence for it."""
    fitted = tuple(
        Peak(peak.model, coordinates, peak.anchor, peak.sigma, peak.sign)
        for peak, coordinates in zip(peaks, solution.coordinates, strict=True)
    )
    scaled = solution.residual / np.sqrt(_point_variance(data, solution))
    if data.weights is not None:
        scaled *= data.weights > 0
    chi_squared = float(scaled @ scaled)
    return State(fitted, base_order, solution, scaled, chi_squared, chi_squared + solution.columns * penalty(data))


def penalty(data: WindowData) -> float:
    """What one more column costs."""
    return math.log(data.independent)


def _point_variance(data: WindowData, solution: Solution) -> Array:
    """Variance of each point as far as it is independent, shape (n,).

    It is the noise, and the share of the peaks that no model is asked to describe.
    """
    squares = np.square(solution.total)
    floor = data.deviation**2 + ROUNDING**2 * float(squares.max(initial=0.0)) + TINY
    squares *= INADEQUACY**2 * data.inflation
    squares += floor * data.inflation
    return squares


def supports(data: WindowData, before: State, after: State, decisive: float) -> bool:
    """Whether data support one state over another: its criterion must fall by `decisive`.

    Where even the better state describes the data no better than to so many times the noise, that is the noise to
    judge by: otherwise any addition would do, as it always bends the residual a little.
    """
    excess = max(after.chi_squared / data.independent, 1.0)
    columns = after.solution.columns - before.solution.columns
    fall = before.chi_squared - after.chi_squared
    return fall > (decisive + columns * penalty(data)) * excess


def bounds(peak: Peak, interval: float, crowded: bool) -> tuple[Array, Array, Array]:
    """Lower and upper bounds of a peak's coordinates and the longest step of each, for points so far apart [s].

    In a window that is `crowded` a peak stays nearer to where it was found.
    """
    lower, upper, stride = np.array(limits(peak, interval, crowded)).T
    return lower, upper, stride


def limits(peak: Peak, interval: float, crowded: bool) -> list[tuple[float, float, float]]:
    """Lower and upper bound of each coordinate of a peak, and the longest step of it."""
    return [_limits(name, peak, interval, crowded) for name in MODELS[peak.model].parameters]


def _limits(name: str, peak: Peak, interval: float, crowded: bool) -> tuple[float, float, float]:
    """Lower and upper bound of one coordinate, and its longest step."""
    free, sigma = IN_A_CROWD if crowded else ALONE, peak.sigma
    if name == "retention":
        return peak.anchor - free.before * sigma, peak.anchor + free.behind * sigma, 1.5 * sigma
    if name == "log_sigma":
        narrowest = max(math.log(free.narrowest * sigma), math.log(0.3 * interval))
        return narrowest, math.log(free.widest * sigma), 0.7
    if name == "loading":
        # further only where a search started beyond, and never with a site, whose J no Fourier sum tells to e^{-β}
        beyond = abs(peak.coordinates[-1]) > INVERTED and "site" not in MODELS[peak.model].parts
        most = GREATEST if beyond else INVERTED
        return -most, most, 5.0
    low, high, step = TIMES[name]
    return math.log(low * sigma), math.log(high * sigma), step


def _term(peak: Peak, data: WindowData) -> Term:
    """The search's view of a peak: curve, start, bounds and longest steps."""
    model, known = MODELS[peak.model], data.known
    lower, upper, stride = bounds(peak, data.sampling.interval, data.crowded)

    # what is feasible at the least retention and the greatest width is so everywhere
    everywhere = "load" not in model.parts and feasible(model, np.array([lower[0], upper[1], *lower[2:]]), known)

    def evaluate(coordinates: Array) -> Curve | None:
        if not (everywhere or feasible(model, coordinates, known)):
            return None
        return data.curve(model, coordinates, data.sampling, known)

    return Term(evaluate, np.clip(peak.coordinates, lower, upper), lower, upper, stride, peak.sign)


def _at_once(data: WindowData, peaks: Sequence[Peak], terms: Sequence[Term]) -> Evaluate | None:
    """Evaluate the pairs of a window at once, its other peaks by themselves; None where there are too few pairs."""
    pairs = [place for place, peak in enumerate(peaks) if MODELS[peak.model] == PAIR]
    if len(pairs) < MANY or data.curve is not curve or not data.sampling.uniform or data.sampling.averaged > 1:
        return None
    grids = Grids.of([data.sampling] * len(pairs), [data.known] * len(pairs))
    least = np.array([(terms[place].lower[0], terms[place].upper[1]) for place in pairs])
    apt = {place for place, fit in zip(pairs, inverted(least, grids).tolist(), strict=True) if fit}

    def evaluate(places: Sequence[int], coordinates: Sequence[Array]) -> list[Curve | None]:
        some = [one for one, place in zip(coordinates, places, strict=True) if place in apt]
        at_once = len(some) >= MANY
        found = iter(curves(np.array(some), grids.only(slice(len(some)))) if at_once else ())
        return [
            next(found) if at_once and place in apt else terms[place].evaluate(one)
            for place, one in zip(places, coordinates, strict=True)
        ]

    return evaluate


def heights_of(state: State) -> Array:
    """Heights of the peaks over their baseline, shape (peaks,) [signal unit]."""
    return np.array(
        [
            abs(amplitude) * shape.rows[0].max(initial=0.0)
            for amplitude, shape in zip(state.solution.amplitudes, state.solution.curves, strict=True)
        ]
    )
