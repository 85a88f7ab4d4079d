"""Peak tables beside a trace, and the units of peak tables, on small files made here."""

from pathlib import Path

import numpy as np
import pytest

from gcfit.chromatogram import Chromatogram
from gcfit.formats import VendorPeak, peakunits, reports
from tests.formats.samples import REPORT, RESULT_XML, RESULTS, write


def traces_of(*names: str) -> list[Chromatogram]:
    return [Chromatogram(np.arange(9.0), np.arange(9.0), "", "x", name) for name in names]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_reports_in_a_run_folder(encoding: str, tmp_path: Path) -> None:
    """The best report of each trace counts: XML before CSV before text."""
    channels = traces_of("FID1A", "TCD2B")
    write(tmp_path, "Report.TXT", REPORT.replace("\n", "\r\n").encode(encoding))
    (first, second), notes, warnings = reports.peaks_beside(tmp_path, channels)
    assert (first.trace, first.name, first.retention_time_s, first.area) == ("FID1A", "", 169.44, 45713.7)
    assert first.height == 7718.08594
    assert (second.trace, second.name, second.retention_time_s, second.height) == ("TCD2B", "H2", 344.4, None)
    assert (notes, warnings) == (("peak table of Report.TXT",), ())
    write(tmp_path, "REPORT02.CSV", '1,5.74,"MM",0.5,1809.605957,19.38363,"H2"\r\n'.encode(encoding))
    (fine, rounded), notes, _ = reports.peaks_beside(tmp_path, channels)
    assert (fine.trace, fine.name, fine.area, fine.height) == ("TCD2B", "H2", 1809.605957, None)
    assert rounded == first
    assert notes == ("peak table of REPORT02.CSV", "peak table of Report.TXT")
    write(tmp_path, "Result.xml", RESULT_XML.encode(encoding))
    (peak, other), _, _ = reports.peaks_beside(tmp_path, channels)
    assert (peak.trace, peak.retention_time_s, peak.area, peak.start_s, peak.end_s) == ("FID1A", 120, 5, 90, None)
    assert other == fine


def test_a_report_that_cannot_be_read_costs_no_trace(tmp_path: Path) -> None:
    write(tmp_path, "Result.xml", b"<ChemStationResult><Signal>")
    write(tmp_path, "REPORT01.CSV", b'1,2.5,"BB S",0.08,45713.5,7718.25,97.9\r\n2,x,"BB",0,1,1,1\r\n,,\r\n')
    write(tmp_path, "FID1A.ch", b"")
    (peak,), notes, (warning,) = reports.peaks_beside(tmp_path, traces_of("FID1A"))
    assert (peak.trace, peak.retention_time_s, peak.area, peak.height) == ("FID1A", 150, 45713.5, 7718.25)
    assert notes == ("peak table of REPORT01.CSV",)
    assert "Result.xml" in warning
    assert "no valid XML" in warning


def test_results_of_a_mass_spectrometer(tmp_path: Path) -> None:
    """Points are counted from 1."""
    write(tmp_path, "RESULTS.CSV", RESULTS.encode())
    (first, second), _, _ = reports.peaks_beside(tmp_path, traces_of("TIC"))
    assert first == VendorPeak("TIC", "", 6.0, 15635678, 1861939, 1.0, 7.0, "unknown")
    assert (second.start_s, second.end_s) == (6.0, None)
    assert reports.peaks_beside(tmp_path, traces_of("FID1A")) == ((), (), ())


def test_a_trace_without_a_name_takes_results_whose_points_are_its_own(tmp_path: Path) -> None:
    write(tmp_path, "RESULTS.CSV", RESULTS.encode())
    own = Chromatogram(np.arange(100.0), np.arange(100.0), "", "x")
    (first, second), _, _ = reports.peaks_beside(tmp_path, [own])
    assert (first.trace, first.start_s, second.start_s, second.end_s) == ("", 1.0, 6.0, 89.0)
    slower = Chromatogram(np.arange(100.0) * 3, np.arange(100.0), "", "x")
    shorter = Chromatogram(np.arange(50.0), np.arange(50.0), "", "x")
    for other, point in ((slower, "0.2 min not between points 7 and 90"), (shorter, "points 7 and 90")):
        peaks, _, (warning,) = reports.peaks_beside(tmp_path, [other])
        assert peaks == ()
        assert point in warning


def test_a_trace_without_a_name_takes_no_peaks_beyond_its_end(tmp_path: Path) -> None:
    write(tmp_path, "REPORT01.CSV", b'1,2.5,"BB S",0.08,45713.5,7718.25,97.9\r\n')
    assert reports.peaks_beside(tmp_path, [Chromatogram(np.arange(100.0), np.arange(100.0), "", "x")])[0] == ()
    (peak,), _, _ = reports.peaks_beside(tmp_path, [Chromatogram(np.arange(200.0), np.arange(200.0), "", "x")])
    assert peak.retention_time_s == 150


def test_a_numbered_report_of_no_certain_channel_is_left_out(tmp_path: Path) -> None:
    """Signal 1 is FID2B if there are two channels, and a channel A that is not there if there were three."""
    write(tmp_path, "REPORT01.CSV", b'1,2.5,"BB S",0.08,45713.5,7718.25,97.9\r\n')
    write(tmp_path, "FID2B.ch", b"")
    write(tmp_path, "TCD3C.ch", b"")
    peaks, _, (warning,) = reports.peaks_beside(tmp_path, traces_of("FID2B"))
    assert peaks == ()
    assert "which of FID2B, TCD3C is signal 1 is not said without Report.TXT" in warning
    write(tmp_path, "FID1A.ch", b"")
    assert reports.peaks_beside(tmp_path, traces_of("FID2B"))[0] == ()
    (peak,), _, _ = reports.peaks_beside(tmp_path, traces_of("FID1A"))
    assert peak.trace == "FID1A"


@pytest.mark.parametrize(("power", "factor"), [(0, 1.0), (-6, 1e-6), (-3, 1e-3), (3, 1e3)])
@pytest.mark.parametrize("off", [0.3, 1.0, 4.0])
def test_the_unit_of_a_table_is_the_one_that_the_trace_shows(power: int, factor: float, off: float) -> None:
    """A Gaussian of height 5 and standard deviation 2 s has the area 5 * 2 * sqrt(2 pi)."""
    time = np.arange(0.0, 100.0, 0.25)
    trace = Chromatogram(time, 40.0 + 5 * np.exp(-0.5 * ((time - 50) / 2) ** 2), "V", "x")
    area = off * 10 * np.sqrt(2 * np.pi) / factor
    (peak,), said = peakunits.in_unit_of(trace, [VendorPeak("", "", 50.0, area, 5 / factor)])
    assert (peak.area, peak.height) == (pytest.approx(area * factor), pytest.approx(5))
    assert (f"1e{power} of the signal's unit" in said) == (power != 0)
    assert peak.area_unit == ""


def test_a_table_in_no_unit_of_the_trace(tmp_path: Path) -> None:
    trace = Chromatogram(np.arange(5.0), np.array([0, 0, 1, 0, 0.0]), "V", "x")
    (peak,), said = peakunits.in_unit_of(trace, [VendorPeak("", "", 2.0, 30.0, 30.0)])
    assert (peak.area, peak.area_unit) == (30.0, "unknown")
    assert "unknown" in said
    without = (VendorPeak("", "", 2.0), VendorPeak("", "", 3.0, 0.0))
    assert peakunits.in_unit_of(trace, without) == (without, "")
