"""Lists of expected peaks: what can be written, and what is told in one line."""

from pathlib import Path

import pytest

from gcfit.errors import InputError
from gcfit.fitting.peak_list import read_expected
from gcfit.fitting.records import Expected


def read(folder: Path, text: str, encoding: str = "utf-8") -> tuple[Expected, ...]:
    path = folder / "peaks.csv"
    path.write_bytes(text.encode(encoding))
    return read_expected(str(path))


def test_names_times_and_windows(tmp_path: Path) -> None:
    text = "name,retention_time_s,window_s\nbenzene,119.2,3\n\ntoluene,231,\n"
    assert read(tmp_path, text) == (Expected("benzene", 119.2, 3.0), Expected("toluene", 231.0))
    # 3 % of the retention where no window is given
    assert read(tmp_path, text)[1].reach == pytest.approx(6.93)


def test_european_with_a_byte_order_mark_and_columns_of_other_uses(tmp_path: Path) -> None:
    text = "peak;name;fwhm_s;retention_time_s\r\n1;Äthanol;2,5;68,5\r\n"
    assert read(tmp_path, text, "utf-8-sig") == (Expected("Äthanol", 68.5, fwhm=2.5),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,window_s\na,1\n", "column retention_time_s is missing; the first line must name name, retention_time_s"),
        ("", "column name is missing"),
        ("name,retention_time_s\n", "holds no peaks; write one a line"),
        ("name,retention_time_s\na,x\n", "line 2, column retention_time_s: 'x' is not a number"),
        ("name,retention_time_s\na,nan\n", "line 2, column retention_time_s: 'nan' is not a number"),
        ("name,retention_time_s\na,1\n,2\n", "line 3: the name is empty"),
        ("name,retention_time_s\na,1\na,2\n", "line 3: the name 'a' was there before"),
        ("name,retention_time_s\na,\n", "line 2, column retention_time_s: the retention time is empty"),
        ("name,retention_time_s,window_s\na,1,0\n", "line 2, column window_s: 0 is not above 0"),
        ("name,retention_time_s,window_s\na,1,-2\n", "line 2, column window_s: -2 is not above 0"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
    assert "peaks.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read: No such file"):
        read_expected(str(tmp_path / "none.csv"))
    with pytest.raises(InputError, match=r"cannot be read: not a text in UTF-8"):
        read(tmp_path, "name,retention_time_s\nÄ,1\n", "latin-1")
