"""The long trials of a batch, with the real command. Not a test: it takes minutes and prints figures.

python -m tests.batch.endurance kills [FILES] [KILLS]     kill -9 at random moments, tables compared byte for byte
python -m tests.batch.endurance faults [FILES] [TIMES]    signals, full disk, read-only output, folders that go, clock
python -m tests.batch.endurance deaths [FILES] [KILLS]    kill -9 with the stand-in task and dying workers

The folders lie in GCFIT_ENDURANCE, or in the folder for temporary files. `faults` mounts small file systems; the clock
that jumps is that of libfaketime.
"""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.batch.helpers import ROOT, command, good_files, run_process_of, untimed, write_inputs
from tests.batch.runs import HOLD_UP, write_bad, write_short_runs

PLACE = Path(os.environ.get("GCFIT_ENDURANCE", tempfile.gettempdir())) / f"gcfit-endurance-{sys.argv[1]}"
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
OWN = {".lock", "files.csv", "peaks.csv", "results.sqlite"}
Command = Callable[[Path], list[str]]
Process = subprocess.Popen[str]


def gcfit(output: Path, inputs: Path, *options: str) -> list[str]:
    files = [str(path) for path in sorted(inputs.iterdir())]
    command = [sys.executable, "-m", "gcfit", "fit", *files, "--hold-up", str(HOLD_UP), "--model", "laplace"]
    return [*command, "-o", str(output), *options]


def begun(arguments: list[str], **settings: object) -> Process:
    """A command in a process group of its own that can be interrupted, even if this program cannot."""
    known = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT, "start_new_session": True}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(arguments, **(known | settings))  # type: ignore[call-overload, no-any-return]


def ended(process: Process) -> tuple[str, int]:
    """All of stderr, on one line, and the exit code of a command; complains of data on stdout."""
    out, err = process.communicate()
    return " / ".join([*err.splitlines(), *(["STDOUT"] if out else [])]), process.returncode


def timed(arguments: list[str]) -> tuple[float, str, int]:
    """Seconds, stderr and exit code of a command."""
    start = time.monotonic()
    line, code = ended(begun(arguments))
    return time.monotonic() - start, line, code


def show(text: str) -> None:
    print(text, flush=True)


# --- what a batch outlives ---------------------------------------------------------------------------------------


def mixed(files: int) -> Command:
    """The real fit of short runs, 50 of the files being none, in ten ways."""
    inputs = PLACE / "inputs"
    write_short_runs(inputs, files - 50)
    write_bad(inputs, 5)
    return lambda output: gcfit(output, inputs, "--jobs", "2")


@dataclass(frozen=True)
class Whole:
    """The uninterrupted run: its command, seconds and tables."""

    arguments: Command
    seconds: float
    tables: dict[str, bytes]

    def moment(self, moments: random.Random) -> float:
        return moments.uniform(0, self.seconds)


def uninterrupted(arguments: Command) -> Whole:
    seconds, line, code = timed(arguments(PLACE / "whole"))
    show(f"uninterrupted: {line} (exit {code})")
    return Whole(arguments, seconds, untimed(PLACE / "whole"))


def repeated(whole: Whole, output: Path, what: str) -> bool:
    """Run the command again; say and return whether the tables are those of the uninterrupted run."""
    _, line, code = timed(whole.arguments(output))
    equal = untimed(output) == whole.tables
    show(f"{what}; again: exit {code}, {line[:60]}: {'equal' if equal else 'DIFFERENT'}")
    if left := {path.name for path in output.iterdir()} - OWN:
        show(f"left behind: {left}")
    return equal


def kills(files: int = 1000, times: int = 30) -> None:
    _killed(mixed(files), times)


def deaths(files: int = 1000, times: int = 30) -> None:
    """The stand-in task: ten kinds of failures, among them a worker that crashes and one that leaves."""
    inputs = PLACE / "inputs"
    good_files(inputs, files - 50)
    kinds = ["bad x", "unfit", "bug", "", "\0", "word", "partly", "segfault", "quit"]
    write_inputs(inputs, {f"run{at}{kind}x.txt": text for at in range(5) for kind, text in enumerate(kinds)})
    for at in range(5):
        (inputs / f"run{at}absent.txt").symlink_to("nowhere")
    _killed(lambda output: command(output, inputs, "--seconds", "0.003"), times)


def _killed(arguments: Command, times: int) -> None:
    whole, moments, same = uninterrupted(arguments), random.Random(30), 0
    output = PLACE / "killed"
    for number in range(times):
        moment = whole.moment(moments)
        process = begun(arguments(output))
        time.sleep(moment)
        process.kill()
        ended(process)
        output.mkdir(exist_ok=True)
        same += repeated(whole, output, f"kill {number + 1} at {moment:.2f} s, {stored(output)} files stored")
        if alive := run_process_of(process.pid):
            show(f"left running: {alive}")
        shutil.rmtree(output)
    show(f"{same} of {times} equal byte for byte")


def stored(output: Path) -> int:
    """Files in the store; reading it makes SQLite recover what a killed process left."""
    if not (output / "results.sqlite").exists():
        return 0
    connection = sqlite3.connect(output / "results.sqlite")
    try:
        return int(connection.execute("SELECT count(DISTINCT path) FROM files").fetchone()[0])
    finally:
        connection.close()


@contextmanager
def disk(size: str) -> Iterator[Path]:
    """A file system of its own."""
    place = PLACE / "disk"
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "gcfit-endurance", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def remounted(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


def faults(files: int = 1000, times: int = 3) -> None:
    whole, moments = uninterrupted(mixed(files)), random.Random(6)
    same = [fault(whole, moments) for fault in FAULTS for _ in range(times)]
    show(f"{sum(same)} of {len(same)} equal byte for byte")


def _signalled(number: signal.Signals) -> Callable[[Whole, random.Random], bool]:
    def trial(whole: Whole, moments: random.Random) -> bool:
        output, moment = PLACE / "signalled", whole.moment(moments)
        process = begun(whole.arguments(output))
        time.sleep(moment)
        # Ctrl-C reaches the whole group, as in a terminal
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
        line, code = ended(process)
        output.mkdir(exist_ok=True)
        equal = repeated(whole, output, f"{number.name} at {moment:.2f} s: exit {code}, {line[:90]}")
        shutil.rmtree(output)
        return equal

    return trial


def _full_disk(whole: Whole, moments: random.Random) -> bool:
    with disk(f"{moments.randint(80, 900)}k") as place:
        _, line, code = timed(whole.arguments(place))
        kept = stored(place)
        remounted(place, "size=100m")
        return repeated(whole, place, f"full disk: exit {code}, {line[-110:]}, {kept} stored")


def _limited_files(whole: Whole, moments: random.Random) -> bool:
    output, blocks = PLACE / "limited", moments.randint(40, 700)
    _, line, code = timed(["bash", "-c", f'ulimit -f {blocks}; exec "$@"', "bash", *whole.arguments(output)])
    equal = repeated(whole, output, f"files of at most {blocks} kB: exit {code}, {line[-110:]}")
    shutil.rmtree(output)
    return equal


def _read_only(whole: Whole, moments: random.Random) -> bool:
    with disk("100m") as place:
        process = begun(whole.arguments(place))
        time.sleep(whole.moment(moments))
        process.terminate()
        ended(process)
        remounted(place, "ro")
        _, line, code = timed(whole.arguments(place))
        remounted(place, "rw")
        return repeated(whole, place, f"read-only after {stored(place)} files: exit {code}, {line[-80:]}")


def _output_goes(whole: Whole, moments: random.Random) -> bool:
    output, moment = PLACE / "going", whole.moment(moments)
    process = begun(whole.arguments(output))
    time.sleep(moment)
    shutil.rmtree(output, ignore_errors=True)
    line, code = ended(process)
    equal = repeated(whole, output, f"output removed at {moment:.2f} s: exit {code}, {line[-110:]}")
    shutil.rmtree(output)
    return equal


def _inputs_go(whole: Whole, moments: random.Random) -> bool:
    output, moment = PLACE / "inputless", whole.moment(moments)
    process = begun(whole.arguments(output))
    time.sleep(moment)
    (PLACE / "inputs").rename(PLACE / "away")
    line, code = ended(process)
    (PLACE / "away").rename(PLACE / "inputs")
    equal = repeated(whole, output, f"inputs gone at {moment:.2f} s: exit {code}, {line[:70]}")
    shutil.rmtree(output)
    return equal


def _clock_jumps(whole: Whole, moments: random.Random) -> bool:
    """The clock of all processes of the run is set back by a day in the middle."""
    output, moment, clock = PLACE / "clock", whole.moment(moments), PLACE / "clock.rc"
    clock.write_text("+0")
    fake = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"}
    process = begun(whole.arguments(output), env=os.environ | fake | {"FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    time.sleep(moment)
    clock.write_text("-1d")
    line, code = ended(process)
    equal = untimed(output) == whole.tables
    show(f"clock set back at {moment:.2f} s: exit {code}, {line[:60]}: {'equal' if equal else 'DIFFERENT'}")
    equal &= repeated(whole, output, "clock set back")
    shutil.rmtree(output)
    return equal


def _two_at_once(whole: Whole, moments: random.Random) -> bool:
    output = PLACE / "both"
    both = [begun(whole.arguments(output)) for _ in range(2)]
    ends = sorted((ended(process) for process in both), key=lambda end: end[1])
    show("; ".join(f"exit {code}, {line[-70:]}" for line, code in ends))
    equal = untimed(output) == whole.tables
    equal &= repeated(whole, output, "two at once")
    shutil.rmtree(output)
    return equal


FAULTS = (
    _signalled(signal.SIGTERM), _signalled(signal.SIGINT), _full_disk, _limited_files, _read_only,
    _output_goes, _inputs_go, _clock_jumps, _two_at_once,
)  # fmt: skip


TRIALS: dict[str, Callable[..., None]] = {
    "kills": kills, "faults": faults, "deaths": deaths,
}  # fmt: skip

if __name__ == "__main__":
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    TRIALS[sys.argv[1]](*map(int, sys.argv[2:]))
    shutil.rmtree(PLACE)
