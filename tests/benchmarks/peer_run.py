"""One program of others on some chromatograms, in an environment of its own; knows nothing of gcfit.

    python peer_run.py PROGRAM FILE...     one JSON object out: for each file, seconds and (apex [s], area) of each peak

Seconds are those of the processor for the fit alone, with the program's defaults but for what it must be told: the
least prominence of a peak, as a share of the signal. One is also tuned by hand: of 24 settings of its least
prominence, height of a peak's foot, buffer and peak width, that with the least of the largest area errors on W1 among
those that find its six peaks in half a second.
"""

import json
import sys
import warnings
from importlib import import_module
from time import process_time

import numpy as np

PROMINENCE = 0.01
TUNED = {"prominence": 0.02, "rel_height": 0.95, "approx_peak_width": 0.2}  # the last in minutes


def by_hplc_py(time, signal, **settings):
    import pandas as pd
    from hplc.quant import Chromatogram

    run = Chromatogram(pd.DataFrame({"time": time / 60, "signal": signal}), cols={"time": "time", "signal": "signal"})
    peaks = run.fit_peaks(**{"prominence": PROMINENCE, "verbose": False} | settings)
    step = time[1] - time[0]
    return [(60 * row.retention_time, row.area * step) for row in peaks.itertuples()]


def by_hplc_py_tuned(time, signal):
    return by_hplc_py(time, signal, **TUNED)


def by_mocca2(time, signal):
    from mocca2 import Chromatogram
    from mocca2.classes import Data2D

    data = Data2D(time / 60, np.array([250.0]), signal[None, :])
    run = Chromatogram(data)
    run.correct_baseline()
    run.find_peaks(min_height=PROMINENCE * np.ptp(signal))
    run.deconvolve_peaks(model="Bemg", min_r2=0.999, relaxe_concs=False, max_comps=2)
    out = []
    for peak in run.peaks:
        for component in peak.components:
            curve = component.concentration * np.asarray(component.spectrum).ravel()[0]
            out.append((float(time[component.elution_time]), float(curve.sum() * (time[1] - time[0]))))
    return out


def by_lmfit(time, signal):
    from lmfit.models import ExponentialGaussianModel, LinearModel
    from scipy.signal import find_peaks, peak_widths

    tops, _ = find_peaks(signal, prominence=PROMINENCE * np.ptp(signal), width=2)
    widths = peak_widths(signal, tops, rel_height=0.5)[0]
    step = time[1] - time[0]
    out = []
    for top, width in zip(tops, widths, strict=True):
        low, high = max(top - int(4 * width), 0), top + int(5 * width) + 1
        x, y = time[low:high], signal[low:high]
        model = ExponentialGaussianModel(prefix="p_") + LinearModel(prefix="l_")
        sigma = width * step / 2.355
        start = model.make_params(
            p_center=time[top], p_sigma=sigma, p_gamma=2 / sigma, p_amplitude=np.ptp(y) * sigma * 2.5, l_slope=0,
            l_intercept=y.min(),
        )  # fmt: skip
        fit = model.fit(y, start, x=x)
        shape = fit.eval_components(x=x)["p_"]
        out.append((float(x[np.argmax(shape)]), float(fit.params["p_amplitude"].value)))
    return out


PROGRAMS = {"hplc-py": by_hplc_py, "hplc-py, tuned": by_hplc_py_tuned, "mocca2": by_mocca2, "lmfit": by_lmfit}
IMPORTED = {
    "hplc-py": ("pandas", "hplc.quant"),
    "hplc-py, tuned": ("pandas", "hplc.quant"),
    "mocca2": ("mocca2.classes",),
    "lmfit": ("lmfit.models", "scipy.signal"),
}


def main():
    warnings.simplefilter("ignore")
    program, answers = PROGRAMS[sys.argv[1]], {}
    for module in IMPORTED[sys.argv[1]]:  # not counted to the fit
        import_module(module)
    for path in sys.argv[2:]:
        time, signal = np.loadtxt(path, delimiter=",", skiprows=1).T
        begun = process_time()
        try:
            peaks = [(float(apex), float(area)) for apex, area in program(time, signal)]
            answers[path] = {"peaks": peaks, "seconds": process_time() - begun}
        except Exception as error:  # noqa: BLE001 - whatever a program of others fails with is its result
            answers[path] = {"error": f"{type(error).__name__}: {error}", "seconds": process_time() - begun}
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
