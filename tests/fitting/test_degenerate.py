"""Input at the edge: nothing crashes, and nothing that is not there is reported as a peak."""

import numpy as np
import pytest
from scipy.signal import lfilter

import gcfit
from gcfit.chromatogram import Array, Chromatogram
from gcfit.errors import InputError
from gcfit.fitting.records import Fit, FitSettings
from tests.fitting.population import HOLD_UP, draw

TIME = np.arange(0.0, 600.0, 0.2)
NOISE = np.random.default_rng(0).standard_normal(TIME.size)
AREA = 100 * 3 * np.sqrt(2 * np.pi)  # of `peak(200, 3, 100)`


def peak(centre: float, sigma: float, height: float) -> Array:
    return height * np.exp(-(((TIME - centre) / sigma) ** 2) / 2)


def fitted(time: Array, signal: Array, **settings: object) -> Fit:
    fit = gcfit.fit(Chromatogram(time, signal), settings=FitSettings(**settings))
    for one in fit.peaks:
        numbers = [value for value in vars(one).values() if isinstance(value, float)]
        assert np.isfinite(numbers).all(), one
    return fit


FLAT = {
    "three points": (np.arange(3.0), np.array([1.0, 5.0, 2.0])),
    "five points": (np.arange(5.0), np.array([1.0, 2.0, 9.0, 2.0, 1.0])),
    "five equal points": (np.arange(5.0), np.full(5, 3.0)),
    "all equal": (TIME, np.full(TIME.size, 7.0)),
    "all zero": (TIME, np.zeros(TIME.size)),
    "a spike of one point": (TIME, NOISE + 1000 * (np.arange(TIME.size) == 1500)),
    "a spike of one point without noise": (TIME, 1000.0 * (np.arange(TIME.size) == 1500)),
    "a spike of two points": (TIME, NOISE + 1000 * (np.arange(TIME.size) // 2 == 750)),
    "a step": (TIME, NOISE + 100 * (TIME > 300)),
    "a step without noise": (TIME, 100.0 * (TIME > 300)),
    "a ramp": (TIME, NOISE + 0.3 * TIME),
    "a ramp without noise": (TIME, 0.3 * TIME),
    "a fast sine": (TIME, NOISE + 20 * np.sin(TIME / 4)),
    "a decay": (TIME, NOISE + 1000 * np.exp(-TIME / 30)),
    "a rise at the end": (TIME, NOISE + peak(600.5, 5, 200)),
    "a fall at the begin": (TIME, NOISE + peak(-0.5, 5, 200)),
}


@pytest.mark.parametrize("name", FLAT)
def test_no_peaks_where_there_are_none(name: str) -> None:
    fit = fitted(*FLAT[name])
    assert fit.peaks == ()
    assert fit.r_squared is None
    assert np.isnan(fit.baseline).all()


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12, 1e30])
def test_scale_of_the_signal(scale: float) -> None:
    one, other = (fitted(TIME, factor * (peak(200, 3, 100) + NOISE + 5), hold_up=60.0) for factor in (1.0, scale))
    assert len(one.peaks) == len(other.peaks) == 1
    assert other.peaks[0].area == pytest.approx(scale * one.peaks[0].area, rel=1e-6)
    assert other.peaks[0].k_d_per_s == pytest.approx(one.peaks[0].k_d_per_s, rel=1e-6)
    assert other.noise.deviation == pytest.approx(scale * one.noise.deviation, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_scales_whose_squares_are_no_numbers_are_refused(scale: float) -> None:
    with pytest.raises(InputError, match="whose square is no number in double precision; give it in another unit"):
        fitted(TIME, scale * (peak(200, 3, 100) + NOISE + 5))


@pytest.mark.parametrize("scale", [1e-6, 1e3])
def test_scale_of_the_time(scale: float) -> None:
    fit = fitted(TIME * scale, peak(200, 3, 100) + NOISE)
    assert len(fit.peaks) == 1
    assert fit.peaks[0].area == pytest.approx(scale * AREA, rel=0.02)
    assert fit.peaks[0].retention_time_s == pytest.approx(200 * scale, rel=1e-3)


@pytest.mark.parametrize("offset", [-400.0, 1e9])
def test_any_origin_of_the_clock(offset: float) -> None:
    fit = fitted(TIME + offset, peak(200, 3, 100) + NOISE)
    assert len(fit.peaks) == 1
    assert fit.peaks[0].area == pytest.approx(AREA, rel=0.02)
    assert fit.peaks[0].retention_time_s == pytest.approx(200 + offset, abs=0.2)


def test_a_peak_at_negative_times_has_no_rates() -> None:
    fit = fitted(TIME - 400, peak(200, 3, 100) + peak(500, 3, 100) + NOISE, hold_up=10.0)
    early, late = fit.peaks
    assert (early.k_d_per_s, early.alpha_k_a_per_s, early.retention_factor) == (None, None, None)
    assert late.retention_time_s == pytest.approx(100.0, abs=0.2)
    assert late.k_d_per_s is not None


def test_a_hold_up_time_behind_every_peak_gives_no_rates() -> None:
    fit = fitted(TIME, peak(200, 3, 100) + NOISE, hold_up=1000.0, phase_ratio=0.02)
    assert fit.peaks[0].area == pytest.approx(AREA, rel=0.02)
    assert (fit.peaks[0].k_a_per_s, fit.peaks[0].k_d_per_s) == (None, None)


def test_a_peak_cut_by_the_end_keeps_its_area() -> None:
    fit = fitted(TIME, peak(594, 5, 200) + NOISE)
    assert len(fit.peaks) == 1
    assert fit.peaks[0].area == pytest.approx(200 * 5 * np.sqrt(2 * np.pi), rel=0.03)


def test_a_peak_cut_by_the_begin_keeps_its_area_and_says_so() -> None:
    (found,) = fitted(TIME, peak(6, 5, 200) + NOISE).peaks
    assert found.area == pytest.approx(200 * 5 * np.sqrt(2 * np.pi), rel=0.03)
    assert found.status == "clipped"
    assert "cut by the begin of the run" in found.message


def test_a_peak_cut_by_the_end_says_so() -> None:
    assert fitted(TIME, peak(594, 5, 200) + NOISE).peaks[0].message


@pytest.mark.parametrize(
    ("period", "size"),
    [(40.0, 20.0), (40.0, 1000.0), (60.0, 1000.0), (90.0, 20.0), (90.0, 1000.0), (150.0, 20.0), (300.0, 1000.0),
     (1200.0, 20.0)],
)  # fmt: skip
def test_a_sine_has_no_peak_that_is_known(period: float, size: float) -> None:
    # its humps leave no baseline free between them: how deep that lies is the model's invention
    found = fitted(TIME, NOISE + size * np.sin(2 * np.pi * TIME / period)).peaks
    assert [one.message for one in found if one.status == "ok"] == []
    high = [one for one in found if one.height > 1.5 * (2 * size + np.ptp(NOISE))]
    assert all("no baseline is seen beside it" in one.message for one in high)


def test_many_spikes_are_no_peaks() -> None:
    spikes = np.zeros(TIME.size)
    spikes[np.random.default_rng(3).choice(TIME.size, 100, replace=False)] = 500.0
    assert fitted(TIME, NOISE + spikes).peaks == ()


@pytest.mark.parametrize("first", [995, 998, 1000])
def test_five_points_of_a_peak_are_none(first: int) -> None:
    points = slice(first, first + 5)
    assert fitted(TIME[points], (peak(200, 0.3, 1000) + NOISE)[points]).peaks == ()


def test_a_saturated_peak_says_so() -> None:
    fit = fitted(TIME, np.minimum(peak(200, 6, 100) + NOISE, 60.0))
    assert "saturated" in fit.peaks[0].status + fit.peaks[0].message


def test_a_saturated_peak_is_fitted_on_its_flanks() -> None:
    fit = fitted(TIME, np.minimum(peak(200, 6, 100) + NOISE, 60.0))
    assert len(fit.peaks) == 1
    assert fit.peaks[0].area == pytest.approx(100 * 6 * np.sqrt(2 * np.pi), rel=0.03)


def test_a_high_offset_costs_nothing() -> None:
    fit = fitted(TIME, 1e9 + peak(200, 3, 100) + NOISE)
    assert fit.peaks[0].area == pytest.approx(AREA, rel=0.02)


def test_quantised_signal() -> None:
    fit = fitted(TIME, np.round((peak(200, 3, 20) + NOISE) / 2) * 2)
    assert len(fit.peaks) == 1
    assert fit.peaks[0].area == pytest.approx(AREA / 5, rel=0.06)


def test_zero_padded_signal() -> None:
    fit = fitted(TIME, np.where(TIME < 100, 0.0, peak(200, 3, 100) + NOISE + 5))
    assert len(fit.peaks) == 1
    assert fit.peaks[0].area == pytest.approx(AREA, rel=0.02)


def test_a_gap_in_the_times_beside_a_peak() -> None:
    keep = (TIME < 215) | (TIME > 260)
    fit = fitted(TIME[keep], (peak(200, 3, 100) + NOISE)[keep])
    assert len(fit.peaks) == 1
    assert fit.peaks[0].area == pytest.approx(AREA, rel=0.02)


def test_negative_peaks_by_polarity() -> None:
    signal = peak(300, 3, 50) - peak(200, 3, 100) + NOISE
    assert [one.area > 0 for one in fitted(TIME, signal).peaks] == [True]
    assert [one.area > 0 for one in fitted(TIME, signal, polarity="negative").peaks] == [False]
    both = fitted(TIME, signal, polarity="both")
    assert [one.area for one in both.peaks] == pytest.approx([-AREA, AREA / 2], rel=0.03)


def test_hundreds_of_candidates_in_noise() -> None:
    # at a threshold of 1.5 noise deviations every bump is a candidate
    random = np.random.default_rng(1)
    fit = fitted(np.arange(15_000) * 0.2, random.standard_normal(15_000), min_snr=1.5)
    assert len(fit.peaks) <= 20


STRONG = pytest.mark.xfail(reason="3 false peaks in 2 of 100 runs of noise with ρ = 0.95", strict=False)


@pytest.mark.parametrize("rho", [0.0, 0.7, pytest.param(0.95, marks=STRONG)])
def test_pure_noise_has_less_than_one_false_peak_in_a_hundred_runs(rho: float) -> None:
    random = np.random.default_rng(2)
    white = random.standard_normal((100, 3200))
    runs = lfilter([1.0], [1.0, -rho], white)[:, 200:]
    found = sum(len(fitted(np.arange(3000) * 0.2, run + 5.0).peaks) for run in runs)
    assert found <= 1


def test_noise_slower_than_the_blocks_that_measure_it_has_few_false_peaks() -> None:
    # its slow part is underestimated: 23 candidates in 18 runs where nothing makes up for it
    random = np.random.default_rng(2)
    runs = lfilter([1.0], [1.0, -0.97], random.standard_normal((100, 3200)))[:, 200:]
    assert sum(len(fitted(np.arange(3000) * 0.2, run + 5.0).peaks) > 0 for run in runs) <= 2


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_a_site_that_is_not_there_is_said_so(rho: float, seed: int) -> None:
    case = draw("laplace", rho, seed)
    settings = FitSettings(hold_up=HOLD_UP, model="laplace+site")
    (found,) = gcfit.fit(case.chromatogram, settings=settings).peaks
    assert found.status in ("ok", "at a bound", "not determined")
    assert found.status != "ok" or found.site_n - 3 * found.site_n_se < 0 or "not determined" in found.message
    assert found.area == pytest.approx(case.truth[1], abs=5 * found.area_se)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"hold_up": 0.0}, "hold_up is 0; it must be above 0"),
        ({"hold_up": -5.0}, "hold_up is -5; it must be above 0"),
        ({"hold_up": float("nan")}, "hold_up is nan, not a finite number"),
        ({"hold_up": float("inf")}, "hold_up is inf, not a finite number"),
        ({"phase_ratio": 0.0}, "phase_ratio is 0; it must be above 0"),
        ({"injection": -1.0}, "injection is -1; it must be at least 0"),
        ({"injection": float("nan")}, "injection is nan, not a finite number"),
        ({"injection": 1e9}, "the injection lasts 1e+09 s, the run 599.8 s; give the injection in seconds"),
        ({"min_snr": 0.0}, "min_snr is 0; it must be above 0"),
        ({"start": float("nan")}, "start is nan, not a finite number"),
        ({"start": 60.0, "end": 40.0}, "0 points between start and end"),
        ({"start": 700.0}, "the run goes from 0 s to 599.8 s"),
        ({"polarity": "up"}, "polarity 'up' is not known; choose positive or negative or both"),
        ({"strategy": "x"}, "strategy 'x' is not known; choose pairs or simultaneous"),
        ({"model": "x"}, "peak model 'x' is not known; choose auto or one of laplace"),
    ],
    ids=str,
)
def test_impossible_settings_are_one_line(settings: dict[str, object], text: str) -> None:
    with pytest.raises(InputError) as caught:
        fitted(TIME, peak(200, 3, 100) + NOISE, **settings)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_parts_of_a_run() -> None:
    signal = peak(200, 3, 100) + peak(400, 3, 100) + NOISE
    fit = fitted(TIME, signal, start=300.0, end=500.0)
    assert [round(one.retention_time_s) for one in fit.peaks] == [400]
    assert fit.chromatogram.time[0] >= 300
    assert fit.chromatogram.time[-1] <= 500
