"""Run the command line as a user does: the real interpreter in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 120


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without any variable that gcfit or the locale of the tester's shell would bring in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GCFIT_", "LC_", "LANG"))}
    return kept | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"} | dict(extra or {})


def gcfit(
    *arguments: str | Path, stdin: str | bytes = "", env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `python -W error -m gcfit ...`; the output is decoded as UTF-8."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    command = [sys.executable, "-W", "error", "-m", "gcfit", *map(str, arguments)]
    run = subprocess.run(
        command, input=data, capture_output=True, env=environment(env), cwd=cwd, timeout=TIMEOUT_S, check=False
    )
    text = [stream.decode("utf-8", "surrogateescape") for stream in (run.stdout, run.stderr)]
    return subprocess.CompletedProcess(command, run.returncode, *text)


def bash(
    line: str, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a shell line in which `gcfit` is the command of this checkout; its exit code is that of the whole line."""
    prelude = f'gcfit() {{ "{sys.executable}" -W error -m gcfit "$@"; }}; '
    return subprocess.run(
        ["bash", "-c", prelude + line],
        capture_output=True,
        env=environment(env),
        cwd=cwd,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
