"""From a system to its chromatogram: one solver of the registry, the baseline, and seeded noise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.column import closed_form, laplace
from gcfit.column.flow import flow_of
from gcfit.column.scales import diffusion_variance, inlet_concentration, kinetic_variance
from gcfit.column.system import Component, System, VelocityModel
from gcfit.errors import InputError, SolverError

PANEL_NODES = 12
MOST_POINTS = 10**7
NOTICED = 0.01  # of a peak's variance: less by diffusion is within what k_d of a fitted peak lumps
ROUNDING = 1e-12  # of the end of the run: a product of two decimals may lie below a whole number


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated run.

    Parameters
    ----------
    chromatogram : Chromatogram
        Time [s] and signal: the sum of the components, baseline and noise; its notes say what the solver does not use.
    components : mapping of str to ndarray, shape (n,)
        Signal of each analyte alone, without baseline and noise.
    """

    chromatogram: Chromatogram
    components: Mapping[str, Array]

    @property
    def time(self) -> Array:
        """Times [s], shape (n,)."""
        return self.chromatogram.time

    @property
    def signal(self) -> Array:
        """Signal, shape (n,)."""
        return self.chromatogram.signal


def simulate(
    system: System,
    *,
    solver: str = "laplace",
    velocity_model: VelocityModel | None = None,
    noise: float | None = None,
    seed: int | None = None,
) -> Simulation:
    """Simulate the run that a system file describes.

    Parameters
    ----------
    system : System
        Every component needs its two rates and an area, or an inlet concentration and an injection time.
    solver : str
        A name of `SOLVERS`.
    velocity_model : "variable", "constant" or None
        None takes the one of the file.
    noise : float or None
        Standard deviation of the noise [signal unit]; None takes the one of the file.
    seed : int or None
        Seed of the noise; None draws a new one.

    Raises
    ------
    InputError
        If the solver is not known, there is no component, a component lacks what its curve needs, or there are more
        points than `MOST_POINTS`.
    SolverError
        If a curve takes too long.
    """
    if solver not in SOLVERS:
        raise InputError("", f"solver {solver!r} is not known", remedy=f"choose one of {', '.join(SOLVERS)}")
    if not system.components:
        raise InputError(system.source, "there is no [[component]] to simulate")
    until = system.detector.until
    if until is None:
        until = max(_passed(system, component, solver, velocity_model) for component in system.components)
    time = _sampling(system, until)
    curves = SOLVERS[solver](system, time, velocity_model)
    deviation = system.detector.noise if noise is None else noise
    signal = system.detector.baseline + curves.sum(axis=0)
    if deviation:
        signal = signal + deviation * np.random.default_rng(seed).standard_normal(time.size)
    names = [component.name for component in system.components]
    record = Chromatogram(time, signal, source=system.source, notes=_unused(system, solver, velocity_model))
    return Simulation(record, MappingProxyType(dict(zip(names, curves, strict=True))))


def law_of(system: System, component: Component, velocity_model: VelocityModel | None = None) -> laplace.Law:
    """The law of one component: n = α k_a t_M, k_d, the injection's duration and tail."""
    if component.adsorption_rate is None or component.desorption_rate is None:
        raise _lacks(system, component, "k_a_per_s and k_d_per_s")
    hold_up = flow_of(system, velocity_model).hold_up
    return laplace.Law(
        hold_up=hold_up,
        n=system.column.phase_ratio * component.adsorption_rate * hold_up,
        desorption_rate=component.desorption_rate,
        tail=system.injection.tail,
        duration=system.injection.duration,
    )


def area_of(system: System, component: Component, velocity_model: VelocityModel | None = None) -> float:
    """Peak area [signal unit s]: as given, or c_0 t1/û from the inlet concentration (paper, mass balance)."""
    if component.area is not None:
        return component.area
    if component.inlet_concentration is None or not system.injection.duration:
        raise _lacks(system, component, "area, or inlet_concentration_mol_m3 with [injection] duration_s")
    rise = flow_of(system, velocity_model).velocity_rise
    return component.inlet_concentration * system.injection.duration / rise


def unit_curve(time: Array, law: laplace.Law) -> Array:
    """Unit-area peak at times [s], shape (n,): the Fourier sum, or the closed form where the sum would ring.

    The unretained spike e^{-n} of a pulse without tail has no height and is left out; with a rectangle or a tail it
    is part of the curve.
    """
    if law.n >= laplace.LEAST_N:
        return laplace.outlet(time, law)
    if law.site_n:
        raise SolverError(f"n = {law.n:g} is too small for a second kind of site; the least is {laplace.LEAST_N}")
    return _tailed(time, law) if law.tail else _untailed(time, law)


def _untailed(time: Array, law: laplace.Law) -> Array:
    if law.duration:
        return closed_form.rectangle(time, law.hold_up, law.n, law.desorption_rate, law.duration)
    return closed_form.impulse(time, law.hold_up, law.n, law.desorption_rate)


def _tailed(time: Array, law: laplace.Law) -> Array:
    """∫ f(x) e^{-(θ - x)/τ}/τ over 0 < x < θ, by Gauss-Legendre nodes on panels that follow both factors."""
    nodes, weights = np.polynomial.legendre.leggauss(PANEL_NODES)
    delay = np.maximum(time - law.hold_up, 0)
    edges = _panels(delay, law)
    half = np.diff(edges, axis=1)[..., None] / 2
    x = edges[:, :-1, None] + half * (nodes + 1)
    decay = np.exp((x - delay[:, None, None]) / law.tail) / law.tail
    smooth: Array = (_untailed(law.hold_up + x.ravel(), law).reshape(x.shape) * decay * half * weights).sum(axis=(1, 2))
    if law.duration:
        return smooth
    return smooth + np.where(delay > 0, np.exp(-law.n - delay / law.tail) / law.tail, 0.0)


def _panels(delay: Array, law: laplace.Law) -> Array:
    """Edges between 0 and each delay θ, shape (m, p): steps of the law, ends of the injection, decades of the tail."""
    steps = np.maximum(np.sqrt(law.n) + np.arange(-7.0, 8.0), 0) ** 2 / law.desorption_rate
    fixed = np.concatenate([[0.0], steps, law.duration + steps, [law.duration]])
    before = law.tail * np.array([0.0, 0.5, 1, 2, 3, 5, 8, 12, 18, 27, 40])
    edges = np.concatenate([np.tile(fixed, (delay.size, 1)), delay[:, None] - before], axis=1)
    edges = np.clip(edges, 0, delay[:, None])
    return np.sort(edges, axis=1)


def _laplace(system: System, time: Array, velocity_model: VelocityModel | None) -> Array:
    """Curves of all components in signal units, shape (components, n)."""
    return np.stack(
        [
            area_of(system, component, velocity_model) * unit_curve(time, law_of(system, component, velocity_model))
            for component in system.components
        ]
    )


def _quadrature(system: System, time: Array, velocity_model: VelocityModel | None) -> Array:
    from gcfit.column import quadrature

    return _as_signal(system, quadrature.outlet(system, time, velocity_model=velocity_model), velocity_model)


def _numerical(system: System, time: Array, velocity_model: VelocityModel | None) -> Array:
    from gcfit.column import numerical

    return _as_signal(system, numerical.solve(system, time, velocity_model=velocity_model).outlet, velocity_model)


def _as_signal(system: System, outlet: Array, velocity_model: VelocityModel | None) -> Array:
    """Outlet concentrations, shape (components, n), in signal units: the mass balance of each peak sets the factor."""
    flow = flow_of(system, velocity_model)
    entered = [inlet_concentration(system, component, flow) for component in system.components]
    areas = np.array(entered) * (system.injection.duration or 1.0) / flow.velocity_rise
    wanted = np.array([area_of(system, component, velocity_model) for component in system.components])
    # a component of which nothing enters has no peak to scale
    factors = np.divide(wanted, areas, out=np.zeros_like(areas), where=areas > 0)
    signal: Array = outlet * factors[:, None]
    return signal


def _sampling(system: System, until: float) -> Array:
    """Times 0, 1/rate, ... [s] that are not after `until` [s], but by rounding."""
    rate = system.detector.rate
    count = int(np.floor(until * rate * (1 + ROUNDING))) + 1
    if count > MOST_POINTS:
        found = f"{rate:g} Hz until {until:g} s are {count:.3g} points; the limit is {MOST_POINTS:g}"
        raise InputError(system.source, found, place="[detector] rate_hz, until_s")
    return np.arange(count) / rate


def _passed(system: System, component: Component, solver: str, velocity_model: VelocityModel | None) -> float:
    """Time [s] at which a peak has passed; only the numerical solver lets it diffuse."""
    law = law_of(system, component, velocity_model)
    last = laplace.window(law)[1]
    if solver != "numerical":
        return last
    spread = diffusion_variance(system, component, flow_of(system, velocity_model))
    return last + laplace.diffusion_reach(laplace.moments(law).mean, spread)


def _unused(system: System, solver: str, velocity_model: VelocityModel | None) -> tuple[str, ...]:
    """What the file says and a solver of the linear law without diffusion leaves out, to the loss of some peak."""
    if solver == "numerical":
        return ()
    flow = flow_of(system, velocity_model)
    keys = {"q_max_mol_m3": [one.saturation is not None for one in system.components]}
    keys["diffusion_m2_s"] = [
        diffusion_variance(system, one, flow) > NOTICED * kinetic_variance(system, one, flow)
        for one in system.components
    ]
    unused = " and ".join(key for key, lost in keys.items() if any(lost))
    return (f"{unused}: not used by the solver {solver}; --solver numerical does",) if unused else ()


def _lacks(system: System, component: Component, what: str) -> InputError:
    return InputError(system.source, f"has no {what}", place=f"[[component]] {component.name}")


SOLVERS: dict[str, Callable[[System, Array, VelocityModel | None], Array]] = {
    "laplace": _laplace,
    "quadrature": _quadrature,
    "numerical": _numerical,
}
