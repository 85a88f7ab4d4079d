"""Waters Empower ARW: two lines of quoted cells, names and values, then rows of time and signal.

    "SampleName"<TAB>"Channel"<TAB>...
    "SEC_08"<TAB>"2475ChA ex280/em350"<TAB>...
    0<TAB>0
    0.008333333<TAB>0

Lines end in CR alone. Empower writes minutes; the file names no units.
"""

from gcfit.formats import clean
from gcfit.formats.dialect import Dialect
from gcfit.formats.pieces import table
from gcfit.formats.records import Reading
from gcfit.formats.source import Head, Source

_CELLS = Dialect("\t")
_KNOWN = {"SampleName", "Channel", "Channel Name", "ChannelName", "Sample Name", "Date Acquired", "Vial", "Injection"}


def recognise(head: Head) -> bool:
    """Know the file by the names in its first line, which are quoted, and a second line that is quoted too."""
    lines = head.text.lstrip("\ufeff").splitlines()[:2]
    quoted = len(lines) == 2 and all(line.startswith('"') and '"\t"' in f'{line}\t"' for line in lines)
    return quoted and bool(_KNOWN & set(_CELLS.split(lines[0])))


def read(source: Source) -> Reading:
    """Read the trace.

    Raises
    ------
    InputError
        If there are no rows of two numbers.
    """
    text = source.whole()
    first, second, rest = (*text.split(b"\n", 2), b"", b"")[:3]
    names, values = (_CELLS.split(source.encoding.words(line)) for line in (first, second))
    header = dict(zip(names, values, strict=False))
    found = table(source, rest, 3, "\t", "line 3")
    unit = source.options.time_unit if source.options.time_unit != "auto" else "min"
    channel = next((header[name] for name in ("Channel", "Channel Name", "ChannelName") if name in header), "")
    pair, warnings = (found.values[:, 0], found.values[:, 1]), list(found.warnings)
    trace = clean.trace(source.name, *pair, unit=unit, name=channel, warnings=warnings)
    return Reading((trace,), "empower", notes=("Empower ARW, which writes minutes",), warnings=tuple(warnings))
