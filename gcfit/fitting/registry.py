"""Peak models by name: a core and what is added to it.

The core is the kinetic pair (`laplace`) or, for comparison, a `gaussian`; the additions are a second kind of site, an
exponential tail and a loading (DESIGN section 3). Coordinates:

    retention [s]        mean of the core; with a loading the apex of the loaded core
    log_sigma            logarithm of the core's standard deviation [s]; with a loading, of the loaded core's width
    log_site_delay       logarithm of the mean delay n₂/k₂ [s] at the second kind of site
    log_site_time        logarithm of the time constant 1/k₂ [s] of the second kind of site
    log_tail             logarithm of the tail's time constant [s]
    loading              β
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal

from gcfit.errors import InputError

CoreName = Literal["laplace", "gaussian"]
PARTS: dict[str, tuple[str, ...]] = {
    "site": ("log_site_delay", "log_site_time"),
    "tail": ("log_tail",),
    "load": ("loading",),
}


@dataclass(frozen=True)
class PeakModel:
    """A core and its additions."""

    core: CoreName
    parts: tuple[str, ...] = ()

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the coordinates, in the order of the parameter vector."""
        return ("retention", "log_sigma", *(name for part in self.parts for name in PARTS[part]))


LAPLACE_MODELS = {
    "+".join(("laplace", *parts)): PeakModel("laplace", parts)
    for size in range(len(PARTS) + 1)
    for parts in combinations(PARTS, size)
}
MODELS: dict[str, PeakModel] = {
    **LAPLACE_MODELS,
    "gaussian": PeakModel("gaussian"),
    "emg": PeakModel("gaussian", ("tail",)),
}


def ordered_name(name: str) -> str:
    """The registry's name of a model whose additions were given in any order.

    Raises
    ------
    InputError
        If there is no such model; the text lists the known ones.
    """
    core, *parts = name.strip().lower().split("+")
    ordered = "+".join((core, *(part for part in PARTS if part in parts)))
    if ordered not in MODELS or len(set(parts)) != len(parts) or set(parts) - set(PARTS):
        raise InputError("", f"peak model {name!r} is not known", remedy=f"choose auto or one of {', '.join(MODELS)}")
    return ordered


def tailed_name(name: str) -> str:
    """The registry's name of a model with a tail."""
    model = MODELS[name]
    parts = tuple(part for part in PARTS if part == "tail" or part in model.parts)
    return next(other for other, found in MODELS.items() if found == PeakModel(model.core, parts))


def untailed_name(name: str) -> str:
    """The registry's name of a model without its tail; `auto` stays."""
    if name not in MODELS:
        return name
    parts = tuple(part for part in MODELS[name].parts if part != "tail")
    return next(other for other, found in MODELS.items() if found == PeakModel(MODELS[name].core, parts))
