"""The vendor's peaks beside the fitted ones: partners, ratios, and those without a partner."""

from dataclasses import replace

import pytest

from gcfit.cli.vendor_rows import COLUMNS, vendor_rows
from gcfit.formats import VendorPeak
from tests.handmade import made_fit

# apex [s], σ [s], area: half-widths at half height are 5.9, 5.9, 2.4 s
FIT = made_fit([(100.0, 5.0, 50.0), (200.0, 5.0, 80.0), (300.0, 2.0, 20.0)], names=["a", "b", ""], trace="FID")


def listed(time: float, area: float | None = 10.0, name: str = "", unit: str = "") -> VendorPeak:
    return VendorPeak("FID", name, time, area=area, height=1.0, area_unit=unit)


def test_partners_and_those_without() -> None:
    rows = vendor_rows(FIT, [listed(201.0, 100.0, "B"), listed(101.0, 25.0), listed(303.0, 75.0, "C")])
    assert [tuple(row) for row in rows] == [COLUMNS] * 4
    shown = [(row["found_by"], row["peak"], row["name"], row["vendor_name"], row["vendor_area"]) for row in rows]
    assert shown == [
        ("both", 1, "a", "", 25.0),
        ("both", 2, "b", "B", 100.0),
        ("gcfit", 3, "", None, None),  # 3 s is more than half its width
        ("vendor", None, None, "C", 75.0),
    ]
    first, second, third, fourth = rows
    assert (first["file"], first["trace"]) == ("run.csv", "FID")
    assert first["retention_difference_s"] == pytest.approx(-1.0)
    assert first["area_ratio"] == pytest.approx(2.0)
    assert second["area_ratio"] == pytest.approx(0.8)
    assert [row["vendor_area_percent"] for row in rows] == [12.5, 50.0, None, 37.5]
    assert third["retention_difference_s"] is third["area_ratio"] is third["vendor_retention_time_s"] is None
    assert fourth["retention_time_s"] is fourth["area"] is fourth["status"] is None
    assert first["status"] == "ok"


def test_both_areas_have_their_ratio() -> None:
    fit = replace(FIT, peaks=tuple(replace(peak, area_integrated=30.0) for peak in FIT.peaks))
    row = vendor_rows(fit, [listed(100.0, 40.0)])[0]
    assert (row["area_integrated"], row["area_integrated_ratio"]) == (30.0, 0.75)
    assert row["area_ratio"] == pytest.approx(1.25)


def test_what_the_vendor_lists_without_an_area() -> None:
    rows = vendor_rows(FIT, [listed(100.0, 0.0, "expected"), listed(200.0, None, "no area", unit="unknown")])
    shown = [(row["found_by"], row["vendor_name"], row["area_ratio"]) for row in rows]
    # listed with an area of 0: expected and not found, so the fitted peak there stands alone
    assert shown == [
        ("gcfit", None, None),
        ("neither", "expected", None),
        ("both", "no area", None),
        ("gcfit", None, None),
    ]
    assert rows[2]["vendor_area_unit"] == "unknown"


def test_a_narrow_peak_is_given_three_intervals() -> None:
    narrow = made_fit([(100.0, 0.05, 5.0)], rate=2.0)
    assert [row["found_by"] for row in vendor_rows(narrow, [listed(101.4)])] == ["both"]
    assert [row["found_by"] for row in vendor_rows(narrow, [listed(101.6)])] == ["gcfit", "vendor"]


def test_no_peaks_at_all() -> None:
    assert vendor_rows(made_fit([]), []) == []
    assert [row["found_by"] for row in vendor_rows(made_fit([]), [listed(5.0)])] == ["vendor"]
