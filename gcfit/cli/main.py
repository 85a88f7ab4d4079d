"""The group of subcommands and the one place where errors become exit codes.

A subcommand is one module with a click command of its name and one line in `COMMANDS`.
"""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NoReturn

import click

from gcfit import __version__
from gcfit.batch.threads import one_blas_thread
from gcfit.errors import GcfitError, one_line

COMMANDS = {
    "simulate": "Chromatogram of a column described in a system file.",
    "fit": "Find and fit the peaks of chromatograms; write the peak table.",
    "compare": "Solvers on a column; peak models, or the vendor's peaks, on the same data.",
    "plot": "Overlay figure of a fit, or figures of a column.",
}
FAILED, INTERRUPTED, PIPE_CLOSED = 1, 130, 141
PREFIX = "GCFIT"
# what takes the name of a file says so in its metavar; a shell completes it then, and nothing is checked here
FILE_METAVARS = ("FILE", "DIR", "FIGURE", "CHROMATOGRAM", ".toml", ".csv")
FILE = click.Path(readable=False, allow_dash=True)


class _ReaderLeftError(Exception):
    """The reader of the output pipe has closed it."""


@contextmanager
def _closed_pipe_kept_apart() -> Iterator[None]:
    """Turn a broken pipe into `_ReaderLeftError`: click would end the process with code 1."""
    try:
        yield
    except BrokenPipeError as error:
        raise _ReaderLeftError from error


class _LazyGroup(click.Group):
    """A group that imports a subcommand only when it runs; its help lines stand in `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"gcfit.cli.{cmd_name}"), cmd_name)
        _complete(command, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _closed_pipe_kept_apart():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _closed_pipe_kept_apart():
            return super().invoke(ctx)


def _note_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    state: dict[str, bool] = ctx.find_root().ensure_object(dict)
    state["debug"] = state.get("debug", False) or value


def _debug_option() -> click.Option:
    return click.Option(
        ["--debug"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_note_debug,
        help="Show the traceback of an error.",
    )


def _complete(command: click.Command, name: str) -> None:
    """Give a subcommand `--debug`, and its options their variables GCFIT_COMMAND_OPTION and GCFIT_OPTION and files."""
    if not any("--debug" in parameter.opts for parameter in command.params):
        command.params.append(_debug_option())
    for parameter in command.params:
        if parameter.type is click.STRING and any(word in (parameter.metavar or "") for word in FILE_METAVARS):
            parameter.type = FILE
        if isinstance(parameter, click.Option) and parameter.envvar is None:
            option = max(parameter.opts, key=len).lstrip("-").replace("-", "_").upper()
            parameter.envvar = [f"{PREFIX}_{name.upper()}_{option}", f"{PREFIX}_{option}"]


@click.group(
    cls=_LazyGroup,
    params=[_debug_option()],
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": PREFIX},
    epilog="Every option reads a variable: --hold-up of fit reads GCFIT_FIT_HOLD_UP, then GCFIT_HOLD_UP.",
)
@click.version_option(__version__, prog_name="gcfit")
def cli() -> None:
    """Fit gas chromatograms with a physical model of the column.

    \b
    gcfit fit run.csv --hold-up 34.2 > peaks.csv
    gcfit fit *.csv --system column.toml -o results --figures png
    gcfit simulate column.toml | gcfit fit - --system column.toml
    """


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    state: dict[str, bool] = {}
    _occupy_closed()
    _write_utf8()
    one_blas_thread()
    try:
        code = cli.main(prog_name="gcfit", standalone_mode=False, obj=state)
        if sys.stdout is not None:
            sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except (_ReaderLeftError, BrokenPipeError):
        code = PIPE_CLOSED
        _drop_output()
    except (click.ClickException, GcfitError, OSError) as error:
        if state.get("debug"):
            raise
        code = _report(error)
        if isinstance(error, OSError):
            _drop_output()
    sys.exit(code if isinstance(code, int) else 0)


def _occupy_closed() -> None:
    """Open standard descriptors that are closed on nothing: else a file gets their number, and what is printed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _write_utf8() -> None:
    """Write UTF-8 whatever the locale, and give back the bytes of file names that are not UTF-8."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")


def _drop_output() -> None:
    """Send what is still in the buffer of stdout nowhere: the interpreter would stumble over it at exit."""
    if sys.stdout is None:
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(error: click.ClickException | GcfitError | OSError) -> int:
    """Say what went wrong in one line on stderr and return the exit code."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    if isinstance(error, click.UsageError):
        name = error.ctx.command_path if error.ctx else "gcfit"
        _say(f"{name}: {error.format_message()} Try '{name} --help'.")
        return error.exit_code
    if isinstance(error, OSError):
        full = error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT)
        place = error.filename or ("cannot write the output" if full else "")
        _say(": ".join(filter(None, ("gcfit", place, error.strerror or str(error)))))
        return FAILED
    _say(f"gcfit: {error.format_message() if isinstance(error, click.ClickException) else error}")
    return error.exit_code


def _say(line: str) -> None:
    click.echo(one_line(" ".join(line.split("\n"))), err=True)
