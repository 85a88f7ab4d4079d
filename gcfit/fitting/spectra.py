"""Transforms of the kinetic pair and their derivatives, for one peak or many."""

from collections.abc import Sequence

import numpy as np

from gcfit.chromatogram import Array
from gcfit.column.laplace import Complex


def pair_spectra(s: Complex, delay: Array, sigma: Array, begin: Array) -> Complex:
    """ĉ of kinetic pairs and its derivatives by retention and log σ, shape (3, *s.shape); time from `begin`.

    Delay after the hold-up time, σ and begin [s] of the peaks broadcast with s.
    """
    exponent, *slopes = pair(s, delay, sigma)
    return with_slopes(exponent + s * begin, slopes)


def pair(s: Complex, delay: Array | float, sigma: Array | float) -> tuple[Complex, Complex, Complex]:
    """Logarithm of ĉ of the pair, -d s/(1 + s τ) with τ = 1/k_d = σ²/(2 d), and its derivatives."""
    share = 1 / (1 + s * (sigma**2 / (2 * delay)))
    spent = s * share
    return -delay * spent, spent * (share - 2), (sigma * spent) ** 2


def with_slopes(exponent: Complex, slopes: Sequence[Complex]) -> Complex:
    """A function from its logarithm, and its derivatives from those of that, one behind the other."""
    rows = np.empty((1 + len(slopes), *exponent.shape), dtype=np.complex128)
    np.exp(exponent, out=rows[0])
    for row, slope in zip(rows[1:], slopes, strict=True):
        np.multiply(rows[0], slope, out=row)
    return rows
