"""Shared options: what a command receives, and what is refused with which words."""

from dataclasses import fields
from typing import Any, get_args

import click
import pytest
from click.testing import CliRunner, Result

from gcfit.cli import options
from gcfit.cli.main import cli
from gcfit.cli.output import Layout
from gcfit.column import system as system_module
from gcfit.errors import InputError
from gcfit.fitting.records import FitSettings, Polarity, Strategy

SYSTEM = """
[column]
length_m = 30
inner_diameter_mm = 0.25
film_thickness_um = 0.25
[carrier]
inlet_pressure_kpa = 200
outlet_pressure_kpa = 100
hold_up_s = 102
"""


def received(decorator: options.Decorator, *arguments: str, env: dict[str, str] | None = None) -> tuple[Result, Any]:
    """Run a command that has only these options; return the result and what the command was given."""
    given: dict[str, Any] = {}

    @click.command()
    @decorator
    def command(**values: Any) -> None:
        given.update(values)

    result = CliRunner().invoke(command, list(arguments), env=env)
    return result, given


def test_the_settings_without_options_are_those_of_the_record() -> None:
    result, given = received(options.fit_options)
    assert (result.exit_code, given) == (0, {"settings": FitSettings()})


def test_every_option_of_the_fit_reaches_its_field() -> None:
    values = {
        "hold_up": 34.2, "phase_ratio": 0.02, "injection": 4.0, "model": "laplace+site", "strategy": "simultaneous",
        "polarity": "both", "start": -1.5, "end": 600.0, "min_snr": 3.0,
    }  # fmt: skip
    arguments = [word for name, value in values.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    result, given = received(options.fit_options, *arguments)
    assert result.exit_code == 0
    assert given["settings"] == FitSettings(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--hold-up", "0"], "0 is not above 0."),
        (["--hold-up", "-3"], "-3 is not above 0."),
        (["--hold-up", "nan"], "nan is not a finite number."),
        (["--hold-up", "inf"], "inf is not a finite number."),
        (["--hold-up", "long"], "'long' is not a valid float"),
        (["--injection", "-0.5"], "-0.5 is below 0."),
        (["--min-snr", "0"], "0 is not above 0."),
        (["--start", "5", "--end", "5"], "--start 5 is not before --end 5."),
        (["--polarity", "down"], "'down' is not one of"),
    ],
)
def test_impossible_numbers_are_refused_with_code_2(arguments: list[str], words: str) -> None:
    result, given = received(options.fit_options, *arguments)
    assert (result.exit_code, given) == (2, {})
    assert words in result.output


def choices(name: str, command: str = "fit") -> set[str]:
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    (option,) = [parameter for parameter in found.params if parameter.name == name]
    assert isinstance(option.type, click.Choice)
    return set(option.type.choices)


def test_choices_are_those_of_the_records() -> None:
    """The help of a command must not load the package, so the names stand twice."""
    from gcfit.formats.records import TimeUnit

    assert choices("strategy") == set(get_args(Strategy))
    assert choices("polarity") == set(get_args(Polarity))
    assert choices("time_unit") == set(get_args(TimeUnit))
    assert choices("velocity", "simulate") == set(get_args(system_module.VelocityModel))


def test_formats_of_tables_and_figures_are_those_of_the_writers() -> None:
    from gcfit.figures import FORMATS
    from gcfit.formats.writers import WRITERS

    assert set(options.FIGURES) == set(FORMATS)
    assert set(options.FORMATS) == set(WRITERS)


def test_every_reading_option_reaches_its_field() -> None:
    from gcfit.formats import ReadOptions

    values = {
        "encoding": "utf-16", "delimiter": ";", "decimal": ",", "thousands": ".", "time_column": "Time",
        "signal_column": "2", "time_unit": "min", "trace": "FID*",
    }  # fmt: skip
    arguments = [word for name, value in values.items() for word in (f"--{name.replace('_', '-')}", value)]
    result, given = received(options.reading_options, *arguments, "--skip-lines", "3", "--no-header")
    assert result.exit_code == 0
    assert given == {"reading": ReadOptions(skip_lines=3, no_header=True, **values)}  # type: ignore[arg-type]
    assert {field.name for field in fields(ReadOptions)} == {*values, "skip_lines", "no_header"}


@pytest.mark.parametrize(("word", "character"), [("tab", "\t"), ("space", " "), (",", ","), ("semicolon", ";")])
def test_delimiters_can_be_named(word: str, character: str) -> None:
    assert received(options.reading_options, "--delimiter", word)[1]["reading"].delimiter == character


def test_a_system_is_read_or_left_out(tmp_path: Any) -> None:
    path = tmp_path / "column.toml"
    path.write_text(SYSTEM, encoding="utf-8")
    assert received(options.system_option)[1] == {"system": None}
    result, given = received(options.system_option, "--system", str(path))
    assert result.exit_code == 0
    assert given == {"system": system_module.read_system(path)}


def test_a_missing_system_file_is_an_input_error() -> None:
    result, _ = received(options.system_option, "--system", "none.toml")
    assert isinstance(result.exception, InputError)
    assert str(result.exception) == "none.toml: no such file; give the path of a system file (TOML)"


def test_groups_of_options_stack() -> None:
    def both(command: options.Command) -> options.Command:
        return options.system_option(options.fit_options(options.table_options(command)))

    result, given = received(both, "--hold-up", "7", "--format", "tsv", "--digits", "4")
    assert result.exit_code == 0
    assert given == {"system": None, "settings": FitSettings(hold_up=7.0), "layout": Layout(format="tsv", digits=4)}


def test_a_registry_name_is_checked_against_the_registry() -> None:
    option = click.option("--gas", callback=options.one_of("gcfit.column.system", "_VISCOSITY"))
    assert received(option, "--gas", "He")[1] == {"gas": "He"}
    assert received(option)[1] == {"gas": None}
    result, _ = received(option, "--gas", "Xe")
    assert result.exit_code == 2
    assert "'Xe' is not one of He, H2, N2, Ar." in result.output
