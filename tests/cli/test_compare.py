"""`gcfit compare SYSTEM.toml`: table, tolerance, folder, errors."""

import csv
import io
from pathlib import Path

import pytest

from gcfit.cli.solver_rows import COLUMNS
from tests.cli.shell import ROOT, inside

SYSTEM = ROOT / "sample_data" / "btex" / "system.toml"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's column with benzene alone, without diffusion."""
    text = SYSTEM.read_text(encoding="utf-8")
    head, benzene = text.split("[[component]]")[:2]
    path = tmp_path_factory.mktemp("compare") / "benzene.toml"
    kept = "\n".join(line for line in benzene.splitlines() if not line.startswith("diffusion"))
    path.write_text(f"{head}[[component]]{kept}\n", encoding="utf-8")
    return path


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_one_row_a_solver_and_velocity(small: Path) -> None:
    run = inside("compare", small)
    assert (run.returncode, run.stderr) == (0, "")
    found = rows(run.stdout)
    assert tuple(found[0]) == COLUMNS
    solvers = ["closed form", "fourier", "quadrature", "quadrature, double", "numerical"]
    assert [row["solver"] for row in found] == 2 * solvers
    assert [row["velocity"] for row in found] == ["variable"] * 5 + ["constant"] * 5
    numerical = found[4]
    assert numerical["reference"] == "closed form"
    assert 0 < float(numerical["difference"]) < 2e-3
    assert float(numerical["mass_balance_error"]) < 1e-8
    assert found[0]["mass_balance_error"] == ""
    # FACTS: σ and the mean less half the skew; the apex of the closed form is 118.893 s
    assert float(numerical["sigma_s"]) == pytest.approx(5.714447, rel=1e-3)
    assert abs(float(numerical["retention_time_s"]) - float(found[0]["retention_time_s"])) < 0.02


def test_the_tolerance_makes_it_a_check(small: Path) -> None:
    assert inside("compare", small, "--tolerance", "2e-3", "--columns", "solver").returncode == 0
    run = inside("compare", small, "--tolerance", "1e-6", "--columns", "solver")
    assert run.returncode == 1
    assert run.stderr.startswith("gcfit: the largest difference is 0.000")
    assert run.stderr.endswith(" of the apex, above the tolerance 1e-06\n")
    assert run.stdout.splitlines()[0] == "solver"


def test_the_folder_holds_table_and_figures(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    run = inside("compare", small, "-o", folder, "--format", "markdown", "--digits", "3")
    assert run.returncode == 0
    assert run.stdout.startswith("| velocity ")
    made = ["comparison.csv", "constant.png", "scales.csv", "variable.png"]
    assert sorted(path.name for path in folder.iterdir()) == made
    scales = {row["name"]: row for row in rows((folder / "scales.csv").read_text(encoding="utf-8"))}
    # the paper's Table 3
    assert float(scales["equilibrium_constant"]["value"]) == pytest.approx(109.28, abs=0.02)
    assert (scales["equilibrium_constant"]["component"], scales["hold_up"]["unit"]) == ("benzene", "s")
    assert len(rows((folder / "comparison.csv").read_text(encoding="utf-8"))) == 10
    for figure in folder.glob("*.png"):
        assert figure.read_bytes().startswith(b"\x89PNG")


def test_the_tables_of_the_folder_are_as_european_as_that_of_stdout(small: Path, tmp_path: Path) -> None:
    run = inside("compare", small, "-o", tmp_path, "--decimal-comma", "--bom")
    assert run.returncode == 0
    assert (tmp_path / "comparison.csv").read_text(encoding="utf-8") == run.stdout
    assert run.stdout.startswith("\ufeffvelocity;")
    scales = (tmp_path / "scales.csv").read_text(encoding="utf-8")
    assert scales.startswith("\ufeff")
    assert "." not in scales.split("\n")[1].split(";")[2]


def test_a_folder_that_cannot_be_made(small: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    run = inside("compare", small, "-o", tmp_path / "file")
    assert run.returncode == 1
    assert run.stderr.startswith(f"gcfit: {tmp_path / 'file'}: cannot be made: ")
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("k_a_per_s = 579", "k_a_per_s = -579"), "[[component]] 1 k_a_per_s: is -579; it must be above 0"),
        (("length_m = 20", "length_m = 0"), "[column] length_m: is 0; it must be above 0"),
        (("duration_s = 4", "duration_s = -4"), "[injection] duration_s: is -4; it must be at least 0"),
        (("k_d_per_s = 5.299", ""), "[[component]] benzene: has no k_a_per_s and k_d_per_s"),
    ],
)
def test_bad_systems_are_one_line(small: Path, change: tuple[str, str], text: str) -> None:
    run = inside("compare", "-", stdin=small.read_text(encoding="utf-8").replace(*change))
    assert (run.returncode, run.stdout, run.stderr) == (1, "", f"gcfit: -: {text}\n")


def test_a_refused_solution_is_told_in_its_row(small: Path) -> None:
    few = small.read_text(encoding="utf-8").replace("k_a_per_s = 579", "k_a_per_s = 5")
    run = inside("compare", "-", "--tolerance", "0.1", stdin=few)
    assert run.returncode == 1
    (refused, *_) = [row for row in rows(run.stdout) if row["solver"] == "numerical"]
    assert "a part passes unretained" in refused["message"]
    assert refused["area"] == ""
    assert run.stderr == "gcfit: the largest difference is inf of the apex, above the tolerance 0.1\n"
