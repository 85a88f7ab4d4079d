"""The numerical solver beside CADET-Core: one linear component, rectangular injection, error and time in one run.

    python3.12 -m venv cadet && cadet/bin/pip install cadet-core==5.1.1 cadet-python==1.3.0 packaging
    OMP_NUM_THREADS=1 .venv/bin/python -m tests.benchmarks.cadet_bench --python cadet/bin/python

Hold-up 60 s, mean 205 s, injection 1 s or one standard deviation, error on 801 times over 16 σ against
the noncentral chi-square law. Every case is run in turn, the quickest of the repetitions counts. CADET-Core needs
Python 3.12, hence the environment of its own; its seconds are those that it measures itself. Both run on one thread.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from gcfit.chromatogram import Array
from gcfit.column.numerical import solve
from gcfit.column.system import Carrier, Column, Component, Injection, System
from tests.column.paper import rectangle

HOLD_UP, MEAN = 60.0, 205.0
TOLERANCES = 1e-8, 1e-6  # absolute, relative: tighter ones change neither error
ASKED = {1e4: (1e-3, 1.0), 1e5: (3e-3, 0.5)}  # plates: error, share of the time of CADET-Core
CADET = {1e4: (("DG", 60), ("DG", 100), ("DG", 200), ("FV", 2000)), 1e5: (("DG", 200), ("DG", 300), ("DG", 400))}
COMPARED = {1e4: "DG 100", 1e5: "DG 300"}


@dataclass(frozen=True)
class Case:
    """One peak: duration of the injection [s], α k_a and k_d [1/s]."""

    plates: float
    duration: float
    adsorption: float
    desorption: float

    @property
    def time(self) -> Array:
        sigma = MEAN / np.sqrt(self.plates)
        return np.linspace(MEAN - 8 * sigma, MEAN + 8 * sigma, 801)

    @property
    def expected(self) -> Array:
        return rectangle(self.time, HOLD_UP, self.adsorption * HOLD_UP, self.desorption, self.duration)


@dataclass(frozen=True)
class Measured:
    """Error in units of the apex, seconds on the clock and of the processor."""

    error: float
    wall: float
    cpu: float


def case_of(plates: float) -> Case:
    """The kinetic pair with this mean and plate number, from the moments of the linear law."""
    sigma = MEAN / np.sqrt(plates)
    duration = min(1.0, float(sigma))
    delay, variance = MEAN - HOLD_UP - duration / 2, sigma**2 - duration**2 / 12
    desorption = 2 * delay / variance
    return Case(plates, duration, desorption * delay / HOLD_UP, desorption)


def ours(case: Case) -> Measured:
    """`numerical.solve` at its default resolution."""
    phase_ratio = 0.02
    component = Component("x", case.adsorption / phase_ratio, case.desorption, inlet_concentration=1.0)
    carrier = Carrier(2e5, 1e5, inlet_velocity=6 / HOLD_UP, velocity="constant")
    system = System(Column(6.0, 1e-4, 1e-6), carrier, Injection(case.duration), components=(component,))
    wall, cpu = perf_counter(), process_time()
    curve = solve(system, case.time).outlet[0]
    return Measured(error_of(curve, case), perf_counter() - wall, process_time() - cpu)


def cadet(case: Case, method: str, cells: int, python: str) -> Measured:
    """CADET-Core in its own process."""
    task = {
        "hold_up": HOLD_UP,
        "adsorption": case.adsorption,
        "desorption": case.desorption,
        "duration": case.duration,
        "times": [0.0, *case.time.tolist()],
        "method": method,
        "cells": cells,
        "tolerances": TOLERANCES,
    }
    script = Path(__file__).with_name("cadet_run.py")
    run = subprocess.run([python, script], input=json.dumps(task), capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(f"{script.name} failed: {run.stderr.strip().splitlines()[-1]}")
    answer = json.loads(run.stdout)
    return Measured(error_of(np.array(answer["outlet"][1:]), case), answer["wall_s"], answer["cpu_s"])


def error_of(curve: Array, case: Case) -> float:
    return float(np.abs(curve - case.expected).max() / case.expected.max())


def quickest(measure: Callable[[], Measured], repeat: int) -> Measured:
    return min((measure() for _ in range(repeat)), key=lambda one: one.cpu)


def measured(case: Case, python: str, repeat: int) -> Iterator[tuple[str, Measured]]:
    yield "gcfit", quickest(lambda: ours(case), repeat)
    for method, cells in CADET[case.plates]:
        yield f"{method} {cells}", quickest(lambda m=method, c=cells: cadet(case, m, c, python), repeat)  # type: ignore[misc]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", required=True, help="Python of the environment that has CADET-Core")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    ours(case_of(1e3))  # imports
    for plates, (bound, share) in ASKED.items():
        print(f"\n{plates:.0e} plates; asked: error {bound:g} in {share:g} of the time of {COMPARED[plates]}\n")
        print("| solver | error/apex | s | CPU s |\n|---|---|---|---|")
        rows = {}
        for name, row in measured(case_of(plates), options.python, options.repeat):
            rows[name] = row
            print(f"| {name} | {row.error:.1e} | {row.wall:.2f} | {row.cpu:.2f} |", flush=True)
        mine, other = rows["gcfit"], rows[COMPARED[plates]]
        ratios = f"{mine.wall / other.wall:.2g} of the time, {mine.cpu / other.cpu:.2g} of the CPU time"
        print(f"\ngcfit: {ratios}, error {'met' if mine.error <= bound else 'MISSED'}")


if __name__ == "__main__":
    main()
