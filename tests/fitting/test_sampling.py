"""Sampling: which times count as uniform, grids that hold a peak, and the Fourier sum on them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcfit.fitting.sampling import JITTER, Sampling, axis, fast_length, refinement_for, to_spectrum, to_time
from tests.fitting.curves import Shape, expected, rows

PROPERTY = settings(deadline=None, max_examples=60, derandomize=True)


def test_times_rounded_when_written_are_uniform() -> None:
    # minutes with four decimals at 10 Hz: 0.1 s = 0.0016667 min, rounded by up to 3 % of the interval
    exact = np.arange(3000) * 0.1
    assert Sampling.of(exact).uniform
    assert Sampling.of(np.round(exact / 60, 6) * 60).uniform
    assert not Sampling.of(np.round(exact / 60, 3) * 60 + 1e-5 * np.arange(3000)).uniform


def test_jitter_on_either_side_of_the_limit() -> None:
    sign = np.where(np.arange(400) % 3 == 1, 1.0, -1.0)
    sign[[0, -1]] = 0
    for share, uniform in ((0.9 * JITTER, True), (1.1 * JITTER, False)):
        assert Sampling.of(5 + 0.2 * (np.arange(400) + share * sign)).uniform is uniform


@pytest.mark.parametrize("share", [0.0, 0.5 * JITTER])
def test_a_rounded_grid_costs_at_most_a_slope_times_the_jitter(share: float) -> None:
    shape = Shape("laplace", 2000, 100.0)
    exact = shape.times(10.0)
    step = exact[1] - exact[0]
    time = exact + share * step * np.random.default_rng(1).uniform(-1, 1, exact.size)
    found = rows(shape, shape.coordinates, Sampling.of(time))[0]
    judge = expected(shape, shape.coordinates, time)
    # steepest slope of a Gaussian: 0.61 of the apex per σ; a tenth of a σ between points
    assert np.abs(found - judge).max() <= (1e-9 + 1.5 * share * 0.61 / 10) * judge.max()


def test_one_missing_point_is_seen() -> None:
    time = np.delete(np.arange(100) * 0.5, 40)
    sampling = Sampling.of(time)
    assert not sampling.uniform
    assert sampling.interval == 0.5


@PROPERTY
@given(begin=st.floats(-50, 400), length=st.floats(1e-3, 500))
def test_a_grid_holds_its_span_and_keeps_the_points(begin: float, length: float) -> None:
    sampling = Sampling.of(np.arange(200.0, 300.0, 0.25))
    grid = sampling.grid(begin, begin + length)
    assert grid.begin <= begin + 1e-12
    assert grid.begin + grid.period >= begin + length
    # its first point is one of the sampling's, continued to both sides
    assert grid.begin == pytest.approx(200.0 + 0.25 * grid.first, abs=1e-9)


@PROPERTY
@given(least=st.integers(1, 10**6))
def test_fast_lengths(least: int) -> None:
    length = fast_length(least)
    assert length >= least
    assert length % 2 == 0
    while length % 2 == 0:
        length //= 2
    assert length in (1, 3, 5)


@PROPERTY
@given(count=st.integers(0, 5000), length=st.integers(64, 4096))
def test_refinement_holds_the_frequencies(count: int, length: int) -> None:
    refinement = refinement_for(count, length)
    assert 2 * count <= length * refinement
    assert refinement == 1 or 2 * count > length * refinement // 2


def test_to_time_and_to_spectrum_are_inverse() -> None:
    sampling = Sampling.of(np.arange(0, 100, 0.5))
    grid = sampling.grid(10.0, 70.0)
    x = grid.begin + grid.interval * np.arange(grid.length)
    values = np.exp(-((x - 40) ** 2) / 18) * np.stack([np.ones_like(x), x - 40])
    np.testing.assert_allclose(to_time(to_spectrum(values, grid), grid, 1), values, atol=1e-9)
    # area is the transform at zero
    assert to_spectrum(values, grid)[0, 0] == pytest.approx(np.sqrt(18 * np.pi), rel=1e-12)


def test_a_part_of_a_sampling_gives_a_part_of_the_curve() -> None:
    shape = Shape("laplace+site", 2000, 100.0)
    sampling = Sampling.of(shape.times(10.0))
    whole = rows(shape, shape.coordinates, sampling)
    part = rows(shape, shape.coordinates, sampling.part(60, 200))
    np.testing.assert_allclose(part, whole[:, 60:200], atol=1e-12 * np.abs(whole).max())


@pytest.mark.parametrize("count", [20, 5000])
def test_the_axis_of_a_period_and_the_injection_on_it(count: int) -> None:
    for duration in (0.0, 1.5, 0.0):
        s, entry = axis(40.0, count, duration)
        np.testing.assert_allclose(s, 2j * np.pi * np.arange(count + 1) / 40.0)
        assert (entry is None) == (duration == 0)
        if entry is not None:
            np.testing.assert_allclose(entry[1:], -np.expm1(-s[1:] * duration) / (s[1:] * duration), atol=1e-14)
            assert entry[0] == 1
        with pytest.raises(ValueError, match="read-only"):
            s[0] = 1.0


def test_times_next_to_each_other_do_not_set_the_interval() -> None:
    time = np.sort(np.concatenate([np.arange(0.0, 100.0, 0.5), [50.0 + 1e-7]]))
    sampling = Sampling.of(time)
    assert not sampling.uniform
    assert sampling.interval == 0.5
    # or the grid of one peak would be as fine as these two are close
    assert sampling.grid(40.0, 60.0).length < 100
