"""Peak tables that Agilent's programs put beside a trace in its run folder `*.D`.

`Result.xml`: `<Signal><Description>FID1 A, Front Signal</Description>`, below it an `<IntegrationResults>` for each
peak with `RetTime`, `TimeStart`, `TimeEnd` [min], `Area` [unit s], `Height`.

`RESULTS.CSV`, of mass spectrometers; first, last and highest point are counted from 1, areas are in no stated unit:

    [INT TIC: run-1.D\\data.ms]
    Header=,"Peak","R.T.","First","Max","Last","PK  TY","Height","Area","Pct Max","Pct Total"
    1=,  1,  6.056,  857, 860, 873,"  M ",1861939, 15635678,100.00, 61.453

`REPORTnn.CSV` of the nn-th signal: number, retention time [min], type, width, area [unit s], then height and area
percent, or, with compounds, area percent and name.

`Report.TXT`: under `Signal 1: FID1 A, ` a table whose columns end where its line of dashes has bars:

    Peak RetTime Type  Width     Area      Height     Area
      #   [min]        [min]   [pA*s]      [pA]         %
    ----|-------|----|-------|----------|----------|--------|
       1   2.824 BB S  0.0881 4.57137e4  7718.08594 97.91525

The trace of `FID1 A, Front Signal` is the file `FID1A.ch`. `REPORTS` is the registry, best first: a table with limits
before one without, full precision before rounded text.
"""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gcfit.chromatogram import Chromatogram
from gcfit.errors import InputError
from gcfit.formats.dialect import Dialect
from gcfit.formats.peakunits import UNKNOWN
from gcfit.formats.pieces import in_seconds, number, peak_table
from gcfit.formats.records import ReadOptions, VendorPeak
from gcfit.formats.source import Source
from gcfit.formats.text import find_encoding
from gcfit.formats.units import time_unit
from gcfit.formats.xmltree import Node, parse

Found = tuple[tuple[VendorPeak, ...], tuple[str, ...], tuple[str, ...]]
Traces = Sequence[Chromatogram]

_CSV = Dialect(",")
_MOST_BYTES = 8 << 20
_VALUES = ("RetTime", "Area", "Height", "TimeStart", "TimeEnd", "Name", "Peak", "CompoundName")
_SIGNAL = re.compile(r"^Signal (\d+): (\w+) ?(\w*)")
_INTEGRATED = re.compile(r"^\[INT (\w+)\b.*\]\s*$")


def peaks_beside(folder: Path, traces: Traces) -> Found:
    """Return the peak table of traces from the reports of their run folder.

    Parameters
    ----------
    folder : Path
    traces : sequence of Chromatogram
        An unnamed one, exported by itself, is that of a report on one signal if the peaks lie within it.

    Returns
    -------
    peaks : tuple of VendorPeak
        Of every trace those of the first report in the order of `REPORTS` that has any.
    notes, warnings : tuple of str
        Which reports were taken, and which could not be read.
    """
    files = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_file()}
    peaks: list[VendorPeak] = []
    notes: list[str] = []
    warnings: list[str] = []
    for pattern, read in REPORTS.items():
        for path in (path for name, path in files.items() if re.fullmatch(pattern, name)):
            try:
                found = _of(traces, peak_table(str(path), read(path, traces)))
            except (InputError, OSError) as error:
                warnings.append(f"a peak table is left out: {error}")
                continue
            served = {peak.trace for peak in peaks}
            if new := [peak for peak in found if peak.trace not in served]:
                peaks += new
                notes.append(f"peak table of {path.name}")
    return tuple(peaks), tuple(notes), tuple(warnings)


def _of(traces: Traces, peaks: Sequence[VendorPeak]) -> list[VendorPeak]:
    """Return the peaks of these traces."""
    names = {trace.trace for trace in traces}
    if names == {""} and len({peak.trace for peak in peaks}) == 1:
        within = (traces[0].time[0] <= peak.retention_time_s <= traces[0].time[-1] for peak in peaks)
        return [replace(peak, trace="") for peak in peaks] if all(within) else []
    return [peak for peak in peaks if peak.trace in names]


def _content(path: Path) -> bytes:
    """Return the bytes of a report."""
    with path.open("rb") as stream:
        content = stream.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise InputError(str(path), f"a report of more than {_MOST_BYTES >> 20} MB")
    return content


def _lines(path: Path) -> list[str]:
    """Return the lines of a report, which is in UTF-16 mostly."""
    content = _content(path)
    return find_encoding(content, None, str(path)).text(content, cut=False, source=str(path)).splitlines()


def _file_of(description: str) -> str:
    """Return the name of the file of a signal: `FID1A` for `FID1 A, Front Signal`."""
    return description.partition(",")[0].replace(" ", "")


def _xml(path: Path, _: Traces) -> Iterator[VendorPeak]:
    """Yield the peaks of a result in XML."""
    content = _content(path)
    root = parse(
        Source(str(path), ReadOptions(), io.BytesIO(content), path), content, (*_VALUES, "Description", "XUnits")
    )
    for signal in root.under("Signal"):
        trace, unit = _file_of(signal.text("Description")), time_unit(signal.text("XUnits")) or "min"
        for node in signal.under("IntegrationResults"):
            if (peak := _xml_peak(node, trace, unit)) is not None:
                yield peak


def _xml_peak(node: Node, trace: str, unit: str) -> VendorPeak | None:
    """Return one peak, None where it has no retention time."""
    top, start, end = (in_seconds(number(node.text(tag)), unit) for tag in ("RetTime", "TimeStart", "TimeEnd"))
    area, height = number(node.text("Area")), number(node.text("Height"))
    return None if top is None else VendorPeak(trace, node.text("CompoundName"), top, area, height, start, end)


def _results_csv(path: Path, traces: Traces) -> Iterator[VendorPeak]:
    """Yield the rows of a RESULTS.CSV.

    Raises
    ------
    InputError
        If the points of an unnamed trace show that the table is of another one.
    """
    trace, names = "", list[str]()
    for line in _lines(path):
        key, _, rest = line.partition("=,")
        if match := _INTEGRATED.match(line):
            trace, names = match[1], []
        elif key == "Header":
            names = _CSV.split(rest)
        elif key.isdecimal() and names:
            cells = dict(zip(names, _CSV.split(rest), strict=False))
            top, area, height = (number(cells.get(name, "")) for name in ("R.T.", "Area", "Height"))
            start, end = (_time_of(traces, trace, cells.get(name, "")) for name in ("First", "Last"))
            if (seconds := in_seconds(top, "min")) is not None:
                if traces[0].trace == "" and not (start is not None and end is not None and start <= seconds <= end):
                    points = f"points {cells.get('First')} and {cells.get('Last')}"
                    raise InputError(str(path), f"{trace} peak at {top:g} min not between {points} of this trace")
                yield VendorPeak(trace, "", seconds, area, height, start, end, UNKNOWN)


def _time_of(traces: Traces, name: str, point: str) -> float | None:
    """Return the time of a point that is counted from 1, None where no trace has it."""
    owner = next((trace for trace in traces if trace.trace in (name, "")), None)
    if owner is None or not point.isdecimal() or not 1 <= int(point) <= owner.time.size:
        return None
    return float(owner.time[int(point) - 1])


def _report_csv(path: Path, _: Traces) -> Iterator[VendorPeak]:
    """Yield the rows of a REPORTnn.CSV."""
    trace = _signal_of(path)
    for line in _lines(path):
        cells = _CSV.split(line)
        if len(cells) != 7 or not cells[0].isdecimal():
            continue
        top, area, sixth = (number(cells[column]) for column in (1, 4, 5))
        named = number(cells[6]) is None
        if (seconds := in_seconds(top, "min")) is not None:
            name = cells[6].strip(" ?") if named else ""
            yield VendorPeak(trace, name, seconds, area, None if named else sixth)


def _signal_of(path: Path) -> str:
    """Return the trace of REPORTnn.CSV as Report.TXT numbers them, else the nn-th channel; empty without channels.

    Raises
    ------
    InputError
        If the nn-th channel has another letter than the nn-th: a channel may be missing, or none have its number.
    """
    ordinal = int(path.stem[-2:])
    files = {other.name.lower(): other for other in path.parent.iterdir()}
    if "report.txt" in files:
        for line in _lines(files["report.txt"]):
            if (match := _SIGNAL.match(line)) and int(match[1]) == ordinal:
                return match[2] + match[3]
    channels = sorted((other.stem for name, other in files.items() if name.endswith(".ch")), key=lambda stem: stem[-1:])
    letters = [stem[-1:].lower() for stem in channels]
    if channels and letters[ordinal - 1 : ordinal] != [chr(ord("a") + ordinal - 1)]:
        raise InputError(
            str(path), f"which of {', '.join(channels)} is signal {ordinal} is not said without Report.TXT"
        )
    return channels[ordinal - 1] if channels else ""


def _text(path: Path, _: Traces) -> Iterator[VendorPeak]:
    """Yield the peaks of a report as text."""
    trace, columns, lines = "", dict[str, slice](), _lines(path)
    for number_of_line, line in enumerate(lines):
        if match := _SIGNAL.match(line):
            trace, columns = match[2] + match[3], {}
        elif line.startswith("----|") and number_of_line > 1:
            columns = _columns(lines[number_of_line - 2], line)
        elif columns and (peak := _text_peak(line, trace, columns)) is not None:
            yield peak
        elif columns and line.startswith("Totals"):
            columns = {}


def _columns(heading: str, dashes: str) -> dict[str, slice]:
    """Return where the columns stand by their names; of two with one name the first counts."""
    ends = [match.start() for match in re.finditer(r"\|", dashes)]
    starts = [0, *(end + 1 for end in ends)]
    columns: dict[str, slice] = {}
    for start, end in zip(starts, [*ends, 200], strict=True):
        name = heading[start : end + 1].strip()
        columns.setdefault(name, slice(start, end + 1))
    return columns


def _text_peak(line: str, trace: str, columns: dict[str, slice]) -> VendorPeak | None:
    """Return one row, None for a line that is none."""
    cells = {name: line[place].strip() for name, place in columns.items()}
    top, area = in_seconds(number(cells.get("RetTime", "")), "min"), number(cells.get("Area", ""))
    if not cells.get("Peak", "").isdecimal() or top is None:
        return None
    name = cells.get("Name", "").strip(" ?")
    return VendorPeak(trace, name, top, area, number(cells.get("Height", "")))


REPORTS: dict[str, Callable[[Path, Traces], Iterator[VendorPeak]]] = {
    r"result\.xml": _xml,
    r"results\.csv": _results_csv,
    r"report(?!00)\d\d\.csv": _report_csv,
    r"report\.txt": _text,
}
