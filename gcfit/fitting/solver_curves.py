"""The kinetic pair through other solvers of the column: peak curves to be searched in place of the Laplace one.

One curve is one solution; its derivatives are differences, one more solution each.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gcfit.chromatogram import Array
from gcfit.column import numerical, quadrature
from gcfit.column.system import Carrier, Column, Component, Injection, System
from gcfit.errors import SolverError
from gcfit.fitting.models import Core, Known, core_of, curve, support
from gcfit.fitting.registry import PeakModel
from gcfit.fitting.sampling import Curve, Sampling
from gcfit.fitting.states import CurveOf

# outlet of unit area [1/s] of a linear law at times [s], shape (n,)
Outlet = Callable[[Core, Array, Known], Array]

STEP = 1e-3  # of σ and of log σ: well above the error that the steps in time leave on a difference
_COLUMN = Column(length=1.0, inner_radius=1e-4, film_thickness=1e-6)


def by_differences(outlet: Outlet) -> CurveOf:
    """Return the peak curve of a solver, which takes the arguments of `gcfit.fitting.models.curve`.

    It knows the pair alone. A Gaussian, for what elutes with the unretained gas, has no equations and is taken as it
    is. Where the solver refuses there is no curve: of a few adsorptions a part passes unretained, with a front that no
    grid resolves.
    """

    def evaluate(model: PeakModel, parameters: Array, sampling: Sampling, known: Known) -> Curve | None:
        if model.core == "gaussian":
            return curve(model, parameters, sampling, known)
        values = dict(zip(model.parameters, parameters.tolist(), strict=True))
        core = core_of(model, values, known)
        first, last = (int(place) for place in np.searchsorted(sampling.time, support(core, values, known)))
        time = sampling.time[first:last]
        if not time.size:
            return Curve(first, np.zeros((3, 0)))
        step = STEP * core.sigma
        moved = replace(core, delay=core.delay + step), replace(core, sigma=core.sigma * float(np.exp(STEP)))
        try:
            here, later, broader = (outlet(one, time, known) for one in (core, *moved))
        except SolverError:
            return None
        return Curve(first, np.stack([here, (later - here) / step, (broader - here) / STEP]))

    return evaluate


def quadrature_outlet(core: Core, time: Array, known: Known) -> Array:
    """The paper's integral by global adaptive quadrature."""
    pair = quadrature.Pair(known.hold_up, core.n, core.desorption_rate)
    return quadrature.response(pair, quadrature.Inlet(known.injection, known.tail or 0.0), time)


def numerical_outlet(core: Core, time: Array, known: Known) -> Array:
    """The full equations.

    The outlet of a linear column without diffusion depends on t_M, n and k_d alone, and so does the cost of its
    solution in the transit time of the gas: any column with this hold-up time serves.
    """
    adsorption = core.n / known.hold_up / _COLUMN.phase_ratio
    system = System(
        column=_COLUMN,
        carrier=Carrier(2e5, 1e5, hold_up=known.hold_up, velocity="constant"),
        injection=Injection(known.injection, known.tail or 0.0),
        components=(Component("peak", adsorption, core.desorption_rate, area=1.0),),
    )
    outlet: Array = numerical.solve(system, time).outlet[0]
    return outlet


CURVES: dict[str, CurveOf] = {
    "laplace": curve,
    "quadrature": by_differences(quadrature_outlet),
    "numerical": by_differences(numerical_outlet),
}
