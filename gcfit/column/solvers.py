"""The solvers of the column's equations behind one signature, the most exact first.

A solver gives the outlet concentrations of a system for a set of equations, and tells which equations it solves.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gcfit.chromatogram import Array
from gcfit.column import closed_form, laplace, numerical, quadrature
from gcfit.column.flow import Flow, flow_of
from gcfit.column.scales import inlet_concentration, rates
from gcfit.column.system import Component, System, VelocityModel


@dataclass(frozen=True)
class Physics:
    """Which equations are solved."""

    velocity: VelocityModel
    diffusion: bool = False
    competition: bool = False


@dataclass(frozen=True, eq=False)
class Curves:
    """Outlet concentrations, shape (m, n) [mol/m³ or signal units], and mass balance errors, shape (m,), or None."""

    outlet: Array
    mass_balance: Array | None = None


Solve = Callable[[System, Array, Physics], Curves]


@dataclass(frozen=True)
class Solver:
    """`solve` gives the curves of a system at times [s], shape (n,); `reaches` tells whether it knows the equations."""

    solve: Solve
    reaches: Callable[[System, Physics], bool]


def law_of(system: System, component: Component, velocity: VelocityModel) -> laplace.Law:
    """The linear law of one component without diffusion: t_M, n = α k_a t_M, k_d, injection and tail."""
    flow, (adsorption, desorption) = flow_of(system, velocity), rates(system, component)
    visits = system.column.phase_ratio * adsorption * flow.hold_up
    injection = system.injection
    return laplace.Law(flow.hold_up, visits, desorption, tail=injection.tail, duration=injection.duration)


def ideal(system: System, component: Component, time: Array, velocity: VelocityModel) -> Array:
    """Outlet of one component by the linear law without diffusion, shape (n,)."""
    law = law_of(system, component, velocity)
    area = _area(system, component, flow_of(system, velocity))
    return area * (_tailed(law, time, 0.0) if law.tail else _closed_form(law, time, 0.0))


def inverse_peclet(system: System, component: Component, physics: Physics) -> float:
    """Pe_L⁻¹ = D/(u_0 L) in these equations."""
    if not physics.diffusion:
        return 0.0
    return (component.diffusion or 0.0) / (flow_of(system, physics.velocity).inlet_velocity * system.column.length)


def finer(factor: float) -> Solve:
    """Return the solver of the full equations on a grid that is finer by a factor."""
    return lambda system, time, physics: _numerical(system, time, physics, factor * numerical.RESOLUTION)


def _area(system: System, component: Component, flow: Flow) -> float:
    """∫c dt at the outlet: c_0 t1/û."""
    return inlet_concentration(system, component, flow) * (system.injection.duration or 1.0) / flow.velocity_rise


def _each(curve: Callable[[laplace.Law, Array, float], Array]) -> Solve:
    """Return the solver that takes a unit-area curve of (law, times, Pe_L⁻¹) for one component after the other."""

    def one(system: System, component: Component, time: Array, physics: Physics) -> Array:
        law = law_of(system, component, physics.velocity)
        area = _area(system, component, flow_of(system, physics.velocity))
        return area * curve(law, time, inverse_peclet(system, component, physics))

    def solve(system: System, time: Array, physics: Physics) -> Curves:
        return Curves(np.stack([one(system, component, time, physics) for component in system.components]))

    return solve


def _closed_form(law: laplace.Law, time: Array, _: float) -> Array:
    if law.duration:
        return closed_form.rectangle(time, law.hold_up, law.n, law.desorption_rate, law.duration)
    return closed_form.impulse(time, law.hold_up, law.n, law.desorption_rate)


def _tailed(law: laplace.Law, time: Array, _: float) -> Array:
    pair, inlet = quadrature.Pair(law.hold_up, law.n, law.desorption_rate), quadrature.Inlet(law.duration, law.tail)
    return quadrature.response(pair, inlet, time)


def _fourier(law: laplace.Law, time: Array, peclet: float) -> Array:
    """Fourier sum of the transfer function; with diffusion that of a column whose outlet has ∂c/∂x = 0."""
    if not peclet:
        return laplace.outlet(time, law)
    mean = laplace.moments(law).mean
    widening = laplace.diffusion_reach(mean, 2 * peclet * mean**2)
    first, last = laplace.window(law)
    start, period = first - widening, last - first + 2 * widening

    def transform(s: laplace.Complex) -> laplace.Complex:
        exponent = laplace.dispersed(s, law.hold_up, law.n, law.desorption_rate, peclet)
        value = np.exp(exponent + laplace.exponential_tail(s, law.tail)[0])
        return value * laplace.rectangle(s, law.duration) if law.duration else value

    inside = (time >= start) & (time <= start + period)
    curve = np.zeros_like(time)
    curve[inside] = laplace.invert(transform, time[inside], start, period, laplace.terms(law, period))
    return curve


def _quadrature(form: quadrature.Form) -> Solve:
    def solve(system: System, time: Array, physics: Physics) -> Curves:
        return Curves(quadrature.outlet(system, time, form=form, velocity_model=physics.velocity))

    return solve


def _numerical(system: System, time: Array, physics: Physics, resolution: float = numerical.RESOLUTION) -> Curves:
    solution = numerical.solve(
        system,
        time,
        velocity_model=physics.velocity,
        diffusion=physics.diffusion,
        competition=physics.competition,
        resolution=resolution,
    )
    return Curves(solution.outlet, solution.mass_balance_error)


def _is_ideal(system: System, physics: Physics) -> bool:
    """Whether the equations are linear and nothing diffuses."""
    spreads = any(inverse_peclet(system, component, physics) for component in system.components)
    return not (spreads or physics.competition)


def _in_closed_form(system: System, physics: Physics) -> bool:
    return _is_ideal(system, physics) and not system.injection.tail


def _in_fourier(system: System, physics: Physics) -> bool:
    """Linear, diffusion at constant velocity only, no unretained spike that would ring."""
    known = _is_ideal(system, physics) or (physics.velocity == "constant" and not physics.competition)
    laws = (law_of(system, component, physics.velocity) for component in system.components)
    return known and all(law.n >= laplace.LEAST_N for law in laws)


def _everything(_: System, __: Physics) -> bool:
    return True


NUMERICAL = "numerical"
SOLVERS: dict[str, Solver] = {
    "closed form": Solver(_each(_closed_form), _in_closed_form),
    "fourier": Solver(_each(_fourier), _in_fourier),
    "quadrature": Solver(_quadrature("single"), _is_ideal),
    "quadrature, double": Solver(_quadrature("double"), _is_ideal),
    NUMERICAL: Solver(_numerical, _everything),
}
