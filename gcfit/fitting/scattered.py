"""Fourier sums at scattered times: from a uniform grid by a compact kernel, in place of a matrix of waves.

The nonuniform FFT of its second type (Dutt and Rokhlin 1993) with the kernel exp(β(√(1 - x²) - 1)) of Barnett, Magland
and af Klinteberg (2019): the sum is made on a grid of twice as many points as its waves need, of coefficients divided
by the transform of the kernel, and each time takes the points within half the kernel's width.
"""

from functools import lru_cache

import numpy as np

from gcfit.chromatogram import Array
from gcfit.column.laplace import Complex, frequencies

WIDTH = 14  # grid points under the kernel, for an error below 1e-13 of the largest value
SHARPNESS = 2.3 * WIDTH  # β, for a grid twice as fine as need be
NODES = 40  # of the quadrature of the kernel's transform
MANY = 20_000  # waves times points, from which the kernel is quicker than a matrix


def synthesised(spectrum: Complex, period: float, delay: Array) -> Array:
    """Functions at scattered delays from the begin of a period, from their transforms.

    Parameters
    ----------
    spectrum : ndarray, shape (r, K + 1)
        Transforms at s = 2πik/T.
    period : float
        T [s].
    delay : ndarray, shape (m,)
        Delays [s], from 0 to T.

    Returns
    -------
    ndarray, shape (r, m)
    """
    if spectrum.shape[-1] * delay.size < MANY:
        return _by_matrix(spectrum, period, delay)
    # slow to import, and needed here alone
    from scipy.sparse import csr_array

    length = 4 << spectrum.shape[-1].bit_length()
    values = np.fft.irfft(spectrum / _kernel_transform(length)[: spectrum.shape[-1]], length) * (length / period)
    at = delay * (length / period)
    places = np.ceil(at - WIDTH / 2).astype(np.intp)[:, None] + np.arange(WIDTH)
    weights = _kernel((places - at[:, None]) / (WIDTH / 2))
    rows = np.arange(0, weights.size + 1, WIDTH)
    taken = csr_array((weights.ravel(), (places % length).ravel(), rows), shape=(delay.size, length))
    found: Array = (taken @ values.T).T
    return found


def _by_matrix(spectrum: Complex, period: float, delay: Array) -> Array:
    waves = np.exp(np.multiply.outer(frequencies(period, spectrum.shape[-1] - 1), delay))
    halved = spectrum.copy()
    halved[:, 0] /= 2
    rows: Array = (halved @ waves).real * (2 / period)
    return rows


def _kernel(x: Array) -> Array:
    """The kernel at x between -1 and 1, its half width."""
    return np.exp(SHARPNESS * (np.sqrt(np.maximum(1 - x * x, 0.0)) - 1))


@lru_cache(maxsize=16)
def _kernel_transform(length: int) -> Array:
    """Transform of the kernel at the lower half of the frequencies of a grid, for steps of one, shape (length/4,)."""
    x, weights = np.polynomial.legendre.leggauss(NODES)
    phase = np.multiply.outer(np.arange(length // 4) * (np.pi * WIDTH / length), x)
    transform: Array = WIDTH / 2 * (np.cos(phase) @ (weights * _kernel(x)))
    transform.flags.writeable = False
    return transform
