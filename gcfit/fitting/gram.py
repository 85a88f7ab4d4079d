"""JᵀJ of terms with local support: blocks of those that share points, and the two ways to solve with it.

The columns of a term are its amplitude and its coordinates; behind all terms stand the columns of the base, which
meet everything. A small system is put together densely. A large one, its terms in order of time, is a band with a
border: its cost grows with the number of terms times the square of those that overlap.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.sampling import Curve

Places = NDArray[np.intp]
RIDGES = (0.0, 1e-13, 1e-10, 1e-7)  # added to a unit diagonal in turn, until a singular band can be factored
LARGEST_INVERSE = 1e14  # of a matrix of unit diagonal; beyond it is singular to working precision


@dataclass(frozen=True, eq=False)
class Gram:
    """Inner products of columns by blocks.

    Parameters
    ----------
    own : tuple of ndarray, shapes (1 + p, 1 + p)
        Products of the columns of a term with themselves.
    across : tuple of ndarray, shapes (1 + p, q)
        Products with the columns of the base.
    pairs : dict of (int, int) to ndarray
        Products of two terms that share points, the smaller number first.
    base : ndarray, shape (q, q)
    """

    own: tuple[Array, ...]
    across: tuple[Array, ...]
    pairs: dict[tuple[int, int], Array]
    base: Array

    @property
    def finite(self) -> bool:
        """Whether every product of a term with itself is a number."""
        return all(math.isfinite(block.sum()) for block in self.own)

    def dense(self, terms: Sequence[int]) -> Array:
        """The matrix of some terms, one after the other, and the base behind them."""
        size = sum([len(self.own[term]) for term in terms])
        matrix = np.zeros((size + self.base.shape[0],) * 2)
        matrix[size:, size:] = self.base
        places, begin = {}, 0
        for term in terms:
            place = places[term] = slice(begin, begin + len(self.own[term]))
            begin = place.stop
            matrix[place, place] = self.own[term]
            matrix[place, size:] = across = self.across[term]
            matrix[size:, place] = across.T
        for (one, other), block in self.pairs.items():
            if one in places and other in places:
                left, right = places[one], places[other]
                matrix[left, right], matrix[right, left] = block, block.T
        return matrix


def products(
    curves: Sequence[Curve],
    rows: Sequence[Array],
    base: Array,
    base_gram: Array,
    before: Gram | None = None,
    moved: Sequence[int] = (),
) -> Gram:
    """Products of all columns; with a Gram `before`, only those of the terms that `moved` since.

    Parameters
    ----------
    curves : sequence of Curve
        Where each term has points.
    rows : sequence of ndarray, shapes (1 + p, m)
        Its columns there.
    base : ndarray, shape (q, n)
    base_gram : ndarray, shape (q, q)
    before : Gram, optional
    moved : sequence of int
    """
    if before is None:
        moved, own, across, pairs = range(len(curves)), [_NONE] * len(curves), [_NONE] * len(curves), {}
    else:
        gone = set(moved)
        own, across = list(before.own), list(before.across)
        pairs = {pair: block for pair, block in before.pairs.items() if gone.isdisjoint(pair)}
    for one in moved:
        row = rows[one]
        own[one] = row @ row.T
        across[one] = row @ base[:, curves[one].first : curves[one].last].T
    for pair in _touching(curves, moved):
        if pair not in pairs:
            pairs[pair] = _shared(curves, rows, *pair)
    return Gram(tuple(own), tuple(across), pairs, base_gram)


def _touching(curves: Sequence[Curve], moved: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of a term that moved and one that shares points with it, the smaller number first."""
    if len(curves) < 2:
        return
    firsts = np.array([curve.first for curve in curves])
    lasts = np.array([curve.last for curve in curves])
    some = np.array(moved)
    rows, others = ((firsts < lasts[some, None]) & (lasts > firsts[some, None])).nonzero()
    for one, other in zip(some[rows].tolist(), others.tolist(), strict=True):
        if other != one:
            yield (one, other) if one < other else (other, one)


_NONE = np.zeros((0, 0))


def _shared(curves: Sequence[Curve], rows: Sequence[Array], one: int, other: int) -> Array:
    """Products of two terms over the points that both have."""
    first, last = max(curves[one].first, curves[other].first), min(curves[one].last, curves[other].last)
    left = rows[one][:, first - curves[one].first : last - curves[one].first]
    right = rows[other][:, first - curves[other].first : last - curves[other].first]
    shared: Array = left @ right.T
    return shared


def solve_scaled(matrix: Array, right: Array) -> Array:
    """Solve a symmetric positive system after scaling its diagonal to one; least squares where it is singular."""
    if matrix.shape[0] == 0:
        return np.zeros_like(right)
    unit, scale = scaled(matrix)
    columns = scale if right.ndim == 1 else scale[:, None]
    return solve(unit, right * columns) * columns


def solve(unit: Array, right: Array) -> Array:
    """Solve a system of unit diagonal; least squares where it is singular."""
    try:
        return np.asarray(np.linalg.solve(unit, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(unit, right, rcond=None)[0], dtype=np.float64)


def pseudo_inverse_scaled(matrix: Array) -> Array:
    """Inverse of a symmetric positive matrix after scaling; that of least squares where it is singular."""
    unit, scale = scaled(matrix)
    try:
        inverse = np.linalg.inv(unit)
    except np.linalg.LinAlgError:
        inverse = np.linalg.pinv(unit, hermitian=True)
    return np.asarray(inverse * scale * scale[:, None], dtype=np.float64)


def scaled(matrix: Array) -> tuple[Array, Array]:
    """A symmetric matrix with its diagonal scaled to one, where it is above zero, and the scale that does it."""
    scale = np.sqrt(np.maximum(matrix.diagonal(), 0.0))
    if not scale.all():
        scale[scale == 0] = 1.0
    np.divide(1.0, scale, out=scale)
    unit = matrix * scale
    unit *= scale[:, None]
    return unit, scale


def inverse_scaled(matrix: Array) -> Array | None:
    """Inverse of a symmetric positive matrix after scaling; None where it is singular to working precision."""
    diagonal = matrix.diagonal()
    if not (diagonal > 0).all():
        return None
    scale = 1 / np.sqrt(diagonal)
    outer = scale * scale[:, None]
    try:
        inverse = np.linalg.inv(matrix * outer)
    except np.linalg.LinAlgError:
        return None
    inverse_diagonal = inverse.diagonal()
    if not (inverse_diagonal > 0).all() or inverse_diagonal.max() > LARGEST_INVERSE:
        return None
    result: Array = inverse * outer
    return result


@dataclass(frozen=True, eq=False)
class Arrow:
    """A symmetric matrix that is a band with a border.

    Parameters
    ----------
    band : ndarray, shape (w, n)
        `band[d, j]` is the element at row j + d, column j.
    border : ndarray, shape (n, q)
    corner : ndarray, shape (q, q)
    order : ndarray of int, shape (n,)
        Column of the band at which each column of the terms stands.
    """

    band: Array
    border: Array
    corner: Array
    order: Places

    @classmethod
    def of(cls, gram: Gram, curves: Sequence[Curve], take: int | None = None) -> "Arrow":
        """All columns of a Gram, terms in order of time; with `take`, only so many of each term."""
        blocks = [block[:take, :take] for block in gram.own]
        sizes = np.array([block.shape[0] for block in blocks])
        rank = np.argsort([curve.first for curve in curves], kind="stable")
        begins = np.empty_like(sizes)
        begins[rank] = np.cumsum(sizes[rank]) - sizes[rank]
        spans = [abs(begins[i] - begins[j]) + max(sizes[i], sizes[j]) for i, j in gram.pairs]
        count = int(sizes.sum())
        band = np.zeros((int(max([*spans, *sizes])), count))
        for block, begin in zip(blocks, begins.tolist(), strict=True):
            down, across, place = _lower(block.shape[0])
            band[place, begin + across] = block[down, across]
        for (one, other), whole in gram.pairs.items():
            early, late, block = (one, other, whole.T) if begins[one] < begins[other] else (other, one, whole)
            block = block[:take, :take]
            shift, across = _full(*block.shape)
            band[int(begins[late] - begins[early]) + shift, int(begins[early]) + across] = block
        order = np.concatenate([np.arange(begin, begin + size) for begin, size in zip(begins, sizes, strict=True)])
        border = np.zeros((count, gram.base.shape[0]))
        border[order] = np.concatenate([across[:take] for across in gram.across])
        return cls(band, border, gram.base, order)

    def scaled(self, scale: Array) -> "Arrow":
        """Columns and rows of the terms, in their own order, times a scale."""
        factor = np.empty_like(scale)
        factor[self.order] = scale
        count = factor.size
        band = self.band * factor
        for distance in range(1, band.shape[0]):
            band[distance, : count - distance] *= factor[distance:]
        band[0] *= factor
        return Arrow(band, self.border * factor[:, None], self.corner, self.order)

    def plus(self, diagonal: Array) -> "Arrow":
        """The matrix with something added to the diagonal of the terms, in their own order."""
        band = self.band.copy()
        band[0, self.order] += diagonal
        return Arrow(band, self.border, self.corner, self.order)

    def times(self, values: Array) -> Array:
        """Product with a vector, terms in their own order, then the base."""
        count = self.order.size
        x = np.empty(count)
        x[self.order] = values[:count]
        out = self.band[0] * x + self.border @ values[count:]
        for distance in range(1, self.band.shape[0]):
            inner = self.band[distance, : count - distance]
            out[distance:] += inner * x[: count - distance]
            out[: count - distance] += inner * x[distance:]
        return np.concatenate([out[self.order], self.border.T @ x + self.corner @ values[count:]])

    def solve(self, right: Array) -> Array:
        """Solve by a banded Cholesky factor and the Schur complement of the border; zero where the diagonal is."""
        from scipy.linalg import cho_solve_banded

        count = self.order.size
        diagonal = self.band[0]
        scale = np.where(diagonal > 0, 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0)), 0.0)
        own = np.empty_like(scale)
        own = scale[self.order]
        unit = self.scaled(own)
        factor = _factored(unit.band)
        sides = np.column_stack([unit.border, np.zeros(count)])
        sides[self.order, -1] = right[:count] * own
        spread = cho_solve_banded((factor, True), sides, check_finite=False)
        schur = self.corner - unit.border.T @ spread[:, :-1]
        last = solve_scaled(schur, right[count:] - unit.border.T @ spread[:, -1])
        first = (spread[:, -1] - spread[:, :-1] @ last)[self.order] * own
        return np.concatenate([first, last])


def _factored(band: Array) -> Array:
    """Cholesky factor of a band of unit diagonal; where it is singular, of the band with a ridge."""
    from scipy.linalg import LinAlgError, cholesky_banded

    for ridge in RIDGES:
        ridged = band.copy()
        ridged[0] = 1.0 + ridge
        try:
            factor: Array = cholesky_banded(ridged, lower=True, check_finite=False)
        except LinAlgError:
            continue
        return factor
    raise np.linalg.LinAlgError("a band of unit diagonal is not positive")


@cache
def _lower(size: int) -> tuple[Places, Places, Places]:
    """Rows and columns of a lower triangle, and how far below the diagonal each is."""
    down, across = np.tril_indices(size)
    return down, across, down - across


@cache
def _full(rows: int, columns: int) -> tuple[Places, Places]:
    """For each element of a block its row less its column, and its column."""
    down, across = np.indices((rows, columns))
    return down - across, across
