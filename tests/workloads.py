"""Simulated chromatograms with known truth: the recipes of the workloads on which programs are compared.

Peaks follow the linear sorption law and are made by the tests' own formula; the baseline drifts and the noise is
white, 0.1 % of the highest apex. `bound` is the Cramér-Rao bound of an area, relative: area, mean and plates free for
every peak, and one free line for each group of overlapping peaks. No unbiased method has a smaller error.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from tests.column.plain import impulse

NOISE = 1e-3
REACH = 6.0  # σ; peaks nearer than this share a line in the bound


@dataclass(frozen=True)
class Truth:
    """One peak as it was made: area, mean [s], plates, apex [s], and the bound of its area, relative."""

    area: float
    mean: float
    plates: float
    apex: float
    bound: float
    n: float
    desorption_rate: float

    @property
    def sigma(self) -> float:
        return float(self.mean / np.sqrt(self.plates))


@dataclass(frozen=True, eq=False)
class Workload:
    """A chromatogram and what is in it."""

    chromatogram: Chromatogram
    hold_up: float
    peaks: tuple[Truth, ...]


Peak = tuple[float, float, float]


def rates(hold_up: float, mean: float, plates: float) -> tuple[float, float]:
    """n and k_d [1/s] of a peak by its moments."""
    rate = 2 * (mean - hold_up) * plates / mean**2
    return rate * (mean - hold_up), rate


def curve(time: Array, hold_up: float, mean: float, plates: float) -> Array:
    return impulse(time - hold_up, *rates(hold_up, mean, plates))


def assembled(time: Array, hold_up: float, peaks: Sequence[Peak], random: np.random.Generator) -> Workload:
    """Peaks (area, mean, plates) on a baseline of 2 to 3 % of the highest apex, with noise."""
    clean = sum(area * curve(time, hold_up, mean, plates) for area, mean, plates in peaks)
    top, end = float(np.max(clean)), time[-1] + time[1]
    drift = top * (0.02 + 0.01 * time / end + 0.01 * np.sin(np.pi * time / end))
    signal = clean + drift + NOISE * top * random.standard_normal(time.size)
    bounds = area_bounds(time, hold_up, peaks, NOISE * top)
    truths = [_truth(hold_up, peak, bound) for peak, bound in zip(peaks, bounds, strict=True)]
    return Workload(Chromatogram(time, signal), hold_up, tuple(sorted(truths, key=lambda truth: truth.apex)))


def _truth(hold_up: float, peak: Peak, bound: float) -> Truth:
    area, mean, plates = peak
    sigma = mean / np.sqrt(plates)
    fine = np.linspace(mean - 4 * sigma, mean + 3 * sigma, 4001)
    apex = float(fine[curve(fine, hold_up, mean, plates).argmax()])
    return Truth(area, mean, plates, apex, bound, *rates(hold_up, mean, plates))


def area_bounds(time: Array, hold_up: float, peaks: Sequence[Peak], noise: float) -> list[float]:
    """Relative Cramér-Rao bound of each area's standard deviation."""
    bounds: dict[int, float] = {}
    for low, high, members in _groups(peaks):
        x = time[(time >= low) & (time <= high)]
        columns = [column for k in members for column in _columns(x, hold_up, peaks[k])]
        design = np.column_stack([*columns, np.ones_like(x), (x - x.mean()) / np.ptp(x)])
        scale = np.linalg.norm(design, axis=0)
        variance = np.diag(np.linalg.inv((design / scale).T @ (design / scale))) * noise**2 / scale**2
        bounds.update({k: float(np.sqrt(variance[3 * place])) for place, k in enumerate(members)})
    return [bounds[k] for k in range(len(peaks))]


def _groups(peaks: Sequence[Peak]) -> list[tuple[float, float, list[int]]]:
    spans: list[tuple[float, float, list[int]]] = []
    for k in sorted(range(len(peaks)), key=lambda k: peaks[k][1]):
        _, mean, plates = peaks[k]
        low, high = mean - REACH * mean / np.sqrt(plates), mean + REACH * mean / np.sqrt(plates)
        if spans and low < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(high, spans[-1][1]), [*spans[-1][2], k])
        else:
            spans.append((low, high, [k]))
    return spans


def _columns(x: Array, hold_up: float, peak: Peak) -> list[Array]:
    """A peak per relative area, and its central differences by mean and by the logarithm of the plates."""
    area, mean, plates = peak
    step, share = 1e-4 * mean / np.sqrt(plates), 1e-4

    def at(mean: float, plates: float) -> Array:
        return area * curve(x, hold_up, mean, plates)

    return [
        at(mean, plates),
        (at(mean + step, plates) - at(mean - step, plates)) / (2 * step),
        (at(mean, plates * np.exp(share)) - at(mean, plates * np.exp(-share))) / (2 * share),
    ]


def btex(seed: int, jitter: bool = False) -> Workload:
    """W1: six peaks of unequal width; with `jitter` the runs of a batch (W4)."""
    random = np.random.default_rng(seed)
    mean = np.array([92.0, 138.0, 205.0, 251.0, 285.0, 398.0])
    plates = np.array([1e5, 2e4] * 3)
    area = np.array([60.0, 100.0, 80.0, 40.0, 90.0, 120.0])
    hold_up = 60.0
    if jitter:
        hold_up = 60 * (1 + 0.01 * random.standard_normal())
        mean = hold_up + (mean - 60) * (1 + 0.01 * random.standard_normal(6))
        plates = plates * np.exp(0.1 * random.standard_normal(6))
        area = area * np.exp(0.3 * random.standard_normal(6))
    return assembled(np.arange(0, 500, 0.1), hold_up, list(zip(area, mean, plates, strict=True)), random)


def doublets(seed: int) -> Workload:
    """W2: five pairs, by time of the first, resolution, and height of the second over the first."""
    plates, peaks = 2e4, []
    pairs = [(110.0, 1.0, 1.0), (190.0, 0.8, 0.5), (280.0, 0.6, 1 / 3), (380.0, 1.0, 0.2), (500.0, 0.8, 5.0)]
    for first, resolution, ratio in pairs:
        sigma = first / np.sqrt(plates)
        second = first + 4 * resolution * sigma / (1 - 2 * resolution / np.sqrt(plates))
        area = 10 * sigma * np.sqrt(2 * np.pi) / max(ratio, 1)
        peaks += [(area, first, plates), (area * ratio * second / first, second, plates)]
    return assembled(np.arange(0, 600, 0.1), 60.0, peaks, np.random.default_rng(seed))


def forest(seed: int) -> Workload:
    """W3: a hundred peaks, many overlapping, heights over a factor of 20."""
    random = np.random.default_rng(seed)
    grid = np.linspace(np.log(90), np.log(3450), 100)
    mean = np.exp(grid + random.uniform(-0.3, 0.3, 100) * (grid[1] - grid[0]))
    plates = 5e4
    area = 10 * np.exp(random.uniform(np.log(0.05), 0, 100)) * mean / np.sqrt(plates) * np.sqrt(2 * np.pi)
    peaks = [(a, m, plates) for a, m in zip(area, mean, strict=True)]
    return assembled(np.arange(0, 3600, 0.1), 60.0, peaks, random)


def tailing(seed: int) -> Workload:
    """W5: few adsorptions, wide asymmetric peaks, the first a few seconds after the hold-up time."""
    peaks = [(300.0, 66.0, 500.0), (500.0, 90.0, 500.0), (400.0, 130.0, 800.0), (450.0, 200.0, 1500.0)]
    peaks += [(600.0, 320.0, 3000.0)]
    return assembled(np.arange(0, 500, 0.1), 60.0, peaks, np.random.default_rng(seed))


RECIPES: dict[str, tuple[int, Callable[[int], Workload]]] = {
    "W1": (1, btex),
    "W2": (2, doublets),
    "W3": (3, forest),
    "W5": (5, tailing),
}


@dataclass(frozen=True)
class Score:
    """Peaks missed and false, and the area errors in units of the bound, over one or more workloads."""

    missed: int
    false: int
    errors: tuple[float, ...]

    @property
    def rms(self) -> float:
        return float(np.sqrt(np.mean(np.square(self.errors))))

    @property
    def worst(self) -> float:
        return float(np.max(np.abs(self.errors)))

    def __add__(self, other: "Score") -> "Score":
        return Score(self.missed + other.missed, self.false + other.false, self.errors + other.errors)


def scored(work: Workload, apexes: Sequence[float], areas: Sequence[float]) -> Score:
    """Match each true peak to the nearest free found one within 1.5 σ, the largest first."""
    free = list(range(len(apexes)))
    errors = []
    for truth in sorted(work.peaks, key=lambda truth: -truth.area / truth.sigma):
        near = min(free, key=lambda k: abs(apexes[k] - truth.apex), default=None)
        if near is not None and abs(apexes[near] - truth.apex) < 1.5 * truth.sigma:
            free.remove(near)
            errors.append((areas[near] / truth.area - 1) / truth.bound)
    return Score(len(work.peaks) - len(errors), len(free), tuple(errors))
