"""Each reader on small files made here: traces, names, units, factors, peak tables; and what is damaged."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gcfit.errors import InputError, MissingExtraError
from gcfit.formats import READERS, Reading, ReadOptions, VendorPeak, list_formats, read, read_file
from gcfit.formats import vendor as vendor_reader
from tests.formats import samples
from tests.formats.fuzzing import check
from tests.formats.samples import SAMPLES, SIGNAL, TIME, N, write


def reading(folder: Path, content: bytes, name: str = "run", **options: object) -> Reading:
    return read_file(write(folder, name, content), ReadOptions(**options))  # type: ignore[arg-type]


def assert_run(found: Reading, factor: float = 1.0, tolerance: float = 0.0) -> None:
    """All traces are the one of the samples."""
    for trace in found.chromatograms:
        np.testing.assert_allclose(trace.time, TIME, rtol=1e-12, atol=1e-6 * (tolerance > 0))
        np.testing.assert_allclose(trace.signal, SIGNAL * factor, rtol=max(tolerance, 1e-15))


def test_every_reader_has_a_sample() -> None:
    assert {reader for reader, _ in SAMPLES.values()} == set(READERS)
    assert [name for name, _ in list_formats()] == [*READERS, "vendor-folder"]
    assert all(text and len(text) < 80 for _, text in list_formats())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_is_known_by_its_content(name: str, tmp_path: Path) -> None:
    reader, content = SAMPLES[name]
    found = reading(tmp_path, content, "no_suffix")
    assert found.reader == reader
    assert found.notes
    assert found.warnings == ()


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9, 0.99])
def test_a_file_cut_short_is_read_in_part_or_refused(name: str, keep: float, tmp_path: Path) -> None:
    content = SAMPLES[name][1]
    path = write(tmp_path, "cut", content[: int(keep * len(content))])
    assert check(path, ReadOptions()) in (*READERS, "refused")


@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_ezchrom(delimiter: str, tmp_path: Path) -> None:
    found = reading(tmp_path, samples.ezchrom(delimiter))
    first, second = found.chromatograms
    assert (first.trace, first.signal_unit, first.time.tolist()) == ("channel 1", "pA", [0, 0.5, 1.0, 1.5])
    assert first.signal.tolist() == [5, -10, 15, 20]
    assert (second.signal_unit, second.time.tolist(), second.signal.tolist()) == ("25 µV", [0, 2, 4], [1, 2, 3])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"\n3000\n", b"\n", "the header announces 7 values, the file holds 6"),
        (b"\n3000\n", b"\n3000\n5\n", "the header announces 7 values, the file holds 8"),
        (b"\n30\n", b"\nx y\n", "line 12: 'x y' is no number"),
        (b"Sampling Rate:\t2.0\t0.5\tHz", b"Sampling Rate:\t0\t0.5\tHz", "rates of [0.0, 0.5] Hz"),
        (b"\t0.5\t0.001", b"\t0.5", "1 factors"),
    ],
)
def test_damaged_ezchrom(old: bytes, new: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        reading(tmp_path, samples.ezchrom().replace(old, new))
    assert message in str(caught.value)


@pytest.mark.parametrize(("version", "trace", "unit"), [(7, "ED_1", "nC"), (6, "UV_VIS_1", "mAU")])
@pytest.mark.parametrize("decimal", [",", "."])
def test_chromeleon(version: int, trace: str, unit: str, decimal: str, tmp_path: Path) -> None:
    found = reading(tmp_path, samples.chromeleon(version, decimal))
    assert_run(found)
    assert [(t.trace, t.signal_unit) for t in found.chromatograms] == [(trace, unit)]


def test_chromeleon_with_thousands(tmp_path: Path) -> None:
    """1000 and more stand far below the first lines, from which the dialect is found."""
    top = "File Path\tx\nChannel\tA\n\nChromatogram Data:\nTime (min)\tStep (s)\tValue (mAU)\n"
    values = [f"{i},5" if i < 1000 else f"{i // 1000}.{i % 1000:03d},5" for i in range(1200)]
    rows = "".join(f"{i / 100:.6f}".replace(".", ",") + f"\t0,6\t{y}\n" for i, y in enumerate(values))
    trace = read(write(tmp_path, "run", (top + rows).encode()))
    assert trace.signal.tolist() == [i + 0.5 for i in range(1200)]
    english = (top + rows).translate(str.maketrans(",.", ".,"))
    assert read(write(tmp_path, "run", english.encode())).signal.tolist() == trace.signal.tolist()


def test_a_file_with_fewer_points_than_it_announces_is_read_with_a_warning(tmp_path: Path) -> None:
    whole = samples.chromeleon()
    found = reading(tmp_path, whole[: whole.rindex(b"0,39000")])
    assert found.chromatograms[0].time.size == N - 1
    assert found.warnings == (f"the file announces {N} points and holds {N - 1}",)


@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_shimadzu(delimiter: str, tmp_path: Path) -> None:
    found = reading(tmp_path, samples.shimadzu(delimiter))
    detector, analogue = found.chromatograms
    assert [t.trace for t in found.chromatograms] == ["Detector A-Ch1", "AD2"]
    assert detector.signal.tolist() == (SIGNAL * 0.001).tolist()
    assert analogue.signal.tolist() == (SIGNAL * 2).tolist()
    assert detector.signal_unit == "mV"
    assert "left out: Oven Temp." in found.notes
    first, second = found.vendor_peaks
    assert first == VendorPeak("Detector A-Ch1", "benzene", 10.2, pytest.approx(6.015), 1.0, 6.0, 15.0)
    assert (second.name, second.retention_time_s) == ("", 18.0)


def test_gcms(tmp_path: Path) -> None:
    found = reading(tmp_path, samples.gcms())
    assert [t.trace for t in found.chromatograms] == ["TIC", "m/z 87.00"]
    assert_run(found)
    assert "TIC is in the file twice" in found.notes
    assert [(p.trace, p.name, p.area) for p in found.vendor_peaks] == [("TIC", "camphor", 6015)]


def test_shimadzu_without_a_trace(tmp_path: Path) -> None:
    content = samples.shimadzu()
    only_peaks = content[: content.index(b"[LC Chromatogram")]
    with pytest.raises(InputError, match="no section with a chromatogram"):
        reading(tmp_path, only_peaks)


def test_masshunter(tmp_path: Path) -> None:
    found = reading(tmp_path, samples.masshunter())
    assert [t.trace for t in found.chromatograms] == ["a.D/TIC", "a.D/FID2B", "b.D/TIC", "b.D/FID2B"]
    assert_run(found)
    one = samples.masshunter()[: len(samples.masshunter()) // 2]
    assert [t.trace for t in reading(tmp_path, one).chromatograms] == ["TIC", "FID2B"]


@pytest.mark.parametrize("name", ["data analysis", "data analysis, tabs", "empower", "jcamp scans", "long form"])
def test_one_layout_each(name: str, tmp_path: Path) -> None:
    assert_run(reading(tmp_path, SAMPLES[name][1]))


def test_wavelengths(tmp_path: Path) -> None:
    found = reading(tmp_path, samples.wavelengths())
    assert [t.trace for t in found.chromatograms] == ["220 nm", "254 nm"]
    assert found.chromatograms[0].signal.tolist() == SIGNAL.tolist()
    assert set(found.chromatograms[1].signal) == {7.5}
    assert_run(reading(tmp_path, samples.wavelengths(), trace="220*"))


def test_empower_names_its_channel(tmp_path: Path) -> None:
    assert reading(tmp_path, samples.empower()).chromatograms[0].trace == "2475 ex280"


@pytest.mark.parametrize("pairs", [True, False])
def test_jcamp_tables(pairs: bool, tmp_path: Path) -> None:
    found = reading(tmp_path, samples.jcamp_table(pairs))
    assert_run(found)
    assert found.chromatograms[0].signal_unit == "MILLIVOLTS"
    with pytest.raises(InputError, match="compressed"):
        reading(tmp_path, samples.jcamp_table(pairs).replace(b"\n48 ", b"\n48 A").replace(b"; 6", b"; A6"))
    with pytest.raises(InputError, match="no chromatogram"):
        reading(tmp_path, samples.jcamp_table(pairs).replace(b"GAS CHROMATOGRAM", b"INFRARED SPECTRUM"))


def test_fusion(tmp_path: Path) -> None:
    found = reading(tmp_path, samples.fusion())
    (trace,) = found.chromatograms
    assert (trace.trace, trace.time[1], trace.signal.tolist()) == ("moduleA:tcd", 0.02, SIGNAL.tolist())
    assert found.vendor_peaks == (VendorPeak("moduleA:tcd", "H2", 0.4, 5.5, 2.0, 0.2, 0.7),)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"values": [', b'"values": {[', "is no valid JSON"),
        (b'"nValuesPerSecond": 50', b'"nValuesPerSecond": "x"', "no usable 'nValuesPerSecond'"),
        (b'"values": [', b'"values": ["a", ', "'values' is no list of numbers"),
        (b'"values": [', b'"values": [1' + b"0" * 400 + b", ", "beyond the range"),
        (b'"methodName": "m"', b'"methodName": ' + b"[" * 200_000, "is no valid JSON"),
        (b'"methodName": "m"', b'"methodName": 1' + b"0" * 9000, "is no valid JSON"),
    ],
)
def test_damaged_fusion(old: bytes, new: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        reading(tmp_path, samples.fusion().replace(old, new, 1).replace(b'{"methodName"', b'{"methodName"'))
    # a long value before "detectors" hides the names by which the reader knows its files
    assert message in str(caught.value) or "no rows with two numbers" in str(caught.value)


def test_gaml(tmp_path: Path) -> None:
    found = reading(tmp_path, samples.gaml())
    assert_run(found, tolerance=1e-6)
    first, second = found.vendor_peaks
    assert first == VendorPeak("", "C1", 10.2, 99.5, None, 6.0, 18.0)  # its PK_RET_TIME is of another clock
    assert (second.retention_time_s, second.area) == (12.0, None)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"</Xdata>", b"", "is no valid XML"),
        (b"<experiment", b"<a>" * 5000 + b"<experiment", "more than 60 elements within one another"),
        (b"<GAML", b'<!DOCTYPE x [<!ENTITY a "b">]><GAML', "declares entities"),
        (b"FLOAT64", b"INT16", "unknown format"),
        (b'technique="CHROM"', b'technique="UVVIS"', "no trace of a chromatogram"),
    ],
)
def test_damaged_gaml(old: bytes, new: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        reading(tmp_path, samples.gaml().replace(old, new))
    assert message in str(caught.value)


@pytest.mark.parametrize(("unit", "step"), [("seconds", 0.6), ("Minutes", 0.01), ("Time-Sec", 0.6), ("", 0.6)])
def test_andi(unit: str, step: float, tmp_path: Path) -> None:
    found = reading(tmp_path, samples.andi(unit, step))
    assert_run(found, tolerance=1e-6)
    assert found.chromatograms[0].signal_unit == "uV"
    first, second = found.vendor_peaks
    assert (first.name, first.area, first.height) == ("toluene", 6015, 1000)
    np.testing.assert_allclose([first.retention_time_s, first.start_s, first.end_s], [10.2, 6.0, 15.0], rtol=1e-6)
    assert (second.area, second.start_s, second.end_s) == (None, None, None)  # start and end are no times of this peak


def test_andi_mass_spectra(tmp_path: Path) -> None:
    found = reading(tmp_path, samples.andi(mass_spectra=True))
    assert_run(found, tolerance=1e-6)
    assert found.chromatograms[0].trace == "TIC"


@pytest.mark.parametrize("version", [b"179", b"181"])
def test_channels(version: bytes, tmp_path: Path) -> None:
    found = reading(tmp_path, samples.channel(version), "FID1A.ch")
    assert_run(found, tolerance=1e-9)
    assert [(t.trace, t.signal_unit) for t in found.chromatograms] == [("FID1A", "pA")]
    packed = reading(tmp_path, gzip.compress(samples.channel(version)), "FID1A.ch.gz")
    assert packed.chromatograms[0].trace == "FID1A"
    assert packed.chromatograms[0].signal.tolist() == found.chromatograms[0].signal.tolist()


def test_run_folders(tmp_path: Path) -> None:
    folder = tmp_path / "run 1.D"
    folder.mkdir()
    with pytest.raises(InputError, match="is a folder"):
        read_file(folder)
    for name, version in (("FID1A.ch", b"179"), ("TCD2B.ch", b"181")):
        write(folder, name, samples.channel(version))
    assert vendor_reader.is_run_folder(folder)
    found = read_file(folder)
    assert [t.trace for t in found.chromatograms] == ["FID1A", "TCD2B"]
    assert_run(found, tolerance=1e-9)
    assert [t.trace for t in read_file(folder, ReadOptions(trace="TCD*")).chromatograms] == ["TCD2B"]
    write(folder, "FID1A.ch", samples.channel()[:0x1900].replace(b"\x03179", b"\x03179"))
    write(folder, "TCD2B.ch", samples.channel(b"181")[:900])
    with pytest.raises(InputError, match="cut within its header"):
        read_file(folder)


def test_binary_files_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rainbow", None)
    with pytest.raises(MissingExtraError, match=r"gcfit-chromatography\[vendor\]"):
        reading(tmp_path, samples.channel(), "FID1A.ch")


def test_a_channel_whose_header_would_ask_for_an_endless_axis(tmp_path: Path) -> None:
    content = bytearray(samples.channel())
    content[0x11A:0x122] = b"\0\0\0\0\0\0\0\1"  # from 0 to the smallest float above
    with pytest.raises(InputError, match="header: a ChemStation channel from 0 to"):
        reading(tmp_path, bytes(content))


@pytest.mark.parametrize("unit", ["s", "min", "h", "ms"])
def test_the_user_knows_the_unit_of_time_better(unit: str, tmp_path: Path) -> None:
    factor = {"s": 1, "min": 60, "h": 3600, "ms": 0.001}[unit]
    for name in ("chromeleon 7", "shimadzu", "data analysis", "empower", "jcamp scans", "gaml", "delimited"):
        found = reading(tmp_path, SAMPLES[name][1], time_unit=unit)
        np.testing.assert_allclose(found.chromatograms[0].time, TIME / 60 * factor, rtol=1e-12)


def test_options_of_tables_make_any_text_delimited(tmp_path: Path) -> None:
    found = reading(tmp_path, samples.data_analysis(), skip_lines=2, delimiter=",")
    assert found.reader == "delimited"
    assert_run(found)


def test_standard_input_and_pipes(tmp_path: Path) -> None:
    code = "from gcfit.formats import read; t = read('-'); print(t.source, t.time.size, t.signal[3])"
    for name in ("delimited", "empower", "channel 179", "andi"):
        run = subprocess.run([sys.executable, "-c", code], input=SAMPLES[name][1], capture_output=True, check=True)
        source, size, value = run.stdout.split()
        assert (source, int(size)) == (b"-", N)
        assert float(value) == pytest.approx(SIGNAL[3], rel=1e-6)


def test_names_of_files_are_kept_as_given(tmp_path: Path) -> None:
    for name in ("a b, c.csv", "=1+1.csv", "-5.csv", 'q"uote.csv', "two\nlines.csv", "Größe 漢.csv"):
        path = write(tmp_path, name, samples.delimited())
        assert read(path).source == str(path)
        with pytest.raises(InputError) as caught:
            read(path, trace="none")
        assert "\n" not in str(caught.value)
