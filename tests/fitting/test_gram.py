"""Blocks of JᵀJ against the whole matrix, and the banded algebra against the dense one on the same columns."""

import numpy as np
import pytest

from gcfit.chromatogram import Array
from gcfit.fitting.gram import Arrow, Gram, products, pseudo_inverse_scaled
from gcfit.fitting.normal import Banded, Columns, Dense
from gcfit.fitting.sampling import Curve

POINTS = 200
BASE = np.stack([np.ones(POINTS), np.linspace(-1, 1, POINTS), np.linspace(-1, 1, POINTS) ** 2])
SIZES = (3, 5, 2, 3, 4, 3, 3)
PLACES = ((60, 110), (0, 40), (20, 75), (100, 150), (140, 200), (150, 170), (145, 190))  # not in order of time


def columns(moved: int | None = None) -> tuple[list[Curve], list[Array]]:
    """Random columns with local support; `moved` is one that stands elsewhere."""
    random = np.random.default_rng(5)
    curves = []
    for term, ((first, last), size) in enumerate(zip(PLACES, SIZES, strict=True)):
        values = random.standard_normal((size, last - first))
        curves.append(Curve(first + 7 if term == moved else first, values))
    return curves, [curve.rows[:, : POINTS - curve.first] for curve in curves]


def gram_of(curves: list[Curve], rows: list[Array]) -> Gram:
    return products([Curve(c.first, r) for c, r in zip(curves, rows, strict=True)], rows, BASE, BASE @ BASE.T)


def jacobian(curves: list[Curve], rows: list[Array]) -> Array:
    """All columns at all points, terms one after the other and the base behind them."""
    full = [np.zeros((row.shape[0], POINTS)) for row in rows]
    for whole, curve, row in zip(full, curves, rows, strict=True):
        whole[:, curve.first : curve.first + row.shape[1]] = row
    return np.concatenate([*full, BASE])


def test_blocks_are_those_of_the_whole_matrix() -> None:
    curves, rows = columns()
    full = jacobian(curves, rows)
    np.testing.assert_allclose(gram_of(curves, rows).dense(range(len(SIZES))), full @ full.T, atol=1e-12)


def test_blocks_of_some_terms() -> None:
    curves, rows = columns()
    full = jacobian(curves, rows)
    ends = np.cumsum(SIZES)
    chosen = [k for term in (3, 5) for k in range(ends[term] - SIZES[term], ends[term])]
    chosen += range(ends[-1], ends[-1] + len(BASE))
    expected = (full @ full.T)[np.ix_(chosen, chosen)]
    np.testing.assert_allclose(gram_of(curves, rows).dense([3, 5]), expected, atol=1e-12)


@pytest.mark.parametrize("moved", range(len(SIZES)))
def test_only_what_moved_is_computed_anew(moved: int) -> None:
    before = gram_of(*columns())
    curves, rows = columns(moved)
    curves = [Curve(c.first, r) for c, r in zip(curves, rows, strict=True)]
    found = products(curves, rows, BASE, BASE @ BASE.T, before, [moved])
    expected = gram_of(curves, rows)
    np.testing.assert_array_equal(found.dense(range(len(SIZES))), expected.dense(range(len(SIZES))))
    still = next(term for term in range(len(SIZES)) if term != moved)
    assert found.own[still] is before.own[still]


@pytest.mark.parametrize("take", [None, 1])
def test_arrow_solves_and_multiplies_like_the_dense_matrix(take: int | None) -> None:
    curves, rows = columns()
    gram = gram_of(curves, rows)
    full = jacobian(curves, [row[:take] for row in rows])
    dense = full @ full.T
    arrow = Arrow.of(gram, curves, take)
    right = np.random.default_rng(1).standard_normal(len(full))
    np.testing.assert_allclose(arrow.solve(right), np.linalg.solve(dense, right), rtol=1e-9)
    np.testing.assert_allclose(arrow.times(right), dense @ right, rtol=1e-12, atol=1e-12)
    scale = np.random.default_rng(2).uniform(0.5, 2, len(full) - len(BASE))
    both = np.concatenate([scale, np.ones(len(BASE))])
    extra = np.concatenate([0.3 * scale, np.zeros(len(BASE))])
    np.testing.assert_allclose(
        arrow.scaled(scale).plus(0.3 * scale).times(right), (dense * both * both[:, None] + np.diag(extra)) @ right,
        rtol=1e-12, atol=1e-12,
    )  # fmt: skip


@pytest.mark.parametrize("algebra", [Dense, Banded])
def test_normal_matrix_is_that_of_the_coordinates_with_the_linear_columns_projected_out(algebra: type) -> None:
    curves, rows = columns()
    full = jacobian(curves, rows)
    places = Columns.of([size - 1 for size in SIZES], len(BASE))
    amplitude = np.repeat(np.linspace(0.5, 2, len(SIZES)), [size - 1 for size in SIZES])
    linear, slopes = full[places.linear], full[places.coordinates] * amplitude[:, None]
    across = np.linalg.lstsq(linear.T, slopes.T, rcond=None)[0]
    normal = (slopes - across.T @ linear) @ slopes.T
    step = np.random.default_rng(3).standard_normal(len(slopes))
    found = algebra(places, gram_of(curves, rows), curves)
    there = found.normal(amplitude)
    np.testing.assert_allclose(there.product(step), normal @ step, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(there.damped(normal @ step, 0.0), step, rtol=1e-8)
    right = full[places.linear] @ np.random.default_rng(4).standard_normal(POINTS)
    np.testing.assert_allclose(found.linear(right), np.linalg.solve(linear @ linear.T, right), rtol=1e-9)
    free = np.arange(len(step)) % 3 > 0
    held = np.zeros_like(step)
    held[free] = np.linalg.solve(normal[np.ix_(free, free)], step[free])
    np.testing.assert_allclose(there.damped(step, 0.0, free) * free, held, rtol=1e-8, atol=1e-12)


def test_a_singular_band_still_gives_a_solution() -> None:
    curves, rows = columns()
    curves, rows = [*curves, curves[0]], [*rows, rows[0]]
    gram = gram_of(curves, rows)
    full = jacobian(curves, rows)
    wanted = np.zeros(len(full))
    wanted[0] = 1.0
    found = Arrow.of(gram, curves).solve(full @ full.T @ wanted)
    np.testing.assert_allclose(full.T @ found, full.T @ wanted, atol=1e-4)


@pytest.mark.parametrize("damping", [0.1, 3.0])
@pytest.mark.parametrize("algebra", [Dense, Banded])
def test_damping_adds_to_the_diagonal(algebra: type, damping: float) -> None:
    curves, rows = columns()
    places = Columns.of([size - 1 for size in SIZES], len(BASE))
    count = places.coordinates.size
    amplitude, right = np.linspace(0.5, 2, count), np.random.default_rng(6).standard_normal(count)
    found = algebra(places, gram_of(curves, rows), curves).normal(amplitude)
    unit = np.eye(count)
    plain, damped = (np.array([found.product(row, size) for row in unit]) for size in (0.0, damping))
    extra = damped - plain
    # what is added to each diagonal element: of it or of what the term's own amplitude leaves of it, which is more
    assert (extra.diagonal() >= damping * plain.diagonal() * (1 - 1e-9)).all()
    np.testing.assert_allclose(extra, np.diag(extra.diagonal()), atol=1e-9)
    np.testing.assert_allclose(found.damped(right, damping), np.linalg.solve(damped, right), rtol=1e-8)


@pytest.mark.parametrize("matrix", [[[4.0, 4.0], [4.0, 4.0]], [[2.0, 0.0], [0.0, 0.0]], [[9.0, 3.0], [3.0, 4.0]]])
def test_a_singular_matrix_has_the_inverse_of_least_squares(matrix: list[list[float]]) -> None:
    whole = np.array(matrix)
    np.testing.assert_allclose(pseudo_inverse_scaled(whole), np.linalg.pinv(whole), atol=1e-14)
