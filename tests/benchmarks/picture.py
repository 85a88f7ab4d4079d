"""The figure of the speed benchmark: seconds against size, both logarithmic."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

Points = Sequence[tuple[int, float]]


def drawn(runs: Points, crowds: Points, path: Path) -> None:
    """Whole processes by points on the left, one window by its peaks on the right, with lines of growth to judge by."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, points, power, label in (
        (left, sorted(runs), 1.0, "points of the run"),
        (right, sorted(crowds), 1.3, "overlapping peaks in one window"),
    ):
        size, seconds = np.array(points).T
        axes.loglog(size, seconds, "o-", color="#1f5fa8", label="measured")
        axes.loglog(size, seconds[0] * (size / size[0]) ** power, "--", color="#888888", label=f"size$^{{{power:g}}}$")
        axes.set(xlabel=label, ylabel="seconds of the processor")
        axes.legend(frameon=False)
        axes.grid(True, which="major", alpha=0.3)
    figure.savefig(path, dpi=120)
