"""Where a peak of the table begins and ends: at the valley, or where there is none at the crossing, or half-way."""

import numpy as np
import pytest

from gcfit.chromatogram import Array
from gcfit.fitting.limits import limits_of, parting, to_valleys
from gcfit.fitting.models import Known
from gcfit.fitting.records import Noise
from gcfit.fitting.sampling import Sampling
from gcfit.fitting.states import Peak, WindowData, solved

TIME = np.arange(0.0, 200.0, 0.5)


def bell(apex: float, height: float, sigma: float) -> Array:
    return np.asarray(height * np.exp(-0.5 * ((TIME - apex) / sigma) ** 2))


def limits(*bells: tuple[float, float, float]) -> list[tuple[float, float]]:
    """First and last times [s] of the peaks of a window without noise."""
    signal = np.sum([bell(*one) for one in bells], axis=0)
    data = WindowData(Sampling.of(TIME), signal, None, 1e-6, 1.0, Known(-1e6))
    state = solved(data, [Peak("gaussian", np.array([at, np.log(s)]), at, s) for at, _, s in bells], 2)
    assert state is not None
    return [(float(TIME[first]), float(TIME[last - 1])) for first, last in limits_of(state)]


def test_peaks_part_at_the_valley() -> None:
    (_, end), (begin, _) = limits((80.0, 100.0, 5.0), (110.0, 100.0, 5.0))
    assert end == begin == 95.0


def test_a_shoulder_parts_where_the_curves_cross() -> None:
    # 100 exp(-x²/2) = 50 exp(-(2-x)²/2) at x = 1 + ln(2)/2 = 1.35 σ, and the sum has no valley there
    (_, end), (begin, last) = limits((80.0, 100.0, 5.0), (90.0, 50.0, 5.0))
    crossing = 80 + 5 * (1 + np.log(2) / 2)
    assert crossing <= begin == end < crossing + 0.5
    # to a thousandth of its apex: sqrt(2 ln 1000) σ
    assert last == pytest.approx(90 + 5 * np.sqrt(2 * np.log(1000)), abs=0.5)


def test_a_peak_that_is_nowhere_the_higher_one_parts_half_way() -> None:
    (_, end), (begin, last) = limits((80.0, 100.0, 10.0), (90.0, 5.0, 3.0))
    assert end == begin == 85.0
    assert last > 90.0


@pytest.mark.parametrize(
    ("total", "left", "right", "place"),
    [
        ([9, 5, 2, 5, 8], [9, 5, 1, 0, 0], [0, 0, 1, 5, 8], 2),
        ([2, 5, 7, 8, 9], [2, 2, 1, 1, 0], [1, 3, 6, 7, 9], 1),
        ([9, 8, 7, 6, 5], [9, 8, 7, 5, 4], [0, 0, 0, 1, 1], 2),
    ],
)
def testparting(total: list[float], left: list[float], right: list[float], place: int) -> None:
    assert parting(np.array(total), np.array(left), np.array(right)) == place


NOISE = Noise(0.1)


def test_an_unfitted_neighbour_ends_a_peak_at_the_valley() -> None:
    tail = bell(80.0, 100.0, 5.0) + np.where(TIME > 80, 5.0, 0.0)  # a model that does not come down
    seen = bell(80.0, 100.0, 5.0) + bell(110.0, 20.0, 4.0)
    first, last = to_valleys(tail, seen, (100, 300), NOISE)
    between = np.flatnonzero((TIME > 80) & (TIME < 110))
    valley = between[np.argmin(seen[between])]
    assert first == 100
    assert abs(last - 1 - valley) <= 2  # of means over 5 points
    # and on the other side, seen in a mirror
    mirrored = to_valleys(tail[::-1], seen[::-1], (100, 300), NOISE)
    assert mirrored[1] == 300
    assert abs(mirrored[0] - (TIME.size - 1 - valley)) <= 2


def test_noise_draws_no_limits_in() -> None:
    random = np.random.default_rng(3)
    curve = bell(80.0, 2.0, 5.0)
    for _ in range(500):
        assert to_valleys(curve, curve + 0.1 * random.standard_normal(TIME.size), (100, 220), NOISE) == (100, 220)


def test_a_ripple_of_less_than_a_thousandth_is_none() -> None:
    curve = bell(80.0, 1e4, 5.0)
    seen = curve + bell(105.0, 5.0, 2.0)
    assert to_valleys(curve, seen, (100, 240), NOISE) == (100, 240)
