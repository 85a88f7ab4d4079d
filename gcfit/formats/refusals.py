"""Files that are known and hold no trace that could be fitted: what they are, so that the error can say it."""

import re
from collections.abc import Callable

from gcfit.formats.source import Head

_REPORT_ROW = re.compile(r'\d+,[\d.]+(?:[eE][-+]?\d+)?,"[A-Z ]{1,12}"(?:,[\d.eE+-]+){3,4}(?:,"[^"]*")?')


def _starts(*starts: bytes) -> Callable[[Head], bool]:
    return lambda head: head.raw.startswith(starts)


def _says(*parts: str) -> Callable[[Head], bool]:
    return lambda head: all(part in head.text[:8192] for part in parts)


def _report_rows(head: Head) -> bool:
    """Know the rows of a ChemStation REPORTnn.CSV: number, retention time, peak code in quotes, numbers."""
    start = head.text[:4096].lstrip("\ufeff")
    lines = [line.strip() for line in start.splitlines()[: None if len(start) < 4000 else -1] if line.strip()]
    return bool(lines) and all(_REPORT_ROW.fullmatch(line) for line in lines)


TABLES: dict[str, Callable[[Head], bool]] = {
    "a ChemStation integration result (peak table)": _says("[contents]", "Header=", '"R.T."'),
    "a ChemStation peak table (REPORTnn.CSV)": _report_rows,
    "an area percent report (peak table as text)": _says("Area Percent Report"),
    "a ChemStation result in XML (peak table)": _says("<ChemStationResult"),
    "a TotalChrom report (peak table)": _says('"Software Version:"', "REPORT"),
    "a Micro GC Fusion result table of a sequence": _says("CSV format is subject to change", "Detectors"),
    "an OpenLab or ChemStation report in XML": _says("<?xml", "ACAML"),
    "an Excel workbook or another zip archive": _starts(b"PK\x03\x04"),
    "an old Excel or Word file": _starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    "packed data within packed data or from a pipe": _starts(b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"),
    "a PDF document": _starts(b"%PDF"),
    "a picture": _starts(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM6", b"II*\x00", b"MM\x00*"),
    "an HDF5 or netCDF-4 file": _starts(b"\x89HDF"),
    "an SQLite database": _starts(b"SQLite format 3\x00"),
    "a picture in SVG": _says("<svg"),
    "a page in HTML": _says("<html"),
    "a gcfit system file": _says("[column]", "[carrier]"),
    "an RTF document": _starts(b"{\\rtf"),
}


def what_it_is(head: Head) -> str:
    """Return what a file without a trace is, empty where it is not known."""
    return next((what for what, known in TABLES.items() if known(head)), "")
