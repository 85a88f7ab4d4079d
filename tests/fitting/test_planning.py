"""What a trace holds and what of it is fitted: peaks below the height that was asked for stand in nobody's way."""

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Chromatogram
from gcfit.fitting.records import FitSettings
from tests.fitting.shapes import gaussian, white

TIME = np.arange(0.0, 600.0, 0.2)


@pytest.mark.parametrize("min_snr", [5.0, 100.0, 300.0])
def test_peaks_that_are_passed_over_do_not_bend_the_baseline_of_the_others(min_snr: float) -> None:
    # heights over a noise of 0.05: 400, 80, 60 and 600
    signal = gaussian(TIME, 200, 4, 20) + gaussian(TIME, 455, 5, 4) + gaussian(TIME, 467, 5, 3)
    signal += gaussian(TIME, 420, 4, 30) + 5 + 0.01 * TIME + 0.05 * white(5, TIME.size)
    peaks = gcfit.fit(Chromatogram(TIME, signal), settings=FitSettings(min_snr=min_snr)).peaks
    high = [peak for peak in peaks if (peak.height or 0) > 15]
    assert len(peaks) == (4 if min_snr == 5.0 else 2)
    assert [peak.status for peak in high] == ["ok", "ok"]
    areas = np.array([4 * 20, 4 * 30]) * np.sqrt(2 * np.pi)
    assert [peak.area for peak in high] == pytest.approx(areas, rel=2e-3)


def test_a_peak_that_is_fitted_keeps_its_top_beside_one_that_is_passed_over() -> None:
    signal = gaussian(TIME, 200, 4, 20) + gaussian(TIME, 218, 3, 1) + 0.05 * white(5, TIME.size)
    (peak,) = gcfit.fit(Chromatogram(TIME, signal), settings=FitSettings(min_snr=100.0)).peaks
    assert peak.status == "ok"
    assert peak.area == pytest.approx(80 * np.sqrt(2 * np.pi), rel=2e-3)


def test_a_hum_leaves_an_error() -> None:
    hum = 0.3 * np.sin(2 * np.pi * TIME / 1.1) + 0.02 * white(1, TIME.size)
    (peak,) = gcfit.fit(Chromatogram(TIME, gaussian(TIME, 300, 3, 6.6) + hum), settings=FitSettings()).peaks
    assert peak.status == "ok"
    assert peak.area_se is not None
    assert abs((peak.area or 0) - 6.6 * 3 * np.sqrt(2 * np.pi)) < 2 * peak.area_se < 10
