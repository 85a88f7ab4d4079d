"""A few figures against their pictures in `images/`, which were looked at.

Compared is the average of blocks of pixels, so that another version of a font or of the antialiasing does not count,
and a missing curve, label or panel does. `python -m tests.test_figures_images` draws the pictures anew.
"""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from gcfit.chromatogram import Array
from gcfit.figures import multiples, overlay, render, system_figure, trends
from tests.handmade import made_fit

FOLDER = Path(__file__).parent / "images"
BLOCK, DPI = 12, 60
# of 255, where one block differs; a letter of a label covers about 25 in its block
MOST, MEAN = 40.0, 1.0

BTEX = [(119.2, 5.7, 1159.0), (231.2, 5.9, 927.0), (448.8, 7.1, 562.0), (481.5, 9.0, 1411.0), (576.6, 8.8, 516.0)]
NAMES = ["benzene", "toluene", "ethylbenzene", "p,m-xylene", "o-xylene"]


def five(theme: str = "light") -> Figure:
    fit = made_fit(BTEX, end=700, base=(3935.4, 0.0), noise=0.3, names=NAMES, unit="mV")
    return overlay(fit, dpi=DPI, theme=theme)  # type: ignore[arg-type]


def alkanes() -> Figure:
    peaks = [(150.0, 3.0, 2e7), *[(400.0 + 77 * i, 2.5, 2e4 * (1 + 0.3 * np.sin(i))) for i in range(31)]]
    names = ["solvent", *[f"C{9 + i}" for i in range(31)]]
    return overlay(made_fit(peaks, end=3000, rate=4, base=(800, 0.1), noise=20, names=names, unit="µV"), dpi=DPI)


def odd() -> Figure:
    peaks = [(150.0, 5.0, 300.0), (300.0, 6.0, -200.0), (450.0, 5.0, 100.0)]
    return overlay(made_fit(peaks, names=["", "dip", "lost"], statuses={1: "bound", 3: "failed"}), dpi=DPI)


def column() -> Figure:
    from tests.test_figures_system import GAS, PROFILES, outlet

    return system_figure(GAS, [outlet("variable"), outlet("constant")], PROFILES, dpi=DPI)


def batch() -> Figure:
    from tests.test_figures_batches import ROWS

    return trends(ROWS, title="a batch", dpi=DPI)


def many() -> Figure:
    runs = [made_fit([(20.0 + i, 2.0, 10.0 + i)], end=60, source=f"run{i}.csv").chromatogram for i in range(6)]
    return multiples(runs, dpi=DPI)


PICTURES: dict[str, Callable[[], Figure]] = {
    "five": five,
    "five_dark": lambda: five("dark"),
    "alkanes": alkanes,
    "odd": odd,
    "column": column,
    "batch": batch,
    "many": many,
}


def blocks(png: bytes) -> Array:
    """Averages of blocks of pixels, 0 to 255, shape (rows, columns, 3)."""
    pixels = np.asarray(imread(io.BytesIO(png)))[..., :3] * 255.0
    rows, columns = (size // BLOCK * BLOCK for size in pixels.shape[:2])
    cut = pixels[:rows, :columns].reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK, 3)
    return np.asarray(cut.mean(axis=(1, 3)), dtype=np.float64)


@pytest.mark.parametrize("name", PICTURES)
def test_a_figure_looks_as_it_did(name: str) -> None:
    expected = blocks((FOLDER / f"{name}.png").read_bytes())
    drawn = blocks(render(PICTURES[name](), "png"))
    assert drawn.shape == expected.shape
    difference = np.abs(drawn - expected)
    assert difference.max() < MOST
    assert difference.mean() < MEAN


def test_a_missing_peak_would_be_seen() -> None:
    expected = blocks((FOLDER / "five.png").read_bytes())
    fit = made_fit(BTEX[:4], end=700, base=(3935.4, 0.0), noise=0.3, names=NAMES[:4], unit="mV")
    assert np.abs(blocks(render(overlay(fit, dpi=DPI), "png")) - expected).max() > MOST


if __name__ == "__main__":
    for name, draw in PICTURES.items():
        (FOLDER / f"{name}.png").write_bytes(render(draw(), "png"))
