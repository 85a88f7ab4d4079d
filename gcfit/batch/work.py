"""The one function that is mapped over files, on this machine or on a cluster: read, fit, tabulate, draw.

It takes a path and frozen settings and is found by its name, so that any worker process can run it.
"""

from dataclasses import dataclass, field
from functools import partial

from gcfit.batch.records import FileResult, Picture, Row
from gcfit.chromatogram import Chromatogram
from gcfit.column.system import System
from gcfit.errors import GcfitError
from gcfit.fitting.fit import fit
from gcfit.fitting.records import Fit, FitSettings
from gcfit.fitting.task import WindowMap
from gcfit.formats import ReadOptions, read_file
from gcfit.results import failed_file_row, file_row, peak_rows


@dataclass(frozen=True)
class FileTask:
    """Everything that decides what is made of a file, besides its content.

    `figures` is a suffix, empty for none; `curves` are made for the report.
    """

    system: System | None = None
    settings: FitSettings = field(default_factory=FitSettings)
    reading: ReadOptions = field(default_factory=ReadOptions)
    figures: str = ""
    curves: bool = False


@dataclass(frozen=True)
class Fitted(FileResult):
    """The result of a file and what is to be said of it: assumptions to be checked, and notes for the curious."""

    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def fit_file(path: str, task: FileTask, map_: WindowMap = map) -> Fitted:
    """Fit every trace of a file; a trace that cannot be fitted gets a row with the reason.

    Parameters
    ----------
    path : str
        File, vendor folder, or `-` for standard input.
    task : FileTask
        What to do with it.
    map_ : callable
        Maps a function over groups of windows.

    Raises
    ------
    GcfitError
        If the file cannot be read, or none of its traces can be fitted.
    """
    reading = read_file(path, task.reading)
    tried = [_tried(chromatogram, task, map_) for chromatogram in reading.chromatograms]
    fits = [result for result in tried if isinstance(result, Fit)]
    errors = [result for result in tried if isinstance(result, GcfitError)]
    if errors and not fits:
        raise errors[0]
    row = partial(_row, path=path, assumed="; ".join(reading.warnings))
    return Fitted(
        files=tuple(row(run, result) for run, result in zip(reading.chromatograms, tried, strict=True)),
        peaks=tuple(peak for result in fits for peak in peak_rows(result)),
        pictures=tuple(_picture(result, task.figures) for result in fits) if task.figures else (),
        curves=tuple(map(_curves, tried)) if task.curves else (),
        warnings=(*(f"{path}: {text}" for text in reading.warnings), *map(str, errors)),
        notes=tuple(f"{path}: {text}" for text in (f"read as {reading.reader}", *reading.notes))
        + tuple(f"{result.chromatogram.label}: {text}" for result in fits for text in _notes(result)),
    )


def _tried(chromatogram: Chromatogram, task: FileTask, map_: WindowMap) -> Fit | GcfitError:
    try:
        return fit(chromatogram, task.system, settings=task.settings, map_=map_)
    except GcfitError as error:
        return error


def _row(run: Chromatogram, result: Fit | GcfitError, *, path: str, assumed: str) -> Row:
    if isinstance(result, Fit):
        return file_row(result, message=assumed)
    return failed_file_row(path, str(result), trace=run.trace)


def _notes(result: Fit) -> tuple[str, ...]:
    peaks = sum(peak.found for peak in result.peaks)
    counted = f"{result.chromatogram.time.size} points, {peaks} peaks, noise {result.noise.deviation:.3g}"
    return (counted, *result.chromatogram.notes, *result.notes)


def _curves(result: Fit | GcfitError) -> str:
    from gcfit.report import trace_of

    return trace_of(result) if isinstance(result, Fit) else ""


def _picture(result: Fit, suffix: str) -> Picture:
    from gcfit.figures import overlay, render

    return Picture(result.chromatogram.trace, suffix, render(overlay(result), suffix))
