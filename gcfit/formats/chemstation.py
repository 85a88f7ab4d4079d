"""CSV exports of Agilent programs that are more than one table of two columns.

MassHunter, several signals of several runs below one another:

    "Path","File","Date Acquired","Sample","Misc"
    "C:\\data\\","run_1.D","04 Sep 2019  10:54","blank"," "
    "TIC: run_1.D\\data.ms"
    0.089,165358.000
    ...
    "Signal: run_1.D\\FID2B.ch"
    0.002,42619.000

ChemStation data analysis, one signal (also with ` TAB ` between the cells):

    D:\\data\\run_1.D 06 Jun 24  02:53 pm
    Start of data points
    1.09303,27601846

ChemStation detector signals, the wavelengths in the first line after an empty cell, UTF-16:

    ,220.00000
    0.0020000000000,-4.0860176086426

All three write minutes.
"""

import re

import numpy as np

from gcfit.chromatogram import Chromatogram
from gcfit.formats import clean
from gcfit.formats.pieces import Table, table
from gcfit.formats.records import Reading
from gcfit.formats.source import Head, Source

_TITLE = re.compile(rb'^"(TIC|Signal|EIC|BPC|SIM|[A-Z][\w /.()+-]{0,40}):? ?([^"\n]*)"[ \t]*\n', re.MULTILINE)
_WAVELENGTHS = re.compile(r"\ufeff?((?:,\d{3,4}(?:\.\d+)?)+)\r?\n\d")
_START = "Start of data points"


def recognise(head: Head) -> bool:
    """Know the three layouts by their first lines."""
    return _is_masshunter(head) or _is_data_analysis(head) or _WAVELENGTHS.match(head.text) is not None


def _is_masshunter(head: Head) -> bool:
    return head.text.lstrip("\ufeff").startswith('"Path","File","Date Acquired"')


def _is_data_analysis(head: Head) -> bool:
    return any(line.strip() == _START for line in head.text[:4096].splitlines()[:4])


def read(source: Source) -> Reading:
    """Read all signals.

    Raises
    ------
    InputError
        If there are none, or one is damaged.
    """
    head = source.head
    if _is_masshunter(head):
        return _masshunter(source, source.whole())
    if _is_data_analysis(head):
        return _data_analysis(source, source.whole())
    return _wavelengths(source, source.whole())


def _masshunter(source: Source, text: bytes) -> Reading:
    """Read the blocks under lines such as `"Signal: run_1.D\\FID2B.ch"`."""
    marks = [mark for mark in _TITLE.finditer(text) if b'","' not in mark[0]]
    if not marks:
        raise source.error('no block with a title such as "TIC: ..." or "Signal: ..."')
    clean.check_number(source, len(marks))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    names = _names([source.encoding.words(mark[1] + b": " + mark[2]) for mark in marks])
    traces, warnings, line, last = [], list[str](), 1, 0
    for name, mark, end in zip(names, marks, ends, strict=True):
        line += text.count(b"\n", last, mark.end())
        last = mark.end()
        found = table(source, text[mark.end() : end], line, ",", f"'{name}', line {line}")
        traces.append(_trace(source, found, 1, name, warnings))
    return _reading(traces, "MassHunter CSV", warnings)


def _names(titles: list[str]) -> list[str]:
    """Return short names: the signal, with the run before it where there are several runs."""
    split = [_title(title) for title in titles]
    several = len({run for run, _ in split}) > 1
    return [f"{run}/{signal}" if several and run else signal for run, signal in split]


def _title(title: str) -> tuple[str, str]:
    """Return run and signal of a title `kind: run.D\\file.ch`."""
    kind, _, rest = title.partition(": ")
    run, _, file = rest.replace("\\", "/").rpartition("/")
    signal = re.sub(r"\.(ch|ms|uv)$", "", file, flags=re.IGNORECASE)
    return run.strip(), signal if kind == "Signal" else kind


def _data_analysis(source: Source, text: bytes) -> Reading:
    """Read the two columns under `Start of data points`."""
    top = text.index(b"\n", text.index(_START.encode())) + 1
    delimiter = "\t" if b"\t" in text[top : top + 200] else ","
    line = text.count(b"\n", 0, top) + 1
    found = table(source, text[top:], line, delimiter, f"line {line}")
    warnings: list[str] = []
    return _reading([_trace(source, found, 1, "", warnings)], "ChemStation data analysis", warnings)


def _wavelengths(source: Source, text: bytes) -> Reading:
    """Read one column of signals for every wavelength in the first line."""
    first, _, rest = text.partition(b"\n")
    names = [f"{float(cell):g} nm" for cell in source.encoding.words(first).split(",")[1:]]
    found = table(source, rest, 2, ",", "line 2")
    clean.check_number(source, len(names))
    if found.values.shape[1] != len(names) + 1:
        raise source.error(f"{len(names)} wavelengths above {found.values.shape[1]} columns", place="line 1")
    warnings: list[str] = []
    traces = [_trace(source, found, i + 1, name, warnings) for i, name in enumerate(names)]
    return _reading(traces, "ChemStation detector signals", warnings)


def _trace(source: Source, found: Table, column: int, name: str, warnings: list[str]) -> Chromatogram:
    """Make a trace of one column of signals."""
    warnings += found.warnings
    unit = source.options.time_unit if source.options.time_unit != "auto" else "min"
    pair = np.ascontiguousarray(found.values[:, 0]), np.ascontiguousarray(found.values[:, column])
    place = f"lines from {found.line}"
    return clean.trace(source.name, *pair, unit=unit, name=name, place=place, warnings=warnings)


def _reading(traces: list[Chromatogram], what: str, warnings: list[str]) -> Reading:
    notes, once = (f"{what}, which writes minutes",), tuple(dict.fromkeys(warnings))
    return Reading(tuple(clean.named_apart(traces)), "agilent-csv", notes=notes, warnings=once)
