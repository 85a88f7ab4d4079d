"""What is put in comes out: the paper's run without and with noise, and the workloads against the Cramér-Rao bound."""

from functools import cache

import numpy as np
import pytest

import gcfit
from gcfit.fitting.records import Fit, FitSettings
from tests import workloads
from tests.fitting.btex_run import ANALYTES, BASELINE, SETTINGS, run
from tests.workloads import RECIPES, Score, Workload, scored


@pytest.mark.parametrize("rate", [2.0, 5.0, 20.0])
def test_noise_free_run_gives_back_rates_and_areas(rate: float) -> None:
    fit = gcfit.fit(run(rate), settings=SETTINGS)
    assert len(fit.peaks) == len(ANALYTES)
    for peak, truth in zip(fit.peaks, ANALYTES, strict=True):
        assert (peak.model, peak.status) == ("laplace", "ok")
        assert (peak.k_a_per_s, peak.k_d_per_s, peak.area) == pytest.approx(
            (truth.k_a, truth.k_d, truth.area), rel=1e-6
        )
        assert peak.retention_time_s == pytest.approx(truth.apex, rel=1e-6)
        assert peak.retention_factor == pytest.approx(2e-6 / 9e-5 * truth.k_a / truth.k_d, rel=1e-6)
    np.testing.assert_allclose(fit.baseline[np.isfinite(fit.baseline)], BASELINE, rtol=1e-9)
    assert fit.r_squared == pytest.approx(1, abs=1e-9)


def test_noise_free_run_with_the_automatic_choice() -> None:
    fit = gcfit.fit(run(), settings=FitSettings(SETTINGS.hold_up, SETTINGS.phase_ratio, SETTINGS.injection))
    assert [peak.model for peak in fit.peaks] == ["laplace"] * 5
    for peak, truth in zip(fit.peaks, ANALYTES, strict=True):
        assert (peak.k_a_per_s, peak.k_d_per_s, peak.area) == pytest.approx(
            (truth.k_a, truth.k_d, truth.area), rel=1e-6
        )


QUANTITIES = ("retention_time", "area", "k_a", "k_d")


def pulls(fit: Fit) -> list[list[float]]:
    """(estimate - truth)/stated error, five peaks of four quantities."""
    out = []
    for peak, truth in zip(fit.peaks, ANALYTES, strict=True):
        values = (peak.retention_time_s, peak.area, peak.k_a_per_s, peak.k_d_per_s)
        errors = (peak.retention_time_se_s, peak.area_se, peak.k_a_se_per_s, peak.k_d_se_per_s)
        made = (truth.apex, truth.area, truth.k_a, truth.k_d)
        assert None not in (*values, *errors)
        out.append([(value - true) / error for value, true, error in zip(values, made, errors, strict=True)])
    return out


@cache
def all_pulls() -> np.ndarray:
    """Shape (200 seeds, 5 peaks, 4 quantities); noise 0.3, apexes of 20 to 80: signal-to-noise 70 to 270."""
    return np.array([pulls(gcfit.fit(run(2.0, 0.3, seed), settings=SETTINGS)) for seed in range(200)])


@pytest.mark.slow
@pytest.mark.parametrize("place", range(4), ids=QUANTITIES)
def test_pulls_over_200_seeds(place: int) -> None:
    found = all_pulls()[:, :, place]
    assert abs(found.mean()) < 0.2
    # 1000 values know their spread to 2.2 %
    assert 0.9 < found.std() < 1.1
    # 200 values of one analyte know their mean to 0.07 and their spread to 5 %
    assert np.abs(found.mean(axis=0)).max() < 0.25
    assert np.all((found.std(axis=0) > 0.83) & (found.std(axis=0) < 1.17))


def score_of(work: Workload) -> Score:
    fit = gcfit.fit(work.chromatogram, settings=FitSettings(hold_up=work.hold_up))
    found = [peak for peak in fit.peaks if peak.area is not None and peak.retention_time_s is not None]
    return scored(work, [peak.retention_time_s for peak in found], [peak.area for peak in found])


def total(name: str, seeds: range) -> Score:
    first, recipe = RECIPES[name]
    scores = [score_of(recipe(first + offset)) for offset in seeds]
    return sum(scores[1:], start=scores[0])


# asked: all found, none false, rms and worst of the area errors in units of the Cramér-Rao bound
LIMITS = {"W1": (1.2, 4.0), "W2": (1.2, 4.0), "W3": (1.2, 5.0), "W5": (1.2, 4.0)}


@pytest.mark.parametrize(("name", "count"), [("W1", 3), ("W2", 3), ("W5", 3)])
def test_workloads(name: str, count: int) -> None:
    score = total(name, range(count))
    assert (score.missed, score.false) == (0, 0)
    # few peaks know their rms to 13 to 18 %; the asked one is taken over 20 seeds below
    assert score.rms < 1.5
    assert score.worst < LIMITS[name][1]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("W1", 20), ("W2", 20), ("W3", 2), ("W5", 20)])
def test_workloads_over_many_seeds(name: str, count: int) -> None:
    score = total(name, range(count))
    assert (score.missed, score.false) == (0, 0)
    assert score.rms <= LIMITS[name][0]
    assert score.worst <= LIMITS[name][1]


def test_a_batch_run_of_jittered_columns() -> None:
    scores = [score_of(workloads.btex(1000 + k, jitter=True)) for k in range(4)]
    score = sum(scores[1:], start=scores[0])
    assert (score.missed, score.false) == (0, 0)
    assert score.rms < 1.5


def test_the_bound_is_the_scatter_of_the_best_linear_estimate() -> None:
    # one isolated Gaussian-like peak, white noise: var(area)/area² of a peak with free centre and width and a distant
    # line is (3/2) × σ_noise² dt/(area²) × 2 sqrt(π) σ (Fisher information of a Gaussian, line nearly orthogonal)
    time = np.arange(0.0, 1000.0, 0.05)
    noise, plates, area, mean = 0.01, 4e4, 50.0, 500.0
    sigma = mean / np.sqrt(plates)
    found = workloads.area_bounds(time, 60.0, [(area, mean, plates)], noise)[0]
    expected = np.sqrt(1.5 * noise**2 * 0.05 * 2 * np.sqrt(np.pi) * sigma) / area
    # the line in ±6 σ takes some of the information
    assert expected < found < 1.35 * expected


def test_scoring_counts_missed_and_false_peaks() -> None:
    work = workloads.btex(1)
    apexes, areas = [truth.apex for truth in work.peaks], [truth.area for truth in work.peaks]
    perfect = scored(work, apexes, areas)
    assert (perfect.missed, perfect.false, perfect.rms) == (0, 0, 0)
    worse = scored(work, [*apexes[1:], 450.0], [*(1.01 * area for area in areas[1:]), 1.0])
    assert (worse.missed, worse.false) == (1, 1)
    assert worse.rms == pytest.approx(0.01 / np.sqrt(1 / np.mean([truth.bound**-2 for truth in work.peaks[1:]])))
