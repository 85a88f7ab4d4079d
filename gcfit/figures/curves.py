"""The curves of one panel: data, fit, baseline and filled peaks, thinned to what can be seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from gcfit.chromatogram import Array
from gcfit.figures.labels import Outline
from gcfit.figures.sheet import Sheet
from gcfit.figures.zoom import Extent, is_drawn, is_fitted
from gcfit.fitting.defects import find_defects
from gcfit.fitting.records import Fit, PeakFit
from gcfit.results import thinned

_DOTS_PER_INCH = 300  # noisy curves are thinned to what can be seen at this resolution
_FILL_PER_INCH = 100  # smooth ones need less
_POINTS_BELOW = 30  # data points an inch; where they are denser the data are drawn as a line
_NOISE = 3.0  # standard deviations of the noise that an enlarged part shows on either side of its peaks


@dataclass(frozen=True)
class View:
    """The points of one panel, thinned: time in the unit of the axis, and the curves there."""

    time: Array
    signal: Array
    total: Array
    baseline: Array
    dense: bool

    @property
    def outline(self) -> Outline:
        """Upper and lower edge of data and fit."""
        return Outline(self.time, np.fmax(self.signal, self.total), np.fmin(self.signal, self.total))


def time_slice(time: Array, start: float, end: float) -> slice:
    """Points from `start` to `end` [s], both included."""
    return slice(int(np.searchsorted(time, start, "left")), int(np.searchsorted(time, end, "right")))


def view_of(axes: Axes, sheet: Sheet, start: float, end: float) -> View:
    """Return what a panel from `start` to `end` [s] shows."""
    fit, run = sheet.fit, sheet.fit.chromatogram
    inside = time_slice(run.time, start, end)
    # one point more on each side, so that lines run to the edge
    inside = slice(max(inside.start - 1, 0), inside.stop + 1)
    signal, total, baseline = run.signal[inside], fit.total[inside], fit.baseline[inside]
    buckets = int(_inches(axes) * _DOTS_PER_INCH)
    kept = np.union1d(thinned(signal, buckets), thinned(total, buckets))
    dense = signal.size > _POINTS_BELOW * _inches(axes)
    return View(run.time[inside][kept] / sheet.seconds, signal[kept], total[kept], baseline[kept], dense)


def residual_of(fit: Fit) -> Array:
    """Signal minus fit in units of the noise, shape (n,); NaN where nothing was fitted: flat tops and spikes, too."""
    run = fit.chromatogram
    masked = find_defects(run.signal, fit.noise).towards(fit.settings.polarity)
    return np.where(masked.unfit, np.nan, fit.residual)


def _inches(axes: Axes) -> float:
    return float(axes.bbox.width / axes.figure.dpi)


def draw(axes: Axes, sheet: Sheet, view: View) -> None:
    """Draw data, fit and baseline, and fill every peak that reaches into the panel."""
    theme, time = sheet.theme, view.time
    if view.dense:
        # broad below the line of the fit, so that both are seen
        width = 1.7 if is_fitted(sheet.fit) else 0.7
        axes.plot(time, view.signal, color=theme.data, linewidth=width, label="data", gid="data", zorder=2)
    else:
        axes.plot(time, view.signal, "o", color=theme.data, markersize=2.6, label="data", gid="data", zorder=2)
    if not is_fitted(sheet.fit):
        return
    axes.plot(time, view.total, color=theme.ink, linewidth=0.8, label="fit", gid="fit", zorder=4)
    dashed = (0, (4, 2))
    axes.plot(time, view.baseline, color=theme.ink, linewidth=0.7, linestyle=dashed, label="baseline", gid="baseline")
    for index, peak in enumerate(sheet.fit.peaks):
        if is_drawn(peak):
            _fill(axes, sheet, peak, theme.peaks[index % len(theme.peaks)])
        elif peak.found:
            _mark_failed(axes, sheet, peak)


def _fill(axes: Axes, sheet: Sheet, peak: PeakFit, colour: str) -> None:
    """Fill a peak from the baseline up, if it reaches into the panel."""
    time = sheet.fit.chromatogram.time[peak.first : peak.first + peak.curve.size] / sheet.seconds
    base = sheet.fit.baseline[peak.first : peak.first + peak.curve.size]
    left, right = axes.get_xlim()
    if time[-1] < left or time[0] > right:
        return
    share = (time[-1] - time[0]) / (right - left)
    kept = thinned(peak.curve, max(16, int(share * _inches(axes) * _FILL_PER_INCH)))
    x, low, high = time[kept], base[kept], (base + peak.curve)[kept]
    fill = axes.fill_between(x, low, high, color=colour, alpha=0.45, linewidth=0, zorder=2.5)
    fill.set_gid(f"peak-{peak.peak}")
    axes.plot(x, high, color=colour, linewidth=0.6, zorder=2.6, gid=f"peak-edge-{peak.peak}")


def _mark_failed(axes: Axes, sheet: Sheet, peak: PeakFit) -> None:
    """Hatch where a peak without a curve stands; its whole window, which others may share, if nothing else is known."""
    if peak.retention_time_s is not None and peak.fwhm_s is not None:
        start, end = peak.retention_time_s - peak.fwhm_s, peak.retention_time_s + peak.fwhm_s
    elif peak.window_start_s is not None and peak.window_end_s is not None:
        start, end = peak.window_start_s, peak.window_end_s
    else:
        return
    ends = sheet.shown(start), sheet.shown(end)
    span = axes.axvspan(*ends, facecolor="none", edgecolor=sheet.theme.alert, hatch="////", alpha=0.35, linewidth=0)
    span.set_gid(f"failed-{peak.peak}")


def heights(sheet: Sheet, peaks: Sequence[Extent], view: View) -> tuple[float, float]:
    """Lowest and highest value of the fit at apex and ends of `peaks` and of the baseline below, with the noise.

    Of a peak on the flank of a much higher one only the end on the far side counts; one with no end near its apex does
    not set the scale, unless there are no others. Data that leave this range only a little widen it. Without `peaks` it
    is that of all data of the panel.
    """
    lowest, highest = float(view.signal.min()), float(view.signal.max())
    if not peaks:
        return lowest, highest
    fit = sheet.fit
    total = np.where(np.isfinite(fit.total), fit.total, fit.chromatogram.signal)
    base = np.where(np.isfinite(fit.baseline), fit.baseline, total)
    values = np.array([_levels(fit.chromatogram.time, total, base, peak) for peak in peaks])
    near = np.abs(values - values[:, 1:2]) <= 3 * max(abs(peak.height) for peak in peaks)
    # the apex is near itself: an end must be as well
    near &= np.count_nonzero(near[:, :3], axis=1, keepdims=True) > 1
    values = values[near] if near.any() else values
    low, high = float(values.min()) - _NOISE * fit.noise.deviation, float(values.max()) + _NOISE * fit.noise.deviation
    slack = 0.12 * (high - low)
    return (min(lowest, low) if lowest > low - slack else low), (max(highest, high) if highest < high + slack else high)


def _levels(time: Array, total: Array, base: Array, peak: Extent) -> list[float]:
    """Values of the fit at begin, apex and end of a peak, lowest and highest of the baseline below it."""
    first, apex, last = np.searchsorted(time, (peak.start, peak.apex, peak.end))
    below = base[first : last + 1]
    return [total[first], total[apex], total[last], below.min(), below.max()]


def cut(axes: Axes, sheet: Sheet, view: View, low: float, high: float) -> None:
    """Cut the curves of a panel a little outside `low` to `high`, so that its labels have their band to themselves."""
    left, right = axes.get_xlim()
    margin = 0.03 * (high - low)
    window = Rectangle((left, low - margin), right - left, high - low + 2 * margin, transform=axes.transData)
    for artist in (*axes.lines, *axes.collections):
        artist.set_clip_path(window)
    outline, line = view.outline, {"color": sheet.theme.muted, "linewidth": 0.5, "linestyle": (0, (1, 2))}
    if outline.upper.max() > high + margin:
        axes.axhline(high + margin, gid="cut", **line)  # type: ignore[arg-type]
    if outline.lower.min() < low - margin:
        axes.axhline(low - margin, gid="cut", **line)  # type: ignore[arg-type]
