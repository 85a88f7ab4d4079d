"""Peaks whose loading is beyond that up to which all searches go."""

from dataclasses import replace

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Chromatogram
from gcfit.column.closed_form import overloaded
from gcfit.fitting.loading import GREATEST, INVERTED
from gcfit.fitting.models import Known, curve
from gcfit.fitting.overload import followed
from gcfit.fitting.records import FitSettings
from gcfit.fitting.registry import MODELS
from gcfit.fitting.sampling import Sampling
from gcfit.fitting.states import Peak, WindowData, bounds, solved

DELAY, N, AREA = 240.0, 4000.0, 50.0


def run_of(loading: float, neighbour: float = 0.0) -> Chromatogram:
    """One overloaded peak, S/N about 1000, and where asked a Gaussian on its flank."""
    time = np.arange(0.0, 420.0, 0.1)
    signal = AREA * overloaded(time, 60.0, N, N / DELAY, loading)
    top = float(signal.max())
    signal += neighbour * top * np.exp(-0.5 * ((time - 285.0) / 3.0) ** 2)
    return Chromatogram(time, signal + 1e-3 * top * np.random.default_rng(3).standard_normal(time.size))


@pytest.mark.parametrize("loading", [60.0, 120.0, -60.0])
@pytest.mark.parametrize("model", ["auto", "laplace+load"])
def test_a_lone_peak_is_followed_beyond_the_common_bound(loading: float, model: str) -> None:
    (peak,) = gcfit.fit(run_of(loading), settings=FitSettings(hold_up=60.0, model=model)).peaks
    assert peak.loading is not None
    assert peak.loading_se is not None
    assert abs(peak.loading) > INVERTED
    assert peak.loading == pytest.approx(loading, abs=4 * peak.loading_se)
    assert peak.area == pytest.approx(AREA, abs=4 * (peak.area_se or 0.0))
    assert peak.k_d_per_s == pytest.approx(N / DELAY, abs=4 * (peak.k_d_se_per_s or 0.0))
    assert peak.status == "ok"


def test_a_neighbour_on_its_flank_is_told_from_it() -> None:
    run = run_of(60.0, neighbour=0.3)
    main, other = gcfit.fit(run, settings=FitSettings(hold_up=60.0)).peaks
    assert abs(main.loading or 0.0) > INVERTED
    assert main.area == pytest.approx(AREA, rel=2e-3)
    top = float(overloaded(run.time, 60.0, N, N / DELAY, 60.0).max())
    assert other.area == pytest.approx(0.3 * AREA * top * 3.0 * np.sqrt(2 * np.pi), rel=0.02)


def test_overlapping_peaks_stay_within_the_common_bound() -> None:
    time = np.arange(100.0, 260.0, 0.2)
    data = WindowData(Sampling.of(time), np.zeros(time.size), None, 1e-3, 1.0, Known(60.0))
    sigma = 6.0
    peaks = [Peak("laplace+load", np.array([at, np.log(sigma), INVERTED]), at, sigma) for at in (170.0, 180.0, 190.0)]
    curves = [curve(MODELS[peak.model], peak.coordinates, data.sampling, data.known) for peak in peaks]
    signal = np.zeros(time.size)
    for one in curves:
        signal[one.first : one.last] += one.rows[0]
    state = solved(replace(data, signal=signal), peaks, 2)
    assert state is not None
    assert followed(data, state, 1) is state


@pytest.mark.parametrize(
    ("model", "sites", "most"),
    [("laplace+load", 0, GREATEST), ("laplace+tail+load", 0, GREATEST), ("laplace+site+load", 2, INVERTED)],
)
def test_a_loading_beyond_what_a_fourier_sum_tells_has_no_site(model: str, sites: int, most: float) -> None:
    """With one, e^{-β} times what is left of J would be rounding: curves of 1e90."""
    between = np.log([0.1, 2.0][: sites or "tail" in model])
    coordinates = np.concatenate([[200.0, np.log(3.0)], between, [100.0]])
    lower, upper, _ = bounds(Peak(model, coordinates, 200.0, 3.0), 0.1, crowded=False)
    assert (-lower[-1], upper[-1]) == (most, most)
