"""Files in, files out: readers that know a file by its content, and writers of tables.

`read` gives the one trace of a file, `read_file` all that it says, `vendor_peaks` the peak table that the vendor's
program made of it. `READERS` is the registry: a new family is a module with two functions, `recognise` and `read`, and
one line here; the first reader that recognises a file takes it.
"""

from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from gcfit.chromatogram import Chromatogram
from gcfit.errors import InputError
from gcfit.formats import (
    andi,
    chemstation,
    chromeleon,
    delimited,
    empower,
    ezchrom,
    fusion,
    gaml,
    jcamp,
    shimadzu,
    vendor,
)
from gcfit.formats.records import Reader, Reading, ReadOptions, VendorPeak
from gcfit.formats.refusals import what_it_is
from gcfit.formats.reports import peaks_beside
from gcfit.formats.source import Source, open_source
from gcfit.formats.text import is_binary
from gcfit.formats.vendor import is_run_folder

__all__ = [
    "READERS",
    "ReadOptions",
    "Reader",
    "Reading",
    "VendorPeak",
    "is_run_folder",
    "list_formats",
    "read",
    "read_file",
    "vendor_peaks",
]

_AS_FOUND = ReadOptions()
_REPORTED = ("agilent-ch", "agilent-csv")

READERS: dict[str, Reader] = {
    "andi": Reader("ANDI/AIA netCDF (chromatography, TIC of mass spectra)", andi.recognise, andi.read),
    "agilent-ch": Reader("Agilent ChemStation channel *.ch (extra `vendor`)", vendor.recognise, vendor.read),
    "shimadzu": Reader("Shimadzu LabSolutions, LCsolution, GCMSsolution text", shimadzu.recognise, shimadzu.read),
    "chromeleon": Reader("Chromeleon 6.8 and 7 text", chromeleon.recognise, chromeleon.read),
    "ezchrom": Reader("EZChrom and EZStart ASCII", ezchrom.recognise, ezchrom.read),
    "agilent-csv": Reader("Agilent MassHunter and ChemStation CSV", chemstation.recognise, chemstation.read),
    "empower": Reader("Waters Empower ARW", empower.recognise, empower.read),
    "jcamp": Reader("JCAMP-DX chromatogram or GC-MS scans", jcamp.recognise, jcamp.read),
    "fusion": Reader("Inficon Micro GC Fusion JSON", fusion.recognise, fusion.read),
    "gaml": Reader("GAML chromatogram", gaml.recognise, gaml.read),
    "delimited": Reader("text in columns: comma, semicolon, tab or blanks", delimited.recognise, delimited.read),
}


def read(path: str | Path, **options: Any) -> Chromatogram:
    """Read the one trace of a file.

    Parameters
    ----------
    path : str or Path
        File, `-` for standard input.
    **options
        Fields of `ReadOptions`.

    Raises
    ------
    InputError
        If the file cannot be read, or holds several traces; the text names them.
    """
    reading = read_file(path, ReadOptions(**options))
    if len(reading.chromatograms) > 1:
        names = ", ".join(f"'{trace.trace}'" for trace in reading.chromatograms)
        found = f"holds {len(reading.chromatograms)} traces: {names}"
        raise InputError(str(path), found, remedy="choose one with trace=, or read_file all of them")
    return reading.chromatograms[0]


def read_file(source: str | Path, options: ReadOptions = _AS_FOUND) -> Reading:
    """Read everything that a file says.

    Parameters
    ----------
    source : str or Path
        File, `-` for standard input.
    options : ReadOptions
        What the user knows better than the file.

    Raises
    ------
    InputError
        If there is no such file, no reader knows it, or it is damaged: file, place, what was found, what to do.
    """
    if str(source) != "-" and is_run_folder(source):
        return _chosen(vendor.read_folder(source, options), str(source), options.trace)
    opened = open_source(source, options)
    try:
        reading = READERS[_reader(opened)].read(opened)
    finally:
        opened.close()
    return _chosen(_with_reports(reading, opened.path), opened.name, options.trace)


def vendor_peaks(source: str | Path, options: ReadOptions = _AS_FOUND) -> tuple[VendorPeak, ...]:
    """Return the peak table of the vendor's program, in the order of the table; empty where there is none.

    It stands in the file itself (ANDI/AIA, Shimadzu text, Fusion JSON, GAML), or for Agilent's channels and exports in
    a report beside it in its run folder `*.D` (Result.xml, RESULTS.CSV, REPORTnn.CSV, Report.TXT). Times are in s on
    the clock of the trace, areas in its signal unit times s; where that cannot be, `VendorPeak.area_unit` says so.

    Parameters
    ----------
    source : str or Path
        File or run folder.
    options : ReadOptions
        `trace` chooses the traces whose peaks are returned.

    Raises
    ------
    InputError
        If the trace itself cannot be read.
    """
    return read_file(source, options).vendor_peaks


def list_formats() -> list[tuple[str, str]]:
    """Return name and description of every reader, in the order in which they are tried."""
    folders = ("vendor-folder", "Agilent *.D and Waters *.raw folders (extra `vendor`)")
    return [*((name, reader.description) for name, reader in READERS.items()), folders]


def _reader(source: Source) -> str:
    """Return the name of the first reader that recognises the file."""
    if not source.first:
        raise source.error("is empty")
    head = source.head
    if head.text and source.options.describe_a_table:
        return "delimited"
    if what := what_it_is(head):
        raise source.error(f"is {what}, not a trace", remedy="give the file that holds the chromatogram")
    for name, reader in READERS.items():
        if reader.recognise(head):
            return name
    what = "is a binary file of a kind that is not known" if is_binary(source.first) else "holds nothing but blanks"
    raise source.error(what, remedy="gcfit fit --list-formats names what can be read")


def _with_reports(reading: Reading, path: Path | None) -> Reading:
    """Add the peak table that stands beside a file in the run folder of an Agilent program."""
    if path is None or reading.reader not in _REPORTED or path.absolute().parent.suffix.lower() != ".d":
        return reading
    peaks, notes, warnings = peaks_beside(path.absolute().parent, reading.chromatograms)
    return replace(reading, vendor_peaks=peaks, notes=reading.notes + notes, warnings=reading.warnings + warnings)


def _chosen(reading: Reading, name: str, pattern: str | None) -> Reading:
    """Keep the traces that the pattern matches."""
    if pattern is None:
        return reading
    kept = tuple(trace for trace in reading.chromatograms if fnmatchcase(trace.trace, pattern))
    if not kept:
        names = ", ".join(f"'{trace.trace}'" for trace in reading.chromatograms)
        raise InputError(name, f"no trace matches '{pattern}'; there are {names}", remedy="see --trace")
    peaks = tuple(peak for peak in reading.vendor_peaks if fnmatchcase(peak.trace, pattern))
    return replace(reading, chromatograms=kept, vendor_peaks=peaks)
