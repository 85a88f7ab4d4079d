"""What the numerical solver cannot do well it refuses, in one line."""

from dataclasses import replace

import numpy as np
import pytest

from gcfit.column.numerical import solve
from gcfit.column.system import Component, Injection, System
from gcfit.errors import InputError, SolverError
from tests.column.paper import HOLD_UP, PHASE_RATIO, btex

TIME = np.linspace(0.0, 200.0, 201)


def with_visits(n: float, rate: float, *, tail: float = 0.0) -> System:
    """One component with n adsorptions on average in the paper's column."""
    component = Component("x", n / PHASE_RATIO / HOLD_UP, rate, inlet_concentration=1.0)
    return replace(btex(tail=tail), components=(component,))


@pytest.mark.parametrize("n", [0.5, 3.0, 8.0])
def test_an_unretained_front_is_refused(n: float) -> None:
    with pytest.raises(SolverError, match=rf"^component x: with {n:.3g} adsorptions on average .* tail_s, or use"):
        solve(with_visits(n, n / 40), TIME)


@pytest.mark.parametrize("n", [15.0, 30.0])
def test_few_adsorptions_are_solved_where_the_front_is_faint(n: float) -> None:
    from tests.column.paper import rectangle

    system, rate = with_visits(n, n / 40), n / 40
    # the rounded hold-up time shifts the reference by 1e-7 s
    expected = rectangle(TIME, HOLD_UP, n, rate, 4.0) / 3.9585390
    curve = solve(system, TIME).outlet[0]
    assert np.abs(curve - expected).max() < 5e-4 * expected.max()


def test_a_front_that_stays_rough_is_refined_and_then_refused() -> None:
    # e^(-0.5) of the flux enters with a kink, 1 - e^(-t/τ), and leaves with it
    with pytest.raises(
        SolverError, match=r"^component x: [248]00 cells do not resolve the front at the outlet, nor will more$"
    ):
        solve(with_visits(0.5, 0.02, tail=1.0), np.linspace(0.0, 45.0, 46))


def test_a_coarse_request_is_refined_until_it_is_smooth() -> None:
    """At 2 cells per σ the peak rings; what comes back is resolved all the same."""
    system = btex("o-xylene")
    solution = solve(system, np.linspace(500.0, 650.0, 301), resolution=2.0)
    assert solution.cells[0] >= 500  # 2 x 2 x 65 would be 263
    assert solution.outlet[0].min() > -1e-3 * solution.outlet[0].max()


def test_a_run_that_ends_before_the_peak_is_no_failure() -> None:
    assert solve(btex("o-xylene"), np.linspace(0.0, 400.0, 41)).outlet.max() < 1e-12
    early = solve(btex("o-xylene"), np.linspace(500.0, 545.0, 91)).outlet[0]
    assert 0 < early[-1] == early.max()


def test_strong_diffusion_is_refused() -> None:
    component = replace(btex("benzene").components[0], diffusion=0.3)
    with pytest.raises(SolverError, match=r"^D/\(u L\) = 0\.037 is above 0\.01: diffusion is too strong"):
        solve(replace(btex(), components=(component,)), TIME)


def test_too_many_plates_are_refused() -> None:
    component = Component("x", 1e13, 1e10, inlet_concentration=1.0)
    with pytest.raises(SolverError, match=r"^component x: .* plates need more than 400000 cells$"):
        solve(replace(btex(), components=(component,)), TIME)


@pytest.mark.parametrize(
    ("times", "options", "text"),
    [
        ([1.0, 1.0], {}, "btex: the times must be finite and increase"),
        ([1.0, np.nan], {}, "btex: the times must be finite and increase"),
        ([[1.0, 2.0]], {}, "btex: the times must be finite and increase"),
        ([1.0], {"profile_times": (-1.0,)}, r"btex: profile times \[-1\.0\] must be finite and at least 0"),
        ([1.0], {"resolution": 1.0}, "resolution 1 is below 2 cells per standard deviation"),
        ([1.0], {"resolution": np.nan}, "resolution nan is below 2 cells"),
    ],
)
def test_wrong_arguments(times: list[float], options: dict[str, object], text: str) -> None:
    with pytest.raises(InputError, match=text):
        solve(btex("benzene"), times, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("component", "injection", "text"),
    [
        (Component("x", 1.0), Injection(4.0), "x: has no k_a_per_s and k_d_per_s$"),
        (Component("x", 1.0, 1.0), Injection(4.0), "x: has no area, or inlet_concentration_mol_m3 with"),
        (Component("x", 1.0, 1.0, inlet_concentration=1.0), Injection(), "x: has no area, or inlet_concentration"),
        (
            Component("x", 1.0, 1.0, area=1.0, saturation=1.0),
            Injection(4.0),
            r"x: has no inlet_concentration_mol_m3 with \[injection\] duration_s, which q_max needs",
        ),
    ],
)
def test_components_that_lack_something(component: Component, injection: Injection, text: str) -> None:
    with pytest.raises(InputError, match=r"^btex: \[\[component\]\] " + text):
        solve(replace(btex(), components=(component,), injection=injection), TIME)


def test_no_component() -> None:
    with pytest.raises(InputError, match=r"^btex: there is no \[\[component\]\] to solve for$"):
        solve(replace(btex(), components=()), TIME)


def test_the_start_of_the_injection_has_an_empty_column() -> None:
    """Nothing has entered, so nothing can be lost; a division by the injected amount would warn, and warnings fail."""
    found = solve(btex("benzene"), [0.0], profile_times=[0.0])
    assert found.mass_balance_error[0] == 0
    assert not found.profiles[0].concentration.any()


def test_a_balance_that_is_no_number_is_no_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gcfit.column.numerical.march._March.balance", lambda _: np.array([np.nan]))
    with pytest.raises(SolverError, match="is lost"):
        solve(btex("benzene"), [1.0])
