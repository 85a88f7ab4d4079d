"""EZChrom and EZStart ASCII: lines of keys, then one value a line, channel after channel.

    Version:<TAB>3
    Maxchannels:<TAB>2
    Sampling Rate:<TAB>10.000000<TAB>10.000000<TAB>Hz
    Total Data Points:<TAB>6781<TAB>6781<TAB>Pts.
    X Axis Title:<TAB>Minutes<TAB>Minutes
    Y Axis Title:<TAB>pA<TAB>25 µV
    X Axis Multiplier:<TAB>0.016667<TAB>0.016667
    Y Axis Multiplier:<TAB>0.000130208<TAB>0.000130208
    16418
    ...

Cells are separated by tabs or commas. The time of value i is i / sampling rate [s] (the X multiplier only scales the
axis that the program draws); the signal is the value times the Y multiplier, in the unit of the Y axis title.
"""

import re

import numpy as np

from gcfit.chromatogram import Array, Chromatogram
from gcfit.formats import clean
from gcfit.formats.decimals import scan
from gcfit.formats.pieces import keys, program_number
from gcfit.formats.records import Reading
from gcfit.formats.source import Head, Source

_MOST_CHANNELS = 64
_KEY = re.compile(rb"[A-Za-z][A-Za-z #./_-]*:")


def recognise(head: Head) -> bool:
    """Know the file by the keys of its first lines."""
    start = head.text[:4096]
    return "Sampling Rate:" in start and "Total Data Points:" in start and "Maxchannels:" in start


def read(source: Source) -> Reading:
    """Read all channels.

    Raises
    ------
    InputError
        If a key is missing or wrong, or the number of values is not the one announced.
    """
    text = source.whole()
    top = _length_of_header(text)
    lines = source.encoding.words(text[:top]).splitlines()
    delimiter = "\t" if "\t" in text[:top].decode("latin-1") else ","
    header = keys(lines, delimiter)
    points = [int(n) for n in _channels(source, header, "Total Data Points:")]
    rates = _channels(source, header, "Sampling Rate:")
    factors = _channels(source, header, "Y Axis Multiplier:")
    units = header.get("Y Axis Title:", [])
    if not len(points) == len(rates) == len(factors) or min(points) <= 0 or not all(1e-6 < r < 1e6 for r in rates):
        found = f"{len(points)} channels of {points} points, {len(rates)} rates of {rates} Hz, {len(factors)} factors"
        raise source.error(found, place="header")
    values = _values(source, text[top:], len(lines) + 1, sum(points))
    traces = []
    for channel, part in enumerate(np.split(values, np.cumsum(points)[:-1])):
        unit = units[channel] if channel < len(units) else ""
        name = f"channel {channel + 1}" if len(points) > 1 else ""
        traces.append(_trace(source, part, rates[channel], factors[channel], unit, name))
    return Reading(tuple(traces), "ezchrom", notes=(f"EZChrom ASCII, sampled at {rates[0]:g} Hz",))


def _length_of_header(text: bytes) -> int:
    """Return where the first line without a key begins."""
    position = 0
    while match := _KEY.match(text, position):
        position = text.index(b"\n", match.end()) + 1
    return position


def _channels(source: Source, header: dict[str, list[str]], key: str) -> list[float]:
    """Return the numbers of a line, one a channel; the unit at its end is left out."""
    found = [program_number(cell) for cell in header.get(key, [])]
    values = [value for value in found if value is not None]
    if not values or len(values) > _MOST_CHANNELS or max(map(abs, values)) > 1e12:
        raise source.error(f"no usable number for '{key}'", place="header")
    return values


def _values(source: Source, text: bytes, line: int, announced: int) -> Array:
    """Return the values, shape (n,)."""
    cells = scan(text.replace(b"\t", b"").replace(b" ", b""), b"\n")
    empty = np.isnan(cells.values) & ~cells.wrong
    if cells.wrong.any():
        row = int(np.flatnonzero(cells.wrong)[0])
        shown = source.encoding.words(text.split(b"\n", row + 1)[row][:40])
        raise source.error(f"'{shown}' is no number", place=f"line {line + row}")
    values = cells.values[~empty]
    if values.size != announced:
        raise source.error(f"the header announces {announced} values, the file holds {values.size}")
    return values


def _trace(source: Source, values: Array, rate: float, factor: float, unit: str, name: str) -> Chromatogram:
    """Make the trace of one channel."""
    return clean.trace(source.name, np.arange(values.size) / rate, values, factor=factor, signal_unit=unit, name=name)
