"""High-order differences, the judge of every exact derivative."""

from collections.abc import Callable

from numpy import abs as absolute
from numpy import zeros_like

from gcfit.chromatogram import Array


def sixth_order(function: Callable[[Array], Array], at: Array, place: int, step: float | None = None) -> Array:
    """Central difference of order six by one argument; the step is 0.2 % of it unless given."""
    length = 2e-3 * absolute(at[place]) if step is None else step
    move = zeros_like(at)
    move[place] = length
    weights = {1: 45, 2: -9, 3: 1}
    total = sum(weight * (function(at + k * move) - function(at - k * move)) for k, weight in weights.items())
    return total / (60 * length)
