"""What is to be known before a row of the peak table is used: its status in one word, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.naming import HALF_WIDTHS
from gcfit.fitting.records import PeakFit
from gcfit.fitting.registry import MODELS
from gcfit.fitting.states import Peak, State, limits
from gcfit.fitting.task import Task
from gcfit.fitting.terms import Solution

BEYOND = 1.5  # times the range of the signal; a peak that is higher stands on a baseline that nobody has seen
CUT = 0.01  # of the apex; a peak that is higher where the run ends is not all there
TINY_AREA = 2.0  # standard errors below which a peak is not determined
POOR = 0.995  # R² below which a misfit is poor, where the noise does not explain it
ABOVE_NOISE = 3.0  # root mean square of the residual, in noise, above which the noise does not explain it
EDGE = 1e-6  # of the distance of its bounds; a coordinate so near to one is on it
TOUCHING = 0.02  # of a peak's height; what a neighbour adds at its apex where the two are to be told apart
SHARE = 0.05  # of the area of the higher of two peaks; if the lower has less, the higher hardly depends on it
LEVEL = 0.002  # of a peak's height; a shallower dip is no valley
BOUND_COLUMNS = {
    "retention": ("retention_time_se_s",),
    "log_sigma": ("k_d_se_per_s", "k_a_se_per_s", "alpha_k_a_se_per_s"),
    "log_site_delay": ("site_n_se",),
    "log_site_time": ("site_n_se", "site_k_d_se_per_s"),
    "log_tail": ("tail_se_s",),
    "loading": ("loading_se",),
}  # what has no standard error when a coordinate is at its bound
WORDS = {
    "retention": "retention time", "log_sigma": "width", "log_site_delay": "site_n", "log_site_time": "site_k_d",
    "log_tail": "tail", "loading": "loading",
}  # fmt: skip
RATES = ("k_d_per_s", "k_d_se_per_s", "k_a_per_s", "k_a_se_per_s", "alpha_k_a_per_s", "alpha_k_a_se_per_s")


@dataclass(frozen=True, eq=False)
class Evidence:
    """What speaks for and against one fitted peak.

    Parameters
    ----------
    place : int
        Its place among the peaks of the state.
    limits : tuple of two ints
        Points of the window between which it is integrated.
    run : ndarray, shape (n,)
        Signal of the run [signal unit].
    """

    task: Task
    state: State
    place: int
    limits: tuple[int, int]
    run: Array

    @property
    def residual(self) -> Array:
        """Residual between the peak's limits [signal unit]."""
        return self.state.solution.residual[slice(*self.limits)]


def flagged(record: PeakFit, evidence: Evidence) -> PeakFit:
    """Return a record with its status and message; what is not determined is emptied.

    The status is the gravest of what the message tells.
    """
    peak = evidence.state.peaks[evidence.place]
    at_bound = at_bounds(peak, evidence.task)
    stuck = [name for name, held in zip(MODELS[peak.model].parameters, at_bound, strict=True) if held]
    errors = {column: None for name in stuck for column in BOUND_COLUMNS[name]}
    loose = record.k_d_se_per_s is not None and record.k_d_se_per_s > (record.k_d_per_s or 0.0)
    flags = [
        *_undetermined(record, loose),
        *_above_all(record, evidence),
        *_of_search(evidence),
        *_of_signal(record, evidence),
        *_of_misfit(record, evidence),
        *(("at a bound", f"{WORDS[name]} at the bound of its search") for name in stuck),
        *_merged(evidence),
        *_hemmed(evidence.task),
        *_of_additions(record, stuck),
    ]
    status = next((status for status, _ in flags if status), "ok")
    emptied = errors | (dict.fromkeys(RATES) if loose else {})
    return record.but(status=status, message="; ".join(message for _, message in flags), **emptied)


def _undetermined(record: PeakFit, loose: bool) -> Iterator[tuple[str, str]]:
    if record.area_se is None:
        yield "not determined", "the data do not determine the parameters"
    elif record.area is not None and abs(record.area) < TINY_AREA * record.area_se:
        yield "not determined", "the area is within two standard errors of zero"
    if record.retention_time_s is None:
        yield "not determined", "the apex lies outside the data"
    if loose:
        yield "not determined", "k_a and k_d are not determined"


def _above_all(record: PeakFit, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield that a peak is far higher than the signal ranges: then its baseline is the model's invention."""
    task = evidence.task
    if task.weights is not None and (task.weights == 0).any():
        return  # what the detector cut may have been higher
    # what others add, taken out, may range further than the signal itself
    seen = np.ptp(evidence.run[task.first : task.first + task.time.size])
    size, span = float(np.abs(record.curve).max(initial=0.0)), float(min(seen, np.ptp(task.signal)))
    if size > BEYOND * span:
        yield "not determined", f"{size / span:.2g} times as high as the signal ranges: no baseline is seen beside it"


def _of_search(evidence: Evidence) -> Iterator[tuple[str, str]]:
    if not evidence.state.solution.converged:
        yield "not converged", "the search stopped before it settled"
    peak = evidence.state.peaks[evidence.place]
    if MODELS[peak.model].core == "gaussian" and evidence.task.model == "auto":
        yield "", "elutes with the unretained gas: no kinetic pair"


def _of_signal(record: PeakFit, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield that the top of a peak was cut by the detector, or a flank by the run."""
    size = np.abs(record.curve)
    highest = size.max(initial=0.0)
    if evidence.task.weights is not None:
        begin = record.first - evidence.task.first
        masked = evidence.task.weights[begin : begin + size.size] == 0
        if np.count_nonzero(masked & (size > 0.5 * highest)) > 2:
            yield "saturated", "saturated: the cut top is left out of the fit"
    begins = record.first == 0 and size[:1].sum() > CUT * highest
    ends = record.first + size.size == evidence.run.size and size[-1:].sum() > CUT * highest
    if begins or ends:
        yield "clipped", "cut by the end of the run" if ends else "cut by the begin of the run"


def _of_misfit(record: PeakFit, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield that a residual far above the noise remains."""
    if record.r_squared is None or record.r_squared >= POOR:
        return
    residual = evidence.residual
    size = float(np.sqrt(np.mean(residual**2)))
    if size > ABOVE_NOISE * evidence.task.deviation:
        yield "poor fit", f"the model leaves {size:.3g} (root mean square), the noise is {evidence.task.deviation:.3g}"
        width, injection = HALF_WIDTHS * evidence.state.peaks[evidence.place].sigma, evidence.task.known.injection
        if injection > width:
            yield "", f"the injection lasts {injection:g} s, the peak is {width:.3g} s wide"


def _merged(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield that no valley parts a peak from another: then the model alone shares out the area."""
    solution, place = evidence.state.solution, evidence.place
    own, _ = _top(solution, place)
    for other, shape in enumerate(solution.curves):
        apex, _ = _top(solution, other)
        near = shape.first <= own < shape.last or solution.curves[place].first <= apex < solution.curves[place].last
        if other == place or apex == own or not near:
            continue
        if _counts(solution, place, other) and not _valley(solution, place, other):
            time = evidence.task.time[apex]
            yield "merged", f"no valley parts it from the peak at {time:.6g} s: their areas rest on the model"
            return


def _counts(solution: Solution, place: int, other: int) -> bool:
    """Whether another peak stands where one has its apex, or has a share of what both have and stands lower there."""
    (own, height), (apex, size) = _top(solution, place), _top(solution, other)
    if size > height:
        return _at(solution, other, own) >= TOUCHING * height
    areas = np.abs(solution.amplitudes[[place, other]])
    return _at(solution, place, apex) >= TOUCHING * size and bool(areas[1] > SHARE * areas[0])


def _valley(solution: Solution, place: int, other: int) -> bool:
    """Whether the sum of all peaks falls between the apexes of two, to below what it is at either."""
    (own, height), (apex, size) = _top(solution, place), _top(solution, other)
    between = np.abs(_total(solution, min(own, apex), max(own, apex) + 1))
    return bool(between.min() <= min(between[0], between[-1]) - LEVEL * min(height, size))


def _at(solution: Solution, place: int, point: int) -> float:
    """Height of a fitted peak at a point."""
    shape = solution.curves[place]
    inside = shape.first <= point < shape.last
    return float(abs(solution.amplitudes[place] * shape.rows[0, point - shape.first])) if inside else 0.0


def _hemmed(task: Task) -> Iterator[tuple[str, str]]:
    """Yield that higher ones on either side leave no baseline to be seen."""
    if task.hemmed:
        yield "merged", "no baseline is seen beside it: its area stands on the line between its valleys"


def _top(solution: Solution, place: int) -> tuple[int, float]:
    """Point and height of the apex of a fitted peak; outside all points where it has none."""
    shape = solution.curves[place]
    values = np.abs(shape.rows[0])
    if not values.size:
        return -1, 0.0
    top = int(np.argmax(values))
    return shape.first + top, float(abs(solution.amplitudes[place]) * values[top])


def _total(solution: Solution, first: int, last: int) -> Array:
    """Sum of the fitted peaks at the points `first` to `last`."""
    total = np.zeros(last - first)
    for amplitude, shape in zip(solution.amplitudes, solution.curves, strict=True):
        low, high = max(first, shape.first), min(last, shape.last)
        if low < high:
            total[low - first : high - first] += amplitude * shape.rows[0, low - shape.first : high - shape.first]
    return total


def _of_additions(record: PeakFit, stuck: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield which additions are known to no better than their own size."""
    for word, value, error in (
        ("site_n", record.site_n, record.site_n_se),
        ("site_k_d", record.site_k_d_per_s, record.site_k_d_se_per_s),
        ("tail", record.tail_s, record.tail_se_s),
    ):
        if not stuck and value is not None and error is not None and error > value:
            yield "", f"{word} is not determined"


def at_bounds(peak: Peak, task: Task) -> list[bool]:
    """Whether each coordinate of a peak lies on a bound of its search."""
    places = zip(peak.coordinates.tolist(), _edges(peak, task), strict=True)
    return [value <= low or value >= high for value, (low, high) in places]


def without_effect(peak: Peak, task: Task) -> list[bool]:
    """Whether each coordinate of a peak belongs to a site or tail that has vanished at its lower bound."""
    names = MODELS[peak.model].parameters
    if not MODELS[peak.model].parts:
        return [False] * len(names)
    places = zip(names, peak.coordinates.tolist(), _edges(peak, task), strict=True)
    low = {name: value <= edge for name, value, (edge, _) in places}
    site, tail = low.get("log_site_delay", False), low.get("log_tail", False)
    return [(site and name.startswith("log_site")) or (tail and name == "log_tail") for name in names]


def _edges(peak: Peak, task: Task) -> list[tuple[float, float]]:
    """Between which values each coordinate is not on a bound."""
    found = limits(peak, task.data.sampling.interval, task.data.crowded)
    return [(low + EDGE * (high - low), high - EDGE * (high - low)) for low, high, _ in found]
