"""The full governing equations of DESIGN section 2, solved for a whole system."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from gcfit.chromatogram import Array
from gcfit.column.flow import flow_of
from gcfit.column.numerical.case import Case, cases_of
from gcfit.column.numerical.grid import make_grid, outlet_flux_weights, outlet_value_weights, transport_bands
from gcfit.column.numerical.kinetics import Kinetics
from gcfit.column.numerical.march import Run, march
from gcfit.column.numerical.step import Problem
from gcfit.column.system import System, VelocityModel
from gcfit.errors import InputError, SolverError

RESOLUTION = 8.0  # cells per standard deviation of the narrowest peak
LEAST_RESOLUTION = 2.0
ROUGH, NEGATIVE = 0.2, 1e-3  # of the apex: step between neighbouring cells, depth below zero
EARLY = 0.05  # share of the expected apex that stands for the apex before it is out
JUMP = 2e-3  # of the apex: height of the unretained front that is refused
REFINEMENT, REFINEMENTS = 2.0, 5
COARSENING = 1.5  # the error estimate compares with a grid that is coarser by this factor
FINE_STEPS = 16.0  # resolution up to which refining the grid refines the steps as well
STEP_ERROR = 1e-4  # of the highest loading, at the default resolution and 60² plates
MIN_CELLS, MAX_CELLS = 100, 400_000
MAX_DISPERSION = 0.01  # D/(u L): the outlet's layer is treated to the third order of D/(u σ)
LOST = 1e-7  # mass balance error above which a solution is refused


@dataclass(frozen=True, eq=False)
class Profile:
    """One component along the column at one time.

    Parameters
    ----------
    time : float
        Time [s].
    component : str
        Name of the component.
    position : ndarray, shape (k,)
        x [m], increasing.
    concentration, adsorbed : ndarray, shape (k,)
        c(x) and q(x) [mol/m³].
    """

    time: float
    component: str
    position: Array
    concentration: Array
    adsorbed: Array


@dataclass(frozen=True, eq=False)
class Solution:
    """What the full equations give; the first index is the component, in the order of the system.

    Parameters
    ----------
    time : ndarray, shape (n,)
        Asked times [s].
    outlet : ndarray, shape (m, n)
        c_i at the outlet [mol/m³]; in signal units for a component that has an area and no inlet concentration.
    mass_balance_error : ndarray, shape (m,)
        |injected - left - remaining| over injected, at the end.
    cells, steps : ndarray of int, shape (m,)
        Cells of the grid and steps in time.
    error_estimate : ndarray, shape (m,), or None
        Largest difference to a solution on a grid of 1.5 times fewer cells, over the apex; None when not asked for.
    profiles : tuple of Profile
        Ordered by time, then by component.
    """

    time: Array
    outlet: Array
    mass_balance_error: Array
    cells: Array
    steps: Array
    error_estimate: Array | None = None
    profiles: tuple[Profile, ...] = ()


def solve(
    system: System,
    times: ArrayLike,
    *,
    velocity_model: VelocityModel | None = None,
    diffusion: bool = True,
    competition: bool = True,
    resolution: float = RESOLUTION,
    profile_times: Sequence[float] = (),
    estimate_error: bool = False,
) -> Solution:
    """Solve mass balance and kinetics of all components of a system from a clean column.

    Parameters
    ----------
    system : System
        Every component needs its two rates, and an inlet concentration with an injection time, or an area.
    times : array-like, shape (n,)
        Times at which the outlet is wanted [s], increasing.
    velocity_model : "variable", "constant" or None
        None takes the one of the file.
    diffusion : bool
        Whether the axial diffusion of components that have a coefficient counts.
    competition : bool
        Whether the sites that q_max limits are shared; False is the linear model.
    resolution : float
        Cells per standard deviation of the narrowest peak; the error of a time step follows it.
    profile_times : sequence of float
        Times at which c(x) and q(x) are wanted [s].
    estimate_error : bool
        Whether to solve on a coarser grid as well and to compare.

    Raises
    ------
    InputError
        If there is no component, a component lacks what the equations need, or the times do not increase.
    SolverError
        If a peak or front stays unresolved on the finest grid, or mass is lost.

    Notes
    -----
    Finite volumes of order 5 in the transit time of the gas, Rodas5P in time (order 5, stiff sorption implicit, steps
    by their embedded error), on the part of the column where there is anything. Components that share no sites are
    solved one by one. A pulse enters as a rectangle of 1/50 of the narrowest peak's standard deviation, around t = 0.
    """
    wanted = _checked(system, times, profile_times, resolution)
    cases = cases_of(system, flow_of(system, velocity_model), diffusion, competition)
    return _joined([_solve_case(case, wanted, resolution, tuple(profile_times), estimate_error) for case in cases])


def _checked(system: System, times: ArrayLike, profile_times: Sequence[float], resolution: float) -> Array:
    wanted = np.asarray(times, dtype=np.float64)
    if not system.components:
        raise InputError(system.source, "there is no [[component]] to solve for")
    if wanted.ndim != 1 or not np.isfinite(wanted).all() or (np.diff(wanted) <= 0).any():
        raise InputError(system.source, "the times must be finite and increase")
    if not all(np.isfinite(time) and time >= 0 for time in profile_times):
        raise InputError(system.source, f"profile times {list(profile_times)} must be finite and at least 0")
    if not (np.isfinite(resolution) and resolution >= LEAST_RESOLUTION):
        raise InputError("", f"resolution {resolution:g} is below {LEAST_RESOLUTION:g} cells per standard deviation")
    return wanted


def _solve_case(
    case: Case, times: Array, resolution: float, profile_times: tuple[float, ...], estimate_error: bool
) -> Solution:
    """Solve on finer and finer grids until the outlet is resolved, or until it is plain that it will not be."""
    before = np.inf
    for attempt in range(REFINEMENTS + 1):
        problem = _problem(case, resolution, REFINEMENT**attempt)
        run = march(problem, times, profile_times)
        # before a peak is out its height is not known: then what is expected is the measure
        apex = np.maximum(run.highest, EARLY * case.expected_flux)
        _refuse_jump(case, run, apex)
        unresolved = np.maximum(run.steepest / ROUGH, -run.lowest / NEGATIVE) / apex
        now = float(unresolved.max())
        if now <= 1:
            solution = _solution(case, problem, run, times, profile_times)
            if not estimate_error:
                return solution
            # whatever set the number of cells, this grid has fewer; it is not refined
            coarse = march(_problem(case, resolution, REFINEMENT**attempt / COARSENING), times)
            return replace(solution, error_estimate=_largest_change(run.outlet, coarse.outlet))
        if now * (now / before) ** (REFINEMENTS - attempt) > 1:
            break
        before = now
    name = case.names[int(np.argmax(unresolved))]
    raise SolverError(
        f"component {name}: {problem.grid.cells} cells do not resolve the front at the outlet, nor will more"
    )


def _largest_change(outlet: Array, other: Array) -> Array:
    """Largest difference of each component over its apex, shape (m,), 0 where there is nothing."""
    apex = np.abs(outlet).max(axis=0, initial=0.0)
    difference = np.abs(outlet - other).max(axis=0, initial=0.0)
    change: Array = np.divide(difference, apex, out=np.zeros_like(apex), where=apex > 0)
    return change


def _refuse_jump(case: Case, run: Run, apex: Array) -> None:
    """Refuse a front that no grid resolves: what passes unretained jumps when a rectangle goes in."""
    jumps = (np.exp(-case.mean_adsorptions) > JUMP * apex) & (run.highest > 0)
    if not case.inlet.tail and jumps.any():
        worst = int(np.argmax(jumps))
        raise SolverError(
            f"component {case.names[worst]}: with {case.mean_adsorptions[worst]:.3g} adsorptions on average a part "
            "passes unretained, with a front that no grid resolves; give the injection a tail_s, or use another solver"
        )


def _problem(case: Case, resolution: float, refinement: float) -> Problem:
    dispersion = float(case.dispersion.max()) / case.flow.length
    if dispersion > MAX_DISPERSION:
        raise SolverError(
            f"D/(u L) = {dispersion:.2g} is above {MAX_DISPERSION:g}: diffusion is too strong for a column"
        )
    onset = 0.5 / float((case.adsorption + case.desorption).max())
    # a cell is σ(ϑ)/resolution wide, σ² = spreading (ϑ + onset)
    roots = (np.sqrt(case.flow.hold_up + onset) - np.sqrt(onset)) / np.sqrt(case.spreading)
    cells = int(np.ceil(max(2 * resolution * roots, MIN_CELLS) * refinement))
    if cells > MAX_CELLS:
        raise SolverError(f"component {case.names[0]}: {roots**2:.3g} plates need more than {MAX_CELLS} cells")
    grid = make_grid(case.flow, onset, cells)
    # a front that asks for finer cells does not ask for steps without end
    stepping = min(resolution * refinement, max(resolution, FINE_STEPS))
    taken = case.concentration / case.capacity
    occupancy = case.flow.inlet_velocity / grid.velocity[:, None] * taken if taken.any() else None
    return Problem(
        grid=grid,
        bands=transport_bands(grid, case.dispersion),
        outlet_value=outlet_value_weights(grid, case.dispersion),
        outlet_flux=outlet_flux_weights(grid, case.dispersion),
        kinetics=Kinetics(case.adsorption, case.desorption, occupancy),
        inlet=case.inlet,
        tolerance=STEP_ERROR * (RESOLUTION / stepping) ** 5 * min(1.0, 60 / float(roots)),
    )


def _solution(case: Case, problem: Problem, run: Run, times: Array, profile_times: tuple[float, ...]) -> Solution:
    if not run.balance.max() <= LOST:  # nor a balance that is no number
        worst = int(np.argmax(run.balance))
        raise SolverError(f"component {case.names[worst]}: {run.balance[worst]:.1e} of the injected amount is lost")
    count = len(case.names)
    return Solution(
        time=times,
        outlet=(run.outlet * case.concentration / case.flow.velocity_rise).T,
        mass_balance_error=run.balance,
        cells=np.full(count, problem.grid.cells),
        steps=np.full(count, run.steps),
        profiles=tuple(
            _profile(case, problem, values, time, index)
            for time, values in zip(sorted(set(profile_times)), run.snapshots, strict=True)
            for index in range(count)
        ),
    )


def _profile(case: Case, problem: Problem, values: Array, time: float, index: int) -> Profile:
    concentration = case.concentration[index] * case.flow.inlet_velocity / problem.grid.velocity
    return Profile(
        time=time,
        component=case.names[index],
        position=problem.grid.position,
        concentration=concentration * values[0, :, index],
        adsorbed=concentration * values[1, :, index] / case.phase_ratio,
    )


def _joined(parts: Sequence[Solution]) -> Solution:
    profiles = [profile for part in parts for profile in part.profiles]
    estimates = [part.error_estimate for part in parts if part.error_estimate is not None]
    return Solution(
        time=parts[0].time,
        outlet=np.concatenate([part.outlet for part in parts]),
        mass_balance_error=np.concatenate([part.mass_balance_error for part in parts]),
        cells=np.concatenate([part.cells for part in parts]),
        steps=np.concatenate([part.steps for part in parts]),
        error_estimate=np.concatenate(estimates) if estimates else None,
        profiles=tuple(sorted(profiles, key=lambda profile: profile.time)),
    )
