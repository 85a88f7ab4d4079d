"""Windows: peaks that overlap share one, windows do not overlap, every peak keeps free baseline where there is room."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gcfit.fitting.detect import Candidate
from gcfit.fitting.windows import OVERLAP, REACH_AFTER, REACH_BEFORE, plan

TIME = np.arange(0.0, 1000.0, 0.5)
PROPERTY = settings(deadline=None, max_examples=80, derandomize=True)


def candidate(apex: float, sigma: float = 2.0) -> Candidate:
    half = sigma * float(np.sqrt(2 * np.log(2)))
    return Candidate(apex, 1.0, sigma, 10.0, left_half_width=half, right_half_width=half)


def test_no_candidates_no_windows() -> None:
    assert plan(TIME, []) == ()


def test_a_lone_peak_has_its_reach() -> None:
    (window,) = plan(TIME, [candidate(500.0)])
    assert TIME[window.first] <= 500 - REACH_BEFORE * 2 + 0.5
    assert TIME[window.last - 1] >= 500 + REACH_AFTER * 2 - 0.5
    assert TIME[window.last - 1] < 500 + 40 * 2


def test_peaks_share_a_window_when_they_overlap_only() -> None:
    near, far = 500 + 1.5 * OVERLAP * 2, 500 + 2.5 * OVERLAP * 2
    assert len(plan(TIME, [candidate(500.0), candidate(near)])) == 1
    assert len(plan(TIME, [candidate(500.0), candidate(far)])) == 2


def test_a_peak_at_the_edge_of_the_run() -> None:
    for apex in (0.5, 999.0):
        (window,) = plan(TIME, [candidate(apex, 0.1)])
        assert window.last - window.first >= 4
        assert window.first >= 0
        assert window.last <= TIME.size


def test_few_points_are_not_exceeded() -> None:
    short = TIME[:5]
    (window,) = plan(short, [candidate(1.0, 0.5)])
    assert 0 <= window.first < window.last <= 5


@PROPERTY
@given(st.lists(st.tuples(st.floats(1, 999), st.floats(0.3, 30)), min_size=1, max_size=25))
def test_every_candidate_is_in_one_window_and_windows_do_not_overlap(peaks: list[tuple[float, float]]) -> None:
    candidates = sorted((candidate(*peak) for peak in peaks), key=lambda one: one.apex_time)
    windows = plan(TIME, candidates)
    held = [id(one) for window in windows for one in window.candidates]
    assert sorted(held) == sorted(id(one) for one in candidates)
    for window in windows:
        assert 0 <= window.first < window.last <= TIME.size
        apexes = [one.apex_time for one in window.candidates]
        assert apexes == sorted(apexes)
    for left, right in pairwise(windows):
        assert left.last <= right.first or max(left.last - left.first, right.last - right.first) <= 12
