"""The table of `gcfit compare CHROMATOGRAM`: one row for each way of fitting, the areas beside each other. No click."""

from collections.abc import Sequence
from math import nan

import numpy as np

from gcfit.fitting.comparison import Trial
from gcfit.fitting.pairing import nearest_pairs
from gcfit.fitting.records import PeakFit
from gcfit.results import PEAK_COLUMNS, Row, peak_rows

COLUMNS = (
    *("file", "trace", "model", "strategy", "solver", "peaks", "parameters", "r_squared", "bic", "delta_bic"),
    *("area", "seconds", "message"),
)
AREA = "area_"
WAY_COLUMNS = ("way", "strategy", "solver")
PEAKS = (*WAY_COLUMNS, *PEAK_COLUMNS)


def model_rows(trials: Sequence[Trial]) -> list[Row]:
    """Return one row a trial: `COLUMNS`, then the area of each peak of the trial with the least criterion.

    A peak's column is `area_NAME`, or `area_119.19_s` after its retention time where it has no name; a trial that
    has no such peak within half its width leaves it empty.
    """
    best = min(trials, key=lambda trial: np.inf if trial.bic is None else trial.bic)
    wanted = [peak for peak in best.fit.peaks if peak.area is not None and peak.retention_time_s is not None]
    return [_row(trial, best) | _areas(trial.fit.peaks, wanted) for trial in trials]


def columns_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the columns of some rows: `COLUMNS`, then those of the areas in order of appearance."""
    return tuple(dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)]))


def peaks_of(trials: Sequence[Trial]) -> list[Row]:
    """Return the peak tables of all trials, with the columns `PEAKS`: `way` is the model that was asked for."""
    return [
        {"way": trial.way.model, "strategy": trial.way.strategy, "solver": trial.way.solver, **row}
        for trial in trials
        for row in peak_rows(trial.fit)
    ]


def _row(trial: Trial, best: Trial) -> Row:
    run, way = trial.fit.chromatogram, trial.way
    found = [peak.area for peak in trial.fit.peaks if peak.area is not None]
    return {
        "file": run.source,
        "trace": run.trace,
        "model": way.model,
        "strategy": way.strategy,
        "solver": way.solver if way.model.startswith(("laplace", "auto")) else "",
        "peaks": len(found),
        "parameters": trial.parameters,
        "r_squared": trial.r_squared,
        "bic": trial.bic,
        "delta_bic": None if trial.bic is None or best.bic is None else trial.bic - best.bic,
        "area": float(sum(found)),
        "seconds": trial.seconds,
        "message": "; ".join(trial.fit.notes),
    }


def _areas(peaks: Sequence[PeakFit], wanted: Sequence[PeakFit]) -> Row:
    there, here = (np.array([_time(peak) for peak in some]) for some in (wanted, peaks))
    reach = np.array([(peak.fwhm_s or 0.0) / 2 for peak in wanted])
    partners = nearest_pairs(there, here, reach)
    return {
        _area_column(peak): peaks[partners[place]].area if place in partners else None
        for place, peak in enumerate(wanted)
    }


def _time(peak: PeakFit) -> float:
    return nan if peak.retention_time_s is None else peak.retention_time_s


def _area_column(peak: PeakFit) -> str:
    return f"{AREA}{peak.name or f'{peak.retention_time_s:.2f}_s'}"
