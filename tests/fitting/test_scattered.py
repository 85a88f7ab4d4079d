"""The Fourier sum at scattered times against its definition, wave by wave."""

import numpy as np
import pytest

from gcfit.fitting.scattered import MANY, synthesised


@pytest.mark.parametrize(("count", "points"), [(40, 300), (300, 900), (2000, 700), (2047, 50), (2048, 50)])
def test_against_the_sum_of_waves(count: int, points: int) -> None:
    random = np.random.default_rng(count)
    period = 73.0
    delay = np.sort(random.uniform(0, period, points))
    decay = np.exp(-3 * np.arange(count + 1) / count)
    spectrum = decay * (random.standard_normal((4, count + 1)) + 1j * random.standard_normal((4, count + 1)))
    spectrum[:, 0] = spectrum[:, 0].real
    found = synthesised(spectrum, period, delay)
    expected = np.zeros((4, points))
    for k in range(count + 1):
        wave = np.exp(2j * np.pi * k * delay / period)
        expected += (1 if k == 0 else 2) / period * (spectrum[:, k : k + 1] * wave).real
    assert np.abs(found - expected).max() < 1e-12 * np.abs(expected).max()


def test_the_ends_of_the_period_wrap() -> None:
    count, period = 4000, 10.0
    delay = np.repeat([0.0, 1e-9, period / 2, period - 1e-9, period], 4)
    assert count * delay.size > MANY
    # a Gaussian at the begin, half of it behind the end
    sigma = 0.02
    omega = 2 * np.pi * np.arange(count + 1) / period
    spectrum = np.exp(-0.5 * (sigma * omega) ** 2)[None].astype(complex)
    top = 1 / (np.sqrt(2 * np.pi) * sigma)
    expected = np.repeat([top, top, 0.0, top, top], 4)
    assert synthesised(spectrum, period, delay)[0] == pytest.approx(expected, abs=1e-11 * top)
