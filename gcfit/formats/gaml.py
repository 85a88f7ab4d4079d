"""GAML, the markup language of generalised analytical data: XML with arrays of floats in base 64.

    <GAML><experiment><trace name="Channel A Chromatogram" technique="CHROM">
      <Xdata units="MINUTES"><values byteorder="INTEL" format="FLOAT64" numvalues="2912">AAAA...</values>
        <Ydata units="UNKNOWN"><values format="FLOAT32" ...>...</values>
          <peaktable><peak name="benzene"><parameter name="PK_RET_TIME">199.78</parameter> ...
            <peakXvalue>3.31</peakXvalue><baseline><startXvalue>3.10</startXvalue> ... <endXvalue>3.48</endXvalue>

Peaks: apex and limits on the axis of the trace, `peakXvalue`, `startXvalue` and `endXvalue`. The parameter PK_RET_TIME
[s], taken where there is no `peakXvalue`, may run on another clock: Turbochrom's is up to 0.5 % behind its trace.
"""

import base64
import binascii

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.formats import clean
from gcfit.formats.pieces import in_seconds, number, peak_table
from gcfit.formats.records import Reading, VendorPeak
from gcfit.formats.source import Head, Source
from gcfit.formats.units import time_unit
from gcfit.formats.xmltree import Node, parse

_ORDER = {"INTEL": "<", "MOTOROLA": ">"}
_FORMAT = {"FLOAT32": "f4", "FLOAT64": "f8"}
_KEPT = {"values", "parameter", "peakXvalue", "startXvalue", "endXvalue", "peakYvalue"}


def recognise(head: Head) -> bool:
    """Know the file by its root element."""
    return head.text.lstrip("\ufeff\r\n ").startswith("<") and "<GAML" in head.text[:2048]


def read(source: Source) -> Reading:
    """Read all traces of chromatograms.

    Raises
    ------
    InputError
        If the XML is damaged or holds no chromatogram.
    """
    root = parse(source, source.content(), _KEPT)
    notes, warnings = ["GAML"], list[str]()
    traces: list[Chromatogram] = []
    peaks: list[VendorPeak] = []
    nodes = [node for node in root.under("trace") if node.attributes.get("technique", "CHROM") == "CHROM"]
    for node in nodes:
        name = node.attributes.get("name", "") if len(nodes) > 1 else ""
        for x in node.all("Xdata"):
            for y in x.all("Ydata"):
                trace, unit = _trace(source, x, y, name, notes, warnings)
                traces.append(trace)
                peaks += [peak for p in y.under("peak") if (peak := _peak(p, name, unit)) is not None]
    if not traces:
        raise source.error("no trace of a chromatogram")
    table = peak_table(source.name, peaks)
    return Reading(tuple(clean.named_apart(traces)), "gaml", table, tuple(notes), tuple(warnings))


def _trace(
    source: Source, x: Node, y: Node, name: str, notes: list[str], warnings: list[str]
) -> tuple[Chromatogram, str]:
    """Return one trace and its unit of time."""
    time, signal = _values(source, x), _values(source, y)
    if time.size != signal.size or not time.size:
        raise source.error(f"{time.size} times and {signal.size} signals", place=f"trace '{name}'")
    unit = clean.time_unit_of(source, time_unit(x.attributes.get("units", "")), time, notes, warnings)
    signal_unit = y.attributes.get("units", "")
    signal_unit = "" if signal_unit.upper() == "UNKNOWN" else signal_unit[:24]
    return clean.trace(source.name, time, signal, unit=unit, signal_unit=signal_unit, name=name), unit


def _values(source: Source, node: Node) -> Array:
    """Decode the array that stands directly in an element."""
    for values in node.all("values"):
        kind = _ORDER.get(values.attributes.get("byteorder", "INTEL"), "?") + _FORMAT.get(
            values.attributes.get("format", ""), "?"
        )
        if "?" in kind:
            raise source.error(f"values of an unknown format {values.attributes}", place=node.tag)
        try:
            raw = base64.b64decode("".join(values.parts))
            return np.frombuffer(raw, dtype=kind).astype(np.float64)
        except (binascii.Error, ValueError) as error:
            raise source.error(f"damaged values: {error}", place=node.tag) from error
    raise source.error("no values", place=node.tag)


def _peak(node: Node, trace: str, unit: str) -> VendorPeak | None:
    """Return one peak, None where it has no retention time."""
    given = {p.attributes.get("name", ""): "".join(p.parts) for p in node.all("parameter")}
    top = in_seconds(number(node.text("peakXvalue")), unit)
    top = number(given.get("PK_RET_TIME", "")) if top is None else top
    if top is None:
        return None
    area, height = (number(given.get(key, "")) for key in ("PK_AREA", "PK_HEIGHT"))
    start, end = (in_seconds(number(node.text(tag)), unit) for tag in ("startXvalue", "endXvalue"))
    return VendorPeak(trace, node.attributes.get("name", ""), top, area, height, start, end)
