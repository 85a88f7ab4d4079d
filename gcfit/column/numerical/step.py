"""One step in time: a band matrix is factorised once and solved for the stages of the Rosenbrock method."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import blas, lapack

from gcfit.chromatogram import Array
from gcfit.column.numerical import rosenbrock
from gcfit.column.numerical.grid import LOWER, UPPER, Grid
from gcfit.column.numerical.kinetics import Inlet, Kinetics, stage_kinetics

_PAST = np.stack([rosenbrock.A, rosenbrock.C], axis=1)  # shape (8, 2, 8)


@dataclass(frozen=True, eq=False)
class Problem:
    """m components on one grid of n cells.

    `bands` is the transport operator, shape (5 m + 1, n m); `outlet_value` and `outlet_flux` are the weights of the
    last five cells in the flux at the outlet and in what the cells lose there, shape (5, m).
    """

    grid: Grid
    bands: Array
    outlet_value: Array
    outlet_flux: Array
    kinetics: Kinetics
    inlet: Inlet
    tolerance: float

    @property
    def components(self) -> int:
        """Number of components m."""
        return self.kinetics.adsorption.size


def stages_of_step(problem: Problem, values: Array, feed: Array, size: float, window: tuple[int, int]) -> Array:
    """Stages of one Rosenbrock step.

    Parameters
    ----------
    problem : Problem
        Grid, transport, kinetics and inlet.
    values : ndarray, shape (2, n, m)
        Fluxes and loadings at the start of the step.
    feed : ndarray, shape (8,)
        Flux through the inlet in each stage.
    size : float
        Size of the step [s].
    window : (int, int)
        First cell, and one past the last, that the step changes.

    Returns
    -------
    ndarray, shape (8, 2, k, m)
        Increments of fluxes and loadings on the k cells of the window.
    """
    low, high = window
    count = problem.components
    lower, upper = LOWER * count, UPPER * count
    now, kinetics = values[:, low:high], problem.kinetics.within(low, high)
    bands = problem.bands[:, low * count : high * count]
    shift = 1 / (rosenbrock.GAMMA * size)
    sorption = stage_kinetics(kinetics, now[0], now[1], shift)
    matrix = np.zeros((lower + bands.shape[0], bands.shape[1]), order="F")
    matrix[lower:] = bands
    sorption.add_to(matrix, shift)
    factors, pivots, _ = lapack.dgbtrf(matrix, lower, upper, overwrite_ab=1)
    stages = np.zeros((rosenbrock.STAGES, *now.shape))
    flat = stages.reshape(rosenbrock.STAGES, -1)
    for stage in range(rosenbrock.STAGES):
        past = (_PAST[stage, :, :stage] @ flat[:stage]).reshape(2, *now.shape)
        flux, loading = now + past[0]
        right = past[1] / size
        right_loading = kinetics.rate(flux, loading) + right[1]
        right_total = right[0] + right[1]
        right_total -= blas.dgbmv(flux.size, flux.size, lower, upper, 1.0, bands, flux.ravel()).reshape(flux.shape)
        if low == 0:
            right_total[0] += feed[stage] / problem.grid.widths[0]
        loaded = sorption.solve(right_loading)
        right_total -= shift * loaded
        solved, _ = lapack.dgbtrs(factors, lower, upper, right_total.ravel(), pivots, overwrite_b=1)
        stages[stage, 0] = solved.reshape(flux.shape)
        stages[stage, 1] = loaded + sorption.solve(sorption.forward * stages[stage, 0])
    return stages
