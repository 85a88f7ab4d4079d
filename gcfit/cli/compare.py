"""`gcfit compare`: solvers of a column's equations; models of a chromatogram's peaks; the vendor's peaks and ours."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import click

from gcfit.cli.options import (
    command,
    comparison_options,
    quantity,
    read_system,
    reading_options,
    refuse_others,
    system_option,
    table_options,
)

if TYPE_CHECKING:
    from gcfit.cli.output import Layout
    from gcfit.column.system import System
    from gcfit.fitting.records import FitSettings
    from gcfit.formats import ReadOptions

SHARED = {"source", "output", "format", "decimal_comma", "bom", "columns", "digits"}
FOR_SYSTEMS = {"tolerance"}


@command(
    "gcfit compare column.toml --tolerance 2e-3 -o solvers",
    "gcfit compare run.csv --system column.toml --format markdown --digits 5",
    "gcfit compare run.csv --hold-up 34.2 --with numerical --model laplace --model emg -o models",
    "gcfit compare shimadzu.txt --columns name,area,vendor_area,area_ratio",
)
@click.argument("source", metavar="SYSTEM.toml|CHROMATOGRAM")
@click.option("-o", "--output", metavar="DIR", help="Also write table, what stands behind it, and figures to DIR.")
@quantity(
    "--tolerance", above=0, metavar="X", help="System: exit with 1 when a difference from the reference is larger."
)
@click.option(
    "--with",
    "beside",
    type=click.Choice(["models", "numerical", "vendor"]),
    help="Chromatogram: peak models; these and the pair through the full equations; the vendor's own peaks"
    " beside the fit. By default vendor where the file has a peak table, else models.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="MODEL",
    help="Chromatogram: only this model (or auto, or a pattern such as 'laplace*'), again for more.",
)
@click.option(
    "--strategy",
    "strategies",
    multiple=True,
    type=click.Choice(["pairs", "simultaneous"]),
    help="Chromatogram: only this strategy, again for more; by default pairs, and all at once only the"
    " models of few parameters.",
)
@system_option
@comparison_options
@reading_options
@table_options
@click.pass_context
def compare(
    ctx: click.Context,
    source: str,
    output: str | None,
    tolerance: float | None,
    beside: Literal["models", "numerical", "vendor"] | None,
    models: Sequence[str],
    strategies: Sequence[Any],
    system: "System | None",
    settings: "FitSettings",
    reading: "ReadOptions",
    layout: "Layout",
) -> int:
    """Compare the solvers of a column's equations, or the peak models on a chromatogram; - is stdin, content decides.

    SYSTEM.toml is solved in every way that there is: closed form, Fourier sum, quadrature, the full equations; for
    variable and constant velocity, and with diffusion and competition where the file gives coefficients for them.
    Differences are in units of the apex of the reference, which is named; effect is the difference from the linear
    law without diffusion. With -o, scales.csv holds the dimensionless groups.

    CHROMATOGRAM is fitted with every peak model, window by window (pairs) and at once (simultaneous). R2 and BIC are
    taken over the same points for all, with the noise of the trace or the misfit of the closest fit, whichever is
    larger; seconds are those of the processor, without reading and detection. Columns area_... hold the area of each
    peak of the best fit. Where the file brings the vendor's peak table, that stands beside the fit instead, and peaks
    that only one of them has are listed; --with models compares models all the same.
    """
    from gcfit.cli import comparing
    from gcfit.cli.kinds import is_system

    if is_system(source):
        refuse_others(ctx, SHARED | FOR_SYSTEMS, "a system file")
        return comparing.solvers(read_system(source), tolerance, comparing.Place(output, layout))
    refuse_others(ctx, set(ctx.params) - FOR_SYSTEMS, "a chromatogram")
    asked = comparing.Asked(source, beside, tuple(models), tuple(strategies), system, settings, reading)
    return comparing.runs(asked, comparing.Place(output, layout))
