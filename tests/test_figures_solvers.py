"""The figure of compared solvers holds what it was given."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes

from gcfit.column.comparison import Comparison
from gcfit.column.solvers import Physics
from gcfit.errors import InputError
from gcfit.figures import render
from gcfit.figures.solvers import LEAST, solvers_figure
from tests.handmade import gaussian

TIME = np.linspace(100.0, 200.0, 501)


def row(solver: str, component: str, mean: float, deviation: float, reference: str = "closed form") -> Comparison:
    curve = 1e-7 * gaussian(TIME, mean, 5.0, 1.0)
    deviations = np.full_like(TIME, deviation)
    return Comparison(Physics("variable"), solver, component, reference, 0.1, TIME, curve, deviations)


ROWS = [
    row("closed form", "benzene", 130.0, 0.0, ""),
    row("numerical", "benzene", 130.0, -2e-4),
    row("closed form", "toluene", 170.0, 0.0, ""),
    row("numerical", "toluene", 170.0, 0.0),
]


def drawn(axes: Axes, gid: str) -> list[np.ndarray]:
    return [np.asarray(line.get_ydata()) for line in axes.lines if line.get_gid() == gid]


def test_every_curve_is_drawn_in_the_colour_of_its_component_and_the_dashes_of_its_solver() -> None:
    upper, lower = solvers_figure(ROWS).axes
    curves = [line for line in upper.lines if line.get_gid() == "curve"]
    assert len(curves) == 4
    for line, given in zip(curves, ROWS, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), given.curve)
    assert curves[0].get_color() == curves[1].get_color() != curves[2].get_color()
    assert curves[0].get_linestyle() == curves[2].get_linestyle() == "-"
    assert curves[1].get_linestyle() == curves[3].get_linestyle() == "--"
    legend = upper.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["closed form", "numerical"]
    assert [text.get_text() for text in upper.texts] == ["benzene", "toluene"]
    assert lower.get_xlabel() == "Time (s)"


def test_differences_are_absolute_and_the_reference_has_none() -> None:
    lower = solvers_figure(ROWS).axes[1]
    first, second = drawn(lower, "difference")
    np.testing.assert_allclose(first, 2e-4)
    np.testing.assert_array_equal(second, LEAST)
    assert lower.get_yscale() == "log"
    assert lower.get_ylabel() == "|difference|/apex\nfrom closed form"
    figure = lower.get_figure()
    assert figure is not None
    figure.draw_without_rendering()  # type: ignore[union-attr]
    labels = [text.get_text() for text in lower.get_yticklabels()]
    assert "10⁻⁸" in labels
    assert "1" in labels


def test_long_runs_are_in_minutes_and_rows_without_a_solution_are_left_out() -> None:
    empty = Comparison(Physics("variable"), "shy", "benzene", "", 0.1, TIME, np.empty(0), np.empty(0), message="no")
    upper, lower = solvers_figure([*ROWS, empty], time_unit="min", title="a $title").axes
    assert lower.get_xlabel() == "Time (min)"
    np.testing.assert_allclose(upper.lines[0].get_xdata(), TIME / 60)
    with pytest.raises(InputError, match="there is no solution to draw"):
        solvers_figure([empty])


def test_one_solver_alone_has_nothing_to_differ_from() -> None:
    lower = solvers_figure([ROWS[0]]).axes[1]
    assert lower.get_ylabel() == "no other solver"
    assert render(solvers_figure([ROWS[0]]), "svg").startswith(b"<?xml")


def test_the_unit_is_on_the_axis_where_there_is_one() -> None:
    assert solvers_figure(ROWS).axes[0].get_ylabel() == "Outlet concentration (10⁻⁹ mol/m³)"
    assert solvers_figure(ROWS, concentration_unit="").axes[0].get_ylabel() == "Outlet concentration (10⁻⁹)"


def test_a_name_stands_clear_of_the_curve_of_another_component() -> None:
    """Its own apex is at 0.7 of that of its neighbour, whose flank it would cross."""
    low = row("closed form", "a long name", 130.0, 0.0, "")
    figure = solvers_figure([replace(low, curve=0.7 * low.curve), row("closed form", "b", 136.0, 0.0, "")])
    axes = figure.axes[0]
    (box,) = [text.get_window_extent() for text in axes.texts if text.get_text() == "a long name"]
    for curve in [line for line in axes.lines if line.get_gid() == "curve"]:
        points = axes.transData.transform(curve.get_xydata())
        assert not box.count_contains(points)
