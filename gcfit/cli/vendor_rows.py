"""The table of `gcfit compare CHROMATOGRAM --with vendor`: the vendor's peaks and the fitted ones. No click."""

from collections.abc import Sequence
from math import nan

import numpy as np

from gcfit.fitting.pairing import nearest_pairs
from gcfit.fitting.records import Fit, PeakFit
from gcfit.formats import VendorPeak
from gcfit.results import Row

COLUMNS = (
    *("file", "trace", "found_by", "peak", "name", "vendor_name"),
    *("retention_time_s", "vendor_retention_time_s", "retention_difference_s"),
    *("area", "area_integrated", "vendor_area", "vendor_area_unit", "area_ratio", "area_integrated_ratio"),
    *("area_percent", "vendor_area_percent", "height", "vendor_height", "model", "status", "message"),
)
LEAST_REACH = 3.0  # sampling intervals; clocks of vendors are late or early by one


def vendor_rows(fit: Fit, listed: Sequence[VendorPeak]) -> list[Row]:
    """Return one row a peak, in order of retention, with the columns `COLUMNS`.

    The nearest peaks belong together, up to half a width of the fitted peak. Those of either side that have no partner
    have rows of their own, and so have the compounds that the vendor's program lists as not found.

    Parameters
    ----------
    fit : Fit
    listed : sequence of VendorPeak
        Those of the same trace.
    """
    fitted = [peak for peak in fit.peaks if peak.retention_time_s is not None]
    least = LEAST_REACH * fit.chromatogram.sampling_interval
    reach = np.array([max((peak.fwhm_s or 0.0) / 2, least) for peak in fitted])
    own = np.array([peak.retention_time_s or nan for peak in fitted])
    theirs = np.array([other.retention_time_s if other.found else nan for other in listed])
    partners = nearest_pairs(own, theirs, reach)
    pairs: list[tuple[PeakFit | None, VendorPeak | None]] = [
        (peak, listed[partners[place]] if place in partners else None) for place, peak in enumerate(fitted)
    ]
    pairs += [(None, other) for place, other in enumerate(listed) if place not in partners.values()]
    whole = sum(abs(other.area or 0.0) for other in listed)
    rows = [_row(fit, peak, other, whole) for peak, other in pairs]
    return sorted(rows, key=_when)


def _when(row: Row) -> float:
    time = row["retention_time_s"] if row["vendor_retention_time_s"] is None else row["vendor_retention_time_s"]
    return float(str(time))


def _row(fit: Fit, peak: PeakFit | None, other: VendorPeak | None, whole: float) -> Row:
    known: Row = {"file": fit.chromatogram.source, "trace": fit.chromatogram.trace, "found_by": _found_by(peak, other)}
    if peak is not None:
        known |= {name: getattr(peak, name) for name in COLUMNS if hasattr(peak, name)}
    if other is not None:
        known |= {
            "vendor_name": other.name,
            "vendor_retention_time_s": other.retention_time_s,
            "vendor_area": other.area,
            "vendor_area_unit": other.area_unit,
            "vendor_area_percent": None if other.area is None or not whole else 100 * abs(other.area) / whole,
            "vendor_height": other.height,
        }
    if peak is not None and other is not None and peak.retention_time_s is not None:
        known["retention_difference_s"] = peak.retention_time_s - other.retention_time_s
        known["area_ratio"] = _ratio(peak.area, other.area)
        known["area_integrated_ratio"] = _ratio(peak.area_integrated, other.area)
    return {name: known.get(name) for name in COLUMNS}


def _found_by(peak: PeakFit | None, other: VendorPeak | None) -> str:
    if other is None:
        return "gcfit"
    if peak is None:
        return "vendor" if other.found else "neither"
    return "both"


def _ratio(own: float | None, theirs: float | None) -> float | None:
    return own / theirs if own is not None and theirs else None
