"""`gcfit plot`: a figure of whatever is given: a chromatogram, several, a column, or the peaks of a batch."""

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from gcfit.cli.options import (
    FIGURES,
    FIT_NAMES,
    READING_NAMES,
    as_wrong_use,
    command,
    fit_options,
    gathered,
    quantity,
    reading_options,
    refuse_others,
    stretch_of,
    system_option,
)
from gcfit.errors import InputError

if TYPE_CHECKING:
    from gcfit.column.system import System
    from gcfit.fitting.records import FitSettings
    from gcfit.formats import ReadOptions

# what is drawn: its name in a message, and the parameters that it has besides those of every figure
KINDS: dict[str, tuple[str, frozenset[str]]] = {
    "chromatogram": ("a chromatogram", frozenset({"axis_unit", "zoom", "system"}) | FIT_NAMES | READING_NAMES),
    "restored": (
        "a chromatogram whose peaks a table gives",
        frozenset({"axis_unit", "table", "zoom", "system", "hold_up", "injection"}) | READING_NAMES,
    ),
    "chromatograms": ("several chromatograms", frozenset({"axis_unit", "same_scale", "start", "end"}) | READING_NAMES),
    "system": ("a system file", frozenset({"axis_unit", "times"})),
    "table": ("a peak table", frozenset({"component", "quantity"})),
}
EVERY = {"files", "output", "file_format", "title", "size", "dpi", "theme"}
SIDES = (1.0, 100.0)  # inches
MOST_PIXELS = 10**8
INCH = {"": 1.0, "in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4}


@dataclass(frozen=True)
class Style:
    """How a figure looks: the values of the options of every kind of figure; `size` in inches, None for the default."""

    title: str | None
    size: tuple[float, float] | None
    dpi: float
    theme: Any
    axis_unit: Any


@dataclass(frozen=True)
class Choice:
    """What is shown: the values of the options that only one kind of figure has."""

    table: str | None
    zoom: Any
    times: tuple[float, ...] | None
    component: tuple[str, ...]
    quantity: tuple[str, ...]
    same_scale: bool


def _size(_: click.Context, __: click.Parameter, value: str | None) -> tuple[float, float] | None:
    """Read a size such as 7x5 or 18x12cm as inches."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+\.?\d*)x(\d+\.?\d*)(in|cm|mm)?", value.strip().lower())
    if match is None or not float(match[1]) * float(match[2]):
        raise click.BadParameter(f"{value!r} is not a size; write 7x5 (inches) or 18x12cm.")
    width, height = (float(match[k]) * INCH[match[3] or ""] for k in (1, 2))
    if not all(SIDES[0] <= side <= SIDES[1] for side in (width, height)):
        found = f"{value!r} is {width:g} x {height:g} inches; a side is from {SIDES[0]:g} to {SIDES[1]:g} inches."
        raise click.BadParameter(found)
    return width, height


def _style(**values: Any) -> Style:
    style = Style(**values)
    width, height = style.size or (0.0, 0.0)
    if (pixels := width * height * style.dpi**2) > MOST_PIXELS:
        found = f"--size {width:g} x {height:g} inches at --dpi {style.dpi:g} are {pixels / 1e6:.0f} million pixels"
        raise click.UsageError(f"{found}; the limit is {MOST_PIXELS / 1e6:.0f} million.")
    return style


def _quantities(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Check names of columns of the peak table, all of numbers."""
    if values:
        from gcfit.results import PEAK_COLUMNS, TEXT_COLUMNS

        known = [name for name in PEAK_COLUMNS if name not in TEXT_COLUMNS]
        for value in values:
            if value not in known:
                raise click.BadParameter(f"{value!r} is not one of {', '.join(known)}.")
    return values


def _zoom(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> Any:
    """Read `auto`, `none`, or parts START-END [s]."""
    if values in ((), ("auto",)):
        return "auto"
    if values == ("none",):
        return ()
    parts = tuple(map(stretch_of, values))
    if None in parts:
        raise click.BadParameter(f"{values[parts.index(None)]!r} is not auto, none or a part START-END in seconds.")
    return parts


def _times(_: click.Context, __: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    """Read times [s] separated by commas; `none` for no profiles."""
    if value is None or value == "none":
        return None if value is None else ()
    try:
        times = sorted({float(word) for word in value.split(",")})
    except ValueError:
        times = [math.nan]
    if not all(0 < time < math.inf for time in times):
        raise click.BadParameter(f"{value!r} is not none or a list of times above 0 such as 50,100.")
    return tuple(times)


style_options = gathered(
    "style",
    _style,
    click.option("--title", metavar="TEXT", help="Title instead of the name of the file; an empty one leaves it out."),
    click.option("--size", callback=_size, metavar="WxH", help="Width and height: 7x5 (inches) or 18x12cm."),
    quantity("--dpi", least=10, most=1200, default=150.0, show_default=True, metavar="X",
             help="Resolution of a PNG: dots an inch, 10 to 1200."),
    click.option("--theme", type=click.Choice(["light", "dark"]), default="light", show_default=True, help="Colours."),
    click.option("--axis-unit", type=click.Choice(["auto", "s", "min"]), default="auto", show_default=True,
                 help="Unit of the time axis; auto: minutes from ten minutes on."),
)  # fmt: skip

choice_options = gathered(
    "choice",
    Choice,
    click.option("--table", metavar="PEAKS.csv", help="Chromatogram: draw the peaks of this table, without a fit."),
    click.option("--zoom", multiple=True, callback=_zoom, metavar="START-END",
                 help="Chromatogram: enlarge this part [s], again for more; auto (default) or none."),
    click.option("--times", callback=_times, metavar="T1,T2,...", help="Column: times of the profiles [s], or none."),
    click.option("--component", multiple=True, metavar="NAME", help="Peak table: only this component, again for more."),
    click.option("--quantity", multiple=True, callback=_quantities, metavar="COLUMN",
                 help="Peak table: only this column, again for more."),
    click.option("--same-scale", is_flag=True, help="Several chromatograms: one signal axis for all."),
)  # fmt: skip


@command(
    "gcfit plot run.csv --system column.toml -o run.png",
    "gcfit plot run.csv --zoom 380-500 --theme dark -o run.svg",
    "gcfit plot run.csv --table peaks.csv --size 18x10cm -o run.pdf",
    "gcfit plot column.toml --times 20,60,120 -o column.pdf",
    "gcfit plot results -o trends.png",
    "gcfit plot *.csv -o runs.png",
)
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.option("-o", "--output", required=True, metavar="FIGURE", help="PNG, SVG or PDF by its name; - is stdout.")
# GCFIT_FORMAT is that of tables
@click.option("--format", "file_format", type=click.Choice(FIGURES), envvar="GCFIT_PLOT_FORMAT",
              help="Format, where the name does not tell.")  # fmt: skip
@style_options
@choice_options
@system_option
@fit_options
@reading_options
@click.pass_context
def plot(
    ctx: click.Context,
    files: tuple[str, ...],
    output: str,
    file_format: str | None,
    style: Style,
    choice: Choice,
    system: "System | None",
    settings: "FitSettings",
    reading: "ReadOptions",
) -> None:
    """Draw a figure.

    A chromatogram is fitted and drawn with its fit, its peaks, baseline and residuals. A system file
    (TOML) gives the gas along the column, the profiles and the chromatogram under both velocity models. A peak table
    or the folder of a batch gives trends over its files. Several chromatograms are drawn side by side, unfitted.
    - is stdin, content decides what it is.
    """
    from gcfit.cli.output import standard_output
    from gcfit.figures.saving import format_of, save

    target: Any = standard_output() if output == "-" else output
    with as_wrong_use():
        known = format_of(target, file_format)  # before a long fit, not after it
    kind = _kind(files, choice.table)
    name, own = KINDS[kind]
    refuse_others(ctx, EVERY | own, name)
    if "-" in files and choice.table == "-":
        raise click.UsageError("FILES and --table cannot both be -, there is one stdin.")
    from gcfit.cli.pictures import picture

    save(picture(kind, files, choice, style, system, settings, reading), target, known)


def _kind(files: tuple[str, ...], table: str | None) -> str:
    from gcfit.cli.kinds import kind_of

    kinds = {kind_of(path) for path in files}
    if len(files) == 1:
        kind = kinds.pop()
        return "restored" if kind == "chromatogram" and table is not None else kind
    if kinds != {"chromatogram"}:
        raise InputError("", "several files, and not all are chromatograms", remedy="draw one figure after the other")
    return "chromatograms"
