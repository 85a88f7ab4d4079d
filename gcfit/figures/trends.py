"""What was measured over many files: one panel for each component and quantity, with mean and limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from gcfit.chromatogram import Array
from gcfit.errors import InputError
from gcfit.figures.style import (
    THEMES,
    ScaledFormatter,
    Theme,
    ThemeName,
    decade,
    drawing,
    dress,
    entitle,
    plain,
    quantity,
    room,
)
from gcfit.results import TREND_COLUMNS, control_limits, same_components

MOST_COMPONENTS = 40
_NAMES = {
    "retention_time_s": ("Retention", "s"),
    "area": ("Area", ""),
    "k_a_per_s": ("k_a", "1/s"),
    "k_d_per_s": ("k_d", "1/s"),
    "plates": ("Plates", ""),
}


@dataclass(frozen=True, eq=False)
class Series:
    """One quantity of one component: number of the file and value, shapes (m,), and mean, lower and upper limit."""

    files: Array
    values: Array
    limits: tuple[float, float, float] | None


def trends(
    rows: Sequence[Mapping[str, object]],
    *,
    columns: Sequence[str] = TREND_COLUMNS,
    components: Sequence[str] = (),
    title: str = "",
    size: tuple[float, float] | None = None,
    dpi: float = 150.0,
    theme: ThemeName = "light",
) -> Figure:
    """Draw quantities of the peak table over the files, in the order of the table.

    Parameters
    ----------
    rows : sequence of mappings
        Rows of the peak table.
    columns : sequence of str
        Numeric columns; those without any value are left out.
    components : sequence of str
        Names (or `peak N` for a peak without a name) to show; by default all, the most frequent first to be kept
        where there are more than 40.
    title, size, dpi, theme
        As for `overlay`.

    Returns
    -------
    Figure
        One row a component, one column a quantity: the values, their mean, and mean ± 3 standard deviations; values
        outside are diamonds.

    Raises
    ------
    InputError
        If there is nothing to draw, or a component or column is not known, or there is no room in `size`.
    """
    series_ = series_of(rows, columns, components)
    shown = [column for column in columns if any(group[column].values.size for group in series_.values())]
    if not shown:
        raise InputError("", "the table holds no values to follow", remedy=f"it needs one of {', '.join(columns)}")
    colours = THEMES[theme]
    with drawing(colours):
        default, least = (
            (max(3.6, 2.4 * len(shown)), 0.7 + 1.25 * len(series_)),
            (1.3 * len(shown), 0.7 + 0.7 * len(series_)),
        )
        figure = Figure(
            figsize=room(size, default, least), dpi=dpi, layout=ConstrainedLayoutEngine(w_pad=0.05, h_pad=0.04)
        )
        grid = figure.subplots(len(series_), len(shown), squeeze=False, sharex=True)
        for row, (label, group) in enumerate(series_.items()):
            for column, name in enumerate(shown):
                axes = grid[row][column]
                _panel(axes, group[name], colours)
                axes.set_ylabel(plain(label, 18) if column == 0 else "", size=8)
                _headline(axes, name, _unit(rows, name), group[name], first=row == 0)
        last = max(series.files.max() for group in series_.values() for series in group.values() if series.files.size)
        grid[0][0].set_xlim(0.4, last + 0.6)
        for axes in grid[-1]:
            axes.set_xlabel("File", labelpad=2)
        entitle(figure, title)
    return figure


def series_of(
    rows: Sequence[Mapping[str, object]], columns: Sequence[str], components: Sequence[str]
) -> dict[str, dict[str, Series]]:
    """Return the series by component and column; files are numbered from 1 in the order of the rows."""
    groups = _chosen(same_components(rows), components)
    for column in columns:
        if rows and column not in rows[0]:
            raise InputError("", f"the table has no column {column!r}")
    numbers: dict[tuple[object, object], int] = {}
    for row in rows:
        numbers.setdefault((row["file"], row["trace"]), len(numbers) + 1)
    at = [numbers[row["file"], row["trace"]] for row in rows]
    return {
        label: {column: _series(rows, at, places, column) for column in columns} for label, places in groups.items()
    }


def _chosen(groups: dict[str, list[int]], wanted: Sequence[str]) -> dict[str, list[int]]:
    for name in wanted:
        if name not in groups:
            raise InputError("", f"component {name!r} is not in the table", remedy=f"there are {', '.join(groups)}")
    if wanted:
        return {name: groups[name] for name in wanted}
    frequent = sorted(groups, key=lambda name: -len(groups[name]))[:MOST_COMPONENTS]
    return {name: places for name, places in groups.items() if name in frequent}


def _series(rows: Sequence[Mapping[str, object]], at: Sequence[int], places: Sequence[int], column: str) -> Series:
    known = [(at[place], value) for place in places if isinstance(value := rows[place][column], int | float)]
    finite = [(number, float(value)) for number, value in known if np.isfinite(value)]
    files, values = np.array(finite, dtype=np.float64).reshape(-1, 2).T
    return Series(files, values, control_limits(values.tolist()))


def _panel(axes: Axes, series: Series, theme: Theme) -> None:
    dress(axes, theme)
    axes.tick_params(labelsize=7)
    if not series.values.size:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "not determined", transform=axes.transAxes, ha="center", va="center", color=theme.muted)
        return
    ends = list(series.values)
    outside = np.zeros(series.values.size, dtype=bool)
    if series.limits is not None:
        mean, low, high = series.limits
        outside = (series.values < low) | (series.values > high)
        ends += [low, high]
        axes.axhspan(low, high, color=theme.band, linewidth=0, zorder=0, gid="limits")
        axes.axhline(mean, color=theme.muted, linewidth=0.7, zorder=1, gid="mean")
    size = 3.0 if series.values.size < 100 else 1.6
    inside = ~outside
    axes.plot(series.files[inside], series.values[inside], "o", color=theme.ink, markersize=size, gid="inside")
    axes.plot(series.files[outside], series.values[outside], "D", color=theme.alert, markersize=size + 2, gid="outside")
    margin = 0.08 * (max(ends) - min(ends)) or 0.05 * abs(max(ends)) or 1.0
    axes.set_ylim(min(ends) - margin, max(ends) + margin)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3))
    axes.yaxis.set_major_formatter(ScaledFormatter(decade(np.array(ends))))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))


def _unit(rows: Sequence[Mapping[str, object]], column: str) -> str:
    """Unit of a column; that of an area where all signals have one and the same."""
    signals = {row.get("signal_unit") or "" for row in rows}
    if column == "area" and len(signals) == 1 and "" not in signals:
        return f"{signals.pop()} s"
    return _NAMES.get(column, ("", ""))[1]


def _headline(axes: Axes, column: str, unit: str, series: Series, *, first: bool) -> None:
    """Quantity and unit over the first panel of a column, the power of ten over each panel that has one."""
    name = _NAMES.get(column, (column, ""))[0]
    power = decade(np.array([*series.values, *(series.limits or ())])) if series.values.size else 0
    if first:
        axes.set_title(quantity(name, unit, power), size=8, loc="left", pad=4)
    elif power:
        axes.set_title(quantity("", "", power).strip(), size=7, loc="left", pad=2)
