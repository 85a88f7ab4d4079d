"""`gcfit fit`: chromatograms in, peak table out."""

from typing import TYPE_CHECKING, Any

import click

from gcfit.cli.options import (
    FIGURES,
    command,
    fit_options,
    reading_options,
    system_option,
    table_options,
    verbose_option,
)

if TYPE_CHECKING:
    from gcfit.cli.output import Layout
    from gcfit.column.system import System
    from gcfit.fitting.records import FitSettings
    from gcfit.formats import ReadOptions

NO_HOLD_UP = "without a hold-up time k_a and k_d stay empty; give --hold-up S or --system SYSTEM.toml"


@command(
    "gcfit fit run.csv --hold-up 34.2 > peaks.csv",
    "gcfit fit run.csv --system column.toml --format markdown",
    "gcfit fit *.csv --system column.toml -o results --figures png --jobs 0",
    "gcfit simulate column.toml | gcfit fit - --system column.toml",
)
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@system_option
@fit_options
@click.option("-o", "--output", metavar="DIR", help="Write results.sqlite, peaks.csv, files.csv into DIR, not stdout.")
@click.option("--figures", type=click.Choice(FIGURES), help="With -o: an overlay figure of each trace in DIR/figures.")
@click.option(
    "--jobs",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    metavar="N",
    help="Files fitted at the same time; 0 for one a core.",
)
@click.option("--dask", default="", metavar="ADDRESS", help="Fit on the cluster of this scheduler, tcp://HOST:PORT.")
@click.option("--resume/--no-resume", default=True, show_default=True, help="With -o: leave out what is done.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first file that fails.")
@table_options
@verbose_option
@reading_options
def fit(
    files: tuple[str, ...],
    system: "System | None",
    settings: "FitSettings",
    reading: "ReadOptions",
    output: str | None,
    figures: str | None,
    layout: "Layout",
    verbose: bool,
    **running: Any,
) -> int:
    """Find the peaks of chromatograms, fit each with the model of the column, and write the table of peaks.

    FILES are what a chromatography system exports: delimited text, vendors' text, ANDI/AIA netCDF; - is stdin.
    Rates need the hold-up time, from --hold-up or --system; the adsorption rate needs the phase ratio as well.
    """  # fmt: skip
    from gcfit.cli.stream import outcomes, put_peaks
    from gcfit.cli.task import FileTask

    if figures and not output:
        raise click.UsageError("--figures needs -o DIR; gcfit plot draws one file.")
    hint = NO_HOLD_UP if settings.hold_up is None and system is None else ""
    task = FileTask(system, settings, reading, figures or "")
    if output:
        return 0
    ended = outcomes(files, task, jobs=running["jobs"], dask=running["dask"])
    return put_peaks(ended, layout, verbose=verbose, fail_fast=running["fail_fast"], hint=hint)
