"""The grid in the transit time of the gas, and the transport operator on it.

In the coordinate ϑ(x) = ∫dx/u [s] and with the flux F = u c the gas moves at unit speed everywhere, and D ∝ 1/p makes
D/u = D_0/u_0 constant: the mass balance of DESIGN section 2 becomes ∂(F + Q)/∂t + ∂Φ/∂ϑ = 0 with Q = α u q and the
total flux Φ = F - (D_0/u_0) ∂(F/u)/∂ϑ. Peaks widen as the square root of the way, and so do the cells.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gcfit.chromatogram import Array
from gcfit.column.flow import Flow

LOWER, UPPER = 3, 2  # cells upstream and downstream that the change of a cell depends on
MIN_WINDOW = 16
# numerical flux at a face from its neighbours; cell offsets -4 to +1, the face lies between -1 and 0
_UPWIND = np.array([0, 2, -13, 47, 27, -3]) / 60  # order 5 (Shu 1998, linear weights)
_SECOND_FACE = np.array([0, 0, -1, 5, 2, 0]) / 6
_FIRST_FACE = np.array([0, 0, 0, 1, 1, 0]) / 2
_LAST_BUT_ONE = np.array([0, 1, -5, 13, 3, 0]) / 12
_OUTLET_FLUX = np.array([0, -3, 13, -23, 25]) / 12  # order 4, from the cells -5 to -1
_GRADIENT = np.array([0, 0, 1, -15, 15, -1]) / 12  # order 4, per cell
_EDGE_GRADIENT = np.array([0, 0, 0, -1, 1, 0])
_LAST_GRADIENT = np.array([0, 1, -3, -21, 23, 0]) / 24
# at the outlet from the last four or five cells: value, slope, curvature (Lagrange)
_OUTLET_VALUE = np.array([35, -180, 378, -420, 315]) / 128
_OUTLET_SLOPE = np.array([0, -23, 93, -141, 71]) / 24
_OUTLET_CURVATURE = np.array([0, -3, 11, -13, 5]) / 2
OUTLET_CELLS = 5


@dataclass(frozen=True, eq=False)
class Grid:
    """Cells along the column; the first index is the cell, faces are one more.

    Parameters
    ----------
    widths : ndarray, shape (n,)
        dϑ/dξ at the centres [s], ξ counting cells: the weight of a cell in an integral over ϑ.
    face_widths : ndarray, shape (n + 1,)
        The same at the faces [s].
    velocity : ndarray, shape (n,)
        u at the centres [m/s].
    position : ndarray, shape (n,)
        x of the centres [m].
    """

    widths: Array
    face_widths: Array
    velocity: Array
    position: Array

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.widths.size


def make_grid(flow: Flow, onset: float, cells: int) -> Grid:
    """Lay cells whose width grows as sqrt(ϑ + onset), as a peak does whose variance grows with the way.

    Parameters
    ----------
    flow : Flow
        The gas in the column.
    onset : float
        Depth of the layer at the inlet that is resolved from the start [s].
    cells : int
        Number of cells.
    """
    root_onset = np.sqrt(onset)
    rise = (np.sqrt(flow.hold_up + onset) - root_onset) / cells
    # the flux that differences make exact is F - F''/24 in cells; where the inlet sets it to what is fed, the column
    # begins ϑ''/24 early, ϑ'' = 2 rise²
    early = rise**2 / 12
    rise = (np.sqrt(flow.hold_up - early + onset) - root_onset) / cells
    root = root_onset + rise * np.arange(2 * cells + 1) / 2
    place, width = root**2 - onset + early, 2 * root * rise
    return Grid(
        widths=width[1::2],
        face_widths=width[::2],
        velocity=velocity_at_transit(flow, place[1::2]),
        position=position_at_transit(flow, place[1::2]),
    )


def velocity_at_transit(flow: Flow, transit: ArrayLike) -> Array:
    """u(ϑ) [m/s]: u_0 (1 - (1 - P³) ϑ/t_M)^(-1/3), from p² linear in x and dϑ = dx/u; u_0 at constant velocity."""
    return flow.inlet_velocity / _pressure_at_transit(flow, transit)


def position_at_transit(flow: Flow, transit: ArrayLike) -> Array:
    """x(ϑ) [m]: L (1 - w²)/(1 - P²), w = p/p_0; u_0 ϑ at constant velocity."""
    if flow.velocity_model == "constant":
        return flow.inlet_velocity * np.asarray(transit, dtype=np.float64)
    ratio = flow.pressure_ratio
    return flow.length * (1 - _pressure_at_transit(flow, transit) ** 2) / (1 - ratio**2)


def _pressure_at_transit(flow: Flow, transit: ArrayLike) -> Array:
    """p/p_0 at transit times [s], any shape; 1 at constant velocity."""
    place = np.asarray(transit, dtype=np.float64)
    if flow.velocity_model == "constant":
        return np.ones_like(place)
    return np.cbrt(1 - (1 - flow.pressure_ratio**3) * place / flow.hold_up)


def transport_bands(grid: Grid, dispersions: Array) -> Array:
    """Band matrix of (Φ_right - Φ_left)/width, which is -∂(F + Q)/∂t, for several components, cell by cell.

    Parameters
    ----------
    grid : Grid
        n cells.
    dispersions : ndarray, shape (m,)
        D_0/u_0 [m] of each component, 0 without diffusion.

    Returns
    -------
    ndarray, shape ((LOWER + UPPER) m + 1, n m)
        LAPACK band storage, column-major; unknown i m + j is component j in cell i. The flux through the inlet is
        not in it: it is given.
    """
    count = dispersions.size
    bands = np.zeros(((LOWER + UPPER) * count + 1, grid.cells * count), order="F")
    for component, dispersion in enumerate(dispersions):
        rows = _rows(grid, float(dispersion))
        for shift in range(-LOWER, UPPER + 1):
            first, last = max(0, -shift), min(grid.cells, grid.cells - shift)
            columns = np.arange(first + shift, last + shift) * count + component
            bands[(UPPER - shift) * count, columns] = rows[first:last, shift + LOWER]
    return bands


def outlet_flux_weights(grid: Grid, dispersions: Array) -> Array:
    """Weights of the last five cells in what the cells lose through the outlet, shape (5, m).

    The gradient vanishes at the outlet within a layer of thickness d = D/u that no cell resolves and that passes on
    what it gets: the cells end before it, with the flux u (c - d ∂c/∂x).
    """
    weights: Array = _OUTLET_FLUX[:, None] - _layers(grid, dispersions) * _OUTLET_SLOPE[:, None]
    return weights


def outlet_value_weights(grid: Grid, dispersions: Array) -> Array:
    """Weights of the last five cells in u c at the outlet, shape (5, m).

    Behind the layer the flux is u (c - d ∂c/∂x - d² ∂²c/∂x²) up to (d ∂/∂x)³: the last term is the layer's delay,
    from the two exponentials of the steady problem with a zero gradient at the outlet.
    """
    layers = _layers(grid, dispersions)
    weights: Array = _OUTLET_VALUE[:, None] - layers * _OUTLET_SLOPE[:, None] - layers**2 * _OUTLET_CURVATURE[:, None]
    return weights


def _layers(grid: Grid, dispersions: Array) -> Array:
    """D/u at the last five cells in units of the outlet's cell width, shape (5, m)."""
    layers: Array = dispersions / (grid.velocity[-OUTLET_CELLS:, None] * grid.face_widths[-1])
    return layers


def _rows(grid: Grid, dispersion: float) -> Array:
    """Operator of one component, shape (cells, 6): cell offsets -3 to +2."""
    faces = _face_weights(grid, dispersion)
    rows = np.zeros((grid.cells, LOWER + UPPER + 1))
    rows += faces[1:]  # the right face of cell i has the cells i - 3 to i + 2
    rows[:, :-1] -= faces[:-1, 1:]  # the left one i - 4 to i + 1; its farthest weight is zero
    return rows / grid.widths[:, None]


def _face_weights(grid: Grid, dispersion: float) -> Array:
    """Weights of the total flux at each face, shape (cells + 1, 6): cell offsets -4 to +1; nothing at the inlet."""
    faces = np.tile(_UPWIND, (grid.cells + 1, 1))
    faces[0] = 0
    faces[1:3] = _FIRST_FACE, _SECOND_FACE
    faces[-2] = _LAST_BUT_ONE
    if dispersion:
        faces -= dispersion * _gradient_faces(grid)
    faces[-1, :4] = outlet_flux_weights(grid, np.array([dispersion]))[1:, 0]
    faces[-1, 4:] = 0
    return faces


def _gradient_faces(grid: Grid) -> Array:
    """Weights of ∂(F/u)/∂ϑ at the inner faces, shape (cells + 1, 6)."""
    faces = np.tile(_GRADIENT, (grid.cells + 1, 1))
    faces[1], faces[-2] = _EDGE_GRADIENT, _LAST_GRADIENT
    faces[[0, -1]] = 0
    slowness = np.concatenate([np.zeros(4), 1 / grid.velocity, np.zeros(2)])
    around = np.lib.stride_tricks.sliding_window_view(slowness, 6)
    weights: Array = faces * around / grid.face_widths[:, None]
    return weights
