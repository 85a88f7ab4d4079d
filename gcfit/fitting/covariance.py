"""Covariance of the columns of a solved window, for noise that is white or correlated."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.gram import inverse_scaled
from gcfit.fitting.terms import Solution

FREE = 4  # peaks on either side that are free when the covariance of one is taken


def covariance(solution: Solution, terms: Sequence[int], acf: Array | None = None) -> Array | None:
    """Covariance, for noise of unit variance, of the columns of some terms and the base.

    Parameters
    ----------
    solution : Solution
    terms : sequence of int
        Terms that are taken as free; the others stand. All terms that overlap with the one of interest, and those
        that overlap with these, give its covariance to many digits.
    acf : ndarray, shape (lags,), optional
        Autocorrelation of the noise from lag 0; white noise without it.

    Returns
    -------
    ndarray or None
        Rows of the terms in turn, amplitude and coordinates of each, then of the base;
        None where the data do not determine the
        columns.
    """
    inverse = _white(solution, tuple(terms))
    if inverse is None or acf is None:
        return inverse
    inner = _correlated_gram(solution, terms, acf)
    result: Array = inverse @ inner @ inverse
    # an autocorrelation that is cut short, as that of a hum, may be none; no noise of it scatters by more than this
    return result if (result.diagonal() > 0).all() else inverse * float(2 * np.abs(acf).sum() - acf[0])


def around(place: int, count: int) -> range:
    """Return the terms that are free when the covariance of one of so many is taken."""
    return range(max(place - FREE, 0), min(place + FREE + 1, count))


def _white(solution: Solution, terms: tuple[int, ...]) -> Array | None:
    """(JᵀJ)⁻¹ of some terms and the base, computed once."""
    if terms not in solution.inverses:
        sizes = [(float(solution.amplitudes[term]), solution.coordinates[term].size) for term in terms]
        scale = np.array([one for size, count in sizes for one in (1.0, *[size] * count)] + [1.0] * len(solution.base))
        solution.inverses[terms] = inverse_scaled(solution.gram.dense(terms) * scale * scale[:, None])
    return solution.inverses[terms]


def _correlated_gram(solution: Solution, terms: Sequence[int], acf: Array) -> Array:
    """Jᵀ R J of some terms and the base, R the autocorrelation of the noise; the base is smooth against its reach."""
    begin = min((solution.curves[term].first for term in terms), default=0)
    end = max((solution.curves[term].last for term in terms), default=0)
    ends = np.cumsum([0, *(solution.size(term) for term in terms)]).tolist()
    full = np.zeros((ends[-1], end - begin))
    spread = np.zeros_like(full)
    kernel = np.concatenate([acf[:0:-1], acf])
    for (low, high), term in zip(pairwise(ends), terms, strict=True):
        points = slice(solution.curves[term].first - begin, solution.curves[term].last - begin)
        full[low:high, points] = rows = solution.jacobian(term)
        for k, row in enumerate(rows, low):
            spread[k, points] = np.convolve(row, kernel)[acf.size - 1 : acf.size - 1 + row.size]
    across = spread @ solution.base[:, begin:end].T
    inflation = 2 * acf.sum() - acf[0]
    out: Array = np.block([[spread @ full.T, across], [across.T, inflation * (solution.base @ solution.base.T)]])
    return (out + out.T) / 2
