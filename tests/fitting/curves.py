"""Peaks in the coordinates of the fit, and what they should be by the column's own laws."""

from dataclasses import dataclass

import numpy as np
from scipy.special import erfcx

from gcfit.chromatogram import Array
from gcfit.column import closed_form, laplace
from gcfit.fitting.loading import to_core
from gcfit.fitting.models import Known, curve
from gcfit.fitting.registry import MODELS
from gcfit.fitting.sampling import Sampling

HOLD_UP = 60.0


@dataclass(frozen=True)
class Shape:
    """A peak by its name, adsorptions, delay [s], injection [s] and loading; site and tail scale with its σ."""

    model: str
    n: float
    delay: float
    injection: float = 0.0
    loading: float = 0.0

    @property
    def sigma(self) -> float:
        return self.delay * float(np.sqrt(2 / self.n))

    @property
    def known(self) -> Known:
        return Known(HOLD_UP, self.injection)

    @property
    def coordinates(self) -> Array:
        values = {
            "retention": HOLD_UP + self.delay,
            "log_sigma": np.log(self.sigma),
            "log_site_delay": np.log(0.1 * self.sigma),
            "log_site_time": np.log(3 * self.sigma),
            "log_tail": np.log(0.7 * self.sigma),
            "loading": self.loading,
        }
        return np.array([values[name] for name in MODELS[self.model].parameters])

    def times(self, per_sigma: float, jitter: float = 0.0) -> Array:
        """From before the peak to far behind it; `jitter` is a share of the interval."""
        step = self.sigma / per_sigma
        start = HOLD_UP + max(self.delay - 12 * self.sigma, -3 * step)
        time = start + step * np.arange(int((self.delay + 60 * self.sigma) / step))
        return time + jitter * step * np.random.default_rng(4).uniform(-1, 1, time.size)


def rows(shape: Shape, coordinates: Array, sampling: Sampling) -> Array:
    """The curve and its derivatives at all points, zero where the curve says it has none."""
    found = curve(MODELS[shape.model], coordinates, sampling, shape.known)
    out = np.zeros((found.rows.shape[0], sampling.time.size))
    out[:, found.first : found.last] = found.rows
    return out


def expected(shape: Shape, coordinates: Array, time: Array) -> Array:
    """The same peak by `gcfit.column`, which the fitting code does not use for it; loading without site or tail."""
    values = dict(zip(MODELS[shape.model].parameters, coordinates.tolist(), strict=True))
    mean, log_sigma, loading = values["retention"], values["log_sigma"], values.get("loading", 0.0)
    if "loading" in values:
        mean, log_sigma = to_core(mean, log_sigma, loading)
    if shape.model in ("gaussian", "emg"):
        return _emg(time, mean, float(np.exp(log_sigma)), float(np.exp(values.get("log_tail", -np.inf))))
    law = laplace.law_from_moments(HOLD_UP, mean, float(np.exp(2 * log_sigma)))
    if "loading" in values:
        return closed_form.overloaded(time, HOLD_UP, law.n, law.desorption_rate, loading)
    site_time = np.exp(values.get("log_site_time", 0.0))
    law = laplace.Law(
        HOLD_UP, law.n, law.desorption_rate,
        float(np.exp(values.get("log_site_delay", -np.inf)) / site_time), float(1 / site_time),
        float(np.exp(values.get("log_tail", -np.inf))), shape.injection,
    )  # fmt: skip
    if law.n >= 50:
        return laplace.outlet(time, law)
    return closed_form.impulse(time, HOLD_UP, law.n, law.desorption_rate)


def _emg(time: Array, mean: float, sigma: float, tau: float) -> Array:
    """Gaussian, or with a tail the erfcx form (FACTS: Kalambet 2011)."""
    y = (time - mean) / sigma
    bell = np.exp(-(y**2) / 2)
    if tau == 0:
        return bell / (sigma * np.sqrt(2 * np.pi))
    z = (sigma / tau - y) / np.sqrt(2)
    decay = np.exp(np.minimum(sigma**2 / (2 * tau**2) - y * sigma / tau, 300)) / tau
    return np.where(z > -5, erfcx(np.maximum(z, -5)) * bell / (2 * tau), decay)
