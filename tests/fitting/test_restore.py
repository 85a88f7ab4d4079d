"""Peaks from a peak table: the curves that the table was made from come back without the search."""

import csv
import io

import numpy as np
import pytest

from gcfit.chromatogram import Array, Chromatogram
from gcfit.errors import FitError, InputError
from gcfit.fitting.models import Known, curve
from gcfit.fitting.records import FitSettings
from gcfit.fitting.registry import MODELS
from gcfit.fitting.restore import restored
from gcfit.fitting.sampling import Sampling
from gcfit.results import PEAK_COLUMNS, Row
from tests.handmade import gaussian

TIME = np.arange(0.0, 400.0, 0.1)
HALF = np.sqrt(8 * np.log(2))  # width at half height over sigma of a Gaussian
SETTINGS = FitSettings(hold_up=30.0, injection=2.0)
# model: values of the additions in the table (NaN-free), and the coordinates that stand for them
ADDITIONS: dict[str, tuple[dict[str, float], list[float]]] = {
    "laplace": ({}, []),
    "laplace+tail": ({"tail_s": 1.5}, [np.log(1.5)]),
    "laplace+site": ({"site_n": 0.2, "site_k_d_per_s": 0.1}, [np.log(2.0), np.log(10.0)]),
    "laplace+load": ({"loading": -3.0}, [-3.0]),
    "laplace+site+load": ({"site_n": 0.2, "site_k_d_per_s": 0.1, "loading": 2.0}, [np.log(2.0), np.log(10.0), 2.0]),
    "gaussian": ({}, []),
    "emg": ({"tail_s": 4.0}, [np.log(4.0)]),
}


def row(**values: object) -> Row:
    base: Row = {"file": "a.csv", "trace": "", "peak": 1, "name": "x", "status": "ok", "message": ""}
    return dict.fromkeys(PEAK_COLUMNS) | base | {"window_start_s": 50.0, "window_end_s": 350.0} | values


def measured(time: Array, values: Array) -> tuple[float, float]:
    """Apex by a parabola through the three highest points, width at half height by straight lines between points."""
    top = int(values.argmax())
    curvature = np.polyfit(time[top - 1 : top + 2] - time[top], values[top - 1 : top + 2], 2)
    shift = -curvature[1] / (2 * curvature[0])
    half = np.polyval(curvature, shift) / 2
    above = np.flatnonzero(values >= half)
    left, right = above[0], above[-1]
    rise = np.interp(half, values[left - 1 : left + 1], time[left - 1 : left + 1])
    fall = np.interp(half, values[right + 1 : right - 1 : -1], time[right + 1 : right - 1 : -1])
    return float(time[top] + shift), float(fall - rise)


@pytest.mark.parametrize("name", ADDITIONS)
def test_a_curve_comes_back_from_apex_width_area_and_additions(name: str) -> None:
    columns, additions = ADDITIONS[name]
    known = Known(30.0, 2.0)
    coordinates = np.array([150.0, np.log(6.0), *additions])
    fine = np.arange(60.0, 340.0, 0.01)
    shape = curve(MODELS[name], coordinates, Sampling.of(fine), known)
    apex, width = measured(fine[shape.first : shape.last], shape.rows[0])
    at = curve(MODELS[name], coordinates, Sampling.of(TIME), known)
    truth = np.zeros_like(TIME)
    truth[at.first : at.last] = 500.0 * at.rows[0]
    run = Chromatogram(TIME, 7.0 + 0.01 * TIME + truth)
    given = row(model=name, retention_time_s=apex, fwhm_s=width, area=500.0, **columns)
    (peak,) = restored(run, [given], settings=SETTINGS).peaks
    inside = slice(peak.first, peak.first + peak.curve.size)
    # apex and width of the test are read from a grid of 0.01 s
    assert np.abs(peak.curve - truth[inside]).max() < 2e-5 * truth.max()


def test_baseline_and_noise_are_those_of_the_data() -> None:
    random = np.random.default_rng(1)
    clean = gaussian(TIME, 150, 5, 300)
    run = Chromatogram(TIME, 7.0 + 0.01 * TIME + clean + 0.05 * random.standard_normal(TIME.size))
    fit = restored(run, [row(model="gaussian", retention_time_s=150.0, fwhm_s=5 * HALF, area=300.0)])
    inside = np.isfinite(fit.baseline)
    assert inside.sum() == 3001  # 50 to 350 s, every 0.1 s
    np.testing.assert_allclose(fit.baseline[inside], (7.0 + 0.01 * TIME)[inside], atol=0.01)
    assert fit.noise.deviation == pytest.approx(0.05, rel=0.1)
    assert np.nanstd(fit.residual) == pytest.approx(1.0, rel=0.1)


def test_peaks_of_one_window_share_its_baseline() -> None:
    signal = 10.0 + gaussian(TIME, 150, 5, 300) + gaussian(TIME, 162, 5, 200)
    rows = [
        row(peak=number, model="gaussian", retention_time_s=apex, fwhm_s=5 * HALF, area=area)
        for number, apex, area in ((1, 150.0, 300.0), (2, 162.0, 200.0))
    ]
    fit = restored(Chromatogram(TIME, signal), rows)
    assert np.nanmax(np.abs(fit.total - signal)) < 1e-4
    assert fit.r_squared == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_cut_top_bends_no_baseline_and_does_not_count(sign: float) -> None:
    """The peak of the table goes on above the top; a line below it is all that the other points show."""
    random = np.random.default_rng(1)
    whole = gaussian(TIME, 150, 5, 300) + 0.02 * random.standard_normal(TIME.size)
    run = Chromatogram(TIME, 7.0 + sign * np.minimum(whole, 15.0))
    given = row(model="gaussian", retention_time_s=150.0, fwhm_s=5 * HALF, area=sign * 300.0, height=sign * 23.9)
    fit = restored(run, [given])
    np.testing.assert_allclose(fit.baseline[np.isfinite(fit.baseline)], 7.0, atol=0.01)
    assert fit.r_squared is not None
    assert fit.r_squared > 0.9998


@pytest.mark.parametrize("missing", ["retention_time_s", "fwhm_s", "area", "tail_s"])
def test_a_row_that_does_not_say_enough_has_no_curve(missing: str) -> None:
    values = {"retention_time_s": 150.0, "fwhm_s": 12.0, "area": 300.0, "tail_s": 1.0} | {missing: None}
    run = Chromatogram(TIME, np.sin(TIME))
    (peak,) = restored(run, [row(model="laplace+tail", status="not determined", **values)]).peaks
    assert peak.curve.size == 0
    assert (peak.name, peak.status) == ("x", "not determined")


def test_a_model_that_is_not_known_has_no_curve() -> None:
    given = row(model="lorentzian", retention_time_s=150.0, fwhm_s=12.0, area=300.0)
    assert restored(Chromatogram(TIME, np.sin(TIME)), [given]).peaks[0].curve.size == 0


def test_the_table_of_another_run_is_refused() -> None:
    given = row(
        model="gaussian", retention_time_s=900.0, fwhm_s=12.0, area=3.0, window_start_s=850.0, window_end_s=950.0
    )
    with pytest.raises(InputError, match=r"the window 850 to 950 s of peak 1 holds no data; give the table of this"):
        restored(Chromatogram(TIME, np.sin(TIME)), [given])


def test_a_peak_before_the_hold_up_time_is_refused() -> None:
    """A laplace peak cannot leave before the gas does."""
    given = row(model="laplace", retention_time_s=20.0, fwhm_s=3.0, area=300.0, window_start_s=5.0, window_end_s=60.0)
    with pytest.raises(FitError, match=r"peak 1: no curve of the model laplace has the apex 20 s"):
        restored(Chromatogram(TIME, np.sin(TIME)), [given], settings=SETTINGS)


def test_a_fit_comes_back_from_its_own_table() -> None:
    """Through the text of a CSV file: full precision is enough."""
    from gcfit.cli.peak_table import TEXT_COLUMNS
    from gcfit.fitting.fit import fit
    from gcfit.results import peak_rows

    random = np.random.default_rng(7)
    clean = gaussian(TIME, 150, 5, 300) + gaussian(TIME, 250, 6, 100)
    run = Chromatogram(TIME, 10.0 + clean + 0.02 * random.standard_normal(TIME.size), source="a.csv")
    settings = FitSettings(model="gaussian")
    first = fit(run, settings=settings)
    stream = io.StringIO()
    writer = csv.DictWriter(stream, PEAK_COLUMNS)
    writer.writeheader()
    writer.writerows(peak_rows(first))
    stream.seek(0)
    rows: list[Row] = [
        {name: (cell if name in TEXT_COLUMNS else float(cell) if cell else None) for name, cell in line.items()}
        for line in csv.DictReader(stream)
    ]
    again = restored(run, rows, settings=settings)
    assert np.nanmax(np.abs(first.total - again.total)) < 0.1 * 0.02


@pytest.mark.parametrize(
    ("name", "apex", "width", "additions"),
    [
        ("laplace+site+load", 287.0562, 9.6173, {"site_n": 0.364, "site_k_d_per_s": 0.1723, "loading": -5.543}),
        ("laplace+tail+load", 305.907, 18.654, {"tail_s": 20.47, "loading": -9.557}),
        ("laplace+site", 584.5315, 6.3891, {"site_n": 2.526, "site_k_d_per_s": 0.6275}),
    ],
)
def test_apex_and_width_are_met_where_they_hang_together(
    name: str, apex: float, width: float, additions: dict[str, float]
) -> None:
    """Rows of measured peaks: a change of one coordinate moves apex and width by far more or less than itself."""
    time = np.arange(apex - 30 * width, apex + 30 * width, width / 200)
    given = row(
        model=name, retention_time_s=apex, fwhm_s=width, area=1.0, window_start_s=time[0], window_end_s=time[-1],
        **additions,
    )  # fmt: skip
    (peak,) = restored(Chromatogram(time, np.sin(time)), [given]).peaks
    found = measured(time[peak.first : peak.first + peak.curve.size], peak.curve)
    assert found == pytest.approx((apex, width), abs=1e-3 * width)


def test_one_row_without_a_curve_does_not_cost_the_others() -> None:
    early = row(model="laplace", retention_time_s=20.0, fwhm_s=3.0, area=300.0, window_start_s=5.0, window_end_s=60.0)
    late = row(peak=2, model="laplace", retention_time_s=150.0, fwhm_s=6.0, area=300.0)
    fit = restored(Chromatogram(TIME, np.sin(TIME)), [early, late], settings=SETTINGS)
    assert [bool(peak.curve.size) for peak in fit.peaks] == [False, True]
    (note,) = fit.notes
    assert note.startswith("peak 1: no curve of the model laplace has the apex 20 s")
