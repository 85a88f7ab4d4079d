"""The local baseline: splines against scipy's, and pieces only where there is something to see."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import BSpline

from gcfit.fitting import local_base
from gcfit.fitting.bases import Base, base_columns
from gcfit.fitting.detect import Candidate
from gcfit.fitting.local_base import bend_base, free_share, unbent
from gcfit.fitting.models import Known
from gcfit.fitting.sampling import Sampling
from gcfit.fitting.scores import base_score, score
from gcfit.fitting.states import Peak, State, WindowData, _term, solved
from tests.fitting.shapes import gaussian, white


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_first_columns_are_legendre_polynomials(order: int) -> None:
    time = np.linspace(3.0, 7.0, 301)
    expected = np.polynomial.legendre.legvander((time - 5.0) / 2.0, order - 1).T
    np.testing.assert_allclose(base_columns(time, order), expected, atol=1e-14)


@pytest.mark.parametrize("order", [5, 8, 40])
def test_columns_span_the_cubic_splines_of_equal_pieces(order: int) -> None:
    time = np.linspace(3.0, 7.0, 301)
    x = (time - 3.0) / 4.0
    knots = np.r_[np.zeros(4), np.arange(1, order - 3) / (order - 3), np.ones(4)]
    expected = BSpline.design_matrix(np.minimum(x, 1 - 1e-15), knots, 3).toarray().T
    np.testing.assert_allclose(base_columns(time, order), expected, atol=1e-12)


def test_pieces_lie_where_no_peak_is() -> None:
    time = np.linspace(0.0, 100.0, 1001)
    crowd = [Candidate(apex, 1.0, 2.0, 100.0) for apex in np.arange(20.0, 61.0, 5.0)]
    free = free_share(time, crowd)
    assert free[[0, -1]].tolist() == [0, 1]
    assert (np.diff(free) > 0).all()
    order = 9
    columns = base_columns(time, order, free)
    inner = np.interp(np.arange(1, order - 3) / (order - 3), free, time)
    assert not ((inner > 20) & (inner < 60)).any()
    knots = np.r_[np.zeros(4), inner / 100, np.ones(4)]
    expected = BSpline.design_matrix(np.minimum(time / 100, 1 - 1e-15), knots, 3).toarray().T
    np.testing.assert_allclose(columns, expected, atol=1e-12)


@pytest.mark.parametrize("order", [2, 3, 4, 6])
def test_a_window_keeps_the_columns_of_each_order(order: int) -> None:
    time = np.arange(0.0, 50.0, 0.5)
    data = WindowData(Sampling.of(time), np.zeros_like(time), None, 1.0, 1.0, Known())
    for _ in range(2):
        np.testing.assert_allclose(data.base(order), base_columns(time, order), atol=1e-15)


def test_the_score_is_the_projection_of_the_residual_at_the_points_that_count() -> None:
    """Against least squares: what directions take of the residual, beside columns that are fitted already."""
    time, random = np.arange(0.0, 60.0, 0.25), np.random.default_rng(4)
    weights = np.where((time > 20) & (time < 27), 0.0, 1.0)
    data = WindowData(Sampling.of(time), random.standard_normal(time.size), weights, 0.5, 2.0, Known(-500.0))
    state = solved(data, [Peak("laplace", np.array([30.0, 1.0]), 30.0, 2.7)], 2)
    assert state is not None
    directions, columns = random.standard_normal((3, time.size)), random.standard_normal((2, time.size)) * weights

    def explained(rows: np.ndarray) -> float:
        counted = (rows * weights).T
        return float(np.sum((counted @ np.linalg.lstsq(counted, state.scaled, rcond=None)[0]) ** 2))

    assert score(data, state, directions) == pytest.approx(explained(directions), rel=1e-9)
    both = explained(np.concatenate([directions, columns]))
    # residual and columns are not orthogonal: what the columns alone explain is not the directions'
    beside = score(data, state, directions, slice(None), columns)
    assert beside == pytest.approx(both - explained(columns), rel=1e-9)
    assert score(data, state, np.concatenate([directions, directions]), beside=columns) == pytest.approx(
        beside, rel=1e-9
    )
    assert score(data, state, columns, beside=columns) == pytest.approx(0, abs=1e-9)
    # what tells two directions apart is lost in rounding, and is no direction of its own
    near = directions + 1e-7 * random.standard_normal(directions.shape)
    assert score(data, state, np.concatenate([directions, near])) == pytest.approx(explained(directions), rel=1e-5)


@pytest.mark.parametrize("order", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("masked", [False, True])
def test_the_score_of_a_baseline_is_that_of_its_columns(order: int, masked: bool) -> None:
    time, random = np.arange(0.0, 60.0, 0.25), np.random.default_rng(4)
    weights = np.where((time > 20) & (time < 27), 0.0, 1.0) if masked else None
    data = WindowData(Sampling.of(time), random.standard_normal(time.size), weights, 0.5, 2.0, Known(-500.0))
    state = solved(data, [Peak("laplace", np.array([30.0, 1.0]), 30.0, 2.7)], 2)
    assert state is not None
    counted = (data.base(order) if weights is None else data.base(order) * weights).T
    expected = np.sum((counted @ np.linalg.lstsq(counted, state.scaled, rcond=None)[0]) ** 2)
    assert base_score(data, state, order) == pytest.approx(expected, rel=1e-9)


def test_dependent_columns_have_no_inverse() -> None:
    """Six columns at five points; five of a baseline at six points are apart."""
    five, six = (np.linspace(0.0, 1.0, count) for count in (5, 6))
    assert Base(np.vander(five, 6).T).inverse_factor is None
    almost = np.stack([five, five + 1e-6 * five**2])
    assert Base(almost).inverse_factor is None
    sound = Base(base_columns(six, 5)).inverse_factor
    assert sound is not None
    np.testing.assert_allclose(sound.T @ sound @ base_columns(six, 5) @ base_columns(six, 5).T, np.eye(5), atol=1e-9)


def test_a_peak_that_is_not_retained_has_no_curve() -> None:
    time = np.arange(0.0, 60.0, 0.25)
    data = WindowData(Sampling.of(time), np.zeros_like(time), None, 1.0, 1.0, Known(28.0))
    term = _term(Peak("laplace", np.array([30.0, 0.0]), 30.0, 1.0), data)
    assert term.evaluate(np.array([27.5, 0.0])) is None
    assert term.evaluate(np.array([30.0, 0.0])) is not None


def seen(under: np.ndarray, order: int, shape: float = 4.0) -> tuple[WindowData, State]:
    """A flat-topped peak, which no model describes, on a baseline, solved with one of some order."""
    time = np.arange(0.0, 120.0, 0.2)
    peak = 1e4 * np.exp(-0.5 * np.abs((time - 60.0) / 4.0) ** shape)
    noisy = peak + under + np.random.default_rng(2).standard_normal(time.size)
    data = WindowData(Sampling.of(time), noisy, None, 1.0, 1.0, Known(-1000.0))
    state = solved(data, [Peak("laplace", np.array([60.0, np.log(3.5)]), 60.0, 3.5)], order)
    assert state is not None
    return data, state


def under_the_peak(data: WindowData, state: State) -> float:
    return float(state.solution.base_coefficients @ data.base(state.base_order)[:, 300])


@pytest.mark.parametrize("order", [3, 5, 6])
def test_a_baseline_does_not_bend_for_the_misfit_of_a_peak(order: int) -> None:
    data, state = seen(np.full(600, 10.0), order)
    straight = unbent(data, state)
    assert straight.base_order <= 2
    assert abs(under_the_peak(data, straight) - 10) < 0.5 * abs(under_the_peak(data, state) - 10)


def test_a_bend_that_is_seen_beside_the_peaks_stays() -> None:
    data, state = seen(500 * np.linspace(-1, 1, 600) ** 2, 3, shape=2.0)
    assert unbent(data, state) is state


def test_a_baseline_that_was_asked_for_stays() -> None:
    data, state = seen(np.full(600, 10.0), 5)
    assert unbent(replace(data, rigid=True), state) is state


def test_a_baseline_stays_as_it_is_where_peaks_hide_it() -> None:
    time = np.arange(0.0, 60.0, 0.2)
    peaks = [Peak("laplace", np.array([apex, 1.0]), apex, 2.7) for apex in np.arange(5.0, 60.0, 10.0)]
    signal = sum(1e3 * np.exp(-0.5 * np.abs((time - peak.anchor) / 3) ** 3) for peak in peaks)
    data = WindowData(Sampling.of(time), np.asarray(signal), None, 1.0, 1.0, Known(-1000.0))
    state = solved(data, peaks, 5)
    assert state is not None
    assert unbent(data, state) is state


@pytest.mark.parametrize("order", [2, 4, 6])
def test_no_search_is_begun_for_a_baseline_that_cannot_be_seen_better(
    order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = np.arange(0.0, 150.0, 0.25)
    signal = 1e3 * np.exp(-0.5 * ((time - 75.0) / 3) ** 2) + 500 * ((time - 75.0) / 75.0) ** 2
    signal += np.random.default_rng(3).standard_normal(time.size)
    data = WindowData(Sampling.of(time), signal, None, 1.0, 1.0, Known(-1e5))
    state = solved(data, [Peak("laplace", np.array([75.0, np.log(3.0)]), 75.0, 3.0)], order)
    assert state is not None
    asked: list[int] = []
    monkeypatch.setattr(local_base, "solved", lambda data, peaks, order: asked.append(order))
    assert unbent(data, state) is state
    assert asked == []


@pytest.mark.parametrize(("bow", "bent"), [(0.0, (0, 5)), (0.25, (150, 200))])
def test_a_baseline_bends_for_what_is_seen_and_not_by_chance(bow: float, bent: tuple[int, int]) -> None:
    """Of 200 windows beside one peak; the bow is the root mean square of a parabola in noise."""
    time = np.arange(0.0, 200.0, 0.5)
    x = (time - 100) / 100
    ground = 5 + 0.1 * time + bow * np.sqrt(5) * (1.5 * x**2 - 0.5)
    peak = Peak("gaussian", np.array([80.0, np.log(4.0)]), 80.0, 4.0)
    orders = []
    for seed in range(200):
        signal = ground + gaussian(time, 80.0, 4.0, 100.0) + white(seed, time.size)
        state = solved(WindowData(Sampling.of(time), signal, None, 1.0, 1.0, Known()), [peak], 2)
        assert state is not None
        orders.append(bend_base(WindowData(Sampling.of(time), signal, None, 1.0, 1.0, Known()), state).base_order)
    assert bent[0] <= sum(order > 2 for order in orders) <= bent[1]
