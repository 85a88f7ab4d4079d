"""Reading the system file: units, defaults, and one clear line for everything that can be wrong."""

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gcfit.column.flow import flow_of
from gcfit.column.system import (
    Carrier,
    Column,
    Component,
    Detector,
    Injection,
    System,
    gas_viscosity,
    parse_system,
    read_system,
)
from gcfit.errors import InputError

ROOT = Path(__file__).parents[2]
BTEX = ROOT / "sample_data" / "btex" / "system.toml"
FULL: dict[str, Any] = {
    "column": {"length_m": 20, "inner_diameter_mm": 0.18, "film_thickness_um": 1.0, "temperature_c": 80},
    "carrier": {"gas": "N2", "inlet_pressure_kpa": 401, "outlet_pressure_kpa": 101.3, "inlet_velocity_m_s": 0.41},
    "injection": {"duration_s": 4, "tail_s": 0.5},
    "detector": {"baseline": -1.5, "noise": 0.25, "rate_hz": 5, "until_s": 650},
    "component": [
        {
            "name": "benzene",
            "k_a_per_s": 579,
            "k_d_per_s": 5.299,
            "area": 1159.4,
            "q_max_mol_m3": 2.0,
            "inlet_concentration_mol_m3": 2.732e-6,
            "diffusion_m2_s": 2.89e-6,
            "retention_time_s": 119.0,
        },
        {"name": "toluene"},
    ],
}


def changed(path: str, value: object) -> dict[str, Any]:
    """The full document with one value set, or removed when `value` is None; `path` as in `component.0.name`."""
    document = deepcopy(FULL)
    *sections, key = path.split(".")
    table: Any = document
    for section in sections:
        table = table[int(section) if section.isdigit() else section]
    if value is None:
        del table[key]
    else:
        table[key] = value
    return document


def refused(document: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        parse_system(document, source="a.toml")
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith("a.toml: ")
    return text.removeprefix("a.toml: ")


def test_units_become_si() -> None:
    system = parse_system(FULL)
    assert system.column.length == 20
    assert system.column.inner_radius == pytest.approx(9e-5, rel=1e-15)
    assert system.column.film_thickness == pytest.approx(1e-6, rel=1e-15)
    assert system.column.temperature == pytest.approx(353.15, rel=1e-15)
    assert system.column.phase_ratio == pytest.approx(2 / 90, rel=1e-14)
    assert (system.carrier.inlet_pressure, system.carrier.outlet_pressure) == (401e3, 101.3e3)
    assert system.carrier.inlet_velocity == 0.41
    assert system.injection == Injection(4, 0.5)
    assert system.detector == Detector(-1.5, 0.25, 5, 650)
    assert system.components[0] == Component("benzene", 579, 5.299, 1159.4, 2.0, 2.732e-6, 2.89e-6, 119.0)
    assert system.components[1] == Component("toluene")


def test_defaults() -> None:
    system = parse_system({"column": FULL["column"], "carrier": FULL["carrier"]})
    assert system.injection == Injection(0.0, 0.0)
    assert system.detector == Detector(0.0, 0.0, 10.0, None)
    assert system.components == ()
    assert system.carrier.velocity == "variable"
    assert system.carrier.hold_up is None


def test_the_sample_is_the_papers_run() -> None:
    system = read_system(BTEX)
    assert [component.name for component in system.components][::4] == ["benzene", "o-xylene"]
    assert flow_of(system).hold_up == pytest.approx(34.177110, abs=5e-7)  # [calc] of FACTS
    assert system.source == str(BTEX)


def test_a_byte_order_mark_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "system.toml"
    path.write_bytes(b"\xef\xbb\xbf" + BTEX.read_bytes())
    assert read_system(path).components == read_system(BTEX).components


@pytest.mark.parametrize(
    ("gas", "celsius", "published"),
    [
        # Pa s at atmospheric pressure: CRC Handbook of Chemistry and Physics, viscosity of gases (300 K, 400 K)
        ("He", 26.85, 20.0e-6),
        ("He", 126.85, 24.4e-6),
        ("N2", 26.85, 17.9e-6),
        ("N2", 126.85, 22.2e-6),
        ("H2", 26.85, 9.0e-6),
        ("H2", 126.85, 10.9e-6),
        ("Ar", 26.85, 22.7e-6),
        ("Ar", 126.85, 28.6e-6),
    ],
)
def test_viscosity_against_published_values(gas: str, celsius: float, published: float) -> None:
    assert gas_viscosity(gas, celsius + 273.15) == pytest.approx(published, rel=1e-2)


@pytest.mark.parametrize(
    ("gas", "mass", "size", "well", "short"), [("N2", 28.01348, 0.3656, 98.94, 1.3), ("Ar", 39.948, 0.335, 143.2, 2.5)]
)
def test_viscosity_is_too_low_where_it_is_hot(gas: str, mass: float, size: float, well: float, short: float) -> None:
    # Lemmon and Jacobsen, Int. J. Thermophys. 25 (2004) 21, equations 2 and 3: the dilute gas [µPa s], σ in nm
    kelvin = 673.15
    powers = np.log(kelvin / well) ** np.arange(5)
    collision = np.exp(powers @ [0.431, -0.4623, 0.08406, 0.005341, -0.00331])
    dilute = 0.0266958e-6 * np.sqrt(mass * kelvin) / (size**2 * collision)
    assert 100 * (1 - gas_viscosity(gas, kelvin) / dilute) == pytest.approx(short, abs=0.05)


def test_viscosity_formulas_of_helium_and_nitrogen() -> None:
    # FACTS (Blumberg 2010)
    for celsius in (0.0, 59.6, 80.0, 350.0):
        kelvin = celsius + 273.15
        helium = 18.63e-6 * (kelvin / 273.15) ** (0.6958 - 0.0071 * celsius / 273.15)
        nitrogen = 16.62e-6 * (kelvin / 273.15) ** (0.7665 - 0.0378 * celsius / 273.15)
        assert gas_viscosity("He", kelvin) == pytest.approx(helium, rel=1e-14)
        assert gas_viscosity("N2", kelvin) == pytest.approx(nitrogen, rel=1e-14)


def test_a_gas_with_a_temperature_gives_the_viscosity_and_a_given_one_wins() -> None:
    from_gas = parse_system(changed("carrier.inlet_velocity_m_s", None))
    assert from_gas.carrier.viscosity == gas_viscosity("N2", 353.15)
    document = changed("carrier.viscosity_pa_s", 2.3e-5)
    assert parse_system(document).carrier.viscosity == 2.3e-5


@pytest.mark.parametrize("section", ["column", "carrier", "injection", "detector"])
def test_an_unknown_key_names_the_nearest(section: str) -> None:
    known = next(iter(FULL[section]))
    wrong = known[:-1] + "x"
    assert refused(changed(f"{section}.{wrong}", 1)) == f"[{section}]: unknown key {wrong}; did you mean {known}?"


def test_unknown_keys_in_components_and_at_the_top() -> None:
    text = refused(changed("component.0.k_a", 579))
    assert text == "[[component]] 1: unknown key k_a; did you mean k_a_per_s?"
    assert refused(changed("components", [])) == "unknown key components; did you mean component?"
    text = refused(changed("injection.zzz", 1))
    assert text == "[injection]: unknown key zzz; known are duration_s, tail_s"


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("column", None, "section [column] is missing"),
        ("carrier", None, "section [carrier] is missing"),
        ("column", 3, "[column]: is 3, not a table"),
        ("component", {"name": "x"}, "component is not a list of tables; write [[component]]"),
        ("column.length_m", None, "[column]: key length_m is missing"),
        ("column.length_m", 0, "[column] length_m: is 0; it must be above 0"),
        ("column.length_m", -20, "[column] length_m: is -20; it must be above 0"),
        ("column.length_m", "20", "[column] length_m: is '20', not a number"),
        ("column.length_m", True, "[column] length_m: is True, not a number"),
        ("column.length_m", float("inf"), "[column] length_m: is inf, not a number"),
        ("column.temperature_c", -274, "[column] temperature_c: temperature is below absolute zero"),
        ("carrier.gas", "CO2", "[carrier] gas: is 'CO2', not one of N2, He, H2, Ar"),
        ("carrier.gas", 7, "[carrier] gas: is 7, not a text"),
        ("carrier.velocity", "fast", "[carrier] velocity: is 'fast', not one of variable, constant"),
        (
            "carrier.outlet_pressure_kpa",
            401,
            "[carrier]: outlet pressure 401 kPa is not below inlet pressure 401 kPa; "
            "give absolute pressures that drive the gas",
        ),
        (
            "carrier.outlet_pressure_kpa",
            500,
            "[carrier]: outlet pressure 500 kPa is not below inlet pressure 401 kPa; "
            "give absolute pressures that drive the gas",
        ),
        ("carrier.hold_up_s", 34.2, "[carrier]: inlet_velocity_m_s and hold_up_s both given; keep one"),
        ("injection.duration_s", -4, "[injection] duration_s: is -4; it must be at least 0"),
        ("detector.rate_hz", 0, "[detector] rate_hz: is 0; it must be above 0"),
        ("detector.noise", -1, "[detector] noise: is -1; it must be at least 0"),
        ("component.0.name", None, "[[component]] 1: key name is missing"),
        ("component.0.name", " ", "[[component]] 1 name: is ' ', not a text"),
        ("component.0.k_a_per_s", -579, "[[component]] 1 k_a_per_s: is -579; it must be above 0"),
        ("component.0.k_d_per_s", 0, "[[component]] 1 k_d_per_s: is 0; it must be above 0"),
        ("component.0.q_max_mol_m3", -2, "[[component]] 1 q_max_mol_m3: is -2; it must be above 0"),
        ("component.0.diffusion_m2_s", -1e-6, "[[component]] 1 diffusion_m2_s: is -1e-06; it must be at least 0"),
        ("component.1.name", "benzene", "[[component]]: component 'benzene' is there twice"),
    ],
)
def test_everything_wrong_is_one_line(path: str, value: object, text: str) -> None:
    assert refused(changed(path, value)) == text


def test_an_area_that_no_inlet_concentration_gives_is_refused() -> None:
    empty = Component("a", 579.0, 5.299, area=100.0, inlet_concentration=0.0)
    with pytest.raises(InputError, match="a: inlet_concentration_mol_m3 is 0, area is 100; leave one of them out"):
        System(Column(20.0, 9e-5, 1e-6), Carrier(4e5, 1e5, inlet_velocity=0.4), components=(empty,))


def test_nothing_that_tells_the_velocity() -> None:
    document = changed("carrier.inlet_velocity_m_s", None)
    del document["carrier"]["gas"]
    remedy = "give inlet_velocity_m_s, hold_up_s, viscosity_pa_s, or gas with [column] temperature_c"
    assert refused(document) == f"[carrier]: nothing tells the velocity of the gas; {remedy}"
    document["carrier"]["gas"] = "N2"
    del document["column"]["temperature_c"]
    assert refused(document).endswith(remedy)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape("none.toml: no such file; give the path of a system file (TOML)")):
        read_system(tmp_path / "none.toml")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_system(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n[column]\n")
    with pytest.raises(InputError, match=r"latin\.toml: cannot be read as UTF-8 text"):
        read_system(tmp_path / "latin.toml")
    (tmp_path / "broken.toml").write_text("[column\nlength_m = 20\n")
    with pytest.raises(InputError, match=r"broken\.toml: is not TOML: .*line 1"):
        read_system(tmp_path / "broken.toml")


def test_records_are_frozen() -> None:
    carrier = Carrier(2e5, 1e5)
    with pytest.raises(AttributeError):
        carrier.hold_up = 3.0  # type: ignore[misc]
