"""The long trials of a batch, with the real command. Not a test: it takes minutes and prints figures.

python -m tests.batch.endurance kills [FILES] [KILLS]     kill -9 at random moments, tables compared byte for byte
python -m tests.batch.endurance deaths [FILES] [KILLS]    the same with the stand-in task and dying workers
python -m tests.batch.endurance size [FILES ...]          time, memory, open files against the number of files
python -m tests.batch.endurance speed [FILES]             --jobs 2 against --jobs 1, paired
"""

import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.batch.helpers import ROOT, command, good_files, run_process_of, untimed, write_inputs
from tests.batch.runs import HOLD_UP, write_bad, write_runs

PLACE = Path(os.environ.get("GCFIT_ENDURANCE", tempfile.gettempdir())) / f"gcfit-endurance-{sys.argv[1]}"


def gcfit(output: Path, inputs: Path, *options: str) -> list[str]:
    files = [str(path) for path in sorted(inputs.iterdir())]
    command = [sys.executable, "-m", "gcfit", "fit", *files, "--hold-up", str(HOLD_UP), "--model", "laplace"]
    return [*command, "-o", str(output), *options]


def timed(arguments: list[str]) -> tuple[float, str, int]:
    """Seconds, last line on stderr and exit code of a command."""
    begun = time.monotonic()
    run = subprocess.run(arguments, capture_output=True, text=True, cwd=ROOT, check=False)
    return time.monotonic() - begun, run.stderr.splitlines()[-1], run.returncode


def kills(files: int = 1000, times: int = 30) -> None:
    """The real fit, ten kinds of files that are no chromatogram."""
    inputs = PLACE / "inputs"
    write_runs(inputs, files - 50, points=1500)
    write_bad(inputs, 5)
    _killed(lambda output: gcfit(output, inputs, "--jobs", "2"), times)


def deaths(files: int = 1000, times: int = 30) -> None:
    """The stand-in task: ten kinds of failures, among them a worker that crashes and one that leaves."""
    inputs = PLACE / "inputs"
    good_files(inputs, files - 50)
    kinds = ["bad x", "unfit", "bug", "", "\0", "word", "partly", "segfault", "quit"]
    write_inputs(inputs, {f"run{at}{kind}x.txt": text for at in range(5) for kind, text in enumerate(kinds)})
    for at in range(5):
        (inputs / f"run{at}absent.txt").symlink_to("nowhere")
    _killed(lambda output: command(output, inputs, "--seconds", "0.003"), times)


def _killed(arguments: Callable[[Path], list[str]], times: int) -> None:
    whole, killed = PLACE / "whole", PLACE / "killed"
    seconds, line, code = timed(arguments(whole))
    expected, moments, same = untimed(whole), random.Random(30), 0
    show(f"uninterrupted: {line} (exit {code})")
    for number in range(times):
        moment = moments.uniform(0, seconds)
        process = subprocess.Popen(arguments(killed), cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(moment)
        process.kill()
        process.wait()
        _, line, code = timed(arguments(killed))
        equal = untimed(killed) == expected
        same += equal
        show(f"kill {number + 1} at {moment:.2f} s: {'equal' if equal else 'DIFFERENT'}, {line[:70]} (exit {code})")
        left = {path.name for path in killed.iterdir()} - {".lock", "files.csv", "peaks.csv", "results.sqlite"}
        if run_process_of(process.pid) or left:
            show(f"left behind: {run_process_of(process.pid)} {left}")
        shutil.rmtree(killed)
    show(f"{same} of {times} equal byte for byte")


def size(*counts: int) -> None:
    """Short runs, so that the engine is seen and not the fit."""
    for count in counts or (1000, 2000, 5000, 10000):
        inputs, output = PLACE / "size", PLACE / f"size-{count}"
        write_runs(inputs, count, points=1000)
        process = subprocess.Popen(gcfit(output, inputs, "--jobs", "2"), cwd=ROOT, stderr=subprocess.PIPE, text=True)
        samples, begun, used = [], time.monotonic(), processor()
        while process.poll() is None:
            samples.append(sample(process.pid))
            time.sleep(0.1)
        seconds = time.monotonic() - begun
        seen = [one for one in samples if one is not None]
        shown = [f"{seen[round(part * (len(seen) - 1))][0] / 1024:.1f}" for part in (0.25, 0.5, 0.75, 0.95)]
        handles = max(one[1] for one in seen)
        line = (process.stderr.read() if process.stderr else "").splitlines()[-1]
        each = 1e3 * (processor() - used) / count
        show(f"{count} files: {seconds:.1f} s, {each:.2f} ms of processor time a file; {line}")
        show(f"  main process at 25, 50, 75, 95 %: {', '.join(shown)} MB; at most {handles} open files")
        shutil.rmtree(output)


def processor() -> float:
    """Processor time [s] of all processes that have been waited for, theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def sample(process: int) -> tuple[int, int] | None:
    """Resident memory [kB] and open files of a process, None when it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        memory = next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), None)
        handles = len(list(Path(f"/proc/{process}/fd").iterdir()))
    except OSError:
        return None
    return None if memory is None else (memory, handles)


def speed(files: int = 2000) -> None:
    """Runs of the size of workload W4: 5,000 points, six peaks."""
    inputs = PLACE / "speed"
    write_runs(inputs, files)
    ratios = []
    for turn in range(3):
        taken, work = {}, {}
        for jobs in ("1", "2"):
            output = PLACE / f"speed-{jobs}"
            shutil.rmtree(output, ignore_errors=True)
            used = processor()
            taken[jobs] = timed(gcfit(output, inputs, "--jobs", jobs))[0]
            work[jobs] = processor() - used
        ratios.append(taken["1"] / taken["2"])
        show(f"turn {turn + 1}: {taken['1']:.1f} s with one job, {taken['2']:.1f} s with two: {ratios[-1]:.2f}")
        show(f"  processor time {work['1']:.1f} and {work['2']:.1f} s; load {os.getloadavg()[0]:.1f}")
    equal = untimed(PLACE / "speed-1") == untimed(PLACE / "speed-2")
    show(f"median ratio {sorted(ratios)[1]:.2f}; tables equal: {equal}")


def show(text: str) -> None:
    print(text, flush=True)


TRIALS: dict[str, Callable[..., None]] = {"kills": kills, "deaths": deaths, "size": size, "speed": speed}

if __name__ == "__main__":
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    TRIALS[sys.argv[1]](*map(int, sys.argv[2:]))
    shutil.rmtree(PLACE)
