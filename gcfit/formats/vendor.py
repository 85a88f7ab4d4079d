"""Binary files of Agilent and Waters, through the optional package rainbow-api (extra `vendor`).

Single ChemStation channels (`*.ch`, versions 30, 130, 179, 181) and whole run folders (`*.D`, `*.raw`). A folder gives
the traces of its detectors with one signal each, named by their files, and the total ion current of a mass
spectrometer; spectra over many wavelengths, pumps and ovens are left out. Peaks are those of a report in the folder.
"""

import math
import re
import struct
import tempfile
import warnings as python_warnings
from pathlib import Path
from typing import Any

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.errors import InputError, MissingExtraError
from gcfit.formats import clean
from gcfit.formats.records import Reading, ReadOptions
from gcfit.formats.reports import peaks_beside
from gcfit.formats.source import Head, Source

_VERSIONS = (b"\x03179", b"\x03181", b"\x03130", b"\x0230")
_TIMES = 0x11A  # first and last time [ms], 32-bit floats in versions 179 and 181, integers in 30 and 130
_LONGEST = 30 * 86_400_000.0  # ms
_RUN_FILES = (".ch", ".uv", ".ms")
_WATERS = re.compile(r"_func\d{3}\.dat|_functns\.inf|_header\.txt", re.IGNORECASE)


def recognise(head: Head) -> bool:
    """Know a ChemStation channel by its version at the start."""
    return head.raw.startswith(_VERSIONS) and len(head.raw) > 0x1800


def is_run_folder(path: str | Path) -> bool:
    """Whether a folder is one run of a binary vendor format, to be read as a whole by `read_folder`."""
    try:
        names = [entry.name for entry in Path(path).iterdir()] if Path(path).is_dir() else []
    except OSError:
        return False
    agilent = any(name.lower() == "acqdata" or name.lower().endswith(_RUN_FILES) for name in names)
    return agilent or any(_WATERS.fullmatch(name) for name in names)


def read(source: Source) -> Reading:
    """Read one ChemStation channel.

    Raises
    ------
    MissingExtraError
        If rainbow-api is not installed.
    InputError
        If the file is damaged.
    """
    content = source.content()
    _check_times(source, content)
    with tempfile.TemporaryDirectory() as folder:  # what comes unpacked or from a pipe has no file of its own
        copy = Path(folder) / "channel.ch"
        copy.write_bytes(content)
        file, notes = _guarded(source.name, lambda rainbow: rainbow.agilent.chemstation.parse_ch(str(copy)))
    if file is None:
        raise source.error("is a ChemStation channel of a version that is not known")
    name = re.sub(r"\.(gz|bz2|xz)$", "", Path(source.name).name, flags=re.IGNORECASE)
    trace = _trace(source.name, source.options, file, "" if source.name == "-" else Path(name).stem)
    return Reading((trace,), "agilent-ch", notes=("ChemStation channel, through rainbow-api", *notes))


def read_folder(path: str | Path, options: ReadOptions) -> Reading:
    """Read the run that a vendor's folder holds.

    Raises
    ------
    MissingExtraError
        If rainbow-api is not installed.
    InputError
        If it holds no detector trace, or is damaged.
    """
    path = Path(path)
    for file in sorted(path.glob("*.[cC][hH]")):
        with file.open("rb") as stream:
            _check_times(Source(str(file), options, stream), stream.read(0x1800))
    run, notes = _guarded(str(path), lambda rainbow: rainbow.read(str(path)))
    traces, aside = [], []
    for file in run.datafiles:
        if file.detector == "MS":
            traces.append(_trace(str(path), options, file, "TIC" if len(file.data.shape) > 1 else Path(file.name).stem))
        elif file.data.ndim == 1 or file.data.shape[1] == 1:
            traces.append(_trace(str(path), options, file, Path(file.name).stem))
        else:
            aside.append(file.name)
    if not traces:
        raise InputError(str(path), "a run folder without a trace of a detector")
    if aside:
        notes += (f"left out: {', '.join(aside)} (spectra)",)
    notes = ("run folder, through rainbow-api", *notes)
    peaks, told, doubts = peaks_beside(path, traces)
    return Reading(tuple(clean.named_apart(traces)), "vendor-folder", peaks, (*notes, *told), doubts)


def _guarded(name: str, call: Any) -> tuple[Any, tuple[str, ...]]:
    """Call rainbow; returns its answer and what it warned of."""
    try:
        import rainbow
        import rainbow.agilent.chemstation
    except ImportError as error:
        raise MissingExtraError(f"{name}: reading binary vendor files", "vendor") from error
    with python_warnings.catch_warnings(record=True) as caught:
        python_warnings.simplefilter("always")
        damage = ""
        try:
            found = call(rainbow)
        except Exception as error:  # noqa: BLE001  rainbow raises plain `Exception`, and anything on a damaged file
            damage = str(error) or type(error).__name__
    if damage:
        raise InputError(name, f"is a damaged vendor file: {damage}")
    said = (warning for warning in caught if not issubclass(warning.category, ResourceWarning))  # files it left open
    return found, tuple(str(warning.message) for warning in said)


def _check_times(source: Source, content: bytes) -> None:
    """Refuse a channel whose first and last time would make rainbow build an endless axis."""
    if not content.startswith(_VERSIONS):
        return
    if len(content) < 0x1800:
        raise source.error(f"a ChemStation channel of {len(content)} bytes, cut within its header")
    floats = content.startswith((b"\x03179", b"\x03181"))
    first, last = struct.unpack_from(">ff" if floats else ">ii", content, _TIMES)
    if not (math.isfinite(first) and math.isfinite(last) and -_LONGEST < first < last - 1.0 < _LONGEST):
        raise source.error(f"a ChemStation channel from {first:g} to {last:g} ms", place="header")


def _trace(name: str, options: ReadOptions, file: Any, trace: str) -> Chromatogram:
    """Make a trace of a rainbow data file, whose times are in minutes."""
    signal = np.asarray(file.data, dtype=np.float64)
    signal = signal if signal.ndim == 1 else signal.sum(axis=1)
    time, signal = _matched(np.asarray(file.xlabels, dtype=np.float64), signal)
    unit = options.time_unit if options.time_unit != "auto" else "min"
    signal_unit = str(file.metadata.get("unit", ""))[:24]
    return clean.trace(name, time, signal, unit=unit, signal_unit=signal_unit, name=trace)


def _matched(time: Array, signal: Array) -> tuple[Array, Array]:
    """Return as many times as signals.

    In version 181 a value repeated at the end fills the file up and is none of the run; the number of times, which
    rainbow infers from the length of the file, is replaced where it is wrong, first and last time being in the header.
    """
    if signal.size == time.size + 1 and signal[-1] == signal[-2]:
        signal = signal[:-1]
    if signal.size != time.size and min(signal.size, time.size) > 1:
        time = np.linspace(time[0], time[-1], signal.size)
    return time, signal
