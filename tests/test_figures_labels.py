"""Labels of peaks: where they are put, that they never collide, and that every one is there."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from scipy.optimize import minimize

from gcfit.figures import multiples, overlay
from gcfit.figures.labels import Label, Outline, place, spread
from gcfit.figures.style import THEMES, drawing
from gcfit.fitting.records import Fit
from tests.handmade import made_fit


def labels(figure: Figure) -> list[Text]:
    return [text for axes in figure.axes for text in axes.texts if text.get_gid() == "peak-label"]


def boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    with drawing(THEMES["light"]):
        renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
        return [(text.get_text(), text.get_window_extent(renderer)) for text in labels(figure)]


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of labels whose drawn boxes share more than a hundredth of an inch in both directions."""
    least = figure.dpi / 100
    found = []
    for (first, a), (second, b) in combinations(boxes(figure), 2):
        shared = Bbox.intersection(a, b)
        if shared is not None and min(shared.width, shared.height) > least:
            found.append((first, second))
    return found


def crowd(count: int, seed: int, *, decades: float = 2.0, names: bool = True) -> Fit:
    random = np.random.default_rng(seed)
    apexes = np.sort(random.uniform(60, 3500, count))
    peaks = [(a, random.uniform(2, 5), 10 ** random.uniform(3 - decades, 3)) for a in apexes]
    words = [f"component {number}" for number in range(count)] if names else None
    return made_fit(peaks, end=3600, rate=4, noise=0.02, names=words)


# Hand-worked: boxes 10 wide that touch at 95 to 105 are pushed 2.5 to each side; three on one spot stand in a row;
# at the edge of the room the row is pushed inside.
@pytest.mark.parametrize(
    ("wished", "expected"),
    [
        ([20, 50, 80], [20, 50, 80]),
        ([50, 55], [47.5, 57.5]),
        ([50, 50, 50], [40, 50, 60]),
        ([1, 2], [5, 15]),
        ([96, 99], [85, 95]),
        ([20, 24, 80], [17, 27, 80]),
    ],
)
def test_boxes_are_spread_by_as_little_as_needed(wished: list[float], expected: list[float]) -> None:
    places = spread(np.array(wished, dtype=float), np.full(len(wished), 10.0), 0.0, 100.0)
    assert places == pytest.approx(expected, abs=1e-12)


@given(
    wished=st.lists(st.floats(-20, 220), min_size=1, max_size=7).map(sorted),
    widths=st.lists(st.floats(1, 25), min_size=7, max_size=7),
)
@settings(max_examples=40, deadline=None)
def test_spreading_is_the_least_squares_optimum(wished: list[float], widths: list[float]) -> None:
    """Against a general solver (SLSQP) for the same quadratic problem with its inequalities."""
    centres, width = np.array(wished), np.array(widths[: len(wished)])
    places = spread(centres, width, 0.0, 200.0)
    between = (width[1:] + width[:-1]) / 2
    assert (np.diff(places) >= between - 1e-9).all()
    assert places[0] >= width[0] / 2 - 1e-9
    assert places[-1] <= 200 - width[-1] / 2 + 1e-9
    rules = [{"type": "ineq", "fun": lambda x: np.diff(x) - between}] if between.size else []
    rules += [{"type": "ineq", "fun": lambda x: np.array([x[0] - width[0] / 2, 200 - width[-1] / 2 - x[-1]])}]
    start = np.cumsum(width) - width / 2
    best = minimize(lambda x: np.sum((x - centres) ** 2), start, method="SLSQP", constraints=rules)
    assert np.sum((places - centres) ** 2) <= best.fun + 1e-3


@pytest.mark.parametrize("count", [1, 5, 12, 28, 29, 45, 100])
@pytest.mark.parametrize("names", [True, False])
def test_no_two_labels_collide_and_every_peak_has_one(count: int, names: bool) -> None:
    figure = overlay(crowd(count, seed=count, names=names))
    assert overlaps(figure) == []
    numbers = {int(text.get_text().split()[0]) for text in labels(figure)}
    assert numbers == set(range(1, count + 1))


@pytest.mark.parametrize("seed", range(4))
def test_neighbours_on_one_spot_are_told_apart(seed: int) -> None:
    random = np.random.default_rng(seed)
    apexes = np.sort(300 + random.uniform(0, 40, 14))
    fit = made_fit([(a, 2.0, random.uniform(20, 200)) for a in apexes], names=[f"isomer {i}" for i in range(14)])
    figure = overlay(fit)
    assert overlaps(figure) == []
    assert len(labels(figure)) == 14


@pytest.mark.parametrize("count", [5, 100])
def test_labels_stay_inside_their_axes(count: int) -> None:
    figure = overlay(crowd(count, seed=3))
    with drawing(THEMES["light"]):
        renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
        for axes in figure.axes:
            for text in (text for text in axes.texts if text.get_gid() == "peak-label"):
                box = text.get_window_extent(renderer)
                slack = figure.dpi / 72 * 3  # letters are hinted to whole pixels
                assert box.x0 >= axes.bbox.x0 - slack, text
                assert box.x1 <= axes.bbox.x1 + slack, text
                assert box.y0 >= axes.bbox.y0, text
                assert box.y1 <= axes.bbox.y1 + slack, text


@pytest.mark.parametrize(("tower", "expected"), [(49.0, 10.0), (51.5, 40.0)])
def test_a_label_is_lifted_over_what_is_under_it(tower: float, expected: float) -> None:
    """A label of one letter at 52 of 100, the axes being 360 points wide: it reaches 5 points, 1.4 units, each way."""
    figure = Figure(figsize=(5, 5), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, 100)
    x = np.linspace(0, 100, 1001)
    upper = np.where(np.abs(x - tower) < 0.3, 40.0, 1.0)
    (placed,) = place(axes, [Label(52.0, 10.0, "1", 1.0)], Outline(x, upper, np.zeros_like(x)))
    assert placed.value == expected


def test_labels_of_negative_peaks_hang_below_them() -> None:
    figure = overlay(made_fit([(150, 5, 300), (300, 6, -200)], names=["up", "down"]))
    places = {text.get_text(): text.get_position()[1] for text in labels(figure)}
    # areas 300 and -200 with sigma 5 and 6: apexes 10 + 23.94 and 10 - 13.30
    assert places["1 up"] > 33.94
    assert places["2 down"] < -3.30


def test_a_label_stands_clear_of_the_curve_that_it_lies_over() -> None:
    """The label of a small peak beside a tall one is above all data under it."""
    fit = made_fit([(300, 3, 300), (312, 3, 60)], names=["tall", "small neighbour"])
    figure = overlay(fit, zoom=())
    axes = figure.axes[0]
    line = next(line for line in axes.lines if line.get_gid() == "data")
    pixels = axes.transData.transform(np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float))
    for text, box in boxes(figure):
        under = (pixels[:, 0] > box.x0) & (pixels[:, 0] < box.x1)
        assert pixels[under, 1].max() < box.y0 + 1, text


def test_an_asterisk_marks_what_the_table_comments_on() -> None:
    figure = overlay(made_fit([(150, 5, 300), (300, 6, 200)], statuses={2: "bound"}))
    assert {text.get_text() for text in labels(figure)} == {"1", "2*"}


def test_what_finds_no_room_is_counted() -> None:
    """Without enlarged parts a hundred upright labels do not fit side by side."""
    figure = overlay(crowd(100, seed=1), zoom=())
    shown = len(labels(figure))
    assert 30 < shown < 100
    assert any(f"{100 - shown} labels left out" in text.get_text() for text in figure.texts)
    assert overlaps(figure) == []


@pytest.mark.parametrize("width", [2.5, 4.2, 7.2])
@pytest.mark.parametrize("name", ["run.csv", f"a_long_name_of_a_run_{'0123456789' * 8}_repeat_2.csv", "W" * 200])
def test_title_facts_and_legend_stay_apart_and_on_the_paper(width: float, name: str) -> None:
    fit = made_fit([(150, 5, 300), (300, 6, 200)], source=name, statuses={2: "bound"})
    figure = overlay(fit, size=(width, 4.0))
    with drawing(THEMES["light"]):
        renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
        boxes = [artist.get_window_extent(renderer) for artist in (*figure.texts, *figure.legends)]
    title, facts, *legend = boxes
    assert figure.texts[0].get_text()[:2] == name[:2]
    assert figure.texts[0].get_text()[-2:] == name[-2:]
    assert figure.texts[1].get_text().endswith("* see the table" if width > 3 else "table")
    assert max(box.x1 for box in boxes) <= figure.bbox.x1
    assert title.y0 >= facts.y1 - 1
    for box in (title, facts):
        assert all(Bbox.intersection(box, other) is None for other in legend)


def test_a_long_title_over_panels_of_one_layout_ends_on_the_paper() -> None:
    figure = multiples([made_fit([(150, 5, 300)]).chromatogram], title="W" * 400)
    figure.draw_without_rendering()
    (title,) = [text for text in figure.findobj(Text) if "WW" in text.get_text()]
    assert title.get_window_extent().x1 <= figure.bbox.x1
