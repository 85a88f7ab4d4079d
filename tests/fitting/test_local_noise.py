"""Regions and flanks that are noisier than the trace."""

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Chromatogram
from gcfit.fitting.local_noise import regional_factor, ripple_factor
from gcfit.fitting.noise import estimate_noise
from gcfit.fitting.records import Expected, FitSettings
from tests.fitting.shapes import TIME, forest, gaussian, six, white

LONG = np.arange(0.0, 2000.0, 0.1)


def test_a_noisy_half_is_found_with_its_factor() -> None:
    signal = white(1, LONG.size)
    signal[LONG.size // 2 :] *= 6
    factor = regional_factor(signal, estimate_noise(LONG, signal))
    assert (factor[: LONG.size // 2 - 2000] == 1).all()
    assert np.abs(factor[LONG.size // 2 + 2000 :] - 6).max() < 1


def test_uniform_noise_and_peaks_leave_the_factor_at_one() -> None:
    time, peaks, _ = forest(1)
    for t, signal in (
        (LONG, white(2, LONG.size)),
        (time, peaks + 0.01 * white(3, time.size)),
        (TIME, six() + white(4)),
    ):
        noise = estimate_noise(t, signal)
        assert (regional_factor(signal, noise) == 1).all()
        assert np.mean(ripple_factor(signal, noise) > 1) < 0.005


def test_a_crowd_of_peaks_is_no_noise() -> None:
    random, signal = np.random.default_rng(1), white(5, LONG.size)
    for apex in np.arange(600, 1500, 4.0) + random.uniform(-1, 1, 225):
        signal += gaussian(LONG, apex, 1.5, random.uniform(20, 40))
    assert (regional_factor(signal, estimate_noise(LONG, signal)) == 1).all()


def test_peaks_are_judged_by_the_noise_where_they_are() -> None:
    signal = white(1, LONG.size)
    signal[LONG.size // 2 :] *= 6
    signal += gaussian(LONG, 500, 4.0, 600.0) + gaussian(LONG, 1500, 4.0, 600.0)
    quiet, loud = gcfit.fit(Chromatogram(LONG, signal)).peaks
    assert (quiet.snr or 0) / (loud.snr or 1) == pytest.approx(6, rel=0.15)
    assert (loud.area_se or 0) / (quiet.area_se or 1) == pytest.approx(6, rel=0.15)
    assert [peak.status for peak in (quiet, loud)] == ["ok", "ok"]
    # the trace has one noise, that of its quiet parts
    assert gcfit.fit(Chromatogram(LONG, signal)).noise.deviation == pytest.approx(1, rel=0.05)


def test_what_would_have_been_seen_goes_by_the_noise_where_it_would_be() -> None:
    signal = white(1, LONG.size)
    signal[LONG.size // 2 :] *= 6
    signal += gaussian(LONG, 500, 4.0, 600.0)
    expected = Expected("quiet", 300, 5), Expected("loud", 1500, 5)
    _, quiet, loud = gcfit.fit(Chromatogram(LONG, signal), settings=FitSettings(expected=expected)).peaks
    assert (loud.detection_limit or 0) / (quiet.detection_limit or 1) == pytest.approx(6, rel=0.15)


def test_the_noise_of_a_part_is_that_of_its_run() -> None:
    time, peaks, apexes = forest(1)
    signal = peaks + 0.01 * white(3, time.size)
    part = FitSettings(start=float(apexes[40]) - 20, end=float(apexes[43]) + 20)
    assert gcfit.fit(Chromatogram(time, signal), settings=part).noise == estimate_noise(time, signal)


def test_short_and_constant_signals() -> None:
    for signal in (np.ones(5), white(1, 20), np.ones(300)):
        noise = estimate_noise(np.arange(signal.size), signal)
        assert (regional_factor(signal, noise) == 1).all()
        assert (ripple_factor(signal, noise) == 1).all()


def test_a_flank_with_repeated_readings_ripples() -> None:
    clean = gaussian(TIME, 250, 6, 1000.0) + 0.05 * white(1)
    held = clean.copy()
    held[2400:2600:3] = held[2399:2599:3]
    factor = ripple_factor(held, estimate_noise(TIME, held))
    steep = np.arange(2420, 2470)
    assert np.median(factor[steep]) > 20
    assert (factor[:2300] == 1).all()
    assert np.mean(ripple_factor(clean, estimate_noise(TIME, clean))[steep] > 1) < 0.05


def plain_ripple(signal: np.ndarray, deviation: float) -> np.ndarray:
    """The median product of neighbouring fourth differences around each point, written out point by point."""
    fourth = np.diff(signal, 4) / deviation
    products = np.r_[np.zeros(8), -fourth[1:] * fourth[:-1], np.zeros(8)]
    inner = []
    for begin in range(products.size - 16):
        window = products[begin : begin + 17]
        factor = np.sqrt(max(np.median(window), 22.65) / 22.65)
        inner.append(factor if window.sum() > 17 * 56.0 * 4 and factor >= 2 else 1.0)
    return np.r_[[inner[0]] * 2, inner, [inner[-1]] * 3]


def test_the_ripple_is_what_medians_point_by_point_say() -> None:
    held = gaussian(TIME, 250, 6, 1000.0) + 0.05 * white(1)
    held[2400:2600:3] = held[2399:2599:3]
    noise = estimate_noise(TIME, held)
    ends = 0.05 * white(2, 400)
    ends[:40] += 3.0 * (-1.0) ** np.arange(40)
    ends[-40:] += 2.0 * (-1.0) ** np.arange(40)
    for signal in (held, ends):
        found = ripple_factor(signal, noise)
        np.testing.assert_allclose(found, plain_ripple(signal, noise.deviation), rtol=1e-9)
        assert (found > 1).any()
    assert (ripple_factor(ends, noise)[[0, 1, -3, -2, -1]] > 1).all()
