"""Expected peaks that are not there: a row each, with a detection limit that holds."""

import numpy as np
import pytest
from scipy.signal import lfilter

import gcfit
from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting.absent import detection_limit, with_absent
from gcfit.fitting.naming import named
from gcfit.fitting.noise import estimate_noise
from gcfit.fitting.records import Expected, Fit, FitSettings, Noise, PeakFit
from gcfit.results import file_row, peak_rows

TIME = np.arange(0.0, 600.0, 0.2)
SIGMA = 3.0
AREA = 100 * SIGMA * np.sqrt(2 * np.pi)


def bell(centre: float, area: float = AREA, sigma: float = SIGMA) -> Array:
    return area / (sigma * np.sqrt(2 * np.pi)) * np.exp(-(((TIME - centre) / sigma) ** 2) / 2)


def fitted(signal: Array, *expected: Expected, **settings: object) -> Fit:
    noise = np.random.default_rng(0).standard_normal(TIME.size)
    return gcfit.fit(Chromatogram(TIME, signal + noise), settings=FitSettings(expected=expected, **settings))


def test_a_component_that_is_absent_has_a_row() -> None:
    fit = fitted(bell(200) + bell(400), Expected("one", 200, 5), Expected("two", 300, 5), Expected("three", 400, 5))
    assert [(peak.name, peak.status) for peak in fit.peaks] == [("one", "ok"), ("three", "ok"), ("two", "not found")]
    absent = fit.peaks[-1]
    assert (absent.retention_time_s, absent.area, absent.height) == (None, None, None)
    assert (absent.window_start_s, absent.window_end_s) == (295, 305)
    assert absent.message == f"expected at 300 s ± 5 s; detection limit: area {absent.detection_limit:.3g}"
    assert [peak.peak for peak in fit.peaks] == [1, 2, 3]
    # peaks that are not there do not count
    assert file_row(fit)["peaks"] == 2
    assert peak_rows(fit)[2]["detection_limit"] == absent.detection_limit
    assert np.isfinite(fit.total[np.isfinite(fit.baseline)]).all()


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_the_limit_is_that_of_a_peak_which_is_fitted_at_that_place(rho: float) -> None:
    # least squares by hand over the same ±10 σ: the scatter of the area over 4,000 runs of noise
    random = np.random.default_rng(1)
    near = np.abs(TIME - 300) <= 10 * SIGMA
    columns = np.stack([bell(300, 1.0)[near], np.ones(near.sum()), TIME[near] - 300]).T
    runs = lfilter([np.sqrt(1 - rho**2)], [1, -rho], random.standard_normal((4000, TIME.size + 200)))[:, 200:][:, near]
    areas = np.linalg.lstsq(columns, runs.T, rcond=None)[0][0]
    limit = detection_limit(TIME, Noise(1.0, rho, tuple(rho ** np.arange(60))), 300.0, SIGMA)
    assert limit == pytest.approx(3.3 * areas.std(), rel=0.05)


@pytest.mark.parametrize("area", [0.0, 6.0, 12.0])
def test_under_another_peak_the_limit_is_above_what_that_swallows(area: float) -> None:
    # three quarters of a width beside a peak of 200, which takes another model rather than a companion
    signal = bell(200, 200.0, 4.0) + bell(206, area, 4.0) + 0.05 * np.random.default_rng(1).standard_normal(TIME.size)
    expected = Expected("main", 200, 3), Expected("hidden", 206, 3), Expected("free", 300, 3)
    settings = FitSettings(expected=expected, hold_up=40.0)
    main, hidden, free = gcfit.fit(Chromatogram(TIME, signal), settings=settings).peaks
    assert (main.name, hidden.status, free.status) == ("main", "not found", "not found")
    assert hidden.detection_limit is not None
    assert hidden.detection_limit > max(area, 6.0)
    assert free.detection_limit == pytest.approx(0.31, rel=0.05)


def test_a_peak_far_above_the_limit_is_found_and_one_far_below_is_not() -> None:
    limit = detection_limit(TIME, Noise(1.0), 300.0, SIGMA)
    assert limit is not None
    there = fitted(bell(200) + bell(300, 5 * limit), Expected("x", 300, 5)).peaks
    assert [peak.name for peak in there] == ["", "x"]
    absent = fitted(bell(200) + bell(300, limit / 5), Expected("x", 300, 5)).peaks
    assert [(peak.name, peak.status) for peak in absent] == [("", "ok"), ("x", "not found")]
    assert absent[1].detection_limit == pytest.approx(limit, rel=0.1)


def test_a_blank_needs_to_be_told_the_width() -> None:
    told, untold = fitted(0 * TIME, Expected("x", 300, 5, fwhm=7.06), Expected("y", 400, 5)).peaks
    noise = estimate_noise(TIME, np.random.default_rng(0).standard_normal(TIME.size))
    assert told.detection_limit == pytest.approx(detection_limit(TIME, noise, 300, 3), rel=0.01)
    assert untold.detection_limit is None
    assert untold.message == "expected at 400 s ± 5 s; no detection limit, as no peak tells the width here"


def test_without_noise_there_is_no_limit() -> None:
    run = Chromatogram(TIME, bell(200))
    peaks = gcfit.fit(run).peaks
    (row,) = with_absent(peaks, [Expected("x", 300, 5)], run, Noise(0.0), np.ones(run.time.size))[len(peaks) :]
    assert row.detection_limit is None
    assert "the noise is not known here" in row.message


def test_outside_the_run() -> None:
    (row,) = fitted(bell(200), Expected("x", 900, 5)).peaks[1:]
    assert row.message == "expected at 900 s, outside the part that was fitted (0 to 599.8 s)"
    assert row.window_start_s is None


def test_what_was_cut_off_on_purpose_is_not_expected() -> None:
    fit = fitted(bell(200), Expected("x", 900, 5), Expected("y", 400, 5), Expected("z", 250, 5), end=300.0)
    assert [peak.name for peak in fit.peaks] == ["", "z"]


def peak(number: int, time: float) -> PeakFit:
    return PeakFit(number, "", "laplace", "ok", 0, np.empty(0), retention_time_s=time, fwhm_s=7.0)


def test_two_names_for_one_peak_go_to_the_nearer_and_the_other_says_so() -> None:
    expected = [Expected("a", 100.0, 5.0), Expected("b", 103.0, 5.0)]
    peaks = with_absent(
        named([peak(1, 101.0)], expected), expected, Chromatogram(TIME, bell(200)), Noise(1.0), np.ones(TIME.size)
    )
    assert [one.name for one in peaks] == ["a", "b"]
    assert peaks[1].status == "not found"
    assert "the peak there is nearer to a" in peaks[1].message


def test_two_peaks_for_one_name_say_so() -> None:
    found = named([peak(1, 99.0), peak(2, 102.0), peak(3, 120.0)], [Expected("a", 100.0, 5.0)])
    assert [one.name for one in found] == ["a", "", ""]
    assert found[0].message == "a is expected at 100 s: the nearest peak, others at 102 s"
