"""The road from Python: `gcfit.simulate`, `gcfit.fit`, `gcfit.read`, frozen records out, no surprises."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Chromatogram
from gcfit.column.system import Carrier, Column, Component, Detector, Injection, System
from gcfit.fitting.records import Expected, FitSettings
from tests.workloads import btex, forest

SYSTEM = System(
    Column(20.0, 9e-5, 1e-6),
    Carrier(4.01e5, 1.013e5, inlet_velocity=0.41),
    Injection(4.0),
    Detector(3935.4, 0.05, 5.0, 350.0),
    (Component("benzene", 579.0, 5.299, area=1159.4), Component("toluene", 2953.0, 11.502, area=927.2)),
)


def test_what_is_simulated_is_fitted_and_named() -> None:
    run = gcfit.simulate(SYSTEM, seed=1)
    fit = gcfit.fit(run.chromatogram, SYSTEM)
    assert [peak.name for peak in fit.peaks] == ["benzene", "toluene"]
    for peak, made in zip(fit.peaks, SYSTEM.components, strict=True):
        assert abs(peak.k_a_per_s - made.adsorption_rate) < 4 * peak.k_a_se_per_s
        assert abs(peak.k_d_per_s - made.desorption_rate) < 4 * peak.k_d_se_per_s
        assert abs(peak.area - made.area) < 4 * peak.area_se
        # k_a = α k_a/α, k = α K
        alpha = 2e-6 / 9e-5
        assert peak.alpha_k_a_per_s == pytest.approx(alpha * peak.k_a_per_s, rel=1e-12)
        assert peak.retention_factor == pytest.approx(alpha * peak.k_a_per_s / peak.k_d_per_s, rel=1e-9)
    # FACTS [calc]: t_M = 34.177110 s
    assert fit.settings.hold_up == pytest.approx(34.177110, abs=1e-6)
    assert fit.settings.injection == 4.0


def test_settings_go_before_the_system() -> None:
    run = gcfit.simulate(SYSTEM, seed=1).chromatogram
    own = FitSettings(hold_up=33.0, expected=(Expected("first", 119.0),), model="laplace")
    fit = gcfit.fit(run, SYSTEM, settings=own)
    assert fit.settings.hold_up == 33.0
    assert [peak.name for peak in fit.peaks] == ["first", ""]


def test_without_a_hold_up_time_rates_stay_empty_and_a_note_says_why() -> None:
    fit = gcfit.fit(btex(1).chromatogram)
    assert len(fit.peaks) == 6
    for peak in fit.peaks:
        assert (peak.k_a_per_s, peak.k_d_per_s, peak.alpha_k_a_per_s, peak.retention_factor) == (None,) * 4
        assert None not in (peak.retention_time_s, peak.area, peak.area_se, peak.fwhm_s, peak.plates)
    assert any("--hold-up" in note for note in fit.notes)


def test_with_a_hold_up_time_but_no_phase_ratio() -> None:
    work = btex(1)
    fit = gcfit.fit(work.chromatogram, settings=FitSettings(hold_up=work.hold_up))
    for peak, truth in zip(fit.peaks, work.peaks, strict=True):
        assert peak.k_a_per_s is None
        assert abs(peak.k_d_per_s - truth.desorption_rate) < 4.5 * peak.k_d_se_per_s
        assert abs(peak.alpha_k_a_per_s - truth.n / work.hold_up) < 4.5 * peak.alpha_k_a_se_per_s


def test_the_records_add_up() -> None:
    work = btex(1)
    fit = gcfit.fit(work.chromatogram)
    inside = np.isfinite(fit.baseline)
    total = fit.baseline.copy()
    for peak in fit.peaks:
        total[peak.first : peak.first + peak.curve.size] += peak.curve
    np.testing.assert_array_equal(fit.total[inside], total[inside])
    residual = (work.chromatogram.signal - total)[inside]
    np.testing.assert_allclose(fit.residual[inside], residual / fit.noise.deviation)
    # the model is the truth: what is left is the noise
    assert residual.std() == pytest.approx(fit.noise.deviation, rel=0.05)
    assert sum(peak.area_percent for peak in fit.peaks) == pytest.approx(100)
    assert [peak.peak for peak in fit.peaks] == [1, 2, 3, 4, 5, 6]
    for peak in fit.peaks:
        assert peak.area_integrated == pytest.approx(peak.area, rel=0.02)
        assert peak.window_start_s < peak.retention_time_s < peak.window_end_s


def test_records_are_frozen() -> None:
    fit = gcfit.fit(btex(1).chromatogram)
    with pytest.raises(FrozenInstanceError):
        fit.peaks[0].area = 1.0  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        fit.settings.model = "x"  # type: ignore[misc]


def test_every_map_gives_the_same_bits() -> None:
    run = btex(3).chromatogram
    with ThreadPoolExecutor(2) as pool:
        fits = [gcfit.fit(run), gcfit.fit(run, map_=pool.map), gcfit.fit(run)]
    tables = [[replace(peak, curve=np.empty(0)) for peak in fit.peaks] for fit in fits]
    for table in tables[1:]:
        assert [vars(peak) | {"curve": 0} for peak in table] == [vars(peak) | {"curve": 0} for peak in tables[0]]


def test_a_model_by_name_is_used_in_the_registrys_words() -> None:
    fit = gcfit.fit(btex(1).chromatogram, settings=FitSettings(model="laplace+tail+site", end=120.0))
    assert [peak.model for peak in fit.peaks] == ["laplace+site+tail"]


def test_simultaneous_is_the_same_answer_in_one_window() -> None:
    work = btex(1)
    pairs, whole = (
        gcfit.fit(work.chromatogram, settings=FitSettings(hold_up=60.0, model="laplace", strategy=strategy))
        for strategy in ("pairs", "simultaneous")
    )
    assert {peak.window_start_s for peak in whole.peaks} == {0.0}
    assert [peak.area for peak in whole.peaks] == pytest.approx([peak.area for peak in pairs.peaks], rel=0.01)


def test_two_signals_that_differ_in_scale_and_origin_only() -> None:
    run = btex(2).chromatogram
    other = Chromatogram(run.time + 50.0, 7.0 * run.signal - 3.0)
    first = gcfit.fit(run, settings=FitSettings(hold_up=60.0)).peaks
    second = gcfit.fit(other, settings=FitSettings(hold_up=110.0)).peaks
    for one, two in zip(first, second, strict=True):
        assert two.area == pytest.approx(7 * one.area, rel=1e-4)
        assert two.retention_time_s == pytest.approx(one.retention_time_s + 50, rel=1e-6)
        assert two.k_d_per_s == pytest.approx(one.k_d_per_s, rel=1e-3)


@pytest.mark.slow
def test_a_hundred_peaks_share_few_windows_and_all_are_found() -> None:
    work = forest(3)
    fit = gcfit.fit(work.chromatogram, settings=FitSettings(hold_up=work.hold_up))
    assert len(fit.peaks) == 100
    starts = {peak.window_start_s for peak in fit.peaks}
    assert 1 < len(starts) < 100
    assert (np.diff([peak.retention_time_s for peak in fit.peaks]) > 0).all()


def test_unknown_names_of_the_package_list_the_known_ones() -> None:
    with pytest.raises(AttributeError, match="fit, read, simulate"):
        gcfit.fitt  # noqa: B018
