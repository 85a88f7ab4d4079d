"""Where a window is sampled, and the Fourier sum on it: one real FFT, on a uniform grid."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gcfit.chromatogram import Array
from gcfit.column.laplace import Complex, frequencies, rectangle_on_axis
from gcfit.fitting.scattered import synthesised

CLOSE = 0.1  # share of uneven steps that are shorter than the interval: a few times may lie next to each other
JITTER = 0.02  # of the interval: times that stray less were rounded when they were written

SHORT = 1000  # frequencies of an axis that is kept
LOST = 1e-11


@dataclass(frozen=True, eq=False)
class Curve:
    """A unit-area peak at the points `first` to `first + m` of a window.

    `rows`, shape (1 + p, m): the curve [1/s] and its derivatives by the p coordinates.
    """

    first: int
    rows: Array

    @property
    def last(self) -> int:
        """Index behind the last point."""
        return self.first + int(self.rows.shape[1])


NOWHERE = Curve(0, np.zeros((1, 0)))


@dataclass(frozen=True)
class Grid:
    """A period of the Fourier sum: `length` steps from `begin` [s], which is point `first` of a uniform sampling."""

    first: int
    begin: float
    end: float
    length: int
    interval: float

    @property
    def period(self) -> float:
        """Length of the period [s]."""
        return self.length * self.interval


@dataclass(frozen=True, eq=False)
class Sampling:
    """The times of a window's points, shape (n,) [s]; on a uniform grid when they differ from one by rounding only.

    Each may be the mean of so many neighbouring points of a finer uniform grid: `averaged`.
    """

    time: Array
    uniform: bool
    interval: float
    averaged: int = 1

    @classmethod
    def of(cls, time: Array) -> "Sampling":
        """Recognise a uniform grid."""
        interval = float((time[-1] - time[0]) / (time.size - 1))
        stray = time - (time[0] + interval * np.arange(time.size))
        uniform = bool(np.abs(stray).max() <= JITTER * interval)
        return cls(time, uniform, interval if uniform else float(np.quantile(np.diff(time), CLOSE)))

    def part(self, first: int, last: int) -> "Sampling":
        """The points `first` to `last`."""
        return Sampling(self.time[first:last], self.uniform, self.interval, self.averaged)

    def averages(self, count: int) -> "Sampling":
        """Means of so many points each of a uniform grid; the last that make no whole mean are left out."""
        middle = (count - 1) / 2 * self.interval
        time = self.time[: self.time.size // count * count : count] + middle
        return Sampling(time, True, count * self.interval, count)

    def grid(self, begin: float, end: float) -> Grid:
        """A period that holds [begin, end]; on a uniform sampling it starts at one of its points, inside or outside."""
        first = 0
        if self.uniform:
            start = float(self.time[0])
            first = math.floor((begin - start) / self.interval)
            begin = start + first * self.interval
        steps = fast_length(int((end - begin) / self.interval) + 2)
        return Grid(first, begin, end, steps, self.interval)

    def synthesise(self, spectrum: Complex, grid: Grid) -> Curve:
        """Functions of time from the transforms at s = 2πik/T, shape (r, K + 1), at the points within the grid."""
        if not self.uniform:
            first, last = np.searchsorted(self.time, [grid.begin, grid.end])
            return Curve(int(first), synthesised(spectrum, grid.period, self.time[first:last] - grid.begin))
        if self.averaged > 1:
            spectrum = spectrum * self._response(grid, spectrum.shape[-1])
        refinement = refinement_for(spectrum.shape[-1] - 1, grid.length)
        values = to_time(spectrum, grid, refinement)[:, ::refinement]
        return self.cut(values, grid)

    def cut(self, values: Array, grid: Grid) -> Curve:
        """Those of the values on a uniform grid, shape (r, length), that are points of the window."""
        low = min(max(-grid.first, 0), grid.length)
        used = min(int((grid.end - grid.begin) / self.interval) + 1, grid.length)
        high = max(min(self.time.size - grid.first, used), low)
        return Curve(grid.first + low, values[:, low:high])

    def _response(self, grid: Grid, size: int) -> Array:
        """What the mean of `averaged` points leaves of a wave, by frequency: sin(k ω d/2)/(k sin(ω d/2))."""
        half = np.arange(size) * (np.pi / grid.period * self.interval / self.averaged)
        half[0] = 1.0
        response: Array = np.sin(self.averaged * half) / (self.averaged * np.sin(half))
        response[0] = 1.0
        return response


def axis(period: float, count: int, duration: float) -> tuple[Complex, Complex | None]:
    """iω_k = 2πik/T for k = 0 ... count [1/s], and there the transform of an injection of a duration [s], if any.

    A search asks for the same again and again: short arrays are kept, and nobody may change them.
    """
    return _kept(period, count, duration) if count <= SHORT else _axis(period, count, duration)


def _axis(period: float, count: int, duration: float) -> tuple[Complex, Complex | None]:
    s = frequencies(period, count)
    s.flags.writeable = False
    if not duration:
        return s, None
    entry = rectangle_on_axis(s.imag, duration)
    entry.flags.writeable = False
    return s, entry


_kept = lru_cache(maxsize=64)(_axis)


def to_time(spectrum: Complex, grid: Grid, refinement: int) -> Array:
    """Functions on the grid refined so many times, shape (r, length × refinement), from their transforms."""
    length = grid.length * refinement
    values: Array = np.fft.irfft(spectrum, length)
    return values * (refinement / grid.interval)


def to_spectrum(values: Array, grid: Grid) -> Complex:
    """Transforms at s = 2πik/T of functions on a (refined) grid of the whole period, the inverse of `to_time`.

    The frequencies above the last where any function is above 1e-11 of its largest are left out: a derivative by the
    loading is wider than the function itself.
    """
    spectrum: Complex = np.fft.rfft(values) * (grid.period / values.shape[-1])
    size = np.abs(spectrum)
    heard = (size > LOST * size.max(axis=1, keepdims=True)).any(axis=0)
    return spectrum[:, : int(np.flatnonzero(heard)[-1]) + 2]


def refinement_for(count: int, length: int) -> int:
    """Least power of two by which a grid of `length` steps must be refined to hold `count` frequencies."""
    refinement = 1
    while 2 * count > length * refinement:
        refinement *= 2
    return refinement


def fast_length(least: int) -> int:
    """Smallest 2^a, 3·2^a or 5·2^a that is at least `least` and even: lengths at which an FFT is quick."""
    power = 1 << max(least - 1, 15).bit_length()
    return min(size for size in (power, 3 * power // 4, 5 * power // 8) if size >= least)
