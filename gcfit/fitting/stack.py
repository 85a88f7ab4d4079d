"""The search of `gcfit.fitting.solver` for many lone pairs at once: windows that hold one peak each.

Every window keeps its own damping and its own end; the arithmetic of all is done in arrays with the windows in front.
Here the search only goes straight: a peak whose step would leave its bounds, or does not lead downhill, is left to the
search that knows how to go on. So is all else that is not a pair on a uniform grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.gram import Gram, Places
from gcfit.fitting.models import Known, curve
from gcfit.fitting.normal import SINGULAR, Mask
from gcfit.fitting.pairs import PAIR, Grids, curves, inverted
from gcfit.fitting.sampling import Curve, Sampling
from gcfit.fitting.solver import CRAWL, DAMPING, DONE, FLOOR, MISFITTED, STILL
from gcfit.fitting.states import Search, bounds
from gcfit.fitting.terms import FINE, MISFIT, Solution

NEAR = np.array([2.0, 1.0])  # longest steps of retention and width around the start that are gone here
FEW = 4  # curves that are quicker evaluated one after the other


@dataclass(frozen=True, eq=False)
class _Record:
    """Arrays and tuples with the windows in front."""

    def only(self, some: Mask) -> Self:
        """Those of some of the windows."""
        if some.all():
            return self
        return type(self)(*(_some(getattr(self, field.name), some) for field in fields(self)))


def _some(value: Any, some: Mask) -> Any:
    if isinstance(value, tuple):
        return tuple(one for one, kept in zip(value, some.tolist(), strict=True) if kept)
    return value[some] if isinstance(value, np.ndarray) else value.only(some)


@dataclass(frozen=True, eq=False)
class _Windows(_Record):
    """What stands during the search of w windows, with q base columns at most.

    `gram`, shape (w, q, q), holds the products of the `bases`; where a window has fewer columns there is a one on the
    diagonal. `lower` and `upper` bound what is searched here, `stride` are the longest steps, shape (w, 2); the rest,
    shape (w,), is as in the search of one window.
    """

    grids: Grids
    sampled: tuple[tuple[Sampling, Known], ...]
    signals: tuple[Array, ...]
    bases: tuple[Array, ...]
    gram: Array
    lower: Array
    upper: Array
    stride: Array
    sign: Array
    freedom: Array
    noise: Array
    floor: Array

    @classmethod
    def of(cls, searches: Sequence[Search]) -> "_Windows":
        """The windows of some searches."""
        datas = [search.data for search in searches]
        bases = tuple(search.data.base(search.base_order) for search in searches)
        sizes, orders = np.array([base.shape[::-1] for base in bases]).T
        gram = np.zeros((len(bases), *[int(orders.max())] * 2))
        gram[:] = np.eye(gram.shape[1])
        for products, search in zip(gram, searches, strict=True):
            products[: search.base_order, : search.base_order] = search.data.base_products(search.base_order)
        limits = [bounds(search.peaks[0], search.data.sampling.interval, search.data.crowded) for search in searches]
        lower, upper, stride = np.array(limits).transpose(1, 0, 2)
        start = np.array([search.peaks[0].coordinates for search in searches])
        return cls(
            Grids.of([data.sampling for data in datas], [data.known for data in datas]),
            tuple((data.sampling, data.known) for data in datas),
            tuple(data.signal for data in datas),
            bases,
            gram,
            np.maximum(lower, start - NEAR * stride),
            np.minimum(upper, start + NEAR * stride),
            stride,
            sign=np.array([search.peaks[0].sign for search in searches]),
            freedom=np.maximum(sizes - orders - 3, 1),
            noise=np.array([data.deviation**2 for data in datas]),
            floor=np.array([FLOOR * float(data.signal @ data.signal) for data in datas]),
        )


@dataclass(frozen=True, eq=False)
class _Points(_Record):
    """Where the windows are in their searches.

    `linear`, shape (w, 1 + q): amplitude and coefficients of the base. `own`, shape (w, 3, 3), and `across`, shape
    (w, 3, q): products of the curve and its derivatives with themselves and with the base. `normal`, shape (w, 2, 2),
    is that of the coordinates, `gradient`, shape (w, 2), half the slope.
    """

    theta: Array
    curves: tuple[Curve, ...]
    own: Array
    across: Array
    linear: Array
    residuals: tuple[Array, ...]
    rss: Array
    normal: Array
    gradient: Array


@dataclass(frozen=True, eq=False)
class _Front(_Record):
    """Windows whose search goes on, their places among all, and the damping of their next steps."""

    windows: _Windows
    places: Places
    points: _Points
    damping: Array
    slow: Places


@dataclass(frozen=True, eq=False)
class _Step(_Record):
    """A step of each window, what it promises, and whether it is the last or not to be taken at all."""

    change: Array
    predicted: Array
    enough: Array
    converged: Mask
    at_end: Mask


def ends(searches: Sequence[Search]) -> list[Solution | None]:
    """The end of each search of a lone pair; None where it does not go straight."""
    found: list[Solution | None] = [None] * len(searches)
    front = _begun(searches)
    iteration = 0
    while front is not None and iteration < FINE.iterations:
        iteration += 1
        step = _step(front)
        _note(found, searches, front, step.at_end, step.converged, iteration)
        going = ~step.at_end & _within(front.windows, front.points.theta + step.change)
        front, converged = _moved(front.only(going), step.only(going)) if going.any() else (None, going)
        if front is not None:
            _note(found, searches, front, converged, converged, iteration)
            front = front.only(~converged) if not converged.all() else None
    return found


def _begun(searches: Sequence[Search]) -> _Front | None:
    """The front of those searches that start within their bounds; None where none does."""
    if not searches:
        return None
    windows, theta = _Windows.of(searches), np.array([search.peaks[0].coordinates for search in searches])
    # so retained, even where its bounds allow the least, that nothing of it passes without a stay
    least = np.stack([windows.lower[:, 0], windows.upper[:, 1]], axis=1)
    fit = _within(windows, theta) & inverted(least, windows.grids)
    if not fit.any():
        return None
    windows = windows.only(fit)
    count = np.count_nonzero(fit)
    damping, slow = np.full(count, DAMPING), np.zeros(count, dtype=np.intp)
    return _Front(windows, np.flatnonzero(fit), _at(windows, theta[fit]), damping, slow)


def _within(windows: _Windows, theta: Array) -> Mask:
    """Where coordinates are within their bounds."""
    return np.asarray(((theta >= windows.lower) & (theta <= windows.upper)).all(axis=1))


def _at(windows: _Windows, theta: Array, before: Array | None = None) -> _Points:
    """Evaluate the curves and eliminate what is linear, starting from what it was `before`."""
    if len(theta) < FEW:
        shapes = [curve(PAIR, at, *grid) for at, grid in zip(theta, windows.sampled, strict=True)]
    else:
        shapes = curves(theta, windows.grids)
    own, across = np.empty((len(shapes), 3, 3)), np.zeros((len(shapes), 3, windows.gram.shape[1]))
    for k, (shape, base) in enumerate(zip(shapes, windows.bases, strict=True)):
        own[k] = shape.rows @ shape.rows.T
        across[k, :, : len(base)] = shape.rows @ base[:, shape.first : shape.last].T
    inverse = _inverses(own[:, 0, 0], across[:, 0], windows.gram)
    linear, residuals = _eliminated(windows, shapes, inverse, before)
    slopes = np.empty((len(shapes), 3))
    for k, (shape, residual) in enumerate(zip(shapes, residuals, strict=True)):
        slopes[k, 0], slopes[k, 1:] = residual @ residual, shape.rows[1:] @ residual[shape.first : shape.last]
    amplitude = linear[:, :1]
    cross, inner = np.concatenate([own[:, 1:, :1], across[:, 1:]], axis=2), own[:, 1:, 1:]
    normal = inner * (1 + SINGULAR * np.eye(2)) - cross @ inverse @ cross.transpose(0, 2, 1)
    return _Points(
        theta, tuple(shapes), own, across, linear, tuple(residuals), slopes[:, 0],
        normal * amplitude[:, :, None] ** 2, amplitude * slopes[:, 1:],
    )  # fmt: skip


def _eliminated(
    windows: _Windows, shapes: Sequence[Curve], inverse: Array, before: Array | None
) -> tuple[Array, list[Array]]:
    """Amplitudes and base coefficients, shape (w, 1 + q), and the residuals."""
    residuals = [signal.copy() for signal in windows.signals]
    linear = np.zeros(inverse.shape[:2])
    if before is not None:
        linear += before
        _take_out(residuals, windows, shapes, linear)
    # from nothing a second pass refines: a small peak on a high baseline keeps its digits
    for _ in range(2 if before is None else 1):
        right = np.zeros_like(linear)
        for k, (shape, base, residual) in enumerate(zip(shapes, windows.bases, residuals, strict=True)):
            right[k, 0], right[k, 1 : 1 + len(base)] = (
                shape.rows[0] @ residual[shape.first : shape.last], base @ residual,
            )  # fmt: skip
        correction = _times(inverse, right)
        linear += correction
        _take_out(residuals, windows, shapes, correction)
    return linear, residuals


def _take_out(residuals: Sequence[Array], windows: _Windows, shapes: Sequence[Curve], linear: Array) -> None:
    """Take curves and baselines of some amplitudes and coefficients out of the residuals."""
    parts = zip(residuals, windows.bases, shapes, linear, linear[:, 0].tolist(), strict=True)
    for residual, base, shape, coefficients, amplitude in parts:
        residual -= coefficients[1 : 1 + len(base)] @ base
        residual[shape.first : shape.last] -= amplitude * shape.rows[0]


def _step(front: _Front) -> _Step:
    """Damped Gauss-Newton steps, each no longer than allowed."""
    windows, points, extra = front.windows, front.points, 1 + front.damping
    change = _solved_pairs(points.normal, points.gradient, extra)
    attainable = _fall(points, change) * extra
    length = np.maximum((np.abs(change) / windows.stride).max(axis=1), 1.0)
    change = change / length[:, None]
    variance = points.rss / windows.freedom
    excess = np.divide(variance, windows.noise, out=np.ones_like(variance), where=windows.noise > 0)
    enough = np.maximum(FINE.settled * variance * np.clip(excess, 1.0, MISFIT), windows.floor)
    moved = points.linear[:, 0] ** 2 * _form(points.own[:, 1:, 1:], change)
    at_end = (moved <= STILL * enough) | (attainable <= DONE * enough)
    return _Step(change, _fall(points, change), enough, attainable <= enough, at_end)


def _moved(front: _Front, step: _Step) -> tuple[_Front | None, Mask]:
    """The windows for which the step leads downhill, behind it, and which of them have converged."""
    windows, before = front.windows, front.points
    points = _at(windows, before.theta + step.change, before.linear)
    gain = before.rss - points.rss
    good = (gain > 0) & (_wrong(windows, points) <= _wrong(windows, before))
    misfit = (windows.noise > 0) & (points.rss > MISFITTED * windows.noise * windows.freedom)
    slow = np.where(misfit & (gain < CRAWL * step.enough), front.slow + 1, 0)
    ratio = np.divide(gain, step.predicted, out=np.ones_like(gain), where=step.predicted > 0)
    damping = front.damping * np.maximum(1 / 5, 1 - (2 * np.minimum(ratio, 1.0) - 1) ** 3)
    converged = (step.converged | (slow > 1))[good]
    return (_Front(windows, front.places, points, damping, slow).only(good) if good.any() else None), converged


def _note(
    found: list[Solution | None],
    searches: Sequence[Search],
    front: _Front,
    which: Mask,
    converged: Mask,
    iteration: int,
) -> None:
    """Enter the solutions of some windows of the front at their places."""
    for k in np.flatnonzero(which).tolist():
        place = int(front.places[k])
        found[place] = _solution(searches[place], front.points, k, iteration, bool(converged[k]))


def _solution(search: Search, points: _Points, k: int, iteration: int, converged: bool) -> Solution:
    base, shape = search.data.base(search.base_order), points.curves[k]
    count = len(base)
    return Solution(
        coordinates=(points.theta[k],),
        amplitudes=points.linear[k, :1],
        base_coefficients=points.linear[k, 1 : 1 + count],
        curves=(shape,),
        rows=(shape.rows,),
        base=base,
        residual=points.residuals[k],
        rss=float(points.rss[k]),
        iterations=iteration,
        converged=converged,
        gram=Gram((points.own[k],), (points.across[k, :, :count],), {}, search.data.base_products(count)),
    )


def _wrong(windows: _Windows, points: _Points) -> Mask:
    """Whether the amplitude has the wrong sign."""
    return np.asarray(windows.sign * points.linear[:, 0] < 0)


def _fall(points: _Points, change: Array) -> Array:
    """Fall of the sum of squares that the quadratic model promises a step."""
    return np.asarray(2 * (change * points.gradient).sum(axis=1) - _form(points.normal, change))


def _inverses(own: Array, across: Array, gram: Array) -> Array:
    """Inverse of the products of what is linear, after scaling; not a number where one is singular."""
    matrix = np.empty((own.size, 1 + gram.shape[1], 1 + gram.shape[1]))
    matrix[:, 0, 0], matrix[:, 0, 1:], matrix[:, 1:, 0], matrix[:, 1:, 1:] = own, across, across, gram
    scale = 1 / np.sqrt(np.maximum(np.einsum("wii->wi", matrix), np.finfo(float).tiny))
    outer = scale[:, :, None] * scale[:, None]
    try:
        return np.asarray(np.linalg.inv(matrix * outer) * outer)
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.nan)


def _solved_pairs(normal: Array, gradient: Array, extra: Array) -> Array:
    """Solve two equations each, the diagonal times `extra`; not a number where they are singular."""
    first, last, between = normal[:, 0, 0] * extra, normal[:, 1, 1] * extra, normal[:, 0, 1]
    size = first * last - between**2
    numerators = np.stack([last, -between, -between, first], axis=1).reshape(-1, 2, 2)
    out = np.full_like(gradient, np.nan)
    return np.divide(_times(numerators, gradient), size[:, None], out=out, where=(size > 0)[:, None])


def _times(matrix: Array, values: Array) -> Array:
    return np.asarray((matrix @ values[:, :, None])[:, :, 0])


def _form(matrix: Array, values: Array) -> Array:
    return np.asarray((values * _times(matrix, values)).sum(axis=1))
