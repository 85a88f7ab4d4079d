"""The algebra of one point of a search: what is linear, and the step of the coordinates, densely or by a band."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.gram import Arrow, Gram, Places, pseudo_inverse_scaled, solve_scaled
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


class Algebra(Protocol):
    """The linear algebra of one point. `amplitude` is that of the term of each coordinate, shape (coordinates,)."""

    def linear(self, right: Array) -> Array:
        """Solve for the amplitudes and the base, shape (linear,)."""

    def damped(self, amplitude: Array, gradient: Array, damping: float, free: Mask | None) -> Array:
        """Damped Gauss-Newton step, shape (coordinates,); coordinates that are not free stay where they are."""

    def product(self, amplitude: Array, step: Array, damping: float = 0.0) -> Array:
        """N s, shape (coordinates,), N the (damped) normal matrix of the coordinates, what is linear projected out."""


class Dense:
    """For few columns."""

    def __init__(self, columns: Columns, gram: Gram, curves: Sequence[Curve]) -> None:
        matrix, linear = gram.dense(range(len(gram.own)))[columns.linear_first], columns.linear.size
        self._inverse = pseudo_inverse_scaled(matrix[:linear, :linear])
        self._cross, self._inner = matrix[:linear, linear:], matrix[linear:, linear:]

    def linear(self, right: Array) -> Array:
        """Solve for the amplitudes and the base."""
        return self._inverse @ right

    @cached_property
    def _unit_normal(self) -> Array:
        """Normal matrix for amplitudes of one."""
        normal = self._inner - self._cross.T @ (self._inverse @ self._cross)
        normal.flat[:: normal.shape[0] + 1] += SINGULAR * self._inner.diagonal()
        return normal

    def _normal(self, amplitude: Array) -> Array:
        return self._unit_normal * amplitude * amplitude[:, None]

    def damped(self, amplitude: Array, gradient: Array, damping: float, free: Mask | None) -> Array:
        """Damped Gauss-Newton step of the coordinates."""
        normal = self._normal(amplitude)
        normal.flat[:: normal.shape[0] + 1] *= 1 + damping
        if free is None:
            return solve_scaled(normal, gradient)
        step = np.zeros_like(gradient)
        if free.any():
            step[free] = solve_scaled(normal[np.ix_(free, free)], gradient[free])
        return step

    def product(self, amplitude: Array, step: Array, damping: float = 0.0) -> Array:
        """N s."""
        scaled = step * amplitude
        product: Array = amplitude * (self._unit_normal @ scaled + damping * self._unit_normal.diagonal() * scaled)
        return product


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

    def damped(self, amplitude: Array, gradient: Array, damping: float, free: Mask | None) -> Array:
        """Damped Gauss-Newton step of the coordinates."""
        free = np.ones(gradient.size, dtype=bool) if free is None else free
        columns = self._columns
        count = columns.size - self._gram.base.shape[0]
        scale, extra, right = np.ones(count), np.zeros(count), np.zeros(columns.size)
        scale[columns.coordinates] = amplitude * free
        whole, left = self._own * (amplitude * free) ** 2
        extra[columns.coordinates] = damping * left + SINGULAR * whole
        right[columns.coordinates] = gradient * free
        step: Array = self._joint.scaled(scale).plus(extra).solve(right)[columns.coordinates]
        return step

    def product(self, amplitude: Array, step: Array, damping: float = 0.0) -> Array:
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
