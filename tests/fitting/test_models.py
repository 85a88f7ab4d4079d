"""Every peak model of the registry: its values by the column's own closed forms, its derivatives by differences."""

from itertools import combinations, permutations

import numpy as np
import pytest

from gcfit.chromatogram import Array
from gcfit.errors import InputError
from gcfit.fitting.loading import change_coordinates, from_core, loaded, to_core
from gcfit.fitting.models import Known, curve, feasible
from gcfit.fitting.registry import MODELS, PARTS, ordered_name
from gcfit.fitting.sampling import Sampling
from tests.column.differences import sixth_order
from tests.fitting.curves import Shape, expected, rows

SAMPLINGS = {"dense": (20.0, 0.0), "uniform": (4.0, 0.0), "uneven": (4.0, 0.3), "undersampled": (0.7, 0.0)}
LOADED = [name for name in MODELS if "load" in name]
UNLOADED = [name for name in MODELS if "load" not in name]
LOADINGS = (-6.0, 0.0, 4.0)
SHARES = (0.04, 0.016)


def shapes() -> list[Shape]:
    made = [Shape(name, 400, 40.0, injection) for name in MODELS for injection in (0.0, 4.0)]
    made += [Shape(name, 2e4, 300.0, injection) for name in MODELS for injection in (0.0, 4.0)]
    made += [
        Shape(name, 400, 40.0, injection, beta) for name in LOADED for beta in LOADINGS for injection in (0.0, 4.0)
    ]
    # few adsorptions: the closed form is the road
    return made + [Shape(name, n, 30.0) for name in UNLOADED for n in (30, 45) if name.startswith("laplace")]


def named(shape: Shape) -> str:
    return f"{shape.model}-n{shape.n:g}-inj{shape.injection:g}-load{shape.loading:g}"


def has_a_reference(shape: Shape) -> bool:
    """Whether `gcfit.column` has the same sum: few adsorptions: the pure law; an injection: the pair."""
    if shape.n < 50:
        return shape.model == "laplace" and not shape.injection
    return "load" not in shape.model and (shape.model.startswith("laplace") or not shape.injection)


def judged_by_differences(shape: Shape, sampling: Sampling, shares: tuple[float, ...] = SHARES) -> dict[str, float]:
    """Departure of each derivative from its difference, over the largest derivative, at the best of some steps.

    The step is a share of σ, of a logarithm, or of a loading: the long one errs by truncation where a loading makes
    the peak sharp, the short one by rounding.
    """
    at, found = shape.coordinates, rows(shape, shape.coordinates, sampling)
    out = {}
    for place, name in enumerate(MODELS[shape.model].parameters):
        unit = {"retention": shape.sigma, "loading": 4.0}.get(name, 1.0)
        slopes = [sixth_order(lambda q: rows(shape, q, sampling)[0], at, place, share * unit) for share in shares]
        departure = min(np.abs(slope - found[place + 1]).max() for slope in slopes)
        out[name] = float(departure / np.abs(found[place + 1]).max())
    return out


@pytest.mark.parametrize("sampling", ["uniform", "uneven", "undersampled"])
@pytest.mark.parametrize("shape", shapes(), ids=named)
def test_exact_jacobian_against_differences_of_order_six(shape: Shape, sampling: str) -> None:
    per_sigma, jitter = SAMPLINGS[sampling]
    departures = judged_by_differences(shape, Sampling.of(shape.times(per_sigma, jitter)))
    assert max(departures.values()) < 1e-7, departures


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("shape", [shape for shape in shapes() if has_a_reference(shape)], ids=named)
def test_linear_curves_against_the_column(shape: Shape, sampling: str) -> None:
    time = shape.times(*SAMPLINGS[sampling])
    judge = expected(shape, shape.coordinates, time)
    found = rows(shape, shape.coordinates, Sampling.of(time))[0]
    assert np.abs(found - judge).max() < 1e-9 * judge.max()


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("loading", [-12.0, -4.0, -0.3, 0.0, 2.0, 12.0])
@pytest.mark.parametrize("n", [400, 2e4])
def test_loaded_curves_and_jacobian_against_thomas_closed_form(n: float, loading: float, sampling: str) -> None:
    shape = Shape("laplace+load", n, 40.0, loading=loading)
    time = shape.times(*SAMPLINGS[sampling])
    at, found = shape.coordinates, rows(shape, shape.coordinates, Sampling.of(time))
    judge = expected(shape, at, time)
    assert np.abs(found[0] - judge).max() < 1e-9 * judge.max()
    for place, step in enumerate((0.01 * shape.sigma, 0.01, 0.05)):
        # the closed form keeps all digits under a loading: short steps are good
        slope = sixth_order(lambda q: expected(shape, q, time), at, place, step)
        assert np.abs(found[place + 1] - slope).max() < 1e-7 * np.abs(slope).max()


@pytest.mark.parametrize("loading", [-20.0, 20.0])
def test_the_strongest_loadings_keep_six_digits(loading: float) -> None:
    # e^{20} × 1e-16 = 5e-8 of rounding in 1 - J
    shape = Shape("laplace+load", 400, 40.0, loading=loading)
    time = shape.times(4.0)
    found, judge = rows(shape, shape.coordinates, Sampling.of(time))[0], expected(shape, shape.coordinates, time)
    assert np.abs(found - judge).max() < 1e-6 * judge.max()


# n, k_d [1/s], β, delays [s] and the loaded law there [1/s]: 50 digits (mpmath), h and both its integrals by quadrature
STRONGLY_LOADED = [
    (2000.0, 25.0, 60.0, (49.7574, 55.6411, 61.5248, 67.4085, 73.2922, 79.1759, 85.0596),
     (6.8046571232046588e-16, 7.0517214249149113e-02, 5.9328196136167709e-02, 3.8485506916753495e-02,
      2.0696399554773037e-02, 6.6960857904202918e-03, 3.6988264928529955e-04)),
    (2000.0, 25.0, -60.0, (74.9404, 80.8241, 86.7078, 92.5915, 98.4752, 104.359, 110.243),
     (3.5739581045158138e-04, 6.6924575498253864e-03, 1.8473427419203853e-02, 3.0593846516910612e-02,
      4.1980972546086133e-02, 5.2520988118392883e-02, 1.2512297378210252e-03)),
    (9000.0, 20.0, 200.0, (309.128, 334.842, 360.557, 386.272, 411.987, 437.702, 463.416),
     (8.4674770754662696e-32, 1.5970333272794106e-02, 1.1772148386920889e-02, 8.0111075943958363e-03,
      4.6361103760232487e-03, 1.6885098113421670e-03, 4.1508118060679251e-05)),
    (60.0, 2.0, 120.0, (7.19295, 24.0737, 40.9545),
     (1.7608439331352851e-02, 2.7113543426146515e-03, 9.0101902875492899e-05)),
]  # fmt: skip


@pytest.mark.parametrize(("n", "rate", "loading", "delay", "judge"), STRONGLY_LOADED)
def test_very_strong_loadings_against_50_digits(
    n: float, rate: float, loading: float, delay: tuple[float, ...], judge: tuple[float, ...]
) -> None:
    sigma = (2 * n) ** 0.5 / rate
    apex, log_width = from_core(n / rate, float(np.log(sigma)), loading)
    sampling = Sampling.of(np.array(delay))
    found = curve(MODELS["laplace+load"], np.array([apex, log_width, loading]), sampling, Known(0.0))
    values = np.zeros(len(delay))
    values[found.first : found.last] = found.rows[0]
    assert np.abs(values - judge).max() < 1e-9 * max(judge)


@pytest.mark.parametrize("name", ["laplace+load", "laplace+tail+load"])
@pytest.mark.parametrize("loading", [-60.0, 40.0, 200.0])
def test_jacobian_of_very_strong_loadings(name: str, loading: float) -> None:
    # beyond the loading up to which apex and width follow a series, and there is a steep flank
    shape = Shape(name, 2000, 30.0, loading=loading)
    departures = judged_by_differences(shape, Sampling.of(shape.times(16.0)), (0.001, 0.001, 0.002))
    assert max(departures.values()) < 1e-5, departures


# few adsorptions in the linear law that the loading bends: 0.7, 21, 6, 26, 23 and 30 of them
SMALL_LOADED = [(8.0, -4.0), (8.0, 3.0), (25.0, -6.0), (25.0, 1.0), (60.0, -12.0), (60.0, -6.0)]


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize(("n", "loading"), SMALL_LOADED)
def test_loaded_curves_of_few_adsorptions(n: float, loading: float, sampling: str) -> None:
    shape = Shape("laplace+load", n, 30.0, loading=loading)
    time = shape.times(*SAMPLINGS[sampling])
    at, found = shape.coordinates, rows(shape, shape.coordinates, Sampling.of(time))
    judge = expected(shape, at, time)
    assert np.abs(found[0] - judge).max() < 1e-10 * judge.max()
    for place, step in enumerate((0.003 * shape.sigma, 0.003, 0.03)):
        slope = sixth_order(lambda q: expected(shape, q, time), at, place, step)
        assert np.abs(found[place + 1] - slope).max() < 1e-7 * np.abs(slope).max()


@pytest.mark.parametrize("name", [name for name in LOADED if name.startswith("laplace")])
@pytest.mark.parametrize("injection", [0.0, 4.0])
@pytest.mark.parametrize(("n", "loading"), [(60.0, -12.0), (60.0, -6.0), (8.0, 3.0), (400.0, -12.0)])
def test_jacobian_of_loaded_curves_by_differences(n: float, loading: float, injection: float, name: str) -> None:
    shape = Shape(name, n, 30.0, injection, loading)
    departures = judged_by_differences(shape, Sampling.of(shape.times(4.0)), (0.016, 0.006, 0.002))
    assert max(departures.values()) < 1e-7, departures


@pytest.mark.parametrize("name", MODELS)
def test_area_is_one_and_the_retention_is_the_mean(name: str) -> None:
    shape = Shape(name, 2000, 100.0, injection=2.0, loading=-1.5)
    time = shape.times(8.0)
    values = rows(shape, shape.coordinates, Sampling.of(time))[0]
    step = time[1] - time[0]
    assert values.sum() * step == pytest.approx(1, abs=1e-7)
    if "load" not in name:
        # moments add: core, site (0.1 σ), tail (0.7 σ), half the injection
        extra = 0.1 * shape.sigma * ("site" in name) + 0.7 * shape.sigma * ("tail" in name or name == "emg") + 1.0
        assert values @ time * step == pytest.approx(160.0 + extra, abs=1e-5 * shape.sigma)


def test_registry_holds_every_combination_of_parts() -> None:
    count = sum(1 for size in range(len(PARTS) + 1) for _ in combinations(PARTS, size))
    assert len(MODELS) == count + 2
    for name, model in MODELS.items():
        assert len(model.parameters) == 2 + sum(len(PARTS[part]) for part in model.parts)
        assert ordered_name(name) == name


@pytest.mark.parametrize("parts", list(permutations(PARTS)))
def test_parts_may_stand_in_any_order(parts: tuple[str, ...]) -> None:
    assert ordered_name(" Laplace+" + "+".join(parts)) == "laplace+" + "+".join(PARTS)


@pytest.mark.parametrize(
    "name", ["", "lorentz", "laplace+", "laplace+tail+tail", "gaussian+site", "emg+tail", "auto+load"]
)
def test_an_unknown_model_lists_the_known_ones(name: str) -> None:
    with pytest.raises(InputError) as caught:
        ordered_name(name)
    assert all(known in str(caught.value) for known in ("auto", *MODELS))


def test_what_does_not_retain_is_no_kinetic_pair() -> None:
    shape = Shape("laplace", 400, 40.0)
    early = shape.coordinates - np.array([45.0, 0.0])
    assert feasible(MODELS["laplace"], shape.coordinates, shape.known)
    assert not feasible(MODELS["laplace"], early, shape.known)
    assert feasible(MODELS["gaussian"], early, shape.known)


def test_a_peak_outside_the_window_has_no_points() -> None:
    shape = Shape("laplace", 2e4, 300.0)
    for time in (np.arange(0.0, 50.0, 0.1), np.arange(900.0, 950.0, 0.1)):
        assert (rows(shape, shape.coordinates, Sampling.of(time)) == 0).all()


@pytest.mark.parametrize("loading", [-25.0, -7.5, 0.0, 0.1, 13.0, 25.0])
def test_loaded_coordinates_there_and_back(loading: float) -> None:
    apex, log_width = from_core(*to_core(123.4, 0.7, loading), loading)
    assert (apex, log_width) == pytest.approx((123.4, 0.7), rel=1e-13)


@pytest.mark.parametrize("loading", [-20.0, -5.0, 3.0, 20.0])
def test_loaded_coordinates_are_apex_and_width(loading: float) -> None:
    # a near-Gaussian law: apex and half-height width of the loaded peak are the coordinates
    shape = Shape("laplace+load", 2e7, 1000.0, loading=loading)
    time = 1060 + shape.sigma * np.arange(-3, 3, 0.005)
    values = expected(shape, shape.coordinates, time)
    assert time[values.argmax()] == pytest.approx(1060.0, abs=0.01 * shape.sigma)
    wide = np.ptp(time[values > values.max() / 2]) / (2 * np.sqrt(2 * np.log(2)))
    assert wide == pytest.approx(shape.sigma, rel=0.01)


@pytest.mark.parametrize("loading", [-9.0, -1e-3, -9e-4, 0.0, 9e-4, 1e-3, 9.0])
def test_bending_against_its_own_formula_and_differences(loading: float) -> None:
    # h and J of a Gaussian law with one coordinate: a shift in time
    x = np.linspace(-4, 4, 41)
    impulse, step = _normal(x)
    found = loaded(impulse, step, loading)
    gain = -np.expm1(-loading) / loading if loading else 1.0
    decay = np.exp(-loading)
    np.testing.assert_allclose(found[0], gain * impulse[0] / (decay * (1 - step[0]) + step[0]), rtol=1e-9)
    shifted = sixth_order(lambda q: loaded(*_normal(x - q[0]), loading)[0], np.zeros(1), 0, 0.02)
    np.testing.assert_allclose(found[1], shifted, atol=1e-9 * np.abs(shifted).max())
    by_loading = sixth_order(lambda q: loaded(impulse, step, q[0])[0], np.array([loading]), 0, 0.05)
    np.testing.assert_allclose(found[2], by_loading, atol=3e-8 * np.abs(by_loading).max())


def _normal(x: Array) -> tuple[Array, Array]:
    """Density and distribution of the normal law and their derivatives by a shift."""
    from scipy.stats import norm

    density = norm.pdf(x)
    return np.stack([density, x * density]), np.stack([norm.cdf(x), -density])


def test_changing_coordinates_is_the_chain_rule() -> None:
    # rows of a function f = a mean + b log σ + c β: derivatives by (apex, log width, β) by differences of to_core
    slopes = np.array([0.7, -1.3, 0.4])
    at = np.array([50.0, 0.3, -4.0])

    def value(q: Array) -> Array:
        mean, log_sigma = to_core(q[0], q[1], q[2])
        return np.array([slopes @ [mean, log_sigma, q[2]]])

    found = change_coordinates(np.concatenate([[0.0], slopes])[:, None], at[1], at[2])
    for place in range(3):
        assert found[place + 1, 0] == pytest.approx(float(sixth_order(value, at, place, 0.02)[0]), rel=1e-9)
