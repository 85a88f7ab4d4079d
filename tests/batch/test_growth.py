"""Nothing grows with the number of files: memory, open files, files in the folder."""

import statistics
import time
from pathlib import Path

import pytest

from tests.batch.helpers import command, good_files, start

FILES = 3000


def resident(process: int) -> int:
    """Resident memory of a process [kB]."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory_and_open_files_stay_the_same_from_the_first_file_to_the_last(tmp_path: Path) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    good_files(folder, FILES)
    process = start(command(output, folder))
    samples = []
    while process.poll() is None:
        try:
            handles = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
            samples.append((resident(process.pid), handles, len(list(output.iterdir())) if output.exists() else 0))
        except (FileNotFoundError, StopIteration):
            break
        time.sleep(0.02)
    assert process.communicate()[1].startswith(f"gcfit: {FILES} files: {FILES} fitted")
    assert len(samples) > 30
    middle, end = samples[len(samples) // 4 : len(samples) // 2], samples[len(samples) // 2 :]
    memory = [statistics.median(sample[0] for sample in middle), max(sample[0] for sample in end)]
    # the results of 1,500 files would be more than 12 MB; the writers of the tables load at the end
    assert memory[1] - memory[0] < 11000
    assert max(sample[1] for sample in end) <= max(sample[1] for sample in middle) + 2  # the tables at the very end
    assert max(sample[2] for sample in samples) <= 7  # lock, store with its two logs, two tables, one under way
