"""Peaks that stand out and that no model took up, fitted by themselves; and what is left alone."""

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Chromatogram
from gcfit.fitting import rescue, rounds
from gcfit.fitting.parting import Piece
from gcfit.fitting.records import Fit, FitSettings, PeakFit
from gcfit.fitting.skimming import Skim
from tests.fitting.shapes import gaussian, solvent, white
from tests.realdata import real_data_folder

TIME = np.arange(0.0, 140.0, 0.2)
OFF = 72.0  # s, where a valve takes the solvent away
PEAK = 84.0, 1.7, 1.0  # apex [s], σ [s], height
AREA = PEAK[1] * PEAK[2] * np.sqrt(2 * np.pi)


def run(duration: float, rest: float = 0.3, *peaks: tuple[float, float, float]) -> Chromatogram:
    """The solvent, what seeps through the valve behind it, and peaks."""
    seeping = np.where(TIME > OFF, rest * np.exp(-(TIME - OFF) / 4), 0.0)
    signal = 5.0 + solvent(TIME, 3500.0, OFF, duration) + seeping + sum(gaussian(TIME, *one) for one in (PEAK, *peaks))
    return Chromatogram(TIME, signal + 0.004 * white(3, TIME.size))


def fitted(chromatogram: Chromatogram) -> Fit:
    return gcfit.fit(chromatogram, settings=FitSettings(hold_up=1.0))


def behind(fit: Fit) -> list[PeakFit]:
    return [peak for peak in fit.peaks if peak.retention_time_s is not None and peak.retention_time_s > 78.0]


def without_rescue(chromatogram: Chromatogram, monkeypatch: pytest.MonkeyPatch) -> Fit:
    with monkeypatch.context() as patch:
        patch.setattr(rounds, "rescued", lambda pieces, again, fit: list(pieces))
        return fitted(chromatogram)


@pytest.mark.parametrize(("duration", "rest"), [(0.5, 0.3), (1.0, 0.3)])
def test_a_peak_behind_what_was_switched_off_is_found(
    duration: float, rest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    chromatogram = run(duration, rest)
    assert not behind(without_rescue(chromatogram, monkeypatch))  # or there is nothing to show
    (peak,) = behind(fitted(chromatogram))
    assert peak.status == "ok"
    assert peak.retention_time_s == pytest.approx(PEAK[0], abs=0.05)
    assert peak.area == pytest.approx(AREA, rel=0.07)  # what seeps through is under it
    assert peak.window_start_s is not None
    assert peak.window_start_s > OFF


def test_a_window_without_a_model_keeps_its_other_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Piece] = []
    monkeypatch.setattr(rounds, "rescued", lambda pieces, again, fit: seen.extend(pieces) or list(pieces))
    fitted(run(1.0))
    (window,) = [piece for piece in seen if piece.result.state is None]
    apex = int(np.argmin(np.abs(window.original.time - PEAK[0])))
    assert len(window.original.candidates) == 1

    def rest_beside(*points: int) -> list[Piece]:
        return rescue._undescribed(window, [(Skim(slice(*points), (), np.zeros(points[1] - points[0]), False), [])])

    (rest,) = rest_beside(apex + 20, apex + 60)
    assert rest.result.state is None
    assert rest.original.candidates == window.original.candidates
    assert rest.original.time.size == apex + 20
    assert np.array_equal(rest.original.signal, window.original.signal[: apex + 20])
    assert rest_beside(apex - 10, apex + 60) == []


def test_what_is_hardly_above_the_noise_is_no_peak_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescue, "SURE", 1e6)
    assert not behind(fitted(run(1.0)))


def test_badly_described_ones_stay_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescue, "made_up", lambda result: True)
    assert not behind(fitted(run(1.0)))


@pytest.mark.real_data
def test_a_peak_behind_the_solvent_of_a_measured_run() -> None:
    # the solvent is switched off at 192 s
    chromatograms = gcfit.read(real_data_folder() / "derived" / "chromhandler__001F0103.D__FID1A.ch.csv")
    (chromatogram,) = chromatograms if isinstance(chromatograms, (list, tuple)) else (chromatograms,)
    (peak,) = [one for one in fitted(chromatogram).peaks if abs((one.retention_time_s or 0.0) - 203.6) < 1.0]
    assert peak.status == "ok"
    assert peak.r_squared is not None
    assert peak.r_squared > 0.998
