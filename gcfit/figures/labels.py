"""Peak labels that never collide: lying over their peaks where there is room, upright and spread where there is not.

All places are in points (1/72 inch) from the lower left corner of the axes, values in data units. Labels of
negative peaks hang below them; they are placed by the same functions, upside down.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gcfit.chromatogram import Array
from gcfit.figures.style import POINTS_PER_INCH, Theme, plain, text_size

LABEL_POINTS = 7.0
_AIR = 2.5  # between neighbouring labels
_NEAR, _RAISED = 3.0, 12.0  # from the curve to a label at its place, to a label that had to move
_SHIFT = 3.0  # a label that moved less needs no leader
_FLAT_SHIFT = 26.0  # lying labels may move so far sideways before all are set upright
_FEW = 8  # more than so many lying labels stay in place or are set upright
_LONGEST = 0.5  # share of the axes' height that an upright label may take


@dataclass(frozen=True)
class Label:
    """A text for a point (data units); `weight` decides who stays when there is no room for all."""

    x: float
    y: float
    text: str
    weight: float
    below: bool = False
    colour: str = ""


@dataclass(frozen=True)
class Outline:
    """What labels must not cover: upper and lower edge of everything drawn, shapes (n,), data units."""

    x: Array
    upper: Array
    lower: Array


@dataclass(frozen=True)
class Placed:
    """A label with its place: centre `x` [points], the value that it must clear, the distance [points] from it."""

    label: Label
    text: str
    x: float
    anchor: float
    value: float
    gap: float
    extent: float
    upright: bool


def spread(centres: Array, widths: Array, low: float, high: float) -> Array:
    """Return centres nearest to the given ones (least squares) at which boxes of `widths` neither overlap nor leave.

    Parameters
    ----------
    centres, widths : ndarray, shape (n,)
        Wished centres in increasing order, and the widths of the boxes; their sum must fit into `high - low`.
    low, high : float
        The room.

    The order is kept: with the widths taken off, this is isotonic regression, solved by pooling adjacent
    violators, and clipping its solution to the room keeps it optimal.
    """
    offsets = np.concatenate(([0.0], np.cumsum((widths[1:] + widths[:-1]) / 2)))
    free = _isotonic(centres - offsets)
    last = high - widths[-1] / 2 - offsets[-1]
    return np.clip(free, low + widths[0] / 2, last) + offsets


def _isotonic(values: Array) -> Array:
    """Nondecreasing sequence nearest to `values` (pool adjacent violators)."""
    means: list[float] = []
    sizes: list[int] = []
    for value in values:
        means.append(float(value))
        sizes.append(1)
        while len(means) > 1 and means[-2] > means[-1]:
            size = sizes[-2] + sizes[-1]
            mean = (means[-2] * sizes[-2] + means[-1] * sizes[-1]) / size
            means[-2:], sizes[-2:] = [mean], [size]
    return np.repeat(means, sizes)


def capacity(axes: Axes) -> int:
    """Number of upright labels that find room side by side in an axes."""
    return int(_size(axes)[0] // (LABEL_POINTS + 2 * _AIR))


def place(axes: Axes, labels: Sequence[Label], outline: Outline) -> list[Placed]:
    """Place labels over (or below) their points; the lightest are left out where not all find room."""
    placed = []
    for below in (False, True):
        side = sorted((label for label in labels if label.below is below), key=lambda label: label.x)
        if side:
            placed += _place_side(axes, side, outline)
    return placed


def _place_side(axes: Axes, labels: list[Label], outline: Outline) -> list[Placed]:
    width, height = _size(axes)
    texts = [plain(label.text, 40) for label in labels]
    sizes = np.array([text_size(text, LABEL_POINTS) for text in texts])
    centres = _to_points(axes, np.array([label.x for label in labels]))
    widths = sizes[:, 0] + 2 * _AIR
    if widths.sum() <= width:
        places = spread(centres, widths, 0.0, width)
        if np.abs(places - centres).max() <= (_FLAT_SHIFT if len(labels) <= _FEW else _SHIFT):
            return _raised(axes, labels, texts, places, widths, sizes[:, 1], outline, upright=False)
    kept = _heaviest(labels, int(width // (LABEL_POINTS + 2 * _AIR)))
    labels, centres = [labels[i] for i in kept], centres[kept]
    texts = [_shortened(texts[i], _LONGEST * height) for i in kept]
    extents = np.array([text_size(text, LABEL_POINTS)[0] for text in texts])
    widths = np.full(len(kept), LABEL_POINTS + 2 * _AIR)
    places = spread(centres, widths, 0.0, width)
    return _raised(axes, labels, texts, places, widths, extents, outline, upright=True)


def _heaviest(labels: list[Label], room: int) -> list[int]:
    """Indices, in order, of the `room` heaviest labels."""
    by_weight = sorted(range(len(labels)), key=lambda i: -labels[i].weight)
    return sorted(by_weight[: max(room, 1)])


def _shortened(text: str, longest: float) -> str:
    while len(text) > 4 and text_size(text, LABEL_POINTS)[0] > longest:
        text = text[:-2].rstrip() + "…"
    return text


def _raised(
    axes: Axes,
    labels: list[Label],
    texts: list[str],
    places: Array,
    widths: Array,
    extents: Array,
    outline: Outline,
    *,
    upright: bool,
) -> list[Placed]:
    """Lift labels over the outline below them; where leaders pass under other labels, all to one level."""
    anchors = _to_points(axes, np.array([label.x for label in labels]))
    edges = _to_points(axes, outline.x)
    left, right = places - widths / 2, places + widths / 2
    placed = []
    for block in _blocks(anchors, places, widths):
        moved = bool(np.abs(places[block] - anchors[block]).max() > _SHIFT)
        start, end = min(left[block].min(), anchors[block].min()), max(right[block].max(), anchors[block].max())
        value = _edge([labels[i] for i in block], outline, (edges >= start) & (edges <= end))
        gap = _RAISED if moved else _NEAR
        placed += [
            Placed(labels[i], texts[i], places[i], anchors[i], value, gap, extents[i], upright) for i in block.tolist()
        ]
    return placed


def _blocks(anchors: Array, places: Array, widths: Array) -> list[np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """Indices of labels that must stand on one level: the leader of one passes under its neighbour."""
    leader_right, leader_left = np.maximum(anchors, places), np.minimum(anchors, places)
    under_next = leader_right[:-1] > places[1:] - widths[1:] / 2
    under_last = leader_left[1:] < places[:-1] + widths[:-1] / 2
    return np.split(np.arange(places.size), np.flatnonzero(~(under_next | under_last)) + 1)


def _edge(labels: list[Label], outline: Outline, inside: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    """Value that the labels of a block must clear: the outermost of their points and of the outline."""
    points = [label.y for label in labels]
    if labels[0].below:
        return float(min([*points, *outline.lower[inside]]))
    return float(max([*points, *outline.upper[inside]]))


def limits(axes: Axes, placed: Sequence[Placed], low: float, high: float) -> tuple[float, float]:
    """Return limits of the value axis that hold the data from `low` to `high` and every label.

    A label takes a fixed share of the height whatever the limits are; their fixed point is found by iteration,
    which converges because labels above and below take less than the whole height together.
    """
    height = _size(axes)[1]
    above = [(high, 0.04)] + [(p.value, (p.gap + p.extent + 2) / height) for p in placed if not p.label.below]
    below = [(low, 0.04)] + [(p.value, (p.gap + p.extent + 2) / height) for p in placed if p.label.below]
    bottom, top = low, high
    for _ in range(60):
        span = top - bottom
        top = max(value + share * span for value, share in above)
        bottom = min(value - share * span for value, share in below)
    return bottom, top


def name(axes: Axes, wanted: Sequence[Label], outline: Outline, low: float, high: float, theme: Theme) -> None:
    """Label the last panel of a figure, whose data reach from `low` to `high`; its layout is settled and stays."""
    figure = axes.get_figure()
    if isinstance(figure, Figure):
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    placed = place(axes, wanted, outline)
    axes.set_ylim(*limits(axes, placed, low, high))
    draw(axes, placed, theme)


def draw(axes: Axes, placed: Sequence[Placed], theme: Theme) -> None:
    """Draw placed labels, with a leader to the point of each that had to move; the limits must be final."""
    bottom, top = axes.get_ylim()
    left, right = axes.get_xlim()
    width, height = _size(axes)
    for p in placed:
        sign = -1.0 if p.label.below else 1.0
        per_point = (top - bottom) / height
        level = p.value + sign * p.gap * per_point
        x = left + p.x / width * (right - left)
        axes.text(
            x,
            level,
            p.text,
            size=LABEL_POINTS,
            color=p.label.colour or theme.ink,
            ha="center",
            va=("top" if p.label.below else "bottom"),
            rotation=90 if p.upright else 0,
            clip_on=False,
            gid="peak-label",
        )
        start = p.label.y + sign * 1.5 * per_point
        if abs(p.x - p.anchor) > _SHIFT or abs(level - p.label.y) / per_point > 2 * _NEAR:
            knee = level - sign * (_RAISED - _NEAR) * per_point if p.gap == _RAISED else level
            xs, ys = [p.label.x, p.label.x, x], [start, knee, level - sign * per_point]
            axes.plot(xs, ys, color=theme.muted, linewidth=0.4, gid="leader", scalex=False, scaley=False)


def _size(axes: Axes) -> tuple[float, float]:
    """Width and height of an axes [points]."""
    points = POINTS_PER_INCH / axes.figure.dpi
    return float(axes.bbox.width * points), float(axes.bbox.height * points)


def _to_points(axes: Axes, x: Array) -> Array:
    left, right = axes.get_xlim()
    return np.asarray((x - left) / (right - left) * _size(axes)[0], dtype=np.float64)
