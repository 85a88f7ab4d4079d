"""Units of time and signal: what a heading says, what the numbers say, and times in seconds."""

import re

import numpy as np

from gcfit.chromatogram import Array

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "ms": 0.001}
_NAMES = {
    "s": "s sec secs second seconds sek sekunde sekunden sekund sekunder seconde secondes seg segundo segundos secondo "
    "secondi с сек 秒",
    "min": "min mins minute minutes minuten minuto minutos minuti minuter мин 分 分钟",
    "h": "h hr hrs hour hours std stunde stunden heure heures hora horas ч 小时",
    "ms": "ms msec msecs millisecond milliseconds millisekunde millisekunden millisecondes milisegundos",
}
_UNIT_OF = {name: unit for unit, names in _NAMES.items() for name in names.split()}
_TIME = {
    *("time", "times", "rt", "rtime", "zeit", "laufzeit", "retentionszeit", "temps", "tiempo", "tempo", "tid"),
    *("время", "时间", "時間"),
}
_PERHAPS = {"retention", *(name for name in _UNIT_OF if len(name) > 2)} - {"std", "seg"}
_NO_TIME = {"index", "indices", "factor", "volume", "flow"}
_BRACKET = re.compile(r"[(\[（]\s*([^()\[\]（）]{1,24}?)\s*[)\]）]")
_SIGNAL_UNIT = re.compile(
    r"(?:\d+[ _])?(?:[pnuµm]?[av]|[mu]?volts?|m?au|counts?|cps|[pnuµm]c|[nuµm]s|[nu]?riu|lu|abundance|mol/m3)",
    re.IGNORECASE,
)
_SAID = re.compile(r"\b(?:time[ _-]?units?|units? of time|zeiteinheit)\b\W*([^\W\d_]+)\W*$", re.IGNORECASE)
# a detector writes 1/6 to 250 values a second, and a run lasts from a third of a minute to two days
_STEPS = (1 / 250, 6.0)
_SPANS = (20.0, 48 * 3600.0)


def words(heading: str) -> list[str]:
    """Return the lower-case words of a heading, without marks and numbers between them."""
    return [word.lower() for word in re.split(r"[\W\d_]+", heading) if word]


def time_likeness(heading: str) -> int:
    """Return how surely a column heading speaks of time: 2 by its name, 1 by less, 0 not.

    What stands in brackets or behind `/` is a unit, not the name: `Flow (mL/min)` and `counts/sec` are no times. A
    heading that has no other word than a unit of time, `Minutes` or `X (min)`, is one by less, as are `t` and
    `retention`.
    """
    name = words(_BRACKET.sub(" ", heading))
    if _TIME & set(name):
        return 2
    before = words(_BRACKET.sub(" ", heading.partition("/")[0]))
    unit = _bracketed(heading)
    alone = "t" in before[:2] and (not unit or unit in _UNIT_OF)
    perhaps = alone or bool(_PERHAPS & set(before)) or (unit in _PERHAPS and len(before) < 2)
    return int(perhaps and not _NO_TIME & set(name))


def time_unit(heading: str) -> str:
    """Return `s`, `min`, `h` or `ms` as a heading or a unit says; empty where it names none, or two.

    In brackets a unit counts only if it stands alone: `(0.01 min)` and `(milli sec)` are other units.
    """
    if (unit := _bracketed(heading)) in _UNIT_OF:
        return _UNIT_OF[unit]
    units = {_UNIT_OF[word] for word in words(_BRACKET.sub(" ", heading)) if word in _UNIT_OF}
    return units.pop() if len(units) == 1 else ""


def unit_said(line: str) -> str:
    """Return the unit of time that a line such as `Time unit: s` above a table gives; else empty."""
    return time_unit(match[1]) if (match := _SAID.search(line)) else ""


def strange_unit(heading: str) -> str:
    """Return what stands in the brackets of a heading of times where it is no unit that is known; else empty."""
    match = _BRACKET.search(heading)
    return match[1] if match and not time_unit(heading) else ""


def _bracketed(heading: str) -> str:
    """Return what stands in brackets, in lower case without `in` and point: a unit of time before all else."""
    found = [match[1].lower().rstrip(".").removeprefix("in ").strip() for match in _BRACKET.finditer(heading)]
    return next((unit for unit in found if unit in _UNIT_OF), "".join(found[:1]))


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
