"""The comparison of solvers: its figures against closed forms and hand-made curves, its roads, its failures."""

from dataclasses import replace

import numpy as np
import pytest

from gcfit.chromatogram import Array
from gcfit.column.comparison import FINER_GRID, Comparison, compare, equations, worst
from gcfit.column.scales import table
from gcfit.column.simulate import simulate
from gcfit.column.solvers import SOLVERS, Curves, Physics, Solver
from gcfit.column.system import Component, Detector, System
from gcfit.errors import InputError, SolverError
from tests.column.paper import (
    CONSTANT_HOLD_UP,
    DERIVED,
    HOLD_UP,
    PAIRS,
    PHASE_RATIO,
    RISE,
    btex,
    not_yet,
    rectangle,
    sharing,
)

PLAIN = Physics("variable")
QUICK = {name: solver for name, solver in SOLVERS.items() if name != "quadrature, double"}


def bare(*names: str) -> System:
    """Components without diffusion."""
    system = btex(*names)
    return replace(system, components=tuple(replace(one, diffusion=None) for one in system.components))


def picked(rows: list[Comparison], solver: str, physics: Physics = PLAIN) -> list[Comparison]:
    return [row for row in rows if row.solver == solver and row.physics == physics]


@pytest.fixture(scope="module")
def benzene() -> list[Comparison]:
    return list(compare(btex("benzene")))


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_on_the_papers_equations(solver: str, benzene: list[Comparison]) -> None:
    """Figures against the moments of the linear law and the noncentral chi-square curve."""
    for velocity, hold_up, rise in (("variable", HOLD_UP, RISE), ("constant", CONSTANT_HOLD_UP, 1.0)):
        (row,) = picked(benzene, solver, Physics(velocity))  # type: ignore[arg-type]
        figures, loose = row.figures, 5e-4 if solver == "numerical" else 1e-6
        assert figures is not None
        visits = PHASE_RATIO * 579 * hold_up
        expected = 2.732e-6 * rectangle(row.time, hold_up, visits, 5.299, 4.0) / rise
        assert np.abs(row.curve - expected).max() < loose * expected.max()
        assert figures.sigma_s == pytest.approx(np.sqrt(2 * visits / 5.299**2 + 16 / 12), rel=loose)
        assert figures.area == pytest.approx(2.732e-6 * 4 / rise, rel=loose)
        assert figures.height == pytest.approx(expected.max(), rel=max(loose, 1e-5))
        assert row.seconds > 0
    assert (row.mass_balance_error is None) == (solver != "numerical")


def test_differences_are_those_of_the_curves(benzene: list[Comparison]) -> None:
    (exact,), (full,) = (picked(benzene, solver) for solver in ("closed form", "numerical"))
    assert exact.figures is not None
    assert full.figures is not None
    assert (exact.reference, full.reference) == ("", "closed form")
    assert exact.figures.difference == exact.figures.difference_l2 == 0
    difference = full.curve - exact.curve
    assert full.figures.difference == pytest.approx(np.abs(difference).max() / exact.curve.max(), rel=1e-12)
    norms = np.sqrt(np.trapezoid(difference**2, full.time) / np.trapezoid(exact.curve**2, full.time))
    assert full.figures.difference_l2 == pytest.approx(norms, rel=1e-6)
    np.testing.assert_allclose(full.deviation, difference / exact.curve.max(), atol=1e-15)
    assert worst(benzene) == max(row.figures.difference for row in benzene if row.figures)
    assert worst(benzene) < 5e-4


def test_what_diffusion_does_is_told_by_the_effect(benzene: list[Comparison]) -> None:
    """The variance grows by the share of the scales table; the apex falls by half of that."""
    ideal, spread = (picked(benzene, "numerical", Physics("variable", on))[0].figures for on in (False, True))
    share = {row.name: row.value for row in table(btex("benzene"))}["diffusion_share"]
    kinetic = DERIVED["benzene"][2] ** 2 - 16 / 12
    assert ideal is not None
    assert spread is not None
    assert spread.sigma_s**2 - ideal.sigma_s**2 == pytest.approx(share * kinetic, rel=0.05)
    assert ideal.effect < 3e-4
    (fourier,) = picked(benzene, "fourier", Physics("constant", True))
    assert fourier.figures is not None
    constant = {row.name: row.value for row in table(btex("benzene", velocity="constant"))}["diffusion_share"]
    # the apex falls by half the share, and the whole peak shifts a little: within a factor of two
    assert 0.4 * constant < fourier.figures.effect < constant


def test_which_equations_are_compared() -> None:
    assert equations(bare("benzene")) == [Physics("variable"), Physics("constant")]
    assert [(one.diffusion, one.competition) for one in equations(sharing(btex("benzene"), 10.0))] == [
        *[(False, False)] * 2,
        *[(True, False)] * 2,
        *[(False, True)] * 2,
        *[(True, True)] * 2,
    ]


def test_the_reference_is_the_most_exact_that_solves_the_same_equations(benzene: list[Comparison]) -> None:
    found = {(row.physics, row.solver): row.reference for row in benzene}
    assert found[Physics("variable", True), "numerical"] == FINER_GRID
    assert found[Physics("constant", True), "numerical"] == "fourier"
    assert found[Physics("constant", True), "fourier"] == ""
    assert (Physics("variable", True), "fourier") not in found
    assert (Physics("constant", True), "closed form") not in found
    tailing = list(compare(replace(bare("benzene"), injection=btex(tail=2.0).injection), solvers=QUICK))
    assert {row.solver: row.reference for row in tailing} == {
        "fourier": "",
        "quadrature": "fourier",
        "numerical": "fourier",
    }
    assert worst(tailing) < 5e-4


def test_competing_components_are_solved_together() -> None:
    system = sharing(bare("ethylbenzene", "p,m-xylene"), 20.0)
    rows = [row for row in compare(system, solvers=QUICK) if row.physics == Physics("variable", False, True)]
    assert [row.component for row in rows] == ["ethylbenzene", "p,m-xylene"]
    assert {row.solver for row in rows} == {"numerical"}
    assert rows[0].seconds == rows[1].seconds
    for row in rows:
        assert row.figures is not None
        assert row.reference == FINER_GRID
        assert row.figures.difference < 2e-3
        assert row.figures.effect > 0.05
        # what goes in comes out
        assert row.figures.area == pytest.approx(PAIRS[row.component][2] * 4 / RISE, rel=1e-4)
        assert row.figures.retention_time_s < DERIVED[row.component][1]


def hand_made(system: System, time: Array, physics: Physics) -> Curves:
    """The closed form, but 1 % too high."""
    return Curves(1.01 * SOLVERS["closed form"].solve(system, time, physics).outlet)


def refusing(system: System, time: Array, physics: Physics) -> Curves:
    raise SolverError("too steep")


def test_a_solver_is_one_line_of_the_registry() -> None:
    registry = {"closed form": SOLVERS["closed form"], "tall": Solver(hand_made, lambda *_: True)}
    rows = list(compare(bare("toluene"), solvers=registry))
    assert worst(rows) == pytest.approx(0.01, rel=1e-9)
    (tall,) = picked(rows, "tall")
    assert tall.figures is not None
    assert tall.figures.difference_l2 == pytest.approx(0.01, rel=1e-9)
    assert tall.figures.effect == pytest.approx(0.01, rel=1e-9)
    # apex of the rectangle's response of toluene: 231.0421 s (parabola through a curve of 600 points a second)
    dense = np.linspace(225, 240, 9001)
    curve = rectangle(dense, HOLD_UP, DERIVED["toluene"][0], 11.502, 4.0)
    assert tall.figures.retention_time_s == pytest.approx(dense[curve.argmax()], abs=2e-3)


def test_a_solver_that_refuses_says_why_and_does_not_stop_the_others() -> None:
    registry = {"closed form": SOLVERS["closed form"], "shy": Solver(refusing, lambda *_: True)}
    rows = list(compare(bare("toluene"), solvers=registry))
    (shy,) = picked(rows, "shy")
    assert (shy.figures, shy.message, shy.curve.size) == (None, "too steep", 0)
    assert picked(rows, "closed form")[0].figures is not None
    assert worst(rows) == np.inf
    assert worst([]) == 0


def test_a_reference_that_refuses_leaves_nothing_to_compare() -> None:
    registry = {"shy": Solver(refusing, lambda *_: True), "closed form": SOLVERS["closed form"]}
    rows = picked(list(compare(bare("toluene"), solvers=registry)), "closed form")
    assert [row.message for row in rows] == ["shy: too steep"]
    assert rows[0].figures is None


def test_few_adsorptions_have_no_fourier_sum_and_no_grid() -> None:
    few = Component("few", 8 / PHASE_RATIO / HOLD_UP, 0.2, inlet_concentration=1.0)
    rows = list(compare(replace(btex(), components=(few,)), solvers=QUICK))
    assert {row.solver for row in rows} == {"closed form", "quadrature", "numerical"}
    # at constant velocity the gas takes longer, and 11 adsorptions are enough
    messages = {row.physics.velocity: row.message for row in rows if row.solver == "numerical"}
    assert messages["constant"] == ""
    assert "with 8 adsorptions on average a part passes unretained" in messages["variable"]
    assert all(row.figures and row.figures.difference < 1e-10 for row in rows if row.solver == "quadrature")


@pytest.mark.parametrize("place", [0, 1])
def test_a_component_of_which_nothing_enters_is_left_out(place: int) -> None:
    """It has no curve to compare; the other's rows are those that it has alone."""
    some = [Component("a", 579.0, 5.299, area=100.0)]
    alone = replace(btex(), components=tuple(some))
    some.insert(place, Component("none", 579.0, 5.299, area=0.0))
    solvers = {name: SOLVERS[name] for name in ("closed form", "fourier")}
    found = list(compare(replace(btex(), components=tuple(some)), solvers=solvers))
    assert [row.figures for row in found] == [row.figures for row in compare(alone, solvers=solvers)]
    with pytest.raises(InputError, match="enters the column"):
        list(compare(replace(btex(), components=(some[place],)), solvers=solvers))


def test_a_difference_that_is_no_number_passes_no_tolerance(benzene: list[Comparison]) -> None:
    row = next(row for row in benzene if row.figures)
    assert row.figures is not None
    assert worst([row, replace(row, figures=replace(row.figures, difference=np.nan))]) == np.inf


@pytest.mark.parametrize(
    ("n", "number", "duration", "tail"),
    [
        (0.01, 1e-3, 4.0, 0.0),
        (0.1, 1.0, 4.0, 0.0),
        (1.0, 10.0, 4.0, 0.0),
        (1.0, 1e3, 1e-3, 0.0),
        (10.0, 100.0, 0.5, 0.0),
        (1e4, 1e6, 20.0, 0.0),
        (1.0, 0.01, 4.0, 50.0),
        (0.5, 1.0, 4.0, 0.1),
    ],
)
def test_area_and_sigma_with_a_sharp_front(n: float, number: float, duration: float, tail: float) -> None:
    """Moments (DESIGN 3): c_0 t1/û and 2n/k_d² + t1²/12 + τ², with n adsorptions and k_d t_M."""
    rate = number / HOLD_UP
    component = Component("a", n / PHASE_RATIO / HOLD_UP, rate, inlet_concentration=1.0)
    system = replace(btex(duration=duration, tail=tail), components=(component,))
    solvers = {name: SOLVERS[name] for name in ("closed form", "quadrature")}
    rows = [row for row in compare(system, solvers=solvers) if row.physics == PLAIN]
    assert rows
    for row in rows:
        assert row.figures is not None
        assert row.figures.area == pytest.approx(duration / RISE, rel=1e-3)
        sigma = np.sqrt(2 * n / rate**2 + duration**2 / 12 + tail**2)
        assert row.figures.sigma_s == pytest.approx(sigma, rel=1e-3)
        assert row.figures.difference < 1e-9
        if n <= 1 and not tail:
            # all of the injection that adsorbs not or once and desorbs in time is there when it ends, and no more
            highest = 1 - float(not_yet(np.array([duration]), n, rate)[0])
            assert row.figures.height == pytest.approx(highest / RISE, rel=1e-6)
            assert row.figures.retention_time_s == pytest.approx(HOLD_UP + duration, abs=1e-6)


def test_input_errors() -> None:
    with pytest.raises(InputError, match="there is no"):
        next(compare(replace(btex(), components=())))
    with pytest.raises(InputError, match="x: has no area, or inlet_concentration"):
        list(compare(replace(btex(), components=(Component("x", 1.0, 1.0),))))


@pytest.mark.parametrize("solver", ["quadrature", "numerical"])
def test_simulate_gives_the_same_signal_by_every_solver(solver: str) -> None:
    """Areas in signal units and inlet concentrations both given: the areas set the scale."""
    system = replace(bare(), detector=Detector(baseline=3935.4, rate=5.0, until=650.0))
    expected, found = simulate(system), simulate(system, solver=solver)
    apex = (expected.signal - 3935.4).max()
    assert np.abs(found.signal - expected.signal).max() < (5e-4 if solver == "numerical" else 1e-10) * apex
    for name, curve in found.components.items():
        assert np.trapezoid(curve, found.time) == pytest.approx(PAIRS[name][3], rel=1e-4)
