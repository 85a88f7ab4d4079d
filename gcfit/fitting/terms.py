"""What a search is given and what it gives: terms, how far to go, and the solution."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.gram import Gram
from gcfit.fitting.sampling import Curve

MISFIT = 100.0  # points that share a misfit, at the most
WORTH = 1e-3  # of a misfit; what promises more is worth another step


# curves of some terms at coordinates of each, None where these describe none
Evaluate = Callable[[Sequence[int], Sequence[Array]], Sequence[Curve | None]]


@dataclass(frozen=True, eq=False)
class Term:
    """One curve of the sum.

    Parameters
    ----------
    evaluate : callable
        Maps coordinates, shape (p,), to a `Curve`, or to None where they describe no curve.
    start, lower, upper, stride : ndarray, shape (p,)
        Start of the coordinates, their bounds, and the longest step of each.
    sign : int
        +1 or -1 where the amplitude must not change to the other sign, 0 where it is free.
    """

    evaluate: Callable[[Array], Curve | None]
    start: Array
    lower: Array
    upper: Array
    stride: Array
    sign: int = 0


@dataclass(frozen=True, eq=False)
class Solution:
    """The end of a search.

    `curves` are the terms at their points, `rows` the same with the weights of the points, `gram` the products of
    these and of `base`.
    """

    coordinates: tuple[Array, ...]
    amplitudes: Array
    base_coefficients: Array
    curves: tuple[Curve, ...]
    rows: tuple[Array, ...] = field(repr=False)
    base: Array = field(repr=False)
    residual: Array
    rss: float
    iterations: int
    converged: bool
    gram: Gram = field(repr=False)

    @property
    def columns(self) -> int:
        """Number of free quantities."""
        return self.amplitudes.size + self.base_coefficients.size + sum(one.size for one in self.coordinates)

    @cached_property
    def total(self) -> Array:
        """Sum of the terms at the points, shape (n,)."""
        total = np.zeros_like(self.residual)
        for amplitude, shape in zip(self.amplitudes.tolist(), self.curves, strict=True):
            total[shape.first : shape.last] += amplitude * shape.rows[0]
        return total

    @cached_property
    def inverses(self) -> dict[tuple[int, ...], Array | None]:
        """Covariances for white noise that were asked for, by the terms that are free."""
        return {}

    @cached_property
    def persistence(self) -> float:
        """For how many points the residuals hang together."""
        power = np.abs(np.fft.rfft(self.residual, 2 * self.residual.size)) ** 2
        return persistence(np.fft.irfft(power)[: self.residual.size])

    def size(self, term: int) -> int:
        """Number of columns of one term: its amplitude and its coordinates."""
        return 1 + self.coordinates[term].size

    def jacobian(self, term: int) -> Array:
        """Jᵀ of one term at the points of its curve, shape (1 + p, m): unit curve, amplitude times its derivatives."""
        return np.concatenate([self.rows[term][:1], self.amplitudes[term] * self.rows[term][1:]])


def persistence(products: Array) -> float:
    """For how many points values hang together: 1 + 2 Σ ρ_k up to the first that is not positive.

    Parameters
    ----------
    products : ndarray, shape (lags,)
        Their autocorrelation or autocovariance from lag 0.
    """
    if products[0] <= 0:
        return 1.0
    end = int(np.argmax(products <= 0)) or products.size
    return float(2 * products[:end].sum() / products[0] - 1)


@dataclass(frozen=True)
class Effort:
    """When a search ends.

    Parameters
    ----------
    iterations : int
        Steps at most.
    settled : float
        Attainable gain, in variances of the residual, below which it has settled: at 1e-4 no coordinate would move
        by more than 1 % of its standard error.
    noise : float
        Variance of a point that is noise; where the residual is far above it, it is the misfit of the models, which
        neighbouring points share, and less precision will do, though not less than `WORTH` of all that is left.
    """

    iterations: int = 40
    settled: float = 1e-4
    noise: float = 0.0

    def attained(self, rss: float, freedom: int) -> float:
        """Attainable gain below which a search has settled that leaves so much, for so many degrees of freedom."""
        variance = rss / freedom
        excess = variance / self.noise if self.noise > 0 else 1.0
        return self.settled * variance * max(min(excess, MISFIT, WORTH * freedom / self.settled), 1.0)


FINE = Effort()
COARSE = Effort(iterations=24, settled=0.1)  # enough to compare models
AS_IT_IS = Effort(iterations=0)
ROUGH = Effort(settled=0.01)  # and for many peaks at once
CLOSE = Effort(iterations=60, settled=1e-3)  # within 3 % of a standard error
