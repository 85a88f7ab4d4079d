"""The algebra of one point of a search: what is linear, and the step of the coordinates, densely or by a band."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.gram import Arrow, Gram, Places, pseudo_inverse_scaled, scaled, solve
from gcfit.fitting.sampling import Curve

Mask = NDArray[np.bool_]
SINGULAR = 1e-13  # of a column's own size; keeps one that the linear columns explain scalable


@dataclass(frozen=True, eq=False)
class Columns:
    """Places of the columns of a `Gram`: `linear` those of the amplitudes and the base, `coordinates` the others."""

    linear: Places
    coordinates: Places

    @classmethod
    def of(cls, coordinates: Sequence[int], base: int) -> "Columns":
        """Columns of terms with so many coordinates each, and of so many base columns."""
        return _columns(tuple(coordinates), base)

    @cached_property
    def linear_first(self) -> tuple[Places, Places]:
        """Indices that put the linear columns of the whole matrix before the coordinates."""
        order = np.concatenate([self.linear, self.coordinates])
        return order[:, None], order

    @property
    def size(self) -> int:
        """Number of columns."""
        return self.linear.size + self.coordinates.size


@lru_cache(maxsize=16)
def _columns(coordinates: tuple[int, ...], base: int) -> Columns:
    sizes = np.array([1 + size for size in coordinates], dtype=np.intp)
    terms = int(sizes.sum())
    starts = np.cumsum(sizes) - sizes
    inner = np.ones(terms, dtype=bool)
    inner[starts] = False
    return Columns(np.concatenate([starts, np.arange(terms, terms + base)]), np.flatnonzero(inner))


class Normal(Protocol):
    """The normal matrix N of the coordinates at one point, what is linear projected out."""

    def damped(self, gradient: Array, damping: float, free: Mask | None = None) -> Array:
        """Damped Gauss-Newton step, shape (coordinates,); coordinates that are not free stay where they are."""

    def product(self, step: Array, damping: float = 0.0) -> Array:
        """N s of the (damped) matrix, shape (coordinates,)."""


class Algebra(Protocol):
    """The linear algebra of one point."""

    def linear(self, right: Array) -> Array:
        """Solve for the amplitudes and the base, shape (linear,)."""

    def normal(self, amplitude: Array) -> Normal:
        """N where the terms of the coordinates have these amplitudes, shape (coordinates,)."""


class Whole:
    """N as a whole, for few columns."""

    def __init__(self, matrix: Array) -> None:
        self._matrix = matrix
        self._unit, self._scale = scaled(matrix)

    def damped(self, gradient: Array, damping: float, free: Mask | None = None) -> Array:
        """Damped Gauss-Newton step of the coordinates."""
        unit, scale = self._unit, self._scale
        if free is not None:
            unit, scale, gradient = unit[free][:, free], scale[free], gradient[free]
        unit = unit.copy()
        unit.flat[:: unit.shape[0] + 1] *= 1 + damping
        step = solve(unit, gradient * scale) * scale
        if free is None:
            return step
        whole = np.zeros(free.size)
        whole[free] = step
        return whole

    def product(self, step: Array, damping: float = 0.0) -> Array:
        """N s."""
        product: Array = self._matrix @ step
        return product + damping * self._matrix.diagonal() * step if damping else product


class Dense:
    """For few columns."""

    def __init__(self, columns: Columns, gram: Gram, curves: Sequence[Curve]) -> None:
        matrix, linear = gram.dense(range(len(gram.own)))[columns.linear_first], columns.linear.size
        self._inverse = pseudo_inverse_scaled(matrix[:linear, :linear])
        self._cross, self._inner = matrix[:linear, linear:], matrix[linear:, linear:]

    def linear(self, right: Array) -> Array:
        """Solve for the amplitudes and the base."""
        return self._inverse @ right

    def normal(self, amplitude: Array) -> Whole:
        """N for some amplitudes."""
        matrix = self._inner - self._cross.T @ (self._inverse @ self._cross)
        matrix.flat[:: matrix.shape[0] + 1] += SINGULAR * self._inner.diagonal()
        matrix *= amplitude
        matrix *= amplitude[:, None]
        return Whole(matrix)


class Banded:
    """For many columns: the joint problem of all of them, whose step is that of the projected one."""

    def __init__(self, columns: Columns, gram: Gram, curves: Sequence[Curve]) -> None:
        self._columns, self._gram, self._curves = columns, gram, curves
        self._amplitudes = Arrow.of(gram, curves, 1)

    @cached_property
    def _joint(self) -> Arrow:
        return Arrow.of(self._gram, self._curves)

    @cached_property
    def _own(self) -> Array:
        """Diagonal of the coordinates, and what the term's own amplitude leaves of it, shape (2, coordinates)."""
        whole = [block.diagonal()[1:] for block in self._gram.own]
        left = [block.diagonal()[1:] - block[0, 1:] ** 2 / block[0, 0] for block in self._gram.own]
        return np.stack([np.concatenate(whole), np.concatenate(left)])

    def linear(self, right: Array) -> Array:
        """Solve for the amplitudes and the base."""
        return self._amplitudes.solve(right)

    def normal(self, amplitude: Array) -> "_OfBand":
        """N for some amplitudes."""
        return _OfBand(self, amplitude)

    def damped(self, amplitude: Array, gradient: Array, damping: float, free: Mask) -> Array:
        """Damped Gauss-Newton step of the coordinates."""
        columns = self._columns
        count = columns.size - self._gram.base.shape[0]
        scale, extra, right = np.ones(count), np.zeros(count), np.zeros(columns.size)
        scale[columns.coordinates] = amplitude * free
        whole, left = self._own * (amplitude * free) ** 2
        extra[columns.coordinates] = damping * left + SINGULAR * whole
        right[columns.coordinates] = gradient * free
        step: Array = self._joint.scaled(scale).plus(extra).solve(right)[columns.coordinates]
        return step

    def product(self, amplitude: Array, step: Array, damping: float) -> Array:
        """N s."""
        columns = self._columns
        values = np.zeros(columns.size)
        values[columns.coordinates] = step * amplitude
        product = self._joint.times(values)
        values = np.zeros(columns.size)
        values[columns.linear] = self._amplitudes.solve(product[columns.linear])
        product -= self._joint.times(values)
        moved: Array = amplitude * (product[columns.coordinates] + damping * self._own[1] * step * amplitude)
        return moved


@dataclass(frozen=True, eq=False)
class _OfBand:
    """N of many columns at some amplitudes."""

    band: Banded
    amplitude: Array

    def damped(self, gradient: Array, damping: float, free: Mask | None = None) -> Array:
        """Damped Gauss-Newton step of the coordinates."""
        free = np.ones(gradient.size, dtype=bool) if free is None else free
        return self.band.damped(self.amplitude, gradient, damping, free)

    def product(self, step: Array, damping: float = 0.0) -> Array:
        """N s."""
        return self.band.product(self.amplitude, step, damping)
