"""W1 to W5, a long run and a crowd: whole processes and inside, beside bare references in the same run.

    python -m tests.benchmarks.speed

Prints tables, draws `output/speed.png`. Seconds are those of the processor on one thread (user and system), which
other programs on the machine change less than the clock; each command in turn with the others, the median.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from gcfit.chromatogram import Chromatogram
from tests.benchmarks.crowd import crowded
from tests.benchmarks.picture import drawn
from tests.benchmarks.startup import GCFIT, ROOT, spent
from tests.workloads import RECIPES, Truth, Workload, assembled, btex, curve, scored

OUTPUT = Path(__file__).parent / "output"
REPEAT = 5
BATCH = 100
LONG_POINTS, LONG_PEAKS = 1_080_000, 300
IMPORTS = "import numpy, pandas, scipy.optimize"
HEADINGS = (
    "", "points", "gcfit, whole, s", "imports", "read_csv", "Bessel pass", "noise, ms", "detect", "whole fit",
    "its curves", "fit / curves", "found / false", "area error / bound, rms / worst",
)  # fmt: skip
BESSEL = """
import json, sys, numpy as np
from scipy.special import i1e
time = np.loadtxt(sys.argv[1], delimiter=",", skiprows=1)[:, 0]
for mean, sigma, n, rate in json.loads(sys.argv[2]):
    x = time[np.searchsorted(time, mean - 8 * sigma):np.searchsorted(time, mean + 8 * sigma)] - 60
    x = x[x > 0]
    np.exp(-((n**0.5 - np.sqrt(rate * x)) ** 2)) * np.sqrt(n * rate / x) * i1e(2 * np.sqrt(n * rate * x))
"""


def written(work: Workload, path: Path) -> Path:
    """A workload as the delimited text that the tables are made from."""
    columns = np.column_stack([work.chromatogram.time, work.chromatogram.signal])
    np.savetxt(path, columns, fmt=["%.4f", "%.8g"], delimiter=",", header="time_s,signal", comments="")
    return path


def long_run(seed: int = 7) -> Workload:
    """Three hours at 100 Hz, 300 peaks that are apart."""
    random = np.random.default_rng(seed)
    mean = np.linspace(200.0, 10_600.0, LONG_PEAKS) + random.uniform(-5, 5, LONG_PEAKS)
    area = 10 * np.exp(random.uniform(np.log(0.05), 0, LONG_PEAKS))
    plates = (mean / random.uniform(1.0, 2.0, LONG_PEAKS)) ** 2
    peaks = list(zip(area.tolist(), mean.tolist(), plates.tolist(), strict=True))
    return assembled(np.arange(LONG_POINTS) * 0.01, 60.0, peaks, random)


def long_crowd(groups: int, seed: int = 7) -> Workload:
    """Three hours at 100 Hz, 300 peaks in so many groups that overlap: resolution 0.8 to 1.2, heights within 1:4."""
    random = np.random.default_rng(seed)
    count = LONG_PEAKS // groups
    sigma = 2.0 if groups > 1 else 8.6
    begins = 250.0 + 10_200.0 / groups * np.arange(groups)
    mean = begins[:, None] + np.cumsum(4 * sigma * random.uniform(0.8, 1.2, (groups, count)), axis=1)
    area = 10 * sigma * random.uniform(0.5, 2.0, mean.shape)
    width = sigma * random.uniform(0.9, 1.1, mean.shape)
    time, signal = np.arange(LONG_POINTS) * 0.01, np.zeros(LONG_POINTS)
    for one, at, wide in zip(area.flat, mean.flat, width.flat, strict=True):
        near = slice(*np.searchsorted(time, [at - 10 * wide, at + 12 * wide]))
        signal[near] += one * curve(time[near], 60.0, at, (at / wide) ** 2)
    top = float(signal.max())
    signal += top * (0.02 + 1e-6 * time + 1e-3 * random.standard_normal(LONG_POINTS))
    # the bound of an area is not worked out here: only how many are found
    truths = [
        Truth(float(one), float(at), float((at / wide) ** 2), float(at), np.nan, np.nan, np.nan)
        for one, at, wide in zip(area.flat, mean.flat, width.flat, strict=True)
    ]
    return Workload(Chromatogram(time, signal), 60.0, tuple(truths))


def inside(path: Path) -> dict[str, object]:
    """What `tests.benchmarks.inside` measures in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.inside", str(path), "60"]
    run = subprocess.run(command, capture_output=True, check=True, cwd=ROOT)
    answer: dict[str, object] = json.loads(run.stdout)
    return answer


def medians(commands: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Median seconds of the processor of each command, taken in turn."""
    rounds = [{name: spent(command) for name, command in commands.items()} for _ in range(REPEAT)]
    return {name: statistics.median(one[name] for one in rounds) for name in commands}


def fitting(path: Path) -> tuple[str, ...]:
    return (*GCFIT, "fit", str(path), "--hold-up", "60")


def of_workload(name: str, work: Workload) -> tuple[str, int, float]:
    """A row of the table: whole process beside the references, the stages, and the accuracy."""
    path = written(work, OUTPUT / f"{name}.csv")
    laws = json.dumps([(truth.mean, truth.sigma, truth.n, truth.desorption_rate) for truth in work.peaks])
    whole = medians(
        {
            "gcfit": fitting(path),
            "imports": (sys.executable, "-c", IMPORTS),
            "read_csv": (sys.executable, "-c", f"import pandas; pandas.read_csv({str(path)!r})"),
            "bessel": (sys.executable, "-c", BESSEL, str(path), laws),
        }
    )
    stages = inside(path)
    seconds = stages["seconds"]
    score = scored(work, *zip(*stages["peaks"], strict=True))
    cells = (
        name, str(stages["points"]), *(f"{whole[key]:.2f}" for key in ("gcfit", "imports", "read_csv", "bessel")),
        *(f"{1e3 * seconds[key]:.1f}" for key in ("noise", "detect", "fit", "curves")),
        f"{seconds['fit'] / seconds['curves']:.1f}",
        f"{len(work.peaks) - score.missed} of {len(work.peaks)} / {score.false}",
        f"{score.rms:.2f} / {score.worst:.1f}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |", stages["points"], whole["gcfit"]


def of_batch() -> str:
    folder = OUTPUT / "W4"
    folder.mkdir(exist_ok=True)
    paths = [written(btex(1000 + k, jitter=True), folder / f"f{k:03d}.csv") for k in range(BATCH)]
    command = (*GCFIT, "fit", *map(str, paths), "--hold-up", "60", "--jobs", "1")
    return f"W4, {BATCH} files, `--jobs 1`, whole process: {medians({'batch': command})['batch']:.2f} s"


def of_long_run(name: str, work: Workload) -> tuple[str, float]:
    path = written(work, OUTPUT / f"{name}.csv")
    stages, whole = inside(path), spent(fitting(path))
    seconds = ", ".join(f"{name} {value:.2f}" for name, value in stages["seconds"].items() if name != "curves")
    apexes = np.array([apex for apex, *_ in stages["peaks"]])
    found = sum(bool(np.abs(apexes - truth.apex).min() < truth.sigma) for truth in work.peaks)
    return f"{LONG_POINTS} points, {LONG_PEAKS} peaks, {name}: whole process {whole:.1f} s ({seconds}), " \
        f"{stages['memory_mb']} MB, {found} found of {len(work.peaks)}, {len(apexes)} in all", whole  # fmt: skip


LONG_RUNS: dict[str, Callable[[], Workload]] = {
    "apart": long_run,
    "in 30 groups": lambda: long_crowd(30),
    "in one chain": lambda: long_crowd(1),
}


def main() -> None:
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    OUTPUT.mkdir(exist_ok=True)
    print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}")
    sizes = []
    for name, (seed, recipe) in RECIPES.items():
        row, points, seconds = of_workload(name, recipe(seed))
        sizes.append((points, seconds))
        print(row, flush=True)
    print(f"\n{of_batch()}\n", flush=True)
    for name, work in LONG_RUNS.items():
        text, seconds = of_long_run(name, work())
        sizes.append((LONG_POINTS, seconds))
        print(f"{text}\n", flush=True)
    crowds = crowded()
    drawn(sizes, crowds, OUTPUT / "speed.png")
    print(f"\nfigure: {OUTPUT / 'speed.png'}")


if __name__ == "__main__":
    main()
