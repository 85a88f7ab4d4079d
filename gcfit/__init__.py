"""gcfit: fit gas chromatograms with a physical model of the column.

`read`, `fit` and `simulate` are the whole road from Python; each is loaded when it is first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gcfit.column.simulate import simulate as simulate
    from gcfit.fitting.fit import fit as fit
    from gcfit.formats import read as read

__version__ = "0.1.0"
__all__ = ["fit", "read", "simulate"]

_PLACES = {"fit": "gcfit.fitting.fit", "read": "gcfit.formats", "simulate": "gcfit.column.simulate"}


def __getattr__(name: str) -> Any:
    """Load `read`, `fit` or `simulate` at first use: a user pays for every import."""
    if name in _PLACES:
        from importlib import import_module

        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'gcfit' has no attribute {name!r}; it has {', '.join(__all__)}")
