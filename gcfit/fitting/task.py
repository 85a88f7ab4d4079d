"""What decides the fit of one window, and how the fits of many are mapped."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.detect import Candidate
from gcfit.fitting.local_base import free_share
from gcfit.fitting.models import Known, curve
from gcfit.fitting.quantiles import quantile
from gcfit.fitting.sampling import Sampling
from gcfit.fitting.states import CurveOf, Peak, State, WindowData
from gcfit.fitting.thinning import thinned

CROWD = 4  # peaks of a window above which the search for additions is cut short
GROUP_POINTS, GROUP_WINDOWS = 50_000, 4  # enough that calls cost little, few enough to share among workers
GAUSSIAN_MODELS = ("gaussian", "emg")


@dataclass(frozen=True, eq=False)
class Task:
    """Everything that decides the fit of one window; `start` are peaks of an earlier round, if there was one.

    `anew` says that the signal is another one since, and models and baseline may be others.
    Where it is `rigid`, the baseline does not bend beyond its order; where the window is `hemmed` in by what is higher
    on either side, none is seen. `curve` evaluates a peak. `louder`, shape (n,), is the noise at each point over that
    of the trace, None where they are the same.
    """

    first: int
    time: Array
    signal: Array
    weights: Array | None
    deviation: float
    inflation: float
    known: Known
    model: str
    candidates: tuple[Candidate, ...]
    start: tuple[Peak, ...] = ()
    anew: bool = False
    base_order: int = 2
    rigid: bool = False
    hemmed: bool = False
    louder: Array | None = None
    curve: CurveOf = curve

    @property
    def crowded(self) -> bool:
        """Whether it holds so many peaks that its baseline shows between some of them only."""
        return len(self.candidates) > CROWD

    @cached_property
    def free(self) -> Array | None:
        """Share of a crowded window that is free of peaks, up to each point, shape (n,); None where it has room."""
        return free_share(self.time, self.candidates) if self.crowded else None

    @cached_property
    def data(self) -> WindowData:
        """The points that are searched; in a crowd, means of neighbours where there are many more than needed."""
        if not self.crowded or self.curve is not curve:
            return self.whole
        return thinned(self.whole, min(candidate.sigma for candidate in self.candidates))

    @cached_property
    def whole(self) -> WindowData:
        """All points."""
        sampling = Sampling.of(self.time)
        return WindowData(
            sampling, self.signal, self.weights, self.deviation, self.inflation, self.known, self.rigid, self.crowded,
            self.curve, self.free,
        )  # fmt: skip


# fits some windows, each for itself
WindowsFit = Callable[[Sequence[Task]], list[State | None]]
# maps such a function over groups of windows, in order
WindowMap = Callable[[WindowsFit, list[list[Task]]], Iterable[list[State | None]]]


def mapped(function: WindowsFit, tasks: Sequence[Task], map_: WindowMap) -> list[State | None]:
    """Map a function over groups of a few neighbouring windows of not too many points, the same for every map."""
    groups: list[list[Task]] = []
    longest = 0
    for task in tasks:
        longest = max(longest, task.time.size)
        full = not groups or len(groups[-1]) == GROUP_WINDOWS
        if full or longest * (len(groups[-1]) + 1) > GROUP_POINTS:
            groups.append([])
            longest = task.time.size
        groups[-1].append(task)
    return [state for states in map_(function, groups) for state in states]


def starting_peak(candidate: Candidate, others: Sequence[Candidate], task: Task) -> Peak:
    """First coordinates of a candidate, by moments: mean from the apex, variance less that of the injection.

    A peak that elutes before or with the unretained gas has no kinetic pair and starts as a Gaussian.
    """
    sigma = candidate.sigma
    if candidate.shoulder:
        # the curvature of a shoulder is that of the flank it sits on: its neighbour's width is the better guess
        firm = [other for other in others if not other.shoulder]
        if firm:
            nearest = min(firm, key=lambda other: abs(other.apex_time - candidate.apex_time))
            sigma = nearest.sigma
    variance = max(sigma**2 - task.known.injection**2 / 12, sigma**2 / 4)
    centre = candidate.apex_time - task.known.injection / 2
    delay = centre - task.known.hold_up
    width = float(np.sqrt(variance))
    core = "laplace" if delay > width else "gaussian"
    if core == "laplace":
        # the mode of the law lies 1.5/k_d before its mean, k_d = 2 delay/variance
        centre += min(0.75 * variance / delay, 0.5 * width)
    if task.model in GAUSSIAN_MODELS:
        core = "gaussian"
    return Peak(core, np.array([centre, np.log(width)]), candidate.apex_time, sigma, candidate.sign)


def valley(task: Task, one: Candidate, other: Candidate) -> tuple[int, float]:
    """Where the trace is lowest between two candidates, and by how much, in heights of the lower of them.

    Nothing where they point to different sides or no point lies between them.
    """
    first, last = np.searchsorted(task.time, [one.apex_time, other.apex_time]).tolist()
    between = one.sign * task.signal[first : last + 1]
    if one.sign != other.sign or between.size < 3:
        return last, 0.0
    point = int(np.argmin(between))
    return first + point, float(min(between[0], between[-1]) - between[point]) / min(one.height, other.height)


def part_of(task: Task, points: slice, candidates: tuple[Candidate, ...], base_order: int) -> Task:
    """The task of some points of a window, with the noise that is there."""
    louder, deviation = task.louder, task.deviation
    if louder is not None:
        deviation *= quantile(louder[points], 0.5) / quantile(louder, 0.5)
        louder = louder[points]
    return replace(
        task,
        first=task.first + points.start,
        time=task.time[points],
        signal=task.signal[points],
        weights=None if task.weights is None else task.weights[points],
        deviation=deviation,
        louder=louder,
        candidates=candidates,
        start=(),
        anew=False,
        base_order=base_order,
    )


def moved(task: Task, state: State, spill: Array) -> Task:
    """The task again from where it ended, with what neighbours spill into the window taken out of the signal."""
    return replace(task, signal=task.signal - spill, start=state.peaks, base_order=state.base_order, anew=True)
