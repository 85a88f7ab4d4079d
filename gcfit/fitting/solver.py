"""Separable least squares with local support: the search that every fit goes through.

A window's signal is a sum of terms, each a unit curve times an amplitude that enters linearly, and of base columns
(the local baseline). The amplitudes are eliminated in closed form at every step (variable projection, Golub and
Pereyra 1973, in Kaufman's simplification, for which the step of the joint Gauss-Newton problem at the linear optimum
is the same); the damped search (Levenberg-Marquardt, damping after Nielsen 1999) sees the coordinates only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.sampling import Curve

SPARSE_ABOVE = 400  # columns; below, dense algebra is quicker
SINGULAR = 1e-13
MISFIT = 100.0  # points that share a misfit, at the most
FLOOR = 1e-28  # of the signal's sum of squares: below, a gain is rounding


@dataclass(frozen=True, eq=False)
class Term:
    """One curve of the sum.

    Parameters
    ----------
    evaluate : callable
        Maps coordinates, shape (p,), to a `Curve`, or to None where they describe no curve.
    start, lower, upper, stride : ndarray, shape (p,)
        Start of the coordinates, their bounds, and the longest step of each.
    sign : int
        +1 or -1 where the amplitude must not change to the other sign, 0 where it is free.
    """

    evaluate: Callable[[Array], Curve | None]
    start: Array
    lower: Array
    upper: Array
    stride: Array
    sign: int = 0


@dataclass(frozen=True, eq=False)
class Solution:
    """The end of a search.

    `gram` is JᵀJ of all columns in the order amplitudes, base, coordinates (shape (columns, columns)): the inverse
    times the variance of white noise is the covariance of the estimates. `rows` are Jᵀ by term, each of shape
    (1 + p, m) at the points of its curve: the unit curve, and the amplitude times its derivatives.
    """

    coordinates: tuple[Array, ...]
    amplitudes: Array
    base_coefficients: Array
    curves: tuple[Curve, ...]
    rows: tuple[Array, ...] = field(repr=False)
    base: Array = field(repr=False)
    residual: Array
    rss: float
    iterations: int
    converged: bool
    gram: Array = field(repr=False)

    @property
    def columns(self) -> int:
        """Number of free quantities."""
        return int(self.gram.shape[0])

    def places(self, term: int) -> list[int]:
        """Columns of one term: its amplitude, then its coordinates."""
        linear = self.amplitudes.size + self.base_coefficients.size
        begin = linear + sum(coordinates.size for coordinates in self.coordinates[:term])
        return [term, *range(begin, begin + self.coordinates[term].size)]

    @property
    def base_places(self) -> list[int]:
        """Columns of the base."""
        return list(range(self.amplitudes.size, self.amplitudes.size + self.base_coefficients.size))


@dataclass(frozen=True, eq=False)
class _Point:
    """All that is known at one place of the search; `rows` by term are weighted, the unit curve and its derivatives."""

    theta: Array
    curves: tuple[Curve, ...]
    rows: tuple[Array, ...]
    gram: Array
    linear: Array
    residual: Array
    rss: float


@dataclass(frozen=True)
class Effort:
    """When a search ends.

    Parameters
    ----------
    iterations : int
        Steps at most.
    settled : float
        Attainable gain, in variances of the residual, below which it has settled: at 1e-4 no coordinate would move
        by more than 1 % of its standard error.
    noise : float
        Variance of a point that is noise; where the residual is far above it, it is the misfit of the models, which
        neighbouring points share, and less precision will do.
    """

    iterations: int = 40
    settled: float = 1e-4
    noise: float = 0.0

    def attained(self, variance: float) -> float:
        """Attainable gain below which a search with this variance of the residual has settled."""
        excess = variance / self.noise if self.noise > 0 else 1.0
        return self.settled * variance * min(max(excess, 1.0), MISFIT)


FINE = Effort()
COARSE = Effort(iterations=12, settled=0.1)  # enough to compare models


def solve(
    signal: Array, terms: Sequence[Term], base: Array, weights: Array | None = None, effort: Effort = FINE
) -> Solution | None:
    """Fit the terms and the base columns to a signal.

    Parameters
    ----------
    signal : ndarray, shape (n,)
    terms : sequence of Term
    base : ndarray, shape (q, n)
        Base columns, linear.
    weights : ndarray, shape (n,), optional
        Weight of each residual; 0 leaves a point out.
    effort : Effort
        When the search ends.

    Returns
    -------
    Solution or None
        None where the start itself describes no curve.
    """
    problem = _Problem(signal, tuple(terms), base, weights)
    point = problem.at(problem.start)
    if point is None:
        return None
    damping, growth = 1e-3, 2.0
    converged, iterations = problem.start.size == 0, 0
    while not converged and iterations < effort.iterations and damping < 1e12:
        iterations += 1
        step, predicted, attainable = problem.step(point, damping)
        settled = attainable <= max(effort.attained(problem.variance(point)), problem.floor)
        trial = problem.at(np.clip(point.theta + step, problem.lower, problem.upper))
        gain = (point.rss - trial.rss) if trial is not None else -np.inf
        if trial is not None and gain > 0 and problem.wrong(trial) <= problem.wrong(point):
            ratio = min(gain / predicted, 1.0) if predicted > 0 else 1.0
            point = trial
            damping, growth = damping * max(1 / 5, 1 - (2 * ratio - 1) ** 3), 2.0
        else:
            damping, growth = damping * growth, 2 * growth
        converged = settled
    return problem.solution(point, iterations, converged)


class _Problem:
    """The fixed side of a search: data, terms, bounds, and the algebra of a step."""

    def __init__(self, signal: Array, terms: tuple[Term, ...], base: Array, weights: Array | None) -> None:
        self.signal = signal if weights is None else signal * weights
        self.weights, self.terms = weights, terms
        self.base = base if weights is None else base * weights
        self.start, self.lower, self.upper, self.stride = (
            np.concatenate([getattr(term, name) for term in terms]) if terms else np.empty(0)
            for name in ("start", "lower", "upper", "stride")
        )
        ends = np.cumsum([term.start.size for term in terms])
        self.parts = [slice(int(end) - term.start.size, int(end)) for end, term in zip(ends, terms, strict=True)]
        self.owner = np.repeat(np.arange(len(terms)), [term.start.size for term in terms])
        self.signs = np.array([term.sign for term in terms], dtype=np.float64)
        self.linear_count = len(terms) + base.shape[0]
        # the products are taken term by term: amplitude, coordinates; then the base
        starts = np.cumsum([0, *(1 + term.start.size for term in terms)])
        self.size = int(starts[-1]) + base.shape[0]
        self.blocks = [slice(int(begin), int(end)) for begin, end in pairwise(starts)]
        order = [
            *(block.start for block in self.blocks),
            *range(int(starts[-1]), self.size),
            *(column for block in self.blocks for column in range(block.start + 1, block.stop)),
        ]
        self.linear_first = np.ix_(order, order)
        self.diagonal = np.diag_indices(self.start.size)
        self.base_gram = self.base @ self.base.T
        self.floor = FLOOR * float(self.signal @ self.signal)

    def at(self, theta: Array) -> _Point | None:
        """Evaluate all curves and eliminate what is linear; None where a term has no curve."""
        curves = []
        for term, part in zip(self.terms, self.parts, strict=True):
            curve = term.evaluate(theta[part])
            if curve is None:
                return None
            curves.append(curve)
        if self.weights is None:
            rows = tuple(curve.rows for curve in curves)
        else:
            rows = tuple(curve.rows * self.weights[curve.first : curve.last] for curve in curves)
        gram = self._gram(curves, rows)
        if not np.isfinite(gram).all():
            return None
        count = self.linear_count
        linear = np.zeros(count)
        residual = self.signal.copy()
        # the second pass refines: a small peak on a high baseline keeps its digits
        for _ in range(2):
            correction = _solve_scaled(gram[:count, :count], self._projected(curves, rows, residual))
            linear += correction
            for amplitude, curve, row in zip(correction, curves, rows, strict=False):
                residual[curve.first : curve.last] -= amplitude * row[0]
            residual -= correction[len(self.terms) :] @ self.base
        return _Point(theta, tuple(curves), rows, gram, linear, residual, float(residual @ residual))

    def _projected(self, curves: Sequence[Curve], rows: Sequence[Array], values: Array) -> Array:
        """Inner products of the linear columns with values at the points."""
        own = [row[0] @ values[curve.first : curve.last] for curve, row in zip(curves, rows, strict=True)]
        return np.concatenate([np.array(own), self.base @ values])

    def _gram(self, curves: Sequence[Curve], rows: Sequence[Array]) -> Array:
        """Inner products of all columns, unit slopes; only terms that share points meet."""
        gram = np.zeros((self.size, self.size))
        base = slice(self.size - self.base.shape[0], self.size)
        gram[base, base] = self.base_gram
        order = sorted(range(len(curves)), key=lambda place: curves[place].first)
        for rank, one in enumerate(order):
            curve, own = curves[one], self.blocks[one]
            across = rows[one] @ self.base[:, curve.first : curve.last].T
            gram[own, base], gram[base, own] = across, across.T
            gram[own, own] = rows[one] @ rows[one].T
            for other in order[rank + 1 :]:
                first, last = curves[other].first, min(curves[other].last, curve.last)
                if first >= curve.last:
                    break
                left = rows[one][:, first - curve.first : last - curve.first]
                product = left @ rows[other][:, : last - first].T
                block = self.blocks[other]
                gram[own, block], gram[block, own] = product, product.T
        return gram[self.linear_first]

    def step(self, point: _Point, damping: float) -> tuple[Array, float, float]:
        """Damped Gauss-Newton step, the fall of the sum of squares that it predicts, and the fall that is attainable.

        The attainable fall is that of the step before it is shortened to the longest allowed and before it is damped.
        """
        normal, gradient = self.reduced(point)
        damped = normal.copy()
        damped[self.diagonal] *= 1 + damping
        step = _solve_scaled(damped, gradient)
        # a coordinate that would leave its bounds stays on them and leaves the step
        free = ~(((point.theta <= self.lower) & (step < 0)) | ((point.theta >= self.upper) & (step > 0)))
        if not free.all():
            step = np.zeros_like(step)
            if free.any():
                step[free] = _solve_scaled(damped[np.ix_(free, free)], gradient[free])
        attainable = float(2 * step @ gradient - step @ normal @ step) * (1 + damping)
        for part in self.parts:
            step[part] /= max(1.0, float(np.max(np.abs(step[part]) / self.stride[part])))
        return step, float(2 * step @ gradient - step @ normal @ step), attainable

    def reduced(self, point: _Point) -> tuple[Array, Array]:
        """Normal matrix of the coordinates with the linear columns projected out, and the gradient."""
        count = self.linear_count
        amplitude = point.linear[self.owner]
        cross = point.gram[:count, count:] * amplitude
        inner = point.gram[count:, count:] * np.outer(amplitude, amplitude)
        normal = inner - cross.T @ _solve_scaled(point.gram[:count, :count], cross)
        # what is explained by the linear columns alone keeps a trace of its own size, so that scaling stays possible
        normal[self.diagonal] += SINGULAR * inner.diagonal()
        slopes = [
            row[1:] @ point.residual[curve.first : curve.last]
            for curve, row in zip(point.curves, point.rows, strict=True)
        ]
        return (normal + normal.T) / 2, amplitude * np.concatenate(slopes)

    def wrong(self, point: _Point) -> int:
        """Number of amplitudes of the wrong sign."""
        return int(np.count_nonzero(self.signs * point.linear[: len(self.terms)] < 0))

    def variance(self, point: _Point) -> float:
        """Variance of the residual."""
        freedom = max(self.signal.size - self.linear_count - point.theta.size, 1)
        return float(point.rss / freedom)

    def solution(self, point: _Point, iterations: int, converged: bool) -> Solution:
        """Gather the end of the search and the covariance of all columns."""
        count = self.linear_count
        scale = np.concatenate([np.ones(count), point.linear[self.owner]])
        residual = point.residual
        if self.weights is not None:
            residual = np.divide(residual, self.weights, out=np.zeros_like(residual), where=self.weights > 0)
        return Solution(
            coordinates=tuple(point.theta[part] for part in self.parts),
            amplitudes=point.linear[: len(self.terms)],
            base_coefficients=point.linear[len(self.terms) :],
            curves=point.curves,
            rows=tuple(
                np.concatenate([row[:1], amplitude * row[1:]])
                for amplitude, row in zip(point.linear, point.rows, strict=False)
            ),
            base=self.base,
            residual=residual,
            rss=point.rss,
            iterations=iterations,
            converged=converged,
            gram=point.gram * np.outer(scale, scale),
        )


def covariance(solution: Solution, terms: Sequence[int], acf: Array | None = None) -> Array | None:
    """Covariance, for noise of unit variance, of the columns of some terms and the base.

    Parameters
    ----------
    solution : Solution
    terms : sequence of int
        Terms that are taken as free; the others stand. All terms that overlap with the one of interest, and those
        that overlap with these, give its covariance to many digits.
    acf : ndarray, shape (lags,), optional
        Autocorrelation of the noise from lag 0; white noise without it.

    Returns
    -------
    ndarray or None
        Rows in the order of the terms' `places`, then the base; None where the data do not determine the columns.
    """
    places = [place for term in terms for place in solution.places(term)] + solution.base_places
    inverse = _inverse(solution.gram[np.ix_(places, places)])
    if inverse is None or acf is None:
        return inverse
    inner = _correlated_gram(solution, terms, acf)
    result: Array = inverse @ inner @ inverse
    return result if (result.diagonal() > 0).all() else None


def _correlated_gram(solution: Solution, terms: Sequence[int], acf: Array) -> Array:
    """Jᵀ R J of some terms and the base, R the autocorrelation of the noise; the base is smooth against its reach."""
    sizes = [solution.rows[term].shape[0] for term in terms]
    ends = np.cumsum([0, *sizes])
    count = int(ends[-1])
    full = np.zeros((count, solution.residual.size))
    spread = np.zeros_like(full)
    kernel = np.concatenate([acf[:0:-1], acf])
    for begin, end, term in zip(ends[:-1], ends[1:], terms, strict=True):
        points = slice(solution.curves[term].first, solution.curves[term].last)
        full[begin:end, points] = solution.rows[term]
        for k, row in enumerate(solution.rows[term], int(begin)):
            spread[k, points] = np.convolve(row, kernel)[acf.size - 1 : acf.size - 1 + row.size]
    inflation = 2 * acf.sum() - acf[0]
    across = spread @ solution.base.T
    out: Array = np.block([[spread @ full.T, across], [across.T, inflation * (solution.base @ solution.base.T)]])
    return (out + out.T) / 2


def _solve_scaled(matrix: Array, right: Array) -> Array:
    """Solve a symmetric positive system after scaling its diagonal to one; least squares where it is singular."""
    if matrix.shape[0] == 0:
        return np.zeros_like(right)
    if matrix.shape[0] > SPARSE_ABOVE:
        return _solve_sparse(matrix, right)
    scale = np.sqrt(np.maximum(matrix.diagonal(), 0.0))
    scale[scale == 0] = 1.0
    inverse = 1 / scale
    unit = matrix * inverse * inverse[:, None]
    columns = inverse if right.ndim == 1 else inverse[:, None]
    solved: Array
    try:
        solved = np.asarray(np.linalg.solve(unit, right * columns), dtype=np.float64)
    except np.linalg.LinAlgError:
        solved = np.asarray(np.linalg.lstsq(unit, right * columns, rcond=None)[0], dtype=np.float64)
    return solved * columns


def _solve_sparse(matrix: Array, right: Array) -> Array:
    """Solve a large system most of whose columns do not meet."""
    from scipy.sparse import csc_array
    from scipy.sparse.linalg import splu

    scale = np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))
    columns = scale if right.ndim == 1 else scale[:, None]
    solved: Array = splu(csc_array(matrix / scale / scale[:, None])).solve(right / columns)
    return solved / columns


def _inverse(matrix: Array) -> Array | None:
    """Inverse of a symmetric positive matrix after scaling; None where it is singular to working precision."""
    diagonal = np.diag(matrix)
    if not (diagonal > 0).all():
        return None
    scale = 1 / np.sqrt(diagonal)
    try:
        inverse = np.linalg.inv(matrix * np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return None
    if not (np.diag(inverse) > 0).all() or np.diag(inverse).max() > 1e14:
        return None
    result: Array = inverse * np.outer(scale, scale)
    return result
