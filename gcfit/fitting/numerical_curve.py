"""The kinetic pair through the full equations: a peak curve that the fit may search in place of the Laplace solution.

One curve is one solution of `gcfit.column.numerical`; its derivatives are differences, one more solution each.
"""

import numpy as np

from gcfit.chromatogram import Array
from gcfit.column.numerical import solve
from gcfit.column.system import Carrier, Column, Component, Injection, System
from gcfit.errors import SolverError
from gcfit.fitting.models import Known, PeakModel, core_of, curve, support
from gcfit.fitting.sampling import Curve, Sampling

STEP = 1e-3  # of σ and of log σ: well above the error that the steps in time leave on a difference
_COLUMN = Column(length=1.0, inner_radius=1e-4, film_thickness=1e-6)


def numerical_curve(model: PeakModel, parameters: Array, sampling: Sampling, known: Known) -> Curve | None:
    """Evaluate one unit-area peak and its derivatives, as `gcfit.fitting.models.curve` does.

    Parameters
    ----------
    model : PeakModel
        The pair alone. A Gaussian, for what elutes with the unretained gas, has no equations and is taken as it is.
    parameters : ndarray, shape (2,)
        Mean [s] and log σ.
    sampling : Sampling
        Times of the window's points.
    known : Known
        Hold-up time, above 0, and injection [s].

    Returns
    -------
    Curve or None
        None where the solver refuses: of a few adsorptions a part passes unretained, with a front that no grid
        resolves.

    Notes
    -----
    The outlet of a linear column without diffusion depends on t_M, n and k_d alone, and so does the cost of its
    solution in the transit time of the gas: any column with this hold-up time serves.
    """
    if model.core == "gaussian":
        return curve(model, parameters, sampling, known)
    core = core_of(model, _named(model, parameters), known)
    first, last = np.searchsorted(sampling.time, support(core, _named(model, parameters), known))
    time = sampling.time[first:last]
    steps = STEP * np.array([core.sigma, 1.0])
    if not time.size:
        return Curve(int(first), np.zeros((1 + steps.size, 0)))
    try:
        here, *moved = (_outlet(model, parameters + step, time, known) for step in (0, *np.diag(steps)))
    except SolverError:
        return None
    slopes = [(there - here) / step for there, step in zip(moved, steps, strict=True)]
    return Curve(int(first), np.stack([here, *slopes]))


def _named(model: PeakModel, parameters: Array) -> dict[str, float]:
    return dict(zip(model.parameters, parameters.tolist(), strict=True))


def _outlet(model: PeakModel, parameters: Array, time: Array, known: Known) -> Array:
    """Outlet of the column for one pair, of unit area, shape (n,)."""
    core = core_of(model, _named(model, parameters), known)
    adsorption = core.n / known.hold_up / _COLUMN.phase_ratio
    system = System(
        column=_COLUMN,
        carrier=Carrier(2e5, 1e5, hold_up=known.hold_up, velocity="constant"),
        injection=Injection(known.injection),
        components=(Component("peak", adsorption, core.desorption_rate, area=1.0),),
    )
    outlet: Array = solve(system, time).outlet[0]
    return outlet
