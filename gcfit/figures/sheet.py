"""The sheet of an overlay: where its panels stand, in inches, and what they share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gcfit.errors import InputError
from gcfit.figures.style import (
    POINTS_PER_INCH,
    TITLE_POINTS,
    ScaledFormatter,
    Theme,
    TimeUnit,
    decade,
    dress,
    quantity,
    shortened,
    text_width,
    time_scale,
)
from gcfit.fitting.records import Fit

WIDTH = 7.2  # inches: two columns of a journal
OVERVIEW, RESIDUAL, ZOOM = 2.9, 0.9, 1.75
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.78, 0.28, 0.5, 0.45
_BETWEEN, _UNDER, _BAR_ROW = 0.09, 0.4, 0.13
_FACTS_POINTS = 7.0
_LEAST = 0.35  # a panel lower than this shows nothing


@dataclass(frozen=True)
class Sheet:
    """What all panels of one overlay share: the fit, the colours, the part of the run [s], the unit of time."""

    fit: Fit
    theme: Theme
    start: float
    end: float
    time_name: str
    seconds: float

    def shown(self, seconds: float) -> float:
        """A time [s] in the unit of the time axis."""
        return seconds / self.seconds

    @property
    def time_label(self) -> str:
        """Label of the time axis."""
        return quantity("Time", self.time_name)


def sheet_of(fit: Fit, theme: Theme, unit: TimeUnit) -> Sheet:
    """Return the shared part of the overlay of a fit; it shows the part of the run that was fitted."""
    run, asked = fit.chromatogram, fit.settings
    start = float(run.time[0]) if asked.start is None else max(asked.start, float(run.time[0]))
    end = float(run.time[-1]) if asked.end is None else min(asked.end, float(run.time[-1]))
    name, seconds = time_scale(unit, end)
    return Sheet(fit, theme, start, end, name, seconds)


@dataclass(frozen=True)
class Panels:
    """The axes of an overlay, from top to bottom; no residual panel where nothing was fitted."""

    figure: Figure
    overview: Axes
    residual: Axes | None
    zooms: tuple[Axes, ...]


def panels(
    theme: Theme, size: tuple[float, float] | None, dpi: float, zooms: int, bar_rows: int, *, residual: bool
) -> Panels:
    """Make the figure with its axes.

    Parameters
    ----------
    size : (float, float) or None
        Width and height [inch]; by default 7.2 wide and as high as the panels need.
    dpi : float
        Resolution of a PNG.
    zooms, bar_rows : int
        Number of enlarged parts, and of rows of bars over the overview that tell where they are.

    Raises
    ------
    InputError
        If the panels do not fit into `size`.
    """
    heights = [OVERVIEW, *([RESIDUAL] if residual else []), *[ZOOM] * zooms]
    gaps = [*([_BETWEEN] if residual else []), *[_UNDER + 0.1 * (first == 0) for first in range(zooms)]]
    fixed = _TOP + bar_rows * _BAR_ROW + sum(gaps) + _BOTTOM
    width, height = size or (WIDTH, fixed + sum(heights))
    scale = (height - fixed) / sum(heights)
    if min(heights) * scale < _LEAST or width < _LEFT + _RIGHT + 1.0:
        needed = fixed + sum(heights) * _LEAST / min(heights)
        remedy = f"give at least {_LEFT + _RIGHT + 1:.1f} x {needed:.1f}, or fewer enlarged parts"
        raise InputError("", f"a figure of {width:g} x {height:g} inches has no room for its panels", remedy=remedy)
    figure = Figure(figsize=(width, height), dpi=dpi, facecolor=theme.background)
    axes = _stack(figure, [value * scale for value in heights], [_TOP + bar_rows * _BAR_ROW, *gaps])
    for one in axes:
        dress(one, theme)
    second = 2 if residual else 1
    return Panels(figure, axes[0], axes[1] if residual else None, tuple(axes[second:]))


def _stack(figure: Figure, heights: Sequence[float], gaps: Sequence[float]) -> list[Axes]:
    """Axes below each other, each `gaps[i]` inches under the one before."""
    width, height = figure.get_size_inches()
    top, axes = height, []
    for gap, own in zip(gaps, heights, strict=True):
        top -= gap + own
        axes.append(
            figure.add_axes((_LEFT / width, top / height, (width - _LEFT - _RIGHT) / width, max(own, 0.01) / height))
        )
    return axes


def scale_signal(axes: Axes, sheet: Sheet, low: float, high: float) -> None:
    """Set the limits of a signal axis and label it with its unit."""
    power = decade(np.array([low, high]))
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(ScaledFormatter(power))
    axes.set_ylabel(quantity("Signal", sheet.fit.chromatogram.signal_unit, power))


def head(panels_: Panels, sheet: Sheet, title: str, subtitle: str) -> None:
    """Write the title, and below it a line of facts, above all panels, and the legend at the end of a line with room.

    The legend is left out where neither has, in a narrow figure.
    """
    figure, theme = panels_.figure, sheet.theme
    width, height = figure.get_size_inches()
    room = (width - _LEFT - _RIGHT) * POINTS_PER_INCH
    title, subtitle = shortened(title, room, TITLE_POINTS, "bold"), shortened(subtitle, room, _FACTS_POINTS)
    left, first, second = _LEFT / width, 1 - 0.1 / height, 1 - 0.29 / height
    figure.text(left, first, title, size=TITLE_POINTS, weight="bold", va="top")
    figure.text(left, second, subtitle, size=_FACTS_POINTS, color=theme.muted, va="top")
    handles, names = panels_.overview.get_legend_handles_labels()
    legend = figure.legend(
        handles,
        names,
        loc="upper right",
        ncols=len(names),
        fontsize=7,
        borderpad=0,
        borderaxespad=0,
        handlelength=1.6,
        columnspacing=1.2,
    )
    free = room - legend.get_window_extent().width / figure.dpi * POINTS_PER_INCH - _FACTS_POINTS
    if text_width(subtitle, _FACTS_POINTS) <= free:
        legend.set_bbox_to_anchor((1 - _RIGHT / width, second))
    elif text_width(title, TITLE_POINTS, "bold") <= free:
        legend.set_bbox_to_anchor((1 - _RIGHT / width, first))
    else:
        legend.remove()


def bars(panels_: Panels, sheet: Sheet, spans: Sequence[tuple[float, float]], rows: Sequence[int]) -> None:
    """Mark over the overview, with a bar and a letter, which part of it each enlarged panel shows."""
    axes = panels_.overview
    high = axes.get_position().height * panels_.figure.get_size_inches()[1]
    over = axes.get_xaxis_transform()
    for (start, end), row, panel in zip(spans, rows, panels_.zooms, strict=True):
        level = 1 + (row + 0.55) * _BAR_ROW / high
        letter = letter_of(panels_.zooms.index(panel))
        ends = [sheet.shown(max(start, sheet.start)), sheet.shown(min(end, sheet.end))]
        axes.plot(ends, [level, level], transform=over, color=sheet.theme.muted, linewidth=1.2, clip_on=False)
        box = {"facecolor": sheet.theme.background, "linewidth": 0, "pad": 0.6}
        middle = sum(ends) / 2
        axes.text(middle, level, letter, transform=over, size=7, weight="bold", ha="center", va="center", bbox=box)
        panel.set_title(letter, loc="left", size=8, weight="bold", pad=2)


def letter_of(index: int) -> str:
    """a, b, ... z, aa, ab, ..."""
    before = letter_of(index // 26 - 1) if index >= 26 else ""
    return before + "abcdefghijklmnopqrstuvwxyz"[index % 26]


def least_bar(sheet: Sheet) -> float:
    """Length [s] of the overview that a letter takes."""
    return (sheet.end - sheet.start) * 0.16 / (WIDTH - _LEFT - _RIGHT)
