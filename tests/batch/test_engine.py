"""A whole batch in this process: what is fitted, what is kept, what is replaced, and what is said about it."""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gcfit.batch import Summary, run
from gcfit.batch.records import Counts, Job, Outcomes, Work
from gcfit.batch.store import opened
from gcfit.batch.worklist import described, work_list
from gcfit.errors import GcfitError, OutputError
from tests.batch import tasks
from tests.batch.helpers import LONG_AGO, good_files, rows, statuses, touch_lately, untimed, write_inputs


def go(files: list[Path], output: Path, settings: tasks.Settings | None = None, **options: Any) -> Summary:
    return run(files, settings or tasks.Settings(), output, task=tasks.fit, **options)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "new" / "results"


def test_a_batch_gives_a_row_a_file_and_a_row_a_peak(tmp_path: Path, output: Path) -> None:
    files = good_files(tmp_path / "in", 20)
    summary = go(files, output)
    assert (summary.exit_code, summary.counts) == (0, Counts(fitted=20))
    assert [row["file"] for row in rows(output, "files")] == [str(path) for path in files]
    assert [row["peaks"] for row in rows(output, "files")] == [str(index % 7) for index in range(20)]
    peaks = rows(output, "peaks")
    assert len(peaks) == sum(index % 7 for index in range(20))
    # full precision: the number that the task made of the bytes, bit for bit
    first = next(row for row in peaks if row["file"] == str(files[1]))
    assert float(first["area"]) == tasks.number_of(files[1].read_bytes(), "1")


BAD = {
    "bad 1.txt": ("bad a hole", "line 2: a hole"),
    "bad 2.txt": ("unfit", "no fit converged"),
    "bad 3.txt": ("bug", "unexpected ZeroDivisionError"),
    "bad 4.txt": ("", "'empty' is no number"),
    "bad 5.txt": ("\x00\x01\x02", "is no number"),
    "bad 6.txt": ("segfault", "was ended by SIGSEGV"),
    "bad 7.txt": ("memory", "not enough memory"),
    "bad 8.txt": ("slow 30", "took longer than 5 s"),
    "bad 9.txt": ("partly", "[TCD]: flat"),
}


def test_bad_files_get_a_row_with_their_reason_and_the_others_go_on(tmp_path: Path, output: Path) -> None:
    files = good_files(tmp_path, 40)
    files += write_inputs(tmp_path, {name: content for name, (content, _) in BAD.items()})
    files.append(tmp_path / "bad 10.txt")
    summary = go(files, output, jobs=2, timeout=5, max_memory=2 << 30)
    assert summary.counts == Counts(fitted=40, failed=10)
    assert summary.exit_code == 3
    found = {Path(row["file"]).name: row for row in rows(output, "files") if row["status"] == "failed"}
    assert set(found) == {*BAD, "bad 10.txt"}
    for name, (_, reason) in (BAD | {"bad 10.txt": ("", "No such file or directory")}).items():
        assert reason in found[name]["message"]
    assert len([row for row in rows(output, "peaks") if "bad" not in Path(row["file"]).name]) == sum(
        i % 7 for i in range(40)
    )


def test_the_tables_do_not_depend_on_the_number_of_jobs(tmp_path: Path, output: Path) -> None:
    files = good_files(tmp_path / "in", 60) + write_inputs(tmp_path / "in", {"b.txt": "bad x", "p.txt": "partly"})
    go(files, output, jobs=1)
    go(files[::-1], output.with_name("other"), jobs=3)
    assert untimed(output) == untimed(output.with_name("other"))


def test_unchanged_files_are_not_fitted_again(tmp_path: Path, output: Path) -> None:
    files = good_files(tmp_path, 10) + write_inputs(tmp_path, {"b.txt": "bad x"})
    go(files, output)
    before = (output / "files.csv").read_bytes()
    os.utime(files[0])  # another time is no other content
    summary = go(files, output)
    assert summary.counts == Counts(unchanged=10, failed=1)
    assert summary.exit_code == 3
    assert (output / "files.csv").read_bytes() == before  # the timings too: nothing was done


def test_a_new_run_may_name_the_files_otherwise(tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = good_files(tmp_path, 3)
    go(files, output)
    monkeypatch.chdir(tmp_path)
    assert go([Path(path.name) for path in files], output).counts == Counts(unchanged=3)
    assert {row["file"] for table in ("files", "peaks") for row in rows(output, table)} == {p.name for p in files}


def test_messages_follow_the_name(tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = write_inputs(tmp_path, {"a\x1b.txt": "bad x", "b.txt": "unfit", "c.txt": "bug"})
    bug = "unexpected ZeroDivisionError"
    go(files, output)
    monkeypatch.chdir(tmp_path)
    for folder in (Path(), tmp_path):
        summary = go([folder / path.name for path in files], output)
        escaped, plain, unnamed = [row["message"] for row in rows(output, "files")]
        place = f"{folder}/" if folder == tmp_path else ""
        assert escaped == summary.first == f"{place}a\\x1b.txt: line 2: x; repair it"
        assert plain == f"{place}b.txt: no fit converged"
        assert unnamed.startswith(bug)


def test_only_changed_and_new_files_are_fitted(tmp_path: Path, output: Path) -> None:
    files = good_files(tmp_path, 5)
    go(files, output)
    old = {row["file"]: row for row in rows(output, "peaks")}
    files += write_inputs(tmp_path, {"run0001.txt": "ok 1 6 1", "new.txt": "ok"})[1:]  # the same size as before
    assert go(files, output).counts == Counts(fitted=2, unchanged=4)
    changed = [row for row in rows(output, "peaks") if row["file"] == str(files[1])]
    assert len(changed) == 6
    assert old[str(files[1])] not in changed


def test_other_settings_are_other_results(tmp_path: Path, output: Path) -> None:
    files = good_files(tmp_path, 3)
    go(files, output)
    assert go(files, output, tasks.Settings(label="b")).counts == Counts(fitted=3)
    assert go(files, output, tasks.Settings(label="b")).counts == Counts(unchanged=3)
    assert go(files, output, tasks.Settings(label="b"), resume=False).counts == Counts(fitted=3)


def test_reasons_that_may_pass_are_tried_again(tmp_path: Path, output: Path) -> None:
    files = write_inputs(tmp_path, {"a.txt": "ok", "b.txt": "slow 1"})
    assert go(files, output, timeout=0.4).counts == Counts(fitted=1, failed=1)
    assert go(files, output).counts == Counts(fitted=1, unchanged=1)
    files = write_inputs(tmp_path, {"c.txt": "pressed"})
    assert go(files, output).counts == Counts(failed=1)
    assert go(files, output).counts == Counts(fitted=1)


def test_incomplete_files_are_no_failures(tmp_path: Path, output: Path) -> None:
    files = write_inputs(tmp_path, {"a.txt": "ok", "b.txt": "growing", "c.csv": "t,s\n1,2\n2,3\n3"})
    touch_lately(files[2])
    summary = go(files, output)
    assert (summary.exit_code, summary.counts) == (0, Counts(fitted=1, incomplete=2))
    assert statuses(output) == {"a.txt": "ok", "b.txt": "incomplete", "c.csv": "incomplete"}
    write_inputs(tmp_path, {"b.txt": "ok", "c.csv": "ok"})
    assert go(files, output).counts == Counts(fitted=2, unchanged=1)
    assert set(statuses(output).values()) == {"ok"}


def test_what_cannot_be_read_now_keeps_its_rows(tmp_path: Path, output: Path) -> None:
    """As what has vanished does; what was read and is no chromatogram any more does not."""
    files = good_files(tmp_path, 4)
    go(files, output)
    before = untimed(output)
    write_inputs(tmp_path, {"run0001.txt": "growing", "run0002.txt": "t,s\n1,2\n2,3\n3"})
    touch_lately(files[2])
    files[3].unlink()
    files[3].symlink_to(files[3].name)
    summary = go(files, output, log=tmp_path / "log")
    assert (summary.exit_code, summary.counts) == (3, Counts(unchanged=1, incomplete=2, failed=1))
    assert summary.first == f"{files[3]}: Too many levels of symbolic links; its earlier rows are kept"
    assert untimed(output) == before
    assert (tmp_path / "log").read_text().count("its earlier rows are kept") == 4  # three files, and the summary
    with opened(output) as store:
        assert store.begun() == set()
    write_inputs(tmp_path, {"run0001.txt": "bad x", "run0002.txt": "ok"})
    assert go(files[:3], output).counts == Counts(unchanged=1, fitted=1, failed=1)
    assert statuses(output)["run0001.txt"] == "failed"


def test_what_is_no_chromatogram_is_skipped_or_fails_by_how_it_is_named_now(tmp_path: Path, output: Path) -> None:
    files = good_files(tmp_path, 1) + write_inputs(tmp_path, {"b.txt": "bad x", "c.txt": "unfit"})
    skipped, failed = Counts(fitted=1, skipped=1, failed=1), Counts(fitted=1, failed=2)
    runs = {True: skipped, False: failed}
    for lenient in (True, True, False, False, True):
        summary = go(files, output, lenient=lenient)
        fresh = go(files, output.with_name("fresh"), lenient=lenient, resume=False)
        assert fresh.counts == runs[lenient]
        assert replace(summary.counts, fitted=1, unchanged=0) == fresh.counts
        assert (summary.exit_code, summary.first) == (fresh.exit_code, fresh.first)
        assert untimed(output) == untimed(output.with_name("fresh"))
    assert [go(files[1:2], output, lenient=True).exit_code for _ in range(2)] == [1, 1]


def test_vanished_files_stay_until_they_are_pruned(tmp_path: Path, output: Path) -> None:
    files = good_files(tmp_path, 4)
    go(files, output)
    before = untimed(output)
    files[1].unlink()
    files[3].unlink()
    summary = go(files[:3], output)
    assert (summary.exit_code, summary.counts) == (3, Counts(unchanged=2, vanished=1))
    assert summary.first == f"{files[1]}: is no longer there; its rows are kept"
    assert go(files[1:2], output).exit_code == 1
    assert untimed(output) == before
    assert go([files[0], files[2]], output, prune=True).counts == Counts(unchanged=2, pruned=2)
    assert list(statuses(output)) == ["run0000.txt", "run0002.txt"]
    assert {row["file"] for row in rows(output, "peaks")} == {str(files[2])}


def test_a_file_that_was_never_there_fails_every_time(tmp_path: Path, output: Path) -> None:
    files = [*good_files(tmp_path, 1), tmp_path / "absent.txt"]
    for counts in (Counts(fitted=1, failed=1), Counts(unchanged=1, failed=1)):
        summary = go(files, output)
        assert (summary.exit_code, summary.counts) == (3, counts)
        assert summary.first == f"{files[1]}: No such file or directory"


@pytest.mark.parametrize("name", ["peaks.csv", "files.csv"])
def test_tables_of_somebody_else_are_not_overwritten(tmp_path: Path, name: str) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (output / name).write_text("area,time\n1,2\n")
    with pytest.raises(OutputError, match=rf"{name}: is not a table of gcfit and is left as it is; move it away"):
        go(good_files(tmp_path, 1), output)
    assert (output / name).read_text() == "area,time\n1,2\n"
    assert not (output / "results.sqlite").exists()


@pytest.mark.parametrize("head", ["", "file,trace,peak\n", "\ufefffile;trace;peak\n"])
def test_tables_of_gcfit_without_their_store_are_written_again(tmp_path: Path, head: str) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (output / "peaks.csv").write_text(head, encoding="utf-8")
    assert go(good_files(tmp_path, 2), output).counts == Counts(fitted=2)
    assert len(rows(output, "files")) == 2


def test_messages_name_a_file_as_the_user_did_whatever_its_name_holds(tmp_path: Path, output: Path) -> None:
    files = write_inputs(tmp_path, {"a\x1b.txt": "bad x"})
    go(files, output)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        go([Path("a\x1b.txt")], output, resume=False)
    assert rows(output, "files")[0]["message"] == "a\\x1b.txt: line 2: x; repair it"


def test_files_of_one_name_in_different_folders_stay_apart(tmp_path: Path, output: Path) -> None:
    files = write_inputs(tmp_path, {"a/run.txt": "ok 1 2 a", "b/run.txt": "ok 1 2 b", "run.txt": "ok 1 2 c"})
    go(files, output, tasks.Settings(picture="png"))
    assert [row["file"] for row in rows(output, "files")] == [str(path) for path in files]
    assert len({row["area"] for row in rows(output, "peaks")}) == 6
    pictures = sorted((output / "figures").iterdir())
    assert sorted(path.read_bytes() for path in pictures) == [b"ok 1 2 a", b"ok 1 2 b", b"ok 1 2 c"]


def test_a_file_given_twice_is_fitted_once(tmp_path: Path, output: Path) -> None:
    (path,) = good_files(tmp_path, 1)
    assert go([path, tmp_path / "x" / ".." / path.name, path], output).counts == Counts(fitted=1)


def test_the_tables_of_the_batch_are_no_input_of_it(tmp_path: Path) -> None:
    good_files(tmp_path, 2)
    for expected in (Counts(fitted=2), Counts(unchanged=2)):
        names = [path for path in sorted(tmp_path.iterdir()) if path.suffix in (".txt", ".csv")]
        assert go(names, tmp_path).counts == expected


def test_fail_fast_begins_no_further_file(tmp_path: Path, output: Path) -> None:
    files = good_files(tmp_path, 3) + write_inputs(tmp_path, {"x.txt": "bad x"}) + good_files(tmp_path / "more", 3)
    for counts in (Counts(fitted=3, failed=1), Counts(unchanged=3, failed=1)):
        summary = go(files, output, fail_fast=True)
        assert (summary.exit_code, summary.counts) == (3, counts)


def test_figures_follow_their_files(tmp_path: Path, output: Path) -> None:
    files = write_inputs(tmp_path, {"a.txt": "ok", "b.txt": "ok 3"})
    settings = tasks.Settings(picture="svg")
    go(files, output, settings)
    figures = output / "figures"
    names = sorted(path.name for path in figures.iterdir())
    assert names[0] == "a.svg"
    assert [name[:5] for name in names[1:]] == ["b-D0-", "b-D1-", "b-D2-"]
    assert (figures / "a.svg").read_bytes() == b"ok"
    (figures / "a.svg").unlink()  # drawn again when it is missing
    assert go(files, output, settings).counts == Counts(fitted=1, unchanged=1)
    write_inputs(tmp_path, {"b.txt": "ok 1"})
    files[0].unlink()
    go(files, output, settings, prune=True)
    assert [path.name for path in figures.iterdir()] == ["b.svg"]


def test_the_log_has_a_line_an_event(tmp_path: Path, output: Path) -> None:
    files = write_inputs(tmp_path, {"a\nb.txt": "ok", "c.txt": "bad x"})
    go(files, output, log=tmp_path / "log.jsonl")
    go(files, output, log=tmp_path / "log.jsonl")
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [entry["event"] for entry in entries] == ["start", "file", "file", "end", "start", "end"]
    assert (entries[1]["file"], entries[1]["status"], entries[1]["peaks"]) == (str(files[0]), "fitted", 3)
    assert (entries[2]["status"], entries[2]["message"]) == ("failed", f"{files[1]}: line 2: x; repair it")
    assert entries[3]["exit_code"] == 3


def test_a_log_that_cannot_be_written_is_said_at_once(tmp_path: Path, output: Path) -> None:
    with pytest.raises(OutputError, match="the log cannot be written: Is a directory"):
        go(good_files(tmp_path / "in", 1), output, log=tmp_path)


def test_an_output_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    for place in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(OutputError, match="the folder cannot be made"):
            go(good_files(tmp_path / "in", 1), place)


def test_tables_that_were_lost_are_written_again(tmp_path: Path, output: Path) -> None:
    files = good_files(tmp_path, 5)
    go(files, output)
    before = untimed(output)
    (output / "peaks.csv").unlink()
    (output / "files.csv").write_text("spoiled")
    go(files, output)
    assert untimed(output) == before


def test_the_tables_hold_what_was_finished_when_the_run_ends_by_an_error(
    tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leaving(work: Work, jobs: Iterable[Job]) -> Outcomes:
        yield from (work(job) for job, _ in zip(jobs, range(2), strict=False))
        raise GcfitError("the scheduler has gone")

    files = good_files(tmp_path, 5)
    monkeypatch.setattr("gcfit.batch.engine.chosen", lambda **_: leaving)
    with pytest.raises(GcfitError, match="the scheduler has gone"):
        go(files, output)
    assert list(statuses(output)) == ["run0000.txt", "run0001.txt"]
    monkeypatch.setattr("gcfit.batch.engine.write_tables", OutputError)
    with pytest.raises(GcfitError, match="the scheduler has gone"):
        go(files, output)


def test_nothing_but_the_results_is_left_in_the_folder(tmp_path: Path, output: Path) -> None:
    go(good_files(tmp_path, 5), output)
    assert {path.name for path in output.iterdir()} == {".lock", "files.csv", "peaks.csv", "results.sqlite"}


def test_names_in_any_encoding_reach_the_tables(tmp_path: Path, output: Path) -> None:
    names = [b"m\xfcller.txt", "m\N{LATIN SMALL LETTER U WITH DIAERESIS}ller.txt".encode(), b'a,"b"\n.txt', b"=1+1.txt"]
    os.makedirs(tmp_path / "in")  # noqa: PTH103
    for name in names:
        path = os.path.join(os.fsencode(tmp_path / "in"), name)  # noqa: PTH118
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(b"ok 1 1")
        os.utime(path, (LONG_AGO, LONG_AGO))
    files = [Path(os.fsdecode(os.path.join(os.fsencode(tmp_path / "in"), name))) for name in names]  # noqa: PTH118
    assert go(files, output).counts == Counts(fitted=4)
    assert {os.fsencode(Path(row["file"]).name) for row in rows(output, "peaks")} == set(names)
    assert go(files, output).counts == Counts(unchanged=4)


@pytest.mark.parametrize(
    ("counts", "interrupted", "code"),
    [
        (Counts(), False, 0),
        (Counts(fitted=3, incomplete=1), False, 0),
        (Counts(incomplete=1), False, 1),
        (Counts(incomplete=1, skipped=1, vanished=1), False, 1),
        (Counts(unchanged=1, vanished=1), False, 3),
        (Counts(unchanged=1, skipped=1), False, 0),
        (Counts(failed=3), False, 1),
        (Counts(failed=3, unchanged=1), False, 3),
        (Counts(failed=1, fitted=1), True, 130),
    ],
)
def test_exit_codes(counts: Counts, interrupted: bool, code: int) -> None:
    assert Summary(counts, 4, 1.0, "", interrupted).exit_code == code


def test_the_summary_is_one_line() -> None:
    counts = Counts(fitted=950, failed=50)
    line = Summary(counts, 1000, 12.34, "a.csv: empty file").line
    assert line == "1000 files: 950 fitted, 50 failed; 12.3 s; first failure: a.csv: empty file"
    counts = Counts(unchanged=1, vanished=2, pruned=3, incomplete=4)
    assert Summary(counts, 1, 0.0).line == "1 file: 1 unchanged, 4 incomplete, 2 vanished (rows kept), 3 pruned; 0.0 s"
    assert Summary(Counts(), 0, 0.0).line == "0 files: nothing to do; 0.0 s"


def test_settings_are_known_by_their_values() -> None:
    first = described(tasks.fit, tasks.Settings(seconds=0.1))
    assert first == described(tasks.fit, tasks.Settings(seconds=0.1))
    others = [described(tasks.fit, tasks.Settings(seconds=0.1 + 2**-56)), described(tasks.ok, tasks.Settings(0.1))]
    assert len({first[0], *(other[0] for other in others)}) == 3
    assert json.loads(first[1])["settings"] == {"seconds": 0.1, "label": "a", "picture": ""}


def test_the_work_list_keeps_the_order_and_the_names() -> None:
    jobs = work_list(["b.txt", "./a.txt", "/x/../y.txt", "a.txt"], Path("out"))
    assert [job.name for job in jobs] == ["b.txt", "./a.txt", "/x/../y.txt"]
    assert [job.path for job in jobs] == [str(Path.cwd() / "b.txt"), str(Path.cwd() / "a.txt"), "/y.txt"]


def test_a_vendor_folder_is_one_file(tmp_path: Path, output: Path) -> None:
    write_inputs(tmp_path / "run.D", {"signal.ch": "abc"})
    settings = tasks.Settings()

    def once() -> Summary:
        return run([tmp_path / "run.D"], settings, output, task=tasks.folder)

    assert once().counts == Counts(fitted=1)
    assert once().counts == Counts(unchanged=1)
    write_inputs(tmp_path / "run.D", {"signal.ch": "abd"})
    assert once().counts == Counts(fitted=1)
    shutil.rmtree(tmp_path / "run.D")
    assert once().counts == Counts(vanished=1)


@pytest.mark.parametrize("name", [b"x" + "\N{LATIN SMALL LETTER U WITH DIAERESIS}".encode() * 110, b"lat\xe9n"])
def test_figures_of_names_that_are_long_or_no_text(tmp_path: Path, output: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name + b".txt")
    path.write_text("ok 2")
    os.utime(path, (LONG_AGO, LONG_AGO))
    settings = tasks.Settings(picture="svg")
    assert go([path], output, settings).counts == Counts(fitted=1)
    assert go([path], output, settings).counts == Counts(unchanged=1)
    names = [os.fsencode(figure.name) for figure in (output / "figures").iterdir()]
    assert len(names) == 2
    assert all(len(figure) < 220 and figure.startswith(name[:20]) for figure in names)
    path.write_text("bad x")
    go([path], output, settings)
    assert list((output / "figures").iterdir()) == []


def test_a_step_back_from_a_linked_folder_leads_where_the_system_goes(tmp_path: Path, output: Path) -> None:
    write_inputs(tmp_path, {"far/a.txt": "ok 1 2 far", "a.txt": "ok 1 1 near", "far/deep/b.txt": "ok"})
    (tmp_path / "link").symlink_to(tmp_path / "far" / "deep")
    assert go([tmp_path / "link" / ".." / "a.txt"], output).counts == Counts(fitted=1)
    assert [row["peaks"] for row in rows(output, "files")] == ["2"]


def test_a_file_reached_through_a_linked_folder_is_the_same_file(tmp_path: Path, output: Path) -> None:
    (path,) = good_files(tmp_path / "in", 1)
    (tmp_path / "link").symlink_to(tmp_path / "in")
    go([path], output)
    assert go([tmp_path / "link" / path.name], output).counts == Counts(unchanged=1)
    assert len(rows(output, "files")) == 1


def test_a_link_is_known_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "newest.txt").symlink_to(tmp_path / "run.txt")
    (job,) = work_list([tmp_path / "newest.txt"], tmp_path / "out")
    assert job.path == str(tmp_path / "newest.txt")
    (job,) = work_list([f"{tmp_path}/run.D/"], tmp_path / "out")
    assert job.path == str(tmp_path / "run.D")
