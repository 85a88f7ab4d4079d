"""One window of 10 to 1,000 overlapping peaks: how the cost of a fit grows with their number.

    python -m tests.benchmarks.crowd

Peaks 4 σ apart, heights within a factor of 4, a parabola as baseline, started 0.3 σ off and 10 % too wide; everything
in one least-squares problem. The exponent is that of the seconds between the first and the last number of peaks, and
between neighbours.
"""

from collections.abc import Sequence
from time import process_time

import numpy as np

from gcfit.fitting.models import Known
from gcfit.fitting.sampling import Sampling
from gcfit.fitting.states import Peak, WindowData, solved
from tests.workloads import curve

COUNTS = (10, 30, 100, 300, 1000)
SIGMA, APART, RATE, HOLD_UP, NOISE = 1.0, 4.0, 10.0, 60.0, 1e-3


def window(count: int) -> tuple[WindowData, list[Peak]]:
    """The data and where the search starts."""
    random = np.random.default_rng(count)
    means = 200.0 + SIGMA * (APART * np.arange(count) + random.uniform(-0.5, 0.5, count))
    time = np.arange(means[0] - 12 * SIGMA, means[-1] + 16 * SIGMA, 1 / RATE)
    signal = 10 + 1e-3 * (time - time[0]) + NOISE * random.standard_normal(time.size)
    for mean in means:
        near = slice(*np.searchsorted(time, [mean - 9 * SIGMA, mean + 9 * SIGMA]))
        signal[near] += random.uniform(0.5, 2.0) * curve(time[near], HOLD_UP, mean, (mean / SIGMA) ** 2)
    start = [Peak("laplace", np.array([m + 0.3 * SIGMA, np.log(1.1 * SIGMA)]), float(m), SIGMA) for m in means]
    return WindowData(Sampling.of(time), signal, None, NOISE, 1.0, Known(HOLD_UP)), start


def crowded(counts: Sequence[int] = COUNTS) -> list[tuple[int, float]]:
    """Print and return the seconds of the processor for each number of peaks."""
    print("| peaks in one window | points | CPU s | steps | largest error of a position, in σ | exponent |")
    print("|---|---|---|---|---|---|")
    rows: list[tuple[int, float]] = []
    data, start = window(150)
    solved(data, start, 3)  # imports the algebra of large windows
    for count in counts:
        data, start = window(count)
        seconds = []
        for _ in range(3 if count < 300 else 1):
            begun = process_time()
            state = solved(data, start, 3)
            seconds.append(process_time() - begun)
        if state is None:
            raise RuntimeError(f"no fit of {count} peaks")
        error = max(abs(peak.coordinates[0] - peak.anchor) / SIGMA for peak in state.peaks)
        rows.append((count, min(seconds)))
        growth = np.log(rows[-1][1] / rows[-2][1]) / np.log(count / rows[-2][0]) if len(rows) > 1 else np.nan
        steps = state.solution.iterations
        print(f"| {count} | {data.time.size} | {rows[-1][1]:.3f} | {steps} | {error:.4f} | {growth:.2f} |", flush=True)
    whole = np.log(rows[-1][1] / rows[0][1]) / np.log(rows[-1][0] / rows[0][0])
    print(f"\ncost grows as peaks^{whole:.2f} from {rows[0][0]} to {rows[-1][0]}")
    return rows


if __name__ == "__main__":
    crowded()
