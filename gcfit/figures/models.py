"""Ways of fitting over each other: the data with the closest fit, and what each way leaves of them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from gcfit.errors import InputError
from gcfit.figures.curves import residual_of
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
    quantity,
    room,
    time_scale,
)
from gcfit.fitting.comparison import Trial
from gcfit.results import thinned

DETAIL = 1500  # pixels that a curve is thinned for
LEAST = 4.0  # standard deviations of the noise that a strip shows on either side
_STRIP, _TOP, _MARGIN = 0.56, 1.9, 0.75  # inches


def models_figure(
    trials: Sequence[Trial],
    *,
    title: str = "",
    size: tuple[float, float] | None = None,
    dpi: float = 150.0,
    theme: ThemeName = "light",
    time_unit: TimeUnit = "auto",
) -> Figure:
    """Draw the data with the closest fit, and below them a strip of residuals for each way of fitting.

    Parameters
    ----------
    trials : sequence of Trial
        Of one chromatogram.
    title, size, dpi, theme, time_unit
        As for `overlay`.

    Raises
    ------
    InputError
        If none of them found a peak, or there is no room in `size`.
    """
    judged = [trial for trial in trials if trial.bic is not None]
    if not judged:
        raise InputError("", "there is no fit to draw")
    colours = THEMES[theme]
    unit, seconds = time_scale(time_unit, float(judged[0].fit.chromatogram.time[-1]))
    heights = [_TOP, *(_STRIP for _ in judged)]
    with drawing(colours):
        height = sum(heights) + _MARGIN
        layout = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.04)
        figure = Figure(figsize=room(size, (7.2, height), (3.5, 0.7 * height)), dpi=dpi, layout=layout)
        upper, *strips = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
        entitle(figure, title)
        best = min(judged, key=_criterion)
        _data(upper, best, colours, seconds)
        # half of the ways fit into it; what is far worse need not be seen whole
        largest = sorted(float(np.nanmax(np.abs(residual_of(trial.fit)), initial=LEAST)) for trial in judged)
        reach = 1.05 * largest[len(largest) // 2]
        for axes, trial in zip(strips, judged, strict=True):
            _residuals(axes, trial, _criterion(trial) - _criterion(best), reach, colours, seconds)
        strips[-1].set_xlabel(quantity("Time", unit), labelpad=2)
    return figure


def _criterion(trial: Trial) -> float:
    return np.inf if trial.bic is None else trial.bic


def _data(axes: Axes, best: Trial, theme: Theme, seconds: float) -> None:
    dress(axes, theme)
    run, total = best.fit.chromatogram, best.fit.total
    for values, colour, width, gid in ((run.signal, theme.data, 1.4, "data"), (total, theme.peaks[0], 0.8, "fit")):
        kept = thinned(values, DETAIL)
        axes.plot(run.time[kept] / seconds, values[kept], color=colour, linewidth=width, gid=gid)
    power = decade(run.signal)
    axes.yaxis.set_major_formatter(ScaledFormatter(power))
    axes.set_ylabel(quantity("Signal", run.signal_unit, power))
    text = f"data, and the fit with the least BIC: {_name(best)}; below, what each leaves, in units of the noise"
    axes.set_title(text, size=7.5, color=theme.muted, loc="left", pad=3)


def _residuals(axes: Axes, trial: Trial, behind: float, reach: float, theme: Theme, seconds: float) -> None:
    """Draw what one way leaves, on one scale for all ways."""
    dress(axes, theme)
    axes.tick_params(labelsize=6)
    residual = residual_of(trial.fit)
    kept = thinned(residual, DETAIL)
    time = trial.fit.chromatogram.time[kept] / seconds
    axes.axhline(0, color=theme.muted, linewidth=0.5)
    (line,) = axes.plot(time, residual[kept], color=theme.ink, linewidth=0.5, gid="residual")
    largest = float(np.nanmax(np.abs(residual), initial=0.0))
    # as an enlarged part of an overlay: cut at a dotted line, inside the panel
    line.set_clip_path(Rectangle((0, -reach), 1, 2 * reach, transform=axes.get_yaxis_transform()))
    for edge in (-reach, reach):
        if (residual / edge > 1).any():
            axes.axhline(edge, color=theme.muted, linewidth=0.5, linestyle=(0, (1, 2)), gid="cut")
    axes.set_ylim(-1.1 * reach, 1.1 * reach)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3, symmetric=True))
    axes.yaxis.set_major_formatter(ScaledFormatter(0))
    better = "least BIC" if behind == 0 else f"ΔBIC {behind:.4g}"
    axes.set_title(_name(trial), size=7, loc="left", pad=1.5)
    shown = "" if trial.r_squared is None else f"R² {trial.r_squared:.6f}, "
    cut = f"up to {float(f'{largest:.2g}'):g} σ, " if largest > reach else ""
    axes.set_title(f"{cut}{shown}{better}", size=6.5, color=theme.muted, loc="right", pad=1.5)


def _name(trial: Trial) -> str:
    way = trial.way
    return (
        way.model
        + {"pairs": "", "simultaneous": ", all at once"}[way.strategy]
        + (", full equations" if way.solver == "numerical" else "")
    )
