"""`gcfit fit` from end to end on the sample: the pipe of the design, formats, names, many files.

The truth is that of the system file from which the sample is simulated.
"""

import csv
import io
import json
import os
from pathlib import Path

import pytest

from gcfit.formats import READERS
from gcfit.results import PEAK_COLUMNS
from tests.cli.shell import ROOT, bash, gcfit, inside

SAMPLE = ROOT / "sample_data" / "btex"
SYSTEM, CHROMATOGRAM = SAMPLE / "system.toml", SAMPLE / "chromatogram.csv"
# name: area, k_a, k_d of the system file
TRUTH = {
    "benzene": (1159.4, 579.0, 5.299),
    "toluene": (927.2, 2953.0, 11.502),
    "ethylbenzene": (562.0, 9203.0, 16.940),
    "p,m-xylene": (1411.2, 6483.0, 11.057),
    "o-xylene": (516.4, 10168.0, 14.291),
}
# 2L(1 - P³)/(3(1 - P²) u0) and 2δ/R of the paper's column, computed apart
HOLD_UP_S, PHASE_RATIO = 34.177110, 0.0222222


def rows(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


@pytest.fixture(scope="module")
def pure(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the system file as it is: no tail, little noise."""
    target = tmp_path_factory.mktemp("pure") / "pure.csv"
    assert inside("simulate", SYSTEM, "--noise", "0.01", "--seed", "3", "-o", target).returncode == 0
    return target


def test_simulate_into_fit_into_a_file(tmp_path: Path) -> None:
    line = f'gcfit simulate "{SYSTEM}" | gcfit fit - --system "{SYSTEM}" > t.csv; echo "${{PIPESTATUS[@]}}"'
    run = bash(line, cwd=tmp_path)
    assert (run.stdout, run.stderr) == ("0 0\n", "")
    found = rows((tmp_path / "t.csv").read_text(encoding="utf-8"))
    assert [row["name"] for row in found] == list(TRUTH)
    assert {row["file"] for row in found} == {"'-"}  # an apostrophe keeps a spreadsheet from running it


def test_the_peaks_of_a_pipe_under_head_are_quiet() -> None:
    run = bash(f'gcfit simulate "{SYSTEM}" | gcfit fit - --system "{SYSTEM}" | head -2')
    assert (run.stderr, run.stdout.count("\n")) == ("", 2)


def test_recovery_of_what_was_simulated(pure: Path) -> None:
    """Errors counted in the stated standard errors; five are far, a wrong factor is farther."""
    run = inside("fit", pure, "--system", SYSTEM, "--model", "laplace")
    assert (run.returncode, run.stderr) == (0, "")
    found = rows(run.stdout)
    assert [row["name"] for row in found] == list(TRUTH)
    for row in found:
        area, k_a, k_d = TRUTH[row["name"]]
        for column, se, true in (("area", "area_se", area), ("k_a_per_s", "k_a_se_per_s", k_a),
                                 ("k_d_per_s", "k_d_se_per_s", k_d)):  # fmt: skip
            assert abs(float(row[column]) - true) < 5 * float(row[se]) < 0.01 * true
        assert float(row["retention_factor"]) == pytest.approx(PHASE_RATIO * k_a / k_d, rel=1e-3)


def test_the_hold_up_time_alone_leaves_k_a_open(pure: Path) -> None:
    run = inside("fit", pure, "--hold-up", str(HOLD_UP_S), "--injection", "4", "--model", "laplace")
    assert (run.returncode, run.stderr) == (0, "")
    for row, (_, k_a, k_d) in zip(rows(run.stdout), TRUTH.values(), strict=True):
        assert (row["k_a_per_s"], row["k_a_se_per_s"], row["name"]) == ("", "", "")
        assert float(row["alpha_k_a_per_s"]) == pytest.approx(PHASE_RATIO * k_a, rel=0.01)
        assert float(row["k_d_per_s"]) == pytest.approx(k_d, rel=0.01)
    with_ratio = inside("fit", pure, "--hold-up", str(HOLD_UP_S), "--injection", "4", "--model", "laplace",
                       "--phase-ratio", str(PHASE_RATIO))  # fmt: skip
    for row, (_, k_a, _) in zip(rows(with_ratio.stdout), TRUTH.values(), strict=True):
        assert float(row["k_a_per_s"]) == pytest.approx(k_a, rel=0.01)


def test_all_columns_of_the_contract_in_their_order() -> None:
    """DESIGN section 6, copied word for word; new columns go after."""
    contract = (
        "file, trace, peak, name, model, status, retention_time_s, retention_time_se_s, area, area_se, area_percent, "
        "area_integrated, height, fwhm_s, k_a_per_s, k_a_se_per_s, k_d_per_s, k_d_se_per_s, alpha_k_a_per_s, "
        "alpha_k_a_se_per_s, retention_factor, site_n, site_n_se, site_k_d_per_s, site_k_d_se_per_s, tail_s, "
        "tail_se_s, loading, loading_se, plates, resolution, symmetry, snr, r_squared, window_start_s, window_end_s, "
        "message"
    )
    header = inside("fit", CHROMATOGRAM, "--system", SYSTEM).stdout.splitlines()[0]
    assert header.startswith(contract.replace(", ", ","))
    assert header.split(",") == list(PEAK_COLUMNS)


def test_the_same_numbers_in_every_format() -> None:
    fit = ("fit", CHROMATOGRAM, "--system", SYSTEM, "--columns", "name,area,k_d_per_s,site_n")
    plain = [list(row.values()) for row in rows(inside(*fit).stdout)]
    assert plain == [list(row.values()) for row in rows(inside(*fit, "--format", "tsv").stdout, "\t")]
    objects = json.loads(inside(*fit, "--format", "json").stdout)
    as_text = [["" if cell is None else cell if isinstance(cell, str) else repr(cell) for cell in row.values()]
               for row in objects]  # fmt: skip
    assert plain == as_text
    lines = inside(*fit, "--format", "markdown", "--columns", "name,area").stdout.splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert cells == [[row[0], f"{float(row[1]):.6g}"] for row in plain]
    european = rows(inside(*fit, "--decimal-comma").stdout, ";")
    assert [row["area"].replace(",", ".") for row in european] == [row[1] for row in plain]


def test_verbose_says_what_was_inferred_and_only_on_stderr() -> None:
    quiet = inside("fit", CHROMATOGRAM, "--system", SYSTEM)
    run = inside("fit", CHROMATOGRAM, "--system", SYSTEM, "--verbose")
    assert (quiet.stderr, run.stdout) == ("", quiet.stdout)
    assert "read as delimited" in run.stderr
    assert "3251 points, 5 peaks, noise 0." in run.stderr
    assert all(line.startswith("gcfit: ") for line in run.stderr.splitlines())


def test_start_and_end_cut_the_run() -> None:
    run = inside("fit", CHROMATOGRAM, "--system", SYSTEM, "--start", "200", "--end", "300")
    assert [row["name"] for row in rows(run.stdout)] == ["toluene"]


def test_several_files_keep_their_order_whatever_the_number_of_workers(tmp_path: Path, pure: Path) -> None:
    text = pure.read_text(encoding="utf-8")
    for number in range(5):
        (tmp_path / f"run {number},=é.csv").write_text(text, encoding="utf-8")
    files = sorted((path.name for path in tmp_path.iterdir()), reverse=True)
    one = inside("fit", *files, "--system", SYSTEM, "--model", "laplace", cwd=tmp_path)
    two = gcfit("fit", *files, "--system", SYSTEM, "--model", "laplace", "--jobs", "2", cwd=tmp_path)
    assert (one.returncode, one.stderr, two.stderr) == (0, "", "")
    assert one.stdout == two.stdout
    assert list(dict.fromkeys(row["file"] for row in rows(one.stdout))) == files


@pytest.mark.parametrize("name", ["=1+1.csv", "-x.csv", "a'b\"c.csv", "line\nbreak.csv", "ü µ.csv", "50%,5;.csv"])
def test_names_of_files_survive(name: str, tmp_path: Path, pure: Path) -> None:
    (tmp_path / name).write_bytes(pure.read_bytes())
    run = inside("fit", "--system", SYSTEM, "--model", "laplace", "--end", "200", "--", name, cwd=tmp_path)
    assert run.returncode == 0
    (found,) = {row["file"] for row in rows(run.stdout)}
    # a spreadsheet would run what begins with = or -: an apostrophe before it makes it text
    assert found == (f"'{name}" if name[0] in "=-" else name)


def test_a_name_that_is_not_utf8_comes_back_as_its_bytes(tmp_path: Path, pure: Path) -> None:
    name = os.fsdecode(b"run\xff.csv")
    (tmp_path / name).write_bytes(pure.read_bytes())
    run = inside("fit", "--system", SYSTEM, "--model", "laplace", "--end", "200", name, cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert {row["file"] for row in rows(run.stdout)} == {name}


def test_a_folder_of_results(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run = inside("fit", CHROMATOGRAM, "--system", SYSTEM, "-o", out, "--figures", "svg")
    assert (run.returncode, run.stdout) == (0, "")
    assert run.stderr.startswith("gcfit: 1 file: 1 fitted; ")
    assert {path.name for path in out.iterdir()} >= {"results.sqlite", "peaks.csv", "files.csv", "figures"}
    peaks = (out / "peaks.csv").read_text(encoding="utf-8")
    assert peaks == inside("fit", CHROMATOGRAM, "--system", SYSTEM).stdout
    (file,) = rows((out / "files.csv").read_text(encoding="utf-8"))
    assert (file["status"], file["points"], file["peaks"]) == ("ok", "3251", "5")
    (figure,) = (out / "figures").iterdir()
    assert figure.read_text(encoding="utf-8").count("<svg") == 1
    again = inside("fit", CHROMATOGRAM, "--system", SYSTEM, "-o", out, "--figures", "svg")
    assert again.stderr.startswith("gcfit: 1 file: 1 unchanged; ")


def test_formats_can_be_listed() -> None:
    run = inside("fit", "--list-formats")
    assert (run.returncode, run.stderr) == (0, "")
    assert [line.split()[0] for line in run.stdout.splitlines()] == [*READERS, "vendor-folder"]


def test_options_from_the_environment() -> None:
    given = inside("fit", CHROMATOGRAM, "--system", SYSTEM, "--columns", "name", "--format", "tsv")
    variables = {"GCFIT_SYSTEM": str(SYSTEM), "GCFIT_FIT_COLUMNS": "name", "GCFIT_FORMAT": "tsv"}
    assert inside("fit", CHROMATOGRAM, env=variables).stdout == given.stdout
    assert [row["name"] for row in rows(given.stdout, "\t")] == list(TRUTH)
