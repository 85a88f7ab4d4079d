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
from tests.cli.shell import ROOT, bash, inside

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
    run = inside("simulate", SYSTEM, *arguments)
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
    columns = table(inside("simulate", longer, "--components", "--velocity", "constant").stdout)
    for name, expected in zip(AREAS, MEANS["constant"], strict=True):
        assert mean(columns["time_s"], columns[name]) == pytest.approx(expected, abs=1e-3)


def test_noise_is_that_of_its_seed_and_size() -> None:
    clean = simulated("--noise", "0")["signal"]
    first, again, other = (simulated("--noise", "3", "--seed", seed)["signal"] for seed in ("7", "7", "8"))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    # the standard deviation of n normal deviates scatters by 1/sqrt(2n): 1.2 % here; five times that
    assert np.std(first - clean) == pytest.approx(3.0, rel=0.06)
    assert np.std(simulated("--seed", "7")["signal"] - clean) == pytest.approx(0.2, rel=0.06)


def test_profiles_show_where_the_analytes_are() -> None:
    """The apex of a band at time t lies where the gas has taken (t - t1/2)/((1 + k) t_M) of the hold-up time:
    x/L = (1 - (1 - f (1 - P³))^(2/3))/(1 - P²), from the integral of dx/u (James and Martin 1952)."""
    run = inside("simulate", SYSTEM, "--profile", "50,100")
    assert (run.returncode, run.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(run.stdout)))
    assert list(rows[0]) == ["time_s", "component", "position_m", "concentration_mol_m3", "adsorbed_mol_m3"]
    assert {(row["time_s"], row["component"]) for row in rows} == {
        (t, name) for t in ("50.0", "100.0") for name in AREAS
    }
    ratio, hold_up, length = 101.3 / 401, 34.177110, 20.0
    for name, retention_factor in (("benzene", 109.28 / 45), ("toluene", 256.73 / 45)):
        for time in (50.0, 100.0):
            band = [row for row in rows if row["component"] == name and float(row["time_s"]) == time]
            apex = max(band, key=lambda row: float(row["adsorbed_mol_m3"]))
            share = (time - 2) / ((1 + retention_factor) * hold_up)
            expected = length * (1 - (1 - share * (1 - ratio**3)) ** (2 / 3)) / (1 - ratio**2)
            assert float(apex["position_m"]) == pytest.approx(expected, abs=0.25)


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_is_reached_by_its_name(solver: str) -> None:
    default = simulated("--noise", "0")["signal"]
    # the full equations are solved to 2e-3 of an apex, with the axial diffusion of the file; the highest apex is 81
    allowed = 2e-3 * 81 if solver == "numerical" else 1e-6
    assert np.abs(simulated("--noise", "0", "--solver", solver)["signal"] - default).max() < allowed


def test_output_goes_to_a_file_as_it_goes_to_stdout(tmp_path: Path) -> None:
    target = tmp_path / "run.csv"
    run = inside("simulate", SYSTEM, "--seed", "1", "-o", target)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert target.read_text(encoding="utf-8") == inside("simulate", SYSTEM, "--seed", "1", "-o", "-").stdout


def test_a_system_from_stdin() -> None:
    text = SYSTEM.read_text(encoding="utf-8")
    assert inside("simulate", "-", "--seed", "1", stdin=text).stdout == inside("simulate", SYSTEM, "--seed", "1").stdout
    broken = inside("simulate", "-", stdin=text.replace("[column]", "[colum]"))
    assert (broken.returncode, broken.stderr) == (1, "gcfit: -: unknown key colum; did you mean column?\n")


def test_what_a_solver_does_not_use_is_said(tmp_path: Path) -> None:
    text = SYSTEM.read_text(encoding="utf-8").replace("k_d_per_s", "q_max_mol_m3 = 1.0\nk_d_per_s", 1)
    (tmp_path / "loaded.toml").write_text(text)
    run = inside("simulate", "loaded.toml", "--noise", "0", cwd=tmp_path)
    remark = "q_max_mol_m3: not used by the solver laplace; --solver numerical does"
    assert (run.returncode, run.stderr) == (0, f"gcfit: loaded.toml: {remark}\n")
    assert run.stdout == inside("simulate", SYSTEM, "--noise", "0").stdout


def test_columns_and_digits() -> None:
    run = inside("simulate", SYSTEM, "--noise", "0", "--columns", "signal,time_s", "--digits", "3")
    assert run.stdout.splitlines()[:3] == ["signal,time_s", "3940.0,0.0", "3940.0,0.2"]


def test_head_of_a_simulation_is_quiet() -> None:
    run = bash(f'gcfit simulate "{SYSTEM}" | head -2; echo "code ${{PIPESTATUS[0]}}"')
    assert run.stderr == ""
    assert run.stdout.startswith("time_s,signal\n0.0,39")
    assert run.stdout.splitlines()[-1] in ("code 141", "code 0")


def test_a_profile_of_the_beginning_is_empty() -> None:
    columns = simulated("--profile", "0", "--columns", "time_s,concentration_mol_m3")
    assert columns["time_s"].size > 100
    assert not columns["time_s"].any()
    assert not columns["concentration_mol_m3"].any()
