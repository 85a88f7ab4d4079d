"""Real chromatograms for a batch, made here: the linear sorption law with noise, and files that are none.

The law is Giddings' and Eyring's, as in DESIGN section 3, written out once more; the numbers are those of six compounds
on a column with a hold-up time of 60 s.
"""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.special import i1e

from tests.batch.helpers import LONG_AGO

HOLD_UP = 60.0
MEANS = np.array([92.0, 138.0, 205.0, 251.0, 285.0, 398.0])
PLATES = np.array([1e5, 2e4] * 3)
AREAS = np.array([60.0, 100.0, 80.0, 40.0, 90.0, 120.0])


def signal(time: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Six peaks, jittered, on a drifting baseline with white noise of 0.1 % of the highest apex."""
    means = HOLD_UP + (MEANS - HOLD_UP) * (1 + 0.01 * random.standard_normal(6))
    areas = AREAS * np.exp(0.3 * random.standard_normal(6))
    clean = sum(area * peak(time, mean, plates) for area, mean, plates in zip(areas, means, PLATES, strict=True))
    top = float(clean.max())
    return clean + top * (0.02 + 2e-5 * time + 1e-3 * random.standard_normal(time.size))


def peak(time: np.ndarray, mean: float, plates: float) -> np.ndarray:
    rate = 2 * (mean - HOLD_UP) * plates / mean**2
    n, delay = rate * (mean - HOLD_UP), time - HOLD_UP
    x = delay[delay > 0]
    out = np.zeros_like(time)
    bell = np.exp(-((np.sqrt(n) - np.sqrt(rate * x)) ** 2)) * i1e(2 * np.sqrt(n * rate * x))
    out[delay > 0] = np.sqrt(n * rate / x) * bell
    return out


def write_runs(folder: Path, count: int, *, points: int = 5000) -> list[Path]:
    """Write `count` chromatograms of 500 s and six peaks, none of them new."""
    return _write(folder, count, np.arange(points) * (500.0 / points), signal)


def write_short_runs(folder: Path, count: int) -> list[Path]:
    """Write `count` chromatograms of 60 s and one peak, as quick to fit as there are."""
    return _write(folder, count, HOLD_UP + np.arange(200) * 0.3, one_peak)


def one_peak(time: np.ndarray, random: np.random.Generator) -> np.ndarray:
    clean = peak(time, 90 + random.standard_normal(), 2000.0)
    return clean + clean.max() * (0.02 + 1e-3 * random.standard_normal(time.size))


def _write(folder: Path, count: int, time: np.ndarray, made: Callable[..., np.ndarray]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    times = [f"{value:.4f}," for value in time]
    for number in range(count):
        values = made(time, np.random.default_rng(number))
        lines = [start + f"{value:.8g}" for start, value in zip(times, values, strict=True)]
        path = folder / f"run{number:05d}.csv"
        path.write_text("time_s,signal\n" + "\n".join(lines) + "\n")
        os.utime(path, (LONG_AGO, LONG_AGO))
        paths.append(path)
    return paths


def _gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(b"time_s,signal\n" + b"1.0,2.0\n" * 5000)[:-40])


def _column(count: int, cell: str) -> str:
    return "time_s,signal\n" + "".join(f"{number / 10},{cell}\n" for number in range(count))


# ten ways not to be a chromatogram
BAD: dict[str, Callable[[Path], object]] = {
    "absent.csv": lambda path: path.symlink_to("nowhere.csv"),
    "empty.csv": lambda path: path.touch(),
    "binary.csv": lambda path: path.write_bytes(np.random.default_rng(1).bytes(5000)),
    "prose.txt": lambda path: path.write_text("The column was conditioned overnight.\nNo sample was injected.\n"),
    "header.csv": lambda path: path.write_text("time_s,signal\n"),
    "nan.csv": lambda path: path.write_text(_column(500, "NaN")),
    "two.csv": lambda path: path.write_text(_column(2, "1.5")),
    "cut.csv.gz": _gzip,
    "one.csv": lambda path: path.write_text("signal\n" + "word\n" * 500),
    "page.html": lambda path: path.write_text("<html><body><p>Login required</p></body></html>\n"),
}


def write_bad(folder: Path, times: int) -> int:
    """Write every bad file `times` times; return their number."""
    for number in range(times):
        for name, make in BAD.items():
            path = folder / f"bad{number}_{name}"
            make(path)
            if path.exists():
                os.utime(path, (LONG_AGO, LONG_AGO))
    return times * len(BAD)
