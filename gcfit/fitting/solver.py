"""Separable least squares with local support: the search that every fit goes through.

A window's signal is a sum of terms, each a unit curve times an amplitude that enters linearly, and of base columns
(the local baseline). The amplitudes are eliminated in closed form at every step (variable projection, Golub and
Pereyra 1973, in Kaufman's simplification, for which the step of the joint Gauss-Newton problem at the linear optimum
is the same); the damped search (Levenberg-Marquardt, damping after Nielsen 1999) sees the coordinates only. A term
whose own step is lost in the noise stands still, and costs nothing until it has to move again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.bounded import within_bounds
from gcfit.fitting.gram import Gram, products
from gcfit.fitting.normal import Algebra, Banded, Columns, Dense, Normal
from gcfit.fitting.sampling import NOWHERE, Curve
from gcfit.fitting.terms import FINE, Effort, Evaluate, Solution, Term

BANDED_ABOVE = 400  # columns; below, dense algebra is quicker
DAMPING = 1e-3  # at the start
FLOOR = 1e-28  # of the signal's sum of squares: below, a gain is rounding
CRAWL, MISFITTED = 10.0, 4.0  # times what settles a search, times the noise: a misfit's flat valley has no end
REFUSED, STALLED = 1.0, 0.1  # damping, attainable gain in variances of the residual: a search at its end
DONE = 0.01  # of what settles a search; a step that promises less is not taken
STILL = 1e-5  # of what settles a search; the terms that stand still together give away no more


@dataclass(frozen=True, eq=False)
class _Point:
    """All that is known at one place of the search.

    `rows` by term are weighted, the unit curve and its derivatives; `amplitude` is that of the term of each coordinate.
    """

    theta: Array
    curves: tuple[Curve, ...]
    rows: tuple[Array, ...]
    gram: Gram
    algebra: Algebra
    linear: Array
    amplitude: Array
    residual: Array
    rss: float

    @cached_property
    def normal(self) -> Normal:
        """Normal matrix of the coordinates."""
        return self.algebra.normal(self.amplitude)

    @cached_property
    def gradient(self) -> Array:
        """Half the downhill slope of the sum of squares, shape (coordinates,)."""
        slopes = [
            row[1:] @ self.residual[curve.first : curve.last] for curve, row in zip(self.curves, self.rows, strict=True)
        ]
        return self.amplitude * np.concatenate(slopes)


@dataclass(frozen=True, eq=False)
class _Step:
    """A step of all coordinates, the terms that it moves, and the falls of the sum of squares.

    `predicted` is the fall that the step promises, `attainable` that of the step before it was shortened and damped.
    """

    change: Array
    moved: list[int]
    predicted: float
    attainable: float


def solve(
    signal: Array,
    terms: Sequence[Term],
    base: Array,
    weights: Array | None = None,
    effort: Effort = FINE,
    evaluate: Evaluate | None = None,
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
    evaluate : callable, optional
        Evaluates some of the terms at once, where that is quicker than one after the other.

    Returns
    -------
    Solution or None
        None where the start itself describes no curve.
    """
    problem = _Problem(signal, tuple(terms), base, weights, evaluate)
    point = problem.at(problem.start)
    if point is None:
        return None
    damping, growth = DAMPING, 2.0
    converged, iterations, slow = problem.start.size == 0, 0, 0
    while not converged and iterations < effort.iterations and damping < 1e12:
        iterations += 1
        enough = max(effort.attained(point.rss, problem.freedom), problem.floor)
        step = problem.step(point, damping, enough)
        converged = step.attainable <= enough
        if not step.moved or step.attainable <= DONE * enough:
            break
        trial = problem.at(np.clip(point.theta + step.change, problem.lower, problem.upper), point, step.moved)
        gain = (point.rss - trial.rss) if trial is not None else -np.inf
        if trial is not None and gain > 0 and problem.wrong(trial) <= problem.wrong(point):
            ratio = min(gain / step.predicted, 1.0) if step.predicted > 0 else 1.0
            point = trial
            misfit = 0 < MISFITTED * effort.noise < problem.variance(point)
            slow = slow + 1 if misfit and gain < CRAWL * enough else 0
            converged = converged or slow > 1
            damping, growth = damping * max(1 / 5, 1 - (2 * ratio - 1) ** 3), 2.0
        else:
            damping, growth = damping * growth, 2 * growth
            # no step leads lower, though one promises to: the curves are no smoother than that
            stalled = step.attainable < max(STALLED * problem.variance(point), CRAWL * enough)
            converged = converged or (damping > REFUSED and stalled)
    return problem.solution(point, iterations, converged)


class _Problem:
    """The fixed side of a search: data, terms, bounds, and the places of the columns."""

    def __init__(
        self,
        signal: Array,
        terms: tuple[Term, ...],
        base: Array,
        weights: Array | None,
        evaluate: Evaluate | None = None,
    ) -> None:
        self.evaluate = evaluate or self._one_by_one
        self.signal = signal if weights is None else signal * weights
        self.weights, self.terms = weights, terms
        self.base = base if weights is None else base * weights
        self.start, self.lower, self.upper, self.stride = (
            np.concatenate([getattr(term, name) for term in terms]) if terms else np.empty(0)
            for name in ("start", "lower", "upper", "stride")
        )
        sizes = [term.start.size for term in terms]
        ends = list(accumulate(sizes))
        self.begins = [end - size for end, size in zip(ends, sizes, strict=True)]
        self.parts = [slice(begin, end) for begin, end in zip(self.begins, ends, strict=True)]
        self.owner = np.repeat(np.arange(len(terms)), sizes)
        self.signs = np.array([term.sign for term in terms], dtype=np.float64)
        self.columns = Columns.of(sizes, base.shape[0])
        self.base_gram = self.base @ self.base.T
        self.freedom = max(self.signal.size - self.columns.size, 1)
        self.floor = FLOOR * float(self.signal @ self.signal)

    def at(self, theta: Array, before: _Point | None = None, moved: Sequence[int] = ()) -> _Point | None:
        """Evaluate the curves that moved and eliminate what is linear; None where a term has no curve."""
        curves, rows = ([], []) if before is None else (list(before.curves), list(before.rows))
        if before is None:
            moved, curves, rows = range(len(self.terms)), [NOWHERE] * len(self.terms), [_NOTHING] * len(self.terms)
        for term, curve in zip(moved, self.evaluate(moved, [theta[self.parts[term]] for term in moved]), strict=True):
            if curve is None:
                return None
            curves[term] = curve
            rows[term] = curve.rows if self.weights is None else curve.rows * self.weights[curve.first : curve.last]
        gram = products(curves, rows, self.base, self.base_gram, None if before is None else before.gram, moved)
        if not gram.finite:
            return None
        algebra: Algebra = (Banded if self.columns.size > BANDED_ABOVE else Dense)(self.columns, gram, curves)
        linear, residual = self._eliminated(curves, rows, algebra, before, moved)
        amplitude, rss = linear[self.owner], float(residual @ residual)
        return _Point(theta, tuple(curves), tuple(rows), gram, algebra, linear, amplitude, residual, rss)

    def _one_by_one(self, terms: Sequence[int], coordinates: Sequence[Array]) -> list[Curve | None]:
        return [self.terms[term].evaluate(at) for term, at in zip(terms, coordinates, strict=True)]

    def _eliminated(
        self, curves: Sequence[Curve], rows: Sequence[Array], algebra: Algebra, before: _Point | None,
        moved: Sequence[int],
    ) -> tuple[Array, Array]:  # fmt: skip
        """Amplitudes and base coefficients, and the residual."""
        if before is None:
            linear, residual = np.zeros(self.columns.linear.size), self.signal.copy()
        else:
            # the old amplitudes on the new curves: what is left to correct is small
            linear, residual = before.linear.copy(), before.residual.copy()
            for term in moved:
                old, new = before.curves[term], curves[term]
                residual[old.first : old.last] += linear[term] * before.rows[term][0]
                residual[new.first : new.last] -= linear[term] * rows[term][0]
        # from nothing a second pass refines: a small peak on a high baseline keeps its digits
        for _ in range(2 if before is None else 1):
            own = [row[0] @ residual[curve.first : curve.last] for curve, row in zip(curves, rows, strict=True)]
            correction = algebra.linear(np.concatenate([own, self.base @ residual]))
            linear += correction
            for amplitude, curve, row in zip(correction.tolist(), curves, rows, strict=False):
                residual[curve.first : curve.last] -= amplitude * row[0]
            residual -= correction[len(self.terms) :] @ self.base
        return linear, residual

    def step(self, point: _Point, damping: float, enough: float) -> _Step:
        """Damped Gauss-Newton step and what it promises; terms whose own step is far below `enough` stand still.

        The attainable fall is that of the step before it is shortened to the longest allowed and before it is damped.
        """
        gradient, normal = point.gradient, point.normal
        change = within_bounds(normal, gradient, damping, self.lower - point.theta, self.upper - point.theta)
        attainable = predicted = _fall(normal, gradient, change)
        moved, shortened = self._shortened(point, change, enough)
        if shortened is not change:
            predicted = _fall(normal, gradient, shortened)
        return _Step(shortened, moved, predicted, attainable * (1 + damping))

    def _shortened(self, point: _Point, change: Array, enough: float) -> tuple[list[int], Array]:
        """The terms that move, and the step with theirs no longer than allowed and no others."""
        share = np.abs(change) / self.stride
        lengths = np.maximum.reduceat(share, self.begins).tolist() if change.size else []
        moved, shortened = [], change
        for term, longest in enumerate(lengths):
            part = self.parts[term]
            own = change[part] / max(longest, 1.0)
            seen = float(point.linear[term]) ** 2 * float(own @ point.gram.own[term][1:, 1:] @ own)
            still = seen * len(lengths) <= STILL * enough
            if not still:
                moved.append(term)
            if still or longest > 1:
                shortened = change.copy() if shortened is change else shortened
                shortened[part] = 0.0 if still else own
        return moved, shortened

    def wrong(self, point: _Point) -> int:
        """Number of amplitudes of the wrong sign."""
        return int(np.count_nonzero(self.signs * point.linear[: len(self.terms)] < 0))

    def variance(self, point: _Point) -> float:
        """Variance of the residual."""
        return float(point.rss / self.freedom)

    def solution(self, point: _Point, iterations: int, converged: bool) -> Solution:
        """Gather the end of the search."""
        residual = point.residual
        if self.weights is not None:
            residual = np.divide(residual, self.weights, out=np.zeros_like(residual), where=self.weights > 0)
        return Solution(
            coordinates=tuple(point.theta[part] for part in self.parts),
            amplitudes=point.linear[: len(self.terms)],
            base_coefficients=point.linear[len(self.terms) :],
            curves=point.curves,
            rows=point.rows,
            base=self.base,
            residual=residual,
            rss=point.rss,
            iterations=iterations,
            converged=converged,
            gram=point.gram,
        )


def _fall(normal: Normal, gradient: Array, change: Array) -> float:
    """Fall of the sum of squares that the quadratic model promises a step."""
    return float(change @ (2 * gradient - normal.product(change)))


_NOTHING = np.zeros((1, 0))
