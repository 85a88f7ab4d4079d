"""The paper's claim, measured: one integral fitted in pairs, the full equations, and ten parameters at once.

    OMP_NUM_THREADS=1 .venv/bin/python -m tests.benchmarks.claim

Five BTEX analytes, 650 s at 5 Hz, noise of 0.3 % of the mean apex. What is timed is what `gcfit compare --with
numerical` does: the same detection, windows, start values and search for every solver. To evaluate is to give the five
curves and their derivatives by retention and width at the points where they are above nothing, as each step of a fit
needs them: the Laplace solution gives exact derivatives with the curve, the others take differences. To fit is all
that is done in the windows. Seconds are those of the processor, on one thread, the quickest of some.
"""

from collections.abc import Sequence
from time import process_time

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting.comparison import NUMERICAL, PAIR, Trial, Way, compare_models
from gcfit.fitting.models import Known
from gcfit.fitting.registry import MODELS
from gcfit.fitting.sampling import Sampling
from gcfit.fitting.solver_curves import CURVES
from tests.column.paper import DERIVED, HOLD_UP, INJECTION, PAIRS, btex

NAMES = tuple(PAIRS)
SYSTEM = btex()
KNOWN = Known(HOLD_UP, INJECTION)
WAYS = {
    "laplace (Fourier sum), in pairs": Way(PAIR),
    "laplace, ten parameters at once": Way(PAIR, "simultaneous"),
    "quadrature, in pairs": Way(PAIR, solver="quadrature"),
    "full equations, in pairs": NUMERICAL,
}
REPEAT, LEAST_SECONDS = 3, 0.2


def coordinates(name: str) -> Array:
    """Mean [s] and log σ of the adsorption alone."""
    _, mean, sigma, *_ = DERIVED[name]
    return np.array([mean - INJECTION / 2, 0.5 * np.log(sigma**2 - INJECTION**2 / 12)])


def measured_run() -> Chromatogram:
    """The run, noise seeded; curves by quadrature, which no fit under test evaluates but its own."""
    time = np.arange(0.2, 650.0, 0.2)
    signal, heights = np.full_like(time, 3935.4), []
    for name in NAMES:
        curve = CURVES["quadrature"](MODELS[PAIR], coordinates(name), Sampling.of(time), KNOWN)
        assert curve is not None
        part = PAIRS[name][3] * curve.rows[0]
        signal[curve.first : curve.last] += part
        heights.append(part.max())
    noise = np.random.default_rng(11).standard_normal(time.size)
    return Chromatogram(time, signal + 0.003 * np.mean(heights) * noise)


def evaluated(solver: str, time: Array) -> float:
    """Seconds for the five curves and their derivatives, the mean of some."""
    sampling = Sampling.of(time)
    begun, count = process_time(), 0
    while count == 0 or process_time() - begun < LEAST_SECONDS:
        for name in NAMES:
            CURVES[solver](MODELS[PAIR], coordinates(name), sampling, KNOWN)
        count += 1
    return (process_time() - begun) / count


def rates(trial: Trial) -> Array:
    """k_a and k_d [1/s] by component, shape (5, 2)."""
    found = {peak.name: (peak.k_a_per_s, peak.k_d_per_s) for peak in trial.fit.peaks}
    return np.array([found[name] for name in NAMES], dtype=np.float64)


def fitted(run: Chromatogram, ways: Sequence[Way]) -> list[Trial]:
    """Each way of fitting, the quickest of some in rounds: what slows the machine for a while slows all of them."""
    rounds = [[_quickest(run, way) for way in ways] for _ in range(REPEAT)]
    return [min(trials, key=lambda trial: trial.seconds) for trials in zip(*rounds, strict=True)]


def _quickest(run: Chromatogram, way: Way) -> Trial:
    """The quickest of as many as warm the machine, so that it is as warm as for the evaluations."""
    begun, trials = process_time(), list[Trial]()
    while not trials or process_time() - begun < LEAST_SECONDS:
        trials += compare_models(run, SYSTEM, ways=[way])
    return min(trials, key=lambda trial: trial.seconds)


def main() -> None:
    run = measured_run()
    compare_models(run, SYSTEM, ways=[Way(PAIR)])  # imports
    print(f"five analytes at {run.time.size} times\n\n| solver | CPU s to evaluate | of laplace |\n|---|---|---|")
    rounds = [{name: evaluated(name, run.time) for name in CURVES} for _ in range(REPEAT)]
    seconds = {name: min(one[name] for one in rounds) for name in CURVES}
    for name, one in seconds.items():
        print(f"| {name} | {one:.6f} | {one / seconds[PAIR]:.1f} |", flush=True)
    print("\nlargest error of k_a, k_d, and largest difference from the first row\n")
    print("| fit | CPU s | of the first | R² | error, % | difference, % |\n|---|---|---|---|---|---|")
    trials = fitted(run, list(WAYS.values()))
    true, first = np.array([PAIRS[name][:2] for name in NAMES]), rates(trials[0])
    for name, trial in zip(WAYS, trials, strict=True):
        error, difference = (100 * np.abs(rates(trial) / other - 1).max() for other in (true, first))
        timed = f"{trial.seconds:.4f} | {trial.seconds / trials[0].seconds:.1f}"
        print(f"| {name} | {timed} | {trial.r_squared:.6f} | {error:.2f} | {difference:.3f} |")


if __name__ == "__main__":
    main()
