"""Columns of a local baseline: polynomials, then splines, and what follows from them once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from gcfit.chromatogram import Array

DEPENDENT = 1e-10  # of its square; a column of which less is left beside those before it is one too many
CUBIC = 4  # order of a baseline up to which it is a polynomial


@dataclass(frozen=True, eq=False)
class Base:
    """Columns of a baseline, shape (q, n), and what follows from them once."""

    columns: Array

    @cached_property
    def products(self) -> Array:
        """Their products, shape (q, q)."""
        return np.asarray(self.columns @ self.columns.T)

    @cached_property
    def inverse_factor(self) -> Array | None:
        """L⁻¹ for the products L Lᵀ, whose first rows and columns are those of fewer columns; None where dependent."""
        try:
            factor = np.linalg.cholesky(self.products)
        except np.linalg.LinAlgError:
            return None
        apart = (factor.diagonal() ** 2 > DEPENDENT * self.products.diagonal()).all()
        return np.asarray(np.linalg.inv(factor)) if apart else None


def base_columns(time: Array, order: int, free: Array | None = None) -> Array:
    """Columns of a baseline, shape (order, n): polynomials to the cubic, then cubic splines of order - 3 pieces.

    The pieces hold equal shares of the window, or of what is `free` in it, shape (n,), from 0 to 1 and never falling:
    between peaks the baseline can bend, under a cluster of them it leads from one side to the other.
    """
    x = (time - time[0]) / (time[-1] - time[0])
    if order <= CUBIC:
        return _legendre(2 * x - 1, order)
    shares = np.arange(1, order - 3) / (order - 3)
    return _splines(x, shares if free is None else np.interp(shares, free, x))


def _legendre(z: Array, order: int) -> Array:
    """Legendre polynomials of degrees below `order`, at most 3, shape (order, n)."""
    columns = np.empty((order, z.size))
    if order > 0:
        columns[0] = 1.0
    if order > 1:
        columns[1] = z
    if order > 2:
        square = z * z
        np.subtract(1.5 * square, 0.5, out=columns[2])
    if order > 3:
        np.multiply(2.5 * square - 1.5, z, out=columns[3])
    return columns


def _splines(x: Array, inner: Array) -> Array:
    """Cubic B-splines between knots at 0, `inner`, and 1 at increasing places, shape (inner + 4, n)."""
    knots = [0.0] * 4 + inner.tolist() + [1.0] * 4
    columns = np.zeros((inner.size + 4, x.size))
    for piece, (first, last) in enumerate(pairwise([0, *np.searchsorted(x, inner).tolist(), x.size])):
        columns[piece : piece + 4, first:last] = _splines_within(x[first:last], knots[piece + 1 : piece + 7])
    return columns


def _splines_within(x: Array, knots: Sequence[float]) -> list[Array]:
    """The four cubic B-splines that are not zero between the third and the fourth of six knots (de Boor 1972)."""
    left = [x - knots[2 - k] for k in range(3)]
    right = [knots[3 + k] - x for k in range(3)]
    values = [np.ones_like(x)]
    for degree in range(1, 4):
        shares = [values[k] / (right[k] + left[degree - 1 - k]) for k in range(degree)]
        rising = [np.zeros_like(x), *(left[degree - 1 - k] * share for k, share in enumerate(shares))]
        falling = [*(right[k] * share for k, share in enumerate(shares)), np.zeros_like(x)]
        values = [up + down for up, down in zip(rising, falling, strict=True)]
    return values
