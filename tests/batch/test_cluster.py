"""The map over Dask: a real scheduler and real worker processes on the loopback interface."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gcfit.batch.cluster import _Cluster, cluster
from gcfit.batch.look import Examined
from gcfit.batch.maps import chosen
from gcfit.batch.records import Job, Limits
from gcfit.errors import GcfitError, MissingExtraError
from tests.batch import tasks
from tests.batch.helpers import ROOT, command, complete, good_files, start, statuses, untimed, write_inputs
from tests.batch.runs import write_short_runs
from tests.cli.shell import bash
from tests.readme import README

pytest.importorskip("distributed", reason="the optional package of --dask is not installed")
FILES = 120
WORK = ("--seconds", "0.02")


def launched(arguments: list[str], place: Path) -> "subprocess.Popen[bytes]":
    """Start a part of Dask, out of reach of the configuration and with its own folder for temporary files."""
    environment = os.environ | {"DASK_TEMPORARY_DIRECTORY": str(place), "DASK_CONFIG": str(place)}
    environment["DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"] = "1"  # a job may take one worker along
    command = [sys.executable, "-m", "dask", *arguments]
    with (place / "dask.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env=environment)


def ended(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


class Loopback:
    """A scheduler and its workers."""

    def __init__(self, place: Path) -> None:
        self.place, self.file = place, place / "scheduler.json"
        options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(self.file)]
        self.scheduler = launched(["scheduler", *options], place)
        self.workers: list[subprocess.Popen[bytes]] = []
        for _ in range(900):
            if self.file.exists() and self.file.read_text().endswith("}"):
                break
            time.sleep(0.1)
        self.address: str = json.loads(self.file.read_text())["address"]

    def hire(self, count: int, *, nanny: bool = False, threads: int = 1) -> None:
        """Start workers; without a nanny nobody starts them again when they die."""
        options = ["--nthreads", str(threads), "--nanny" if nanny else "--no-nanny"]
        options += ["--no-dashboard", "--death-timeout", "60"]
        self.workers += [launched(["worker", self.address, *options], self.place) for _ in range(count)]

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            ended(process)


@pytest.fixture
def loopback(tmp_path: Path) -> Iterator[Loopback]:
    place = tmp_path / "dask"
    place.mkdir()
    running = Loopback(place)
    yield running
    running.close()


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    good_files(folder, FILES)
    write_inputs(
        folder, {f"run00{at}x.txt": text for at, text in enumerate(["bad x", "bug", "", "partly", "unfit"], 10)}
    )
    return folder


@pytest.fixture(scope="module")
def local(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    output = tmp_path_factory.mktemp("local")
    assert complete(command(output, inputs, "--jobs", "1")).returncode == 3
    return untimed(output)


def wait_until_done(log: Path, files: int, process: "subprocess.Popen[str]") -> None:
    while not log.exists() or log.read_text().count('"event": "file"') < files:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def test_a_worker_is_killed_and_the_tables_are_those_of_one_machine(
    loopback: Loopback, inputs: Path, local: dict[str, bytes], tmp_path: Path
) -> None:
    loopback.hire(2)
    # the settings hold the seconds of a file, the tables do not
    arguments = command(tmp_path / "out", inputs, *WORK, "--dask", loopback.address, "--log", str(tmp_path / "log"))
    process = start(arguments)
    wait_until_done(tmp_path / "log", 30, process)
    ended(loopback.workers[0])
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (3, "")
    assert re.fullmatch(r"gcfit: 125 files: 120 fitted, 5 failed; .*\n", err)
    assert untimed(tmp_path / "out") == local


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_the_cluster_of_the_readme_gives_the_tables_of_one_machine(tmp_path: Path) -> None:
    """The block of README.md line by line: with a port that is free, two workers, and no page to look at."""
    (block,) = (text for text in re.findall(r"^```sh\n(.*?)^```$", README.read_text(), re.M | re.S) if "dask" in text)
    known = {"10.0.0.1": "127.0.0.1", "8786": str(free_port()), "--nworkers 8": "--nworkers 2"}
    for shown, used in known.items():
        assert shown in block
        block = block.replace(shown, used)
    scheduler, worker, fit = block.splitlines()
    runs = write_short_runs(tmp_path / "runs", 6)
    (tmp_path / "runs" / "bad.csv").touch()
    shutil.copy(ROOT / "sample_data" / "btex" / "system.toml", tmp_path / "column.toml")
    started = [launched([*shlex.split(line)[1:], "--no-dashboard"], tmp_path) for line in (scheduler, worker)]
    try:
        assert [shlex.split(line)[0] for line in (scheduler, worker, fit)] == ["dask", "dask", "gcfit"]
        far, near = (bash(line, cwd=tmp_path) for line in (fit, fit.partition(" -o ")[0] + " -o local --jobs 1"))
    finally:
        for process in reversed(started):
            ended(process)
    for run in (far, near):
        assert (run.returncode, run.stdout) == (3, "")
        assert f"{len(runs) + 1} files: {len(runs)} fitted, 1 failed" in run.stderr
    assert untimed(tmp_path / "results") == untimed(tmp_path / "local")


def test_a_scheduler_that_goes_away_ends_the_run_and_keeps_what_is_finished(
    loopback: Loopback, inputs: Path, local: dict[str, bytes], tmp_path: Path
) -> None:
    loopback.hire(1)
    output, log = tmp_path / "out", tmp_path / "log"
    process = start(command(output, inputs, *WORK, "--dask", loopback.address, "--log", str(log)))
    wait_until_done(log, 20, process)
    ended(loopback.scheduler)
    err = process.communicate(timeout=90)[1]
    assert process.returncode == 1
    assert err == f"gcfit: the Dask scheduler at {loopback.address} has gone; run the same command again for the rest\n"
    run = complete(command(output, inputs, *WORK))
    assert int(re.findall("([0-9]+) unchanged", run.stderr)[0]) >= 15
    assert untimed(output) == local


def test_a_file_that_kills_every_worker_is_reported_and_its_neighbour_is_not(
    loopback: Loopback, tmp_path: Path
) -> None:
    """One worker of two threads, started again whenever it dies: the other file is on it every time."""
    loopback.hire(1, nanny=True, threads=2)
    folder = tmp_path / "in"
    write_inputs(folder, {"a.txt": "late", "b.txt": "slow 2", "c.txt": "ok", "d.txt": "ok"})
    run = complete(command(tmp_path / "out", folder, "--dask", loopback.address))
    assert run.returncode == 3
    assert statuses(tmp_path / "out") == {"a.txt": "failed", "b.txt": "ok", "c.txt": "ok", "d.txt": "ok"}
    assert "a.txt: every worker that took it has died" in run.stderr


def test_a_result_that_is_lost_before_it_is_fetched_is_made_again(
    loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler says that jobs are finished; then the only worker dies, and their results with it."""
    loopback.hire(1)
    heard = _Cluster._heard
    lost = 0

    def late(self: _Cluster) -> list[Any]:
        nonlocal lost
        futures = heard(self)
        if futures and not lost:
            ended(loopback.workers.pop())
            while all(future.status == "finished" for future in futures):
                time.sleep(0.01)
            lost = sum(future.status != "finished" for future in futures)
            loopback.hire(1)
        return futures

    monkeypatch.setattr(_Cluster, "_heard", late)
    listed = [Job(str(path), path.name) for path in good_files(tmp_path / "in", 12)]
    outcomes = list(cluster(Examined(tasks.fit, tasks.Settings()), listed, address=loopback.address))
    assert lost > 0
    assert sorted(outcome.job.name for outcome in outcomes) == [job.name for job in listed]
    assert {outcome.state for outcome in outcomes} == {"done"}


def test_a_cluster_that_a_file_has_used_up_is_no_failure_of_the_run(
    loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gcfit.batch.cluster.PATIENCE_S", 3.0)
    loopback.hire(2)
    for _ in range(600):
        if (loopback.place / "dask.log").read_text().count("Registered to") == 2:
            break
        time.sleep(0.1)
    (path,) = write_inputs(tmp_path / "in", {"x.txt": "segfault"})
    (outcome,) = cluster(Examined(tasks.fit, tasks.Settings()), [Job(str(path), "x.txt")], address=loopback.address)
    assert (outcome.state, outcome.again, outcome.died) == ("failed", True, True)
    assert outcome.message == "x.txt: every worker that took it has died"


def test_no_scheduler_is_said_in_one_line(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gcfit.batch.cluster.CONNECT_S", 1.0)
    outcomes = cluster(Examined(tasks.fit, tasks.Settings()), [], address="tcp://127.0.0.1:9")
    with pytest.raises(GcfitError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9; start one with"):
        list(outcomes)


@pytest.mark.parametrize("address", ["nonsense", "http//host", "ftp://host:1", "tcp://host:port"])
def test_what_is_no_address_is_said_at_once(address: str) -> None:
    begun = time.monotonic()
    with pytest.raises(
        GcfitError, match=rf"^{address} is not the address of a Dask scheduler: .*; write tcp://HOST:PORT"
    ):
        list(cluster(Examined(tasks.fit, tasks.Settings()), [], address=address))
    assert time.monotonic() - begun < 10


def test_a_cluster_without_workers_is_given_up(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gcfit.batch.cluster.PATIENCE_S", 2.0)
    outcomes = cluster(Examined(tasks.fit, tasks.Settings()), [Job("/x", "x")], address=loopback.address)
    with pytest.raises(GcfitError, match="has no worker; start one with: dask worker"):
        list(outcomes)


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    map_ = chosen(jobs=1, files=3, dask="tcp://127.0.0.1:9", limits=Limits())
    with pytest.raises(MissingExtraError, match=r"--dask needs an optional package; .*\[dask\]"):
        list(map_(Examined(tasks.fit, tasks.Settings()), []))
