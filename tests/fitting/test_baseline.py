"""Global baselines against the baselines that were put in."""

import sys

import numpy as np
import pytest

from gcfit.errors import InputError, MissingExtraError
from gcfit.fitting.baseline import METHODS, global_baseline
from gcfit.fitting.detect import find_peaks
from gcfit.fitting.noise import estimate_noise
from tests.fitting.shapes import SIX, TIME, drift, emg, forest, gaussian, six, white

OWN = ("valleys", "line")


def fitted(time: np.ndarray, signal: np.ndarray, method: str) -> np.ndarray:
    noise = estimate_noise(time, signal)
    return global_baseline(time, signal, find_peaks(time, signal, noise, polarity="both"), noise, method)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_a_finite_baseline_of_the_traces_shape(method: str) -> None:
    if method not in OWN:
        pytest.importorskip("pybaselines")
    signal = six() + 0.08 * white(1)
    signal.flags.writeable = False
    baseline = fitted(TIME, signal, method)
    assert baseline.shape == TIME.shape
    assert np.isfinite(baseline).all()
    # within a quarter of the smallest peak of what was put in
    assert np.median(np.abs(baseline - drift(TIME, 80.0))) < 0.25 * min(height for _, _, height in SIX)


def test_the_default_follows_the_drift_within_the_noise() -> None:
    baseline = fitted(TIME, six() + 0.08 * white(2), "valleys")
    assert np.abs(baseline - drift(TIME, 80.0)).max() < 0.08
    assert abs(np.mean(baseline - drift(TIME, 80.0))) < 0.01


def test_the_default_goes_under_a_forest_that_leaves_hardly_a_free_point() -> None:
    time, signal, _ = forest(2)
    baseline = fitted(time, signal + 0.01 * white(3, time.size), "valleys")
    assert np.abs(baseline - drift(time, 10.0)).max() < 0.1  # 1 % of the highest peak


def test_the_default_goes_under_tails_and_over_negative_peaks() -> None:
    tails = sum(emg(TIME, mean, 1.5, 5.0, 500.0) for mean in (100.0, 112.0, 230.0))
    baseline = fitted(TIME, 5.0 + tails + 0.02 * white(1), "valleys")
    assert np.abs(baseline - 5.0).max() < 0.005 * tails.max()
    dips = -gaussian(TIME, 200, 2, 50.0) - gaussian(TIME, 206, 2, 50.0)
    assert np.abs(fitted(TIME, 5.0 + dips + 0.02 * white(1), "valleys") - 5.0).max() < 0.5


@pytest.mark.parametrize("method", OWN)
def test_a_line_is_returned_as_it_is(method: str) -> None:
    line = 3.0 + 0.02 * TIME
    assert np.abs(fitted(TIME, line + gaussian(TIME, 250, 3, 30.0) + 1e-3 * white(1), method) - line).max() < 4e-3


@pytest.mark.parametrize("method", OWN)
@pytest.mark.parametrize("points", [3, 5, 20])
def test_a_handful_of_points(method: str, points: int) -> None:
    time = np.arange(points, dtype=float)
    for signal in (np.full(points, 2.5), 1 + 0.5 * time, white(1, points)):
        assert np.isfinite(fitted(time, signal, method)).all()
    assert np.allclose(fitted(time, np.full(points, 2.5), method), 2.5)


def test_a_peak_over_the_whole_trace_leaves_its_feet() -> None:
    time = np.arange(0.0, 20.0, 0.1)
    signal = gaussian(time, 10, 2.5, 100.0)
    baseline = fitted(time, signal + 0.01 * white(1, time.size), "valleys")
    assert np.abs(baseline).max() < 1.0


@pytest.mark.parametrize("method", OWN)
def test_units_do_not_matter(method: str) -> None:
    signal = six() + 0.08 * white(1)
    plain = fitted(TIME, signal, method)
    assert fitted(TIME / 60 - 100, 1e-6 * signal, method) == pytest.approx(1e-6 * plain, rel=1e-4)


def test_thinned_traces_keep_their_baseline() -> None:
    pytest.importorskip("pybaselines")
    time = np.arange(0.0, 500.0, 0.01)
    signal = gaussian(time, 250, 3, 50.0) + drift(time, 50.0) + 0.05 * white(1, time.size)
    assert np.abs(fitted(time, signal, "arpls") - drift(time, 50.0)).max() < 0.2


def test_an_unknown_method_names_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"baseline 'rubber' is not known; known are auto, valleys, line, asls"):
        fitted(TIME, six(), "rubber")


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pybaselines", None)
    with pytest.raises(MissingExtraError, match=r"the baseline arpls needs .*\[baselines\]"):
        fitted(TIME, six() + 0.08 * white(1), "arpls")
