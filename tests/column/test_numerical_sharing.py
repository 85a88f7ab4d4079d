"""Limited sites: Thomas' closed form, competition against a method of lines, displacement, conservation."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.sparse import csr_array

from gcfit.chromatogram import Array
from gcfit.column.flow import flow_of
from gcfit.column.numerical import solve
from gcfit.column.system import Carrier, Column, Component, Injection, System
from tests.column.paper import DERIVED, PAIRS, PHASE_RATIO, btex, sharing, thomas


@pytest.mark.parametrize("loading", [0.5, 2.0, 5.0])
def test_thomas_closed_form(loading: float) -> None:
    """Constant velocity, narrow pulse: asked 5e-3 of the apex; β = k_a ∫c dt/q_max (DESIGN section 3)."""
    k_a, k_d, *_ = PAIRS["benzene"]
    hold_up, duration, entering = 20 / 0.41, 0.01, 1e-6
    component = Component("x", k_a, k_d, saturation=k_a * entering * duration / loading, inlet_concentration=entering)
    system = replace(btex(velocity="constant"), components=(component,), injection=Injection(duration))
    time = np.linspace(hold_up + 1, hold_up + 170, 1501)
    curve = solve(system, time).outlet[0]
    visits = PHASE_RATIO * k_a * hold_up
    # the pulse is centred half its duration after the start
    expected = entering * duration * thomas(time - duration / 2, hold_up, visits, k_d, loading)
    assert np.abs(curve - expected).max() < 2e-3 * expected.max()
    assert np.trapezoid(curve, time) == pytest.approx(entering * duration, rel=1e-5)
    # the load moves the apex by more than the error could: the linear law is far off
    assert np.abs(curve - thomas(time, hold_up, visits, k_d, 1e-9) * entering * duration).max() > 0.05 * curve.max()


def retention(time: Array, curves: Array) -> Array:
    """Apex times by the parabola through the highest three points, shape (m,)."""
    tops = curves.argmax(axis=1)
    left, middle, right = (np.take_along_axis(curves, tops[:, None] + d, 1)[:, 0] for d in (-1, 0, 1))
    return time[tops] + (time[1] - time[0]) * 0.5 * (left - right) / (left - 2 * middle + right)


def test_ample_sites_change_next_to_nothing() -> None:
    """The paper's concentrations, q_max four orders above the equilibrium loading: peaks move by less than 1e-4."""
    system, time = btex(), np.linspace(60.0, 660.0, 6001)
    free = solve(system, time, diffusion=False)
    shared = solve(sharing(system, 1e4), time, diffusion=False)
    moved = retention(time, shared.outlet) / retention(time, free.outlet) - 1
    assert np.abs(moved).max() < 1e-4
    assert shared.mass_balance_error.max() < 1e-10
    areas = np.trapezoid(shared.outlet, time)
    np.testing.assert_allclose(areas, [PAIRS[name][2] * 4 / 3.9585390 for name in PAIRS], rtol=1e-4)


def test_without_competition_the_sites_do_not_count() -> None:
    system, time = sharing(btex("benzene"), 2.0), np.linspace(60.0, 180.0, 241)
    linear = solve(system, time, competition=False)
    np.testing.assert_array_equal(linear.outlet, solve(btex("benzene"), time).outlet)
    assert np.abs(solve(system, time).outlet - linear.outlet).max() > 0.1 * linear.outlet.max()


def test_a_component_without_a_limit_is_hindered_but_does_not_hinder() -> None:
    system, time = btex("ethylbenzene", "p,m-xylene"), np.linspace(350.0, 560.0, 2101)
    limited = sharing(system, 20.0).components
    only_second = replace(system, components=(system.components[0], limited[1]))
    curves, free = solve(only_second, time).outlet, solve(system, time).outlet
    alone = solve(replace(system, components=(limited[1],)), time).outlet[0]
    assert np.abs(curves[1] - alone).max() < 2e-3 * alone.max()
    assert retention(time, curves)[0] < retention(time, free)[0] - 0.5


def test_displacement() -> None:
    """A load of strongly held p,m-xylene pushes ethylbenzene out earlier and makes it narrower and higher."""
    pair, time = btex("ethylbenzene", "p,m-xylene"), np.linspace(300.0, 560.0, 2601)
    system = sharing(pair, 4.0)
    together = solve(system, time)
    alone = [solve(replace(system, components=(one,)), time).outlet[0] for one in system.components]
    apexes = retention(time, together.outlet), retention(time, np.array(alone))
    assert apexes[0][0] < apexes[1][0] - 5
    assert together.outlet[0].max() > 1.1 * alone[0].max()
    assert together.mass_balance_error.max() < 1e-10
    for curve, component in zip(together.outlet, system.components, strict=True):
        area = component.inlet_concentration * 4 / 3.9585390
        assert np.trapezoid(curve, time) == pytest.approx(area, rel=1e-4)
        assert curve.min() > -1e-3 * curve.max()


def lines(system: System, time: Array, cells: int) -> Array:
    """Outlet of the equations of DESIGN section 2 as they stand: c and q on equal cells in x, BDF in time.

    Second-order upwind-biased fluxes (third order inside), central diffusion, everything in one sparse system.
    """
    flow, count, alpha = flow_of(system), len(system.components), system.column.phase_ratio
    width = flow.length / cells
    faces = flow.velocity(np.linspace(0, flow.length, cells + 1))
    k_a, k_d, q_max, entering, diffusion = (
        np.array([getattr(one, field) for one in system.components])[:, None]
        for field in ("adsorption_rate", "desorption_rate", "saturation", "inlet_concentration", "diffusion")
    )

    def slope(t: float, state: Array) -> Array:
        c, q = state.reshape(2, count, cells)
        flux = np.empty((count, cells + 1))
        flux[:, 0] = faces[0] * entering[:, 0] * (t < system.injection.duration)
        padded = np.concatenate([c[:, :1], c], axis=1)
        at_face = (-padded[:, :-2] + 5 * padded[:, 1:-1] + 2 * padded[:, 2:]) / 6
        flux[:, 1:-1] = faces[1:-1] * at_face
        flux[:, 1:-1] -= diffusion * faces[1:-1] / faces[0] * np.diff(c, axis=1) / width
        flux[:, -1] = faces[-1] * (1.5 * c[:, -1] - 0.5 * c[:, -2])
        dq = k_a * c * (1 - (q / q_max).sum(axis=0)) - k_d * q
        return np.stack([-np.diff(flux, axis=1) / width - alpha * dq, dq]).ravel()

    index = np.arange(2 * count * cells).reshape(2, count, cells)
    near = [
        (index[0, :, max(0, -d) : cells - max(0, d)], index[0, :, max(0, d) : cells - max(0, -d)]) for d in range(-2, 2)
    ]
    local = [(index[a, i], index[b, j]) for a in (0, 1) for b in (0, 1) for i in range(count) for j in range(count)]
    rows, columns = (np.concatenate([pair[k].ravel() for pair in near + local]) for k in (0, 1))
    pattern = csr_array((np.ones(rows.size), (rows, columns)), shape=(index.size, index.size))
    state, curves = np.zeros(index.size), []
    ends = (0.0, system.injection.duration, float(time[-1]))
    for start, end in pairwise(ends):
        wanted = time[(time > start) & (time <= end)]
        path = solve_ivp(
            slope, (start + 1e-12, end - 1e-12), state, "BDF", np.append(wanted[:-1], end - 1e-12),
            rtol=1e-6, atol=1e-9 * entering.max(), jac_sparsity=pattern,
        )  # fmt: skip
        state = path.y[:, -1]
        last = path.y[: count * cells].reshape(count, cells, -1)[:, -2:]
        curves.append(1.5 * last[:, 1] - 0.5 * last[:, 0])
    return np.concatenate(curves, axis=1)


@pytest.mark.slow
def test_competition_with_diffusion_and_expanding_gas_against_a_method_of_lines() -> None:
    """Two components that take a third of the sites, few plates; the reference is extrapolated from two grids."""
    first = Component("first", 60.0, 4.0, saturation=2.5, inlet_concentration=0.05, diffusion=4e-4)
    second = Component("second", 80.0, 3.0, saturation=2.5, inlet_concentration=0.03, diffusion=3e-4)
    column, carrier = Column(10.0, 1e-4, 5e-6), Carrier(2.5e5, 1e5, inlet_velocity=0.5)
    system = System(column, carrier, Injection(3.0), components=(first, second))
    time = np.concatenate([[1.0, 3.0], np.arange(4.0, 90.0, 0.5)])
    coarse, fine = lines(system, time, 300), lines(system, time, 600)
    reference = fine + (fine - coarse) / 3
    solution = solve(system, time)
    apex = reference.max(axis=1)
    converged = np.abs(fine - coarse).max(axis=1) / apex
    assert converged.max() < 5e-3  # the reference itself is good to a third of that
    assert (np.abs(solution.outlet - reference).max(axis=1) / apex).max() < 1.5e-3
    free = solve(system, time, competition=False).outlet
    assert (np.abs(free - reference).max(axis=1) / apex).min() > 0.1


def test_profiles_of_shared_sites_stay_below_their_limit() -> None:
    """Σ q/q_max is the share of sites taken: between 0 and 1, and near its equilibrium at the inlet."""
    system = sharing(btex("benzene", "toluene"), 1.0)
    profiles = solve(system, [], profile_times=(3.9,), diffusion=False).profiles
    taken = sum(p.adsorbed / one.saturation for p, one in zip(profiles, system.components, strict=True))
    # at the inlet c = c_0: Σ K c_0/q_max = 2, so 2/3 of the sites are taken
    assert taken[5:20] == pytest.approx(2 / 3, abs=0.01)
    assert taken.min() > -1e-3
    assert taken.max() < 1


def test_means_of_unloaded_components_do_not_depend_on_the_joint_solution() -> None:
    """One grid for all five, q_max seven orders above: the means of FACTS to 1e-3 s."""
    time = np.linspace(60.0, 680.0, 12401)
    curves = solve(sharing(btex(), 1e7), time, diffusion=False).outlet
    means = (curves @ time) / curves.sum(axis=1)
    np.testing.assert_allclose(means, [DERIVED[name][1] for name in PAIRS], atol=1e-3)


@pytest.mark.parametrize("sites", [0.06, 0.01])
def test_the_error_estimate_holds_where_cells_are_not_set_by_the_resolution(sites: float) -> None:
    """Few plates take the least number of cells, sharp fronts more than was asked for; a finer grid tells."""
    system = System(
        Column(5.0, 9e-5, 1e-6),
        Carrier(4.01e5, 1.013e5, inlet_velocity=0.41),
        Injection(4.0),
        components=(
            Component("a", 60.0, 2.0, inlet_concentration=1e-3, saturation=sites),
            Component("b", 120.0, 2.5, inlet_concentration=2e-3, saturation=2.5 * sites),
        ),
    )
    time = np.linspace(0.1, 30.0, 300)
    solution, fine = solve(system, time, estimate_error=True), solve(system, time, resolution=24.0)
    assert solution.error_estimate is not None
    for index in range(2):
        error = np.abs(solution.outlet[index] - fine.outlet[index]).max() / fine.outlet[index].max()
        assert 0.5 * error < solution.error_estimate[index] < 50 * error
