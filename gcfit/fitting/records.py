"""What a fit is asked and what it answers: frozen records, nothing else."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.errors import InputError

TOLERANCE = 0.03  # of the retention time, where none is given
LEAST_SNR = 5.0  # standard deviations of the noise that a peak is high at least
NOT_FOUND = "not found"
Polarity = Literal["positive", "negative", "both"]
Strategy = Literal["pairs", "simultaneous"]


@dataclass(frozen=True)
class Expected:
    """A component that should be there: retention time [s] and the half-width [s] within which it is looked for.

    `fwhm` is the width of its peak at half height [s], None where the peaks that are found tell it.
    """

    name: str
    retention_time: float
    tolerance: float | None = None
    fwhm: float | None = None

    @property
    def reach(self) -> float:
        """Half-width [s] within which the component is looked for: `TOLERANCE` of its retention where none is given."""
        return TOLERANCE * abs(self.retention_time) if self.tolerance is None else self.tolerance


@dataclass(frozen=True)
class FitSettings:
    """Everything that decides the result of a fit, besides the data.

    Parameters
    ----------
    hold_up : float or None
        Hold-up time t_M [s]; without it the kinetic pair stays undetermined.
    phase_ratio : float or None
        α; without it k_a stays undetermined, α k_a does not.
    injection : float or None
        Duration of the rectangular injection [s], 0 for a pulse; None for that of the system file, or a pulse.
    expected : tuple of Expected
        Components to name the peaks by.
    model : str
        `auto` or a name of the registry in `gcfit.fitting.registry`.
    start, end : float or None
        Part of the run that is fitted [s].
    min_snr : float
        Smallest height of a peak, in standard deviations of the noise.
    baseline : str
        `auto` for local baselines that are fitted with the peaks, or a name of `gcfit.fitting.baseline.METHODS`: then
        the shape of that baseline is taken as known, and the level of each window is fitted.
    shared_tail : bool
        One exponential tail for all peaks of the run, as an inlet makes it, instead of one a peak.
    tail : float or None
        Time constant of the exponential tail that all peaks have [s], where it is known: then no peak has one of its
        own. It is not used where a tail is asked for, by the model or by `shared_tail`.
    noise_window : tuple of two floats, or None
        Stretch without peaks [s] over which the peak-to-peak noise of S/N is measured; without it that noise is six
        standard deviations.

    Raises
    ------
    InputError
        If a number is not finite or has an impossible sign, `strategy` or `polarity` is not known, or `noise_window`
        ends before it begins.
    """

    hold_up: float | None = None
    phase_ratio: float | None = None
    injection: float | None = None
    expected: tuple[Expected, ...] = ()
    model: str = "auto"
    strategy: Strategy = "pairs"
    polarity: Polarity = "positive"
    start: float | None = None
    end: float | None = None
    min_snr: float = LEAST_SNR
    baseline: str = "auto"
    shared_tail: bool = False
    tail: float | None = None
    noise_window: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name in ("hold_up", "phase_ratio", "injection", "tail", "min_snr", "start", "end"):
            _refuse_impossible(name, getattr(self, name))
        for name, known in (("strategy", get_args(Strategy)), ("polarity", get_args(Polarity))):
            if getattr(self, name) not in known:
                raise InputError(
                    "", f"{name} {getattr(self, name)!r} is not known", remedy=f"choose {' or '.join(known)}"
                )
        if self.noise_window is not None and not -np.inf < self.noise_window[0] < self.noise_window[1] < np.inf:
            begin, end = self.noise_window
            raise InputError("", f"noise_window from {begin:g} to {end:g} s; its end must be after its begin")


def _refuse_impossible(name: str, value: float | None) -> None:
    """Raise on a setting that is not finite, or below zero, or zero where only more has a meaning."""
    if value is None:
        return
    if not np.isfinite(value):
        raise InputError("", f"{name} is {value}, not a finite number")
    if name in ("hold_up", "phase_ratio", "tail", "min_snr") and value <= 0:
        raise InputError("", f"{name} is {value:g}; it must be above 0")
    if name == "injection" and value < 0:
        raise InputError("", f"{name} is {value:g}; it must be at least 0")


@dataclass(frozen=True)
class Noise:
    """Noise of one trace: standard deviation [signal unit] of a point and correlation of neighbouring points.

    `acf` is the whole autocorrelation function from lag 0 (1.0) on, empty when only its first step is known;
    `step` the quantisation of the signal [signal unit], 0 when it is not quantised; `range` the peak-to-peak noise
    [signal unit] where it was measured on a blank stretch.
    """

    deviation: float
    correlation: float = 0.0
    acf: tuple[float, ...] = ()
    step: float = 0.0
    range: float | None = None

    @property
    def inflation(self) -> float:
        """Variance of a long mean over that of white noise of the same deviation: the sum of the acf over all lags."""
        if self.acf:
            return float(max(1e-3, 1.0 + 2.0 * sum(self.acf[1:])))
        return (1.0 + self.correlation) / (1.0 - self.correlation)

    @property
    def peak_to_peak(self) -> float:
        """Peak-to-peak noise [signal unit]: as measured on a blank stretch, else six standard deviations of a point."""
        return 6.0 * self.deviation if self.range is None else self.range


@dataclass(frozen=True, eq=False)
class PeakFit:
    """One fitted peak: the fields are the columns of the peak table (DESIGN section 6); None is "not determined".

    `first` and `curve` are the fitted peak alone, without baseline [signal unit], at the chromatogram's points
    `first` to `first + curve.size`; the curve of an expected peak that was not found is empty, its window the stretch
    in which it was looked for.
    """

    peak: int
    name: str
    model: str
    status: str
    first: int
    curve: Array
    retention_time_s: float | None = None
    retention_time_se_s: float | None = None
    area: float | None = None
    area_se: float | None = None
    area_percent: float | None = None
    area_integrated: float | None = None
    height: float | None = None
    fwhm_s: float | None = None
    k_a_per_s: float | None = None
    k_a_se_per_s: float | None = None
    k_d_per_s: float | None = None
    k_d_se_per_s: float | None = None
    alpha_k_a_per_s: float | None = None
    alpha_k_a_se_per_s: float | None = None
    retention_factor: float | None = None
    site_n: float | None = None
    site_n_se: float | None = None
    site_k_d_per_s: float | None = None
    site_k_d_se_per_s: float | None = None
    tail_s: float | None = None
    tail_se_s: float | None = None
    loading: float | None = None
    loading_se: float | None = None
    plates: float | None = None
    resolution: float | None = None
    symmetry: float | None = None
    snr: float | None = None
    r_squared: float | None = None
    window_start_s: float | None = None
    window_end_s: float | None = None
    message: str = ""
    detection_limit: float | None = None

    def but(self, **columns: Any) -> "PeakFit":
        """Return the record with other values in some columns; much quicker than `dataclasses.replace`."""
        if unknown := columns.keys() - vars(self).keys():
            raise TypeError(f"a peak has no {', '.join(sorted(unknown))}")
        other = object.__new__(PeakFit)
        vars(other).update(vars(self), **columns)
        return other

    @property
    def found(self) -> bool:
        """Whether the peak is there, and not just expected."""
        return self.status != NOT_FOUND


@dataclass(frozen=True, eq=False)
class Fit:
    """All that a fit of one chromatogram says.

    `baseline`, shape (n,), holds the local baselines of the windows [signal unit], NaN outside them; `r_squared` is
    taken over the points of all windows, None where there are none; `parameters` counts what was free in them: areas,
    coordinates of the peaks, baseline.
    """

    chromatogram: Chromatogram
    settings: FitSettings
    peaks: tuple[PeakFit, ...]
    noise: Noise
    baseline: Array
    r_squared: float | None
    seconds: float
    notes: tuple[str, ...] = ()
    parameters: int = 0

    @property
    def total(self) -> Array:
        """Baseline and all peaks, shape (n,) [signal unit], NaN outside the windows."""
        total = self.baseline.copy()
        for peak in self.peaks:
            total[peak.first : peak.first + peak.curve.size] += peak.curve
        return total

    @property
    def residual(self) -> Array:
        """Signal minus `total` in units of the noise, shape (n,), NaN outside the windows."""
        scale = self.noise.deviation if self.noise.deviation > 0 else np.nan
        return (self.chromatogram.signal - self.total) / scale
