"""What the report is made of: plain rows, and text that is JSON already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gcfit.results import Row


@dataclass(frozen=True)
class Run:
    """What ran: a title, facts for the head of the page (command, version, seconds ...), and the settings used."""

    title: str = "gcfit report"
    facts: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One trace of one file: its row of the file table, its rows of the peak table, its curves from `trace_of`."""

    file: Row
    peaks: Sequence[Row] = ()
    curves: str | None = None
