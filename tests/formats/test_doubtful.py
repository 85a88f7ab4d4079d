"""Text that is easily misread: every file is read right, or refused or warned about in one line; none in silence."""

from pathlib import Path

import pytest

from gcfit.errors import InputError
from gcfit.formats import ReadOptions, read_file
from gcfit.formats.records import Reading
from tests.formats.samples import ezchrom


def reading(folder: Path, text: str, **options: object) -> Reading:
    path = folder / "run.csv"
    path.write_text(text, encoding="utf-8")
    return read_file(path, ReadOptions(**options))  # type: ignore[arg-type]


def test_decimal_commas_of_ezchrom(tmp_path: Path) -> None:
    head, values = ezchrom().split(b"Pts.", 1)
    path = tmp_path / "run.asc"
    path.write_bytes(
        (head + b"Pts.").replace(b"2.0", b"2,0").replace(b"0.5\tHz", b"0,5\tHz") + values.replace(b".", b",")
    )
    first, second = read_file(path).chromatograms
    assert (first.time[1], first.signal[0], second.time[1], second.signal[0]) == (0.5, 5.0, 2.0, 1.0)


JCAMP = (
    "##TITLE=x\n##JCAMP-DX=4.24\n##DATA TYPE=GAS CHROMATOGRAM\n##XUNITS=SECONDS\n##FIRSTX=0\n##LASTX=2\n"
    "##YFACTOR={}\n{}\n##END=\n"
)


def test_decimal_commas_of_jcamp(tmp_path: Path) -> None:
    table = "##XYDATA=(X++(Y..Y))\n0 10 20 30"
    assert reading(tmp_path, JCAMP.format("0,5", table)).chromatograms[0].signal.tolist() == [5, 10, 15]
    with pytest.raises(InputError, match="##YFACTOR=: 'half' is no number"):
        reading(tmp_path, JCAMP.format("half", table))
    with pytest.raises(InputError, match="3 numbers in a line are no pairs; decimals need a point"):
        reading(tmp_path, JCAMP.format("1", "##XYPOINTS=(XY..XY)\n0,0 10\n0,5 20"))
