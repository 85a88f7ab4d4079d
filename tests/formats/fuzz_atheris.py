"""Coverage-guided fuzzing of the readers with atheris, which is not among the test packages.

    python -m tests.formats.fuzz_atheris CORPUS -max_total_time=3600 -rss_limit_mb=1000 -timeout=10

fills CORPUS with the samples first. The first byte of an input chooses the options, the rest is the file.
"""

import sys
import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gcfit"]):
    import gcfit.formats  # noqa: F401

from tests.formats.fuzzing import OPTIONS, check, seeds

FILE = Path(tempfile.mkdtemp(prefix="gcfit-atheris-")) / "fuzz.bin"


def one_input(data: bytes) -> None:
    FILE.write_bytes(data[1:])
    check(FILE, OPTIONS[data[0] % len(OPTIONS)] if data else OPTIONS[0])


def main() -> None:
    warnings.simplefilter("error")
    corpus = Path(sys.argv[1])
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(b"\0" + seed[:20_000])
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
