"""Peak tables that ChemStation puts beside its channels in a run folder.

`Result.xml`: `<Signal><Description>FID1 A, Front Signal</Description>`, below it an `<IntegrationResults>` for each
peak with `RetTime`, `TimeStart`, `TimeEnd` [min], `Area` [unit s], `Height`.

`Report.TXT`: under `Signal 1: FID1 A, ` a table whose columns end where its line of dashes has bars:

    Peak RetTime Type  Width     Area      Height     Area
      #   [min]        [min]   [pA*s]      [pA]         %
    ----|-------|----|-------|----------|----------|--------|
       1   2.824 BB S  0.0881 4.57137e4  7718.08594 97.91525

The trace of `FID1 A, Front Signal` is the file `FID1A.ch`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from gcfit.errors import InputError
from gcfit.formats.pieces import in_seconds, number
from gcfit.formats.records import ReadOptions, VendorPeak
from gcfit.formats.source import Source
from gcfit.formats.units import time_unit
from gcfit.formats.xmltree import Node, parse

_MOST_BYTES = 16 << 20
_VALUES = ("RetTime", "Area", "Height", "TimeStart", "TimeEnd", "Name", "Peak", "CompoundName")
_SIGNAL = re.compile(r"^Signal \d+: (\w+) ?(\w*)")


def peaks_of_folder(folder: Path) -> tuple[VendorPeak, ...]:
    """Return the peak table of a run folder: that of `Result.xml`, else of `Report.TXT`; empty where there is none."""
    for name, read in (("result.xml", _xml), ("report.txt", _text)):
        for path in sorted(folder.iterdir()):
            if path.name.lower() == name and path.is_file() and (peaks := tuple(read(path))):
                return peaks
    return ()


def _content(path: Path) -> bytes:
    """Return the bytes of a report."""
    with path.open("rb") as stream:
        content = stream.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise InputError(str(path), f"a report of more than {_MOST_BYTES >> 20} MB")
    return content


def _trace(description: str) -> str:
    """Return the name of the file of a signal: `FID1A` for `FID1 A, Front Signal`."""
    return description.partition(",")[0].replace(" ", "")


def _xml(path: Path) -> Iterator[VendorPeak]:
    """Yield the peaks of a result in XML."""
    with path.open("rb") as stream:
        source = Source(str(path), ReadOptions(), stream, path)
        root = parse(source, _content(path), (*_VALUES, "Description", "XUnits"))
    for signal in root.under("Signal"):
        trace, unit = _trace(signal.text("Description")), time_unit(signal.text("XUnits")) or "min"
        for node in signal.under("IntegrationResults"):
            if (peak := _xml_peak(node, trace, unit)) is not None:
                yield peak


def _xml_peak(node: Node, trace: str, unit: str) -> VendorPeak | None:
    """Return one peak, None where it has no retention time."""
    top, start, end = (in_seconds(number(node.text(tag)), unit) for tag in ("RetTime", "TimeStart", "TimeEnd"))
    area, height = number(node.text("Area")), number(node.text("Height"))
    return None if top is None else VendorPeak(trace, node.text("CompoundName"), top, area, height, start, end)


def _text(path: Path) -> Iterator[VendorPeak]:
    """Yield the peaks of a report as text."""
    with path.open("rb") as stream:
        source = Source(str(path), ReadOptions(), stream, path)
        lines = source.encoding.text(_content(path), cut=False, source=str(path)).splitlines()
    trace, columns = "", dict[str, slice]()
    for number_of_line, line in enumerate(lines):
        if match := _SIGNAL.match(line):
            trace, columns = match[1] + match[2], {}
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
