"""The search of `gcfit.fitting.solver` for many lone pairs in step: windows that hold one peak each.

What is asked for at one time, the curves, is evaluated at once. The rest is little: the columns of the baseline are
eliminated before the search begins, then the amplitude, and what is left are two equations in two coordinates, in
plain numbers. Here the search only goes straight: a peak whose step would leave its bounds, or does not lead downhill,
is left to the search that knows how to go on. So is all else that is not a pair on a uniform grid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.gram import Gram
from gcfit.fitting.models import curve
from gcfit.fitting.normal import SINGULAR
from gcfit.fitting.pairs import PAIR, Grids, curves, inverted
from gcfit.fitting.sampling import Curve
from gcfit.fitting.solver import CRAWL, DAMPING, DONE, FLOOR, MISFITTED, STILL
from gcfit.fitting.states import Search, WindowData, limits
from gcfit.fitting.terms import FINE, Effort, Solution

Pair = tuple[float, float]
Form = tuple[float, float, float]  # a symmetric matrix of two rows: diagonal, then what is beside it
NEAR = (2.0, 1.0)  # longest steps of retention and width around the start that are gone here
FEW = 4  # curves that are quicker evaluated one after the other


@dataclass(frozen=True, eq=False)
class _Window:
    """What stands during the search of one window of n points and q base columns.

    `inverse`, shape (q, q), is that of the products of the base columns; `level`, shape (q,), are their coefficients
    in the signal without a peak, and `above`, shape (n,), what they leave of it. `least` and `most` bound what is
    searched here, `stride` are the longest steps; the rest is as in the search of any window.
    """

    search: Search
    base: Array
    inverse: Array
    level: Array
    above: Array
    least: Pair
    most: Pair
    stride: Pair
    effort: Effort
    freedom: int
    floor: float

    def within(self, theta: Pair) -> bool:
        """Whether coordinates are within their bounds."""
        (retention, width), (low, narrow), (high, wide) = theta, self.least, self.most
        return low <= retention <= high and narrow <= width <= wide


@dataclass(frozen=True, eq=False)
class _Point:
    """Where a window is in its search.

    `own`, shape (3, 3), and `across`, shape (3, q), are products of the curve and its derivatives with themselves and
    with the base, `coefficients`, shape (q,), those of the base. `normal` is the matrix of the coordinates, `gradient`
    half the slope.
    """

    theta: Pair
    curve: Curve
    own: Array
    across: Array
    amplitude: float
    coefficients: Array
    residual: Array
    rss: float
    normal: Form
    gradient: Pair


@dataclass(frozen=True, eq=False)
class _Walk:
    """A search that goes on, and the damping of its next step."""

    window: _Window
    point: _Point
    damping: float = DAMPING
    slow: int = 0
    converged: bool = False


@dataclass(frozen=True, eq=False)
class _Step:
    """A step, what it promises, whether it is the last, and whether it is not to be taken at all."""

    change: Pair
    predicted: float
    enough: float
    converged: bool
    at_end: bool


def ends(searches: Sequence[Search]) -> list[Solution | None]:
    """The end of each search of a lone pair; None where it does not go straight."""
    found: list[Solution | None] = [None] * len(searches)
    datas = [search.data for search in searches]
    grids = Grids.of([data.sampling for data in datas], [data.known for data in datas])
    walks = _begun(searches, grids)
    for iteration in range(1, FINE.iterations + 1):
        steps = {}
        for place, walk in walks.items():
            step = _step(walk)
            if step is not None and step.at_end:
                found[place] = _solution(walk, iteration, step.converged)
            elif step is not None and walk.window.within(_sum(walk.point.theta, step.change)):
                steps[place] = step
        thetas = {place: _sum(walks[place].point.theta, step.change) for place, step in steps.items()}
        shapes = _evaluated(thetas, datas, grids)
        moved = {place: _moved(walks[place], steps[place], thetas[place], shape) for place, shape in shapes.items()}
        walks = {place: walk for place, walk in moved.items() if walk is not None and not walk.converged}
        for place, end in moved.items():
            if end is not None and end.converged:
                found[place] = _solution(end, iteration, True)
        if not walks:
            break
    return found


def _begun(searches: Sequence[Search], grids: Grids) -> dict[int, _Walk]:
    """The walks of those searches that start within their bounds, by their places."""
    windows = {place: window for place, search in enumerate(searches) if (window := _window(search)) is not None}
    if not windows:
        return {}
    # so retained, even where its bounds allow the least, that nothing of it passes without a stay
    edges = np.array([(window.least[0], window.most[1]) for window in windows.values()])
    apt = inverted(edges, grids.only(list(windows))).tolist()
    starts = {place: _pair(searches[place].peaks[0].coordinates) for place in windows}
    thetas = {place: start for fit, (place, start) in zip(apt, starts.items(), strict=True)
              if fit and windows[place].within(start)}  # fmt: skip
    shapes = _evaluated(thetas, [search.data for search in searches], grids)
    points = {place: _at(windows[place], thetas[place], shape) for place, shape in shapes.items()}
    return {place: _Walk(windows[place], point) for place, point in points.items() if point is not None}


def _window(search: Search) -> _Window | None:
    """The fixed side of a search; None where the columns of the baseline are dependent."""
    data, order = search.data, search.base_order
    factor, base = data.base_factor(order), data.base(order)
    if factor is None:
        return None
    inverse = factor.T @ factor
    level = inverse @ (base @ data.signal)
    above = data.signal - level @ base
    # a second pass refines: a small peak on a high baseline keeps its digits
    correction = inverse @ (base @ above)
    above -= correction @ base
    spans = limits(search.peaks[0], data.sampling.interval, data.crowded)
    (low, high, step), (narrow, wide, change) = (
        (max(least, start - reach * stride), min(most, start + reach * stride), stride)
        for start, (least, most, stride), reach in zip(search.peaks[0].coordinates.tolist(), spans, NEAR, strict=True)
    )
    return _Window(
        search, base, inverse, level + correction, above,
        (low, narrow), (high, wide), (step, change),
        Effort(FINE.iterations, FINE.settled, data.deviation**2),
        max(data.signal.size - order - 3, 1), FLOOR * float(data.signal @ data.signal),
    )  # fmt: skip


def _evaluated(thetas: Mapping[int, Pair], datas: Sequence[WindowData], grids: Grids) -> dict[int, Curve]:
    """The curves of some windows at some coordinates each, by their places."""
    if len(thetas) < FEW:
        return {k: curve(PAIR, np.array(at), datas[k].sampling, datas[k].known) for k, at in thetas.items()}
    some = grids if len(thetas) == len(datas) else grids.only(list(thetas))
    return dict(zip(thetas, curves(np.array(list(thetas.values())), some), strict=True))


def _at(window: _Window, theta: Pair, shape: Curve) -> _Point | None:
    """Eliminate what is linear; None where the baseline explains the curve."""
    points, rows = slice(shape.first, shape.last), shape.rows
    own, across = rows @ rows.T, rows @ window.base[:, points].T
    taken = across @ window.inverse
    (height, by_retention, by_width), (_, first, between), (_, _, last) = (own - taken @ across.T).tolist()
    if not height > 0:
        return None
    amplitude = float(rows[0] @ window.above[points]) / height
    share = amplitude * taken[0]
    residual = window.above + share @ window.base
    residual[points] -= amplitude * rows[0]
    slopes = (rows[1:] @ residual[points]).tolist()
    square, (_, one, other) = amplitude**2, own.diagonal().tolist()
    normal = (
        square * (first + SINGULAR * one - by_retention**2 / height),
        square * (last + SINGULAR * other - by_width**2 / height),
        square * (between - by_retention * by_width / height),
    )
    return _Point(
        theta, shape, own, across, amplitude, window.level - share, residual, float(residual @ residual), normal,
        (amplitude * slopes[0], amplitude * slopes[1]),
    )  # fmt: skip


def _step(walk: _Walk) -> _Step | None:
    """A damped Gauss-Newton step, no longer than allowed; None where there is none."""
    window, point, extra = walk.window, walk.point, 1 + walk.damping
    (first, last, between), (one, other) = point.normal, point.gradient
    size = first * extra * last * extra - between**2
    if not size > 0:
        return None
    full = (last * extra * one - between * other) / size, (first * extra * other - between * one) / size
    attainable = _fall(point, full) * extra
    length = max(abs(full[0]) / window.stride[0], abs(full[1]) / window.stride[1], 1.0)
    change = full[0] / length, full[1] / length
    enough = max(window.effort.attained(point.rss, window.freedom), window.floor)
    own = point.own
    moved = point.amplitude**2 * _form((float(own[1, 1]), float(own[2, 2]), float(own[1, 2])), change)
    at_end = moved <= STILL * enough or attainable <= DONE * enough
    return _Step(change, _fall(point, change), enough, attainable <= enough, at_end)


def _moved(walk: _Walk, step: _Step, theta: Pair, shape: Curve) -> _Walk | None:
    """The walk behind a step; None where it does not lead downhill."""
    window, before = walk.window, walk.point
    point = _at(window, theta, shape)
    if point is None:
        return None
    gain, sign = before.rss - point.rss, window.search.peaks[0].sign
    if not gain > 0 or (sign * point.amplitude < 0 <= sign * before.amplitude):
        return None
    misfit = 0 < MISFITTED * window.effort.noise * window.freedom < point.rss
    slow = walk.slow + 1 if misfit and gain < CRAWL * step.enough else 0
    ratio = min(gain / step.predicted, 1.0) if step.predicted > 0 else 1.0
    damping = walk.damping * max(1 / 5, 1 - (2 * ratio - 1) ** 3)
    return _Walk(window, point, damping, slow, step.converged or slow > 1)


def _solution(walk: _Walk, iterations: int, converged: bool) -> Solution:
    window, point = walk.window, walk.point
    products = window.search.data.base_products(window.search.base_order)
    return Solution(
        coordinates=(np.array(point.theta),),
        amplitudes=np.array([point.amplitude]),
        base_coefficients=point.coefficients,
        curves=(point.curve,),
        rows=(point.curve.rows,),
        base=window.base,
        residual=point.residual,
        rss=point.rss,
        iterations=iterations,
        converged=converged,
        gram=Gram((point.own,), (point.across,), {}, products),
    )


def _fall(point: _Point, change: Pair) -> float:
    """Fall of the sum of squares that the quadratic model promises a step."""
    slope = change[0] * point.gradient[0] + change[1] * point.gradient[1]
    return 2 * slope - _form(point.normal, change)


def _form(matrix: Form, values: Pair) -> float:
    (first, last, between), (one, other) = matrix, values
    return first * one * one + last * other * other + 2 * between * one * other


def _pair(values: Array) -> Pair:
    return float(values[0]), float(values[1])


def _sum(theta: Pair, change: Pair) -> Pair:
    return theta[0] + change[0], theta[1] + change[1]
