"""Where a peak's apex lies in the signal: the model's, moved by the slope of what the model leaves there."""

import math

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.records import Noise

TOP = 1 / 8  # widths at half height to both sides of the apex over which a peak's top is a parabola
LEAST_POINTS = 5  # of a top; with fewer of them the signal does not tell better than the model
SURE = 5.0  # standard errors of the slope of the residual beyond which it is not the noise's


def leaning(time: Array, residual: Array, curve: Array, apex: float, width: float, noise: Noise) -> tuple[float, float]:
    """How much later the signal has its apex than a fitted peak, and its error [s]; 0 where the noise explains it.

    A parabola of curvature c on whose top the residual has slope b has its apex b/|c| further on. No model describes a
    measured peak to its noise: at a signal of 1e5 times that, a misfit of 0.5 % moves the apex by many errors.

    Parameters
    ----------
    time, residual, curve : ndarray, shape (n,)
        Times [s], what the fit leaves and the fitted peak [signal unit].
    apex, width : float
        Of the fitted peak: its apex and width at half height [s].
    noise : Noise
        That of the trace.
    """
    top = np.abs(time - apex) <= TOP * width
    if np.count_nonzero(top) < LEAST_POINTS:
        return 0.0, 0.0
    away = time[top] - apex
    about = away - away.mean()
    spread = float(about @ about)
    slope = float(about @ residual[top]) / spread
    # noise may grow with the signal; that of points is in their third differences, a misfit is not
    jitter = np.diff(residual[top], 3)
    deviation = max(noise.deviation, math.sqrt(float(jitter @ jitter) / (20 * jitter.size)))
    error = deviation * math.sqrt(noise.inflation / spread)
    if abs(slope) <= SURE * error:
        return 0.0, 0.0
    curvature = 2 * float(np.polyfit(away, curve[top], 2)[0])
    if abs(slope) > TOP * width * abs(curvature):
        return 0.0, 0.0
    return -slope / curvature, error / abs(curvature)
