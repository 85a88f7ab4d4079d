"""Dimensionless groups and derived quantities of a column and its components: the paper's Table 3 and DESIGN section 2.

The paper scales by one component, its component 1: the most retained one of the mixture (o-xylene of the BTEX run).
Its printed length and time scale are 3 % off what its own rates give; here they follow from the rates. Its β follows
section 2.1, K_i over K of the reference, as its table does, and not its equation 23.
"""

from dataclasses import dataclass

from gcfit.column.flow import Flow, flow_of, transit_length
from gcfit.column.system import Component, System, VelocityModel
from gcfit.errors import InputError


@dataclass(frozen=True)
class Scale:
    """One row of the table: what it is, its value, its unit ("1" for none), the component ("" for the column)."""

    name: str
    value: float
    unit: str
    component: str = ""


def table(
    system: System, *, velocity_model: VelocityModel | None = None, reference: str | None = None
) -> tuple[Scale, ...]:
    """All groups of a system that its file determines.

    Parameters
    ----------
    system : System
        Every component needs its two rates; rows that need more are left out where it is missing.
    velocity_model : "variable", "constant" or None
        None takes the one of the file.
    reference : str or None
        Name of the component that sets the paper's scales; None takes the largest K.

    Raises
    ------
    InputError
        If there is no component, one lacks its rates, or the reference is not known.
    """
    flow = flow_of(system, velocity_model)
    base = _reference(system, reference)
    rows = [*_column_rows(system, flow), *_reference_rows(system, flow, base)]
    for component in system.components:
        rows += [
            *_equilibrium_rows(system, component, base, flow),
            *_kinetic_rows(system, component, flow),
            *_diffusion_rows(system, component, flow, length_scale(system, base, flow)),
            *_detector_rows(system, component, flow),
        ]
    return tuple(rows)


def rates(system: System, component: Component) -> tuple[float, float]:
    """k_a and k_d [1/s]; raises `InputError` when the component lacks one."""
    if component.adsorption_rate is None or component.desorption_rate is None:
        raise lacking(system, component, "k_a_per_s and k_d_per_s")
    return component.adsorption_rate, component.desorption_rate


def inlet_concentration(system: System, component: Component, flow: Flow) -> float:
    """c_0 [mol/m³] as given, or A û/t1 [signal unit] from the area A of the peak; A û for a pulse (t1 = 0).

    Raises
    ------
    InputError
        If the component has neither, or a concentration whose injection time is 0.
    """
    duration = system.injection.duration
    if component.inlet_concentration is not None and duration:
        return component.inlet_concentration
    if component.area is not None:
        return component.area * flow.velocity_rise / (duration or 1.0)
    raise lacking(system, component, "area, or inlet_concentration_mol_m3 with [injection] duration_s")


def conversion_factor(area: float, concentration: float, duration: float, velocity_rise: float) -> float:
    """f = A û/(c_0 t1) [signal unit/(mol/m³)]: mass balance of a peak of area A [signal unit s] (paper, section 4)."""
    return area * velocity_rise / (concentration * duration)


def length_scale(system: System, component: Component, flow: Flow) -> float:
    """L_s = u_0/(α k_a) [m] (paper, section 2.2)."""
    return flow.inlet_velocity / (system.column.phase_ratio * rates(system, component)[0])


def lacking(system: System, component: Component, what: str) -> InputError:
    """The error for a component that lacks `what`."""
    return InputError(system.source, f"has no {what}", place=f"[[component]] {component.name}")


def _reference(system: System, name: str | None) -> Component:
    if not system.components:
        raise InputError(system.source, "there is no [[component]]")
    if name is None:
        return max(system.components, key=lambda component: _equilibrium(system, component))
    for component in system.components:
        if component.name == name:
            return component
    known = ", ".join(component.name for component in system.components)
    raise InputError(system.source, f"component {name!r} is not known", remedy=f"choose one of {known}")


def _equilibrium(system: System, component: Component) -> float:
    """K = k_a/k_d."""
    adsorption, desorption = rates(system, component)
    return adsorption / desorption


def _column_rows(system: System, flow: Flow) -> list[Scale]:
    effective = transit_length(flow.length, flow.pressure_ratio, flow.velocity_model)
    return [
        Scale("phase_ratio", system.column.phase_ratio, "1"),
        Scale("pressure_ratio", flow.pressure_ratio, "1"),
        Scale("inlet_velocity", flow.inlet_velocity, "m/s"),
        Scale("velocity_rise", flow.velocity_rise, "1"),
        Scale("transit_length_ratio", effective / flow.length, "1"),
        Scale("hold_up", flow.hold_up, "s"),
    ]


def _reference_rows(system: System, flow: Flow, base: Component) -> list[Scale]:
    """L_s = u_0/(α k_a), τ = 1/k_d and Da = L_s/(u_0 τ) of the reference."""
    length, time = length_scale(system, base, flow), 1 / rates(system, base)[1]
    return [
        Scale("length_scale", length, "m", base.name),
        Scale("time_scale", time, "s", base.name),
        Scale("damkoehler", length / (flow.inlet_velocity * time), "1", base.name),
    ]


def _equilibrium_rows(system: System, component: Component, base: Component, flow: Flow) -> list[Scale]:
    """K, k = αK, the paper's β = K/K_ref, q_e = K c_0, and the loading of sites k_a c_0 t1/q_max at the inlet.

    The last is the β of the law of Thomas at constant velocity; at variable velocity β falls to 1/û of it on the way.
    """
    constant = _equilibrium(system, component)
    rows = [
        Scale("equilibrium_constant", constant, "1", component.name),
        Scale("retention_factor", system.column.phase_ratio * constant, "1", component.name),
        Scale("relative_equilibrium", constant / _equilibrium(system, base), "1", component.name),
    ]
    concentration = component.inlet_concentration
    if concentration is not None:
        rows.append(Scale("equilibrium_loading", constant * concentration, "mol/m3", component.name))
        if component.saturation is not None:
            fed = rates(system, component)[0] * concentration * system.injection.duration
            rows.append(Scale("site_loading", fed / component.saturation, "1", component.name))
    return rows


def _kinetic_rows(system: System, component: Component, flow: Flow) -> list[Scale]:
    """n = α k_a t_M, k_d t_M, mean, σ, N = mean²/σ², L/N: moments of the linear model without diffusion."""
    adsorption, desorption = rates(system, component)
    visits = system.column.phase_ratio * adsorption * flow.hold_up
    mean = flow.hold_up + visits / desorption + system.injection.duration / 2 + system.injection.tail
    variance = kinetic_variance(system, component, flow)
    return [
        Scale("mean_adsorptions", visits, "1", component.name),
        Scale("desorption_number", desorption * flow.hold_up, "1", component.name),
        Scale("mean", mean, "s", component.name),
        Scale("sigma", variance**0.5, "s", component.name),
        Scale("plates", mean**2 / variance, "1", component.name),
        Scale("plate_height", flow.length * variance / mean**2, "m", component.name),
    ]


def _diffusion_rows(system: System, component: Component, flow: Flow, scale: float) -> list[Scale]:
    """Pe⁻¹ = D/(u_0 L_s), Pe_L⁻¹ = D/(u_0 L), and the variance by diffusion over that by kinetics."""
    if component.diffusion is None:
        return []
    adsorption, desorption = rates(system, component)
    dispersion = component.diffusion / flow.inlet_velocity
    visits = system.column.phase_ratio * adsorption * flow.hold_up
    spread = diffusion_variance(system, component, flow)
    return [
        Scale("inverse_peclet", dispersion / scale, "1", component.name),
        Scale("inverse_peclet_column", dispersion / flow.length, "1", component.name),
        Scale("diffusion_share", spread * desorption**2 / (2 * visits), "1", component.name),
    ]


def kinetic_variance(system: System, component: Component, flow: Flow) -> float:
    """Variance of a peak [s²] in the linear model without diffusion: 2n/k_d² of the kinetics, and the injection's."""
    adsorption, desorption = rates(system, component)
    visits = system.column.phase_ratio * adsorption * flow.hold_up
    return 2 * visits / desorption**2 + system.injection.duration**2 / 12 + system.injection.tail**2


def diffusion_variance(system: System, component: Component, flow: Flow) -> float:
    """Variance that axial diffusion adds to a peak [s²], to the first order of D/(u L); 0 without a coefficient.

    A peak gains 2 (D/u) (1 + k)² dϑ/u on the way dϑ, and D/u is the same everywhere.
    """
    adsorption, desorption = rates(system, component)
    retained = 1 + system.column.phase_ratio * adsorption / desorption
    dispersion = (component.diffusion or 0.0) / flow.inlet_velocity
    return 2 * dispersion * retained**2 * flow.hold_up * _mean_slowness(flow)


def _mean_slowness(flow: Flow) -> float:
    """Mean of 1/u over the transit time [s/m]: 3(1 - P⁴)/(4(1 - P³) u_0), 1/u_0 at constant velocity."""
    ratio = flow.pressure_ratio
    if flow.velocity_model == "constant":
        return 1 / flow.inlet_velocity
    return 0.75 * (1 + ratio) * (1 + ratio**2) / (1 + ratio + ratio**2) / flow.inlet_velocity


def _detector_rows(system: System, component: Component, flow: Flow) -> list[Scale]:
    """Conversion factor f, where area, inlet concentration and injection time are given."""
    concentration, duration = component.inlet_concentration, system.injection.duration
    if component.area is None or not concentration or not duration:
        return []
    factor = conversion_factor(component.area, concentration, duration, flow.velocity_rise)
    return [Scale("conversion_factor", factor, "signal/(mol/m3)", component.name)]
