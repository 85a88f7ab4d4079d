"""`gcfit compare`: the solvers of a column's equations beside each other."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from gcfit.cli.options import command, quantity, read_system, table_options
from gcfit.cli.output import put_table, say

if TYPE_CHECKING:
    from pathlib import Path

    from gcfit.cli.output import Layout
    from gcfit.column.comparison import Comparison

COLUMNS = (
    *("velocity", "diffusion", "competition", "solver", "component"),
    *("retention_time_s", "sigma_s", "area", "height", "difference", "difference_l2", "effect", "reference"),
    *("seconds", "mass_balance_error", "message"),
)
EXCEEDED = 1


@command(
    "gcfit compare column.toml --format markdown --digits 4",
    "gcfit compare column.toml --tolerance 2e-3 > /dev/null",
    "gcfit compare column.toml -o comparison",
)
@click.argument("system_file", metavar="SYSTEM.toml")
@quantity("--tolerance", above=0, metavar="X", help="Exit with 1 when a difference from the reference is larger.")
@click.option("-o", "--output", metavar="DIR", help="Also write the table and an overlay figure of each comparison.")
@table_options
def compare(system_file: str, tolerance: float | None, output: str | None, layout: "Layout") -> int:
    """Solve the column in every way that there is, and tell how far the solutions differ and how long they take.

    Closed form, Fourier sum, quadrature and the full equations; for variable and constant velocity, and with
    diffusion and competition where SYSTEM.toml (- is stdin) gives coefficients for them. Differences are in units of
    the apex of the reference, which is named; effect is the difference from the linear law without diffusion.
    """
    from pathlib import Path

    from gcfit.column.comparison import compare as run
    from gcfit.column.comparison import worst

    rows = list(run(read_system(system_file)))
    table = [_row(row) for row in rows]
    put_table(table, COLUMNS, "-", layout)
    if output is not None:
        _write_folder(Path(output), rows, table)
    if tolerance is None or worst(rows) <= tolerance:
        return 0
    say(f"the largest difference is {worst(rows):.3g} of the apex, above the tolerance {tolerance:g}")
    return EXCEEDED


def _row(row: "Comparison") -> dict[str, Any]:
    figures = asdict(row.figures) if row.figures else {}
    names = ("solver", "component", "reference", "seconds", "mass_balance_error", "message")
    known = {**asdict(row.physics), **figures, **{name: getattr(row, name) for name in names}}
    return {name: known.get(name) for name in COLUMNS}


def _write_folder(folder: "Path", rows: "list[Comparison]", table: list[dict[str, Any]]) -> None:
    from gcfit.cli.output import Layout
    from gcfit.errors import OutputError
    from gcfit.figures import save
    from gcfit.figures.solvers import solvers_figure

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}; choose another folder with -o") from error
    put_table(table, COLUMNS, str(folder / "comparison.csv"), Layout())
    for physics in dict.fromkeys(row.physics for row in rows):
        these = [row for row in rows if row.physics == physics and row.curve.size]
        added = [name for name in ("diffusion", "competition") if getattr(physics, name)]
        name = "_".join([physics.velocity, *added])
        if these:
            figure = solvers_figure(these, title=f"{physics.velocity} velocity, {' and '.join(added) or 'linear law'}")
            save(figure, folder / f"{name}.png")
