"""A command line around `gcfit.batch.run` with the stand-in task, to be started, killed and repeated by the tests."""

import argparse
import sys
from pathlib import Path

from gcfit.batch import run
from gcfit.errors import GcfitError
from tests.batch import tasks


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("output", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--dask", default="")
    parser.add_argument("--log", type=Path)
    given = parser.parse_args()
    files = sorted(path for path in given.folder.rglob("*") if not path.is_dir() and not path.name.endswith(".tried"))
    settings = tasks.Settings(seconds=given.seconds)
    try:
        summary = run(
            files, settings, given.output, task=tasks.fit, jobs=given.jobs, dask=given.dask, log=given.log,
            progress=sys.stderr,
        )  # fmt: skip
    except GcfitError as error:
        print(f"gcfit: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    print(f"gcfit: {summary.line}", file=sys.stderr)
    return summary.exit_code


if __name__ == "__main__":
    sys.exit(main())
