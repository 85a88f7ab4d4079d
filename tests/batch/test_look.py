"""What a file is, whether it is still being written, and that nothing in it can end the batch."""

import hashlib
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from gcfit.batch.look import PAUSE_S, SETTLED_S, Examined, cut_line, digest, settled, snapshot
from gcfit.batch.records import Job, Outcome
from tests.batch import tasks
from tests.batch.helpers import LONG_AGO, touch_lately, write_inputs


def examine(path: Path, name: str = "run.txt") -> Outcome:
    return Examined(tasks.fit, tasks.Settings())(Job(str(path), name))


CUT = [
    "1.0,2.0\n1.1,2.1\n1.2",
    "1.0,2.0\n1.1,2.1\n1.2,",
    "1.0,2.0\r\n1.1,2.1\r\n1.2,-",
    "1.0,2.0\r1.1,2.1\r1.2",
    "1.0, 2.0\n1.1, 2.1\n1.2,",
    "1,0;2,0\n1,1;2,1\n1,2;",
    "1.0\t2.0\t3.0\n1.1\t2.1\t3.1\n1.2\t2.2",
    "  1.0e-3  2.0E+5\n  1.1e-3  2.1E+5\n  1.2e-3",
    "0.1,9\n" * 4000 + "400.1",
]
COMPLETE = [
    "",
    "1.0,2.0\n1.1,2.1\n1.2,2.2\n",
    "1.0,2.0\n1.1,2.1\n1.2,2.2",  # no line end, but complete as far as anybody can see
    "1,0;2,0\n1,1;2,1\n1,2;3",  # decimal comma, a whole number last
    "1,0 2,0\n1,1 2,1\n1,2 3",
    "100\n101\n102\n103",  # one value a line
    "1.0,2.0\n1.1,2.1\nEND",
    "1.0,2.0",  # one full line proves nothing, nor do lines of different length
    "1.0,2.0,3.0\n1.1,2.1\n1.2",
    "0.1,9\n" * 4000,
]


@pytest.mark.parametrize("encoding", ["ascii", "utf-8-sig", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(("text", "cut"), [(text, True) for text in CUT] + [(text, False) for text in COMPLETE])
def test_a_cut_last_line_is_seen(tmp_path: Path, text: str, cut: bool, encoding: str) -> None:
    path = tmp_path / "run.csv"
    path.write_bytes(("time,signal\n" + text).encode(encoding))
    assert cut_line(str(path)) is cut


def test_a_file_whose_last_line_is_cut_is_left_for_the_next_run(tmp_path: Path) -> None:
    (path,) = write_inputs(tmp_path, {"run.csv": "time,signal\n1.0,2.0\n1.1,2.1\n1.2"})
    touch_lately(path)
    outcome = examine(path)
    assert (outcome.state, outcome.result, outcome.sha256) == ("incomplete", None, "")
    assert outcome.message == "run.txt: the last line is cut: it is still being written"


@pytest.mark.parametrize("seconds", [-PAUSE_S - 1, PAUSE_S + 1, 1e9])
def test_a_file_that_nobody_writes_to_any_more_is_taken_as_it_is(tmp_path: Path, seconds: float) -> None:
    (path,) = write_inputs(tmp_path, {"run.csv": "unfit\n1.0,2.0\n1.1,2.1\n1.2"})
    os.utime(path, (time.time() - seconds,) * 2)
    assert examine(path).message == "run.txt: no fit converged"


def test_a_file_that_changes_while_it_is_fitted_is_incomplete(tmp_path: Path) -> None:
    (path,) = write_inputs(tmp_path, {"run.txt": "growing"})
    assert examine(path).state == "incomplete"


def test_a_file_that_is_written_to_from_time_to_time_is_incomplete(tmp_path: Path) -> None:
    path = tmp_path / "run.txt"
    path.write_text("ok\n")
    stop = threading.Event()

    def append() -> None:
        while not stop.wait(SETTLED_S / 10):
            with path.open("a") as file:
                file.write("1\n")

    thread = threading.Thread(target=append)
    thread.start()
    try:
        outcome = examine(path)
    finally:
        stop.set()
        thread.join()
    assert outcome.state == "incomplete"
    time.sleep(SETTLED_S)
    assert examine(path).state == "done"


@pytest.mark.parametrize("offset", [-1e6, 1e6], ids=["clock set forward", "clock set back"])
def test_only_a_file_of_just_now_is_waited_for(tmp_path: Path, offset: float) -> None:
    path = tmp_path / "run.txt"
    path.write_text("ok")
    os.utime(path, (time.time() + offset,) * 2)
    waits: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gcfit.batch.look.time.sleep", waits.append)
        settled(str(path))
        assert waits == []
        os.utime(path, (time.time(),) * 2)
        settled(str(path))
    assert len(waits) == 1
    assert 0 < waits[0] <= SETTLED_S


def test_the_digest_of_a_file_is_that_of_coreutils(tmp_path: Path) -> None:
    path = tmp_path / "a b.bin"
    path.write_bytes(bytes(range(256)) * 5000)
    if shutil.which("sha256sum"):
        expected = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]
    else:
        expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest(str(path)) == (expected, 256 * 5000)


def test_the_digest_of_a_folder_knows_names_and_bytes_but_not_times(tmp_path: Path) -> None:
    folder = tmp_path / "run.D"
    write_inputs(folder, {"signal.ch": "abc", "sub/method.m": "def"})
    first = digest(str(folder))
    os.utime(folder / "signal.ch", (LONG_AGO + 5, LONG_AGO + 5))
    assert digest(str(folder)) == first
    assert first[1] == 6
    seen = {first[0]}
    (folder / "signal.ch").write_text("abd")
    seen.add(digest(str(folder))[0])
    (folder / "signal.ch").rename(folder / "signal2.ch")
    seen.add(digest(str(folder))[0])
    assert len(seen) == 3


def test_the_snapshot_of_a_folder_sees_a_file_in_it_grow(tmp_path: Path) -> None:
    folder = tmp_path / "run.D"
    write_inputs(folder, {"sub/signal.ch": "abc"})
    before = snapshot(str(folder))
    assert snapshot(str(folder)) == before
    with (folder / "sub" / "signal.ch").open("a") as file:
        file.write("d")
    assert snapshot(str(folder)) != before


@pytest.mark.parametrize(
    ("content", "message", "again"),
    [
        ("bad no numbers", "run.txt: line 2: no numbers; repair it", False),
        ("unfit", "run.txt: no fit converged", False),
        ("bug", "unexpected ZeroDivisionError in bug, tasks.py:", False),
        ("", "run.txt: line 1: 'empty' is no number", False),
    ],
)
def test_a_failure_is_one_line_with_the_users_name_of_the_file(
    tmp_path: Path, content: str, message: str, again: bool
) -> None:
    (path,) = write_inputs(tmp_path, {"other.txt": content})
    outcome = examine(path)
    assert (outcome.state, outcome.again) == ("failed", again)
    assert outcome.message.startswith(message)
    assert str(tmp_path) not in outcome.message
    assert "\n" not in outcome.message
    assert outcome.sha256 == hashlib.sha256(content.encode()).hexdigest()
    assert outcome.seconds > 0


def test_a_file_that_cannot_be_read_is_tried_again_next_time(tmp_path: Path) -> None:
    outcome = examine(tmp_path / "absent.txt", "absent.txt")
    assert (outcome.state, outcome.again) == ("failed", True)
    assert outcome.message == "absent.txt: No such file or directory"


def test_a_pipe_is_refused_without_waiting_for_its_other_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    outcome = examine(tmp_path / "pipe", "pipe")
    assert outcome.message == "pipe: neither a file nor a folder; save it to a file first"


def test_rows_carry_the_users_name_of_the_file(tmp_path: Path) -> None:
    (path,) = write_inputs(tmp_path, {"x.txt": "partly"})
    result = examine(path, "../x.txt").result
    assert result is not None
    assert [row["file"] for row in (*result.files, *result.peaks)] == ["../x.txt"] * 3
    assert [row["message"] for row in result.files] == ["", "../x.txt [TCD]: flat"]
