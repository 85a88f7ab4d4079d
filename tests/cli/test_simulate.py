"""`gcfit simulate`: the table it writes is the simulation, and its options reach the solver.

Expected means: t_M + n/k_d, plus half the injection, plus the tail, of the paper's Tables 1 and 3 (arXiv 2501.00001),
computed apart from this package to 40 digits.
"""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from gcfit.column.simulate import SOLVERS
from tests.cli.shell import ROOT, bash, gcfit

SYSTEM = ROOT / "sample_data" / "btex" / "system.toml"
AREAS = {"benzene": 1159.4, "toluene": 927.2, "ethylbenzene": 562.0, "p,m-xylene": 1411.2, "o-xylene": 516.4}
# means at variable and constant velocity [s], with half the injection of 4 s
MEANS = {
    "variable": [119.163615, 231.167368, 448.786251, 481.486180, 576.552730],
    "constant": [169.226, 329.087, 639.691, 686.364, 822.051],
}
BASELINE, RATE_HZ, UNTIL_S = 3935.4, 5.0, 650.0


def table(text: str) -> dict[str, np.ndarray]:
    rows = list(csv.reader(io.StringIO(text)))
    return {name: np.array(column, dtype=float) for name, *column in zip(*rows, strict=True)}


def simulated(*arguments: str) -> dict[str, np.ndarray]:
    run = gcfit("simulate", SYSTEM, *arguments)
    assert (run.returncode, run.stderr) == (0, "")
    return table(run.stdout)


def mean(time: np.ndarray, curve: np.ndarray) -> float:
    return float((time * curve).sum() / curve.sum())


def test_times_are_those_of_the_detector() -> None:
    time = simulated()["time_s"]
    assert time.size == int(UNTIL_S * RATE_HZ) + 1
    np.testing.assert_allclose(time, np.arange(time.size) / RATE_HZ, rtol=1e-15)


def test_components_stand_in_columns_of_their_own_and_add_up() -> None:
    columns = simulated("--components", "--noise", "0")
    assert list(columns) == ["time_s", "signal", *AREAS]
    total = BASELINE + sum(columns[name] for name in AREAS)
    np.testing.assert_allclose(columns["signal"], total, rtol=1e-14)
    for name, area in AREAS.items():
        assert columns[name].sum() / RATE_HZ == pytest.approx(area, rel=1e-9)


@pytest.mark.parametrize("tail", [0.0, 1.5])
def test_means_are_those_of_the_law(tail: float) -> None:
    columns = simulated("--components", "--tail", str(tail))
    for name, expected in zip(AREAS, MEANS["variable"], strict=True):
        assert mean(columns["time_s"], columns[name]) == pytest.approx(expected + tail, abs=1e-5)


def test_velocity_model_of_the_command_line_goes_first(tmp_path: Path) -> None:
    longer = tmp_path / "longer.toml"
    longer.write_text(SYSTEM.read_text(encoding="utf-8").replace("until_s = 650", "until_s = 950"), encoding="utf-8")
    columns = table(gcfit("simulate", longer, "--components", "--velocity", "constant").stdout)
    for name, expected in zip(AREAS, MEANS["constant"], strict=True):
        assert mean(columns["time_s"], columns[name]) == pytest.approx(expected, abs=1e-3)


def test_noise_is_that_of_its_seed_and_size() -> None:
    clean = simulated("--noise", "0")["signal"]
    first, again, other = (simulated("--noise", "3", "--seed", seed)["signal"] for seed in ("7", "7", "8"))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    # the standard deviation of n normal deviates scatters by 1/sqrt(2n): 1.2 % here; five times that
    assert np.std(first - clean) == pytest.approx(3.0, rel=0.06)
    assert np.std(simulated("--seed", "7")["signal"] - clean) == pytest.approx(0.25, rel=0.06)


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_is_reached_by_its_name(solver: str) -> None:
    if solver == "numerical":
        pytest.skip("takes long; tested with the solver")
    default = simulated("--noise", "0")["signal"]
    assert np.abs(simulated("--noise", "0", "--solver", solver)["signal"] - default).max() < 1e-6


def test_output_goes_to_a_file_as_it_goes_to_stdout(tmp_path: Path) -> None:
    target = tmp_path / "run.csv"
    run = gcfit("simulate", SYSTEM, "--seed", "1", "-o", target)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert target.read_text(encoding="utf-8") == gcfit("simulate", SYSTEM, "--seed", "1", "-o", "-").stdout


def test_a_system_from_stdin() -> None:
    text = SYSTEM.read_text(encoding="utf-8")
    assert gcfit("simulate", "-", "--seed", "1", stdin=text).stdout == gcfit("simulate", SYSTEM, "--seed", "1").stdout
    broken = gcfit("simulate", "-", stdin=text.replace("[column]", "[colum]"))
    assert (broken.returncode, broken.stderr) == (1, "gcfit: -: unknown key colum; did you mean column?\n")


def test_columns_and_digits() -> None:
    run = gcfit("simulate", SYSTEM, "--noise", "0", "--columns", "signal,time_s", "--digits", "3")
    assert run.stdout.splitlines()[:3] == ["signal,time_s", "3940.0,0.0", "3940.0,0.2"]


def test_head_of_a_simulation_is_quiet() -> None:
    run = bash(f'gcfit simulate "{SYSTEM}" | head -2; echo "code ${{PIPESTATUS[0]}}"')
    assert run.stderr == ""
    assert run.stdout.startswith("time_s,signal\n0.0,39")
    assert run.stdout.splitlines()[-1] in ("code 141", "code 0")
