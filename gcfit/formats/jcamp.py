"""JCAMP-DX where it holds a chromatogram: lines `##LABEL= value`, tables of numbers below some labels.

Two layouts are read:
- one block a scan (GC-MS): `##RETENTION_TIME=` and `##TIC=` in each, the spectra between them left out;
- one block with `##DATA TYPE=` that names a chromatogram, `##XUNITS=`, `##YUNITS=`, `##XFACTOR=`, `##YFACTOR=` and a
  table `##XYDATA= (X++(Y..Y))` (first abscissa of each line, then ordinates at equal steps from `##FIRSTX=` to
  `##LASTX=`) or `##XYPOINTS= (XY..XY)` (pairs), as plain numbers.

The layout is that of McDonald and Wilks (1988), doi:10.1366/0003702884428734.
"""

import re
from itertools import islice

import numpy as np

from gcfit.chromatogram import Array
from gcfit.formats import clean
from gcfit.formats.pieces import check_count, program_number
from gcfit.formats.records import Reading
from gcfit.formats.source import Head, Source
from gcfit.formats.units import time_unit

_RECORD = re.compile(r"^##([^=\n]{1,80})=([^\n]*)\n((?:(?!##)[^\n]*\n)*)", re.MULTILINE)
_MOST_RECORDS = 300_000  # six a scan, 50,000 scans
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_PLAIN = re.compile(r"[\d.eE+,;\s-]*")


def recognise(head: Head) -> bool:
    """Know the file by its first label."""
    start = head.text.lstrip("\ufeff\r\n ")
    return (
        start.startswith("##")
        and re.search(r"^##\s*JCAMP.?DX\s*=", head.text, re.MULTILINE | re.IGNORECASE) is not None
    )


def read(source: Source) -> Reading:
    """Read the chromatogram.

    Raises
    ------
    InputError
        If the file holds spectra only, or its numbers are compressed.
    """
    text = source.encoding.words(source.whole())
    records = [(_label(m[1]), m[2].strip(), m[3]) for m in islice(_RECORD.finditer(text), _MOST_RECORDS + 1)]
    if len(records) > _MOST_RECORDS:
        raise source.error(f"more than {_MOST_RECORDS} labels; this is no chromatogram")
    retention = [program_number(value) for label, value, _ in records if label == "RETENTIONTIME"]
    if retention:
        return _scans(source, records)
    header = {label: value for label, value, _ in records}
    table = next(((label, value, body) for label, value, body in records if label in ("XYDATA", "XYPOINTS")), None)
    if table is None or "CHROM" not in header.get("DATATYPE", header.get("TITLE", "")).upper():
        raise source.error("holds no chromatogram: neither retention times of scans nor a data type that names one")
    return _table(source, header, *table)


def _label(label: str) -> str:
    """Return a label as JCAMP-DX compares them: without blanks, `-`, `/` and `_`, in capitals."""
    return re.sub(r"[\s_/-]", "", label).upper()


def _scans(source: Source, records: list[tuple[str, str, str]]) -> Reading:
    """Read retention time and total ion current of every scan."""
    times: list[float] = []
    currents: list[float] = []
    for label, value, _ in records:
        if label == "RETENTIONTIME":
            times.append(_required(source, value, f"scan {len(times) + 1}"))
            currents.append(np.nan)
        elif label == "TIC" and times:
            currents[-1] = _required(source, value, f"scan {len(times)}")
    notes, warnings = ["JCAMP-DX, one block a scan"], list[str]()
    stated = next((time_unit(value) for label, value, _ in records if label == "RETENTIONTIMEUNITS"), "")
    time = np.array(times)
    unit = clean.time_unit_of(source, stated, time, notes, warnings)
    trace = clean.trace(source.name, time, np.array(currents), unit=unit, name="TIC")
    return Reading((trace,), "jcamp", notes=tuple(notes), warnings=tuple(warnings))


def _required(source: Source, value: str, place: str) -> float:
    """Return a number that must be there."""
    found = program_number(value)
    if found is None:
        raise source.error(f"'{value[:40]}' is no number", place=place)
    return found


def _table(source: Source, header: dict[str, str], label: str, form: str, body: str) -> Reading:
    """Read a table of ordinates or pairs."""
    body = re.sub(r"\$\$[^\n]*", "", body)
    if not _PLAIN.fullmatch(body):
        raise source.error(
            "the numbers are compressed or mixed with text; export them as plain numbers", place=f"##{label}="
        )
    pairs = "XY..XY" in form.replace(" ", "").upper()
    time, signal = _pairs(source, body) if pairs else _ordinates(source, header, body)
    if pairs:
        time = time * _factor(source, header, "XFACTOR")
    notes, warnings = ["JCAMP-DX"], list[str]()
    unit = clean.time_unit_of(source, time_unit(header.get("XUNITS", "")), time, notes, warnings)
    warnings += check_count(source, program_number(header.get("NPOINTS", "")), time.size, "")
    factor, given = _factor(source, header, "YFACTOR"), header.get("YUNITS", "")[:24]
    trace = clean.trace(source.name, time, signal, unit=unit, factor=factor, signal_unit=given)
    return Reading((trace,), "jcamp", notes=tuple(notes), warnings=tuple(warnings))


def _factor(source: Source, header: dict[str, str], label: str) -> float:
    """Return a factor, 1 where the file gives none."""
    return _required(source, header[label], f"##{label}=") if header.get(label) else 1.0


def _pairs(source: Source, body: str) -> tuple[Array, Array]:
    """Return abscissas and ordinates of `(XY..XY)`."""
    rows = [_NUMBER.findall(line) for line in body.splitlines()]
    values = np.array([float(n) for row in rows for n in row])
    if (odd := next((len(row) for row in rows if len(row) % 2), 0)) or not values.size:
        raise source.error(f"{odd} numbers in a line are no pairs", place="##XYPOINTS=", remedy="decimals need a point")
    return values[::2].copy(), values[1::2].copy()


def _ordinates(source: Source, header: dict[str, str], body: str) -> tuple[Array, Array]:
    """Return abscissas and ordinates of `(X++(Y..Y))`; first and last abscissa are given in units, not scaled."""
    rows = [_NUMBER.findall(line) for line in body.splitlines()]
    values = np.array([float(n) for row in rows for n in row[1:]])
    first, last = (program_number(header.get(label, "")) for label in ("FIRSTX", "LASTX"))
    if first is None or last is None or not -1e12 < first < last < 1e12 or values.size < 2:
        raise source.error("no first and last abscissa in this order, or too few ordinates", place="##XYDATA=")
    return np.linspace(first, last, values.size), values
