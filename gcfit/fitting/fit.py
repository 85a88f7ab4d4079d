"""The fit of one chromatogram: noise, candidates, windows, their fits, and the records that the tables are made of."""

import time as clock
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.column.flow import flow_of
from gcfit.column.system import System
from gcfit.errors import InputError
from gcfit.fitting.absent import with_absent
from gcfit.fitting.baseline import global_baseline
from gcfit.fitting.defects import Defects, find_defects
from gcfit.fitting.naming import expected_components, named
from gcfit.fitting.noise import estimate_noise
from gcfit.fitting.notes import notes_on
from gcfit.fitting.obstacles import find_dips
from gcfit.fitting.peaks import describe
from gcfit.fitting.planning import Trace
from gcfit.fitting.records import Expected, Fit, FitSettings, PeakFit
from gcfit.fitting.registry import ordered_name
from gcfit.fitting.rounds import fitted, with_one_tail
from gcfit.fitting.suitability import blank_range
from gcfit.fitting.task import WindowMap
from gcfit.fitting.windows import Window

LARGEST, SMALLEST = 1e140, 1e-140  # times and signals whose squares, and sums of these, are still numbers


def fit(
    chromatogram: Chromatogram,
    system: System | None = None,
    *,
    settings: FitSettings | None = None,
    map_: WindowMap = map,
) -> Fit:
    """Find the peaks of a chromatogram and fit each with the model of the column.

    Parameters
    ----------
    chromatogram : Chromatogram
    system : System, optional
        Gives hold-up time, phase ratio, injection and component names where `settings` leave them open.
    settings : FitSettings, optional
    map_ : callable
        Maps a function over groups of windows, which are independent; the results are the same for every map.

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        If the model is not known, the part of the run from `start` to `end` holds fewer than three points, the
        injection lasts longer than that, or times or signal are so large or small that their squares are no numbers.
    """
    began = clock.perf_counter()
    settings = completed(settings or FitSettings(), system)
    points = _points(chromatogram, settings)
    part = _part(chromatogram, points)
    _refuse_long_injection(part, settings)
    _refuse_scale(chromatogram)
    noise = estimate_noise(chromatogram.time, chromatogram.signal)
    if settings.noise_window is not None:
        noise = replace(noise, range=blank_range(chromatogram, settings.noise_window))
    defects = find_defects(chromatogram.signal, noise).part(points)
    dips = find_dips(part, noise, defects, settings)
    trace = _above_ground(Trace(part.time, part.signal, noise, defects, dips, settings))
    candidates = trace.candidates()
    at_once = settings.strategy == "simultaneous"
    together = (Window(0, part.time.size, candidates),) if candidates else ()
    tasks = trace.tasks(together if at_once else trace.windows(candidates))
    results = (with_one_tail if settings.shared_tail else fitted)(tasks, map_, trace.again, at_once=at_once)
    peaks, baseline, failed = describe(part, noise, results, settings)
    peaks = named(peaks, settings.expected)
    return Fit(
        chromatogram=part,
        settings=settings,
        peaks=with_absent(peaks, _asked(settings), part, noise, defects.louder),
        noise=noise,
        baseline=baseline,
        r_squared=r_squared(part.signal, baseline, peaks, trace.masked),
        seconds=clock.perf_counter() - began,
        notes=(*notes_on(part, noise, trace.masked, dips, peaks, settings), *failed),
        parameters=sum(result.state.solution.columns for result in results if result.state is not None),
    )


def completed(settings: FitSettings, system: System | None) -> FitSettings:
    """Settings with what the system file gives where they are open, and the model's name in the registry's order."""
    if settings.model != "auto":
        settings = replace(settings, model=ordered_name(settings.model))
    if system is None:
        return settings
    hold_up = flow_of(system).hold_up if settings.hold_up is None else settings.hold_up
    return replace(
        settings,
        hold_up=hold_up,
        phase_ratio=system.column.phase_ratio if settings.phase_ratio is None else settings.phase_ratio,
        injection=system.injection.duration if settings.injection is None else settings.injection,
        tail=(system.injection.tail or None) if settings.tail is None else settings.tail,
        expected=settings.expected or expected_components(system),
    )


def _points(chromatogram: Chromatogram, settings: FitSettings) -> slice:
    """The points of the run between `start` and `end`."""
    time = chromatogram.time
    first = 0 if settings.start is None else int(np.searchsorted(time, settings.start))
    last = time.size if settings.end is None else int(np.searchsorted(time, settings.end, "right"))
    if last - first < 3:
        raise InputError(
            chromatogram.label,
            f"only {max(last - first, 0)} points between start and end",
            remedy=f"the run goes from {time[0]:g} s to {time[-1]:g} s",
        )
    return slice(first, last)


def _part(run: Chromatogram, points: slice) -> Chromatogram:
    """Some points of a run; the run itself where they are all."""
    whole = points == slice(0, run.time.size)
    return run if whole else replace(run, time=run.time[points], signal=run.signal[points])


def _refuse_long_injection(part: Chromatogram, settings: FitSettings) -> None:
    """Raise where the injection lasts longer than the run: no peak of it could be whole."""
    duration = float(part.time[-1] - part.time[0])
    if settings.injection is not None and settings.injection > duration:
        raise InputError(
            part.label,
            f"the injection lasts {settings.injection:g} s, the run {duration:g} s",
            remedy="give the injection in seconds",
        )


def _refuse_scale(run: Chromatogram) -> None:
    """Raise where sums of squares, of which every fit consists, leave the range of double precision."""
    for name, values in (("time", run.time), ("signal", run.signal)):
        top = float(np.abs(values).max())
        if top > LARGEST or 0 < top < SMALLEST:
            found = f"the largest {name} is {top:.3g}, whose square is no number in double precision"
            raise InputError(run.label, found, remedy="give it in another unit")


def _above_ground(trace: Trace) -> Trace:
    """The trace above the baseline that was asked for by name; by default each window has its own, and nothing goes."""
    settings = trace.settings
    if settings.baseline == "auto":
        return trace
    ground = global_baseline(trace.time, trace.signal, trace.candidates(), trace.noise, settings.baseline)
    return replace(trace, signal=trace.signal - ground)


def _asked(settings: FitSettings) -> tuple[Expected, ...]:
    """The expected components within the part of the run that was asked for."""
    begin = -np.inf if settings.start is None else settings.start
    end = np.inf if settings.end is None else settings.end
    return tuple(component for component in settings.expected if begin <= component.retention_time <= end)


def r_squared(signal: Array, baseline: Array, peaks: Sequence[PeakFit], masked: Defects) -> float | None:
    """Return 1 - SS_res/SS_tot over the points of all windows; None without any or without variation.

    Parameters
    ----------
    signal, baseline : ndarray, shape (n,)
        The trace, and the baselines of its windows, NaN outside them [signal unit].
    peaks : sequence of PeakFit
    masked : Defects
        Its flat tops and spikes, which do not count.
    """
    inside = np.isfinite(baseline) & ~masked.unfit
    if not inside.any():
        return None
    total = baseline.copy()
    for peak in peaks:
        total[peak.first : peak.first + peak.curve.size] += peak.curve
    seen = signal[inside]
    scatter = float(np.sum((seen - seen.mean()) ** 2))
    return 1 - float(np.sum((seen - total[inside]) ** 2)) / scatter if scatter > 0 else None
