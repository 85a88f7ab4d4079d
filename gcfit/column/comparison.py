"""The solvers beside each other, on one column: what comes out, how far they differ, how long they take.

Each is run for both velocity models, with and without diffusion and with and without competition, as far as its
equations reach, and held against the most exact of those that solve the same equations.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from time import process_time
from typing import get_args

import numpy as np

from gcfit.chromatogram import Array
from gcfit.column import laplace
from gcfit.column.flow import flow_of
from gcfit.column.scales import inlet_concentration
from gcfit.column.solvers import (
    NUMERICAL,
    SOLVERS,
    Curves,
    Physics,
    Solve,
    Solver,
    finer,
    ideal,
    inverse_peclet,
    law_of,
)
from gcfit.column.system import Component, System, VelocityModel
from gcfit.errors import InputError, SolverError

POINTS_PER_SIGMA, REACH = 25, 12.0  # of the times at which a peak is compared: spacing, half-width in σ
SHARP, SIDE = 1e-3, 1e-9  # ratio of neighbouring steps at a jump; distance of its two points, of the time
FINER = 1.5  # where only the full equations reach, they are held against a grid finer by this factor
FINER_GRID = "numerical, finer grid"


@dataclass(frozen=True)
class Figures:
    """What a curve looks like, and how far it is from others.

    Parameters
    ----------
    retention_time_s, sigma_s : float
        Apex and standard deviation [s].
    area, height : float
        Area and apex [mol/m³ s and mol/m³, or signal units].
    difference, difference_l2 : float
        Largest difference from the reference over its apex; root of ∫difference² over that of ∫reference².
    effect : float
        Largest difference from the linear law without diffusion at the same velocity, over its apex: what diffusion
        and competition do.
    """

    retention_time_s: float
    sigma_s: float
    area: float
    height: float
    difference: float
    difference_l2: float
    effect: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """One component by one solver.

    Parameters
    ----------
    physics : Physics
        The equations.
    solver, component, reference : str
        Who, for what, and against whom ("" for the reference itself).
    seconds : float
        Time of the processor for the solution; for that of all components where they compete.
    figures : Figures or None
        None where there is no solution.
    mass_balance_error : float or None
        As the solver reports it, if it does.
    message : str
        Why there is no solution.
    time, curve, deviation : ndarray, shape (n,)
        Times [s], outlet concentration, and its difference from the reference over the apex of that; the last two
        are empty without a solution.
    """

    physics: Physics
    solver: str
    component: str
    reference: str
    seconds: float
    time: Array
    curve: Array
    deviation: Array
    figures: Figures | None = None
    mass_balance_error: float | None = None
    message: str = ""


@dataclass(frozen=True, eq=False)
class _Answer:
    """A solver's curves, or why there are none, and its time [s]."""

    curves: Curves | None
    seconds: float
    message: str = ""


def compare(system: System, *, solvers: Mapping[str, Solver] | None = None) -> Iterator[Comparison]:
    """Run the solvers over a system, for every set of equations that the system has coefficients for.

    Parameters
    ----------
    system : System
        Every component needs its two rates, and an area or an inlet concentration with an injection time; one of which
        nothing enters has no curve to compare and is left out.
    solvers : mapping of str to Solver, or None
        The most exact first; None takes `SOLVERS`.

    Yields
    ------
    Comparison
        As soon as it is known; by equations, then by component (or all that compete), then by solver.

    Raises
    ------
    InputError
        If there is no component, one lacks what the solvers need, or nothing enters of any.
    """
    if not system.components:
        raise InputError(system.source, "there is no [[component]] to solve for")
    entering = tuple(one for one in system.components if inlet_concentration(system, one, flow_of(system)))
    if not entering:
        raise InputError(system.source, "no [[component]] enters the column", remedy="give one an area above 0")
    system = replace(system, components=entering)
    _load()
    for physics in equations(system):
        groups = [system.components] if physics.competition else [(one,) for one in system.components]
        for group in groups:
            yield from _compare_group(replace(system, components=group), physics, solvers or SOLVERS)


def equations(system: System) -> list[Physics]:
    """Sets of equations that differ for this system, the simplest first."""
    diffusion = any(component.diffusion for component in system.components)
    competition = any(component.saturation for component in system.components)
    return [
        Physics(velocity, spread, shared)
        for shared, spread, velocity in product((False, True), (False, True), get_args(VelocityModel))
        if (diffusion or not spread) and (competition or not shared)
    ]


def worst(rows: Iterable[Comparison]) -> float:
    """Largest difference from a reference over its apex; infinite where a solver gave no solution or no number."""
    found = [row.figures.difference if row.figures else np.inf for row in rows]
    return max((one if np.isfinite(one) else np.inf for one in found), default=0.0)


def _compare_group(system: System, physics: Physics, solvers: Mapping[str, Solver]) -> Iterator[Comparison]:
    """Compare components that are solved together."""
    grids = [_times(system, component, physics) for component in system.components]
    time = np.unique(np.concatenate(grids))
    able = {name: solver.solve for name, solver in solvers.items() if solver.reaches(system, physics)}
    exact = next((name for name in able if name != NUMERICAL), FINER_GRID)
    reference = _answer(able.get(exact, finer(FINER)), system, time, physics)
    for name, solve in able.items():
        answer = reference if name == exact else _answer(solve, system, time, physics)
        for index, (component, grid) in enumerate(zip(system.components, grids, strict=True)):
            row = Comparison(
                physics=physics,
                solver=name,
                component=component.name,
                reference="" if name == exact else exact,
                seconds=answer.seconds,
                time=grid,
                curve=np.empty(0),
                deviation=np.empty(0),
                message=answer.message or (reference.message and f"{exact}: {reference.message}"),
            )
            if answer.curves is None or reference.curves is None:
                yield row
                continue
            at = np.searchsorted(time, grid)
            curve, against = answer.curves.outlet[index, at], reference.curves.outlet[index, at]
            balance = answer.curves.mass_balance
            yield replace(
                row,
                curve=curve,
                deviation=(curve - against) / np.abs(against).max(),
                figures=_figures(grid, curve, against, ideal(system, component, grid, physics.velocity)),
                mass_balance_error=None if balance is None else float(balance[index]),
            )


def _answer(solve: Solve, system: System, time: Array, physics: Physics) -> _Answer:
    begun = process_time()
    try:
        curves = solve(system, time, physics)
    except SolverError as error:
        return _Answer(None, process_time() - begun, str(error))
    return _Answer(curves, process_time() - begun)


def _figures(time: Array, curve: Array, reference: Array, ideal_curve: Array) -> Figures:
    """Figures of a curve, with the trapezoid rule."""
    steps = np.diff(time)
    weights = (np.append(steps, 0.0) + np.append(0.0, steps)) / 2
    area = float(weights @ curve)
    mean = float(weights @ (time * curve)) / area
    return Figures(
        retention_time_s=_apex(time, curve),
        sigma_s=float(np.sqrt(weights @ ((time - mean) ** 2 * curve) / area)),
        area=area,
        height=float(curve.max()),
        difference=_largest(curve - reference, reference),
        difference_l2=float(np.sqrt(weights @ (curve - reference) ** 2 / (weights @ reference**2))),
        effect=_largest(curve - ideal_curve, ideal_curve),
    )


def _largest(difference: Array, reference: Array) -> float:
    return float(np.abs(difference).max() / np.abs(reference).max())


def _apex(time: Array, curve: Array) -> float:
    """Vertex of the parabola through the highest point and its neighbours [s]; that point itself on a sharp front."""
    top = min(max(int(np.argmax(curve)), 1), curve.size - 2)
    left, middle, right = curve[top - 1 : top + 2]
    before, after = np.diff(time[top - 1 : top + 2])
    rise, fall = (middle - left) / before, (right - middle) / after
    if not fall < rise or min(before, after) < SHARP * max(before, after):
        return float(time[max(int(np.argmax(curve)), 1)])
    return float(time[top] - (rise * after + fall * before) / (fall - rise) / 2)


def _times(system: System, component: Component, physics: Physics) -> Array:
    """Equal steps over the whole peak [s]; from the hold-up time on where sites are shared: overload shifts peaks.

    Where fronts are sharp, since the injection or the tail is wide against the stays in the column, points are added.
    """
    law = law_of(system, component, physics.velocity)
    moments = laplace.moments(law)
    # 2 Pe_L⁻¹ mean² at constant velocity, at most 9/8 of it at variable velocity
    variance = moments.variance + 9 / 4 * inverse_peclet(system, component, physics) * moments.mean**2
    sigma = float(np.sqrt(variance))
    first = law.hold_up if physics.competition else max(law.hold_up, moments.mean - REACH * sigma)
    last = moments.mean + REACH * sigma
    equal = np.linspace(first, last, int(np.ceil((last - first) / sigma * POINTS_PER_SIGMA)) + 1)
    kinetic = np.sqrt(2 * law.n) / law.desorption_rate
    return equal if law.n >= laplace.LEAST_N and kinetic > sigma / 4 else np.union1d(equal, _front_times(law))


def _front_times(law: laplace.Law) -> Array:
    """Times [s] that follow a curve's steps: the stays in the column and the tail, from both ends of the injection.

    What passes unretained jumps at the hold-up time and falls at the end of the injection: a point on either side.
    """
    far = laplace.TAIL_STANDARD
    roots = np.arange(max(-np.sqrt(law.n), -far), far, 1 / POINTS_PER_SIGMA)
    stays = (np.sqrt(law.n) + roots) ** 2 / law.desorption_rate
    tail = np.arange(0.0, laplace.LOG_EPSILON, 1 / POINTS_PER_SIGMA) * law.tail
    side = SIDE * (law.hold_up + law.duration)
    delays = np.concatenate([[-side, side], side + stays, side + tail])
    return np.concatenate([law.hold_up + delays, law.hold_up + law.duration + delays])


def _load() -> None:
    """Import what the solvers import when first called: their seconds shall be those of the solution."""
    import scipy.integrate
    import scipy.linalg
    import scipy.special
    import scipy.stats  # noqa: F401
