"""Long windows searched again in blocks: what a block finds comes to the window, and good windows stay as they are."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting import blocks, rounds
from gcfit.fitting.blocks import in_blocks
from gcfit.fitting.records import FitSettings
from gcfit.fitting.states import Peak, State, solved
from gcfit.fitting.task import Task, WindowMap
from gcfit.fitting.window_result import WindowResult
from tests.fitting.shapes import gaussian, white

TIME = np.arange(0.0, 400.0, 0.25)
APEXES = np.arange(100.0, 300.0, 9.0)  # at a resolution of 1.1
HEIGHTS = np.tile([100.0, 40.0, 70.0], 8)[: APEXES.size]


def crowd() -> Array:
    peaks = sum(gaussian(TIME, *one) for one in zip(APEXES, 2.0 + 0 * APEXES, HEIGHTS, strict=True))
    return peaks + 5 + 0.02 * TIME + 0.05 * white(1, TIME.size)


@pytest.fixture(scope="module")
def window() -> WindowResult:
    """The crowd as it is fitted before it is searched in blocks."""
    seen: list[WindowResult] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounds, "in_blocks", lambda results, map_: seen.extend(results) or list(results))
        gcfit.fit(Chromatogram(TIME, crowd()), settings=FitSettings(hold_up=10.0))
    (result,) = seen
    return result


def with_peaks(result: WindowResult, peaks: Sequence[Peak]) -> WindowResult:
    assert result.state is not None
    state = solved(result.task.whole, peaks, result.state.base_order)
    assert state is not None
    return WindowResult(result.task, state)


def test_a_window_that_is_described_well_stays(window: WindowResult) -> None:
    assert window.state is not None
    assert len(window.state.peaks) == APEXES.size
    assert in_blocks([window], map)[0] is window


@pytest.mark.parametrize("lost", [(5,), (0, 11), (3, 4, 17)])
def test_peaks_that_a_window_lost_come_back(window: WindowResult, lost: tuple[int, ...]) -> None:
    assert window.state is not None
    spoilt = with_peaks(window, [peak for k, peak in enumerate(window.state.peaks) if k not in lost])
    assert spoilt.state is not None
    assert spoilt.state.solution.rss > 100 * window.state.solution.rss
    (mended,) = in_blocks([spoilt], map)
    assert mended.state is not None
    assert [peak.anchor for peak in mended.state.peaks] == [peak.anchor for peak in window.state.peaks]
    assert mended.state.solution.rss < 1.01 * window.state.solution.rss
    areas = mended.state.solution.amplitudes
    assert areas == pytest.approx(HEIGHTS * 2.0 * np.sqrt(2 * np.pi), rel=0.02)


def test_models_that_were_asked_for_are_not_searched_again(window: WindowResult) -> None:
    assert window.state is not None
    spoilt = with_peaks(window, window.state.peaks[1:])
    asked = WindowResult(replace(spoilt.task, model="laplace"), spoilt.state)
    assert in_blocks([spoilt], map)[0] is not spoilt
    assert in_blocks([asked], map)[0] is asked


def test_blocks_of_which_one_misleads_the_window_count_one_by_one(
    window: WindowResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert window.state is not None
    spoilt = with_peaks(window, [peak for k, peak in enumerate(window.state.peaks) if k not in (3, 17)])
    searched, groups = blocks.searched, []

    def astray(tasks: Sequence[Task], map_: WindowMap) -> list[State | None]:
        groups.append(len(tasks))
        first, *others = searched(tasks, map_)
        assert first is not None
        return [replace(first, peaks=first.peaks[-1:]), *others]

    monkeypatch.setattr(blocks, "searched", astray)
    monkeypatch.setattr(blocks, "SIZES", blocks.SIZES[:1])
    (mended,) = in_blocks([spoilt], map)
    assert groups == [2]
    assert mended.state is not None
    assert len(mended.state.peaks) == APEXES.size - 1
