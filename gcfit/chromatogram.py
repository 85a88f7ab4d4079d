"""The record that travels the road: one trace of one run, checked once, when it is made."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcfit.errors import InputError

Array = NDArray[np.float64]
MIN_POINTS = 3
_SAME_STEP = 1e-9  # of the step


@dataclass(frozen=True, eq=False)
class Chromatogram:
    """One detector trace.

    Parameters
    ----------
    time : ndarray, shape (n,)
        Times [s], finite and strictly increasing; any spacing, any first value.
    signal : ndarray, shape (n,)
        Detector signal [`signal_unit`], finite.
    signal_unit : str
        Unit as the file gives it, empty when it does not.
    source : str
        File name, `-` for standard input, empty for data made in memory.
    trace : str
        Name of the trace within the file, empty when there is only one without a name.
    notes : tuple of str
        What the reader inferred or repaired, one sentence each.

    Raises
    ------
    InputError
        If the arrays are not one-dimensional and of one length, hold fewer than three points or a value
        that is not finite, or if the times do not increase strictly.
    """

    time: Array
    signal: Array
    signal_unit: str = ""
    source: str = ""
    trace: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        time, signal = _frozen(self.time), _frozen(self.signal)
        if time.ndim != 1 or time.shape != signal.shape:
            raise self._bad(f"time has shape {time.shape}, signal {signal.shape}; both must be (n,)")
        if time.size < MIN_POINTS:
            raise self._bad(f"{time.size} data points, at least {MIN_POINTS} are needed")
        for name, values in (("time", time), ("signal", signal)):
            if not np.isfinite(values).all():
                row = int(np.flatnonzero(~np.isfinite(values))[0])
                raise self._bad(f"{name} is {values[row]}", place=f"data row {row + 1}")
        steps = np.diff(time)
        if not (steps > 0).all():
            row = int(np.flatnonzero(steps <= 0)[0]) + 1
            found = f"time {time[row]:.10g} s does not follow {time[row - 1]:.10g} s"
            raise self._bad(found, place=f"data row {row + 1}")
        object.__setattr__(self, "time", time)
        object.__setattr__(self, "signal", signal)

    @cached_property
    def sampling_interval(self) -> float:
        """Distance of neighbouring points [s]: the median, or the mean where regular times were rounded.

        Rounded steps have a few values only, none of them the true one: 0.04 s in minutes of five decimals is 0.0402 s
        or 0.0396 s. The times are regular if each lies within a quarter of a step of its place on a straight line.
        """
        mean = float(self.time[-1] - self.time[0]) / (self.time.size - 1)
        median = self._median_step()
        if abs(mean - median) < _SAME_STEP * mean:
            return median
        line = self.time[0] + mean * np.arange(self.time.size)
        return mean if float(np.abs(self.time - line).max()) <= mean / 4 else median

    def _median_step(self) -> float:
        """Return the median distance of neighbouring points [s]."""
        steps = self.time[1:] - self.time[:-1]
        low, high = (steps.size - 1) // 2, steps.size // 2
        # np.median would import numpy.ma
        ordered = np.partition(steps, (low, high))
        return float((ordered[low] + ordered[high]) / 2)

    @property
    def label(self) -> str:
        """File and trace in one word, for messages."""
        return f"{self.source} [{self.trace}]" if self.trace else self.source

    def _bad(self, found: str, place: str = "") -> InputError:
        return InputError(self.label or "chromatogram", found, place=place)


def _frozen(values: ArrayLike) -> Array:
    """Return a read-only float64 array, copied only when the caller could still write to it."""
    array = np.asarray(values, dtype=np.float64)
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array
