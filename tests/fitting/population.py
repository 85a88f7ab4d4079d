"""A population of simulated peaks with known truth, for the statistics of a fit: coverage, variance, choice of model.

Each case is one isolated peak on a sloping line: adsorptions 100 to 1e5, signal-to-noise 20 to 2000, 5 to 30 points a
σ, white noise or a first-order autoregression with ρ = 0.7. Curves come from `gcfit.column` (50-digit references
there); the pair with site and loading, which has no other form, from the curve of the fit itself.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from gcfit.chromatogram import Array, Chromatogram
from gcfit.column import closed_form, laplace
from gcfit.fitting.loading import from_core
from gcfit.fitting.models import Known, core_of, curve
from gcfit.fitting.registry import MODELS
from gcfit.fitting.sampling import Sampling
from tests.column.differences import sixth_order

HOLD_UP, DELAY, NOISE = 60.0, 60.0, 1.0
CASES = ("laplace", "laplace+site", "laplace+tail", "laplace+load", "laplace+site+load")
QUANTITIES = ("retention_time_s", "area", "alpha_k_a_per_s", "k_d_per_s")


@dataclass(frozen=True, eq=False)
class Case:
    """One chromatogram, the model and coordinates behind it, and the true `QUANTITIES`."""

    chromatogram: Chromatogram
    model: str
    snr: float
    rho: float
    coordinates: Array
    truth: Array
    chi_squared: float  # what the best pair with a line leaves of the peak, in noise variances

    def bound(self, begin: float = -np.inf, end: float = np.inf) -> Array:
        """Cramér-Rao bound of each quantity's standard deviation, with a free line on the points from begin to end."""
        time = self.chromatogram.time
        inside = time[(time >= begin) & (time <= end)]
        covariance = _covariance(self.model, self.coordinates, float(self.truth[1]), inside, self.rho)
        slopes = _slopes(self.model, self.coordinates, float(self.truth[0]))
        variance: Array = np.einsum("ij,jk,ik->i", slopes, covariance, slopes)
        return np.sqrt(variance)


def draw(model: str, rho: float, seed: int) -> Case:
    random = np.random.default_rng([seed, CASES.index(model), int(10 * rho)])
    n, snr = float(10 ** random.uniform(2, 5)), float(10 ** random.uniform(np.log10(20), np.log10(2000)))
    sigma = DELAY * float(np.sqrt(2 / n))
    values = _coordinates(model, sigma, random)
    coordinates = np.array([values[name] for name in MODELS[model].parameters])
    step = sigma / float(random.uniform(5, 30))
    time = HOLD_UP + DELAY + np.arange(-60 * sigma, 100 * sigma, step)
    unit = _curve(model, values, n, time)
    area = snr * NOISE / float(unit.max())
    line = 100 * NOISE + 20 * NOISE * (time - time[0]) / np.ptp(time)
    signal = line + area * unit + _noise(time.size, rho, random)
    truth = np.array([_apex(model, values, n, sigma), area, n / HOLD_UP, n / DELAY])
    chi_squared = _misfit(area * unit, time, rho)
    return Case(Chromatogram(time, signal), model, snr, rho, coordinates, truth, chi_squared)


def _coordinates(model: str, sigma: float, random: np.random.Generator) -> dict[str, float]:
    site_time = sigma * random.uniform(2, 6)
    site_n = 10 ** random.uniform(-1.3, 0)
    tail = sigma * random.uniform(0.4, 1.5)
    loading = float(random.choice([-1, 1])) * random.uniform(1, 8)
    values = {
        "retention": HOLD_UP + DELAY,
        "log_sigma": np.log(sigma),
        "log_site_delay": np.log(site_n * site_time),
        "log_site_time": np.log(site_time),
        "log_tail": np.log(tail),
        "loading": loading,
    }
    if "load" in model:
        values["retention"], values["log_sigma"] = from_core(HOLD_UP + DELAY, np.log(sigma), loading)
    return {name: float(values[name]) for name in MODELS[model].parameters}


def _curve(model: str, values: dict[str, float], n: float, time: Array) -> Array:
    """Unit-area peak from the column's own laws."""
    rate = n / DELAY
    if model == "laplace+load":
        return closed_form.overloaded(time, HOLD_UP, n, rate, values["loading"])
    if model == "laplace+site+load":
        coordinates = np.array([values[name] for name in MODELS[model].parameters])
        found = curve(MODELS[model], coordinates, Sampling.of(time), Known(HOLD_UP))
        out = np.zeros_like(time)
        out[found.first : found.last] = found.rows[0]
        return out
    site_time = np.exp(values.get("log_site_time", 0.0))
    site_n = np.exp(values.get("log_site_delay", -np.inf)) / site_time
    tail = np.exp(values.get("log_tail", -np.inf))
    return laplace.outlet(time, laplace.Law(HOLD_UP, n, rate, float(site_n), float(1 / site_time), float(tail)))


def _apex(model: str, values: dict[str, float], n: float, sigma: float) -> float:
    """Apex by the parabola through the highest of very fine points."""
    coarse = HOLD_UP + DELAY + sigma * np.linspace(-12, 12, 4801)
    top = coarse[_curve(model, values, n, coarse).argmax()]
    fine = top + sigma * np.linspace(-0.02, 0.02, 401)
    a, b, _ = np.polyfit(fine - top, _curve(model, values, n, fine), 2)
    return float(top - b / (2 * a))


def _noise(size: int, rho: float, random: np.random.Generator) -> Array:
    white = random.standard_normal(size + 200)
    return NOISE * np.sqrt(1 - rho**2) * lfilter([1.0], [1.0, -rho], white)[200:] if rho else NOISE * white[200:]


def _covariance(model: str, coordinates: Array, area: float, time: Array, rho: float) -> Array:
    """Inverse information of (area, coordinates) with a free line."""
    found = curve(MODELS[model], coordinates, Sampling.of(time), Known(HOLD_UP))
    rows = np.zeros((found.rows.shape[0], time.size))
    rows[:, found.first : found.last] = found.rows
    rows[1:] *= area
    design = _whitened(np.vstack([rows, np.ones_like(time), (time - time.mean()) / np.ptp(time)]), rho)
    scale = np.linalg.norm(design, axis=1)
    unit = design / scale[:, None]
    inverse: Array = np.linalg.inv(unit @ unit.T) / np.outer(scale, scale) * NOISE**2
    return inverse[: rows.shape[0], : rows.shape[0]]


def _misfit(signal: Array, time: Array, rho: float) -> float:
    """χ² that the best pair with a line leaves of a peak, by scipy's search on the closed form."""
    from scipy.optimize import least_squares

    weights = signal / signal.sum()
    mean = float(weights @ time)
    start = [mean, 0.5 * np.log(float(weights @ (time - mean) ** 2))]
    line = np.vstack([np.ones_like(time), (time - time.mean()) / np.ptp(time)])
    goal = _whitened(signal[None], rho)[0]

    def residual(p: Array) -> Array:
        law = laplace.law_from_moments(HOLD_UP, float(p[0]), float(np.exp(2 * p[1])))
        bell = closed_form.impulse(time, HOLD_UP, law.n, law.desorption_rate)
        design = _whitened(np.vstack([bell / bell.max(), line]), rho).T
        return goal - design @ np.linalg.lstsq(design, goal, rcond=None)[0]

    return float(2 * least_squares(residual, start, x_scale=[np.exp(start[1]), 1.0]).cost / NOISE**2)


def _whitened(rows: Array, rho: float) -> Array:
    """Rows as white noise sees them: x_i - ρ x_{i-1} over sqrt(1 - ρ²)."""
    if not rho:
        return rows
    first = rows[:, :1]
    return np.hstack([first, (rows[:, 1:] - rho * rows[:, :-1]) / np.sqrt(1 - rho**2)])


def _slopes(model: str, coordinates: Array, apex: float) -> Array:
    """Derivatives of `QUANTITIES` by (area, coordinates), shape (4, 1 + p)."""

    def rates(at: Array) -> Array:
        core = core_of(MODELS[model], dict(zip(MODELS[model].parameters, at.tolist(), strict=True)), Known(HOLD_UP))
        return np.array([core.n / HOLD_UP, core.desorption_rate])

    sigma = float(np.exp(coordinates[1]))
    # the apex moves by -(∂²c/∂t∂p)/(∂²c/∂t²)
    step = 0.05 * sigma
    near = Sampling.of(apex + step * np.arange(-100.0, 101.0))
    rows = curve(MODELS[model], coordinates, near, Known(HOLD_UP)).rows[:, 98:103]
    first, second = rows @ (np.array([1, -8, 0, 8, -1]) / 12), rows[0] @ (np.array([-1, 16, -30, 16, -1]) / 12)
    out = np.zeros((4, 1 + coordinates.size))
    out[0, 1:] = -first[1:] * step / second
    out[1, 0] = 1.0
    for place in range(coordinates.size):
        out[2:, 1 + place] = sixth_order(rates, coordinates, place, 1e-3 * (sigma if place == 0 else 1.0))
    return out
