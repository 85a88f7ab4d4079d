"""The figure of a column: its panels hold what they were given."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from gcfit.column.numerical import Profile
from gcfit.errors import InputError
from gcfit.figures import GasProfile, Outlet, render, system_figure
from tests.handmade import gaussian
from tests.test_figures_labels import labels, overlaps

NAMES = ["benzene", "toluene", "ethylbenzene", "p,m-xylene", "o-xylene"]
# means and widths of the paper's run, variable and constant velocity (facts to test against)
MEANS = {
    "variable": [119.163615, 231.167368, 448.786251, 481.486180, 576.552730],
    "constant": [169.226, 329.087, 639.691, 686.364, 822.051],
}
WIDTHS = [5.714447, 5.936227, 7.074427, 9.048825, 8.772567]
TIME = np.arange(0, 900, 0.2)
X = np.linspace(0, 20, 201)


def outlet(model: str) -> Outlet:
    parts = {n: gaussian(TIME, m, s, 1000.0) for n, m, s in zip(NAMES, MEANS[model], WIDTHS, strict=True)}
    return Outlet(model, TIME, 3935.4 + np.sum(list(parts.values()), axis=0), parts, 3935.4, "mV")


PRESSURE = 4.01e5 * np.sqrt(1 - (1 - 0.2526**2) * X / 20)
GAS = GasProfile(X, PRESSURE, {"variable": 0.41 * 4.01e5 / PRESSURE, "constant": np.full_like(X, 0.41)})
PROFILES = [
    Profile(time, name, X, 1e-6 * gaussian(X, centre, 0.5, 1.0 + number), np.zeros_like(X))
    for time, centre in ((60.0, 9.0), (20.0, 3.0))
    for number, name in enumerate(NAMES)
]


def drawn(axes: Axes, gid: str) -> list[tuple[np.ndarray, np.ndarray]]:
    lines = [line for line in axes.lines if line.get_gid() == gid]
    return [(np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in lines]


def test_the_gas_is_drawn_in_the_units_of_its_labels() -> None:
    pressure, velocity = system_figure(GAS, [outlet("variable")]).axes[:2]
    assert pressure.get_ylabel() == "Pressure (kPa)"
    np.testing.assert_allclose(drawn(pressure, "pressure")[0][1], PRESSURE / 1000, rtol=1e-15)
    assert len(drawn(velocity, "velocity")) == 2
    np.testing.assert_array_equal(drawn(velocity, "velocity")[0][1], GAS.velocities["variable"])


def test_there_is_one_panel_a_time_with_every_component_on_one_scale() -> None:
    figure = system_figure(GAS, [outlet("variable")], PROFILES)
    panels = figure.axes[2:4]
    assert [axes.get_title(loc="left") for axes in panels] == ["20 s", "60 s"]
    for column, axes in enumerate(panels):
        lines = drawn(axes, "profile")
        assert len(lines) == 5
        time = (20.0, 60.0)[column]
        (profile,) = [p for p in PROFILES if p.time == time and p.component == "ethylbenzene"]
        np.testing.assert_array_equal(lines[2][1], profile.concentration)
    assert panels[0].get_ylim() == panels[1].get_ylim()
    assert panels[0].get_ylabel() == "Concentration\n(10⁻⁶ mol/m³)"  # highest apex 1e-6 x 5 x 0.8


def test_both_velocity_models_are_in_the_chromatogram_and_told_apart_without_colour() -> None:
    axes = system_figure(GAS, [outlet("variable"), outlet("constant")]).axes[-1]
    lines = [line for line in axes.lines if line.get_gid() == "outlet"]
    assert [line.get_label() for line in lines] == ["variable velocity", "constant velocity"]
    assert lines[0].get_linestyle() != lines[1].get_linestyle()
    time, signal = drawn(axes, "outlet")[1]
    assert 60 * time[signal.argmax()] == pytest.approx(169.2, abs=0.21)
    assert axes.get_xlabel() == "Time (min)"


def test_the_components_are_named_once_without_collision() -> None:
    figure = system_figure(GAS, [outlet("variable"), outlet("constant")], PROFILES)
    assert sorted(text.get_text() for text in labels(figure)) == sorted(NAMES)
    assert overlaps(figure) == []


def test_hostile_names_are_plain_text() -> None:
    base = outlet("variable")
    parts = dict(zip(["$\\alpha_{", "<script>"], list(base.components.values())[:2], strict=True))
    svg = render(system_figure(GAS, [replace(base, components=parts)], title="<b>$x$"), "svg").decode()
    assert "$\\alpha_{" in svg
    assert "&lt;script&gt;" in svg
    assert "<script" not in svg


def test_it_has_the_same_bytes_every_time() -> None:
    runs = [outlet("variable"), outlet("constant")]
    assert render(system_figure(GAS, runs, PROFILES), "pdf") == render(system_figure(GAS, runs, PROFILES), "pdf")


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(InputError, match="there is no chromatogram to draw"):
        system_figure(GAS, [])


def test_in_a_low_figure_no_text_covers_another() -> None:
    """18 by 12 cm, as README draws a chromatogram."""
    figure = system_figure(GAS, [outlet("variable"), outlet("constant")], PROFILES, size=(18 / 2.54, 12 / 2.54))
    figure.draw_without_rendering()
    legends = [axes.get_legend() for axes in figure.axes]
    texts = [text for axes in figure.axes for text in (axes.xaxis.label, axes.yaxis.label)]
    boxes = [one.get_window_extent() for one in (*texts, *legends) if one is not None]
    boxes = [box for box in boxes if box.width > 0 and box.height > 0]
    assert all(Bbox.intersection(a, b) is None for a, b in combinations(boxes, 2))
    assert all(box.y0 >= 0 and box.y1 <= figure.bbox.y1 for box in boxes)
    for axes in figure.axes:
        assert axes.bbox.height > 0.6 * figure.dpi
        legend = axes.get_legend()
        assert legend is None or legend.get_window_extent().y0 >= axes.bbox.y1


@pytest.mark.parametrize("times", [3, 12])
def test_a_figure_without_room_is_refused_and_the_least_is_drawn(times: int) -> None:
    profiles = [replace(PROFILES[0], time=float(time)) for time in range(1, times + 1)]
    with pytest.raises(InputError, match=r"^a figure of 1 x 1 inches has no room for its panels; give") as refusal:
        system_figure(GAS, [outlet("variable")], profiles, size=(1, 1))
    width, height = str(refusal.value).split()[-3::2]
    system_figure(GAS, [outlet("variable")], profiles, size=(float(width), float(height))).draw_without_rendering()
