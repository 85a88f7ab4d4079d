"""Many files: work list, store, parallel map. `run` is the door.

Nothing is imported here before it is used: a worker process sets its number of BLAS threads before numpy loads.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gcfit.batch.engine import run as run
    from gcfit.batch.records import FileResult as FileResult
    from gcfit.batch.records import Picture as Picture
    from gcfit.batch.records import Summary as Summary
    from gcfit.batch.work import FileTask as FileTask

__all__ = ["FileResult", "FileTask", "Picture", "Summary", "run"]

_PLACES = {
    "run": "engine",
    "FileResult": "records",
    "FileTask": "work",
    "Picture": "records",
    "Summary": "records",
}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        from importlib import import_module

        return getattr(import_module(f"gcfit.batch.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'gcfit.batch' has no attribute {name!r}; it has {', '.join(__all__)}")
