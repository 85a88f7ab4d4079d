"""How long reading takes: `python -m tests.benchmarks.bench_formats`.

A table of 36,000 points in five spellings, beside a bare `pandas.read_csv` of the same file (without its import), and
10 million rows with the memory they take. Times are of the process, the least of many runs.
"""

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from gcfit.formats import read_file

POINTS, ROWS = 36_000, 10_000_000
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


def least(call: Callable[[], object], runs: int = 40) -> float:
    """Least time of the process [ms]."""
    best = float("inf")
    for _ in range(runs):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return 1000 * best


def compare(path: Path) -> None:
    for name, text in spellings().items():
        path.write_text(text)
        marks = {"sep": ";", "decimal": ","} if name == "decimal comma" else {}
        own, other = least(lambda: read_file(path)), least(lambda marks=marks: pd.read_csv(path, **marks))  # type: ignore[misc]
        print(f"{name:30s} gcfit {own:6.1f} ms  pandas {other:6.1f} ms  ratio {own / other:.2f}")


def long_table(path: Path) -> None:
    with path.open("w") as stream:
        stream.write("time_s,signal\n")
        for start in range(0, ROWS, 100_000):
            rows = (f"{i / 100:.2f},{3935.4 + i % 977 * 0.001:.4f}\n" for i in range(start, start + 100_000))
            stream.write("".join(rows))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.process_time()
    trace = read_file(path).chromatograms[0]
    seconds = time.process_time() - begin
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    size = path.stat().st_size >> 20
    print(f"{trace.time.size} rows, {size} MB: {seconds:.1f} s, {memory} MB more (160 MB are its arrays)")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder) / "run.csv")
        long_table(Path(folder) / "long.csv")


if __name__ == "__main__":
    main()
