"""The laws again, written for the tests alone: plain formulas in θ, and 40-digit sums over whole numbers of stays."""

import mpmath
import numpy as np
from scipy.special import ive

from gcfit.chromatogram import Array

DIGITS = 40


def impulse(delay: Array, n: float, rate: float) -> Array:
    """h(θ) with the scaled Bessel function of order 1; zero for θ <= 0."""
    out = np.zeros_like(delay)
    x = rate * delay[delay > 0]
    out[delay > 0] = rate * np.sqrt(n / x) * ive(1, 2 * np.sqrt(n * x)) * np.exp(-((np.sqrt(n) - np.sqrt(x)) ** 2))
    return out


def moments_of(time: Array, curve: Array, weights: Array) -> tuple[float, float, float, float]:
    """Area, mean, variance and third central moment by a quadrature with the given weights."""
    area = float(weights @ curve)
    mean = float(weights @ (time * curve)) / area
    second, third = (float(weights @ ((time - mean) ** k * curve)) / area for k in (2, 3))
    return area, mean, second, third


def mixture(delay: float | mpmath.mpf, n: float, rate: float) -> tuple[mpmath.mpf, mpmath.mpf]:
    """h and 1 - J with 40 digits: m stays with probability Poisson(m; n), together Gamma(m)-distributed.

    h = Σ_m Poisson(m; n) k_d Poisson(m - 1; k_d θ) and 1 - J = Σ_m Poisson(m; n) Σ_{j < m} Poisson(j; k_d θ).
    """
    with mpmath.workdps(DIGITS):
        n, rate, y = mpmath.mpf(n), mpmath.mpf(rate), mpmath.mpf(rate) * mpmath.mpf(delay)
        stays, served, passed = mpmath.exp(-n), mpmath.exp(-y), mpmath.mpf(0)
        density, remaining = mpmath.mpf(0), mpmath.mpf(0)
        for m in range(1, int(max(n, y) + 30 * mpmath.sqrt(max(n, y)) + 200)):
            stays *= n / m
            density += stays * rate * served
            passed += served
            remaining += stays * passed
            served *= y / m
        return density, remaining
