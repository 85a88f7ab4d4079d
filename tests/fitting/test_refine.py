"""The last turn of a crowd: what was missed beside a peak, loadings not found, and what must stay as it is."""

from dataclasses import replace

import numpy as np
import pytest

from gcfit.chromatogram import Array
from gcfit.fitting import refine
from gcfit.fitting.misfit import leaves, misfit
from gcfit.fitting.models import Known, curve
from gcfit.fitting.refine import refined
from gcfit.fitting.registry import LAPLACE_MODELS, MODELS
from gcfit.fitting.sampling import Sampling
from gcfit.fitting.states import Peak, State, WindowData, solved
from gcfit.fitting.terms import AS_IT_IS

TIME = np.arange(0.0, 400.0, 0.5)
APEXES = (60.0, 90.0, 120.0, 200.0, 230.0, 260.0, 340.0)
SIGMA, NOISE, KNOWN = 4.0, 0.02, Known(-1e4)


def bell(apex: float, height: float, sigma: float = SIGMA) -> Array:
    return np.asarray(height * np.exp(-0.5 * ((TIME - apex) / sigma) ** 2))


def crowd(extra: Array | float = 0.0, apexes: tuple[float, ...] = APEXES) -> tuple[WindowData, State]:
    """A window and its fit with a pair for each of the known peaks."""
    signal = np.sum([bell(apex, 100.0) for apex in apexes], axis=0) + 3 + extra
    signal = signal + NOISE * np.random.default_rng(4).standard_normal(TIME.size)
    data = WindowData(Sampling.of(TIME), signal, None, NOISE, 1.0, KNOWN, crowded=True)
    return data, fitted(data, [Peak("laplace", np.array([one, np.log(SIGMA)]), one, SIGMA) for one in APEXES])


def fitted(data: WindowData, peaks: list[Peak]) -> State:
    state = solved(data, peaks, 2)
    assert state is not None
    return state


@pytest.mark.parametrize("away", [-9.0, 8.0, 10.0])
def test_a_missed_peak_is_found_beside_the_one_that_stood_for_both(away: float) -> None:
    data, state = crowd(bell(230.0 + away, 50.0))
    place = int(np.argmin([abs(peak.coordinates[0] - 230.0) for peak in state.peaks]))
    assert leaves(data, state, place, 0.01)
    found = refined(data, state, tuple(LAPLACE_MODELS))
    assert len(found.peaks) == len(APEXES) + 1
    new = next(k for k, peak in enumerate(found.peaks) if peak.anchor not in APEXES)
    old = next(k for k, peak in enumerate(found.peaks) if peak.anchor == 230.0)
    size = SIGMA * np.sqrt(2 * np.pi)
    assert found.peaks[new].coordinates[0] == pytest.approx(230.0 + away, abs=0.3)
    assert found.solution.amplitudes[new] == pytest.approx(50 * size, rel=0.03)
    assert found.solution.amplitudes[old] == pytest.approx(100 * size, rel=0.03)


def test_a_loading_that_ended_on_the_wrong_side_is_found() -> None:
    """From a tailing start the search of a peak that fronts ends where it tails."""
    model = MODELS["laplace+load"]
    front = curve(model, np.array([340.0, np.log(SIGMA), -14.0]), Sampling.of(TIME), KNOWN)
    extra = np.zeros(TIME.size)
    extra[front.first : front.last] = 1000 * front.rows[0]
    data, state = crowd(extra, APEXES[:-1])
    astray = Peak("laplace+tail", np.array([338.0, np.log(SIGMA), np.log(0.5 * SIGMA)]), 340.0, SIGMA)
    wrong = fitted(data, [*state.peaks[:-1], astray])
    found = refined(data, wrong, tuple(LAPLACE_MODELS))
    assert misfit(data, wrong, 6) > 0.01
    assert misfit(data, found, 6) < 0.001
    assert found.solution.amplitudes[6] == pytest.approx(1000.0, rel=2e-3)
    assert [peak.model for peak in found.peaks[:-1]] == ["laplace"] * 6


def test_what_is_described_well_stays_as_it_is() -> None:
    data, state = crowd()
    assert refined(data, state, tuple(LAPLACE_MODELS)) is state


def test_a_peak_that_touches_no_other_is_one_in_a_crowd() -> None:
    """Two peaks one and a half σ apart are one peak where no neighbour says otherwise."""
    data, state = crowd(bell(346.0, 60.0, 3.0))
    assert leaves(data, state, 6, refine.MISSED)
    assert len(refined(data, state, ("laplace",)).peaks) == len(APEXES)


def test_a_lone_peak_is_two_where_two_leave_next_to_nothing() -> None:
    data, state = crowd(bell(346.0, 60.0, 3.0))
    found = refined(replace(data, crowded=False), state, ("laplace",))
    assert len(found.peaks) == len(APEXES) + 1
    assert [float(peak.coordinates[0]) for peak in found.peaks[-2:]] == pytest.approx([340.0, 346.0], abs=0.1)
    size = np.sqrt(2 * np.pi) * np.array([100 * SIGMA, 60 * 3.0])
    np.testing.assert_allclose(found.solution.amplitudes[-2:], size, rtol=0.02)


def test_a_peak_that_touches_no_other_is_not_split_for_its_shape() -> None:
    """A peak that falls exponentially on both sides is no sum of two better than it is one."""
    data, state = crowd(100 * np.exp(-np.abs(TIME - 340.0) / SIGMA), APEXES[:-1])
    assert leaves(data, state, 6, refine.MISSED)
    assert len(refined(replace(data, crowded=False), state, tuple(LAPLACE_MODELS)).peaks) == len(APEXES)


def test_what_is_closer_than_its_width_is_shape() -> None:
    """A narrow peak on top of a wide one of the same retention."""
    data, state = crowd(bell(341.5, 60.0, 1.5))
    assert leaves(data, state, 6, refine.MISSED)
    assert len(refined(replace(data, crowded=False), state, ("laplace",)).peaks) == len(APEXES)


@pytest.mark.parametrize(
    ("apex", "anchor", "parted"),
    [(160.0, 160.0, True), (131.0, 128.0, True), (123.0, 124.0, False), (112.0, 122.0, False)],
)
def test_a_new_peak_stays_on_its_side_of_its_neighbours(apex: float, anchor: float, parted: bool) -> None:
    """One that has passed the peak before it is that one's shape."""
    data, state = crowd(bell(apex, 60.0))
    new = replace(state.peaks[0], coordinates=np.array([apex, np.log(SIGMA)]), anchor=anchor)
    peaks = sorted([*state.peaks, new], key=lambda peak: peak.anchor)
    found = solved(data, peaks, 2, AS_IT_IS)
    assert found is not None
    assert refine._parted(data, found, peaks.index(new)) is parted


def test_two_peaks_missed_at_once_are_found_in_one_turn() -> None:
    data, state = crowd(bell(68.5, 50.0) + bell(251.0, 50.0))
    found = refined(data, state, tuple(LAPLACE_MODELS))
    assert len(found.peaks) == len(APEXES) + 2
    places = [float(peak.coordinates[0]) for peak in found.peaks]
    assert places == pytest.approx(sorted((*APEXES, 68.5, 251.0)), abs=0.5)


def test_a_turn_that_raises_the_criterion_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    data, state = crowd(bell(238.0, 50.0))
    monkeypatch.setattr(refine, "_turn", lambda *_: list(state.peaks[:-1]))
    assert refined(data, state, tuple(LAPLACE_MODELS)) is state


def test_what_does_not_explain_the_misfit_is_no_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    data, state = crowd(bell(238.0, 50.0))
    asked = []
    monkeypatch.setattr(refine, "explained", lambda *one: asked.append(one) or False)
    assert len(refined(data, state, tuple(LAPLACE_MODELS)).peaks) == len(APEXES)
    assert {one[3].anchor in APEXES for one in asked} == {False}


def test_only_the_badly_described_are_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    data, state = crowd(bell(238.0, 50.0))
    visited = []

    def searched(_: object, before: State, place: int, __: object) -> State:
        visited.append(before.peaks[place].anchor)
        return before

    monkeypatch.setattr(refine, "_searched_again", searched)
    refined(data, state, tuple(LAPLACE_MODELS))
    assert set(visited) <= {200.0, 230.0, 260.0}
    assert visited[0] == 230.0


def test_a_dip_between_peaks_makes_none() -> None:
    data, state = crowd(-bell(105.0, 10.0, 3.0))
    assert len(refined(data, state, tuple(LAPLACE_MODELS)).peaks) == len(APEXES)


def test_misfit_is_that_of_the_points_at_which_a_peak_is_seen() -> None:
    data, state = crowd()
    wave = 2.0 * np.sin(TIME)
    solution = replace(state.solution, residual=np.where(TIME < 150, wave, 0.0))
    spoilt = replace(state, solution=solution)
    assert misfit(data, spoilt, 0) == pytest.approx(2 / np.sqrt(2) / 100, rel=0.1)
    assert misfit(data, spoilt, 5) == 0.0
    assert leaves(data, spoilt, 0, 0.01)
    assert not leaves(data, spoilt, 0, 0.02)
    assert not leaves(replace(data, deviation=1.0), spoilt, 0, 0.01)
    # points that do not count tell nothing
    blind = replace(data, weights=np.where(TIME < 150, 0.0, 1.0))
    assert misfit(blind, spoilt, 0) == 0.0
