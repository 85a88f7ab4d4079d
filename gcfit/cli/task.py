"""The one function that `gcfit fit` maps over its files, on this machine or on a cluster: read, fit, tabulate, draw.

It takes a path and frozen settings and is found by its name, so that any worker process can run it. No click here.
"""

from dataclasses import dataclass

from gcfit.batch.records import FileResult, Picture
from gcfit.column.system import System
from gcfit.fitting.fit import fit
from gcfit.fitting.records import Fit, FitSettings
from gcfit.formats import ReadOptions, read_file
from gcfit.results import file_row, peak_rows


@dataclass(frozen=True)
class FileTask:
    """Everything that decides what is made of a file, besides its content; `figures` is a suffix, empty for none."""

    system: System | None
    settings: FitSettings
    reading: ReadOptions
    figures: str = ""


@dataclass(frozen=True)
class Fitted(FileResult):
    """The result of a file and what is to be said of it: assumptions to be checked, and notes for the curious."""

    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def fit_file(path: str, task: FileTask) -> Fitted:
    """Fit every trace of a file.

    Parameters
    ----------
    path : str
        File, vendor folder, or `-` for standard input.
    task : FileTask
        What to do with it.

    Raises
    ------
    InputError
        If the file cannot be read.
    FitError
        If a trace cannot be fitted.
    """
    reading = read_file(path, task.reading)
    fits = [fit(chromatogram, task.system, settings=task.settings) for chromatogram in reading.chromatograms]
    assumed = "; ".join(reading.warnings)
    return Fitted(
        files=tuple(file_row(result, message=assumed) for result in fits),
        peaks=tuple(row for result in fits for row in peak_rows(result)),
        pictures=tuple(_picture(result, task.figures) for result in fits) if task.figures else (),
        warnings=tuple(f"{path}: {text}" for text in reading.warnings),
        notes=tuple(f"{path}: {text}" for text in (f"read as {reading.reader}", *reading.notes))
        + tuple(f"{result.chromatogram.label}: {text}" for result in fits for text in _notes(result)),
    )


def _notes(result: Fit) -> tuple[str, ...]:
    counted = f"{result.chromatogram.time.size} points, {len(result.peaks)} peaks, noise {result.noise.deviation:.3g}"
    return (counted, *result.chromatogram.notes, *result.notes)


def _picture(result: Fit, suffix: str) -> Picture:
    from gcfit.figures import overlay, render

    return Picture(result.chromatogram.trace, suffix, render(overlay(result), suffix))
