"""The package as it is installed: names, versions, the Python API, `make` targets, the sample and how it was made."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

import gcfit
from gcfit.column.system import read_system
from tests.cli.shell import gcfit as command

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_data" / "btex"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CORE = {"click", "numpy", "scipy", "pandas", "matplotlib"}


def test_distribution_and_version() -> None:
    assert PROJECT["name"] == "gcfit-chromatography"
    assert metadata.version("gcfit-chromatography") == gcfit.__version__


def test_only_the_five_core_packages_are_needed() -> None:
    assert {re.match(r"[\w-]+", line)[0] for line in PROJECT["dependencies"]} == CORE  # type: ignore[index]


def test_every_dependency_has_a_lower_bound_and_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text.partition("dependencies = [")[2].partition("]")[0]
    for line in filter(str.strip, block.splitlines()):
        assert re.fullmatch(r'\s*"[\w-]+>=[\d.]+",\s+# \S.*', line), line


def test_python_api_is_loaded_on_demand() -> None:
    code = "import sys, gcfit; print('numpy' in sys.modules, callable(gcfit.fit), callable(gcfit.read), gcfit.simulate)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.startswith("False True True <function simulate")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(AttributeError, match="module 'gcfit' has no attribute 'fitt'; it has fit, read, simulate"):
        getattr(gcfit, "fitt")  # noqa: B009  as a name in a program


def test_read_fit_simulate_are_the_whole_road() -> None:
    system = read_system(SAMPLE / "system.toml")
    fit = gcfit.fit(gcfit.read(SAMPLE / "chromatogram.csv"), system)
    assert [peak.name for peak in fit.peaks] == [component.name for component in system.components]
    with pytest.raises(AttributeError):
        fit.peaks[0].area = 0.0
    again = gcfit.fit(gcfit.simulate(system, noise=0.0).chromatogram, system)
    assert len(again.peaks) == len(system.components)


def test_the_sample_is_what_its_command_makes() -> None:
    """The command stands in the README; the last digits depend on the machine's mathematical library."""
    made = command("simulate", SAMPLE / "system.toml", "--tail", "0.3", "--seed", "1")
    assert "gcfit simulate sample_data/btex/system.toml --tail 0.3 --seed 1 " in (ROOT / "README.md").read_text("utf-8")
    kept = (SAMPLE / "chromatogram.csv").read_text(encoding="utf-8")
    assert kept.partition("\n")[0] == made.stdout.partition("\n")[0]
    old, new = (np.loadtxt(text.splitlines(), delimiter=",", skiprows=1) for text in (kept, made.stdout))
    np.testing.assert_allclose(old, new, rtol=1e-12)


def test_the_sample_is_the_run_of_the_paper() -> None:
    """Tables 1 and 3 of arXiv 2501.00001; areas from its calibration at 20 ppb."""
    system = read_system(SAMPLE / "system.toml")
    assert system.column.phase_ratio == pytest.approx(2 * 1e-6 / 9e-5, rel=1e-12)
    assert (system.carrier.inlet_pressure, system.carrier.outlet_pressure) == (4.01e5, 1.013e5)
    assert (system.carrier.inlet_velocity, system.carrier.viscosity, system.column.length) == (0.41, 2.3e-5, 20.0)
    assert (system.injection.duration, system.detector.baseline) == (4.0, 3935.4)
    pairs = [(c.name, c.adsorption_rate, c.desorption_rate, c.area) for c in system.components]
    assert pairs == [
        ("benzene", 579.0, 5.299, 1159.4),
        ("toluene", 2953.0, 11.502, 927.2),
        ("ethylbenzene", 9203.0, 16.940, 562.0),
        ("p,m-xylene", 6483.0, 11.057, 1411.2),
        ("o-xylene", 10168.0, 14.291, 516.4),
    ]


@pytest.mark.parametrize("target", ["demo", "test", "check", "lint", "types", "bench", "figures", "clean"])
def test_make_knows_the_target(target: str) -> None:
    run = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_ci_calls_the_checks_and_the_tests() -> None:
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "make lint types" in text
    assert "make test" in text


def test_nothing_but_what_belongs_stands_at_the_top() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a checkout")
    top = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert {name for name in top if name[0] != "."} == {
        "LICENSE", "Makefile", "README.md", "gcfit", "pyproject.toml", "sample_data", "tests",
    }  # fmt: skip
