"""The overloaded peak: the linear law bent by a loading β (Thomas 1944; DESIGN section 3, Overload).

c = G h/(e^{-β}(1 - J) + J) with G = (1 - e^{-β})/β, h and J the impulse and step response of the linear law. A strong
loading moves the peak by several σ and narrows it, so that the law's own mean and σ are useless coordinates: the fit
searches the apex and the width of the loaded peak. The offset and the width on which the change rests are those of
the loaded Gaussian, smooth functions of β; the change is exact whatever they are.
"""

import math
from functools import cache, lru_cache

import numpy as np

from gcfit.chromatogram import Array

GREATEST = 250.0  # |β|
INVERTED = 25.0  # |β| beyond which a Fourier sum, right to 1e-16 of the apex, leaves too little of J or 1 - J
_DEGREE = 24
_HALF_NORMAL = 2 * np.sqrt(2 * np.log(2))


def loaded(impulse: Array, step: Array, loading: float, remaining: Array | None = None) -> Array:
    """Bend the linear law.

    Parameters
    ----------
    impulse, step : ndarray, shape (1 + p, m)
        h and J and their derivatives by p coordinates.
    loading : float
        β.
    remaining : ndarray, shape (m,), optional
        1 - J where it is known better than from J.

    Returns
    -------
    ndarray, shape (2 + p, m)
        c, its derivatives by the p coordinates, and by β.
    """
    decay = math.exp(-loading)
    remaining = 1 - step[0] if remaining is None else remaining
    kept = decay * remaining
    share = 1 / (kept + step[0])
    gain, log_gain_slope = _gain(loading)
    rows = np.empty((len(impulse) + 1, impulse.shape[1]))
    np.multiply(impulse, gain * share, out=rows[:-1])
    rows[1:-1] -= ((1 - decay) * share * rows[0]) * step[1:]
    np.multiply(rows[0], log_gain_slope + kept * share, out=rows[-1])
    return rows


def to_core(apex: float, log_width: float, loading: float) -> tuple[float, float]:
    """Mean [s] and logarithm of σ [s] of the linear law whose loaded peak has this apex [s] and width [ln s]."""
    offset, _, log_narrowing, _ = _shape(loading)
    log_sigma = log_width - log_narrowing
    return apex - offset * math.exp(log_sigma), log_sigma


def from_core(mean: float, log_sigma: float, loading: float) -> tuple[float, float]:
    """Apex [s] and logarithm of the width [s] of the loaded peak: the inverse of `to_core`."""
    offset, _, log_narrowing, _ = _shape(loading)
    return mean + offset * math.exp(log_sigma), log_sigma + log_narrowing


def change_coordinates(rows: Array, log_width: float, loading: float) -> Array:
    """Turn derivatives by (mean, log σ, ..., β) into those by (apex, log width, ..., β).

    Rows are c, ∂c/∂mean, ∂c/∂log σ, any others, ∂c/∂β.
    """
    offset, offset_slope, log_narrowing, log_narrowing_slope = _shape(loading)
    sigma = math.exp(log_width - log_narrowing)
    out = rows.copy()
    out[2] -= offset * sigma * rows[1]
    mean_slope = sigma * (offset * log_narrowing_slope - offset_slope)
    out[-1] += mean_slope * rows[1] - log_narrowing_slope * rows[2]
    return out


def _gain(loading: float) -> tuple[float, float]:
    """(1 - e^{-β})/β and the derivative of its logarithm."""
    if abs(loading) < 1e-3:
        return 1 - loading / 2 + loading**2 / 6, -0.5 + loading / 12
    rise = -np.expm1(-loading)
    return float(rise / loading), float(np.exp(-loading) / rise - 1 / loading)


@lru_cache(maxsize=64)
def _shape(loading: float) -> tuple[float, float, float, float]:
    """Offset of the apex [σ], its slope by β, logarithm of the width over σ, its slope by β.

    Beyond `INVERTED` they go on with the root of β and with its logarithm, off by 0.43 σ and 16 % at most.
    """
    offset, offset_slope, width, width_slope = _series()
    common = min(max(loading, -INVERTED), INVERTED)
    x = common / INVERTED
    offset_now, width_now = _horner(offset, x), _horner(width, x)
    by_offset, by_width = _horner(offset_slope, x) / INVERTED, _horner(width_slope, x) / INVERTED
    if loading == common:
        return offset_now, by_offset, width_now, by_width
    ratio = loading / common
    offset_now += 2 * common * (math.sqrt(ratio) - 1) * by_offset
    width_now += common * math.log(ratio) * by_width
    return offset_now, by_offset / math.sqrt(ratio), width_now, by_width / ratio


def _horner(coefficients: tuple[float, ...], x: float) -> float:
    """Polynomial with its highest coefficient first; plain floats are quicker here than arrays of one."""
    value = 0.0
    for coefficient in coefficients:
        value = value * x + coefficient
    return value


@cache
def _series() -> tuple[tuple[float, ...], ...]:
    """Polynomials in β/25, highest power first: apex offset, log relative width of the loaded Gaussian, and slopes."""
    from numpy.polynomial import chebyshev, polynomial

    nodes = np.cos(np.pi * (np.arange(2 * _DEGREE) + 0.5) / (2 * _DEGREE))
    shapes = np.array([_loaded_gaussian(INVERTED * x) for x in nodes])
    powers = [chebyshev.cheb2poly(chebyshev.chebfit(nodes, shapes[:, column], _DEGREE)) for column in (0, 1)]
    series = [powers[0], polynomial.polyder(powers[0]), powers[1], polynomial.polyder(powers[1])]
    return tuple(tuple(float(c) for c in one[::-1]) for one in series)


def _loaded_gaussian(loading: float) -> tuple[float, float]:
    """Apex [σ] and logarithm of half-height width/(2.355 σ) of the Gaussian law under a loading."""
    x = np.linspace(-10, 10, 4001)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    below = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1]) * (x[1] - x[0]) / 2])
    above = np.concatenate([np.cumsum((density[1:] + density[:-1])[::-1])[::-1] * (x[1] - x[0]) / 2, [0.0]])
    curve = density / (np.exp(-loading) * above + below)
    top = int(np.argmax(curve))
    half = np.flatnonzero(curve >= curve[top] / 2)
    left = _crossing(x, curve, int(half[0]), -1, curve[top] / 2)
    right = _crossing(x, curve, int(half[-1]), 1, curve[top] / 2)
    bend = curve[top - 1] - 2 * curve[top] + curve[top + 1]
    apex = x[top] + (x[1] - x[0]) * 0.5 * (curve[top - 1] - curve[top + 1]) / bend
    return float(apex), float(np.log((right - left) / _HALF_NORMAL))


def _crossing(x: Array, y: Array, inside: int, direction: int, level: float) -> float:
    outside = inside + direction
    share = (y[inside] - level) / (y[inside] - y[outside])
    return float(x[inside] + share * (x[outside] - x[inside]))
