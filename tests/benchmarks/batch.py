"""What a batch costs: `python -m tests.benchmarks.batch [w4] [size] [speed]`, by default the first two.

w4: a hundred files of workload W4, one job, the whole process beside the imports of an analyst's script; and where the
seconds go. size: 100, 1,000 and 10,000 short runs: cost a file, memory, open and temporary files. speed: 2,000 files of
W4's size with two jobs against one, on the clock; it takes minutes and wants a quiet machine. Other seconds are those
of the processor.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

from tests.batch.helpers import ROOT, untimed
from tests.batch.runs import HOLD_UP, write_runs, write_short_runs
from tests.benchmarks.startup import COMPILED, SCRIPT, measured, spent, table
from tests.workloads import btex

FILES, REPEAT = 100, 5
COUNTS = (100, 1000, 10_000)
DISTINCT = 100  # contents; the same share of every count, since some take longer to fit
TENTHS = 10


def gcfit(files: Sequence[Path], output: Path, *options: str) -> list[str]:
    """The command on many files, run so that nothing done before counts."""
    fit = [sys.executable, "-m", "gcfit", "fit", *map(str, files), "--hold-up", str(HOLD_UP)]
    return [*fit, "-o", str(output), "--no-resume", *options]


def write_w4(folder: Path) -> list[Path]:
    paths = []
    for number in range(FILES):
        run = btex(1000 + number, jitter=True).chromatogram
        lines = [f"{t:.4f},{y:.8g}" for t, y in zip(run.time.tolist(), run.signal.tolist(), strict=True)]
        path = folder / f"f{number:03d}.csv"
        path.write_text("\n".join(["time_s,signal", *lines, ""]))
        paths.append(path)
    return paths


# --- W4 ----------------------------------------------------------------------------------------------------------


def w4(place: Path) -> None:
    files = write_w4(place)
    commands = {
        f"python -c '{SCRIPT}'": (sys.executable, "-c", SCRIPT),
        "gcfit fit, one file": gcfit(files[:1], place / "one"),
        f"gcfit fit, {FILES} files, auto": gcfit(files, place / "auto"),
        f"gcfit fit, {FILES} files, laplace": gcfit(files, place / "laplace", "--model", "laplace"),
    }
    print(f"{table(measured(commands, REPEAT))}\n\n{stages(files, place / 'stages')}\n")


def stages(files: Sequence[Path], output: Path) -> str:
    """Markdown: where the time of one batch goes, start-up left out [ms a file]."""
    from gcfit.batch import FileTask, run
    from gcfit.fitting.records import FitSettings

    with clocked("gcfit.batch.work") as seconds:
        start = time.process_time()
        run(files, FileTask(settings=FitSettings(hold_up=HOLD_UP)), output, resume=False)
        whole = time.process_time() - start
    rest = whole - sum(seconds.values())
    shown = {"reading": seconds["read_file"], "fitting": seconds["fit"], "all else: hash, store, tables": rest}
    lines = [f"| {name} | {1e3 * value / len(files):.2f} |" for name, value in shown.items()]
    return "\n".join(["| stage | CPU ms a file |", "|---|---|", *lines])


@contextmanager
def clocked(module: str, names: Sequence[str] = ("read_file", "fit")) -> Iterator[dict[str, float]]:
    """Sum up the seconds that functions of a module take in this process."""
    seconds = dict.fromkeys(names, 0.0)
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(mock.patch(f"{module}.{name}", _timed(getattr(import_module(module), name), seconds)))
        yield seconds


def _timed(call: Callable[..., Any], seconds: dict[str, float]) -> Callable[..., Any]:
    def timed(*given: Any, **options: Any) -> Any:
        start = time.process_time()
        try:
            return call(*given, **options)
        finally:
            seconds[call.__name__] += time.process_time() - start

    return timed


# --- growth ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """The main process in the middle of a run: memory [MB], open files; files in the output and temporary folders."""

    memory: float
    handles: int
    written: int
    temporary: int


def size(place: Path) -> None:
    """Cost a file is that of the command less that of the command on one file: the start is the same for all."""
    files = write_short_runs(place / "runs", max(COUNTS), distinct=DISTINCT)
    start = statistics.median(spent(gcfit(files[:1], place / "one")) for _ in range(REPEAT))
    print(
        f"start: {start:.2f} s\n\n| files | CPU ms a file | MB at each tenth | open files | in the folder | temporary |"
    )
    print("|---|---|---|---|---|---|")
    for count in COUNTS:
        repeat = max(1, min(REPEAT, 1000 // count))
        runs = [followed(gcfit(files[:count], place / "out"), place, count) for _ in range(repeat)]
        seconds, samples = statistics.median(run[0] for run in runs), runs[-1][1]
        each = 1e3 * (seconds - start) / (count - 1)
        memory = " ".join(f"{sample.memory:.1f}" for sample in samples)
        print(
            f"| {count} | {each:.2f} | {memory} | {_range(samples, 'handles')} | {_range(samples, 'written')} |", end=""
        )
        print(f" {_range(samples, 'temporary')} |", flush=True)


def _range(samples: Sequence[Sample], name: str) -> str:
    values = [getattr(sample, name) for sample in samples]
    return f"{min(values)} to {max(values)}" if values else "-"


def followed(command: list[str], place: Path, count: int) -> tuple[float, list[Sample]]:
    """Processor time [s] of a command, and what was seen of it at every tenth of its files."""
    log, temporary = place / "log.jsonl", place / "tmp"
    log.unlink(missing_ok=True)
    temporary.mkdir(exist_ok=True)
    environment = COMPILED | {"TMPDIR": str(temporary)}  # as the command on one file, whose time is taken off
    process = subprocess.Popen(
        [*command, "--log", str(log)], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    )
    samples = []
    for tenth in range(1, TENTHS):
        while _done(log) < tenth * count // TENTHS and process.poll() is None:
            time.sleep(0.02)
        samples += list(_sampled(process.pid, place / "out", temporary))
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime, samples


def _done(log: Path) -> int:
    return log.read_bytes().count(b'"event": "file"') if log.exists() else 0


def _sampled(process: int, output: Path, temporary: Path) -> Iterator[Sample]:
    """A sample, or nothing when the process has ended or not begun to write."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        memory = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
        places = Path(f"/proc/{process}/fd"), output, temporary
        handles, written, left = (len(list(place.iterdir())) for place in places)
    except (OSError, StopIteration):
        return
    yield Sample(memory / 1024, handles, written, left)


# --- two jobs against one ----------------------------------------------------------------------------------------


def speed(place: Path, files: int = 2000, turns: int = 3) -> None:
    """Ratios of the wall clock of one job to that of two, and of their processor time."""
    paths = sorted(write_runs(place / "runs", files))
    print("| turn | s, one job | s, two | ratio | CPU s, one job | CPU s, two | load |\n|---|---|---|---|---|---|---|")
    for turn in range(1, turns + 1):
        took, used = {}, {}
        for jobs in ("1", "2"):
            start = time.monotonic()
            used[jobs] = spent(gcfit(paths, place / jobs, "--jobs", jobs))
            took[jobs] = time.monotonic() - start
        cells = f"{took['1']:.1f} | {took['2']:.1f} | {took['1'] / took['2']:.2f} | {used['1']:.1f} | {used['2']:.1f}"
        print(f"| {turn} | {cells} | {os.getloadavg()[0]:.1f} |", flush=True)
    print(f"\ntables equal: {untimed(place / '1') == untimed(place / '2')}")


PARTS: dict[str, Callable[[Path], None]] = {"w4": w4, "size": size, "speed": speed}


def main(names: Sequence[str] = ("w4", "size")) -> None:
    """Print the tables of the named parts."""
    for name in names:
        place = Path(tempfile.mkdtemp(prefix="gcfit-bench-"))
        try:
            print(f"{name}\n")
            PARTS[name](place)
        finally:
            shutil.rmtree(place)


if __name__ == "__main__":
    main(sys.argv[1:] or ("w4", "size"))
