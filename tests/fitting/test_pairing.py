"""Partners in time."""

import numpy as np
import pytest

from gcfit.fitting.pairing import nearest_pairs


@pytest.mark.parametrize(
    ("first", "second", "reach", "pairs"),
    [
        ([10.0, 20.0], [10.4, 19.9], 1.0, {0: 0, 1: 1}),
        ([10.0, 20.0], [15.0], 1.0, {}),
        # the nearer takes it, and the other looks further
        ([10.0, 11.0], [10.9, 8.5], 2.0, {1: 0, 0: 1}),
        ([10.0, 11.0], [10.9], 2.0, {1: 0}),
        ([10.0], [9.0, 11.0], 0.999, {}),
        ([10.0], [9.0], 1.0, {0: 0}),
        ([10.0, np.nan], [np.nan, 10.0], 5.0, {0: 1}),
        ([], [1.0], 1.0, {}),
        ([1.0], [], 1.0, {}),
    ],
)
def test_nearest_pairs(first: list[float], second: list[float], reach: float, pairs: dict[int, int]) -> None:
    assert nearest_pairs(np.array(first), np.array(second), np.full(len(first), reach)) == pairs


def test_each_has_its_own_reach() -> None:
    assert nearest_pairs(np.array([1.0, 5.0]), np.array([1.5, 5.5]), np.array([0.1, 1.0])) == {1: 1}
