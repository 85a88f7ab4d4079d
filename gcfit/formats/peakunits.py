"""Units of a vendor's areas and heights where the file names none: those that the trace itself shows."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.formats.pieces import times
from gcfit.formats.records import VendorPeak

_NEAR = 10.0  # areas over a line between valleys came within 0.24 and 7.2 of the vendor's, over all measured files
_STEP = 3  # decades between milli, micro, nano
UNKNOWN = "unknown"


def in_unit_of(trace: Chromatogram, peaks: Sequence[VendorPeak]) -> tuple[tuple[VendorPeak, ...], str]:
    """Return peaks whose areas are in the signal unit of their trace times s, and what was found out.

    Programs write the table in other units than the trace, uV beside V say. The area of the trace over a broken line
    from valley to valley tells which power of 1000 lies between them. Where none does, the areas stay as written and
    their unit is `unknown`.

    Parameters
    ----------
    trace : Chromatogram
    peaks : sequence of VendorPeak
        Of this trace.
    """
    told = sum(abs(peak.area) for peak in peaks if peak.area is not None)
    own = _area_over_valleys(trace, np.array([peak.retention_time_s for peak in peaks if peak.area]))
    if not (told > 0 and own > 0 and np.isfinite(told) and np.isfinite(own)):
        return tuple(peaks), ""
    decades = float(np.log10(own / told))
    power = _STEP * round(decades / _STEP)
    if abs(decades - power) > np.log10(_NEAR):
        return tuple(replace(peak, area_unit=UNKNOWN) for peak in peaks), "the peak table's unit of area is unknown"
    if power == 0:
        return tuple(peaks), ""
    factor = 10.0**power
    scaled = (replace(p, area=times(p.area, factor), height=times(p.height, factor)) for p in peaks)
    return tuple(scaled), f"the peak table is in 1e{power} of the signal's unit, as the trace shows; converted"


def _area_over_valleys(trace: Chromatogram, tops: Array) -> float:
    """Return the area of the trace above lines between its points midway between the peaks [signal unit s]."""
    tops = np.sort(tops[(tops > trace.time[0]) & (tops < trace.time[-1])])
    middles = np.searchsorted(trace.time, (tops[1:] + tops[:-1]) / 2)
    knots = np.unique(np.concatenate(([0], middles, [trace.time.size - 1])))
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large is no unit, which the caller sees
        above = trace.signal - np.interp(trace.time, trace.time[knots], trace.signal[knots])
        return float(np.trapezoid(np.maximum(above, 0.0), trace.time)) if tops.size else 0.0
