"""One inlet tail for five peaks, on curves that are made without the package: the law by Bessel function, the tail by
its differential equation on a fine grid."""

from functools import cache

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.special import i1e

import gcfit
from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting.models import Known, curve
from gcfit.fitting.records import Fit, FitSettings
from gcfit.fitting.registry import MODELS
from gcfit.fitting.sampling import Sampling

HOLD_UP, TAIL, NOISE = 60.0, 1.5, 0.05
RATE, FINE = 2, 100  # points a second, and points of the fine grid for each
PEAKS = ((300.0, 5.0, 900.0), (900.0, 8.0, 700.0), (2000.0, 10.0, 500.0), (3500.0, 12.0, 900.0), (6000.0, 14.0, 600.0))


@cache
def clean(tail: float = TAIL) -> tuple[Array, Array]:
    fine = np.arange(0.0, 620.0, 1 / RATE / FINE)
    total = np.zeros_like(fine)
    theta = np.maximum(fine - HOLD_UP, 1e-9)
    for n, k_d, area in PEAKS:
        # DESIGN 3: h = sqrt(n k_d/θ) exp(-(√n - √(k_d θ))²) i1e(2 √(n k_d θ))
        root = np.sqrt(n * k_d * theta)
        law = np.sqrt(n * k_d / theta) * np.exp(-((np.sqrt(n) - np.sqrt(k_d * theta)) ** 2)) * i1e(2 * root)
        total += area * np.where(fine > HOLD_UP, law, 0.0)
    if tail:
        # τ y' = x - y, x straight between the points
        keep = np.exp(-1 / RATE / FINE / tail)
        share = (1 - keep) / (-np.log(keep))
        total = lfilter([1 - share, share - keep], [1.0, -keep], total)
    return fine[::FINE], total[::FINE]


def fitted(seed: int, *, shared: bool = True, model: str = "laplace", tail: float = TAIL) -> Fit:
    time, signal = clean(tail)
    noise = NOISE * np.random.default_rng(seed).standard_normal(time.size)
    settings = FitSettings(HOLD_UP, model=model, shared_tail=shared)
    return gcfit.fit(Chromatogram(time, signal + noise + 3.0), settings=settings)


def pulls(fit: Fit) -> list[list[float]]:
    """(estimate - truth)/stated error of tail and k_d, five peaks."""
    out = []
    for peak, (_, k_d, _) in zip(fit.peaks, PEAKS, strict=True):
        assert peak.tail_s is not None
        assert peak.tail_se_s is not None
        assert peak.k_d_per_s is not None
        assert peak.k_d_se_per_s is not None
        out.append([(peak.tail_s - TAIL) / peak.tail_se_s, (peak.k_d_per_s - k_d) / peak.k_d_se_per_s])
    return out


@pytest.mark.slow
def test_tail_and_rates_within_their_errors_over_16_seeds() -> None:
    fits = [fitted(seed) for seed in range(16)]
    found = np.array([pulls(fit) for fit in fits])
    # one tail: the same number in every row
    assert all(len({peak.tail_s for peak in fit.peaks}) == 1 for fit in fits)
    assert {peak.model for fit in fits for peak in fit.peaks} == {"laplace+tail"}
    tails, rates = found[:, 0, 0], found[:, :, 1]
    # 16 normal numbers: mean within 3/√16, spread within 3/√32 of 1
    assert abs(tails.mean()) < 0.75
    assert 0.47 < tails.std() < 1.53
    assert abs(rates.mean()) < 0.75
    assert 0.47 < np.sqrt(np.mean(rates**2)) < 1.53


def test_one_tail_is_known_better_than_one_a_peak() -> None:
    one, each = fitted(1), fitted(1, shared=False, model="laplace+tail")
    least = min(peak.tail_se_s for peak in each.peaks)
    assert one.peaks[0].tail_se_s < least
    # five measurements of one number: 1/variance adds up, as far as they are independent
    together = sum(peak.tail_se_s**-2 for peak in each.peaks) ** -0.5
    assert one.peaks[0].tail_se_s == pytest.approx(together, rel=0.15)
    for better, alone in zip(one.peaks, each.peaks, strict=True):
        assert better.k_d_se_per_s < alone.k_d_se_per_s


def test_the_automatic_choice_adds_nothing_to_a_shared_tail() -> None:
    fit = fitted(3, model="auto")
    assert [peak.model for peak in fit.peaks] == ["laplace+tail"] * 5
    assert np.abs(pulls(fit)).max() < 4


def test_asking_for_a_tail_as_well_is_the_same() -> None:
    one, other = fitted(2, model="laplace"), fitted(2, model="laplace+tail")
    assert [peak.tail_s for peak in one.peaks] == [peak.tail_s for peak in other.peaks]


def test_no_tail_is_found_where_there_is_none() -> None:
    fit = fitted(4, tail=0.0)
    for peak, (_, k_d, _) in zip(fit.peaks, PEAKS, strict=True):
        assert peak.tail_s < 0.3
        assert peak.k_d_per_s == pytest.approx(k_d, rel=0.05)


def test_a_run_without_peaks_has_no_tail() -> None:
    time, _ = clean()
    noise = np.random.default_rng(0).standard_normal(time.size)
    assert gcfit.fit(Chromatogram(time, noise), settings=FitSettings(HOLD_UP, shared_tail=True)).peaks == ()


@pytest.mark.parametrize("n", [10.0, 2000.0])
def test_a_shared_tail_is_the_tail_of_a_peak(n: float) -> None:
    time = np.arange(0.0, 400.0, 0.2)
    delay, tail = 60.0, 8.0
    core = [HOLD_UP + delay, np.log(delay * np.sqrt(2 / n))]
    shared = curve(MODELS["laplace"], np.array(core), Sampling.of(time), Known(HOLD_UP, 0.0, tail))
    own = curve(MODELS["laplace+tail"], np.array([*core, np.log(tail)]), Sampling.of(time), Known(HOLD_UP))
    assert (shared.first, shared.last) == (own.first, own.last)
    assert np.abs(shared.rows - own.rows[:3]).max() < 1e-12 * np.abs(own.rows[:3]).max()
