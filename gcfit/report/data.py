"""The rows of a batch as the data blocks of the page: worst fits first, rounded for reading, safe inside HTML."""

import json
import math
from collections.abc import Mapping, Sequence
from os.path import commonprefix

from gcfit.fitting.records import NOT_FOUND
from gcfit.report.records import Run
from gcfit.results import FILE_COLUMNS, PEAK_COLUMNS, TREND_COLUMNS, Row, control_limits, same_components

# what is looked at first stands first; the rest follows in the order of the table
_FIRST = ("file", "trace", "status", "r_squared", "peaks", "message")
_FILE_ORDER = (*_FIRST, *(name for name in FILE_COLUMNS if name not in _FIRST))
DIGITS = 7  # of the numbers in the page; the tables on disk have them all


def worst_first(files: Sequence[Row], failed_peaks: Mapping[int, int]) -> list[int]:
    """Return positions of file rows: failures, then those with failed peaks, then by R², runs without peaks last."""

    def badness(position: int) -> tuple[bool, int, float]:
        row = files[position]
        value = row["r_squared"]
        known = isinstance(value, int | float) and math.isfinite(value)
        return (row["status"] != "failed", -failed_peaks.get(position, 0), float(str(value)) if known else math.inf)

    return sorted(range(len(files)), key=badness)


def summary(run: Run, files: Sequence[Row], peaks: Sequence[Row]) -> dict[str, object]:
    """What the head of the page says."""
    names = [str(row["file"]) for row in files]
    failed = sum(row["status"] == "failed" for row in files)
    flagged = sum(row["status"] != "ok" for row in peaks)
    return {
        "title": run.title,
        "counts": [
            _count("file", len(set(names))),
            _count("trace", len(files)),
            _count("peak", sum(row["status"] != NOT_FOUND for row in peaks)),
            _count("failed trace", failed, "bad" if failed else "good"),
            _count("flagged peak", flagged, "bad" if flagged else "good"),
        ],
        "folder": common_folder(names),
        "facts": [[str(name), str(value)] for name, value in run.facts.items()],
        "settings": [[str(name), str(value)] for name, value in run.settings.items()],
    }


def _count(name: str, number: int, mood: str = "") -> list[object]:
    return [f"{name}{'s' * (number != 1)}", number, mood]


def common_folder(names: Sequence[str]) -> str:
    """Return the longest beginning that all names share and that ends with a folder's separator."""
    shared = commonprefix(list(names)) if len(names) > 1 else ""  # noqa: RUF071 - cut back to a whole folder below
    return shared[: max(shared.rfind("/"), shared.rfind("\\")) + 1]


def table(rows: Sequence[Row], columns: Sequence[str]) -> dict[str, object]:
    """Columns and cells of a table; columns that are empty in every row are left out."""
    used = [name for name in columns if any(row.get(name) not in (None, "") for row in rows)]
    return {"columns": used, "rows": [[_cell(row.get(name)) for name in used] for row in rows]}


def file_table(files: Sequence[Row], peaks: Sequence[Row], owners: Sequence[int]) -> dict[str, object]:
    """The file table, worst first; `entry` says which trace in the order of the run a row is."""
    failed: dict[int, int] = {}
    for row, owner in zip(peaks, owners, strict=True):
        if row["status"] == "failed":
            failed[owner] = failed.get(owner, 0) + 1
    order = worst_first(files, failed)
    return table([files[position] for position in order], _FILE_ORDER) | {"entry": order}


def peak_table(peaks: Sequence[Row], owners: Sequence[int]) -> dict[str, object]:
    """The peak table in the order of the run; `entry` says to which trace a row belongs."""
    return table(peaks, PEAK_COLUMNS) | {"entry": list(owners)}


def trends(peaks: Sequence[Row]) -> dict[str, object]:
    """Rows of the peak table by component, with mean and mean ± 3 standard deviations of what is followed."""
    groups = []
    for label, positions in same_components(peaks).items():
        limits = {}
        for column in TREND_COLUMNS:
            values = [_number(peaks[position][column]) for position in positions]
            limits[column] = control_limits([value for value in values if value is not None])
        groups.append({"label": label, "rows": positions, "limits": limits})
    followed = [name for name in TREND_COLUMNS if any(row[name] is not None for row in peaks)]
    return {"columns": followed, "groups": groups}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _cell(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else str(value)
    return value if isinstance(value, int) or value is None else str(value)


def block(identity: str, content: object) -> str:
    """Return a data block of the page: JSON that holds no letter with a meaning in HTML."""
    return _element(identity, json.dumps(content, separators=(",", ":"), allow_nan=False))


def curves_block(entry: int, text: str) -> str:
    """Return the data block of the curves of one trace."""
    return _element(f"curves-{entry}", text)


def _element(identity: str, text: str) -> str:
    # inside a string of JSON the escape means the same letter; outside of strings these letters do not occur
    safe = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return f'<script type="application/json" id="{identity}">{safe}</script>\n'
