"""Additions that overlapping peaks take at once, on peaks of the exact overloaded law (Thomas 1944)."""

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Array, Chromatogram
from gcfit.column import closed_form
from gcfit.fitting.local_base import order_of
from gcfit.fitting.records import Fit, FitSettings

HOLD_UP = 100.0
NOISE = 1e-3
# area, mean and σ of the linear law [s], loading: one tails and one fronts
PAIR = ((2400.0, 805.0, 18.0, 5.0), (2300.0, 862.0, 16.0, -4.0))


def overloaded(time: Array, area: float, mean: float, sigma: float, loading: float) -> Array:
    n = 2 * ((mean - HOLD_UP) / sigma) ** 2
    return area * closed_form.overloaded(time, HOLD_UP, n, n / (mean - HOLD_UP), loading)


def fitted(*peaks: tuple[float, float, float, float]) -> Fit:
    time = np.arange(500.0, 1300.0, 0.5)
    signal = 3 + 1e-3 * time + NOISE * np.random.default_rng(0).standard_normal(time.size)
    signal += np.sum([overloaded(time, *peak) for peak in peaks], axis=0)
    return gcfit.fit(Chromatogram(time, signal), settings=FitSettings(hold_up=HOLD_UP))


def test_overlapping_peaks_find_their_loadings() -> None:
    peaks = fitted(*PAIR).peaks
    assert len(peaks) == 2
    for peak, (area, _, _, loading) in zip(peaks, PAIR, strict=True):
        assert "load" in peak.model
        assert peak.area == pytest.approx(area, rel=2e-3)
        assert peak.loading is not None
        assert peak.loading == pytest.approx(loading, abs=0.2)


def test_peaks_of_the_pair_take_nothing() -> None:
    peaks = fitted(*((area, mean, sigma, 1e-9) for area, mean, sigma, _ in PAIR)).peaks
    assert [peak.model for peak in peaks] == ["laplace", "laplace"]


def test_a_row_of_peaks_finds_together_what_none_finds_alone() -> None:
    large = [(2400.0, 700.0 + 70 * k, 15.0, 3.0) for k in range(5)]
    peaks = fitted(*large, (30.0, 1060.0, 15.0, 1e-9)).peaks
    assert len(peaks) == 6
    assert peaks[-1].area == pytest.approx(30.0, rel=0.05)


@pytest.mark.parametrize(("degree", "order"), [(1, 2), (2, 3)])
def test_the_first_baseline_is_as_simple_as_what_it_follows(degree: int, order: int) -> None:
    time = np.linspace(10.0, 70.0, 400)
    assert order_of(time, (time / 10) ** degree, 1e-9) == order


def test_a_tolerance_keeps_the_first_baseline_straight() -> None:
    time = np.linspace(0.0, 1.0, 400)
    bow = 4 * time * (1 - time)
    assert order_of(time, bow, 0.31) == 2  # a line leaves a bow of height 1 with 0.298 root mean square
    assert order_of(time, bow, 0.29) == 3
