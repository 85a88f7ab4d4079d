"""The measured chromatograms against the peak tables that their vendors' programs wrote into them.

    python -m tests.fitting.real_table [PATTERN...] [--peaks]

fits every trace under the folder of the measured files with the defaults and prints a line for each; `--peaks` prints
a line for each of the vendor's peaks as well, `--json FILE` keeps all peaks. A vendor's drop line is not the truth:
the table says where two programs differ, not who is right.
"""

import json
import sys
import time as clock
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

import numpy as np

import gcfit
from gcfit.chromatogram import Chromatogram
from gcfit.errors import GcfitError
from gcfit.fitting.records import Fit, FitSettings, PeakFit
from gcfit.fitting.suitability import resolution
from gcfit.formats import Reading, ReadOptions, VendorPeak, read_file
from tests.realdata import FOLDER

SURE = 50.0  # S/N from which a peak's R² counts
APART = 2.0  # resolution from the neighbours on both sides of a peak that stands alone
MINOR = 0.01  # of the height of a peak; a smaller neighbour leaves it alone
SHARE = 0.01  # of the area of a trace; smaller vendor peaks may be missed
NEAR = 1.5  # half-height widths within which a vendor's peak is ours
GOOD = 0.999  # R² from which the area of the model is compared
SLIGHT = 0.003  # of the area of all peaks of a table; what is smaller says nothing about units
SEVERAL = 5
FOREIGN = 3.0  # a median ratio of areas further from 1 is one of units
LONGEST = ("gc2asm", "lcqc/exgc_shim1.txt", "openchrom/PE")  # fitted last


@dataclass(frozen=True)
class Pair:
    """A vendor's peak and ours, None where we have none; `alone` where no neighbour is near.

    `chord` is the area of the trace over the straight line between the vendor's limits, where it gives any: over the
    vendor's area it says whether the two differ by more than by limits and baseline.
    """

    theirs: VendorPeak
    ours: PeakFit | None
    alone: bool
    share: float
    chord: float = np.nan

    @property
    def ratios(self) -> tuple[float, float]:
        """Area of the model and area as integrated, over the vendor's."""
        if self.ours is None or not self.theirs.area:
            return np.nan, np.nan
        model, integrated = self.ours.area, self.ours.area_integrated
        return abs(model or np.nan) / self.theirs.area, abs(integrated or np.nan) / self.theirs.area

    @property
    def good(self) -> bool:
        """Whether the model describes our peak."""
        return self.ours is not None and self.ours.r_squared is not None and self.ours.r_squared >= GOOD

    @property
    def missed(self) -> bool:
        """Whether the vendor has a peak that counts and we have none."""
        return self.ours is None and self.share > SHARE

    @property
    def late(self) -> float:
        """Retention, ours less the vendor's [s]."""
        if self.ours is None or self.ours.retention_time_s is None:
            return np.nan
        return self.ours.retention_time_s - self.theirs.retention_time_s


@dataclass(frozen=True)
class Line:
    """One trace: its name, its fit or the reason why there is none, and the vendor's peaks beside ours."""

    name: str
    fit: Fit | None
    pairs: tuple[Pair, ...]
    failure: str = ""
    seconds: float = 0.0


def sources() -> Iterator[Path]:
    """Yield the originals: files, and folders of the vendors that are read as one."""
    for path in sorted(FOLDER.glob("*/*")):
        if path.parent.name == "derived" or path.name == "README.md":
            continue
        if path.is_dir() and not any(child.suffix == ".ch" for child in path.iterdir()):
            yield from sorted(child for child in path.iterdir() if child.is_file())
        else:
            yield path


def lines(patterns: Sequence[str] = ("*",), settings: FitSettings | None = None) -> Iterator[Line]:
    """Fit the traces of all files whose path from the folder matches one of the patterns; yield a line for each."""
    for path in sorted(sources(), key=lambda path: str(path.relative_to(FOLDER)).startswith(LONGEST)):
        name = str(path.relative_to(FOLDER))
        if not any(fnmatch(name, pattern) for pattern in patterns):
            continue
        try:
            reading = read_file(str(path), ReadOptions())
        except GcfitError as error:
            yield Line(name, None, (), str(error))
            continue
        for run in reading.chromatograms:
            yield _line(f"{name} {run.trace}".strip(), run, reading, settings)


def _line(name: str, run: Chromatogram, reading: Reading, settings: FitSettings | None) -> Line:
    theirs = [peak for peak in reading.vendor_peaks if peak.trace in ("", run.trace) and peak.area and peak.found]
    polarity = "both" if run.trace == "TCD3C" else "positive"  # hydrogen in nitrogen points downwards
    began = clock.process_time()
    try:
        fit = gcfit.fit(run, settings=settings or FitSettings(polarity=polarity))
    except GcfitError as error:
        return Line(name, None, (), str(error))
    return Line(name, fit, tuple(_same_unit(list(paired(theirs, fit)))), seconds=clock.process_time() - began)


def _same_unit(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Yield the pairs with the vendor's areas in our unit, by the median of the isolated ones where they are far.

    Where few are isolated it is that of those of some size.
    """
    alone = [pair.ratios[1] for pair in pairs if pair.alone]
    ratios = np.array(alone if len(alone) >= SEVERAL else [pair.ratios[1] for pair in pairs if pair.share > SLIGHT])
    ratios = ratios[np.isfinite(ratios) & (ratios > 0)]
    middle = float(np.median(ratios)) if ratios.size else 1.0
    factor = 1.0 if 1 / FOREIGN < middle < FOREIGN else middle
    for pair in pairs:
        yield replace(pair, theirs=replace(pair.theirs, area=(pair.theirs.area or 0.0) * factor))


def paired(theirs: Sequence[VendorPeak], fit: Fit) -> Iterator[Pair]:
    """Yield each of the vendor's peaks with the nearest of ours, none where that is further than `NEAR` widths."""
    peaks = [peak for peak in fit.peaks if peak.retention_time_s is not None and peak.fwhm_s is not None]
    whole = sum(abs(peak.area or 0.0) for peak in theirs)
    for place, their in enumerate(theirs):
        times = np.array([peak.retention_time_s for peak in peaks], dtype=float)
        own = peaks[int(np.argmin(np.abs(times - their.retention_time_s)))] if peaks else None
        if own is not None and _distance(own, their.retention_time_s) > NEAR * (own.fwhm_s or 0.0):
            own = None
        others = [other for k, other in enumerate(theirs) if k != place]
        nearest = min((abs(other.retention_time_s - their.retention_time_s) for other in others), default=np.inf)
        alone = own is not None and _alone(own, peaks) and nearest > 2 * APART * (own.fwhm_s or 0.0)
        yield Pair(their, own, alone, abs(their.area or 0.0) / whole, chord(fit.chromatogram, their))


def chord(run: Chromatogram, peak: VendorPeak) -> float:
    """Area of a trace over the straight line between a vendor's limits [signal unit s]; nan where it gives none."""
    if peak.start_s is None or peak.end_s is None:
        return np.nan
    inside = (run.time > peak.start_s) & (run.time < peak.end_s)
    ends = [peak.start_s, peak.end_s]
    at_ends = np.interp(ends, run.time, run.signal)
    time = np.concatenate([ends[:1], run.time[inside], ends[1:]])
    signal = np.concatenate([at_ends[:1], run.signal[inside], at_ends[1:]])
    return float(np.trapezoid(signal - np.interp(time, ends, at_ends), time))


def _distance(peak: PeakFit, time: float) -> float:
    return abs((peak.retention_time_s or np.nan) - time)


def _alone(peak: PeakFit, peaks: Iterable[PeakFit]) -> bool:
    """Whether no neighbour that counts is nearer than `APART`."""
    return not any(
        other is not peak
        and abs(other.height or 0.0) > MINOR * abs(peak.height or 0.0)
        and abs(
            resolution((peak.retention_time_s or 0, other.retention_time_s or 0), (peak.fwhm_s or 0, other.fwhm_s or 0))
        )
        < APART
        for other in peaks
    )


def text(line: Line) -> str:
    """Return the line of a trace: peaks, R², ratios to the vendor, retention, what was missed."""
    if line.fit is None:
        return f"{line.name[-52:]:<52} {line.failure}"
    sure = r_squared(line.fit)
    words = [f"{line.name[-52:]:<52} {len(line.fit.peaks):>4} {len(sure):>4}"]
    words.append(f"{np.median(sure):9.6f} {min(sure):8.5f}" if sure else " " * 18)
    words.append(f"{line.seconds:6.1f}")
    if line.pairs:
        alone = [pair for pair in line.pairs if pair.alone]
        integrated = np.array([pair.ratios[1] for pair in alone])
        model = np.array([pair.ratios[0] for pair in alone if pair.good])
        late = np.array([pair.late for pair in alone]) / line.fit.chromatogram.sampling_interval
        missed = [f"{pair.theirs.retention_time_s:.1f}" for pair in line.pairs if pair.missed]
        words.append(f"{len(line.pairs):>3} {len(alone):>3} {_spread(integrated)} {_spread(model)} {_steps(late)}")
        words.append(f"missed {' '.join(missed)}" if missed else "")
    return " ".join(words).rstrip()


def r_squared(fit: Fit) -> list[float]:
    """Return R² of the peaks that stand well above the noise."""
    return [p.r_squared for p in fit.peaks if p.snr is not None and p.snr >= SURE and p.r_squared is not None]


def _spread(ratios: np.ndarray) -> str:
    """Median of ratios, and the 90th percentile of their distance from 1 in %."""
    ratios = ratios[np.isfinite(ratios)]
    if not ratios.size:
        return f"{'':>15}"
    return f"{np.median(ratios):7.4f} {100 * np.quantile(np.abs(ratios - 1), 0.9):6.2f}%"


def _steps(late: np.ndarray) -> str:
    late = late[np.isfinite(late)]
    return f"{np.median(late):6.2f} {np.abs(late).max():6.2f}" if late.size else f"{'':>13}"


HEAD = (
    f"{'trace':<52} {'all':>4} {'sure':>4} {'R2 median':>9} {'worst':>8} {'s':>6}"
    f" {'vnd':>3} {'iso':>3} {'integr':>7} {'q90':>7} {'model':>7} {'q90':>7} {'steps':>6} {'most':>6}"
)


def peak_text(pair: Pair) -> str:
    """Return the line of a vendor's peak."""
    start = f"    {pair.theirs.name[:20]:<20} {pair.theirs.retention_time_s:9.2f} s {100 * pair.share:7.3f} %"
    if pair.ours is None:
        return f"{start} not found"
    model, integrated = pair.ratios
    good = f"R2 {pair.ours.r_squared:.6f}" if pair.ours.r_squared is not None else ""
    return (
        f"{start} {'alone' if pair.alone else '':<5} late {pair.late:7.3f} s, area {model:7.4f}, integrated"
        f" {integrated:7.4f}, over their line {pair.chord / (pair.theirs.area or np.nan):7.4f}, {good}"
        f" {pair.ours.model} {pair.ours.status} {pair.ours.message}"
    )


def summary(all_lines: Sequence[Line]) -> str:
    """Return what all files say together."""
    sure = np.array([value for line in all_lines if line.fit is not None for value in r_squared(line.fit)])
    alone = [pair for line in all_lines for pair in line.pairs if pair.alone]
    integrated = np.array([pair.ratios[1] for pair in alone])
    model = np.array([pair.ratios[0] for pair in alone if pair.good])
    sure_areas = np.array([p.ratios[1] for p in alone if p.ours is not None and (p.ours.snr or 0) >= SURE])
    line = np.array([pair.chord / (pair.theirs.area or np.nan) for pair in alone])
    return (
        f"{sure.size} peaks with S/N of {SURE:g} or more: R2 median {np.median(sure):.6f},"
        f" 95 % above {np.quantile(sure, 0.05):.6f}; share above 0.995 {np.mean(sure >= 0.995):.3f}\n"
        f"isolated {len(alone)}: integrated {_spread(integrated)}, median off {_off(integrated)};"
        f" model {_spread(model)}, median off {_off(model)}\n"
        f"of these with S/N of {SURE:g} or more {sure_areas.size}: integrated {_spread(sure_areas)}, median off"
        f" {_off(sure_areas)}; the trace over the vendor's own lines {np.isfinite(line).sum()}: {_spread(line)},"
        f" median off {_off(line)}"
    )


def _off(ratios: np.ndarray) -> str:
    ratios = ratios[np.isfinite(ratios)]
    return f"{100 * np.median(np.abs(ratios - 1)):.2f} %" if ratios.size else ""


def kept(line: Line) -> dict[str, object]:
    """Return all peaks of a trace and what the vendor says of them, for a file."""
    peaks = [] if line.fit is None else line.fit.peaks
    theirs = {id(pair.ours): (pair.theirs, pair.alone) for pair in line.pairs}
    rows = []
    for peak in peaks:
        row = {key: value for key, value in vars(peak).items() if key not in ("first", "curve")}
        if id(peak) in theirs:
            vendor, alone = theirs[id(peak)]
            row |= {"vendor_time": vendor.retention_time_s, "vendor_area": vendor.area, "alone": alone}
        rows.append(row)
    return {"name": line.name, "seconds": line.seconds, "failure": line.failure, "peaks": rows}


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    names = list(arguments)
    store = names.pop(names.index("--json") + 1) if "--json" in names else ""
    patterns = [argument for argument in names if not argument.startswith("--")] or ["*"]
    print(HEAD)
    done = []
    for line in lines(patterns):
        done.append(line)
        print(text(line), flush=True)
        if "--peaks" in arguments:
            for pair in line.pairs:
                print(peak_text(pair), flush=True)
    print(summary(done))
    if store:
        Path(store).write_text(json.dumps([kept(line) for line in done], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
