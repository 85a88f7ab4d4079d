"""The frame of the command line: one line an error, exit codes, pipes, variables. Expected codes: DESIGN section 7."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click
import pytest

import gcfit as package
from gcfit.cli.main import COMMANDS, cli
from tests.cli.shell import ROOT, bash, environment, gcfit
from tests.cli.test_batching import run_with_peak

# a subcommand made for the test, which does what its argument says; the frame around it is the real one
PROBE = """
import errno, os, sys, types, click
from gcfit import errors
from gcfit.cli import main as frame

ERRORS = {
    "input": errors.InputError("run.csv", "is empty", place="line 1", remedy="export it again"),
    "fit": errors.FitError("no way"),
    "output": errors.OutputError("out: is a file"),
    "extra": errors.MissingExtraError("--dask", "dask"),
    "usage": click.UsageError("this does not go with that"),
    "interrupt": KeyboardInterrupt(),
    "full": OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    "denied": PermissionError(errno.EACCES, os.strerror(errno.EACCES), "out/peaks.csv"),
    "bug": ZeroDivisionError("a bug"),
}

@click.command("probe")
@click.argument("what")
@click.option("--hold-up", type=float)
def probe(what, hold_up):
    if what == "partial":
        click.get_current_context().exit(3)
    if what == "rows":
        for row in range(200_000):
            click.echo(f"row {row}")
        return
    if what == "show":
        click.echo(hold_up)
        return
    if what == "sleep":
        click.echo("ready", err=True)
        import time
        time.sleep(60)
    raise ERRORS[what]

frame.COMMANDS["probe"] = "A probe."
module = types.ModuleType("gcfit.cli.probe")
module.probe = probe
sys.modules["gcfit.cli.probe"] = module
frame.main()
"""


def probe(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROBE, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(env), timeout=60, check=False)


@pytest.mark.parametrize(
    ("what", "code", "line"),
    [
        ("input", 1, "gcfit: run.csv: line 1: is empty; export it again"),
        ("fit", 1, "gcfit: no way"),
        ("output", 1, "gcfit: out: is a file"),
        ("extra", 1, 'gcfit: --dask needs an optional package; pip install "gcfit-chromatography[dask]"'),
        ("usage", 2, "gcfit probe: this does not go with that Try 'gcfit probe --help'."),
        ("full", 1, "gcfit: cannot write the output: No space left on device"),
        ("denied", 1, "gcfit: out/peaks.csv: Permission denied"),
    ],
)
def test_an_error_is_one_line_with_its_code(what: str, code: int, line: str) -> None:
    run = probe("probe", what)
    assert (run.returncode, run.stderr, run.stdout) == (code, line + "\n", "")


def test_some_failed_is_3() -> None:
    run = probe("probe", "partial")
    assert (run.returncode, run.stderr) == (3, "")


def test_a_bug_shows_its_traceback() -> None:
    run = probe("probe", "bug")
    assert run.returncode == 1
    assert run.stderr.startswith("Traceback")
    assert run.stderr.endswith("ZeroDivisionError: a bug\n")


@pytest.mark.parametrize("arguments", [["--debug", "probe", "input"], ["probe", "--debug", "input"]])
def test_debug_before_and_after_the_subcommand_shows_the_traceback(arguments: list[str]) -> None:
    run = probe(*arguments)
    assert run.returncode == 1
    assert run.stderr.startswith("Traceback")
    assert "InputError: run.csv: line 1: is empty; export it again" in run.stderr


def test_debug_behind_a_double_dash_is_a_word_like_any_other() -> None:
    run = probe("probe", "--", "--debug")
    assert run.stderr.endswith("KeyError: '--debug'\n")


@pytest.mark.parametrize("variable", ["GCFIT_DEBUG", "GCFIT_PROBE_DEBUG"])
def test_debug_from_the_environment(variable: str) -> None:
    assert probe("probe", "input", env={variable: "1"}).stderr.startswith("Traceback")
    assert not probe("probe", "input", env={variable: "0"}).stderr.startswith("Traceback")


def test_options_read_variables_the_nearest_first() -> None:
    both = {"GCFIT_HOLD_UP": "1.5", "GCFIT_PROBE_HOLD_UP": "2.5"}
    assert probe("probe", "show", env={"GCFIT_HOLD_UP": "1.5"}).stdout == "1.5\n"
    assert probe("probe", "show", env=both).stdout == "2.5\n"
    assert probe("probe", "show", "--hold-up", "3.5", env=both).stdout == "3.5\n"


def test_a_wrong_variable_is_named() -> None:
    run = probe("probe", "show", env={"GCFIT_HOLD_UP": "x"})
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "--hold-up" in run.stderr
    assert "'x'" in run.stderr


@pytest.mark.parametrize("sent", [False, True], ids=["raised", "signal"])
def test_interrupted_is_130_and_quiet(sent: bool) -> None:
    if not sent:
        run = probe("probe", "interrupt")
        assert (run.returncode, run.stdout, run.stderr.strip()) == (130, "", "")
        return
    command = [sys.executable, "-c", PROBE, "probe", "sleep"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors.strip()) == (130, b"")


def test_head_is_quiet(tmp_path: Path) -> None:
    script = tmp_path / "probe.py"
    script.write_text(PROBE, encoding="utf-8")
    run = bash(f'"{sys.executable}" "{script}" probe rows | head -2; echo "code ${{PIPESTATUS[0]}}"')
    assert run.stderr == ""
    assert run.stdout in ("row 0\nrow 1\ncode 141\n", "row 0\nrow 1\ncode 0\n")


def test_a_reader_that_left_before_the_help_is_quiet() -> None:
    run = bash('(sleep 1; gcfit --help; echo "code $?" >&2) | true')
    assert run.stderr in ("code 141\n", "code 0\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_under_stdout_is_one_line() -> None:
    run = bash("gcfit --help > /dev/full")
    assert (run.returncode, run.stderr) == (1, "gcfit: cannot write the output: No space left on device\n")


def test_a_closed_stdout_is_no_bug() -> None:
    run = bash("gcfit --version >&-")
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("options", ["", "--jobs 2", "-o out --format csv"])
def test_a_table_for_a_closed_stdout_is_one_line(tmp_path: Path, options: str) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text(run_with_peak(100.0), encoding="utf-8")
    run = bash(f"gcfit fit a.csv b.csv --hold-up 30 --model gaussian {options} >&-", cwd=tmp_path)
    said = "gcfit: standard output is closed; write into a file or folder with -o\n"
    assert (run.returncode, run.stderr) == (1, said)


def test_a_folder_needs_no_standard_descriptor(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text(run_with_peak(100.0), encoding="utf-8")
    run = bash("gcfit fit a.csv b.csv --hold-up 30 --model gaussian -o out --jobs 2 <&- >&- 2>&-", cwd=tmp_path)
    assert run.returncode == 0
    assert len((tmp_path / "out" / "files.csv").read_text(encoding="utf-8").splitlines()) == 3


INTERRUPTED = """
import runpy, sys
class Stop:
    def find_spec(self, name, *_):
        if name == "{}":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Stop())
sys.argv[:] = ["gcfit", "fit", "absent.csv"]
runpy.run_module("gcfit", run_name="__main__")
"""


@pytest.mark.parametrize("module", ["click", "gcfit.cli.main", "gcfit.cli.fit", "numpy"])
def test_interrupted_while_it_loads_is_130_and_quiet(module: str) -> None:
    command = [sys.executable, "-c", INTERRUPTED.format(module)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert (run.returncode, run.stdout, run.stderr.strip()) == (130, "", "")


def test_version_is_the_one_of_the_package() -> None:
    run = gcfit("--version")
    assert (run.returncode, run.stdout) == (0, f"gcfit, version {package.__version__}\n")


def test_the_installed_command_is_the_same() -> None:
    installed = Path(sys.executable).parent / "gcfit"
    if not installed.exists():
        pytest.skip("gcfit is not installed beside this interpreter")
    run = subprocess.run([installed, "--version"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, f"gcfit, version {package.__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["fti"], "gcfit: No such command 'fti'."),
        (["--fast"], "gcfit: No such option '--fast'."),
    ],
)
def test_usage_errors_are_one_line_and_2(arguments: list[str], line: str) -> None:
    run = gcfit(*arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(line)
    assert run.stderr.endswith("Try 'gcfit --help'.\n")
    assert run.stderr.count("\n") == 1


def test_no_arguments_show_the_help_on_stderr() -> None:
    run = gcfit()
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("Usage: gcfit")


def commands() -> list[str]:
    """The subcommands whose module is there."""
    return [name for name in COMMANDS if (ROOT / "gcfit" / "cli" / f"{name}.py").exists()]


@pytest.mark.parametrize("name", commands())
def test_help_of_a_subcommand_starts_with_examples(name: str) -> None:
    run = gcfit(name, "--help")
    assert (run.returncode, run.stderr) == (0, "")
    lines = [line.strip() for line in run.stdout.splitlines() if line.strip()]
    assert lines[0].startswith(f"Usage: gcfit {name} ")
    assert lines[1].startswith(f"gcfit {name} ")
    assert "--debug" in run.stdout


@pytest.mark.parametrize("name", commands())
def test_every_option_has_a_help_text(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    silent = [p.name for p in command.params if isinstance(p, click.Option) and not (p.help or "").strip()]
    assert silent == []


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "xterm"}, {}])
def test_no_control_characters_in_the_output(variables: dict[str, str]) -> None:
    for run in (gcfit("--help", env=variables), gcfit("fti", env=variables)):
        assert "\x1b" not in run.stdout + run.stderr


def test_bare_environment_of_a_cron_job(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from gcfit.cli.main import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", code, "--version"], env={"LANG": "C"}, cwd=tmp_path, capture_output=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, b"")


def test_output_is_utf8_in_every_locale() -> None:
    script = PROBE.replace('click.echo(f"row {row}")', 'click.echo("\\xb5 \\udcff"); break')
    for locale in ("C", "C.UTF-8", "en_US.ISO-8859-1"):
        variables = environment({"LC_ALL": locale, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"})
        run = subprocess.run(
            [sys.executable, "-c", script, "probe", "rows"], env=variables, capture_output=True, check=False
        )
        # a name that is not UTF-8 comes back as the bytes it was
        assert (run.returncode, run.stdout) == (0, "µ ".encode() + b"\xff" + os.linesep.encode())


@pytest.mark.parametrize("name", commands())
def test_shell_completion_knows_the_subcommand(name: str) -> None:
    variables = {"_GCFIT_COMPLETE": "bash_complete", "COMP_WORDS": f"gcfit {name[:2]}", "COMP_CWORD": "1"}
    run = gcfit(env=variables)
    assert (run.returncode, run.stdout.split()) == (0, [f"plain,{name}"])


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("fit --hold", ["plain,--hold-up"]),
        ("fit sam", ["file,sam"]),
        ("fit a.csv --system sys", ["file,sys"]),
        ("fit a.csv -o re", ["file,re"]),
        ("plot a.csv --table pe", ["file,pe"]),
        ("compare col", ["file,col"]),
        ("simulate col", ["file,col"]),
        ("fit --polarity n", ["plain,negative"]),
        ("fit --model la", []),
    ],
)
def test_a_shell_completes_options_choices_and_files(words: str, offered: list[str]) -> None:
    line = f"gcfit {words}"
    variables = {"_GCFIT_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    assert gcfit(env=variables).stdout.split() == offered


def test_an_unreadable_file_is_an_error_of_the_file_not_of_the_usage(tmp_path: Path) -> None:
    """The type that completes file names checks nothing."""
    run = gcfit("fit", tmp_path / "none.csv")
    assert run.returncode == 1
    assert run.stderr.startswith(f"gcfit: {tmp_path}/none.csv: ")
