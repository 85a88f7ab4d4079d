"""Options that several subcommands share: one decorator a group, which hands the command one value.

The modules of the records are imported when the command runs, not when its help is shown.
"""

import inspect
import math
import re
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from gcfit.cli.output import Layout
    from gcfit.column.system import System
    from gcfit.fitting.records import FitSettings
    from gcfit.formats import ReadOptions

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]
Callback = Callable[[click.Context, click.Parameter, Any], Any]

FORMATS = ("csv", "tsv", "json", "markdown", "xlsx", "parquet")
FIGURES = ("png", "svg", "pdf")


def command(*examples: str) -> Callable[[Command], click.Command]:
    """Return a decorator that makes a subcommand; its help is the examples, then the function's docstring."""

    def decorate(function: Command) -> click.Command:
        text = "\n".join(("\b", *examples, "", inspect.cleandoc(function.__doc__ or "")))
        return click.command(help=text)(function)

    return decorate


def one_of(place: str, registry: str) -> Callback:
    """Return a check that a value is a name of a registry, which is loaded only when a value is given."""

    def check(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        if value is not None:
            names = list(getattr(import_module(place), registry))
            if value not in names:
                raise click.BadParameter(f"{value!r} is not one of {', '.join(names)}.")
        return value

    return check


def quantity(
    *names: str, least: float = -math.inf, above: float = -math.inf, most: float = math.inf, metavar: str = "S",
    **settings: Any,
) -> Decorator:  # fmt: skip
    """Return an option that takes a finite number from `least` to `most`, and more than `above`."""

    def check(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
        if value is None:
            return None
        if not math.isfinite(value):
            raise click.BadParameter(f"{value} is not a finite number.")
        if value <= above:
            raise click.BadParameter(f"{value:g} is not above {above:g}.")
        if value < least:
            raise click.BadParameter(f"{value:g} is below {least:g}.")
        if value > most:
            raise click.BadParameter(f"{value:g} is above {most:g}.")
        return value

    return click.option(*names, type=float, callback=check, metavar=metavar, **settings)


def gathered(keyword: str, make: Callable[..., Any], *options: Decorator) -> Decorator:
    """Return a decorator that adds options to a command and hands it what is made of their values.

    Parameters
    ----------
    keyword : str
        Keyword argument under which the command receives it.
    make : callable
        Called with the values of the options, by the names of their parameters.
    options : decorators
        The options, in the order of the help.
    """

    def decorate(command: Command) -> Command:
        names = _names(options)

        @wraps(command)
        def gathering(**values: Any) -> Any:
            mine = {name: values.pop(name) for name in names}
            return command(**{keyword: make(**mine)}, **values)

        return _with(options, gathering)

    return decorate


def _with(options: tuple[Decorator, ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def _names(options: tuple[Decorator, ...]) -> list[str]:
    """Names of the parameters that the options make."""
    command = click.command()(_with(options, lambda: None))
    return [parameter.name for parameter in command.params if parameter.name]


def refuse_others(ctx: click.Context, known: Set[str], what: str) -> None:
    """Refuse options on the command line that mean nothing for what is given; `known` are the others' parameters."""
    for parameter in ctx.command.params:
        given = ctx.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if given and parameter.name not in known:
            raise click.UsageError(f"{parameter.opts[-1]} is not for {what}.")


def read_system(path: str) -> "System":
    """Read a system file; the reader is loaded now."""
    from gcfit.column import system

    return system.read_system(path)


def _system(system: str | None) -> "System | None":
    return None if system is None else read_system(system)


@contextmanager
def as_wrong_use() -> Iterator[None]:
    """Turn the refusal of an option's value by the library into one of the command line."""
    from gcfit.errors import InputError

    try:
        yield
    except InputError as error:
        raise click.UsageError(f"{error}.") from error


def _settings(**values: Any) -> "FitSettings":
    from gcfit.fitting.records import FitSettings

    if values["start"] is not None and values["end"] is not None and values["start"] >= values["end"]:
        raise click.UsageError(f"--start {values['start']:g} is not before --end {values['end']:g}.")
    if values.get("model", "auto") != "auto":
        from gcfit.fitting.registry import ordered_name

        with as_wrong_use():
            ordered_name(values["model"])  # an unknown model is told once, not once a file
    if values["baseline"] != "auto":
        from gcfit.fitting.baseline import check_method

        with as_wrong_use():
            check_method(values["baseline"])
    peaks = values.pop("peaks")
    if peaks is not None:
        from gcfit.fitting.peak_list import read_expected

        values["expected"] = read_expected(peaks)
    return FitSettings(**values)


def stretch_of(text: str) -> tuple[float, float] | None:
    """Return the ends of a stretch START-END or START:END [s] where START is before END; None for another text."""
    number = r"\s*([-+]?(?:\d+\.?\d*|\.\d+))\s*"
    match = re.fullmatch(f"{number}[-:]{number}", text)
    ends = (float(match[1]), float(match[2])) if match else (math.nan, math.nan)
    return ends if ends[0] < ends[1] else None


def _stretch(_: click.Context, __: click.Parameter, value: str | None) -> tuple[float, float] | None:
    """Read a stretch of time START-END [s]."""
    if value is None:
        return None
    if (ends := stretch_of(value)) is None:
        raise click.BadParameter(f"{value!r} is not a stretch START-END in seconds, such as 600-660.")
    return ends


def _reading(**values: Any) -> "ReadOptions":
    from gcfit.formats import ReadOptions
    from gcfit.formats.text import find_encoding

    with as_wrong_use():
        find_encoding(b"", values["encoding"], "")
        return ReadOptions(**values)


def _columns(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Refuse a column that is named twice: a row has it once."""
    names = [name.strip() for name in value.split(",")] if value is not None else []
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise click.BadParameter(f"{twice!r} is there twice.")
    return value


def _layout(**values: Any) -> "Layout":
    from gcfit.cli.output import Layout

    return Layout(**values)


system_option = gathered(
    "system",
    _system,
    click.option("--system", metavar="SYSTEM.toml", help="System file: column, carrier gas, injection, components."),
)

_FIT = (
    quantity("--hold-up", above=0, help="Hold-up time [s]; goes before the system file's."),
    quantity("--phase-ratio", above=0, metavar="X", help="Film over mobile phase; turns α k_a into k_a."),
    quantity("--injection", least=0, help="Duration of the injection [s]; goes before the system file's."),
    click.option("--model", default="auto", show_default=True, metavar="MODEL",
                 help="laplace with any of +site, +tail, +load; gaussian; emg; auto: what the data support."),
    click.option("--strategy", type=click.Choice(["pairs", "simultaneous"]), default="pairs", show_default=True,
                 help="Fit windows of overlapping peaks apart, or everything at once."),
    click.option("--polarity", type=click.Choice(["positive", "negative", "both"]), default="positive",
                 show_default=True, help="Peaks to look for."),
    quantity("--start", help="Leave out what is before [s]."),
    quantity("--end", help="Leave out what is after [s]."),
    quantity("--min-snr", above=0, default=5.0, show_default=True, metavar="X",
                 help="Least height of a peak, in standard deviations of the noise."),
    click.option("--peaks", metavar="FILE.csv",
                 help="Expected peaks: name, retention_time_s, window_s (to either side); go before the system's."),
    click.option("--shared-tail", is_flag=True, help="One inlet tail for all peaks, instead of one a peak."),
    click.option("--baseline", default="auto", show_default=True, metavar="NAME",
                 help="auto: local, fitted with the peaks; else the shape of valleys, line, asls, arpls, snip, ... is"
                      " taken off first."),
    click.option("--noise-window", callback=_stretch, metavar="START-END",
                 help="Blank stretch [s] for the peak-to-peak noise of S/N; else six standard deviations."),
)  # fmt: skip

FIT_NAMES = frozenset(_names(_FIT))
fit_options = gathered("settings", _settings, *_FIT)
# without what is compared
comparison_options = gathered(
    "settings", _settings, *(option for option in _FIT if not {"model", "strategy"} & set(_names((option,))))
)

_READING = (
    click.option("--encoding", metavar="NAME", help="Text encoding, when it is not recognised."),
    click.option("--delimiter", metavar="C", help="Character between columns (or tab, space)."),
    click.option("--decimal", metavar="C", help="Decimal mark."),
    click.option("--thousands", metavar="C", help="Mark between groups of three digits."),
    click.option("--skip-lines", type=click.IntRange(min=0), metavar="N", help="Lines before the table."),
    click.option("--no-header", is_flag=True, help="The first line of the table is data."),
    click.option("--time-column", metavar="NAME|N", help="Column of the times: its header, or 1, 2, ..."),
    click.option("--signal-column", metavar="NAME|N", help="Column of the signal."),
    click.option("--time-unit", type=click.Choice(["auto", "s", "min", "h", "ms"]), default="auto", show_default=True,
                 help="Unit of the times in the file."),
    click.option("--trace", metavar="GLOB", help="Only the traces of this name; * and ? match."),
)  # fmt: skip

READING_NAMES = frozenset(_names(_READING))
reading_options = gathered("reading", _reading, *_READING)

table_options = gathered(
    "layout",
    _layout,
    click.option("--format", type=click.Choice(FORMATS), show_default="csv", help="Layout of the table on stdout."),
    click.option("--decimal-comma", is_flag=True, help="European CSV: decimal comma, semicolon between columns."),
    click.option("--bom", is_flag=True, help="Begin the table with a byte order mark, for Excel."),
    click.option("--columns", callback=_columns, metavar="A,B,...", help="Only these columns, in this order."),
    click.option("--digits", type=click.IntRange(1, 17), metavar="N",
                 help="Round to N significant digits, instead of full precision."),
)  # fmt: skip

verbose_option = click.option("-v", "--verbose", is_flag=True, help="Say on stderr what was inferred and why.")
