"""The BTEX run of the paper (arXiv 2501.00001, Tables 1 and 3), and closed forms by the noncentral chi-square law."""

from dataclasses import replace

import numpy as np
from scipy.special import i1e
from scipy.stats import ncx2

from gcfit.chromatogram import Array
from gcfit.column.system import Carrier, Column, Component, Injection, System, VelocityModel

# k_a, k_d [1/s], inlet concentration [mol/m³] (p,m-xylene counted double), area [a.u. s]; diffusion coefficients at
# the inlet pressure [m²/s]: Pe⁻¹ of Table 3 times u_0 and the printed length scale 1.8722 mm
PAIRS = {
    "benzene": (579, 5.299, 2.732e-6, 1159.4, 3.7696e-3 * 0.41 * 1.8722e-3),
    "toluene": (2953, 11.502, 2.732e-6, 927.2, 3.3968e-3 * 0.41 * 1.8722e-3),
    "ethylbenzene": (9203, 16.940, 2.732e-6, 562.0, 3.1069e-3 * 0.41 * 1.8722e-3),
    "p,m-xylene": (6483, 11.057, 5.464e-6, 1411.2, 2.6926e-3 * 0.41 * 1.8722e-3),
    "o-xylene": (10168, 14.291, 2.732e-6, 516.4, 2.6926e-3 * 0.41 * 1.8722e-3),
}
# n = α k_a t_M, mean [s], σ [s], apex of c_out/c_0, mean at constant velocity [s]; computed from the paper's inputs by
# closed forms with 40 digits
DERIVED = {
    "benzene": (439.745488, 119.163615, 5.714447, 0.070584, 169.226),
    "toluene": (2242.777937, 231.167368, 5.936227, 0.067904, 329.087),
    "ethylbenzene": (6989.598834, 448.786251, 7.074427, 0.056980, 639.691),
    "p,m-xylene": (4923.782379, 481.486180, 9.048825, 0.044551, 686.364),
    "o-xylene": (7722.507980, 576.552730, 8.772567, 0.045953, 822.051),
}
PHASE_RATIO, HOLD_UP, CONSTANT_HOLD_UP, RISE, INJECTION = 2 / 90, 34.177110, 48.780488, 3.9585390, 4.0


def btex(*names: str, duration: float = INJECTION, tail: float = 0.0, velocity: VelocityModel = "variable") -> System:
    """The run with these components, all five when none is named."""
    return System(
        Column(20.0, 9e-5, 1e-6, 353.15),
        Carrier(4.01e5, 1.013e5, viscosity=2.3e-5, inlet_velocity=0.41, velocity=velocity),
        Injection(duration, tail),
        components=tuple(
            Component(name, k_a, k_d, area, None, concentration, diffusion)
            for name, (k_a, k_d, concentration, area, diffusion) in PAIRS.items()
            if not names or name in names
        ),
        source="btex",
    )


def sharing(system: System, sites: float) -> System:
    """The system with q_max of each component at `sites` times its equilibrium loading K c_0."""
    return replace(
        system,
        components=tuple(
            replace(one, saturation=sites * one.adsorption_rate / one.desorption_rate * one.inlet_concentration)
            for one in system.components
        ),
    )


def around(mean: float, sigma: float, reach: float = 8.0, points: int = 801) -> Array:
    """Times around a peak [s]."""
    return np.linspace(mean - reach * sigma, mean + reach * sigma, points)


def not_yet(delay: Array, n: float, rate: float) -> Array:
    """1 - J(θ): P[χ'²(2, 2 k_d θ) <= 2n], DESIGN section 3; 1 before the hold-up time."""
    return np.where(delay > 0, ncx2.cdf(2 * n, 2, 2 * rate * np.maximum(delay, 0)), 1.0)


def rectangle(time: Array, hold_up: float, n: float, rate: float, duration: float) -> Array:
    """J(θ) - J(θ - t1): outlet over inlet concentration times û."""
    return not_yet(time - hold_up - duration, n, rate) - not_yet(time - hold_up, n, rate)


def thomas(time: Array, hold_up: float, n: float, rate: float, loading: float) -> Array:
    """Unit-area impulse response with loading β (Wade, Bergold and Carr 1987; DESIGN section 3)."""
    delay = time - hold_up
    rest = np.exp(-loading)
    bessel = i1e(2 * np.sqrt(n * rate * delay))
    impulse = np.sqrt(n * rate / delay) * np.exp(-((np.sqrt(n) - np.sqrt(rate * delay)) ** 2)) * bessel
    return (1 - rest) / loading * impulse / (1 - (1 - rest) * not_yet(delay, n, rate))
