"""What is said while a batch runs: a line on a terminal, nothing elsewhere."""

import io
import os
import pty
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from gcfit.batch.progress import Log, Progress, logging_to, progress_text
from gcfit.errors import OutputError
from tests.batch.helpers import ROOT, command, good_files, write_inputs


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("done", "worked", "failed", "seconds", "text"),
    [
        (0, 0, 0, 0.0, "0/1000 files"),
        (250, 0, 0, 3.0, "250/1000 files"),  # unchanged ones only: no rate to speak of
        (250, 100, 0, 4.0, "250/1000 files, 25 a second, 0:30 left"),
        (400, 400, 7, 800.0, "400/1000 files, 0.5 a second, 20:00 left, 7 failed"),
        (1000, 1000, 0, 10.0, "1000/1000 files, 100 a second, 0:00 left"),
    ],
)
def test_the_line_says_how_far_how_fast_how_long(
    done: int, worked: int, failed: int, seconds: float, text: str
) -> None:
    assert progress_text(done, 1000, worked, failed, seconds) == text


def test_a_stream_that_is_no_terminal_stays_empty() -> None:
    stream = io.StringIO()
    progress = Progress(stream, 5)
    progress.show(1, 1, 0)
    progress.clear()
    Progress(None, 5).show(1, 1, 0)
    assert stream.getvalue() == ""


def test_the_line_is_drawn_over_itself_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gcfit.batch.progress.REDRAW_S", 0.0)
    stream = Terminal()
    progress = Progress(stream, 1000)
    for done in range(1, 4):
        progress.show(done, done, 1)
        time.sleep(0.001)
    progress.clear()
    assert stream.getvalue().count("\r") == 3 + 2
    assert screen(stream.getvalue()) == ""


def test_the_line_is_not_drawn_for_every_file() -> None:
    stream = Terminal()
    progress = Progress(stream, 1000)
    for done in range(1000):
        progress.show(done, done, 0)
    assert stream.getvalue().count("\r") < 5


def screen(text: str) -> str:
    """The line that a terminal shows after the text."""
    cells: list[str] = []
    at = 0
    for character in text:
        if character == "\r":
            at = 0
            continue
        cells[at : at + 1] = [character]
        at += 1
    return "".join(cells).rstrip()


def test_on_a_real_terminal(tmp_path: Path) -> None:
    good_files(tmp_path / "in", 100)
    write_inputs(tmp_path / "in", {"x.txt": "bad x"})
    main, other = pty.openpty()
    run = subprocess.Popen(command(tmp_path / "out", tmp_path / "in", "--seconds", "0.01"), stderr=other, cwd=ROOT)
    os.close(other)
    shown = b""
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(main)
    assert run.wait() == 3
    drawn = [line for line in shown.decode().split("\r") if line.strip()]
    assert re.fullmatch(r"[0-9]+/101 files, [0-9.]+ a second, 0:[0-9]{2} left *(, 1 failed)? *", drawn[3])
    assert drawn[-1].startswith("gcfit: 101 files: 100 fitted, 1 failed") or "first failure" in drawn[-2]
    assert b"\x1b" not in shown


def test_a_full_log_is_said(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with pytest.raises(OutputError, match="/dev/full: the log cannot be written: No space left on device"):  # noqa: SIM117
        with logging_to(Path("/dev/full")) as log:
            log.write("start")


def test_a_line_that_a_full_disk_has_cut_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"event": "start"}\n{"event": "fi')
    for _ in range(2):
        with logging_to(path) as log:
            log.write("start")
    assert [line[-18:] for line in path.read_text().splitlines()] == [
        '{"event": "start"}', '{"event": "fi', *['"event": "start"}'.rjust(18)] * 2,
    ]  # fmt: skip


class HalfFull(io.RawIOBase):
    """Takes ten bytes of whatever it is given, as a disk that is nearly full."""

    def write(self, content: Any) -> int:
        return min(10, len(content))


def test_a_line_that_goes_in_by_half_is_said() -> None:
    with pytest.raises(OutputError, match=r"log\.jsonl: the log cannot be written: No space left on device"):
        Log(Path("log.jsonl"), HalfFull()).write("start")


@pytest.mark.parametrize("closed", ["2>&-", ">&-", ">&- 2>&-", "<&-"])
def test_streams_may_be_closed(tmp_path: Path, closed: str) -> None:
    good_files(tmp_path / "in", 10)
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh"]
    run = subprocess.run([*shell, *command(tmp_path / "out", tmp_path / "in")], cwd=ROOT, capture_output=True)
    assert run.returncode == 0
    assert len((tmp_path / "out" / "files.csv").read_text().splitlines()) == 11
