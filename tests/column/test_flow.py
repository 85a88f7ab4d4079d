"""Pressure, velocity and hold-up time against the paper's numbers, the differential equation and limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp

from gcfit.column.flow import Flow, flow_of, james_martin_factor, poiseuille_inlet_velocity, transit_length
from gcfit.column.system import Carrier, Column, System
from gcfit.errors import InputError
from tests.column.paper import CONSTANT_HOLD_UP, HOLD_UP, RISE, btex

PRESSURES = st.floats(1.0001, 50.0)


def test_the_papers_run() -> None:
    # [calc] of FACTS: ω/L, t_M, t_M at constant velocity, û
    flow = flow_of(btex())
    assert transit_length(20, flow.pressure_ratio, "variable") / 20 == pytest.approx(0.70063076, abs=5e-9)
    assert flow.hold_up == pytest.approx(HOLD_UP, abs=5e-7)
    assert flow.velocity_rise == pytest.approx(RISE, abs=5e-8)
    constant = flow_of(btex(), "constant")
    assert constant.hold_up == pytest.approx(CONSTANT_HOLD_UP, abs=5e-7)
    assert constant.velocity_rise == 1


def test_poiseuille_gives_the_papers_velocity() -> None:
    # FACTS: "Poiseuille gives 0.4132" m/s for the paper's 0.41
    assert poiseuille_inlet_velocity(9e-5, 20, 4.01e5, 1.013e5, 2.3e-5) == pytest.approx(0.4132, abs=5e-5)
    system = System(Column(20, 9e-5, 1e-6), Carrier(4.01e5, 1.013e5, viscosity=2.3e-5))
    assert flow_of(system).inlet_velocity == pytest.approx(0.4132, abs=5e-5)


def test_flow_rates_of_the_paper() -> None:
    # Q_0 = 1e-8 m³/s at the inlet is 2.5 mL/min at the outlet; 0.41 m/s through 0.18 mm gives both to 5 %
    flow = flow_of(btex())
    area = np.pi * 9e-5**2
    assert float(flow.velocity(0)) * area == pytest.approx(1.0e-8, rel=0.05)
    assert float(flow.velocity(20)) * area * 60e6 == pytest.approx(2.5, rel=0.05)


def test_a_realistic_helium_run() -> None:
    """30 m x 0.25 mm, 59.6 °C, 100 kPa gauge: hold-up 102.0 s (FACTS), from viscosity and pressures alone."""
    viscosity = 18.63e-6 * (332.75 / 273.15) ** (0.6958 - 0.0071 * 59.6 / 273.15)
    system = System(Column(30, 1.25e-4, 2.5e-7), Carrier(2.01325e5, 1.01325e5, viscosity=viscosity))
    assert flow_of(system).hold_up == pytest.approx(102.0, rel=5e-3)


@given(PRESSURES)
def test_hold_up_is_the_integral_of_the_slowness(inlet: float) -> None:
    flow = Flow(20.0, inlet * 1e5, 1e5, 0.3, "variable")
    slowness, _ = quad(lambda x: 1 / float(flow.velocity(x)), 0, 20, epsabs=0, epsrel=1e-11)
    assert flow.hold_up == pytest.approx(slowness, rel=1e-9)


@given(PRESSURES)
def test_james_and_martin_agree_with_the_transit_length(inlet: float) -> None:
    """t_M = L/(j u_outlet) with j = (3/2)(P'² - 1)/(P'³ - 1)."""
    flow = Flow(20.0, inlet * 1e5, 1e5, 0.3, "variable")
    factor = james_martin_factor(flow.pressure_ratio)
    assert factor == pytest.approx(1.5 * (inlet**2 - 1) / (inlet**3 - 1), rel=1e-10)
    assert flow.hold_up == pytest.approx(20 / (factor * float(flow.velocity(20))), rel=1e-12)


def test_pressure_solves_the_flow_equations() -> None:
    """p u constant with u = -(R²/8μ) dp/dx: integrate p from the inlet and arrive at the outlet pressure."""
    flow = flow_of(System(Column(20, 9e-5, 1e-6), Carrier(4.01e5, 1.013e5, viscosity=2.3e-5)))
    conductance = 9e-5**2 / (8 * 2.3e-5)
    throughput = flow.inlet_pressure * flow.inlet_velocity
    grid = np.linspace(0, 20, 9)
    path = solve_ivp(lambda x, p: -throughput / p / conductance, (0, 20), [4.01e5], t_eval=grid, rtol=1e-11, atol=1e-6)
    np.testing.assert_allclose(flow.pressure(grid), path.y[0], rtol=1e-7)
    np.testing.assert_allclose(flow.pressure(grid) * flow.velocity(grid), throughput, rtol=1e-14)
    assert float(flow.pressure(20)) == pytest.approx(1.013e5, rel=1e-12)


def test_small_pressure_drop_is_the_constant_velocity() -> None:
    assert transit_length(20, 1 - 1e-12, "variable") == pytest.approx(20, rel=1e-11)
    flow = Flow(20.0, 1e5, 1e5 * (1 - 1e-9), 0.3, "constant")
    np.testing.assert_array_equal(flow.velocity([0.0, 10.0, 20.0]), 0.3)


def test_a_given_hold_up_sets_the_velocity_of_the_files_own_model() -> None:
    carrier = Carrier(4.01e5, 1.013e5, hold_up=HOLD_UP)
    system = System(Column(20, 9e-5, 1e-6), carrier)
    assert flow_of(system).hold_up == pytest.approx(HOLD_UP, rel=1e-14)
    assert flow_of(system).inlet_velocity == pytest.approx(0.41, rel=1e-7)
    # the same gas, seen by the other model: the velocity stays, the hold-up changes
    assert flow_of(system, "constant").inlet_velocity == flow_of(system).inlet_velocity
    assert flow_of(system, "constant").hold_up == pytest.approx(CONSTANT_HOLD_UP, rel=1e-7)


def test_nothing_tells_the_velocity() -> None:
    system = System(Column(20, 9e-5, 1e-6), Carrier(4.01e5, 1.013e5), source="a.toml")
    with pytest.raises(InputError, match=r"^a\.toml: \[carrier\]: nothing tells the velocity of the gas$"):
        flow_of(system)
