"""`gcfit compare CHROMATOGRAM`: models, the full equations, the vendor's peaks, and which of them when."""

import csv
import io
import json
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from gcfit.cli import model_rows, vendor_rows
from gcfit.cli.comparing import _watched
from gcfit.cli.kinds import LONGEST, is_system
from gcfit.fitting.comparison import WAYS
from tests.cli.shell import ROOT, bash, gcfit, inside
from tests.handmade import gaussian
from tests.realdata import needs_real_data, real_data_folder

SAMPLE = ROOT / "sample_data" / "btex"
SYSTEM = SAMPLE / "system.toml"
TIME = np.arange(0.0, 120.0, 0.2)
HEADER = "[Header]\nApplication Name\tLabSolutions\n\n"


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def shimadzu(signal: np.ndarray, listed: list[tuple[str, float, float, float]], detector: str = "A") -> str:
    """Sections of a LabSolutions export: a peak table of (name, retention [min], area, height) and the trace in µV."""
    lines = [f"[Peak Table(Detector {detector}-Ch1)]", f"# of Peaks\t{len(listed)}"]
    lines.append("Peak#\tR.Time\tI.Time\tF.Time\tArea\tHeight\tName")
    for number, (name, retention, area, height) in enumerate(listed, 1):
        lines.append(f"{number}\t{retention}\t{retention - 0.2}\t{retention + 0.2}\t{area}\t{height}\t{name}")
    lines += ["", f"[LC Chromatogram(Detector {detector}-Ch1)]", "Interval(msec)\t200", f"# of Points\t{TIME.size}"]
    lines += ["Start Time(min)\t0.000", f"End Time(min)\t{TIME[-1] / 60:.3f}", "Intensity Units\tuV"]
    lines += ["Intensity Multiplier\t1", "R.Time (min)\tIntensity"]
    lines += [f"{time / 60:.6f}\t{value:.3f}" for time, value in zip(TIME, signal, strict=True)]
    return "\n".join(lines) + "\n\n"


@pytest.fixture(scope="module")
def vendor_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two peaks, of which the vendor's table has the first, one where nothing is, and one that was not found."""
    noise = np.random.default_rng(3).standard_normal(TIME.size)
    signal = 100 + gaussian(TIME, 40.0, 2.0, 5000.0) + gaussian(TIME, 80.0, 2.5, 8000.0) + noise
    path = tmp_path_factory.mktemp("vendor") / "export.txt"
    listed = [("first", 40.0 / 60, 5100.0, 990.0), ("ghost", 1.75, 700.0, 60.0), ("absent", 1.9, 0.0, 0.0)]
    path.write_text(HEADER + shimadzu(signal, listed), encoding="utf-8")
    return path


def test_models_of_the_sample(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    asked = ("--model", "laplace", "--model", "gauss*", "-o", folder)
    run = inside("compare", SAMPLE / "chromatogram.csv", "--system", SYSTEM, *asked)
    assert (run.returncode, run.stderr) == (0, "")
    found = rows(run.stdout)
    assert tuple(found[0])[: len(model_rows.COLUMNS)] == model_rows.COLUMNS
    assert [(row["model"], row["strategy"]) for row in found] == [
        ("laplace", "pairs"),
        ("gaussian", "pairs"),
        ("laplace", "simultaneous"),
        ("gaussian", "simultaneous"),
    ]
    by_model = {(row["model"], row["strategy"]): row for row in found}
    pairs = by_model["laplace", "pairs"]
    assert float(by_model["gaussian", "pairs"]["bic"]) > float(pairs["bic"]) + 100
    # areas of the system file, within a quarter of a percent
    for name, area in {"benzene": 1159.4, "toluene": 927.2, "p,m-xylene": 1411.2}.items():
        assert float(pairs[f"area_{name}"]) == pytest.approx(area, rel=2.5e-3)
    assert (pairs["peaks"], float(pairs["r_squared"]) > 0.999) == ("5", True)
    names = {path.name for path in folder.iterdir()}
    overlays = {f"{model}_{strategy}.png" for model, strategy in by_model}
    assert names == {"comparison.csv", "peaks.csv", "models.png", *overlays}
    assert rows((folder / "comparison.csv").read_text(encoding="utf-8")) == found
    assert len(rows((folder / "peaks.csv").read_text(encoding="utf-8"))) == 20
    for figure in folder.glob("*.png"):
        assert figure.read_bytes().startswith(b"\x89PNG")


def test_every_model_by_default() -> None:
    """One peak, to be quick; JSON has numbers and nulls."""
    part = ("--start", "80", "--end", "170", "--hold-up", "34.18", "--injection", "4")
    run = inside("compare", SAMPLE / "chromatogram.csv", *part, "--format", "json")
    found = json.loads(run.stdout)
    assert [(row["model"], row["strategy"]) for row in found] == [(way.model, way.strategy) for way in WAYS]
    assert min(row["delta_bic"] for row in found) == 0
    assert {row["peaks"] for row in found} == {1}


def test_the_pair_through_the_full_equations() -> None:
    part = ("--start", "80", "--end", "170", "--system", SYSTEM, "--model", "laplace", "--strategy", "pairs")
    run = inside("compare", SAMPLE / "chromatogram.csv", *part, "--with", "numerical")
    fourier, numerical = rows(run.stdout)
    assert (fourier["solver"], numerical["solver"]) == ("laplace", "numerical")
    assert float(numerical["area_benzene"]) == pytest.approx(float(fourier["area_benzene"]), rel=1e-3)
    assert float(numerical["bic"]) == pytest.approx(float(fourier["bic"]), abs=3)


def test_content_decides_what_stdin_is() -> None:
    """A pipe, as a shell makes it: the system file with one component, and the sample."""
    head, benzene = SYSTEM.read_text(encoding="utf-8").split("[[component]]")[:2]
    kept = "\n".join(line for line in benzene.splitlines() if not line.startswith("diffusion"))
    system = gcfit("compare", "-", "--columns", "velocity,solver", stdin=f"# x\n\n{head}[[component]]{kept}\n")
    assert (system.returncode, system.stdout.splitlines()[1]) == (0, "variable,closed form")
    chromatogram = (SAMPLE / "chromatogram.csv").read_bytes()
    asked = ("--model", "laplace", "--strategy", "pairs", "--columns", "model,peaks")
    run = gcfit("compare", "-", *asked, stdin=chromatogram)
    assert (run.returncode, run.stdout) == (0, "model,peaks\nlaplace,5\n")


COMMENTS = "# exported\n" * 40


@pytest.mark.parametrize("source", ["-", "run.csv"])
@pytest.mark.parametrize("head", [COMMENTS, "detector = FID\n", "column = 3\n", "#" + " x" * 40_000 + "\n"])
def test_a_chromatogram_is_known_whatever_stands_above_it(head: str, source: str, tmp_path: Path) -> None:
    text = head + (SAMPLE / "chromatogram.csv").read_text(encoding="utf-8")
    (tmp_path / "run.csv").write_text(text, encoding="utf-8")
    asked = ("--model", "gaussian", "--strategy", "pairs", "--end", "170", "--columns", "model,peaks")
    run = inside("compare", source, *asked, stdin=text, cwd=tmp_path)
    assert (run.returncode, run.stdout) == (0, "model,peaks\ngaussian,1\n")


def test_what_comes_in_pieces_is_waited_for() -> None:
    head, rest = SYSTEM.read_text(encoding="utf-8").replace("length_m = 20", "length_m = -20").split("[column]")
    run = bash(f"(printf '# x\n'; sleep 0.5; cat <<'END'\n{head}[column]{rest}\nEND\n) | gcfit compare -")
    assert run.stderr == "gcfit: -: [column] length_m: is -20; it must be above 0\n"


def test_a_long_pipe_is_read_to_its_end() -> None:
    """More than is looked at to see what it is."""
    time = np.arange(0.0, 120.0, 0.002)
    signal = gaussian(time, 60.0, 2.0, 5000.0) + np.random.default_rng(3).standard_normal(time.size)
    text = "time_s,signal\n" + "".join(f"{t:.3f},{y:.9f}\n" for t, y in zip(time, signal, strict=True))
    assert len(text) > LONGEST
    with mock.patch("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(text.encode())))):
        assert not is_system("-")
        assert sys.stdin.read() == text


def test_a_system_file_by_another_name_is_one(tmp_path: Path) -> None:
    path = tmp_path / "column.txt"
    path.write_text(SYSTEM.read_text(encoding="utf-8").replace("length_m = 20", "length_m = -20"), encoding="utf-8")
    run = inside("compare", path)
    assert run.stderr == f"gcfit: {path}: [column] length_m: is -20; it must be above 0\n"


def test_variables_are_named_like_the_options() -> None:
    variables = {
        "GCFIT_COMPARE_MODEL": "laplace gaussian", "GCFIT_MODEL": "emg", "GCFIT_STRATEGY": "pairs",
        "GCFIT_COMPARE_WITH": "numerical",
    }  # fmt: skip
    part = ("--start", "80", "--end", "170", "--system", SYSTEM, "--columns", "model,strategy,solver")
    run = inside("compare", SAMPLE / "chromatogram.csv", *part, env=variables)
    assert run.stdout.splitlines()[1:] == ["laplace,pairs,laplace", "gaussian,pairs,", "laplace,pairs,numerical"]


def test_the_vendors_peaks_beside_the_fit(vendor_file: Path, tmp_path: Path) -> None:
    run = inside("compare", vendor_file, "-o", tmp_path)
    assert run.returncode == 0
    assert f"gcfit: {vendor_file}: the vendor's peak table beside the fit; --with models compares" in run.stderr
    found = rows(run.stdout)
    assert tuple(found[0]) == vendor_rows.COLUMNS
    assert [(row["found_by"], row["vendor_name"]) for row in found] == [
        ("both", "first"),
        ("gcfit", ""),
        ("vendor", "ghost"),
        ("neither", "absent"),
    ]
    assert float(found[0]["area_ratio"]) == pytest.approx(5000 / 5100, rel=0.01)
    assert float(found[0]["area_integrated_ratio"]) == pytest.approx(5000 / 5100, rel=0.01)
    assert float(found[1]["area"]) == pytest.approx(8000, rel=0.01)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["comparison.csv", "fit.png"]
    asked = inside("compare", vendor_file, "--with", "vendor", "--model", "gaussian")
    assert asked.stderr == ""
    assert [row["model"] for row in rows(asked.stdout)] == ["gaussian", "gaussian", "", ""]


def test_models_in_spite_of_a_vendors_table(vendor_file: Path) -> None:
    run = inside("compare", vendor_file, "--with", "models", "--model", "laplace", "--strategy", "pairs")
    assert [row["model"] for row in rows(run.stdout)] == ["laplace"]


def test_several_traces_each_have_rows_and_figures(tmp_path: Path) -> None:
    traces = [gaussian(TIME, 40.0 + k, 2.0, 5000.0) for k in (0, 9)]
    noise = np.random.default_rng(3).standard_normal((2, TIME.size))
    text = "".join(
        shimadzu(50 + trace + extra, [("x", 0.75, 1.0, 1.0)], name)
        for name, trace, extra in zip("AB", traces, noise, strict=True)
    )
    path = tmp_path / "two.txt"
    path.write_text(HEADER + text, encoding="utf-8")
    run = inside("compare", path, "--with", "models", "--model", "laplace", "--strategy", "pairs", "-o", tmp_path / "o")
    found = rows(run.stdout)
    assert len({row["trace"] for row in found}) == 2
    figures = sorted(one.name for one in (tmp_path / "o").glob("*.png"))
    assert len(figures) == 4
    assert [name[:2] for name in figures] == ["1_", "1_", "2_", "2_"]
    beside = rows(inside("compare", path).stdout)
    # the vendor's peak at 45 s lies 5 s behind the one of A and 4 s before the one of B
    assert [row["found_by"] for row in beside] == ["gcfit", "vendor", "vendor", "gcfit"]
    assert [row["trace"] for row in beside] == 2 * ["Detector A-Ch1"] + 2 * ["Detector B-Ch1"]


def test_a_vendors_peak_of_no_trace_is_told(vendor_file: Path) -> None:
    text = vendor_file.read_text(encoding="utf-8").replace("[Peak Table(Detector A-Ch1)]", "[Peak Table(Detector C)]")
    run = inside("compare", "-", "--with", "vendor", "--columns", "found_by", stdin=text)
    assert run.stdout == "found_by\ngcfit\ngcfit\n"
    assert run.stderr == "gcfit: -: 3 peaks of the vendor's table belong to no trace of the file: Detector C\n"


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["run.csv", "--tolerance", "0.1"], 2, "gcfit compare: --tolerance is not for a chromatogram."),
        (["column.toml", "--with", "numerical"], 2, "gcfit compare: --with is not for a system file."),
        (["column.toml", "--hold-up", "3"], 2, "gcfit compare: --hold-up is not for a system file."),
        (["run.csv", "--with", "magic"], 2, "gcfit compare: Invalid value for '--with': 'magic' is not one of"),
        (
            ["run.csv", "--model", "voigt"],
            2,
            "gcfit compare: peak model 'voigt' is not known; choose auto or one of laplace",
        ),
        (["run.csv", "--with", "vendor"], 1, "gcfit: run.csv: holds no peak table of the vendor's program; leave out"),
        (["run.csv", "--with", "numerical"], 1, "gcfit: solver numerical needs the hold-up time; give"),
        (["run.csv", "--columns", "mode"], 2, "gcfit compare: Invalid value for '--columns': 'mode' is not a column"),
        (["run.csv", "--columns", "area_x"], 2, "gcfit compare: Invalid value for '--columns': 'area_x' is not a"),
        (["none.csv"], 1, "gcfit: none.csv: cannot be opened: No such file or directory"),
        (["none.toml"], 1, "gcfit: none.toml: no such file; give the path of a system file (TOML)"),
        (["-"], 1, "gcfit: -: is empty"),
        (["."], 1, "gcfit: .: cannot be opened: is a folder"),
    ],
)
def test_wrong_input_is_one_line(arguments: list[str], code: int, text: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(3).standard_normal(TIME.size)
    table = np.stack([TIME, 50 + gaussian(TIME, 40.0, 2.0, 5000.0) + noise], axis=1)
    np.savetxt(tmp_path / "run.csv", table, delimiter=",", header="time_s,signal", comments="")
    (tmp_path / "column.toml").write_bytes(SYSTEM.read_bytes())
    quick = ["--strategy", "pairs"] if "area_x" in arguments else []
    run = inside("compare", *arguments, *quick, cwd=tmp_path)
    assert (run.returncode, run.stdout) == (code, "")
    assert run.stderr.startswith(text)
    assert run.stderr.count("\n") == 1


@needs_real_data
@pytest.mark.parametrize(
    ("name", "least"),
    [("lcqc/exlc_shim2.txt", 3), ("chromhandler/001F0101.D/FID1A.ch", 3)],
)
def test_measured_files_beside_their_vendors(name: str, least: int) -> None:
    """Every peak that the vendor lists is found, the main one, with what is merged with it, with an area within 3 %."""
    run = inside("compare", real_data_folder() / name)
    assert run.returncode == 0
    found = rows(run.stdout)
    both = [row for row in found if row["found_by"] == "both"]
    assert len(both) >= least
    assert not [row for row in found if row["found_by"] == "vendor"]
    main = max(both, key=lambda row: float(row["vendor_area"]))
    # the vendor's first peak of the one file has a shoulder in front, which the vendor counts in
    before = found[found.index(main) - 1]
    whole = [row for row in (before, main) if row is main or row["status"] == "merged"]
    area = sum(float(row["area_integrated"]) for row in whole)
    assert area == pytest.approx(float(main["vendor_area"]), rel=0.03)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_bar_shows_what_is_left_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    assert list(_watched(WAYS, "run.csv")) == list(WAYS)
    assert "run.csv" in shown.getvalue()
    assert "100%" in shown.getvalue()
    silent = io.StringIO()
    monkeypatch.setattr("sys.stderr", silent)
    assert list(_watched(WAYS, "run.csv")) == list(WAYS)
    assert silent.getvalue() == ""
