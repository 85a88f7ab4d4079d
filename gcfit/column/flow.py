"""The carrier gas along the column: pressure, velocity, hold-up time, for compressible gas and for constant velocity.

Isothermal gas with p u constant and the velocity driven by the pressure gradient (DESIGN equation of the flow;
paper, section 2.2): p(x) = p0 sqrt(1 - (1 - P²) x/L), u(x) = u0 p0/p(x), P = p_L/p0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gcfit.chromatogram import Array
from gcfit.column.system import System, VelocityModel
from gcfit.errors import InputError


@dataclass(frozen=True)
class Flow:
    """The gas in one column.

    Parameters
    ----------
    length : float
        Column length L [m].
    inlet_pressure, outlet_pressure : float
        Absolute pressures [Pa].
    inlet_velocity : float
        u0 [m/s].
    velocity_model : "variable" or "constant"
        Whether the gas expands on its way, or u = u0 everywhere.
    """

    length: float
    inlet_pressure: float
    outlet_pressure: float
    inlet_velocity: float
    velocity_model: VelocityModel

    @property
    def pressure_ratio(self) -> float:
        """P = p_L/p0."""
        return self.outlet_pressure / self.inlet_pressure

    @property
    def hold_up(self) -> float:
        """t_M = ∫dx/u = ω/u0 [s]."""
        return transit_length(self.length, self.pressure_ratio, self.velocity_model) / self.inlet_velocity

    @property
    def velocity_rise(self) -> float:
        """û = u(L)/u0: 1/P, or 1 at constant velocity."""
        return 1 / self.pressure_ratio if self.velocity_model == "variable" else 1.0

    def pressure(self, position: ArrayLike) -> Array:
        """p(x) [Pa] at positions [m], any shape."""
        x = np.asarray(position, dtype=np.float64)
        return self.inlet_pressure * np.sqrt(1 - (1 - self.pressure_ratio**2) * x / self.length)

    def velocity(self, position: ArrayLike) -> Array:
        """u(x) [m/s] at positions [m], any shape."""
        if self.velocity_model == "constant":
            return np.full_like(np.asarray(position, dtype=np.float64), self.inlet_velocity)
        return self.inlet_velocity * self.inlet_pressure / self.pressure(position)


def transit_length(length: float, pressure_ratio: float, velocity_model: VelocityModel) -> float:
    """ω = u0 t_M [m]: 2L(1 - P³)/(3(1 - P²)), or L at constant velocity (James and Martin 1952).

    Written as (2/3) L (1 + P + P²)/(1 + P), which does not cancel as P → 1.
    """
    if velocity_model == "constant":
        return length
    return 2 / 3 * length * (1 + pressure_ratio + pressure_ratio**2) / (1 + pressure_ratio)


def james_martin_factor(pressure_ratio: float) -> float:
    """j = (3/2)(P'² - 1)/(P'³ - 1) with P' = p0/p_L = 1/`pressure_ratio`; t_M = L/(j u(L))."""
    inverse = 1 / pressure_ratio
    return 1.5 * (inverse + 1) / (inverse**2 + inverse + 1)


def poiseuille_inlet_velocity(
    inner_radius: float, length: float, inlet_pressure: float, outlet_pressure: float, viscosity: float
) -> float:
    """u0 = R²(p0² - p_L²)/(16 μ L p0) [m/s]: Poiseuille's law for a compressible gas."""
    drive = (inlet_pressure - outlet_pressure) * (inlet_pressure + outlet_pressure)
    return inner_radius**2 * drive / (16 * viscosity * length * inlet_pressure)


def flow_of(system: System, velocity_model: VelocityModel | None = None) -> Flow:
    """Return the flow of a system; `velocity_model` overrides the one of its file.

    The inlet velocity is the given one, or follows from the given hold-up time, or from Poiseuille's law.

    Raises
    ------
    InputError
        If the system gives none of velocity, hold-up time and viscosity.
    """
    column, carrier = system.column, system.carrier
    model = velocity_model or carrier.velocity
    if carrier.inlet_velocity is not None:
        velocity = carrier.inlet_velocity
    elif carrier.hold_up is not None:
        # the file's own velocity model turns its hold-up into a velocity, whichever model is asked for
        ratio = carrier.outlet_pressure / carrier.inlet_pressure
        velocity = transit_length(column.length, ratio, carrier.velocity) / carrier.hold_up
    elif carrier.viscosity is not None:
        velocity = poiseuille_inlet_velocity(
            column.inner_radius, column.length, carrier.inlet_pressure, carrier.outlet_pressure, carrier.viscosity
        )
    else:
        raise InputError(system.source, "nothing tells the velocity of the gas", place="[carrier]")
    return Flow(column.length, carrier.inlet_pressure, carrier.outlet_pressure, velocity, model)
