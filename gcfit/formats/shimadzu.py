"""Shimadzu text export: LabSolutions, LCsolution, GCsolution, GCMSsolution.

    [Header]
    Application Name<TAB>LabSolutions
    ...
    [Peak Table(Detector A-Ch1)]
    # of Peaks<TAB>2
    Peak#<TAB>R.Time<TAB>I.Time<TAB>F.Time<TAB>Area<TAB>Height<TAB>...<TAB>Name<TAB>...
    [LC Chromatogram(Detector A-Ch1)]
    Interval(msec)<TAB>500
    # of Points<TAB>3360
    Intensity Units<TAB>mV
    Intensity Multiplier<TAB>0.001
    R.Time (min)<TAB>Intensity
    0.00000<TAB>2

Cells are separated by tabs or commas. Every section whose name holds `Chromatogram` is a trace: detectors, PDA, MS (its
mass stands in the line `m/z`, and the second column is the absolute intensity). Sections `LC Status Trace` are of pumps
and ovens and left out. The signal is the intensity times the multiplier; so are the areas (in units x s) and heights of
the peak tables, which the program writes in the unit of the intensities.
"""

import re
from collections.abc import Iterator

import numpy as np

from gcfit.chromatogram import Chromatogram
from gcfit.formats import clean
from gcfit.formats.pieces import (
    Section,
    Table,
    check_count,
    first_number,
    in_seconds,
    keys,
    number,
    peak_table,
    sections,
    table,
    times,
)
from gcfit.formats.records import Reading, VendorPeak
from gcfit.formats.source import Head, Source
from gcfit.formats.units import time_unit

_TRACE = re.compile(r"^(.*?)\s*Chromatogram\s*(?:\((.*)\))?$")
_PEAKS = re.compile(r"^(?:MC )?Peak Table\s*(?:\((.*)\))?$")
_ASIDE = re.compile(r"Status|3D")
_STATUS = re.compile(r"^.*Status Trace\s*\((.*)\)$")
_COLUMNS = {
    "retention": ("R.Time", "Ret.Time"),
    "start": ("I.Time", "Proc.From"),
    "end": ("F.Time", "Proc.To"),
    "area": ("Area",),
    "height": ("Height",),
    "name": ("Name",),
    "mass": ("Mass",),
}


def recognise(head: Head) -> bool:
    """Know the file by its first section and a key of that section."""
    start = head.text.lstrip("\ufeff\r\n ")[:2048]
    return start.startswith("[Header]") and ("Application Name" in start or "Data File Name" in start)


def read(source: Source) -> Reading:
    """Read all detector traces and peak tables.

    Raises
    ------
    InputError
        If there is no trace, or one is damaged.
    """
    text = source.whole()
    delimiter = "\t" if b"\t" in text[:1024] else ","
    parts = sections(source, text)
    notes, warnings = ["Shimadzu text"], list[str]()
    traces: list[Chromatogram] = []
    factors: dict[str, float] = {}
    chosen = [(part, match) for part in parts if (match := _TRACE.match(part.name)) and not _ASIDE.search(part.name)]
    clean.check_number(source, len(chosen))
    for part, match in chosen:
        trace, factor = _trace(source, part, delimiter, match, notes, warnings)
        if not _twice(trace, traces, notes):
            traces.append(trace)
            factors[trace.trace] = factor
    if not traces:
        raise source.error("no section with a chromatogram; pump and oven traces and peak tables are not fitted")
    if aside := [match[1] for part in parts if (match := _STATUS.match(part.name))]:
        notes.append(f"left out: {', '.join(aside)}")
    peaks = peak_table(source.name, (peak for part in parts for peak in _peaks(source, part, delimiter, factors)))
    return Reading(tuple(clean.named_apart(traces)), "shimadzu", peaks, tuple(dict.fromkeys(notes)), tuple(warnings))


def _trace(
    source: Source, part: Section, delimiter: str, match: re.Match[str], notes: list[str], warnings: list[str]
) -> tuple[Chromatogram, float]:
    """Return one trace and the factor that turns intensities into its signal."""
    place = f"[{part.name}], line {part.line}"
    found = table(source, part.text, part.line, delimiter, place)
    header = keys(found.above, delimiter)
    factor = first_number(header, "Intensity Multiplier", found.dialect.decimal)
    factor = 1.0 if factor is None else factor
    name = _name(match, header)
    warnings += found.warnings
    warnings += check_count(source, first_number(header, "# of Points"), len(found.values), name)
    unit = clean.time_unit_of(source, _time_unit(found, header), found.values[:, 0], notes, warnings)
    pair = found.values[:, 0], found.values[:, 1]
    given = "".join(header.get("Intensity Units", [])[:1])
    trace = clean.trace(
        source.name,
        *pair,
        unit=unit,
        factor=factor,
        signal_unit=given,
        name=name,
        place=place,
        warnings=warnings,
    )
    return trace, factor


def _name(match: re.Match[str], header: dict[str, list[str]]) -> str:
    """Return the name of a trace as the peak tables have it."""
    kind, inner = match[1], match[2] or ""
    if mass := "".join(header.get("m/z", [])[:1]).split()[-1:]:
        return mass[0] if mass[0].isalpha() else f"m/z {mass[0]}"
    return f"PDA-{inner}" if kind.startswith("PDA") and not inner.startswith("PDA") else inner


def _time_unit(found: Table, header: dict[str, list[str]]) -> str:
    """Return the unit of the times: in the heading, or in the key of the start time."""
    heading = time_unit(found.above[-1].split("(")[-1].split(")")[0]) if found.above and "(" in found.above[-1] else ""
    return heading or next((time_unit(key) for key in header if key.startswith("Start Time")), "")


def _twice(trace: Chromatogram, traces: list[Chromatogram], notes: list[str]) -> bool:
    """Whether the same trace is there already; GCMSsolution writes the TIC twice."""
    for other in traces:
        same = other.trace == trace.trace and np.array_equal(other.time, trace.time)
        if same and np.array_equal(other.signal, trace.signal):
            notes.append(f"{trace.trace} is in the file twice")
            return True
    return False


def _peaks(source: Source, part: Section, delimiter: str, factors: dict[str, float]) -> Iterator[VendorPeak]:
    """Yield the rows of a peak table; retention times are in minutes, areas in intensities times seconds."""
    match = _PEAKS.match(part.name)
    lines = source.encoding.words(part.text).splitlines() if match else []
    heading = next((i for i, line in enumerate(lines) if line.startswith("Peak#")), None)
    if match is None or heading is None:
        return
    names = [cell.strip() for cell in lines[heading].split(delimiter)]
    place = {key: names.index(name) for key, known in _COLUMNS.items() for name in known if name in names}
    for line in lines[heading + 1 :]:
        cells = [cell.strip() for cell in line.split(delimiter)]
        if len(cells) == len(names) and cells[0].isdecimal():
            row = {key: cells[column] for key, column in place.items()}
            trace = _owner(match[1] or "", row.get("mass", ""), list(factors))
            if (peak := _peak(trace, row, factors.get(trace, 1.0))) is not None:
                yield peak


def _owner(table: str, mass: str, traces: list[str]) -> str:
    """Return the trace that a peak table belongs to; a detector with one channel is named without it."""
    wanted = (mass if not mass or mass[0].isalpha() else f"m/z {mass}") or table
    return next((name for name in traces if name in (wanted, f"{wanted}-Ch1")), wanted)


def _peak(trace: str, row: dict[str, str], factor: float) -> VendorPeak | None:
    """Return one row, None where it has no retention time."""
    decimal = "," if "," in row.get("retention", "") else "."
    value = {key: number(row.get(key, ""), decimal) for key in ("retention", "area", "height", "start", "end")}
    retention, start, end = (in_seconds(value[key], "min") for key in ("retention", "start", "end"))
    scaled = times(value["area"], factor), times(value["height"], factor)
    return None if retention is None else VendorPeak(trace, row.get("name", ""), retention, *scaled, start, end)
