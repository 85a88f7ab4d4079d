"""Which peak of one table is which peak of another."""

import numpy as np

from gcfit.chromatogram import Array


def nearest_pairs(first: Array, second: Array, reach: Array) -> dict[int, int]:
    """Pair places in time, the nearest first, each with one partner at most.

    Parameters
    ----------
    first, second : ndarray, shapes (m,) and (n,)
        Times [s]; NaN has no partner.
    reach : ndarray, shape (m,)
        Greatest distance of a partner from each of the first [s].

    Returns
    -------
    dict of int to int
        Places in `second` by places in `first`.
    """
    distance = np.abs(first[:, None] - second)
    near = np.argwhere(distance <= reach[:, None])
    partners: dict[int, int] = {}
    taken: set[int] = set()
    for one, other in near[np.argsort(distance[tuple(near.T)], kind="stable")].tolist():
        if one not in partners and other not in taken:
            partners[one] = other
            taken.add(other)
    return partners
