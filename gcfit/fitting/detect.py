"""Find the peaks of a trace: where it bulges at some scale by more than its noise allows."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.curvature import Bulges, bulges
from gcfit.fitting.defects import Defects, find_defects
from gcfit.fitting.records import Noise, Polarity

SIGNIFICANCE = 5.5  # of a bulge, in standard deviations: under 1 false in 100 traces of 40,000 points
SPLIT = 0.03  # smallest dip between two bulges, as a part of the larger
WIDEST = 0.08  # largest scale, as a part of the trace
QUANTUM = 0.6  # steps of a quantised signal that count as one standard deviation at least
MATURE = 0.6  # scale that fits a peak, in its widths
EXPLAINED = 0.3  # part of a bulge that known peaks must make up
PROFILE = np.arange(-6, 6.01, 0.25)  # where the trace is looked at around a candidate, in its widths


@dataclass(frozen=True)
class Candidate:
    """A peak that the trace seems to hold.

    Parameters
    ----------
    apex_time : float
        Time of the apex [s]; of the greatest curvature for a shoulder.
    height : float
        Height above the local base [signal unit], always positive.
    sigma : float
        Standard deviation of the Gaussian of the same curvature [s].
    snr : float
        Height in standard deviations of the noise.
    sign : int
        +1 or -1.
    shoulder : bool
        Has no maximum of its own.
    left_half_width, right_half_width : float
        Distances from the apex to half the height [s]; those of the Gaussian for a shoulder or an overlapped side.
    significance : float
        Curvature in standard deviations of its noise, at the scale that fits the peak.
    saturated : bool
        The top is cut off by the detector's range.
    """

    apex_time: float
    height: float
    sigma: float
    snr: float
    sign: int = 1
    shoulder: bool = False
    left_half_width: float = 0.0
    right_half_width: float = 0.0
    significance: float = 0.0
    saturated: bool = False


def find_peaks(
    time: Array, signal: Array, noise: Noise, *, polarity: Polarity = "positive", min_snr: float = 5.0
) -> tuple[Candidate, ...]:
    """Return the peaks of a trace in order of time.

    Parameters
    ----------
    time, signal : ndarray, shape (n,)
        Times [s], strictly increasing, and detector signal.
    noise : Noise
        As `estimate_noise` gives it.
    polarity : {"positive", "negative", "both"}
        Which way the peaks point.
    min_snr : float
        Smallest height, in standard deviations of the noise.
    """
    if np.ptp(signal) == 0:
        return ()
    found: list[Candidate] = []
    for sign in {"positive": (1,), "negative": (-1,), "both": (1, -1)}[polarity]:
        found += _one_sign(time, sign * signal, noise, sign, min_snr)
    return tuple(sorted(found, key=lambda candidate: candidate.apex_time))


def _one_sign(time: Array, signal: Array, noise: Noise, sign: int, min_snr: float) -> list[Candidate]:
    defects = find_defects(signal, noise)
    clean = defects.repaired(signal)
    grid, y = _even(time, clean)
    y = y - np.median(y)
    floor = 1e-9 * float(np.ptp(y))
    deviation = max(noise.deviation, QUANTUM * noise.step, floor)
    acf = np.array(noise.acf) if noise.acf else noise.correlation ** np.arange(30)
    threshold = float(np.sqrt(SIGNIFICANCE**2 + 2 * np.log(max(1.0, y.size / 4e4))))
    ridges = _ridges(bulges(y, deviation**2 * acf, threshold, SPLIT, WIDEST * y.size))
    return _judged(ridges, grid, y, time, defects, deviation, noise, sign, min_snr)


def _even(time: Array, signal: Array) -> tuple[Array, Array]:
    """Return times and signal at (nearly) equal steps; interpolated only where the steps differ much."""
    steps = np.diff(time)
    step = float(np.median(steps))
    if float(np.ptp(steps)) < 0.5 * step:
        return time, signal
    count = min(int(np.ceil((time[-1] - time[0]) / step)) + 1, 4 * time.size)
    grid = np.linspace(time[0], time[-1], count)
    return grid, np.interp(grid, time, signal)


@dataclass
class _Ridge:
    """One bulge followed from fine to coarse scales until the smoothing is about as wide as the peak.

    `mature` ridges are closed: a coarser scale only blurs them.
    """

    level: Bulges
    index: int
    mature: bool = False

    def take(self, level: Bulges, index: int) -> None:
        """Continue at a coarser scale."""
        self.level, self.index = level, index
        self.mature = bool(level.scale >= MATURE * level.sigma[index])

    def value(self, name: str) -> float:
        """Return one of the measures of the bulge."""
        return float(getattr(self.level, name)[self.index])


@dataclass(frozen=True)
class _Node:
    """A bulge at the scale that fits it [points]."""

    position: float
    sigma: float
    height: float
    response: float
    significance: float
    left_lobe: float
    right_lobe: float


def _node(ridge: _Ridge) -> _Node:
    names = ("position", "sigma", "height", "response", "significance", "left_lobe", "right_lobe")
    return _Node(*(ridge.value(name) for name in names))


def _ridges(levels: Iterable[Bulges]) -> list[_Ridge]:
    """Join the bulges of neighbouring scales to ridges, one a peak."""
    ridges: list[_Ridge] = []
    for level in levels:
        places = np.array([ridge.value("position") for ridge in ridges])
        low = level.position - level.left
        holder = np.searchsorted(low, places, "right") - 1
        holder[(holder >= 0) & (places > (level.position + level.right)[holder])] = -1
        for i in range(level.position.size):
            held = [ridges[j] for j in np.flatnonzero(holder == i)]
            if len(held) == 1 and not held[0].mature:
                held[0].take(level, i)
            elif not _explained(ridges, places, level, i):
                fresh = _Ridge(level, i)
                fresh.take(level, i)
                ridges.append(fresh)
            else:
                for ridge in held:
                    ridge.mature = True
    return ridges


def _explained(ridges: list[_Ridge], places: Array, level: Bulges, index: int) -> bool:
    """Whether peaks already found add up to a bulge of a coarser scale."""
    total, position, scale = 0.0, level.position[index], level.scale
    for i in np.flatnonzero(np.abs(places - position) < 3 * scale):
        sigma, height = ridges[i].value("sigma"), ridges[i].value("height")
        spread = sigma**2 + scale**2
        total += height * sigma * spread**-1.5 * np.exp(-((places[i] - position) ** 2) / (2 * spread))
    return bool(total > EXPLAINED * level.response[index])


def _judged(
    ridges: list[_Ridge], grid: Array, y: Array, time: Array, defects: Defects, deviation: float, noise: Noise, sign: int, min_snr: float
) -> list[Candidate]:
    if not ridges:
        return []
    nodes = sorted((_node(ridge) for ridge in ridges), key=lambda node: node.position)
    position = np.array([node.position for node in nodes])
    sigma = np.array([node.sigma for node in nodes])
    profile, valid = _profiles(y, position, sigma)
    centre = PROFILE.size // 2
    apex = profile[:, centre]
    left, right = _drop(profile[:, centre::-1]), _drop(profile[:, centre:])
    height = np.array([node.height for node in nodes])
    own = np.minimum(left, right) >= np.maximum(0.25 * height, 0)
    out = []
    for i, node in enumerate(nodes):
        shoulder = not own[i]
        if shoulder and not _is_shoulder(i, nodes, own, y):
            continue
        h = float(height[i]) if shoulder else float(np.minimum(max(left[i], right[i]), 2 * height[i]))
        if h / deviation < min_snr:
            continue
        per_point = _seconds_per_point(grid, node.position)
        out.append(
            Candidate(
                float(np.interp(node.position, np.arange(grid.size), grid)),
                h,
                node.sigma * per_point,
                h / deviation,
                sign,
                shoulder,
                node.sigma * 1.1774 * per_point,
                node.sigma * 1.1774 * per_point,
                node.significance,
                bool(defects.saturated_near(node.position, node.sigma)) if grid is time else False,
            )
        )
    return out


def _seconds_per_point(grid: Array, position: float) -> float:
    i = int(np.clip(position, 1, grid.size - 2))
    return float((grid[i + 1] - grid[i - 1]) / 2)


def _profiles(y: Array, position: Array, sigma: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return the smoothed trace around each candidate at the places `PROFILE`, shape (m, places)."""
    total = np.concatenate([[0.0], np.cumsum(y)])
    half = np.maximum(0.5, 0.25 * sigma)[:, None]
    middle = position[:, None] + PROFILE * sigma[:, None]
    low, high = np.clip(middle - half, -0.5, y.size - 1.5), np.clip(middle + half, 0.5, y.size - 0.5)
    edges = np.arange(y.size + 1) - 0.5
    area = np.interp(high, edges, total) - np.interp(low, edges, total)
    return area / (high - low), (middle >= 0) & (middle <= y.size - 1)


def _drop(outward: Array) -> Array:
    """Return how far the trace falls from the apex before it rises above it, shape (m,)."""
    above = np.maximum.accumulate(outward > outward[:, :1], axis=1)
    return np.asarray(outward[:, 0] - np.where(above, np.inf, outward).min(axis=1))


def _is_shoulder(i: int, nodes: list[_Node], own: NDArray[np.bool_], y: Array) -> bool:
    """Whether a bulge without a maximum of its own is a peak on the flank of another, not a step, a dip's rim or a bend."""
    node = nodes[i]
    if node.significance < 2 * SIGNIFICANCE:
        return False
    if node.left_lobe < -0.15 * node.response and node.right_lobe < -0.15 * node.response:
        return True
    for j in np.flatnonzero(own):
        other = nodes[j]
        low, high = sorted((round(node.position), round(other.position)))
        if abs(other.position - node.position) < 4 * (node.sigma + other.sigma) and high > low:
            path = y[low : high + 1]
            if path.min() >= min(path[0], path[-1]) - 3 * np.std(np.diff(path)):
                return True
    return False
