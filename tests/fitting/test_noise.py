"""The noise estimate against noise of known size and correlation, with everything around it that it must not see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcfit.fitting.noise import autocovariances, estimate_noise, mixing, quiet_mask
from gcfit.fitting.quantised import padding, quantisation_step
from gcfit.fitting.records import Noise
from tests.fitting.shapes import SIX, TIME, autoregressive, emg, filtered, forest, gaussian, pairs, six, white

SEEDS = range(12)


def estimates(signals: list[np.ndarray]) -> list[Noise]:
    return [estimate_noise(np.arange(signal.size) * 0.1, signal) for signal in signals]


def test_white_noise_under_six_peaks_and_a_drift_within_two_percent() -> None:
    found = np.array([noise.deviation for noise in estimates([six() + 0.08 * white(seed) for seed in SEEDS])]) / 0.08
    assert np.abs(found - 1).max() < 0.03  # a standard deviation of 4,000 points is known to 1.1 %
    assert abs(found.mean() - 1) < 0.006
    assert all(noise.correlation == 0 for noise in estimates([six() + 0.08 * white(1)]))


def test_white_noise_under_a_forest_and_under_overlapping_pairs() -> None:
    for time, signal, _ in (forest(3), pairs()):
        found = [estimate_noise(time, signal + 0.01 * white(seed, time.size)).deviation / 0.01 for seed in range(5)]
        assert abs(np.mean(found) - 1) < 0.02
        assert np.abs(np.array(found) - 1).max() < 0.04


def test_tailing_peaks_leave_the_noise_unbiased() -> None:
    peaks = sum(emg(TIME, mean, 1.5, 6.0, 500.0) for mean in (66.0, 130.0, 200.0, 320.0))
    found = [noise.deviation for noise in estimates([peaks + white(seed) for seed in SEEDS])]
    assert abs(np.mean(found) - 1) < 0.01


@pytest.mark.parametrize("rho", [0.3, 0.7])
def test_autoregressive_noise_size_correlation_and_inflation(rho: float) -> None:
    found = estimates([six() + 0.08 * autoregressive(seed, rho) for seed in SEEDS])
    deviations = np.array([noise.deviation for noise in found]) / 0.08
    correlations = np.array([noise.correlation for noise in found])
    assert abs(deviations.mean() - 1) < 0.02
    assert np.abs(deviations - 1).max() < 0.08
    assert np.abs(correlations - rho).max() < 0.05
    # the sum of ρ^|k| over all k
    assert np.mean([noise.inflation for noise in found]) == pytest.approx((1 + rho) / (1 - rho), rel=0.06)


def test_strongly_correlated_noise() -> None:
    found = estimates([autoregressive(seed, 0.9) for seed in SEEDS])
    assert np.mean([noise.deviation for noise in found]) == pytest.approx(1, abs=0.08)
    assert np.mean([noise.correlation for noise in found]) == pytest.approx(0.9, abs=0.03)


def test_a_moving_average_of_five_points_has_a_triangle_for_its_autocorrelation() -> None:
    found = estimates([six() + 0.08 * filtered(seed, np.ones(5)) for seed in SEEDS])
    mean = np.mean([noise.acf[:5] for noise in found], axis=0)
    assert np.abs(mean - [1, 0.8, 0.6, 0.4, 0.2]).max() < 0.03
    assert np.mean([noise.inflation for noise in found]) == pytest.approx(5, rel=0.08)


@pytest.mark.parametrize(("smoothing", "tolerance"), [(1.0, 0.03), (3.0, 0.05), (5.0, 0.1)])
def test_noise_behind_a_gaussian_filter(smoothing: float, tolerance: float) -> None:
    taps = np.exp(-0.5 * (np.arange(-40, 41) / smoothing) ** 2)
    found = estimates([six() + 0.08 * filtered(seed, taps) for seed in SEEDS])
    assert np.mean([noise.deviation for noise in found]) == pytest.approx(0.08, rel=tolerance)
    # neighbours of noise behind a Gaussian filter share exp(-1/(4 s²)); the sum over all lags is 2 sqrt(π) s
    assert np.mean([noise.correlation for noise in found]) == pytest.approx(np.exp(-1 / (4 * smoothing**2)), abs=0.01)
    assert np.mean([noise.inflation for noise in found]) == pytest.approx(2 * np.sqrt(np.pi) * smoothing, rel=0.15)


def test_the_autocorrelation_function_has_a_positive_spectrum() -> None:
    for seed in SEEDS:
        acf = np.array(estimates([filtered(seed, np.ones(7), 400)])[0].acf)
        spectrum = np.fft.rfft(np.concatenate([acf, np.zeros(4096 - 2 * acf.size + 1), acf[:0:-1]])).real
        assert spectrum.min() > -0.05


@pytest.mark.parametrize("points", [30, 60, 100, 200, 500, 2000])
def test_short_traces_on_average(points: int) -> None:
    found = [noise.deviation for noise in estimates([white(seed, points) for seed in range(60)])]
    assert np.mean(found) == pytest.approx(1, abs=0.12 if points < 100 else 0.05)


@pytest.mark.parametrize("points", [3, 4, 5, 7])
def test_a_handful_of_points_gives_a_finite_number(points: int) -> None:
    noise = estimate_noise(np.arange(points), white(1, points))
    assert 0 < noise.deviation < 10


@pytest.mark.parametrize("points", [3, 50, 5000])
def test_a_constant_signal_has_no_noise(points: int) -> None:
    assert estimate_noise(np.arange(points), np.full(points, 3.3)) == Noise(0.0)


def test_steps_spikes_and_padding_are_not_noise() -> None:
    signal = six() + 0.08 * white(4)
    signal[1000:2000] += 5
    signal[3000:] -= 4
    signal[np.random.default_rng(1).integers(0, signal.size, 30)] += 3
    padded = np.concatenate([np.zeros(3000), signal, np.zeros(3000)])
    for trace in (signal, padded):
        assert estimates([trace])[0].deviation == pytest.approx(0.08, rel=0.03)


@pytest.mark.parametrize("step", [0.3, 1.0, 3.0])
def test_a_quantised_signal(step: float) -> None:
    rounded = [np.rint(white(seed) / step) * step for seed in SEEDS]
    found = estimates(rounded)
    assert all(noise.step == pytest.approx(step) for noise in found)
    # the scatter of the rounded noise itself, from all its points
    expected = np.mean([np.std(signal) for signal in rounded])
    assert np.mean([noise.deviation for noise in found]) == pytest.approx(expected, rel=0.03)


def test_a_signal_that_seldom_leaves_its_step_has_the_noise_of_rounding() -> None:
    signal = np.rint(white(2) / 6) * 6  # 0 in 99.7 % of the points
    assert estimate_noise(TIME, signal).deviation == pytest.approx(6 / np.sqrt(12))


def test_counts_with_a_peak_on_a_constant_baseline() -> None:
    signal = np.rint(1e6 * gaussian(TIME, 250, 3, 1.0) + 1e3)
    assert estimate_noise(TIME, signal).deviation == pytest.approx(1 / np.sqrt(12))


@pytest.mark.parametrize(("values", "step"), [([0, 3, 3, 9, 6, 0, 12], 3.0), ([0.5, 1.0, 2.5, 2.0, 0.5], 0.5)])
def test_quantisation_step(values: list[float], step: float) -> None:
    assert quantisation_step(np.array(values)) == pytest.approx(step)


def test_a_measured_number_has_no_quantisation_step() -> None:
    assert quantisation_step(white(1)) == 0
    assert quantisation_step(np.ones(10)) == 0


def test_padding_is_a_run_far_longer_than_the_usual_ones() -> None:
    signal = np.concatenate([np.zeros(100), white(1, 500), np.full(40, 2.0)])
    expected = np.zeros(640, dtype=bool)
    expected[:100] = expected[-40:] = True
    assert np.array_equal(padding(signal), expected)
    counts = np.repeat(np.rint(white(2, 300)), 4)  # a slow converter: each reading four times
    assert not padding(counts, 1.0).any()


@settings(max_examples=25, deadline=None)
@given(scale=st.sampled_from([1e-30, 1e-6, 1e6, 1e30]), offset=st.floats(-100, 100), flip=st.booleans())
def test_the_noise_scales_with_the_signal(scale: float, offset: float, flip: bool) -> None:
    signal = six() + 0.08 * autoregressive(5, 0.5)
    plain = estimate_noise(TIME, signal)
    scaled = estimate_noise(TIME, (-1 if flip else 1) * scale * (signal + offset))
    assert scaled.deviation == pytest.approx(scale * plain.deviation, rel=1e-6)
    assert scaled.acf == pytest.approx(plain.acf, abs=1e-6)


def test_the_signal_is_not_written_to() -> None:
    signal = six() + white(1)
    before = signal.copy()
    estimate_noise(TIME, signal)
    np.testing.assert_array_equal(signal, before)


@pytest.mark.parametrize(("length", "degree"), [(16, 4), (32, 4), (128, 2)])
def test_mixing_against_the_matrices_written_out(length: int, degree: int) -> None:
    lags = length // 4
    columns = np.vander(np.linspace(-1, 1, length), degree + 1)
    left = np.eye(length) - columns @ np.linalg.pinv(columns)
    expected = np.empty((lags + 1, lags + 1))
    for j in range(lags + 1):
        band = np.array([[float(abs(a - b) == j) for b in range(length)] for a in range(length)])
        seen = left @ band @ left
        expected[:, j] = [np.mean(np.diagonal(seen, k)) for k in range(lags + 1)]
    assert np.abs(mixing(length, degree) - expected).max() < 1e-12


def test_autocovariances_against_plain_sums() -> None:
    signal = white(3, 70)
    blocks = autocovariances(signal, 32, 4)
    assert blocks.covariance.shape == (2, 9)
    x = np.arange(32)
    for row, block in zip(blocks.covariance, signal[:64].reshape(2, 32), strict=True):
        rest = block - np.polyval(np.polyfit(x, block, 4), x)
        for lag, value in enumerate(row):
            assert value == pytest.approx(sum(rest[i] * rest[i + lag] for i in range(32 - lag)) / (32 - lag), abs=1e-12)


def test_quiet_blocks_are_those_without_a_peak() -> None:
    signal = six() + 0.08 * white(1)
    quiet = quiet_mask(autocovariances(signal, 64, 4), 0.0)
    middles = (np.arange(quiet.size) + 0.5) * 6.4
    # a quartic over 6.4 s follows the top of a peak wider than 1 s
    peaked = np.array([any(abs(t - apex) < 3.2 + sigma for apex, sigma, _ in SIX if sigma < 1) for t in middles])
    clear = np.array([all(abs(t - apex) > 3.2 + 5 * sigma for apex, sigma, _ in SIX) for t in middles])
    assert peaked.sum() > 4
    assert not quiet[peaked].any()
    assert quiet[clear].mean() > 0.9
