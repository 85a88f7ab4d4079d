"""The rows of compared models: figures, and the area of each peak of the best one."""

import pytest

from gcfit.cli.model_rows import COLUMNS, PEAKS, columns_of, model_rows, peaks_of
from gcfit.fitting.comparison import Trial, Way
from tests.handmade import made_fit

BEST = made_fit([(100.0, 5.0, 50.0), (200.0, 5.0, 80.0)], names=["benzene", ""])
OTHER = made_fit([(104.0, 5.0, 49.0), (206.0, 5.0, 79.0), (300.0, 5.0, 20.0)])
TRIALS = (
    Trial(Way("gaussian"), OTHER, 0.5, 13, 0.98, 120.0),
    Trial(Way("laplace", "simultaneous"), BEST, 0.25, 8, 0.99, 100.0),
)


def test_figures_and_areas() -> None:
    first, second = model_rows(TRIALS)
    assert {name: first[name] for name in ("model", "strategy", "solver", "peaks", "parameters", "seconds")} == {
        "model": "gaussian",
        "strategy": "pairs",
        "solver": "",  # a Gaussian is no solution of the column
        "peaks": 3,
        "parameters": 13,
        "seconds": 0.5,
    }
    assert (second["model"], second["strategy"], second["solver"]) == ("laplace", "simultaneous", "laplace")
    assert [(row["bic"], row["delta_bic"]) for row in (first, second)] == [(120.0, 20.0), (100.0, 0.0)]
    assert first["area"] == pytest.approx(148.0)
    # columns are those of the best; 6 s is more than half the width of 11.8 s, and what the best lacks has no column
    assert columns_of([first, second]) == (*COLUMNS, "area_benzene", "area_200.00_s")
    assert (first["area_benzene"], first["area_200.00_s"]) == (49.0, None)
    assert (second["area_benzene"], second["area_200.00_s"]) == (50.0, 80.0)


def test_trials_without_a_peak() -> None:
    blank = Trial(Way("laplace"), made_fit([]), 0.0, 0)
    (row,) = model_rows([blank])
    assert tuple(row) == COLUMNS
    assert (row["peaks"], row["area"], row["bic"], row["delta_bic"]) == (0, 0.0, None, None)


def test_all_peaks_with_the_way_in_front() -> None:
    rows = peaks_of(TRIALS)
    assert [tuple(row) for row in rows] == [PEAKS] * 5
    assert [(row["way"], row["strategy"], row["peak"]) for row in rows][2:4] == [
        ("gaussian", "pairs", 3),
        ("laplace", "simultaneous", 1),
    ]
