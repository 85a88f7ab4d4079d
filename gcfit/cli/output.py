"""Where results go: tables to stdout or a file, remarks to stderr."""

import difflib
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click


@dataclass(frozen=True)
class Layout:
    """How a table is written: the values of `table_options`."""

    format: str = "csv"
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


def put_table(rows: Iterable[Mapping[str, object]], columns: Sequence[str], output: str, layout: Layout) -> None:
    """Write a table to stdout (`-`) or a file.

    Raises
    ------
    click.BadParameter
        If a column is asked for that the table does not have.
    OutputError
        If the file cannot be written.
    """
    from gcfit.formats import write_table

    shown = rows if layout.digits is None else (_rounded(row, layout.digits) for row in rows)
    target = sys.stdout if output == "-" else Path(output)
    write_table(
        shown, layout.chosen(columns), target, layout.format, decimal_comma=layout.decimal_comma, bom=layout.bom
    )


def _rounded(row: Mapping[str, object], digits: int) -> dict[str, object]:
    return {name: float(f"{cell:.{digits}g}") if isinstance(cell, float) else cell for name, cell in row.items()}


def say(text: str) -> None:
    """Write one remark on stderr."""
    click.echo(f"gcfit: {text}", err=True)
