"""`gcfit fit -o DIR`: the options of a batch, and the hand-over to `gcfit.batch`."""

import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from gcfit.cli.options import FIGURES, gathered, quantity
from gcfit.cli.output import Layout, put_rows, put_table, say

if TYPE_CHECKING:
    from gcfit.batch.work import FileTask

SIZES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@dataclass(frozen=True)
class Batch:
    """How a batch is run: the values of `batch_options`."""

    output: str | None
    figures: str | None
    report: bool
    jobs: int
    dask: str
    resume: bool
    prune: bool
    fail_fast: bool
    timeout: float | None
    max_memory: int | None
    log: str | None


# options that say nothing without the folder of a batch, and their values when they are not given
OF_A_FOLDER: dict[str, Any] = {
    "figures": None, "report": False, "resume": True, "prune": False, "timeout": None, "max_memory": None, "log": None,
}  # fmt: skip


def _batch(**values: Any) -> Batch:
    if values["output"] is None:
        for name, default in OF_A_FOLDER.items():
            if values[name] != default:
                raise click.UsageError(f"--{name.replace('_', '-')} goes with -o DIR only.")
    return Batch(**values)


def size(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    """Read a size such as 500M or 2G as a number of bytes."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+)([KMGT]?)(i?B)?", value.strip(), re.IGNORECASE)
    if match is None or not int(match[1]):
        raise click.BadParameter(f"{value!r} is not a size; write 500M or 2G.")
    return int(match[1]) * SIZES[match[2].upper()]


batch_options = gathered(
    "batch",
    _batch,
    click.option("-o", "--output", metavar="DIR", help="Write results.sqlite, peaks.csv and files.csv into DIR."),
    click.option("--figures", type=click.Choice(FIGURES), help="With -o: an overlay figure of each trace."),
    click.option("--report", is_flag=True, help="With -o: report.html, a page to look at all of it (extra: report)."),
    click.option("--jobs", type=click.IntRange(min=0), default=1, show_default=True, metavar="N",
                 help="Files fitted at the same time, of one file its windows; 0 for one a core."),
    click.option("--dask", default="", metavar="ADDRESS", help="Fit on the cluster of this scheduler: tcp://HOST:PORT."),
    click.option("--resume/--no-resume", default=True, show_default=True,
                 help="With -o: leave out unchanged files that are done."),
    click.option("--prune", is_flag=True, help="With -o: drop the rows of files that are no longer there."),
    click.option("--fail-fast", is_flag=True, help="Begin no further file after one has failed."),
    quantity("--timeout", above=0, help="With -o: longest time for one file [s]."),
    click.option("--max-memory", callback=size, metavar="SIZE", help="With -o: most memory of one worker: 500M, 2G."),
    click.option("--log", metavar="FILE", help="With -o: append what happens to FILE, as JSON lines."),
)  # fmt: skip


def fit_into_folder(
    files: Sequence[str],
    task: "FileTask",
    folder: Path,
    batch: Batch,
    layout: Layout,
    *,
    lenient: bool = False,
    hint: str = "",
) -> int:
    """Fit the files into a folder; say how it ended in one line; return the exit code.

    The folder's tables are CSV; where a format is asked for, the peak table is written to stdout in it as well.
    """
    from gcfit.batch import run
    from gcfit.results import PEAK_COLUMNS

    layout.chosen(PEAK_COLUMNS)  # a wrong name is told before the work, and where nothing goes to stdout too
    if "-" in files:
        raise click.UsageError("- does not go with -o DIR, where a file is known by its name; save it to a file.")
    summary = run(
        files, task, folder, jobs=batch.jobs, dask=batch.dask, resume=batch.resume, prune=batch.prune,
        fail_fast=batch.fail_fast, lenient=lenient, timeout=batch.timeout, max_memory=batch.max_memory,
        log=Path(batch.log) if batch.log else None, progress=sys.stderr, write=TableFile(layout),
        report=command_line(sys.argv[1:], files) if batch.report else None,
    )  # fmt: skip
    if layout.format:
        _show(folder, layout)
    if hint and summary.counts.fitted:
        say(hint)
    say(summary.line)
    return summary.exit_code


def command_line(words: Sequence[str], files: Iterable[str]) -> str:
    """Return the command as it would be typed again, of more than three files only the first and the last."""
    named = set(files)
    places = [place for place, word in enumerate(words) if word in named]
    hidden = set(places[1:-1]) if len(places) > 3 else set()
    first = min(hidden, default=-1)
    shown = ["…" if place == first else shlex.quote(word)
             for place, word in enumerate(words) if place not in hidden or place == first]  # fmt: skip
    return " ".join(["gcfit", *shown])


@dataclass(frozen=True)
class TableFile:
    """Writes a table of the folder as CSV, with the decimal comma and the byte order mark that the layout asks for."""

    layout: Layout

    def __call__(self, stream: IO[bytes], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write columns and rows to a binary stream and leave it open."""
        plain = replace(self.layout, format=None, columns=None, digits=None)
        put_rows((dict(zip(columns, row, strict=True)) for row in rows), columns, stream, plain)


def _show(folder: Path, layout: Layout) -> None:
    from gcfit.batch.store import readable
    from gcfit.results import PEAK_COLUMNS

    with readable(folder) as store:  # the next run may have begun
        rows = (dict(zip(PEAK_COLUMNS, row, strict=True)) for row in store.rows("peaks"))
        put_table(rows, PEAK_COLUMNS, "-", layout)
