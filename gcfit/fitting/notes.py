"""What is to be said of a fitted trace as a whole: one line each, for `--verbose` and the message of the file table."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting.defects import Defects
from gcfit.fitting.detect import Candidate
from gcfit.fitting.planning import known_tail
from gcfit.fitting.records import FitSettings, Noise, PeakFit

COARSE = 1.0  # standard deviations of the noise from which the steps of a quantised signal are worth a word
SHARE = 0.01  # of the run; the width of a peak where none was found
LEAST_POINTS, END_POINTS = 8, 3  # of a width; of the mean where the run ends
STEEP, BENT = 20.0, 4.0  # noise, and rises over the width before, by which the last flank of a run rises at least
EDGE = 0.01  # of its apex; a peak that is higher where the run ends is cut there
FEW_WIDTHS = 5.0  # least length of a noise window, in widths at half height (USP <621>)


def notes_on(
    part: Chromatogram,
    noise: Noise,
    defects: Defects,
    dips: Sequence[Candidate],
    peaks: Sequence[PeakFit],
    settings: FitSettings,
) -> tuple[str, ...]:
    """Return the notes on a fitted trace: what was not told, what the detector did, what was measured where."""
    return (
        *_of_settings(settings),
        *_of_tail(peaks, settings),
        *_of_defects(part.time, noise, defects),
        *_of_dips(dips),
        *_of_flanks(part, noise, peaks),
        *_of_noise_window(peaks, settings),
    )


def _of_settings(settings: FitSettings) -> Iterator[str]:
    if settings.hold_up is None:
        yield "no hold-up time: k_a and k_d stay empty; give --hold-up SECONDS or --system FILE"
    if settings.baseline != "auto":
        yield f"baseline {settings.baseline}: its shape is taken as known, standard errors leave out how well it is"


def _of_tail(peaks: Sequence[PeakFit], settings: FitSettings) -> Iterator[str]:
    """Yield the tail that all peaks share, found or given."""
    if (given := known_tail(settings)) is not None:
        yield f"tail of {given:.4g} s, as the system file says, in all peaks; --shared-tail fits it"
    tail, error = next(((peak.tail_s, peak.tail_se_s) for peak in peaks if peak.tail_s is not None), (None, None))
    if settings.shared_tail and tail is not None:
        yield f"one tail for all peaks: {tail:.4g} s" + ("" if error is None else f", standard error {error:.2g} s")


def _of_defects(time: Array, noise: Noise, defects: Defects) -> Iterator[str]:
    """Yield what the detector or its electronics did."""
    if noise.step > COARSE * noise.deviation:
        yield f"quantised: the signal moves in steps of {noise.step:.3g}, the noise is {noise.deviation:.3g}"
    padding = defects.padding & ~defects.saturated
    if padding.any():
        first, last = time[padding][[0, -1]]
        yield f"padded: {np.count_nonzero(padding)} points between {first:.6g} and {last:.6g} s hold no signal"
    for mask, what in (
        (defects.spikes, "spiky: spikes of one or two points"),
        (defects.saturated, "saturated: flat tops"),
        (defects.steps, "stepped: the level jumps, as a valve does it,"),
    ):
        if mask.any():
            yield f"{what} at {_times(time, mask)}"


def _times(time: Array, mask: NDArray[np.bool_]) -> str:
    """The begins of the runs of a mask [s], the first three of them."""
    begins = time[np.flatnonzero(np.diff(np.concatenate([[False], mask]).astype(np.int8)) == 1)]
    more = f" and {begins.size - 3} more" if begins.size > 3 else ""
    return ", ".join(f"{begin:.6g}" for begin in begins[:3]) + f" s{more}"


def _of_dips(dips: Sequence[Candidate]) -> Iterator[str]:
    """Yield that peaks point downwards where only those that point upwards were fitted."""
    if dips:
        times = ", ".join(f"{peak.apex_time:.6g}" for peak in dips[:3])
        more = f" and {len(dips) - 3} more" if len(dips) > 3 else ""
        yield f"negative: the signal dips at {times} s{more}; --polarity both fits dips as well"


def _of_flanks(part: Chromatogram, noise: Noise, peaks: Sequence[PeakFit]) -> Iterator[str]:
    """Yield that the run ends, or begins, on the flank of a peak whose apex it does not hold.

    Over the last width of a peak the signal rises, and far more than over the width before, as no drift does.
    """
    widths = sorted(peak.fwhm_s for peak in peaks if peak.fwhm_s is not None)
    duration = widths[len(widths) // 2] if widths else float(part.time[-1] - part.time[0]) * SHARE
    points = max(round(duration / part.sampling_interval), LEAST_POINTS)
    if part.time.size < 3 * points:
        return
    for end, signal in (("begins", part.signal), ("ends", part.signal[::-1])):
        last, middle, first = (float(signal[k : k + END_POINTS].mean()) for k in (0, points, 2 * points))
        rise, before = last - middle, middle - first
        held = any(_reaches(peak, part, end) for peak in peaks)
        if not held and rise > max(STEEP * noise.deviation * np.sqrt(noise.inflation), BENT * abs(before)):
            yield f"the run {end} on a steep flank: the apex that it leads to is outside, and has no row"


def _reaches(peak: PeakFit, part: Chromatogram, end: str) -> bool:
    """Whether a peak is above nothing where the run begins or ends."""
    if not peak.curve.size:
        return False
    place, value = (0, peak.curve[0]) if end == "begins" else (part.time.size - peak.curve.size, peak.curve[-1])
    return peak.first == place and abs(value) > EDGE * float(np.abs(peak.curve).max())


def _of_noise_window(peaks: Sequence[PeakFit], settings: FitSettings) -> Iterator[str]:
    """Yield what makes a noise window unfit: peaks in it, or that it is short against them."""
    if settings.noise_window is None:
        return
    begin, end = settings.noise_window
    inside = [peak for peak in peaks if peak.retention_time_s is not None and begin <= peak.retention_time_s <= end]
    if inside:
        times = ", ".join(f"{peak.retention_time_s:.6g}" for peak in inside[:3])
        yield f"the noise window {begin:g} to {end:g} s is not blank: peaks at {times} s"
    widest = max((peak.fwhm_s for peak in peaks if peak.fwhm_s is not None), default=0.0)
    if end - begin < FEW_WIDTHS * widest:
        yield f"the noise window is shorter than {FEW_WIDTHS:g} half-height widths of the widest peak ({widest:.3g} s)"
