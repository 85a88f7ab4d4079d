"""The blocks of README.md that a reader would type, and how they are run.

`python -m tests.readme` renews the outputs that the README shows.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SECONDS = re.compile(r"\d+\.\d s\b")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Step:
    """One command of a block and the output that the README shows for it, empty where it shows none."""

    command: str
    output: str


def steps(block: str) -> Iterator[Step]:
    """Split a console block at its prompts; a backslash at the end of a line continues the command."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, output = re.match(r"((?:[^\n]*\\\n)*[^\n]*\n?)(.*)", part, re.DOTALL).groups()  # type: ignore[union-attr]
        yield Step(command.rstrip("\n"), output)


def all_steps() -> list[Step]:
    return [step for block in BLOCK.findall(README.read_text(encoding="utf-8")) for step in steps(block)]


def workplace(folder: Path) -> Path:
    """A copy of what a clone has for a reader to work on."""
    shutil.copytree(ROOT / "sample_data", folder / "sample_data")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line in bash; what it says on stderr is part of what a reader sees, before the output."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GCFIT_")}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
    line = command.replace("make ", "make -n ") if command.startswith("make ") else command
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder, env=variables, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def same(shown: str, found: str) -> bool:
    """Whether two outputs agree: words exactly, numbers within 0.1 % or 1e-10; last digits depend on the machine."""
    shown, found = (SECONDS.sub("? s", text) for text in (shown, found))  # how long it took is no result
    if NUMBER.sub("#", shown) != NUMBER.sub("#", found):
        return False
    pairs = zip(NUMBER.findall(shown), NUMBER.findall(found), strict=True)
    return all(abs(float(a) - float(b)) <= max(1e-3 * abs(float(b)), 1e-10) for a, b in pairs)


def renewed(text: str, folder: Path) -> str:
    """The README with the output of every command as it is now; what `make` prints is left out."""

    def block(match: re.Match[str]) -> str:
        parts = []
        for step in steps(match[1]):
            result = run(step.command, folder)
            shown = "" if step.command.startswith("make ") else result.stderr + result.stdout
            parts.append(f"$ {step.command}\n{shown}")
        return f"```console\n{''.join(parts)}```"

    return BLOCK.sub(block, text)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        README.write_text(renewed(README.read_text(encoding="utf-8"), workplace(Path(name))), encoding="utf-8")
