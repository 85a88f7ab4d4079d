"""`gcfit fit -o DIR` as a command: what its options hand over, what it prints, how it ends.

The engine itself is tested in tests/batch.
"""

import codecs
import csv
import io
import json
import sqlite3
from pathlib import Path

import click
import numpy as np
import pytest

from gcfit.cli.batching import command_line, size
from tests.cli.shell import gcfit, inside

CONTEXT = click.Context(click.Command("fit"))
OPTION = click.Option(["--max-memory"])


def run_with_peak(at: float) -> str:
    """A Gaussian of height 50 and σ 5 s at `at` on a baseline of 100 with a little noise."""
    time = np.arange(0, 200, 0.5)
    signal = 100 + 50 * np.exp(-((time - at) ** 2) / 50) + np.random.default_rng(1).normal(0, 0.1, time.size)
    return "time_s,signal\n" + "".join(f"{t},{y}\n" for t, y in zip(time.tolist(), signal.tolist(), strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("batch")
    for name, at in (("b.csv", 60.0), ("a.csv", 100.0)):
        (place / name).write_text(run_with_peak(at), encoding="utf-8")
    (place / "bad.csv").write_bytes(b"")
    return place


def rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")), delimiter=delimiter))


FIT = ("fit", "a.csv", "b.csv", "--hold-up", "30", "--model", "laplace")


def test_tables_of_a_folder_are_those_of_stdout(folder: Path) -> None:
    run = inside(*FIT, "-o", "plain", cwd=folder)
    assert (run.returncode, run.stdout) == (0, "")
    assert run.stderr.startswith("gcfit: 2 files: 2 fitted; ")
    assert run.stderr.count("\n") == 1
    assert (folder / "plain" / "peaks.csv").read_text(encoding="utf-8") == inside(*FIT, cwd=folder).stdout
    assert [row["file"] for row in rows(folder / "plain" / "files.csv")] == ["a.csv", "b.csv"]


def test_a_bad_file_is_a_row_and_code_3(folder: Path) -> None:
    run = inside(*FIT, "bad.csv", "missing.csv", "-o", "mixed", cwd=folder)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (3, "", 1)
    assert "2 fitted, 2 failed" in run.stderr
    assert run.stderr.endswith("first failure: bad.csv: is empty\n")
    found = {row["file"]: row for row in rows(folder / "mixed" / "files.csv")}
    assert {name: row["status"] for name, row in found.items()} == {
        "a.csv": "ok", "b.csv": "ok", "bad.csv": "failed", "missing.csv": "failed",
    }  # fmt: skip
    assert found["bad.csv"]["message"] == "bad.csv: is empty"


def test_only_bad_files_are_1(folder: Path) -> None:
    run = inside("fit", "bad.csv", "-o", "only_bad", cwd=folder)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert run.stderr.endswith("first failure: bad.csv: is empty\n")


def test_no_control_character_of_a_name_reaches_the_terminal(folder: Path) -> None:
    run = inside("fit", "a\x1b[2J\n.csv", "-o", "controlled", cwd=folder)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.endswith("first failure: a\\x1b[2J\\n.csv: No such file or directory\n")
    assert run.stderr.count("\n") == 1


def test_no_hold_up_time_is_told_once(folder: Path) -> None:
    run = inside("fit", "a.csv", "b.csv", "--model", "laplace", "-o", "no_hold_up", cwd=folder)
    first, second = run.stderr.splitlines()
    assert first == "gcfit: without a hold-up time k_a and k_d stay empty; give --hold-up S or --system SYSTEM.toml"
    assert second.startswith("gcfit: 2 files: 2 fitted; ")


def test_unchanged_files_are_left_out_unless_all_are_wanted(folder: Path) -> None:
    inside(*FIT, "-o", "twice", cwd=folder)
    assert "2 unchanged" in inside(*FIT, "-o", "twice", cwd=folder).stderr
    assert "2 fitted" in inside(*FIT, "-o", "twice", "--no-resume", cwd=folder).stderr
    assert "2 fitted" in inside(*FIT, "-o", "twice", "--min-snr", "6", cwd=folder).stderr


def test_decimal_comma_and_mark_are_for_the_files_of_the_folder(folder: Path) -> None:
    run = inside(*FIT, "-o", "european", "--decimal-comma", "--bom", cwd=folder)
    assert run.returncode == 0
    for name in ("peaks.csv", "files.csv"):
        assert (folder / "european" / name).read_bytes().startswith(codecs.BOM_UTF8)
    european = rows(folder / "european" / "peaks.csv", ";")
    areas = [float(row["area"].replace(",", ".")) for row in european]
    # area of a Gaussian: height σ sqrt(2π)
    assert areas == pytest.approx([50 * 5 * np.sqrt(2 * np.pi)] * 2, rel=0.02)
    plain = csv.DictReader(io.StringIO(inside(*FIT, cwd=folder).stdout))
    assert [repr(area) for area in areas] == [row["area"] for row in plain]


def test_a_format_also_writes_the_peaks_to_stdout(folder: Path) -> None:
    run = inside(*FIT, "-o", "shown", "--format", "json", "--columns", "file,area", cwd=folder)
    assert run.returncode == 0
    shown = json.loads(run.stdout)
    kept = rows(folder / "shown" / "peaks.csv")
    assert [(row["file"], repr(row["area"])) for row in shown] == [(row["file"], row["area"]) for row in kept]
    assert len(kept[0]) > 30


@pytest.mark.parametrize("options", [[], ["--format", "csv"]])
def test_a_wrong_column_is_told_before_the_work(folder: Path, options: list[str]) -> None:
    run = inside(*FIT, "-o", "unborn", "--columns", "aria", *options, cwd=folder)
    assert (run.returncode, run.stdout) == (2, "")
    assert "'aria' is not a column of the table; did you mean area?" in run.stderr
    assert not (folder / "unborn").exists()


def test_figures_and_log(folder: Path) -> None:
    run = inside(*FIT, "-o", "drawn", "--figures", "png", "--log", "log.jsonl", cwd=folder)
    assert run.returncode == 0
    figures = sorted((folder / "drawn" / "figures").iterdir())
    assert [path.read_bytes()[:8] for path in figures] == [b"\x89PNG\r\n\x1a\n"] * 2
    events = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [event.get("file") for event in events if "file" in event] == ["a.csv", "b.csv"]


def test_prune_forgets_what_is_gone(folder: Path) -> None:
    (folder / "gone.csv").write_text(run_with_peak(120.0), encoding="utf-8")
    assert inside(*FIT, "gone.csv", "-o", "pruned", cwd=folder).returncode == 0
    (folder / "gone.csv").unlink()
    inside(*FIT, "-o", "pruned", cwd=folder)
    assert len(rows(folder / "pruned" / "peaks.csv")) == 3
    inside(*FIT, "-o", "pruned", "--prune", cwd=folder)
    assert len(rows(folder / "pruned" / "peaks.csv")) == 2


def test_the_store_can_be_asked_in_sql(folder: Path) -> None:
    inside(*FIT, "-o", "store", cwd=folder)
    with sqlite3.connect(folder / "store" / "results.sqlite") as store:
        found = store.execute("SELECT file, count(*), max(snr) > 50 FROM peaks GROUP BY file ORDER BY file").fetchall()
    store.close()
    assert found == [("a.csv", 1, 1), ("b.csv", 1, 1)]


def test_workers_and_limits_change_nothing_in_the_tables(folder: Path) -> None:
    inside(*FIT, "-o", "one", cwd=folder)
    run = gcfit(*FIT, "-o", "limited", "--jobs", "2", "--timeout", "100", "--max-memory", "4G", cwd=folder)
    assert (run.returncode, run.stdout) == (0, "")
    assert (folder / "one" / "peaks.csv").read_bytes() == (folder / "limited" / "peaks.csv").read_bytes()


def test_a_folder_that_is_something_else_is_not_touched(folder: Path) -> None:
    foreign = folder / "foreign"
    foreign.mkdir()
    (foreign / "results.sqlite").write_bytes(b"not a database, but mine" * 100)
    run = inside(*FIT, "-o", "foreign", cwd=folder)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert run.stderr.startswith("gcfit: foreign/results.sqlite: ")
    assert (foreign / "results.sqlite").read_bytes() == b"not a database, but mine" * 100


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [("1", 1), ("500M", 500 * 2**20), ("2g", 2**31), ("2GiB", 2**31), ("3 K", None), ("64kB", 65536)],
)
def test_sizes(text: str, bytes_: int | None) -> None:
    if bytes_ is None:
        with pytest.raises(click.BadParameter, match="is not a size; write 500M or 2G"):
            size(CONTEXT, OPTION, text)
    else:
        assert size(CONTEXT, OPTION, text) == bytes_


@pytest.mark.parametrize("text", ["", "0", "0G", "-1M", "1.5G", "many", "1P"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a size"):
        size(CONTEXT, OPTION, text)


def test_no_size_is_no_limit() -> None:
    assert size(CONTEXT, OPTION, None) is None


@pytest.mark.parametrize(
    ("words", "files", "text"),
    [
        (["fit", "a b.csv", "-o", "out"], ["a b.csv"], "gcfit fit 'a b.csv' -o out"),
        (["fit", "1", "2", "3", "--report"], ["1", "2", "3"], "gcfit fit 1 2 3 --report"),
        (["fit", *"12345", "--jobs", "0"], list("12345"), "gcfit fit 1 … 5 --jobs 0"),
        (["fit", "1", "2", "--jobs", "0", "3", "4"], list("1234"), "gcfit fit 1 … --jobs 0 4"),
        (["fit", "runs", "-o", "out"], ["runs/a", "runs/b"], "gcfit fit runs -o out"),
    ],
)
def test_the_command_in_the_report_names_few_files(words: list[str], files: list[str], text: str) -> None:
    assert command_line(words, files) == text


def test_the_report_is_asked_for_with_a_folder_and_says_what_ran(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--report goes with -o DIR only." in inside(*FIT, "--report", cwd=folder).stderr
    pytest.importorskip("plotly", reason="plotly is not installed")
    run = inside(*FIT, "bad.csv", "-o", "looked", "--report", cwd=folder)
    assert (run.returncode, run.stdout) == (3, "")
    page = (folder / "looked" / "report.html").read_text(encoding="utf-8")
    assert "fit a.csv b.csv --hold-up 30 --model laplace bad.csv -o looked --report" in page
    assert 'id="curves-0"' in page
    # an unchanged run writes it again
    (folder / "looked" / "report.html").unlink()
    assert "2 unchanged" in inside(*FIT, "bad.csv", "-o", "looked", "--report", cwd=folder).stderr
    assert (folder / "looked" / "report.html").exists()


def test_without_the_extra_one_line_names_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "plotly", None)
    run = inside(*FIT, "-o", "never", "--report", cwd=folder)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == 'gcfit: --report needs an optional package; pip install "gcfit-chromatography[report]"\n'
    assert not (folder / "never").exists()
