"""NIST StRD Gauss1, 2 and 3: two Gaussians on an exponential, through the search and the curves of every fit."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from gcfit.chromatogram import Array
from gcfit.fitting.covariance import covariance
from gcfit.fitting.models import Known, curve
from gcfit.fitting.registry import MODELS
from gcfit.fitting.sampling import Curve, Sampling
from gcfit.fitting.solver import solve
from gcfit.fitting.terms import Effort, Solution, Term

FOLDER = Path(__file__).parent / "nist"
PROBLEMS = ("gauss1", "gauss2", "gauss3")


@dataclass(frozen=True)
class Problem:
    """A certified problem: starts, shape (2, 8), certified values and standard deviations, shape (8,)."""

    x: Array
    y: Array
    starts: Array
    certified: Array
    deviations: Array
    rss: float


def read(name: str) -> Problem:
    lines = (FOLDER / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    rows = [line.removeprefix("# ").split(",")[1:] for line in lines if line.startswith("# b")]
    table = np.array(rows, dtype=float)
    data = np.array([line.split(",") for line in lines[lines.index("y,x") + 1 :]], dtype=float)
    rss = next(float(line.split()[-1]) for line in lines if "residual sum of squares" in line)
    return Problem(data[:, 1], data[:, 0], table[:, :2].T, table[:, 2], table[:, 3], rss)


def exponential(x: Array, rate: float) -> Term:
    """b1 exp(-b2 x) as a term: unit amplitude at x = 0, the logarithm of the rate as its coordinate."""

    def evaluate(coordinates: Array) -> Curve:
        decay = np.exp(-np.exp(coordinates[0]) * x)
        return Curve(0, np.stack([decay, -np.exp(coordinates[0]) * x * decay]))

    wide = np.array([50.0])
    return Term(evaluate, np.array([np.log(rate)]), -wide, wide, wide)


def gaussian(x: Array, centre: float, width: float) -> Term:
    """The registry's Gaussian of unit area; NIST's width is sqrt(2) σ."""
    sampling = Sampling.of(x)
    ends = np.array([float(x[0]), -5.0]), np.array([float(x[-1]), 10.0])
    start = np.array([centre, np.log(width / np.sqrt(2))])
    return Term(lambda at: curve(MODELS["gaussian"], at, sampling, Known()), start, *ends, stride=np.array([50.0, 1.0]))


def solved(problem: Problem, start: Array) -> Solution:
    terms = [exponential(problem.x, start[1]), gaussian(problem.x, *start[3:5]), gaussian(problem.x, *start[6:8])]
    # six digits are far within the standard errors, to which a search settles by default
    solution = solve(problem.y, terms, np.empty((0, problem.x.size)), effort=Effort(settled=1e-9))
    assert solution is not None
    return solution


def in_their_words(solution: Solution) -> Array:
    """b1 ... b8 from amplitudes and coordinates: a height is area/(sqrt(2π) σ)."""
    decay, first, second = solution.coordinates
    heights = solution.amplitudes[1:] / (np.sqrt(2 * np.pi) * np.exp([first[1], second[1]]))
    widths = np.sqrt(2) * np.exp([first[1], second[1]])
    return np.array(
        [solution.amplitudes[0], np.exp(decay[0]), heights[0], first[0], widths[0], heights[1], second[0], widths[1]]
    )


def standard_errors(solution: Solution, freedom: int) -> Array:
    """Delta method by hand: the columns are amplitude and log b2, then area, centre and log σ of either Gaussian."""
    spread = covariance(solution, range(3))
    assert spread is not None
    b = in_their_words(solution)
    slopes = np.zeros((8, 8))
    slopes[0, 0], slopes[1, 1] = 1, b[1]
    for height, area in ((2, 2), (5, 5)):
        slopes[height, area] = b[height] / solution.amplitudes[1 + height // 4]
        slopes[height, area + 2] = -b[height]
        slopes[height + 1, area + 1] = 1
        slopes[height + 2, area + 2] = b[height + 2]
    return np.sqrt(np.diag(slopes @ spread @ slopes.T) * solution.rss / freedom)


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", PROBLEMS)
def test_certified_values_to_6_digits_and_standard_errors_to_4(name: str, start: int) -> None:
    problem = read(name)
    solution = solved(problem, problem.starts[start])
    assert solution.converged
    np.testing.assert_allclose(in_their_words(solution), problem.certified, rtol=1e-6)
    freedom = problem.x.size - problem.certified.size
    np.testing.assert_allclose(standard_errors(solution, freedom), problem.deviations, rtol=1e-4)
    assert solution.rss == pytest.approx(problem.rss, rel=1e-9)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_tables_are_whole(name: str) -> None:
    problem = read(name)
    b = problem.certified
    model = b[0] * np.exp(-b[1] * problem.x)
    model += sum(b[k] * np.exp(-(((problem.x - b[k + 1]) / b[k + 2]) ** 2)) for k in (2, 5))
    # the certified residual sum of squares belongs to the data and the certified values
    assert np.sum((problem.y - model) ** 2) == pytest.approx(problem.rss, rel=1e-9)
