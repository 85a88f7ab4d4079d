"""What the tests of the batch share: inputs, the tables without their timings, the command as a process."""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLES = ("peaks", "files")
LONG_AGO = 1_600_000_000  # not written to just now, so that nothing waits for it to settle


def write_inputs(folder: Path, contents: Mapping[str, str]) -> list[Path]:
    """Write one file a content, all of them old; return their paths in order."""
    paths = []
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        os.utime(path, (LONG_AGO, LONG_AGO))
        paths.append(path)
    return paths


def touch_lately(path: Path) -> None:
    """Let a file be one that was written to ten seconds ago."""
    os.utime(path, (time.time() - 10,) * 2)


def good_files(folder: Path, count: int) -> list[Path]:
    return write_inputs(folder, {f"run{index:04d}.txt": f"ok 1 {index % 7} {index}" for index in range(count)})


def rows(output: Path, table: str) -> list[dict[str, str]]:
    with (output / f"{table}.csv").open(newline="", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


def untimed(output: Path) -> dict[str, bytes]:
    """Bytes of both tables; the cells of the column `seconds`, and nothing else, are left out."""
    peaks = (output / "peaks.csv").read_bytes()
    files = [(output / "files.csv").read_bytes().split(b"\n")][0]
    at = files[0].split(b",").index(b"seconds")
    kept = []
    for line, row in zip(files[1:-1], rows(output, "files"), strict=True):
        kept.append(line.replace(b"," + row["seconds"].encode() + b",", b",,", 1))
    assert files[-1] == b""
    assert at == 9
    return {"peaks": peaks, "files": b"\n".join([files[0], *kept])}


def statuses(output: Path) -> dict[str, str]:
    """Status of each file by its name without folder."""
    return {Path(row["file"]).name: row["status"] for row in rows(output, "files")}


def command(output: Path, folder: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "tests.batch.command", str(output), str(folder), *options]


def start(arguments: Sequence[str], **settings: object) -> "subprocess.Popen[str]":
    """Start the command in a process group of its own, as a shell does."""
    known = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    return subprocess.Popen(arguments, start_new_session=True, **(known | settings))  # type: ignore[call-overload]


def complete(arguments: Sequence[str], **settings: object) -> "subprocess.CompletedProcess[str]":
    known = {"capture_output": True, "text": True, "cwd": ROOT, "timeout": 120, "check": False}
    return subprocess.run(arguments, **(known | settings))  # type: ignore[call-overload]


def run_process_of(group: int) -> list[int]:
    """Identities of the living processes of a process group."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(entry.name))
    return found
