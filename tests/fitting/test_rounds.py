"""What windows owe to each other, and what the records of peaks and states are made of."""

from dataclasses import replace

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Chromatogram
from gcfit.column import closed_form
from gcfit.fitting import rounds
from gcfit.fitting.models import Known
from gcfit.fitting.records import FitSettings, PeakFit
from gcfit.fitting.sampling import Sampling
from gcfit.fitting.states import Peak, WindowData, settled, solved

HOLD_UP, SMALL = 20.0, 2.0


def tailed_into_a_neighbour() -> Chromatogram:
    """A high peak of few stays, whose tail reaches below a small one in a window of its own."""
    time = np.arange(20.0, 400.0, 0.2)
    signal = 5.0 + 0.002 * np.random.default_rng(2).standard_normal(time.size)
    for area, mean, sigma in ((4e5, 60.0, 14.0), (SMALL, 180.0, 3.0)):
        delay = mean - HOLD_UP
        rate = 2 * delay / sigma**2
        signal += area * closed_form.impulse(time, HOLD_UP, rate * delay, rate)
    return Chromatogram(time, signal)


def test_a_tail_is_taken_out_of_the_next_window(monkeypatch: pytest.MonkeyPatch) -> None:
    run, settings = tailed_into_a_neighbour(), FitSettings(hold_up=HOLD_UP, model="laplace")
    fits = [gcfit.fit(run, settings=settings)]
    monkeypatch.setattr(rounds, "SPILL_ROUNDS", 0)
    fits.append(gcfit.fit(run, settings=settings))
    for found in fits:
        assert len(found.peaks) == 2
        assert found.peaks[0].window_end_s < found.peaks[1].window_start_s  # type: ignore[operator]
    off = [abs(found.peaks[1].area - SMALL) for found in fits]  # type: ignore[operator]
    assert off[0] < 3 * fits[0].peaks[1].area_se  # type: ignore[operator]
    assert off[1] > 3 * off[0]


def test_the_evidence_counts_independent_points_only() -> None:
    time = np.arange(0.0, 60.0, 0.25)
    signal = np.random.default_rng(4).standard_normal(time.size)
    data = WindowData(Sampling.of(time), signal, None, 0.5, 1.0, Known(-500.0))
    state = solved(data, [Peak("laplace", np.array([30.0, 1.0]), 30.0, 2.7)], 2)
    assert state is not None
    fewer = settled(replace(data, inflation=4.0), state.peaks, 2, state.solution)
    np.testing.assert_allclose(fewer.scaled, state.scaled / 2, rtol=1e-12)
    assert fewer.chi_squared == pytest.approx(state.chi_squared / 4)


def test_a_record_has_no_columns_but_its_own() -> None:
    peak = PeakFit(1, "", "laplace", "ok", 0, np.ones(3))
    other = peak.but(area=2.0)
    assert (other.area, other.model, peak.area) == (2.0, "laplace", None)
    with pytest.raises(TypeError, match="areas"):
        peak.but(areas=2.0)
