"""The scale space against analytic curvatures, plain loops and simulated noise."""

from itertools import pairwise

import numpy as np
import pytest

from gcfit.fitting.curvature import Bulges, LocalNoise, bulges, maxima_above, stand_apart
from gcfit.fitting.kernels import curvature_kernel, extended, variance_through
from tests.fitting.shapes import autoregressive, gaussian, white

POINTS = np.arange(4000.0)


def quiet(points: int, variance: float = 1e-12) -> LocalNoise:
    return LocalNoise(np.array([variance]), np.ones(points), np.zeros(points))


def by_scale(found: Bulges) -> list[Bulges]:
    """The bulges of each scale that has any."""
    return [Bulges(found.table[:, low:high], [0, high - low]) for low, high in pairwise(found.limits)]


@pytest.mark.parametrize("deviation", [0.3, 0.6, 0.8, 1.0, 2.0, 5.0])
def test_the_kernel_is_exact_for_parabolas_and_blind_to_lines(deviation: float) -> None:
    kernel = curvature_kernel(deviation)
    x = np.arange(kernel.size) - kernel.size // 2
    assert np.sum(kernel) == pytest.approx(0, abs=1e-13)
    assert np.sum(kernel * x) == pytest.approx(0, abs=1e-12)
    assert np.sum(kernel * x**2) == pytest.approx(-2, rel=1e-12)  # -d²/dx² x² = -2


@pytest.mark.parametrize("sigma", [3.0, 10.0, 40.0])
def test_place_width_height_and_response_of_a_gaussian_at_every_scale(sigma: float) -> None:
    apex = 2000.3
    seen = by_scale(bulges(gaussian(POINTS, apex, sigma, 7.0), quiet(4000), 5.5, 0.03, 200.0))
    assert len({level.scale[0] for level in seen}) == len(seen) > 8
    for level in seen:
        main, scale = int(np.argmax(level.response)), level.scale[0]
        assert (level.scale == scale).all()
        expected = 7 * sigma * (sigma**2 + scale**2) ** -1.5  # second derivative of a Gaussian of that variance
        assert level.response[main] == pytest.approx(expected, rel=0.04)  # sampled at steps of half its width
        assert level.position[main] == pytest.approx(apex, abs=0.1 * scale)
        assert level.left[main] == pytest.approx(np.hypot(sigma, scale), rel=0.06, abs=0.15)
        assert level.right[main] == pytest.approx(np.hypot(sigma, scale), rel=0.06, abs=0.15)
        if scale < 2 * sigma:
            assert level.sigma[main] == pytest.approx(sigma, rel=0.1)
            assert level.height[main] == pytest.approx(7.0, rel=0.1)
            # the counter-curvature of a Gaussian is 2 exp(-3/2) of its curvature
            assert level.left_lobe[main] / level.response[main] == pytest.approx(-2 * np.exp(-1.5), abs=0.035)


def test_the_noise_of_each_scale_against_simulation() -> None:
    rho = 0.7
    signal = autoregressive(2, rho, 200_000)
    covariance = rho ** np.arange(60.0)
    kernel = curvature_kernel(2.0)
    two_sided = np.concatenate([covariance[:0:-1], covariance])
    measured = np.std(np.convolve(signal, kernel, "valid"))
    assert np.sqrt(variance_through(two_sided, kernel)) == pytest.approx(measured, rel=0.02)
    noise = LocalNoise(covariance, np.ones(signal.size), np.zeros(signal.size))
    levels = by_scale(bulges(signal, noise, 2.0, 0.0, 64.0))
    assert len(levels) > 10
    for level in levels:
        # a lone maximum of a Gaussian process in 200,000 points hardly exceeds 5 standard deviations, and some exceed 3
        assert 3.2 < level.significance.max() < 5.5


def test_variance_through_against_the_double_sum() -> None:
    kernel, acf = curvature_kernel(1.0), 0.6 ** np.arange(40.0)
    expected = sum(kernel[i] * kernel[j] * acf[abs(i - j)] for i in range(kernel.size) for j in range(kernel.size))
    assert variance_through(np.concatenate([acf[:0:-1], acf]), kernel) == pytest.approx(expected, rel=1e-12)


def test_a_line_is_continued_as_a_line() -> None:
    line = 3.0 + 0.5 * np.arange(30)
    assert np.allclose(extended(line, 8), 3.0 + 0.5 * np.arange(-8, 38))


def test_no_bulge_in_lines_and_constants() -> None:
    for signal in (np.zeros(300), np.arange(300.0), 5 - 2 * np.arange(300.0)):
        assert not bulges(signal, quiet(300, 1e-10), 5.5, 0.03, 24.0).position.size


def by_hand(response: np.ndarray, found: list[int], dip: list[float], split: float) -> list[int]:
    """Merge maxima one at a time, the lowest saddle first seen from the lower maximum."""
    left = list(found)
    while len(left) > 1:
        for k, i in enumerate(left):
            sides = []
            if k > 0:
                sides.append((response[left[k - 1] : i].min(), response[left[k - 1]], True))
            if k + 1 < len(left):
                sides.append((response[i : left[k + 1]].min(), response[left[k + 1]], False))
            valley, other, _ = max(sides, key=lambda side: (side[0], side[2]))
            depth = response[i] - valley
            if response[i] <= other and (min(depth, response[i]) < dip[found.index(i)] or depth < split * other):
                left.remove(i)
                break
        else:
            break
    return left


@pytest.mark.parametrize("least", [0.8, 1.6])
@pytest.mark.parametrize("seed", range(40))
def test_stand_apart_against_merging_by_hand(seed: int, least: float) -> None:
    response = np.convolve(white(seed, 160), np.ones(4) / 2, "valid") + 1.5
    found = maxima_above(response, 0.5)
    inner = [i for i in range(1, 156) if response[i] > 0.5 and response[i - 1] < response[i] >= response[i + 1]]
    assert list(found) == inner
    dip = np.full(found.size, least)
    apart = stand_apart(response, found, dip, 0.3)
    assert list(found[apart]) == by_hand(response, list(found), list(dip), 0.3)


def test_levels_one_after_the_other_do_not_merge() -> None:
    single = [np.convolve(white(seed, 160), np.ones(4) / 2, "valid") + 1.5 for seed in range(6)]
    gap = np.array([-np.inf])
    joined = np.concatenate([part for one in single for part in (gap, one)] + [gap])
    found = maxima_above(joined, 0.5)
    inner = found[np.isfinite(joined[found - 1]) & np.isfinite(joined[found + 1])]
    apart = inner[stand_apart(joined, inner, np.full(inner.size, 1.6), 0.3)]
    expected = []
    for level, one in enumerate(single):
        alone = list(maxima_above(one, 0.5))
        expected += [i + 1 + level * (one.size + 1) for i in by_hand(one, alone, [1.6] * len(alone), 0.3)]
    assert list(apart) == expected


def test_a_maximum_alone_in_its_level_has_nothing_to_merge_with() -> None:
    gap = -np.inf
    joined = np.array([gap, 0.0, 2.0, 0.0, gap, 0.0, 1.0, 0.0, gap, 0.0, 3.0, 0.0, gap])
    assert stand_apart(joined, np.array([2, 6, 10]), np.full(3, 5.0), 0.3).all()


def test_regional_factor_and_ripple_raise_the_thresholds() -> None:
    signal = gaussian(POINTS, 1000, 5, 30.0) + gaussian(POINTS, 3000, 5, 30.0) + white(2, 4000)
    factor, ripple = np.ones(4000), np.zeros(4000)
    factor[2500:] = 20.0
    found = bulges(signal, LocalNoise(np.ones(1), factor, ripple), 5.5, 0.03, 100)
    assert {round(p, -2) for p in found.position} == {1000.0}
    signal = gaussian(POINTS, 1000, 5, 30.0) + gaussian(POINTS, 1014, 5, 30.0)
    both = by_scale(bulges(signal, LocalNoise(np.ones(1), np.ones(4000), ripple), 5.5, 0.03, 4))
    one = by_scale(bulges(signal, LocalNoise(np.ones(1), np.ones(4000), ripple + 20), 5.5, 0.03, 4))
    assert max(level.position.size for level in both) == 2
    assert max(level.position.size for level in one) == 1
