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
        basis = _basis(products[count:-1, count:-1], SINGULAR)
        shares = products[:count, count:-1] @ basis
        before = inner.diagonal()
        inner, projections = inner - shares @ shares.T, projections - shares @ (products[count:-1, -1] @ basis)
        projections = np.where(inner.diagonal() > INSEPARABLE**2 * before, projections, 0.0)
        inner = np.where(inner.diagonal() > INSEPARABLE**2 * before, inner, 0.0)
    return float(np.square(projections @ _basis(inner, DEPENDENT)).sum())


def _basis(products: Array, least: float) -> Array:
    """Combinations of rows with some products that are orthonormal, shape (k, rank), from scaled eigenvectors."""
    size = np.sqrt(np.maximum(products.diagonal(), 0.0))
    size[size == 0] = 1.0
    values, vectors = np.linalg.eigh(products / size / size[:, None])
    sound = values > least * values[-1]
    basis: Array = vectors[:, sound] / np.sqrt(values[sound]) / size[:, None]
    return basis
