"""Coverage-guided fuzzing of the readers with atheris, which is not among the test packages.

    python -m tests.formats.fuzz_atheris CORPUS -max_total_time=3600 -rss_limit_mb=1000 -timeout=10

fills CORPUS with the samples first. The first byte of an input chooses the options, or that it is a report beside a
trace; the rest is the file.
"""

import sys
import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gcfit"]):
    import gcfit.formats  # noqa: F401

from tests.formats.fuzzing import OPTIONS, check, check_report, seeds
from tests.formats.samples import REPORTS

FOLDER = Path(tempfile.mkdtemp(prefix="gcfit-atheris-"))
NAMES = list(REPORTS)


def one_input(data: bytes) -> None:
    kind = (data[0] if data else 0) % (len(OPTIONS) + len(NAMES))
    if kind >= len(OPTIONS):
        check_report(FOLDER / "run.D", NAMES[kind - len(OPTIONS)], data[1:])
        return
    (FOLDER / "fuzz.bin").write_bytes(data[1:])
    check(FOLDER / "fuzz.bin", OPTIONS[kind])


def main() -> None:
    warnings.simplefilter("error")
    corpus = Path(sys.argv[1])
    corpus.mkdir(exist_ok=True)
    (FOLDER / "run.D").mkdir()
    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(b"\0" + seed[:20_000])
    for number, report in enumerate(REPORTS.values()):
        (corpus / f"report-{number}").write_bytes(bytes([len(OPTIONS) + number]) + report)
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
