"""Tables as commands write them: pieces of a long table, chosen columns, rounding, marks."""

import codecs
import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gcfit.cli.output import PIECE, Layout, Row, put_rows, put_table

COLUMNS = ["name", "value", "line\nbreak"]


def rows(count: int) -> Iterator[Row]:
    return ({"name": f"a,{i}", "value": i / 3, "line\nbreak": None} for i in range(count))


def written(count: int, layout: Layout) -> bytes:
    stream = io.BytesIO()
    put_rows(rows(count), COLUMNS, stream, layout)
    return stream.getvalue()


@pytest.mark.parametrize("count", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_a_table_in_pieces_is_the_table(count: int) -> None:
    found = list(csv.reader(io.StringIO(written(count, Layout()).decode(), newline="")))
    assert found == [COLUMNS, *([f"a,{i}", repr(i / 3), ""] for i in range(count))]


def test_a_long_table_needs_no_memory() -> None:
    class Sink(io.RawIOBase):
        def write(self, content: object) -> int:
            return len(content)  # type: ignore[arg-type]

    tracemalloc.start()
    put_rows(rows(30 * PIECE), COLUMNS, Sink(), Layout())  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 * PIECE * 20  # the text of all rows alone is longer than that


def test_a_byte_order_mark_stands_once() -> None:
    content = written(2 * PIECE, Layout(bom=True))
    assert content.startswith(codecs.BOM_UTF8)
    assert content.count(codecs.BOM_UTF8) == 1
    assert content[3:] == written(2 * PIECE, Layout())


def test_decimal_comma() -> None:
    content = written(2, Layout(decimal_comma=True)).decode()
    assert content.split("\n")[-2] == "a,1;0,3333333333333333;"


def test_digits_round_floats_only() -> None:
    stream = io.BytesIO()
    row: Row = {"a": 12345.678, "b": 12345, "c": "12345.678", "d": None, "e": 1.5e-9, "f": float("nan")}
    put_rows([row], list(row), stream, Layout(digits=3))
    assert stream.getvalue().decode().splitlines()[1] == "12300.0,12345,12345.678,,1.5e-09,nan"


@pytest.mark.parametrize(("digits", "cell"), [(None, "0.333333"), (3, "0.333"), (12, "0.333333333333")])
def test_digits_of_markdown(digits: int | None, cell: str) -> None:
    stream = io.BytesIO()
    put_rows([{"a": 1 / 3}], ["a"], stream, Layout(format="markdown", digits=digits))
    assert stream.getvalue().decode().split("\n")[2].strip("| ") == cell


def test_columns_are_chosen_and_ordered() -> None:
    assert written(1, Layout(columns="value, name")).decode() == 'value,name\n0.0,"a,0"\n'


def test_an_unknown_column_is_named_with_the_nearest() -> None:
    with pytest.raises(click.BadParameter, match=r"'valeu' is not a column of the table; did you mean value\?"):
        Layout(columns="name,valeu").chosen(COLUMNS)


def test_formats_that_are_not_streamed_are_whole() -> None:
    assert len(json.loads(written(2 * PIECE, Layout(format="json")))) == 2 * PIECE


def test_a_file_is_replaced_only_by_a_whole_table(tmp_path: Path) -> None:
    def breaking() -> Iterator[Row]:
        yield from rows(2 * PIECE)
        raise RuntimeError

    target = tmp_path / "table.csv"
    target.write_text("mine", encoding="utf-8")
    with pytest.raises(RuntimeError):
        put_table(breaking(), COLUMNS, str(target), Layout())
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
    assert target.read_text(encoding="utf-8") == "mine"
    put_table(rows(1), COLUMNS, str(target), Layout(columns="name"))
    assert target.read_text(encoding="utf-8") == 'name\n"a,0"\n'
