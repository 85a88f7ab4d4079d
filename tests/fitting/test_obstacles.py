"""Windows end at dips: before those beside their peaks, and on either side of one between them."""

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting.defects import Defects, find_defects
from gcfit.fitting.detect import Candidate
from gcfit.fitting.noise import estimate_noise
from gcfit.fitting.obstacles import cut_short, find_dips
from gcfit.fitting.records import FitSettings, Noise
from gcfit.fitting.windows import LEAST_POINTS, Window

TIME = np.arange(0.0, 300.0, 0.2)


def bell(apex: float, height: float, sigma: float = 3.0) -> Array:
    return np.asarray(height * np.exp(-0.5 * ((TIME - apex) / sigma) ** 2))


def candidate(apex: float, sign: int = 1) -> Candidate:
    return Candidate(apex, 100.0, 3.0, 1e4, sign, False, 3.5, 3.5)


@pytest.fixture
def sound() -> Defects:
    return find_defects(np.sin(TIME), Noise(0.1))


def spans(windows: tuple[Window, ...]) -> list[tuple[float, float, int]]:
    return [(TIME[w.first], TIME[w.last - 1], len(w.candidates)) for w in windows]


def test_a_dip_between_peaks_parts_their_window(sound: Defects) -> None:
    whole = Window(0, TIME.size, (candidate(80.0), candidate(100.0), candidate(150.0)))
    (begin, end, two), (again, last, one) = spans(cut_short([whole], TIME, sound, [candidate(125.0, -1)]))
    assert (begin, two, one) == (0.0, 2, 1)
    assert (end, again) == pytest.approx((125 - 12, 125 + 12), abs=0.3)
    assert last == TIME[-1]


def test_two_dips_between_two_peaks_leave_what_lies_between_them_out(sound: Defects) -> None:
    whole = Window(0, TIME.size, (candidate(80.0), candidate(200.0)))
    left, right = spans(cut_short([whole], TIME, sound, [candidate(120.0, -1), candidate(150.0, -1)]))
    assert (left[1], right[0]) == pytest.approx((120 - 12, 150 + 12), abs=0.3)


def test_a_window_is_not_parted_into_less_than_a_fit_needs(sound: Defects) -> None:
    short = Window(395, TIME.size, (candidate(80.0), candidate(100.0)))  # begins two points before its first dip
    assert all(w.last - w.first >= LEAST_POINTS for w in cut_short([short], TIME, sound, [candidate(90.0, -1)]))


def test_peaks_on_both_sides_of_a_deep_dip_keep_their_areas() -> None:
    signal = bell(90.0, 60.0) + bell(130.0, 100.0) - bell(110.0, 90.0, 2.0)
    noisy = signal + np.random.default_rng(1).normal(0, 0.05, TIME.size)
    peaks = gcfit.fit(Chromatogram(TIME, noisy)).peaks
    expected = [height * 3 * np.sqrt(2 * np.pi) for height in (60.0, 100.0)]
    assert [peak.area for peak in peaks] == pytest.approx(expected, rel=0.02)


def test_a_dip_beside_a_small_peak_counts_however_high_the_others_are() -> None:
    signal = bell(50.0, 1000.0) + bell(190.0, 5.0) - bell(215.0, 6.0)
    noisy = Chromatogram(TIME, signal + np.random.default_rng(2).normal(0, 0.05, TIME.size))
    estimate = estimate_noise(noisy.time, noisy.signal)
    (dip,) = find_dips(noisy, estimate, find_defects(noisy.signal, estimate), FitSettings())
    assert dip.apex_time == pytest.approx(215.0, abs=0.2)
    small = gcfit.fit(noisy).peaks[1]
    assert small.retention_time_s == pytest.approx(190.0, abs=0.1)
    # a baseline that followed the dip made it six times as large
    assert small.area == pytest.approx(5 * 3 * np.sqrt(2 * np.pi), rel=0.1)


@pytest.mark.parametrize(("floor", "dips"), [(42.0, []), (-40.0, [150.0])])
def test_a_valley_between_peaks_is_no_dip(floor: float, dips: list[float]) -> None:
    """A notch is one where it goes below the trace on both sides, not where it parts two peaks above their feet."""
    noise = np.random.default_rng(4).normal(0, 0.05, TIME.size)
    hump = 100 * np.exp(-0.5 * ((TIME - 150) / 90) ** 2)
    part = Chromatogram(TIME, hump + bell(150.0, floor - 100) + noise, "made")
    estimate = estimate_noise(part.time, part.signal)
    found = find_dips(part, estimate, find_defects(part.signal, estimate), FitSettings())
    assert [dip.apex_time for dip in found] == pytest.approx(dips, abs=1.0)
