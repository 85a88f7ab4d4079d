"""What `gcfit compare` does: solve or fit, put the table on stdout, and the table and figures into a folder."""

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from gcfit.cli.options import as_wrong_use
from gcfit.cli.output import Layout, Row, put_table, say
from gcfit.errors import InputError, OutputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gcfit.chromatogram import Chromatogram
    from gcfit.column.system import System
    from gcfit.fitting.comparison import Trial, Way
    from gcfit.fitting.records import Fit, FitSettings
    from gcfit.formats import Reading, ReadOptions

EXCEEDED = 1
NO_TABLE = "holds no peak table of the vendor's program"
VENDOR = "the vendor's peak table beside the fit; --with models compares peak models"


@dataclass(frozen=True)
class Asked:
    """A chromatogram and how it is to be compared: the values of the command's options."""

    source: str
    beside: Literal["models", "numerical", "vendor"] | None
    models: tuple[str, ...]
    strategies: tuple[Literal["pairs", "simultaneous"], ...]
    system: "System | None"
    settings: "FitSettings"
    reading: "ReadOptions"


@dataclass(frozen=True)
class Place:
    """Where a table goes, besides stdout: a folder or None, and the layout of stdout."""

    folder: str | None
    layout: Layout

    def put(self, rows: Sequence[Row], columns: Sequence[str]) -> None:
        """Write the table to stdout and as `comparison.csv` into the folder."""
        put_table(rows, columns, "-", self.layout)
        self.keep("comparison.csv", rows, columns)

    def keep(self, name: str, rows: Sequence[Row], columns: Sequence[str]) -> None:
        """Write a table into the folder, if there is one: CSV, of the decimal mark and the first bytes of stdout."""
        if self.folder is not None:
            plain = replace(self.layout, format=None, columns=None, digits=None)
            put_table(rows, columns, str(self._made() / name), plain)

    def draw(self, figures: "Iterable[tuple[str, Figure]]") -> None:
        """Write figures into the folder, if there is one, each under its name."""
        if self.folder is None:
            return
        from gcfit.figures import save

        for name, figure in figures:
            save(figure, self._made() / f"{name}.png")

    def _made(self) -> Path:
        folder = Path(self.folder or ".")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            found = f"{folder}: cannot be made: {error.strerror}; choose another folder with -o"
            raise OutputError(found) from error
        return folder


def solvers(system: "System", tolerance: float | None, place: Place) -> int:
    """Compare the solvers on a system; return the exit code."""
    from gcfit.cli.solver_rows import COLUMNS, SCALES, concentration_unit, scale_rows, solver_figures, solver_rows
    from gcfit.column.comparison import compare, worst

    place.layout.chosen(COLUMNS)  # a wrong name is told before the work
    compared = list(compare(system))
    place.put(solver_rows(compared), COLUMNS)
    place.keep("scales.csv", scale_rows(system), SCALES)
    place.draw(solver_figures(compared, concentration_unit(system)))
    if tolerance is None or worst(compared) <= tolerance:
        return 0
    say(f"the largest difference is {worst(compared):.3g} of the apex, above the tolerance {tolerance:g}")
    return EXCEEDED


def runs(asked: Asked, place: Place) -> int:
    """Compare models, or the vendor's peaks with the fitted ones, on every trace of a file; return the exit code."""
    from gcfit.formats import read_file

    reading = read_file(asked.source, asked.reading)
    for text in reading.warnings:
        say(f"{asked.source}: {text}")
    if asked.beside == "vendor" and not reading.vendor_peaks:
        raise InputError(asked.source, NO_TABLE, remedy="leave out --with vendor")
    if asked.beside is None and reading.vendor_peaks:
        say(f"{asked.source}: {VENDOR}")
    if asked.beside == "vendor" or (asked.beside is None and reading.vendor_peaks):
        _vendor(asked, reading, place)
    else:
        _models(asked, reading.chromatograms, place)
    return 0


def _models(asked: Asked, traces: "Sequence[Chromatogram]", place: Place) -> None:
    from gcfit.cli.model_rows import AREA, COLUMNS, PEAKS, columns_of, model_rows, peaks_of
    from gcfit.fitting.comparison import NUMERICAL, compare_models, refuse_unsolvable, ways_of
    from gcfit.fitting.fit import completed

    wanted = [name.strip() for name in (place.layout.columns or "").split(",")]
    place.layout.chosen([*COLUMNS, *(name for name in wanted if name.startswith(AREA))])
    with as_wrong_use():
        ways = ways_of(asked.models, asked.strategies) + ((NUMERICAL,) if asked.beside == "numerical" else ())
    refuse_unsolvable(ways, completed(asked.settings, asked.system))
    sets = [
        compare_models(trace, asked.system, settings=asked.settings, ways=_watched(ways, trace.label))
        for trace in traces
    ]
    rows = [row for trials in sets for row in model_rows(trials)]
    place.put(rows, columns_of(rows))
    place.keep("peaks.csv", [row for trials in sets for row in peaks_of(trials)], PEAKS)
    for prefix, trials in zip(_prefixes(traces), sets, strict=True):
        place.draw(_model_figures(trials, prefix))


def _vendor(asked: Asked, reading: "Reading", place: Place) -> None:
    from gcfit.cli.vendor_rows import COLUMNS, vendor_rows
    from gcfit.fitting.fit import fit

    place.layout.chosen(COLUMNS)
    if len(asked.models) > 1 or asked.strategies:
        raise click.UsageError("the vendor's peaks stand beside one fit: give one --model at most, no --strategy.")
    settings = replace(asked.settings, model=asked.models[0]) if asked.models else asked.settings
    astray = [peak.trace for peak in reading.vendor_peaks if peak.trace not in {t.trace for t in reading.chromatograms}]
    if astray:
        names = ", ".join(dict.fromkeys(astray))
        say(f"{asked.source}: {len(astray)} peaks of the vendor's table belong to no trace of the file: {names}")
    fits = [fit(trace, asked.system, settings=settings) for trace in reading.chromatograms]
    listed = [[peak for peak in reading.vendor_peaks if peak.trace == one.chromatogram.trace] for one in fits]
    place.put([row for one, peaks in zip(fits, listed, strict=True) for row in vendor_rows(one, peaks)], COLUMNS)
    place.draw(_fit_figures(fits, _prefixes(reading.chromatograms)))


def _watched(ways: "Sequence[Way]", label: str) -> "Iterator[Way]":
    """Yield ways of fitting, with a bar that shows how many are left where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield from ways
        return
    with click.progressbar(ways, label=label, file=sys.stderr) as bar:
        yield from bar


def _model_figures(trials: "Sequence[Trial]", prefix: str) -> "Iterator[tuple[str, Figure]]":
    """Yield all ways in one figure, and the overlay of each."""
    from gcfit.figures.models import models_figure
    from gcfit.figures.overlay import overlay, title_of

    title = title_of(trials[0].fit)
    if any(trial.bic is not None for trial in trials):
        yield f"{prefix}models", models_figure(trials, title=title)
    for trial in trials:
        way = trial.way
        name = "_".join([way.model, way.strategy, *(["numerical"] if way.solver == "numerical" else [])])
        yield prefix + name, overlay(trial.fit, title=": ".join(filter(None, [title, name.replace("_", ", ")])))


def _fit_figures(fits: "Sequence[Fit]", prefixes: Sequence[str]) -> "Iterator[tuple[str, Figure]]":
    from gcfit.figures import overlay

    for prefix, one in zip(prefixes, fits, strict=True):
        yield f"{prefix}fit", overlay(one)


def _prefixes(traces: "Sequence[Chromatogram]") -> list[str]:
    """What tells the figures of several traces apart: the number of each trace and its name."""
    if len(traces) == 1:
        return [""]
    names = [re.sub(r"\W+", "_", trace.trace).strip("_") for trace in traces]
    return ["_".join(filter(None, (str(number), name, ""))) + "_" for number, name in enumerate(names, 1)]
