"""Names: each expected component takes the nearest free peak within its tolerance, whatever the order."""

from itertools import permutations

import numpy as np
import pytest

from gcfit.column.system import Carrier, Column, Component, Injection, System
from gcfit.fitting.naming import expected_components, named
from gcfit.fitting.records import Expected, PeakFit


def peaks(*times: float | None) -> tuple[PeakFit, ...]:
    return tuple(
        PeakFit(number, "", "laplace", "ok", 0, np.empty(0), retention_time_s=time)
        for number, time in enumerate(times, 1)
    )


def names(found: tuple[PeakFit, ...]) -> list[str]:
    return [peak.name for peak in found]


def test_nearest_within_the_tolerance() -> None:
    expected = [Expected("a", 100.0, 2.0), Expected("b", 110.0, 2.0)]
    assert names(named(peaks(99.0, 105.0, 111.9), expected)) == ["a", "", "b"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_nearest_pair_is_made_first(order: tuple[int, ...]) -> None:
    expected = [Expected("a", 100.0, 5.0), Expected("b", 103.0, 5.0), Expected("c", 120.0, 5.0)]
    found = named(peaks(102.5, 99.0), [expected[k] for k in order])
    assert names(found) == ["b", "a"]


def test_a_peak_takes_one_name_and_a_name_one_peak() -> None:
    expected = [Expected("a", 100.0, 5.0), Expected("b", 100.5, 5.0)]
    assert names(named(peaks(100.1), expected)) == ["a"]
    assert names(named(peaks(99.0, 100.2, 101.0), expected[:1])) == ["", "a", ""]


def test_without_a_tolerance_three_percent() -> None:
    assert names(named(peaks(102.9), [Expected("a", 100.0)])) == ["a"]
    assert names(named(peaks(103.1), [Expected("a", 100.0)])) == [""]


def test_a_peak_without_a_retention_keeps_no_name() -> None:
    assert names(named(peaks(None), [Expected("a", 100.0)])) == [""]


def test_components_of_a_system() -> None:
    system = System(
        Column(20.0, 9e-5, 1e-6),
        Carrier(4.01e5, 1.013e5, inlet_velocity=0.41),
        Injection(4.0),
        components=(
            Component("benzene", 579.0, 5.299),
            Component("toluene", 2953.0, 11.502, retention_time=230.0),
            Component("unknown", None, 5.0),
        ),
    )
    benzene, toluene = expected_components(system)
    # FACTS [calc]: mean of benzene 119.163615 s, half the injection in it; a given retention goes first
    assert (benzene.name, benzene.retention_time) == ("benzene", pytest.approx(119.163615, rel=1e-6))
    assert (toluene.name, toluene.retention_time) == ("toluene", 230.0)
