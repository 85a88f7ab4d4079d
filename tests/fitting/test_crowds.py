"""What a crowd decides where it stands: shoulders, doubtful peaks several at a time, peaks that tell nothing."""

from dataclasses import replace

import numpy as np
import pytest

from gcfit.chromatogram import Array
from gcfit.column import closed_form
from gcfit.fitting import certainty
from gcfit.fitting.certainty import errors_of, over_range, without_phantoms
from gcfit.fitting.detect import Candidate
from gcfit.fitting.models import Known
from gcfit.fitting.sampling import Sampling
from gcfit.fitting.select import choose
from gcfit.fitting.sense import _senseless, sensible
from gcfit.fitting.shoulders import without_shoulders
from gcfit.fitting.states import Peak, State, WindowData, solved
from gcfit.fitting.task import Task
from gcfit.fitting.widths import freed
from gcfit.fitting.window import fit_windows
from tests.fitting.curves import Shape, rows

TIME = np.arange(0.0, 600.0, 0.5)
APEXES = tuple(60.0 + 40.0 * k for k in range(12))
SIGMA, NOISE = 4.0, 0.01
ONE_PART = ("laplace", "laplace+site", "laplace+tail", "laplace+load")


def bell(apex: float, height: float, sigma: float = SIGMA) -> Array:
    return np.asarray(height * np.exp(-0.5 * ((TIME - apex) / sigma) ** 2))


def crowd(extra: Array | float = 0.0) -> WindowData:
    signal = np.sum([bell(apex, 100.0) for apex in APEXES], axis=0) + 3 + 0.01 * TIME + extra
    signal = signal + NOISE * np.random.default_rng(4).standard_normal(TIME.size)
    return WindowData(Sampling.of(TIME), signal, None, NOISE, 1.0, Known(-1e4), crowded=True)


def fitted(data: WindowData, *more: float) -> State:
    anchors = sorted((*APEXES, *more))
    state = solved(data, [Peak("laplace", np.array([one, np.log(SIGMA)]), one, SIGMA) for one in anchors], 2)
    assert state is not None
    return state


def anchors_of(state: State | None) -> list[float]:
    assert state is not None
    return [peak.anchor for peak in state.peaks]


def test_doubtful_peaks_far_apart_go_in_one_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    data = crowd()
    state = fitted(data, 80.0, 520.0)
    solves = []
    monkeypatch.setattr(certainty, "solved", lambda *one: solves.append(one) or solved(*one))
    assert anchors_of(without_phantoms(data, state)) == list(APEXES)
    assert len(solves) == 1


def test_of_two_doubtful_neighbours_one_may_stay() -> None:
    # two for one peak: neither is sure beside the other
    data = crowd(bell(560.0, 0.3))
    kept = anchors_of(without_phantoms(data, fitted(data, 559.0, 561.0)))
    assert len(kept) == len(APEXES) + 1
    assert kept[-1] in (559.0, 561.0)


def test_a_peak_far_above_all_that_is_seen_goes() -> None:
    data = crowd()
    state = fitted(data)
    assert over_range(data, state, 5) == pytest.approx(1.0, abs=0.1)
    amplitudes = state.solution.amplitudes.copy()
    amplitudes[5] *= 100
    absurd = replace(state, solution=replace(state.solution, amplitudes=amplitudes))
    assert over_range(data, absurd, 5) == pytest.approx(100.0, rel=0.1)
    assert anchors_of(without_phantoms(data, absurd)) == [one for one in APEXES if one != APEXES[5]]
    assert anchors_of(without_phantoms(replace(data, crowded=False), absurd)) == list(APEXES)
    # where points do not count, or beyond the begin, more may be hidden than is seen
    weights = np.where(np.abs(TIME - APEXES[5]) < 1, 0.0, 1.0)
    assert over_range(replace(data, weights=weights), absurd, 5) == 0.0
    early = Peak("laplace", np.array([4.0, np.log(SIGMA)]), 4.0, SIGMA)
    assert over_range(data, replace(absurd, peaks=(early,) * len(state.peaks)), 5) == 0.0


def test_a_peak_that_says_less_than_a_level_starts_once_more() -> None:
    data = crowd()
    peaks = list(fitted(data).peaks)
    lost = replace(peaks[4], model="laplace+load", coordinates=np.array([APEXES[4] + 9.0, np.log(2.0 * SIGMA), 9.0]))
    state = fitted(data)
    astray = replace(state, peaks=(*peaks[:4], lost, *peaks[5:]))
    amplitudes = state.solution.amplitudes.copy()
    amplitudes[4] *= -1
    residual = state.solution.residual + 2 * (bell(APEXES[4], 100.0))
    astray = replace(astray, solution=replace(state.solution, amplitudes=amplitudes, residual=residual))
    found = sensible(data, astray)
    assert anchors_of(found) == list(APEXES)
    assert found is not None
    assert found.peaks[4].model == "laplace"
    assert found.peaks[4].coordinates == pytest.approx([APEXES[4], np.log(SIGMA)], abs=0.02)


def test_a_peak_that_points_the_wrong_way_starts_once_more() -> None:
    """However well it describes what is there."""
    data = crowd()
    state = fitted(data)
    amplitudes = state.solution.amplitudes.copy()
    amplitudes[4] *= -1
    found = sensible(data, replace(state, solution=replace(state.solution, amplitudes=amplitudes)))
    assert found is not None
    assert (found.solution.amplitudes > 0).all()


def test_a_peak_that_never_tells_anything_goes() -> None:
    # a lower level, which no peak describes and the line does not follow
    data = crowd(np.where(TIME > 545, -8.0, 0.0))
    kept = sensible(data, fitted(data, 575.0))
    assert anchors_of(kept) == list(APEXES)


def test_what_a_level_says_does_not_depend_on_the_level() -> None:
    for level in (0.0, 1e4):
        data = crowd(level)
        state = fitted(data)
        # a residual as large as the peak itself about its mean
        residual = state.solution.residual + 1.5 * bell(APEXES[4], 100.0)
        assert _senseless(data, replace(state, solution=replace(state.solution, residual=residual)), 4)
        assert not _senseless(data, state, 4)


def test_a_peak_that_the_baseline_takes_back_goes() -> None:
    """Large where the signal is level: nothing is left there, since the baseline makes room for it."""
    data = crowd()
    state = fitted(data, 80.0)
    amplitudes = state.solution.amplitudes.copy()
    amplitudes[1] = 20.0 * amplitudes[0]
    taken_back = replace(state, solution=replace(state.solution, amplitudes=amplitudes))
    again = sensible(data, taken_back)
    assert again is not None
    assert again.solution.amplitudes[again.peaks.index(again.peaks[1])] < 0.01 * amplitudes[0]


def test_sensible_peaks_stay_as_they_are() -> None:
    data = crowd()
    state = fitted(data)
    assert sensible(data, state) is state


@pytest.mark.parametrize(("height", "stays"), [(40.0, True), (0.0, False)])
def test_a_shoulder_is_a_peak_or_the_shape_of_its_neighbour(height: float, stays: bool) -> None:
    shape = Shape("laplace+tail", 2 * (10_540 / SIGMA) ** 2, 10_540.0)
    tailed = 100 * rows(shape, shape.coordinates, Sampling.of(TIME + 10_060))[0] * SIGMA * np.sqrt(2 * np.pi)
    base = tailed if not stays else bell(540.0, 100.0)
    data = crowd(base + bell(548.0, height))
    state = fitted(data, 540.0, 548.0)
    kept = without_shoulders(data, state, {548.0}, ONE_PART)
    assert (548.0 in anchors_of(kept)) is stays
    assert {*APEXES, 540.0} <= set(anchors_of(kept))


def test_the_highest_of_peaks_that_are_all_shoulders_stands_on_none() -> None:
    shape = Shape("laplace+tail", 2 * (10_540 / SIGMA) ** 2, 10_540.0)
    tailed = 100 * rows(shape, shape.coordinates, Sampling.of(TIME + 10_060))[0] * SIGMA * np.sqrt(2 * np.pi)
    data = crowd(tailed)
    state = fitted(data, 540.0, 548.0)
    kept = anchors_of(without_shoulders(data, state, set(anchors_of(state)), ONE_PART))
    assert set(kept) == {*APEXES, 540.0}


def test_only_some_peaks_choose_their_models() -> None:
    # all tail; only the third is asked
    tails = np.sum([bell(apex + 7, 20.0, 6.0) for apex in APEXES], axis=0)
    data = crowd(tails)
    chosen = choose(data, fitted(data), ONE_PART, {2})
    assert [place for place, peak in enumerate(chosen.peaks) if peak.model != "laplace"] == [2]


def chain(narrow: int, times: float) -> tuple[Task, list[float]]:
    """A chain of eight pairs on a line, one of them found so many times as wide as it is; and the true areas."""
    time, known = np.arange(130.0, 270.0, 0.2), Known(20.0)
    places, widths = 160.0 + 10.0 * np.arange(8), np.full(8, 2.5)
    areas = [100.0, 60.0, 180.0, 90.0, 120.0, 200.0, 70.0, 110.0]
    signal = 3.0 + 0.01 * time + 0.01 * np.random.default_rng(5).standard_normal(time.size)
    for area, at in zip(areas, places, strict=True):
        delay = at - known.hold_up
        rate = 2 * delay / 2.5**2
        signal += area * closed_form.impulse(time, known.hold_up, rate * delay, rate)
    widths[narrow] *= times
    found = tuple(Candidate(float(at), 10.0, float(wide), 1000.0) for at, wide in zip(places, widths, strict=True))
    return Task(0, time, signal, None, 0.01, 1.0, known, "auto", found), areas


def test_a_peak_of_a_crowd_may_be_as_wide_as_its_neighbours() -> None:
    """Found at 0.4 of its width it could grow to 0.88 of it only, and all around would bend to make up for that."""
    task, areas = chain(4, 0.4)
    (state,) = fit_windows([task])
    assert state is not None
    assert [peak.model for peak in state.peaks] == ["laplace"] * 8
    errors = [errors_of(task.whole, state, place)["area"] for place in range(8)]
    pulls = (state.solution.amplitudes / areas - 1) / errors
    assert (np.abs(pulls) < 4).all()


def test_only_a_bound_below_the_neighbours_gives_way() -> None:
    task, _ = chain(4, 0.4)
    start = [Peak("laplace", np.array([c.apex_time, np.log(c.sigma)]), c.apex_time, c.sigma) for c in task.candidates]
    state = solved(task.data, start, 2)
    assert state is not None
    peaks = freed(task.data, state)
    assert [new is old for new, old in zip(peaks, state.peaks, strict=True)] == [True] * 4 + [False] + [True] * 3
    assert peaks[4].sigma == pytest.approx(2.2 * 0.4 * 2.5)
    hump = replace(start[4], sigma=2.5, coordinates=np.array([start[4].anchor, np.log(2.2 * 2.5)]))
    assert freed(task.data, replace(state, peaks=(*state.peaks[:4], hump, *state.peaks[5:])))[4] is hump


def test_the_new_bounds_are_those_of_the_neighbours() -> None:
    task, _ = chain(4, 1.0)
    start = [Peak("laplace", np.array([c.apex_time, np.log(c.sigma)]), c.apex_time, c.sigma) for c in task.candidates]
    state = solved(task.data, start, 2)
    assert state is not None
    wide = replace(start[4], sigma=1.5, coordinates=np.array([start[4].anchor, np.log(2.2 * 1.5)]))
    peaks = freed(task.data, replace(state, peaks=(*state.peaks[:4], wide, *state.peaks[5:])))
    assert peaks[4].sigma == pytest.approx(2.5, rel=0.01)
