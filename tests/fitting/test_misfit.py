"""What is left hangs together: the errors of a peak that no model describes to the noise."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

import gcfit
from gcfit.chromatogram import Chromatogram
from gcfit.fitting.misfit import variance_of
from gcfit.fitting.records import FitSettings
from gcfit.fitting.states import solved
from gcfit.fitting.terms import persistence
from tests.fitting.test_crowds import APEXES, NOISE, crowd, fitted
from tests.handmade import gaussian

TIME = np.arange(0.0, 600.0, 0.25)
AREA, SIGMA = 1000.0, 5.0


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_persistence_of_an_autoregression(rho: float) -> None:
    # 1 + 2 (ρ + ρ² + ...) = (1 + ρ)/(1 - ρ)
    lags = rho ** np.arange(400.0)
    assert persistence(7.0 * lags) == pytest.approx((1 + rho) / (1 - rho), rel=1e-9)


def test_persistence_counts_to_the_first_that_is_not_positive() -> None:
    assert persistence(np.array([4.0, 2.0, 1.0, -1.0, 3.0])) == 2.5
    assert persistence(np.zeros(3)) == 1.0


def test_noise_has_the_variance_of_noise_and_misfit_that_of_what_is_left() -> None:
    data = crowd()
    fine = fitted(data)
    louder = replace(data, deviation=3 * NOISE)
    assert variance_of(louder, fine, 3, 1.0) == (3 * NOISE) ** 2
    # one peak is missing: it is left in the window, and most of it beside its neighbours
    lacking = solved(data, [peak for peak in fine.peaks if peak.anchor != APEXES[4]], 2)
    assert lacking is not None
    solution = lacking.solution
    left = solution.rss / (solution.residual.size - solution.columns) * solution.persistence
    assert solution.persistence > 10
    assert variance_of(data, lacking, 10, 1.0) == pytest.approx(left)
    assert variance_of(data, lacking, 3, 1.0) >= left
    assert variance_of(data, lacking, 10, 5.0) == pytest.approx(left / 5)


def test_errors_hold_where_a_smooth_misfit_is_left() -> None:
    """Waves a quarter of a per cent of the peak high and a seventh of it wide, on its flanks and nowhere else."""
    inside, pulls = np.abs(TIME - 300) < 12, []
    for seed in range(40):
        random = np.random.default_rng(seed)
        wave = gaussian_filter1d(random.standard_normal(TIME.size), 3.0)
        signal = gaussian(TIME, 300, SIGMA, AREA) + 5 + 0.02 * random.standard_normal(TIME.size)
        signal += 0.2 * wave / wave.std() * inside
        (peak,) = gcfit.fit(Chromatogram(TIME, signal), settings=FitSettings(model="gaussian")).peaks
        assert peak.area is not None
        assert peak.area_se is not None
        pulls.append((peak.area - AREA) / peak.area_se)
    # for as many independent points all over the window it would be 14
    assert 0.5 < np.sqrt(np.mean(np.square(pulls))) < 2.5
