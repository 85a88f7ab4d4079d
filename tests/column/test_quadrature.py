"""The paper's integral against the noncentral chi-square law, 40-digit integrals and direct convolution."""

from dataclasses import replace
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad

from gcfit.column.flow import flow_of
from gcfit.column.quadrature import FORMS, Inlet, Pair, outlet, response
from gcfit.column.system import Component
from gcfit.errors import InputError
from tests.column.paper import DERIVED, HOLD_UP, PAIRS, PHASE_RATIO, RISE, around, btex, rectangle


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", PAIRS)
def test_the_papers_analytes_within_1e_10_of_the_apex(name: str, form: str) -> None:
    k_a, k_d, concentration, *_ = PAIRS[name]
    _, mean, sigma, apex, _ = DERIVED[name]
    time = around(mean, sigma, points=201)
    # the hold-up time in full precision: ω/u_0 = (2/3) L (1 + P + P²)/((1 + P) u_0), P = 101.3/401
    ratio = 101.3 / 401
    hold_up = 2 / 3 * 20 * (1 + ratio + ratio**2) / (1 + ratio) / 0.41
    assert hold_up == pytest.approx(HOLD_UP, abs=1e-6)
    expected = rectangle(time, hold_up, PHASE_RATIO * k_a * hold_up, k_d, 4.0) / (401 / 101.3)
    curve = outlet(btex(name), time, form=form)[0] / concentration
    assert np.abs(curve - expected).max() < 1e-10 * expected.max()
    assert curve.max() == pytest.approx(apex, rel=1e-3)  # sampled every 0.08 σ


def test_constant_velocity_only_moves_the_hold_up_time() -> None:
    time = around(822.051, 12.0, points=2001)
    curve = outlet(btex("o-xylene"), time, velocity_model="constant")[0]
    mean = np.trapezoid(time * curve, time) / np.trapezoid(curve, time)
    assert mean == pytest.approx(822.051, abs=1e-3)
    assert np.trapezoid(curve, time) == pytest.approx(2.732e-6 * 4, rel=1e-9)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("n", "rate"), [(0.5, 0.02), (8.0, 0.2), (440.0, 5.3)])
def test_impulse_response_against_40_digits(n: float, rate: float, form: str) -> None:
    """sqrt(n k/θ) e^(-n - kθ) I₁(2 sqrt(n k θ)) with mpmath."""
    delays = n / rate + np.sqrt(2 * n) / rate * np.array([-0.9, -0.3, 0.0, 1.0, 4.0])
    delays = delays[delays > 0]
    values = response(Pair(30.0, n, rate), Inlet(), 30.0 + delays, form=form)
    with mpmath.workdps(40):
        for delay, value in zip((30.0 + delays) - 30.0, values, strict=True):
            y = mpmath.mpf(rate) * mpmath.mpf(float(delay))
            law = rate * mpmath.sqrt(n / y) * mpmath.exp(-n - y) * mpmath.besseli(1, 2 * mpmath.sqrt(n * y))
            assert value == pytest.approx(float(law), rel=1e-11)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n", [0.5, 8.0, 440.0])
def test_tail_against_direct_convolution_of_the_closed_form(n: float, form: str) -> None:
    """(1/τ) ∫ rect(t - y) e^(-y/τ) dy, cut at the jumps of the rectangle's response."""
    rate, hold_up, duration, tail = n / 40, 30.0, 4.0, 3.0

    def tailed(time: float) -> float:
        def integrand(y: float) -> float:
            return float(rectangle(np.array(time - y), hold_up, n, rate, duration)) * np.exp(-y / tail) / tail

        jumps = sorted({min(max(time - hold_up - d, 0.0), 40 * tail) for d in (0.0, duration)} | {0.0, 40 * tail})
        pieces = (quad(integrand, *ends, epsabs=1e-14, epsrel=1e-11, limit=200)[0] for ends in pairwise(jumps))
        return sum(pieces) / duration

    time = np.array([31.0, 33.9, 36.0, 50.0, 70.0, 110.0])
    curve = response(Pair(hold_up, n, rate), Inlet(duration, tail), time, form=form)
    np.testing.assert_allclose(curve, [tailed(t) for t in time], rtol=1e-8, atol=1e-13)


@pytest.mark.parametrize("inlet", [Inlet(4.0), Inlet(4.0, 2.0), Inlet(0.0, 2.0)], ids=str)
def test_area_and_mean(inlet: Inlet) -> None:
    """Unit area; mean t_M + n/k_d + t1/2 + τ (DESIGN, moments)."""
    pair = Pair(34.0, 60.0, 2.0)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    edges = np.array([34.0, 36.0, 38.0, 45.0, 60.0, 80.0, 130.0])
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    time = (middle[:, None] + half[:, None] * nodes).ravel()
    curve = response(pair, inlet, time) * (half[:, None] * weights).ravel()
    assert curve.sum() == pytest.approx(1, rel=1e-9)
    assert (time * curve).sum() == pytest.approx(34 + 30 + inlet.duration / 2 + inlet.tail, rel=1e-9)


def test_unretained_part_of_a_rectangle_is_seen() -> None:
    # n = 0.1: e^(-0.1) of the rectangle passes at the hold-up time, c/c_0 just after it
    curve = response(Pair(10.0, 0.1, 0.001), Inlet(4.0), [9.99, 10.01, 13.99, 14.5]) * 4
    assert curve[0] == 0
    assert curve[1] == pytest.approx(np.exp(-0.1), rel=1e-3)
    assert curve[3] < 2e-3


def test_an_area_makes_the_peak_of_that_area() -> None:
    time = around(119.16, 5.7, points=4001)
    system = btex("benzene")
    bare = Component("benzene", 579, 5.299, area=1159.4)
    by_area = outlet(replace(system, components=(bare,)), time)[0]
    assert np.trapezoid(by_area, time) == pytest.approx(1159.4, rel=1e-9)
    by_concentration = outlet(system, time)[0]
    assert flow_of(system).velocity_rise == pytest.approx(RISE, rel=1e-7)
    np.testing.assert_allclose(by_area * 2.732e-6 * 4 / RISE / 1159.4, by_concentration, rtol=1e-7, atol=1e-20)


def test_input_errors_name_the_component() -> None:
    system = btex("benzene")
    with pytest.raises(InputError, match=r"^btex: \[\[component\]\] x: has no k_a_per_s and k_d_per_s$"):
        outlet(replace(system, components=(Component("x", area=1.0),)), [1.0])
    with pytest.raises(InputError, match="has no area, or inlet_concentration_mol_m3"):
        outlet(replace(system, components=(Component("x", 1.0, 1.0),)), [1.0])
    with pytest.raises(InputError, match="there is no"):
        outlet(replace(system, components=()), [1.0])
    with pytest.raises(InputError, match="form 'triple' is not known; choose one of single, double"):
        response(Pair(1.0, 1.0, 1.0), Inlet(1.0), [1.0], form="triple")  # type: ignore[arg-type]


def test_the_times_are_not_written_to() -> None:
    time = np.linspace(30.0, 60.0, 7)
    before = time.copy()
    response(Pair(30.0, 8.0, 0.5), Inlet(4.0, 1.0), time, form="double")
    np.testing.assert_array_equal(time, before)


@pytest.mark.parametrize("inlet", [Inlet(40.0), Inlet(4.0), Inlet(0.0, 10.0), Inlet(4.0, 2.0)], ids=str)
@pytest.mark.parametrize(("n", "rate"), [(1e6, 1e5), (1e4, 1e4), (1e8, 1e8)])
def test_a_narrow_peak_under_a_long_injection_is_not_missed(n: float, rate: float, inlet: Inlet) -> None:
    """At single times, where nodes that miss the peak see zeros. A peak so narrow leaves the inlet's own shape."""
    centre, sigma = n / rate, np.sqrt(2 * n) / rate
    since = np.array([0.21, 0.37, 0.52, 0.68, 0.83]) * (inlet.duration + inlet.tail)
    found = np.concatenate([response(Pair(0.0, n, rate), inlet, [centre + one]) for one in since])
    if not inlet.tail:
        expected = np.full(since.size, 1 / inlet.duration)
    elif not inlet.duration:
        # e^{-x/τ}/τ seen by a law of variance σ²: times 1 + σ²/(2 τ²), and the next orders are below 1e-7
        expected = np.exp(-since / inlet.tail) / inlet.tail
    else:
        passed = np.minimum(since, inlet.duration)
        expected = np.exp(-since / inlet.tail) * np.expm1(passed / inlet.tail) / inlet.duration
    np.testing.assert_allclose(found, expected, rtol=max(1e-9, (sigma / max(inlet.tail, 1)) ** 2))
