"""What a system asks of the solver: components that share sites are one case, the others one case each."""

from dataclasses import dataclass

import numpy as np

from gcfit.chromatogram import Array
from gcfit.column.flow import Flow
from gcfit.column.numerical.kinetics import Inlet
from gcfit.column.scales import inlet_concentration, lacking, rates
from gcfit.column.system import Component, System

PULSE = 0.02  # a pulse enters as a rectangle of this share of the narrowest peak's standard deviation


@dataclass(frozen=True, eq=False)
class Case:
    """Components that are solved together: α k_a, k_d, D_0/u_0 [m], c_0 and α q_max (inf: linear), shape (m,) each."""

    flow: Flow
    names: tuple[str, ...]
    adsorption: Array
    desorption: Array
    dispersion: Array
    concentration: Array
    capacity: Array
    phase_ratio: float
    inlet: Inlet

    @property
    def spreading(self) -> float:
        """Growth of the variance of the narrowest peak along ϑ [s²/s]: kinetics, diffusion where it is least."""
        total = self.adsorption + self.desorption
        slowest = self.dispersion / (self.flow.inlet_velocity * self.flow.velocity_rise)
        return float((2 * self.adsorption / total**2 + 2 * slowest).min())

    @property
    def mean_adsorptions(self) -> Array:
        """n = α k_a t_M, shape (m,)."""
        return self.adsorption * self.flow.hold_up

    @property
    def expected_flux(self) -> Array:
        """Flux at the apex of a linear peak in units of the inlet flux, shape (m,); an estimate."""
        sigma = np.sqrt(2 * self.mean_adsorptions) / self.desorption + self.inlet.tail
        flux: Array = np.minimum(1.0, (self.inlet.end - self.inlet.start) / (np.sqrt(2 * np.pi) * sigma))
        return flux


def cases_of(system: System, flow: Flow, diffusion: bool, competition: bool) -> list[Case]:
    """Return the groups of components that are solved together: all of them, or each alone."""
    shared = competition and any(component.saturation for component in system.components)
    groups = [system.components] if shared else [(component,) for component in system.components]
    return [_case(system, group, flow, diffusion, shared) for group in groups]


def _case(system: System, group: tuple[Component, ...], flow: Flow, diffusion: bool, shared: bool) -> Case:
    phase_ratio, duration = system.column.phase_ratio, system.injection.duration
    pairs = np.array([rates(system, component) for component in group])
    coefficients = np.array([component.diffusion or 0.0 for component in group]) if diffusion else np.zeros(len(group))
    saturation = [_saturation(system, component) if shared else np.inf for component in group]
    adsorption, desorption = phase_ratio * pairs[:, 0], pairs[:, 1]
    width = duration or PULSE * float((np.sqrt(2 * adsorption * flow.hold_up) / desorption).min())
    start = 0.0 if duration else -width / 2
    amount = np.array([inlet_concentration(system, component, flow) for component in group])
    return Case(
        flow=flow,
        names=tuple(component.name for component in group),
        adsorption=adsorption,
        desorption=desorption,
        dispersion=coefficients / flow.inlet_velocity,
        concentration=amount if duration else amount / width,
        capacity=phase_ratio * np.array(saturation),
        phase_ratio=phase_ratio,
        inlet=Inlet(start, start + width, system.injection.tail),
    )


def _saturation(system: System, component: Component) -> float:
    if component.saturation is None:
        return float("inf")
    if component.inlet_concentration is None or not system.injection.duration:
        raise lacking(system, component, "inlet_concentration_mol_m3 with [injection] duration_s, which q_max needs")
    return component.saturation
