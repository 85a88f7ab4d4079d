"""Windows cut where the trace rests: a peak beside a disturbance, and windows that are described well."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.special import erf

import gcfit
from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting import resting, rounds
from gcfit.fitting.parting import Piece
from gcfit.fitting.records import FitSettings, PeakFit
from gcfit.fitting.resting import _floats, at_rests
from gcfit.fitting.states import State
from gcfit.fitting.task import Task, WindowMap
from gcfit.fitting.window_result import WindowResult
from tests.fitting.population import HOLD_UP, draw
from tests.fitting.shapes import gaussian, white
from tests.realdata import real_data_folder

TIME = np.arange(0.0, 80.0, 0.2)
PEAK = 40.0, 1.7, 2.0  # apex [s], σ [s], height
AREA = PEAK[1] * PEAK[2] * np.sqrt(2 * np.pi)


def switched(end: float) -> Array:
    """What a valve leaves: a fall that breaks off, as no peak's flank does."""
    fall = 10 + 30 * np.exp(-TIME / 8)
    return np.where(end > TIME, fall, 0.0) * np.minimum(1.0, np.abs(end - TIME) / 1.5)


def run(peak: tuple[float, float, float] = PEAK, end: float = 25.0) -> Chromatogram:
    return Chromatogram(TIME, 5.0 + switched(end) + gaussian(TIME, *peak) + 0.004 * white(3, TIME.size))


def fitted(chromatogram: Chromatogram, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Piece], tuple[PeakFit, ...]]:
    """The windows before they are cut, and the peaks where they are not."""
    seen: list[Piece] = []
    monkeypatch.setattr(rounds, "at_rests", lambda pieces, map_: seen.extend(pieces) or list(pieces))
    monkeypatch.setattr(rounds, "rescued", lambda pieces, again, fit: list(pieces))
    return seen, gcfit.fit(chromatogram, settings=FitSettings(hold_up=1.0)).peaks


def test_a_peak_beside_a_disturbance_is_found_where_the_trace_rests_between_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    windows, before = fitted(run(), monkeypatch)
    assert len(windows) == 1
    assert not before  # the window reaches over the disturbance, and no baseline does
    monkeypatch.undo()
    (peak,) = gcfit.fit(run(), settings=FitSettings(hold_up=1.0)).peaks
    assert peak.area_se is not None
    assert peak.area == pytest.approx(AREA, abs=4 * peak.area_se)
    assert peak.retention_time_s == pytest.approx(PEAK[0], abs=0.02)
    assert peak.window_start_s is not None
    assert peak.window_start_s > 25.0


def test_where_the_trace_does_not_rest_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    (window,), _ = fitted(run((40.0, 2.5, 2.0), end=30.0), monkeypatch)
    assert at_rests([window], map) == [window]


def test_a_window_that_is_described_well_is_not_fitted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    good = Chromatogram(TIME, 5.0 + gaussian(TIME, *PEAK) + 0.004 * white(3, TIME.size))
    (window,), peaks = fitted(good, monkeypatch)
    assert len(peaks) == 1

    def refuse(tasks: Sequence[Task], map_: WindowMap) -> list[State | None]:
        assert not tasks
        return []

    monkeypatch.setattr(resting, "searched", refuse)
    assert at_rests([window], map) == [window]


def test_crowds_and_what_was_asked_for_keep_their_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    (window,), _ = fitted(run(), monkeypatch)
    assert at_rests([window], map) != [window]
    for change in ({"model": "laplace"}, {"rigid": True}, {"candidates": 5 * window.result.task.candidates}):
        asked = replace(window, result=replace(window.result, task=replace(window.result.task, **change)))  # type: ignore[arg-type]
        assert at_rests([asked], map) == [asked]


def test_parts_that_leave_no_less_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    good = Chromatogram(TIME, 5.0 + gaussian(TIME, *PEAK) + 0.004 * white(3, TIME.size))
    (window,), _ = fitted(good, monkeypatch)
    monkeypatch.setattr(WindowResult, "poor", property(lambda result: [True]))
    assert at_rests([window], map) == [window]
    monkeypatch.setattr(resting, "LESS", 2.0)
    assert at_rests([window], map) != [window]


def test_a_well_described_peak_is_not_given_up_with_a_part_that_has_no_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Chromatogram(TIME, run(end=0.0).signal + gaussian(TIME, 58.0, *PEAK[1:]))
    (window,), peaks = fitted(pair, monkeypatch)
    assert len(peaks) == 2
    searched = resting.searched
    monkeypatch.setattr(resting, "searched", lambda tasks, map_: [None, *searched(tasks[1:], map_)])
    monkeypatch.setattr(resting, "LESS", 2.0)
    monkeypatch.setattr(WindowResult, "poor", property(lambda result: [False, True]))
    assert at_rests([window], map) == [window]
    monkeypatch.setattr(WindowResult, "poor", property(lambda result: [True, True]))
    empty, other = at_rests([window], map)
    assert empty.result.state is None
    assert other.result.state is not None


def test_a_candidate_just_outside_its_window_stays_with_the_part_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    (window,), _ = fitted(run(), monkeypatch)
    task = window.result.task
    (peak,) = (one for one in task.candidates if one.apex_time == pytest.approx(PEAK[0], abs=1))
    outside = replace(peak, apex_time=float(task.time[-1]) + 0.1)
    both = replace(task, candidates=(peak, outside))
    whole = replace(window, result=replace(window.result, task=both))
    assert [part.task.candidates for part in resting._parts(whole, False)] == [(peak,), (outside,)]


def test_a_well_described_peak_just_outside_its_window_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Chromatogram(TIME, run(end=0.0).signal + gaussian(TIME, 58.0, *PEAK[1:]))
    (window,), _ = fitted(pair, monkeypatch)
    task, state = window.result.task, window.result.state
    assert state is not None
    outside = replace(state.peaks[1], anchor=float(task.time[-1]) + 0.1)
    moved = replace(window, result=replace(window.result, state=replace(state, peaks=(state.peaks[0], outside))))
    searched = resting.searched
    monkeypatch.setattr(resting, "searched", lambda tasks, map_: [*searched(tasks[:1], map_), None])
    monkeypatch.setattr(resting, "LESS", 2.0)
    monkeypatch.setattr(WindowResult, "poor", property(lambda result: [True, False]))
    assert at_rests([moved], map) == [moved]
    monkeypatch.setattr(WindowResult, "poor", property(lambda result: [True, True]))
    assert at_rests([moved], map) != [moved]


SAW = np.where(TIME < 40.0, 40.0 * np.exp((TIME - 40.0) / 8), 0.0)  # rises slowly and breaks off, as no peak does


def beside_a_saw(behind: float, sigma: float, height: float) -> tuple[Chromatogram, float]:
    """A Gaussian so far [s] behind a saw whose shape takes several peaks and a baseline that cancels them; its area."""
    signal = 5.0 + SAW + gaussian(TIME, 40.0 + behind, sigma, height) + 0.02 * white(3, TIME.size)
    return Chromatogram(TIME, signal), sigma * height * np.sqrt(2 * np.pi)


@cache
def spoilt_by_a_saw() -> tuple[Piece, tuple[PeakFit, ...]]:
    """The window of such a Gaussian before it is cut, and its peaks where it is not."""
    with pytest.MonkeyPatch.context() as patch:
        (window,), before = fitted(beside_a_saw(6.0, 1.0, 15.0)[0], patch)
    return window, before


def test_a_baseline_far_from_where_the_trace_rests_is_none() -> None:
    behind = 6.0
    chromatogram, area = beside_a_saw(behind, 1.0, 15.0)
    _, before = spoilt_by_a_saw()
    spoilt = min(before, key=lambda one: abs((one.retention_time_s or 0.0) - 40.0 - behind))
    assert (spoilt.area or 0.0) > 1.3 * area
    assert (spoilt.r_squared or 0.0) > 0.999
    peaks = gcfit.fit(chromatogram, settings=FitSettings(hold_up=1.0)).peaks
    own = min(peaks, key=lambda one: abs((one.retention_time_s or 0.0) - 40.0 - behind))
    assert own.status == "ok"
    assert own.area == pytest.approx(area, rel=3e-3)


def above_nothing(signal: Array) -> WindowResult:
    """A window above a baseline of nothing."""
    (window,) = planned(Chromatogram(TIME, signal + 0.004 * white(3, TIME.size)))
    state = window.result.state
    assert state is not None
    solution = replace(state.solution, base_coefficients=np.zeros_like(state.solution.base_coefficients))
    return replace(window.result, state=replace(state, solution=solution))


def planned(chromatogram: Chromatogram) -> list[Piece]:
    with pytest.MonkeyPatch.context() as patch:
        return fitted(chromatogram, patch)[0]


def test_a_baseline_floats_where_the_trace_neither_falls_nor_stands_on_another_peak() -> None:
    narrow, behind = gaussian(TIME, 45.0, 0.8, 10.0), np.maximum(TIME - 45, 0.0)
    assert _floats(above_nothing(narrow + np.where(TIME > 45, 2.0, 0.0)))
    assert not _floats(above_nothing(narrow + np.where(TIME > 45, 2.0 * np.exp(-0.08 * behind), 0.0)))
    # the top of a wide one
    assert not _floats(above_nothing(narrow + gaussian(TIME, 32.0, 10.0, 0.5)))


@pytest.mark.parametrize("seed", [206, 227, 291])
def test_a_tail_like_a_shelf_stays_with_the_peak_whose_model_describes_it(seed: int) -> None:
    # overloaded, with a rare slow site: a third of the area stands in the peak, the rest in a level stretch behind it
    case = draw("laplace+site+load", 0.0, seed)
    (peak,) = gcfit.fit(case.chromatogram, settings=FitSettings(hold_up=HOLD_UP)).peaks
    assert (peak.status, peak.model) == ("ok", case.model)
    assert peak.area == pytest.approx(case.truth[1], rel=0.015)


def test_the_level_top_of_a_long_injection_is_no_rest() -> None:
    time, lasted, sigma = np.arange(0.0, 300.0, 0.2), 40.0, 2.0

    def plateau(begin: float, height: float) -> Array:
        edges = [(time - edge) / sigma / np.sqrt(2) for edge in (begin, begin + lasted)]
        return height / 2 * (erf(edges[0]) - erf(edges[1]))

    signal = 5.0 + plateau(100.0, 50.0) + plateau(160.0, 20.0) + 0.05 * white(5, time.size)
    settings = FitSettings(hold_up=20.0, injection=lasted)
    peaks = gcfit.fit(Chromatogram(time, signal), settings=settings).peaks
    areas = [one.area for one in peaks if one.status != "not determined"]
    assert areas == pytest.approx([50 * lasted, 20 * lasted], rel=1e-3)


def test_parts_that_float_too_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    window, _ = spoilt_by_a_saw()
    assert at_rests([window], map) != [window]
    monkeypatch.setattr(resting, "_floats", lambda result: True)
    assert at_rests([window], map) == [window]


def test_parts_higher_than_what_is_seen_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    window, _ = spoilt_by_a_saw()
    monkeypatch.setattr(resting, "BEYOND", 0.5)
    assert at_rests([window], map) == [window]


def test_without_a_peak_nothing_is_cut_for_a_baseline_that_floats(monkeypatch: pytest.MonkeyPatch) -> None:
    window, _ = spoilt_by_a_saw()
    monkeypatch.setattr(resting, "searched", lambda tasks, map_: [None for _ in tasks])
    assert at_rests([window], map) == [window]


@pytest.mark.real_data
@pytest.mark.slow
def test_a_measured_hump_behind_a_valve_is_a_window_of_its_own() -> None:
    run = gcfit.read(real_data_folder() / "chromhandler" / "001F0101.D", trace="FID1A")
    peaks = gcfit.fit(run, settings=FitSettings(start=185.0, end=222.0)).peaks
    hump = next(peak for peak in peaks if peak.retention_time_s and 202 < peak.retention_time_s < 205)
    assert hump.window_start_s is not None
    assert 192 < hump.window_start_s < 200  # the trace is level from 195 to 200 s
    assert hump.r_squared is not None
    assert hump.r_squared > 0.995
