"""A window whose fit has ended: its baseline, and what its peaks add anywhere."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.bases import base_columns
from gcfit.fitting.misfit import poorly_described
from gcfit.fitting.models import core_of, curve, support
from gcfit.fitting.registry import MODELS
from gcfit.fitting.sampling import Sampling
from gcfit.fitting.states import Peak, State
from gcfit.fitting.task import Task


@dataclass(frozen=True, eq=False)
class WindowResult:
    """A window's task and where its fit ended; None where it did not succeed.

    Where all peaks share a tail, `motion` holds the derivatives of each peak's amplitude and coordinates by it, and
    `tail_error` its standard error [s].
    """

    task: Task
    state: State | None
    motion: tuple[Array, ...] = ()
    tail_error: float | None = None

    @cached_property
    def baseline(self) -> Array:
        """The window's own baseline at its points, shape (n,); nothing where the fit did not succeed."""
        if self.state is None:
            return np.zeros_like(self.task.signal)
        solution = self.state.solution
        whole = self.task.weights is None
        columns = solution.base if whole else base_columns(self.task.time, self.state.base_order, self.task.free)
        return np.asarray(solution.base_coefficients @ columns)

    @cached_property
    def poor(self) -> list[bool]:
        """Whether each peak is described badly; empty where the fit did not succeed."""
        return [] if self.state is None else poorly_described(self.task.whole, self.state)

    def reaches(self, begin: float, end: float) -> bool:
        """Whether a peak of this window may be above nothing between two times [s]."""
        return any(low < end and high > begin for low, high in self._supports)

    def total_at(self, time: Array) -> Array:
        """Sum of the window's peaks at any increasing times [s], shape (n,)."""
        total = np.zeros_like(time)
        if self.state is None:
            return total
        sampling = Sampling.of(time)
        for peak, amplitude, (low, high) in zip(
            self.state.peaks, self.state.solution.amplitudes, self._supports, strict=True
        ):
            if low < time[-1] and high > time[0]:
                shape = curve(MODELS[peak.model], peak.coordinates, sampling, self.task.known)
                total[shape.first : shape.last] += amplitude * shape.rows[0]
        return total

    @cached_property
    def _supports(self) -> list[tuple[float, float]]:
        """First and last time [s] of each peak."""
        return [] if self.state is None else [self._support(peak) for peak in self.state.peaks]

    def _support(self, peak: Peak) -> tuple[float, float]:
        model = MODELS[peak.model]
        values = dict(zip(model.parameters, peak.coordinates.tolist(), strict=True))
        return support(core_of(model, values, self.task.known), values, self.task.known)
