"""Every measured original: read with no options and compared, point by point, with a plain reading of the same lines.

`TEXT` says where the numbers stand in each text file (line, rows, columns, marks, factors), found by looking at it;
the number of rows is that of the README of the measured files. What is no text is compared with its copy in `derived`.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from gcfit.errors import InputError
from gcfit.formats import ReadOptions, read_file
from tests.realdata import real_data_folder

pytestmark = pytest.mark.real_data


@dataclass(frozen=True)
class Lines:
    """Where a trace stands: trace name, first line counted from 1, rows, columns of time and value, marks, factors."""

    trace: str
    line: int
    rows: int
    time: int | None = 0  # None: one value a line at even steps
    value: int = 1
    delimiter: str | None = "\t"
    decimal: str = "."
    seconds: float = 60.0  # of one unit of the file's times; without times, the step
    factor: float = 1.0
    encoding: str = "latin-1"
    unit: str = ""


def comma(trace: str, line: int, rows: int, **more: object) -> Lines:
    return Lines(trace, line, rows, delimiter=",", **more)  # type: ignore[arg-type]


def column(trace: str, line: int, rows: int, rate: float, factor: float, unit: str) -> Lines:
    return Lines(trace, line, rows, None, 0, None, ".", 1 / rate, factor, unit=unit)


def chromeleon(trace: str, line: int, rows: int, unit: str, decimal: str = ",") -> Lines:
    return Lines(trace, line, rows, 0, 2, decimal=decimal, unit=unit)


def micro(trace: str, line: int, rows: int, delimiter: str = "\t") -> Lines:
    return Lines(trace, line, rows, delimiter=delimiter, factor=0.001, unit="mV")


MILLI = 0.000130208
RUNS = [f"143ml_comBlank_4%O2_8_8%MEOH_100_{i}.D" for i in (1, 2, 3)]
TEXT: dict[str, list[Lines]] = {
    "yadg/2023-06-29-014.dat.asc": [
        column("channel 1", 14, 6781, 10, MILLI, "pA"), column("channel 2", 14 + 6781, 6781, 10, MILLI, "25 µV")],
    "yadg/230324.dat.asc": [
        column("channel 1", 14, 18001, 20, MILLI, "counts"),
        column("channel 2", 14 + 18001, 18001, 20, MILLI, "counts")],
    "yadg/2019-12-03-31034-propane-01-000.dat.asc": [
        column("channel 1", 14, 9841, 10, MILLI, "pA"), column("channel 2", 14 + 9841, 9841, 10, MILLI, "25 µV")],
    "yadg/CHROMTAB.CSV": [
        comma(f"{RUNS[i]}/{name}", line, rows)
        for i, name, line, rows in (
            (0, "TIC", 4, 7540), (0, "TCD1A", 7545, 3931), (0, "FID2B", 11477, 3931), (1, "TIC", 15411, 7541),
            (1, "TCD1A", 22953, 3930), (1, "FID2B", 26884, 3930), (2, "TIC", 30817, 7541), (2, "TCD1A", 38359, 3927),
            (2, "FID2B", 42287, 3927))],
    "chromstream/ascii_format_1.asc": [
        column(f"channel {i + 1}", 14 + 15025 * i, 15025, 50.080132, factor, "mVolts")
        for i, factor in enumerate((0.0001, 0.0001, 0.00025))],
    "chromstream/format_1.txt": [chromeleon("FID", 44, 15001, "pA", ".")],
    "chromstream/format_3.txt": [chromeleon("FID_Ch1", 44, 42000, "pA")],
    "chromstream/format_6.txt": [chromeleon("TCD_Ch_4", 44, 6300, "mV", ".")],
    "lcqc/exgc_shim1.txt": [Lines("Ch1", 164, 90000)],
    "lcqc/exgcms_shim1.txt": [
        Lines("TIC", 98, 2142), Lines("m/z 87.00", 4398, 2142), Lines("m/z 93.00", 6548, 2142)],
    "lcqc/exgcms_shim3.txt": [
        Lines("TIC", 111, 2142), Lines("m/z 87.00", 4411, 2142), Lines("m/z 93.00", 6561, 2142)],
    "lcqc/exgcms_shim4.txt": [Lines("TIC", 180, 6450)],
    "lcqc/exlc1.csv": [comma("", 2, 1301)],
    "lcqc/exlc5.csv": [comma("", 2, 1353, seconds=1.0)],
    "lcqc/exlc10.csv": [comma("", 2, 1102, seconds=1.0)],
    "lcqc/exlc_shim2.txt": [Lines("PDA-Ch1", 98, 2814, unit="mAU")],
    "lcqc/exlc_shim4.txt": [Lines("PDA-Ch1", 106, 2814, unit="mAU")],
    "chromconverter/dad1.csv": [comma("220 nm", 2, 1944, encoding="utf-16")],
    "chromconverterextratests/multichannel_chrom.txt": [
        micro("Detector A-Ch1", 132, 3360), micro("Detector A-Ch2", 3502, 3360), micro("Detector B-Ch1", 6871, 3361)],
    "chromhandler/RAU-R505-01.D/tic_front.csv": [comma("", 3, 2012)],
    "chromhandler/RAU-R505-01.D/tic_front.tsv": [Lines("", 3, 2012, delimiter=" \t ")],
    "chromhandler/RAU-R505-05.D/tic_front.csv": [comma("", 3, 2012)],
    "chromhandler/Adenosine Stadards_ 0.5 mM.txt": [chromeleon("UV_VIS_1", 78, 26401, "mAU")],
    "chromhandler/Adenosine Stadards_ 2 mM.txt": [chromeleon("UV_VIS_1", 78, 26401, "mAU")],
    "chromhandler/24 h 25.1.txt": [chromeleon("UV_VIS_1", 78, 26401, "mAU")],
    "chromhandler/Output-sample 0.txt": [micro("Detector A-Ch1", 128, 1801, ",")],
    "chromhandler/Output-sample 6.txt": [micro("Detector A-Ch1", 129, 1801, ",")],
    "appia/05_25_BB.asc": [
        column("channel 1", 17, 6001, 2, 0.001, "mVolts"), column("channel 2", 17 + 6001, 6001, 2, 0.001, "mVolts")],
    "appia/NAI-A594_0H_RT_Channel540_Flow1.0.CSV": [Lines("", 1, 26400, encoding="utf-16")],
    "appia/new-shim-1.txt": [
        micro("Detector A-Ch1", 175, 2401), micro("Detector B-Ch1", 2587, 2401), micro("AD2", 4997, 2401)],
    "appia/results1844.arw": [Lines("2475ChA ex280/em350", 3, 6601)],
    "hplc-py/sample.txt": [micro("Detector B-Ch1", 85, 4801, ",")],
    "hplc-py/sample_chromatogram.txt": [comma("", 2, 4801, unit="mV")],
    **{f"hplc-py/lactose_mM_{c}.csv": [comma("", 2, 601)] for c in ("0.5", "1", "3", "6")},
    "traceview/05_20170526_MME_AA_STD-Mix2_ED_1.txt": [chromeleon("ED_1", 44, 3241, "nC")],
    "traceview/06_20170526_MME_AA_A1_ED_1.txt": [chromeleon("ED_1", 44, 3241, "nC")],
}  # fmt: skip

# file: (trace, copy in `derived`, seconds of its unit of time, digits of its signals, unit)
COPIES: dict[str, list[tuple[str, str, float, int, str]]] = {
    "chromhandler/001F0101.D/FID1A.ch": [("FID1A", "chromhandler__001F0101.D__FID1A.ch", 60, 8, "pA")],
    "chromhandler/001F0101.D/TCD2B.ch": [("TCD2B", "chromhandler__001F0101.D__TCD2B.ch", 60, 8, "25 uV")],
    "chromhandler/001F0103.D/FID1A.ch": [("FID1A", "chromhandler__001F0103.D__FID1A.ch", 60, 8, "pA")],
    "chromhandler/001F0103.D/TCD2B.ch": [("TCD2B", "chromhandler__001F0103.D__TCD2B.ch", 60, 8, "25 uV")],
    "chromhandler/001F0101.D": [("FID1A", "chromhandler__001F0101.D__FID1A.ch", 60, 8, "pA"),
                                ("TCD2B", "chromhandler__001F0101.D__TCD2B.ch", 60, 8, "25 uV")],
    "pyexplabsys/NV-F0101.D/FID2B.ch": [("FID2B", "pyexplabsys__NV-F0101.D__FID2B.ch", 60, 8, "pA")],
    "pyexplabsys/NV-F0101.D/TCD3C.ch": [("TCD3C", "pyexplabsys__NV-F0101.D__TCD3C.ch", 60, 8, "25 µV")],
    "gc2asm/V179.D/FID1A.ch": [("FID1A", "gc2asm__V179.D__FID1A.ch", 60, 8, "pA")],
    "netcdf-gcms/agilent-hplc.cdf": [("", "netcdf-gcms__agilent-hplc.cdf", 1, 7, "mAU")],
    "openchrom/CLASSVP.CDF": [("", "openchrom__CLASSVP.CDF", 60, 7, "Volts")],
    "openchrom/DIONEX.CDF": [("", "openchrom__DIONEX.CDF", 1, 7, "uS")],
    "openchrom/EXAMPLE1.CDF": [("", "openchrom__EXAMPLE1.CDF", 1, 7, "abundance units")],
    "openchrom/HP-CH.CDF": [("", "openchrom__HP-CH.CDF", 1, 7, "mAU")],
    "openchrom/SHIMADZU.CDF": [("", "openchrom__SHIMADZU.CDF", 1, 7, "uV")],
    "openchrom/SOLV001.CDF": [("", "openchrom__SOLV001.CDF", 1, 7, "uV")],
    "openchrom/VARIAN1.CDF": [("", "openchrom__VARIAN1.CDF", 1, 7, "AU")],
    "openchrom/WAT_490.CDF": [("", "openchrom__WAT_490.CDF", 1, 7, "AU")],
    "openchrom/tgntpe41.cdf": [("", "openchrom__tgntpe41.cdf", 1, 7, "uVolts")],
    "openchrom/PE_Turbochrom_GC.gaml": [("", "openchrom__PE_Turbochrom_GC.gaml", 60, 12, "")],
    "cheminfo-chromatography/signalOverlap.jdx": [
        ("TIC", "cheminfo-chromatography__signalOverlap.jdx.tic", 60, 15, "")],
    **{
        f"yadg/{original}": [(f"module{m}:tcd", f"yadg__{copy}__module{m}", 1, 15, "counts") for m in "AB"]
        for original, copy in (
            ("15p-Cu-10mA-01 - Jun 08 2022, 16;10.fusion-data", "15p-Cu-10mA-01_-_Jun_08_2022_16h10.fusion-data"),
            ("AgPTFE28_100mA_NaS_01 - Aug 13 2021, 18;18.fusion-data",
             "AgPTFE28_100mA_NaS_01_-_Aug_13_2021_18h18.fusion-data"),
            ("issue_198.fusion-data", "issue_198.fusion-data"))
    },
}  # fmt: skip

LONG = {f"analysis-lab/STD{n}-1.txt": 3 for n in (100, 25, 6)}

TABLES = {
    "analysis-lab/information_HPLC_DATE.xlsx": "an Excel workbook",
    "analysis-lab/standards_linear-model.tsv": "is a table of peaks or results",
    "chromhandler/EXP-24-AK6145_a_001.TX0": "a TotalChrom report (peak table)",
    "chromhandler/001F0101.D/REPORT01.CSV": "a ChemStation peak table",
    "chromhandler/001F0101.D/REPORT02.CSV": "a ChemStation peak table",
    "chromhandler/001F0103.D/REPORT01.CSV": "a ChemStation peak table",
    "chromhandler/001F0103.D/REPORT02.CSV": "a ChemStation peak table",
    "chromhandler/001F0101.D/Report.TXT": "an area percent report",
    "chromhandler/001F0103.D/Report.TXT": "an area percent report",
    "chromhandler/RAU-R505-01.D/RESULTS.CSV": "a ChemStation integration result",
    "chromhandler/RAU-R505-05.D/RESULTS.CSV": "a ChemStation integration result",
    "chromhandler/RAU-R505-01.D/rteres.txt": "an area percent report",
    "gc2asm/V179.D/Result.xml": "a ChemStation result in XML",
    "pyexplabsys/NV-F0101.D/REPORT02.CSV": "a ChemStation peak table",
    "pyexplabsys/NV-F0101.D/REPORT03.CSV": "a ChemStation peak table",
    "pyexplabsys/NV-F0101.D/Report.TXT": "an area percent report",
    "yadg/20220608-porosity-study-15p-Cu-10mA-GC.csv": "a Micro GC Fusion result table",
}


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def plainly(path: Path, where: Lines) -> tuple[np.ndarray, np.ndarray]:
    """Read the named lines with `str.split` and `float`; numbers with thousands are those of the decimal comma."""
    text = path.read_bytes().decode(where.encoding)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[where.line - 1 : where.line - 1 + where.rows]
    other = "." if where.decimal == "," else ","

    def number(line: str, column: int) -> float:
        cell = line.split(where.delimiter)[column] if where.delimiter else line
        return float(cell if where.delimiter == "," else cell.replace(other, "").replace(where.decimal, "."))

    signal = np.array([number(line, where.value) for line in lines]) * where.factor
    if where.time is None:
        return np.arange(where.rows) * where.seconds, signal
    return np.array([number(line, where.time) for line in lines]) * where.seconds, signal


@pytest.mark.parametrize("name", TEXT)
def test_text_files(name: str) -> None:
    path = real_data_folder() / name
    reading = read_file(path)
    assert [t.trace for t in reading.chromatograms] == [where.trace for where in TEXT[name]]
    assert reading.warnings == ()
    for trace, where in zip(reading.chromatograms, TEXT[name], strict=True):
        time, signal = plainly(path, where)
        assert trace.time.size == where.rows
        np.testing.assert_allclose(trace.time, time, rtol=1e-14, atol=1e-12)
        np.testing.assert_allclose(trace.signal, signal, rtol=1e-15, atol=0)
        assert trace.signal_unit == where.unit
        assert trace.notes == ()


@pytest.mark.parametrize("name", COPIES)
def test_other_files(name: str) -> None:
    folder = real_data_folder()
    reading = read_file(folder / name)
    assert [t.trace for t in reading.chromatograms] == [copy[0] for copy in COPIES[name]]
    assert reading.warnings == ()
    for trace, (_, copy, seconds, digits, unit) in zip(reading.chromatograms, COPIES[name], strict=True):
        rows = [line.split(",") for line in lines_of(folder / "derived" / f"{copy}.csv")[1:]]
        expected = np.array(rows, dtype=np.float64)
        assert trace.time.size == len(rows)
        # the copies round times to six decimals of their unit; two steps were rounded before they were multiplied
        np.testing.assert_allclose(trace.time, expected[:, 0] * seconds, atol=5.1e-5 * seconds, rtol=2e-6)
        np.testing.assert_allclose(trace.signal, expected[:, 1], rtol=10.0 ** (1 - digits), atol=1e-8)
        assert trace.signal_unit == unit


@pytest.mark.parametrize("name", LONG)
def test_files_in_long_form(name: str) -> None:
    path = real_data_folder() / name
    rows = list(csv.reader(lines_of(path), delimiter="\t"))[1:]
    detectors = list(dict.fromkeys(row[3] for row in rows))
    reading = read_file(path)
    assert [t.trace for t in reading.chromatograms] == detectors
    for trace in reading.chromatograms:
        own = np.array([row[:2] for row in rows if row[3] == trace.trace], dtype=np.float64)
        np.testing.assert_allclose(trace.time, own[:, 0] * 60, rtol=1e-14)
        assert trace.signal.tolist() == own[:, 1].tolist()
    assert [t.time.size for t in reading.chromatograms] == [3599, 3599, 3600]  # README of the measured files


@pytest.mark.parametrize("name", TABLES)
def test_tables_without_a_trace_are_refused_with_what_they_are(name: str) -> None:
    with pytest.raises(InputError) as caught:
        read_file(real_data_folder() / name)
    assert TABLES[name] in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_no_original_is_forgotten() -> None:
    folder = real_data_folder()
    known = {*TEXT, *COPIES, *LONG, *TABLES, "README.md"}
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and "derived" not in p.parts}
    assert there - known == set()
    assert {name for name in known if (folder / name).is_file()} == there


def test_every_copy_in_derived_is_read_too() -> None:
    for path in sorted((real_data_folder() / "derived").glob("*.csv")):
        if path.name.endswith(".peaks.csv"):
            with pytest.raises(InputError):
                read_file(path)
        else:
            reading = read_file(path)
            assert len(reading.chromatograms) == 1, path
            assert reading.chromatograms[0].time.size == len(lines_of(path)) - 1


def test_traces_are_chosen_by_pattern() -> None:
    path = real_data_folder() / "yadg/CHROMTAB.CSV"
    reading = read_file(path, ReadOptions(trace="*_2.D/FID*"))
    assert [trace.trace for trace in reading.chromatograms] == [f"{RUNS[1]}/FID2B"]
    shimadzu = real_data_folder() / "chromconverterextratests/multichannel_chrom.txt"
    one = read_file(shimadzu, ReadOptions(trace="Detector B*"))
    assert {peak.trace for peak in one.vendor_peaks} == {"Detector B-Ch1"}
    assert any("Pump A Pressure" in note for note in one.notes)
