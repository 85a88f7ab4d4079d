"""From a trace to the tasks of its windows: over which points, what is known there, where each baseline starts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array
from gcfit.fitting.baseline import global_baseline
from gcfit.fitting.defects import Defects
from gcfit.fitting.detect import Candidate, find_peaks
from gcfit.fitting.local_base import BASE_PIECE, free_share, order_of
from gcfit.fitting.models import Known
from gcfit.fitting.obstacles import cut_short
from gcfit.fitting.quantiles import quantile
from gcfit.fitting.records import LEAST_SNR, FitSettings, Noise
from gcfit.fitting.registry import untailed_name
from gcfit.fitting.task import CROWD, Task
from gcfit.fitting.windows import Window, plan

UNRETAINED = 12.0  # σ
OWN, TOP = 4.0, 2.0  # σ around a peak that are its own; around the apex of one that is fitted
GROUND = 0.03  # of the height of small peaks; how close the first baseline of a crowd is to follow its guess


@dataclass(frozen=True, eq=False)
class Trace:
    """A trace: times [s] and signal without the baseline that was asked for by name, shape (n,), and what is known.

    `dips` are its peaks that point downwards where only those that point upwards are fitted.
    """

    time: Array
    signal: Array
    noise: Noise
    defects: Defects
    dips: Sequence[Candidate]
    settings: FitSettings

    @cached_property
    def masked(self) -> Defects:
        """What the detector did to the trace, with the flat tops on the sides to which peaks may point."""
        return self.defects.towards(self.settings.polarity)

    def candidates(self, points: slice = slice(None)) -> tuple[Candidate, ...]:
        """The peaks that some points seem to hold, as high as was asked for."""
        return self._candidates(points, self.settings.min_snr)

    def _candidates(self, points: slice, min_snr: float) -> tuple[Candidate, ...]:
        time, signal, defects = self.time[points], self.signal[points], self.defects.part(points)
        return find_peaks(time, signal, self.noise, polarity=self.settings.polarity, min_snr=min_snr, defects=defects)

    @cached_property
    def _passed_over(self) -> NDArray[np.bool_]:
        """Where peaks stand that are lower than was asked for, beside the tops of those that are not, shape (n,)."""
        mask = np.zeros(self.time.size, dtype=bool)
        if self.settings.min_snr <= LEAST_SNR:
            return mask
        found = self._candidates(slice(None), LEAST_SNR)
        for low in (True, False):
            for one in (one for one in found if (one.snr < self.settings.min_snr) is low):
                reach = (OWN if low else TOP) * one.sigma
                first, last = np.searchsorted(self.time, [one.apex_time - reach, one.apex_time + reach])
                mask[first:last] = low
        return mask

    def windows(self, candidates: Sequence[Candidate], points: slice = slice(None)) -> tuple[Window, ...]:
        """The windows of candidates among some points."""
        first = points.start or 0
        planned = plan(self.time[points], candidates)
        whole = [replace(one, first=one.first + first, last=one.last + first) for one in planned] if first else planned
        return cut_short(whole, self.time, self.masked, self.dips)

    def tasks(self, windows: Sequence[Window]) -> list[Task]:
        """The tasks of some windows."""
        settings, noise, louder = self.settings, self.noise, self.defects.louder
        masked, uneven = self.masked.unfit | self._passed_over, (louder > 1).any()
        crowded = settings.baseline == "auto" and any(len(window.candidates) > CROWD for window in windows)
        under = _between_peaks(self, windows) if crowded else None
        tasks = []
        for window in windows:
            points = slice(window.first, window.last)
            weights = (~masked[points]).astype(np.float64) if masked[points].any() else None
            tasks.append(
                Task(
                    window.first,
                    self.time[points],
                    self.signal[points],
                    weights,
                    noise.deviation * (quantile(louder[points], 0.5) if uneven else 1.0),
                    noise.inflation,
                    _known(window, float(self.time[0]), settings),
                    untailed_name(settings.model) if settings.shared_tail else settings.model,
                    window.candidates,
                    base_order=_first_order(window, self.time, under, noise) if settings.baseline == "auto" else 1,
                    rigid=settings.baseline != "auto",
                    louder=louder[points] if uneven else None,
                )
            )
        return tasks

    def again(self, points: slice, signal: Array, known: Sequence[Candidate]) -> list[Task]:
        """The tasks of some points, with the peaks that another signal there, shape (points,), seems to hold.

        Where it seems to hold none, those that are known there stay.
        """
        whole = self.signal.copy()
        whole[points] = signal
        other = replace(self, signal=whole)
        return other.tasks(other.windows(other.candidates(points) or known, points))


def _between_peaks(trace: Trace, windows: Sequence[Window]) -> Array:
    """A first guess of what lies under all peaks, shape (n,)."""
    candidates = [candidate for window in windows for candidate in window.candidates]
    return global_baseline(trace.time, trace.signal, candidates, trace.noise)


def _first_order(window: Window, time: Array, under: Array | None, noise: Noise) -> int:
    """Order of the baseline to start with: a line, but in a crowd, where peaks would make up for it, what it takes."""
    if under is None or len(window.candidates) <= CROWD:
        return 2
    points = slice(window.first, window.last)
    height = float(np.quantile([candidate.height for candidate in window.candidates], 0.1))
    free = free_share(time[points], window.candidates)
    taken = order_of(time[points], under[points], max(GROUND * height, noise.deviation), free)
    # a piece of baseline as narrow as a peak would take its place
    widest = max(max(candidate.sigma, candidate.right_half_width) for candidate in window.candidates)
    return max(2, min(taken, 2 + int((time[window.last - 1] - time[window.first]) / (BASE_PIECE * widest))))


def _known(window: Window, begin: float, settings: FitSettings) -> Known:
    """What a window's fit does not search.

    Without a hold-up time the delays are counted from the start of the clock, or from so long before the first peak
    that the kinetic pair is all but symmetric: its skewness is the hold-up's business, which nobody told.
    """
    tail, injection = 0.0 if settings.shared_tail else known_tail(settings), settings.injection or 0.0
    if settings.hold_up is not None:
        return Known(settings.hold_up, injection, tail)
    earliest = min(c.apex_time - UNRETAINED * max(c.sigma, c.right_half_width) for c in window.candidates)
    return Known(min(0.0, begin, earliest), injection, tail)


def known_tail(settings: FitSettings) -> float | None:
    """The tail that is not searched [s]; None where there is none, or where the model or `shared_tail` asks for one."""
    asked = settings.shared_tail or untailed_name(settings.model) != settings.model
    return None if asked else settings.tail
