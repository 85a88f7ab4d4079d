"""What every figure shares: colours, fonts, units and the cleaning of text that comes from files."""

import math
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.textpath import text_to_path
from matplotlib.ticker import Formatter

from gcfit.chromatogram import Array
from gcfit.errors import InputError

ThemeName = Literal["light", "dark"]
TimeUnit = Literal["auto", "s", "min"]
Size = tuple[float, float]
MINUTES_FROM = 600.0  # a run of this length [s] is read in minutes
POINTS_PER_INCH = 72.0
TITLE_POINTS = 9.0
_HINTED = 1.03
_LONGEST = 300  # letters of a title that are measured
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# DejaVu Sans comes with matplotlib; the others only stand in for the letters that it lacks, where they are installed
_FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "Arial Unicode MS")


@dataclass(frozen=True)
class Theme:
    """Colours of a figure; `peaks` follow each other, light beside dark, so that they differ in grey too."""

    background: str
    ink: str
    muted: str
    data: str
    band: str
    alert: str
    peaks: tuple[str, ...]


# Okabe and Ito, "Color universal design" (2008), in the order that alternates lightness; dark: raised in lightness
THEMES: dict[ThemeName, Theme] = {
    "light": Theme(
        background="#ffffff",
        ink="#16191d",
        muted="#6b7178",
        data="#a3a9b0",
        band="#e6e9ec",
        alert="#b3261e",
        peaks=("#0072b2", "#e69f00", "#009e73", "#56b4e9", "#d55e00", "#cc79a7"),
    ),
    "dark": Theme(
        background="#14171b",
        ink="#f1f3f5",
        muted="#a0a8b0",
        data="#737c86",
        band="#2a3037",
        alert="#ff8a80",
        peaks=("#2f8ccb", "#f0b429", "#1fae87", "#8fd0f5", "#e06a26", "#e9a9cd"),
    ),
}


@contextmanager
def drawing(theme: Theme) -> Iterator[None]:
    """Draw with matplotlib's own defaults and the theme's colours, whatever the user's settings are."""
    with mpl.rc_context(), warnings.catch_warnings():
        # a letter that no font has is drawn as a box; there is nothing else to do about it
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        mpl.rcdefaults()
        mpl.rcParams.update(_settings(theme))
        yield


def _settings(theme: Theme) -> dict[Any, Any]:
    ink = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    background = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    installed = {entry.name for entry in fontManager.ttflist}
    return {
        **dict.fromkeys(ink, theme.ink),
        **dict.fromkeys(background, theme.background),
        "font.family": [name for name in _FONTS if name in installed],
        "font.size": 8.0,
        "text.parse_math": False,  # a dollar sign in a file name is a dollar sign
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.major.width": 0.7,
        "ytick.major.width": 0.7,
        "svg.fonttype": "none",
        "svg.hashsalt": "gcfit",
        "pdf.fonttype": 42,
        "legend.frameon": False,
    }


def plain(text: str, longest: int = 60) -> str:
    """Return text from a file as one printable line of at most `longest` letters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text)).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def text_size(text: str, points: float, weight: str = "normal") -> tuple[float, float]:
    """Width and height of a line of text [points], as drawn at a font size of `points`."""
    font = FontProperties(size=points, weight=weight)
    width, height, descent = text_to_path.get_text_width_height_descent(text, font, False)
    return float(width), float(max(height + descent, points))


def text_width(text: str, points: float, weight: str = "normal") -> float:
    """Most that the width of a line of text [points] can be, its letters being hinted to whole pixels."""
    return _HINTED * text_size(text, points, weight)[0]


def shortened(text: str, longest: float, points: float, weight: str = "normal") -> str:
    """Return text from a file as one line not wider than `longest` [points].

    What is too much is left out in the middle: begin and end of a name tell it from others.
    """
    whole = plain(text, _LONGEST)
    shown, kept = whole, len(whole)
    while kept > 1 and text_width(shown, points, weight) > longest:
        kept -= 1
        shown = f"{whole[: (kept + 1) // 2].rstrip()}…{whole[len(whole) - kept // 2 :].lstrip()}"
    return shown


def room(size: Size | None, default: Size, least: Size) -> Size:
    """Width and height of a figure [inch], `default` if `size` is None; raises `InputError` below what panels need."""
    width, height = size or default
    wide, high = (math.ceil(10 * inches) / 10 for inches in least)
    if width < wide or height < high:
        found = f"a figure of {width:.3g} x {height:.3g} inches has no room for its panels"
        raise InputError("", found, remedy=f"give at least {wide:.1f} x {high:.1f}")
    return width, height


def entitle(figure: Figure, title: str) -> None:
    """Write the title over all panels of a figure whose layout keeps room for it; nothing if it is empty."""
    if title:
        room = (figure.get_figwidth() - 0.2) * POINTS_PER_INCH
        shown = shortened(title, room, TITLE_POINTS, "bold")
        figure.suptitle(shown, size=TITLE_POINTS, weight="bold", x=0.012, ha="left")


def time_scale(unit: TimeUnit, end: float) -> tuple[str, float]:
    """Name of the unit of the time axis and how many seconds it has; `auto` goes by the end of the axis [s]."""
    chosen = ("min" if end >= MINUTES_FROM else "s") if unit == "auto" else unit
    return chosen, 60.0 if chosen == "min" else 1.0


def decade(values: Array) -> int:
    """Power of ten, a multiple of 3, by which an axis over `values` is scaled; 0 where plain numbers are readable."""
    largest = float(max(abs(values.min()), abs(values.max()))) if values.size else 0.0
    if largest == 0 or not math.isfinite(largest) or 1e-2 <= largest < 1e4:
        return 0
    return 3 * math.floor(math.log10(largest) / 3)


def quantity(name: str, unit: str, power: int = 0) -> str:
    """Return the label of an axis: `Signal (10³ mV)`; without unit and power only the name."""
    scale = f"10{str(power).translate(_SUPERSCRIPTS)}" if power else ""
    inside = " ".join(part for part in (scale, plain(unit, 20)) if part)
    return f"{name} ({inside})" if inside else name


class ScaledFormatter(Formatter):
    """Tick labels in units of 10^`power`, all with the decimals that tell neighbours apart."""

    def __init__(self, power: int) -> None:
        self.power = power

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return one label, where a single value is asked for."""
        return f"{x / 10.0**self.power:g}".replace("-", "−")

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the labels of all ticks of an axis."""
        scaled = [value / 10.0**self.power for value in values]
        step = min((abs(b - a) for a, b in pairwise(scaled)), default=1.0)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
        shown = [round(value, decimals) + 0.0 for value in scaled]  # + 0.0: no minus before a zero
        # a step of 2.5 needs one decimal more than its power of ten says
        decimals += any(abs(a - b) > 1e-6 * step for a, b in zip(shown, scaled, strict=True))
        return [f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−") for value in scaled]


def dress(axes: Axes, theme: Theme) -> None:
    """Give an axes the theme's ticks for good: they are made anew when the figure is drawn."""
    axes.tick_params(colors=theme.ink, labelsize=7.5, length=3)
    axes.margins(x=0)
