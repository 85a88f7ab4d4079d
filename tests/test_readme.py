"""What README.md tells a reader to type works and shows what the README shows; its tables are those of the package."""

import doctest
import re
import subprocess
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
    table = TEXT.partition("| column | unit | meaning |")[2].partition("\n\n")[0]
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
