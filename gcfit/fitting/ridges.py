"""Bulges of a trace followed from fine to coarse scales: one ridge a peak."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.curvature import FIELDS, FINE_SCALES, NARROWEST, Bulges, Index, Rows

Mask = NDArray[np.bool_]
MATURE = 0.6  # scale that fits a peak, in its widths
EXPLAINED = 0.3  # part of a coarse bulge that known peaks must make up to leave no new one
HEIR = 0.9  # part of the area in a coarse bulge that a ridge must have to go on alone
REACH = 3.0  # how far a peak adds to a bulge beside it, in scales
OWN = FIELDS[:8]  # what a ridge keeps of its bulge


@dataclass(frozen=True, eq=False)
class Ridges(Rows):
    """Bulges at the scales that fit them; positions, widths and scales in points.

    `table`, shape (8, m), has a row for each of `OWN`, which are also attributes, shape (m,) each.
    """

    table: Array

    def only(self, which: Mask | Index) -> "Ridges":
        """Return some of the ridges, or all in another order."""
        return Ridges(self.table[:, which])

    def moved(self, position: Array) -> "Ridges":
        """Return the ridges at other positions, shape (m,)."""
        return Ridges(np.concatenate([position[None], self.table[1:]]))


@dataclass(frozen=True, eq=False)
class _Shapes:
    """What bulges are asked for at every scale, shape (m,) each.

    They reach from `begin` to `end` and look like Gaussians of a variance and an area. Those that are `mature` are the
    last of their ridges: a coarser scale only blurs them.
    """

    position: Array
    begin: Array
    end: Array
    area: Array
    variance: Array
    scale: Array
    response: Array
    mature: Mask

    @classmethod
    def of(cls, bulges: Bulges) -> "_Shapes":
        position, sigma, height, response, _, _, _, scale, left, right = bulges.table
        return cls(
            position, position - left, position + right, sigma * height, sigma**2, scale, response,
            scale >= MATURE * sigma,
        )  # fmt: skip

    def holders(self, ridges: Index, first: int, last: int) -> Index:
        """Return in which of the bulges `first` to `last` each ridge lies, counted from 1, 0 for none."""
        place = self.position[ridges]
        holder = self.begin[first:last].searchsorted(place, "right")
        holder[place > self.end[first - 1 + holder]] = 0
        return holder

    def added(self, ridges: Index, bulges: Index) -> Array:
        """What Gaussians like some ridges add to the response of a bulge each, shape (k,)."""
        spread = self.variance[ridges] + self.scale[bulges] ** 2
        away = (self.position[ridges] - self.position[bulges]) ** 2 / (-2 * spread)
        return np.asarray(self.area[ridges] / (spread * np.sqrt(spread)) * np.exp(away))

    def explained(self, ridges: Index, bulges: Index) -> Mask:
        """Return which of some bulges are what all ridges add up to at their scale."""
        ordered = ridges[np.argsort(self.position[ridges], kind="stable")]
        position, place, reach = self.position[ordered], self.position[bulges], REACH * self.scale[bulges]
        low = np.searchsorted(position, place - reach)
        count = np.searchsorted(position, place + reach) - low
        bulge = np.repeat(np.arange(count.size), count)
        ridge = np.arange(bulge.size) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)
        added = np.bincount(bulge, self.added(ordered[ridge], bulges[bulge]), minlength=count.size)
        return np.asarray(added > EXPLAINED * self.response[bulges])


def follow(bulges: Bulges) -> Ridges:
    """Join the bulges of neighbouring scales, from fine to coarse, and keep each at the scale that fits it.

    A bulge that holds one unfinished ridge continues it. One that holds several, or finished ones, is their sum seen
    through a blunter eye, unless they are too weak to explain it: then it starts a ridge of its own.

    Returns
    -------
    Ridges
        In order of position.
    """
    shapes = _Shapes.of(bulges)
    at, closed = np.zeros(0, dtype=np.intp), np.zeros(0, dtype=bool)  # the bulge at which each ridge is
    for first, last in pairwise(bulges.limits):
        holder, area = shapes.holders(at, first, last), shapes.area[at]
        held = first - 1 + holder
        total = np.bincount(holder, area, minlength=last - first + 1)
        # an unfinished ridge goes on in a bulge that it has alone, or of which it has nearly all the area
        heir = (holder > 0) & ~closed & (area > HEIR * total[holder])
        free = np.ones(total.size, dtype=bool)
        free[0] = free[holder[heir]] = False
        fresh = free.nonzero()[0]
        if fresh.size:
            # the ridges within them explain most, at little cost
            added = np.bincount(holder, shapes.added(at, held), minlength=total.size)
            fresh = fresh[added[fresh] <= EXPLAINED * shapes.response[first - 1 + fresh]]
        if fresh.size:
            fresh = fresh[~shapes.explained(at, first - 1 + fresh)]
        free[fresh] = False
        closed |= free[holder]
        at = np.where(heir, held, at)
        if fresh.size:
            at = np.concatenate([at, first - 1 + fresh])
            closed = np.concatenate([closed, np.zeros(fresh.size, dtype=bool)])
        closed |= shapes.mature[at]
    ridges = Ridges(bulges.table[: len(OWN), at[np.argsort(shapes.position[at], kind="stable")]])
    return ridges.only(~_corners(ridges))


def _corners(ridges: Ridges) -> Mask:
    """Return which ridges are sharper than their scale can show, though finer scales do not see them: steps do that."""
    return np.asarray((ridges.sigma < 1.001 * NARROWEST * ridges.scale) & (ridges.scale > max(FINE_SCALES)))
