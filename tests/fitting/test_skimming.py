"""Badly described peaks between valleys, fitted by themselves; and when they stay in their window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting import rounds, skimming
from gcfit.fitting.detect import Candidate
from gcfit.fitting.parting import Piece
from gcfit.fitting.records import Fit, FitSettings, PeakFit
from gcfit.fitting.skimming import Again, _kept, skimmed
from gcfit.fitting.states import State
from gcfit.fitting.task import Task
from gcfit.fitting.window_result import WindowResult
from tests.fitting.shapes import gaussian, solvent, white
from tests.realdata import real_data_folder

TIME = np.arange(0.0, 80.0, 0.2)
SAW = 40.0  # s, where it breaks off
PEAK = 43.75, 1.5, 40.0  # apex [s], σ [s], height
AREA = PEAK[1] * PEAK[2] * np.sqrt(2 * np.pi)
FitAll = Callable[[list[Task]], list[Piece]]


def saw(height: float = 40.0) -> Array:
    """What rises slowly and breaks off, as no peak does."""
    return np.where(SAW > TIME, height * np.exp((TIME - SAW) / 8), 0.0)


def run(*peaks: tuple[float, float, float], height: float = 40.0) -> Chromatogram:
    signal = 5.0 + saw(height) + sum(gaussian(TIME, *peak) for peak in (PEAK, *peaks))
    return Chromatogram(TIME, signal + 0.02 * white(3, TIME.size))


def fitted(chromatogram: Chromatogram, **settings: Any) -> Fit:
    return gcfit.fit(chromatogram, settings=FitSettings(hold_up=1.0, **settings))


def nearest(fit: Fit, time: float) -> PeakFit:
    return min(
        (peak for peak in fit.peaks if peak.retention_time_s is not None),
        key=lambda peak: abs((peak.retention_time_s or 0.0) - time),
    )


@dataclass
class Seen:
    """What is handed to `skimmed`."""

    pieces: Sequence[Piece]
    again: Again
    fit: FitAll


def seen(chromatogram: Chromatogram, **settings: Any) -> tuple[Seen, Fit]:
    """What is handed to `skimmed` in a run, and the fit where it skims nothing."""
    calls: list[Seen] = []

    def keep(pieces: Sequence[Piece], again: Again, fit: FitAll) -> list[Piece]:
        calls.append(Seen(pieces, again, fit))
        return list(pieces)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounds, "skimmed", keep)
        before = fitted(chromatogram, **settings)
    (call,) = calls
    return call, before


@cache
def usual() -> tuple[Seen, Fit]:
    return seen(run())


def test_a_peak_behind_what_no_model_describes() -> None:
    _, before = usual()
    spoilt = nearest(before, PEAK[0])
    assert spoilt.status == "poor fit"
    assert abs((spoilt.area or 0.0) / AREA - 1) > 0.3
    own = nearest(fitted(run()), PEAK[0])
    assert own.status == "ok"
    assert own.r_squared is not None
    assert own.r_squared > 0.9999
    assert own.area == pytest.approx(AREA, rel=2e-3)
    assert own.retention_time_s == pytest.approx(PEAK[0], abs=0.02)


@pytest.mark.parametrize(("behind", "sigma"), [(2.5, 1.0), (6.0, 1.0)])
def test_nothing_is_taken_for_the_tail_of_what_no_model_describes(behind: float, sigma: float) -> None:
    time, height = SAW + behind, PEAK[2]
    signal = 5.0 + saw() + gaussian(TIME, time, sigma, height) + 0.02 * white(3, TIME.size)
    own = nearest(fitted(Chromatogram(TIME, signal)), time)
    assert own.area == pytest.approx(height * sigma * np.sqrt(2 * np.pi), rel=2e-3)


def test_the_tail_of_a_giant_is_not_taken_out_where_it_was_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    time = np.arange(0.0, 140.0, 0.2)
    seeping = np.where(time > 72.0, 0.1 * np.exp(-(time - 72.0) / 8), 0.0)
    signal = 5.0 + solvent(time, 1000.0, 72.0, 0.3) + seeping + gaussian(time, 84.0, 1.7, 1.0)
    run = Chromatogram(time, signal + 0.004 * white(3, time.size))
    area = 1.7 * np.sqrt(2 * np.pi)
    own = nearest(fitted(run), 84.0)
    assert own.area == pytest.approx(area, rel=0.01)
    monkeypatch.setattr(skimming, "_straightens", lambda *_: True)
    wrong = nearest(fitted(run), 84.0).area
    assert wrong is not None
    assert wrong > 1.3 * area  # or there is nothing to show


def test_the_rest_of_the_window_stays_as_it_was() -> None:
    chromatogram = run(height=60.0)
    _, before = seen(chromatogram)
    after = fitted(chromatogram)
    was, now = nearest(before, SAW), nearest(after, SAW)
    assert now.window_end_s != was.window_end_s
    assert now.area == pytest.approx(was.area, rel=1e-4)
    assert now.retention_time_s == pytest.approx(was.retention_time_s, abs=1e-3)


def test_between_higher_ones_no_baseline_is_seen() -> None:
    time = np.arange(0.0, 600.0, 0.2)
    run = Chromatogram(time, white(2, time.size) + 20 * np.sin(2 * np.pi * time / 300))
    call, before = seen(run)
    known = {one.area for one in before.peaks}
    new = [one for one in skimmed(call.pieces, call.again, call.fit) if one not in call.pieces]
    assert any(one.result.task.hemmed for one in new)
    after = fitted(run).peaks
    own = [one for one in after if one.area not in known and "line between its valleys" in one.message]
    assert [one.status for one in own] == ["merged"]
    # what is left of the window says what it said
    assert {one.status for one in after} & {"ok"} == set()


def test_a_window_that_is_described_well_is_not_looked_at_again() -> None:
    call, _ = seen(run(height=0.0))

    def refuse(points: slice, signal: Array, known: Sequence[Candidate]) -> list[Task]:
        raise AssertionError(points)

    assert skimmed(call.pieces, refuse, call.fit) == list(call.pieces)


def test_what_describes_it_better_is_kept() -> None:
    call, _ = usual()
    (window,) = call.pieces
    assert any(window.result.poor)
    assert len(skimmed(call.pieces, call.again, call.fit)) == 2


def spoilt(state: State) -> State:
    """A state that leaves less than it did in the window, and describes its peaks badly still."""
    left = 0.2 * float(np.ptp(state.solution.total)) * np.sin(np.arange(state.solution.residual.size) / 3)
    return replace(state, solution=replace(state.solution, residual=left))


def emptied(state: State) -> State:
    """A state without any of its peaks."""
    none = replace(state.solution, amplitudes=state.solution.amplitudes[:0], curves=())
    return replace(state, peaks=(), solution=none)


def much(state: State) -> State:
    """A state that leaves as much as before."""
    return replace(state, solution=replace(state.solution, rss=1e9))


@pytest.mark.parametrize("worse", [spoilt, emptied, much])
def test_what_describes_it_no_better_is_not_kept(worse: Callable[[State], State]) -> None:
    call, _ = usual()

    def astray(tasks: list[Task]) -> list[Piece]:
        return [
            replace(one, result=replace(one.result, state=one.result.state and worse(one.result.state)))
            for one in call.fit(tasks)
        ]

    assert skimmed(call.pieces, call.again, astray) == list(call.pieces)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hollow_peaks", lambda *_: [True]),
        ("errors_of", lambda *_: {"area": 0.5}),
        ("errors_of", lambda *_: {}),
        ("OVER_LINE", 2.0),
        ("BEYOND", 0.5),
    ],
)
def test_areas_that_the_data_do_not_tell_are_not_kept(
    name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, _ = usual()
    monkeypatch.setattr(skimming, name, value)
    assert skimmed(call.pieces, call.again, call.fit) == list(call.pieces)


@pytest.mark.parametrize(("factor", "kept"), [(1.0, True), (0.85, True), (0.5, False), (2.0, False)])
def test_a_well_described_peak_keeps_its_area(factor: float, kept: bool) -> None:
    call, _ = usual()
    (window,) = call.pieces
    task, state = window.result.task, window.result.state
    assert state is not None
    peak, area = state.peaks[-1], float(state.solution.amplitudes[-1])
    assert _kept(peak, factor * area, [(task, state)]) is kept
    elsewhere = replace(peak, anchor=peak.anchor + 2 * peak.sigma)
    assert not _kept(elsewhere, area, [(task, state)])


def test_no_well_described_peak_is_given_up_for_a_bad_one(monkeypatch: pytest.MonkeyPatch) -> None:
    call, _ = usual()
    (window,) = call.pieces
    whole = window.result
    monkeypatch.setattr(
        WindowResult, "poor", property(lambda one: [True, False] if one is whole else [False] * len(one.state.peaks))
    )
    for name, value in (("VALLEY", 9.0), ("LESS", np.inf), ("made_up", lambda part: False), ("KEPT", 1.01)):
        monkeypatch.setattr(skimming, name, value)
    assert skimmed(call.pieces, call.again, call.fit) == [window]
    monkeypatch.setattr(skimming, "KEPT", 1e-9)
    assert skimmed(call.pieces, call.again, call.fit) != [window]


@pytest.mark.parametrize("apexes", [(30.0, 30.0), (30.0, 30.2), (30.0, 30.4)])
def test_peaks_that_no_valley_parts_are_cut_apart_without_a_point_in_common(apexes: tuple[float, float]) -> None:
    tops = [round(apex / 0.2) for apex in apexes]
    signal = gaussian(TIME, 30.0, 2.0, 10.0)
    cut, depth = skimming.lowest_between(signal, *tops)
    assert depth == 0.0
    assert tops[0] < cut <= tops[1] + (tops[0] == tops[1])


@pytest.mark.real_data
@pytest.mark.slow
def test_a_measured_peak_on_the_tail_of_its_solvent() -> None:
    trace, part = gcfit.read(real_data_folder() / "lcqc" / "exgc_shim1.txt"), {"start": 199.1, "end": 234.8}
    _, before = seen(trace, **part)
    spoilt, own = nearest(before, 215.0), nearest(fitted(trace, **part), 215.0)
    assert spoilt.r_squared is not None
    assert spoilt.r_squared < 0.985
    assert own.r_squared is not None
    assert own.r_squared > 0.998
    assert own.area == pytest.approx(1_166_762.0, rel=0.03)  # the vendor's
