"""Run the command line: as a user does, in a process of its own, or quickly, in the process of the tests."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path
from unittest import mock

from gcfit.cli.main import main

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


def inside(
    *arguments: str | Path, stdin: str | bytes = "", env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Do what `gcfit` does without starting an interpreter: the same `main`, streams of bytes, an exit code."""
    words = ["gcfit", *map(str, arguments)]
    with _streams(stdin.encode() if isinstance(stdin, str) else stdin) as (out, err), mock.patch("sys.argv", words):
        with mock.patch.dict(os.environ, environment(env), clear=True), chdir(cwd or Path.cwd()):
            try:
                main()
            except SystemExit as end:
                code = end.code
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        text = [stream.getvalue().decode("utf-8", "surrogateescape") for stream in (out, err)]
    assert isinstance(code, int)
    return subprocess.CompletedProcess(words, code, *text)


@contextmanager
def _streams(stdin: bytes) -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    out, err = io.BytesIO(), io.BytesIO()
    wrapped = {"stdin": io.BufferedReader(io.BytesIO(stdin)), "stdout": out, "stderr": err}
    texts = {name: io.TextIOWrapper(stream, encoding="utf-8") for name, stream in wrapped.items()}
    with mock.patch.multiple("sys", **texts):
        yield out, err


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
