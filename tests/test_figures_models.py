"""The figure of compared models holds what it was given."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.text import Text

from gcfit.cli import comparing
from gcfit.errors import InputError
from gcfit.figures import render
from gcfit.figures.models import LEAST, models_figure
from gcfit.fitting.comparison import NUMERICAL, Trial, Way
from tests.handmade import made_fit

FIT = made_fit([(20.0, 2.0, 50.0), (40.0, 2.0, 80.0)], end=60.0)
SHIFTED = replace(FIT, baseline=FIT.baseline - 1.0)
TRIALS = (
    Trial(Way("emg"), SHIFTED, 0.5, 13, 0.98, 345.5),
    Trial(Way("laplace", "simultaneous"), FIT, 0.25, 8, 0.99, 100.0),
    replace(Trial(NUMERICAL, FIT, 0.25, 8, 0.99, 101.0)),
    Trial(Way("gaussian"), made_fit([], end=60.0), 0.1, 0),
)


def test_data_with_the_best_fit_above_a_strip_for_each_way() -> None:
    upper, *strips = models_figure(TRIALS, title="run.csv").axes
    (data,) = [line for line in upper.lines if line.get_gid() == "data"]
    np.testing.assert_array_equal(data.get_ydata(), FIT.chromatogram.signal)
    (best,) = [line for line in upper.lines if line.get_gid() == "fit"]
    np.testing.assert_array_equal(best.get_ydata(), FIT.total)
    assert "the least BIC: laplace, all at once; below" in upper.get_title("left")
    assert [axes.get_title("left") for axes in strips] == ["emg", "laplace, all at once", "laplace, full equations"]
    assert [axes.get_title("right") for axes in strips] == [
        f"up to {np.nanmax(np.abs(SHIFTED.residual)):.0f} σ, R² 0.980000, ΔBIC 245.5",
        "R² 0.990000, least BIC",
        "R² 0.990000, ΔBIC 1",
    ]
    for axes, fit in zip(strips, (SHIFTED, FIT, FIT), strict=True):
        (line,) = [one for one in axes.lines if one.get_gid() == "residual"]
        np.testing.assert_array_equal(line.get_ydata(), fit.residual)
    assert len({axes.get_ylim() for axes in strips}) == 1
    low, high = strips[0].get_ylim()
    # half of the ways fit into it: the two that leave noise, not the one that is 20 standard deviations off
    assert -low == high == pytest.approx(1.1 * 1.05 * max(LEAST, np.nanmax(np.abs(FIT.residual))))
    assert high < np.nanmax(np.abs(SHIFTED.residual))
    assert strips[-1].get_xlabel() == "Time (s)"
    # what does not fit is cut at a dotted line within the panel; all of it lies above
    assert [[line.get_ydata()[0] for line in axes.lines if line.get_gid() == "cut"] for axes in strips] == [
        [pytest.approx(high / 1.1)],
        [],
        [],
    ]


def test_the_figures_are_titled_with_the_name_of_the_file_and_clear_of_the_edge() -> None:
    fit = made_fit([(20.0, 2.0, 50.0)], end=60.0, source="/a/folder/run 7.csv")
    trials = [Trial(Way("emg"), fit, 0.5, 13, 0.98, 345.5)]
    figures = dict(comparing._model_figures(trials, ""))
    assert list(figures) == ["models", "emg_pairs"]
    for figure, title in zip(figures.values(), ("run 7.csv", "run 7.csv: emg, pairs"), strict=True):
        figure.draw_without_rendering()
        (text,) = [text for text in figure.findobj(Text) if text.get_text() == title]
        assert text.get_window_extent().y1 < figure.bbox.y1 - 0.03 * figure.dpi


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_written(theme: str) -> None:
    assert render(models_figure(TRIALS, theme=theme), "png").startswith(b"\x89PNG")  # type: ignore[arg-type]


def test_nothing_to_draw() -> None:
    with pytest.raises(InputError, match=r"^there is no fit to draw$"):
        models_figure(TRIALS[3:])
