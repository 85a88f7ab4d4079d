"""The table of `gcfit compare SYSTEM.toml`: one row for each solver and component. No click."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from gcfit.column.comparison import Comparison
from gcfit.column.scales import table
from gcfit.column.system import System
from gcfit.results import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = (
    *("velocity", "diffusion", "competition", "solver", "component"),
    *("retention_time_s", "sigma_s", "area", "height", "difference", "difference_l2", "effect", "reference"),
    *("seconds", "mass_balance_error", "message"),
)
SCALES = ("component", "name", "value", "unit")


def solver_rows(compared: Sequence[Comparison]) -> list[Row]:
    """Return one row a comparison, with the columns `COLUMNS`."""
    return [_row(one) for one in compared]


def _row(one: Comparison) -> Row:
    figures = asdict(one.figures) if one.figures else {}
    names = ("solver", "component", "reference", "seconds", "mass_balance_error", "message")
    known = {**asdict(one.physics), **figures, **{name: getattr(one, name) for name in names}}
    return {name: known.get(name) for name in COLUMNS}


def scale_rows(system: System) -> list[Row]:
    """Return the dimensionless groups and derived quantities of a system, with the columns `SCALES`."""
    return [{name: getattr(scale, name) for name in SCALES} for scale in table(system)]


def concentration_unit(system: System) -> str:
    """Unit of the outlet concentrations; empty where areas stand in for the concentrations that entered."""
    known = all(component.inlet_concentration is not None for component in system.components)
    return "mol/m³" if known and system.injection.duration else ""


def solver_figures(compared: Sequence[Comparison], unit: str) -> "Iterator[tuple[str, Figure]]":
    """Yield a name and a figure for each set of equations that has a solution; `unit` is that of the curves."""
    from gcfit.figures.solvers import solvers_figure

    for physics in dict.fromkeys(one.physics for one in compared):
        these = [one for one in compared if one.physics == physics and one.curve.size]
        added = [name for name in ("diffusion", "competition") if getattr(physics, name)]
        title = f"{physics.velocity} velocity, {' and '.join(added) or 'linear law'}"
        if these:
            yield "_".join([physics.velocity, *added]), solvers_figure(these, title=title, concentration_unit=unit)
