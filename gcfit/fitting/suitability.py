"""System suitability by USP <621> (harmonised, official 2022-12-01): figures of a peak, taken on the fitted curve."""

from dataclasses import dataclass

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.errors import InputError

FEWEST = 20  # points over which a peak-to-peak noise can be measured


@dataclass(frozen=True)
class Shape:
    """Apex [s], height, and the widths [s] of a peak; None where the curve does not fall so far within its points.

    `apex_slopes`, shape (p,): derivatives of the apex time by the coordinates of the model.
    """

    apex: float
    height: float
    half_width: float | None
    half_left: float | None
    base_width: float | None
    base_left: float | None
    apex_slopes: Array


def shape_of(time: Array, rows: Array) -> Shape | None:
    """Measure a curve.

    Parameters
    ----------
    time : ndarray, shape (n,)
        Equally spaced times [s], at least five.
    rows : ndarray, shape (1 + p, n)
        The curve and its derivatives by the coordinates.

    Returns
    -------
    Shape or None
        None where the highest point is among the first or last two: the apex is not within the points.
    """
    top = int(np.argmax(rows[0]))
    if not 2 <= top < time.size - 2:
        return None
    step = float(time[-1] - time[0]) / (time.size - 1)
    near = rows[:, top - 2 : top + 3]
    # quartic through five points: derivatives at the middle one, then one Newton step on each
    slope, bend = near @ _FIRST / step, near @ _SECOND / step**2
    third = near[0] @ _THIRD / step**3
    shift = -slope[0] / bend[0]
    shift -= 0.5 * third * shift**2 / bend[0]
    if not abs(shift) <= step:
        # five points that no quartic follows, as at the tip of a saw: a parabola through three
        slope, bend, third = near @ _SLOPE / step, near @ _BEND / step**2, 0.0
        shift = -slope[0] / bend[0]
    height = float(near[0, 2] + slope[0] * shift / 2)
    slopes_at_apex = slope[1:] + bend[1:] * shift
    half = _crossings(time, rows[0], top, height / 2)
    base = _crossings(time, rows[0], top, height / 20)
    apex = float(time[top] + shift)
    return Shape(
        apex=apex,
        height=height,
        half_width=half[1] - half[0] if half else None,
        half_left=apex - half[0] if half else None,
        base_width=base[1] - base[0] if base else None,
        base_left=apex - base[0] if base else None,
        apex_slopes=-slopes_at_apex / (bend[0] + third * shift),
    )


def plates(retention: float, half_width: float) -> float:
    """N = 5.54 (t_R/W_h)²."""
    return 5.54 * (retention / half_width) ** 2


def resolution(retention: tuple[float, float], half_width: tuple[float, float]) -> float:
    """R_s = 1.18 (t_2 - t_1)/(W_h1 + W_h2)."""
    return 1.18 * (retention[1] - retention[0]) / (half_width[0] + half_width[1])


def symmetry(base_width: float, base_left: float) -> float:
    """A_s = W_0.05/(2 d), d the distance of the apex from the leading edge at 5 % of the height."""
    return base_width / (2 * base_left)


def blank_range(chromatogram: Chromatogram, window: tuple[float, float]) -> float:
    """Return the peak-to-peak noise h over a stretch without peaks, drift (a straight line) taken out.

    Parameters
    ----------
    chromatogram : Chromatogram
        The whole run.
    window : tuple of two floats
        Begin and end of the stretch [s]; USP <621> asks for at least 5 and by default 20 widths at half height.

    Raises
    ------
    InputError
        If the stretch holds fewer than `FEWEST` points.
    """
    begin, end = window
    first, last = np.searchsorted(chromatogram.time, [begin, end])
    time, signal = chromatogram.time[first:last], chromatogram.signal[first:last]
    if time.size < FEWEST:
        ends = f"the run goes from {chromatogram.time[0]:g} to {chromatogram.time[-1]:g} s"
        found = f"{time.size} points in the noise window {begin:g} to {end:g} s"
        raise InputError(chromatogram.label, found, remedy=f"give a blank stretch of {FEWEST} points or more; {ends}")
    x = (time - time.mean()) / (time[-1] - time[0])
    level = signal - signal.mean()
    return float(np.ptp(level - x * (x @ level) / (x @ x)))


def signal_to_noise(height: float, peak_to_peak: float) -> float:
    """S/N = 2H/h, h the peak-to-peak noise."""
    return 2 * abs(height) / peak_to_peak


_FIRST = np.array([1, -8, 0, 8, -1]) / 12
_SECOND = np.array([-1, 16, -30, 16, -1]) / 12
_THIRD = np.array([-1, 2, 0, -2, 1]) / 2
_SLOPE = np.array([0, -1, 0, 1, 0]) / 2
_BEND = np.array([0, 1, -2, 1, 0])


def _crossings(time: Array, curve: Array, top: int, level: float) -> tuple[float, float] | None:
    """Times left and right of the apex where the curve first falls to a level; None where it does not."""
    below = curve < level
    left, right = top - 1 - int(below[:top][::-1].argmax()), top + int(below[top:].argmax())
    if not (below[left] and below[right]):
        return None
    return _root(time, curve, left, level), _root(time, curve, right - 1, level)


def _root(time: Array, curve: Array, place: int, level: float) -> float:
    """Where the cubic through four points around `place` and the next one takes a value."""
    step = float(time[1] - time[0])
    if not 1 <= place < time.size - 2:
        share = (level - curve[place]) / (curve[place + 1] - curve[place])
        return float(time[place] + step * share)
    # plain floats: quicker here than those of numpy
    a, b, c, d = curve[place - 1 : place + 3].tolist()
    first, second, third = (c - a) / 2, a - 2.5 * b + 2 * c - d / 2, 1.5 * (b - c) + (d - a) / 2
    x = (level - b) / (c - b)
    for _ in range(4):
        value = b + x * (first + x * (second + x * third))
        x -= (value - level) / (first + x * (2 * second + 3 * x * third))
    return float(time[place] + step * x)
