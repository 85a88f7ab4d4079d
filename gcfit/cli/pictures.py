"""What `gcfit plot` draws, by the kind of what is given. No click here; loaded when a figure is due."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from gcfit.chromatogram import Chromatogram
from gcfit.cli.output import say
from gcfit.cli.peak_table import read_peak_table, rows_of
from gcfit.cli.plot import Choice, Style
from gcfit.cli.solver_rows import concentration_unit
from gcfit.column.flow import Flow, flow_of
from gcfit.column.system import System, VelocityModel, read_system
from gcfit.errors import InputError
from gcfit.figures import GasProfile, Outlet, multiples, overlay, system_figure, trends
from gcfit.fitting.fit import fit
from gcfit.fitting.records import Fit, FitSettings
from gcfit.fitting.restore import restored
from gcfit.formats import ReadOptions, read_file
from gcfit.results import TREND_COLUMNS

POSITIONS = 400
FEWEST = 3  # points of a chromatogram
VELOCITIES: tuple[VelocityModel, ...] = ("variable", "constant")
PROFILES_AT = (0.25, 0.5, 0.75)  # of the apex of the first peak


@dataclass(frozen=True)
class Asked:
    """Everything that is known when a figure is drawn."""

    files: Sequence[str]
    choice: Choice
    style: Style
    system: System | None
    settings: FitSettings
    reading: ReadOptions

    def looks(self, title: str) -> dict[str, Any]:
        """Arguments that every figure takes; `title` is that of the figure unless the user gives one."""
        style = self.style
        shown = title if style.title is None else style.title
        return {"title": shown, "size": style.size, "dpi": style.dpi, "theme": style.theme}


def picture(
    kind: str,
    files: Sequence[str],
    choice: Choice,
    style: Style,
    system: System | None,
    settings: FitSettings,
    reading: ReadOptions,
) -> Figure:
    """Draw the figure of a kind, which is a key of `gcfit.cli.plot.KINDS`, from the files.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    return _KINDS[kind](Asked(files, choice, style, system, settings, reading))


def _overlay(asked: Asked) -> Figure:
    return _drawn(fit(_the_trace(asked.files[0], asked.reading), asked.system, settings=asked.settings), asked)


def _drawn(result: Fit, asked: Asked) -> Figure:
    looks = asked.looks("") | {"title": asked.style.title}
    return overlay(result, zoom=asked.choice.zoom, time_unit=asked.style.axis_unit, **looks)


def _restored(asked: Asked) -> Figure:
    """The fit that a table describes; what may be wrong about it is said."""
    run, table = _the_trace(asked.files[0], asked.reading), str(asked.choice.table)
    rows = rows_of(run, table)
    other = str(rows[0]["file"]) if rows else "-"
    if other != "-" and Path(other).name != Path(run.source).name:
        say(f"{table}: its peaks are those of {other}")
    result = restored(run, rows, asked.system, settings=asked.settings)
    if result.notes:
        more = f" and {len(result.notes) - 1} more like it" if len(result.notes) > 1 else ""
        say(f"{run.label}: {result.notes[0]}{more}")
    return _drawn(result, asked)


def _the_trace(path: str, reading: ReadOptions) -> Chromatogram:
    runs = read_file(path, reading).chromatograms
    if len(runs) > 1:
        names = ", ".join(repr(run.trace) for run in runs)
        raise InputError(path, f"holds {len(runs)} traces: {names}", remedy="choose one with --trace")
    return runs[0]


def _multiples(asked: Asked) -> Figure:
    runs = [_cut(run, asked.settings) for path in asked.files for run in read_file(path, asked.reading).chromatograms]
    same = asked.choice.same_scale
    return multiples(runs, same_scale=same, time_unit=asked.style.axis_unit, **asked.looks(""))


def _cut(run: Chromatogram, settings: FitSettings) -> Chromatogram:
    """The run between the times `start` and `end` [s] of the settings."""
    first = -np.inf if settings.start is None else settings.start
    last = np.inf if settings.end is None else settings.end
    inside = (run.time >= first) & (run.time <= last)
    if inside.sum() < FEWEST:
        remedy = f"the run goes from {run.time[0]:g} s to {run.time[-1]:g} s"
        raise InputError(run.label, f"only {inside.sum()} points between start and end", remedy=remedy)
    return run if inside.all() else replace(run, time=run.time[inside], signal=run.signal[inside])


def _trends(asked: Asked) -> Figure:
    rows = read_peak_table(asked.files[0])
    columns = asked.choice.quantity or TREND_COLUMNS
    return trends(rows, columns=columns, components=asked.choice.component, **asked.looks(Path(asked.files[0]).name))


def _system(asked: Asked) -> Figure:
    from gcfit.column.numerical import solve
    from gcfit.column.simulate import simulate

    system = read_system(asked.files[0])
    # the slower model's peaks come later than the end that the file gives for its own
    quiet = replace(system, detector=replace(system.detector, noise=0.0, until=None))
    outlets = []
    for model in VELOCITIES:
        run = simulate(quiet, velocity_model=model)
        outlets.append(Outlet(model, run.time, run.signal, run.components, system.detector.baseline))
    for note in run.chromatogram.notes:
        say(f"{system.source}: of the chromatograms: {note.split(';')[0]}")
    times = asked.choice.times
    if times is None:
        times = _rounded_times(outlets[0])
    profiles = solve(system, times, profile_times=times).profiles if times else ()
    unit = concentration_unit(system)
    looks = asked.looks(Path(asked.files[0]).name) | {"concentration_unit": unit, "time_unit": asked.style.axis_unit}
    return system_figure(_gas(system), outlets, profiles, **looks)


def _rounded_times(outlet: Outlet) -> tuple[float, ...]:
    """Parts of the apex time of the first peak, to two digits; none where there is no peak."""
    apexes = [float(outlet.time[curve.argmax()]) for curve in outlet.components.values() if curve.any()]
    return tuple(float(f"{share * min(apexes):.2g}") for share in PROFILES_AT) if apexes else ()


def _gas(system: System) -> GasProfile:
    position = np.linspace(0.0, system.column.length, POSITIONS)
    flows: dict[str, Flow] = {model: flow_of(system, model) for model in VELOCITIES}
    velocities = {model: flow.velocity(position) for model, flow in flows.items()}
    return GasProfile(position, flows["variable"].pressure(position), velocities)


_KINDS: dict[str, Callable[[Asked], Figure]] = {
    "chromatogram": _overlay,
    "restored": _restored,
    "chromatograms": _multiples,
    "table": _trends,
    "system": _system,
}
