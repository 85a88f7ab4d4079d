"""Fits made by hand, without the fitting code: exponentially modified and plain Gaussian peaks on a known baseline."""

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.fitting.records import Fit, FitSettings, Noise, PeakFit


def gaussian(time: Array, apex: float, sigma: float, area: float) -> Array:
    return area / (sigma * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((time - apex) / sigma) ** 2)


def made_fit(
    peaks: list[tuple[float, float, float]],
    *,
    end: float = 600.0,
    rate: float = 10.0,
    start: float = 0.0,
    base: tuple[float, float] = (10.0, 0.0),
    noise: float = 0.05,
    names: list[str] | None = None,
    statuses: dict[int, str] | None = None,
    source: str = "run.csv",
    trace: str = "",
    unit: str = "mV",
    settings: FitSettings | None = None,
    seed: int = 8,
) -> Fit:
    """Data with noise and their own true curves as the fit; a peak is (apex [s], sigma [s], area [unit s]).

    Every window reaches 5 sigma to both sides of its peak; `statuses` maps peak numbers to what is not "ok", and a
    failed one has no curve.
    """
    time = np.arange(start, end, 1 / rate)
    line = base[0] + base[1] * time
    random = np.random.default_rng(seed)
    signal = line + noise * random.standard_normal(time.size)
    baseline = np.full(time.size, np.nan)
    fitted = []
    for number, (apex, sigma, area) in enumerate(peaks, 1):
        shape = gaussian(time, apex, sigma, area)
        signal += shape
        first, last = np.searchsorted(time, [apex - 5 * sigma, apex + 5 * sigma])
        status = (statuses or {}).get(number, "ok")
        window = {"window_start_s": float(time[first]), "window_end_s": float(time[last - 1])}
        name = names[number - 1] if names else ""
        if status == "failed":
            fitted.append(PeakFit(number, name, "laplace", status, int(first), np.empty(0), message="no fit", **window))
            continue
        baseline[first:last] = line[first:last]
        height = area / (sigma * np.sqrt(2 * np.pi))
        fitted.append(
            PeakFit(
                number,
                name,
                "laplace",
                status,
                int(first),
                shape[first:last],
                retention_time_s=apex,
                retention_time_se_s=0.01 * sigma,
                area=area,
                area_se=0.01 * abs(area),
                height=height,
                fwhm_s=2.3548200450309493 * sigma,
                k_d_per_s=2.0 / sigma,
                snr=abs(height) / noise if noise else None,
                r_squared=0.999,
                **window,
            )
        )
    run = Chromatogram(time, signal, unit, source, trace)
    r_squared = 0.9997 if peaks else None
    return Fit(run, settings or FitSettings(), tuple(fitted), Noise(noise), baseline, r_squared, 0.1)
