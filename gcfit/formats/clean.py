"""From columns to the record: times in seconds, rising, finite; what was repaired is said in the notes."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from gcfit.chromatogram import MIN_POINTS, Array, Chromatogram
from gcfit.errors import InputError
from gcfit.formats.quotients import Flags
from gcfit.formats.source import Source
from gcfit.formats.units import seconds, unit_by_numbers

MOST_TRACES = 512  # of one file; a diode array at every nanometre has 450
_LATEST = 1e12  # s
_LARGEST = 1e300  # sums of a few stay finite
_MANY_REPEATED = 0.1
_FEW_MISSING = 2


def trace(
    source: str,
    time: Array,
    signal: Array,
    *,
    unit: str = "s",
    factor: float = 1.0,
    signal_unit: str = "",
    name: str = "",
    place: str = "",
    warnings: list[str] | None = None,
) -> Chromatogram:
    """Make a chromatogram from two columns of a file.

    Rows with an empty cell are left out, unsorted times are sorted, signals at one and the same time are averaged; each
    with a note. What may have cost a peak its shape is a warning as well: times that fall, cells that are empty beside
    high signals, many repeated times.

    Parameters
    ----------
    time, signal : ndarray, shape (n,)
        Times [`unit`] and signals, NaN where the cell is empty. They are not copied: the reader that made them keeps
        no hold of them.
    factor : float
        The file's multiplier of its signals.
    place : str
        Where in the file they stand, for messages.
    warnings : list of str or None
        Takes the warnings.

    Raises
    ------
    InputError
        If fewer than three rows remain, or a number is infinite.
    """
    notes: list[str] = []
    doubts: list[str] = []
    time, signal = _filled(time, signal, notes, doubts)
    if not time.size:
        raise InputError(source, "no row with a time and a signal: the cells are empty or NaN", place=place)
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large is refused as infinite
        time, signal = seconds(time, unit), signal if factor == 1.0 else signal * factor
        _check_range(source, place, time, signal)
        time, signal = _rising(time, signal, notes, doubts)
    if time.size < MIN_POINTS:
        found = f"{time.size} data point{'s' if time.size > 1 else ''}, at least {MIN_POINTS} are needed"
        raise InputError(source, found, place=place)
    if warnings is not None:
        where = f"{place or name}: " if place or name else ""
        warnings += [where + doubt for doubt in doubts]
    return Chromatogram(_read_only(time), _read_only(signal), signal_unit, source, name, tuple(notes))


def _filled(time: Array, signal: Array, notes: list[str], doubts: list[str]) -> tuple[Array, Array]:
    """Leave out the rows in which a cell is empty; doubt it where several in a row do so beside high signals."""
    missing = np.isnan(time) | np.isnan(signal)
    if not missing.any():
        return time, signal
    first = int(np.flatnonzero(missing)[0]) + 1
    notes.append(f"{_count(int(missing.sum()), 'row')} with an empty cell left out, the first is data row {first}")
    if row := _missing_apex(missing, signal):
        doubts.append(
            f"cells are empty where the signal is high, from data row {row} on: the top of a peak may be missing"
        )
    return time[~missing], signal[~missing]


def _missing_apex(missing: Flags, signal: Array) -> int:
    """Return the first of some rows that are missing beside signals of the upper half, counted from 1; 0 without any.

    Where most rows are missing, several traces take turns in the lines, and nothing is.
    """
    edges = np.diff(missing.astype(np.int8), prepend=0, append=0)
    start, stop = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    inside = (start > 0) & (stop < missing.size) & (stop - start > _FEW_MISSING)
    start, stop = start[inside], stop[inside]
    if not start.size or 2 * np.count_nonzero(missing) > missing.size:
        return 0
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large is refused later
        middle = np.fmin.reduce(signal) / 2 + np.fmax.reduce(signal) / 2
        rows = start[np.fmax(signal[start - 1], signal[stop]) > middle]
    return int(rows[0]) + 1 if rows.size else 0


def runs_of(time: Array) -> list[slice]:
    """Return the rows of each of several runs below one another, whose times begin anew; one slice where there is one.

    A run begins where the time falls by more than half of the whole range to its first twentieth. Unless each has
    three rows, there is but one, whose rows are in disorder.

    Parameters
    ----------
    time : ndarray, shape (n,)
        NaN where the cell is empty.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large is refused later
        step = np.diff(time)
        low, high = np.fmin.reduce(time), np.fmax.reduce(time)
        begins = np.flatnonzero((step < (low - high) / 2) & (time[1:] < low + (high - low) / 20)) + 1
    edges = [0, *begins.tolist(), time.size]
    parts = [slice(start, stop) for start, stop in pairwise(edges)]
    return parts if min(part.stop - part.start for part in parts) >= MIN_POINTS else [slice(0, time.size)]


def _read_only(values: Array) -> Array:
    """Return the values as the record takes them without a copy."""
    view = values.view()
    view.flags.writeable = False
    return view


def _check_range(source: str, place: str, time: Array, signal: Array) -> None:
    """Refuse numbers that no detector gives, which no one can repair."""
    for name, values, most in (("time", time, _LATEST), ("signal", signal, _LARGEST)):
        beyond = np.flatnonzero(np.abs(values) > most)
        if beyond.size:
            row = int(beyond[0])
            found = f"{name} is {'infinite' if np.isinf(values[row]) else f'{values[row]:g}'}"
            raise InputError(source, found, place=f"{place}, data row {row + 1}" if place else f"data row {row + 1}")


def _rising(time: Array, signal: Array, notes: list[str], doubts: list[str]) -> tuple[Array, Array]:
    """Sort by time and average what has the same time; doubt it where that is much."""
    steps = np.diff(time)
    if (steps > 0).all():
        return time, signal
    if (steps < 0).any():
        order = np.argsort(time, kind="stable")
        time, signal = time[order], signal[order]
        notes.append("times do not rise throughout: rows were sorted")
        doubts.append(f"times fall at data row {int(np.argmax(steps < 0)) + 2}: rows were sorted by their times")
    first = np.concatenate(([0], np.flatnonzero(np.diff(time) > 0) + 1))
    if first.size < time.size:
        repeated = time.size - first.size
        notes.append(f"{_count(repeated, 'repeated time')}: signals at the same time were averaged")
        if repeated > _MANY_REPEATED * time.size:
            doubts.append(f"{repeated} of {time.size} times are repeated, their signals averaged; see --time-column")
        counts = np.diff(first, append=time.size)
        time, signal = time[first], np.add.reduceat(signal, first) / counts
    return time, signal


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def time_unit_of(
    source: Source, stated: str, times: Array, notes: list[str], warnings: list[str], strange: str = ""
) -> str:
    """Return the unit of the times: the user's, the file's, else the one that the numbers show or make likely.

    `strange` is what the file gives for a unit that is not known; then the numbers are not trusted without a warning.
    """
    if source.options.time_unit != "auto":
        return source.options.time_unit
    if stated:
        notes.append(f"time in {stated}, as the file says")
        return stated
    finite = times[np.isfinite(times)]
    unit, certain = unit_by_numbers(finite) if finite.size > 1 else ("s", True)
    if strange:
        warnings.append(f"the unit of time '{strange}' is not known, {unit} is assumed; --time-unit overrides it")
    elif certain:
        notes.append(f"time in {unit}, as its steps and its end show")
    else:
        warnings.append(f"the file does not say its unit of time, {unit} is assumed; --time-unit overrides it")
    return unit


def check_number(source: Source, traces: int) -> None:
    """Refuse more traces than a file of chromatograms holds.

    Raises
    ------
    InputError
        If there are more than `MOST_TRACES`.
    """
    if traces > MOST_TRACES:
        raise source.error(f"holds {traces} traces, more than the {MOST_TRACES} that a file may have")


def named_apart(traces: Iterable[Chromatogram]) -> list[Chromatogram]:
    """Give traces of one name a number each."""
    seen: dict[str, int] = {}
    apart = []
    for trace in traces:
        seen[trace.trace] = number = seen.get(trace.trace, 0) + 1
        apart.append(trace if number == 1 else replace(trace, trace=f"{trace.trace or 'trace'} ({number})"))
    return apart
