"""Measured files against the peak tables that came with them; `real_table.py` prints the same for all files.

A vendor's area is what its drop lines leave of a peak, so the limits below are on the peaks that stand alone.
"""

from functools import cache

import numpy as np
import pytest

import gcfit
from gcfit.fitting.records import Fit
from tests.fitting.real_table import Line, lines
from tests.realdata import assert_sound, real_data_folder

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@cache
def fitted(pattern: str) -> tuple[Line, ...]:
    real_data_folder()
    return tuple(lines([pattern]))


# largest distance from 1 of the median ratio of areas as integrated, and of any; largest distance of the retention
# from its median over the peaks, in sampling steps
ALONE = {
    "openchrom/SHIMADZU.CDF": (0.01, 0.01, 1.0),
    "lcqc/exlc_shim2.txt": (0.005, 0.01, 1.0),
    "yadg/AgPTFE28*fusion-data": (0.01, 0.05, 1.0),
    "pyexplabsys/NV-F0101.D": (0.01, 0.01, 1.0),
}
FILES = (*ALONE, "openchrom/WAT_490.CDF", "openchrom/DIONEX.CDF", "chromhandler/001F010*")


@pytest.mark.parametrize("pattern", ALONE)
def test_peaks_that_stand_alone(pattern: str) -> None:
    pairs = [(line, pair) for line in fitted(pattern) for pair in line.pairs if pair.alone and pair.share > 0.003]
    assert pairs
    ratios = np.array([pair.ratios[1] for _, pair in pairs])
    steps = np.array([pair.late / line.fit.chromatogram.sampling_interval for line, pair in pairs if line.fit])
    median, most, away = ALONE[pattern]
    assert abs(np.median(ratios) - 1) < median
    assert np.abs(ratios - 1).max() < most
    assert np.abs(steps - np.median(steps)).max() < away


@pytest.mark.parametrize("pattern", FILES)
def test_every_trace_is_fitted(pattern: str) -> None:
    for line in fitted(pattern):
        assert line.fit is not None
        assert_sound(line.fit)  # warnings are errors


@pytest.mark.parametrize("pattern", FILES)
def test_every_vendor_peak_above_one_percent_is_found(pattern: str) -> None:
    missed = [(line.name, pair.theirs) for line in fitted(pattern) for pair in line.pairs if pair.missed]
    assert missed == []


def format_6() -> Fit:
    return gcfit.fit(gcfit.read(real_data_folder() / "chromstream" / "format_6.txt"))


def test_four_injections_of_one_peak_agree_as_far_as_the_trace_does() -> None:
    fit = format_6()
    run = fit.chromatogram
    peaks = [peak for peak in fit.peaks if peak.height is not None and peak.height > 10]
    assert len(peaks) == 4
    widths = np.array([peak.fwhm_s for peak in peaks])
    assert np.abs(widths / widths.mean() - 1).max() < 0.01
    areas = np.array([peak.area for peak in peaks])
    # over a straight line the first injection holds 1.9 % less than the others, by area and by height
    lines = []
    for peak in peaks:
        begin = (peak.retention_time_s or 0.0) - 4.9
        near = (run.time >= begin) & (run.time <= begin + 27)
        ends = [np.median(run.signal[(run.time > at) & (run.time < at + 1.5)]) for at in (begin - 1.5, begin + 27)]
        base = np.interp(run.time[near], [begin, begin + 27], ends)
        lines.append(float(np.trapezoid(run.signal[near] - base, run.time[near])))
    # a bump in front and a dip behind each peak are in the areas over the line
    ratios = areas / np.array(lines)
    assert ratios == pytest.approx(np.ones(4), abs=0.03)
    assert ratios / ratios.mean() == pytest.approx(np.ones(4), abs=0.01)
    assert np.abs(areas[1:] / areas[1:].mean() - 1).max() < 0.01
