"""Inficon Micro GC Fusion data: JSON with the counts of every detector module and its peaks.

    {"detectors": {"moduleA:tcd": {"nValuesPerSecond": 50, "values": [0, 8, 17, ...],
                                   "analysis": {"peaks": [{"label": "H2", "start": 50.62, "top": 52.16, "end": 54.58,
                                                           "area": 5649.79, "height": 5226}]}}}}

The time of value i is i / nValuesPerSecond [s]; peaks are in s.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.formats import clean
from gcfit.formats.pieces import peak_table
from gcfit.formats.records import Reading, VendorPeak
from gcfit.formats.source import Head, Source

_START = ('"detectors"', '"nValuesPerSecond"', '"values"')


def recognise(head: Head) -> bool:
    """Know the file by the names that stand before its first numbers."""
    return head.text.lstrip("\ufeff\r\n ").startswith("{") and all(name in head.text for name in _START)


def read(source: Source) -> Reading:
    """Read all modules.

    Raises
    ------
    InputError
        If the JSON is damaged or holds no module with values.
    """
    detectors = _object(_parse(source).get("detectors"))
    traces: list[Chromatogram] = []
    peaks: list[VendorPeak] = []
    for name, detector in detectors.items():
        if _object(detector).get("values"):
            traces.append(_trace(source, name, detector))
            peaks += _peaks(name, detector)
    if not traces:
        raise source.error("no detector with values")
    return Reading(tuple(traces), "fusion", peak_table(source.name, peaks), notes=("Micro GC Fusion JSON",))


def _parse(source: Source) -> dict[str, Any]:
    """Parse the JSON."""
    import json

    try:
        parsed = json.loads(source.encoding.text(source.content(), cut=False, source=source.name))
    except (ValueError, RecursionError) as error:  # ValueError: also of integers with thousands of digits
        place = f"line {error.lineno}, character {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise source.error(f"is no valid JSON: {error}", place=place) from error
    return _object(parsed)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _trace(source: Source, name: str, detector: dict[str, Any]) -> Chromatogram:
    """Make the trace of one module."""
    rate = _number(detector.get("nValuesPerSecond"))
    values = _array(source, name, detector["values"])
    if rate is None or not 1e-6 < rate < 1e6:
        raise source.error("no usable 'nValuesPerSecond'", place=name)
    return clean.trace(source.name, np.arange(values.size) / rate, values, signal_unit="counts", name=name, place=name)


def _array(source: Source, name: str, values: Any) -> Array:
    """Return a list of numbers as an array; null is a missing value."""
    if not isinstance(values, list) or not all(value is None or type(value) in (int, float) for value in values):
        raise source.error("'values' is no list of numbers", place=name)
    try:
        return np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    except OverflowError as error:
        raise source.error("a value is beyond the range of numbers", place=name) from error


def _number(value: Any) -> float | None:
    """Return a finite number, None for anything else."""
    if type(value) not in (int, float) or not -1e300 < value < 1e300:
        return None
    return float(value)


def _peaks(name: str, detector: dict[str, Any]) -> Iterator[VendorPeak]:
    """Yield the peaks of one module that have a top."""
    peaks = _object(detector.get("analysis")).get("peaks")
    for peak in peaks if isinstance(peaks, list) else []:
        found = {key: _number(_object(peak).get(key)) for key in ("top", "area", "height", "start", "end")}
        if found["top"] is not None:
            label = str(_object(peak).get("label") or "")
            yield VendorPeak(name, label, found["top"], found["area"], found["height"], found["start"], found["end"])
