"""The reference table: 441 values of the closed forms, evaluated with 50-digit arithmetic outside this project.

`laplace_reference.csv` holds kind, n, k_d [1/s], hold-up [s], injection [s], loading, time [s] and the value. Kinds:
`impulse` h(θ), `step` J, `step_complement` 1 - J, `rectangle` (J(θ) - J(θ - t1))/t1, `overloaded` the unit-area
Thomas impulse response with loading β; `time_s` is absolute, θ = time - hold-up. Doubles are read to 17 digits.
"""

import csv
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from gcfit.chromatogram import Array

TABLE = Path(__file__).with_name("laplace_reference.csv")


@dataclass(frozen=True)
class Case:
    """All rows of the table that share one curve."""

    kind: str
    n: float
    desorption_rate: float
    hold_up: float
    injection: float
    loading: float
    time: Array
    value: Array

    def __str__(self) -> str:
        return f"{self.kind}-n{self.n:.6g}" + (f"-load{self.loading:g}" if self.loading else "")

    @property
    def apex(self) -> float:
        """Apex of the density that belongs to the case: the linear impulse response, on 4000 times over 12 σ."""
        from tests.column.plain import impulse

        sigma = np.sqrt(2 * self.n) / self.desorption_rate
        middle = self.n / self.desorption_rate
        delay = np.linspace(max(middle - 6 * sigma, middle / 1000), middle + 6 * sigma, 4000)
        return float(impulse(delay, self.n, self.desorption_rate).max())


def cases() -> list[Case]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    keys = ("kind", "n", "k_d_per_s", "hold_up_s", "injection_s", "loading")
    rows.sort(key=lambda row: [row[key] for key in keys])
    made = []
    for key, group in groupby(rows, key=lambda row: tuple(row[name] for name in keys)):
        members = list(group)
        time, value = (np.array([float(row[name]) for row in members]) for name in ("time_s", "value"))
        made.append(Case(key[0], *(float(number) for number in key[1:]), time=time, value=value))
    return made
