"""The group of subcommands and the one place where errors become exit codes.

A subcommand is one module with a click command of its name and one line in `COMMANDS`.
"""

import os
import sys
from importlib import import_module

import click

from gcfit import __version__
from gcfit.errors import GcfitError

COMMANDS = {
    "simulate": "Chromatogram of a column described in a system file.",
    "fit": "Find and fit the peaks of chromatograms; write the peak table.",
    "compare": "Solvers against each other, or peak models on the same data.",
    "plot": "Overlay figure of a fit, or figures of a column.",
}
INTERRUPTED, PIPE_CLOSED = 130, 141


class _LazyGroup(click.Group):
    """A group that imports a subcommand only when it runs; its help lines stand in `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"gcfit.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "GCFIT"})
@click.version_option(__version__, prog_name="gcfit")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Fit gas chromatograms with a physical model of the column.

    \b
    gcfit fit run.csv --hold-up 34.2 > peaks.csv
    gcfit fit *.csv --system column.toml -o results --figures png
    gcfit simulate column.toml | gcfit fit - --system column.toml
    """


def main() -> None:
    """Run the command line; never returns."""
    debug = "--debug" in sys.argv or bool(os.environ.get("GCFIT_DEBUG"))
    try:
        code = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except GcfitError as error:
        if debug:
            raise
        print(f"gcfit: {error}", file=sys.stderr)  # noqa: T201
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except BrokenPipeError:
        # the reader of the pipe has left: nothing more can be written, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = PIPE_CLOSED
    sys.exit(code if isinstance(code, int) else 0)
