"""Peak curves by quadrature and by the full equations against the Laplace solution, which knows neither."""

import numpy as np
import pytest

from gcfit.chromatogram import Array
from gcfit.fitting.models import Known, curve
from gcfit.fitting.registry import MODELS
from gcfit.fitting.sampling import Sampling
from gcfit.fitting.solver_curves import CURVES
from tests.column.paper import DERIVED, HOLD_UP, INJECTION, PAIRS, PHASE_RATIO, rectangle

SAMPLING = Sampling.of(np.arange(60.0, 200.0, 0.5))
OTHERS = {"quadrature": 1e-9, "numerical": 5e-4}  # least error of a curve, of the apex
SLOPES = {"quadrature": 2e-3, "numerical": 2e-2}  # of differences; a search needs no more


def pair(name: str) -> Array:
    """Mean [s] and log σ without the injection."""
    return np.array([DERIVED[name][1] - INJECTION / 2, 0.5 * np.log(DERIVED[name][2] ** 2 - INJECTION**2 / 12)])


@pytest.mark.parametrize("solver", OTHERS)
def test_the_curve_is_that_of_the_noncentral_chi_square_law(solver: str) -> None:
    found = CURVES[solver](MODELS["laplace"], pair("benzene"), SAMPLING, Known(HOLD_UP, INJECTION))
    assert found is not None
    k_a, k_d, *_ = PAIRS["benzene"]
    time = SAMPLING.time[found.first : found.last]
    expected = rectangle(time, HOLD_UP, PHASE_RATIO * k_a * HOLD_UP, k_d, INJECTION) / INJECTION
    # DERIVED has nine digits of σ
    assert np.abs(found.rows[0] - expected).max() < max(OTHERS[solver], 2e-7) * expected.max()


@pytest.mark.parametrize("injection", [INJECTION, 0.0])
@pytest.mark.parametrize("solver", OTHERS)
def test_derivatives_are_those_of_the_laplace_curve(solver: str, injection: float) -> None:
    known = Known(HOLD_UP, injection)
    found, exact = (
        one(MODELS["laplace"], pair("benzene"), SAMPLING, known) for one in (CURVES[solver], CURVES["laplace"])
    )
    assert found is not None
    assert exact is not None
    assert exact.rows.shape[0] == found.rows.shape[0] == 3
    both = slice(max(found.first, exact.first), min(found.last, exact.last))
    for mine, theirs in zip(found.rows, exact.rows, strict=True):
        a = mine[both.start - found.first : both.stop - found.first]
        b = theirs[both.start - exact.first : both.stop - exact.first]
        assert np.abs(a - b).max() < SLOPES[solver] * np.abs(b).max()


@pytest.mark.parametrize("solver", CURVES)
def test_a_gaussian_is_a_gaussian_by_every_solver(solver: str) -> None:
    at, known = np.array([36.0, 0.0]), Known(HOLD_UP, 0.0)
    sampling = Sampling.of(np.arange(20.0, 50.0, 0.1))
    found, plain = (
        CURVES[solver](MODELS["gaussian"], at, sampling, known),
        curve(MODELS["gaussian"], at, sampling, known),
    )
    assert found is not None
    np.testing.assert_array_equal(found.rows, plain.rows)


def test_what_the_full_equations_refuse_has_no_curve() -> None:
    """Two adsorptions on average: a part passes unretained."""
    delay = 20.0
    at, known = np.array([HOLD_UP + delay, np.log(delay)]), Known(HOLD_UP, INJECTION)
    assert CURVES["numerical"](MODELS["laplace"], at, SAMPLING, known) is None
    assert CURVES["quadrature"](MODELS["laplace"], at, SAMPLING, known) is not None


@pytest.mark.parametrize("solver", OTHERS)
def test_a_window_elsewhere_has_no_points(solver: str) -> None:
    late = Sampling.of(np.arange(500.0, 520.0, 0.5))
    found = CURVES[solver](MODELS["laplace"], pair("benzene"), late, Known(HOLD_UP, INJECTION))
    assert found is not None
    assert found.rows.shape == (3, 0)
