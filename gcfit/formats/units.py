"""Units of time and signal: what a heading says, what the numbers say, and times in seconds."""

import re

import numpy as np

from gcfit.chromatogram import Array

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "ms": 0.001}
_NAMES = {
    "s": ("s", "sec", "secs", "second", "seconds", "sek", "sekunden"),
    "min": ("min", "mins", "minute", "minutes", "minuten"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "ms": ("ms", "msec", "msecs", "millisecond", "milliseconds"),
}
_UNIT_OF = {name: unit for unit, names in _NAMES.items() for name in names}
_TIME = {"time", "times", "t", "rt", "retention", "zeit", "temps", "tiempo", "tempo", "rtime"} | set(_UNIT_OF) - {
    "s",
    "h",
    "ms",
}
_BRACKET = re.compile(r"[(\[]\s*([^()\[\]]{1,24}?)\s*[)\]]")
_SIGNAL_UNIT = re.compile(
    r"(?:\d+[ _])?(?:[pnuµm]?[av]|[mu]?volts?|m?au|counts?|cps|[pnuµm]c|[nuµm]s|[nu]?riu|lu|abundance|mol/m3)",
    re.IGNORECASE,
)
# a detector writes 1/6 to 250 values a second, and a run lasts from a third of a minute to two days
_STEPS = (1 / 250, 6.0)
_SPANS = (20.0, 48 * 3600.0)


def words(heading: str) -> list[str]:
    """Return the lower-case words of a heading, without marks and numbers between them."""
    return [word.lower() for word in re.split(r"[\W\d_]+", heading) if word]


def says_time(heading: str) -> bool:
    """Whether a column heading speaks of time."""
    return any(word in _TIME for word in words(heading))


def time_unit(heading: str) -> str:
    """Return `s`, `min`, `h` or `ms` as a heading or a unit says; empty where it names none, or two."""
    units = {_UNIT_OF[word] for word in words(heading) if word in _UNIT_OF}
    return units.pop() if len(units) == 1 else ""


def signal_unit(heading: str) -> str:
    """Return the unit in brackets, or the known one after the last `_`, `/` or `,` of a heading; else empty."""
    if match := _BRACKET.search(heading):
        return match[1]
    for mark in ("_", "/", ","):
        _, found, unit = heading.partition(mark)
        if found and _SIGNAL_UNIT.fullmatch(unit.strip()):
            return unit.strip().replace("_", " ")
    return ""


def unit_by_numbers(times: Array) -> tuple[str, bool]:
    """Infer seconds or minutes from the times themselves.

    A unit is plausible when a run of that length, 20 s to 48 h, with that step, 4 ms to 6 s, exists. If one of the two
    is plausible, it is the unit.

    Parameters
    ----------
    times : ndarray, shape (n,)
        At least two, in any order.

    Returns
    -------
    unit : str
        `s` or `min`.
    certain : bool
        False where both or none are plausible: then minutes up to a time of 120, which few runs last, else seconds.
    """
    span = float(times.max()) - float(times.min())
    step = span / (times.size - 1)
    plausible = [unit for unit in ("s", "min") if _plausible(step * SECONDS[unit], span * SECONDS[unit])]
    if len(plausible) == 1:
        return plausible[0], True
    return ("min" if float(times.max()) <= 120 else "s"), False


def _plausible(step: float, span: float) -> bool:
    return _STEPS[0] <= step <= _STEPS[1] and _SPANS[0] <= span <= _SPANS[1]


def seconds(times: Array, unit: str) -> Array:
    """Return times in seconds.

    A decimal number of minutes is often no float, and its product with 60 misses the number of seconds by a rounding or
    two. A product that lies within two to four units in the last place of a number of nine decimals becomes that
    number, so that a run written in minutes and in seconds is the same run.
    """
    factor = SECONDS[unit]
    if factor == 1.0:
        return times
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large is refused as infinite
        product = times * factor
        short = np.rint(product * 1e9) / 1e9
        return np.where(np.abs(short - product) <= 2.0**-51 * np.abs(product), short, product)
