"""Order, failures and remarks of `gcfit fit` on stdout, with outcomes made by hand."""

from collections.abc import Iterable, Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcfit.batch.records import Job, Outcome
from gcfit.batch.work import FileTask, Fitted
from gcfit.cli.output import Layout
from gcfit.cli.stream import Work, in_order, outcomes, put_peaks
from gcfit.fitting.records import FitSettings
from gcfit.results import PEAK_COLUMNS
from tests.cli.test_batching import run_with_peak

LAYOUT = Layout(columns="file,model")


def done(name: str, *models: str, warnings: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> Outcome:
    empty = dict.fromkeys(PEAK_COLUMNS)
    peaks = tuple({**empty, "file": name, "model": model} for model in models)
    return Outcome(Job(name, name), "done", Fitted((), peaks, warnings=warnings, notes=notes))


def failed(name: str) -> Outcome:
    return Outcome(Job(name, name), "failed", message=f"{name}: is empty")


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=3))
def test_outcomes_come_in_the_order_of_the_jobs(order: list[int], twice: list[int]) -> None:
    """Also when a file is named twice: then its job is there twice, and so is its outcome."""
    numbers = [*range(6), *twice]
    jobs = [Job(str(number), str(number)) for number in numbers]
    arriving = [done(str(number)) for number in (*twice, *order)]
    assert [outcome.job for outcome in in_order(jobs, arriving)] == jobs


def test_an_outcome_is_passed_on_as_soon_as_its_turn_comes() -> None:
    taken = []

    def arriving() -> Iterator[Outcome]:
        for name in ("a", "b", "c"):
            taken.append(name)
            yield done(name)

    first = next(in_order([Job("a", "a"), Job("b", "b"), Job("c", "c")], arriving()))
    assert (first.job.name, taken) == ("a", ["a"])


@pytest.mark.parametrize(
    ("outcomes", "code", "table"),
    [
        ([], 1, ""),
        ([failed("a")], 1, ""),
        ([done("a")], 0, "file,model\n"),
        ([done("a", "laplace"), failed("b"), done("c", "emg")], 3, "file,model\na,laplace\nc,emg\n"),
        ([failed("b"), done("c", "emg")], 3, "file,model\nc,emg\n"),
    ],
)
def test_code_and_table(
    outcomes: list[Outcome], code: int, table: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    found = put_peaks(outcomes, LAYOUT, verbose=False, fail_fast=False)
    out, err = capfdbinary.readouterr()
    assert (found, out.decode()) == (code, table)
    assert err.decode() == "".join(f"gcfit: {o.message}\n" for o in outcomes if o.state == "failed")


def test_fail_fast_asks_for_no_further_file(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    asked = iter([done("a", "laplace"), failed("b"), done("c", "laplace")])
    assert put_peaks(asked, LAYOUT, verbose=False, fail_fast=True) == 3
    assert next(asked).job.name == "c"
    assert capfdbinary.readouterr().out == b"file,model\na,laplace\n"


@pytest.mark.parametrize("verbose", [False, True])
def test_warnings_always_notes_when_asked_for(verbose: bool, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    outcome = done("a", warnings=("a: time taken as minutes",), notes=("a: comma",))
    put_peaks([outcome], LAYOUT, verbose=verbose, fail_fast=False)
    said = capfdbinary.readouterr().err.decode()
    assert said == "gcfit: a: time taken as minutes\n" + ("gcfit: a: comma\n" if verbose else "")


@pytest.mark.parametrize(
    ("models", "times"), [((), 0), (("gaussian", "emg"), 0), (("laplace",), 1), (("emg", "laplace+tail", "laplace"), 1)]
)
def test_the_hint_is_said_once_and_only_where_it_helps(
    models: tuple[str, ...], times: int, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    put_peaks([done("a", *models), done("b", *models)], LAYOUT, verbose=False, fail_fast=False, hint="give --hold-up")
    assert capfdbinary.readouterr().err.decode() == "gcfit: give --hold-up\n" * times


def test_a_cluster_gets_whole_paths_and_the_rows_have_the_users_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(work: Work, jobs: Iterable[Job]) -> Iterator[Outcome]:
        with chdir("/"):
            ended = [work(job) for job in jobs]
        yield from ended

    (tmp_path / "a.csv").write_text(run_with_peak(100.0), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gcfit.batch.maps.chosen", lambda **_: elsewhere)
    task = FileTask(settings=FitSettings(model="gaussian"))
    good, absent = outcomes(["a.csv", "b.csv"], task, jobs=1, dask="tcp://127.0.0.1:9")
    assert isinstance(good.result, Fitted)
    assert [row["file"] for row in (*good.result.files, *good.result.peaks)] == ["a.csv"] * 2
    assert all(note.startswith("a.csv") and str(tmp_path) not in note for note in good.result.notes)
    assert absent.message == "b.csv: cannot be opened: No such file or directory"
