"""Figures as files: the same bytes for the same input, text as text, fonts inside, nothing half written."""

import hashlib
import io
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gcfit.errors import InputError, OutputError
from gcfit.figures import FORMATS, overlay, render, save
from gcfit.figures.style import plain
from tests.handmade import made_fit

ROOT = Path(__file__).parents[1]
HOSTILE = ["$\\frac{1}{0}$ $x", "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>&amp;', "a\x00b\x1b[31m\nc"]
FIT = made_fit(
    [(100.0 * i, 4.0, 300.0) for i in range(1, 5)], names=HOSTILE, source="/x/=cmd()|<b>$1$.csv", trace="\udcff"
)


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_same_fit_gives_the_same_bytes_in_another_process(file_format: str) -> None:
    code = (
        "import hashlib; from tests.test_figures_saving import FIT; from gcfit.figures import overlay, render;"
        f"print(hashlib.sha256(render(overlay(FIT), {file_format!r})).hexdigest())"
    )
    here = hashlib.sha256(render(overlay(FIT), file_format)).hexdigest()
    for seed in ("1", "2"):
        variables = {**os.environ, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": "1", "TZ": "Asia/Tokyo"}
        command = [sys.executable, "-c", code]
        run = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, check=True)
        assert run.stdout.strip() == here


def test_svg_text_is_text_and_text_from_files_is_inert() -> None:
    document = ElementTree.fromstring(render(overlay(FIT), "svg"))
    tags = {element.tag.rsplit("}")[-1] for element in document.iter()}
    assert not tags & {"script", "img", "b", "image", "foreignObject"}
    texts = ["".join(element.itertext()) for element in document.iter() if element.tag.endswith("}text")]
    assert "1 $\\frac{1}{0}$ $x" in texts
    assert "2 <script>alert(1)</script>" in texts
    assert "4 a b [31m c" in texts
    assert any(text.startswith("=cmd()|<b>$1$.csv") for text in texts)


def test_pdf_fonts_are_embedded_as_outlines_that_keep_their_text() -> None:
    pdf = render(overlay(FIT), "pdf")
    streams = [zlib.decompress(part) for part in re.findall(rb"stream\r?\n(x\x9c.*?)\r?\nendstream", pdf, re.DOTALL)]
    objects = pdf + b"".join(streams)
    assert b"/FontFile2" in objects  # TrueType program inside the file (ISO 32000-1, 9.9)
    assert b"/Subtype /Type3" not in objects
    assert b"/CreationDate" not in objects


def test_a_png_says_nothing_about_when_and_with_what_it_was_made() -> None:
    png = render(overlay(FIT), "png")
    assert not re.search(rb"tEXt|tIME|Software", png)


def test_the_format_is_that_of_the_name_of_the_option_or_png(tmp_path: Path) -> None:
    figure = overlay(FIT)
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    for suffix, start in starts.items():
        save(figure, tmp_path / f"a.{suffix.upper()}")
        assert (tmp_path / f"a.{suffix.upper()}").read_bytes().startswith(start)
    stream = io.BytesIO()
    save(figure, stream)
    assert stream.getvalue().startswith(starts["png"])
    save(figure, tmp_path / "noname", "svg")
    assert (tmp_path / "noname").read_bytes().startswith(starts["svg"])


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    target = tmp_path / "a.xls"
    with pytest.raises(InputError, match=r"a\.xls: is no figure format: 'xls'; use one of png, svg, pdf"):
        save(overlay(FIT), target)
    assert not target.exists()


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"a\.png: .*No such file or directory"):
        save(overlay(FIT), tmp_path / "none" / "a.png")


def test_a_failing_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OutputError, match="No space left on device"):
        save(overlay(FIT), target)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("benzene", "benzene"),
        ("a\tb\r\nc", "a b c"),
        ("a\u202eb\u200b", "a b"),  # turns the reading direction round; has no width
        ("\ud800", ""),
        ("e\u0301", "\u00e9"),
        ("x" * 70, "x" * 59 + "…"),
        ("α-pinène 名", "α-pinène 名"),
    ],
)
def test_plain_text_is_one_printable_line(given: str, shown: str) -> None:
    assert plain(given) == shown
