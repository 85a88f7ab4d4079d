"""What a trace holds that is neither peak nor baseline: spikes, flat tops, steps, padding."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.noise import padding
from gcfit.fitting.records import Noise

Mask = NDArray[np.bool_]
SPIKE_NOISE = 8.0  # least height of a spike, in standard deviations of the noise
SPIKE_SIDE = 0.15  # most that a spike leaves on its neighbours, as a part of its height
FLAT_POINTS = 4  # least equal points of a flat top
FLAT_EDGE = 6.0  # least drop right beside a flat top, in noise or steps of the quantisation
STEP_NOISE = 10.0  # least height of a step, in standard deviations of the noise
STEP_POINTS = 8  # on either side, over which a step's level must hold
STEP_SLACK = 0.2  # part of its height by which the level may vary there


@dataclass(frozen=True, eq=False)
class Defects:
    """Masks over the points of a trace, shape (n,) each.

    Parameters
    ----------
    spikes : ndarray of bool
        One or two points that stand out from both neighbours as no peak can.
    saturated : ndarray of bool
        Runs of equal points that cut off a top.
    padding : ndarray of bool
        Runs of equal points too long to be measured.
    steps : ndarray of bool
        Last points before the level changes at once and for good, as valves do it.
    """

    spikes: Mask
    saturated: Mask
    padding: Mask
    steps: Mask

    def repaired(self, signal: Array) -> Array:
        """Return the signal with spikes bridged by lines and flat tops rounded, for detection only."""
        keep = ~self.spikes
        points = np.arange(signal.size)
        bridged = np.interp(points, points[keep], signal[keep]) if not keep.all() else signal
        return _rounded(bridged, self.saturated)

    def saturated_times(self, time: Array) -> Array:
        """Return the times of the flat tops [s]."""
        return time[self.saturated]


def find_defects(signal: Array, noise: Noise) -> Defects:
    """Return what the detector or its electronics did to a trace.

    Flat tops are those of peaks that point upwards; give the negative of the signal for the others.

    Parameters
    ----------
    signal : ndarray, shape (n,)
        Detector signal.
    noise : Noise
        As `estimate_noise` gives it.
    """
    spikes = np.zeros(signal.size, dtype=bool)
    if noise.deviation > 0:
        for sign in (1, -1):
            for width in (1, 2):
                _mark_spikes(spikes, sign * signal, noise.deviation, width)
    return Defects(spikes, _flat_tops(signal, noise), padding(signal, noise.step), _steps(signal, noise.deviation))


def _mark_spikes(mask: Mask, signal: Array, deviation: float, width: int) -> None:
    """Mark the spikes of `width` points: far above the points beside them, which are hardly above the next ones."""
    count = signal.size - width - 3
    if count < 1:
        return
    core = np.minimum(signal[2 : 2 + count], signal[1 + width : 1 + width + count])
    side = np.maximum(signal[1 : 1 + count], signal[2 + width : 2 + width + count])
    base = np.minimum(signal[:count], signal[3 + width :])
    hit = (core - side > SPIKE_NOISE * deviation) & (side - base < SPIKE_SIDE * (core - base) + 2 * deviation)
    for shift in range(width):
        mask[2 + shift : 2 + shift + count] |= hit


def _flat_tops(signal: Array, noise: Noise) -> Mask:
    """Return the mask of runs of equal points with a sharp drop on both sides, where a quantised top is round."""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(signal)) + 1])
    ends = np.append(starts[1:], signal.size)
    mask = np.zeros(signal.size, dtype=bool)
    least = FLAT_EDGE * max(noise.deviation, noise.step)
    for i, j in zip(starts[ends - starts >= FLAT_POINTS], ends[ends - starts >= FLAT_POINTS], strict=True):
        reach = max(2, (j - i) // 4)
        if i < reach or j + reach > signal.size:
            continue
        left, right = signal[i] - signal[i - reach : i], signal[i] - signal[j : j + reach]
        mask[i:j] = min(left[0], right[-1]) > least and min(left.min(), right.min()) > 0
    return mask


def _steps(signal: Array, deviation: float) -> Mask:
    """Return the mask of the last points before a jump between two levels."""
    mask = np.zeros(signal.size, dtype=bool)
    if deviation <= 0:
        return mask
    jump = np.abs(np.diff(signal))
    if jump.size < 2 * STEP_POINTS:
        return mask
    beside = np.maximum.reduce([jump[:-4], jump[1:-3], jump[3:-1], jump[4:]])
    lone = np.flatnonzero(jump[2:-2] > np.maximum(STEP_NOISE * deviation, 2 * beside)) + 2
    for i in lone[(lone >= STEP_POINTS - 1) & (lone <= jump.size - STEP_POINTS)]:
        before, after = signal[i - STEP_POINTS + 1 : i + 1], signal[i + 1 : i + 1 + STEP_POINTS]
        slack = STEP_SLACK * jump[i] + 4 * deviation
        mask[i] = max(np.ptp(before), np.ptp(after)) < slack and abs(after.mean() - before.mean()) > jump[i] / 2
    return mask


def _rounded(signal: Array, flat: Mask) -> Array:
    """Return the signal with each flat top replaced by the cubic that continues its flanks."""
    if not flat.any():
        return signal
    out = signal.copy()
    change = np.flatnonzero(np.diff(np.concatenate([[False], flat, [False]]).astype(np.int8)))
    for i, j in zip(change[::2], change[1::2], strict=True):
        up, down = signal[i - 1] - signal[i - 2], signal[j] - signal[j + 1]
        part = np.linspace(0, 1, j - i + 2)[1:-1]
        slopes = max(up, 0.0) * part * (1 - part) ** 2 + max(down, 0.0) * part**2 * (1 - part)
        out[i:j] += (j - i + 1) * slopes
    return out
