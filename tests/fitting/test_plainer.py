"""Areas that are vague because of additions or bends that the data do not ask for."""

import numpy as np
import pytest

from gcfit.chromatogram import Array
from gcfit.fitting import plainer as module
from gcfit.fitting.certainty import errors_of
from gcfit.fitting.models import Known
from gcfit.fitting.plainer import LOOSE, plainer
from gcfit.fitting.registry import MODELS
from gcfit.fitting.states import Peak, State, solved
from gcfit.fitting.task import Task
from gcfit.fitting.window_result import WindowResult

TIME = np.arange(0.0, 300.0, 0.5)
SIGMA, NOISE = 4.0, 0.3
PEAKS = ((100.0, 100.0), (109.0, 60.0), (150.0, 80.0))  # apex, height
AREAS = np.array([height * SIGMA * np.sqrt(2 * np.pi) for _, height in PEAKS])
STARTS = {
    "log_sigma": np.log(SIGMA),
    "log_site_delay": np.log(0.4),
    "log_site_time": np.log(8.0),
    "log_tail": 0.0,
    "loading": -1.0,
}


def bells() -> Array:
    return np.sum([height * np.exp(-0.5 * ((TIME - apex) / SIGMA) ** 2) for apex, height in PEAKS], axis=0)


def ended(signal: Array, seed: int, models: tuple[str, ...], base_order: int, asked: str = "auto") -> WindowResult:
    """A window in whose signal the peaks have these models."""
    noisy = signal + NOISE * np.random.default_rng(seed).standard_normal(TIME.size)
    task = Task(0, TIME, noisy, None, NOISE, 1.0, Known(-1e4), asked, ())
    peaks = []
    for (apex, _), model in zip(PEAKS, models, strict=False):
        values = STARTS | {"retention": apex}
        peaks.append(Peak(model, np.array([values[name] for name in MODELS[model].parameters]), apex, SIGMA))
    state = solved(task.whole, peaks, base_order)
    return WindowResult(task, state)


def state_of(result: WindowResult) -> State:
    assert result.state is not None
    return result.state


def vaguest(result: WindowResult) -> float:
    state = state_of(result)
    return max(errors_of(result.task.whole, state, place).get("area", np.inf) for place in range(len(state.peaks)))


@pytest.mark.parametrize("seed", [1, 2])
def test_an_addition_that_only_blurs_the_areas_goes(seed: int) -> None:
    """Two Gaussians 2.2 σ apart, described with sites and a loading: before, their areas could be anything."""
    before = ended(3 + 0.01 * TIME + bells(), seed, ("laplace+site+load", "laplace+site", "laplace"), 4)
    after = plainer(before)
    assert vaguest(before) > LOOSE
    assert vaguest(after) < LOOSE / 4
    state = state_of(after)
    np.testing.assert_allclose(state.solution.amplitudes, AREAS, rtol=0.05)
    # it describes the data as well, with less
    assert state.solution.rss < 1.02 * state_of(before).solution.rss
    assert state.solution.columns < state_of(before).solution.columns


def test_a_bend_that_only_blurs_the_areas_goes() -> None:
    """A hump as wide as the window: a baseline of order 11 could be all of it."""
    hump = 20 * np.exp(-0.5 * ((TIME - 150) / 60) ** 2)
    task = Task(0, TIME, 3 + hump + NOISE * np.random.default_rng(1).standard_normal(TIME.size), None, NOISE, 1.0,
                Known(-1e5), "auto", ())  # fmt: skip
    peak = Peak("laplace", np.array([150.0, np.log(60.0)]), 150.0, 60.0)
    before = WindowResult(task, solved(task.whole, [peak], 11))
    after = plainer(before)
    assert vaguest(before) > LOOSE
    assert vaguest(after) < LOOSE
    assert state_of(after).base_order < 11


def test_what_the_data_ask_for_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow tail, though every area counts as vague and every change as a gain."""
    monkeypatch.setattr(module, "LOOSE", 0.0)
    monkeypatch.setattr(module, "GAIN", -np.inf)
    late = np.clip(TIME - 100.0, 0, None)
    tail = 30 * (1 - np.exp(-late / 4)) * np.exp(-late / 60)
    alone = 100 * np.exp(-0.5 * ((TIME - 100.0) / SIGMA) ** 2)
    before = ended(3 + 0.1 * TIME + alone + tail, 1, ("laplace+site",), 2)
    assert plainer(before) is before


def test_what_would_describe_more_peaks_badly_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ended(3 + 0.1 * TIME + bells(), 1, ("laplace+site", "laplace+tail", "laplace"), 2)
    assert [peak.model for peak in state_of(plainer(before)).peaks] == ["laplace", "laplace+tail", "laplace"]
    # as if every addition were needed
    monkeypatch.setattr(module, "poorly_described", lambda _, state: [peak.model == "laplace" for peak in state.peaks])
    assert plainer(before) is before


@pytest.mark.parametrize("asked", ["laplace+site", "laplace"])
def test_a_model_that_was_asked_for_stays(asked: str) -> None:
    before = ended(bells(), 1, ("laplace+site+load", "laplace+site", "laplace"), 4, asked)
    assert plainer(before) is before


def test_a_window_of_firm_areas_stays_as_it_is() -> None:
    before = ended(3 + bells(), 1, ("laplace+load", "laplace", "laplace+load"), 2)
    assert vaguest(before) < LOOSE
    assert plainer(before) is before
