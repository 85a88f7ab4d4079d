"""`gcfit fit`: chromatograms in, peak table out."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gcfit.cli.batching import batch_options, fit_into_folder
from gcfit.cli.files import all_shelves, expanded
from gcfit.cli.options import command, fit_options, reading_options, system_option, table_options, verbose_option

if TYPE_CHECKING:
    from gcfit.cli.batching import Batch
    from gcfit.cli.output import Layout
    from gcfit.column.system import System
    from gcfit.fitting.records import FitSettings
    from gcfit.formats import ReadOptions

NO_HOLD_UP = "without a hold-up time k_a and k_d stay empty; give --hold-up S or --system SYSTEM.toml"


def _list_formats(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from gcfit.formats import list_formats

        click.echo("\n".join(f"{name:<14} {description}" for name, description in list_formats()))
        ctx.exit()


@command(
    "gcfit fit run.csv --hold-up 34.2 > peaks.csv",
    "gcfit fit run.csv --system column.toml --format markdown --digits 5",
    "gcfit fit *.csv --system column.toml -o results --figures png --report --jobs 0",
    "gcfit simulate column.toml | gcfit fit - --system column.toml",
)
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@system_option
@fit_options
@batch_options
@table_options
@verbose_option
@reading_options
@click.option(
    "--list-formats",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_formats,
    help="Name the kinds of files that can be read.",
)
def fit(
    files: tuple[str, ...],
    system: "System | None",
    settings: "FitSettings",
    batch: "Batch",
    layout: "Layout",
    reading: "ReadOptions",
    verbose: bool,
) -> int:
    """Find the peaks of chromatograms, fit each with the model of the column, and write the table of peaks.

    FILES are what a chromatography system exports: delimited text, vendors' text, ANDI/AIA netCDF; a folder stands
    for what it holds, - is stdin.
    Rates need the hold-up time, from --hold-up or --system; the adsorption rate needs the phase ratio as well.
    """
    from gcfit.batch.work import FileTask
    from gcfit.cli.stream import outcomes, put_peaks

    names, lenient = expanded(files, batch.output), all_shelves(files)
    hint = NO_HOLD_UP if settings.hold_up is None and system is None else ""
    task = FileTask(system, settings, reading, batch.figures or "", curves=batch.output is not None)
    if batch.output is not None:
        return fit_into_folder(names, task, Path(batch.output), batch, layout, lenient=lenient, hint=hint)
    ended = outcomes(names, task, jobs=batch.jobs, dask=batch.dask, lenient=lenient)
    return put_peaks(ended, layout, verbose=verbose, fail_fast=batch.fail_fast, hint=hint)
