"""Curves of many pairs at once, against the closed form at their points."""

import numpy as np
import pytest

from gcfit.chromatogram import Array
from gcfit.column import closed_form
from gcfit.fitting.models import Known, curve
from gcfit.fitting.pairs import Grids, curves, inverted
from gcfit.fitting.registry import MODELS
from gcfit.fitting.sampling import Sampling

# retention and σ [s], hold-up [s], begin and end of the window [s], interval [s]
PEAKS = (
    (300.0, 3.0, 60.0, 200.0, 420.0, 0.1),
    (130.0, 6.0, 60.0, 90.0, 200.0, 0.2),
    (500.0, 1.2, 30.0, 480.0, 560.0, 0.25),
    (300.0, 3.0, -40.0, 295.0, 304.0, 0.1),  # both ends of the window cut it
    (700.0, 12.0, 60.0, 640.0, 690.0, 0.5),
)


def prepared(known: list[Known]) -> tuple[Array, Grids, list[Sampling]]:
    samplings = [Sampling.of(np.arange(begin, end, step)) for *_, begin, end, step in PEAKS]
    coordinates = np.array([(retention, np.log(sigma)) for retention, sigma, *_ in PEAKS])
    return coordinates, Grids.of(samplings, known), samplings


def exact(time: Array, retention: float, log_sigma: float, known: Known) -> Array:
    """The closed form of mean and σ, for a pulse or a rectangle."""
    delay = retention - known.hold_up
    rate = 2 * delay / np.exp(2 * log_sigma)
    if known.injection:
        return closed_form.rectangle(time, known.hold_up, rate * delay, rate, known.injection)
    return closed_form.impulse(time, known.hold_up, rate * delay, rate)


@pytest.mark.parametrize("injection", [0.0, 0.7])
def test_curves_and_derivatives_are_those_of_the_closed_form(injection: float) -> None:
    known = [Known(hold_up, injection * (1 + place)) for place, (_, _, hold_up, *_) in enumerate(PEAKS)]
    coordinates, grids, samplings = prepared(known)
    assert inverted(coordinates, grids).all()
    for found, at, sampling, one in zip(
        curves(coordinates, grids), coordinates.tolist(), samplings, known, strict=True
    ):
        points, apex = sampling.time[found.first : found.last], 1 / np.sqrt(2 * np.pi) / np.exp(at[1])
        np.testing.assert_allclose(found.rows[0], exact(points, *at, one), rtol=0, atol=1e-10 * apex)
        for row, step in ((1, 1e-4 * np.exp(at[1])), (2, 1e-4)):
            up, down = ([at[0] + way * (row == 1), at[1] + way * (row == 2)] for way in (step, -step))
            slope = (exact(points, *up, one) - exact(points, *down, one)) / (2 * step)
            np.testing.assert_allclose(found.rows[row], slope, rtol=0, atol=1e-6 * np.abs(slope).max())
        outside = np.r_[sampling.time[: found.first], sampling.time[found.last :]]
        assert np.abs(exact(outside, *at, one)).max(initial=0.0) < 1e-9 * apex


@pytest.mark.parametrize("tail", [None, 4.0])
def test_many_are_what_each_is_alone(tail: float | None) -> None:
    """But for frequencies of which less than e^{-25} is left."""
    known = [Known(hold_up, 1.0, tail) for _, _, hold_up, *_ in PEAKS]
    coordinates, grids, samplings = prepared(known)
    for found, at, sampling, one in zip(curves(coordinates, grids), coordinates, samplings, known, strict=True):
        alone = curve(MODELS["laplace"], at, sampling, one)
        assert found.first == alone.first
        np.testing.assert_allclose(found.rows, alone.rows, rtol=0, atol=1e-11 * np.abs(alone.rows).max())


def test_some_of_the_grids_are_those_of_some_windows() -> None:
    known = [Known(hold_up) for _, _, hold_up, *_ in PEAKS]
    coordinates, grids, _ = prepared(known)
    some = np.array([True, False, False, True, True])
    whole = [one for one, kept in zip(curves(coordinates, grids), some, strict=True) if kept]
    for one, other in zip(curves(coordinates[some], grids.only(some)), whole, strict=True):
        np.testing.assert_allclose(one.rows, other.rows, rtol=0, atol=1e-11 * np.abs(other.rows).max())


def test_a_peak_of_few_adsorptions_is_not_inverted() -> None:
    coordinates, grids, _ = prepared([Known(hold_up) for _, _, hold_up, *_ in PEAKS])
    coordinates[0, 0] = 59.0  # before the hold-up time
    coordinates[1, 1] = np.log(20.0)  # n = 2 (70/20)² = 24.5
    coordinates[2] = 30.0 + 4.1 * 10, np.log(10.0)  # n = 33.6
    coordinates[3] = -40.0 + 3.95 * 10, np.log(10.0)  # n = 31.2
    assert inverted(coordinates, grids).tolist() == [False, False, True, False, True]
