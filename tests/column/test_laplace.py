"""Transfer functions, moments and Fourier inversion against closed forms, convolution and the paper's run."""

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erfcx

from gcfit.chromatogram import Array
from gcfit.column import closed_form, laplace
from gcfit.column.laplace import Law
from gcfit.errors import SolverError
from tests.column import plain
from tests.column.differences import sixth_order
from tests.column.reference import Case, cases

PROPERTY = settings(deadline=None, max_examples=40, derandomize=True)
FOURIER_CASES = [case for case in cases() if case.n >= 50 and case.kind in ("impulse", "rectangle")]

# FACTS, the paper's BTEX run [calc]: k_a, k_d [1/s], n, mean [s], σ [s], mean at constant velocity [s]
HOLD_UP, CONSTANT_HOLD_UP, PHASE_RATIO, INJECTION = 34.177110, 48.780488, 0.0222222, 4.0
BTEX = {
    "benzene": (579, 5.299, 439.745488, 119.163615, 5.714447, 169.226),
    "toluene": (2953, 11.502, 2242.777937, 231.167368, 5.936227, 329.087),
    "ethylbenzene": (9203, 16.940, 6989.598834, 448.786251, 7.074427, 639.691),
    "p,m-xylene": (6483, 11.057, 4923.782379, 481.486180, 9.048825, 686.364),
    "o-xylene": (10168, 14.291, 7722.507980, 576.552730, 8.772567, 822.051),
}
# FACTS: the same, apex of c_out/c0
APEX = dict(zip(BTEX, (0.070584, 0.067904, 0.056980, 0.044551, 0.045953), strict=True))
VELOCITY_RISE = 3.9585390

FULL = Law(30.0, 90.0, 1.5, site_n=0.4, site_desorption_rate=0.2, tail=2.5, duration=4.0)


def plate_law(plates: float, retention_factor: float = 2.0, hold_up: float = 40.0) -> Law:
    mean = hold_up * (1 + retention_factor)
    return laplace.law_from_moments(hold_up, mean, mean**2 / plates)


@pytest.mark.parametrize("case", FOURIER_CASES, ids=str)
def test_fourier_inversion_against_the_reference_within_1e_12_of_the_apex(case: Case) -> None:
    law = Law(case.hold_up, case.n, case.desorption_rate, duration=case.injection)
    assert np.abs(laplace.outlet(case.time, law) - case.value).max() <= 1e-12 * case.apex


COLUMNS = {
    f"N{plates:g}-k{factor:g}": plate_law(plates, factor)
    for plates in (60, 1e2, 1e3, 1e4, 1e5, 1e6)
    for factor in (0.3, 5.0, 60.0)
    if plate_law(plates, factor).n >= 50
}


@pytest.mark.parametrize("law", COLUMNS.values(), ids=COLUMNS)
def test_fourier_inversion_against_the_closed_form_to_a_million_plates(law: Law) -> None:
    time = np.linspace(*laplace.window(law), 1501)
    pulse = closed_form.impulse(time, law.hold_up, law.n, law.desorption_rate)
    assert np.abs(laplace.outlet(time, law) - pulse).max() <= 1e-12 * pulse.max()
    # an injection of about σ: of a much shorter one the difference of two J would be the less accurate
    wide = replace(law, duration=float(np.sqrt(laplace.moments(law).variance)))
    expected = closed_form.rectangle(time, law.hold_up, law.n, law.desorption_rate, wide.duration)
    assert np.abs(laplace.outlet(time, wide) - expected).max() <= 1e-12 * expected.max()


def test_window_holds_the_whole_peak() -> None:
    for law in (plate_law(500), plate_law(1e5), FULL):
        low, high = laplace.window(law)
        time = np.linspace(low, high, 20_001)
        curve = laplace.outlet(time, law)
        assert max(abs(curve[0]), abs(curve[-1])) < 1e-12 * curve.max()
        assert np.trapezoid(curve, time) == pytest.approx(1, abs=1e-9)
        assert (laplace.outlet(np.array([low - 1e-6, high + 1e-6]), law) == 0).all()


@pytest.mark.parametrize("name", BTEX)
def test_the_papers_run(name: str) -> None:
    adsorption, desorption, n, mean, sigma, constant_mean = BTEX[name]
    # the table was computed with the unrounded hold-up and phase ratio of the same inputs
    alpha, transit = 2 * 1e-6 / 9e-5, 0.70063076
    hold_up = transit * 20 / 0.41
    assert hold_up == pytest.approx(HOLD_UP, abs=1e-6)
    law = Law(hold_up, alpha * adsorption * hold_up, desorption, duration=INJECTION)
    assert law.n == pytest.approx(n, rel=1e-6)
    found = laplace.moments(law)
    assert found.mean == pytest.approx(mean, rel=1e-6)
    assert np.sqrt(found.variance) == pytest.approx(sigma, rel=1e-6)
    assert found.plates == pytest.approx((mean / sigma) ** 2, rel=1e-6)
    slow = replace(law, hold_up=20 / 0.41, n=alpha * adsorption * 20 / 0.41)
    assert slow.hold_up == pytest.approx(CONSTANT_HOLD_UP, rel=1e-6)
    assert laplace.moments(slow).mean == pytest.approx(constant_mean, abs=5e-4)
    time = np.linspace(mean - 3 * sigma, mean + 3 * sigma, 4001)
    # c_out/c0 = t1/û times the unit-area curve
    assert laplace.outlet(time, law).max() * INJECTION / VELOCITY_RISE == pytest.approx(APEX[name], abs=5e-7)


FACTORS = {
    "pair": Law(30.0, 90.0, 1.5),
    "rectangle": Law(30.0, 90.0, 1.5, duration=4.0),
    "tail": Law(30.0, 90.0, 1.5, tail=2.5),
    "site": Law(30.0, 90.0, 1.5, site_n=0.4, site_desorption_rate=0.2),
    "all": FULL,
}


@pytest.mark.parametrize("law", FACTORS.values(), ids=FACTORS)
def test_moments_against_integration_of_the_curve(law: Law) -> None:
    time = np.linspace(*laplace.window(law), 40_001)
    weights = np.full(time.size, time[1] - time[0])  # the ends are zero: the plain sum is spectrally exact
    area, mean, variance, third = plain.moments_of(time, laplace.outlet(time, law), weights)
    expected = laplace.moments(law)
    assert area == pytest.approx(1, abs=1e-11)
    assert mean == pytest.approx(expected.mean, rel=1e-11)
    assert variance == pytest.approx(expected.variance, rel=1e-9)
    assert third == pytest.approx(expected.third, rel=1e-7)


@PROPERTY
@given(hold_up=st.floats(0, 500), delay=st.floats(1e-3, 5e3), plates=st.floats(5, 1e6))
def test_law_from_moments_is_the_inverse_of_moments(hold_up: float, delay: float, plates: float) -> None:
    mean = hold_up + delay
    law = laplace.law_from_moments(hold_up, mean, mean**2 / plates)
    found = laplace.moments(law)
    assert (found.mean, found.variance) == pytest.approx((mean, mean**2 / plates), rel=1e-12)
    assert law.n == pytest.approx(law.desorption_rate * delay, rel=1e-9)


@pytest.mark.parametrize(("mean", "variance"), [(30.0, 1.0), (20.0, 1.0), (40.0, 0.0), (40.0, -1.0)])
def test_moments_that_no_pair_has(mean: float, variance: float) -> None:
    with pytest.raises(SolverError, match="no kinetic pair"):
        laplace.law_from_moments(30.0, mean, variance)


@pytest.mark.parametrize("tail", [0.02, 1.0, 20.0])
def test_tail_against_direct_convolution(tail: float) -> None:
    law = replace(plate_law(3e3), tail=tail)
    time = np.linspace(*laplace.window(law), 41)
    expected = convolved(time, law, lambda delay: np.exp(-delay / tail) / tail, tail)
    found = laplace.outlet(time, law)
    assert np.abs(found - expected).max() <= 1e-10 * found.max()


@pytest.mark.parametrize(("n", "rate"), [(0.02, 0.05), (0.4, 0.2), (3.0, 0.5)])
def test_site_against_direct_convolution(n: float, rate: float) -> None:
    # the site's law is e^{-n₂} δ plus the impulse response: two whole curves, one convolved by quadrature
    law = replace(plate_law(3e3), site_n=n, site_desorption_rate=rate)
    time = np.linspace(law.hold_up + 60, law.hold_up + 130, 41)
    passed = np.exp(-n) * closed_form.impulse(time, law.hold_up, law.n, law.desorption_rate)
    expected = passed + convolved(time, law, lambda delay: plain.impulse(delay, n, rate), 1 / rate)
    found = laplace.outlet(time, law)
    assert np.abs(found - expected).max() <= 1e-10 * found.max()


def convolved(time: Array, law: Law, kernel, scale: float) -> Array:  # type: ignore[no-untyped-def]
    """∫ h(t - u) kernel(u) du over the reach of h, by Gauss-Legendre pieces of half a σ and half a kernel scale."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    sigma = np.sqrt(2 * law.n) / law.desorption_rate
    out = []
    for one in time:
        low, high = (max(one - end, 0.0) for end in reversed(laplace.window(replace(law, site_n=0, tail=0))))
        pieces = np.linspace(low, high, 2 + int((high - low) / (min(sigma, scale) / 2)))
        half = np.diff(pieces)[:, None] / 2
        delay = pieces[:-1, None] + half * (nodes + 1)
        curve = closed_form.impulse((one - delay).ravel(), law.hold_up, law.n, law.desorption_rate)
        out.append(np.sum(curve * kernel(delay.ravel()) * (half * weights).ravel()))
    return np.array(out)


@pytest.mark.parametrize("share", [0.3, 3.0])
def test_gaussian_factor_with_tail_is_the_emg(share: float) -> None:
    # exponentially modified Gaussian in its erfcx form (FACTS: Kalambet 2011)
    sigma, tau, mean = 2.0, 2.0 * share, 100.0
    time = np.linspace(mean - 5 * sigma, mean + 12 * tau, 300)

    def factors(s: laplace.Complex) -> laplace.Complex:
        return np.exp(laplace.gaussian(s, sigma)[0] + laplace.exponential_tail(s, tau)[0] - s * mean)

    found = laplace.invert(factors, time, mean - 15 * sigma, 60 * (sigma + tau), 400)
    z = (sigma / tau - (time - mean) / sigma) / np.sqrt(2)
    late = z < -5  # where erfcx overflows the curve is a plain decay
    expected = np.where(
        late,
        np.exp(sigma**2 / (2 * tau**2) - (time - mean) / tau) / tau,
        erfcx(np.maximum(z, -5)) * np.exp(-(((time - mean) / sigma) ** 2) / 2) / (2 * tau),
    )
    assert np.abs(found - expected).max() <= 1e-11 * expected.max()


def test_rectangle_factor_joins_its_series() -> None:
    duration = 4.0
    s = 1j * np.array([0.0, 1e-9, 2.4e-5, 2.5e-5, 2.6e-5, 0.1, 3.0])
    found = laplace.rectangle(s, duration)
    # (1 - e^{-iy})/(iy) = e^{-iy/2} sinc: another form of the same function
    expected = np.exp(-s * duration / 2) * np.sinc(s.imag * duration / (2 * np.pi))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_dispersed_goes_to_the_diffusion_free_law() -> None:
    s = 1j * np.linspace(0, 0.03, 31)
    free = np.log(laplace.transform(s[:3], Law(30.0, 90.0, 1.5)))  # small s: the logarithm does not wind
    np.testing.assert_allclose(laplace.dispersed(s, 30.0, 90.0, 1.5, 0.0)[:3], free, atol=1e-12)
    exact = -s * 30 - 90.0 * s / (s + 1.5)
    departure = [np.abs(laplace.dispersed(s, 30.0, 90.0, 1.5, pe) - exact).max() for pe in (1e-6, 1e-7, 1e-8)]
    # φ - ε φ² + ...: the departure falls in proportion to Pe_L⁻¹
    np.testing.assert_allclose(departure, np.abs(exact**2).max() * np.array([1e-6, 1e-7, 1e-8]), rtol=1e-3)


def between_the_ends(phi: complex, inverse_peclet: float) -> complex:
    """ĉ(1) of ε ĉ'' - ĉ' - φ ĉ = 0, ĉ - ε ĉ' = 1 at 0 and ĉ' = 0 at 1: two exponentials, a linear system, 60 digits."""
    with mpmath.workdps(60):
        epsilon, phi = mpmath.mpf(inverse_peclet), mpmath.mpc(phi)
        a = mpmath.sqrt(1 + 4 * phi * epsilon)
        first, second = (1 + a) / (2 * epsilon), (1 - a) / (2 * epsilon)
        # the growing one is taken as e^{r (x - 1)}
        rows = [
            [(1 - epsilon * first) * mpmath.exp(-first), 1 - epsilon * second],
            [first, second * mpmath.exp(second)],
        ]
        one, two = mpmath.lu_solve(mpmath.matrix(rows), mpmath.matrix([1, 0]))
        return complex(one + two * mpmath.exp(second))


@pytest.mark.parametrize("inverse_peclet", [1e-5, 1e-3, 1e-2, 0.1, 3.0])
def test_dispersed_against_the_boundary_value_problem(inverse_peclet: float) -> None:
    s = 1j * np.linspace(0.001, 0.3, 12)
    found = np.exp(laplace.dispersed(s, 30.0, 90.0, 1.5, inverse_peclet))
    expected = np.array([between_the_ends(one * 30 + 90 * one / (one + 1.5), inverse_peclet) for one in s])
    np.testing.assert_allclose(found, expected, rtol=1e-11)


@pytest.mark.parametrize("inverse_peclet", [1e-3, 0.1, 1.0])
def test_dispersed_has_the_moments_of_a_closed_vessel(inverse_peclet: float) -> None:
    # van der Laan 1958: variance over mean² 2ε - 2ε² (1 - e^{-1/ε}); the kinetics add 2n/k_d²
    step = 1e-5
    low, middle, high = laplace.dispersed(step * np.array([-1.0 + 0j, 0, 1]), 30.0, 90.0, 1.5, inverse_peclet).real
    mean, epsilon = 30 + 90 / 1.5, inverse_peclet
    assert middle == 0
    assert (low - high) / (2 * step) == pytest.approx(mean, rel=1e-5)
    variance = 2 * 90 / 1.5**2 + mean**2 * 2 * epsilon * (1 - epsilon * (1 - np.exp(-1 / epsilon)))
    assert (low + high) / step**2 == pytest.approx(variance, rel=1e-5)


@pytest.mark.parametrize("inverse_peclet", [1e-4, 1e-2, 0.3])
def test_diffusion_reach_is_where_the_inverse_gaussian_has_fallen(inverse_peclet: float) -> None:
    # mean m, shape λ = m/(2ε): variance m³/λ = 2ε m², exponent λ (t - m)²/(2 m² t)
    mean = 30.0
    time = mean + laplace.diffusion_reach(mean, 2 * inverse_peclet * mean**2)
    assert mean / (2 * inverse_peclet) * (time - mean) ** 2 / (2 * mean**2 * time) == pytest.approx(37, rel=1e-12)


@pytest.mark.parametrize("parameter", ["n", "desorption_rate", "site_n", "site_desorption_rate", "tail"])
def test_jacobian_of_the_outlet_against_differences(parameter: str) -> None:
    time = np.linspace(60, 180, 241)
    names = ["n", "desorption_rate", "site_n", "site_desorption_rate", "tail"]
    row = laplace.outlet_jacobian(time, FULL)[names.index(parameter)]
    expected = sixth_order(
        lambda p: laplace.outlet(time, replace(FULL, **{parameter: float(p[0])})),
        np.array([getattr(FULL, parameter)]),
        0,
    )
    assert np.abs(row - expected).max() < 1e-8 * np.abs(expected).max()


def test_small_n_is_refused_not_rung() -> None:
    with pytest.raises(SolverError, match="closed form"):
        laplace.outlet(np.linspace(30, 60, 11), Law(30.0, 20.0, 2.0))


def test_terms_reach_the_end_of_the_spectrum() -> None:
    law = plate_law(2e4)
    period = 12.0
    count = laplace.terms(law, period)
    s = laplace.frequencies(period, count)
    assert abs(laplace.transform(s[-1:], replace(law, hold_up=0.0))[0]) < 1e-15
    assert s[1].imag == pytest.approx(2 * np.pi / period)


@PROPERTY
@given(n=st.floats(60, 5e4), rate=st.floats(0.1, 50), shift=st.floats(-200, 200))
def test_time_shift_and_scale_of_the_outlet(n: float, rate: float, shift: float) -> None:
    law = replace(FULL, n=n, desorption_rate=rate)
    time = np.linspace(*laplace.window(law), 60)
    here = laplace.outlet(time, law)
    moved = laplace.outlet(time + shift, replace(law, hold_up=law.hold_up + shift))
    assert np.abs(moved - here)[1:-1].max() <= 1e-9 * here.max()
    double = replace(
        law,
        hold_up=2 * law.hold_up,
        desorption_rate=law.desorption_rate / 2,
        site_desorption_rate=law.site_desorption_rate / 2,
        tail=2 * law.tail,
        duration=2 * law.duration,
    )
    assert np.abs(2 * laplace.outlet(2 * time, double) - here)[1:-1].max() <= 1e-11 * here.max()


@PROPERTY
@given(first=st.floats(-100, 100), second=st.floats(-100, 100))
def test_inversion_is_linear(first: float, second: float) -> None:
    one, two = plate_law(3000), replace(plate_law(2000), tail=1.0)
    time = np.linspace(100, 140, 50)

    def both(s: laplace.Complex) -> laplace.Complex:
        return first * laplace.transform(s, one) + second * laplace.transform(s, two)

    found = laplace.invert(both, time, 60.0, 150.0, 400)
    expected = first * laplace.outlet(time, one) + second * laplace.outlet(time, two)
    assert np.abs(found - expected).max() <= 1e-11 * (abs(first) + abs(second) + 1e-12)


@pytest.mark.parametrize("duration", [1e-6, 0.5, 4.0, 20.0])
def test_rectangle_on_the_axis_is_the_rectangle(duration: float) -> None:
    s = laplace.frequencies(100.0, 400)
    plainly = (1 - np.exp(-s[1:] * duration)) / (s[1:] * duration)
    found = laplace.rectangle_on_axis(s.imag, duration)
    assert found[0] == 1
    np.testing.assert_allclose(found, laplace.rectangle(s, duration), rtol=0, atol=1e-14)
    # the plain formula loses digits where s t1 is small
    sure = np.abs(s[1:] * duration) > 0.1
    np.testing.assert_allclose(found[1:][sure], plainly[sure], rtol=0, atol=1e-13)


def test_a_sum_in_pieces_is_that_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    time = np.arange(20.0, 200.0, 0.5)
    whole = laplace.outlet(time, FULL)
    monkeypatch.setattr(laplace, "AT_ONCE", 1000)
    np.testing.assert_allclose(laplace.outlet(time, FULL), whole, rtol=0, atol=1e-15)


def test_a_sum_that_takes_too_long_is_refused() -> None:
    long = replace(FULL, desorption_rate=1e6, tail=1e3)
    with pytest.raises(
        SolverError, match=r"a Fourier sum of .* terms at 1 times; the limit is 1e\+08 of both together"
    ):
        laplace.outlet(np.array([100.0]), long)
    with pytest.raises(SolverError, match=r"the limit is 1e\+07: tail or injection are too long"):
        laplace.outlet(np.empty(0), long)
