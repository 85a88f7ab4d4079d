"""What is marched in time: transport, Langmuir kinetics and inlet of components that compete, or of one alone.

Fluxes and loadings are scaled by the component's inlet flux u_0 c_0, so the numbers are of order one.
"""

from dataclasses import dataclass

import numpy as np

from gcfit.chromatogram import Array
from gcfit.column.numerical import rosenbrock
from gcfit.column.numerical.grid import LOWER, UPPER


@dataclass(frozen=True)
class Inlet:
    """A unit flux from `start` to `end` [s] that enters through a mixed volume with time constant `tail` [s] (0: none).

    With the volume's content τ r the inlet flux is r, dr/dt = (1 - r)/τ: an exponential tail that conserves mass.
    """

    start: float
    end: float
    tail: float = 0.0

    def injected(self, time: float) -> float:
        """What has come in by `time` [s]."""
        return min(max(time - self.start, 0.0), self.end - self.start)

    def stages(self, mixed: float, time: float, size: float) -> Array:
        """Stages of a Rosenbrock step for the flux r out of the mixed volume, shape (8,); none without a tail."""
        increments = np.zeros(rosenbrock.STAGES)
        if not self.tail:
            return increments
        coming = float(self.start <= time < self.end)
        for stage in range(rosenbrock.STAGES):
            flux = mixed + rosenbrock.A[stage] @ increments
            right = (coming - flux) / self.tail + rosenbrock.C[stage] @ increments / size
            increments[stage] = right / (1 / (rosenbrock.GAMMA * size) + 1 / self.tail)
        return increments


@dataclass(frozen=True, eq=False)
class Kinetics:
    """Rates of m components on n cells.

    Parameters
    ----------
    adsorption : ndarray, shape (m,)
        α k_a [1/s].
    desorption : ndarray, shape (m,)
        k_d [1/s].
    occupancy : ndarray, shape (n, m), or None
        Share of the sites that a unit of Q takes, u_0 c_0/(α u q_max); None for the linear model.
    """

    adsorption: Array
    desorption: Array
    occupancy: Array | None

    def within(self, low: int, high: int) -> "Kinetics":
        """Return the kinetics of the cells `low` to `high`."""
        part = None if self.occupancy is None else self.occupancy[low:high]
        return Kinetics(self.adsorption, self.desorption, part)

    def rate(self, flux: Array, loading: Array) -> Array:
        """∂Q/∂t = α k_a F (1 - Σ_j w_j Q_j) - k_d Q, shape (n, m)."""
        forward = self.adsorption * flux
        if self.occupancy is not None:
            forward = forward * (1 - (self.occupancy * loading).sum(axis=1, keepdims=True))
        return forward - self.desorption * loading


@dataclass(frozen=True, eq=False)
class StageKinetics:
    """The sorption part of 1/(γh) I - J, solved cell by cell: U_Q = Z (r_Q + b U_F).

    Z = (diag(e) + v wᵀ)⁻¹ with e = 1/(γh) + k_d, v = α k_a F and b = α k_a (1 - Σ w_j Q_j), by Sherman and Morrison.
    """

    forward: Array
    damping: Array
    push: Array | None
    pull: Array | None

    def solve(self, right: Array) -> Array:
        """Z times an array of shape (n, m)."""
        plain: Array = right / self.damping
        if self.push is None or self.pull is None:
            return plain
        plain -= self.push * (self.pull * right).sum(axis=1, keepdims=True)
        return plain

    def add_to(self, bands: Array, shift: float) -> None:
        """Add 1/(γh) (I + Z b) to a band matrix with room for the pivots (LAPACK gbtrf)."""
        count = self.damping.size
        diagonal = (LOWER + UPPER) * count
        for column in range(count):
            bands[diagonal, column::count] += shift * (1 + self.forward[..., column] / self.damping[column])
            if self.push is not None and self.pull is not None:
                coupling = shift * self.pull[:, column] * self.forward[:, column]
                for row in range(count):
                    bands[diagonal + row - column, column::count] -= coupling * self.push[:, row]


def stage_kinetics(kinetics: Kinetics, flux: Array, loading: Array, shift: float) -> StageKinetics:
    """Linearise the kinetics at a state; `shift` is 1/(γh) [1/s].

    The diagonal of the band matrix lies (LOWER + UPPER) m rows below its top.
    """
    damping = shift + kinetics.desorption
    if kinetics.occupancy is None:
        return StageKinetics(kinetics.adsorption, damping, None, None)
    free = 1 - (kinetics.occupancy * loading).sum(axis=1, keepdims=True)
    pull = kinetics.occupancy / damping
    held = kinetics.adsorption * flux
    push = held / damping / (1 + (pull * held).sum(axis=1, keepdims=True))
    return StageKinetics(kinetics.adsorption * free, damping, push, pull)
