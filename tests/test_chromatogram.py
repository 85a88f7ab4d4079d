"""The record of a trace checks itself once, when it is made, and cannot be changed afterwards."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from gcfit.chromatogram import MIN_POINTS, Chromatogram
from gcfit.errors import InputError

TIME = np.arange(10.0)


@pytest.mark.parametrize(
    ("time", "signal", "text"),
    [
        (TIME, TIME[:-1], "time has shape (10,), signal (9,)"),
        (TIME.reshape(2, 5), TIME.reshape(2, 5), "both must be (n,)"),
        (TIME[:2], TIME[:2], f"2 data points, at least {MIN_POINTS} are needed"),
        (np.empty(0), np.empty(0), "0 data points"),
        (TIME, np.where(TIME == 4, np.nan, TIME), "data row 5: signal is nan"),
        (TIME, np.where(TIME == 9, np.inf, TIME), "data row 10: signal is inf"),
        (np.where(TIME == 0, np.nan, TIME), TIME, "data row 1: time is nan"),
        (np.where(TIME == 6, 5, TIME), TIME, "data row 7: time 5 s does not follow 5 s"),
        (TIME[::-1], TIME, "data row 2: time 8 s does not follow 9 s"),
    ],
)
def test_what_is_no_trace_is_refused_with_its_place(time: np.ndarray, signal: np.ndarray, text: str) -> None:
    with pytest.raises(InputError) as caught:
        Chromatogram(time, signal, source="run.csv", trace="FID")
    assert text in str(caught.value)
    assert str(caught.value).startswith("run.csv [FID]: ")


def test_the_callers_arrays_are_neither_kept_nor_changed() -> None:
    time, signal = TIME.copy(), TIME.copy()
    run = Chromatogram(time, signal)
    signal[3] = 99.0
    time += 1.0
    assert (run.signal == TIME).all()
    assert (run.time == TIME).all()


def test_it_is_read_only() -> None:
    run = Chromatogram(TIME, TIME)
    for array in (run.time, run.signal):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
    with pytest.raises(FrozenInstanceError):
        run.source = "x"  # type: ignore[misc]


def test_lists_and_whole_numbers_become_doubles() -> None:
    run = Chromatogram([0, 1, 2], [5, 6, 7])  # type: ignore[arg-type]
    assert run.time.dtype == run.signal.dtype == np.float64


def test_sampling_interval_is_the_median_step() -> None:
    time = np.cumsum([0.0, 0.1, 0.1, 5.0, 0.1])
    assert Chromatogram(time, time).sampling_interval == pytest.approx(0.1)


@pytest.mark.parametrize(("step", "digits"), [(0.04, 5), (0.01, 6), (0.2, 3), (0.1, 4)])
def test_sampling_interval_of_regular_times_that_were_rounded_in_minutes(step: float, digits: int) -> None:
    time = np.round(np.arange(6001) * step / 60, digits) * 60
    assert Chromatogram(time, time).sampling_interval == pytest.approx(step, rel=1e-4)


def test_sampling_interval_beside_a_gap_is_that_of_most_points() -> None:
    time = np.round(np.concatenate([np.arange(3000), np.arange(3010, 6000)]) * 0.04 / 60, 5) * 60
    assert Chromatogram(time, time).sampling_interval == np.median(np.diff(time))


@pytest.mark.parametrize("points", [3, 4, 5, 6, 51, 52])
def test_sampling_interval_of_uneven_steps(points: int) -> None:
    steps = np.random.default_rng(points).uniform(0.1, 1.0, points)
    time = np.cumsum(steps)
    assert Chromatogram(time, time).sampling_interval == np.median(np.diff(time))


@pytest.mark.parametrize(
    ("source", "trace", "label"), [("a.csv", "TCD", "a.csv [TCD]"), ("a.csv", "", "a.csv"), ("", "", "")]
)
def test_label(source: str, trace: str, label: str) -> None:
    assert Chromatogram(TIME, TIME, source=source, trace=trace).label == label


def test_any_first_time_and_any_spacing() -> None:
    run = Chromatogram(np.array([-5.0, -4.9, 7.0, 1e9]), np.array([1.0, -1.0, 0.0, 1e300]))
    assert run.time[0] == -5.0
