"""What a trace holds that is neither peak nor baseline: spikes, flat tops, steps, padding."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.noise import padding
from gcfit.fitting.records import Noise

Mask = NDArray[np.bool_]
SPIKE_NOISE = 8.0  # least height of a spike, in standard deviations of the noise
SPIKE_SIDE = 0.15  # most that a spike of one or two points leaves on its neighbours
FLAT_POINTS = 4  # least equal points of a flat top


@dataclass(frozen=True, eq=False)
class Defects:
    """Masks over the points of a trace, shape (n,) each."""

    spikes: Mask
    saturated: Mask
    padding: Mask

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
    """Return what the detector or its electronics did to a trace."""
    return Defects(_spikes(signal, noise), _flat_tops(signal, noise), padding(signal, noise.step))


def _spikes(signal: Array, noise: Noise) -> Mask:
    """Return the mask of single points and pairs that stand out from both neighbours as no peak can."""
    mask = np.zeros(signal.size, dtype=bool)
    if signal.size < 8 or noise.deviation == 0:
        return mask
    least = SPIKE_NOISE * noise.deviation
    for width in (1, 2):
        inside = signal[2 : signal.size - 1 - width]
        top = inside if width == 1 else np.minimum(inside, signal[3 : 3 + inside.size])
        near = [signal[1 : 1 + inside.size], signal[2 + width : 2 + width + inside.size]]
        far = [signal[: inside.size], signal[3 + width : 3 + width + inside.size]]
        for sign in (1, -1):
            base = np.minimum(sign * far[0], sign * far[1]) if len(far[1]) == inside.size else sign * far[0]
            side = np.maximum(sign * near[0], sign * near[1])
            level = sign * top if width == 1 else (np.minimum(sign * inside, sign * signal[3 : 3 + inside.size]))
            hit = (level - side > least) & (side - base < SPIKE_SIDE * (level - base) + 2 * noise.deviation)
            for shift in range(width):
                mask[2 + shift : 2 + shift + inside.size] |= hit
    return mask


def _flat_tops(signal: Array, noise: Noise) -> Mask:
    """Return the mask of runs of equal points that are higher than the points around them."""
    edges = np.flatnonzero(np.diff(signal)) + 1
    starts, ends = np.r_[0, edges], np.r_[edges, signal.size]
    mask = np.zeros(signal.size, dtype=bool)
    least = 10 * max(noise.deviation, noise.step)
    for i, j in zip(starts[ends - starts >= FLAT_POINTS], ends[ends - starts >= FLAT_POINTS], strict=True):
        reach = 2 * (j - i)
        left, right = signal[max(0, i - reach) : i], signal[j : j + reach]
        if (
            left.size
            and right.size
            and min(signal[i] - left.min(), signal[i] - right.min()) > least
            and signal[i] >= max(left.max(), right.max())
        ):
            mask[i:j] = True
    return mask


def _rounded(signal: Array, flat: Mask) -> Array:
    """Return the signal with each flat top replaced by the cubic that continues its flanks."""
    if not flat.any():
        return signal
    out = signal.copy()
    change = np.flatnonzero(np.diff(np.r_[False, flat, False].astype(int)))
    for i, j in zip(change[::2], change[1::2], strict=True):
        if i < 2 or j > signal.size - 2:
            continue
        up, down = signal[i - 1] - signal[i - 2], signal[j + 1] - signal[j]
        u = np.linspace(0, 1, j - i + 2)[1:-1]
        length = j - i + 1
        out[i:j] += length * (max(up, 0.0) * u * (1 - u) ** 2 - min(down, 0.0) * u**2 * (1 - u))
    return out
