"""ANDI/AIA chromatography data (ASTM E1947), a netCDF classic file, read through scipy.

Variables `ordinate_values`, and for the times `raw_data_retention` or, sampled evenly, `actual_delay_time` and
`actual_sampling_interval`; peak table in `peak_retention_time`, `peak_name`, `peak_area`, `peak_height`,
`peak_start_time`, `peak_end_time`. The attribute `retention_unit` holds for all times, `detector_unit` for the signal.
Some programs write point numbers for start and end, and areas in a thousandth or millionth of the signal's unit.
ANDI mass spectra (ASTM E2077): the total ion current, `total_intensity` over `scan_acquisition_time` [s].
Where the file states no unit, the template's seconds are taken if the numbers do not speak against them.
"""

import io
import struct
from typing import Any

import numpy as np

from gcfit.chromatogram import Array
from gcfit.formats import clean
from gcfit.formats.peakunits import in_unit_of
from gcfit.formats.pieces import MOST_PEAKS, in_seconds, peak_table
from gcfit.formats.records import Reading, VendorPeak
from gcfit.formats.source import Head, Source
from gcfit.formats.units import time_unit

_Cells = list[float | None]
# what scipy raises on damaged files, in which any length, type or shape may be anything
_DAMAGED = (
    ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, MemoryError, EOFError, struct.error,
    ZeroDivisionError, AssertionError, UnicodeError,
)  # fmt: skip


def recognise(head: Head) -> bool:
    """Know the file by the first bytes of netCDF."""
    return head.raw.startswith((b"CDF\x01", b"CDF\x02"))


def read(source: Source) -> Reading:
    """Read trace and peak table.

    Raises
    ------
    InputError
        If the netCDF is damaged or holds no chromatogram.
    """
    from scipy.io import netcdf_file

    try:
        with netcdf_file(io.BytesIO(source.content()), "r", mmap=False) as file:
            variables = {name: _plain(variable.data) for name, variable in file.variables.items()}
            attributes = {name: _text(value) for name, value in file._attributes.items()}
    except _DAMAGED as error:
        raise source.error(f"is a damaged netCDF file: {error or type(error).__name__}") from error
    if "total_intensity" in variables and "ordinate_values" not in variables:
        return _mass_spectra(source, variables)
    return _chromatogram(source, variables, attributes)


def _plain(data: Any) -> Any:
    """Return a copy, numbers as float64."""
    with np.errstate(invalid="ignore"):  # a NaN that signals is a NaN
        return np.array(data, dtype=np.float64) if data.dtype.kind in "fiu" else np.array(data)


def _text(value: Any) -> str:
    """Return an attribute as text."""
    return value.decode("latin-1").strip("\0 ") if isinstance(value, bytes) else str(value)


def _chromatogram(source: Source, variables: dict[str, Array], attributes: dict[str, str]) -> Reading:
    """Read the variables of chromatography."""
    signal = _numbers(source, variables, "ordinate_values")
    notes, warnings = ["ANDI/AIA netCDF"], list[str]()
    time = _times(source, variables, signal.size)
    stated = time_unit(attributes.get("retention_unit", ""))
    unit = clean.time_unit_of(source, stated, time, notes, warnings)
    trace = clean.trace(source.name, time, signal, unit=unit, signal_unit=attributes.get("detector_unit", "")[:24])
    peaks, remark = in_unit_of(trace, peak_table(source.name, _peaks(variables, unit, trace.time)))
    return Reading((trace,), "andi", peaks, tuple(notes + [remark] * bool(remark)), tuple(warnings))


def _mass_spectra(source: Source, variables: dict[str, Array]) -> Reading:
    """Read the total ion current."""
    time, signal = (_numbers(source, variables, name) for name in ("scan_acquisition_time", "total_intensity"))
    if time.size != signal.size:
        raise source.error(f"{time.size} scan times and {signal.size} total intensities")
    unit = "s" if source.options.time_unit == "auto" else source.options.time_unit
    trace = clean.trace(source.name, time, signal, unit=unit, name="TIC")
    return Reading((trace,), "andi", notes=("ANDI/AIA netCDF of mass spectra, total ion current",))


def _numbers(source: Source, variables: dict[str, Array], name: str) -> Array:
    """Return a variable as a flat array of float64."""
    values = variables.get(name)
    if values is None or values.dtype.kind != "f" or not values.size:
        raise source.error(f"a netCDF file without numbers in '{name}'; this is no ANDI chromatogram")
    return values.ravel()


def _times(source: Source, variables: dict[str, Array], points: int) -> Array:
    """Return the times in the file's unit."""
    stored = variables.get("raw_data_retention")
    if (
        stored is not None
        and stored.dtype.kind == "f"
        and stored.shape == (points,)
        and (stored[1:] > stored[:-1]).all()
    ):
        return stored
    step = float(_numbers(source, variables, "actual_sampling_interval")[0])
    delay = float(_numbers(source, variables, "actual_delay_time")[0]) if "actual_delay_time" in variables else 0.0
    if not (np.isfinite(step) and step > 0 and np.isfinite(delay)):
        raise source.error(f"'actual_sampling_interval' is {step:g}, 'actual_delay_time' {delay:g}")
    return np.asarray(_decimal(delay) + _decimal(step) * np.arange(points), dtype=np.float64)


def _decimal(value: float) -> float:
    """Return the decimal number of seven digits that a 32-bit float stands for: 0.4, not 0.4000000059604645."""
    return float(f"{value:.7g}")


def _peaks(variables: dict[str, Array], unit: str, times: Array) -> list[VendorPeak]:
    """Return the rows of the peak table that have a retention time."""
    tops = _column(variables, "peak_retention_time")
    starts, ends, areas, heights = (
        _filled(_column(variables, f"peak_{name}"), len(tops)) for name in ("start_time", "end_time", "area", "height")
    )
    if not any(height is not None and height > 0 for height in heights):  # a column of 0 or -1 stands for none
        heights = [None] * len(tops)
    names = _names(variables.get("peak_name"), len(tops))
    retention = [in_seconds(top, unit) for top in tops]
    limits = _limits(starts, ends, retention, unit, times)
    rows = zip(names, retention, areas, heights, limits, strict=True)
    return [VendorPeak("", name, t, area, height, *limit) for name, t, area, height, limit in rows if t is not None]


def _limits(
    starts: _Cells, ends: _Cells, tops: _Cells, unit: str, times: Array
) -> list[tuple[float | None, float | None]]:
    """Return start and end of every peak [s]; (None, None) where they do not enclose its retention time."""
    in_time = [(in_seconds(start, unit), in_seconds(end, unit)) for start, end in zip(starts, ends, strict=True)]
    in_points = [(_at(times, start), _at(times, end)) for start, end in zip(starts, ends, strict=True)]
    enclosed = [[_encloses(pair, top) for pair, top in zip(pairs, tops, strict=True)] for pairs in (in_time, in_points)]
    points = not any(enclosed[0]) and all(enclosed[1])
    pairs, right = (in_points, enclosed[1]) if points else (in_time, enclosed[0])
    return [pair if good else (None, None) for pair, good in zip(pairs, right, strict=True)]


def _at(times: Array, point: float | None) -> float | None:
    """Return the time of a point that is given by its number, None where there is no such point."""
    if point is None or not 0 <= point < times.size or point != int(point):
        return None
    return float(times[int(point)])


def _encloses(pair: tuple[float | None, float | None], top: float | None) -> bool:
    return pair[0] is not None and pair[1] is not None and top is not None and pair[0] <= top <= pair[1]


def _column(variables: dict[str, Array], name: str) -> _Cells:
    """Return a column of the peak table, None where it is not a number."""
    values = variables.get(name)
    if values is None or values.dtype.kind != "f" or values.ndim != 1:
        return []
    return [value if abs(value) < 1e300 else None for value in values[: MOST_PEAKS + 1].tolist()]


def _filled(column: _Cells, rows: int) -> _Cells:
    """Return a column with as many cells as there are rows."""
    return (column + [None] * rows)[:rows]


def _names(values: Any, peaks: int) -> list[str]:
    """Return the names, stored as rows of characters that end in zeros."""
    if values is None or values.dtype.kind != "S" or values.ndim != 2 or len(values) < peaks:
        return [""] * peaks
    return [b"".join(row).split(b"\0")[0].decode("latin-1").strip() for row in values[:peaks].tolist()]
