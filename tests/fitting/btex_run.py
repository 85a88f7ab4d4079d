"""The paper's run (FACTS, Tables 1 and 3), by the tests' own closed form: five analytes after a 4 s injection."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq

from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting.records import FitSettings
from tests.column.plain import impulse

# α = 2δ/R and t_M = ω/u0 of the paper's inputs: FACTS [calc] 0.0222222 and 34.177110 s
PHASE_RATIO, HOLD_UP, INJECTION, BASELINE = 2e-6 / 9e-5, 0.70063076 * 20 / 0.41, 4.0, 3935.4
SETTINGS = FitSettings(hold_up=HOLD_UP, phase_ratio=PHASE_RATIO, injection=INJECTION, model="laplace")
NODES, WEIGHTS = np.polynomial.legendre.leggauss(64)


@dataclass(frozen=True)
class Analyte:
    """k_a, k_d [1/s] and area of one peak."""

    name: str
    k_a: float
    k_d: float
    area: float

    @property
    def n(self) -> float:
        return PHASE_RATIO * self.k_a * HOLD_UP

    def curve(self, time: Array) -> Array:
        """Mean of the impulse response over the injection, times the area."""
        delay = time[:, None] - HOLD_UP - INJECTION * (NODES + 1) / 2
        return self.area * (impulse(delay.ravel(), self.n, self.k_d).reshape(delay.shape) @ WEIGHTS / 2)

    @property
    def apex(self) -> float:
        """Where the response at the begin of the injection has fallen to that at its end: h(θ) = h(θ - t1)."""
        middle = self.n / self.k_d

        def difference(delay: float) -> float:
            values = impulse(np.array([delay, delay - INJECTION]), self.n, self.k_d)
            return float(values[0] - values[1])

        return HOLD_UP + float(brentq(difference, middle - 2, middle + 4, xtol=1e-12))


ANALYTES = (
    Analyte("benzene", 579.0, 5.299, 1159.4),
    Analyte("toluene", 2953.0, 11.502, 927.2),
    Analyte("ethylbenzene", 9203.0, 16.940, 562.0),
    Analyte("p,m-xylene", 6483.0, 11.057, 1411.2),
    Analyte("o-xylene", 10168.0, 14.291, 516.4),
)


@cache
def clean(rate: float) -> tuple[Array, Array]:
    """Times [s] and signal without noise."""
    time = np.arange(0.0, 700.0, 1 / rate)
    return time, BASELINE + sum(analyte.curve(time) for analyte in ANALYTES)


def run(rate: float = 5.0, noise: float = 0.0, seed: int = 0) -> Chromatogram:
    time, signal = clean(rate)
    return Chromatogram(time, signal + noise * np.random.default_rng(seed).standard_normal(time.size))
