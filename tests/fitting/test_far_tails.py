"""Tails that reach far beyond their peak: neither taken for baseline, nor for what stands behind them."""

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Array, Chromatogram
from gcfit.column import laplace
from gcfit.fitting.models import Known, curve
from gcfit.fitting.records import FitSettings, PeakFit
from gcfit.fitting.registry import MODELS
from gcfit.fitting.sampling import Sampling
from tests.fitting.shapes import autoregressive

HOLD_UP = 60.0
Peaks = list[tuple[float, Array]]  # area and signal of each


def with_site(time: Array, apex: float, sigma: float, height: float, visits: float, stay: float) -> tuple[float, Array]:
    """Area and signal of a pair with a second site, from the column's own law."""
    delay = apex - HOLD_UP
    n = 2 * (delay / sigma) ** 2
    unit = laplace.outlet(time, laplace.Law(HOLD_UP, n, n / delay, visits, 1 / stay, 0.0))
    return height / float(unit.max()), height / float(unit.max()) * unit


def of(time: Array, model: str, coordinates: list[float], height: float) -> tuple[float, Array]:
    """Area and signal of what has no other form than the curve of the fit."""
    found = curve(MODELS[model], np.array(coordinates), Sampling.of(time), Known(HOLD_UP))
    unit = np.zeros_like(time)
    unit[found.first : found.last] = found.rows[0]
    return height / float(unit.max()), height / float(unit.max()) * unit


def fitted(time: Array, peaks: Peaks, rho: float, seed: int, end: float | None = None) -> list[PeakFit]:
    """The rows next to the apexes of peaks above a level with noise of 1."""
    noise = autoregressive(seed, rho, time.size)
    run = Chromatogram(time, 100 + noise + sum(signal for _, signal in peaks))
    rows = [row for row in gcfit.fit(run, settings=FitSettings(hold_up=HOLD_UP, end=end)).peaks if row.retention_time_s]
    return [
        min(rows, key=lambda row: abs((row.retention_time_s or 0.0) - time[signal.argmax()])) for _, signal in peaks
    ]


def pull(row: PeakFit, area: float) -> float:
    """Error of an area in the errors that are stated for it."""
    assert row.area is not None
    assert row.area_se is not None
    return (row.area - area) / row.area_se


@pytest.mark.parametrize(("rho", "height", "seed"), [(0.5, 57.0, 6), (0.0, 157.0, 6)])
def test_a_tail_that_spills_into_a_window_is_not_replaced_by_a_bend(rho: float, height: float, seed: int) -> None:
    """Its baseline bent for the neighbour's tail; without that, it bends for nothing but the peak's own."""
    time = np.arange(0.0, 900.0, 0.5)
    peaks = [with_site(time, 272.0, 2.7, height, 0.5, 15.0), with_site(time, 313.4, 3.2, 72.0, 0.18, 17.8)]
    assert abs(pull(fitted(time, peaks, rho, seed)[1], peaks[1][0])) < 4


@pytest.mark.parametrize("seed", [1, 6])
def test_slow_tails_of_neighbours_are_told_from_a_baseline_that_bends(seed: int) -> None:
    """The points near the small peak in the middle do not tell its tail from a line."""
    time = np.arange(0.0, 900.0, 0.2)
    peaks = [
        of(time, "laplace+load", [345.9, 1.0, 4.5], 226.0),
        of(time, "laplace+site+load", [381.6, 1.06, 1.21, 2.8, -2.27], 24.0),
        of(time, "laplace+site", [413.95, 1.14, -1.1, 1.9], 261.0),
    ]
    for row, (area, _) in zip(fitted(time, peaks, 0.0, seed), peaks, strict=True):
        assert abs(pull(row, area)) < 4


@pytest.mark.parametrize("seed", [3, 7])
def test_what_is_described_to_the_noise_is_not_cut_though_its_tail_is_cut_by_the_end(seed: int) -> None:
    time = np.arange(0.0, 900.0, 0.1)
    peaks = [
        of(time, "laplace+load", [226.1, 0.99, 6.7], 146.0),
        of(time, "laplace+site+load", [261.33, 1.14, 1.3, 2.8, -7.37], 420.0),
        of(time, "laplace+load", [286.9, 1.2, 3.4], 51.0),
    ]
    for row, (area, _) in zip(fitted(time, peaks, 0.5, seed, end=360.0), peaks, strict=True):
        assert abs(pull(row, area)) < 4
