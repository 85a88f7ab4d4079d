"""gcfit on the simulated workloads on which README.md compares programs: `python -m tests.benchmarks.workload_table`.

One process, default settings, told the hold-up time only. Seconds are those of the processor (user and system): of the
whole program. A peak is found if one stands within 1.5 σ of it.
"""

import csv
import io
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.startup import COMPILED
from tests.workloads import RECIPES, Workload, btex, scored

GCFIT = str(Path(sys.executable).parent / "gcfit")
FILES = 100  # of the batch, W4


def written(work: Workload, path: Path) -> Path:
    """Write a workload as the CSV file that every program was given."""
    run = work.chromatogram
    lines = (f"{t:.10g},{y:.10g}" for t, y in zip(run.time, run.signal, strict=True))
    path.write_text("time_s,signal\n" + "\n".join(lines) + "\n")
    return path


def fitted(paths: Sequence[Path], *options: str) -> tuple[float, list[dict[str, str]]]:
    """Seconds of the processor of the whole program, and the rows of its peak table."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [GCFIT, "fit", *map(str, paths), "--hold-up", "60", *options],
        capture_output=True,
        text=True,
        check=True,
        env=COMPILED,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds, list(csv.DictReader(io.StringIO(done.stdout)))


def errors(work: Workload, rows: Sequence[dict[str, str]]) -> tuple[int, int, list[float]]:
    """Peaks found and false, and the relative errors of the areas [%]."""
    known = [row for row in rows if row["area"] and row["retention_time_s"]]
    apexes = [float(row["retention_time_s"]) for row in known]
    found = scored(work, apexes, [float(row["area"]) for row in known])
    relative = []
    for truth in work.peaks:
        near = min(range(len(apexes)), key=lambda k: abs(apexes[k] - truth.apex))
        if abs(apexes[near] - truth.apex) < 1.5 * truth.sigma:
            relative.append(100 * abs(float(known[near]["area"]) / truth.area - 1))
    return len(work.peaks) - found.missed, found.false, relative


def main() -> None:
    """Print one row a workload."""
    print("| workload | CPU s | found | false | area error, median % | largest % |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, (seed, make) in RECIPES.items():
            work = make(seed)
            path = written(work, Path(folder) / f"{name}.csv")
            fitted([path])  # compiles what an installed package has compiled
            seconds, rows = fitted([path])
            found, false, relative = errors(work, rows)
            middle, worst = statistics.median(relative), max(relative)
            print(f"| {name} | {seconds:.2f} | {found} of {len(work.peaks)} | {false} | {middle:.3g} | {worst:.3g} |")
        batch = [written(btex(1000 + n, jitter=True), Path(folder) / f"f{n:03d}.csv") for n in range(FILES)]
        seconds, rows = fitted(batch)
        alone, _ = fitted(batch[:1])
        print(f"| W4 | {seconds:.2f} | {len(rows)} of {6 * FILES} | | | |")
        print(f"\nW4, a file after the first: {1e3 * (seconds - alone) / (FILES - 1):.0f} ms")


if __name__ == "__main__":
    main()
