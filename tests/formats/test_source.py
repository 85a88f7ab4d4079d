"""Packed files, bombs, lines without end, pipes: what is opened, and what it may cost."""

import bz2
import gzip
import lzma
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gcfit.errors import InputError
from gcfit.formats import read
from tests.formats.fuzzing import run, seeds
from tests.formats.samples import SIGNAL, delimited, write

PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}

# reads a file under a limit of memory and prints what came of it, the time [s] of the process, and its peak memory [MB]
MEASURED = """
import resource, sys, time
from gcfit.formats import read_file
from gcfit.errors import InputError
start = time.process_time()
try:
    said = read_file(sys.argv[1]).chromatograms[0].time.size
except InputError as error:
    said = error
# not ru_maxrss: that begins with the memory of the process that started this one
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(said, time.process_time() - start, int(peak.split()[1]) >> 10, sep="|")
"""


def measured(path: Path) -> tuple[str, float, int]:
    done = subprocess.run([sys.executable, "-c", MEASURED, path], capture_output=True, text=True, check=True)
    said, seconds, memory = done.stdout.strip().rsplit("|", 2)
    return said, float(seconds), int(memory)


@pytest.mark.parametrize("suffix", PACKERS)
def test_packed_files_are_read_as_they_are(suffix: str, tmp_path: Path) -> None:
    packed = PACKERS[suffix](delimited())
    for name in (f"run.csv.{suffix}", "run.csv"):  # the content decides
        trace = read(write(tmp_path, name, packed))
        assert trace.signal.tolist() == SIGNAL.tolist()
    twice = read(
        write(tmp_path, f"two.{suffix}", PACKERS[suffix](delimited()[:300]) + PACKERS[suffix](delimited()[300:]))
    )
    assert twice.signal.tolist() == SIGNAL.tolist()
    with pytest.raises(InputError, match="cannot be unpacked"):
        read(write(tmp_path, "cut", packed[: len(packed) // 2]))
    plain = read(write(tmp_path, f"plain.{suffix}", delimited()))
    assert plain.signal.tolist() == SIGNAL.tolist()


def test_packed_twice_is_once_too_often(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is packed data within packed data or from a pipe"):
        read(write(tmp_path, "a.gz", gzip.compress(gzip.compress(delimited()))))


@pytest.mark.parametrize("suffix", PACKERS)
def test_an_archive_bomb_is_stopped(suffix: str, tmp_path: Path) -> None:
    content = PACKERS[suffix](b"1,1\n" * (1 << 18)) * 100  # 100 MB in as many parts
    said, seconds, memory = measured(write(tmp_path, "bomb", content))
    assert "unpacks to more than 32 MB; if that is meant, unpack it first" in said
    assert memory < 500
    assert seconds < 20  # a hang, not a measure of speed


def test_an_xz_header_that_asks_for_much_memory_is_refused(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}]
    path = tmp_path / "large.xz"
    code = "import lzma, sys\n" + f"open(sys.argv[1], 'wb').write(lzma.compress(b'0,1', filters={filters}))"
    subprocess.run([sys.executable, "-c", code, path], check=True)
    with pytest.raises(InputError, match="cannot be unpacked: Memory usage limit"):
        read(path)


def test_a_line_without_end_is_refused_before_it_is_all_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    with path.open("wb") as stream:
        for _ in range(200):
            stream.write(b"1.5,2.5," * (1 << 17))
    said, _, memory = measured(path)
    assert "a line of more than 1 MB" in said
    assert memory < 500


SHIMADZU = b"[Header]\nApplication Name\tx\n"
SHIMADZU_TRACE = b"[LC Chromatogram(A)]\nR.Time (min)\tIntensity\n0\t1\n1\t2\n2\t3\n"
LARGE = {
    "repeated times": b"1,1\n" * 2_400_000,
    "words": b"a\n" * 4_900_000,
    "one column": b"1\n" * 4_900_000,
    "quotes": b'"' * 9_000_000,
    "blanks": b" " * 9_900_000,
    "commas": b"," * 9_900_000,
    "alternating": b"1,2\nx\n" * 1_600_000,
    "empty lines": b"\n" * 9_900_000,
    "one number": b"1" * 9_900_000,
    "long numbers": b"0.123456789012345678901,1\n" * 370_000,
    "long form": b"1,a,2\n" * 1_600_000,
    "gaml, wide": b"<GAML>" + b"<a/>" * 2_400_000,
    "gaml, deep": b"<GAML>" + b"<a>" * 3_200_000,
    "fusion, deep": b'{"detectors":{"a":{"nValuesPerSecond":50,"values":' + b"[" * 4_900_000,
    "shimadzu, sections": SHIMADZU + b"[a]\n" * 2_400_000,
    "shimadzu, traces": SHIMADZU + SHIMADZU_TRACE * 3_000,
    "shimadzu, peaks": SHIMADZU + SHIMADZU_TRACE + b"\n[Peak Table(A)]\nPeak#\tR.Time\n" + b"1\t2\n" * 2_400_000,
    "jcamp, labels": b"##JCAMP-DX= 5\n" + b"##A=\n" * 1_900_000,
    "masshunter, blocks": b'"Path","File","Date Acquired"\n' + b'"TIC: a"\n1,2\n2,3\n3,4\n' * 440_000,
    "many blocks": b"h\n1,2\n2,3\n3,4\n" * 9_000,
    "many columns": (b"1," * 5000 + b"1\n") * 900,
}


@pytest.mark.parametrize("content", LARGE.values(), ids=LARGE)
def test_ten_megabytes_of_anything_stay_within_bounds(content: bytes, tmp_path: Path) -> None:
    said, seconds, memory = measured(write(tmp_path, "large.csv", content))
    assert said
    assert memory < 500
    assert seconds < 20  # a hang, not a measure of speed


def test_a_pipe_is_read_and_a_device_without_end_is_not_waited_for(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(delimited()))
    writer.start()
    assert read(fifo).signal.tolist() == SIGNAL.tolist()
    writer.join()


def test_a_short_seeded_fuzz_run(tmp_path: Path) -> None:
    """Damaged files of every kind: a valid record or an `InputError`; see `tests.formats.fuzzing` for the long run."""
    assert len(seeds()) > 20
    outcomes, failures, _ = run(600, seed=2024, folder=tmp_path)
    assert failures == []
    assert outcomes["refused"] > 100
    assert outcomes.total() - outcomes["refused"] > 100
