"""The automatic choice of a model: the true one where the data decide, the simplest where they do not."""

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Chromatogram
from gcfit.column.closed_form import impulse
from gcfit.fitting import select, window
from gcfit.fitting.models import Known
from gcfit.fitting.neighbourhood import Local, SumOfPeaks
from gcfit.fitting.records import FitSettings, PeakFit
from gcfit.fitting.registry import LAPLACE_MODELS, MODELS
from gcfit.fitting.sampling import Sampling
from gcfit.fitting.select import bend_score
from gcfit.fitting.states import Peak, State, WindowData, solved
from tests.fitting.curves import HOLD_UP, Shape, rows
from tests.fitting.shapes import emg, white
from tests.workloads import btex


def chosen(shape: Shape, snr: float, seed: int = 0, **settings: object) -> PeakFit:
    """The peak that `auto` makes of one with 10 points a σ, on a line with noise of deviation 1."""
    time = np.arange(HOLD_UP + 0.2 * shape.delay, HOLD_UP + shape.delay + 90 * shape.sigma, shape.sigma / 10)
    unit = rows(shape, shape.coordinates, Sampling.of(time))[0]
    noise = np.random.default_rng(seed).standard_normal(time.size)
    run = Chromatogram(time, 50 + 0.01 * time + snr * unit / unit.max() + noise)
    fit = gcfit.fit(run, settings=FitSettings(hold_up=HOLD_UP, **settings))
    assert len(fit.peaks) == 1
    return fit.peaks[0]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("snr", [20.0, 200.0, 5000.0])
def test_a_pair_stays_a_pair(snr: float, seed: int) -> None:
    assert chosen(Shape("laplace", 2000, 60.0), snr, seed).model == "laplace"


@pytest.mark.parametrize("name", ["laplace+site", "laplace+tail", "laplace+load"])
def test_a_clear_addition_is_found(name: str) -> None:
    shape = Shape(name, 2000, 60.0, loading=-4.0)
    found = chosen(shape, 3000.0)
    assert found.model == name
    values = dict(zip(MODELS[name].parameters, shape.coordinates.tolist(), strict=True))
    if name == "laplace+tail":
        assert found.tail_s == pytest.approx(np.exp(values["log_tail"]), abs=5 * found.tail_se_s)
    if name == "laplace+load":
        assert found.loading == pytest.approx(-4.0, abs=5 * found.loading_se)
    if name == "laplace+site":
        assert found.site_n == pytest.approx(0.1 / 3, abs=5 * found.site_n_se)
        assert found.site_k_d_per_s == pytest.approx(1 / (3 * shape.sigma), abs=5 * found.site_k_d_se_per_s)


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_no_addition_is_tried_that_could_not_beat_a_bend(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left above a straight line under a pair says how much any addition could take of it."""
    tried: list[State] = []
    monkeypatch.setattr(window, "choose", lambda data, state, *_, **__: tried.append(state) or state)
    work = btex(seed)
    fit = gcfit.fit(work.chromatogram, settings=FitSettings(hold_up=work.hold_up))
    assert {peak.model for peak in fit.peaks} == {"laplace"}
    assert not tried


def test_what_cannot_be_told_is_not_added() -> None:
    # a site of 1/30 adsorption in noise of a twentieth of the height
    assert chosen(Shape("laplace+site", 2000, 60.0), 20.0).model == "laplace"


def test_an_unretained_peak_is_a_gaussian_without_rates() -> None:
    time = np.arange(40.0, 90.0, 0.05)
    noise = np.random.default_rng(0).standard_normal(time.size)
    run = Chromatogram(time, 100 * np.exp(-(((time - 60.1) / 0.5) ** 2) / 2) + noise)
    (peak,) = gcfit.fit(run, settings=FitSettings(hold_up=60.0)).peaks
    assert peak.model in ("gaussian", "emg")
    assert (peak.k_d_per_s, peak.alpha_k_a_per_s) == (None, None)
    assert "no kinetic pair" in peak.message


@pytest.mark.parametrize("name", MODELS)
def test_every_model_can_be_asked_for(name: str) -> None:
    found = chosen(Shape("laplace", 2000, 60.0), 1000.0, model=name)
    assert found.model == name
    assert found.r_squared > 0.999


def test_the_score_of_a_pair_in_noise_is_chi_squared() -> None:
    # eight directions that the fitted columns leave: mean 8, variance 16 (180 draws know them to 0.3 and 2.5)
    n, delay, noise = 500.0, 60.0, np.random.default_rng(5)
    sigma = delay * np.sqrt(2 / n)
    time = np.arange(HOLD_UP + delay - 20 * sigma, HOLD_UP + delay + 40 * sigma, sigma / 8)
    clean = 300 * sigma * impulse(time, HOLD_UP, n, n / delay) + 5
    start = Peak("laplace", np.array([HOLD_UP + delay, np.log(sigma)]), HOLD_UP + delay, sigma)
    scores = []
    for _ in range(180):
        signal = clean + noise.standard_normal(time.size)
        data = WindowData(Sampling.of(time), signal, None, 1.0, 1.0, Known(HOLD_UP))
        scores.append(bend_score(data, solved(data, [start], 2), 0))
    assert np.mean(scores) == pytest.approx(8, abs=1.2)
    assert np.var(scores) == pytest.approx(16, abs=7)


def test_a_peak_that_all_gave_an_addition_may_change_it() -> None:
    """It overloads and tails; it comes with a second site, as its neighbours have it."""
    shape = Shape("laplace+tail+load", 2000, 60.0, loading=-9.0)
    sigma, apex = shape.sigma, HOLD_UP + shape.delay
    time = np.arange(apex - 20 * sigma, apex + 40 * sigma, sigma / 5)
    unit = rows(shape, shape.coordinates, Sampling.of(time))[0]
    noise = 1e-4 * np.random.default_rng(0).standard_normal(time.size)
    data = WindowData(Sampling.of(time), unit / unit.max() + noise, None, 1e-4, 1.0, Known(HOLD_UP), crowded=True)
    site = np.array([apex, np.log(sigma), np.log(0.1 * sigma), np.log(2 * sigma)])
    two = [name for name, model in LAPLACE_MODELS.items() if len(model.parts) <= 2]
    state = select.chosen(Local(0, data, 2), [Peak("laplace+site", site, apex, sigma)], 0, two)
    assert state is not None
    assert state.peaks[0].model == "laplace+tail+load"


def test_a_neighbours_points_do_not_count_while_a_peak_chooses() -> None:
    """Two pairs ten σ apart, on a line; the low one is looked at alone, at its own points."""
    time = np.arange(0.0, 200.0, 0.25)
    own = 10 * np.exp(-0.5 * ((time - 80) / 4) ** 2)
    other = 100 * np.exp(-0.5 * ((time - 120) / 4) ** 2)
    data = WindowData(Sampling.of(time), own + other + 3 + 0.01 * time, None, 0.01, 1.0, Known(-1e4, 0.0, None))
    peaks = [Peak("laplace", np.array([apex, np.log(4.0)]), apex, 4.0) for apex in (80.0, 120.0)]
    state = solved(data, peaks, 2)
    assert state is not None
    local = SumOfPeaks(data, state).neighbourhood(state.peaks, [0])
    near = local.data
    assert near.weights is not None
    np.testing.assert_allclose(near.signal, own[local.first : local.first + near.signal.size], atol=0.02)
    assert near.weights[np.abs(near.time - 80) < 12].all()
    assert not near.weights[np.abs(near.time - 120) < 8].any()


def test_points_of_a_new_peak_count_and_a_whole_window_keeps_its_baseline() -> None:
    time = np.arange(0.0, 200.0, 0.25)
    own, other = (100 * np.exp(-0.5 * ((time - apex) / 4) ** 2) for apex in (80.0, 150.0))
    data = WindowData(Sampling.of(time), own + other, None, 0.01, 1.0, Known(-1e4, 0.0, None))
    peaks = [Peak("laplace", np.array([apex, np.log(4.0)]), apex, 4.0) for apex in (80.0, 150.0)]
    state = solved(data, peaks, 3)
    assert state is not None
    new = Peak("laplace", np.array([94.0, np.log(4.0)]), 94.0, 4.0)
    alone, with_it = (SumOfPeaks(data, state).neighbourhood(state.peaks, [], (new, height)) for height in (1e-6, 50.0))
    assert alone.data.weights is not None
    assert with_it.data.weights is None or with_it.data.weights[np.abs(with_it.data.time - 94) < 4].all()
    assert not alone.data.weights[np.abs(alone.data.time - 90) < 1].any()
    assert (with_it.data.time[0], with_it.data.time[-1]) == pytest.approx((94 - 40, 94 + 56), abs=0.3)
    assert with_it.base_order == 2
    assert SumOfPeaks(data, state).neighbourhood(state.peaks, [0, 1]).base_order == 3


def test_no_peak_is_excused_by_what_cancels_it() -> None:
    # the tail of a solvent falls under the peak; a wide negative one and a baseline that makes up for it would be
    # judged by their own size
    time = np.arange(212.7, 233.6, 0.04)
    signal = 1.5e5 * np.exp(-(time - time[0]) / 20) + emg(time, 214.2, 0.45, 2.0, 1.2e6)
    (peak,) = gcfit.fit(Chromatogram(time, signal + 0.35 * white(1, time.size))).peaks
    assert peak.area == pytest.approx(1.2e6, rel=0.01)
