"""Scores (Rao 1948): what the residual of a solved window holds along directions in which it could be described."""

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.states import State, WindowData

INSEPARABLE = 1e-3  # of its size; a direction of which less is left beside fitted columns says nothing
SINGULAR = 1e-12  # eigenvalue of the products of unit columns, of the largest; below it they are one too many
DEPENDENT = 1e-9  # the same for directions


def score(
    data: WindowData, state: State, directions: Array, points: slice = slice(None), beside: Array | None = None
) -> float:
    """Sum of squared projections of the scaled residual on an orthonormal basis of directions over some points.

    Parameters
    ----------
    directions : ndarray, shape (k, n)
    points : slice
        Points of the window at which they stand.
    beside : ndarray, shape (c, n), optional
        Columns that are fitted already: their part in the directions is taken out first; nothing is left of a
        direction that lies within them.
    """
    if data.weights is not None:
        directions = directions * data.weights[points]
    parts = [directions] if beside is None else [directions, beside]
    rows = np.concatenate([*parts, state.scaled[None, points]])
    products, count = rows @ rows.T, len(directions)
    inner, projections = products[:count, :count], products[:count, -1]
    if beside is not None:
        before, across = inner.diagonal(), products[:count, count:-1]
        taken = across @ _inverse(products[count:-1, count:-1], SINGULAR)
        inner, projections = inner - taken @ across.T, projections - taken @ products[count:-1, -1]
        apart = inner.diagonal() > INSEPARABLE**2 * before
        if not apart.all():
            inner, projections = np.where(apart, inner, 0.0), np.where(apart, projections, 0.0)
    return float(projections @ _inverse(inner, DEPENDENT) @ projections)


def base_score(data: WindowData, state: State, order: int) -> float:
    """The same for the columns of a baseline of that order."""
    columns, factor = data.base(order), data.base_factor(order)
    if data.weights is not None or factor is None:
        return score(data, state, columns)
    projections = factor @ (columns @ state.scaled)
    return float(projections @ projections)


def _inverse(products: Array, least: float) -> Array:
    """Inverse of the products of some rows, that of their sound combinations where some are one too many.

    Sound are those whose eigenvalue, of the products of unit rows, is above `least` of the largest.
    """
    size = np.sqrt(np.maximum(products.diagonal(), 0.0))
    if not size.all():
        size[size == 0] = 1.0
    outer: Array = size * size[:, None]
    unit = products / outer
    try:
        inverse = np.linalg.inv(unit)
    except np.linalg.LinAlgError:
        inverse = _sound_inverse(unit, least)
    # the trace bounds the largest eigenvalue of the inverse, the number of rows that of the products
    if not 0 < inverse.trace() * len(unit) < 1 / least:
        inverse = _sound_inverse(unit, least)
    return np.asarray(inverse / outer)


def _sound_inverse(unit: Array, least: float) -> Array:
    """Inverse within the eigenvectors whose eigenvalues are above `least` of the largest."""
    values, vectors = np.linalg.eigh(unit)
    sound = values > least * values[-1]
    return np.asarray((vectors[:, sound] / values[sound]) @ vectors[:, sound].T)
