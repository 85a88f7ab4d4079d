"""The column in the Laplace domain: transfer functions, moments, and their inversion by a Fourier sum.

Diffusion-free and linear, the outlet is ĉ(s) = A I(s) exp(-s t_M - n s/(s + k_d)) for velocity constant or variable
(DESIGN section 3). A factor is the logarithm of a transfer function of unit area; factors of one peak add. Each
function of a factor returns its value and its derivatives by its parameters, so that any product of factors is
inverted together with its exact Jacobian.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.errors import SolverError

Complex = NDArray[np.complex128]
LOG_EPSILON = 37.0  # a term of e^{-37} is lost in double precision
TAIL_STANDARD = 6.2  # (√n - √y)² = 38.4 at the ends of the window that holds a peak
MOST_TERMS = 10**7
MOST_WAVES = 10**8  # terms times points of one sum: some seconds
SHORTER = "tail or injection are too long, or times too many, for a peak so narrow"
AT_ONCE = 10**7  # of these; 160 MB
LEAST_N = 37.5  # below, the unretained spike e^{-n} rings in a Fourier sum


@dataclass(frozen=True)
class Law:
    """Parameters of one unit-area peak.

    Parameters
    ----------
    hold_up : float
        t_M [s].
    n, desorption_rate : float
        Mean number of adsorptions and k_d [1/s] of the kinetic pair.
    site_n, site_desorption_rate : float
        The same for a second, rare kind of site; `site_n` 0 for none.
    tail : float
        Time constant of an exponential tail [s], 0 for none.
    duration : float
        Duration of a rectangular injection [s], 0 for a pulse.
    """

    hold_up: float
    n: float
    desorption_rate: float
    site_n: float = 0.0
    site_desorption_rate: float = 1.0
    tail: float = 0.0
    duration: float = 0.0


@dataclass(frozen=True)
class Moments:
    """Mean [s], variance [s²] and third central moment [s³] of a peak."""

    mean: float
    variance: float
    third: float

    @property
    def plates(self) -> float:
        """N = mean²/variance."""
        return self.mean**2 / self.variance


def sorption(s: Complex, n: float, desorption_rate: float) -> tuple[Complex, Complex, Complex]:
    """Logarithm of exp(-n s/(s + k_d)) and its derivatives by n and k_d; a pair or a second kind of site."""
    ratio = s / (s + desorption_rate)
    return -n * ratio, -ratio, n * ratio / (s + desorption_rate)


def exponential_tail(s: Complex, tail: float) -> tuple[Complex, Complex]:
    """Logarithm of 1/(1 + s τ) and its derivative by τ."""
    factor = 1 + s * tail
    return -np.log(factor), -s / factor


def gaussian(s: Complex, sigma: float) -> tuple[Complex, Complex]:
    """Logarithm of exp(s² σ²/2) and its derivative by σ."""
    return (s * sigma) ** 2 / 2, s**2 * sigma


def rectangle(s: Complex, duration: float) -> Complex:
    """Transform (1 - e^{-s t1})/(s t1) of a rectangular injection; a value, not a logarithm: it has zeros."""
    z = s * duration
    small = np.abs(z) < 1e-4
    safe = np.where(small, 1, z)
    # expm1 of a complex argument keeps the small difference; the series joins it at 1e-17
    value: Complex = np.where(small, 1 - z / 2 + z**2 / 6 - z**3 / 24, -np.expm1(-safe) / safe)
    return value


def rectangle_on_axis(frequency: Array, duration: float | Array) -> Complex:
    """`rectangle` at s = iω, for ω from 0 on [1/s]: e^{-iω t1/2} sin(ω t1/2)/(ω t1/2), quicker in real numbers."""
    half = frequency * (duration / 2)
    sine = np.sin(half)
    size = np.divide(sine, half, out=np.ones_like(half), where=half != 0)
    value = np.empty(half.shape, dtype=np.complex128)
    value.real = np.cos(half) * size
    value.imag = -sine * size
    return value


def dispersed(s: Complex, hold_up: float, n: float, desorption_rate: float, inverse_peclet: float) -> Complex:
    """Logarithm of the transfer function with axial diffusion at constant velocity, between the column's two ends.

    With φ = s t_M + n s/(s + k_d), ε = D/(u0 L) and a = sqrt(1 + 4 φ ε) it is
    -2φ/(1 + a) + ln(4a/((1 + a)² - (1 - a)² e^{-a/ε})); -φ for ε = 0. The first term is a column without end; the
    second the boundaries u c - D ∂c/∂x = u c_0 at the inlet and ∂c/∂x = 0 at the outlet (Danckwerts 1953). The mean is
    μ = t_M + n/k_d, the variance 2n/k_d² + 2ε μ² (1 - ε (1 - e^{-1/ε})).
    """
    phi = s * hold_up + n * s / (s + desorption_rate)
    if not inverse_peclet:
        return -phi
    a = np.sqrt(1 + 4 * phi * inverse_peclet)
    ends = 4 * a / ((1 + a) ** 2 - (1 - a) ** 2 * np.exp(-a / inverse_peclet))
    value: Complex = -2 * phi / (1 + a) + np.log(ends)
    return value


def diffusion_reach(mean: float, variance: float) -> float:
    """Time [s] after the mean [s] until a peak that diffusion alone spreads, by `variance` [s²], has fallen to e^{-37}.

    Solves (t - μ)² μ/(2 v t) = 37, the exponent of the inverse Gaussian law; before the mean it falls faster.
    """
    share = 2 * LOG_EPSILON * variance / mean**2
    return float(mean * (share + np.sqrt(share**2 + 4 * share)) / 2)


def transform(s: Complex, law: Law) -> Complex:
    """ĉ(s) of a unit-area peak at complex s [1/s], any shape."""
    exponent = -s * law.hold_up + sorption(s, law.n, law.desorption_rate)[0]
    if law.site_n:
        exponent = exponent + sorption(s, law.site_n, law.site_desorption_rate)[0]
    if law.tail:
        exponent = exponent + exponential_tail(s, law.tail)[0]
    value: Complex = np.exp(exponent)
    return value * rectangle(s, law.duration) if law.duration else value


def transform_jacobian(s: Complex, law: Law) -> Complex:
    """Rows ∂ĉ/∂(n, k_d, site n, site k_d, tail), shape (5, *s.shape): ĉ ∂ln ĉ/∂p."""
    rows = (
        *sorption(s, law.n, law.desorption_rate)[1:],
        *sorption(s, law.site_n, law.site_desorption_rate)[1:],
        exponential_tail(s, law.tail)[1],
    )
    value: Complex = transform(s, law) * np.stack(rows)
    return value


def moments(law: Law) -> Moments:
    """Mean, variance and third central moment of a peak: those of its factors add (DESIGN section 3)."""
    k, site_k = law.desorption_rate, law.site_desorption_rate
    return Moments(
        mean=law.hold_up + law.n / k + law.site_n / site_k + law.tail + law.duration / 2,
        variance=2 * law.n / k**2 + 2 * law.site_n / site_k**2 + law.tail**2 + law.duration**2 / 12,
        third=6 * law.n / k**3 + 6 * law.site_n / site_k**3 + 2 * law.tail**3,
    )


def law_from_moments(hold_up: float, mean: float, variance: float) -> Law:
    """The kinetic pair with this mean [s] and variance [s²]: k_d = 2(mean - t_M)/variance, n = k_d (mean - t_M).

    Raises
    ------
    SolverError
        If the mean is not after the hold-up time or the variance is not positive.
    """
    delay = mean - hold_up
    if not (delay > 0 and variance > 0):
        raise SolverError(f"no kinetic pair has mean {mean:g} s and variance {variance:g} s² at hold-up {hold_up:g} s")
    rate = 2 * delay / variance
    return Law(hold_up, rate * delay, rate)


def window(law: Law) -> tuple[float, float]:
    """First and last time [s] between which the whole peak lies, to e^{-38} of its apex scale."""
    low, high = _spread(law.n, law.desorption_rate)
    late = high + LOG_EPSILON * law.tail + law.duration
    if law.site_n:
        late += _spread(law.site_n, law.site_desorption_rate)[1]
    return law.hold_up + low, law.hold_up + late


def terms(law: Law, period: float) -> int:
    """Number of frequencies after which |ĉ| is below e^{-37}: n ω²/(ω² + k_d²) = 37.

    Raises
    ------
    SolverError
        If n is below 37.5: the spike e^{-n} never decays, use the closed form.
    """
    if law.n < LEAST_N:
        raise SolverError(f"n = {law.n:g} is below {LEAST_N}: the Fourier sum would ring, use the closed form")
    highest = law.desorption_rate * np.sqrt(LOG_EPSILON / (law.n - LOG_EPSILON))
    return int(np.ceil(highest * period / (2 * np.pi))) + 1


def frequencies(period: float, count: int) -> Complex:
    """iω_k = 2πik/T for k = 0 ... count, shape (count + 1,) [1/s]; raises `SolverError` beyond `MOST_TERMS`."""
    if count > MOST_TERMS:
        raise SolverError(f"a Fourier sum of {count:.3g} terms; the limit is {MOST_TERMS:g}: {SHORTER}")
    s = np.zeros(count + 1, dtype=np.complex128)
    np.multiply(np.arange(count + 1), 2 * np.pi / period, out=s.imag)
    return s


def invert(transforms: Callable[[Complex], Complex], time: Array, start: float, period: float, count: int) -> Array:
    """Real functions of time whose transforms are given, by the Fourier sum on [start, start + period].

    c(t) = (1/T) Re[ĉ(0) + 2 Σ_k ĉ(iω_k) e^{iω_k t}], ω_k = 2πk/T: spectral accuracy when the period holds the whole
    function and `count` terms hold its spectrum.

    Parameters
    ----------
    transforms : callable
        Maps s, shape (count + 1,), to values of shape (..., count + 1).
    time : ndarray, shape (m,)
        Times within the period [s].
    start, period : float
        Begin and length of the period [s].
    count : int
        Number of frequencies above zero.

    Returns
    -------
    ndarray, shape (..., m)

    Raises
    ------
    SolverError
        If terms times points are more than `MOST_WAVES`, or the terms alone more than `MOST_TERMS`.
    """
    if count * time.size > MOST_WAVES:
        found = f"a Fourier sum of {count:.3g} terms at {time.size} times; the limit is {MOST_WAVES:g} of both together"
        raise SolverError(f"{found}: {SHORTER}")
    # the phase is taken from `start`: e^{iω(t - start)} keeps its digits where t is large
    s = frequencies(period, count)
    values: Complex = transforms(s) * np.exp(s * start)
    values = np.concatenate([values[..., :1] / 2, values[..., 1:]], axis=-1)
    pieces = np.array_split(time - start, max(1, -(-s.size * time.size // AT_ONCE)))
    sums = [(values @ np.exp(np.multiply.outer(s, piece))).real for piece in pieces]
    result: Array = 2 / period * np.concatenate(sums, axis=-1)
    return result


def outlet(time: Array, law: Law) -> Array:
    """Unit-area peak at times [s], shape (m,), by the Fourier sum; zero outside `window`.

    Accuracy 1e-12 of the apex for n >= 50 and plate numbers to 1e6.

    Raises
    ------
    SolverError
        If n is below 37.5, or the sum is longer than `MOST_WAVES`.
    """
    return _within_window(lambda s: transform(s, law), time, law)


def outlet_jacobian(time: Array, law: Law) -> Array:
    """Rows ∂c/∂(n, k_d, site n, site k_d, tail) of a unit-area peak at times [s], shape (5, m); as `outlet`."""
    return _within_window(lambda s: transform_jacobian(s, law), time, law)


def _within_window(transforms: Callable[[Complex], Complex], time: Array, law: Law) -> Array:
    start, end = window(law)
    inside = (time >= start) & (time <= end)
    values = invert(transforms, time[inside], start, end - start, terms(law, end - start))
    out = np.zeros((*values.shape[:-1], time.size))
    out[..., inside] = values
    return out


def _spread(n: float, rate: float) -> tuple[float, float]:
    """Delays [s] between which the sorption law lies, where (√n - √(k_d θ))² = 38."""
    root = np.sqrt(n)
    return max(root - TAIL_STANDARD, 0.0) ** 2 / rate, (root + TAIL_STANDARD) ** 2 / rate
