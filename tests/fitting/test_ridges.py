"""Ridges of bulges made by hand, with the response of Gaussians in closed form."""

import numpy as np

from gcfit.fitting.curvature import Bulges
from gcfit.fitting.ridges import follow

Bulge = tuple[float, float, float]  # position, σ, height


def response(position: float, sigma: float, height: float, scale: float, place: float) -> float:
    """-d²/dt² of a Gaussian smoothed by one of a scale, without the sign change beyond its zeros."""
    spread = sigma**2 + scale**2
    return float(height * sigma / spread**1.5 * np.exp(-((place - position) ** 2) / (2 * spread)))


def made(scales: dict[float, list[Bulge]]) -> Bulges:
    """The bulges of Gaussians at some scales, each as wide as its zeros."""
    columns, limits = [], [0]
    for scale, some in scales.items():
        for position, sigma, high in some:
            reach, top = np.hypot(sigma, scale), response(position, sigma, high, scale, position)
            columns.append([position, sigma, high, top, 10.0, -top / 2, -top / 2, scale, reach, reach])
        limits.append(len(columns))
    return Bulges(np.array(columns).T, limits)


def ends(found: Bulges) -> list[tuple[float, float]]:
    """Position and scale of each ridge."""
    ridges = follow(found)
    return list(zip(ridges.position.tolist(), ridges.scale.tolist(), strict=True))


def test_a_bulge_that_holds_one_ridge_continues_it_until_it_is_mature() -> None:
    # 0.6 of a width of 5 is 3: the scale of 4 is the first beyond, and that of 8 only blurs the peak
    assert ends(made({s: [(100 + s, 5.0, 1.0)] for s in (1.0, 2.0, 4.0, 8.0)})) == [(104.0, 4.0)]


def test_a_ridge_outside_all_bulges_stays_where_it_was() -> None:
    found = made({1.0: [(100.0, 9.0, 1.0), (200.0, 9.0, 1.0)], 2.0: [(201.0, 9.0, 1.0)]})
    assert ends(found) == [(100.0, 1.0), (201.0, 2.0)]


def test_the_sum_of_two_ridges_starts_none_and_ends_both() -> None:
    pair: list[Bulge] = [(96.0, 3.0, 1.0), (104.0, 3.0, 1.0)]
    # the last bulge holds the first of them alone, which ended before
    both = {1.0: pair, 2.0: [(100.0, 6.0, 1.2)], 4.0: [(97.0, 3.0, 1.0)]}
    assert ends(made(both)) == [(96.0, 1.0), (104.0, 1.0)]


def test_a_bulge_that_its_ridges_do_not_explain_starts_one() -> None:
    small: list[Bulge] = [(96.0, 3.0, 0.01), (104.0, 3.0, 0.01)]
    assert ends(made({1.0: small, 2.0: [(100.0, 12.0, 1.0)]})) == [(96.0, 1.0), (100.0, 2.0), (104.0, 1.0)]


def test_what_lies_beside_a_bulge_explains_it_too() -> None:
    # the ridges lie just outside its zeros, and their tails make it up
    beside: list[Bulge] = [(95.0, 4.0, 1.0), (105.0, 4.0, 1.0)]
    found = made({1.0: beside, 2.0: [(100.0, 4.0, 0.5)]})
    assert sum(response(*one, 2.0, 100.0) for one in beside) > 0.3 * found.response[2]
    assert ends(found) == [(95.0, 1.0), (105.0, 1.0)]
