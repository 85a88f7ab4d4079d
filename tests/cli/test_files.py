"""Folders on the command line: what they stand for."""

import csv
import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gcfit.cli.files import all_shelves, expanded
from gcfit.errors import InputError
from tests.cli.shell import inside
from tests.cli.test_batching import run_with_peak


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    for name in (
        "b.csv",
        "a.csv",
        ".hidden.csv",
        "deeper/c.csv",
        "run.D/FID1A.ch",
        "out/peaks.csv",
        "out/figures/a.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(name, encoding="utf-8")
    return tmp_path


def test_a_folder_stands_for_its_files_by_name_and_run_folders_stay_whole(shelf: Path) -> None:
    found = [str(Path(name).relative_to(shelf)) for name in expanded([str(shelf)], str(shelf / "out"))]
    assert found == ["a.csv", "b.csv", "deeper/c.csv", "run.D"]  # all of `out` is of the batch


def test_without_an_output_nothing_is_left_out(shelf: Path) -> None:
    assert len(expanded([str(shelf)], None)) == 6


def test_files_stdin_and_run_folders_stand_for_themselves_in_their_place(shelf: Path) -> None:
    names = ["-", str(shelf / "run.D"), "missing.csv", str(shelf / "deeper"), str(shelf / "b.csv")]
    assert expanded(names, None) == [*names[:3], str(shelf / "deeper" / "c.csv"), names[4]]
    assert [all_shelves([name]) for name in names] == [False, False, False, True, False]
    assert not all_shelves(names)


@pytest.mark.parametrize("output", [".", "deeper/.."])
def test_what_the_batch_keeps_among_the_inputs_is_left_out(shelf: Path, output: str) -> None:
    for name in ("results.sqlite", "results.sqlite-wal", "peaks.csv", "files.csv", "report.html", "figures/a.png"):
        (shelf / name).parent.mkdir(exist_ok=True)
        (shelf / name).touch()
    (shelf / "deeper" / "peaks.csv").touch()
    found = [str(Path(name).relative_to(shelf)) for name in expanded([str(shelf)], str(shelf / output))]
    others = ["out/figures/a.png", "out/peaks.csv"]  # of another batch
    assert found == ["a.csv", "b.csv", "deeper/c.csv", "deeper/peaks.csv", *others, "run.D"]


def test_results_may_lie_beside_the_inputs(tmp_path: Path) -> None:
    (tmp_path / "run.csv").write_text(run_with_peak(100.0), encoding="utf-8")
    for names in (["."], ["."], ["run.csv", "figures", "results.sqlite", "peaks.csv"]):
        run = inside(
            "fit", *names, "--model", "laplace", "--hold-up", "30", "-o", ".", "--figures", "svg", cwd=tmp_path
        )
        assert (run.returncode, run.stderr[:14]) == (0, "gcfit: 1 file:"), run.stderr


def test_an_empty_folder_among_others_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "empty" / ".git").mkdir(parents=True)
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "run.csv").write_text(run_with_peak(100.0), encoding="utf-8")
    said = "empty: is a folder without files; give a folder that holds chromatograms"
    names = ("fit", "empty", "shelf", "n" * 300, "--hold-up", "30", "--model", "laplace")
    long = f"{'n' * 300}: File name too long"
    run = inside(*names, "--columns", "file", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (3, "file\nshelf/run.csv\n")
    assert run.stderr == f"gcfit: {said}\ngcfit: {long}\n"
    run = inside(*names, "-o", "out", cwd=tmp_path)
    assert run.returncode == 3
    assert "1 fitted, 2 failed" in run.stderr
    assert run.stderr.endswith(f"; first failure: {said}\n")
    assert inside(*names[:3], *names[4:], "-o", "out", cwd=tmp_path).returncode == 3  # folders alone


def test_a_subfolder_that_cannot_be_looked_into_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for root, who may look into every folder."""
    (tmp_path / "shelf" / "locked").mkdir(parents=True)
    (tmp_path / "shelf" / "run.csv").write_text(run_with_peak(100.0), encoding="utf-8")
    listed = Path.iterdir

    def refusing(folder: Path) -> Iterator[Path]:
        if folder.name == "locked":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", refusing)
    for options in ([], ["-o", "out"]):
        run = inside("fit", "shelf", "--hold-up", "30", "--model", "laplace", *options, cwd=tmp_path)
        assert run.returncode == 3
        assert "shelf/locked: Permission denied\n" in run.stderr
    (tmp_path / "shelf" / "run.csv").unlink()
    run = inside("fit", "shelf", cwd=tmp_path)
    assert (run.returncode, run.stderr) == (1, "gcfit: shelf/locked: Permission denied\n")


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder without files; give a folder that holds chromatograms"):
        expanded([str(tmp_path)], None)


def test_a_folder_is_fitted_file_by_file(tmp_path: Path) -> None:
    for name, at in (("late.csv", 120.0), ("early.csv", 60.0)):
        (tmp_path / name).write_text(run_with_peak(at), encoding="utf-8")
    run = inside("fit", tmp_path, "--hold-up", "30", "--model", "laplace", "--columns", "file,retention_time_s")
    assert (run.returncode, run.stderr) == (0, "")
    rows = list(csv.reader(io.StringIO(run.stdout)))[1:]
    assert [Path(row[0]).name for row in rows] == ["early.csv", "late.csv"]
    assert [float(row[1]) for row in rows] == pytest.approx([60.0, 120.0], abs=0.5)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder as it is in a laboratory: a run, notes about it, and an empty file."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "run.csv").write_text(run_with_peak(100.0), encoding="utf-8")
    (shelf / "notes.txt").write_text("Column changed on Monday.\n", encoding="utf-8")
    (shelf / "empty.csv").write_bytes(b"")
    return tmp_path


SKIPPED = [
    "shelf/empty.csv: is empty",
    "shelf/notes.txt: no rows with two numbers; see --delimiter, --decimal and --skip-lines",
]


def test_what_is_no_chromatogram_in_a_folder_is_skipped_and_listed(mixed: Path) -> None:
    run = inside("fit", "shelf", "--hold-up", "30", "--model", "laplace", "--columns", "file", cwd=mixed)
    assert (run.returncode, run.stdout) == (0, "file\nshelf/run.csv\n")
    assert run.stderr.splitlines() == [f"gcfit: skipped: {line}" for line in SKIPPED]


def test_named_beside_a_folder_it_is_a_failure(mixed: Path) -> None:
    run = inside("fit", "shelf", "shelf/empty.csv", "--hold-up", "30", "--columns", "file", cwd=mixed)
    assert run.returncode == 3
    assert run.stderr.splitlines() == [f"gcfit: {line}" for line in (*SKIPPED, SKIPPED[0])]


def test_a_batch_lists_what_it_skipped(mixed: Path) -> None:
    fit = ("fit", "shelf", "--hold-up", "30", "--model", "laplace", "-o", "out")
    run = inside(*fit, cwd=mixed)
    assert (run.returncode, run.stdout) == (0, "")
    assert run.stderr.startswith("gcfit: 3 files: 1 fitted, 2 skipped; ")
    assert run.stderr.endswith(f"; first skipped: {SKIPPED[0]}\n")
    rows = list(csv.DictReader(io.StringIO((mixed / "out" / "files.csv").read_text(encoding="utf-8"))))
    assert {(row["file"], row["status"]) for row in rows} == {
        ("shelf/empty.csv", "skipped"), ("shelf/notes.txt", "skipped"), ("shelf/run.csv", "ok"),
    }  # fmt: skip
    assert [row["message"] for row in rows if row["status"] == "skipped"] == SKIPPED
    assert inside(*fit, cwd=mixed).returncode == 0


def test_a_folder_without_any_chromatogram_is_1(mixed: Path) -> None:
    (mixed / "shelf" / "run.csv").unlink()
    assert inside("fit", "shelf", cwd=mixed).returncode == 1
    assert inside("fit", "shelf", "-o", "out", cwd=mixed).returncode == 1
