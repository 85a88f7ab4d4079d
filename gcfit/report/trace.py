"""The curves of one fit for the report: thinned so that apexes stay, counted in steps finer than the noise."""

import json
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.records import Fit
from gcfit.results import thinned

BUCKETS = 300  # of the whole run: the page shows it about a thousand pixels wide
PEAK_BUCKETS = 14  # at least so many of each peak, so that it can be enlarged
Index = NDArray[np.intp]


def trace_of(fit: Fit) -> str:
    """Return the curves of a fit as JSON text (ASCII).

    Keys: `t` the times, `y` the signal, `b` the local baselines, `p` the peaks in the order of the fit, `noise` and
    `unit`. A curve is {"o": offset, "s": step, "d": differences}: value j is o + s times the sum of the first j + 1
    differences. Baselines and peaks are lists of runs, each with `i`, the position of its first value among the
    times. Steps are a sixteenth of the noise, or 1/50,000 of the signal's range where that is coarser.
    """
    run, kept = fit.chromatogram, kept_points(fit)
    step = _step(run.signal, fit.noise.deviation)
    interval = run.sampling_interval
    content = {
        "t": _counted(run.time[kept], interval if _is_uniform(run.time, interval) else interval / 50),
        "y": _counted(run.signal[kept], step),
        "b": _runs(fit.baseline[kept], step, ~np.isnan(fit.baseline[kept])),
        "p": [_peak(peak.first, peak.curve, kept, step) for peak in fit.peaks],
        "noise": fit.noise.deviation,
        "unit": run.signal_unit,
    }
    return json.dumps(content, separators=(",", ":"), allow_nan=False)


def kept_points(fit: Fit) -> Index:
    """Return the indices of the points that are shown: extremes everywhere, more of them on the peaks, every apex."""
    kept = np.zeros(fit.baseline.size, dtype=bool)
    kept[thinned(fit.chromatogram.signal, BUCKETS)] = True
    kept[thinned(fit.baseline, 2)] = True
    for peak in fit.peaks:
        if peak.curve.size:
            kept[thinned(peak.curve, PEAK_BUCKETS) + peak.first] = True
    return np.flatnonzero(kept)


def _step(signal: Array, noise: float) -> float:
    span = float(np.ptp(signal)) or max(abs(float(signal[0])), 1.0)
    return min(span / 5e4, noise / 16) if noise > span / 1e8 else span / 5e4


def _is_uniform(time: Array, interval: float) -> bool:
    counts = (time - time[0]) / interval
    return bool(np.abs(counts - np.rint(counts)).max() < 0.02)


def _counted(values: Array, step: float) -> dict[str, object]:
    """Values as differences of whole numbers of steps from the first."""
    offset = float(values[0])
    counts = np.rint((values - offset) / step).astype(np.int64)
    return {"o": offset, "s": step, "d": np.diff(counts, prepend=0).tolist()}


def _runs(values: Array, step: float, present: NDArray[np.bool_]) -> list[dict[str, object]]:
    """One counted curve for each stretch of `present` values."""
    edges = [0, *(np.flatnonzero(np.diff(present)) + 1).tolist(), values.size]
    return [{"i": a} | _counted(values[a:b], step) for a, b in pairwise(edges) if present[a]]


def _peak(first: int, curve: Array, kept: Index, step: float) -> list[dict[str, object]]:
    present = (kept >= first) & (kept < first + curve.size)
    if not np.isfinite(curve).all() or not present.any():
        return []
    values = np.zeros(kept.size)
    values[present] = curve[kept[present] - first]
    return _runs(values, step, present)
