"""`gcfit fit -o DIR` as a user starts it, on chromatograms and on files that are none."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gcfit.batch import FileTask, run
from gcfit.batch.records import Counts
from gcfit.batch.work import fit_file
from gcfit.fitting.records import FitSettings
from gcfit.formats import ReadOptions
from tests.batch.helpers import ROOT, complete, rows, untimed, write_inputs
from tests.batch.runs import BAD, HOLD_UP, MEANS, write_bad, write_runs, write_short_runs
from tests.readme import README

RUNS = 12


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    write_runs(folder, RUNS, points=2500)
    write_bad(folder, 1)
    return folder


def gcfit(output: Path, inputs: Path, *options: str) -> list[str]:
    files = [str(path) for path in sorted(inputs.iterdir())]
    return [sys.executable, "-m", "gcfit", "fit", *files, "--hold-up", str(HOLD_UP), "-o", str(output), *options]


@pytest.fixture(scope="module")
def plain(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    output = tmp_path_factory.mktemp("plain")
    run = complete(gcfit(output, inputs))
    assert (run.returncode, run.stdout) == (3, "")
    assert f"{RUNS + 10} files: {RUNS} fitted, 10 failed" in run.stderr
    return untimed(output)


def test_every_bad_file_has_its_reason_and_every_run_its_peaks(
    inputs: Path, plain: dict[str, bytes], tmp_path: Path
) -> None:
    assert complete(gcfit(tmp_path, inputs, "--jobs", "2")).returncode == 3
    assert untimed(tmp_path) == plain  # the same bits from two processes as from one
    files = {Path(row["file"]).name: row for row in rows(tmp_path, "files")}
    assert {name for name, row in files.items() if row["status"] == "failed"} == {f"bad0_{name}" for name in BAD}
    reasons = {row["message"].partition(": ")[2] for row in files.values() if row["status"] == "failed"}
    assert len(reasons) >= 8  # text without two numbers in a row is one reason, however it came about
    peaks = rows(tmp_path, "peaks")
    assert len(peaks) == 6 * RUNS
    for number, mean in enumerate(MEANS, 1):
        times = [float(row["retention_time_s"]) for row in peaks if row["peak"] == str(number)]
        # the means were jittered by 1 % of the time after the hold-up
        assert max(abs(time - mean) for time in times) < 0.05 * (mean - HOLD_UP)


def test_from_cron(inputs: Path, plain: dict[str, bytes], tmp_path: Path) -> None:
    """No HOME, no terminal, LANG=C, umask 077."""
    # another kernel of the algebra would change last digits
    algebra = [f"{name}={value}" for name, value in os.environ.items() if name.startswith(("OPENBLAS", "OMP"))]
    bare = ["env", "-i", "LANG=C", "PATH=/usr/bin:/bin", *algebra, "sh", "-c", 'umask 077; exec "$@"', "sh"]
    output = tmp_path / "out"
    run = subprocess.run(
        [*bare, *gcfit(output, inputs, "--jobs", "2", "--figures", "png")],
        capture_output=True, stdin=subprocess.DEVNULL, cwd=ROOT,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (3, b"")
    assert re.fullmatch(rb"(gcfit: [ -~]*\n)*gcfit: 22 files: 12 fitted, 10 failed; [ -~]*\n", run.stderr)
    assert untimed(output) == plain
    assert {path.stat().st_mode & 0o777 for path in output.rglob("*") if path.is_file()} == {0o600}
    assert len(list((output / "figures").iterdir())) == RUNS


def test_the_line_of_the_readme_for_cron(tmp_path: Path) -> None:
    """As cron runs it: its shell, its few variables, no terminal; the folder and the program lie elsewhere here."""
    schedule = r"^(?:[0-9*]+ ){5}(.*gcfit fit .*)$"
    (line,) = re.findall(schedule, README.read_text(encoding="utf-8"), re.MULTILINE)
    assert "%" not in line  # cron takes it for the end of the line
    for shown, used in {"/data/gc": str(tmp_path), "/opt/gcfit/bin/gcfit": f"{sys.executable} -m gcfit"}.items():
        assert line.count(shown) == 1
        line = line.replace(shown, used)
    write_short_runs(tmp_path / "runs", 3)
    shutil.copy(ROOT / "sample_data" / "btex" / "system.toml", tmp_path / "column.toml")
    bare = ["env", "-i", "PATH=/usr/bin:/bin", "SHELL=/bin/sh", f"PYTHONPATH={ROOT}", "/bin/sh", "-c", line]
    for expected in ("3 files: 3 fitted", "3 files: 3 unchanged"):
        run = subprocess.run(bare, capture_output=True, stdin=subprocess.DEVNULL, cwd="/", timeout=120)
        assert (run.returncode, run.stdout) == (0, b"")
        assert re.fullmatch(rf"gcfit: {expected}; [0-9.]+ s\n".encode(), run.stderr)
    # the components of the system file that are in none of the runs have rows without an area
    assert len([row for row in rows(tmp_path / "results", "peaks") if row["area"]]) == 3
    events = [json.loads(entry)["event"] for entry in (tmp_path / "fit.jsonl").read_text().splitlines()]
    assert events == ["start", "file", "file", "file", "end", "start", "end"]


def test_the_query_of_the_readme(inputs: Path, plain: dict[str, bytes], tmp_path: Path) -> None:
    assert complete(gcfit(tmp_path, inputs)).returncode == 3
    query = "SELECT count(*), avg(area), max(retention_time_s) FROM peaks JOIN files USING (path) WHERE peaks.peak = 6"
    with closing(sqlite3.connect(tmp_path / "results.sqlite")) as connection:
        ((count, area, latest),) = connection.execute(query).fetchall()
    sixth = [row for row in rows(tmp_path, "peaks") if row["peak"] == "6"]
    assert count == RUNS
    assert area == pytest.approx(sum(float(row["area"]) for row in sixth) / RUNS, rel=1e-12)
    assert latest == max(float(row["retention_time_s"]) for row in sixth)


def test_the_library_does_the_same_as_the_command(inputs: Path, plain: dict[str, bytes], tmp_path: Path) -> None:
    task = FileTask(settings=FitSettings(hold_up=HOLD_UP))
    summary = run(sorted(inputs.iterdir()), task, tmp_path, jobs=2)
    assert summary.counts == Counts(fitted=RUNS, failed=10)
    assert untimed(tmp_path) == plain


def test_a_trace_that_cannot_be_fitted_costs_itself_only(tmp_path: Path) -> None:
    """Two detectors of different length: nothing of the short one lies in the asked part of the run."""
    table = "FID\ntime_s,signal\n" + "".join(f"{at / 10},{at % 7}\n" for at in range(2000))
    table += "TCD\ntime_s,signal\n" + "".join(f"{at / 10},{at % 5}\n" for at in range(500))
    (path,) = write_inputs(tmp_path, {"two.csv": table})
    traces = fit_file(str(path), FileTask()).files
    if len(traces) != 2:
        pytest.skip("this layout is read as one trace")
    settings = FitSettings(start=100.0, end=200.0)
    result = fit_file(str(path), FileTask(settings=settings, reading=ReadOptions()))
    assert [row["status"] for row in result.files] == ["ok", "failed"]
    assert "points between start and end" in str(result.files[1]["message"])
    assert len(result.warnings) == 1


def test_blas_is_told_before_numpy_loads_in_this_process_too(tmp_path: Path) -> None:
    """Results are the same bits from one process and from many only if both use one thread."""
    write_runs(tmp_path / "in", 1, points=500)
    code = (
        "import os, sys; sys.argv = ['gcfit', *sys.argv[1:]]\n"
        "from gcfit.cli.main import main\n"
        "try: main()\n"
        "finally: print(os.environ.get('OPENBLAS_NUM_THREADS'))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    arguments = gcfit(tmp_path / "out", tmp_path / "in")[3:]
    run = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=environment)
    assert run.stdout.strip() == "1"
