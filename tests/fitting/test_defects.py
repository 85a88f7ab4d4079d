"""Spikes, flat tops, steps and padding: marked where they are, and nowhere else."""

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Chromatogram
from gcfit.fitting.defects import Defects, find_defects
from gcfit.fitting.noise import estimate_noise
from gcfit.fitting.records import FitSettings, Noise
from tests.fitting.shapes import TIME, forest, gaussian, pairs, six, white


def defects(signal: np.ndarray) -> Defects:
    return find_defects(signal, estimate_noise(TIME[: signal.size], signal))


def places(mask: np.ndarray) -> list[int]:
    return [int(i) for i in np.flatnonzero(mask)]


@pytest.mark.parametrize("seed", range(5))
def test_clean_traces_have_no_defects(seed: int) -> None:
    narrow = gaussian(TIME, 100.03, 0.1, 1000.0) + gaussian(TIME, 200, 0.2, 5000.0)  # a width of one and two points
    _, dense, _ = forest(seed)
    _, close, _ = pairs()
    for clean in (narrow, six() / 0.08, dense / 0.01, close / 0.01, np.zeros(5000)):
        found = defects(clean + white(seed, clean.size))
        for mask in (found.spikes, found.saturated, found.padding, found.steps):
            assert not mask.any()


def test_single_and_double_spikes_of_both_signs() -> None:
    signal = six() + 0.08 * white(1)
    signal[[700, 1000, 1001, 2990]] += 5.0
    signal[[1700, 4400, 4401]] -= 5.0
    assert places(defects(signal).spikes) == [700, 1000, 1001, 1700, 2990, 4400, 4401]


def test_louder_noise_is_no_spikes() -> None:
    time = np.arange(0.0, 2000.0, 0.1)
    signal = white(2, time.size)
    signal[10_000:] *= 6
    signal[[3000, 15_000]] += 60.0
    signal[16_000:] += 100.0
    found = find_defects(signal, estimate_noise(time, signal))
    assert places(found.spikes) == [3000, 15_000]
    assert places(found.steps) == [15_999]
    assert np.median(found.louder[11_000:]) == pytest.approx(6, rel=0.1)
    half = found.part(slice(10_000, 20_000))
    assert places(half.spikes) == [5000]
    assert (half.louder == found.louder[10_000:]).all()


def test_a_double_spike_needs_no_single_one_beside_it() -> None:
    signal = white(1)
    signal[1000:1002] += 60.0
    assert places(defects(signal).spikes) == [1000, 1001]


def test_three_points_are_not_a_spike() -> None:
    signal = white(1)
    signal[1000:1003] += 60.0
    assert not defects(signal).spikes.any()


@pytest.mark.parametrize("cut", [20.0, 50.0, 95.0])
def test_a_flat_top_is_marked_from_edge_to_edge(cut: float) -> None:
    clean = gaussian(TIME, 250, 5, 100.0) + 0.05 * white(1)
    found = defects(np.minimum(clean, cut))
    assert places(found.saturated) == places(clean >= cut)


def test_quantised_round_tops_are_not_flat() -> None:
    for height, sigma in ((30, 3), (100, 10), (1000, 20), (50, 30)):
        assert not defects(np.rint(gaussian(TIME, 250, sigma, height) + 0.2 * white(1))).saturated.any()


def test_steps_are_marked_at_their_last_point_before() -> None:
    signal = six() + 0.08 * white(1)
    signal[1000:] += 10
    signal[3000:] -= 4
    assert places(defects(signal).steps) == [999, 2999]


@pytest.mark.parametrize(("part", "steps"), [(0.15, [999]), (0.3, [])])
def test_the_levels_beside_a_step_may_drift_by_part_of_it(part: float, steps: list[int]) -> None:
    """As when a detector is switched off within a tail that falls."""
    signal = 0.08 * white(1)
    signal[1000:] += 100
    signal[990:1000] += np.linspace(0, part * 100 * 9 / 7, 10)
    assert places(defects(signal).steps) == steps


def test_padding_is_marked() -> None:
    signal = np.concatenate([np.zeros(200), 5 + white(1, 3000), np.zeros(300)])
    assert places(defects(signal).padding) == [*range(200), *range(3200, 3500)]


def test_repair_bridges_spikes_and_rounds_tops() -> None:
    clean = gaussian(TIME, 250, 5, 100.0) + gaussian(TIME, 100, 5, 20.0) + 0.05 * white(1)
    signal = np.minimum(clean, 60.0)
    signal[500] += 30
    signal.flags.writeable = False
    found = defects(signal)
    repaired = found.repaired(signal)
    assert abs(repaired[500] - clean[500]) < 0.5
    flat = found.saturated
    assert (repaired[flat] > 60).all()
    assert abs(int(np.argmax(repaired)) - 2500) < 10
    assert np.array_equal(repaired[~flat & ~found.spikes], signal[~flat & ~found.spikes])
    assert np.array_equal(found.saturated_times(TIME), TIME[flat])


@pytest.mark.parametrize("points", range(3, 30))
def test_short_and_constant_traces(points: int) -> None:
    for signal in (np.ones(points), white(1, points), np.arange(points) * 1.0):
        found = defects(signal)
        assert found.spikes.shape == found.steps.shape == (points,)
        assert np.isfinite(found.repaired(signal)).all()


def test_one_run_of_equal_points_is_padding() -> None:
    signal = white(1)
    signal[2000:2014] = signal[2000]
    assert places(defects(signal).padding) == list(range(2000, 2014))


def test_those_of_the_trace_upside_down() -> None:
    signal = 100 * np.sin(TIME / 20) + 0.1 * white(2)
    signal = np.clip(signal, -90.0, 80.0)
    found, other = defects(signal), defects(-signal)
    for name in ("spikes", "saturated", "padding", "steps", "bottoms"):
        np.testing.assert_array_equal(getattr(found.turned(), name), getattr(other, name))
    assert found.saturated.any()
    assert found.bottoms.any()
    assert not (found.saturated & found.bottoms).any()


@pytest.mark.parametrize("cut", [21.0, 14.0])
@pytest.mark.parametrize("deviation", [0.02, 0.1])
def test_a_cut_top_with_noise_on_it_is_left_out(cut: float, deviation: float) -> None:
    # noise that comes in behind what cuts the top
    time = np.arange(0.0, 600.0, 0.2)
    signal = np.minimum(24 * np.exp(-(((time - 300) / 5) ** 2) / 2), cut)
    signal += deviation * np.random.default_rng(1).standard_normal(time.size)
    (peak,) = gcfit.fit(Chromatogram(time, signal), settings=FitSettings()).peaks
    assert peak.status == "saturated"
    assert peak.area == pytest.approx(24 * 5 * np.sqrt(2 * np.pi), rel=0.006)


def test_round_tops_are_none_that_are_cut() -> None:
    for seed in range(300):
        random = np.random.default_rng(seed)
        sigma, height = 10 ** random.uniform(0.3, 2.7), 10 ** random.uniform(1, 5)
        points = np.arange(-8 * sigma, 8 * sigma)
        signal = height * np.exp(-((points / sigma) ** 2) / 2) + random.standard_normal(points.size)
        assert not find_defects(signal, Noise(1.0)).saturated.any()
