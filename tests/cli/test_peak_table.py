"""What the plot takes for a peak table."""

from pathlib import Path

from gcfit.cli.peak_table import is_peak_table


def test_a_binary_file_is_no_peak_table(tmp_path: Path) -> None:
    path = tmp_path / "trace.ch"
    path.write_bytes(b"\x03181\r\x00file,trace,peak\r\x00 and more\n")
    assert not is_peak_table(path)
