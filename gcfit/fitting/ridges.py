"""Bulges of a trace followed from fine to coarse scales: one ridge a peak."""

from collections.abc import Iterable
from dataclasses import dataclass

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

    @property
    def mature(self) -> Mask:
        """Which ridges are closed: a coarser scale only blurs them."""
        return np.asarray(self.scale >= MATURE * self.sigma)

    def only(self, which: Mask | Index) -> "Ridges":
        """Return some of the ridges, or all in another order."""
        return Ridges(self.table[:, which])

    def joined(self, other: "Ridges") -> "Ridges":
        """Return these ridges and others."""
        return Ridges(np.concatenate([self.table, other.table], axis=1))

    def replaced(self, rows: Index, other: "Ridges") -> "Ridges":
        """Return the ridges with some rows taken from others."""
        table = self.table.copy()
        table[:, rows] = other.table
        return Ridges(table)

    def moved(self, position: Array) -> "Ridges":
        """Return the ridges at other positions, shape (m,)."""
        return Ridges(np.concatenate([position[None], self.table[1:]]))


def follow(levels: Iterable[Bulges]) -> Ridges:
    """Join the bulges of neighbouring scales, from fine to coarse, and keep each at the scale that fits it.

    A bulge that holds one unfinished ridge continues it. One that holds several, or finished ones, is their sum seen
    through a blunter eye, unless they are too weak to explain it: then it starts a ridge of its own.

    Returns
    -------
    Ridges
        In order of position.
    """
    ridges = Ridges(np.zeros((len(OWN), 0)))
    closed = np.zeros(0, dtype=bool)
    for level in levels:
        nodes = Ridges(level.table[: len(OWN)])
        holder = _holders(level, ridges.position)
        rows = _heirs(holder, ridges, closed, level.position.size)
        free = np.ones(level.position.size, dtype=bool)
        free[holder[rows]] = False
        continued = ridges.replaced(rows, nodes.only(holder[rows]))
        if free.any():
            fresh = free & ~_explained_by_its_own(ridges, nodes, holder)
            if fresh.any():
                fresh[fresh] = ~_explained(ridges, nodes.only(fresh))
            closed = closed | ((free & ~fresh)[holder] & (holder >= 0))
            if fresh.any():
                started = nodes.only(fresh)
                continued = continued.joined(started)
                closed = np.concatenate([closed, np.zeros(started.position.size, dtype=bool)])
        ridges = continued
        closed = closed | ridges.mature
    ordered = ridges.only(np.argsort(ridges.position, kind="stable"))
    return ordered.only(~_corners(ordered))


def _corners(ridges: Ridges) -> Mask:
    """Return which ridges are sharper than their scale can show, though finer scales do not see them: steps do that."""
    return np.asarray((ridges.sigma < 1.001 * NARROWEST * ridges.scale) & (ridges.scale > max(FINE_SCALES)))


def _holders(level: Bulges, places: Array) -> Index:
    """Return the bulge in which each place lies, -1 for none, shape (places,)."""
    position = level.position
    holder = (position - level.left).searchsorted(places, "right") - 1
    holder[places > (position + level.right)[holder]] = -1
    return holder


def _heirs(holder: Index, ridges: Ridges, closed: Mask, count: int) -> Index:
    """Return the unfinished ridges that a coarser bulge continues: alone in it, or with nearly all of its area."""
    area = ridges.sigma * ridges.height
    # those that no bulge holds are counted behind the others
    total = np.bincount(holder % (count + 1), area, minlength=count + 1)
    heirs: Index = ((holder >= 0) & ~closed & (area > HEIR * total[holder])).nonzero()[0]
    return heirs


def _explained_by_its_own(ridges: Ridges, nodes: Ridges, holder: Index) -> Mask:
    """Return which bulges the ridges within them explain already, shape (nodes,): most of them, at little cost."""
    held = (holder >= 0).nonzero()[0]
    node = holder[held]
    added = _response(ridges.only(held), nodes.position[node], nodes.scale[node])
    return np.bincount(node, added, minlength=nodes.position.size) > EXPLAINED * nodes.response


def _explained(ridges: Ridges, nodes: Ridges) -> Mask:
    """Return which bulges are what peaks found before add up to at their scale, shape (nodes,)."""
    ordered = ridges.only(np.argsort(ridges.position, kind="stable"))
    low = np.searchsorted(ordered.position, nodes.position - REACH * nodes.scale)
    high = np.searchsorted(ordered.position, nodes.position + REACH * nodes.scale)
    count = high - low
    node = np.repeat(np.arange(count.size), count)
    ridge = np.arange(node.size) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)
    added = _response(ordered.only(ridge), nodes.position[node], nodes.scale[node])
    return np.bincount(node, added, minlength=count.size) > EXPLAINED * nodes.response


def _response(ridges: Ridges, place: Array, scale: Array) -> Array:
    """What Gaussians like some ridges add to the response at a place each, at a scale each, shape (m,)."""
    spread = ridges.sigma**2 + scale**2
    away = (ridges.position - place) ** 2 / (-2 * spread)
    return np.asarray(ridges.height * ridges.sigma / (spread * np.sqrt(spread)) * np.exp(away))
