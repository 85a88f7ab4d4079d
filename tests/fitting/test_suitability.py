"""Figures of a peak by USP <621>, on curves whose apex and widths are known in closed form."""

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Array, Chromatogram
from gcfit.errors import InputError
from gcfit.fitting import suitability
from gcfit.fitting.records import FitSettings
from gcfit.fitting.suitability import Shape, shape_of

HALF = 2 * np.sqrt(2 * np.log(2))  # W_h/σ of a Gaussian
BASE = 2 * np.sqrt(2 * np.log(20))  # W_0.05/σ


def gaussian_rows(time: Array, centre: float, sigma: float) -> Array:
    z = (time - centre) / sigma
    value = np.exp(-(z**2) / 2)
    return np.stack([value, value * z / sigma, value * z**2])


def measured(time: Array, rows: Array) -> Shape:
    shape = shape_of(time, rows)
    assert shape is not None
    return shape


@pytest.mark.parametrize("offset", [0.0, 0.3, -0.49])
def test_gaussian(offset: float) -> None:
    time = np.arange(0.0, 100.0, 0.5)
    found = measured(time, gaussian_rows(time, 50 + 0.5 * offset, 5.0))
    # ten points a σ: the quartic through five of them errs by 6e-5 σ at most
    assert found.apex == pytest.approx(50 + 0.5 * offset, abs=4e-4)
    assert found.height == pytest.approx(1, abs=1e-5)
    assert found.half_width == pytest.approx(5 * HALF, rel=1e-4)
    assert found.base_width == pytest.approx(5 * BASE, rel=1e-4)
    # the apex follows the centre, and not the width
    assert found.apex_slopes == pytest.approx([1.0, 0.0], abs=4e-3)


def test_bi_gaussian_has_its_two_sides() -> None:
    time = np.arange(0.0, 200.0, 0.25)
    left, right = 4.0, 8.0
    sigma = np.where(time < 80, left, right)
    found = measured(time, np.exp(-(((time - 80) / sigma) ** 2) / 2)[None])
    # the curvature jumps at the apex, which lies within a quarter of a step
    assert found.half_left == pytest.approx(left * HALF / 2, abs=0.0625)
    assert found.half_width == pytest.approx((left + right) * HALF / 2, rel=5e-3)
    # A_s = W_0.05/(2 d) = (4 + 8)/(2 × 4)
    assert suitability.symmetry(found.base_width, found.base_left) == pytest.approx(1.5, rel=1e-2)


def test_apex_slopes_against_moving_the_curve() -> None:
    # an asymmetric curve t e^{-t/τ} with its apex at τ: the apex moves as τ does
    time = np.arange(0.0, 60.0, 0.1)

    def rows(tau: float) -> Array:
        return np.stack([time * np.exp(-time / tau), time**2 * np.exp(-time / tau) / tau**2])

    found = measured(time, rows(7.03))
    assert found.apex == pytest.approx(7.03, abs=1e-5)
    assert found.apex_slopes == pytest.approx([1.0], abs=1e-3)


@pytest.mark.parametrize("last", [0.95, 0.97, 0.99])
def test_a_tip_that_breaks_off_is_where_it_is(last: float) -> None:
    # no quartic follows it: the Newton step from the highest point led far out of the run
    time = np.arange(0.0, 20.0, 0.1)
    curve = np.where(time < 10.05, np.exp((time - 10) / 3), 0.0)
    curve[101] = last
    assert measured(time, curve[None]).apex == pytest.approx(10.0, abs=0.1)


def test_an_apex_at_the_edge_is_none_and_an_unfinished_flank_has_no_width() -> None:
    time = np.arange(0.0, 50.0, 0.5)
    assert shape_of(time, gaussian_rows(time, 0.2, 5.0)) is None
    assert shape_of(time, gaussian_rows(time, 60.0, 5.0)) is None
    near = measured(time, gaussian_rows(time, 47.0, 5.0))
    assert (near.half_width, near.base_width) == (None, None)


def test_formulas() -> None:
    # FACTS, USP <621> (official 2022-12-01), by hand
    assert suitability.plates(100.0, 2.0) == pytest.approx(5.54 * 2500)
    assert suitability.resolution((100.0, 110.0), (2.0, 3.0)) == pytest.approx(1.18 * 10 / 5)
    assert suitability.symmetry(6.0, 2.0) == pytest.approx(1.5)
    assert suitability.signal_to_noise(-50.0, 4.0) == pytest.approx(25.0)


def test_figures_of_a_fitted_pair() -> None:
    time = np.arange(0.0, 300.0, 0.1)
    noise = 0.2 * np.random.default_rng(0).standard_normal(time.size)
    first, second = (gaussian_rows(time, centre, 1.5)[0] * 100 for centre in (150.0, 156.0))
    fit = gcfit.fit(Chromatogram(time, first + second + noise))
    one, two = fit.peaks
    assert one.resolution is None
    # R_s = 1.18 × 6 s/(2 W_h); symmetry of a Gaussian 1; N = 5.54 (t_R/W_h)²
    assert two.resolution == pytest.approx(1.18 * 6 / (2 * 1.5 * HALF), rel=0.01)
    assert one.symmetry == pytest.approx(1, abs=0.02)
    assert one.plates == pytest.approx(5.54 * (150 / (1.5 * HALF)) ** 2, rel=0.01)
    assert one.fwhm_s == pytest.approx(1.5 * HALF, rel=0.01)
    assert one.height == pytest.approx(100, rel=0.01)
    assert (one.area_percent, two.area_percent) == pytest.approx((50, 50), abs=0.2)
    # S/N = 2H/h with h six deviations
    assert one.snr == pytest.approx(2 * 100 / (6 * 0.2), rel=0.1)


def test_peak_to_peak_noise_of_a_blank_stretch_leaves_out_its_drift() -> None:
    time = np.arange(0.0, 300.0, 0.1)
    noise = np.random.default_rng(0).standard_normal(time.size)
    inside = (time >= 50) & (time < 150)
    # by hand: a line by polyfit, then highest less lowest
    line = np.polyval(np.polyfit(time[inside], noise[inside], 1), time[inside])
    wanted = np.ptp(noise[inside] - line)
    for drift in (0.0, 3.0):
        run = Chromatogram(time, noise + drift * time)
        assert suitability.blank_range(run, (50.0, 150.0)) == pytest.approx(wanted, rel=1e-9)


def test_a_noise_window_needs_points() -> None:
    run = Chromatogram(np.arange(100.0), np.zeros(100))
    with pytest.raises(
        InputError, match=r"10 points in the noise window 20 to 30 s; give a blank stretch of 20 points"
    ):
        suitability.blank_range(run, (20.0, 30.0))


def test_a_noise_window_with_a_peak_or_too_short_is_told() -> None:
    time = np.arange(0.0, 300.0, 0.1)
    signal = gaussian_rows(time, 150.0, 1.5)[0] * 100 + 0.2 * np.random.default_rng(0).standard_normal(time.size)
    for window, text in (
        ((140.0, 200.0), "the noise window 140 to 200 s is not blank: peaks at 150"),
        ((200.0, 215.0), "the noise window is shorter than 5 half-height widths of the widest peak (3.5"),
    ):
        fit = gcfit.fit(Chromatogram(time, signal), settings=FitSettings(60.0, noise_window=window))
        assert [note for note in fit.notes if note.startswith(text)], fit.notes
    blank = gcfit.fit(Chromatogram(time, signal), settings=FitSettings(60.0, noise_window=(200.0, 290.0)))
    assert blank.notes == ()
    assert blank.noise.range is not None
    assert blank.peaks[0].snr == pytest.approx(2 * blank.peaks[0].height / blank.noise.range)
