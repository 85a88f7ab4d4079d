"""Where results go: tables to stdout or a file, remarks to stderr."""

import codecs
import difflib
import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING

import click

from gcfit.errors import OutputError, one_line

if TYPE_CHECKING:
    from gcfit.formats.writers import TableFormat

Row = Mapping[str, object]
Rows = Iterable[Row]
STREAMED, PIECE = ("csv", "tsv"), 1000


@dataclass(frozen=True)
class Layout:
    """How a table is written: the values of `table_options`; without a format it is CSV."""

    format: "TableFormat | None" = None
    decimal_comma: bool = False
    bom: bool = False
    columns: str | None = None
    digits: int | None = None

    def chosen(self, columns: Sequence[str]) -> Sequence[str]:
        """Return the columns to write; raises `click.BadParameter` for one that the table does not have."""
        if self.columns is None:
            return columns
        chosen = [name.strip() for name in self.columns.split(",")]
        for name in chosen:
            if name not in columns:
                near = difflib.get_close_matches(name, columns, n=1, cutoff=0.4)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(columns)}."
                raise click.BadParameter(f"{name!r} is not a column of the table; {hint}", param_hint="'--columns'")
        return chosen


def put_table(rows: Rows, columns: Sequence[str], output: str, layout: Layout) -> None:
    """Write a table to stdout (`-`) or a file.

    Raises
    ------
    click.BadParameter
        If a column is asked for that the table does not have.
    OutputError
        If the file cannot be written.
    """
    if output == "-":
        put_rows(rows, columns, standard_output(), layout)
        return
    from gcfit.formats.atomic import atomic_write

    with atomic_write(output) as stream:
        put_rows(rows, columns, stream, layout)


def standard_output() -> IO[bytes]:
    """Return stdout for bytes; raises `OutputError` where it was closed before the command began."""
    if sys.stdout is None:
        raise OutputError("standard output is closed; write into a file or folder with -o")
    return sys.stdout.buffer


def put_rows(rows: Rows, columns: Sequence[str], stream: IO[bytes], layout: Layout) -> None:
    """Write a table to a binary stream: delimited text piece by piece, so that it may be longer than the memory."""
    from gcfit.formats.writers import write_table

    chosen, name = layout.chosen(columns), layout.format or "csv"
    if name not in STREAMED:
        write_table(list(rows), chosen, stream, name, digits=layout.digits)
        return
    header = _text([], chosen, name, layout)
    stream.write((codecs.BOM_UTF8 if layout.bom else b"") + header)
    for piece in _pieces(rows, PIECE):
        stream.write(_text(piece, chosen, name, layout)[len(header) :])


def _text(rows: Sequence[Row], columns: Sequence[str], name: "TableFormat", layout: Layout) -> bytes:
    from gcfit.formats.writers import write_table

    content = io.BytesIO()
    write_table(rows, columns, content, name, decimal_comma=layout.decimal_comma, digits=layout.digits)
    return content.getvalue()


def _pieces(rows: Rows, size: int) -> Iterator[list[Row]]:
    waiting = iter(rows)
    while piece := list(islice(waiting, size)):
        yield piece


def say(text: str) -> None:
    """Write one remark on stderr, on one line whatever a file name holds."""
    click.echo(f"gcfit: {one_line(text)}", err=True)
