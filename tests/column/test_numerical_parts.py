"""The parts of the numerical solver: time stepping, transport operator, stage kinetics."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from gcfit.chromatogram import Array
from gcfit.column.flow import Flow, flow_of
from gcfit.column.numerical import march, rosenbrock, solve
from gcfit.column.numerical.grid import (
    LOWER,
    UPPER,
    make_grid,
    outlet_flux_weights,
    outlet_value_weights,
    position_at_transit,
    transport_bands,
    velocity_at_transit,
)
from gcfit.column.numerical.kinetics import Inlet, Kinetics, stage_kinetics
from gcfit.column.numerical.step import Problem, stages_of_step
from tests.column.paper import btex

FLOW = flow_of(btex())


def brusselator(y: Array) -> Array:
    return np.array([1 + y[0] ** 2 * y[1] - 4 * y[0], 3 * y[0] - y[0] ** 2 * y[1]])


def brusselator_slope(y: Array) -> Array:
    return np.array([[2 * y[0] * y[1] - 4, y[0] ** 2], [3 - 2 * y[0] * y[1], -(y[0] ** 2)]])


def dense_step(y: Array, size: float) -> Array:
    """Stages of one step with full matrices, written from the formula in the module's docstring."""
    matrix = np.eye(y.size) / (rosenbrock.GAMMA * size) - brusselator_slope(y)
    stages = np.zeros((rosenbrock.STAGES, y.size))
    for i in range(rosenbrock.STAGES):
        right = brusselator(y + rosenbrock.A[i] @ stages) + rosenbrock.C[i] @ stages / size
        stages[i] = np.linalg.solve(matrix, right)
    return stages


def test_rodas5p_has_order_five_and_its_estimate_order_four() -> None:
    start = np.array([1.5, 3.0])
    truth = solve_ivp(lambda t, y: brusselator(y), (0, 1), start, "DOP853", rtol=1e-13, atol=1e-14).y[:, -1]
    errors, estimates = [], []
    for steps in (10, 20, 40):
        y = start
        for _ in range(steps):
            stages = dense_step(y, 1 / steps)
            y = y + rosenbrock.B @ stages
        errors.append(np.abs(y - truth).max())
        estimates.append(np.abs(stages[-1]).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders == pytest.approx(5, abs=0.5)
    assert np.log2(estimates[1] / estimates[2]) == pytest.approx(rosenbrock.EMBEDDED_ORDER + 1, abs=0.5)


def test_dense_output_and_integral_within_a_step() -> None:
    start, size = np.array([1.5, 3.0]), 0.1
    path = solve_ivp(lambda t, y: brusselator(y), (0, size), start, "DOP853", dense_output=True, rtol=1e-13, atol=1e-14)
    stages = dense_step(start, size)
    part = np.array([0.0, 0.2, 0.5, 0.9, 1.0])
    inside = rosenbrock.dense(part, start, start + rosenbrock.B @ stages, stages)
    np.testing.assert_allclose(inside, path.sol(part * size).T, atol=2e-5)
    np.testing.assert_allclose(inside[[0, -1]], [start, start + rosenbrock.B @ stages], rtol=1e-14)
    # ∫y dt by the stages: as the sum of a third state y' = φ would be, to order five
    total = size * rosenbrock.INTEGRAL @ (start + rosenbrock.STATES @ stages)
    expected = [quad(lambda t, i=i: path.sol(t)[i], 0, size)[0] for i in range(2)]
    np.testing.assert_allclose(total, expected, rtol=1e-5)


def test_stability_at_infinity() -> None:
    """L-stable: a stiff component is gone after one step."""
    stages = np.zeros(rosenbrock.STAGES)
    for i in range(rosenbrock.STAGES):
        rate = -1e12
        stages[i] = (rate * (1 + rosenbrock.A[i] @ stages) + rosenbrock.C[i] @ stages) / (1 / rosenbrock.GAMMA - rate)
    assert abs(1 + rosenbrock.B @ stages) < 1e-8


def test_places_and_velocities_in_transit_time() -> None:
    """ϑ = ∫dx/u, integrated."""
    x = position_at_transit(FLOW, [0.0, 10.0, 30.0, FLOW.hold_up])
    assert x[[0, -1]] == pytest.approx([0, 20], rel=1e-12)
    for place, transit in zip(x, (0.0, 10.0, 30.0, FLOW.hold_up), strict=True):
        assert quad(lambda x: 1 / float(FLOW.velocity(x)), 0, place)[0] == pytest.approx(transit, rel=1e-9)
    np.testing.assert_allclose(velocity_at_transit(FLOW, [0.0, 10.0, 30.0]), FLOW.velocity(x[:3]), rtol=1e-12)
    constant = Flow(20.0, 4e5, 1e5, 0.5, "constant")
    np.testing.assert_allclose(position_at_transit(constant, [0.0, 4.0]), [0, 2])
    np.testing.assert_allclose(velocity_at_transit(constant, [0.0, 4.0]), 0.5)


def dense_operator(bands: Array) -> Array:
    """The full matrix of one component's band matrix."""
    size = bands.shape[1]
    matrix = np.zeros((size, size))
    for row in range(size):
        for column in range(max(0, row - LOWER), min(size, row + UPPER + 1)):
            matrix[row, column] = bands[UPPER + row - column, column]
    return matrix


@pytest.mark.parametrize("dispersion", [0.0, 0.02])
def test_transport_conserves_mass(dispersion: float) -> None:
    """What the cells lose together is what passes the outlet: the column sums telescope."""
    grid = make_grid(FLOW, 0.05, 60)
    operator = dense_operator(transport_bands(grid, np.array([dispersion])))
    flux = np.random.default_rng(3).normal(size=60)
    lost = grid.widths @ (operator @ flux)
    assert lost == pytest.approx(float(outlet_flux_weights(grid, np.array([dispersion]))[:, 0] @ flux[-5:]), rel=1e-10)


@pytest.mark.parametrize("dispersion", [0.0, 0.02])
def test_transport_of_a_smooth_flux_converges(dispersion: float) -> None:
    """∂/∂ϑ (F - δ ∂(F/u)/∂ϑ) of a Gaussian, derivatives by hand."""
    errors = []
    for cells in (100, 200, 400):
        grid = make_grid(FLOW, 5.0, cells)
        place = np.interp(grid.position, *_transit_table())
        operator = dense_operator(transport_bands(grid, np.array([dispersion])))
        errors.append(np.abs(operator @ _bell(place) - _bell_slope(place, dispersion)).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (orders > (4.5 if dispersion == 0 else 2.5)).all()
    assert errors[-1] < 1e-5


def test_transport_of_a_straight_flux_is_exact_in_every_cell() -> None:
    """F equal to the cell's number, nothing fed: every difference between faces is one, at inlet and outlet too."""
    grid = make_grid(FLOW, 0.05, 60)
    operator = dense_operator(transport_bands(grid, np.zeros(1)))
    np.testing.assert_allclose(grid.widths * (operator @ (np.arange(60) + 0.5)), 1, rtol=1e-11)


def test_the_window_reaches_as_far_as_a_step_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window twice as far changes nothing but rounding."""
    system, time = btex("benzene"), np.linspace(80.0, 160.0, 161)
    near = solve(system, time).outlet[0]
    monkeypatch.setattr(march, "REACH", 2 * march.REACH)
    far = solve(system, time).outlet[0]
    np.testing.assert_allclose(near, far, atol=1e-13 * far.max())


def _transit_table() -> tuple[Array, Array]:
    transit = np.linspace(0, FLOW.hold_up, 2_000_001)
    return position_at_transit(FLOW, transit), transit


def _bell(place: Array) -> Array:
    return np.exp(-((place - 17) ** 2) / 8)


def _bell_slope(place: Array, dispersion: float) -> Array:
    """By sixth-order differences of the smooth formula, far finer than the grid."""

    def total(at: Array) -> Array:
        step = 1e-2
        concentration = [_bell(at + k * step) / velocity_at_transit(FLOW, at + k * step) for k in (-3, -2, -1, 1, 2, 3)]
        weights = np.array([-1, 9, -45, 45, -9, 1]) / (60 * step)
        return _bell(at) - dispersion * np.tensordot(weights, np.array(concentration), 1)

    step, weights = 1e-2, np.array([-1, 9, -45, 45, -9, 1])
    return np.tensordot(weights / (60 * step), np.array([total(place + k * step) for k in (-3, -2, -1, 1, 2, 3)]), 1)


def test_outlet_weights_are_exact_for_polynomials() -> None:
    """Value at the outlet of quartics in the cell number; with diffusion u (c - d c' - d² c'') of F = u c."""
    grid = make_grid(Flow(20.0, 4e5, 1e5, 0.5, "constant"), 50.0, 80)
    offsets = np.array([-4.5, -3.5, -2.5, -1.5, -0.5])
    plain = outlet_value_weights(grid, np.array([0.0]))[:, 0]
    for power in range(5):
        assert plain @ offsets**power == pytest.approx(float(power == 0), abs=1e-12)
    layer = 0.01 / (0.5 * grid.face_widths[-1])
    spread = outlet_value_weights(grid, np.array([0.01]))[:, 0]
    assert spread @ offsets == pytest.approx(-layer, rel=1e-10)
    assert spread @ offsets**2 == pytest.approx(-2 * layer**2, rel=1e-8)


@pytest.mark.parametrize("limited", [False, True])
def test_stage_kinetics_against_full_matrices(limited: bool) -> None:
    """(1/(γh) I - J) of the kinetics alone, cell by cell, with J by differences."""
    rng = np.random.default_rng(7)
    occupancy = rng.uniform(0.1, 0.4, (4, 3)) if limited else None
    kinetics = Kinetics(np.array([12.0, 30.0, 200.0]), np.array([5.0, 1.0, 9.0]), occupancy)
    flux, loading, shift = rng.uniform(0, 1, (4, 3)), rng.uniform(0, 0.5, (4, 3)), 17.0
    part = stage_kinetics(kinetics, flux, loading, shift)
    right, change = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    solved = part.solve(right + part.forward * change)
    for cell in range(4):
        one = kinetics.within(cell, cell + 1)

        def slope(which: int, one: Kinetics = one, cell: int = cell) -> Array:
            columns = []
            for j in range(3):
                bump = np.zeros((2, 1, 3))
                bump[which, 0, j] = 1e-4
                up, down = (one.rate(*(np.stack([flux[[cell]], loading[[cell]]]) + s * bump)) for s in (1, -1))
                columns.append((up - down)[0] / 2e-4)
            return np.array(columns).T

        expected = np.linalg.solve(shift * np.eye(3) - slope(1), right[cell] + slope(0) @ change[cell])
        np.testing.assert_allclose(solved[cell], expected, rtol=1e-7)


@pytest.mark.parametrize("limited", [False, True])
def test_stages_against_full_matrices(limited: bool) -> None:
    """One step of the banded, eliminated system is one step with dense matrices in F + Q and Q."""
    cells, count, size = 24, 2, 0.3
    rng = np.random.default_rng(5)
    grid, dispersions = make_grid(FLOW, 0.5, cells), np.array([0.01, 0.03])
    bands = transport_bands(grid, dispersions)
    occupancy = rng.uniform(0.05, 0.3, (cells, count)) if limited else None
    kinetics = Kinetics(np.array([3.0, 8.0]), np.array([1.0, 2.0]), occupancy)
    weights = outlet_value_weights(grid, dispersions), outlet_flux_weights(grid, dispersions)
    problem = Problem(grid, bands, *weights, kinetics, Inlet(0.0, 4.0), 1e-4)
    values, feed = rng.uniform(0, 1, (2, cells, count)), np.full(rosenbrock.STAGES, 1.0)
    transport = np.zeros((cells * count, cells * count))
    for component, dispersion in enumerate(dispersions):
        one = dense_operator(transport_bands(grid, np.array([dispersion])))
        transport[component::count, component::count] = one

    def slope(state: Array) -> Array:
        flux, loading = state.reshape(2, cells, count)
        change = kinetics.rate(flux, loading)
        total = -(transport @ flux.ravel()).reshape(cells, count)
        total[0] += 1.0 / grid.widths[0]
        return np.stack([total - change, change]).ravel()

    state = values.ravel()
    jacobian = np.empty((state.size, state.size))
    for j in range(state.size):
        bump = np.zeros(state.size)
        bump[j] = 1e-4
        jacobian[:, j] = (slope(state + bump) - slope(state - bump)) / 2e-4  # exact: the rates are quadratic
    matrix, expected = np.eye(state.size) / (rosenbrock.GAMMA * size) - jacobian, np.zeros((8, state.size))
    for i in range(8):
        right = slope(state + rosenbrock.A[i] @ expected) + rosenbrock.C[i] @ expected / size
        expected[i] = np.linalg.solve(matrix, right)
    stages = stages_of_step(problem, values, feed, size, (0, cells))
    np.testing.assert_allclose(stages.reshape(8, -1), expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


def test_a_window_gives_what_the_whole_grid_gives() -> None:
    """Where the rest of the column is empty, solving a part of it is enough."""
    grid = make_grid(FLOW, 0.05, 200)
    none = np.zeros(1)
    kinetics = Kinetics(np.array([13.0]), np.array([5.3]), None)
    weights = outlet_value_weights(grid, none), outlet_flux_weights(grid, none)
    problem = Problem(grid, transport_bands(grid, none), *weights, kinetics, Inlet(0.0, 4.0), 1e-4)
    values = np.zeros((2, 200, 1))
    values[:, 90:110, 0] = np.hanning(20)
    feed = np.zeros(rosenbrock.STAGES)
    whole = stages_of_step(problem, values, feed, 0.05, (0, 200))
    part = stages_of_step(problem, values, feed, 0.05, (60, 180))
    np.testing.assert_allclose(part, whole[:, :, 60:180], atol=1e-9 * np.abs(whole).max())


@pytest.mark.parametrize("tail", [0.0, 0.7])
def test_inlet_keeps_the_mass(tail: float) -> None:
    inlet = Inlet(-0.5, 3.5, tail)
    assert [inlet.injected(t) for t in (-1.0, -0.5, 1.5, 3.5, 9.0)] == [0, 0, 2, 4, 4]
    mixed = 0.0
    for start in np.arange(-0.5, 3.5, 0.25):
        mixed += float(rosenbrock.B @ inlet.stages(mixed, float(start), 0.25))
    # the mixed volume fills as 1 - e^(-t/τ)
    assert mixed == pytest.approx(-np.expm1(-4 / tail) if tail else 0.0, rel=1e-6)
