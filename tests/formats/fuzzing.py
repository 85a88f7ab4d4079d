"""Mutated files through the reader: each must give valid records or an `InputError` that names the file.

    python -m tests.formats.fuzzing [COUNT] [SEED]

runs COUNT mutations of the samples and, where they are at hand, of the measured files, under a limit of memory, and
prints the slowest. One in ten is a report beside a sound trace, which it must not cost. The test suite runs a few
hundred of them.
"""

import bz2
import gzip
import lzma
import random
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gcfit.chromatogram import Chromatogram
from gcfit.errors import InputError
from gcfit.formats import ReadOptions, andi, read_file
from gcfit.formats.reports import peaks_beside
from tests.formats.samples import REPORTS, SAMPLES
from tests.realdata import FOLDER

LONGEST = 2.0  # s
MEMORY = 500 << 20
TOKENS = [
    b"1e999", b"-1e999", b"nan", b"inf", b"9" * 400, b"-0", b"0x1F", b"1,234,567.8", b"n.a.", b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\0" * 9, b"\r", b"\n\n\n", b"\t" * 40, b'"' * 3, b"[" * 3000, b"{" * 3000, b"<a>" * 300, b"##XYDATA=", b"[x]\n",
    b"CDF\x01", b"\x03181", b"1e-400", b"\x1a", b"1.7976931348623157e308", b"4.9e-324", "١٢٣".encode(), b"-" * 50,
    b";;;;,,,,",
    b"2147483648", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"1" + b"0" * 5000, b"E" * 30, b"# of Points\t7\n", b" " * 999,
]  # fmt: skip
CHOICES: list[dict[str, Any]] = [
    *[{}] * 8, {"delimiter": ","}, {"delimiter": " "}, {"decimal": ","}, {"thousands": "."}, {"skip_lines": 3},
    {"no_header": True}, {"time_column": "2"}, {"signal_column": "1"}, {"time_unit": "min"}, {"trace": "*A*"},
    {"encoding": "utf-16"}, {"encoding": "utf-8"}, {"encoding": "utf-7"},
]  # fmt: skip
OPTIONS = [ReadOptions(**choice) for choice in CHOICES]

Mutation = Callable[[random.Random, bytearray, list[bytes]], bytes]


def flip(rng: random.Random, data: bytearray, others: list[bytes]) -> bytes:
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def cut(rng: random.Random, data: bytearray, others: list[bytes]) -> bytes:
    a, b = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
    return bytes(data[:a]) if rng.random() < 0.5 else bytes(data[:a] + data[b:])


def swap(rng: random.Random, data: bytearray, others: list[bytes]) -> bytes:
    a, b, c = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return bytes(data[:a] + data[b:c] + data[a:b] + data[c:])


def repeat(rng: random.Random, data: bytearray, others: list[bytes]) -> bytes:
    a, b = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
    return bytes(data[:b] + data[a:b] * rng.choice([1, 3, 20]) + data[b:])


def insert(rng: random.Random, data: bytearray, others: list[bytes]) -> bytes:
    for _ in range(rng.choice([1, 1, 5])):
        a = rng.randrange(len(data) + 1)
        data[a : a + rng.choice([0, 0, 4, 12])] = rng.choice(TOKENS)
    return bytes(data)


def noise(rng: random.Random, data: bytearray, others: list[bytes]) -> bytes:
    a = rng.randrange(len(data))
    data[a : a + rng.randrange(200)] = rng.randbytes(rng.randrange(200))
    return bytes(data)


def splice(rng: random.Random, data: bytearray, others: list[bytes]) -> bytes:
    other = rng.choice(others)
    return bytes(data[: rng.randrange(len(data) + 1)]) + other[rng.randrange(len(other)) :]


def replace(rng: random.Random, data: bytearray, others: list[bytes]) -> bytes:
    old = bytes([rng.choice(b'\t\n,;.:[]"<>={}0159-')])
    new = rng.choice([b"", b"\t", b"\n", b",", b";", b"\r\n", b"\0", b".", *TOKENS[:12]])
    return bytes(data).replace(old, new, rng.choice([1, 9, -1]))


def recode(rng: random.Random, data: bytearray, others: list[bytes]) -> bytes:
    return bytes(data).decode("latin-1").encode(rng.choice(["utf-8", "utf-16", "utf-16-be", "utf-32", "utf-16-le"]))


MUTATIONS: list[Mutation] = [flip, flip, cut, swap, repeat, insert, insert, noise, splice, replace, recode]
TRACES = [Chromatogram(np.arange(99.0), np.arange(99.0), "", "x", name) for name in ("FID1A", "TCD2B", "TIC")]
PACKERS = [gzip.compress, bz2.compress, lzma.compress]


def seeds() -> list[bytes]:
    """All samples, and the measured files shortened to their first and last part."""
    found = [content for _, content in SAMPLES.values()]
    for path in sorted(FOLDER.rglob("*")) if FOLDER.is_dir() else []:
        if path.is_file() and "derived" not in path.parts:
            content = path.read_bytes()
            found.append(content if len(content) < 16_000 else content[:9000] + content[-3000:])
    return found


def mutated(rng: random.Random, known: list[bytes]) -> bytes:
    """One damaged file."""
    data = rng.choice(known)
    for _ in range(rng.choice([1, 1, 2, 4])):
        data = rng.choice(MUTATIONS)(rng, bytearray(data or b"x"), known)[: 8 << 20]
    if rng.random() < 0.05:
        packed = bytearray(rng.choice(PACKERS)(data))
        data = flip(rng, packed, known) if rng.random() < 0.5 else bytes(packed)
    return data


def check(path: Path, options: ReadOptions) -> str:
    """Read a file; returns what came of it. Anything but a valid reading and an `InputError` passes through."""
    try:
        reading = read_file(path, options)
    except InputError as error:
        text = str(error)
        if str(path) not in text or "\n" in text or not error.found:
            raise AssertionError(f"an error without file or place: {text!r}") from error
        return "refused"
    for trace in reading.chromatograms:
        if not (np.isfinite(trace.signal).all() and (np.diff(trace.time) > 0).all() and trace.time.size >= 3):
            raise AssertionError("an invalid record")
    if not reading.chromatograms or any(p.retention_time_s is None for p in reading.vendor_peaks):
        raise AssertionError("an empty reading")
    return reading.reader


def check_report(folder: Path, name: str, data: bytes) -> str:
    """Look for the peaks in a report beside sound traces. Damage is a warning that names the report."""
    path = folder / name
    path.write_bytes(data)
    peaks, notes, warnings = peaks_beside(folder, TRACES)
    path.unlink()
    if any(str(path) not in warning or "\n" in warning for warning in warnings):
        raise AssertionError(f"a warning without a file: {warnings!r}")
    if bool(peaks) != bool(notes) or not all(np.isfinite(p.retention_time_s) for p in peaks):
        raise AssertionError("a table that is none")
    if not {p.trace for p in peaks} <= {trace.trace for trace in TRACES}:
        raise AssertionError("peaks of no trace")
    return "report" if peaks else "no report"


def run(count: int, seed: int, folder: Path, report: int = 0) -> tuple[Counter[str], list[str], float]:
    """Read `count` mutations; returns what came of them, the failures, and the longest time [s] of a single one."""
    rng = random.Random(seed)
    known = seeds()
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    longest = 0.0
    (folder / "run.D").mkdir(exist_ok=True)
    path = folder / "fuzz.bin"
    for number in range(count):
        report_name = rng.choice(list(REPORTS)) if number % 10 == 9 else ""
        data = mutated(rng, [REPORTS[report_name]] if report_name else known)
        options = rng.choice(OPTIONS)
        path.write_bytes(data)
        start = time.process_time()
        try:
            outcomes[check_report(folder / "run.D", report_name, data) if report_name else check(path, options)] += 1
        except Exception:  # noqa: BLE001  that is what is looked for
            failures.append(f"{number}: {options}\n{traceback.format_exc()}")
            (folder / f"failure-{seed}-{number}.bin").write_bytes(data)
        seconds = time.process_time() - start  # of this process, whatever else the machine does
        longest = max(longest, seconds)
        if seconds > LONGEST:
            failures.append(f"{number}: {seconds:.2f} s, {options}")
            (folder / f"slow-{seed}-{number}.bin").write_bytes(data)
        if report and number % report == report - 1:
            print(number + 1, dict(outcomes), f"longest {longest:.2f} s", f"{len(failures)} failures", flush=True)
    return outcomes, failures, longest


def limit_memory() -> None:
    """Allow `MEMORY` more than is in use, and let nobody take a failed allocation for a damaged file."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)
    andi._DAMAGED = tuple(kind for kind in andi._DAMAGED if kind is not MemoryError)


def main() -> None:
    count, seed = (int(argument) for argument in (sys.argv[1:] + ["100000", "1"][len(sys.argv) - 1 :]))
    warnings.simplefilter("error")
    folder = Path(tempfile.mkdtemp(prefix="gcfit-fuzz-"))
    run(20, 0, folder)  # loads everything before memory is limited
    limit_memory()
    outcomes, failures, longest = run(count, seed, folder, report=max(count // 20, 1))
    print(f"{count} mutations: {dict(outcomes)}; longest {longest:.2f} s; {len(failures)} failures, kept in {folder}")
    print("\n".join(failures[:40]))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
