"""A step within bounds: a projected Newton search on the quadratic model of a search (Bertsekas 1982)."""

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.normal import Mask, Normal

ROUNDS = 6  # of the search


def within_bounds(normal: Normal, gradient: Array, damping: float, low: Array, high: Array) -> Array:
    """Find the damped step within its bounds.

    Parameters
    ----------
    normal : Normal
        Normal matrix of the coordinates.
    gradient : ndarray, shape (coordinates,)
        Half the downhill slope of the sum of squares.
    damping : float
    low, high : ndarray, shape (coordinates,)
        Bounds of the step.
    """
    free = normal.damped(gradient, damping)
    if (free >= low).all() and (free <= high).all():
        return free
    step, slope, fall = np.zeros_like(gradient), gradient, 0.0
    for _ in range(ROUNDS):
        way = _inward(normal, slope, damping, step <= low, step >= high)
        aim = step + way
        trial = np.minimum(np.maximum(aim, low), high)
        inside = bool((trial == aim).all())
        slope_there = gradient - normal.product(trial, damping)
        if not inside and trial @ (gradient + slope_there) <= fall:
            # only as far as the first bound: that is downhill for certain
            room = np.where(way > 0, high - step, low - step)
            share = np.divide(room, way, out=np.ones_like(way), where=way != 0)
            trial = np.clip(step + min(float(share.min()), 1.0) * way, low, high)
            slope_there = gradient - normal.product(trial, damping)
        before, fall = fall, float(trial @ (gradient + slope_there))
        step, slope = trial, slope_there
        if inside or fall < 1.01 * before:
            break
    return step


def _inward(normal: Normal, slope: Array, damping: float, lowest: Mask, highest: Mask) -> Array:
    """Newton step of the coordinates that do not press against a bound."""
    free = ~((lowest & (slope < 0)) | (highest & (slope > 0)))
    for _ in range(ROUNDS):
        way = normal.damped(slope, damping, None if free.all() else free)
        pressed = free & ((lowest & (way < 0)) | (highest & (way > 0)))
        if not pressed.any():
            return way
        free &= ~pressed
    return np.where(free, way, 0.0)
