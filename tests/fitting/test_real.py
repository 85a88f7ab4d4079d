"""Measured chromatograms: what a user's first file meets. Vendor tables are the other opinion, not the truth."""

import csv
from pathlib import Path

import numpy as np
import pytest

import gcfit
from gcfit.chromatogram import Chromatogram
from gcfit.fitting.records import Fit, FitSettings
from tests.realdata import FOLDER, needs_real_data, real_data_folder

pytestmark = [pytest.mark.real_data, needs_real_data]
LONGEST = 30_000  # points; the 240-minute run takes minutes and is left to a fit by hand
TRACES = sorted(path for path in FOLDER.glob("derived/*.csv") if not path.name.endswith(".peaks.csv"))
# peaks of SOLV001 that stand alone: the others share a valley, which a vendor cuts by a vertical line
SOLV001_ALONE = (23.84, 68.53, 172.07, 216.72, 343.91, 447.88, 514.51, 547.30)


def read_plainly(path: Path) -> Chromatogram:
    """A derived copy: two columns, times in s or min as the header says."""
    with path.open(encoding="utf-8") as lines:
        header = next(csv.reader(lines))
        rows = np.array([[float(cell) for cell in row] for row in csv.reader(lines)])
    scale = 1.0 if header[0].endswith("_s") else 60.0
    time, first = np.unique(rows[:, 0] * scale, return_index=True)
    return Chromatogram(time, rows[first, 1], source=path.name)


@pytest.mark.slow
@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_every_trace_is_fitted_without_a_warning(path: Path) -> None:
    chromatogram = read_plainly(path)
    if chromatogram.time.size > LONGEST:
        pytest.skip(f"{chromatogram.time.size} points: minutes of work")
    fit = gcfit.fit(chromatogram)
    assert fit.peaks
    for peak in fit.peaks:
        assert peak.area is not None
        assert np.isfinite(peak.curve).all()
        assert peak.area > 0
    assert fit.r_squared is not None
    assert fit.r_squared > 0.99


def test_a_blank_run_has_no_peaks() -> None:
    reading = gcfit.read(real_data_folder() / "chromstream" / "format_3.txt")
    assert gcfit.fit(reading).peaks == ()


@pytest.fixture(scope="module")
def solvents() -> Fit:
    return gcfit.fit(
        read_plainly(real_data_folder() / "derived" / "openchrom__SOLV001.CDF.csv"), settings=FitSettings()
    )


def vendor_peaks() -> list[tuple[float, float]]:
    path = real_data_folder() / "derived" / "openchrom__SOLV001.CDF.peaks.csv"
    with path.open(encoding="utf-8") as lines:
        return [(float(row["peak_retention_time"]), float(row["peak_area"])) for row in csv.DictReader(lines)]


def test_the_thirteen_solvents_are_found_and_nothing_else(solvents: Fit) -> None:
    times = [time for time, _ in vendor_peaks()]
    assert len(solvents.peaks) == len(times) == 13
    steps = [(peak.retention_time_s - time) / 0.5 for peak, time in zip(solvents.peaks, times, strict=True)]
    # the vendor counts the first point of the trace, which is at 0 s, as 0.5 s: one step between the clocks
    assert np.abs(np.array(steps) + 1).max() <= 1


def test_areas_of_solvents_that_stand_alone(solvents: Fit) -> None:
    for peak, (time, area) in zip(solvents.peaks, vendor_peaks(), strict=True):
        if any(abs(time - alone) < 0.01 for alone in SOLV001_ALONE):
            assert peak.area_integrated == pytest.approx(area, rel=0.03)
