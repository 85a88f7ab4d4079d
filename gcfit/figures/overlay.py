"""The picture of a fit: data, fitted curve, every peak, local baseline, and the residuals in units of the noise."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gcfit.errors import InputError
from gcfit.figures import curves, labels, sheet
from gcfit.figures.labels import Label, Outline
from gcfit.figures.sheet import Panels, Sheet
from gcfit.figures.style import THEMES, ScaledFormatter, ThemeName, TimeUnit, decade, drawing, plain, quantity
from gcfit.figures.zoom import Extent, Zoom, automatic, extents, is_drawn, is_fitted, level, rows
from gcfit.fitting.records import Fit, PeakFit
from gcfit.results import thinned

Zooms = Literal["auto"] | Sequence[tuple[float, float]]
ROOM = 28  # peaks side by side that can be read in a panel
_NAMED_IN_CROWD = 10  # the tallest peaks of a run whose peaks are all named in the panels below the overview


def overlay(
    fit: Fit,
    *,
    title: str | None = None,
    size: tuple[float, float] | None = None,
    dpi: float = 150.0,
    theme: ThemeName = "light",
    zoom: Zooms = "auto",
    time_unit: TimeUnit = "auto",
) -> Figure:
    """Draw a fit over its data.

    Parameters
    ----------
    fit : Fit
        The fit; nothing is computed from it but where its curves are drawn.
    title : str, optional
        By default file and trace; an empty one leaves it out.
    size : (float, float), optional
        Width and height [inch]; by default 7.2 wide and as high as the panels need.
    dpi : float
        Resolution of a PNG.
    theme : "light" or "dark"
        Colours.
    zoom : "auto" or sequence of (float, float)
        Parts [s] that are shown enlarged below; `auto` chooses those that hold peaks too small or too many to be
        read in the overview; an empty sequence shows none.
    time_unit : "auto", "s" or "min"
        Unit of the time axis; `auto` takes minutes for runs of ten minutes and more.

    Returns
    -------
    Figure
        Overview, residuals below it, then the enlarged parts.

    Raises
    ------
    InputError
        If a part to enlarge holds no data, or the panels do not fit into `size`.
    """
    with drawing(THEMES[theme]):
        shared = sheet.sheet_of(fit, THEMES[theme], time_unit)
        zooms = _zooms(shared, zoom)
        spans = [(part.start, part.end) for part in zooms]
        bar_rows = rows([_at_least(span, sheet.least_bar(shared)) for span in spans])
        bands = max(bar_rows, default=-1) + 1
        panels = sheet.panels(shared.theme, size, dpi, len(zooms), bands, residual=is_fitted(fit))
        left_out = _overview(panels.overview, shared, {i for part in zooms for i in part.peaks})
        for axes, part in zip(panels.zooms, zooms, strict=True):
            _zoom_panel(axes, shared, part)
        _residuals(panels, shared)
        sheet.bars(panels, shared, spans, bar_rows)
        sheet.head(panels, shared, title_of(fit) if title is None else title, _subtitle(fit, left_out))
        for axes in ((panels.residual or panels.overview), *panels.zooms[-1:]):
            axes.set_xlabel(shared.time_label, labelpad=2)
    return panels.figure


def _zooms(shared: Sheet, asked: Zooms) -> tuple[Zoom, ...]:
    run = shared.fit.chromatogram
    if asked == "auto":
        span = float(np.ptp(run.signal[curves.time_slice(run.time, shared.start, shared.end)]))
        return automatic(shared.fit, shared.start, shared.end, span, ROOM)
    return tuple(_asked(shared.fit, start, end) for start, end in asked)


def _asked(fit: Fit, start: float, end: float) -> Zoom:
    run = fit.chromatogram
    if not start < end or run.time[curves.time_slice(run.time, start, end)].size < 2:
        found = f"the part from {start:g} to {end:g} s holds no data"
        raise InputError(run.label, found, remedy=f"the run goes from {run.time[0]:g} to {run.time[-1]:g} s")
    there = [peak for peak in extents(fit) if start <= peak.apex <= end]
    return Zoom(start, end, tuple(peak.index for peak in level(there)) if there else ())


def _at_least(span: tuple[float, float], length: float) -> tuple[float, float]:
    middle, half = sum(span) / 2, max(span[1] - span[0], length) / 2
    return middle - half, middle + half


def _overview(axes: Axes, shared: Sheet, covered: set[int]) -> int:
    """Draw the whole run; return how many peaks are labelled nowhere."""
    axes.set_xlim(shared.shown(shared.start), shared.shown(shared.end))
    view = curves.view_of(axes, shared, shared.start, shared.end)
    curves.draw(axes, shared, view)
    peaks = extents(shared.fit)
    only_here = {peak.index for peak in peaks} - covered
    # where parts are enlarged and name all, or leave more than have room here, the tallest are landmarks
    crowded = bool(covered) and not 0 < len(only_here) <= labels.capacity(axes)
    shown = _tallest(peaks) if crowded else only_here
    wanted = _labels(shared, peaks, shown) + _failed_labels(shared, short=len(shown) >= _NAMED_IN_CROWD)
    low, high = float(view.outline.lower.min()), float(view.outline.upper.max())
    placed = _label(axes, shared, wanted, view.outline, low, high)
    return len(only_here - shown) if crowded else len(wanted) - placed


def _tallest(peaks: Sequence[Extent]) -> set[int]:
    return {peak.index for peak in sorted(peaks, key=lambda peak: -abs(peak.height))[:_NAMED_IN_CROWD]}


def _zoom_panel(axes: Axes, shared: Sheet, part: Zoom) -> None:
    axes.set_xlim(shared.shown(part.start), shared.shown(part.end))
    view = curves.view_of(axes, shared, part.start, part.end)
    curves.draw(axes, shared, view)
    peaks = [peak for peak in extents(shared.fit) if peak.index in part.peaks]
    low, high = curves.heights(shared, peaks, view)
    edges = view.outline
    outline = Outline(edges.x, np.minimum(edges.upper, high), np.maximum(edges.lower, low))
    curves.cut(axes, shared, view, low, high)
    inside = [replace(label, y=min(max(label.y, low), high)) for label in _labels(shared, peaks, part.peaks)]
    _label(axes, shared, inside, outline, low, high)


def _label(axes: Axes, shared: Sheet, wanted: list[Label], outline: Outline, low: float, high: float) -> int:
    """Set the signal axis of a panel so that data and labels fit, draw the labels, return how many found room."""
    placed = labels.place(axes, wanted, outline)
    sheet.scale_signal(axes, shared, *labels.limits(axes, placed, low, high))
    labels.draw(axes, placed, shared.theme)
    return len(placed)


def _labels(shared: Sheet, peaks: Sequence[Extent], wanted: Collection[int]) -> list[Label]:
    fit, found = shared.fit, []
    for extent in peaks:
        if extent.index in wanted:
            peak = fit.peaks[extent.index]
            top = peak.first + int(np.abs(peak.curve).argmax())
            value = float(fit.total[top])
            y = value if np.isfinite(value) else float(fit.chromatogram.signal[top])
            weight, below = abs(extent.height), extent.height < 0
            found.append(Label(shared.shown(extent.apex), y, label_of(peak), weight, below=below))
    return found


def label_of(peak: PeakFit) -> str:
    """Number and name of a peak; a star says that the table has something to say about it."""
    star = "" if peak.status == "ok" else "*"
    return f"{peak.peak} {peak.name}{star}" if peak.name else f"{peak.peak}{star}"


def _failed_labels(shared: Sheet, *, short: bool) -> list[Label]:
    """Labels of the peaks without a curve, at their retention time, where they are expected, or in their window."""
    fit, run, found = shared.fit, shared.fit.chromatogram, []
    for peak in fit.peaks:
        time = _place(fit, peak)
        if time is not None and not is_drawn(peak):
            why = "no curve" if peak.status == "ok" else plain(peak.status, 20)
            text = label_of(peak) if short else f"{label_of(peak).rstrip('*')} {why}"
            y = float(np.interp(time, run.time, run.signal))
            found.append(Label(shared.shown(time), y, text, np.inf, colour=shared.theme.alert))
    return found


def _place(fit: Fit, peak: PeakFit) -> float | None:
    """Time [s] at which a peak without a curve stands; a window ends with the run, so that its middle may be another.

    The middle of its window where nothing better is known, None where that is not known either.
    """
    if peak.retention_time_s is not None:
        return peak.retention_time_s
    start, end = peak.window_start_s, peak.window_end_s
    if start is None or end is None:
        return None
    expected = [one.retention_time for one in fit.settings.expected if one.name == peak.name and not peak.found]
    return min(max(expected[0], start), end) if expected else (start + end) / 2


def _residuals(panels: Panels, shared: Sheet) -> None:
    axes, fit, theme = panels.residual, shared.fit, shared.theme
    if axes is None:
        return
    inside = curves.time_slice(fit.chromatogram.time, shared.start, shared.end)
    residual, time = curves.residual_of(fit)[inside], fit.chromatogram.time[inside] / shared.seconds
    axes.set_xlim(panels.overview.get_xlim())
    panels.overview.tick_params(labelbottom=False)
    axes.axhspan(-2, 2, color=theme.band, linewidth=0, zorder=0, gid="band")
    axes.axhline(0, color=theme.muted, linewidth=0.6, zorder=1)
    if np.isfinite(residual).any():
        kept = thinned(residual, 2000)
        axes.plot(time[kept], residual[kept], color=theme.ink, linewidth=0.5, zorder=2, gid="residual")
    else:
        axes.text(0.5, 0.5, "not known: the noise is zero", transform=axes.transAxes, ha="center", va="center", size=7)
    limit = max([4.0, *(1.08 * np.abs(residual[np.isfinite(residual)]))])
    axes.set_ylim(-limit, limit)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 4, 5, 10]))
    power = decade(np.array([limit]))
    axes.yaxis.set_major_formatter(ScaledFormatter(power))
    axes.set_ylabel(quantity("Residual", "σ", power))
    axes.text(1.006, 0.0, "±2", transform=axes.get_yaxis_transform(), size=6.5, color=theme.muted, va="center")


def title_of(fit: Fit) -> str:
    """Name of the file without its folder, and trace, as far as they are known."""
    run = fit.chromatogram
    file = Path(run.source).name if run.source not in ("", "-") else ""
    return f"{file} [{run.trace}]" if file and run.trace else file or run.trace


def _subtitle(fit: Fit, left_out: int) -> str:
    count = sum(peak.found for peak in fit.peaks)
    facts = [f"{count} peak{'s' * (count != 1)}" if count else "no peaks"]
    if fit.r_squared is not None:
        facts.append(f"R² {_nines(fit.r_squared)}")
    # rounded first: 880 rather than 8.8e+02; some units are a number themselves: 25 µV
    unit = fit.chromatogram.signal_unit
    times = "× " if unit[:1].isdigit() else ""
    facts.append(f"noise {float(f'{fit.noise.deviation:.2g}'):g} {times}{unit}".rstrip())
    if any(peak.status != "ok" for peak in fit.peaks):
        facts.append("* see the table")
    if left_out:
        facts.append(f"{left_out} labels left out")
    return " · ".join(facts)


def _nines(value: float) -> str:
    """A coefficient of determination with one digit behind its nines."""
    return next((f"{value:.{n}f}" for n in range(3, 9) if round(value, n) < 1), f"{value:.8f}")
