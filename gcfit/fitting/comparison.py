"""Peak models, strategies and solvers beside each other on the same data.

Each way of fitting goes through the whole of `gcfit.fitting.fit`: the same detection, windows, start values, search and
baseline. What differs is the model of a peak, what is fitted at once, or the solver that evaluates the peak.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from time import process_time
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Chromatogram
from gcfit.column.system import System
from gcfit.errors import InputError
from gcfit.fitting.defects import find_defects
from gcfit.fitting.fit import completed, fit
from gcfit.fitting.records import Fit, FitSettings, Strategy
from gcfit.fitting.registry import MODELS, ordered_name
from gcfit.fitting.solver_curves import CURVES
from gcfit.fitting.states import CurveOf, State
from gcfit.fitting.task import Task, WindowsFit

PAIR = "laplace"
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Way:
    """A way of fitting: the model of a peak or `auto`, what is fitted at once, and the solver, a name of `CURVES`.

    Raises
    ------
    InputError
        If the model or the solver is not known, or the solver does not know the model: only `laplace` knows more than
        the pair.
    """

    model: str
    strategy: Strategy = "pairs"
    solver: str = PAIR

    def __post_init__(self) -> None:
        if self.model != "auto":
            object.__setattr__(self, "model", ordered_name(self.model))
        if self.solver not in CURVES:
            raise InputError("", f"solver {self.solver!r} is not known", remedy=f"choose one of {', '.join(CURVES)}")
        if self.solver != PAIR and self.model != PAIR:
            raise InputError("", f"model {self.model} has no solution by {self.solver}", remedy=f"choose {PAIR}")


NUMERICAL = Way(PAIR, solver="numerical")
AT_ONCE = (PAIR, "gaussian", "emg")  # models that are fitted to the whole run at once unless more are asked for


def ways_of(patterns: Sequence[str] = (), strategies: Sequence[Strategy] = ()) -> tuple[Way, ...]:
    """Ways of fitting by their names.

    Parameters
    ----------
    patterns : sequence of str
        Models, `auto`, or shell patterns of such names; empty for all.
    strategies : sequence of str
        Empty for every model in pairs, and those of few parameters at once as well: the others take long on long runs.

    Raises
    ------
    InputError
        If a name is not known, or a pattern matches none.
    """
    names = [name for pattern in patterns for name in _matching(pattern)] or [*MODELS, "auto"]
    return tuple(
        Way(name, strategy)
        for strategy in strategies or get_args(Strategy)
        for name in dict.fromkeys(names)
        if strategies or strategy == "pairs" or name in AT_ONCE
    )


def _matching(pattern: str) -> list[str]:
    known = [*MODELS, "auto"]
    if pattern in known:
        return [pattern]
    return [name for name in known if fnmatchcase(name, pattern)] or [ordered_name(pattern)]


WAYS = ways_of()


@dataclass(frozen=True, eq=False)
class Trial:
    """One way of fitting and how it went.

    Parameters
    ----------
    way : Way
    fit : Fit
    seconds : float
        Time of the processor for all windows, without detection [s].
    parameters : int
        Free quantities: areas, coordinates of the peaks, baseline.
    r_squared, bic : float or None
        1 - SS_res/SS_tot and the Bayesian information criterion, both over the same points for all trials; None
        where no peak was found.
    """

    way: Way
    fit: Fit
    seconds: float
    parameters: int
    r_squared: float | None = None
    bic: float | None = None


def compare_models(
    chromatogram: Chromatogram,
    system: System | None = None,
    *,
    settings: FitSettings | None = None,
    ways: Iterable[Way] = WAYS,
) -> tuple[Trial, ...]:
    """Fit a chromatogram in several ways.

    Parameters
    ----------
    chromatogram : Chromatogram
    system, settings
        As for `fit`; each way has its own model and strategy in place of those of the settings.
    ways : iterable of Way

    Returns
    -------
    tuple of Trial, in the order of the ways

    Raises
    ------
    InputError
        As `fit`, or if a solver other than `laplace` is to be used without a hold-up time.

    Notes
    -----
    The criterion (Schwarz 1978) is RSS/σ² + parameters × ln(points), both with the number of points reduced by the
    autocorrelation of the noise. The points are those of all windows, σ is the noise of the trace or the misfit of the
    closest fit, whichever is larger: the same for all, so that the rows are comparable whatever each fitted at once.
    """
    known = completed(settings or FitSettings(), system)
    trials = [_tried(chromatogram, replace(known, model=way.model, strategy=way.strategy), way) for way in ways]
    points = _common_points(trials)
    return _judged(trials, points) if points.any() else tuple(trials)


def refuse_unsolvable(ways: Iterable[Way], settings: FitSettings) -> None:
    """Raise `InputError` where a solver other than `laplace` is to be used without a hold-up time."""
    for way in ways:
        if way.solver != PAIR and settings.hold_up is None:
            remedy = "give --hold-up SECONDS or --system FILE"
            raise InputError("", f"solver {way.solver} needs the hold-up time", remedy=remedy)


class _Watch:
    """A map over windows that has them fitted by one solver and keeps the time that it took."""

    def __init__(self, curve_of: CurveOf) -> None:
        self.curve_of, self.seconds = curve_of, 0.0

    def __call__(self, function: WindowsFit, groups: list[list[Task]]) -> list[list[State | None]]:
        begun = process_time()
        states = [function([replace(task, curve=self.curve_of) for task in group]) for group in groups]
        self.seconds += process_time() - begun
        return states


def _tried(chromatogram: Chromatogram, settings: FitSettings, way: Way) -> Trial:
    refuse_unsolvable([way], settings)
    watch = _Watch(CURVES[way.solver])
    result = fit(chromatogram, settings=settings, map_=watch)
    return Trial(way, result, watch.seconds, result.parameters)


def _common_points(trials: Sequence[Trial]) -> Mask:
    """Points by which all are judged, shape (n,): those of the windows, without what the detector spoilt."""
    apart = [trial.fit for trial in trials if trial.way.strategy == "pairs"] or [trial.fit for trial in trials]
    if not apart:
        return np.zeros(0, dtype=np.bool_)
    defects = find_defects(apart[0].chromatogram.signal, apart[0].noise).towards(apart[0].settings.polarity)
    inside = np.any([np.isfinite(one.baseline) for one in apart], axis=0)
    return np.asarray(inside & ~defects.unfit)


def _judged(trials: Sequence[Trial], points: Mask) -> tuple[Trial, ...]:
    """The trials with R² and criterion over some points, at least one."""
    run, noise = trials[0].fit.chromatogram, trials[0].fit.noise
    left = [_left_over(trial.fit, points) for trial in trials]
    scatter = float(np.sum((run.signal[points] - run.signal[points].mean()) ** 2))
    variance = max(noise.deviation**2, min(rss for rss, _ in left) / points.sum(), np.finfo(float).tiny)
    penalty = float(np.log(max(points.sum() / noise.inflation, 2.0)))
    return tuple(
        replace(
            trial,
            parameters=trial.parameters + lines,
            r_squared=1 - rss / scatter if scatter > 0 else None,
            bic=rss / variance / noise.inflation + (trial.parameters + lines) * penalty,
        )
        for trial, (rss, lines) in zip(trials, left, strict=True)
    )


def _left_over(result: Fit, points: Mask) -> tuple[float, int]:
    """Sum of squares that a fit leaves at the points, and the parameters of the line that stands where it has none."""
    run = result.chromatogram
    residual, gap = (run.signal - result.total)[points], np.isnan(result.baseline[points])
    if gap.any():
        time, signal = run.time[points][gap], run.signal[points][gap]
        residual[gap] = signal - np.polynomial.Polynomial.fit(time, signal, 1)(time)
    return float(residual @ residual), 2 if gap.any() else 0
