"""Small peaks beside high ones that no model describes: their areas, and what lies below, are those put in."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Array, Chromatogram
from gcfit.column import closed_form
from gcfit.fitting import parting
from gcfit.fitting.models import Known
from gcfit.fitting.records import FitSettings, PeakFit
from gcfit.fitting.states import State
from gcfit.fitting.task import Task, WindowsFit, part_of

TIME = np.arange(0.0, 400.0, 0.25)
HIGH, LEVEL, SIGMA = 2e5, 5.0, 2.0
AREA = np.sqrt(2 * np.pi) * SIGMA


def blunt(apex: float) -> Array:
    """A high peak with a flat top and steep flanks, as none of the models is."""
    z = np.abs(TIME - apex)
    return HIGH * np.exp(-0.5 * np.where(apex > TIME, z / 2, z / 2.3) ** np.where(apex > TIME, 2.4, 1.9))


def small(apex: float, height: float, sigma: float = SIGMA) -> Array:
    return height * np.exp(-0.5 * ((TIME - apex) / sigma) ** 2)


def run(*parts: Array, slope: float = 0.0) -> Chromatogram:
    noise = 0.36 * np.random.default_rng(1).standard_normal(TIME.size)
    return Chromatogram(TIME, sum(parts, LEVEL + slope * TIME + noise))


def between_high_ones() -> Chromatogram:
    return run(blunt(150), small(166, 120), small(178, 90), small(186, 200), blunt(202), slope=0.2)


def low(peaks: Sequence[PeakFit]) -> list[PeakFit]:
    return [peak for peak in peaks if (peak.height or 0.0) < 0.01 * HIGH]


def test_small_peaks_have_the_areas_put_in() -> None:
    found = low(gcfit.fit(between_high_ones()).peaks)
    assert [peak.retention_time_s for peak in found] == pytest.approx([166, 178, 186], abs=0.3)
    # the first stands on the foot of the high one, whose shape is not known to a thousandth
    assert [peak.area for peak in found[1:]] == pytest.approx([90 * AREA, 200 * AREA], rel=0.05)
    assert all((peak.r_squared or 0.0) > 0.995 for peak in found)


def test_the_baseline_leads_through_below_a_high_peak() -> None:
    lows = [small(apex, 150) for apex in (122, 130, 172, 180)]
    found = gcfit.fit(run(blunt(100), blunt(150), blunt(200), *lows, slope=0.2))
    assert len(low(found.peaks)) == 4
    high = [peak for peak in found.peaks if (peak.height or 0.0) > 0.5 * HIGH]
    assert [peak.retention_time_s for peak in high] == pytest.approx([100, 150, 200], abs=1.0)
    assert all((peak.r_squared or 0.0) > 0.999 for peak in high)
    assert found.baseline[TIME == 150.0] == pytest.approx(LEVEL + 0.2 * 150, abs=3.0)


def test_a_baseline_that_sags_below_high_peaks_is_no_straight_line() -> None:
    """A straight one from the small peaks before to those behind takes an eighth of the lowest of them."""
    sag = -800 * np.sin(np.pi * np.clip((TIME - 120) / 140, 0, 1)) ** 2
    high = [0.97 * small(apex, HIGH) + 0.03 * blunt(apex) for apex in (134, 178, 200, 222, 244)]
    lows = [small(apex, 150) for apex in (100, 112, 266, 278)]
    found = gcfit.fit(run(*high, small(156, HIGH / 30), *lows, sag)).peaks
    (lowest,) = (peak for peak in found if 1e3 < (peak.height or 0.0) < 1e4)
    assert lowest.area == pytest.approx(HIGH / 30 * AREA, rel=0.01)
    assert (lowest.r_squared or 0.0) > 0.9995


def test_small_peaks_within_small_ones() -> None:
    """Three sizes, each a fiftieth of the one before and less."""
    bump = blunt(230) / 60
    trace = run(blunt(150), bump, small(247, 25), small(256, 25), np.roll(bump, 160))
    found = gcfit.fit(trace).peaks
    least = [peak for peak in found if (peak.height or 0.0) < 100]
    assert [peak.retention_time_s for peak in least] == pytest.approx([247, 256], abs=0.5)
    assert [peak.area for peak in least] == pytest.approx([25 * AREA] * 2, rel=0.2)


def test_nothing_is_cut_where_only_noise_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def law(mean: float, sigma: float) -> Array:
        rate = 2 * (mean - 20) / sigma**2
        return np.asarray(closed_form.impulse(TIME, 20.0, rate * (mean - 20), rate))

    trace = run(2e5 * law(150, 3), 600 * law(168, 3), 400 * law(132, 3))
    monkeypatch.setattr(parting, "valley", lambda *_: pytest.fail("a window was cut"))
    spans = parting._spans
    monkeypatch.setattr(parting, "_spans", lambda task, state: spans(task, state) if drowned(task, state) else [])
    found = gcfit.fit(trace, settings=FitSettings(hold_up=20.0)).peaks
    assert [peak.area for peak in found] == pytest.approx([400, 2e5, 600], rel=0.02)


def drowned(task: Task, state: State) -> bool:
    return any(parting._drowned(task, state, candidate) for candidate in task.candidates)


def test_what_is_fitted_at_once_stays_in_one_window() -> None:
    found = gcfit.fit(between_high_ones(), settings=FitSettings(strategy="simultaneous", model="laplace")).peaks
    assert {(peak.window_start_s, peak.window_end_s) for peak in found} == {(TIME[0], TIME[-1])}
    apart = gcfit.fit(between_high_ones(), settings=FitSettings(model="laplace")).peaks
    assert len({peak.window_start_s for peak in apart}) == 3


def test_the_parts_do_not_depend_on_how_windows_are_mapped() -> None:
    def one_by_one(function: WindowsFit, groups: list[list[Task]]) -> list[list[State | None]]:
        return [[state for task in group for state in function([task])] for group in groups]

    ways = [gcfit.fit(between_high_ones(), map_=map_) for map_ in (map, one_by_one)]
    assert [peak.area for peak in ways[0].peaks] == [peak.area for peak in ways[1].peaks]
    np.testing.assert_array_equal(ways[0].baseline, ways[1].baseline)


def test_a_part_whose_top_is_cut_off() -> None:
    lows = [small(apex, 150) for apex in (125, 133, 167, 175)]
    whole = run(blunt(100), blunt(150), blunt(200), *lows, slope=0.2)
    found = gcfit.fit(Chromatogram(TIME, np.minimum(whole.signal, 0.8 * HIGH))).peaks
    high = [peak for peak in found if (peak.height or 0.0) > 0.5 * HIGH]
    assert [peak.status for peak in high] == ["saturated"] * 3
    assert len(low(found)) >= 4


def test_a_part_has_the_noise_that_is_there() -> None:
    louder = np.where(TIME < 300, 1.0, 4.0)
    task = Task(10, TIME, TIME, None, 0.5, 1.0, Known(0.0, 0.0, None), "auto", (), louder=louder)
    first, last = (part_of(task, points, (), 2) for points in (slice(0, 1000), slice(1250, 1600)))
    assert (first.first, last.first) == (10, 1260)
    assert (first.deviation, last.deviation) == (0.5, 2.0)
    assert (part_of(last, slice(0, 10), (), 2).time == TIME[1250:1260]).all()
    assert part_of(replace(task, louder=None), slice(1250, 1600), (), 2).deviation == 0.5
