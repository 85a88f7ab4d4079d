"""The picture of a column: gas along it, concentrations inside it at chosen times, and what leaves it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from gcfit.chromatogram import Array
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
from gcfit.results import thinned

# solid, dashed, dash-dotted, dotted: told apart without colour
_DASHES = ("-", (0, (5, 2)), (0, (5, 1.5, 1, 1.5)), (0, (1, 1.5)))
_DETAIL = 1500
_LEAST, _LEAST_PROFILES = (4.5, 3.2), 1.3  # inches without profiles; height that they need
_PROFILE, _MARGIN = 0.9, 0.7  # inches: least width of one, and beside them


@dataclass(frozen=True, eq=False)
class GasProfile:
    """The gas along the column: position [m] and pressure [Pa], shapes (m,); velocity [m/s] by velocity model."""

    position: Array
    pressure: Array
    velocities: Mapping[str, Array]


class Profile(Protocol):
    """One component along the column at one time [s]: position [m] and concentration, shapes (k,)."""

    @property
    def time(self) -> float: ...  # noqa: D102
    @property
    def component(self) -> str: ...  # noqa: D102
    @property
    def position(self) -> Array: ...  # noqa: D102
    @property
    def concentration(self) -> Array: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Outlet:
    """What leaves the column under one velocity model: time [s], signal, both (n,); signal by component above 0."""

    velocity_model: str
    time: Array
    signal: Array
    components: Mapping[str, Array]
    baseline: float = 0.0
    unit: str = ""


def system_figure(
    gas: GasProfile,
    outlets: Sequence[Outlet],
    profiles: Sequence[Profile] = (),
    *,
    concentration_unit: str = "mol/m³",
    title: str = "",
    size: tuple[float, float] | None = None,
    dpi: float = 150.0,
    theme: ThemeName = "light",
    time_unit: TimeUnit = "auto",
) -> Figure:
    """Draw a column and what it does.

    Parameters
    ----------
    gas : GasProfile
        Pressure and velocities along the column.
    outlets : sequence of Outlet
        Chromatograms to compare, the first with its components filled and named, the others as dashed lines.
    profiles : sequence of Profile
        Concentrations inside the column, one panel a time; `gcfit.column.numerical.solve` gives them.
    concentration_unit : str
        Unit of the profiles.
    title, size, dpi, theme, time_unit
        As for `overlay`.

    Raises
    ------
    InputError
        If there is no chromatogram, or there is no room in `size`.
    """
    if not outlets:
        raise InputError("", "there is no chromatogram to draw")
    colours = THEMES[theme]
    times = sorted({profile.time for profile in profiles})
    with drawing(colours):
        least = (max(_LEAST[0], _MARGIN + _PROFILE * len(times)), _LEAST[1] + (_LEAST_PROFILES if times else 0))
        figure = Figure(
            figsize=room(size, (7.2, 7.6 if times else 5.4), least),
            dpi=dpi,
            layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.04),
        )
        grid = figure.add_gridspec(3 if times else 2, 1, height_ratios=[1, 1, 1.5] if times else [1, 1.5])
        _gas(figure, grid[0].subgridspec(1, 2), gas, colours)
        if times:
            _profiles(figure, grid[1].subgridspec(1, len(times)), profiles, colours, concentration_unit)
        # in a grid of its own, as the others: the rows then share the height with their labels, not without
        last = figure.add_subplot(grid[-1].subgridspec(1, 1)[0])
        entitle(figure, title)
        _outlets(last, outlets, colours, time_unit)
    return figure


def _gas(figure: Figure, grid: GridSpecFromSubplotSpec, gas: GasProfile, theme: Theme) -> None:
    left, right = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    left.plot(gas.position, gas.pressure / 1e3, color=theme.ink, linewidth=1.2, gid="pressure")
    left.set_ylim(0, 1.08 * float(gas.pressure.max()) / 1e3)
    left.set_ylabel("Pressure (kPa)")
    for (name, velocity), dash in zip(gas.velocities.items(), _DASHES, strict=False):
        right.plot(gas.position, velocity, color=theme.ink, linewidth=1.2, linestyle=dash, label=name, gid="velocity")
    right.set_ylim(0, 1.08 * max(float(velocity.max()) for velocity in gas.velocities.values()))
    right.set_ylabel("Velocity (m/s)")
    right.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(gas.velocities), fontsize=7, borderpad=0)
    for axes in (left, right):
        dress(axes, theme)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
        axes.set_xlabel("Position (m)", labelpad=2)
        axes.set_xlim(float(gas.position[0]), float(gas.position[-1]))


def _profiles(
    figure: Figure, grid: GridSpecFromSubplotSpec, profiles: Sequence[Profile], theme: Theme, unit: str
) -> None:
    """One panel a time, side by side on one scale."""
    times = sorted({profile.time for profile in profiles})
    names = list(dict.fromkeys(profile.component for profile in profiles))
    highest = max(float(profile.concentration.max()) for profile in profiles) or 1.0
    power = decade(np.array([0.0, highest]))
    for column, time in enumerate(times):
        axes = figure.add_subplot(grid[column])
        dress(axes, theme)
        for profile in profiles:
            if profile.time == time:
                _profile(axes, profile, names.index(profile.component), theme)
        axes.set_xlim(0, max(float(profile.position[-1]) for profile in profiles))
        axes.set_ylim(0, 1.08 * highest)
        axes.yaxis.set_major_formatter(ScaledFormatter(power))
        axes.set_title(f"{time:g} s", size=8, loc="left", pad=3)
        axes.set_xlabel("Position (m)", labelpad=2)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=max(2, 12 // len(times))))
        axes.tick_params(labelleft=column == 0)
        if column == 0:
            # on two lines: on one it is longer than the panel is high
            axes.set_ylabel(f"Concentration\n{quantity('', unit, power).strip()}".strip())


def _profile(axes: Axes, profile: Profile, number: int, theme: Theme) -> None:
    """One component: told apart by colour, and by dashes once the colours repeat."""
    colour, dash = theme.peaks[number % len(theme.peaks)], _DASHES[number // len(theme.peaks) % len(_DASHES)]
    kept = thinned(profile.concentration, _DETAIL)
    x, y = profile.position[kept], profile.concentration[kept]
    axes.fill_between(x, y, color=colour, alpha=0.35, linewidth=0)
    axes.plot(x, y, color=colour, linewidth=0.9, linestyle=dash, label=plain(profile.component, 24), gid="profile")


def _outlets(axes: Axes, outlets: Sequence[Outlet], theme: Theme, unit: TimeUnit) -> None:
    first = outlets[0]
    end = max(float(outlet.time[-1]) for outlet in outlets)
    name, seconds = time_scale(unit, end)
    dress(axes, theme)
    axes.set_xlim(min(float(outlet.time[0]) for outlet in outlets) / seconds, end / seconds)
    axes.set_xlabel(quantity("Time", name), labelpad=2)
    for number, values in enumerate(first.components.values()):
        kept = thinned(values, _DETAIL)
        colour = theme.peaks[number % len(theme.peaks)]
        top = first.baseline + values[kept]
        axes.fill_between(first.time[kept] / seconds, first.baseline, top, color=colour, alpha=0.45, linewidth=0)
    for outlet, dash in zip(outlets, _DASHES, strict=False):
        kept = thinned(outlet.signal, 2 * _DETAIL)
        x, y, text = outlet.time[kept] / seconds, outlet.signal[kept], f"{outlet.velocity_model} velocity"
        axes.plot(x, y, color=theme.ink, linewidth=0.8, linestyle=dash, label=text, gid="outlet")
    # outside the axes, and before the layout is settled, which then keeps room for it
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(outlets), fontsize=7, borderpad=0)
    _name_peaks(axes, outlets, theme, seconds)


def _name_peaks(axes: Axes, outlets: Sequence[Outlet], theme: Theme, seconds: float) -> None:
    """Name the components of the first chromatogram; freezes the layout."""
    first = outlets[0]
    low = min(float(outlet.signal.min()) for outlet in outlets)
    high = max(float(outlet.signal.max()) for outlet in outlets)
    if high == low:  # nothing enters the column
        high = low + 1.0
    power = decade(np.array([low, high]))
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(ScaledFormatter(power))
    axes.set_ylabel(quantity("Signal", first.unit, power))
    wanted = []
    for name, values in first.components.items():
        top = int(values.argmax())
        wanted.append(Label(float(first.time[top]) / seconds, float(first.signal[top]), name, float(values[top])))
    joined = np.concatenate([outlet.time for outlet in outlets]) / seconds
    edge = np.concatenate([outlet.signal for outlet in outlets])
    labels.name(axes, wanted, Outline(joined, edge, edge), low, high, theme)
