"""What a row and a trace say of themselves: each flag on a signal that deserves it, none on one that does not."""

import numpy as np
import pytest
from scipy.special import erf

import gcfit
from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting import flags, restarts, solver, states
from gcfit.fitting.records import Fit, FitSettings

TIME = np.arange(0.0, 600.0, 0.2)
NOISE = np.random.default_rng(0).standard_normal(TIME.size)
AREA = 100 * 3 * np.sqrt(2 * np.pi)


def bell(centre: float, sigma: float = 3.0, height: float = 100.0) -> Array:
    return height * np.exp(-(((TIME - centre) / sigma) ** 2) / 2)


def plateau(begin: float, end: float, sigma: float = 3.0) -> Array:
    return 50 * (erf((TIME - begin) / sigma / np.sqrt(2)) - erf((TIME - end) / sigma / np.sqrt(2)))


def fitted(signal: Array, **settings: object) -> Fit:
    return gcfit.fit(Chromatogram(TIME, signal), settings=FitSettings(**settings))


def test_a_plain_peak_has_no_flag() -> None:
    fit = fitted(bell(200) + NOISE, hold_up=60.0)
    assert [(peak.status, peak.message) for peak in fit.peaks] == [("ok", "")]
    assert fit.notes == ()


def test_saturated() -> None:
    fit = fitted(np.minimum(bell(200, 6) + NOISE, 60.0), hold_up=60.0)
    assert fit.peaks[0].status == "saturated"
    assert "the cut top is left out" in fit.peaks[0].message
    assert fit.notes[0].startswith("saturated: flat tops at 19")


def test_saturated_downwards() -> None:
    (peak,) = fitted(np.maximum(NOISE - bell(200, 6), -60.0), polarity="negative").peaks
    assert peak.status == "saturated"
    # the flanks give back what was cut: area = height σ √2π
    assert peak.area == pytest.approx(-2 * AREA, rel=0.03)


@pytest.mark.parametrize(("place", "which"), [(594.0, "end"), (6.0, "begin")])
def test_clipped_by_an_end_of_the_run(place: float, which: str) -> None:
    (peak,) = fitted(bell(place, 5, 200) + NOISE).peaks
    assert (peak.status, peak.message) == ("clipped", f"cut by the {which} of the run")


def test_poor_fit() -> None:
    triangle = np.maximum(100 - 8 * np.abs(TIME - 200), 0)
    (peak,) = fitted(triangle + 0.1 * NOISE, model="laplace").peaks
    assert peak.status == "poor fit"
    assert "the noise is 0.09" in peak.message
    # under a noise that hides the misfit nothing is said of it
    (peak,) = fitted(triangle + 5 * NOISE, model="laplace").peaks
    assert peak.status == "ok"


@pytest.mark.parametrize("injection", [10.0, 30.0, 60.0, 120.0])
def test_an_injection_longer_than_the_peak_is_wide(injection: float) -> None:
    # 7 s wide at half height: no area under such an injection is right, and none is called so
    for peak in fitted(bell(200) + NOISE, injection=injection, hold_up=60.0).peaks:
        assert peak.status != "ok"
        assert f"the injection lasts {injection:g} s, the peak is 7" in peak.message


def test_a_long_injection_that_the_peak_shows() -> None:
    (peak,) = fitted(plateau(200, 260) + NOISE, injection=60.0, hold_up=60.0).peaks
    assert peak.status == "ok"
    assert peak.area == pytest.approx(6000, rel=0.005)


# at a resolution of 0.6 and heights of 3:1 the sum of two Gaussians has one maximum
WITHOUT_VALLEY = bell(200) + bell(200 + 0.6 / 1.18 * 2 * 3 * np.sqrt(8 * np.log(2)), height=33)


def test_merged() -> None:
    high, low = fitted(WITHOUT_VALLEY + 0.1 * NOISE).peaks
    assert (high.status, low.status) == ("merged", "merged")
    assert low.message == "no valley parts it from the peak at 200 s: their areas rest on the model"


def test_a_high_peak_hardly_depends_on_a_small_one_without_a_valley(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flags, "SHARE", 0.5)
    assert [peak.status for peak in fitted(WITHOUT_VALLEY + 0.1 * NOISE).peaks] == ["ok", "merged"]


def test_merged_where_the_higher_is_the_shoulder() -> None:
    # a narrow peak on the flank of a wide one: one maximum, where the narrow one has its own
    wide, narrow = fitted(bell(200, sigma=6) + bell(207.2, 3.2, 70) + 0.02 * NOISE).peaks
    assert wide.height is not None
    assert narrow.height is not None
    assert wide.height > narrow.height
    assert (wide.status, narrow.status) == ("merged", "merged")


def test_not_merged_where_there_is_a_valley() -> None:
    assert [peak.status for peak in fitted(bell(200) + bell(209.3, height=33) + 0.1 * NOISE).peaks] == ["ok", "ok"]


def test_an_addition_that_vanishes_is_at_a_bound_and_costs_no_precision() -> None:
    plain, rich = (
        fitted(bell(200) + 0.05 * NOISE, model=name, hold_up=60.0).peaks[0] for name in ("laplace", "laplace+tail")
    )
    assert (plain.status, rich.status) == ("ok", "at a bound")
    assert rich.message == "tail at the bound of its search"
    assert rich.tail_s is not None
    assert rich.tail_se_s is None
    assert rich.area == pytest.approx(plain.area, rel=1e-4)
    assert rich.area_se == pytest.approx(plain.area_se, rel=0.02)
    assert rich.k_d_se_per_s == pytest.approx(plain.k_d_se_per_s, rel=0.02)


@pytest.mark.parametrize("model", ["laplace+site", "laplace+tail", "laplace+site+load"])
def test_a_forced_model_keeps_weak_peaks(model: str) -> None:
    # S/N 12 is too little for a second site, but the peak is there
    signal = bell(100) + bell(200, height=12) + bell(300, height=1000) + NOISE
    peaks = fitted(signal, hold_up=60.0, model=model).peaks
    assert [round(peak.retention_time_s or 0) for peak in peaks] == pytest.approx([100, 200, 300], abs=1)
    # σ of the area of such a peak alone is 2: what the model cannot tell is flagged, or within its error
    weak = peaks[1]
    assert weak.status != "ok" or abs(weak.area - 0.12 * AREA) < 3 * weak.area_se


TRACES = {
    "quantised: the signal moves in steps of 2, the noise is": np.round((bell(200) + NOISE) / 2) * 2,
    "padded: 300 points between 0 and 59.8 s hold no signal": np.where(TIME < 60, 0.0, bell(200) + NOISE + 5),
    "spiky: spikes of one or two points at 400 s": bell(200) + NOISE + 1000 * (np.arange(TIME.size) == 2000),
    "stepped: the level jumps, as a valve does it, at 300 s": bell(200) + NOISE + 200 * (TIME > 300),
    "negative: the signal dips at 300": bell(200) - bell(300) + NOISE,
}


@pytest.mark.parametrize("text", TRACES)
def test_a_trace_says_what_the_detector_did(text: str) -> None:
    fit = fitted(TRACES[text], hold_up=60.0)
    assert [note for note in fit.notes if note.startswith(text)], fit.notes
    assert len(fit.notes) == 1
    assert fit.peaks[0].area == pytest.approx(AREA, rel=0.02)


def test_dips_that_were_asked_for_are_no_news() -> None:
    assert fitted(bell(200) - bell(300) + NOISE, hold_up=60.0, polarity="both").notes == ()
    # nor are the valleys between peaks
    assert fitted(sum(bell(place) for place in range(50, 600, 15)) + NOISE, hold_up=10.0).notes == ()


def test_a_search_that_stopped_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    # one step a search: alone it does not settle, from where it stopped a few more do
    monkeypatch.setattr(states.solved, "__defaults__", (solver.Effort(iterations=1),))
    signal = bell(200, 4) + bell(214, 3, 60) + NOISE
    monkeypatch.setattr(restarts, "RESTARTS", ())
    assert {peak.status for peak in fitted(signal, hold_up=60.0).peaks} == {"not converged"}
    monkeypatch.setattr(restarts, "RESTARTS", (1.0,) * 6)
    assert {peak.status for peak in fitted(signal, hold_up=60.0).peaks} == {"ok"}


@pytest.mark.parametrize(("begin", "end", "word"), [(0.0, 396.0, "ends"), (404.0, 600.0, "begins")])
def test_a_run_that_does_not_hold_the_apex_says_so(begin: float, end: float, word: str) -> None:
    signal = bell(200) + bell(400, 5.0) + bell(500) + 0.1 * NOISE
    inside = (begin <= TIME) & (end > TIME)
    fit = gcfit.fit(Chromatogram(TIME[inside], signal[inside]), settings=FitSettings(hold_up=1.0))
    assert [peak.status for peak in fit.peaks] == ["ok"]
    assert fit.notes == (f"the run {word} on a steep flank: the apex that it leads to is outside, and has no row",)


def test_a_drift_and_a_peak_that_is_cut_are_no_such_flanks() -> None:
    inside = TIME < 402
    drifting = bell(200) + 0.5 * TIME + 0.1 * NOISE
    clipped = bell(200) + bell(400, 5.0) + 0.1 * NOISE
    for signal in (drifting, clipped):
        assert gcfit.fit(Chromatogram(TIME[inside], signal[inside]), settings=FitSettings(hold_up=1.0)).notes == ()


def test_what_the_detector_cut_is_left_out_of_the_r_squared() -> None:
    # the flank alone, in which the misfit counts for more than beside the whole top
    signal = np.minimum(bell(200), 50) + 0.5 * NOISE * (bell(200) < 50)
    (peak,) = fitted(signal, hold_up=60.0).peaks
    first, last = peak.first, peak.first + peak.curve.size
    fit = fitted(signal, hold_up=60.0)
    left = (fit.chromatogram.signal - fit.total)[first:last]
    used = signal[first:last] < 50
    high = used & (np.abs(peak.curve) > 1e-3 * np.abs(peak.curve).max())
    seen = signal[first:last][high]
    assert peak.r_squared == pytest.approx(1 - np.sum(left[high] ** 2) / np.sum((seen - seen.mean()) ** 2), abs=2e-6)
