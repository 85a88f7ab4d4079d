"""Worker processes that crash, hang, run out of memory or do not start."""

import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gcfit.batch.look import Examined
from gcfit.batch.maps import chosen, cores, serial
from gcfit.batch.pool import CHUNK_MAX, CHUNK_S, Limits, _Queue, processes
from gcfit.batch.records import Job, Outcome
from gcfit.batch.threads import BLAS_VARIABLES, one_blas_thread
from gcfit.errors import GcfitError
from tests.batch import tasks
from tests.batch.helpers import good_files, write_inputs

WORK = Examined(tasks.fit, tasks.Settings())


def jobs(paths: list[Path]) -> list[Job]:
    return [Job(str(path), path.name) for path in paths]


def by_name(outcomes: Iterator[Outcome]) -> dict[str, Outcome]:
    found = list(outcomes)
    assert max(Counter(outcome.job.name for outcome in found).values()) == 1
    return {outcome.job.name: outcome for outcome in found}


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_processes_give_what_serial_gives(tmp_path: Path) -> None:
    listed = jobs(good_files(tmp_path, 150))
    one = by_name(serial(WORK, listed))
    many = by_name(processes(WORK, iter(listed), count=3, limits=Limits()))
    assert list(one) == [job.name for job in listed]
    assert set(many) == set(one)
    for name, outcome in many.items():
        mine, theirs = outcome.result, one[name].result
        assert mine is not None
        assert theirs is not None
        assert (mine.peaks, outcome.sha256) == (theirs.peaks, one[name].sha256)


def test_a_worker_that_dies_costs_its_file_only(tmp_path: Path) -> None:
    good_files(tmp_path, 60)
    write_inputs(tmp_path, {"run0007x.txt": "segfault", "run0011x.txt": "once", "run0030x.txt": "segfault"})
    listed = jobs(sorted(tmp_path.iterdir()))
    before = open_files()
    found = by_name(processes(WORK, listed, count=2, limits=Limits()))
    failed = {name: outcome.message for name, outcome in found.items() if outcome.state == "failed"}
    assert len(found) == 63
    assert failed == {
        name: f"{name}: its worker process was ended by SIGSEGV" for name in ("run0007x.txt", "run0030x.txt")
    }
    assert all(found[name].again for name in failed)
    assert found["run0011x.txt"].state == "done"  # it died once and was tried again
    assert open_files() <= before + 1  # the one of multiprocessing's tracker
    assert multiprocessing.active_children() == []


def test_a_file_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    write_inputs(tmp_path, {"a.txt": "ok", "b.txt": "slow 60", "c.txt": "ok", "d.txt": "slow 0.3", "e.txt": "ok"})
    begun = time.monotonic()
    found = by_name(processes(WORK, jobs(sorted(tmp_path.iterdir())), count=1, limits=Limits(timeout=1.5)))
    assert time.monotonic() - begun < 30
    assert [found[f"{name}.txt"].state for name in "abcde"] == ["done", "failed", "done", "done", "done"]
    assert found["b.txt"].message == "b.txt: took longer than 1.5 s"
    assert found["b.txt"].again
    assert 1.5 <= found["b.txt"].seconds < 30


def test_a_file_that_needs_too_much_memory_costs_itself_only(tmp_path: Path) -> None:
    write_inputs(tmp_path, {"a.txt": "ok", "b.txt": "memory", "c.txt": "ok"})
    limits = Limits(max_memory=2 << 30)
    found = by_name(processes(WORK, jobs(sorted(tmp_path.iterdir())), count=1, limits=limits))
    assert [found[f"{name}.txt"].state for name in "abc"] == ["done", "failed", "done"]
    assert found["b.txt"].message == "b.txt: not enough memory"


def test_a_limit_below_what_a_worker_takes_is_refused(tmp_path: Path) -> None:
    listed = jobs(good_files(tmp_path, 2))
    with pytest.raises(GcfitError, match=r"--max-memory is too small: a worker takes [0-9]{2,4} MB before it begins"):
        list(processes(WORK, listed, count=2, limits=Limits(max_memory=8 << 20)))
    assert multiprocessing.active_children() == []


def test_what_is_left_of_the_memory_of_one_file_does_not_fail_the_next(tmp_path: Path) -> None:
    write_inputs(tmp_path, {"a.txt": "hoard", "b.txt": "large"})
    limits = Limits(max_memory=2 << 30)
    found = by_name(processes(WORK, jobs(sorted(tmp_path.iterdir())), count=1, limits=limits))
    assert [found[f"{name}.txt"].state for name in "ab"] == ["failed", "done"]


def test_the_time_of_a_file_begins_when_the_one_before_it_ends(tmp_path: Path) -> None:
    good_files(tmp_path, 60)  # so quick that the next ones are handed out in one chunk
    write_inputs(tmp_path, {f"slow{number}.txt": "slow 0.5" for number in range(6)})
    found = by_name(processes(WORK, jobs(sorted(tmp_path.iterdir())), count=1, limits=Limits(timeout=2)))
    assert {outcome.state for outcome in found.values()} == {"done"}


def test_a_worker_has_one_blas_thread_and_leaves_standard_output_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    (path,) = write_inputs(tmp_path, {"a.txt": "threads"})
    (outcome,) = processes(WORK, jobs([path]), count=1, limits=Limits())
    assert outcome.result is not None
    assert outcome.result.files[0]["message"] == "1"
    assert capfd.readouterr().out == ""


def test_every_known_blas_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in BLAS_VARIABLES:
        monkeypatch.setenv(name, "9")
    one_blas_thread()
    assert {os.environ[name] for name in BLAS_VARIABLES} == {"1"}


class _Unloadable:
    """Cannot be unpickled in a worker."""

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (5,)


def test_workers_that_do_not_start_end_the_run_with_a_reason(tmp_path: Path) -> None:
    listed = jobs(good_files(tmp_path, 3))
    work = Examined(tasks.fit, _Unloadable())
    with pytest.raises(GcfitError, match=r"end before they are ready: .* status 5; try --jobs 1"):
        list(processes(work, listed, count=2, limits=Limits()))
    assert multiprocessing.active_children() == []


def test_closing_the_outcomes_stops_the_workers(tmp_path: Path) -> None:
    write_inputs(tmp_path, {"a.txt": "ok", "b.txt": "slow 60", "c.txt": "slow 60"})
    outcomes = processes(WORK, jobs(sorted(tmp_path.iterdir())), count=3, limits=Limits())
    assert next(outcomes).job.name == "a.txt"
    begun = time.monotonic()
    outcomes.close()
    assert time.monotonic() - begun < 10
    assert multiprocessing.active_children() == []


def test_no_jobs_start_no_worker() -> None:
    assert list(processes(WORK, [], count=4, limits=Limits())) == []


def test_jobs_are_taken_only_when_they_are_needed(tmp_path: Path) -> None:
    listed = jobs(good_files(tmp_path, 400))
    taken = 0

    def counted() -> Iterator[Job]:
        nonlocal taken
        for job in listed:
            taken += 1
            yield job

    slow = Examined(tasks.fit, tasks.Settings(seconds=CHUNK_S / 5))
    outcomes = processes(slow, counted(), count=2, limits=Limits())
    next(outcomes)
    assert taken <= 2 * CHUNK_MAX
    outcomes.close()


def test_the_queue_gives_back_what_came_back() -> None:
    first, *rest = [Job(str(number), str(number)) for number in range(5)]
    queue = _Queue([first, *rest])
    assert queue.ahead(2) == 2
    assert queue.take(3) == [first, *rest[:2]]
    queue.put_back([first])
    assert queue.take(9) == [first, *rest[2:]]
    assert queue.ahead(1) == 0


@pytest.mark.parametrize(
    ("given", "files", "name"), [(1, 9, "serial"), (4, 1, "serial"), (0, 1, "serial"), (2, 9, "processes")]
)
def test_the_map_for_a_number_of_jobs(given: int, files: int, name: str) -> None:
    map_ = chosen(jobs=given, files=files, dask="", limits=Limits())
    assert getattr(map_, "func", map_).__name__ == name  # type: ignore[attr-defined]


def test_all_cores_are_those_that_the_process_may_use() -> None:
    assert cores() == len(os.sched_getaffinity(0))
    map_ = chosen(jobs=0, files=10**6, dask="", limits=Limits(timeout=1))
    assert map_.keywords["count"] == cores()  # type: ignore[attr-defined]


def test_limits_need_a_process_even_for_one_job() -> None:
    map_ = chosen(jobs=1, files=5, dask="", limits=Limits(timeout=3))
    assert map_.keywords == {"count": 1, "limits": Limits(timeout=3)}  # type: ignore[attr-defined]


def test_wishes_that_cannot_be_met_are_refused() -> None:
    with pytest.raises(GcfitError, match="jobs is -1; give 1 or more, or 0 for all cores"):
        chosen(jobs=-1, files=5, dask="", limits=Limits())
    with pytest.raises(GcfitError, match="do not reach Dask workers"):
        chosen(jobs=1, files=5, dask="tcp://localhost:1", limits=Limits(timeout=1))


def test_a_worker_starts_without_numpy_so_that_the_threads_are_set_in_time() -> None:
    code = "import gcfit.batch.worker, gcfit.batch.pool, sys; print('numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
