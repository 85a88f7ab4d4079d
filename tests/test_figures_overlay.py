"""The overlay of a fit: what its artists hold, for whatever a fit may be."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import gcfit
from gcfit.chromatogram import Array
from gcfit.errors import InputError
from gcfit.figures import overlay, render
from gcfit.figures.overlay import ROOM
from gcfit.figures.style import THEMES
from gcfit.fitting.records import Expected, Fit, FitSettings, PeakFit
from tests.handmade import made_fit

TWO = [(150.0, 5.0, 300.0), (300.0, 6.0, 200.0)]


def line(axes: Axes, gid: str) -> Line2D:
    return next(found for found in axes.lines if found.get_gid() == gid)


def xy(found: Line2D) -> tuple[Array, Array]:
    return np.asarray(found.get_xdata(), dtype=float), np.asarray(found.get_ydata(), dtype=float)


def gids(figure: Figure) -> set[str]:
    return {artist.get_gid() or "" for artist in figure.findobj()}


def words(figure: Figure) -> str:
    return " | ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


@pytest.fixture
def two() -> Fit:
    return made_fit(TWO, names=["air", "water"], end=400)


def test_the_curves_are_those_of_the_fit(two: Fit) -> None:
    axes = overlay(two).axes[0]
    time, signal = xy(line(axes, "data"))
    rows = np.searchsorted(two.chromatogram.time, time - 1e-9)
    assert signal == pytest.approx(two.chromatogram.signal[rows], abs=0)
    np.testing.assert_array_equal(xy(line(axes, "fit"))[1], two.total[rows])
    np.testing.assert_array_equal(xy(line(axes, "baseline"))[1], two.baseline[rows])


def test_every_peak_is_filled_from_the_baseline_to_its_apex(two: Fit) -> None:
    axes = overlay(two).axes[0]
    fills: dict[str, Any] = {fill.get_gid(): fill for fill in axes.collections}
    for peak in two.peaks:
        corners = fills[f"peak-{peak.peak}"].get_paths()[0].vertices
        assert corners[:, 1].max() == pytest.approx(10 + peak.curve.max(), abs=1e-9)
        assert corners[:, 1].min() == pytest.approx(10, abs=1e-9)
        assert corners[:, 0].min() == pytest.approx(peak.window_start_s)


def test_neighbouring_peaks_differ_in_colour_and_in_grey() -> None:
    """Relative luminance (WCAG 2.1) of neighbouring colours differs by a factor that survives a grey print."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for theme in THEMES.values():
        values = [luminance(colour) for colour in theme.peaks]
        for a, b in zip(values, [*values[1:], values[0]], strict=True):
            assert (max(a, b) + 0.05) / (min(a, b) + 0.05) > 1.25
        ink, paper = luminance(theme.ink), luminance(theme.background)
        assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) > 7
        muted = luminance(theme.muted)
        assert (max(muted, paper) + 0.05) / (min(muted, paper) + 0.05) > 4.5


def test_the_residuals_are_in_units_of_the_noise_with_a_band_of_two(two: Fit) -> None:
    axes = overlay(two).axes[1]
    drawn = xy(line(axes, "residual"))[1]
    inside = ~np.isnan(two.baseline)
    # the signal less the known curves, over the known noise of 0.05
    truth = (two.chromatogram.signal - two.total)[inside] / 0.05
    assert np.nanmax(drawn) == pytest.approx(truth.max())
    assert np.nanmin(drawn) == pytest.approx(truth.min())
    band = next(patch for patch in axes.patches if patch.get_gid() == "band")
    assert band.get_window_extent().y0 == pytest.approx(axes.transData.transform((0, -2))[1])
    assert band.get_window_extent().y1 == pytest.approx(axes.transData.transform((0, 2))[1])
    assert axes.get_ylabel() == "Residual (σ)"


def test_what_the_detector_cut_off_is_no_misfit() -> None:
    """A Gaussian of height 20 over noise of 0.05, cut at 15: the flat top lies 100 deviations below the fit."""
    run = made_fit([(150.0, 4.0, 100.0), (300.0, 4.0, 200.5)], end=400, base=(0, 0)).chromatogram
    fitted = gcfit.fit(replace(run, signal=np.minimum(run.signal, 15.0)), settings=FitSettings(model="gaussian"))
    assert fitted.r_squared is not None
    assert fitted.r_squared > 0.999
    time, residual = xy(line(overlay(fitted).axes[1], "residual"))
    assert np.nanmax(np.abs(residual)) < 6
    top = residual[np.abs(time - 300) < 2]
    assert top.size
    assert np.isnan(top).all()


def test_without_noise_the_residual_panel_says_so() -> None:
    figure = overlay(made_fit(TWO, noise=0.0))
    assert "the noise is zero" in words(figure)


def test_a_blank_has_data_only() -> None:
    figure = overlay(made_fit([], noise=0.1))
    assert len(figure.axes) == 1
    assert "no peaks" in words(figure)
    assert {"fit", "residual"} & gids(figure) == set()


def test_a_failed_peak_is_marked_not_drawn() -> None:
    figure = overlay(made_fit(TWO, names=["air", "water"], statuses={2: "failed"}))
    assert "failed-2" in gids(figure)
    assert "peak-2" not in gids(figure)
    assert "2 water failed" in words(figure)


def test_a_failed_peak_with_a_place_is_hatched_there_not_over_its_shared_window() -> None:
    fit = made_fit(TWO)
    peak = replace(fit.peaks[1], curve=np.empty(0), status="not converged", window_start_s=0.0, window_end_s=600.0)
    figure = overlay(replace(fit, peaks=(fit.peaks[0], peak)), time_unit="s")
    (hatch,) = [patch for patch in figure.axes[0].patches if patch.get_gid() == "failed-2"]
    left, right = hatch.get_extents().transformed(figure.axes[0].transData.inverted()).intervalx
    assert peak.retention_time_s is not None
    assert peak.fwhm_s is not None
    assert (left, right) == pytest.approx((peak.retention_time_s - peak.fwhm_s, peak.retention_time_s + peak.fwhm_s))


@pytest.mark.parametrize("curve", [np.zeros(40), np.full(40, np.nan)], ids=["zero", "nan"])
def test_a_peak_without_a_finite_curve_counts_as_failed(curve: Array) -> None:
    fit = made_fit(TWO)
    odd = replace(fit, peaks=(fit.peaks[0], replace(fit.peaks[1], curve=curve, status="failed")))
    assert "2 failed" in words(overlay(odd))


@pytest.mark.parametrize(
    ("end", "unit", "label", "right"),
    [
        (599.0, "auto", "Time (s)", 598.9),
        (601.0, "auto", "Time (min)", 600.9 / 60),
        (601.0, "s", "Time (s)", 600.9),
        (120.0, "min", "Time (min)", 119.9 / 60),
    ],
)
def test_the_time_axis_has_the_unit_of_its_length(end: float, unit: Any, label: str, right: float) -> None:
    figure = overlay(made_fit([(60.0, 4.0, 50.0)], end=end), time_unit=unit)
    assert figure.axes[1].get_xlabel() == label
    assert figure.axes[0].get_xlim()[1] == pytest.approx(right)


@pytest.mark.parametrize(
    ("area", "unit", "label"),
    [
        (300.0, "mV", "Signal (mV)"),
        (300.0, "", "Signal"),
        (3e7, "µV", "Signal (10⁶ µV)"),
        (3e6, "counts", "Signal (10³ counts)"),
        (3e7, "", "Signal (10⁶)"),
    ],
)
def test_the_signal_axis_has_unit_and_power(area: float, unit: str, label: str) -> None:
    """Apex area/(5 sqrt(2 pi)): 24, 2.4e6, 2.4e5."""
    axes = overlay(made_fit([(150, 5, area)], unit=unit, end=300)).axes[0]
    assert axes.get_ylabel() == label


def test_the_line_of_facts_has_plain_numbers() -> None:
    assert "1 peak · R² 0.9997 · noise 880 counts" in words(
        overlay(made_fit([(150, 5, 3e6)], end=300, noise=876.0, unit="counts"))
    )


@pytest.mark.parametrize(
    ("value", "shown"), [(0.8585, "0.859"), (0.9997, "0.9997"), (0.999994, "0.99999"), (1.0, "1.00000000")]
)
def test_r_squared_has_one_digit_behind_its_nines(value: float, shown: str) -> None:
    fit = made_fit([(150, 5, 300)], end=300)
    object.__setattr__(fit, "r_squared", value)
    assert f"R² {shown} " in words(overlay(fit))


def test_small_signals_are_scaled_too() -> None:
    """Apex 3e-4/(5 sqrt(2 pi)) = 2.4e-5 V."""
    axes = overlay(made_fit([(150, 5, 3e-4)], unit="V", end=300, noise=1e-8, base=(0, 0))).axes[0]
    assert axes.get_ylabel() == "Signal (10⁻⁶ V)"


def test_only_the_fitted_part_is_shown() -> None:
    figure = overlay(made_fit(TWO, end=400, settings=FitSettings(start=100.0, end=350.0)))
    assert figure.axes[0].get_xlim() == pytest.approx((100, 350))


def test_few_points_are_points_and_many_a_line() -> None:
    few = overlay(made_fit([(30, 2, 10)], end=60, rate=2)).axes[0]
    many = overlay(made_fit(TWO, end=400)).axes[0]
    assert line(few, "data").get_marker() == "o"
    assert line(many, "data").get_linestyle() == "-"


def test_small_peaks_beside_a_huge_one_are_enlarged() -> None:
    alkanes = [(400.0 + 80 * i, 2.5, 2e3) for i in range(10)]
    fit = made_fit([(150, 3, 2e6), *alkanes], end=1300, names=["solvent", *[f"C{9 + i}" for i in range(10)]])
    figure = overlay(fit)
    assert len(figure.axes) == 3
    zoom = figure.axes[2]
    start, end = zoom.get_xlim()
    assert start < 400 / 60 < 1120 / 60 < end
    # apex of the alkanes: 10 + 2e3/(2.5 sqrt(2 pi)) = 329
    assert 329 < zoom.get_ylim()[1] < 700
    assert zoom.yaxis.get_scale() == "linear"
    assert [text.get_text() for text in figure.axes[0].texts if text.get_gid() == "peak-label"] == ["1 solvent"]


def test_asked_parts_are_enlarged_and_no_others() -> None:
    fit = made_fit([(150, 3, 2e6), (400, 3, 2e3)], end=599)
    figure = overlay(fit, zoom=[(380.0, 420.0), (100.0, 200.0)])
    assert [axes.get_xlim() for axes in figure.axes[2:]] == [(380.0, 420.0), (100.0, 200.0)]
    assert [axes.get_title(loc="left") for axes in figure.axes[2:]] == ["a", "b"]
    assert len(overlay(fit, zoom=()).axes) == 2


def test_a_part_without_peaks_shows_its_data() -> None:
    zoom = overlay(made_fit(TWO, end=400), zoom=[(20.0, 60.0)]).axes[2]
    low, high = zoom.get_ylim()
    assert 9 < low < 9.9  # baseline 10, noise 0.05
    assert 10.1 < high < 11


@pytest.mark.parametrize("part", [(500.0, 600.0), (200.0, 100.0), (200.01, 200.02)])
def test_a_part_without_data_is_refused(part: tuple[float, float]) -> None:
    with pytest.raises(InputError, match=r"run.csv: the part from .* s holds no data; the run goes from 0 to 399.9 s"):
        overlay(made_fit(TWO, end=400), zoom=[part])


def test_peaks_above_the_scale_of_a_part_are_cut_below_its_labels() -> None:
    fit = made_fit([(100, 3, 3e4), (130, 3, 40), (160, 3, 40), (190, 3, 30)], end=300)
    zoom = overlay(fit, zoom=[(80.0, 220.0)]).axes[2]
    # small apexes: 10 + 40/(3 sqrt(2 pi)) = 15.3
    assert 15.3 < zoom.get_ylim()[1] < 25
    assert any(found.get_gid() == "cut" for found in zoom.lines)
    room = line(zoom, "data").get_clip_box()
    assert room is not None
    highest = zoom.transData.inverted().transform((0, room.y1))[1]
    lowest_label = min(text.get_position()[1] for text in zoom.texts if text.get_gid() == "peak-label")
    assert 15.3 < highest < zoom.get_ylim()[1] - 0.1
    # the label of the peak of area 30, apex 10 + 30/(3 sqrt(2 pi)) = 14, stands lowest
    assert lowest_label == pytest.approx(14.0, abs=0.6)


def test_a_small_peak_on_the_flank_of_a_huge_one_does_not_set_the_scale() -> None:
    """At 105 s the huge peak is at 3e4/(3 sqrt(2 pi)) exp(-0.5 (5/3)²) = 995, the small ones are 5 high."""
    fit = made_fit([(100, 3, 3e4), (105, 1, 12), (160, 3, 40), (190, 3, 40)], end=300)
    zoom = overlay(fit).axes[2]
    assert zoom.get_ylim()[1] < 30
    assert {text.get_text() for text in zoom.texts if text.get_gid() == "peak-label"} == {"2", "3", "4"}


def test_a_peak_at_the_foot_of_a_huge_one_sets_the_scale_by_its_free_end() -> None:
    """It is 5.3 high over 10 and ends where the huge one is at 77; a smaller one stands alone, 0.27 high."""
    fit = made_fit([(100, 3, 40), (115, 2, 3e4), (200, 3, 2)], end=300)
    low, high = overlay(fit).axes[2].get_ylim()
    assert low < 10 < 15.3 < high < 30


@pytest.mark.parametrize("seed", range(3))
def test_apex_baseline_and_noise_of_an_enlarged_peak_are_seen(seed: int) -> None:
    """A peak of 4 standard deviations on a falling baseline: no single point of the data may set the scale."""
    fit = made_fit([(100.0, 3.0, 100.0), (300.0, 5.0, 2.6)], base=(0.0, -0.002), seed=seed)
    zoom = overlay(fit).axes[2]
    room = line(zoom, "data").get_clip_box()
    assert room is not None
    (_, low), (_, high) = zoom.transData.inverted().transform([(0, room.y0), (0, room.y1)])
    peak = fit.peaks[1]
    inside = slice(peak.first, peak.first + peak.curve.size)
    assert low < fit.baseline[inside].min() - 2.9 * 0.05
    assert high > fit.total[inside].max() + 2.9 * 0.05


def test_an_enlarged_part_reaches_below_a_baseline_under_the_data() -> None:
    """In a part of two peaks that touch no data come down to the baseline at 10."""
    fit = made_fit([(100.0, 3.0, 3e4), (300.0, 3.0, 40.0), (303.0, 3.0, 40.0)], noise=1e-4)
    low, _ = overlay(fit, zoom=[(298.0, 305.0)]).axes[2].get_ylim()
    assert low < 10


def test_two_peaks_at_opposite_ends_of_a_run_are_enlarged_apart() -> None:
    """Of 600 s: 30 and 570 are parted, not with others between; nor 30 and 300, which are half the run."""
    spans = {}
    for apexes in ((30.0, 570.0), (30.0, 210.0, 390.0, 570.0), (30.0, 300.0)):
        fit = made_fit([(120.0, 3.0, 3e4), *[(apex, 3.0, 40.0) for apex in apexes]], settings=FitSettings())
        spans[apexes] = [axes.get_xlim() for axes in overlay(fit, time_unit="s").axes[2:]]
    assert [len(found) for found in spans.values()] == [2, 1, 1]
    assert all(end - start < 60 for start, end in spans[30.0, 570.0])


def absent(number: int, name: str) -> PeakFit:
    """The row of a component that was expected from 480 to 520 s and is not there."""
    return PeakFit(number, name, "", "not found", 0, np.empty(0), window_start_s=480.0, window_end_s=520.0)


def test_an_expected_peak_that_is_not_there_is_named_where_it_should_be(two: Fit) -> None:
    fit = made_fit(TWO)
    figure = overlay(replace(fit, peaks=(*fit.peaks, absent(3, "styrene"))), time_unit="s")
    (label,) = [text for text in figure.axes[0].texts if text.get_text() == "3 styrene not found"]
    assert label.get_position()[0] == pytest.approx(500, abs=60)
    assert "failed-3" not in gids(figure)
    assert "2 peaks" in words(figure)


@pytest.mark.parametrize(("time", "shown"), [(590.0, 590.0), (605.0, 599.8)])
def test_an_expected_peak_near_the_end_of_a_run_stands_where_it_is_expected(time: float, shown: float) -> None:
    """The window of 20 s on both sides of it ends with the run; the label is wide, its leader ends at the place."""
    fit = made_fit(TWO, settings=FitSettings(expected=(Expected("late", time, 20.0),)))
    row = replace(absent(3, "late"), window_start_s=time - 20.0, window_end_s=599.8)
    axes = overlay(replace(fit, peaks=(*fit.peaks, row)), time_unit="s").axes[0]
    (leader,) = [found for found in axes.lines if found.get_gid() == "leader"]
    assert xy(leader)[0][0] == pytest.approx(shown)


def test_a_run_with_only_absent_peaks_is_drawn_as_a_blank() -> None:
    figure = overlay(replace(made_fit([]), peaks=(absent(1, "styrene"),)))
    assert len(figure.axes) == 1
    assert "1 styrene not found" in words(figure)
    assert "no peaks" in words(figure)
    assert "fit" not in gids(figure)


def test_more_than_the_panels_hold_are_landmarks_and_a_count() -> None:
    """500 peaks: twelve panels of at most 28 name not more than 336; the overview names ten."""
    random = np.random.default_rng(3)
    apexes = np.sort(random.uniform(20, 14000, 500))
    fit = made_fit([(a, 1.5, 10 ** random.uniform(0, 3)) for a in apexes], end=14100, rate=4, noise=0.01)
    figure = overlay(fit)
    named = [{text.get_text() for text in axes.texts if text.get_gid() == "peak-label"} for axes in figure.axes]
    assert len(named[0]) == 10
    assert f"{500 - len(set().union(*named))} labels left out" in words(figure)


def test_a_unit_that_is_a_number_does_not_run_into_the_noise() -> None:
    assert "noise 0.05 × 25 µV" in words(overlay(made_fit(TWO, unit="25 µV")))


def test_crowded_runs_are_cut_into_parts_that_can_be_read() -> None:
    fit = made_fit([(30.0 + 25 * i, 2.0, 100.0) for i in range(100)], end=2600, rate=4)
    figure = overlay(fit)
    parts = figure.axes[2:]
    assert len(parts) == 4  # 100 peaks of one height, at most 28 a part
    for axes in parts:
        assert 0 < sum(text.get_gid() == "peak-label" for text in axes.texts) <= ROOM


@pytest.mark.parametrize("size", [(7.2, 1.0), (1.5, 8.0), (0.1, 0.1)])
def test_a_figure_without_room_is_refused(size: tuple[float, float], two: Fit) -> None:
    with pytest.raises(InputError, match=r"has no room for its panels; give at least"):
        overlay(two, size=size)


def test_size_and_resolution_are_as_asked(two: Fit) -> None:
    png = render(overlay(two, size=(5.0, 4.0), dpi=80), "png")
    # width and height stand in bytes 16 to 24 of a PNG (ISO/IEC 15948, IHDR)
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (400, 320)


def test_themes_paint_paper_and_ink(two: Fit) -> None:
    dark, light = overlay(two, theme="dark"), overlay(two, theme="light")
    assert sum(dark.get_facecolor()[:3]) < 0.5 < sum(light.get_facecolor()[:3])
    assert line(dark.axes[0], "fit").get_color() == THEMES["dark"].ink


def test_the_title_is_file_and_trace_or_as_asked(two: Fit) -> None:
    fit = made_fit(TWO, source="/data/a/run 7.csv", trace="FID1A")
    assert "run 7.csv [FID1A]" in words(overlay(fit))
    assert "BTEX" in words(overlay(two, title="BTEX"))
    assert "run.csv" not in words(overlay(two, title=""))


def test_drawing_leaves_the_users_settings_alone(two: Fit) -> None:
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 31.0, "text.usetex": True, "axes.facecolor": "pink"}):
        strange = render(overlay(two), "svg")
        assert mpl.rcParams["font.size"] == 31.0
    assert strange == render(overlay(two), "svg")


def test_pyplot_is_never_loaded() -> None:
    code = "import sys, gcfit.figures; print('matplotlib.pyplot' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
