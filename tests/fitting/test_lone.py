"""Many searches at once, against each alone and against scipy's general least squares."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import least_squares

from gcfit.chromatogram import Array
from gcfit.column import closed_form
from gcfit.fitting import lone
from gcfit.fitting.covariance import covariance
from gcfit.fitting.models import Known, curve
from gcfit.fitting.pairs import PAIR, Grids
from gcfit.fitting.sampling import Sampling
from gcfit.fitting.searches import in_step, solved_all
from gcfit.fitting.states import Peak, Search, State, WindowData, solved

KNOWN = Known(60.0)
NOISE = 0.3
# retention, σ, half the window [s], height, orders of the baseline
PEAKS = (
    (150.0, 2.0, 40.0, 100.0, 2),
    (300.0, 3.0, 60.0, 8.0, 3),
    (420.0, 6.0, 150.0, 1000.0, 2),
    (555.0, 4.0, 25.0, 300.0, 5),
    (600.0, 3.2, 200.0, -50.0, 2),
    (800.0, 9.0, 110.0, 20.0, 4),
)


def shape(time: Array, retention: float, log_sigma: float) -> Array:
    delay = retention - KNOWN.hold_up
    rate = 2 * delay / np.exp(2 * log_sigma)
    return closed_form.impulse(time, KNOWN.hold_up, rate * delay, rate)


def search(
    retention: float, sigma: float, reach: float, height: float, order: int, noise: float = NOISE, level: float = 50.0
) -> Search:
    """A peak on a sloping baseline, its start off by a third of its width."""
    time = np.arange(retention - reach, retention + reach, 0.2)
    area = height * sigma * np.sqrt(2 * np.pi)
    random = np.random.default_rng(int(retention))
    signal = area * shape(time, retention, np.log(sigma)) + level + 0.02 * (time - retention)
    signal += noise * random.standard_normal(time.size)
    sampling = Sampling.of(time)
    data = WindowData(sampling, signal, None, noise, 1.0, KNOWN)
    start = np.array([retention + 0.3 * sigma, np.log(1.2 * sigma)])
    return Search(data, (Peak("laplace", start, retention, sigma, 1 if height > 0 else -1),), order)


SEARCHES = [search(*peak) for peak in PEAKS]


def alone(one: Search) -> State:
    state = solved(one.data, one.peaks, one.base_order)
    assert state is not None
    return state


def found_in(states: list[State | None]) -> list[State]:
    return [state for state in states if state is not None]


def assert_same(one: State, other: State, tolerance: float) -> None:
    """Coordinates, area and criterion to a part of their standard errors."""
    unit = covariance(one.solution, [0])
    assert unit is not None
    errors = NOISE * np.sqrt(unit.diagonal()[:3])
    values = [np.r_[state.solution.amplitudes, state.peaks[0].coordinates] for state in (one, other)]
    assert (np.abs(values[0] - values[1]) < tolerance * errors).all()
    assert one.criterion == pytest.approx(other.criterion, rel=0, abs=tolerance)
    assert one.solution.converged
    assert other.solution.converged


def test_the_searches_go_straight() -> None:
    assert all(solution is not None for solution in lone.ends(SEARCHES))


def test_many_end_where_each_ends_alone() -> None:
    for state, one in zip(found_in(solved_all(SEARCHES)), SEARCHES, strict=True):
        # not a bit more than rounding apart: both take the same steps
        assert_same(alone(one), state, 1e-6)
        np.testing.assert_allclose(state.solution.residual, alone(one).solution.residual, rtol=0, atol=1e-6 * NOISE)
        assert state.solution.iterations == alone(one).solution.iterations


@pytest.mark.parametrize(("away", "wider"), [(3.0, 0.0), (-4.0, 0.0)])
def test_long_steps_are_shortened(away: float, wider: float) -> None:
    """Unshortened, the first step of each is 1.7 and 3.4 times as long as allowed."""
    far = replace(SEARCHES[0].peaks[0], coordinates=np.array([150.0 + away, np.log(2.0) + wider]))
    one = replace(SEARCHES[0], peaks=(far,))
    (straight,), whole = lone.ends([one]), alone(one)
    assert straight is not None
    # the last step may be lost in rounding of what is left to gain
    assert abs(straight.iterations - whole.solution.iterations) <= 1
    assert_same(found_in(solved_all([one]))[0], whole, 0.02)


@pytest.mark.parametrize("one", SEARCHES, ids=lambda one: f"{one.peaks[0].anchor:g} s")
def test_a_step_uphill_is_not_taken(one: Search) -> None:
    (walk,) = lone._begun([one], Grids.of([one.data.sampling], [one.data.known])).values()
    step = lone._step(walk)
    assert step is not None
    for way in (1, -1):
        theta = (walk.point.theta[0] + way * step.change[0], walk.point.theta[1] + way * step.change[1])
        shape = curve(PAIR, np.array(theta), one.data.sampling, one.data.known)
        moved = lone._moved(walk, step, theta, shape)
        if way < 0:
            assert moved is None
        else:
            assert moved is not None
            assert moved.point.rss < walk.point.rss
            assert not moved.converged


def test_a_step_to_a_peak_of_the_wrong_sign_is_not_taken() -> None:
    """Downhill from a small peak that points up to a deep dip, which only the sign forbids."""
    one = search(150.0, 2.0, 40.0, 8.0, 2)
    signal = one.data.signal - 2000.0 * shape(one.data.time, 160.0, np.log(2.0))
    one = replace(one, data=replace(one.data, signal=signal))
    (walk,) = lone._begun([one], Grids.of([one.data.sampling], [one.data.known])).values()
    step = lone._step(walk)
    assert step is not None
    theta = (160.0, float(np.log(2.0)))
    there = curve(PAIR, np.array(theta), one.data.sampling, one.data.known)
    assert walk.point.amplitude > 0
    assert lone._moved(walk, step, theta, there) is None
    free = replace(one, peaks=(replace(one.peaks[0], sign=0),))
    moved = lone._moved(replace(walk, window=replace(walk.window, search=free)), step, theta, there)
    assert moved is not None
    assert moved.point.amplitude < 0


def test_companions_make_no_difference() -> None:
    together = found_in(solved_all(SEARCHES))
    for place, one in enumerate(SEARCHES):
        for some in ([one], [one, SEARCHES[place - 1]]):
            assert_same(found_in(solved_all(some))[0], together[place], 1e-6)


@pytest.mark.parametrize("one", SEARCHES, ids=lambda one: f"{one.peaks[0].anchor:g} s")
def test_scipy_ends_there_too(one: Search) -> None:
    """Every unknown in one general search, with the closed form instead of the Fourier sum."""
    state = found_in(solved_all([one]))[0]
    base = one.data.base(one.base_order)

    def residual(p: Array) -> Array:
        return p[0] * shape(one.data.time, p[1], p[2]) + p[3:] @ base - one.data.signal

    start = np.r_[state.solution.amplitudes * 0.8, one.peaks[0].coordinates, state.solution.base_coefficients]
    best = least_squares(residual, start, xtol=1e-15, ftol=1e-15, gtol=1e-15, x_scale="jac")
    errors = NOISE * np.sqrt(np.linalg.inv(best.jac.T @ best.jac).diagonal())
    values = np.r_[state.solution.amplitudes, state.peaks[0].coordinates, state.solution.base_coefficients]
    # a search ends where no coordinate would move by more than 1 % of its standard error
    assert (np.abs(values - best.x) < 0.02 * errors).all()
    assert state.solution.rss == pytest.approx(2 * best.cost, rel=1e-6)
    np.testing.assert_allclose(state.solution.residual, -residual(values), rtol=0, atol=1e-7 * np.abs(values[0]))


def test_a_small_peak_on_a_high_baseline_keeps_its_digits() -> None:
    low, high = (search(150.0, 2.0, 40.0, 100.0, 2, level=level) for level in (50.0, 5e9))
    states = found_in(solved_all([low, high]))
    assert_same(*states, tolerance=1e-3)
    for state, one in zip(states, (low, high), strict=True):
        solution, data = state.solution, one.data
        described = solution.total + solution.base_coefficients @ data.base(one.base_order) + solution.residual
        # to the rounding of the level itself
        np.testing.assert_allclose(described, data.signal, rtol=3e-16, atol=1e-9)


def test_a_peak_without_noise_is_found_to_its_digits() -> None:
    state = found_in(solved_all([search(300.0, 3.0, 60.0, 8.0, 2, noise=0.0)]))[0]
    np.testing.assert_allclose(state.peaks[0].coordinates, [300.0, np.log(3.0)], rtol=1e-8)


def test_a_start_at_the_end_keeps_its_digits() -> None:
    one = search(300.0, 3.0, 60.0, 8.0, 2, noise=0.0, level=1e9)
    start = replace(one.peaks[0], coordinates=np.array([300.0, np.log(3.0)]))
    state = found_in(solved_all([replace(one, peaks=(start,))]))[0]
    # eight digits are lost where the signal is made
    assert state.solution.amplitudes[0] == pytest.approx(8.0 * 3.0 * np.sqrt(2 * np.pi), rel=1e-8)


def irregular() -> dict[str, Search]:
    """Searches that are not of lone pairs on a grid, or do not go straight."""
    one = SEARCHES[0]
    data, peak = one.data, one.peaks[0]
    weights = np.ones_like(data.signal)
    weights[3:8] = 0.0
    return {
        "weights": replace(one, data=replace(data, weights=weights)),
        "no grid": replace(one, data=replace(data, sampling=replace(data.sampling, uniform=False))),
        "two": replace(
            one, peaks=(peak, replace(peak, coordinates=peak.coordinates + np.array([6.0, 0.0]), anchor=156.0))
        ),
        "tail": replace(one, peaks=(replace(peak, model="laplace+tail", coordinates=np.r_[peak.coordinates, 0.0]),)),
        "curve": replace(one, data=replace(data, curve=lambda *arguments: curve(*arguments))),
        "start beyond a bound": replace(one, peaks=(replace(peak, sigma=0.5),)),
        "end beyond a bound": replace(one, peaks=(replace(peak, sigma=0.75, coordinates=np.array([150.5, 0.5])),)),
        "unretained": replace(one, data=replace(data, known=Known(130.0))),
        "uphill": replace(one, peaks=(replace(peak, coordinates=np.array([144.0, np.log(2.0) - 1.0])),)),
        "too wide": replace(one, peaks=(replace(peak, coordinates=np.array([154.5, np.log(2.0) + 0.5])),)),
    }


@pytest.mark.parametrize("name", irregular())
def test_what_does_not_go_straight_is_left_to_the_other_search(name: str) -> None:
    one = irregular()[name]
    state, beside = found_in(solved_all([one, SEARCHES[1]]))
    expected = alone(one)
    for new, old in zip(state.peaks, expected.peaks, strict=True):
        np.testing.assert_array_equal(new.coordinates, old.coordinates)
    assert state.criterion == expected.criterion
    assert_same(beside, alone(SEARCHES[1]), 1e-6)


def test_a_peak_of_the_wrong_sign_is_found_as_such() -> None:
    one = replace(SEARCHES[0], data=replace(SEARCHES[0].data, signal=-SEARCHES[0].data.signal))
    assert_same(found_in(solved_all([one]))[0], alone(one), 1e-6)


def test_many_pairs_of_a_window_are_evaluated_as_each_is() -> None:
    """A chain of overlapping peaks whose curves are made at once, against the same with a curve of its own."""
    places = 200.0 + 9.0 * np.arange(12)
    time = np.arange(150.0, 360.0, 0.2)
    signal = 5.0 + sum(30.0 * (1 + k % 3) * shape(time, at, np.log(2.5)) for k, at in enumerate(places))
    signal += 0.02 * np.random.default_rng(3).standard_normal(time.size)
    data = WindowData(Sampling.of(time), signal, None, 0.02, 1.0, KNOWN)
    peaks = tuple(Peak("laplace", np.array([at + 0.5, np.log(2.8)]), at, 2.5) for at in places)
    tailed = replace(peaks[4], model="laplace+tail", coordinates=np.r_[peaks[4].coordinates, np.log(0.3)])
    for some in (peaks, (*peaks[:4], tailed, *peaks[5:])):
        at_once = solved(data, some, 2)
        each = solved(replace(data, curve=lambda *arguments: curve(*arguments)), some, 2)
        assert at_once is not None
        assert each is not None
        for one, other in zip(at_once.peaks, each.peaks, strict=True):
            np.testing.assert_allclose(one.coordinates, other.coordinates, rtol=0, atol=1e-7)
        assert at_once.criterion == pytest.approx(each.criterion, rel=1e-9)


def test_no_searches_have_no_ends() -> None:
    assert solved_all([]) == []
    assert in_step([]) == []


def test_runs_in_step_get_their_own_answers() -> None:
    def run(places: list[int]):  # type: ignore[no-untyped-def]
        last = None
        for place in places:
            last = yield SEARCHES[place]
        return last

    wanted = [[0, 2], [1], [], [3, 4, 5]]
    for state, places in zip(in_step([run(places) for places in wanted]), wanted, strict=True):
        if not places:
            assert state is None
        else:
            assert state is not None
            assert state.peaks[0].anchor == SEARCHES[places[-1]].peaks[0].anchor
