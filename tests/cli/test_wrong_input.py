"""What cannot be used ends with one line on stderr, code 1 or 2, no traceback, and leaves earlier results alone."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.cli.shell import bash, gcfit, inside

SYSTEM = """
[column]
length_m = 20
inner_diameter_mm = 0.18
film_thickness_um = 1.0
[carrier]
inlet_pressure_kpa = 401
outlet_pressure_kpa = 101.3
inlet_velocity_m_s = 0.41
[injection]
duration_s = 4
[detector]
rate_hz = 5
until_s = 200
[[component]]
name = "benzene"
k_a_per_s = 579
k_d_per_s = 5.299
area = 1159.4
"""

NO_TABLE = "no rows with two numbers; see --delimiter, --decimal and --skip-lines"
CHROMATOGRAMS = {
    "empty.csv": (b"", "empty.csv: is empty"),
    "binary.csv": (
        bytes(range(256)) * 20,
        "binary.csv: is a binary file of a kind that is not known; gcfit fit --list-formats names what can be read",
    ),
    "prose.csv": (b"Dear colleague,\nthe run failed.\n", f"prose.csv: {NO_TABLE}"),
    "one_column.csv": (b"1\n2\n3\n4\n", f"one_column.csv: {NO_TABLE}"),
    "words.csv": (b"time_s,signal\na,b\nc,d\n", f"words.csv: {NO_TABLE}"),
    "nan.csv": (
        b"time_s,signal\n" + b"".join(b"%d,nan\n" % i for i in range(50)),
        "nan.csv: no column of numbers besides the time; 1 of 2 columns are empty or NaN throughout",
    ),
    "two_points.csv": (b"time_s,signal\n0,1\n1,2\n", "two_points.csv: 2 data points, at least 3 are needed"),
}
HUGE = f"1{'0' * 400}"  # no float is as big
SYSTEMS = {
    "unknown key": (
        SYSTEM.replace("length_m", "lenght_m"),
        "[column]: unknown key lenght_m; did you mean length_m?",
    ),
    "unknown section": (SYSTEM.replace("[detector]", "[detektor]"), "unknown key detektor; did you mean detector?"),
    "missing key": (SYSTEM.replace("length_m = 20", ""), "[column]: key length_m is missing"),
    "outlet above inlet": (
        SYSTEM.replace("= 101.3", "= 500"),
        "[carrier]: outlet pressure 500 kPa is not below inlet pressure 401 kPa; give absolute pressures that drive "
        "the gas",
    ),
    "equal pressures": (
        SYSTEM.replace("= 101.3", "= 401"),
        "[carrier]: outlet pressure 401 kPa is not below inlet pressure 401 kPa; give absolute pressures that drive "
        "the gas",
    ),
    "negative rate": (SYSTEM.replace("= 579", "= -579"), "[[component]] 1 k_a_per_s: is -579; it must be above 0"),
    "zero length": (SYSTEM.replace("length_m = 20", "length_m = 0"), "[column] length_m: is 0; it must be above 0"),
    "text for a number": (SYSTEM.replace("= 5.299", '= "fast"'), "[[component]] 1 k_d_per_s: is 'fast', not a number"),
    "much too often": (
        SYSTEM.replace("rate_hz = 5", "rate_hz = 1e9"),
        "[detector] rate_hz: is 1e+09; it must be from 0.0001 to 1e+06",
    ),
    "without end": (SYSTEM.replace("= 200", "= 1e12"), "[detector] until_s: is 1e+12; it must be from 0.001 to 1e+07"),
    "too quick": (
        SYSTEM.replace("= 5.299", "= 1e12"),
        "[[component]] 1 k_d_per_s: is 1e+12; it must be from 1e-09 to 1e+09",
    ),
    "too short": (
        SYSTEM.replace("= 20\n", "= 1e-300\n"),
        "[column] length_m: is 1e-300; it must be from 0.001 to 100000",
    ),
    "too long a tail": (
        SYSTEM.replace("duration_s = 4", "tail_s = 1e4"),
        "[injection] tail_s: is 10000; it must be from 0 to 1000",
    ),
    "nan": (SYSTEM.replace("= 5.299", "= nan"), "[[component]] 1 k_d_per_s: is nan, not a number"),
    "too big": (SYSTEM.replace("= 579", f"= {HUGE}"), f"[[component]] 1 k_a_per_s: is {HUGE}, not a number"),
    "injection before zero": (SYSTEM.replace("duration_s = 4", "duration_s = -4"),
                              "[injection] duration_s: is -4; it must be at least 0"),
    "no velocity": (
        SYSTEM.replace("inlet_velocity_m_s = 0.41", ""),
        "[carrier]: nothing tells the velocity of the gas; give inlet_velocity_m_s, hold_up_s, viscosity_pa_s, or gas "
        "with [column] temperature_c",
    ),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "good.toml").write_text(SYSTEM, encoding="utf-8")
    time = np.arange(0, 200, 0.5)
    signal = 100 + 50 * np.exp(-((time - 100) ** 2) / 50) + np.random.default_rng(1).normal(0, 0.1, time.size)
    rows = (f"{t},{y}" for t, y in zip(time, signal, strict=True))
    (tmp_path / "good.csv").write_text("time_s,signal\n" + "\n".join(rows) + "\n", encoding="utf-8")
    for name, (content, _) in CHROMATOGRAMS.items():
        (tmp_path / name).write_bytes(content)
    yield tmp_path
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")], "a temporary file was left"


@pytest.mark.parametrize("name", CHROMATOGRAMS)
def test_a_file_that_is_no_chromatogram(name: str, folder: Path) -> None:
    run = inside("fit", name, "--hold-up", "30", cwd=folder)
    assert (run.returncode, run.stdout, run.stderr) == (1, "", f"gcfit: {CHROMATOGRAMS[name][1]}\n")


@pytest.mark.parametrize("name", CHROMATOGRAMS)
def test_the_same_from_stdin(name: str, folder: Path) -> None:
    content, line = CHROMATOGRAMS[name]
    run = inside("fit", "-", "--hold-up", "30", cwd=folder, stdin=content)
    assert (run.returncode, run.stdout, run.stderr) == (1, "", f"gcfit: {line.replace(name, '-')}\n")


@pytest.mark.parametrize(
    ("name", "line"),
    [("missing.csv", "missing.csv"), ("a\nb.csv", "a\\nb.csv"), ("\x1b[31mred.csv", "\\x1b[31mred.csv")],
)
def test_a_missing_file(name: str, line: str, folder: Path) -> None:
    run = gcfit("fit", name, cwd=folder)
    expected = f"gcfit: {line}: cannot be opened: No such file or directory\n"
    assert (run.returncode, run.stdout, run.stderr) == (1, "", expected)


def test_a_constant_signal_has_no_peaks_and_is_no_error(folder: Path) -> None:
    (folder / "constant.csv").write_text("time_s,signal\n" + "".join(f"{i},5\n" for i in range(500)), encoding="utf-8")
    run = inside("fit", "constant.csv", cwd=folder)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.count("\n") == 1
    assert run.stdout.startswith("file,trace,peak,name,")


@pytest.mark.parametrize("command", ["simulate", "fit"])
@pytest.mark.parametrize("case", SYSTEMS)
def test_a_system_that_cannot_be(case: str, command: str, folder: Path) -> None:
    content, line = SYSTEMS[case]
    (folder / "bad.toml").write_text(content, encoding="utf-8")
    arguments = ["bad.toml"] if command == "simulate" else ["good.csv", "--system", "bad.toml"]
    run = inside(command, *arguments, cwd=folder)
    assert (run.returncode, run.stdout, run.stderr) == (1, "", f"gcfit: bad.toml: {line}\n")


@pytest.mark.parametrize(
    ("content", "start"),
    [
        (b"", "section [column] is missing"),
        (b"\xff\xfe\x00", "cannot be read as UTF-8 text: "),
        (b"[column", "is not TOML: "),
        (b"a = " + b"[" * 5000, "is not a system file: nested too deeply"),
        (b"a = 1" + b"0" * 5000, "is not TOML: "),
    ],
)
def test_a_system_file_that_is_none(content: bytes, start: str, folder: Path) -> None:
    (folder / "bad.toml").write_bytes(content)
    run = inside("simulate", "bad.toml", cwd=folder)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith(f"gcfit: bad.toml: {start}")
    assert run.stderr.count("\n") == 1


def test_a_folder_is_no_system_file(folder: Path) -> None:
    run = inside("simulate", ".", cwd=folder)
    assert (run.returncode, run.stderr) == (1, "gcfit: .: cannot be read: Is a directory\n")


def test_more_points_than_can_be_simulated(folder: Path) -> None:
    (folder / "bad.toml").write_text(SYSTEM.replace("rate_hz = 5", "rate_hz = 1e6"), encoding="utf-8")
    run = inside("simulate", "bad.toml", cwd=folder)
    line = "[detector] rate_hz, until_s: 1e+06 Hz until 200 s are 2e+08 points; the limit is 1e+07"
    assert (run.returncode, run.stdout, run.stderr) == (1, "", f"gcfit: bad.toml: {line}\n")


def test_a_system_without_components_cannot_be_simulated(folder: Path) -> None:
    (folder / "bad.toml").write_text(SYSTEM.partition("[[component]]")[0], encoding="utf-8")
    run = inside("simulate", "bad.toml", cwd=folder)
    assert (run.returncode, run.stderr) == (1, "gcfit: bad.toml: there is no [[component]] to simulate\n")


@pytest.mark.parametrize("name", ["time_s", "signal"])
def test_a_component_cannot_be_named_like_a_column_of_the_table(name: str, folder: Path) -> None:
    (folder / "bad.toml").write_text(SYSTEM.replace("benzene", name), encoding="utf-8")
    run = inside("simulate", "bad.toml", "--components", cwd=folder)
    line = f"gcfit: bad.toml: [[component]]: name '{name}' is that of another column of the table\n"
    assert (run.returncode, run.stdout, run.stderr) == (1, "", line)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simulate", "good.toml", "--solver", "magic"], "'magic' is not one of laplace"),
        (["simulate", "good.toml", "--tail", "1e5"], "100000 is above 1000."),
        (["simulate", "good.toml", "--noise", "-1"], "-1 is below 0."),
        (["simulate", "good.toml", "--columns", "tme_s"], "'tme_s' is not a column of the table; did you mean time_s?"),
        (["simulate", "good.toml", "--profile", "50,x"], "'50,x' is not a list of times such as 50,100."),
        (["simulate", "good.toml", "--profile", "50,20"], "'50,20' does not increase from 0 or more."),
        (["simulate", "good.toml", "--profile", "-1,20"], "'-1,20' does not increase from 0 or more."),
        (["simulate", "good.toml", "--profile", "1,nan"], "'1,nan' does not increase from 0 or more."),
        (["simulate", "good.toml", "--profile", "1,inf"], "'1,inf' does not increase from 0 or more."),
        (["fit"], "Missing argument 'FILES...'."),
        (["fit", "good.csv", "--columns", "nam"], "'nam' is not a column of the table; did you mean name?"),
        (["fit", "good.csv", "--columns", "£"], "'£' is not a column of the table; there are file, trace, peak"),
        (["fit", "good.csv", "--figures", "png"], "--figures goes with -o DIR only."),
        (["fit", "good.csv", "--no-resume"], "--resume goes with -o DIR only."),
        (["fit", "good.csv", "--max-memory", "2"], "--max-memory goes with -o DIR only."),
        (["fit", "good.csv", "-o", "out", "--max-memory", "lots"], "'lots' is not a size; write 500M or 2G."),
        (["fit", "-", "-o", "out"], "- does not go with -o DIR"),
        (["fit", "good.csv", "--columns", "peak,area, peak"], "'peak' is there twice."),
        (["fit", "good.csv", "--digits", "0"], "0 is not in the range 1<=x<=17."),
        (["fit", "good.csv", "--start", "9", "--end", "3"], "--start 9 is not before --end 3."),
    ],
)
def test_a_wrong_command_line(arguments: list[str], words: str, folder: Path) -> None:
    run = inside(*arguments, cwd=folder)
    assert (run.returncode, run.stdout) == (2, "")
    assert words in run.stderr
    assert run.stderr.count("\n") == 1
    assert run.stderr.endswith(f"Try 'gcfit {arguments[0]} --help'.\n")
    assert not (folder / "out").exists()


def test_one_column_is_not_both_time_and_signal(folder: Path) -> None:
    run = inside("fit", "good.csv", "--time-column", "1", "--signal-column", "1", cwd=folder)
    assert (run.returncode, run.stdout) == (1, "")
    assert "time_s is the time, and cannot be the signal as well; see --time-column and --signal-column" in run.stderr


@pytest.mark.parametrize("output", [[], ["-o", "out"]])
def test_an_unknown_model_is_told_once_with_the_known_ones(output: list[str], folder: Path) -> None:
    run = inside("fit", "good.csv", "good.csv", "--model", "laplace+magic", *output, cwd=folder)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
    assert run.stderr.startswith("gcfit fit: peak model 'laplace+magic' is not known; choose auto or one of laplace, ")
    assert not (folder / "out").exists()


@pytest.mark.parametrize("target", ["nowhere/run.csv", "good.csv/run.csv", "."])
def test_output_that_cannot_be_written(target: str, folder: Path) -> None:
    run = inside("simulate", "good.toml", "-o", target, cwd=folder)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith(f"gcfit: {target}: ")
    assert run.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("command", ["simulate good.toml", "fit good.csv --hold-up 30", "fit --list-formats"])
def test_a_full_disk_under_stdout(command: str, folder: Path) -> None:
    """Small tables wait in the buffer until the end, long ones do not."""
    run = bash(f"gcfit {command} > /dev/full", cwd=folder)
    assert (run.returncode, run.stderr) == (1, "gcfit: cannot write the output: No space left on device\n")


@pytest.mark.parametrize("target", ["good.csv", "good.csv/below"])
def test_a_folder_that_cannot_be_made(target: str, folder: Path) -> None:
    before = (folder / "good.csv").read_bytes()
    run = inside("fit", "good.csv", "-o", target, cwd=folder)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith(f"gcfit: {target}: ")
    assert run.stderr.count("\n") == 1
    assert (folder / "good.csv").read_bytes() == before


def test_a_failing_simulation_leaves_an_existing_output(folder: Path) -> None:
    (folder / "run.csv").write_text("mine", encoding="utf-8")
    (folder / "bad.toml").write_text(SYSTEMS["negative rate"][0], encoding="utf-8")
    assert inside("simulate", "bad.toml", "-o", "run.csv", cwd=folder).returncode == 1
    assert inside("simulate", "good.toml", "-o", "run.csv", "--columns", "no", cwd=folder).returncode == 2
    assert (folder / "run.csv").read_text(encoding="utf-8") == "mine"


def test_a_good_simulation_replaces_an_existing_output(folder: Path) -> None:
    (folder / "run.csv").write_text("mine", encoding="utf-8")
    run = inside("simulate", "good.toml", "-o", "run.csv", cwd=folder)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert (folder / "run.csv").read_text(encoding="utf-8").startswith("time_s,signal\n")


def test_output_into_a_pipe_does_not_replace_the_pipe(folder: Path) -> None:
    run = bash("mkfifo pipe && (cat pipe > copy.csv &) && gcfit simulate good.toml -o pipe && sleep 0.2", cwd=folder)
    assert (run.returncode, run.stderr) == (0, "")
    assert (folder / "pipe").is_fifo()
    assert (folder / "copy.csv").read_text(encoding="utf-8").startswith("time_s,signal\n")


def test_a_failing_batch_leaves_earlier_results(folder: Path) -> None:
    first = inside("fit", "good.csv", "-o", "out", "--hold-up", "30", cwd=folder)
    before = (folder / "out" / "peaks.csv").read_text(encoding="utf-8")
    assert (first.returncode, before.count("\n")) == (0, 2)
    second = gcfit("fit", "empty.csv", "-o", "out", "--hold-up", "30", cwd=folder)
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert "empty.csv: is empty" in second.stderr
    assert (folder / "out" / "peaks.csv").read_text(encoding="utf-8") == before


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_bad_files_among_good_ones_cost_only_themselves(jobs: str, folder: Path) -> None:
    run = gcfit("fit", "empty.csv", "good.csv", "missing.csv", "--hold-up", "30", "--jobs", jobs, cwd=folder)
    assert run.returncode == 3
    assert [line.split(",")[0] for line in run.stdout.splitlines()] == ["file", "good.csv"]
    assert run.stderr.splitlines() == [
        "gcfit: empty.csv: is empty",
        "gcfit: missing.csv: cannot be opened: No such file or directory",
    ]


def test_only_bad_files_are_1_and_nothing_on_stdout(folder: Path) -> None:
    run = inside("fit", "empty.csv", "missing.csv", cwd=folder)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 2)


def test_fail_fast_stops_at_the_first(folder: Path) -> None:
    run = inside("fit", "empty.csv", "good.csv", "--fail-fast", cwd=folder)
    assert (run.returncode, run.stdout, run.stderr) == (1, "", "gcfit: empty.csv: is empty\n")
    run = inside("fit", "good.csv", "empty.csv", "missing.csv", "--hold-up", "30", "--fail-fast", cwd=folder)
    assert (run.returncode, run.stderr) == (3, "gcfit: empty.csv: is empty\n")


def test_without_a_hold_up_time_one_line_says_which_option_gives_it(folder: Path) -> None:
    line = "gcfit: without a hold-up time k_a and k_d stay empty; give --hold-up S or --system SYSTEM.toml\n"
    run = inside("fit", "good.csv", "good.csv", "--columns", "area,k_a_per_s,k_d_per_s", cwd=folder)
    assert (run.returncode, run.stderr) == (0, line)
    assert all(row.endswith(",,") and not math.isnan(float(row[:-2])) for row in run.stdout.splitlines()[1:])
    assert inside("fit", "good.csv", "--hold-up", "30", cwd=folder).stderr == ""


def test_debug_shows_where_a_file_failed(folder: Path) -> None:
    for arguments in (["--debug", "fit", "empty.csv"], ["fit", "empty.csv", "--debug"]):
        run = gcfit(*arguments, cwd=folder)
        assert run.returncode == 1
        assert run.stderr.startswith("Traceback")
        assert run.stderr.rstrip().endswith("InputError: empty.csv: is empty")
