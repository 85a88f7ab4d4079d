"""Peaks that show in the residual of a crowd only: found where they stand, never inside a peak whose model misses."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import exponnorm

from gcfit import fit
from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting import window
from gcfit.fitting.detect import Candidate
from gcfit.fitting.hidden import _as_wide, explained, left_over, taken_up
from gcfit.fitting.models import Known
from gcfit.fitting.states import Peak, State, WindowData, solved
from gcfit.fitting.task import CROWD, Task, starting_peak
from gcfit.fitting.window import _seen_again, _straightened, fit_windows

TIME = np.arange(0.0, 320.0, 0.25)
APEXES = (60.0, 100.0, 140.0, 180.0, 220.0, 260.0)
SIGMA, NOISE = 5.0, 0.01


WAVES = np.where(np.abs(TIME - 160) < 16, 6 * np.cos(TIME - 160), 0.0)


def bell(apex: float, height: float, sigma: float = SIGMA) -> Array:
    return np.asarray(height * np.exp(-0.5 * ((TIME - apex) / sigma) ** 2))


def task(signal: Array, apexes: tuple[float, ...] = APEXES) -> Task:
    """A window that knows of some of its peaks."""
    candidates = tuple(Candidate(apex, 100.0, SIGMA, 1e4, 1, False, 5.9, 5.9) for apex in apexes)
    noisy = signal + np.random.default_rng(3).normal(0, NOISE, TIME.size)
    return Task(0, TIME, noisy, None, NOISE, 1.0, Known(-1000.0, 0.0, None), "auto", candidates)


def places(task: Task) -> list[float]:
    state = fit_windows([task])[0]
    assert state is not None
    return [float(peak.coordinates[0]) for peak in state.peaks]


@pytest.mark.parametrize("height", [8.0, 20.0, 40.0])
def test_a_hump_between_peaks_is_found(height: float) -> None:
    hump = task(np.sum([bell(apex, 100.0) for apex in APEXES], axis=0) + bell(160.0, height))
    assert places(hump) == pytest.approx(sorted((*APEXES, 160.0)), abs=0.5)
    state = fit_windows([hump])[0]
    assert state is not None
    assert state.solution.amplitudes[3] == pytest.approx(height * SIGMA * np.sqrt(2 * np.pi), rel=0.05)


def row(extra: Array) -> tuple[WindowData, State]:
    """The pair for each of the known peaks, in a window with something else."""
    window_task = task(np.sum([bell(apex, 100.0) for apex in APEXES], axis=0) + extra)
    peaks = [starting_peak(candidate, window_task.candidates, window_task) for candidate in window_task.candidates]
    state = solved(window_task.data, peaks, 2)
    assert state is not None
    return window_task.data, state


@pytest.mark.parametrize(
    ("extra", "found"),
    [
        (bell(160.0, 8.0), [160.0]),
        (-bell(160.0, 8.0), []),  # points the other way
        (bell(146.0, 3.0) - bell(140.0, 3.0), []),  # stands within a peak
        (bell(160.0, 0.2), []),  # too small beside its neighbours
        (bell(160.0, 8.0, 1.2), []),  # much narrower than its neighbours
    ],
)
def test_what_the_residual_seems_to_hold(extra: Array, found: list[float]) -> None:
    assert [one.apex_time for one in left_over(*row(extra))] == pytest.approx(found, abs=1.0)


@pytest.mark.parametrize(("extra", "sound"), [(bell(160.0, 8.0), True), (bell(160.0, 8.0) + WAVES, False)])
def test_a_peak_must_take_up_what_was_left(extra: Array, sound: bool) -> None:
    """It takes up a hump, but not what waves on it leave."""
    data, before = row(extra)
    at = 160.0
    new = replace(before.peaks[2], coordinates=np.array([at, np.log(SIGMA)]), anchor=at)
    after = solved(data, sorted((*before.peaks, new), key=lambda peak: float(peak.coordinates[0])), 2)
    assert after is not None
    grown = next(peak for peak in after.peaks if peak.anchor == at)
    assert explained(data, before, after, grown) is sound


@pytest.mark.parametrize(
    ("hump", "ripple", "sound"),
    [
        (bell(128.0, 4.0), 0.0, True),  # a shoulder beside a peak that its model describes
        (bell(128.0, 4.0), 6.0, False),  # lower than what the model of that peak leaves: its shape
        (bell(128.0, 9.0), 6.0, True),
        (bell(160.0, 4.0), 6.0, True),  # has a maximum of its own
    ],
)
def test_a_shoulder_is_higher_than_what_its_neighbour_leaves(hump: Array, ripple: float, sound: bool) -> None:
    data, before = row(hump + np.where(np.abs(TIME - 144) < 3, ripple * np.cos(2 * (TIME - 144)), 0.0))
    at = float(TIME[np.argmax(hump)])
    new = replace(before.peaks[2], coordinates=np.array([at, np.log(SIGMA)]), anchor=at)
    after = solved(data, sorted((*before.peaks, new), key=lambda peak: float(peak.coordinates[0])), 2)
    assert after is not None
    grown = next(peak for peak in after.peaks if peak.anchor == at)
    assert explained(data, before, after, grown) is sound


@pytest.mark.parametrize(("height", "sound"), [(20.0, True), (4.0, False)])
def test_a_small_peak_on_a_wide_one_shows_by_its_maximum(height: float, sound: bool) -> None:
    """Its height is a part of what it stands on; without a maximum it may be the shape of that."""
    data = replace(task(bell(140.0, 100.0, 40.0) + bell(190.0, height, 4.0)).data, crowded=False)
    wide = Peak("laplace", np.array([140.0, np.log(40.0)]), 140.0, 40.0)
    rider = Peak("laplace", np.array([190.0, np.log(4.0)]), 190.0, 4.0)
    before, after = solved(data, [wide], 2), solved(data, [wide, rider], 2)
    assert before is not None
    assert after is not None
    assert explained(data, before, after, after.peaks[1]) is sound


@pytest.mark.parametrize(("sigma", "fits"), [(1.9, False), (2.1, True), (7.5, True), (8.5, False)])
def test_a_hidden_peak_is_about_as_wide_as_the_nearest(sigma: float, fits: bool) -> None:
    peaks = (Peak("laplace", np.array([60.0, np.log(SIGMA)]), 60.0, SIGMA), Peak("laplace", np.zeros(2), 9e9, 99.0))
    assert _as_wide(Candidate(160.0, 8.0, sigma, 100.0), peaks) is fits


def new_peak(like: Peak, apex: float) -> Peak:
    return replace(like, coordinates=np.array([apex, np.log(SIGMA)]), anchor=apex)


def test_new_peaks_are_judged_one_by_one() -> None:
    """A hump beside which another candidate is none is taken, and its neighbours make room for it."""
    data, before = row(bell(160.0, 8.0) + np.roll(WAVES, round(80 / 0.25)))
    new = [(new_peak(before.peaks[0], 160.0), 8.0), (new_peak(before.peaks[0], 240.0), 6.0)]
    peaks = taken_up(data, before, new)
    places = [float(peak.coordinates[0]) for peak in peaks]
    assert places == pytest.approx(sorted((*APEXES, 160.0)), abs=0.1)
    assert [float(np.exp(peak.coordinates[1])) for peak in peaks[2:5]] == pytest.approx([SIGMA] * 3, rel=0.02)


def test_a_second_peak_in_one_hump_is_none() -> None:
    """What the first of two candidates explains is not left for the second."""
    data, before = row(bell(160.0, 8.0))
    new = [(new_peak(before.peaks[0], apex), height) for apex, height in ((158.0, 7.0), (162.0, 8.0))]
    peaks = taken_up(data, before, new)
    assert [peak.anchor for peak in peaks] == sorted((*APEXES, 162.0))


def test_what_is_taken_makes_room_for_the_next() -> None:
    data, before = row(bell(120.0, 40.0) + bell(160.0, 60.0))
    new = [(new_peak(before.peaks[0], apex), height) for apex, height in ((120.0, 40.0), (160.0, 60.0))]
    peaks = taken_up(data, before, new)
    assert [float(peak.coordinates[0]) for peak in peaks] == pytest.approx(sorted((*APEXES, 120.0, 160.0)), abs=0.3)
    assert [float(np.exp(peak.coordinates[1])) for peak in peaks[1:4]] == pytest.approx([SIGMA] * 3, rel=0.03)


def test_a_dip_between_peaks_is_none() -> None:
    assert len(places(task(np.sum([bell(apex, 100.0) for apex in APEXES], axis=0) - bell(160.0, 8.0)))) == len(APEXES)


def test_a_peak_that_no_model_describes_is_not_split() -> None:
    """Each is the sum of two tailed Gaussians one σ apart."""
    signal = np.sum([700 * exponnorm.pdf(TIME, 1.5, a - 4, 4) + 300 * exponnorm.pdf(TIME, 1, a, 5) for a in APEXES], 0)
    assert len(places(task(signal))) == len(APEXES)


def test_a_window_with_room_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> tuple[Candidate, ...]:
        raise AssertionError("searched")

    monkeypatch.setattr(window, "left_over", refused)
    few = APEXES[:CROWD]
    assert len(places(task(np.sum([bell(apex, 100.0) for apex in few], axis=0), few))) == len(few)


def test_a_rim_beside_a_drop_of_few_points_is_no_peak() -> None:
    """A window with room, whose second candidate would stand on a baseline that no points show."""
    drop = np.where((TIME > 150) & (TIME < 158), -8.0, 0.0)
    assert places(task(bell(60.0, 100.0) + drop, (60.0, 170.0))) == pytest.approx([60.0], abs=0.5)


def test_what_a_baseline_bent_for_is_described_by_an_addition() -> None:
    tail = 1e3 * exponnorm.pdf(TIME, 0.8, 100.0, SIGMA) * SIGMA
    tailing = task(tail, (100.0,))
    state = solved(tailing.data, [starting_peak(tailing.candidates[0], tailing.candidates, tailing)], 6)
    assert state is not None
    straight = _straightened(tailing.data, tailing, state)
    assert straight.base_order <= 2
    assert straight.peaks[0].model != state.peaks[0].model


def test_a_baseline_seen_once_peaks_are_left_out_shows_others() -> None:
    flat = [100 * np.exp(-0.5 * np.abs((TIME - apex) / SIGMA) ** 4) for apex in (100.0, 220.0)]
    known = task(np.sum(flat, axis=0) + bell(160.0, 4.0), (100.0, 160.0, 220.0))
    peaks = [starting_peak(one, known.candidates, known) for one in known.candidates]
    bent = solved(known.data, [peaks[0], peaks[2]], 6)
    assert bent is not None
    again = _seen_again(known.data, known, bent)
    assert again is not None
    assert again.base_order <= 2
    assert [peak.coordinates[0] for peak in again.peaks] == pytest.approx([100.0, 160.0, 220.0], abs=1.0)


@pytest.mark.parametrize(("width", "share", "decay"), [(2.5, 0.2, 6.0), (2.5, 0.4, 5.0), (3.5, 0.4, 5.0)])
def test_a_small_peak_beside_one_that_no_pair_describes_is_not_lost(width: float, share: float, decay: float) -> None:
    """The pair alone leaves so much of the large peak that the small one has the wrong sign at first."""
    time, height = np.arange(0.0, 120.0, 0.2), 1.5
    z = time - 60.0
    end = 1 / (1 + np.exp((z - 16) / 0.6))
    tail = (1 - share) * np.exp(-0.5 * (z / width) ** 2) + share * np.exp(-np.clip(z, 0, None) / decay) * end
    large = 150 * np.where(z < 0, np.exp(-0.5 * (z / 1.8) ** 2), tail)
    small = height * np.exp(-0.5 * ((time - 50.0) / 1.6) ** 2)
    noise = 0.005 * np.random.default_rng(1).standard_normal(time.size)
    found = fit(Chromatogram(time, large + small + 5 + noise)).peaks
    assert [peak.retention_time_s for peak in found] == pytest.approx([50.0, 60.1], abs=0.2)
    assert found[0].area == pytest.approx(height * 1.6 * np.sqrt(2 * np.pi), rel=0.15)


def test_small_peaks_between_high_ones_that_no_model_describes() -> None:
    """5e-4 of their neighbours, whose misfit hides them at first; each counts where it stands."""
    height, decay = 100.0, 2.5
    time, noise = np.arange(0.0, 700.0, 0.25), 0.36 * np.random.default_rng(1).standard_normal(2800)
    signal, places = 5 + noise, np.array([128, 188, 200, 248, 310, 370, 380, 431, 491, 551])
    for apex in np.arange(100.0, 601.0, 60.0):
        z = time - apex
        tail = 0.95 * np.exp(-0.5 * np.abs(z / 2.3) ** 1.8) + 0.05 * np.exp(-np.clip(z, 0, None) / decay)
        signal = signal + 2e5 * np.where(z < 0, np.exp(-0.5 * np.abs(z / 2) ** 2.2), tail)
    for apex in places:
        signal = signal + height * np.exp(-0.5 * ((time - apex) / 2) ** 2)
    peaks = [peak for peak in fit(Chromatogram(time, signal)).peaks if peak.height is not None and peak.height < 1e4]
    times = np.array([peak.retention_time_s for peak in peaks])
    assert len(places) == len(times)
    assert np.abs(times - places[:, None]).min(axis=0).max() < 3
    # no window holds these three peaks alone: between two high ones they are no one's tail
    between = [peak.area for peak in peaks if 365 < (peak.retention_time_s or 0.0) < 385]
    assert between == pytest.approx([height * 2 * np.sqrt(2 * np.pi)] * 2, rel=0.1)


@pytest.mark.parametrize(
    ("away", "height", "width"), [(-16, 18, 8), (-14, 18, 9), (-20, 10, 10), (16, 18, 8), (-18, 6, 9)]
)
def test_a_hump_under_the_flank_of_a_lone_peak_is_found(away: float, height: float, width: float) -> None:
    """It has no maximum of its own, and no shoulder: only what the best of one peak leaves shows it."""
    time = np.arange(200.0, 400.0, 0.25)
    high, low = (size * np.exp(-0.5 * ((time - at) / sigma) ** 2) for at, size, sigma in
                 ((300.0, 100.0, 6.0), (300.0 + away, height, width)))  # fmt: skip
    rising = np.diff(high + low) > 0
    assert np.count_nonzero(rising[1:] != rising[:-1]) == 1
    found = fit(Chromatogram(time, high + low + 3 + 0.02 * np.random.default_rng(1).standard_normal(time.size)))
    main, hump = sorted(found.peaks, key=lambda peak: abs((peak.retention_time_s or 0.0) - 300.0))
    scale = np.sqrt(2 * np.pi)
    assert hump.retention_time_s == pytest.approx(300.0 + away, abs=2.0)
    assert hump.area == pytest.approx(height * width * scale, rel=0.15)
    assert main.area == pytest.approx(100 * 6 * scale, rel=0.025)


@pytest.mark.parametrize(("away", "height", "width"), [(-32.0, 3.0, 4.0), (-30.0, 4.0, 4.0)])
def test_a_bump_before_a_hump_before_a_lone_peak_is_found(away: float, height: float, width: float) -> None:
    """Without a first look at what is left the hump would stand for both, twice as large as it is."""
    time, scale = np.arange(200.0, 400.0, 0.25), np.sqrt(2 * np.pi)
    true = [(300.0 + away, height, width), (286.0, 12.0, 7.0), (300.0, 100.0, 6.0)]
    signal = sum(size * np.exp(-0.5 * ((time - at) / sigma) ** 2) for at, size, sigma in true)
    found = fit(Chromatogram(time, signal + 3 + 0.02 * np.random.default_rng(1).standard_normal(time.size))).peaks
    assert [peak.retention_time_s for peak in found] == pytest.approx([at for at, _, _ in true], abs=1.5)
    areas = [scale * size * sigma for _, size, sigma in true]
    assert [peak.area for peak in found] == [pytest.approx(areas[0], rel=0.05), pytest.approx(areas[1], rel=0.25),
                                             pytest.approx(areas[2], rel=0.04)]  # fmt: skip
