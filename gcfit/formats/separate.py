"""Runs that stand below one another in the same columns: their times begin anew."""

from collections.abc import Sequence

from gcfit.chromatogram import Array
from gcfit.formats import clean
from gcfit.formats.columns import Columns, Headings
from gcfit.formats.source import Source

Run = tuple[str, slice, list[tuple[int, int]]]


def separate(
    source: Source, names: Headings, values: Sequence[Array], chosen: Columns, warnings: list[str]
) -> list[Run]:
    """Return name, rows and columns of signal and time of each run; several where the times of a block begin anew.

    A column that is the same throughout each run, as a number of the injection is, names the runs.
    """
    pairs = list(zip(chosen.signals, chosen.times, strict=True))
    parts = clean.runs_of(values[chosen.time])
    if len(parts) == 1:
        return [("", parts[0], pairs)]
    clean.check_number(source, len(parts) * len(pairs))
    warnings.append(f"the times begin anew {len(parts) - 1} times: {len(parts)} runs, read as traces of their own")
    numbers = [j for j in range(len(values)) if all((values[j][part] == values[j][part.start]).all() for part in parts)]
    told = [j for j in numbers if len({float(values[j][part.start]) for part in parts}) == len(parts)]
    signals = [pair for pair in pairs if pair[0] not in numbers] or pairs
    return [
        (" ".join(f"{names.name(j)} {values[j][part.start]:g}" for j in told) or f"run {number}", part, signals)
        for number, part in enumerate(parts, 1)
    ]
