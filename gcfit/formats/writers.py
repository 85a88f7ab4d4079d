"""Tables out: CSV, TSV, JSON, Markdown, and with optional packages XLSX and Parquet; chromatograms as CSV.

Numbers are written in the shortest form that gives the same float back, None as an empty cell. Text that a spreadsheet
would run as a formula, that is, one that begins with `=`, `+`, `-`, `@`, a tab or a line end, gets an apostrophe before
it, as a user of a spreadsheet would type; text that begins with apostrophes followed by one of these gets one
more, so that taking one away (`unquoted`) restores every text. Numbers are never touched, nor is any text in JSON,
Markdown and Parquet, which run nothing.
"""

import io
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from gcfit.chromatogram import Chromatogram
from gcfit.errors import GcfitError, MissingExtraError
from gcfit.formats.atomic import atomic_write

Row = Mapping[str, object]
TableFormat = Literal["csv", "tsv", "json", "markdown", "xlsx", "parquet"]
Out = IO[bytes] | IO[str] | str | Path

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")  # some spreadsheets take the wide signs for the plain ones
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# what a workbook writes as _x000D_ (ECMA-376 part 1, 22.9.2.19): what XML has not or changes, and the like of itself
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


@dataclass(frozen=True)
class Numbers:
    """How numbers look in a table that is text: with a decimal comma or a point, and how many digits for reading."""

    decimal_comma: bool = False
    digits: int = 6

    def marked(self, text: str) -> str:
        """Return a number's text with its decimal mark."""
        return text.replace(".", ",") if self.decimal_comma else text


def quoted(text: str) -> str:
    """Return text that no spreadsheet runs as a formula; `unquoted` restores it."""
    return f"'{text}" if _FORMULA.match(text) else text


def unquoted(text: str) -> str:
    """Return the text that `quoted` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text


def write_table(
    rows: Sequence[Row],
    columns: Sequence[str],
    out: Out,
    format: TableFormat = "csv",
    *,
    decimal_comma: bool = False,
    bom: bool = False,
    digits: int | None = None,
) -> None:
    """Write rows of one table.

    Parameters
    ----------
    rows : sequence of mapping
        Values by column name; a missing name and None are empty cells.
    columns : sequence of str
        Names in their order.
    out : stream, str or Path
        A path is written atomically.
    format : str
        Key of `WRITERS`.
    decimal_comma : bool
        CSV and TSV: numbers with a decimal comma; CSV then separates cells by semicolons.
    bom : bool
        CSV and TSV: begin with the mark by which Excel knows UTF-8.
    digits : int, optional
        Round floats to this many significant digits; by default all are written, but six in Markdown.

    Raises
    ------
    OutputError
        If the path cannot be written.
    MissingExtraError
        If the packages for XLSX or Parquet are not installed.
    """
    shown = rows if digits is None else [_rounded(row, digits) for row in rows]
    table = _writer(format)(shown, columns, Numbers(decimal_comma, digits or Numbers.digits))
    _put(("\ufeff".encode() if bom and format in ("csv", "tsv") else b"") + table, out)


def write_chromatogram(traces: Chromatogram | Sequence[Chromatogram], out: Out) -> None:
    """Write one or several traces as CSV, which reads back as the same numbers.

    One trace, or several on the same times, make the columns `time_s` and `signal` or the names of the traces; other
    traces follow one another, each under a line with its name.

    Parameters
    ----------
    traces : Chromatogram or sequence of Chromatogram
    out : stream, str or Path
        A path is written atomically.
    """
    traces = [traces] if isinstance(traces, Chromatogram) else list(traces)
    if not traces:
        raise GcfitError("there is no chromatogram to be written")
    together = all(trace.time.tobytes() == traces[0].time.tobytes() for trace in traces)
    groups = [traces] if together else [[trace] for trace in traces]
    _put("".join(_series(group, named=len(groups) > 1) for group in groups).encode(), out)


def _series(traces: list[Chromatogram], named: bool) -> str:
    """Return traces on the same times as text."""
    names = ["signal"] if len(traces) == 1 else [_heading(trace, i) for i, trace in enumerate(traces)]
    columns = [trace.tolist() for trace in (traces[0].time, *(trace.signal for trace in traces))]
    heads = [[_heading(traces[0], 0)]] if named else []
    lines = [",".join(_enclosed(cell, ",") for cell in head) for head in [*heads, ["time_s", *names]]]
    lines += [",".join(map(repr, row)) for row in zip(*columns, strict=True)]
    return "\n".join(lines) + "\n"


def _heading(trace: Chromatogram, number: int) -> str:
    """Return the name of a trace on one line."""
    return quoted(_CONTROL.sub(" ", trace.trace)) or f"trace {number + 1}"


def _writer(format: str) -> "Callable[[Sequence[Row], Sequence[str], Numbers], bytes]":
    """Return the writer of a format."""
    if format not in WRITERS:
        raise GcfitError(f"unknown table format '{format}'; known are {', '.join(WRITERS)}")
    return WRITERS[format]


def _put(content: bytes, out: Out) -> None:
    """Write to a path, or to a stream of bytes or text."""
    if isinstance(out, str | Path):
        with atomic_write(out) as stream:
            stream.write(content)
    elif isinstance(out, io.TextIOBase) and not hasattr(out, "buffer"):
        out.write(content.decode("utf-8", "surrogateescape"))
    else:
        out.flush()
        raw: Any = getattr(out, "buffer", out)  # names of files need not be text in the terminal's encoding
        raw.write(content)


def _rounded(row: Row, digits: int) -> dict[str, object]:
    return {name: float(f"{cell:.{digits}g}") if isinstance(cell, float) else cell for name, cell in row.items()}


def _number(value: object) -> float | int | None:
    """Return a plain number for bool-free Python and numpy numbers, None for everything else."""
    item = getattr(value, "item", None)
    plain = item() if callable(item) else value
    return plain if isinstance(plain, int | float) and not isinstance(plain, bool) else None


def _plain(value: object) -> object:
    """Return a number as a plain one, the rest as it is."""
    number = _number(value)
    return value if number is None else number


def _delimited(rows: Sequence[Row], columns: Sequence[str], delimiter: str, numbers: Numbers) -> bytes:
    """Return a table as delimited text."""
    lines = [delimiter.join(_enclosed(quoted(column), delimiter) for column in columns)]
    lines += [delimiter.join([_cell(row.get(name), delimiter, numbers) for name in columns]) for row in rows]
    return "".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape")


def _enclosed(cell: str, delimiter: str) -> str:
    """Put a cell in quotes where it needs them; a lone carriage return is a line end to many readers."""
    if delimiter not in cell and '"' not in cell and "\n" not in cell and "\r" not in cell:
        return cell
    return '"' + cell.replace('"', '""') + '"'


def _cell(value: object, delimiter: str, numbers: Numbers) -> str:
    """Return one cell of delimited text."""
    if value is None:
        return ""
    number = value if type(value) is float else _number(value)  # most cells of a long table are floats
    if number is None:
        return _enclosed(quoted(str(value)), delimiter)
    return numbers.marked(repr(number))


def _csv(rows: Sequence[Row], columns: Sequence[str], numbers: Numbers) -> bytes:
    return _delimited(rows, columns, ";" if numbers.decimal_comma else ",", numbers)


def _tsv(rows: Sequence[Row], columns: Sequence[str], numbers: Numbers) -> bytes:
    return _delimited(rows, columns, "\t", numbers)


def _json(rows: Sequence[Row], columns: Sequence[str], numbers: Numbers) -> bytes:
    """Return a list of objects, one row a line; what JSON has no number for (NaN, infinity) is null."""
    lines = (json.dumps({c: _json_value(row.get(c)) for c in columns}, ensure_ascii=False) for row in rows)
    body = ",\n".join(lines)
    # a byte of a file's name that is no text becomes \udcXX, which JSON may hold and Python gives back
    return f"[\n{body}\n]\n".encode("utf-8", "backslashreplace") if body else b"[]\n"


def _json_value(value: object) -> object:
    plain = _plain(value)
    if isinstance(plain, float) and not math.isfinite(plain):
        return None
    return plain if plain is None or isinstance(plain, str | int | float | bool) else str(plain)


def _markdown(rows: Sequence[Row], columns: Sequence[str], numbers: Numbers) -> bytes:
    """Return a table for reading: numbers with the digits asked for, columns that are empty throughout left out."""
    shown = [column for column in columns if any(row.get(column) not in (None, "") for row in rows)] or list(columns)
    table = [[_markdown_text(column) for column in shown], ["---"] * len(shown)]
    table += [[_markdown_cell(row.get(column), numbers) for column in shown] for row in rows]
    widths = [max(len(line[j]) for line in table) for j in range(len(shown))]
    table[1] = ["-" * width for width in widths]
    lines = (" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table)
    return "".join(f"| {line} |\n" for line in lines).encode("utf-8", "surrogateescape")


def _markdown_cell(value: object, numbers: Numbers) -> str:
    number = _number(value)
    if value is None or number is None:
        return "" if value is None else _markdown_text(str(value))
    return numbers.marked(f"{number:.{numbers.digits}g}" if isinstance(number, float) else str(number))


def _markdown_text(text: str) -> str:
    """Return text on one line, with the mark between cells escaped."""
    return _CONTROL.sub(" ", text).replace("\\", "\\\\").replace("|", "\\|")


def _xlsx(rows: Sequence[Row], columns: Sequence[str], numbers: Numbers) -> bytes:
    """Return a workbook of one sheet; text is stored as text, numbers with the 16 digits that openpyxl writes."""
    try:
        from openpyxl import Workbook
    except ImportError as error:
        raise MissingExtraError("writing XLSX", "excel") from error
    book = Workbook(write_only=True)
    sheet = book.create_sheet("gcfit")
    sheet.freeze_panes = "A2"
    sheet.append([_xlsx_cell(sheet, column) for column in columns])
    for row in rows:
        sheet.append([_xlsx_cell(sheet, row.get(column)) for column in columns])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _xlsx_cell(sheet: Any, value: object) -> object:
    """Return a number, None, or a cell of type text."""
    from openpyxl.cell import WriteOnlyCell

    plain = _plain(value)
    if plain is None or (isinstance(plain, int | float) and math.isfinite(plain)):
        return plain
    text = quoted(str(plain)).encode("utf-8", "backslashreplace").decode()
    cell = WriteOnlyCell(sheet, value=_NOT_IN_XML.sub(lambda match: f"_x{ord(match[0]):04X}_", text))
    cell.data_type = "s"
    return cell


def _parquet(rows: Sequence[Row], columns: Sequence[str], numbers: Numbers) -> bytes:
    """Return a Parquet file; a column is of numbers if all its values are, else of text."""
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise MissingExtraError("writing Parquet", "parquet") from error
    table = arrow.table({column: _arrow_column(arrow, [row.get(column) for row in rows]) for column in columns})
    content = io.BytesIO()
    parquet.write_table(table, content)
    return content.getvalue()


def _arrow_column(arrow: Any, values: Iterable[object]) -> object:
    """Return one column with its type; one without any value is of numbers, as the tables here mean it."""
    plain = [_plain(value) for value in values]
    present = [value for value in plain if value is not None]
    if present and all(isinstance(value, int) and not isinstance(value, bool) for value in present):
        return arrow.array(plain, arrow.int64())
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        return arrow.array(plain, arrow.float64())
    text = [None if value is None else str(value).encode("utf-8", "backslashreplace").decode() for value in plain]
    return arrow.array(text, arrow.string())


WRITERS: dict[str, Callable[[Sequence[Row], Sequence[str], Numbers], bytes]] = {
    "csv": _csv,
    "tsv": _tsv,
    "json": _json,
    "markdown": _markdown,
    "xlsx": _xlsx,
    "parquet": _parquet,
}
