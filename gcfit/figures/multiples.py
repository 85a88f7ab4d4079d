"""Many chromatograms at a glance: small panels of the same size, one a trace."""

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from gcfit.chromatogram import Chromatogram
from gcfit.errors import InputError
from gcfit.figures.style import (
    THEMES,
    ScaledFormatter,
    Theme,
    ThemeName,
    TimeUnit,
    decade,
    drawing,
    dress,
    entitle,
    plain,
    quantity,
    room,
    time_scale,
)
from gcfit.results import thinned

MOST = 200
_PANEL, _LEAST = (1.85, 1.15), (1.0, 0.7)  # inches


def multiples(
    runs: Sequence[Chromatogram],
    *,
    title: str = "",
    size: tuple[float, float] | None = None,
    dpi: float = 150.0,
    theme: ThemeName = "light",
    time_unit: TimeUnit = "auto",
    same_scale: bool = False,
) -> Figure:
    """Draw many chromatograms side by side on one time axis.

    Parameters
    ----------
    runs : sequence of Chromatogram
        1 to 200 of them.
    same_scale : bool
        Whether all have one signal axis, to compare heights; otherwise each fills its panel.
    title, size, dpi, theme, time_unit
        As for `overlay`.

    Raises
    ------
    InputError
        If there are none, or more than 200, or there is no room in `size`.
    """
    if not 1 <= len(runs) <= MOST:
        raise InputError("", f"{len(runs)} chromatograms; one figure shows 1 to {MOST}")
    colours = THEMES[theme]
    columns = min(len(runs), 2 if len(runs) <= 4 else 4)
    lines = math.ceil(len(runs) / columns)
    default = (max(3.7, columns * _PANEL[0]), 0.5 + lines * _PANEL[1])
    least = (columns * _LEAST[0], 0.5 + lines * _LEAST[1])
    name, seconds = time_scale(time_unit, max(float(run.time[-1]) for run in runs))
    with drawing(colours):
        engine = ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.03)
        figure = Figure(figsize=room(size, default, least), dpi=dpi, layout=engine)
        grid = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=same_scale)
        for axes, run in zip(grid.flat, runs, strict=False):
            _panel(axes, run, seconds, colours, 300)
        for axes in grid.flat[len(runs) :]:
            axes.set_visible(False)
        for axes in grid.flat[max(0, len(runs) - columns) : len(runs)]:
            axes.tick_params(labelbottom=True)
            axes.set_xlabel(quantity("Time", name), size=7, labelpad=1)
        entitle(figure, title)
    return figure


def _panel(axes: Axes, run: Chromatogram, seconds: float, theme: Theme, detail: int) -> None:
    dress(axes, theme)
    axes.tick_params(labelsize=6, length=2)
    kept = thinned(run.signal, detail)
    axes.plot(run.time[kept] / seconds, run.signal[kept], color=theme.ink, linewidth=0.6, gid="data")
    axes.autoscale(axis="x", tight=True)
    power = decade(run.signal)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.yaxis.set_major_formatter(ScaledFormatter(power))
    label = f"{Path(run.source).name} {run.trace}".strip()
    axes.set_title(plain(label, 30), size=6.5, loc="left", pad=2)
    unit = quantity("", run.signal_unit, power).strip()
    axes.text(1.0, 1.0, unit, transform=axes.transAxes, size=5.5, color=theme.muted, ha="right", va="top")
