"""Global baselines by name: what lies under all peaks of a trace.

The default fit has a local baseline in every window and takes nothing off the signal. One of these is taken off when
it is asked for by name, and then only the level of each window is left to the fit.
"""

from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.errors import InputError, MissingExtraError
from gcfit.fitting.detect import Candidate
from gcfit.fitting.records import Noise

Mask = NDArray[np.bool_]
LEFT_REACH, RIGHT_REACH = 4.0, 6.0  # of a peak, in its widths on either side
KNOTS = 200  # of the baseline through valleys, over the whole trace
DENSE = 4000  # points to which a trace is thinned for the methods of pybaselines
WINDOWS = 15  # half windows of the clipping methods of pybaselines that a trace holds at most
STIFF, CLIPPED = 10.0, 4.0  # σ of the widest peak over which a baseline is stiff, and half a clipping window
SMALL = 0.01  # of the highest peak; a smaller one does not count as the widest


class Method(Protocol):
    """What turns a trace and its peaks into a baseline."""

    def __call__(self, time: Array, signal: Array, candidates: Sequence[Candidate], noise: Noise) -> Array:
        """Return the baseline at every point."""


def global_baseline(
    time: Array, signal: Array, candidates: Sequence[Candidate], noise: Noise, method: str = "valleys"
) -> Array:
    """Return the baseline of a whole trace, shape (n,) [signal unit].

    Parameters
    ----------
    time, signal : ndarray, shape (n,)
        Times [s] and detector signal.
    candidates : sequence of Candidate
        Its peaks as `find_peaks` gives them.
    noise : Noise
        As `estimate_noise` gives it.
    method : str
        A name of `METHODS`.

    Raises
    ------
    InputError
        If the method is not known.
    MissingExtraError
        If it needs pybaselines, which is not installed.
    """
    check_method(method)
    return METHODS[method](time, signal, candidates, noise)


def check_method(method: str) -> None:
    """Raise where a baseline is not known, or needs a package that is not there.

    Raises
    ------
    InputError, MissingExtraError
        As `global_baseline`.
    """
    if method not in METHODS:
        known = ", ".join(("auto", *METHODS))
        raise InputError("", f"baseline {method!r} is not known", remedy=f"known are {known}")
    if isinstance(METHODS[method], partial) and find_spec("pybaselines") is None:
        raise MissingExtraError(f"the baseline {method}", "baselines")


def _between_peaks(time: Array, signal: Array, candidates: Sequence[Candidate], noise: Noise) -> Array:
    """Straight lines through medians of the points free of peaks; under clusters through their deepest valleys."""
    covered = _covered(time, candidates)
    knots = np.concatenate([_free_knots(time, signal, ~covered), _valleys(time, signal, candidates, covered)])
    if not len(knots):
        return np.full(time.size, signal.min())
    knots = knots[np.argsort(knots[:, 0], kind="stable")]
    knots = knots[_lower_hull(knots)]
    knots = np.vstack([_towards(time[0], knots), knots, _towards(time[-1], knots[::-1])])
    return np.asarray(np.interp(time, knots[:, 0], knots[:, 1]))


def _towards(end: float, knots: Array) -> Array:
    """Return the knot at an end of the trace on the line through the last two, none where they lie far from it."""
    if len(knots) < 2 or abs(knots[0, 0] - end) > abs(knots[1, 0] - knots[0, 0]):
        return np.zeros((0, 3))
    (t0, y0, _), (t1, y1, _) = knots[:2]
    return np.array([[end, y0 + (y1 - y0) * (end - t0) / (t1 - t0), 0.0]])


def _covered(time: Array, candidates: Sequence[Candidate]) -> Mask:
    """Return the mask of the points that belong to peaks, shape (n,)."""
    change = np.zeros(time.size + 1, dtype=np.int64)
    for peak in candidates:
        left = LEFT_REACH * max(peak.sigma, peak.left_half_width)
        right = RIGHT_REACH * max(peak.sigma, peak.right_half_width)
        change[np.searchsorted(time, peak.apex_time - left)] += 1
        change[np.searchsorted(time, peak.apex_time + right)] -= 1
    return np.asarray(np.cumsum(change)[:-1] > 0)


def _free_knots(time: Array, signal: Array, free: Mask) -> Array:
    """Return (time, median, 0) of stretches of the points free of peaks, shape (k, 3)."""
    edges = np.flatnonzero(np.diff(np.r_[False, free, False].astype(np.int8)))
    length = max(8, time.size // KNOTS)
    rows = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        bounds = np.linspace(start, stop, int(np.ceil((stop - start) / length)) + 1).astype(int)
        for i, j in pairwise(bounds):
            rows.append((time[i:j].mean(), np.median(signal[i:j]), 0.0))
    return np.array(rows).reshape(-1, 3)


def _valleys(time: Array, signal: Array, candidates: Sequence[Candidate], covered: Mask) -> Array:
    """Return (time, signal, sign) of the valleys between neighbouring peaks that overlap, shape (k, 3).

    The ends of the trace count as valleys where a peak reaches over them.
    """
    apexes = np.searchsorted(time, [peak.apex_time for peak in candidates])
    bounds = np.r_[0, apexes, time.size - 1]
    signs = [candidates[0].sign, *(peak.sign for peak in candidates)] if candidates else []
    rows = []
    for (i, j), sign in zip(pairwise(bounds), signs, strict=False):
        if j > i and covered[i : j + 1].all():
            deepest = i + int(np.argmin(sign * signal[i : j + 1]))
            rows.append((time[deepest], signal[deepest], float(sign)))
    return np.array(rows).reshape(-1, 3)


def _lower_hull(knots: Array) -> list[int]:
    """Return which knots stay: all that are free of peaks, and of the valleys between two of them the convex ones.

    The third column of `knots` is 0 for a knot free of peaks and the sign of the peaks for a valley.
    """
    stay: list[int] = []
    for i, (t, y, sign) in enumerate(knots):
        while stay and knots[stay[-1], 2]:
            t1, y1, side = knots[stay[-1]]
            t0, y0 = knots[stay[-2], :2] if len(stay) > 1 else (t1, y1)
            line = y0 + (y - y0) * (t1 - t0) / (t - t0) if t > t0 else y0
            if side * (y1 - line) <= 0:
                break
            stay.pop()
        if not (sign and stay and knots[stay[-1], 0] == t):
            stay.append(i)
    return stay


def _line(time: Array, signal: Array, candidates: Sequence[Candidate], noise: Noise) -> Array:
    """One straight line through all points free of peaks (least absolute deviations by reweighting)."""
    free = ~_covered(time, candidates)
    free = free if np.count_nonzero(free) > 2 else np.ones(time.size, dtype=bool)
    weights = free * 1.0
    line = np.zeros(time.size)
    least = max(noise.deviation, 1e-12 * float(np.ptp(signal)), np.finfo(float).tiny)
    for _ in range(20):
        middle, level = np.average(time, weights=weights), np.average(signal, weights=weights)
        across = weights @ (time - middle) ** 2
        slope = weights @ ((time - middle) * (signal - level)) / across if across > 0 else 0.0
        line = level + slope * (time - middle)
        weights = free / np.maximum(np.abs(signal - line) / least, 1.0)
    return line


def _by_pybaselines(
    time: Array,
    signal: Array,
    candidates: Sequence[Candidate],
    noise: Noise,
    *,
    name: str,
    options: Callable[[int, float], dict[str, float]],
) -> Array:
    """A method of pybaselines on the trace thinned by means, its options made for points and the widest peak."""
    from pybaselines import Baseline

    factor = max(1, time.size // DENSE)
    count = time.size // factor * factor
    coarse = time[:count].reshape(-1, factor).mean(axis=1)
    thinned = signal[:count].reshape(-1, factor).mean(axis=1)
    scale = float(np.ptp(thinned)) or 1.0
    method = getattr(Baseline(x_data=coarse), name)
    widest = _widest(candidates) / float(np.median(np.diff(coarse)))
    baseline, _ = method((thinned - thinned[0]) / scale, **options(coarse.size, widest))
    return np.asarray(np.interp(time, coarse, np.asarray(baseline) * scale + thinned[0]))


def _widest(candidates: Sequence[Candidate]) -> float:
    """The largest σ [s] among the peaks that are not small beside the others; 0 without peaks."""
    least = SMALL * max((peak.height for peak in candidates), default=0.0)
    return max((max(peak.sigma, peak.right_half_width) for peak in candidates if peak.height >= least), default=0.0)


def _stiffness(points: int, widest: float) -> dict[str, float]:
    """Stiffness of Whittaker smoothers, which goes with the 4th power of the points that they smooth over."""
    return {"lam": max(points / 56, STIFF * widest, 1.0) ** 4}


def _window(points: int, widest: float) -> dict[str, float]:
    return {"max_half_window": _half(points, widest)}


def _half_window(points: int, widest: float) -> dict[str, float]:
    return {"half_window": _half(points, widest)}


def _half(points: int, widest: float) -> int:
    """Half windows of the clipping methods: wider than the widest peak."""
    return max(1, min(max(points // WINDOWS, int(CLIPPED * widest)), (points - 1) // 2))


def _degree(points: int, _: float) -> dict[str, float]:
    return {"poly_order": min(4, points - 1)}


METHODS: dict[str, Method] = {
    "valleys": _between_peaks,
    "line": _line,
    "asls": partial(_by_pybaselines, name="asls", options=_stiffness),
    "airpls": partial(_by_pybaselines, name="airpls", options=_stiffness),
    "arpls": partial(_by_pybaselines, name="arpls", options=_stiffness),
    "iarpls": partial(_by_pybaselines, name="iarpls", options=_stiffness),
    "psalsa": partial(_by_pybaselines, name="psalsa", options=_stiffness),
    "modpoly": partial(_by_pybaselines, name="modpoly", options=_degree),
    "imodpoly": partial(_by_pybaselines, name="imodpoly", options=_degree),
    "mor": partial(_by_pybaselines, name="mor", options=_half_window),
    "snip": partial(_by_pybaselines, name="snip", options=_window),
}
