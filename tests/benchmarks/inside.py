"""One chromatogram fitted in this process: `python -m tests.benchmarks.inside FILE HOLD_UP`; one JSON object out.

Seconds are those of the processor, the least of some repetitions: reading, noise, detection, the whole fit, and the
curves with their derivatives that the fit asked for, computed once more on their own.
"""

import json
import resource
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from time import process_time

import gcfit
from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting.detect import find_peaks
from gcfit.fitting.fit import fit
from gcfit.fitting.models import Known, curve
from gcfit.fitting.noise import estimate_noise
from gcfit.fitting.records import FitSettings
from gcfit.fitting.registry import PeakModel
from gcfit.fitting.sampling import Curve, Sampling
from gcfit.fitting.task import Task

LONG = 200_000  # points, from which once is enough
Call = tuple[PeakModel, Array, Sampling, Known]


def least(call: Callable[[], object], repeat: int) -> float:
    """Seconds of the processor, the quickest of some calls."""
    best = float("inf")
    for _ in range(repeat):
        begun = process_time()
        call()
        best = min(best, process_time() - begun)
    return best


def asked_for(chromatogram: Chromatogram, settings: FitSettings) -> list[Call]:
    """The arguments of every curve that a fit evaluates."""
    calls: list[Call] = []

    def noted(model: PeakModel, parameters: Array, sampling: Sampling, known: Known) -> Curve:
        calls.append((model, parameters, sampling, known))
        return curve(model, parameters, sampling, known)

    def noting(function: Callable[[Sequence[Task]], object], groups: Iterable[Sequence[Task]]) -> list[object]:
        return [function([replace(task, curve=noted) for task in group]) for group in groups]

    fit(chromatogram, settings=settings, map_=noting)
    return calls


def main() -> None:
    path, hold_up = sys.argv[1], float(sys.argv[2])
    begun = process_time()
    chromatogram = gcfit.read(path)
    reading = process_time() - begun
    repeat = 1 if chromatogram.time.size > LONG else 5
    settings = FitSettings(hold_up=hold_up)
    noise = estimate_noise(chromatogram.time, chromatogram.signal)
    seconds = {
        "read": reading,
        "noise": least(lambda: estimate_noise(chromatogram.time, chromatogram.signal), repeat),
        "detect": least(lambda: find_peaks(chromatogram.time, chromatogram.signal, noise), repeat),
        "fit": least(lambda: fit(chromatogram, settings=settings), repeat),
    }
    calls = asked_for(chromatogram, settings) if repeat > 1 else []
    seconds["curves"] = least(lambda: [curve(*call) for call in calls], repeat)
    found = [(peak.retention_time_s, peak.area) for peak in fit(chromatogram, settings=settings).peaks]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    answer = {"seconds": seconds, "curves": len(calls), "points": chromatogram.time.size, "memory_mb": memory}
    json.dump({**answer, "peaks": found}, sys.stdout)


if __name__ == "__main__":
    main()
