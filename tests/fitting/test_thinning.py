"""Means of neighbouring points: the model averaged as the points are, their noise, and a crowd searched on them."""

from dataclasses import replace

import numpy as np
import pytest

from gcfit.chromatogram import Array
from gcfit.fitting.detect import Candidate
from gcfit.fitting.models import Known
from gcfit.fitting.sampling import Sampling
from gcfit.fitting.states import Peak, WindowData, solved
from gcfit.fitting.task import Task
from gcfit.fitting.thinning import MEANS, noise_of_means, thinned
from gcfit.fitting.window import fit_windows
from tests.fitting.curves import Shape, rows

TIME = np.arange(0.0, 400.0, 0.05)
SIGMA, NOISE = 4.0, 0.01
APEXES = (60.0, 78.0, 97.0, 115.0, 134.0, 150.0, 170.0)


def means(values: Array, count: int) -> Array:
    """Plain means of so many neighbours."""
    return np.array([values[..., k : k + count].mean(axis=-1) for k in range(0, values.shape[-1] - count + 1, count)]).T


SHAPES = [
    Shape("laplace", 2000, 100.0),
    Shape("laplace", 2000, 100.0, injection=3.0),
    Shape("laplace+site", 2000, 100.0),
    Shape("laplace+tail", 2000, 100.0),
    Shape("laplace+load", 2000, 100.0, loading=-5.0),
    Shape("laplace+site+tail+load", 2000, 100.0, loading=3.0),
    Shape("laplace", 20, 30.0),
    Shape("laplace+load", 20, 30.0, loading=4.0),
    Shape("emg", 2000, 100.0),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.model}-{shape.n}-{shape.injection}")
@pytest.mark.parametrize("count", [2, 5])
def test_curve_and_derivatives_are_the_means_of_the_points(shape: Shape, count: int) -> None:
    sampling = Sampling.of(shape.times(8.0 * count))
    found = rows(shape, shape.coordinates, sampling.averages(count))
    expected = means(rows(shape, shape.coordinates, sampling), count)
    inner = slice(2, -2)  # a peak near the hold-up time begins within a mean
    scale = np.abs(expected).max(axis=1, keepdims=True)
    assert (np.abs(found - expected) / scale)[:, inner].max() < (5e-8 if shape.n > 100 else 2e-4)


def test_a_part_of_means_is_means() -> None:
    part = Sampling.of(TIME).averages(4).part(10, 30)
    assert part.averaged == 4
    np.testing.assert_allclose(part.time, means(TIME, 4)[10:30], rtol=1e-12)


@pytest.mark.parametrize("correlation", [0.0, 0.7, -0.4])
def test_noise_of_means_is_that_of_simulated_ones(correlation: float) -> None:
    count, size = 5, 400_000
    white = np.random.default_rng(1).standard_normal(size) * np.sqrt(1 - correlation**2)
    noise = np.empty(size)
    last = 0.0
    for k, one in enumerate(white.tolist()):
        noise[k] = last = correlation * last + one
    averaged = means(noise, count)
    deviation, inflation = noise_of_means(1.0, (1 + correlation) / (1 - correlation), count)
    assert deviation == pytest.approx(averaged.std(), rel=0.02)
    # the variance of long means
    assert deviation**2 * inflation == pytest.approx(100 * np.var(means(averaged, 100)), rel=0.08)


def signal() -> Array:
    peaks = np.sum([100 * np.exp(-0.5 * ((TIME - apex) / SIGMA) ** 2) for apex in APEXES], axis=0)
    return np.asarray(peaks + 5 + 0.01 * TIME + NOISE * np.random.default_rng(2).standard_normal(TIME.size))


def data() -> WindowData:
    return WindowData(Sampling.of(TIME), signal(), None, NOISE, 1.0, Known(-1e4), crowded=True)


def test_as_many_points_as_a_search_needs_are_left() -> None:
    few = thinned(data(), SIGMA)
    count = int(SIGMA / (MEANS * 0.05))
    np.testing.assert_allclose(few.signal, means(signal(), count), rtol=1e-12)
    np.testing.assert_allclose(few.time, means(TIME, count), rtol=1e-12)
    assert few.deviation == pytest.approx(NOISE / np.sqrt(count))
    assert few.sampling.interval == pytest.approx(count * 0.05)
    same = data()
    assert thinned(same, 1.9 * MEANS * 0.05) is same
    uneven = replace(same, sampling=Sampling(TIME, False, 0.05))
    assert thinned(uneven, SIGMA) is uneven


def test_a_mean_of_a_point_that_does_not_count_does_not_count() -> None:
    weights = np.ones(TIME.size)
    weights[100] = 0
    few = thinned(replace(data(), weights=weights), SIGMA)
    assert few.weights is not None
    assert np.flatnonzero(few.weights == 0).tolist() == [100 // few.sampling.averaged]


def test_means_tell_what_all_points_tell() -> None:
    peaks = [Peak("laplace", np.array([apex, np.log(SIGMA)]), apex, SIGMA) for apex in APEXES]
    one, other = solved(data(), peaks, 2), solved(thinned(data(), SIGMA), peaks, 2)
    assert one is not None
    assert other is not None
    error = 2 * NOISE * np.sqrt(0.05 * SIGMA / np.sqrt(np.pi)) / (100 * SIGMA)  # of an area, relative, and a width
    for a, b in zip(one.solution.amplitudes, other.solution.amplitudes, strict=True):
        assert b == pytest.approx(a, rel=0.2 * error)
    for p, q in zip(one.peaks, other.peaks, strict=True):
        assert q.coordinates == pytest.approx(p.coordinates, abs=0.2 * SIGMA * error)


def test_a_crowd_ends_at_all_points() -> None:
    candidates = tuple(Candidate(apex, 100.0, SIGMA, 1e4, 1, False, 4.7, 4.7) for apex in APEXES)
    task = Task(0, TIME, signal(), None, NOISE, 1.0, Known(-1e4), "auto", candidates)
    assert task.data.signal.size < TIME.size / 8
    state = fit_windows([task])[0]
    assert state is not None
    assert state.solution.residual.size == TIME.size
    assert state.solution.converged
    assert np.std(state.solution.residual) == pytest.approx(NOISE, rel=0.03)
    assert state.solution.amplitudes == pytest.approx(np.full(7, 100 * SIGMA * np.sqrt(2 * np.pi)), rel=3e-4)
