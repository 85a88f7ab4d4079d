"""Others on the same work: `make bench-peers`. Makes an environment for each below `output/peers` and runs it there.

What cannot be installed or does not run is named with the reason, and the others go on.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.benchmarks.speed import OUTPUT, ROOT, fitting, inside, written
from tests.benchmarks.startup import spent
from tests.workloads import RECIPES, Workload, scored

# what is installed, from the package index; the versions are those that were measured
PEERS = {
    "lmfit": ("lmfit==1.3.4",),
    "mocca2": ("mocca2==0.1.18",),
    "hplc-py": ("hplc-py==0.2.8", "setuptools<81"),
}
CADET = ("cadet-core==5.1.1", "cadet-python==1.3.0", "packaging")
CADET_PYTHON = "python3.12"
SLOW = {"hplc-py": ("W3",)}  # it did not end within 200 s
PATIENCE = 600.0


@dataclass(frozen=True)
class Row:
    """One program on one workload."""

    program: str
    workload: str
    whole: float
    fit: float
    outcome: str

    def __str__(self) -> str:
        return f"| {self.workload} | {self.program} | {self.whole:.2f} | {1e3 * self.fit:.1f} | {self.outcome} |"


def environment(name: str, packages: tuple[str, ...], python: str = sys.executable) -> Path | str:
    """The Python of an environment with these packages, or why there is none."""
    folder = OUTPUT / "peers" / name
    ready, interpreter = folder / "ready", folder / "bin" / "python"
    if ready.exists():
        return interpreter
    if shutil.which(python) is None:
        return f"needs {python}"
    for command in ((python, "-m", "venv", str(folder)), (str(interpreter), "-m", "pip", "install", "-q", *packages)):
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            return (run.stderr.strip() or run.stdout.strip() or "no reason given").splitlines()[-1]
    ready.touch()
    return interpreter


def judged(work: Workload, peaks: list[tuple[float, float]]) -> str:
    """Found and false, and the area errors in % and in units of the bound."""
    if not peaks:
        return "none found | |"
    score = scored(work, *zip(*peaks, strict=True))
    if not score.errors:
        return f"0 of {len(work.peaks)} / {score.false} | |"
    size = np.abs(score.errors)
    found = f"{len(work.peaks) - score.missed} of {len(work.peaks)} / {score.false}"
    return f"{found} | {np.median(size):.1f} / {size.max():.0f} | {score.rms:.1f}"


def theirs(name: str, python: Path, work: Workload, workload: str, path: Path) -> Row | str:
    """A program of others on one file, whole process and the fit that it times itself."""
    command = (str(python), str(Path(__file__).with_name("peer_run.py")), name, str(path))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"stopped after {PATIENCE:.0f} s"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if run.returncode:
        return run.stderr.strip().splitlines()[-1]
    answer = json.loads(run.stdout.strip().splitlines()[-1])[str(path)]
    outcome = answer.get("error") or judged(work, answer["peaks"])
    return Row(name, workload, whole, answer["seconds"], outcome)


def ours(work: Workload, workload: str, path: Path) -> Row:
    answer = inside(path)
    spent(fitting(path))  # compiles what an installed package has compiled
    return Row("**gcfit**", workload, spent(fitting(path)), answer["seconds"]["fit"], judged(work, answer["peaks"]))


def main() -> None:
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    OUTPUT.mkdir(exist_ok=True)
    pythons = {name: environment(name, packages) for name, packages in PEERS.items()}
    print("| | program | whole, CPU s | fit, CPU ms | found / false | area error / bound, median / max | rms |")
    print("|---|---|---|---|---|---|---|")
    left_out = [f"{name}: {reason}" for name, reason in pythons.items() if isinstance(reason, str)]
    for workload, (seed, recipe) in RECIPES.items():
        work = recipe(seed)
        path = written(work, OUTPUT / f"{workload}.csv")
        print(ours(work, workload, path), flush=True)
        for name, python in pythons.items():
            if isinstance(python, str):
                continue
            if workload in SLOW.get(name, ()):
                left_out.append(f"{name} on {workload}: did not end within 200 s when it was tried")
                continue
            row = theirs(name, python, work, workload, path)
            if isinstance(row, Row):
                print(row, flush=True)
            else:
                left_out.append(f"{name} on {workload}: {row}")
    print("\n".join(["", *(f"left out: {line}" for line in left_out)]))
    cadet = environment("cadet", CADET, CADET_PYTHON)
    if isinstance(cadet, str):
        print(f"left out: CADET-Core: {cadet}")
        return
    command = (sys.executable, "-m", "tests.benchmarks.cadet_bench", "--python", str(cadet), "--repeat", "1")
    subprocess.run(command, check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
