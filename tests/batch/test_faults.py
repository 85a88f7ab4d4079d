"""Killed, stopped, out of disk, out of folder, two at once: the same command again ends with the same tables."""

import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.batch.helpers import (
    ROOT,
    command,
    complete,
    good_files,
    run_process_of,
    start,
    statuses,
    untimed,
    write_inputs,
)

FILES = 120
WORK = ("--seconds", "0.01")  # 1.2 s of work for one process


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good files and some of the bad ones."""
    folder = tmp_path_factory.mktemp("inputs")
    good_files(folder, FILES)
    write_inputs(
        folder, {f"run00{at}x.txt": text for at, text in enumerate(["bad x", "bug", "", "partly", "unfit"], 10)}
    )
    return folder


@pytest.fixture(scope="module")
def uninterrupted(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    output = tmp_path_factory.mktemp("uninterrupted")
    assert complete(command(output, inputs, *WORK)).returncode == 3
    assert len(statuses(output)) == FILES + 5
    return untimed(output)


def finished(output: Path) -> int:
    """Files that the store holds, whatever state the process is in."""
    if not (output / "results.sqlite").exists():
        return 0
    with closing(sqlite3.connect(output / "results.sqlite")) as connection:
        return int(connection.execute("SELECT count(*) FROM files").fetchone()[0])


def wait_for(output: Path, files: int, process: "subprocess.Popen[str]") -> None:
    """Wait until the store holds some files."""
    while finished(output) < files:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def gone(group: int) -> bool:
    """Wait until no process of the group is left."""
    for _ in range(100):
        if not run_process_of(group):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_a_random_moment(inputs: Path, uninterrupted: dict[str, bytes], tmp_path: Path, seed: int) -> None:
    moments = random.Random(seed)
    for _ in range(2):
        process = start(command(tmp_path, inputs, *WORK))
        time.sleep(moments.uniform(0.0, 1.6))
        process.kill()  # the main process alone, as the kernel does when memory is short
        process.communicate()
        assert gone(process.pid), "workers outlive their main process"
    assert complete(command(tmp_path, inputs, *WORK)).returncode == 3
    assert untimed(tmp_path) == uninterrupted
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "files.csv", "peaks.csv", "results.sqlite"}


def test_a_worker_in_a_long_fit_ends_with_its_main_process(tmp_path: Path) -> None:
    write_inputs(tmp_path / "in", {"a.txt": "slow 100", "b.txt": "slow 100", "c.txt": "ok"})
    process = start(command(tmp_path / "out", tmp_path / "in"))
    wait_for(tmp_path / "out", 0, process)
    time.sleep(2)  # the workers have begun
    process.kill()
    process.communicate()
    assert gone(process.pid)


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopped_by_a_signal(
    inputs: Path, uninterrupted: dict[str, bytes], tmp_path: Path, number: signal.Signals, jobs: str
) -> None:
    process = start(command(tmp_path, inputs, *WORK, "--jobs", jobs))
    wait_for(tmp_path, 20, process)
    # Ctrl-C reaches the whole group, as in a terminal
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == ""
    assert re.fullmatch(r"gcfit: 125 files: .*; interrupted, run the same command again for the rest.*\n", err)
    assert gone(process.pid)
    kept = statuses(tmp_path)
    assert 19 <= len(kept) < FILES + 5  # one of the files has two rows
    assert complete(command(tmp_path, inputs, *WORK)).returncode == 3
    assert untimed(tmp_path) == uninterrupted


@pytest.mark.parametrize("word", ["segfault", "killed"])
def test_a_file_that_ends_the_only_process_does_not_end_the_next_run(tmp_path: Path, word: str) -> None:
    """With one job there is no worker to die: the run dies, and the next one gives that file a process of its own."""
    folder, output = tmp_path / "in", tmp_path / "out"
    good_files(folder, 9)
    write_inputs(folder, {"run0004x.txt": word})
    arguments = command(output, folder, "--jobs", "1")
    first = complete(arguments)
    assert first.returncode < 0
    assert finished(output) == 5
    for _ in range(2):
        run = complete(arguments)
        assert run.returncode == 3
        assert [name for name, status in statuses(output).items() if status == "failed"] == ["run0004x.txt"]
        assert "run0004x.txt: its worker process was ended by SIG" in run.stderr


def test_two_runs_on_one_folder_do_not_mix(inputs: Path, uninterrupted: dict[str, bytes], tmp_path: Path) -> None:
    both = [start(command(tmp_path, inputs, *WORK)) for _ in range(2)]
    texts = [process.communicate(timeout=60)[1] for process in both]
    assert sorted(process.returncode for process in both) == [1, 3]
    refused = texts[[process.returncode for process in both].index(1)]
    expected = f"gcfit: {tmp_path}: another gcfit is writing to this folder; wait until it has finished "
    assert refused == expected + "or choose another folder with -o\n"
    assert untimed(tmp_path) == uninterrupted


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 kB; needs the right to mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "gcfit-test", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk(inputs: Path, uninterrupted: dict[str, bytes], small_disk: Path) -> None:
    run = complete(command(small_disk, inputs, *WORK))
    assert (run.returncode, run.stdout) == (1, "")
    assert re.fullmatch(r"gcfit: .*: database or disk is full; finished files are kept, .*\n", run.stderr)
    kept = finished(small_disk)
    assert kept > 5
    grown = ["mount", "-o", "remount,size=20m", str(small_disk)]
    subprocess.run(grown, check=True)
    run = complete(command(small_disk, inputs, *WORK))
    assert run.returncode == 3
    unchanged = int(re.findall("([0-9]+) unchanged", run.stderr)[0])
    assert kept - 6 <= unchanged <= kept  # five files fail, one of them has two rows
    assert untimed(small_disk) == uninterrupted


@pytest.mark.parametrize("blocks", [20, 60, 100, 140, 180])
def test_a_limit_on_the_size_of_files(
    inputs: Path, uninterrupted: dict[str, bytes], tmp_path: Path, blocks: int
) -> None:
    limited = ["bash", "-c", f'ulimit -f {blocks}; exec "$@"', "bash", *command(tmp_path, inputs, *WORK)]
    run = complete(limited)
    assert run.stderr.count("\n") == 1
    assert "Traceback" not in run.stderr
    if run.returncode != 3:
        assert run.returncode == 1
        assert re.search("disk I/O error|database or disk is full|File too large", run.stderr)
    assert complete(command(tmp_path, inputs, *WORK)).returncode == 3
    assert untimed(tmp_path) == uninterrupted


def test_a_folder_that_cannot_be_written(inputs: Path, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for place in (small_disk, small_disk / "deeper"):
        run = complete(command(place, inputs, *WORK))
        assert (run.returncode, run.stdout) == (1, "")
        assert re.fullmatch(rf"gcfit: {place}: the folder cannot be (written to; .*|made: Read-only .*)\n", run.stderr)


def test_a_folder_that_becomes_unwritable(inputs: Path, uninterrupted: dict[str, bytes], small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    assert complete(command(small_disk, inputs, *WORK)).returncode == 3
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert complete(command(small_disk, inputs, *WORK)).returncode == 1
    assert untimed(small_disk) == uninterrupted


@pytest.mark.parametrize("what", ["folder", "store"])
def test_a_folder_that_disappears(inputs: Path, uninterrupted: dict[str, bytes], tmp_path: Path, what: str) -> None:
    output = tmp_path / "out"
    process = start(command(output, inputs, *WORK))
    wait_for(output, 20, process)
    (output if what == "folder" else output / "results.sqlite").rename(tmp_path / "moved")
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert (
        err
        == f"gcfit: {output}/results.sqlite: was removed or replaced by another program; run the same command again\n"
    )
    assert gone(process.pid)
    assert complete(command(output, inputs, *WORK)).returncode == 3
    assert untimed(output) == uninterrupted


def test_a_foreign_store_stops_the_run(inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "results.sqlite").write_text("not ours")
    (tmp_path / "peaks.csv").write_text("not ours either")
    run = complete(command(tmp_path, inputs))
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert "is not a store of gcfit and is left as it is" in run.stderr
    assert (tmp_path / "results.sqlite").read_text() == "not ours"
    assert (tmp_path / "peaks.csv").read_text() == "not ours either"


def test_inputs_that_disappear_during_the_run(inputs: Path, uninterrupted: dict[str, bytes], tmp_path: Path) -> None:
    """A network drive that goes away: what was fitted stays, the rest fails, and is fitted when it is back."""
    folder = tmp_path / "in"
    shutil.copytree(inputs, folder)
    output = tmp_path / "out"
    whole, again = tmp_path / "whole", command(output, folder, *WORK)
    assert complete(command(whole, folder, *WORK)).returncode == 3
    process = start(again)
    wait_for(output, 30, process)  # six rows of them may be bad
    folder.rename(tmp_path / "away")
    assert process.communicate(timeout=20)[1].count("\n") == 1
    assert process.returncode == 3
    assert 20 <= list(statuses(output).values()).count("ok") < FILES
    (tmp_path / "away").rename(folder)
    assert complete(again).returncode == 3
    assert untimed(output) == untimed(whole)


CLOCK = """
import runpy, sys, time
real, jump = time.time, time.monotonic() + float(sys.argv.pop(1))
time.time = lambda: real() - 86400 * (time.monotonic() > jump)
runpy.run_module("tests.batch.command", run_name="__main__")
"""


def test_a_clock_that_jumps_back_by_a_day(inputs: Path, tmp_path: Path) -> None:
    """In the middle of the run, on files written shortly before it: from then on they are of the future."""
    folder = tmp_path / "in"
    shutil.copytree(inputs, folder)
    for path in folder.iterdir():
        os.utime(path, (time.time() - 10,) * 2)
    arguments = command(tmp_path / "out", folder, *WORK, "--jobs", "1", "--log", str(tmp_path / "log"))
    run = complete([arguments[0], "-c", CLOCK, "0.7", *arguments[3:]])
    assert (run.returncode, run.stdout) == (3, "")
    seconds = float(re.findall(r"; ([0-9.]+) s;", run.stderr)[0])
    assert 0.7 < seconds < 100  # not that of a clock that can be set
    assert complete(command(tmp_path / "usual", folder, *WORK)).returncode == 3
    assert untimed(tmp_path / "out") == untimed(tmp_path / "usual")


def test_files_dated_in_the_future_are_like_others(
    inputs: Path, uninterrupted: dict[str, bytes], tmp_path: Path
) -> None:
    """What a file system shows after the clock was set back by a day."""
    for path in sorted(inputs.iterdir())[:10]:
        os.utime(path, (time.time() + 86400,) * 2)
    for _ in range(2):
        assert complete(command(tmp_path, inputs, *WORK)).returncode == 3
        assert untimed(tmp_path) == uninterrupted


def test_started_by_cron(inputs: Path, uninterrupted: dict[str, bytes], tmp_path: Path) -> None:
    """No HOME, no terminal, LANG=C, umask 077, nothing else in the environment."""
    bare = ["env", "-i", "LANG=C", "PATH=/usr/bin:/bin", "sh", "-c", 'umask 077; exec "$@"', "sh"]
    output = tmp_path / "out"
    arguments = [*bare, *command(output, inputs, *WORK)]
    run = subprocess.run(arguments, capture_output=True, stdin=subprocess.DEVNULL, cwd=ROOT, timeout=60)
    assert (run.returncode, run.stdout) == (3, b"")
    assert re.fullmatch(rb"gcfit: 125 files: 120 fitted, 5 failed; [0-9.]+ s; first failure: [ -~]*\n", run.stderr)
    assert untimed(output) == uninterrupted
    assert {path.stat().st_mode & 0o777 for path in output.iterdir()} == {0o600}
    assert output.stat().st_mode & 0o777 == 0o700
