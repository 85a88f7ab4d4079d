"""What a trace holds that is neither peak nor baseline: spikes, flat tops, steps, padding, louder noise."""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.local_noise import regional_factor
from gcfit.fitting.quantised import padding
from gcfit.fitting.records import Noise, Polarity

Mask = NDArray[np.bool_]
SPIKE_NOISE = 8.0  # least height of a spike, in standard deviations of the noise
SPIKE_SIDE = 0.15  # most that a spike leaves on its neighbours, as a part of its height
FLAT_POINTS = 4  # least equal points of a flat top
FLAT_EDGE = 6.0  # least drop right beside a flat top, in noise or steps of the quantisation
LEVEL_POINTS = 20  # least points of a flat top with noise on it; a round one this long has no such edges
EDGE_POINTS = 2  # over which it has them
LEVEL = 5.0  # standard deviations of the noise about the mean within which such a top stays
KINK = 0.5  # of the slope of a flank further out, which it has right beside a cut top at least
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
    saturated, bottoms : ndarray of bool
        Runs of equal points that cut off a top, and those that do so where the trace is turned upside down.
    padding : ndarray of bool
        Runs of equal points too long to be measured.
    steps : ndarray of bool
        Last points before the level changes at once and for good, as valves do it.
    louder : ndarray
        The noise at each point over that of the trace, at least 1.
    """

    spikes: Mask
    saturated: Mask
    padding: Mask
    steps: Mask
    bottoms: Mask
    louder: Array

    @property
    def unfit(self) -> Mask:
        """The points that say nothing of what the column did: flat tops and spikes."""
        return self.saturated | self.spikes

    def part(self, points: slice) -> "Defects":
        """Return those of some points."""
        return Defects(*(getattr(self, field.name)[points] for field in fields(self)))

    def turned(self) -> "Defects":
        """Return those of the trace upside down."""
        return replace(self, saturated=self.bottoms, bottoms=self.saturated)

    def towards(self, polarity: Polarity) -> "Defects":
        """Return those with the flat tops on the sides to which peaks may point."""
        if polarity == "positive":
            return self
        return replace(self, saturated=self.bottoms | (self.saturated if polarity == "both" else False))

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

    Parameters
    ----------
    signal : ndarray, shape (n,)
        Detector signal.
    noise : Noise
        As `estimate_noise` gives it.
    """
    louder = regional_factor(signal, noise)
    deviation = noise.deviation * louder
    jumps = signal[1:] - signal[:-1]
    tops, bottoms = _flats(signal, jumps, noise)
    return Defects(
        _spikes(signal, jumps, deviation),
        tops if tops.any() else _level_tops(signal, noise),
        padding(signal, noise.step),
        _steps(signal, jumps, deviation),
        bottoms,
        louder,
    )


def _spikes(signal: Array, jumps: Array, deviation: Array) -> Mask:
    """Return the mask of one or two points far above the points beside them, which are hardly above the next ones."""
    mask = np.zeros(signal.size, dtype=bool)
    if deviation.max(initial=0.0) <= 0:
        return mask
    least = SPIKE_NOISE * deviation
    rises, falls = jumps > least[1:], jumps < -least[1:]
    for up, down, sign in ((rises, falls, 1), (falls, rises, -1)):
        for width in (1, 2):
            # where both flanks are steep: point 1 to 2, and the last of the spike to the next
            starts = (up[1 : -1 - width] & down[1 + width : -1]).nonzero()[0]
            if not starts.size:
                continue
            around = sign * signal[starts[:, None] + np.arange(width + 4)]
            core = np.minimum(around[:, 2], around[:, 1 + width])
            side = np.maximum(around[:, 1], around[:, 2 + width])
            base = np.minimum(around[:, 0], around[:, 3 + width])
            above = core - side > least[starts + 2]
            hit = above & (side - base < SPIKE_SIDE * (core - base) + 2 * deviation[starts + 2])
            for shift in range(width):
                mask[starts[hit] + 2 + shift] = True
    return mask


def _flats(signal: Array, jumps: Array, noise: Noise) -> tuple[Mask, Mask]:
    """Return the masks of runs of equal points with a sharp drop on both sides, where a quantised top is round.

    First those that cut off tops, then those that cut off bottoms.
    """
    masks = np.zeros(signal.size, dtype=bool), np.zeros(signal.size, dtype=bool)
    moves = np.flatnonzero(jumps)
    if jumps.size - moves.size < FLAT_POINTS - 1:
        return masks
    starts = np.concatenate([[0], moves + 1])
    ends = np.append(starts[1:], signal.size)
    least = FLAT_EDGE * max(noise.deviation, noise.step)
    long = ends - starts >= FLAT_POINTS
    for i, j in zip(starts[long], ends[long], strict=True):
        reach = max(2, (j - i) // 4)
        if i < reach or j + reach > signal.size:
            continue
        left, right = signal[i] - signal[i - reach : i], signal[i] - signal[j : j + reach]
        for mask, sign in zip(masks, (1, -1), strict=True):
            steep = min(sign * left[0], sign * right[-1]) > least
            mask[i:j] = steep and min((sign * left).min(), (sign * right).min()) > 0
    return masks


def _level_tops(signal: Array, noise: Noise) -> Mask:
    """Return the mask of tops that are level but for the noise, at the end of the range, between steep flanks.

    Noise may be added behind what cuts the top; a round top this level falls off more gently.
    """
    mask = np.zeros(signal.size, dtype=bool)
    deviation = max(noise.deviation, noise.step / 2)
    outside = 2 * EDGE_POINTS
    if deviation <= 0 or signal.size < LEVEL_POINTS + 2 * outside:
        return mask
    top = signal.max() - 2 * LEVEL * deviation
    rises = np.flatnonzero(
        (signal[EDGE_POINTS:] - signal[:-EDGE_POINTS] > FLAT_EDGE * deviation) & (signal[EDGE_POINTS:] > top)
    )
    rises = rises[(rises + EDGE_POINTS >= outside) & (rises <= signal.size - EDGE_POINTS - LEVEL_POINTS)] + EDGE_POINTS
    level = np.ptp(signal[rises[:, None] + np.arange(LEVEL_POINTS)], axis=1) < 2 * LEVEL * deviation
    for first in rises[level].tolist():
        height = float(signal[first : first + LEVEL_POINTS].mean())
        away = np.abs(signal[first:] - height) > LEVEL * deviation
        last = first + int(np.argmax(away)) if away.any() else signal.size
        sides = signal[first - outside : first + 1][::-1], signal[last - 1 : last + outside]
        mask[first:last] |= all(side.size > outside and _is_cut(side, deviation) for side in sides)
    return mask


def _is_cut(side: Array, deviation: float) -> bool:
    """Whether a signal, from a level top outwards, falls at once and steeply, by not much less than further out."""
    near, far = side[0] - side[EDGE_POINTS], side[EDGE_POINTS] - side[-1]
    return bool(near > max(FLAT_EDGE * deviation, KINK * far) and far > 0)


def _steps(signal: Array, jumps: Array, deviation: Array) -> Mask:
    """Return the mask of the last points before a jump between two levels."""
    mask = np.zeros(signal.size, dtype=bool)
    if deviation.max(initial=0.0) <= 0:
        return mask
    jump = np.abs(jumps)
    if jump.size < 2 * STEP_POINTS:
        return mask
    high = np.flatnonzero(jump[2:-2] > STEP_NOISE * deviation[2:-3]) + 2
    lone = high[jump[high] > 2 * jump[high[:, None] + np.array([-2, -1, 1, 2])].max(axis=1, initial=0.0)]
    for i in lone[(lone >= STEP_POINTS - 1) & (lone <= jump.size - STEP_POINTS)]:
        before, after = signal[i - STEP_POINTS + 1 : i + 1], signal[i + 1 : i + 1 + STEP_POINTS]
        slack = STEP_SLACK * jump[i] + 4 * deviation[i]
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
        out[i:j] = signal[i - 1] + (signal[j] - signal[i - 1]) * part + (j - i + 1) * slopes
    return out
