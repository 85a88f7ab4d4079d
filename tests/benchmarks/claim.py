"""The paper's claim, measured: one integral fitted in pairs, the full equations, and ten parameters at once.

    OMP_NUM_THREADS=1 .venv/bin/python -m tests.benchmarks.claim

Five BTEX analytes, 650 s at 5 Hz, noise of 0.3 % of the mean apex. Every fit is the same: variable projection (areas
and a line as baseline are linear), Levenberg-Marquardt in retention time and log σ, a Jacobian by differences in which
a parameter costs one curve. Pairs are fitted window by window, components that overlap together; only the solver of
the column, or what is fitted at once, differs. Seconds are those of the processor, on one thread.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import process_time

import numpy as np
from scipy.optimize import least_squares

from gcfit.chromatogram import Array
from gcfit.column import laplace
from gcfit.column.flow import flow_of
from gcfit.column.numerical import solve
from gcfit.column.quadrature import Inlet, Pair, response
from gcfit.column.system import Component, System
from tests.column.paper import DERIVED, INJECTION, PAIRS, btex

NAMES = tuple(PAIRS)
SYSTEM: System = btex()
HOLD_UP = flow_of(SYSTEM).hold_up
WINDOWS = (("benzene",), ("toluene",), ("ethylbenzene", "p,m-xylene"), ("o-xylene",))
REACH, STEP, REPEAT = 6.0, 1e-4, 3
# unit-area curve of (mean [s], σ [s]) of the adsorption at times [s]
Curve = Callable[[Array, float, float], Array]


@dataclass(frozen=True)
class Outcome:
    """Rates by component, curves computed, seconds of the processor."""

    rates: dict[str, tuple[float, float]]
    curves: int
    seconds: float


def pair_of(mean: float, sigma: float) -> tuple[float, float]:
    """n and k_d from mean and standard deviation without injection."""
    delay = mean - HOLD_UP
    desorption = 2 * delay / sigma**2
    return desorption * delay, desorption


def by_laplace(time: Array, mean: float, sigma: float) -> Array:
    n, desorption = pair_of(mean, sigma)
    return laplace.outlet(time, laplace.Law(HOLD_UP, n, desorption, duration=INJECTION))


def by_quadrature(time: Array, mean: float, sigma: float) -> Array:
    n, desorption = pair_of(mean, sigma)
    return response(Pair(HOLD_UP, n, desorption), Inlet(INJECTION), time)


def by_full_equations(time: Array, mean: float, sigma: float) -> Array:
    n, desorption = pair_of(mean, sigma)
    component = Component("x", n / HOLD_UP / SYSTEM.column.phase_ratio, desorption, area=1.0)
    return solve(replace(SYSTEM, components=(component,)), time).outlet[0]


CURVES: dict[str, Curve] = {
    "laplace (Fourier sum)": by_laplace,
    "quadrature": by_quadrature,
    "full equations": by_full_equations,
}


def measured_run() -> tuple[Array, Array]:
    """Times and signal of the run, noise seeded."""
    time = np.arange(0.2, 650.0, 0.2)
    parts = [PAIRS[name][3] * by_laplace(time, DERIVED[name][1] - 2, _sigma(name)) for name in NAMES]
    noise = np.random.default_rng(11).standard_normal(time.size)
    return time, 3935.4 + np.sum(parts, axis=0) + 0.003 * np.mean([part.max() for part in parts]) * noise


def _sigma(name: str) -> float:
    """σ without the injection."""
    return float(np.sqrt(DERIVED[name][2] ** 2 - INJECTION**2 / 12))


class Fit:
    """One least-squares problem: components `names` on the times of a window."""

    def __init__(self, curve: Curve, names: Sequence[str], time: Array, signal: Array) -> None:
        inside = np.zeros(time.size, dtype=bool)
        for name in names:
            inside |= np.abs(time - DERIVED[name][1]) < REACH * DERIVED[name][2]
        self.curve, self.names, self.computed = curve, names, 0
        self.time, self.signal = time[inside], signal[inside]
        line = np.linspace(-1, 1, self.time.size)
        self.line = np.stack([np.ones_like(line), line])
        self.columns: dict[int, tuple[bytes, Array]] = {}

    def column(self, index: int, pair: Array) -> Array:
        """Curve of one component, computed anew only when its pair has changed."""
        key = pair.tobytes()
        if self.columns.get(index, (b"", None))[0] != key:
            self.computed += 1
            self.columns[index] = key, self.curve(self.time, float(pair[0]), float(np.exp(pair[1])))
        return self.columns[index][1]

    def residual(self, pairs: Array) -> Array:
        columns = [self.column(index, pair) for index, pair in enumerate(pairs.reshape(-1, 2))]
        return self.projected(np.stack([*columns, *self.line]))

    def projected(self, columns: Array) -> Array:
        scaled = columns / np.abs(columns).max(axis=1, keepdims=True)
        best = np.linalg.lstsq(scaled.T, self.signal, rcond=None)[0]
        return np.asarray(self.signal - best @ scaled)

    def jacobian(self, pairs: Array) -> Array:
        now, slopes = self.residual(pairs), []
        columns = [self.columns[index][1] for index in range(len(self.names))]
        for place in range(pairs.size):
            moved, step = pairs.copy(), STEP * (np.exp(pairs[place + 1]) if place % 2 == 0 else 1.0)
            moved[place] += step
            index = place // 2
            self.computed += 1
            mean, log_sigma = moved[2 * index : 2 * index + 2]
            changed = list(columns)
            changed[index] = self.curve(self.time, float(mean), float(np.exp(log_sigma)))
            slopes.append((self.projected(np.stack([*changed, *self.line])) - now) / step)
        return np.stack(slopes, axis=1)

    def run(self) -> dict[str, tuple[float, float]]:
        start = [(DERIVED[name][1] - 2 + 0.3 * _sigma(name), np.log(1.15 * _sigma(name))) for name in self.names]
        best = least_squares(self.residual, np.ravel(start), self.jacobian, method="lm", xtol=1e-8, ftol=1e-10)
        found = {}
        for name, (mean, log_sigma) in zip(self.names, best.x.reshape(-1, 2), strict=True):
            n, desorption = pair_of(float(mean), float(np.exp(log_sigma)))
            found[name] = n / HOLD_UP / SYSTEM.column.phase_ratio, desorption
        return found


def fitted(curve: Curve, windows: Sequence[Sequence[str]], time: Array, signal: Array) -> Outcome:
    begun, rates, computed = process_time(), {}, 0
    for names in windows:
        fit = Fit(curve, names, time, signal)
        rates |= fit.run()
        computed += fit.computed
    return Outcome(rates, computed, process_time() - begun)


def evaluated(curve: Curve, time: Array) -> float:
    """Seconds for the five curves, the quickest of some."""
    seconds = []
    for _ in range(REPEAT):
        begun = process_time()
        for name in NAMES:
            curve(time, DERIVED[name][1] - 2, _sigma(name))
        seconds.append(process_time() - begun)
    return min(seconds)


def main() -> None:
    time, signal = measured_run()
    for curve in CURVES.values():
        curve(time[:5], 100.0, 5.0)  # imports
    print(f"five analytes at {time.size} times\n\n| solver | CPU s to evaluate | of laplace |\n|---|---|---|")
    seconds = {name: evaluated(curve, time) for name, curve in CURVES.items()}
    least = next(iter(seconds.values()))
    for name, one in seconds.items():
        print(f"| {name} | {one:.4f} | {one / least:.1f} |")
    print("\n| fit | CPU s | of laplace in pairs | curves | largest error of k_a, k_d, % |\n|---|---|---|---|---|")
    fits = [(f"{name}, in pairs", curve, WINDOWS) for name, curve in CURVES.items()]
    fits.insert(1, ("laplace, ten parameters at once", by_laplace, (NAMES,)))
    base = 0.0
    for name, curve, windows in fits:
        best = min((fitted(curve, windows, time, signal) for _ in range(REPEAT)), key=lambda one: one.seconds)
        base = base or best.seconds
        errors = [abs(a / b - 1) for key in NAMES for a, b in zip(best.rates[key], PAIRS[key][:2], strict=True)]
        print(f"| {name} | {best.seconds:.3f} | {best.seconds / base:.1f} | {best.curves} | {100 * max(errors):.2f} |")


if __name__ == "__main__":
    main()
