"""Solvers of the column's equations over each other: the curves, and how far each is from the reference."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from gcfit.column.comparison import Comparison
from gcfit.errors import InputError
from gcfit.figures import labels
from gcfit.figures.labels import Label, Outline
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

Dash = Literal["-"] | tuple[float, Sequence[float]]
LEAST = 1e-17  # differences below are drawn here: a logarithmic axis has no zero
_LEAST_SIZE = (3.5, 3.0)  # inches
# told apart without colour; the last is the widest gap, for the curve that others cover
_DASHES: tuple[Dash, ...] = ("-", (0, (6, 2)), (0, (4, 1.5, 1, 1.5)), (0, (2, 2)), (0, (1, 3)))


def solvers_figure(
    rows: Sequence[Comparison],
    *,
    concentration_unit: str = "mol/m³",
    title: str = "",
    size: tuple[float, float] | None = None,
    dpi: float = 150.0,
    theme: ThemeName = "light",
    time_unit: TimeUnit = "auto",
) -> Figure:
    """Draw the curves of several solvers for the same equations, and below them the differences.

    Parameters
    ----------
    rows : sequence of Comparison
        One for each solver and component; those without a solution are left out.
    concentration_unit : str
        Unit of the curves.
    title, size, dpi, theme, time_unit
        As for `overlay`.

    Raises
    ------
    InputError
        If no row has a solution, or there is no room in `size`.
    """
    solved = [row for row in rows if row.curve.size]
    if not solved:
        raise InputError("", "there is no solution to draw")
    colours = THEMES[theme]
    unit, seconds = time_scale(time_unit, max(float(row.time[-1]) for row in solved))
    with drawing(colours):
        layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06)
        figure = Figure(figsize=room(size, (7.2, 5.4), _LEAST_SIZE), dpi=dpi, layout=layout)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[1.4, 1])
        entitle(figure, title)
        _differences(lower, solved, colours, seconds)
        lower.set_xlabel(quantity("Time", unit), labelpad=2)
        _curves(upper, solved, colours, seconds, concentration_unit)
    return figure


def _curves(axes: Axes, rows: Sequence[Comparison], theme: Theme, seconds: float, unit: str) -> None:
    """Draw the curves and name the tallest of each component; freezes the layout."""
    dress(axes, theme)
    for row, colour, dash in _styled(rows, theme):
        axes.plot(row.time / seconds, row.curve, color=colour, linewidth=1.0, linestyle=dash, gid="curve")
    power = decade(np.concatenate([row.curve for row in rows]))
    axes.yaxis.set_major_formatter(ScaledFormatter(power))
    axes.set_ylabel(quantity("Outlet concentration", unit, power))
    names = list(dict.fromkeys(row.solver for row in rows))
    handles = [Line2D([], [], color=theme.ink, linewidth=1.0, linestyle=_dash(names, name)) for name in names]
    axes.legend(handles, names, loc="lower right", bbox_to_anchor=(1, 1), ncols=len(names), fontsize=7, borderpad=0)
    wanted = []
    for name, colour in _colours(rows, theme).items():
        tallest = max((row for row in rows if row.component == name), key=lambda row: float(row.curve.max()))
        top = int(tallest.curve.argmax())
        height = float(tallest.curve[top])
        wanted.append(Label(float(tallest.time[top]) / seconds, height, plain(name, 24), height, colour=colour))
    edge = np.concatenate([row.curve for row in rows])
    time = np.concatenate([row.time for row in rows]) / seconds
    labels.name(axes, wanted, Outline(time, edge, edge), 0.0, float(edge.max()), theme)
    axes.set_ylim(bottom=0)


def _differences(axes: Axes, rows: Sequence[Comparison], theme: Theme, seconds: float) -> None:
    dress(axes, theme)
    for row, colour, dash in _styled(rows, theme):
        if row.reference:
            size = np.maximum(np.abs(row.deviation), LEAST)
            axes.plot(row.time / seconds, size, color=colour, linewidth=0.8, linestyle=dash, gid="difference")
    axes.set_yscale("log")
    axes.set_ylim(LEAST, 1)
    axes.yaxis.set_major_formatter(_power)
    reference = next((row.reference for row in rows if row.reference), "")
    axes.set_ylabel(f"|difference|/apex\nfrom {reference}" if reference else "no other solver")


def _power(value: float, _: float) -> str:
    """Return the label of a decade: 10⁻⁶."""
    return quantity("", "", round(np.log10(value)))[2:-1] if value != 1 else "1"


def _styled(rows: Sequence[Comparison], theme: Theme) -> list[tuple[Comparison, str, Dash]]:
    """Return every row with the colour of its component and the dashes of its solver."""
    colours, names = _colours(rows, theme), list(dict.fromkeys(row.solver for row in rows))
    return [(row, colours[row.component], _dash(names, row.solver)) for row in rows]


def _colours(rows: Sequence[Comparison], theme: Theme) -> dict[str, str]:
    names = dict.fromkeys(row.component for row in rows)
    return {name: theme.peaks[number % len(theme.peaks)] for number, name in enumerate(names)}


def _dash(names: Sequence[str], name: str) -> Dash:
    return _DASHES[names.index(name) % len(_DASHES)]
