"""What README.md tells a reader to type works and shows what the README shows; its tables are those of the package."""

import doctest
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gcfit.cli.main import cli
from gcfit.results import PEAK_COLUMNS
from tests.readme import README, ROOT, Step, all_steps, run, same, steps, workplace

TEXT = README.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workplace(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[int, subprocess.CompletedProcess[str]]:
    """What every command gave, each run after those before it."""
    return {number: run(step.command, folder) for number, step in enumerate(all_steps())}


@pytest.mark.parametrize("number", range(len(all_steps())), ids=[s.command.split("\n")[0][:60] for s in all_steps()])
def test_a_command_does_what_the_readme_shows(
    number: int, results: dict[int, subprocess.CompletedProcess[str]]
) -> None:
    step, result = all_steps()[number], results[number]
    assert result.returncode == 0, result.stderr
    if not step.command.startswith("make "):
        assert same(step.output, result.stderr + result.stdout), result.stderr + result.stdout


@pytest.mark.usefixtures("results")
def test_the_python_examples_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    examples = "\n".join(re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE))
    test = doctest.DocTestParser().get_doctest(examples, {}, "README", str(README), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF)
    assert test.examples
    assert runner.run(test).failed == 0


def test_what_is_shown_and_not_run_has_only_options_that_there_are() -> None:
    shown = "\n".join(re.findall(r"^```sh\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE))
    used = {(line.split("gcfit ")[-1].split()[0], word) for line in shown.splitlines() if "gcfit " in line
            for word in line.split() if word.startswith("-")}  # fmt: skip
    assert used
    for name, word in used:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        assert any(word in parameter.opts for parameter in command.params), (name, word)


def test_the_table_of_columns_is_that_of_the_package() -> None:
    table = TEXT.partition("| column | unit | definition | formula |")[2].partition("\n\n")[0]
    named = [
        name
        for line in table.splitlines()
        for name in re.findall(r"`(\w+)`", line.split("|")[1:2][0] if "|" in line else "")
    ]
    assert tuple(named) == PEAK_COLUMNS


def test_every_key_of_the_system_file_is_documented() -> None:
    from gcfit.column.system import _SCHEMA

    section = TEXT.partition("## The system file")[2].partition("\n## ")[0]
    for name, keys in _SCHEMA.items():
        assert f"[{name}]" in section
        assert [key for key in keys if f"`{key}`" not in section] == []


def shown_not_run(word: str) -> list[str]:
    """Lines of the `sh` block that holds a word: what is started elsewhere or by another program."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    return next(block for block in blocks if word in block).splitlines()


def batch_folder(folder: Path, place: Path) -> Path:
    """Two runs and their system file, as a user's folder."""
    (place / "runs").mkdir(parents=True)
    for number in (1, 2):
        shutil.copy(folder / "sample_data/btex/chromatogram.csv", place / "runs" / f"{number}.csv")
    shutil.copy(folder / "sample_data/btex/system.toml", place / "column.toml")
    return place


def test_the_line_of_the_crontab_works(folder: Path, tmp_path: Path) -> None:
    place = batch_folder(folder, tmp_path / "data")
    (line,) = shown_not_run("* * *")
    command = line.split(maxsplit=5)[5].replace("/data/gc", str(place)).replace("/opt/gcfit/bin/", "")
    result = run(command, folder)
    assert (result.returncode, result.stdout) == (0, "")
    assert "2 files: 2 fitted" in result.stderr
    assert len((place / "fit.jsonl").read_text().splitlines()) == 4  # start, two files, end


@pytest.mark.slow
def test_the_lines_of_the_cluster_work(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="distributed is not installed")
    place = batch_folder(folder, tmp_path / "data")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = {"10.0.0.1": "127.0.0.1", "8786": str(port), "--nworkers 8": "--nworkers 1"}
    lines = shown_not_run("dask worker")
    for shown, used in here.items():
        lines = [line.replace(shown, used) for line in lines]
    # no dashboard: its port may be taken, and no nanny's folder in the checkout
    servers = [[sys.executable, "-m", "distributed.cli.dask_" + line.split()[1], *line.split()[2:], "--no-dashboard"]
               for line in lines if line.startswith("dask ")]  # fmt: skip
    assert len(servers) == 2
    started = [subprocess.Popen(server, cwd=tmp_path, stderr=subprocess.DEVNULL) for server in servers]
    try:
        result = run(f"cd {place} && {lines[-1]}", folder)
    finally:
        for server in started:
            server.terminate()
        for server in started:
            server.wait(timeout=60)
    assert result.returncode == 0, result.stderr
    assert "2 files: 2 fitted" in result.stderr


def test_every_picture_is_made_by_make_figures() -> None:
    made = subprocess.run(["make", "-n", "figures"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", TEXT)
    assert len(pictures) > 1
    assert [picture for picture in pictures if f"-o {picture}" not in made] == []


def test_links_point_to_files_that_are_there() -> None:
    targets = re.findall(r"\]\((?!https?://)([^)#]+)\)", TEXT)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_no_path_of_this_machine() -> None:
    assert str(ROOT) not in TEXT


def test_steps_are_taken_apart() -> None:
    assert list(steps("$ a \\\n  b\nout\nmore\n$ c\n")) == [Step("a \\\n  b", "out\nmore\n"), Step("c", "")]


def test_outputs_are_compared_by_their_numbers() -> None:
    assert same("k 1.0000 s", "k 1.0005 s")
    assert not same("k 1.0000 s", "k 1.0020 s")
    assert not same("k 1.0 s", "k 1.0 m")
    assert not same("a 1", "a 1 2")
