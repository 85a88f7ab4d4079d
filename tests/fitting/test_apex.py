"""Retention where the signal has it: a misfit moves the apex of the model, the noise does not."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import exponnorm

import gcfit
from gcfit.chromatogram import Chromatogram
from gcfit.fitting.apex import leaning
from gcfit.fitting.records import FitSettings, Noise

TIME = np.arange(0.0, 100.0, 0.1)
SIGMA = 2.0
WIDTH = SIGMA * float(np.sqrt(8 * np.log(2)))
NOISE = Noise(1e-5)


def gaussian(apex: float) -> np.ndarray:
    return np.asarray(np.exp(-(((TIME - apex) / SIGMA) ** 2) / 2))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("late", [-0.05, 0.02, 0.1])
def test_a_peak_that_is_fitted_beside_its_place_is_moved_there(late: float, sign: int) -> None:
    residual = sign * (gaussian(50 + late) - gaussian(50))
    shift, error = leaning(TIME, residual, sign * gaussian(50), 50.0, WIDTH, NOISE)
    # the parabola is a cosine short of the Gaussian over an eighth of its width: 5 % of the curvature at the most
    assert shift == pytest.approx(late, rel=0.06)
    # the slope of a line through n white points, over the curvature 1/σ² of a Gaussian of height 1
    x = TIME[np.abs(TIME - 50) <= WIDTH / 8] - 50
    assert error == pytest.approx(1e-5 / np.sqrt(np.sum(x**2)) * SIGMA**2, rel=0.06)


def test_noise_moves_nothing() -> None:
    random = np.random.default_rng(1)
    noise = Noise(1e-3)
    for _ in range(200):
        assert leaning(TIME, 1e-3 * random.standard_normal(TIME.size), gaussian(50), 50.0, WIDTH, noise) == (0.0, 0.0)


def test_noise_that_grows_with_the_signal_moves_nothing() -> None:
    random = np.random.default_rng(4)
    moved = 0
    for _ in range(200):
        residual = 0.01 * gaussian(50) * random.standard_normal(TIME.size)
        moved += leaning(TIME, residual, gaussian(50), 50.0, WIDTH, NOISE) != (0.0, 0.0)
    assert moved <= 2


def test_a_top_of_few_points_is_the_model_s() -> None:
    few = slice(None, None, 4)  # three points within an eighth of the width on either side
    residual = gaussian(50.1) - gaussian(50)
    assert leaning(TIME[few], residual[few], gaussian(50)[few], 50.0, WIDTH, NOISE) == (0.0, 0.0)


def test_a_misfit_as_large_as_the_top_is_no_apex() -> None:
    assert leaning(TIME, TIME - 50, gaussian(50), 50.0, WIDTH, NOISE) == (0.0, 0.0)


def test_retention_of_a_tailing_peak_that_a_gaussian_cannot_describe() -> None:
    law = exponnorm(0.7, 50.0, SIGMA)
    truth = minimize_scalar(lambda t: -law.pdf(t), bounds=(49, 53), method="bounded", options={"xatol": 1e-9}).x
    signal = 1e5 * law.pdf(TIME) + np.random.default_rng(2).standard_normal(TIME.size)
    (peak,) = gcfit.fit(Chromatogram(TIME, signal), settings=FitSettings(model="gaussian")).peaks
    mean = np.average(TIME[peak.first : peak.first + peak.curve.size], weights=peak.curve)  # of a Gaussian its apex
    assert mean - truth > 0.05
    assert peak.retention_time_s == pytest.approx(truth, abs=0.01)
