"""Separable least squares with local support: the search that every fit goes through.

A window's signal is a sum of terms, each a unit curve times an amplitude that enters linearly, and of base columns
(the local baseline). The amplitudes are eliminated in closed form at every step (variable projection, Golub and
Pereyra 1973, in Kaufman's simplification, for which the step of the joint Gauss-Newton problem at the linear optimum
is the same); the damped search (Levenberg-Marquardt, damping after Nielsen 1999) sees the coordinates only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.sampling import Curve

MAX_ITERATIONS = 60
SETTLED = 1e-4  # a predicted gain of so many noise variances moves no coordinate by more than 1 % of its error
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
    """

    evaluate: Callable[[Array], Curve | None]
    start: Array
    lower: Array
    upper: Array
    stride: Array


@dataclass(frozen=True, eq=False)
class Solution:
    """The end of a search.

    `matrix`, shape (columns, n), is Jᵀ with its columns in the order amplitudes, base, coordinates; `covariance` is
    (JᵀJ)⁻¹: times the variance of white noise it is the covariance of the estimates. None where the data do not
    determine them.
    """

    coordinates: tuple[Array, ...]
    amplitudes: Array
    base_coefficients: Array
    curves: tuple[Curve, ...]
    residual: Array
    rss: float
    columns: int
    iterations: int
    converged: bool
    matrix: Array = field(repr=False)
    covariance: Array | None = field(repr=False)


@dataclass(frozen=True, eq=False)
class _Point:
    """All that is known at one place of the search; rows of `matrix` are amplitudes' and base columns, then slopes."""

    theta: Array
    curves: tuple[Curve, ...]
    matrix: Array
    gram: Array
    linear: Array
    residual: Array
    rss: float


def solve(signal: Array, terms: Sequence[Term], base: Array, weights: Array | None = None) -> Solution | None:
    """Fit the terms and the base columns to a signal.

    Parameters
    ----------
    signal : ndarray, shape (n,)
    terms : sequence of Term
    base : ndarray, shape (q, n)
        Base columns, linear.
    weights : ndarray, shape (n,), optional
        Weight of each residual; 0 leaves a point out.

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
    while not converged and iterations < MAX_ITERATIONS and damping < 1e12:
        iterations += 1
        step, predicted = problem.step(point, damping)
        settled = predicted <= problem.tolerance(point)
        trial = problem.at(np.clip(point.theta + step, problem.lower, problem.upper))
        gain = (point.rss - trial.rss) if trial is not None else -np.inf
        if trial is not None and gain > 0:
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
        self.linear_count = len(terms) + base.shape[0]
        self.floor = FLOOR * float(self.signal @ self.signal)

    def at(self, theta: Array) -> _Point | None:
        """Evaluate all curves and eliminate what is linear; None where a term has no curve."""
        curves: list[Curve] = []
        matrix = np.zeros((self.linear_count + theta.size, self.signal.size))
        matrix[len(self.terms) : self.linear_count] = self.base
        for place, (term, part) in enumerate(zip(self.terms, self.parts, strict=True)):
            curve = term.evaluate(theta[part])
            if curve is None:
                return None
            curves.append(curve)
            rows = curve.rows
            if self.weights is not None:
                rows = rows * self.weights[curve.first : curve.last]
            matrix[place, curve.first : curve.last] = rows[0]
            matrix[self.linear_count + part.start : self.linear_count + part.stop, curve.first : curve.last] = rows[1:]
        gram = matrix @ matrix.T
        count = self.linear_count
        linear = _solve_scaled(gram[:count, :count], matrix[:count] @ self.signal)
        residual = self.signal - linear @ matrix[:count]
        # one refinement: a small peak on a high baseline keeps its digits
        correction = _solve_scaled(gram[:count, :count], matrix[:count] @ residual)
        residual -= correction @ matrix[:count]
        return _Point(theta, tuple(curves), matrix, gram, linear + correction, residual, float(residual @ residual))

    def step(self, point: _Point, damping: float) -> tuple[Array, float]:
        """Damped Gauss-Newton step of the coordinates and the fall of the sum of squares that it predicts."""
        normal, gradient = self.reduced(point)
        damped = normal + np.diag(damping * np.diag(normal))
        step = _solve_scaled(damped, gradient)
        # a coordinate that would leave its bounds stays on them and leaves the step
        free = ~(((point.theta <= self.lower) & (step < 0)) | ((point.theta >= self.upper) & (step > 0)))
        if not free.all():
            step = np.zeros_like(step)
            if free.any():
                step[free] = _solve_scaled(damped[np.ix_(free, free)], gradient[free])
        step = np.clip(step, -self.stride, self.stride)
        return step, float(2 * step @ gradient - step @ normal @ step)

    def reduced(self, point: _Point) -> tuple[Array, Array]:
        """Normal matrix of the coordinates with the linear columns projected out, and the gradient."""
        count = self.linear_count
        amplitude = point.linear[self.owner]
        cross = point.gram[:count, count:] * amplitude
        inner = point.gram[count:, count:] * np.outer(amplitude, amplitude)
        normal = inner - cross.T @ _solve_scaled(point.gram[:count, :count], cross)
        return (normal + normal.T) / 2, amplitude * (point.matrix[count:] @ point.residual)

    def tolerance(self, point: _Point) -> float:
        """Predicted gain below which the search has settled."""
        freedom = max(self.signal.size - self.linear_count - point.theta.size, 1)
        return max(SETTLED * point.rss / freedom, self.floor)

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
            residual=residual,
            rss=point.rss,
            columns=count + point.theta.size,
            iterations=iterations,
            converged=converged,
            matrix=point.matrix * scale[:, None],
            covariance=_inverse(point.gram * np.outer(scale, scale)),
        )


def _solve_scaled(matrix: Array, right: Array) -> Array:
    """Solve a symmetric positive system after scaling its diagonal to one; least squares where it is singular."""
    if matrix.shape[0] == 0:
        return np.zeros_like(right)
    scale = np.sqrt(np.diag(matrix))
    scale = np.where(scale > 0, scale, 1.0)
    unit = matrix / scale / scale[:, None]
    columns = scale if right.ndim == 1 else scale[:, None]
    try:
        solved: Array = np.linalg.solve(unit, right / columns)
    except np.linalg.LinAlgError:
        solved = np.linalg.lstsq(unit, right / columns, rcond=None)[0]
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
