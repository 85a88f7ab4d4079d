"""Chromeleon text export, versions 6.8 and 7.

    File Path<TAB>chrom://...                    (7: also `URL`; 6.8: `Filepath`)
    Channel<TAB>UV_VIS_1
    <blank line>
    Injection Information:                       (6.8: `Sample Information:`)
    key<TAB>value
    ...
    Chromatogram Data:                           (6.8: `Raw Data:`)
    Time (min)<TAB>Step (s)<TAB>Value (mAU)      (6.8: `Time(min)<TAB>Step(sec)<TAB>Value(mAU)`, TAB at the line's end)
    0,000000<TAB>n.a.<TAB>-0,089600

Decimal mark and mark of thousands are those of the computer that wrote it; UTF-8 with a byte order mark (7) or an 8-bit
code (6.8). There may be many blank lines before the data.
"""

import re

from gcfit.formats import clean
from gcfit.formats.pieces import check_count, first_number, keys, table
from gcfit.formats.records import Reading
from gcfit.formats.source import Head, Source
from gcfit.formats.units import signal_unit, time_unit, words

_DATA = re.compile(rb"^(?:Raw Data|Chromatogram Data):[ \t]*\n", re.MULTILINE)


def recognise(head: Head) -> bool:
    """Know the file by its first key and the line above its data."""
    first = head.text.lstrip("\ufeff\r\n").partition("\t")[0].strip()
    if first not in ("File Path", "Filepath", "URL"):
        return False
    return re.search(r"^(?:Raw Data|Chromatogram Data):\s*$", head.text, re.MULTILINE) is not None


def read(source: Source) -> Reading:
    """Read the channel.

    Raises
    ------
    InputError
        If the data are missing or have no columns of time and value.
    """
    text = source.whole()
    mark = _DATA.search(text)
    if mark is None:
        raise source.error("no line 'Raw Data:' or 'Chromatogram Data:'")
    line = text.count(b"\n", 0, mark.end()) + 1
    header = keys(source.encoding.words(text[: mark.end()]).splitlines(), "\t")
    data = text[mark.end() :].replace(b"\t\n", b"\n")
    found = table(source, data, line, "\t", f"line {line}")
    names = [name.strip() for name in found.above[-1].split("\t")] if found.above else []
    time, value = (_column(source, names, word, found.values.shape[1], line) for word in ("time", "value"))
    notes, warnings = [f"Chromeleon text, {found.dialect}"], list(found.warnings)
    unit = clean.time_unit_of(source, time_unit(names[time]), found.values[:, time], notes, warnings)
    unit_of_signal = signal_unit(names[value]) or "".join(header.get("Signal Unit", [])[:1])
    name = "".join(header.get("Channel", [])[:1])
    pair = found.values[:, time], found.values[:, value]
    trace = clean.trace(source.name, *pair, unit=unit, signal_unit=unit_of_signal, name=name, warnings=warnings)
    announced = first_number(header, "Data Points", found.dialect.decimal)
    warnings += check_count(source, announced, len(found.values), "")
    return Reading((trace,), "chromeleon", notes=tuple(notes), warnings=tuple(warnings))


def _column(source: Source, names: list[str], word: str, columns: int, line: int) -> int:
    """Return the column whose heading begins with a word."""
    for column, name in enumerate(names[:columns]):
        if words(name)[:1] == [word]:
            return column
    raise source.error(f"no column '{word}' in the line above the data", place=f"line {line}")
