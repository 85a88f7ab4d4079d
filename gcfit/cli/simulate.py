"""`gcfit simulate`: the chromatogram, or the profiles, of a column described in a system file."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from gcfit.cli.options import command, one_of, quantity, read_system, table_options
from gcfit.cli.output import Row, put_table, say

if TYPE_CHECKING:
    from gcfit.chromatogram import Array
    from gcfit.cli.output import Layout
    from gcfit.column.simulate import Simulation
    from gcfit.column.system import System


PROFILE_COLUMNS = ("time_s", "component", "position_m", "concentration_mol_m3", "adsorbed_mol_m3")


def _times(_: click.Context, __: click.Parameter, value: str | None) -> tuple[float, ...]:
    """Read times [s] that increase, separated by commas."""
    try:
        times = tuple(float(word) for word in value.split(",")) if value is not None else ()
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a list of times such as 50,100.") from None
    if not all(0 <= a < b for a, b in pairwise((*times, math.inf))):
        raise click.BadParameter(f"{value!r} does not increase from 0 or more.")
    return times


@command(
    "gcfit simulate column.toml > run.csv",
    "gcfit simulate column.toml --noise 0.5 --seed 1 --tail 1.5 -o run.csv",
    "gcfit simulate column.toml --components --velocity constant | head",
    "gcfit simulate column.toml --profile 50,100 > profiles.csv",
    "gcfit simulate column.toml | gcfit fit - --system column.toml",
)
@click.argument("system_file", metavar="SYSTEM.toml")
@click.option(
    "--solver",
    default="laplace",
    show_default=True,
    callback=one_of("gcfit.column.simulate", "SOLVERS"),
    help="laplace, quadrature or numerical.",
)
@click.option("--velocity", type=click.Choice(["variable", "constant"]), help="Instead of the file's velocity model.")
@click.option("--components", is_flag=True, help="One more column for each analyte.")
@click.option(
    "--profile",
    callback=_times,
    metavar="T1,T2,...",
    help="Concentrations along the column at these times [s] instead, from the full equations.",
)
@quantity("--tail", least=0, most=1e3, help="Instead of the file's inlet tail [s].")
@quantity("--noise", least=0, metavar="X", help="Instead of the file's noise: standard deviation.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Seed of the noise: the same seed, the same run.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Write to FILE instead of stdout.")
@table_options
def simulate(
    system_file: str,
    solver: str,
    velocity: Any,
    components: bool,
    profile: tuple[float, ...],
    tail: float | None,
    noise: float | None,
    seed: int | None,
    output: str,
    layout: "Layout",
) -> None:
    """Simulate the chromatogram of a column: a table of the times [s] and the signal.

    SYSTEM.toml describes the column, the carrier gas, the injection, the detector and the components; - is stdin.
    """
    system = _with_tail(read_system(system_file), tail)
    if profile:
        put_table(_profile_rows(system, profile, velocity), PROFILE_COLUMNS, output, layout)
        return
    from gcfit.column.simulate import simulate as run

    result = run(system, solver=solver, velocity_model=velocity, noise=noise, seed=seed)
    for note in result.chromatogram.notes:
        say(f"{system.source}: {note}")
    columns = _columns(result, system.source, components)
    cells = zip(*(column.tolist() for column in columns.values()), strict=True)
    put_table((dict(zip(columns, row, strict=True)) for row in cells), list(columns), output, layout)


def _profile_rows(system: "System", times: tuple[float, ...], velocity: Any) -> Iterator[Row]:
    from gcfit.column.numerical import solve

    solution = solve(system, times, velocity_model=velocity, profile_times=times)
    return (
        dict(zip(PROFILE_COLUMNS, (found.time, found.component, *cell), strict=True))
        for found in solution.profiles
        for cell in zip(found.position.tolist(), found.concentration.tolist(), found.adsorbed.tolist(), strict=True)
    )


def _columns(simulation: "Simulation", source: str, components: bool) -> "dict[str, Array]":
    columns = {"time_s": simulation.time, "signal": simulation.signal}
    if not components:
        return columns
    from gcfit.errors import InputError

    for name in columns.keys() & simulation.components.keys():
        raise InputError(source, f"name {name!r} is that of another column of the table", place="[[component]]")
    return columns | dict(simulation.components)


def _with_tail(system: "System", tail: float | None) -> "System":
    return system if tail is None else replace(system, injection=replace(system.injection, tail=tail))
