"""`report.html`, written from the store: complete or not at all."""

import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from gcfit.batch.store import Store
from gcfit.batch.tables import replacing
from gcfit.errors import MissingExtraError

NAME = "report.html"


def require_plotly() -> None:
    """Raise `MissingExtraError` where the library that draws the report is not installed; nothing is loaded."""
    if find_spec("plotly") is None:
        raise MissingExtraError("--report", "report")


def write_report(store: Store, folder: Path, identity: str, settings: str, facts: Mapping[str, str]) -> None:
    """Write the report of everything that the store holds.

    Parameters
    ----------
    identity, settings : str
        Those of this run, as `gcfit.batch.worklist.described` gives them.
    facts : mapping
        What the head of the page says of the run.

    Raises
    ------
    OutputError
        If the folder cannot be written; the report of an earlier run stays then.
    MissingExtraError
        If plotly is not installed.
    """
    from gcfit.report import Entry, Run
    from gcfit.report.page import write

    content = json.loads(settings)
    settings_used = {key: value for key, value in content["settings"].items() if key not in ("curves", "figures")}
    now = datetime.now().astimezone().isoformat(" ", "minutes")  # with the offset from UTC, in which the log is
    said = dict(facts) | {"written": f"{now} by gcfit {content['gcfit']}"}
    others = store.fitted_otherwise(identity)
    if others:
        said["mixed"] = f"{others} file{'s' * (others != 1)} fitted by an earlier run with other settings"
    run = Run(f"Chromatograms of {folder.resolve().name}", said, dict(flat(settings_used)))
    store.still_there()
    with replacing(folder / NAME) as file:
        stream = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
        write(stream, run, (Entry(*trace) for trace in store.traces()))
        stream.detach()


def flat(settings: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield name and value of every setting that says something: `system column length`; a list's items are lines."""
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            yield from flat(value, f"{name} {key}".strip().replace("_", " "))
    elif isinstance(settings, list):
        for number, value in enumerate(settings, 1):
            yield f"{name} {number}", ", ".join(f"{key} {said}".strip() for key, said in flat(value))
    elif settings is not None and settings is not False and settings != "":
        yield name, f"{settings:.10g}" if isinstance(settings, float) else str(settings)
