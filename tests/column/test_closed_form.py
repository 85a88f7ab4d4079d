"""The closed forms against 50-digit values, against 40-digit sums over whole numbers of stays, and by properties."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcfit.chromatogram import Array
from gcfit.column import closed_form
from tests.column import plain
from tests.column.differences import sixth_order
from tests.column.reference import Case, cases

CASES = cases()
RELATIVE = [case for case in CASES if case.kind != "rectangle"]


def evaluated(case: Case) -> Array:
    extra = {"rectangle": (case.injection,), "overloaded": (case.loading,)}.get(case.kind, ())
    return getattr(closed_form, case.kind)(case.time, case.hold_up, case.n, case.desorption_rate, *extra)


def test_the_reference_table_is_whole() -> None:
    # FACTS: 441 values, five kinds
    assert sum(case.time.size for case in CASES) == 441
    assert {case.kind for case in CASES} == {"impulse", "step", "step_complement", "rectangle", "overloaded"}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_row_of_the_reference_within_1e_12_of_the_apex(case: Case) -> None:
    scale = 1.0 if case.kind.startswith("step") else case.apex
    assert np.abs(evaluated(case) - case.value).max() <= 1e-12 * scale


@pytest.mark.parametrize("case", RELATIVE, ids=str)
def test_reference_rows_within_1e_11_relative_into_both_tails(case: Case) -> None:
    assert case.value.min() > 0
    np.testing.assert_allclose(evaluated(case), case.value, rtol=1e-11, atol=0)


@pytest.mark.parametrize("case", [case for case in CASES if case.kind == "rectangle"], ids=str)
def test_upper_tail_of_the_rectangle_does_not_cancel(case: Case) -> None:
    # a difference of two J near 1 would lose all digits of the rows of 1e-18 and below
    np.testing.assert_allclose(evaluated(case), case.value, rtol=1e-10, atol=0)


@pytest.mark.parametrize(("n", "rate"), [(0.3, 0.01), (3.0, 1.0), (60.0, 0.5), (439.745488, 5.299), (2242.78, 11.5)])
def test_impulse_step_and_complement_against_the_mixture_of_whole_numbers_of_stays(n: float, rate: float) -> None:
    # no Bessel function and no chi-square in the sum over the number of stays
    middle, sigma = n / rate, np.sqrt(2 * n) / rate
    delays = np.array([d for d in middle + sigma * np.array([-5.0, -2.0, 0.0, 0.7, 2.0, 6.0]) if d > 0])
    density, remaining = (np.array(row) for row in zip(*(plain.mixture(d, n, rate) for d in delays), strict=True))
    arguments = (delays, 0.0, n, rate)
    np.testing.assert_allclose(closed_form.impulse(*arguments), density.astype(float), rtol=1e-12)
    np.testing.assert_allclose(closed_form.step_complement(*arguments), remaining.astype(float), rtol=1e-12)
    np.testing.assert_allclose(closed_form.step(*arguments), (1 - remaining).astype(float), rtol=1e-12)


@pytest.mark.parametrize("n", [0.3, 5.0, 25.0, 58.0])
@pytest.mark.parametrize("points", [3, 40, 900])
def test_steps_at_many_times_against_the_mixture(n: float, points: int) -> None:
    # both ends to relative accuracy, whatever the spacing and wherever the times begin
    rate, hold_up = 0.7, 20.0
    sigma = np.sqrt(2 * n) / rate
    time = hold_up + np.linspace(-0.5, n / rate + 9 * sigma, points)
    eluted, remaining = closed_form.steps(time, hold_up, n, rate)
    assert (eluted[0], remaining[0]) == (0.0, 1.0)
    for place in (points // 2, (3 * points) // 4, points - 1):
        _, left = plain.mixture(time[place] - hold_up, n, rate)
        assert remaining[place] == pytest.approx(float(left), rel=1e-11)
        assert eluted[place] == pytest.approx(float(1 - left), rel=1e-12)
    np.testing.assert_allclose(eluted + remaining, 1.0, atol=1e-13)


@pytest.mark.parametrize("loading", [-12.0, -3.0, 2.0, 15.0])
def test_overloaded_against_thomas_formula_with_40_digits(loading: float) -> None:
    # c = (1/β) d/dθ ln(e^{-β} + (1 - e^{-β}) J)
    n, rate = 80.0, 1.0
    delays = np.array([40.0, 60.0, 80.0, 110.0, 140.0])
    with mpmath.workdps(plain.DIGITS):
        decay = mpmath.exp(-mpmath.mpf(loading))
        rows = [plain.mixture(delay, n, rate) for delay in delays]
        law = [(1 - decay) / loading * h / (decay + (1 - decay) * (1 - left)) for h, left in rows]
    expected = np.array([float(value) for value in law])
    np.testing.assert_allclose(closed_form.overloaded(delays + 5, 5.0, n, rate, loading), expected, rtol=1e-12)


@pytest.mark.parametrize("loading", [0.0, 1e-9, -1e-9])
def test_loading_goes_to_the_linear_law(loading: float) -> None:
    time = np.linspace(30, 300, 500)
    linear = closed_form.impulse(time, 30.0, 60.0, 0.5)
    np.testing.assert_allclose(closed_form.overloaded(time, 30.0, 60.0, 0.5, loading), linear, rtol=1e-8)


@pytest.mark.parametrize("loading", [-20.0, -4.0, 0.3, 6.0, 20.0])
def test_loading_conserves_the_area(loading: float) -> None:
    # n = 60: the spike e^{-60} is nothing
    time = np.linspace(0, 500, 200_001)
    assert np.trapezoid(closed_form.overloaded(time, 0.0, 60.0, 0.5, loading), time) == pytest.approx(1, abs=1e-9)


def test_jacobian_of_the_impulse_against_differences() -> None:
    time, n, rate = np.linspace(20.5, 200, 400), 12.0, 0.2
    value, by_n, by_rate = closed_form.impulse_jacobian(time, 20.0, n, rate)
    np.testing.assert_array_equal(value, closed_form.impulse(time, 20.0, n, rate))
    for place, row in ((0, by_n), (1, by_rate)):
        expected = sixth_order(lambda p: closed_form.impulse(time, 20.0, p[0], p[1]), np.array([n, rate]), place)
        assert np.abs(row - expected).max() < 1e-9 * np.abs(expected).max()


def test_before_the_hold_up_time_nothing_has_left() -> None:
    time = np.array([-5.0, 0.0, 10.0])
    for law in (closed_form.impulse, closed_form.step):
        assert (law(time, 10.0, 3.0, 0.5) == 0).all()
    assert (closed_form.step_complement(time, 10.0, 3.0, 0.5) == 1).all()
    assert (closed_form.rectangle(time, 10.0, 3.0, 0.5, 4.0) == 0).all()
    assert (closed_form.overloaded(time, 10.0, 3.0, 0.5, -4.0) == 0).all()


@pytest.mark.parametrize("duration", [1e-12, 1e-8, 1e-3, 0.3, 0.36, 4.0])
@pytest.mark.parametrize(("n", "rate"), [(0.3, 0.01), (439.745488, 5.299), (2.0, 0.3)])
def test_short_injections_keep_all_digits(n: float, rate: float, duration: float) -> None:
    """Differences of 1 - J with 40 digits, of which the shortest injection takes twelve."""
    middle, sigma = n / rate, np.sqrt(2 * n) / rate
    delays = [delay for delay in middle + sigma * np.array([-4.0, -1.0, 0.0, 2.0, 5.0]) if delay > duration]
    with mpmath.workdps(plain.DIGITS):
        ends = [(mpmath.mpf(delay) - mpmath.mpf(duration), mpmath.mpf(delay)) for delay in delays]
        left = [[plain.mixture(delay, n, rate)[1] for delay in pair] for pair in ends]
        parts = [(before - after) / mpmath.mpf(duration) for before, after in left]
    found = closed_form.rectangle(np.array(delays), 0.0, n, rate, duration)
    np.testing.assert_allclose(found, np.array(parts, dtype=float), rtol=2e-12)


def test_a_short_injection_passes_unretained_as_a_rectangle() -> None:
    # e^{-n}/t1 while it lasts, and h(0+) = n k_d e^{-n} of what has been adsorbed once, for so long
    n, rate, duration = 2.0, 0.3, 1e-4
    found = closed_form.rectangle(np.array([-1e-5, 5e-5, 1e-4, 1.5e-4]), 0.0, n, rate, duration)
    once = n * rate * np.exp(-n)
    np.testing.assert_allclose(
        found, [0, np.exp(-n) / duration + once / 2, np.exp(-n) / duration + once, once], rtol=1e-4
    )


def test_the_argument_is_not_written_to() -> None:
    time = np.linspace(0, 100, 11)
    before = time.copy()
    for case in ("impulse", "step", "step_complement"):
        getattr(closed_form, case)(time, 10.0, 30.0, 0.5)
        np.testing.assert_array_equal(time, before)


laws = {"n": st.floats(2, 2000), "rate": st.floats(0.05, 20), "hold_up": st.floats(0, 500)}


NODES, WEIGHTS = np.polynomial.legendre.leggauss(300)
PROPERTY = settings(deadline=None, max_examples=60, derandomize=True)


def around(hold_up: float, n: float, rate: float, points: int = 101, reach: float = 9.0) -> Array:
    root = np.sqrt(n)
    low, high = max(root - reach, 0.0) ** 2 / rate, (root + reach) ** 2 / rate
    return hold_up + np.linspace(low, high, points)


@PROPERTY
@given(**laws)
def test_area_and_moments(n: float, rate: float, hold_up: float) -> None:
    # FACTS, moments, the spike e^{-n} at θ = 0 included: area 1, mean n/k_d, variance 2n/k_d², third 6n/k_d³
    low, high = max(np.sqrt(n) - 9, 0.0), np.sqrt(n) + 9
    root = low + (high - low) * (NODES + 1) / 2
    delay, weights = root**2 / rate, WEIGHTS * (high - low) * root / rate
    curve = closed_form.impulse(delay + hold_up, hold_up, n, rate)
    # the times delay + hold_up are rounded: 1e-13 s over σ
    near = 1e-9 + 1e-12 * hold_up * rate
    raw = [float(weights @ (delay**k * curve)) for k in range(4)]
    assert raw[0] == pytest.approx(1 - np.exp(-n), rel=near)
    mean = n / rate
    assert raw[1] == pytest.approx(mean, rel=near)
    assert raw[2] == pytest.approx(2 * n / rate**2 + mean**2, rel=near)
    assert raw[3] == pytest.approx(6 * n / rate**3 + 3 * mean * 2 * n / rate**2 + mean**3, rel=near)


@PROPERTY
@given(shift=st.floats(-300, 300), **laws)
def test_time_shift(n: float, rate: float, hold_up: float, shift: float) -> None:
    time = around(hold_up, n, rate)
    sigma = np.sqrt(2 * n) / rate
    for law in (closed_form.impulse, closed_form.step):
        here, there = law(time, hold_up, n, rate), law(time + shift, hold_up + shift, n, rate)
        # the sum time + shift is rounded: 1e-16 of 1000 s over σ
        assert np.abs(here - there).max() <= (1e-12 + 1e-12 / sigma) * np.abs(here).max()


@PROPERTY
@given(scale=st.floats(1e-3, 1e3), **laws)
def test_time_scale(n: float, rate: float, hold_up: float, scale: float) -> None:
    time = around(hold_up, n, rate)
    slow = closed_form.impulse(hold_up * scale + (time - hold_up) * scale, hold_up * scale, n, rate / scale)
    expected = closed_form.impulse(time, hold_up, n, rate) / scale
    assert np.abs(slow - expected).max() <= 1e-9 * expected.max()


@PROPERTY
@given(duration=st.floats(0.01, 50), **laws)
def test_rectangle_is_the_mean_of_the_impulse_over_the_injection(
    n: float, rate: float, hold_up: float, duration: float
) -> None:
    time = around(hold_up, n, rate, points=31)[1:]
    latest = time - hold_up
    earliest = np.maximum(latest - duration, 0)
    half = (latest - earliest) / 2
    delay = earliest[:, None] + half[:, None] * (NODES + 1)
    mean = closed_form.impulse(delay.ravel(), 0.0, n, rate).reshape(delay.shape) @ WEIGHTS * half
    # the unretained spike e^{-n} leaves as a rectangle of its own
    expected = (mean + np.exp(-n) * (latest <= duration)) / duration
    found = closed_form.rectangle(time, hold_up, n, rate, duration)
    assert np.abs(found - expected).max() <= 1e-9 * expected.max()
