"""From solved windows to the records of the peak table."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting import suitability
from gcfit.fitting.apex import leaning
from gcfit.fitting.covariance import around, covariance
from gcfit.fitting.estimates import Estimate, kinetics
from gcfit.fitting.flags import Evidence, flagged, without_effect
from gcfit.fitting.limits import at_points, limits_of, to_valleys
from gcfit.fitting.misfit import variance_of
from gcfit.fitting.models import curve
from gcfit.fitting.records import FitSettings, Noise, PeakFit
from gcfit.fitting.registry import MODELS, tailed_name
from gcfit.fitting.sampling import Curve, Sampling
from gcfit.fitting.states import Peak, State
from gcfit.fitting.task import Task
from gcfit.fitting.terms import persistence
from gcfit.fitting.window_result import WindowResult

FINE = 8.0  # points per σ from which the window's own points measure the shape of a peak


def describe(
    part: Chromatogram, noise: Noise, results: Sequence[WindowResult], settings: FitSettings
) -> tuple[tuple[PeakFit, ...], Array, tuple[str, ...]]:
    """Turn solved windows into peaks in order of retention, the local baselines, and a note for each failure."""
    baseline = np.full(part.time.size, np.nan)
    peaks: list[PeakFit] = []
    failed = []
    for result in results:
        if result.state is None:
            span = f"{result.task.time[0]:.6g} to {result.task.time[-1]:.6g} s"
            failed.append(f"no peak between {span}: what stood out there has no peak's shape")
            continue
        first = result.task.first
        local = result.baseline
        spill = part.signal[first : first + local.size] - result.task.signal
        baseline[first : first + local.size] = local + spill
        peaks += _peaks_of(result, noise, settings, part.signal)
    peaks.sort(key=lambda peak: (peak.retention_time_s is None, peak.retention_time_s or peak.window_start_s or 0.0))
    return _numbered(peaks), baseline, tuple(failed)


def _peaks_of(result: WindowResult, noise: Noise, settings: FitSettings, run: Array) -> list[PeakFit]:
    """The records of a window's peaks in a run of this signal."""
    state = result.state
    if state is None:
        return []
    noise = replace(noise, deviation=result.task.deviation)
    return [
        flagged(
            _peak(place, result, state, limits, noise, settings),
            Evidence(result.task, state, place, limits, run),
        )
        for place, limits in enumerate(_limits(result, state, noise))
    ]


def _limits(result: WindowResult, state: State, noise: Noise) -> list[tuple[int, int]]:
    """Points of the window between which each peak is integrated."""
    weights, solution = result.task.weights, state.solution
    limits = limits_of(state)
    for place, (first, last) in enumerate(limits):
        if weights is None or weights[first:last].all():
            shape, amplitude = solution.curves[place], solution.amplitudes[place]
            # as much again on both sides: a window of many peaks is much longer than one of them
            around = slice(max(2 * first - last, 0), 2 * last - first)
            residual, upright = solution.residual[around], np.sign(amplitude)
            curve = at_points(shape.first, amplitude * shape.rows[0], slice(around.start, around.start + residual.size))
            within = first - around.start, last - around.start
            low, high = to_valleys(upright * curve, upright * (curve + residual), within, noise)
            limits[place] = low + around.start, high + around.start
    return limits


def _peak(
    place: int,
    result: WindowResult,
    state: State,
    limits: tuple[int, int],
    noise: Noise,
    settings: FitSettings,
) -> PeakFit:
    task, peak, solution = result.task, state.peaks[place], state.solution
    amplitude, shape = float(solution.amplitudes[place]), solution.curves[place]
    spread = _spread(result, state, place, noise)
    figures = _shape(peak, shape, task)
    measured: dict[str, float | None] = {}
    if figures is not None:
        measured = _figures(amplitude, figures, _leaning(task, state, place, figures, noise), spread, noise)
    rates = kinetics(
        peak.model, peak.coordinates, None if spread is None else spread[1:, 1:], task.known,
        settings.hold_up, settings.phase_ratio,
    )  # fmt: skip
    if task.known.tail is not None:
        rates["tail_s"] = Estimate(task.known.tail, result.tail_error)
    return PeakFit(
        peak=0,
        name="",
        model=peak.model if task.known.tail is None else tailed_name(peak.model),
        status="ok",
        message="",
        first=task.first + shape.first,
        curve=amplitude * shape.rows[0],
        area=amplitude,
        area_se=None if spread is None else float(np.sqrt(spread[0, 0])),
        area_integrated=_integrated(result, place, limits),
        r_squared=_local_r_squared(result, limits),
        window_start_s=float(task.time[0]),
        window_end_s=float(task.time[-1]),
        **_columns(rates),
        **measured,
    )


def _leaning(task: Task, state: State, place: int, figures: suitability.Shape, noise: Noise) -> tuple[float, float]:
    """How much later the signal has its apex than a fitted peak, and its error [s]; 0 where the detector cut it."""
    shape = state.solution.curves[place]
    points = slice(shape.first, shape.last)
    if figures.half_width is None or (task.weights is not None and not task.weights[points].all()):
        return 0.0, 0.0
    curve = state.solution.amplitudes[place] * shape.rows[0]
    residual = state.solution.residual[points]
    return leaning(task.time[points], residual, curve, figures.apex, figures.half_width, noise)


def _columns(rates: dict[str, Estimate]) -> dict[str, float | None]:
    """Names of the table's columns for values and errors: the unit stays at the end of the name."""
    columns: dict[str, float | None] = {}
    for name, estimate in rates.items():
        columns[name] = estimate.value
        if name != "retention_factor":
            columns[_error_column(name)] = estimate.error
    return columns


def _error_column(name: str) -> str:
    for unit in ("_per_s", "_s"):
        if name.endswith(unit):
            return f"{name.removesuffix(unit)}_se{unit}"
    return f"{name}_se"


def _figures(
    amplitude: float, figures: suitability.Shape, lean: tuple[float, float], spread: Array | None, noise: Noise
) -> dict[str, float | None]:
    """Columns of what is measured on the fitted curve, its apex where the signal has it."""
    error = None
    if spread is not None:
        variance = max(float(figures.apex_slopes @ spread[1:, 1:] @ figures.apex_slopes), 0.0)
        error = math.sqrt(variance + lean[1] ** 2)
    height = amplitude * figures.height
    width, base, left = figures.half_width, figures.base_width, figures.base_left
    peak_to_peak = noise.peak_to_peak
    return {
        "retention_time_s": figures.apex + lean[0],
        "retention_time_se_s": error,
        "height": height,
        "fwhm_s": width,
        "plates": suitability.plates(figures.apex, width) if width else None,
        "symmetry": suitability.symmetry(base, left) if base and left else None,
        "snr": suitability.signal_to_noise(height, peak_to_peak) if peak_to_peak > 0 else None,
    }


def _shape(peak: Peak, shape: Curve, task: Task) -> suitability.Shape | None:
    """Figures of a peak: on the window's own points where they are dense and regular, else on a finer curve."""
    sampling = task.whole.sampling
    sigma = math.exp(peak.coordinates[1])
    if sampling.uniform and sigma > FINE * sampling.interval and shape.rows.shape[1] > 4:
        measured = suitability.shape_of(task.time[shape.first : shape.last], shape.rows)
        if measured is not None and measured.base_width is not None:
            return measured
    low = high = float(peak.coordinates[0])
    low, high = low - 8 * sigma - task.known.injection, high + 12 * sigma + task.known.injection
    values = dict(zip(MODELS[peak.model].parameters, peak.coordinates.tolist(), strict=True))
    slow = max((float(np.exp(values[key])) for key in ("log_tail", "log_site_time") if key in values), default=0.0)
    fine = Sampling.of(np.arange(low, high + min(6 * slow, 40 * sigma), sigma / (2 * FINE)))
    finer = curve(MODELS[peak.model], peak.coordinates, fine, task.known)
    return suitability.shape_of(fine.time[finer.first : finer.last], finer.rows) if finer.rows.shape[1] > 4 else None


def _spread(result: WindowResult, state: State, place: int, noise: Noise) -> Array | None:
    """Covariance of a peak's amplitude and coordinates, for the noise as it is.

    Its size is that of the trace, or the misfit of the window or the peak where that is larger, as far as it hangs
    together; its autocorrelation that of the trace. All peaks around it are taken as free; an addition that
    has vanished stands. A tail that all peaks share moves them as far as it is uncertain itself.
    """
    solution = state.solution
    terms = around(place, len(state.peaks))
    acf = None if abs(noise.inflation - 1) < 1e-3 else np.array(noise.acf or (1.0, noise.correlation))
    own = 1.0 if acf is None else persistence(acf)
    variance = variance_of(result.task.whole, state, place, own)
    unit = covariance(solution, terms, acf)
    if unit is None:
        return None
    begin = sum(solution.rows[term].shape[0] for term in terms if term < place)
    columns = slice(begin, begin + solution.rows[place].shape[0])
    spread = _given(
        variance * unit[columns, columns], np.array([False, *without_effect(state.peaks[place], result.task)])
    )
    if spread is None:
        return None
    if result.motion and result.tail_error is not None:
        spread = spread + result.tail_error**2 * np.outer(result.motion[place], result.motion[place])
    return spread


def _given(spread: Array, stand: NDArray[np.bool_]) -> Array | None:
    """Covariance of the columns that are free, given those that stand, which have none; None where rounding eats it."""
    if not stand.any():
        return spread if (spread.diagonal() > 0).all() else None
    free = ~stand
    scale = np.sqrt(spread.diagonal())
    unit = spread / scale / scale[:, None]
    across = unit[np.ix_(free, stand)]
    left = unit[np.ix_(free, free)] - across @ np.linalg.pinv(unit[np.ix_(stand, stand)]) @ across.T
    if (left.diagonal() <= 0).any():
        return None
    out = np.zeros_like(spread)
    out[np.ix_(free, free)] = left
    return out * scale * scale[:, None]


def _integrated(result: WindowResult, place: int, limits: tuple[int, int]) -> float | None:
    """Trapezoid sum of the signal over the fitted baseline between a peak's limits [signal unit s]."""
    task, state = result.task, result.state
    points = slice(*limits)
    if state is None or limits[1] - limits[0] < 2:
        return None
    above, time = task.signal[points] - result.baseline[points], task.time[points]
    return float((above[1:] + above[:-1]) @ (time[1:] - time[:-1]) / 2)


def _local_r_squared(result: WindowResult, limits: tuple[int, int]) -> float | None:
    """1 - SS_res/SS_tot over the points between a peak's limits, without those that are left out of the fit."""
    if result.state is None:
        return None
    points = slice(*limits)
    signal, residual = result.task.signal[points], result.state.solution.residual[points]
    if result.task.weights is not None:
        used = result.task.weights[points] > 0
        signal, residual = signal[used], residual[used]
    if signal.size < 2:
        return None
    about = signal - signal.sum() / signal.size
    scatter = float(about @ about)
    return 1 - float(residual @ residual) / scatter if scatter > 0 else None


def _numbered(peaks: Sequence[PeakFit]) -> tuple[PeakFit, ...]:
    """Number the peaks, and add what needs the others: share of the area, resolution from the peak before."""
    whole = sum(abs(peak.area) for peak in peaks if peak.area is not None)
    out: list[PeakFit] = []
    for number, peak in enumerate(peaks, 1):
        before = out[-1] if out else None
        share = 100 * abs(peak.area) / whole if peak.area is not None and whole > 0 else None
        out.append(peak.but(peak=number, area_percent=share, resolution=_resolution(before, peak)))
    return tuple(out)


def _resolution(before: PeakFit | None, peak: PeakFit) -> float | None:
    if before is None or not (before.retention_time_s and peak.retention_time_s and before.fwhm_s and peak.fwhm_s):
        return None
    times, widths = (before.retention_time_s, peak.retention_time_s), (before.fwhm_s, peak.fwhm_s)
    return suitability.resolution(times, widths)
