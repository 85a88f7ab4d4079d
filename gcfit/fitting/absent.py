"""Rows for the components that were expected and not found, with the least area that would have been seen."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting.limits import at_points
from gcfit.fitting.naming import HALF_WIDTHS, assigned, rivals
from gcfit.fitting.records import NOT_FOUND, Expected, Noise, PeakFit

DETECTION = 3.3  # standard errors of an area at the detection limit (ICH Q2: 3.3 σ over the slope)
SHAPE = 5  # derivatives of a peak that stand for its place, width and what else a model bends of it
REACH = 10.0  # σ to both sides of the place: the room that a fit of such a peak has
_NO_CURVE: Array = np.empty(0)


def with_absent(
    peaks: Sequence[PeakFit], expected: Sequence[Expected], part: Chromatogram, noise: Noise, louder: Array
) -> tuple[PeakFit, ...]:
    """Return the peaks and, behind them, a row for each expected component that none of them was named after.

    Parameters
    ----------
    peaks : sequence of PeakFit
    expected : sequence of Expected
    part : Chromatogram
        What was fitted.
    noise : Noise
        Of the trace.
    louder : ndarray, shape (n,)
        The noise at each point of the part over that of the trace.
    """
    owners = assigned(peaks, expected)
    missing = [component for number, component in enumerate(expected) if number not in owners]
    missing.sort(key=lambda component: component.retention_time)
    rows = []
    for number, component in enumerate(missing, len(peaks) + 1):
        others = [expected[k].name for k, place in owners.items() if place in rivals(component, owners, peaks)]
        factor = float(np.interp(component.retention_time, part.time, louder))
        there = replace(noise, deviation=factor * noise.deviation)
        rows.append(_row(number, component, others, peaks, part, there))
    return (*peaks, *rows)


def detection_limit(
    time: Array, noise: Noise, centre: float, sigma: float, peaks: Sequence[PeakFit] = ()
) -> float | None:
    """Return the least area that would have been told from nothing: 3.3 times its standard error.

    What stands under a fitted peak must be told from another shape of that, too.

    Parameters
    ----------
    time : ndarray, shape (n,)
        Times of the trace [s].
    noise : Noise
    centre, sigma : float
        Where the peak is looked for and its standard deviation [s]; a Gaussian over a line.
    peaks : sequence of PeakFit
        What was found in that trace.

    Returns
    -------
    float or None
        [signal unit s]; None where the trace has too few points there, or no noise.
    """
    first, last = np.searchsorted(time, [centre - REACH * sigma, centre + REACH * sigma]).tolist()
    near = time[first:last]
    if near.size < 5 or noise.deviation <= 0:
        return None
    z = (near - centre) / sigma
    own = [np.exp(-(z**2) / 2) / (sigma * math.sqrt(2 * math.pi)), np.ones_like(z), z]
    beside = [row for peak in peaks for row in _freedom(peak, near, first, noise)]
    columns = np.stack([*own, *beside])
    inverse = np.linalg.pinv(columns @ columns.T)
    acf = np.array(noise.acf or (1.0, noise.correlation))
    kernel = np.concatenate([acf[:0:-1], acf])
    spread = np.array([np.convolve(row, kernel)[acf.size - 1 : acf.size - 1 + row.size] for row in columns])
    variance = float((inverse @ (columns @ spread.T) @ inverse)[0, 0])
    return DETECTION * noise.deviation * math.sqrt(variance) if variance > 0 else None


def _freedom(peak: PeakFit, time: Array, first: int, noise: Noise) -> list[Array]:
    """A fitted peak at some times, the first of them the point `first`, and its derivatives, each of size 1.

    Nothing where it is lost in the noise there.
    """
    curve = at_points(peak.first, peak.curve, slice(first, first + time.size))
    if np.abs(curve).max() <= noise.deviation:
        return []
    rows = [curve]
    for _ in range(SHAPE):
        rows.append(np.gradient(rows[-1], time))
    return [row / size for row in rows if (size := float(np.linalg.norm(row))) > 0]


def _row(
    number: int, component: Expected, others: Sequence[str], peaks: Sequence[PeakFit], part: Chromatogram, noise: Noise
) -> PeakFit:
    begin, end = component.retention_time - component.reach, component.retention_time + component.reach
    first, last = float(part.time[0]), float(part.time[-1])
    where = f"expected at {component.retention_time:.6g} s"
    if end < first or begin > last:
        reason = f"{where}, outside the part that was fitted ({first:.6g} to {last:.6g} s)"
        return PeakFit(number, component.name, "", NOT_FOUND, 0, _NO_CURVE, message=reason)
    width = component.fwhm or _width_at(component.retention_time, peaks)
    limit = None
    if width is not None:
        limit = detection_limit(part.time, noise, component.retention_time, width / HALF_WIDTHS, peaks)
    reason = _reason(f"{where} ± {component.reach:.3g} s", others, width, limit)
    return PeakFit(
        number, component.name, "", NOT_FOUND, 0, _NO_CURVE,
        window_start_s=max(begin, first), window_end_s=min(end, last), message=reason, detection_limit=limit,
    )  # fmt: skip


def _reason(where: str, others: Sequence[str], width: float | None, limit: float | None) -> str:
    if others:
        where += f"; the peak there is nearer to {' and '.join(others)}"
    if limit is not None:
        return f"{where}; detection limit: area {limit:.3g}"
    missing = "no peak tells the width here" if width is None else "the noise is not known here"
    return f"{where}; no detection limit, as {missing}"


def _width_at(time: float, peaks: Sequence[PeakFit]) -> float | None:
    """Width at half height [s] that a peak at a time should have, from those of its neighbours; None without any."""
    known = [
        (peak.retention_time_s, math.log(peak.fwhm_s))
        for peak in peaks
        if peak.retention_time_s is not None and peak.fwhm_s is not None and peak.fwhm_s > 0
    ]
    if not known:
        return None
    times, widths = np.array(sorted(known)).T
    return float(np.exp(np.interp(time, times, widths)))
