"""The vendor's peak table of every measured file that has one, row by row, beside a plain reading of the same rows."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from gcfit.chromatogram import Chromatogram
from gcfit.formats import ReadOptions, VendorPeak, peakunits, read_file, vendor_peaks
from tests.realdata import real_data_folder

pytestmark = pytest.mark.real_data

FUSION = {
    "15p-Cu-10mA-01 - Jun 08 2022, 16;10": "15p-Cu-10mA-01_-_Jun_08_2022_16h10",
    "AgPTFE28_100mA_NaS_01 - Aug 13 2021, 18;18": "AgPTFE28_100mA_NaS_01_-_Aug_13_2021_18h18",
    "issue_198": "issue_198",
}


@dataclass(frozen=True)
class Copy:
    """A table in `derived`: file, trace, its columns for our fields, seconds of its times, factor of its areas."""

    original: str
    copy: str
    trace: str = ""
    columns: str = "peak_name peak_retention_time peak_area peak_height peak_start_time peak_end_time"
    seconds: float = 1.0
    factor: float = 1.0
    points: float = 0.0  # seconds of one step, where start and end are numbers of points


def andi(name: str, columns: str = "", **more: float) -> Copy:
    return Copy(f"openchrom/{name}.CDF", f"openchrom__{name}.CDF", "", columns or Copy.columns, **more)


WITHOUT_LIMITS = "peak_name peak_retention_time peak_area peak_height - -"
NAMELESS = "- peak_retention_time peak_area peak_height peak_start_time peak_end_time"
COPIES = [
    andi("SOLV001"),
    andi("HP-CH", NAMELESS),
    # the height columns hold 0 and -1 throughout
    andi("SHIMADZU", "peak_name peak_retention_time peak_area - - -"),
    andi("VARIAN1", "peak_name peak_retention_time peak_area - - -", factor=1e-6),
    # areas in uS s, uV s and uAU s beside traces in uS, V and AU; the heights beside the trace tell
    andi("DIONEX", factor=1e-6),
    andi("CLASSVP", seconds=60.0, factor=1e-6, points=0.25),
    andi("WAT_490", WITHOUT_LIMITS, factor=1e-6),
    Copy("netcdf-gcms/agilent-hplc.cdf", "netcdf-gcms__agilent-hplc.cdf", "", NAMELESS),
    Copy("gc2asm/V179.D", "gc2asm__V179.D__Result.xml", "FID1A", "name rt_min area height - -", 60.0),
    Copy("gc2asm/V179.D/FID1A.ch", "gc2asm__V179.D__Result.xml", "FID1A", "name rt_min area height - -", 60.0),
    *(
        Copy(f"yadg/{original}.fusion-data", f"yadg__{copy}.fusion-data__module{m}", f"module{m}:tcd",
             "label top area height start end")
        for original, copy in FUSION.items() for m in "AB"
    ),
]  # fmt: skip


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def number(cell: str | None) -> float | None:
    return float(cell) if cell else None


def same(found: float | None, expected: float | None, factor: float = 1.0) -> bool:
    """Whether a number is there where it is expected, to the digits of a 32-bit float."""
    if found is None or expected is None:
        return found is None and expected is None
    return found == pytest.approx(expected * factor, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("table", COPIES, ids=lambda table: f"{table.original} {table.trace}")
def test_tables_with_a_copy(table: Copy) -> None:
    name, top, area, height, start, end = table.columns.split()
    folder = real_data_folder()
    peaks = [peak for peak in vendor_peaks(folder / table.original) if peak.trace == table.trace]
    rows = rows_of(folder / "derived" / f"{table.copy}.peaks.csv")
    assert len(peaks) == len(rows) > 0
    for peak, row in zip(peaks, rows, strict=True):
        assert peak.name == row.get(name, "").strip()
        assert same(peak.retention_time_s, number(row[top]), table.seconds)
        assert same(peak.area, number(row[area]), table.factor)
        assert same(peak.height, number(row.get(height)), table.factor)
        limits = peak.start_s, peak.end_s
        if start in row:
            seconds = table.points or table.seconds
            assert all(same(limit, number(row[c]), seconds) for limit, c in zip(limits, (start, end), strict=True))
        elif "gc2asm" not in table.original:
            assert limits == (None, None)
        assert peak.area_unit == ""
        assert peak.found == (peak.area != 0)


def test_the_table_of_gaml_is_on_the_clock_of_its_trace() -> None:
    """The copy has retention times of another clock, which run up to 0.5 % behind the limits in the same file."""
    folder = real_data_folder()
    path = folder / "openchrom/PE_Turbochrom_GC.gaml"
    rows = rows_of(folder / "derived/openchrom__PE_Turbochrom_GC.gaml.peaks.csv")
    tops = re.findall(r"<peakXvalue>([^<]+)</peakXvalue>", path.read_text(encoding="utf-8"))
    peaks = vendor_peaks(path)
    assert len(peaks) == len(rows) == len(tops) == 83
    for peak, row, top in zip(peaks, rows, tops, strict=True):
        assert peak.name == row["name"]
        assert same(peak.retention_time_s, float(top), 60.0)
        assert same(peak.area, float(row["PK_AREA"]))
        assert same(peak.height, float(row["PK_HEIGHT"]))
        assert same(peak.start_s, float(row["start_min"]), 60.0)
        assert same(peak.end_s, float(row["end_min"]), 60.0)
        assert peak.start_s <= peak.retention_time_s <= peak.end_s  # type: ignore[operator]
        assert peak.retention_time_s == pytest.approx(float(row["PK_RET_TIME_s"]), rel=6e-3, abs=3.1)


# trace of each table, its factor, and the delimiter; counted by looking at the files
SHIMADZU = {
    "lcqc/exgc_shim1.txt": ({"Ch1": 69}, 1.0, "\t"),
    "lcqc/exgcms_shim1.txt": ({"TIC": 14}, 1.0, "\t"),
    "lcqc/exgcms_shim3.txt": ({"TIC": 27}, 1.0, "\t"),
    "lcqc/exgcms_shim4.txt": ({"TIC": 44}, 1.0, "\t"),
    "lcqc/exlc_shim2.txt": ({"PDA-Ch1": 3}, 1.0, "\t"),
    "lcqc/exlc_shim4.txt": ({"PDA-Ch1": 11}, 1.0, "\t"),
    "chromconverterextratests/multichannel_chrom.txt": (
        {"Detector A-Ch1": 2, "Detector A-Ch2": 7, "Detector B-Ch1": 7}, 0.001, "\t"),
    "chromhandler/Output-sample 0.txt": ({"Detector A-Ch1": 14}, 0.001, ","),
    "chromhandler/Output-sample 6.txt": ({"Detector A-Ch1": 14}, 0.001, ","),
    "appia/new-shim-1.txt": ({"Detector A-Ch1": 11, "Detector B-Ch1": 41, "AD2": 6}, 0.001, "\t"),
}  # fmt: skip


def shimadzu_rows(path: Path, delimiter: str) -> Iterator[dict[str, str]]:
    """Every row under a line that begins with `Peak#`, up to the blank line."""
    names: list[str] = []
    for line in path.read_bytes().decode("latin-1").replace("\r\n", "\n").split("\n"):
        cells = line.split(delimiter)
        if cells[0] == "Peak#":
            names = cells
        elif not line.strip():
            names = []
        elif names:
            yield dict(zip(names, cells, strict=True))


@pytest.mark.parametrize("name", SHIMADZU)
def test_tables_of_shimadzu(name: str) -> None:
    counts, factor, delimiter = SHIMADZU[name]
    path = real_data_folder() / name
    peaks, rows = vendor_peaks(path), list(shimadzu_rows(path, delimiter))
    assert {trace: sum(peak.trace == trace for peak in peaks) for trace in counts} == counts
    assert len(peaks) == len(rows) == sum(counts.values())
    for peak, row in zip(peaks, rows, strict=True):
        top, start, end = (
            next(row[key] for key in keys if key in row)
            for keys in (("R.Time", "Ret.Time"), ("I.Time", "Proc.From"), ("F.Time", "Proc.To"))
        )
        assert peak.name == row["Name"].strip()
        assert same(peak.retention_time_s, float(top), 60.0)
        assert (same(peak.start_s, float(start), 60.0), same(peak.end_s, float(end), 60.0)) == (True, True)
        assert same(peak.area, float(row["Area"]), factor)
        assert same(peak.height, float(row["Height"]), factor)


def agilent_rows(folder: Path) -> Iterator[tuple[str, float, float, float | None, str]]:
    """Trace, retention [min], area, height and name of REPORTnn.CSV; the nn-th signal has the nn-th letter here."""
    for report in sorted(folder.glob("REPORT??.CSV")):
        letter = "ABC"[int(report.stem[-2:]) - 1]
        trace = next(folder.glob(f"*{letter}.ch")).stem
        for cells in csv.reader(report.read_text(encoding="utf-16").splitlines()):
            text = cells[-1].replace(".", "").isdigit()
            yield trace, float(cells[1]), float(cells[4]), float(cells[5]) if text else None, "" if text else cells[-1]


@pytest.mark.parametrize("name", ["chromhandler/001F0101.D", "chromhandler/001F0103.D", "pyexplabsys/NV-F0101.D"])
def test_tables_beside_the_channels_of_a_run_folder(name: str) -> None:
    folder = real_data_folder() / name
    rows = list(agilent_rows(folder))
    peaks = vendor_peaks(folder)
    assert len(peaks) == len(rows) == {"001F0101.D": 4, "001F0103.D": 3, "NV-F0101.D": 6}[folder.name]
    for peak, (trace, top, area, height, compound) in zip(peaks, rows, strict=True):
        assert (peak.trace, peak.name) == (trace, compound.strip("?"))
        assert same(peak.retention_time_s, top, 60.0)
        assert (same(peak.area, area), same(peak.height, height)) == (True, True)
    for channel in sorted(folder.glob("*.ch")):
        assert vendor_peaks(channel) == tuple(peak for peak in peaks if peak.trace == channel.stem)


@pytest.mark.parametrize(("name", "count"), [("RAU-R505-01.D", 3), ("RAU-R505-05.D", 4)])
def test_tables_beside_an_exported_current(name: str, count: int) -> None:
    folder = real_data_folder() / "chromhandler" / name
    reading = read_file(folder / "tic_front.csv")
    (trace,) = reading.chromatograms
    rows = [line.split(",") for line in (folder / "RESULTS.CSV").read_text().splitlines() if re.match(r"\d+=, ", line)]
    assert len(reading.vendor_peaks) == len(rows) == count
    for peak, row in zip(reading.vendor_peaks, rows, strict=True):
        assert (peak.trace, peak.area_unit) == ("", peakunits.UNKNOWN)
        assert same(peak.retention_time_s, float(row[2]), 60.0)
        assert (peak.start_s, peak.end_s) == (trace.time[int(row[3]) - 1], trace.time[int(row[5]) - 1])
        assert (peak.height, peak.area) == (float(row[7]), float(row[8]))
        highest = trace.time[int(row[4]) - 1]  # `Max`: points are counted from 1, the apex lies within one step
        assert abs(peak.retention_time_s - highest) < trace.sampling_interval


@pytest.mark.parametrize(
    "name", ["chromstream/format_6.txt", "openchrom/EXAMPLE1.CDF", "hplc-py/sample.txt", "yadg/CHROMTAB.CSV"]
)
def test_files_without_a_table(name: str) -> None:
    assert vendor_peaks(real_data_folder() / name) == ()


def test_the_peaks_of_a_chosen_trace() -> None:
    path = real_data_folder() / "chromconverterextratests/multichannel_chrom.txt"
    assert {peak.trace for peak in vendor_peaks(path, ReadOptions(trace="Detector B*"))} == {"Detector B-Ch1"}


def own_area(trace: Chromatogram, peak: VendorPeak) -> float:
    """Area over a straight line from start to end [signal unit s]."""
    part = slice(*np.searchsorted(trace.time, [peak.start_s, peak.end_s]))  # type: ignore[list-item]
    time, signal = trace.time[part], trace.signal[part]
    return float(np.trapezoid(signal - np.interp(time, time[[0, -1]], signal[[0, -1]]), time))


# isolated peaks over a flat baseline: vendor and trapezoid sum agree when clock, limits and unit are right;
# 0.1 % for C11 is in the README of the measured files, the others within the rounding of their limits
ALONE = {
    "lcqc/exgc_shim1.txt": ("Ch1", "C11", 1e-3),
    "openchrom/SOLV001.CDF": ("", "METHANOL", 2e-2),
    "openchrom/DIONEX.CDF": ("", "Sulfate", 2e-2),
    "openchrom/CLASSVP.CDF": ("", "Peak 5", 1e-3),
    "chromconverterextratests/multichannel_chrom.txt": ("Detector B-Ch1", "Lactate", 5e-3),
    "yadg/15p-Cu-10mA-01 - Jun 08 2022, 16;10.fusion-data": ("moduleA:tcd", "H2", 1e-2),
}


@pytest.mark.parametrize("name", ALONE)
def test_areas_are_those_of_the_trace_as_it_is_read(name: str) -> None:
    trace_name, compound, tolerance = ALONE[name]
    reading = read_file(real_data_folder() / name)
    trace = next(trace for trace in reading.chromatograms if trace.trace == trace_name)
    (peak,) = (p for p in reading.vendor_peaks if (p.trace, p.name) == (trace_name, compound))
    assert own_area(trace, peak) == pytest.approx(peak.area, rel=tolerance)
