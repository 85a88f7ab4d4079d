"""Bulges of a trace followed from fine to coarse scales: one ridge a peak."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.curvature import Bulges

MATURE = 0.6  # scale that fits a peak, in its widths
EXPLAINED = 0.3  # part of a coarse bulge that known peaks must make up to leave no new one
HEIR = 0.9  # part of the area in a coarse bulge that a ridge must have to go on alone
FIELDS = ("position", "sigma", "height", "response", "significance", "left_lobe", "right_lobe")


@dataclass(frozen=True, eq=False)
class Ridges:
    """The bulges at the scales that fit them, in order of position, shape (m,) each; positions and widths in points."""

    position: Array
    sigma: Array
    height: Array
    response: Array
    significance: Array
    left_lobe: Array
    right_lobe: Array

    def only(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Ridges":
        """Return some of the ridges, or all in another order."""
        return Ridges(*(getattr(self, name)[which] for name in FIELDS))


@dataclass
class _Ridge:
    """One bulge on its way: `mature` ridges are closed, a coarser scale only blurs them."""

    level: Bulges
    index: int
    mature: bool
    position: float

    def take(self, level: Bulges, index: int) -> None:
        """Continue at a coarser scale."""
        self.level, self.index, self.position = level, index, float(level.position[index])
        self.mature = bool(level.scale >= MATURE * level.sigma[index])


def follow(levels: Iterable[Bulges]) -> Ridges:
    """Join the bulges of neighbouring scales, from fine to coarse, and keep each at the scale that fits it.

    A bulge that holds one unfinished ridge continues it. One that holds several, or finished ones, is their sum seen
    through a blunter eye, unless they are too weak to explain it: then it starts a ridge of its own.
    """
    ridges: list[_Ridge] = []
    for level in levels:
        places = np.array([ridge.position for ridge in ridges])
        holder = np.searchsorted(level.position - level.left, places, "right") - 1
        holder[(holder >= 0) & (places > (level.position + level.right)[holder])] = -1
        order = np.argsort(holder, kind="stable")
        starts = np.searchsorted(holder[order], np.arange(level.position.size + 1))
        fresh = []
        for i in range(level.position.size):
            held = [ridges[j] for j in order[starts[i] : starts[i + 1]]]
            heir = _heir(held)
            if heir is not None:
                heir.take(level, i)
            elif not _explained(ridges, places, level, i):
                fresh.append(_started(level, i))
            else:
                for ridge in held:
                    ridge.mature = True
        ridges += fresh
    return _collected(sorted(ridges, key=lambda ridge: ridge.position))


def _heir(held: list[_Ridge]) -> _Ridge | None:
    """Return the unfinished ridge that a coarser bulge continues: the only one in it, or one beside which the others vanish."""
    areas = [float(ridge.level.sigma[ridge.index] * ridge.level.height[ridge.index]) for ridge in held]
    if held and max(areas) > HEIR * sum(areas):
        largest = held[areas.index(max(areas))]
        return None if largest.mature else largest
    return None


def _started(level: Bulges, index: int) -> _Ridge:
    ridge = _Ridge(level, index, mature=False, position=0.0)
    ridge.take(level, index)
    return ridge


def _explained(ridges: list[_Ridge], places: Array, level: Bulges, index: int) -> bool:
    """Whether the peaks found so far add up to a bulge of a coarser scale."""
    total, position, scale = 0.0, level.position[index], level.scale
    for i in np.flatnonzero(np.abs(places - position) < 3 * scale):
        sigma, height = ridges[i].level.sigma[ridges[i].index], ridges[i].level.height[ridges[i].index]
        spread = sigma**2 + scale**2
        total += height * sigma * spread**-1.5 * np.exp(-((places[i] - position) ** 2) / (2 * spread))
    return bool(total > EXPLAINED * level.response[index])


def _collected(ridges: list[_Ridge]) -> Ridges:
    return Ridges(*(np.array([float(getattr(r.level, name)[r.index]) for r in ridges]) for name in FIELDS))
