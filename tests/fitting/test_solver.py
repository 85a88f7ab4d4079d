"""The search against scipy's general least squares on the same problems, and its covariance against brute force."""

import zlib
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import least_squares, lsq_linear

from gcfit.chromatogram import Array
from gcfit.fitting import solver
from gcfit.fitting.bounded import within_bounds
from gcfit.fitting.covariance import covariance
from gcfit.fitting.sampling import Curve
from gcfit.fitting.solver import solve
from gcfit.fitting.terms import CLOSE, COARSE, FINE, ROUGH, Effort, Solution, Term

TIME = np.linspace(0.0, 100.0, 501)
BASE = np.stack([np.ones_like(TIME), TIME / 100])
WIDE = np.array([1e3, 10.0])


def bell(time: Array, at: Array) -> Array:
    return np.exp(-(((time - at[0]) / np.exp(at[1])) ** 2) / 2)


def term(start: tuple[float, float], lower: Array = -WIDE, upper: Array = WIDE, reach: float = np.inf) -> Term:
    """A bell of unit height with its derivatives; cut to `reach` σ as a curve with local support."""

    def evaluate(at: Array) -> Curve:
        z = (TIME - at[0]) / np.exp(at[1])
        inside = np.flatnonzero(np.abs(z) <= reach)
        first, last = int(inside[0]), int(inside[-1]) + 1
        z = z[first:last]
        value = np.exp(-(z**2) / 2)
        return Curve(first, np.stack([value, value * z / np.exp(at[1]), value * z**2]))

    return Term(evaluate, np.array(start), lower, upper, stride=np.array([20.0, 1.0]))


def data(*peaks: tuple[float, float, float], noise: float = 0.3, seed: int = 0) -> Array:
    """Peaks (height, centre, σ) on 5 + 3 t/100 with noise."""
    clean = 5 + 3 * TIME / 100 + sum(h * bell(TIME, np.array([c, np.log(s)])) for h, c, s in peaks)
    return clean + noise * np.random.default_rng(seed).standard_normal(TIME.size)


TWO = data((10.0, 35.0, 4.0), (6.0, 47.0, 5.0))
STARTS = ((33.0, 1.2), (49.0, 1.5))


def scipy_solution(
    signal: Array, starts: tuple[tuple[float, float], ...], weights: Array | None = None, **options: object
) -> tuple[Array, Array]:
    """(heights, base, coordinates) and (JᵀJ)⁻¹ by scipy with every unknown in the search."""
    count, scale = len(starts), np.ones_like(signal) if weights is None else weights

    def residual(p: Array) -> Array:
        shapes = p[count + 2 :].reshape(count, 2)
        model = p[count : count + 2] @ BASE + sum(p[k] * bell(TIME, shapes[k]) for k in range(count))
        return (model - signal) * scale

    start = np.concatenate([np.full(count, 5.0), [5.0, 0.0], np.ravel(starts)])
    best = least_squares(residual, start, xtol=1e-15, ftol=1e-15, gtol=1e-15, x_scale="jac", **options)
    return best.x, np.linalg.inv(best.jac.T @ best.jac)


def flat(solution: Solution) -> Array:
    return np.concatenate([solution.amplitudes, solution.base_coefficients, *solution.coordinates])


def solved(signal: Array, terms: list[Term], weights: Array | None = None, base: Array = BASE) -> Solution:
    solution = solve(signal, terms, base, weights)
    assert solution is not None
    return solution


@pytest.mark.parametrize("weighted", [False, True])
def test_same_minimum_as_scipy(weighted: bool) -> None:
    weights = np.linspace(0.5, 2, TIME.size) if weighted else None
    found = solved(TWO, [term(start) for start in STARTS], weights)
    expected, _ = scipy_solution(TWO, STARTS, weights)
    assert found.converged
    # the search stops within 1 % of an error; here that is 1e-5 of the values
    np.testing.assert_allclose(flat(found), expected, rtol=2e-4, atol=2e-4)
    model = expected[2:4] @ BASE + sum(expected[k] * bell(TIME, expected[4 + 2 * k : 6 + 2 * k]) for k in (0, 1))
    least = np.sum(((TWO - model) * (1.0 if weights is None else weights)) ** 2)
    assert found.rss == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_same_covariance_as_scipy(weighted: bool) -> None:
    weights = np.linspace(0.5, 2, TIME.size) if weighted else None
    found = covariance(solved(TWO, [term(start) for start in STARTS], weights), range(2))
    _, expected = scipy_solution(TWO, STARTS, weights)
    assert found is not None
    # rows there: heights, base, coordinates; here: height and coordinates of each term, then the base
    order = [0, 4, 5, 1, 6, 7, 2, 3]
    np.testing.assert_allclose(found, expected[np.ix_(order, order)], rtol=5e-3, atol=1e-7)


def test_covariance_under_correlated_noise_against_the_whole_matrix() -> None:
    rho = 0.7
    acf = rho ** np.arange(40)
    solution = solved(TWO, [term(start) for start in STARTS])
    found = covariance(solution, range(2), acf)
    columns = [row for k in range(2) for row in solution.jacobian(k)] + list(solution.base)
    jacobian = np.stack(columns).T
    lags = np.abs(np.subtract.outer(np.arange(TIME.size), np.arange(TIME.size)))
    noise = np.where(lags < 40, rho**lags, 0.0)
    inverse = np.linalg.inv(jacobian.T @ jacobian)
    expected = inverse @ jacobian.T @ noise @ jacobian @ inverse
    assert found is not None
    # the base's own share is approximated as smooth against the reach of the noise
    np.testing.assert_allclose(np.diag(found)[:6], np.diag(expected)[:6], rtol=0.02)


def test_covariance_of_one_term_lets_the_others_stand() -> None:
    far = data((10.0, 20.0, 2.0), (6.0, 80.0, 2.0))
    solution = solved(far, [term((21.0, 0.6), reach=6.0), term((79.0, 0.8), reach=6.0)])
    both, one = covariance(solution, range(2)), covariance(solution, [1])
    assert both is not None
    assert one is not None
    np.testing.assert_allclose(one[:3, :3], both[3:6, 3:6], rtol=0.02)


def test_scatter_of_the_estimates_is_the_covariance() -> None:
    clean = data((10.0, 35.0, 4.0), noise=0.0)
    random = np.random.default_rng(3)
    runs = [solved(clean + 0.3 * random.standard_normal(TIME.size), [term((36.0, 1.3))]) for _ in range(300)]
    stated = covariance(solved(clean, [term((36.0, 1.3))]), [0])
    assert stated is not None
    found = np.cov(np.array([[run.amplitudes[0], *run.coordinates[0]] for run in runs]).T)
    # 300 runs know a standard deviation to 4 %
    np.testing.assert_allclose(np.sqrt(np.diag(found)), 0.3 * np.sqrt(np.diag(stated)[:3]), rtol=0.15)


def test_a_bound_holds_and_the_rest_is_best_under_it() -> None:
    lower, upper = np.array([0.0, -5.0]), np.array([33.0, 5.0])
    found = solved(TWO, [term(STARTS[0], lower, upper), term(STARTS[1])])
    assert found.coordinates[0][0] == 33.0
    limits = np.full(8, np.inf)
    limits[4] = 33.0
    start = ((32.0, 1.2), STARTS[1])
    expected, _ = scipy_solution(TWO, start, bounds=(-np.full(8, np.inf), limits))
    np.testing.assert_allclose(flat(found), expected, rtol=2e-3, atol=1e-3)


def test_a_start_on_the_bound_can_leave_it() -> None:
    lower = np.array([33.0, -5.0])
    found = solved(TWO, [term((33.0, 1.2), lower, WIDE), term(STARTS[1])])
    assert found.coordinates[0][0] == pytest.approx(35.0, abs=0.2)


def test_points_of_weight_zero_do_not_count() -> None:
    weights = np.ones_like(TIME)
    weights[170:181] = 0.0
    spoiled = np.where(weights > 0, TWO, 1e6)
    found, expected = (solved(signal, [term(start) for start in STARTS], weights) for signal in (spoiled, TWO))
    np.testing.assert_allclose(flat(found), flat(expected), rtol=1e-8)
    assert (found.residual[170:181] == 0).all()


def test_base_alone_is_linear_regression() -> None:
    found = solved(TWO, [])
    expected = np.linalg.lstsq(BASE.T, TWO, rcond=None)[0]
    np.testing.assert_allclose(found.base_coefficients, expected, rtol=1e-12)
    assert found.converged
    assert found.iterations == 0


def test_local_support_gives_the_same_answer() -> None:
    whole, local = (solved(TWO, [term(start, reach=reach) for start in STARTS]) for reach in (np.inf, 9.0))
    np.testing.assert_allclose(flat(local), flat(whole), rtol=1e-7)


def test_many_terms_take_the_sparse_road_to_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    centres = np.arange(5.0, 96.0, 6.0)
    signal = data(*((4.0, c, 1.5) for c in centres))
    terms = [term((c + 0.3, 0.5), reach=8.0) for c in centres]
    dense = solved(signal, terms)
    monkeypatch.setattr("gcfit.fitting.solver.BANDED_ABOVE", 10)
    np.testing.assert_allclose(flat(solved(signal, terms)), flat(dense), rtol=1e-6, atol=1e-6)


def test_negative_and_absent_amplitudes_are_linear_too() -> None:
    found = solved(data((-8.0, 35.0, 4.0)), [term((36.0, 1.3))])
    assert found.amplitudes[0] == pytest.approx(-8.0, abs=0.3)
    empty = solved(data(), [term((50.0, 1.3))])
    assert abs(empty.amplitudes[0]) < 1.0


def test_a_start_without_a_curve_is_none_and_a_step_into_nothing_is_refused() -> None:
    nothing = Term(lambda at: None, np.zeros(2), -WIDE, WIDE, WIDE)
    assert solve(TWO, [nothing], BASE) is None
    inner = term((30.0, 1.2))

    def cut(at: Array) -> Curve | None:
        return inner.evaluate(at) if at[0] < 34 else None

    fenced = Term(cut, inner.start, inner.lower, inner.upper, inner.stride)
    found = solved(data((10.0, 35.0, 4.0)), [fenced])
    assert 30 < found.coordinates[0][0] < 34


def test_two_equal_terms_are_not_determined() -> None:
    # judged where both are the same: on its way a search may part them along the noise
    same = [term((35.0, 1.4)), term((35.0, 1.4))]
    found = solve(data((10.0, 35.0, 4.0)), same, BASE, effort=Effort(iterations=0))
    assert found is not None
    assert covariance(found, range(2)) is None


@pytest.mark.parametrize("scale", [1e-30, 1e-8, 1e12, 1e30])
def test_scale_of_the_signal_scales_the_answer(scale: float) -> None:
    one, other = (solved(signal, [term(start) for start in STARTS]) for signal in (TWO, TWO * scale))
    np.testing.assert_allclose(other.amplitudes, one.amplitudes * scale, rtol=1e-9)
    np.testing.assert_allclose(np.concatenate(other.coordinates), np.concatenate(one.coordinates), rtol=1e-9)


@pytest.mark.parametrize("effort", [FINE, COARSE, ROUGH, CLOSE])
@pytest.mark.parametrize("freedom", [5, 200, 50_000])
def test_a_misfit_settles_a_search_when_no_step_gains_a_thousandth_of_it(effort: Effort, freedom: int) -> None:
    """The noise sets the precision where it is all that is left, or where few points know no better."""
    known = replace(effort, noise=1e-4)
    of_noise = effort.settled * 1e-4
    assert known.attained(1e-4 * freedom, freedom) == pytest.approx(of_noise)
    rss = 1e3 * freedom
    assert known.attained(rss, freedom) <= max(1e-3 * rss, effort.settled * rss / freedom) * (1 + 1e-12)
    assert known.attained(rss, freedom) >= effort.settled * rss / freedom


@pytest.mark.parametrize("start", [(24.0, 2.2), (38.0, 0.5), (30.0, 3.0)])
def test_a_coarse_search_in_a_misfit_ends_near_the_least(start: tuple[float, float]) -> None:
    """Two exponentials behind an edge, described by two bells."""
    signal = 5 + 100 * np.where(TIME > 30, np.exp(-(TIME - 30) / 9), 0.0) + 30 * np.exp(-np.abs(TIME - 60) / 4)
    terms = [term(start), term((56.0, 1.5))]
    coarse, best = (solve(signal, terms, BASE, effort=one) for one in (replace(COARSE, noise=1e-4), Effort(400, 1e-12)))
    assert coarse is not None
    assert best is not None
    assert coarse.rss < 1.02 * best.rss


def test_nothing_is_written_to() -> None:
    given = TWO.copy(), np.ones_like(TIME), BASE.copy()
    signal, weights, base = (array.copy() for array in given)
    solved(signal, [term(start) for start in STARTS], weights, base)
    for array, before in zip((signal, weights, base), given, strict=True):
        np.testing.assert_array_equal(array, before)


def test_noise_free_data_are_met_to_rounding() -> None:
    clean = data((10.0, 35.0, 4.0), (6.0, 47.0, 5.0), noise=0.0)
    found = solved(clean, [term(start) for start in STARTS])
    np.testing.assert_allclose(np.concatenate(found.coordinates), [35.0, np.log(4), 47.0, np.log(5)], rtol=1e-9)
    assert found.rss < 1e-20 * clean @ clean


@pytest.mark.parametrize("seed", range(6))
def test_a_step_within_bounds_is_the_bounded_least_squares_step(seed: int) -> None:
    # six coordinates, half of them shut in; scipy's bounded linear least squares on the projected columns
    random = np.random.default_rng(seed)
    room = random.uniform(0.0, 0.4, (3, 2, 2))
    starts = [(20.0, 1.3), (35.0, 1.2), (44.0, 1.6)]
    bounds = [(np.array(start) - low, np.array(start) + high) for start, (low, high) in zip(starts, room, strict=True)]
    terms = tuple(term(start, *bound) for start, bound in zip(starts, bounds, strict=True))
    signal = data((8.0, 21.0, 4.0), (10.0, 36.0, 4.0), (6.0, 46.0, 4.0), seed=seed)
    problem = solver._Problem(signal, terms, BASE, None)
    point = problem.at(problem.start)
    assert point is not None
    slopes = np.concatenate([row[1:] for row in point.rows]) * point.amplitude[:, None]
    linear = np.stack([*(row[0] for row in point.rows), *BASE])
    projected = slopes - np.linalg.lstsq(linear.T, slopes.T, rcond=None)[0].T @ linear
    gradient = projected @ point.residual
    low, high = problem.lower - problem.start, problem.upper - problem.start
    found = within_bounds(point.normal, gradient, 0.0, low, high)
    assert ((found >= low) & (found <= high)).all()
    best = lsq_linear(projected.T, point.residual, (low - 1e-12, high + 1e-12), tol=1e-14)
    fall = point.rss - np.sum((point.residual - found @ projected) ** 2)
    # a few rounds come within 2 % of the greatest fall
    assert fall >= 0.98 * (point.rss - 2 * best.cost)


def by_steps(signal: Array, terms: list[Term], steps: int = 12) -> list[Solution]:
    """Where a search is after 0, 1, 2, ... steps."""
    found = [solve(signal, terms, BASE, effort=Effort(iterations=k)) for k in range(steps)]
    assert all(one is not None for one in found)
    return [one for one in found if one is not None]


@pytest.mark.parametrize("start", [(22.0, 0.3), (45.0, 2.6), (36.0, 3.0), (43.0, 0.0)])
def test_no_step_raises_the_sum_of_squares_or_is_longer_than_allowed(start: tuple[float, float]) -> None:
    stride = np.array([1.5, 0.25])
    far = term(start)
    slow = Term(far.evaluate, far.start, far.lower, far.upper, stride)
    for one, lengths in ((far, far.stride), (slow, stride)):
        states = by_steps(data((10.0, 35.0, 2.0), noise=0.1), [one])
        for before, after in pairwise(states):
            assert after.rss <= before.rss
            assert (np.abs(after.coordinates[0] - before.coordinates[0]) <= lengths * (1 + 1e-12)).all()


@pytest.mark.parametrize("starts", [(36.0, 44.0), (42.0, 44.0), (42.0, 48.0), (46.0, 56.0), (50.0, 48.0)])
def test_an_amplitude_does_not_change_to_the_wrong_sign(starts: tuple[float, float]) -> None:
    # a wide bell with a dip on top, which a second bell describes best when it points downwards
    signal = data((10.0, 45.0, 8.0), (-4.0, 45.0, 3.0), noise=0.02)
    free = [term((starts[0], 1.6)), term((starts[1], 1.2))]
    signed = [Term(one.evaluate, one.start, one.lower, one.upper, one.stride, sign=1) for one in free]
    assert (solved(signal, free).amplitudes < 0).any()
    found = by_steps(signal, signed)
    wrong = [np.count_nonzero(one.amplitudes < 0) for one in found]
    # a start may have one already
    assert all(after <= before for before, after in pairwise(wrong))
    assert found[-1].rss < found[0].rss


def test_a_small_peak_on_a_high_baseline_keeps_its_digits() -> None:
    at = np.array([35.0, np.log(4.0)])
    signal = 1e9 * (1 + TIME / 100) + bell(TIME, at)
    start = solve(signal, [term((35.0, float(at[1])))], BASE, effort=Effort(iterations=0))
    assert start is not None
    # the signal is known to 1e-7
    assert start.amplitudes[0] == pytest.approx(1.0, abs=5e-8)


def test_a_search_whose_steps_rounding_refuses_has_settled() -> None:
    """A curve that is right to 3e-8 only promises gains that no step brings."""
    exact = term((33.0, 1.2))

    def rough(at: Array) -> Curve:
        one = exact.evaluate(at)
        assert one is not None
        noise = np.random.default_rng(zlib.crc32(at.tobytes())).standard_normal(one.rows.shape[1])
        return Curve(one.first, np.stack([one.rows[0] + 3e-8 * noise, *one.rows[1:]]))

    signal = data((1e4, 35.0, 4.0), noise=0.003)
    found = solve(signal, [replace(exact, evaluate=rough)], BASE, effort=Effort(settled=1e-9))
    assert found is not None
    assert found.converged
    assert found.iterations < 40
    np.testing.assert_allclose(found.coordinates[0], [35.0, np.log(4)], atol=1e-5)
