"""The system file: column, carrier gas, injection, detector and components, in SI units inside.

The file is TOML with the unit in every key name; a key that is not known is an error that names the nearest
known one. `README.md` and `sample_data/btex/system.toml` show the layout.
"""

import difflib
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from gcfit.errors import InputError

LARGEST = 1e30
MOST_TAIL = 1e3  # s
VelocityModel = Literal["variable", "constant"]
Gas = Literal["N2", "He", "H2", "Ar"]


@dataclass(frozen=True)
class Column:
    """An open tubular column: length [m], inner radius [m], film thickness [m], temperature [K] or None."""

    length: float
    inner_radius: float
    film_thickness: float
    temperature: float | None = None

    @property
    def phase_ratio(self) -> float:
        """α = 2δ/R, stationary film over mobile phase (paper, section 2)."""
        return 2 * self.film_thickness / self.inner_radius


@dataclass(frozen=True)
class Carrier:
    """The carrier gas: absolute pressures [Pa]; viscosity [Pa s], inlet velocity [m/s], hold-up [s] where known."""

    inlet_pressure: float
    outlet_pressure: float
    viscosity: float | None = None
    inlet_velocity: float | None = None
    hold_up: float | None = None
    velocity: VelocityModel = "variable"


@dataclass(frozen=True)
class Injection:
    """Rectangular injection of `duration` [s] (0: a pulse) that enters with an exponential tail `tail` [s]."""

    duration: float = 0.0
    tail: float = 0.0


@dataclass(frozen=True)
class Detector:
    """Baseline and standard deviation of the noise [signal unit], sampling rate [Hz], end of the run [s] or None."""

    baseline: float = 0.0
    noise: float = 0.0
    rate: float = 10.0
    until: float | None = None


@dataclass(frozen=True)
class Component:
    """An analyte; None where the file says nothing.

    Rates [1/s], area [signal unit s], q_max (`saturation`) and inlet concentration [mol/m³], diffusion coefficient
    at the inlet pressure [m²/s], retention time [s].
    """

    name: str
    adsorption_rate: float | None = None
    desorption_rate: float | None = None
    area: float | None = None
    saturation: float | None = None
    inlet_concentration: float | None = None
    diffusion: float | None = None
    retention_time: float | None = None


@dataclass(frozen=True)
class System:
    """All that a system file says.

    Raises
    ------
    InputError
        If a component has an area, and an inlet concentration of 0 of which no area can come.
    """

    column: Column
    carrier: Carrier
    injection: Injection = field(default_factory=Injection)
    detector: Detector = field(default_factory=Detector)
    components: tuple[Component, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        for component in self.components:
            if component.inlet_concentration == 0 and component.area:
                raise InputError(
                    self.source,
                    f"inlet_concentration_mol_m3 is 0, area is {component.area:g}",
                    place=f"[[component]] {component.name}",
                    remedy="leave one of them out",
                )


@dataclass(frozen=True)
class _Key:
    """One key of the file: the record's field, how it is scaled to SI, and which numbers are possible."""

    field: str
    scale: float = 1.0
    offset: float = 0.0
    required: bool = False
    positive: bool = False  # must be > 0; otherwise >= 0 unless `any_sign`
    any_sign: bool = False
    within: tuple[float, float] = (0.0, LARGEST)  # sizes that are possible, in the key's unit; 0 goes by the above
    choices: tuple[str, ...] = ()
    text: bool = False


_SCHEMA: dict[str, dict[str, _Key]] = {
    "column": {
        "length_m": _Key("length", required=True, positive=True, within=(1e-3, 1e5)),
        "inner_diameter_mm": _Key("inner_radius", scale=0.5e-3, required=True, positive=True, within=(1e-4, 1e3)),
        "film_thickness_um": _Key("film_thickness", scale=1e-6, required=True, positive=True, within=(1e-6, 1e4)),
        "temperature_c": _Key("temperature", offset=273.15, any_sign=True, within=(0, 3e3)),
    },
    "carrier": {
        "gas": _Key("gas", choices=get_args(Gas)),
        "viscosity_pa_s": _Key("viscosity", positive=True, within=(1e-9, 1.0)),
        "inlet_pressure_kpa": _Key("inlet_pressure", scale=1e3, required=True, positive=True, within=(1e-6, 1e6)),
        "outlet_pressure_kpa": _Key("outlet_pressure", scale=1e3, required=True, positive=True, within=(1e-6, 1e6)),
        "inlet_velocity_m_s": _Key("inlet_velocity", positive=True, within=(1e-6, 1e4)),
        "hold_up_s": _Key("hold_up", positive=True, within=(1e-4, 1e6)),
        "velocity": _Key("velocity", choices=get_args(VelocityModel)),
    },
    "injection": {"duration_s": _Key("duration", within=(0, 1e5)), "tail_s": _Key("tail", within=(0, MOST_TAIL))},
    "detector": {
        "baseline": _Key("baseline", any_sign=True),
        "noise": _Key("noise"),
        "rate_hz": _Key("rate", positive=True, within=(1e-4, 1e6)),
        "until_s": _Key("until", positive=True, within=(1e-3, 1e7)),
    },
    "component": {
        "name": _Key("name", required=True, text=True),
        "k_a_per_s": _Key("adsorption_rate", positive=True, within=(1e-9, 1e9)),
        "k_d_per_s": _Key("desorption_rate", positive=True, within=(1e-9, 1e9)),
        "area": _Key("area"),
        "q_max_mol_m3": _Key("saturation", positive=True, within=(1e-15, 1e15)),
        "inlet_concentration_mol_m3": _Key("inlet_concentration"),
        "diffusion_m2_s": _Key("diffusion"),
        "retention_time_s": _Key("retention_time", positive=True, within=(1e-4, 1e7)),
    },
}

SECTIONS = tuple(_SCHEMA)

# Blumberg, Temperature-Programmed Gas Chromatography (2010): η = η_st (T/273.15)^(ξ0 + ξ1 (T - 273.15)/273.15)
_VISCOSITY: dict[str, tuple[float, float, float]] = {
    "He": (18.63e-6, 0.6958, -0.0071),
    "H2": (8.382e-6, 0.6892, 0.0050),
    "N2": (16.62e-6, 0.7665, -0.0378),
    "Ar": (20.979e-6, 0.8131, -0.0426),
}


def gas_viscosity(gas: str, temperature: float) -> float:
    """Viscosity of a carrier gas [Pa s] at `temperature` [K] (Blumberg 2010).

    Within 1 % of the CRC Handbook at 27 and 127 °C. Where it is hotter, it is below Lemmon and Jacobsen (2004, dilute
    gas), by 0.7 % for N2 and 1.8 % for Ar at 300 °C, by 1.3 % and 2.5 % at 400 °C.
    """
    standard, exponent, slope = _VISCOSITY[gas]
    return float(standard * (temperature / 273.15) ** (exponent + slope * (temperature - 273.15) / 273.15))


def read_system(path: str | Path) -> System:
    """Read a system file.

    Parameters
    ----------
    path : str or Path
        TOML file; `-` is standard input.

    Raises
    ------
    InputError
        If the file cannot be read, is not TOML, has an unknown or missing key, or describes a column that
        cannot be (no pressure drop, negative rate, two ways to give the velocity).
    """
    source = str(path)
    try:
        content = sys.stdin.buffer.read() if source == "-" else Path(path).read_bytes()
        document = tomllib.loads(content.decode("utf-8-sig"))
    except FileNotFoundError:
        raise InputError(source, "no such file", remedy="give the path of a system file (TOML)") from None
    except OSError as error:
        raise InputError(source, f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(source, f"cannot be read as UTF-8 text: {error}") from error
    except ValueError as error:  # TOMLDecodeError, and a whole number with more digits than int() takes
        raise InputError(source, f"is not TOML: {error}") from error
    except RecursionError as error:
        raise InputError(source, "is not a system file: nested too deeply") from error
    return parse_system(document, source=source)


def parse_system(document: Mapping[str, Any], *, source: str = "") -> System:
    """Make a `System` from the tables of a system file; raises `InputError` as `read_system` does."""
    _refuse_unknown(document, SECTIONS, "", source)
    for name in ("column", "carrier"):
        if name not in document:
            raise InputError(source, f"section [{name}] is missing")
    column = Column(**_section(document["column"], "column", source))
    if column.temperature is not None and column.temperature <= 0:
        raise InputError(source, "temperature is below absolute zero", place="[column] temperature_c")
    return System(
        column=column,
        carrier=_carrier(document["carrier"], column, source),
        injection=Injection(**_section(document.get("injection", {}), "injection", source)),
        detector=Detector(**_section(document.get("detector", {}), "detector", source)),
        components=_components(document.get("component", []), source),
        source=source,
    )


def _carrier(table: object, column: Column, source: str) -> Carrier:
    values = _section(table, "carrier", source)
    gas = values.pop("gas", None)
    if "inlet_velocity" in values and "hold_up" in values:
        raise InputError(source, "inlet_velocity_m_s and hold_up_s both given", place="[carrier]", remedy="keep one")
    if values["outlet_pressure"] >= values["inlet_pressure"]:
        raise InputError(
            source,
            f"outlet pressure {values['outlet_pressure'] / 1e3:g} kPa is not below inlet pressure "
            f"{values['inlet_pressure'] / 1e3:g} kPa",
            place="[carrier]",
            remedy="give absolute pressures that drive the gas",
        )
    if gas is not None and "viscosity" not in values and column.temperature is not None:
        values["viscosity"] = gas_viscosity(gas, column.temperature)
    if not values.keys() & {"inlet_velocity", "hold_up", "viscosity"}:
        raise InputError(
            source,
            "nothing tells the velocity of the gas",
            place="[carrier]",
            remedy="give inlet_velocity_m_s, hold_up_s, viscosity_pa_s, or gas with [column] temperature_c",
        )
    return Carrier(**values)


def _components(tables: object, source: str) -> tuple[Component, ...]:
    if not isinstance(tables, list):
        raise InputError(source, "component is not a list of tables", remedy="write [[component]]")
    components = tuple(
        Component(**_section(table, "component", source, place=f"[[component]] {number}"))
        for number, table in enumerate(tables, 1)
    )
    names = [component.name for component in components]
    for name in names:
        if names.count(name) > 1:
            raise InputError(source, f"component {name!r} is there twice", place="[[component]]")
    return components


def _section(table: object, section: str, source: str, place: str = "") -> dict[str, Any]:
    """Return the checked values of one table in SI units, keyed by the fields of its record."""
    place = place or f"[{section}]"
    keys = _SCHEMA[section]
    if not isinstance(table, Mapping):
        raise InputError(source, f"is {table!r}, not a table", place=place)
    _refuse_unknown(table, list(keys), place, source)
    for name, key in keys.items():
        if key.required and name not in table:
            raise InputError(source, f"key {name} is missing", place=place)
    return {keys[name].field: _value(value, keys[name], f"{place} {name}", source) for name, value in table.items()}


def _value(value: object, key: _Key, place: str, source: str) -> object:
    if key.text or key.choices:
        if not isinstance(value, str) or not value.strip():
            raise InputError(source, f"is {value!r}, not a text", place=place)
        if key.choices and value not in key.choices:
            raise InputError(source, f"is {value!r}, not one of {', '.join(key.choices)}", place=place)
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise InputError(source, f"is {value!r}, not a number", place=place)
    if not key.any_sign and (value < 0 or (key.positive and value == 0)):
        raise InputError(source, f"is {value:g}; it must be {'above' if key.positive else 'at least'} 0", place=place)
    least, most = key.within
    if value and not least <= abs(value) <= most:
        raise InputError(source, f"is {value:g}; it must be from {least:g} to {most:g}", place=place)
    return value * key.scale + key.offset


def _refuse_unknown(table: Mapping[str, Any], known: Sequence[str], place: str, source: str) -> None:
    for name in table:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            remedy = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise InputError(source, f"unknown key {name}", place=place, remedy=remedy)
