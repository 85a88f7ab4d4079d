"""The curves of peak models: unit area, exact derivatives, in the well-conditioned coordinates of the registry."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gcfit.chromatogram import Array
from gcfit.column.closed_form import impulse_jacobian, steps
from gcfit.column.laplace import Complex
from gcfit.fitting.loading import INVERTED, change_coordinates, loaded, to_core
from gcfit.fitting.registry import CoreName, PeakModel
from gcfit.fitting.sampling import Curve, Grid, Sampling, axis, refinement_for, to_spectrum, to_time
from gcfit.fitting.spectra import pair, with_slopes

LOG_SUPPORT = 25.0  # a curve reaches to e^{-25} = 1e-11 of its apex scale
SLOW_SUPPORT = 18.0  # time constants of a tail or a site
CLOSED_MARGIN = 8.0  # adsorptions above `reach` at which the unretained spike e^{-n} no longer rings in a Fourier sum
LEAST_N = 0.1  # adsorptions; below, nearly all is in the unretained spike
CLOSED_REFINEMENT = 4  # how much finer the grid of what is added to a closed form, at least
CLOSED_STEP = 0.1  # σ; its greatest step


@dataclass(frozen=True)
class Known:
    """What the fit of a window does not search: hold-up time t_M [s], injection [s], and the tail [s].

    The tail is that which all peaks of a run share, found or given; None where each may have its own.
    """

    hold_up: float = 0.0
    injection: float = 0.0
    tail: float | None = None


@dataclass(frozen=True)
class Core:
    """The linear law of one peak: delay after the hold-up time [s], σ [s], and the loading that bends it."""

    kind: CoreName
    delay: float
    sigma: float
    loading: float

    @property
    def n(self) -> float:
        """Mean number of adsorptions: 2 delay²/σ²; infinite for the Gaussian."""
        return 2 * (self.delay / self.sigma) ** 2 if self.kind == "laplace" else np.inf

    @property
    def reach(self) -> float:
        """L such that e^{-L} of the linear law's apex scale is lost; a loading magnifies what is rare by e^{|β|}."""
        return LOG_SUPPORT + abs(self.loading)

    @property
    def desorption_rate(self) -> float:
        """k_d = 2 delay/σ² [1/s]."""
        return 2 * self.delay / self.sigma**2


def curve(model: PeakModel, parameters: Array, sampling: Sampling, known: Known) -> Curve:
    """Evaluate one unit-area peak and its derivatives.

    Parameters
    ----------
    model : PeakModel
    parameters : ndarray, shape (p,)
        Coordinates in the order of `model.parameters`.
    sampling : Sampling
        Times of the window's points.
    known : Known

    Returns
    -------
    Curve
        Rows 1 + p, at the points where the peak is above 1e-11 of its apex scale.
    """
    values = dict(zip(model.parameters, parameters.tolist(), strict=True))
    core = core_of(model, values, known)
    grid = sampling.grid(*support(core, values, known))
    if core.n < core.reach + CLOSED_MARGIN or abs(core.loading) > INVERTED:
        return _from_closed_form(model, core, values, sampling, grid, known)
    return _from_spectrum(model, core, values, sampling, grid, known)


def feasible(model: PeakModel, parameters: Array, known: Known) -> bool:
    """Whether coordinates describe a peak: for the kinetic pair, whether it is retained at all."""
    core = core_of(model, dict(zip(model.parameters, parameters.tolist(), strict=True)), known)
    return core.kind == "gaussian" or (core.delay > 0 and core.n > LEAST_N)


def core_of(model: PeakModel, values: dict[str, float], known: Known) -> Core:
    """The linear law behind the coordinates."""
    mean, log_sigma, loading = values["retention"], values["log_sigma"], values.get("loading", 0.0)
    if "loading" in values:
        mean, log_sigma = to_core(mean, log_sigma, loading)
    return Core(model.core, mean - known.hold_up, math.exp(log_sigma), loading)


def support(core: Core, values: dict[str, float], known: Known) -> tuple[float, float]:
    """First and last time [s] of a peak, to e^{-25} of its apex scale."""
    if core.kind == "gaussian":
        reach = math.sqrt(2 * core.reach) * core.sigma
        low, high = core.delay - reach, core.delay + reach
    else:
        # (√n - √(k_d θ))² = L where √θ = √delay ± √(L/k_d)
        root, reach = math.sqrt(core.delay), math.sqrt(core.reach / core.desorption_rate)
        low, high = max(root - reach, 0.0) ** 2, (root + reach) ** 2
    slow = SLOW_SUPPORT * (known.tail or 0.0)
    if "log_tail" in values:
        slow += SLOW_SUPPORT * math.exp(values["log_tail"])
    if "log_site_time" in values:
        # a negative loading magnifies what is late by e^{-β}; the tail is behind the column, and is not magnified
        slow += (SLOW_SUPPORT + max(-core.loading, 0.0)) * math.exp(values["log_site_time"])
    return known.hold_up + low, known.hold_up + high + slow + known.injection


def _from_spectrum(
    model: PeakModel, core: Core, values: dict[str, float], sampling: Sampling, grid: Grid, known: Known
) -> Curve:
    """Spectra of core and site; bent in time by the loading where there is one; then tail and injection."""
    s, entry = axis(grid.period, int(_highest_frequency(core) * grid.period / (2 * np.pi)) + 2, known.injection)
    linear = _linear_spectra(core, values, s, grid.begin - known.hold_up)
    if "load" not in model.parts:
        return sampling.synthesise(_after_column(linear, values, s, entry, known), grid)
    refinement = max(refinement_for(s.size - 1, grid.length), _sharpness(core, values, sampling, grid, known))
    impulse, step = to_time(linear, grid, refinement), _integral(linear, s, grid, refinement)
    return _bent(impulse, step, core, values, sampling, grid, known)


def _from_closed_form(
    model: PeakModel, core: Core, values: dict[str, float], sampling: Sampling, grid: Grid, known: Known
) -> Curve:
    """The closed form at the points, or on a finer grid where something follows it."""
    if not ("log_site_time" in values or _follows(values, known, sampling)):
        first, last = np.searchsorted(sampling.time, [grid.begin, grid.end])
        return Curve(int(first), _closed_and_loaded(core, sampling.time[first:last] - known.hold_up, values))
    refinement, finest = CLOSED_REFINEMENT, min(CLOSED_STEP, 1 / _flank(core)) * core.sigma
    while grid.interval / refinement > finest:
        refinement *= 2
    fine = grid.interval / refinement
    delay: Array = grid.begin - known.hold_up + fine * np.arange(grid.length * refinement, dtype=np.float64)
    if "log_site_time" not in values:
        rows = _closed_and_loaded(core, delay, values)
        return _followed(rows, values, sampling, grid, known)
    impulse = _closed_rows(core, delay)
    spectrum = to_spectrum(impulse, grid)
    s, entry = axis(grid.period, spectrum.shape[-1] - 1, known.injection)
    factor, slopes = _site(s, values)
    spectrum = np.concatenate([spectrum, spectrum[:1] * slopes]) * np.exp(factor)
    if "load" not in model.parts:
        return sampling.synthesise(_after_column(spectrum, values, s, entry, known), grid)
    # counted from the end, where nothing is left: the unretained part went first
    step = _integral(spectrum, s, grid, refinement) - spectrum[:, :1].real
    step[0] += 1
    return _bent(to_time(spectrum, grid, refinement), step, core, values, sampling, grid, known)


def _closed_and_loaded(core: Core, delay: Array, values: dict[str, float]) -> Array:
    """The pair at delays [s], bent by the loading where there is one."""
    if "loading" not in values:
        return _closed_rows(core, delay)
    n, rate = core.n, core.desorption_rate
    value, by_n, by_rate = impulse_jacobian(delay, 0.0, n, rate)
    step, remaining = steps(delay, 0.0, n, rate)
    # ∂J/∂n = -e^{-n - k_d θ} I0, ∂J/∂k_d = θ h/k_d
    slopes = (step, -(by_n + value) / rate, np.maximum(delay, 0.0) * value / rate)
    rows = loaded(_by_moments(core, value, by_n, by_rate), _by_moments(core, *slopes), core.loading, remaining)
    return change_coordinates(rows, values["log_sigma"], core.loading)


def _bent(
    impulse: Array, step: Array, core: Core, values: dict[str, float], sampling: Sampling, grid: Grid, known: Known
) -> Curve:
    """The loaded peak from the linear law on a refined grid, with what follows the column."""
    rows = change_coordinates(loaded(impulse, step, core.loading), values["log_sigma"], core.loading)
    return _followed(rows, values, sampling, grid, known)


def _followed(rows: Array, values: dict[str, float], sampling: Sampling, grid: Grid, known: Known) -> Curve:
    """What leaves the column, on a refined grid, with tail and injection."""
    if sampling.uniform and not _follows(values, known, sampling):
        return sampling.cut(rows[:, :: rows.shape[1] // grid.length], grid)
    spectrum = to_spectrum(rows, grid)
    s, entry = axis(grid.period, spectrum.shape[-1] - 1, known.injection)
    return sampling.synthesise(_after_column(spectrum, values, s, entry, known), grid)


def _linear_spectra(core: Core, values: dict[str, float], s: Complex, begin: float) -> Complex:
    """ĉ of core and site and its derivatives by retention, log σ and the site's coordinates; time from `begin`."""
    if core.kind == "gaussian":
        exponent = s * (core.sigma**2 / 2 * s - core.delay)
        slopes = [-s, (core.sigma * s) ** 2]
    else:
        exponent, *slopes = pair(s, core.delay, core.sigma)
    if "log_site_time" in values:
        factor, site_slopes = _site(s, values)
        exponent, slopes = exponent + factor, [*slopes, *site_slopes]
    return with_slopes(exponent + s * begin, slopes)


def _site(s: Complex, values: dict[str, float]) -> tuple[Complex, Complex]:
    """Logarithm of exp(-δ s/(1 + s τ₂)) and its derivatives by log δ and log τ₂."""
    delay, time = math.exp(values["log_site_delay"]), math.exp(values["log_site_time"])
    spent = s / (1 + s * time)
    slopes = np.empty((2, s.size), dtype=np.complex128)
    factor = np.multiply(spent, -delay, out=slopes[0])
    np.multiply(spent, spent, out=slopes[1])
    slopes[1] *= delay * time
    return factor, slopes


def _after_column(rows: Complex, values: dict[str, float], s: Complex, entry: Complex | None, known: Known) -> Complex:
    """Multiply by injection and tail; the derivative by log τ goes before that by the loading."""
    if entry is not None:
        rows = rows * entry
    if known.tail:
        rows = rows / (1 + s * known.tail)
    if "log_tail" not in values:
        return rows
    share = 1 / (1 + s * math.exp(values["log_tail"]))
    place = rows.shape[0] - ("loading" in values)
    out = np.empty((rows.shape[0] + 1, rows.shape[1]), dtype=np.complex128)
    np.multiply(rows[:place], share, out=out[:place])
    np.multiply(rows[place:], share, out=out[place + 1 :])
    np.multiply(out[0], share - 1, out=out[place])
    return out


def _integral(linear: Complex, s: Complex, grid: Grid, refinement: int) -> Array:
    """∫ from the begin of the grid, of functions given by their transforms."""
    integrated = np.empty_like(linear)
    integrated[:, 0] = 0.0
    np.divide(linear[:, 1:], s[1:], out=integrated[:, 1:])
    periodic = to_time(integrated, grid, refinement)
    length = grid.length * refinement
    # in this order: what has passed of a loaded peak is to be right to its own size where it begins
    periodic -= periodic[:, :1].copy()
    periodic += linear[:, :1].real * _ramp(length)
    return periodic


@lru_cache(maxsize=16)
def _ramp(length: int) -> Array:
    """From 0 to 1 in so many steps; kept, and nobody may change it."""
    ramp: Array = np.arange(length) / length
    ramp.flags.writeable = False
    return ramp


def _closed_rows(core: Core, delay: Array) -> Array:
    """h and its derivatives by retention and log σ at delays [s]."""
    return _by_moments(core, *impulse_jacobian(delay, 0.0, core.n, core.desorption_rate))


def _by_moments(core: Core, value: Array, by_n: Array, by_rate: Array) -> Array:
    """A function and its derivatives by retention and log σ, by the chain rule through n and k_d."""
    by_retention = (2 * core.n * by_n + core.desorption_rate * by_rate) / core.delay
    by_log_sigma = -2 * (core.n * by_n + core.desorption_rate * by_rate)
    return np.stack([value, by_retention, by_log_sigma])


def _follows(values: dict[str, float], known: Known, sampling: Sampling) -> bool:
    """Whether what leaves the column is not yet what is seen: by an injection, a tail, or means of points."""
    return "log_tail" in values or known.injection > 0 or bool(known.tail) or sampling.averaged > 1


def _sharpness(core: Core, values: dict[str, float], sampling: Sampling, grid: Grid, known: Known) -> int:
    """Refinement at which the steep flank of a loaded peak survives a transform; 1 where none follows."""
    if sampling.uniform and not _follows(values, known, sampling):
        return 1
    return refinement_for(int(_flank(core) * grid.interval / core.sigma * grid.length / 2), grid.length)


def _flank(core: Core) -> float:
    """Steps a σ at which the steep flank of a loaded peak survives a transform."""
    return 5 + abs(core.loading) / 2


def _highest_frequency(core: Core) -> float:
    """ω [1/s] above which the spectrum of the core is below e^{-25}: n ω²/(ω² + k_d²) = 25."""
    if core.kind == "gaussian":
        return math.sqrt(2 * core.reach) / core.sigma
    return core.desorption_rate * math.sqrt(core.reach / (core.n - core.reach))
