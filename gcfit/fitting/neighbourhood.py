"""The points around some peaks of a solved window, with all others taken out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gcfit.chromatogram import Array
from gcfit.fitting.states import Peak, State, WindowData
from gcfit.fitting.terms import Solution

NEAR_BEFORE, NEAR_AFTER = 10.0, 14.0  # σ around a group of peaks that is solved among others
FOREIGN = 0.01  # of the height of a group of peaks; where others are above it and them, the points are theirs


@dataclass(frozen=True, eq=False)
class Local:
    """Part of a window from point `first` on, and the order of the baseline with which it is solved."""

    first: int
    data: WindowData
    base_order: int


class SumOfPeaks:
    """The peaks of a window as curves at its points, while some are changed one after the other."""

    def __init__(self, data: WindowData, state: State) -> None:
        self.data, self.base_order = data, state.base_order
        self.ground: Array = state.solution.base_coefficients @ data.base(state.base_order)
        self.parts: list[tuple[int, Array]] = [
            (shape.first, amplitude * shape.rows[0])
            for amplitude, shape in zip(state.solution.amplitudes, state.solution.curves, strict=True)
        ]

    def neighbourhood(
        self, peaks: Sequence[Peak], group: Sequence[int], new: tuple[Peak, float] | None = None, *, wide: bool = False
    ) -> Local:
        """The points around a group of peaks, or of the whole window, with the curves of all others taken out.

        Points that belong to others rather than to the group do not count: what others leave there would hide what
        the group does. A new peak of some height [signal unit] may belong to the group. Around it the baseline is
        taken out too.
        """
        if len(group) == len(peaks):
            return Local(0, self.data, self.base_order)
        members = [peaks[k] for k in group] + ([] if new is None else [new[0]])
        first, last = 0, self.data.time.size
        if not wide:
            begin = min(peak.coordinates[0] - NEAR_BEFORE * peak.sigma for peak in members)
            end = max(peak.coordinates[0] + NEAR_AFTER * peak.sigma for peak in members)
            first, last = (int(place) for place in np.searchsorted(self.data.time, [begin, end]))
        others, own, foreign = self.ground[first:last].copy(), np.zeros(last - first), np.zeros(last - first)
        for place, (start, values) in enumerate(self.parts):
            low, high = max(start, first), min(start + values.size, last)
            if low >= high:
                continue
            points, part = slice(low - first, high - first), values[low - start : high - start]
            if place in group:
                own[points] += np.abs(part)
            else:
                others[points] += part
                foreign[points] += np.abs(part)
        if new is not None:
            z = (self.data.time[first:last] - new[0].coordinates[0]) / new[0].sigma
            own += new[1] * np.exp(-0.5 * z * z)
        near = self.data.part(first, last, self.data.signal[first:last] - others)
        counts = (foreign <= np.maximum(own, FOREIGN * own.max(initial=0.0))).astype(np.float64)
        if not counts.all():
            near = replace(near, weights=counts if near.weights is None else counts * near.weights)
        return Local(first, near, self.base_order if wide else 2)

    def heights(self) -> Array:
        """Heights of the peaks as they are, shape (peaks,) [signal unit]."""
        return np.array([float(np.abs(values).max(initial=0.0)) for _, values in self.parts])

    def insert(self, place: int) -> None:
        """Make room for the curve of a new peak."""
        self.parts.insert(place, (0, np.zeros(0)))

    def update(self, group: Sequence[int], solution: Solution, offset: int) -> None:
        """Take over the curves of a group from its own fit."""
        for k, amplitude, shape in zip(group, solution.amplitudes, solution.curves, strict=True):
            self.parts[k] = (offset + shape.first, amplitude * shape.rows[0])
