"""From the coordinates of a fitted peak to what the peak table reports, with standard errors by the delta method."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.models import Known, core_of
from gcfit.fitting.registry import MODELS

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

    at = coordinates.tolist()
    values = _reported(model, at, known, hold_up, phase_ratio)
    if covariance is None:
        return {name: Estimate(value) for name, value in values.items()}
    slopes = np.empty((len(values), len(at)))
    for place, error in enumerate(np.sqrt(covariance.diagonal()).tolist()):
        # central differences
        step = max(min(error, 1.0), 1e-9) * DIFFERENCE * 100
        up, down = (
            _reported(model, [*at[:place], at[place] + way, *at[place + 1 :]], known, hold_up, phase_ratio)
            for way in (step, -step)
        )
        slopes[:, place] = [(up[name] - down[name]) / (2 * step) for name in values]
    variances = ((slopes @ covariance) * slopes).sum(axis=1).tolist()
    return {
        name: Estimate(value, math.sqrt(max(variance, 0.0)))
        for (name, value), variance in zip(values.items(), variances, strict=True)
    }


def _reported(
    model: str, coordinates: Sequence[float], known: Known, hold_up: float | None, phase_ratio: float | None
) -> dict[str, float]:
    values = dict(zip(MODELS[model].parameters, coordinates, strict=True))
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
