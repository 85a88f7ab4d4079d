"""The report of a batch: written from the store, whenever it is asked for, with what the tables hold."""

import json
import re
import sqlite3
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gcfit.batch import FileTask, run
from gcfit.batch.reporting import flat
from gcfit.batch.store import opened
from gcfit.errors import FitError, GcfitError, MissingExtraError
from gcfit.fitting.records import FitSettings
from gcfit.report import trace_of
from tests.batch.helpers import rows, write_inputs
from tests.handmade import gaussian

TASK = FileTask(settings=FitSettings(model="gaussian"), curves=True)


def content(at: float, area: float = 300.0) -> str:
    time = np.arange(0, 120, 0.5)
    signal = 5 + gaussian(time, at, 3, area) + 0.01 * np.random.default_rng(1).standard_normal(time.size)
    return "time_s,signal_mV\n" + "".join(f"{t},{y:.6f}\n" for t, y in zip(time, signal, strict=True))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two good files of one name, and one that is no chromatogram."""
    return write_inputs(tmp_path, {"a/run.csv": content(50), "b/run.csv": content(60, 500), "bad.csv": "no numbers"})


def block(output: Path, identity: str) -> Any:
    text = (output / "report.html").read_text(encoding="utf-8")
    found = re.search(rf'<script type="application/json" id="{identity}">(.*?)</script>', text)
    return None if found is None else json.loads(found[1])


def go(files: list[Path], output: Path, task: FileTask = TASK, **options: Any) -> str:
    return run(files, task, output, **options).line


def test_the_page_holds_the_rows_of_both_tables_and_the_curves_of_what_was_fitted(
    files: list[Path], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    go(files, output, report="gcfit fit a b")
    shown = block(output, "files")
    # worst first: the failure, which has no curves; `entry` is the place in the table
    assert shown["rows"][0][shown["columns"].index("status")] == "failed"
    assert rows(output, "files")[shown["entry"][0]]["file"] == str(files[2])
    assert [block(output, f"curves-{number}") is not None for number in range(3)] == [True, True, False]
    peaks = block(output, "peaks")
    areas = [row[peaks["columns"].index("area")] for row in peaks["rows"]]
    assert areas == pytest.approx([float(row["area"]) for row in rows(output, "peaks")], rel=1e-6)
    assert [round(area / 100) for area in areas] == [3, 5]
    assert peaks["entry"] == [0, 1]
    facts = dict(block(output, "summary")["facts"])
    assert facts["command"] == "gcfit fit a b"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d[+-]\d\d:\d\d by gcfit [0-9.]+", facts["written"])
    assert "2 fitted, 1 failed" in facts["files"]
    assert dict(block(output, "summary")["settings"])["settings model"] == "gaussian"


def test_curves_are_those_of_the_fit(files: list[Path], tmp_path: Path) -> None:
    from gcfit.fitting.fit import fit
    from gcfit.formats import read_file

    go(files, tmp_path / "out", report="")
    chromatogram = read_file(str(files[1]), TASK.reading).chromatograms[0]
    assert block(tmp_path / "out", "curves-1") == json.loads(trace_of(fit(chromatogram, settings=TASK.settings)))


def test_an_unchanged_run_writes_the_report_without_a_fit(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    go(files, output)
    assert not (output / "report.html").exists()

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a fit was made")

    monkeypatch.setattr("gcfit.batch.work.fit", refuse)
    assert "2 unchanged" in go(files, output, report="")
    assert block(output, "curves-0")["t"]["d"]
    first = (output / "report.html").read_bytes()
    go(files, output, report="")
    # the head says when it was written and how long the run took; nothing else may differ
    other = (output / "report.html").read_bytes()
    head = re.compile(rb'<script type="application/json" id="summary">.*?</script>')
    assert head.sub(b"", first) == head.sub(b"", other)


def test_a_file_that_was_fitted_again_has_its_new_curves(files: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "out"
    go(files, output, report="")
    before = block(output, "curves-0")
    write_inputs(tmp_path, {"a/run.csv": content(70)})
    go(files, output, report="")
    after = block(output, "curves-0")
    assert after != before
    with sqlite3.connect(output / "results.sqlite") as store:
        assert store.execute("SELECT count(*) FROM curves").fetchone() == (2,)
    store.close()


def test_rows_of_other_settings_are_told(files: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "out"
    go(files, output)
    other = FileTask(settings=FitSettings(model="laplace"), curves=True)
    go(files[:1], output, other, report="")
    facts = dict(block(output, "summary")["facts"])
    assert facts["mixed"] == "2 files fitted by an earlier run with other settings"
    go(files, output, other, report="")
    assert "mixed" not in dict(block(output, "summary")["facts"])


def test_without_curves_the_page_has_its_tables(files: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "out"
    go(files, output, FileTask(settings=TASK.settings), report="")
    assert block(output, "curves-0") is None
    assert len(block(output, "peaks")["rows"]) == 2


def test_a_store_from_before_there_were_curves_is_taken(files: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "out"
    go(files, output)
    with sqlite3.connect(output / "results.sqlite") as store:
        store.execute("DROP TABLE curves")
    store.close()
    assert "2 unchanged" in go(files, output, report="")
    assert len(block(output, "files")["rows"]) == 3


def test_without_plotly_nothing_is_begun(files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    with pytest.raises(MissingExtraError, match=r'^--report needs .* pip install "gcfit-chromatography\[report\]"$'):
        go(files, tmp_path / "out", report="")
    assert not (tmp_path / "out").exists()


def test_a_page_that_cannot_be_written_leaves_the_one_before(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    go(files, output, report="")
    before = (output / "report.html").read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gcfit.report.page.curves_block", full)
    with pytest.raises(GcfitError, match=r"report\.html: No space left on device; finished files are kept"):
        go(files, output, report="")
    assert (output / "report.html").read_bytes() == before
    assert sorted(path.name for path in output.iterdir() if path.name[0] != ".") == [
        "files.csv", "peaks.csv", "report.html", "results.sqlite",
    ]  # fmt: skip


def test_the_report_is_no_input_of_its_own_batch(files: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "out"
    go(files, output, report="")
    assert "3 files" in go([*files, output / "report.html"], output)


def two_traces(tmp_path: Path) -> Path:
    """A file with the traces FID, of one peak, and TCD, of two."""
    time = np.arange(0, 120, 0.5)
    noise = 0.01 * np.random.default_rng(1).standard_normal((2, time.size))
    one = 5 + gaussian(time, 50, 3, 300) + noise[0]
    two = 5 + gaussian(time, 30, 3, 300) + gaussian(time, 80, 3, 200) + noise[1]
    lines = [f"{t},{a:.6f},{b:.6f}" for t, a, b in zip(time, one, two, strict=True)]
    (path,) = write_inputs(tmp_path, {"two.csv": "time_s,FID,TCD\n" + "\n".join(lines) + "\n"})
    return path


def test_traces_have_their_own_peaks(tmp_path: Path) -> None:
    go([two_traces(tmp_path)], tmp_path / "out")
    with opened(tmp_path / "out") as store:
        found = [(file["trace"], [peak["trace"] for peak in peaks], text is not None)
                 for file, peaks, text in store.traces()]  # fmt: skip
    assert found == [("FID", ["FID"], True), ("TCD", ["TCD", "TCD"], True)]


def test_curves_stay_with_their_trace_where_another_could_not_be_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gcfit.batch import work

    fit = work.fit

    def refusing(run: Any, *arguments: Any, **settings: Any) -> Any:
        if run.trace == "FID":
            raise FitError("FID: cannot be fitted")
        return fit(run, *arguments, **settings)

    monkeypatch.setattr(work, "fit", refusing)
    go([two_traces(tmp_path)], tmp_path / "out", report="")
    with opened(tmp_path / "out") as store:
        found = [(file["trace"], file["status"], len(peaks), text is not None) for file, peaks, text in store.traces()]
    assert found == [("FID", "failed", 0, False), ("TCD", "ok", 2, True)]
    assert block(tmp_path / "out", "curves-0") is None
    assert len(block(tmp_path / "out", "curves-1")["p"]) == 2


def test_settings_are_shown_flat_without_what_says_nothing() -> None:
    nested = {"a": None, "b_c": {"d": 0.1 + 0.2, "e": "", "f": False}, "g": [{"name": "x", "k_d": 5.0}], "h": 0}
    assert dict(flat(nested)) == {"b c d": "0.3", "g 1": "name x, k d 5", "h": "0"}
