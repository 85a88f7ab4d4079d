"""The rows and columns of the peak table and the file table."""

import numpy as np
import pytest

from gcfit import results
from gcfit.chromatogram import Chromatogram
from gcfit.fitting.records import Fit, FitSettings, Noise, PeakFit

# the contract, word for word (design, section 6)
CONTRACT_PEAKS = (
    "file, trace, peak, name, model, status, retention_time_s, retention_time_se_s, area, area_se, area_percent, "
    "area_integrated, height, fwhm_s, k_a_per_s, k_a_se_per_s, k_d_per_s, k_d_se_per_s, alpha_k_a_per_s, "
    "alpha_k_a_se_per_s, retention_factor, site_n, site_n_se, site_k_d_per_s, site_k_d_se_per_s, tail_s, tail_se_s, "
    "loading, loading_se, plates, resolution, symmetry, snr, r_squared, window_start_s, window_end_s, message"
)
CONTRACT_FILES = "file, trace, status, points, peaks, duration_s, rate_hz, noise, r_squared, seconds, sha256, message"


def peak(number: int, **values: object) -> PeakFit:
    base = {"name": "", "model": "laplace", "status": "ok", "first": 0, "curve": np.ones(5)}
    return PeakFit(peak=number, **(base | values))  # type: ignore[arg-type]


@pytest.fixture
def fit() -> Fit:
    run = Chromatogram(
        np.array([10.0, 10.5, 11.0, 11.5, 12.0]), np.arange(5.0), "mV", "a.csv", "FID1", ("times were minutes",)
    )
    peaks = (
        peak(1, name="benzene", retention_time_s=0.1 + 0.2, k_a_per_s=579.0, message="near a bound"),
        peak(2, status="failed"),
    )
    return Fit(run, FitSettings(), peaks, Noise(0.25, 0.5), np.zeros(5), 0.875, 1.5, ("one note",))


def test_the_peak_columns_begin_with_the_contract_in_its_order() -> None:
    assert ", ".join(results.PEAK_COLUMNS) == CONTRACT_PEAKS + ", signal_unit, detection_limit"


def test_the_file_columns_are_the_contract() -> None:
    assert ", ".join(results.FILE_COLUMNS) == CONTRACT_FILES


def test_a_peak_row_has_every_column_in_order_and_none_for_what_is_not_determined(fit: Fit) -> None:
    first, second = results.peak_rows(fit)
    assert tuple(first) == results.PEAK_COLUMNS
    assert tuple(second) == results.PEAK_COLUMNS
    given = {
        "file": "a.csv",
        "trace": "FID1",
        "peak": 1,
        "name": "benzene",
        "model": "laplace",
        "status": "ok",
        "retention_time_s": 0.30000000000000004,  # not rounded
        "k_a_per_s": 579.0,
        "message": "near a bound",
        "signal_unit": "mV",
    }
    assert {name: value for name, value in first.items() if value is not None} == given
    assert second["retention_time_s"] is None
    assert second["status"] == "failed"


def test_the_file_row_of_a_fit(fit: Fit) -> None:
    row = results.file_row(fit, sha256="ab", message="spoken first")
    assert tuple(row) == results.FILE_COLUMNS
    assert row == {
        "file": "a.csv",
        "trace": "FID1",
        "status": "ok",
        "points": 5,
        "peaks": 2,
        "duration_s": 2.0,  # 12.0 - 10.0
        "rate_hz": 2.0,  # 1/0.5 s
        "noise": 0.25,
        "r_squared": 0.875,
        "seconds": 1.5,
        "sha256": "ab",
        "message": "spoken first; times were minutes; one note",
    }


def test_the_file_row_of_a_failure_has_the_reason_and_no_numbers() -> None:
    row = results.failed_file_row("b.csv", "no such file", seconds=0.25)
    assert tuple(row) == results.FILE_COLUMNS
    known = {name: value for name, value in row.items() if value not in (None, "")}
    assert known == {"file": "b.csv", "status": "failed", "seconds": 0.25, "message": "no such file"}


def test_a_frame_has_typed_columns_and_nan_for_what_is_not_determined(fit: Fit) -> None:
    frame = results.to_frame(results.peak_rows(fit))
    assert list(frame.columns) == list(results.PEAK_COLUMNS)
    assert frame["peak"].tolist() == [1, 2]
    assert frame["k_a_per_s"].dtype == np.float64
    assert frame["k_a_per_s"].iloc[0] == 579.0
    assert np.isnan(frame["k_a_per_s"].iloc[1])
    assert frame["name"].tolist() == ["benzene", ""]


def test_a_frame_without_rows_keeps_columns_and_types() -> None:
    frame = results.to_frame([], "files")
    assert list(frame.columns) == list(results.FILE_COLUMNS)
    assert frame["noise"].dtype == np.float64
    assert str(frame["points"].dtype) == "Int64"


def test_a_frame_of_failed_files_has_empty_counts(fit: Fit) -> None:
    rows = [results.file_row(fit), results.failed_file_row("b.csv", "no such file")]
    frame = results.to_frame(rows, "files")
    assert frame["points"].isna().tolist() == [False, True]
    assert frame["points"].iloc[0] == 5


@pytest.mark.parametrize("table", ["peaks", "files"])
def test_every_column_has_one_kind(table: results.Table) -> None:
    columns = set(results.COLUMNS[table])
    assert not results.TEXT_COLUMNS & results.COUNT_COLUMNS
    assert columns & results.TEXT_COLUMNS
    assert len(columns) == len(results.COLUMNS[table])


@pytest.mark.parametrize("seed", range(5))
def test_thinning_keeps_the_extremes_of_every_part(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.standard_normal(10_007)
    spike = int(random.integers(10, 10_000))
    values[spike] = 1e6
    kept = results.thinned(values, 100)
    assert kept.size <= 2 * 100 + 2
    assert (np.diff(kept) > 0).all()
    assert kept[0] == 0
    assert kept[-1] == 10_006
    assert spike in kept
    width = 101  # ceil(10007/100)
    for start in range(0, 10_007, width):
        part = values[start : start + width]
        inside = values[kept[(kept >= start) & (kept < start + width)]]
        assert (inside.min(), inside.max()) == (part.min(), part.max())


def test_thinning_keeps_the_edges_of_gaps_and_leaves_short_curves_alone() -> None:
    values = np.sin(np.linspace(0, 9, 5000))
    values[1003:2991] = np.nan
    kept = results.thinned(values, 50)
    assert {1002, 1003, 2990, 2991} <= set(kept.tolist())
    assert results.thinned(values, 1250).tolist() == list(range(5000))
