"""The local baseline: splines against scipy's, and pieces only where there is something to see."""

import numpy as np
import pytest
from scipy.interpolate import BSpline

from gcfit.fitting.detect import Candidate
from gcfit.fitting.local_base import free_share
from gcfit.fitting.states import base_columns


@pytest.mark.parametrize("order", [2, 3, 4])
def test_the_first_columns_are_legendre_polynomials(order: int) -> None:
    time = np.linspace(3.0, 7.0, 301)
    expected = np.polynomial.legendre.legvander((time - 5.0) / 2.0, order - 1).T
    np.testing.assert_allclose(base_columns(time, order), expected, atol=1e-14)


@pytest.mark.parametrize("order", [5, 8, 40])
def test_columns_span_the_cubic_splines_of_equal_pieces(order: int) -> None:
    time = np.linspace(3.0, 7.0, 301)
    x = (time - 3.0) / 4.0
    knots = np.r_[np.zeros(4), np.arange(1, order - 3) / (order - 3), np.ones(4)]
    expected = BSpline.design_matrix(np.minimum(x, 1 - 1e-15), knots, 3).toarray().T
    np.testing.assert_allclose(base_columns(time, order), expected, atol=1e-12)


def test_pieces_lie_where_no_peak_is() -> None:
    time = np.linspace(0.0, 100.0, 1001)
    crowd = [Candidate(apex, 1.0, 2.0, 100.0) for apex in np.arange(20.0, 61.0, 5.0)]
    free = free_share(time, crowd)
    assert free[[0, -1]].tolist() == [0, 1]
    assert (np.diff(free) > 0).all()
    order = 9
    columns = base_columns(time, order, free)
    inner = np.interp(np.arange(1, order - 3) / (order - 3), free, time)
    assert not ((inner > 20) & (inner < 60)).any()
    knots = np.r_[np.zeros(4), inner / 100, np.ones(4)]
    expected = BSpline.design_matrix(np.minimum(time / 100, 1 - 1e-15), knots, 3).toarray().T
    np.testing.assert_allclose(columns, expected, atol=1e-12)
