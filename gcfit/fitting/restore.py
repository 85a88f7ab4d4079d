"""Fitted peaks from a peak table: the curves again without the search, to be looked at.

A table holds what a peak does, its apex, width and additions, not the coordinates of its model: those two that stand
for retention and width are found such that apex and width at half height are those of the table.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.column.system import System
from gcfit.errors import FitError, GcfitError, InputError, SolverError
from gcfit.fitting.bases import base_columns
from gcfit.fitting.defects import Mask, find_defects
from gcfit.fitting.fit import completed, r_squared
from gcfit.fitting.models import Known, curve, feasible
from gcfit.fitting.noise import estimate_noise
from gcfit.fitting.records import Fit, FitSettings, Noise, PeakFit, Polarity
from gcfit.fitting.registry import MODELS
from gcfit.fitting.sampling import Sampling
from gcfit.fitting.suitability import shape_of

FINE = 40  # points per width at half height of the curve whose apex and width are compared
EXACT = 5e-6  # of the width, far below what a figure shows; strongly loaded curves are good to about 1e-6
MOST_STEPS = 60
BASE_ORDERS = (2, 3, 4, 6, 8, 11)
_RECORD = [field.name for field in fields(PeakFit) if field.name not in ("first", "curve")]
_NO_CURVE: Array = np.empty(0)


def restored(
    chromatogram: Chromatogram,
    rows: Sequence[Mapping[str, object]],
    system: System | None = None,
    *,
    settings: FitSettings | None = None,
) -> Fit:
    """Return the fit that rows of a peak table describe.

    Parameters
    ----------
    chromatogram : Chromatogram
    rows : sequence of mappings
        Rows of the peak table that belong to it.
    system, settings
        Those of the fit, for hold-up time and injection.

    Returns
    -------
    Fit
        The peaks of the table; a row that does not say enough has no curve, and one whose curve is not found has a
        note. The baseline of each window is fitted to
        what the peaks leave.

    Raises
    ------
    FitError, SolverError
        If no row's model has a curve with its apex and width, or one that can be computed.
    InputError
        If a window of the table holds no data.
    """
    asked = completed(settings or FitSettings(), system)
    asked = replace(asked, polarity=_polarity(rows))
    hold_up = min(0.0, float(chromatogram.time[0])) if asked.hold_up is None else asked.hold_up
    known = Known(hold_up, asked.injection or 0.0)
    peaks, without = _peaks(chromatogram, rows, known)
    noise = estimate_noise(chromatogram.time, chromatogram.signal)
    masked = find_defects(chromatogram.signal, noise).towards(asked.polarity)
    baseline = np.full(chromatogram.time.size, np.nan)
    for inside in _windows(chromatogram, peaks):
        baseline[inside] = _baseline(chromatogram, peaks, inside, noise, ~masked.unfit[inside])
    r2 = r_squared(chromatogram.signal, baseline, peaks, masked)
    return Fit(chromatogram, asked, peaks, noise, baseline, r2, 0.0, notes=without)


def _polarity(rows: Sequence[Mapping[str, object]]) -> Polarity:
    """To which sides the peaks of the rows point."""
    heights = [height for height in (_record(row).height for row in rows) if height]
    if any(height < 0 for height in heights):
        return "both" if any(height > 0 for height in heights) else "negative"
    return "positive"


def _peaks(
    run: Chromatogram, rows: Sequence[Mapping[str, object]], known: Known
) -> tuple[tuple[PeakFit, ...], tuple[str, ...]]:
    peaks: list[PeakFit] = []
    errors: list[GcfitError] = []
    for row in rows:
        try:
            peaks.append(_peak(run, row, known))
        except (FitError, SolverError) as error:
            errors.append(error)
            peaks.append(_record(row))
    if errors and not any(peak.curve.size for peak in peaks):
        raise errors[0]
    return tuple(peaks), tuple(map(str, errors))


def _record(row: Mapping[str, object]) -> PeakFit:
    values = {name: row.get(name) for name in _RECORD}
    texts = {name: values[name] or "" for name in ("name", "model", "status", "message")}
    return PeakFit(**(values | texts | {"first": 0, "curve": _NO_CURVE}))  # type: ignore[arg-type]


def _peak(run: Chromatogram, row: Mapping[str, object], known: Known) -> PeakFit:
    record = _record(row)
    coordinates = _coordinates(record, known)
    if coordinates is None or record.area is None:
        return record
    inside = _points(run, record)
    shape = curve(MODELS[record.model], coordinates, Sampling.of(run.time[inside]), known)
    return replace(record, first=inside.start + shape.first, curve=record.area * shape.rows[0])


def _points(run: Chromatogram, peak: PeakFit) -> slice:
    """The points of a peak's window."""
    start, end = peak.window_start_s, peak.window_end_s
    if start is None or end is None:
        start, end = float(run.time[0]), float(run.time[-1])
    slack = 0.01 * run.sampling_interval
    inside = slice(*np.searchsorted(run.time, [start - slack, end + slack]).tolist())
    if inside.stop - inside.start < 3:
        found = f"the window {start:g} to {end:g} s of peak {peak.peak} holds no data"
        raise InputError(run.label, found, remedy="give the table of this chromatogram")
    return inside


def _coordinates(peak: PeakFit, known: Known) -> Array | None:
    """Coordinates of the model with the apex, width and additions of the table; None where it does not say them."""
    additions = _additions(peak)
    if additions is None or peak.retention_time_s is None or peak.fwhm_s is None:
        return None
    apex, width = peak.retention_time_s, peak.fwhm_s
    start = np.array([apex, math.log(width / math.sqrt(8 * math.log(2))), *additions])
    found = _solved(start, np.array([width, 1.0]), lambda at: _missing(peak, at, known))
    if found is not None:
        return found
    model = f"no curve of the model {peak.model} has the apex {apex:g} s and the width {width:g} s"
    raise FitError(f"peak {peak.peak}: {model} of the table; give the hold-up time and injection of the fit")


def _solved(start: Array, scale: Array, missing: Callable[[Array], Array | None]) -> Array | None:
    """Change the first two coordinates until nothing is missing (Broyden's method); None where that does not end.

    `missing` is nearly minus the identity in coordinates of `scale`: both shift the curve and widen it. `start` has
    a value of it, and where a step leads to none, half of it is tried.
    """
    at, jacobian = start.copy(), -np.eye(2)
    wanted = missing(at)
    for _ in range(MOST_STEPS):
        if wanted is None or np.abs(wanted).max() < EXACT:
            break
        step = np.asarray(np.linalg.solve(jacobian, -wanted), dtype=np.float64)
        step = step / max(1.0, float(np.abs(step).max()))
        next_at, reached = _stepped(at, scale, step, missing)
        if reached is None:
            return None
        step = (next_at - at)[:2] / scale
        jacobian += np.outer(reached - wanted - jacobian @ step, step) / (step @ step)
        at, wanted = next_at, reached
    return None if wanted is None or np.abs(wanted).max() >= EXACT else at


def _stepped(
    at: Array, scale: Array, step: Array, missing: Callable[[Array], Array | None]
) -> tuple[Array, Array | None]:
    for halved in range(6):
        tried = at.copy()
        tried[:2] += scale * step / 2**halved
        reached = missing(tried)
        if reached is not None:
            break
    return tried, reached


def _missing(peak: PeakFit, at: Array, known: Known) -> Array | None:
    """What the curve at these coordinates lacks of the table's apex, in widths, and of the logarithm of its width."""
    found = _apex_and_width(peak, at, known)
    if found is None:
        return None
    apex, width = peak.retention_time_s or 0.0, peak.fwhm_s or 0.0
    return np.array([(apex - found[0]) / width, math.log(width / found[1])])


def _additions(peak: PeakFit) -> list[float] | None:
    if peak.model not in MODELS:
        return None
    known: dict[str, float] = {}
    if peak.site_n and peak.site_k_d_per_s:
        known["log_site_delay"] = math.log(peak.site_n / peak.site_k_d_per_s)
        known["log_site_time"] = -math.log(peak.site_k_d_per_s)
    if peak.tail_s:
        known["log_tail"] = math.log(peak.tail_s)
    if peak.loading is not None:
        known["loading"] = peak.loading
    names = MODELS[peak.model].parameters[2:]
    return [known[name] for name in names] if set(names) <= set(known) else None


def _apex_and_width(peak: PeakFit, at: Array, known: Known) -> tuple[float, float] | None:
    if not feasible(MODELS[peak.model], at, known):
        return None
    width, apex = peak.fwhm_s or 0.0, peak.retention_time_s or 0.0
    reach = 6 * width + known.injection
    sampling = Sampling.of(np.arange(apex - reach, apex + reach, width / FINE))
    found = curve(MODELS[peak.model], at, sampling, known)
    if found.rows.shape[1] < 5:
        return None
    shape = shape_of(sampling.time[found.first : found.last], found.rows)
    return None if shape is None or shape.half_width is None else (shape.apex, shape.half_width)


def _windows(run: Chromatogram, peaks: Iterable[PeakFit]) -> list[slice]:
    drawn = [_points(run, peak) for peak in peaks if peak.curve.size]
    return [slice(*ends) for ends in sorted({(points.start, points.stop) for points in drawn})]


def _baseline(run: Chromatogram, peaks: Sequence[PeakFit], inside: slice, noise: Noise, used: Mask) -> Array:
    """What the peaks leave at the used points of a window, as a line or the simplest curve that these support (BIC)."""
    left = run.signal[inside].copy()
    for peak in peaks:
        first, last = max(peak.first, inside.start), min(peak.first + peak.curve.size, inside.stop)
        if first < last:
            left[first - inside.start : last - inside.start] -= peak.curve[first - peak.first : last - peak.first]
    points = int(used.sum())
    best, fitted = math.inf, left
    for order in BASE_ORDERS:
        columns = base_columns(run.time[inside], order).T
        if order >= points:
            break
        values = columns @ np.linalg.lstsq(columns[used], left[used], rcond=None)[0]
        variance = max(float(np.mean((left - values)[used] ** 2)), 1e-30)
        criterion = points / noise.inflation * math.log(variance) + order * math.log(points)
        if criterion < best:
            best, fitted = criterion, values
    return fitted
