"""From the coordinates of a fitted peak to what the peak table reports, with standard errors by the delta method."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.models import MODELS, Known, core_of

DIFFERENCE = 1e-5  # of a coordinate's scale, for the derivatives of the reported quantities


@dataclass(frozen=True)
class Estimate:
    """A value and its standard error; None where the data do not determine it."""

    value: float | None = None
    error: float | None = None


def kinetics(
    model: str,
    coordinates: Array,
    covariance: Array | None,
    known: Known,
    hold_up: float | None,
    phase_ratio: float | None,
) -> dict[str, Estimate]:
    """Rates and additions of one peak.

    Parameters
    ----------
    model : str
        Name of the peak model.
    coordinates : ndarray, shape (p,)
    covariance : ndarray, shape (p, p), or None
        Covariance of the coordinates.
    known : Known
        The hold-up time that the model was evaluated with.
    hold_up, phase_ratio : float or None
        What the user knows: without the hold-up time [s] no rate is determined, without α not k_a.

    Returns
    -------
    dict of str to Estimate
        Keys k_d_per_s, alpha_k_a_per_s, k_a_per_s, retention_factor, site_n, site_k_d_per_s, tail_s, loading: those
        that the model has and the data determine.
    """

    def report(at: Array) -> dict[str, float]:
        return _reported(model, at, known, hold_up, phase_ratio)

    values = report(coordinates)
    if covariance is None:
        return {name: Estimate(value) for name, value in values.items()}
    slopes = _slopes(report, coordinates, np.sqrt(covariance.diagonal()))
    variances = (slopes @ covariance * slopes).sum(axis=1)
    errors = np.sqrt(np.maximum(variances, 0.0)).tolist()
    return {name: Estimate(value, error) for (name, value), error in zip(values.items(), errors, strict=True)}


def _reported(
    model: str, coordinates: Array, known: Known, hold_up: float | None, phase_ratio: float | None
) -> dict[str, float]:
    values = dict(zip(MODELS[model].parameters, coordinates.tolist(), strict=True))
    core = core_of(MODELS[model], values, known)
    out: dict[str, float] = {}
    if hold_up is not None and core.kind == "laplace":
        out["k_d_per_s"] = core.desorption_rate
        out["alpha_k_a_per_s"] = core.n / hold_up
        out["retention_factor"] = core.delay / hold_up
        if phase_ratio is not None:
            out["k_a_per_s"] = core.n / hold_up / phase_ratio
    if "log_site_time" in values:
        out["site_n"] = math.exp(values["log_site_delay"] - values["log_site_time"])
        out["site_k_d_per_s"] = math.exp(-values["log_site_time"])
    if "log_tail" in values:
        out["tail_s"] = math.exp(values["log_tail"])
    if "loading" in values:
        out["loading"] = values["loading"]
    return out


def _slopes(report: Callable[[Array], dict[str, float]], coordinates: Array, errors: Array) -> Array:
    """Central differences of the reported values by the coordinates, shape (values, p)."""
    columns = []
    for place, error in enumerate(errors.tolist()):
        size = max(min(error, 1.0), 1e-9) * DIFFERENCE * 100
        step = np.zeros_like(coordinates)
        step[place] = size
        up, down = report(coordinates + step), report(coordinates - step)
        columns.append([(high - low) / (2 * size) for high, low in zip(up.values(), down.values(), strict=True)])
    return np.array(columns).T
