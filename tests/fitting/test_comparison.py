"""Models, strategies and solvers on the same data: figures by hand, the right winner, the same points for all."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import exponnorm

from gcfit.chromatogram import Array, Chromatogram
from gcfit.errors import InputError
from gcfit.fitting.comparison import AT_ONCE, NUMERICAL, WAYS, Trial, Way, _judged, compare_models, ways_of
from gcfit.fitting.records import FitSettings
from gcfit.fitting.registry import MODELS
from tests.column.paper import HOLD_UP, INJECTION, PAIRS, PHASE_RATIO, btex, rectangle
from tests.handmade import made_fit

TIME = np.arange(60.0, 700.0, 0.5)  # the last part is blank, outside every window
SETTINGS = FitSettings(hold_up=HOLD_UP, phase_ratio=PHASE_RATIO, injection=INJECTION)
NOISE = 0.02


def run_of(signal: Array) -> Chromatogram:
    noise = np.random.default_rng(5).standard_normal(TIME.size)
    return Chromatogram(TIME, 50 + 0.01 * TIME + signal + NOISE * noise)


def by_the_law(*names: str) -> Array:
    """Peaks by the noncentral chi-square law, with the areas of the paper's run over ten."""
    parts = [
        PAIRS[name][3]
        / 10
        * rectangle(TIME, HOLD_UP, PHASE_RATIO * PAIRS[name][0] * HOLD_UP, PAIRS[name][1], INJECTION)
        for name in names
    ]
    return np.asarray(np.sum(parts, axis=0) / INJECTION)


@pytest.fixture(scope="module")
def two_peaks() -> tuple[Trial, ...]:
    run = run_of(by_the_law("benzene", "toluene"))
    ways = ways_of(["laplace", "gaussian", "emg", "auto"], ["pairs", "simultaneous"])
    return compare_models(run, settings=SETTINGS, ways=ways)


def test_figures_are_those_of_the_fits(two_peaks: tuple[Trial, ...]) -> None:
    """R², parameters and criterion computed again, point by point, from the curves of each fit."""
    windows = np.isfinite(two_peaks[0].fit.baseline)
    assert 200 < windows.sum() < 0.8 * TIME.size  # all at once covers all of them
    squares = []
    for trial in two_peaks:
        total = trial.fit.baseline.copy()
        for peak in trial.fit.peaks:
            for place, value in enumerate(peak.curve):
                total[peak.first + place] += value
        signal = trial.fit.chromatogram.signal
        squares.append(sum((signal[k] - total[k]) ** 2 for k in np.flatnonzero(windows)))
        about = sum((signal[k] - signal[windows].mean()) ** 2 for k in np.flatnonzero(windows))
        assert trial.r_squared == pytest.approx(1 - squares[-1] / about, rel=1e-12)
    noise = two_peaks[0].fit.noise
    variance = max(noise.deviation**2, min(squares) / windows.sum())
    for trial, square in zip(two_peaks, squares, strict=True):
        penalty = trial.parameters * np.log(windows.sum() / noise.inflation)
        assert trial.bic == pytest.approx(square / variance / noise.inflation + penalty, rel=1e-9)


def test_parameters_are_areas_coordinates_and_baselines(two_peaks: tuple[Trial, ...]) -> None:
    counts = {(trial.way.model, trial.way.strategy): trial.parameters for trial in two_peaks}
    # two peaks of three quantities each and a line for each window, or one for all
    assert counts["laplace", "pairs"] == counts["gaussian", "pairs"] == 2 * 3 + 2 * 2
    assert counts["laplace", "simultaneous"] == 2 * 3 + 2
    assert counts["emg", "pairs"] >= 2 * 4 + 2 * 2


def test_the_law_that_made_the_data_wins(two_peaks: tuple[Trial, ...]) -> None:
    pairs = {trial.way.model: trial for trial in two_peaks if trial.way.strategy == "pairs"}
    assert min(pairs.values(), key=lambda trial: trial.bic or np.inf).way.model in ("laplace", "auto")
    assert pairs["auto"].bic == pytest.approx(pairs["laplace"].bic, rel=1e-9)
    assert pairs["gaussian"].bic - pairs["laplace"].bic > 20  # type: ignore[operator]
    for trial in two_peaks:
        assert trial.seconds > 0
        if trial.way.model == "laplace":
            for peak, name in zip(trial.fit.peaks, ("benzene", "toluene"), strict=True):
                assert peak.area == pytest.approx(PAIRS[name][3] / 10, rel=5e-3)


def test_an_emg_wins_where_an_emg_made_the_data() -> None:
    """exponnorm of scipy: K = τ/σ."""
    run = run_of(400 * exponnorm.pdf(TIME, 3.0, loc=150, scale=3.0))
    trials = compare_models(run, settings=SETTINGS, ways=ways_of(["laplace", "emg", "gaussian"]))
    best = min(trials, key=lambda trial: trial.bic or np.inf)
    assert best.way.model == "emg"
    (peak,) = best.fit.peaks
    assert peak.tail_s == pytest.approx(9.0, rel=0.05)


def test_where_no_peak_was_fitted_a_line_stands() -> None:
    """A fit without a window there leaves what a line leaves, and pays for the line."""
    whole, half = made_fit([(100.0, 5.0, 50.0), (300.0, 5.0, 80.0)]), made_fit([(100.0, 5.0, 50.0)])
    lacking = replace(half, chromatogram=whole.chromatogram)
    points = np.isfinite(whole.baseline)
    both, one = _judged([Trial(Way("laplace"), whole, 0.1, 10), Trial(Way("gaussian"), lacking, 0.1, 5)], points)
    assert (both.parameters, one.parameters) == (10, 7)
    second = slice(*np.searchsorted(whole.chromatogram.time, [275.0, 325.0]))
    time, signal = whole.chromatogram.time[second], whole.chromatogram.signal[second]
    line = np.polyval(np.polyfit(time, signal, 1), time)
    here = points.copy()
    here[second] = False
    left = np.sum((whole.chromatogram.signal - whole.total)[here] ** 2) + np.sum((signal - line) ** 2)
    scatter = np.var(whole.chromatogram.signal[points]) * points.sum()
    assert one.r_squared == pytest.approx(1 - left / scatter, rel=1e-6)
    noise = whole.noise.deviation**2
    assert one.bic == pytest.approx(left / noise + 7 * np.log(points.sum()), rel=1e-6)
    assert both.bic < one.bic  # type: ignore[operator]


def test_spoilt_points_do_not_count() -> None:
    signal = by_the_law("benzene")
    run = run_of(signal)
    spiked = run.signal.copy()
    spiked[np.searchsorted(TIME, 100.0)] += 50.0
    clean, spoilt = (
        compare_models(replace(run, signal=one), settings=SETTINGS, ways=[Way("laplace")])[0]
        for one in (run.signal, spiked)
    )
    assert spoilt.r_squared == pytest.approx(clean.r_squared, abs=1e-5)


def test_the_full_equations_give_the_same_pair() -> None:
    """Asked of the numerical solution: 2e-3 of the apex; here of its rates. The noise is the same for all."""
    ways = [Way("laplace"), Way("laplace", solver="quadrature"), NUMERICAL]
    exact, *others = compare_models(run_of(by_the_law("benzene")), settings=SETTINGS, ways=ways)
    (peak,) = exact.fit.peaks
    assert peak.k_a_per_s == pytest.approx(579, rel=5e-3)
    for trial, bound in zip(others, (1e-4, 2e-3), strict=True):
        (other,) = trial.fit.peaks
        for name in ("k_a_per_s", "k_d_per_s", "area"):
            assert getattr(other, name) == pytest.approx(getattr(peak, name), rel=bound)
        assert other.status == peak.status == "ok"
        assert trial.bic == pytest.approx(exact.bic, abs=1.0)


def test_the_solver_is_that_of_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A curve that is wrong on purpose shows in the fit of its own way only."""
    from gcfit.fitting import comparison, solver_curves

    def late(model, parameters, sampling, known):  # type: ignore[no-untyped-def]
        return solver_curves.curve(model, parameters - np.array([3.0, 0.0]), sampling, known)

    monkeypatch.setitem(comparison.CURVES, "late", late)
    run = run_of(by_the_law("toluene"))
    own, other = compare_models(run, settings=SETTINGS, ways=[Way("laplace"), Way("laplace", solver="late")])
    # where the curve comes 3 s early the mean is sought 3 s late
    factors = [trial.fit.peaks[0].retention_factor for trial in (own, other)]
    assert factors[1] == pytest.approx(factors[0] + 3.0 / HOLD_UP, abs=0.05 / HOLD_UP)  # type: ignore[operator]


def test_a_blank_run_has_no_figures() -> None:
    trials = compare_models(run_of(np.zeros_like(TIME)), settings=SETTINGS, ways=[Way("laplace"), Way("gaussian")])
    assert [(trial.parameters, trial.r_squared, trial.bic) for trial in trials] == [(0, None, None)] * 2
    assert compare_models(run_of(np.zeros_like(TIME)), ways=[]) == ()


def test_the_system_gives_what_the_settings_leave_open() -> None:
    run = run_of(by_the_law("benzene"))
    (trial,) = compare_models(run, btex(), ways=[Way("laplace")])
    assert [peak.name for peak in trial.fit.peaks if peak.found] == ["benzene"]
    assert trial.fit.settings.hold_up == pytest.approx(HOLD_UP, rel=1e-6)


def test_ways_by_name() -> None:
    everything = [*MODELS, "auto"]
    assert [way.model for way in WAYS if way.strategy == "pairs"] == everything
    assert {way.model for way in WAYS if way.strategy == "simultaneous"} == set(AT_ONCE)
    assert [way.model for way in ways_of((), ["simultaneous"])] == everything
    assert ways_of(["gaussian", "g*"], ["pairs"]) == (Way("gaussian"),)
    assert ways_of(["laplace+load+tail"], ["pairs"]) == (Way("laplace+tail+load"),)
    assert {way.model for way in ways_of(["laplace+site*"])} == {name for name in MODELS if "laplace+site" in name}
    for one, other in pairwise(WAYS):
        assert one != other


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Way("voigt"), r"^peak model 'voigt' is not known; choose auto or one of laplace, "),
        (lambda: ways_of(["voigt*"]), r"^peak model 'voigt\*' is not known; "),
        (
            lambda: Way("laplace", solver="magic"),
            "^solver 'magic' is not known; choose one of laplace, quadrature, num",
        ),
        (lambda: Way("emg", solver="numerical"), "^model emg has no solution by numerical; choose laplace$"),
        (
            lambda: compare_models(run_of(by_the_law("benzene")), ways=[NUMERICAL]),
            "^solver numerical needs the hold-up time; give --hold-up SECONDS or --system FILE$",
        ),
    ],
)
def test_wrong_ways(make, text: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=text):
        make()
