"""Trends of a peak table, and many chromatograms in small panels."""

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gcfit.errors import InputError
from gcfit.figures import multiples, render, trends
from gcfit.figures.models import models_figure
from gcfit.figures.solvers import solvers_figure
from gcfit.results import Row, peak_rows
from tests.handmade import made_fit
from tests.test_figures_models import TRIALS
from tests.test_figures_solvers import ROWS as SOLVED

COUNT, DRIFTED = 30, 20
RANDOM = np.random.default_rng(3)
AREAS = (1000 * RANDOM.uniform(0.97, 1.03, COUNT)).tolist()
TIMES = [119.0 + 0.02 * (i % 7) + (2.0 if i == DRIFTED else 0.0) for i in range(COUNT)]


def table() -> list[Row]:
    rows: list[Row] = []
    for i in range(COUNT):
        peaks = [(TIMES[i], 5.7, AREAS[i]), (231.0, 5.9, 9.27e6)]
        statuses = {2: "failed"} if i == 4 else None
        fit = made_fit(peaks, end=300, rate=2, names=["benzene", ""], source=f"run{i}.csv", statuses=statuses)
        rows += peak_rows(fit)
    return rows


ROWS = table()


def line(axes: Axes, gid: str) -> tuple[list[float], list[float]]:
    found: Any = next(one for one in axes.lines if one.get_gid() == gid)
    return list(found.get_xdata()), list(found.get_ydata())


def titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


def test_there_is_a_row_a_component_and_a_column_a_quantity() -> None:
    figure = trends(ROWS)
    # k_a and plates are empty in the table
    assert titles(figure)[:3] == ["Retention (s)", "Area (mV s)", "k_d (1/s)"]
    assert len(figure.axes) == 6
    assert [axes.get_ylabel() for axes in figure.axes[::3]] == ["benzene", "peak 2"]
    assert titles(figure)[4] == "(10⁶)"


def test_areas_have_a_unit_only_where_all_signals_have_one() -> None:
    other = [row | {"signal_unit": "pA"} for row in ROWS[:2]]
    assert "Area" in titles(trends([*ROWS, *other]))
    assert "Area" in titles(trends([row | {"signal_unit": None} for row in ROWS]))


def test_a_panel_shows_values_mean_and_limits() -> None:
    axes = trends(ROWS).axes[0]
    mean, spread = statistics.mean(TIMES), statistics.stdev(TIMES)
    assert line(axes, "mean")[1] == pytest.approx([mean, mean])
    band = next(patch for patch in axes.patches if patch.get_gid() == "limits")
    low, high = band.get_window_extent().y0, band.get_window_extent().y1
    edges = axes.transData.transform([(0, mean - 3 * spread), (0, mean + 3 * spread)])
    assert [low, high] == pytest.approx(edges[:, 1].tolist())
    assert line(axes, "outside") == ([DRIFTED + 1], [TIMES[DRIFTED]])
    files, values = line(axes, "inside")
    assert files == [i + 1 for i in range(COUNT) if i != DRIFTED]
    assert values == [TIMES[i] for i in range(COUNT) if i != DRIFTED]


def test_a_file_without_the_value_keeps_its_number() -> None:
    axes = trends(ROWS).axes[3]
    assert line(axes, "inside")[0] == [i + 1 for i in range(COUNT) if i != 4]


def test_constant_values_are_inside_their_limits() -> None:
    axes = trends(ROWS).axes[5]
    assert line(axes, "outside") == ([], [])


def test_components_and_columns_are_chosen() -> None:
    figure = trends(ROWS, columns=["height"], components=["peak 2"])
    assert len(figure.axes) == 1
    assert titles(figure) == ["height (10³)"]  # 9.27e6/(5.9 sqrt(2 pi)) = 6.27e5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"components": ["toluene"]}, "component 'toluene' is not in the table; there are benzene, peak 2"),
        ({"columns": ["colour"]}, "the table has no column 'colour'"),
        ({"columns": ["plates"]}, "the table holds no values to follow; it needs one of plates"),
    ],
)
def test_what_is_not_in_the_table_is_an_error(arguments: dict[str, list[str]], message: str) -> None:
    with pytest.raises(InputError) as error:
        trends(ROWS, **arguments)  # type: ignore[arg-type]
    assert str(error.value) == message


def test_an_empty_table_is_an_error() -> None:
    with pytest.raises(InputError, match="holds no values to follow"):
        trends([])


def test_one_file_has_points_without_limits() -> None:
    axes = trends(ROWS[:1]).axes[0]
    assert line(axes, "inside")[0] == [1]
    assert not [patch for patch in axes.patches if patch.get_gid() == "limits"]


def test_small_multiples_hold_every_run_in_order() -> None:
    runs = [made_fit([(30, 2, 10.0 + i)], end=60, source=f"/d/$x_{i}$.csv").chromatogram for i in range(7)]
    figure = multiples(runs)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in shown] == [f"$x_{i}$.csv" for i in range(7)]
    for axes, run in zip(shown, runs, strict=True):
        assert max(line(axes, "data")[1]) == run.signal.max()
    assert [axes.get_xlabel() for axes in shown[-4:]] == ["Time (s)"] * 4


def test_one_scale_for_all_on_request() -> None:
    runs = [made_fit([(30, 2, area)], end=60).chromatogram for area in (10.0, 100.0)]
    own, same = multiples(runs), multiples(runs, same_scale=True)
    assert own.axes[0].get_ylim() != own.axes[1].get_ylim()
    assert same.axes[0].get_ylim() == same.axes[1].get_ylim()


@pytest.mark.parametrize("count", [0, 201])
def test_too_few_or_too_many_runs_are_refused(count: int) -> None:
    run = made_fit([], end=10).chromatogram
    with pytest.raises(InputError, match=f"{count} chromatograms; one figure shows 1 to 200"):
        multiples([run] * count)


def test_figures_of_batches_have_the_same_bytes_every_time() -> None:
    runs = [made_fit([(30, 2, 10)], end=60).chromatogram] * 3
    assert render(trends(ROWS[:8]), "svg") == render(trends(ROWS[:8]), "svg")
    assert render(multiples(runs), "svg") == render(multiples(runs), "svg")


RUNS = [made_fit([(20.0, 2.0, 10.0)], end=60).chromatogram] * 9
DRAWN: dict[str, Callable[[tuple[float, float]], Figure]] = {
    "trends": lambda size: trends(ROWS, size=size, title="run"),
    "multiples": lambda size: multiples(RUNS, size=size, title="run"),
    "models": lambda size: models_figure(TRIALS, size=size, title="run"),
    "solvers": lambda size: solvers_figure(SOLVED, size=size, title="run"),
}


@pytest.mark.parametrize("kind", DRAWN)
def test_a_figure_without_room_is_refused_and_the_least_is_drawn(kind: str) -> None:
    """A layout that collapses would warn, and warnings are errors here."""
    draw = DRAWN[kind]
    with pytest.raises(InputError, match=r"^a figure of 0.5 x 9 inches has no room for its panels; give at") as refusal:
        draw((0.5, 9.0))
    width, height = map(float, str(refusal.value).split()[-3::2])
    draw((width, height)).draw_without_rendering()
    with pytest.raises(InputError, match=r"has no room for its panels"):
        draw((9.0, height - 0.2))
