"""Others on the same work: `make bench-peers`. Makes an environment for each below `output/peers` and runs it there.

    python -m tests.benchmarks.peers [workloads] [w4] [cadet]     by default all

What cannot be installed or does not run is named with the reason, and the others go on.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gcfit.fitting.fit import fit
from gcfit.fitting.records import Fit, FitSettings
from tests.benchmarks.speed import BATCH, OUTPUT, REPEAT, ROOT, fitting, inside, written
from tests.benchmarks.startup import GCFIT, spent
from tests.workloads import RECIPES, Workload, btex, scored

# what is installed, from the package index; the versions are those that were measured
PEERS = {
    "lmfit": ("lmfit==1.3.4",),
    "mocca2": ("mocca2==0.1.18",),
    "hplc-py": ("hplc-py==0.2.8", "setuptools<81"),
}
# programs, and the environment of each
PROGRAMS = {"lmfit": "lmfit", "mocca2": "mocca2", "hplc-py": "hplc-py", "hplc-py, tuned": "hplc-py"}
CADET = ("cadet-core==5.1.1", "cadet-python==1.3.0", "packaging")
CADET_PYTHON = "python3.12"
SLOW = {"hplc-py": ("W3",), "hplc-py, tuned": ("W3",)}  # they did not end within 200 s
PART = {"hplc-py": 10, "hplc-py, tuned": 10}  # files of W4 that stand for all: it takes seconds for each
PATIENCE = 1200.0


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


def answered(name: str, python: Path, paths: Sequence[Path]) -> tuple[dict[str, Any], float] | str:
    """What a program of others says of some files, and the seconds of its whole process; or why it does not."""
    command = (str(python), str(Path(__file__).with_name("peer_run.py")), name, *map(str, paths))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"stopped after {PATIENCE:.0f} s"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.returncode:
        return run.stderr.strip().splitlines()[-1]
    whole = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(run.stdout.strip().splitlines()[-1]), whole


def theirs(name: str, python: Path, work: Workload, workload: str, path: Path) -> Row | str:
    """A program of others on one file, whole process and the fit that it times itself."""
    said = answered(name, python, [path])
    if isinstance(said, str):
        return said
    answer = said[0][str(path)]
    outcome = answer.get("error") or judged(work, answer["peaks"])
    return Row(name, workload, said[1], answer["seconds"], outcome)


def ours(work: Workload, workload: str, path: Path) -> Row:
    answer = inside(path)
    spent(fitting(path))  # compiles what an installed package has compiled
    return Row("**gcfit**", workload, spent(fitting(path)), answer["seconds"]["fit"], judged(work, answer["peaks"]))


def batch(pythons: Mapping[str, Path | str]) -> list[str]:
    """Print W4, a hundred files in one process each, gcfit and the others in one run; return what was left out."""
    folder = OUTPUT / "W4"
    folder.mkdir(exist_ok=True)
    works = [btex(1000 + k, jitter=True) for k in range(BATCH)]
    paths = [written(work, folder / f"f{k:03d}.csv") for k, work in enumerate(works)]
    command = (*GCFIT, "fit", *map(str, paths), "--hold-up", "60", "--jobs", "1")
    spent(command)  # compiles what an installed package has compiled
    own = statistics.median(spent(command) for _ in range(REPEAT))
    peaks = [[(peak.retention_time_s, peak.area) for peak in fitted(work).peaks] for work in works]
    print("| | whole, CPU s | times gcfit's | fits alone, CPU s | times gcfit's whole | found / false | rms |")
    print("|---|---|---|---|---|---|---|")
    print(f"| **gcfit** | {own:.2f} | 1 | | | {tallied(works, peaks)} |", flush=True)
    left_out = []
    for name, python in pythons.items():
        part = PART.get(name, BATCH)
        said = f"{name}: {python}" if isinstance(python, str) else answered(name, python, paths[:part])
        if isinstance(said, str):
            left_out.append(f"{name} on W4: {said}")
            continue
        answers = [said[0][str(path)] for path in paths[:part]]
        fits = sum(answer["seconds"] for answer in answers) * BATCH / part
        whole = said[1] * BATCH / part
        outcome = tallied(works[:part], [answer.get("peaks", []) for answer in answers])
        cells = f"{whole:.1f} | {whole / own:.1f} | {fits:.1f} | {fits / own:.1f} | {outcome}"
        print(f"| {name}{f', from {part} files' if part < BATCH else ''} | {cells} |", flush=True)
    return left_out


def fitted(work: Workload) -> Fit:
    return fit(work.chromatogram, settings=FitSettings(hold_up=work.hold_up))


def tallied(works: Sequence[Workload], peaks: Sequence[Sequence[tuple[float, float]]]) -> str:
    """Found and false over all files, and the root mean square of the area errors in units of the bound."""
    scores = [scored(work, *zip(*found, strict=True)) for work, found in zip(works, peaks, strict=True) if found]
    truths, missed = sum(len(work.peaks) for work in works), sum(score.missed for score in scores)
    missed += sum(len(work.peaks) for work, found in zip(works, peaks, strict=True) if not found)
    errors = np.concatenate([score.errors for score in scores]) if scores else np.empty(0)
    rms = f"{np.sqrt(np.mean(errors**2)):.2f}" if errors.size else ""
    return f"{truths - missed} of {truths} / {sum(score.false for score in scores)} | {rms}"


def workloads(pythons: Mapping[str, Path | str]) -> list[str]:
    """Print W1 to W5; return what was left out."""
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
    return left_out


def cadet() -> list[str]:
    """Print the full equations beside CADET-Core; return what was left out."""
    python = environment("cadet", CADET, CADET_PYTHON)
    if isinstance(python, str):
        return [f"CADET-Core: {python}"]
    command = (sys.executable, "-m", "tests.benchmarks.cadet_bench", "--python", str(python), "--repeat", "1")
    subprocess.run(command, check=True, cwd=ROOT)
    return []


def main(parts: Sequence[str] = ("workloads", "w4", "cadet")) -> None:
    """Print the tables of the named parts."""
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    OUTPUT.mkdir(exist_ok=True)
    pythons = {name: environment(folder, PEERS[folder]) for name, folder in PROGRAMS.items()}
    run = {"workloads": lambda: workloads(pythons), "w4": lambda: batch(pythons), "cadet": cadet}
    for part in parts:
        left_out = run[part]()
        print("\n".join(["", *(f"left out: {line}" for line in left_out)]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ("workloads", "w4", "cadet"))
