"""`gcfit fit` told what to expect: lists of peaks, baselines by name, noise windows, one tail, as a user gives them."""

import csv
import io
from pathlib import Path

import pytest

from tests.cli.shell import ROOT, inside

SYSTEM, CHROMATOGRAM = (str(ROOT / "sample_data" / "btex" / name) for name in ("system.toml", "chromatogram.csv"))

LIST = "name,retention_time_s,window_s\nbenzene,119,4\nghost,300,5\no-xylene,576,5\n"


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def expected(tmp_path: Path) -> str:
    path = tmp_path / "expected.csv"
    path.write_text(LIST, encoding="utf-8")
    return str(path)


def test_a_list_goes_before_the_components_of_the_system(expected: str) -> None:
    run = inside("fit", CHROMATOGRAM, "--system", SYSTEM, "--peaks", expected)
    table = rows(run.stdout)
    assert [row["name"] for row in table] == ["benzene", "", "", "", "o-xylene", "ghost"]
    assert [row["status"] for row in table] == ["ok"] * 5 + ["not found"]
    ghost = table[-1]
    assert (ghost["retention_time_s"], ghost["area"], ghost["peak"]) == ("", "", "6")
    assert float(ghost["detection_limit"]) > 0
    assert ghost["message"].startswith("expected at 300 s ± 5 s; detection limit: area ")
    assert all(row["detection_limit"] == "" for row in table[:-1])


def test_absent_peaks_in_a_batch_its_figures_and_its_plot(expected: str, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    run = inside("fit", CHROMATOGRAM, "--peaks", expected, "--hold-up", "34.2", "-o", str(folder), "--figures", "svg")
    assert run.returncode == 0
    (file,) = rows((folder / "files.csv").read_text(encoding="utf-8"))
    assert file["peaks"] == "5"
    assert [row["status"] for row in rows((folder / "peaks.csv").read_text(encoding="utf-8"))][-1] == "not found"
    assert "ghost not found" in next((folder / "figures").iterdir()).read_text(encoding="utf-8")
    drawn = tmp_path / "again.svg"
    table = ("--table", str(folder / "peaks.csv"), "--hold-up", "34.2")
    assert inside("plot", CHROMATOGRAM, *table, "-o", str(drawn)).returncode == 0
    assert "ghost not found" in drawn.read_text(encoding="utf-8")
    assert inside("plot", str(folder), "-o", str(tmp_path / "trends.png")).returncode == 0


def test_a_baseline_by_name(expected: str) -> None:
    local, lines = (
        rows(inside("fit", CHROMATOGRAM, "--system", SYSTEM, "--baseline", name).stdout) for name in ("auto", "line")
    )
    for one, other in zip(local, lines, strict=True):
        assert one["area"] != other["area"]
        assert float(one["area"]) == pytest.approx(float(other["area"]), rel=0.01)
    run = inside("fit", CHROMATOGRAM, "--system", SYSTEM, "--baseline", "line", "-v")
    assert "baseline line: its shape is taken as known" in run.stderr


def test_an_unknown_baseline_is_one_line() -> None:
    run = inside("fit", CHROMATOGRAM, "--baseline", "rubber")
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr == (
        "gcfit fit: baseline 'rubber' is not known; known are auto, valleys, line, asls, airpls, arpls, iarpls, psalsa,"
        " modpoly, imodpoly, mor, snip. Try 'gcfit fit --help'.\n"
    )


def test_a_noise_window_is_the_noise_of_snr() -> None:
    plain, told = (
        rows(inside("fit", CHROMATOGRAM, "--system", SYSTEM, *more).stdout)
        for more in ((), ("--noise-window", "300-400"))
    )
    # the 501 points from 300 to 400 s, a line taken out: 2 H/h for every peak with one and the same h
    ranges = [2 * float(row["height"]) / float(row["snr"]) for row in told]
    assert ranges == pytest.approx([ranges[0]] * 5, rel=1e-9)
    noise = 2 * float(plain[0]["height"]) / float(plain[0]["snr"]) / 6
    assert 5 * noise < ranges[0] < 8 * noise
    assert [row["area"] for row in plain] == [row["area"] for row in told]


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (("--noise-window", "5"), 2, "'5' is not a stretch START-END in seconds"),
        (("--noise-window", "60-50"), 2, "'60-50' is not a stretch START-END in seconds"),
        (("--noise-window", "7000-8000"), 1, "0 points in the noise window 7000 to 8000 s; give a blank stretch of 20"),
        (("--peaks", "none.csv"), 1, "none.csv: cannot be read: No such file"),
        (("--peaks", CHROMATOGRAM), 1, "column name is missing; the first line must name name, retention_time_s"),
    ],
)
def test_what_cannot_be_used_is_one_line(options: tuple[str, ...], code: int, text: str) -> None:
    run = inside("fit", CHROMATOGRAM, *options)
    assert run.returncode == code
    assert text in run.stderr
    assert run.stderr.count("\n") == 1


def test_one_tail() -> None:
    table = rows(inside("fit", CHROMATOGRAM, "--system", SYSTEM, "--shared-tail").stdout)
    assert len({row["tail_s"] for row in table}) == 1
    assert {row["model"] for row in table} == {"laplace+tail"}
