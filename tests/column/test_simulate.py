"""A simulated run is the sum of its components' laws, the baseline and seeded noise, whichever road the curve takes."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

from gcfit.chromatogram import Array
from gcfit.column import closed_form, laplace
from gcfit.column.flow import flow_of
from gcfit.column.laplace import Law
from gcfit.column.simulate import SOLVERS, area_of, law_of, simulate, unit_curve
from gcfit.column.system import Carrier, Column, Component, Detector, Injection, System, VelocityModel
from gcfit.errors import InputError, SolverError
from tests.column import plain

# paper, Tables 1 and 3: 20 m, 0.18 mm, film 1 µm, 4.01 and 1.013 bar, 0.41 m/s, injection 4 s
PAPER = System(
    Column(20.0, 9e-5, 1e-6),
    Carrier(4.01e5, 1.013e5, inlet_velocity=0.41),
    Injection(4.0),
    Detector(3935.4, 0.0, 5.0, 700.0),
    (
        Component("benzene", 579.0, 5.299, area=1159.4),
        Component("toluene", 2953.0, 11.502, area=927.2),
        Component("o-xylene", 10168.0, 14.291, area=516.4),
    ),
)


def plain_rectangle(time: Array, hold_up: float, n: float, rate: float, duration: float) -> Array:
    """Mean of the impulse response over the injection, by 200 Gauss-Legendre nodes."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    late = time[:, None] - duration * (nodes + 1) / 2
    return plain.impulse((late - hold_up).ravel(), n, rate).reshape(late.shape) @ weights / 2


def test_the_papers_run_is_the_sum_of_its_peaks() -> None:
    run = simulate(PAPER)
    # FACTS [calc]: t_M = 34.177110 s, α = 0.0222222
    hold_up, alpha = 34.177110, 2e-6 / 9e-5
    total = np.zeros_like(run.time)
    for component in PAPER.components:
        n = alpha * component.adsorption_rate * hold_up
        alone = component.area * plain_rectangle(run.time, hold_up, n, component.desorption_rate, 4.0)
        assert np.abs(run.components[component.name] - alone).max() < 1e-6 * alone.max()
        total += alone
    np.testing.assert_allclose(run.signal, 3935.4 + total, rtol=1e-8)
    np.testing.assert_allclose(run.time, np.arange(3501) / 5.0)


def test_area_from_the_inlet_concentration() -> None:
    # paper: area c_0 t1/û, û = u(L)/u0 = p0/p_L
    component = Component("benzene", 579.0, 5.299, inlet_concentration=2.732e-6)
    system = replace(PAPER, components=(component,))
    assert area_of(system, component) == pytest.approx(2.732e-6 * 4.0 / (4.01 / 1.013), rel=1e-12)
    assert area_of(system, component, "constant") == pytest.approx(2.732e-6 * 4.0, rel=1e-12)
    curve = simulate(system).components["benzene"]
    # FACTS [calc]: the apex of c_out/c0 is 0.070584; at 5 Hz the highest point lies within 0.1 s of it
    assert curve.max() / 2.732e-6 == pytest.approx(0.070584, rel=3e-4)


def test_velocity_model_moves_the_hold_up() -> None:
    constant = simulate(PAPER, velocity_model="constant")
    weights = constant.components["benzene"]
    # FACTS [calc]: mean at constant velocity 169.226 s
    assert np.average(constant.time, weights=weights) == pytest.approx(169.226, abs=1e-3)
    assert law_of(PAPER, PAPER.components[0], "constant").hold_up == pytest.approx(48.780488, abs=1e-6)


def test_noise_is_seeded_and_has_the_asked_size() -> None:
    clean = simulate(PAPER)
    first, again, other = (simulate(PAPER, noise=2.0, seed=seed) for seed in (7, 7, 8))
    assert (first.signal == again.signal).all()
    assert (first.signal != other.signal).any()
    # 3501 draws: the deviation is known to 1.2 %
    assert np.std(first.signal - clean.signal) == pytest.approx(2.0, rel=0.06)
    assert (simulate(replace(PAPER, detector=replace(PAPER.detector, noise=2.0)), seed=7).signal == first.signal).all()


SMALL = Law(30.0, 4.0, 0.5)
SMALL_LAWS = {
    "pulse": SMALL,
    "rectangle": replace(SMALL, duration=3.0),
    "tail": replace(SMALL, tail=1.5),
    "short tail": replace(SMALL, tail=0.05),
    "rectangle and tail": replace(SMALL, duration=3.0, tail=1.5),
    "nearly unretained, with tail": Law(30.0, 0.2, 0.5, tail=2.0),
    "near the Fourier sum": Law(30.0, laplace.LEAST_N - 0.01, 5.0, duration=1.0, tail=0.7),
}


def by_quad(time: float, law: Law) -> float:
    """The peak at one time by adaptive quadrature: stay, injection and tail convolved one after the other."""
    theta = time - law.hold_up

    def entered(delay: float) -> float:
        """Response to the injection alone, spike included."""
        if not law.duration:
            return float(plain.impulse(np.array([delay]), law.n, law.desorption_rate)[0])
        low = max(delay - law.duration, 0.0)
        smooth = quad(lambda x: float(plain.impulse(np.array([x]), law.n, law.desorption_rate)[0]), low, delay)[0]
        return (smooth + np.exp(-law.n) * (0 <= delay <= law.duration)) / law.duration

    if not law.tail:
        return entered(theta)
    corner = [theta - law.duration] if 0 < theta - law.duration < theta else None
    smooth = quad(
        lambda x: entered(x) * np.exp(-(theta - x) / law.tail) / law.tail,
        0.0, theta, points=corner, epsrel=1e-11, epsabs=1e-14, limit=400,
    )[0]  # fmt: skip
    return float(smooth if law.duration else smooth + np.exp(-law.n - theta / law.tail) / law.tail)


@pytest.mark.parametrize("name", SMALL_LAWS)
def test_small_n_against_adaptive_quadrature(name: str) -> None:
    law = SMALL_LAWS[name]
    delays = np.array([0.4, 1.1, 2.5, 4.0, 7.0, 12.0, 25.0])
    found = unit_curve(delays + law.hold_up, law)
    expected = np.array([by_quad(float(t), law) for t in delays + law.hold_up])
    assert np.abs(found - expected).max() <= 1e-10 * expected.max()


@pytest.mark.parametrize("parts", [{"duration": 2.0}, {"tail": 1.0}, {"duration": 2.0, "tail": 1.0}], ids=str)
def test_both_roads_agree_where_they_meet(parts: dict[str, float]) -> None:
    low, high = (Law(30.0, laplace.LEAST_N + shift, 3.0, **parts) for shift in (-1e-9, 1e-9))
    time = np.linspace(30, 60, 301)
    # LEAST_N: the spike e^{-37.5} = 5e-17 that the Fourier sum rings with
    assert np.abs(unit_curve(time, low) - unit_curve(time, high)).max() < 1e-9 * unit_curve(time, high).max()


def test_before_the_hold_up_time_there_is_nothing() -> None:
    time = np.array([0.0, 10.0, 29.9])
    for law in SMALL_LAWS.values():
        assert (unit_curve(time, law) == 0).all()


def test_a_second_site_at_small_n_is_refused() -> None:
    with pytest.raises(SolverError, match="too small for a second kind of site"):
        unit_curve(np.arange(3.0), replace(SMALL, site_n=0.1, site_desorption_rate=0.2))


def test_the_run_ends_when_the_last_peak_has_passed() -> None:
    system = replace(PAPER, detector=Detector(rate=5.0))
    run = simulate(system)
    law = law_of(system, PAPER.components[-1])
    assert run.time[-1] == pytest.approx(laplace.window(law)[1], abs=0.2)
    assert run.signal[-1] < 1e-12 * run.signal.max()
    assert np.trapezoid(run.components["o-xylene"], run.time) == pytest.approx(516.4, rel=1e-10)


def test_the_laws_carry_the_system() -> None:
    law = law_of(replace(PAPER, injection=Injection(4.0, 1.5)), PAPER.components[0])
    assert (law.duration, law.tail, law.desorption_rate) == (4.0, 1.5, 5.299)
    assert law.hold_up == flow_of(PAPER).hold_up
    assert law.n == pytest.approx(439.745488, rel=1e-8)  # FACTS [calc]


def test_impulse_is_taken_without_its_spike() -> None:
    time = np.linspace(30, 80, 400)
    assert (unit_curve(time, SMALL) == closed_form.impulse(time, 30.0, 4.0, 0.5)).all()


@pytest.mark.parametrize(
    ("system", "text"),
    [
        (replace(PAPER, components=()), "no [[component]]"),
        (replace(PAPER, components=(Component("x", None, 5.0, area=1.0),)), "k_a_per_s and k_d_per_s"),
        (replace(PAPER, components=(Component("x", 500.0, None, area=1.0),)), "k_a_per_s and k_d_per_s"),
        (replace(PAPER, components=(Component("x", 500.0, 5.0),)), "area, or inlet_concentration_mol_m3"),
        (
            replace(PAPER, injection=Injection(), components=(Component("x", 5.0, 5.0, inlet_concentration=1.0),)),
            "duration_s",
        ),
    ],
)
def test_what_a_curve_lacks_is_named(system: System, text: str) -> None:
    with pytest.raises(InputError) as caught:
        simulate(system)
    assert text in str(caught.value)


def test_an_unknown_solver_lists_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        simulate(PAPER, solver="magic")
    assert all(name in str(caught.value) for name in ("magic", *SOLVERS))


@pytest.mark.parametrize("velocity", ["constant", "variable"])
def test_a_peak_that_diffuses_has_passed_when_the_run_ends(velocity: VelocityModel) -> None:
    """At a Pe_L⁻¹ of 7e-3 the peak lasts much longer than by kinetics alone; the mass balance gives its area."""
    component = Component("a", 3000.0, 11.0, area=100.0, inlet_concentration=1e-6, diffusion=0.06)
    system = replace(PAPER, detector=Detector(rate=2.0), components=(component,))
    run = simulate(system, solver="numerical", velocity_model=velocity)
    # at variable velocity the outlet's layer is known to the third order of D/(u σ) only
    assert np.trapezoid(run.signal, run.time) == pytest.approx(100.0, rel=1e-6 if velocity == "constant" else 5e-3)
    assert run.signal[-1] < 1e-9 * run.signal.max()
    assert simulate(system, velocity_model=velocity).time[-1] < 0.8 * run.time[-1]


@pytest.mark.parametrize(
    ("until", "rate", "points"),
    [(0.29, 100.0, 30), (0.7, 10.0, 8), (1.15, 20.0, 24), (0.2999, 100.0, 30), (7.0, 0.3, 3)],
)
def test_the_last_sample_is_not_lost_by_rounding(until: float, rate: float, points: int) -> None:
    # 0.29 × 100 is 28.999999999999996 in double precision; at 0.3 Hz the third sample is at 6.67 s
    run = simulate(replace(PAPER, detector=Detector(rate=rate, until=until)))
    assert run.time.size == points
    assert run.time[-1] == pytest.approx((points - 1) / rate, abs=1e-15)


def test_what_a_solver_does_not_use_is_noted() -> None:
    one = Component("a", 579.0, 5.299, area=100.0, inlet_concentration=1e-6)
    # diffusion of 1e-6 m²/s adds 0.1 to 0.4 % to the variance of a peak of this column (FACTS)
    some = (one, replace(one, name="b", diffusion=1e-4))
    system = replace(PAPER, detector=Detector(until=300.0), components=some)
    full = replace(system, components=(replace(one, saturation=1.0, diffusion=1e-4),))
    assert simulate(replace(system, components=(replace(one, diffusion=1e-6),))).chromatogram.notes == ()
    (note,) = simulate(system).chromatogram.notes
    assert note == "diffusion_m2_s: not used by the solver laplace; --solver numerical does"
    (note,) = simulate(full, solver="quadrature").chromatogram.notes
    assert note.startswith("q_max_mol_m3 and diffusion_m2_s: not used by the solver quadrature")
    assert simulate(full, solver="numerical").chromatogram.notes == ()
