"""How long reading takes: `python -m tests.benchmarks.bench_formats`.

A table of 36,000 points in five spellings, beside a bare `pandas.read_csv` of the same file (without its import), and
10 million rows with the memory they take, in a process of its own. Times are of the processor; the two readers take
turns, the ratio is that of the least times, and the median over the pairs stands beside it.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from gcfit.formats import read_file

POINTS, ROWS, RUNS = 36_000, 10_000_000, 40
LOAD = "import sys, resource; from gcfit.formats import read\n"
READ = LOAD + "run = read(sys.argv[1]); assert run.time.size == 10_000_000\n"
USED = "used = resource.getrusage(resource.RUSAGE_SELF)\n"
USED += "print(f'{used.ru_utime + used.ru_stime:.1f} s, peak {used.ru_maxrss >> 10} MB', end='')"
TIME = np.arange(POINTS) * 0.05
SIGNAL = 3935.4 + np.random.default_rng(1).normal(size=POINTS)


def spellings() -> dict[str, str]:
    pairs = list(zip(TIME.tolist(), SIGNAL.tolist(), strict=True))
    return {
        "shortest text of each float": "time_s,signal\n" + "".join(f"{t!r},{y!r}\n" for t, y in pairs),
        "six and four decimals": "time_min,signal\n" + "".join(f"{t / 60:.6f},{y:.4f}\n" for t, y in pairs),
        "whole counts": "time_s,signal\n" + "".join(f"{t:.2f},{y:.0f}\n" for t, y in pairs),
        "decimal comma": "time_min;signal\n" + "".join(f"{t / 60:.6f};{y:.4f}\n" for t, y in pairs).replace(".", ","),
        "exponents": "time_s,signal\n" + "".join(f"{t:.6e},{y:.6e}\n" for t, y in pairs),
    }


def seconds(call: Callable[[], object]) -> float:
    """Processor time of one call [s]."""
    start = time.process_time()
    call()
    return time.process_time() - start


def compare(path: Path) -> None:
    for name, text in spellings().items():
        path.write_text(text)
        marks = {"sep": ";", "decimal": ","} if name == "decimal comma" else {}
        pairs = [
            (seconds(lambda: read_file(path)), seconds(lambda marks=marks: pd.read_csv(path, **marks)))  # type: ignore[misc]
            for _ in range(RUNS)
        ]
        own, other = (1000 * min(times) for times in zip(*pairs, strict=True))
        middle = statistics.median(a / b for a, b in pairs)
        found = f"gcfit {own:6.1f} ms  pandas {other:6.1f} ms  ratio {own / other:.2f}, median of pairs {middle:.2f}"
        print(f"{name:30s} {found}")


def long_table(path: Path) -> None:
    with path.open("w") as stream:
        stream.write("time_s,signal\n")
        for start in range(0, ROWS, 100_000):
            rows = (f"{i / 100:.2f},{3935.4 + i % 977 * 0.001:.4f}\n" for i in range(start, start + 100_000))
            stream.write("".join(rows))
    print(f"{ROWS} rows, {path.stat().st_size >> 20} MB:", alone(READ, path), "; without the file", alone(LOAD, path))


def alone(code: str, path: Path) -> str:
    """What a process of its own says of its time and its peak memory."""
    command = [sys.executable, "-c", code + USED, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder) / "run.csv")
        long_table(Path(folder) / "long.csv")


if __name__ == "__main__":
    main()
