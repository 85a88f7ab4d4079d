"""The linear sorption law and its overloaded form in closed form (Giddings and Eyring 1955; Thomas 1944).

Diffusion-free column with first-order kinetics, θ = t - t_M the time spent adsorbed, n = α k_a t_M the mean number of
adsorptions. The linear law is exact for velocity constant or variable: only t_M and n carry the column. The overloaded
form is exact for a pulse at constant velocity; where the gas expands its loading falls along the column.
All functions return zero for θ <= 0, except where the law itself says otherwise.
"""

from collections.abc import Callable

import numpy as np

from gcfit.chromatogram import Array

FARTHEST = 17.0  # |√(k_d θ) - √n| beyond which e^{-289} is left
WIDE_PANEL, NARROW_PANEL = 0.5, 1 / 16  # σ; widths of the panels of a quadrature
MANY_NODES, FEW_NODES = 16, 6  # that keep all digits in wide and in narrow panels, also 24 σ before the mean


def impulse(time: Array, hold_up: float, n: float, desorption_rate: float) -> Array:
    """Impulse response h(θ), without the unretained spike e^{-n} δ(θ).

    Parameters
    ----------
    time : ndarray, any shape
        Times [s].
    hold_up : float
        t_M [s].
    n : float
        Mean number of adsorptions, above 0.
    desorption_rate : float
        k_d [1/s], above 0.

    Returns
    -------
    ndarray
        h [1/s] = sqrt(n k_d/θ) exp(-(√n - √(k_d θ))²) i1e(2√(n k_d θ)); its integral is 1 - e^{-n}.
    """

    # slow to import, and not needed where all peaks are inverted by a Fourier sum
    from scipy.special import i1e

    def law(delay: Array) -> Array:
        y = desorption_rate * delay
        value: Array = np.sqrt(n * desorption_rate / delay) * _decay(n, y) * i1e(2 * np.sqrt(n * y))
        return value

    return _where_positive(time - hold_up, law)


def impulse_jacobian(time: Array, hold_up: float, n: float, desorption_rate: float) -> tuple[Array, Array, Array]:
    """h, ∂h/∂n and ∂h/∂k_d at `time`; parameters as in `impulse`.

    From d/dz (z I1) = z I0: ∂h/∂n = k_d g - h and ∂h/∂k_d = n g - θ h with g = e^{-n - k_d θ} I0(2√(n k_d θ)).
    """
    from scipy.special import i0e

    value = impulse(time, hold_up, n, desorption_rate)

    def zeroth(delay: Array) -> Array:
        y = desorption_rate * delay
        bessel: Array = _decay(n, y) * i0e(2 * np.sqrt(n * y))
        return bessel

    g = _where_positive(time - hold_up, zeroth)
    delay = time - hold_up
    return value, desorption_rate * g - value, n * g - delay * value


def steps(time: Array, hold_up: float, n: float, desorption_rate: float) -> tuple[Array, Array]:
    """J and 1 - J at many increasing times, shape (m,), by Gauss-Legendre quadrature of h between them.

    Each is summed from its own end, so that both keep their relative accuracy; quicker than `step` and
    `step_complement`. Parameters as in `impulse`.
    """
    sigma = np.sqrt(2 * n) / desorption_rate
    delay = np.maximum(time - hold_up, 0.0)
    near, far = (max(np.sqrt(n) + reach, 0.0) ** 2 / desorption_rate for reach in (-FARTHEST, FARTHEST))
    panels = np.linspace(near, far, int((far - near) / (WIDE_PANEL * sigma)) + 2)
    edges = np.unique(np.concatenate([[0.0], panels, delay]))
    gaps = np.diff(edges)
    parts = np.empty_like(gaps)
    for nodes, which in ((FEW_NODES, gaps <= NARROW_PANEL * sigma), (MANY_NODES, gaps > NARROW_PANEL * sigma)):
        at, weights = np.polynomial.legendre.leggauss(nodes)
        inner = edges[:-1][which, None] + gaps[which, None] * (at + 1) / 2
        parts[which] = impulse(inner, 0.0, n, desorption_rate) @ weights * gaps[which] / 2
    eluted = np.exp(-n) + np.concatenate([[0.0], np.cumsum(parts)])
    remaining = np.concatenate([np.cumsum(parts[::-1])[::-1], [0.0]])
    places = np.searchsorted(edges, delay)
    before = time <= hold_up
    return np.where(before, 0.0, eluted[places]), np.where(before, 1.0, remaining[places])


def step(time: Array, hold_up: float, n: float, desorption_rate: float) -> Array:
    """Step response J(n, k_d θ), the fraction eluted at `time`, spike included; parameters as in `impulse`.

    1 - J = P[χ'²(2 d.o.f., noncentrality 2 k_d θ) <= 2n], evaluated by its survival function: the lower tail keeps
    its relative accuracy.
    """
    from scipy.stats import ncx2

    return _where_positive(time - hold_up, lambda delay: ncx2.sf(2 * n, 2, 2 * desorption_rate * delay))


def step_complement(time: Array, hold_up: float, n: float, desorption_rate: float) -> Array:
    """1 - J, the fraction still in the column, accurate in the upper tail; one for θ <= 0."""
    from scipy.stats import ncx2

    delay = time - hold_up
    inside = _where_positive(delay, lambda positive: ncx2.cdf(2 * n, 2, 2 * desorption_rate * positive))
    return np.where(delay > 0, inside, 1.0)


def rectangle(time: Array, hold_up: float, n: float, desorption_rate: float, duration: float) -> Array:
    """Unit-area response to a rectangular injection of `duration` [s]: (J(θ) - J(θ - t1))/t1.

    The difference is taken between the smaller of J and 1 - J, so that neither tail cancels; for an injection much
    shorter than the peak, whose two J are nearly the same, the impulse response is integrated over it.
    """
    if duration <= NARROW_PANEL * np.sqrt(2 * n) / desorption_rate:
        return _short_rectangle(time - hold_up, n, desorption_rate, duration)
    early = step(time, hold_up, n, desorption_rate), step(time - duration, hold_up, n, desorption_rate)
    late = (
        step_complement(time - duration, hold_up, n, desorption_rate),
        step_complement(time, hold_up, n, desorption_rate),
    )
    difference: Array = np.where(early[0] < 0.5, early[0] - early[1], late[0] - late[1])
    return difference / duration


def overloaded(time: Array, hold_up: float, n: float, desorption_rate: float, loading: float) -> Array:
    """Unit-area impulse response of the nonlinear law with `loading` β (Thomas 1944; Wade, Bergold and Carr 1987).

    At constant velocity β = k_a ∫c dt/q_max of the pulse. At variable velocity ∫c dt falls from the inlet to the outlet
    by û = u(L)/u0, and no β is exact.

    (1 - e^{-β})/β · h/(e^{-β} + (1 - e^{-β}) J), written with 1 - J so that no term cancels: β > 0 tails (Langmuir),
    β < 0 fronts (anti-Langmuir), β = 0 is `impulse`.
    """
    value = impulse(time, hold_up, n, desorption_rate)
    if loading == 0:
        return value
    remaining = step_complement(time, hold_up, n, desorption_rate)
    eluted = step(time, hold_up, n, desorption_rate)
    result: Array = -np.expm1(-loading) / loading * value / (np.exp(-loading) * remaining + eluted)
    return result


def _short_rectangle(delay: Array, n: float, desorption_rate: float, duration: float) -> Array:
    """Mean over the injection of h, by Gauss-Legendre nodes, and of the unretained spike."""
    nodes, weights = np.polynomial.legendre.leggauss(FEW_NODES)
    part = np.clip(delay, 0.0, duration) / 2
    inner = delay[..., None] - part[..., None] * (nodes + 1)
    smooth = impulse(inner, 0.0, n, desorption_rate) @ weights * part
    spike = np.where((delay > 0) & (delay <= duration), np.exp(-n), 0.0)
    result: Array = (smooth + spike) / duration
    return result


def _decay(n: float, y: Array) -> Array:
    """exp(-(√n - √y)²), the difference of the roots written without cancellation."""
    value: Array = np.exp(-(((n - y) / (np.sqrt(n) + np.sqrt(y))) ** 2))
    return value


def _where_positive(delay: Array, law: Callable[[Array], Array]) -> Array:
    """`law` where `delay` is above zero, zero elsewhere."""
    out = np.zeros_like(delay, dtype=np.float64)
    positive = delay > 0
    out[positive] = law(delay[positive])
    return out
