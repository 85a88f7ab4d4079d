"""An injection whose tail the system file tells: the pair is fitted with it, and not with one that is searched.

The curves are made without the package: the law by Bessel function, the tail by its differential equation.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.signal import lfilter

import gcfit
from gcfit.chromatogram import Array, Chromatogram
from gcfit.column.system import Carrier, Column, Injection, System
from gcfit.errors import InputError
from gcfit.fitting.comparison import Way, compare_models
from gcfit.fitting.fit import completed
from gcfit.fitting.records import Fit, FitSettings
from tests.column.plain import impulse

HOLD_UP, DURATION, RATE, FINE, NOISE = 60.0, 4.0, 5, 40, 0.1
PEAKS = ((440.0, 5.3, 900.0), (2240.0, 11.5, 700.0))  # n, k_d [1/s], area
SYSTEM = System(Column(20.0, 9e-5, 1e-6), Carrier(4e5, 1e5, hold_up=HOLD_UP), Injection(DURATION, 1.0))


@cache
def clean(tail: float) -> tuple[Array, Array]:
    """Times [s] and signal without noise: sums of the impulse response over the injection, then τ y' = x - y."""
    step = 1 / RATE / FINE
    fine = np.arange(0.0, 320.0, step)
    total = sum(area * impulse(fine - HOLD_UP, n, k_d) for n, k_d, area in PEAKS)
    run = np.cumsum(total) - total / 2
    late = round(DURATION / step)
    total = (run - np.concatenate([np.zeros(late), run[:-late]])) * step / DURATION
    keep = np.exp(-step / tail)
    share = (1 - keep) * tail / step
    return fine[::FINE], lfilter([1 - share, share - keep], [1.0, -keep], total)[::FINE]


def fitted(tail: float, seed: int = 0, **settings: object) -> Fit:
    time, signal = clean(tail)
    noise = NOISE * np.random.default_rng(seed).standard_normal(time.size)
    system = replace(SYSTEM, injection=Injection(DURATION, tail))
    return gcfit.fit(Chromatogram(time, signal + noise + 3.0), system, settings=FitSettings(**settings))  # type: ignore[arg-type]


def pulls(fit: Fit) -> list[list[float]]:
    """(estimate - truth)/stated error of area and k_d."""
    return [
        [(peak.area - area) / peak.area_se, (peak.k_d_per_s - k_d) / peak.k_d_se_per_s]  # type: ignore[operator]
        for peak, (_, k_d, area) in zip(fit.peaks, PEAKS, strict=True)
    ]


@pytest.mark.parametrize("tail", [0.3, 1.0, 6.0])
@pytest.mark.parametrize("model", ["auto", "laplace"])
def test_area_and_rate_are_within_their_errors_when_the_tail_is_known(model: str, tail: float) -> None:
    fits = [fitted(tail, seed, model=model) for seed in range(6)]
    for fit in fits:
        assert [(peak.model, peak.status, peak.tail_s, peak.tail_se_s) for peak in fit.peaks] == [
            ("laplace+tail", "ok", tail, None)
        ] * 2
    found = np.array([pulls(fit) for fit in fits])
    # 12 normal numbers each: the mean within 3.5/√12, none beyond 4.5
    assert np.abs(found.mean(axis=(0, 1))).max() < 1.0
    assert np.abs(found).max() < 4.5


def test_the_known_tail_is_said() -> None:
    assert "tail of 1 s, as the system file says, in all peaks; --shared-tail fits it" in fitted(1.0).notes


@pytest.mark.parametrize("asked", [{"model": "laplace+tail"}, {"shared_tail": True}], ids=str)
def test_a_tail_that_is_asked_for_is_fitted(asked: dict[str, object]) -> None:
    fit = fitted(1.0, **asked)
    for peak in fit.peaks:
        assert peak.tail_s != 1.0
        assert abs(peak.tail_s - 1.0) < 4 * peak.tail_se_s  # type: ignore[operator]
    assert not any("as the system file says" in note for note in fit.notes)


@pytest.mark.parametrize("solver", ["quadrature", "numerical"])
def test_the_other_solvers_know_the_tail(solver: str) -> None:
    time, signal = clean(1.0)
    run = Chromatogram(time[400:900], signal[400:900])
    trials = compare_models(run, SYSTEM, ways=(Way("laplace"), Way("laplace", solver=solver)))
    one, other = (trial.fit.peaks[0] for trial in trials)
    # the full equations are accurate to 5e-4 of the apex; without the tail k_d is 2 % off
    assert other.k_d_per_s == pytest.approx(one.k_d_per_s, rel=1e-3)


def test_what_is_given_goes_before_the_system_file() -> None:
    assert completed(FitSettings(), SYSTEM).injection == DURATION
    assert completed(FitSettings(injection=0.0), SYSTEM).injection == 0.0
    assert completed(FitSettings(injection=2.0), SYSTEM).injection == 2.0
    assert completed(FitSettings(), SYSTEM).tail == 1.0
    assert completed(FitSettings(tail=0.5), SYSTEM).tail == 0.5
    assert completed(FitSettings(), replace(SYSTEM, injection=Injection())).tail is None


def test_a_pulse_that_is_asked_for_broadens_the_peak_by_kinetics_alone() -> None:
    """k_d = 2(mean - t_M)/variance: by Table 1, a variance of 16/12 s² that no injection explains lowers k_d."""
    time, signal = clean(0.01)
    run = Chromatogram(time, signal + NOISE * np.random.default_rng(0).standard_normal(time.size))
    system = replace(SYSTEM, injection=Injection(DURATION))
    first = gcfit.fit(run, system, settings=FitSettings(injection=0.0, model="laplace")).peaks[0]
    n, k_d, _ = PEAKS[0]
    assert first.k_d_per_s == pytest.approx(2 * (n / k_d + 2) / (2 * n / k_d**2 + 16 / 12), rel=5e-3)


def test_a_tail_must_be_above_zero() -> None:
    with pytest.raises(InputError, match="tail is 0; it must be above 0"):
        FitSettings(tail=0.0)
