"""What a user waits for before anything is computed: `python -m tests.benchmarks.startup`.

Whole processes, the commands of a group taken in turn in one run, so that a busy machine slows all of them alike.
Seconds are those of the processor (user and system), which other programs hardly change; the median and the least.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import chdir
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_data" / "btex"
REPEAT = 15
GCFIT = (str(Path(sys.executable).parent / "gcfit"),)
FIT = (*GCFIT, "fit", str(SAMPLE / "chromatogram.csv"), "--system", str(SAMPLE / "system.toml"))
SCRIPT = "import numpy, pandas, scipy.optimize"  # what an analyst's own script imports

# the first of a group is what the others are measured against
GROUPS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "answers at once": {
        "python -c 'import click'": (sys.executable, "-c", "import click"),
        "gcfit --version": (*GCFIT, "--version"),
        "gcfit --help": (*GCFIT, "--help"),
        "gcfit fit --help": (*GCFIT, "fit", "--help"),
    },
    "a fit": {
        f"python -c '{SCRIPT}'": (sys.executable, "-c", SCRIPT),
        "gcfit fit, 5 peaks, laplace": (*FIT, "--model", "laplace"),
        "gcfit fit, 5 peaks, auto": FIT,
    },
}  # fmt: skip


# modules are compiled once, as those of an installed package are, wherever this runs
_CACHE = tempfile.TemporaryDirectory(prefix="gcfit-compiled-")
COMPILED = {
    **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    "PYTHONPYCACHEPREFIX": _CACHE.name,
}


def spent(command: Sequence[str]) -> float:
    """Seconds of the processor that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True, env=COMPILED)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def measured(commands: Mapping[str, Sequence[str]], repeat: int = REPEAT) -> dict[str, list[float]]:
    """Seconds of every command, each run `repeat` times in turn with the others, after one run that warms the disk."""
    for command in commands.values():
        spent(command)
    rounds = [{name: spent(command) for name, command in commands.items()} for _ in range(repeat)]
    return {name: [one[name] for one in rounds] for name in commands}


def table(seconds: Mapping[str, Sequence[float]]) -> str:
    """Markdown: median and least in ms, and the ratio of the medians to the first row."""
    base = statistics.median(next(iter(seconds.values())))
    lines = ["| whole process | median, CPU ms | least | of the first |", "|---|---|---|---|"]
    for name, values in seconds.items():
        middle = statistics.median(values)
        lines.append(f"| {name} | {1e3 * middle:.0f} | {1e3 * min(values):.0f} | {middle / base:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Print a table a group."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for name, commands in GROUPS.items():
            print(f"{name}\n\n{table(measured(commands))}\n")


if __name__ == "__main__":
    main()
