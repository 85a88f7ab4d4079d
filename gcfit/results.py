"""Fits to tables, the rows and columns of the peak table and of the file table; and traces thinned for display.

A row is a plain dict with every column of its table, in order; None is an empty cell, "not determined". Nothing is
rounded here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.records import Fit, PeakFit

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, object]
Table = Literal["peaks", "files"]

# the contract's columns are file, trace and the fields of a fitted peak; columns added later stand behind them
_LATER = ("signal_unit", "detection_limit")
PEAK_COLUMNS: tuple[str, ...] = (
    "file",
    "trace",
    *(field.name for field in fields(PeakFit) if field.name not in ("first", "curve", *_LATER)),
    *_LATER,
)
FILE_COLUMNS: tuple[str, ...] = (
    "file",
    "trace",
    "status",
    "points",
    "peaks",
    "duration_s",
    "rate_hz",
    "noise",
    "r_squared",
    "seconds",
    "sha256",
    "message",
)
COLUMNS: dict[Table, tuple[str, ...]] = {"peaks": PEAK_COLUMNS, "files": FILE_COLUMNS}
TEXT_COLUMNS = frozenset({"file", "trace", "name", "model", "status", "message", "signal_unit", "sha256"})
COUNT_COLUMNS = frozenset({"peak", "points", "peaks"})


def peak_rows(fit: Fit) -> list[Row]:
    """Return one row a peak, in the order of the fit, with the columns `PEAK_COLUMNS`.

    Expected components that were not found have a row of the status `not found` behind the peaks.
    """
    return [_peak_row(fit, peak) for peak in fit.peaks]


def _peak_row(fit: Fit, peak: PeakFit) -> Row:
    run = fit.chromatogram
    known: Row = {"file": run.source, "trace": run.trace, "signal_unit": run.signal_unit}
    return {name: known[name] if name in known else getattr(peak, name) for name in PEAK_COLUMNS}


def file_row(fit: Fit, *, sha256: str = "", message: str = "") -> Row:
    """Return the row of a fitted trace, with the columns `FILE_COLUMNS`.

    Parameters
    ----------
    fit : Fit
        The fit; its duration [s], sampling rate [Hz], noise [signal unit], R² and seconds are the row's.
    sha256 : str
        Hash of the file's bytes, where the caller has it.
    message : str
        What the caller has to say; the notes of the run and of the fit follow it.
    """
    run = fit.chromatogram
    values: Row = {
        "file": run.source,
        "trace": run.trace,
        "status": "ok",
        "points": run.time.size,
        "peaks": sum(peak.found for peak in fit.peaks),
        "duration_s": float(run.time[-1] - run.time[0]),
        "rate_hz": 1 / run.sampling_interval,
        "noise": fit.noise.deviation,
        "r_squared": fit.r_squared,
        "seconds": fit.seconds,
        "sha256": sha256,
        "message": "; ".join(part for part in (message, *run.notes, *fit.notes) if part),
    }
    return {name: values[name] for name in FILE_COLUMNS}


def failed_file_row(file: str, message: str, *, trace: str = "", sha256: str = "", seconds: float = 0.0) -> Row:
    """Return the row of a file that could not be read or fitted: status `failed`, the reason, no numbers."""
    known: Row = {
        "file": file,
        "trace": trace,
        "status": "failed",
        "seconds": seconds,
        "sha256": sha256,
        "message": message,
    }
    return {name: known.get(name) for name in FILE_COLUMNS}


def to_frame(rows: Sequence[Mapping[str, object]], table: Table = "peaks") -> pd.DataFrame:
    """Return rows as a DataFrame with the columns of `table` ("peaks" or "files"), also when there is no row.

    Texts are of dtype object, counts `Int64` (which can be empty), all else float64 with NaN for "not determined".
    """
    import pandas as pd  # slow to load; only asked for through the Python API

    columns = COLUMNS[table]
    frame = pd.DataFrame.from_records([dict(row) for row in rows], columns=list(columns))
    kinds = {name: _dtype(name) for name in columns}
    return frame.astype(kinds)


def _dtype(column: str) -> str:
    if column in TEXT_COLUMNS:
        return "object"
    return "Int64" if column in COUNT_COLUMNS else "float64"


def thinned(values: Array, buckets: int) -> NDArray[np.intp]:
    """Return the indices of the points that draw `values` as all of them would, seen at a width of `buckets` pixels.

    Parameters
    ----------
    values : ndarray, shape (n,)
        A curve; NaN is a gap.
    buckets : int
        Number of equal runs of points of which the smallest and the largest value are kept, with the first and the
        last point and the edges of the gaps; apexes and spikes stay where they are.

    Returns
    -------
    ndarray, shape (m,)
        Increasing; all indices if there are not more than four a bucket.
    """
    count = values.size
    if count <= 4 * buckets:
        return np.arange(count)
    width = -(-count // buckets)
    padded = np.concatenate([values, np.full(-count % width, np.nan)]).reshape(-1, width)
    starts = np.arange(padded.shape[0]) * width
    missing = np.isnan(padded)
    lowest = np.where(missing, np.inf, padded).argmin(axis=1) + starts
    highest = np.where(missing, -np.inf, padded).argmax(axis=1) + starts
    edges = np.flatnonzero(np.diff(np.isnan(values)))
    kept = np.zeros(padded.size, dtype=bool)
    for some in (np.array([0, count - 1]), lowest, highest, edges, edges + 1):
        kept[some] = True
    return np.flatnonzero(kept[:count])


TREND_COLUMNS = ("retention_time_s", "area", "k_a_per_s", "k_d_per_s", "plates")


def same_components(rows: Sequence[Mapping[str, object]]) -> dict[str, list[int]]:
    """Return the positions of the rows that belong together over the files, by component, in order of appearance.

    Peaks belong together by name within a trace; peaks without a name by their number. The label names the trace
    only where there is more than one and it has a name.
    """
    several = len({row["trace"] for row in rows}) > 1
    groups: dict[str, list[int]] = {}
    for position, row in enumerate(rows):
        name = str(row["name"] or f"peak {row['peak']}")
        groups.setdefault(f"{name} [{row['trace']}]" if several and row["trace"] else name, []).append(position)
    return groups


def control_limits(values: Sequence[float]) -> tuple[float, float, float] | None:
    """Return mean, mean - 3 s and mean + 3 s, s the sample standard deviation; None for fewer than two values."""
    if len(values) < 2:
        return None
    if min(values) == max(values):  # their mean need not be the value to the last bit
        return values[0], values[0], values[0]
    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    return mean, mean - 3 * spread, mean + 3 * spread
