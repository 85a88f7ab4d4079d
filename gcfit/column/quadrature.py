"""The paper's integral for the outlet concentration, by global adaptive quadrature.

Linear kinetics without diffusion; the velocity, constant or variable, enters by the hold-up time only (paper, section
3; DESIGN section 3). With θ = t - t_M the impulse response is h(θ) = e^(-n) δ(θ) + smooth(θ), and the outlet is the
integral of h over what the inlet sent. Two forms of the smooth part:

single  sqrt(n k_d/θ) exp(-(√n - √(k_d θ))²) i1e(2 √(n k_d θ)), a scaled Bessel function;
double  (2 n k_d/π) ∫₀^π exp(-(√n - √(k_d θ))² - 4 √(n k_d θ) sin²(ξ/2)) sin²ξ dξ, from
        I₁(z) = (z/π) ∫₀^π e^(z cos ξ) sin²ξ dξ, which overflows nowhere (paper's cosine representation).

Nothing here knows the closed form or the Laplace domain.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from gcfit.chromatogram import Array
from gcfit.column.flow import Flow, flow_of
from gcfit.column.scales import inlet_concentration, rates
from gcfit.column.system import Component, System, VelocityModel
from gcfit.errors import InputError, SolverError

Form = Literal["single", "double"]
RELATIVE_ERROR = 1e-12  # of the largest value in a block of times
BLOCK = 512  # times that share one subdivision: neighbours need the same nodes
TAIL_REACH = 40.0  # e^(-40) of an exponential tail is lost in double precision
NEGLIGIBLE = 60.0
MAX_INTERVALS = 2000
BREAKS = np.array([-6.0, -3.0, -1.0, 1.0, 3.0, 6.0])  # √(k_d θ) - √n: h falls as e^(-BREAKS²)


@dataclass(frozen=True)
class Pair:
    """Hold-up time t_M [s], mean number of adsorptions n, desorption rate k_d [1/s] of one component."""

    hold_up: float
    n: float
    desorption_rate: float


@dataclass(frozen=True)
class Inlet:
    """A rectangle of `duration` [s] (0: a pulse) with an exponential tail `tail` [s] (0: none), of unit area."""

    duration: float = 0.0
    tail: float = 0.0


def outlet(
    system: System, times: ArrayLike, *, form: Form = "single", velocity_model: VelocityModel | None = None
) -> Array:
    """Outlet concentrations of all components of a system.

    Parameters
    ----------
    system : System
        Every component needs its two rates, and an area or an inlet concentration with an injection time.
    times : array-like, shape (n,)
        Times [s].
    form : "single" or "double"
        Which form of the integral; they agree, the double one takes longer.
    velocity_model : "variable", "constant" or None
        None takes the one of the file.

    Returns
    -------
    ndarray, shape (components, n)
        c at the outlet [mol/m³]; in signal units for a component that has an area and no inlet concentration.

    Raises
    ------
    InputError
        If there is no component or a component lacks what the integral needs.
    SolverError
        If the subdivision does not reach the accuracy.
    """
    if not system.components:
        raise InputError(system.source, "there is no [[component]] to solve for")
    flow = flow_of(system, velocity_model)
    return np.stack([_component_outlet(system, component, flow, times, form) for component in system.components])


def _component_outlet(system: System, component: Component, flow: Flow, times: ArrayLike, form: Form) -> Array:
    adsorption, desorption = rates(system, component)
    pair = Pair(flow.hold_up, system.column.phase_ratio * adsorption * flow.hold_up, desorption)
    inlet = Inlet(system.injection.duration, system.injection.tail)
    area = inlet_concentration(system, component, flow) * (inlet.duration or 1.0) / flow.velocity_rise
    return area * response(pair, inlet, times, form=form)


def response(pair: Pair, inlet: Inlet, times: ArrayLike, *, form: Form = "single") -> Array:
    """Unit-area peak at times [s], shape (n,) [1/s].

    The unretained part e^(-n) of a pulse without tail is a Dirac pulse at t_M and is left out.

    Raises
    ------
    InputError
        If the form is not known.
    SolverError
        If the subdivision does not reach the accuracy.
    """
    if form not in get_args(Form):
        raise InputError("", f"form {form!r} is not known", remedy=f"choose one of {', '.join(get_args(Form))}")
    theta = np.asarray(times, dtype=np.float64) - pair.hold_up
    if inlet.duration == 0 and inlet.tail == 0:
        return FORMS[form](theta, pair)
    blocks = np.array_split(theta, max(1, -(-theta.size // BLOCK)))
    passed = np.concatenate([_convolved(block, pair, inlet, FORMS[form]) for block in blocks])
    peak: Array = passed + np.exp(-pair.n) * _entering(theta, inlet)
    return peak


def _single(theta: Array, pair: Pair) -> Array:
    """Impulse response without its Dirac part, any shape, from the scaled Bessel function."""
    from scipy.special import i1e

    scaled = pair.desorption_rate * np.where(theta > 0, theta, 1.0)
    value = pair.desorption_rate * np.sqrt(pair.n / scaled) * i1e(2 * np.sqrt(pair.n * scaled))
    response: Array = np.where(theta > 0, value * np.exp(-((np.sqrt(pair.n) - np.sqrt(scaled)) ** 2)), 0.0)
    return response


def _double(theta: Array, pair: Pair) -> Array:
    """Impulse response without its Dirac part, shape (n,), by an inner quadrature over the angle."""
    scaled = pair.desorption_rate * np.where(theta > 0, theta, 1.0)
    level, width = -((np.sqrt(pair.n) - np.sqrt(scaled)) ** 2), 4 * np.sqrt(pair.n * scaled)

    def integrand(angle: float) -> Array:
        value: Array = np.exp(level - width * np.sin(angle / 2) ** 2) * np.sin(angle) ** 2
        return value

    # beyond this angle the integrand has fallen by e^(-60)
    reach = 2 * float(np.arcsin(np.sqrt(min(1.0, NEGLIGIBLE / float(width.min())))))
    value = 2 * pair.n * pair.desorption_rate / np.pi * _integral(integrand, 0.0, reach)
    return np.where(theta > 0, value, 0.0)


def _convolved(theta: Array, pair: Pair, inlet: Inlet, smooth: Callable[[Array, Pair], Array]) -> Array:
    """∫ smooth(ψ) inlet(θ - ψ) dψ over 0 < ψ < θ, shape (n,): what entered in the last moments, then the tail."""
    recent = np.maximum(theta - inlet.duration, 0.0)
    oldest = np.maximum(theta - inlet.duration - TAIL_REACH * inlet.tail, 0.0)

    def integrand(part: float) -> Array:
        late = recent + part * (np.maximum(theta, 0.0) - recent)
        value = (np.maximum(theta, 0.0) - recent) * smooth(late, pair) * _entering(theta - late, inlet)
        if inlet.tail:
            early = oldest + part * (recent - oldest)
            value = value + (recent - oldest) * smooth(early, pair) * _entering(theta - early, inlet)
        return value

    places = _places(theta, recent, np.maximum(theta, 0.0), pair)
    if inlet.tail:
        places = np.concatenate([places, _places(theta, oldest, recent, pair)])
    return _integral(integrand, 0.0, 1.0, np.unique(places))


def _places(theta: Array, first: Array, last: Array, pair: Pair) -> Array:
    """Parts of the ways from `first` to `last`, shape (k,), between which `smooth` rises and falls.

    Nodes that are spread over a long way may all miss a narrow peak, and see zeros and no error.
    """
    width = max(np.sqrt(2 * pair.n), 1.0) / pair.desorption_rate
    way = (last - first)[theta > 0]
    if not way.size or way.max() <= width:
        return np.empty(0)
    cell = width / way.max()
    breaks = np.maximum(np.sqrt(pair.n) + BREAKS, 0.0) ** 2 / pair.desorption_rate
    around = breaks[:, None] - first[theta > 0]
    part = np.divide(around, way, out=np.zeros_like(around), where=way > 0)
    # peaks of neighbouring times share their breaks
    places: Array = np.unique(np.round(part[(part > 0) & (part < 1)] / cell)) * cell
    return places[(places > 0) & (places < 1)]


def _entering(time: Array, inlet: Inlet) -> Array:
    """Inlet flux of unit area at times since the start of the injection [s], any shape [1/s]."""
    duration, tail = inlet.duration, inlet.tail
    if not tail:
        inside = (time > 0) & (time <= duration)
        return np.where(inside, 1 / duration, 0.0)
    since, after = np.maximum(time, 0.0), np.maximum(time - duration, 0.0)
    if not duration:
        return np.where(time > 0, np.exp(-since / tail) / tail, 0.0)
    # the step response of the tail, once up and once down; the difference is written without cancellation
    rising = -np.expm1(-since / tail)
    falling = np.exp(-after / tail) * -np.expm1(-duration / tail)
    return np.where(time > 0, np.where(time > duration, falling, rising) / duration, 0.0)


def _integral(integrand: Callable[[float], Array], low: float, high: float, places: ArrayLike = ()) -> Array:
    """Global adaptive Gauss-Kronrod quadrature of a vector, shape (n,), to `RELATIVE_ERROR` of its largest value.

    It starts from the intervals between `places`.
    """
    from scipy.integrate import quad_vec

    tiny, breaks = np.finfo(np.float64).tiny, np.asarray(places)
    value, error, info = quad_vec(
        integrand, low, high, epsabs=tiny, epsrel=RELATIVE_ERROR, norm="max", limit=MAX_INTERVALS + breaks.size,
        points=breaks, full_output=True,
    )  # fmt: skip
    # status 2: rounding limits the error, which then is below what matters here or shows in its size
    if info.status == 1 or error > 1e3 * RELATIVE_ERROR * max(float(np.abs(value).max()), tiny / RELATIVE_ERROR):
        raise SolverError(f"the quadrature stopped after {info.intervals.shape[0]} intervals with error {error:.1e}")
    result: Array = value
    return result


FORMS: dict[str, Callable[[Array, Pair], Array]] = {"single": _single, "double": _double}
