"""Quotients m / 10**k of 64-bit integers, rounded once to float64.

For m < 2**53 and k <= 22 both are exact in float64 and one division rounds once (Clinger 1990,
doi:10.1145/93548.93557, section 3). A longer integer is divided in twofold precision, the product being split as by
Dekker (1971, doi:10.1007/BF01397083); what lies too near to the middle between two floats is said to be in doubt.
"""

import numpy as np
from numpy.typing import NDArray

from gcfit.chromatogram import Array

Flags = NDArray[np.bool_]
Index = NDArray[np.int64]
Words = NDArray[np.uint64]

TOP = np.uint64(1844 * 10**16)  # words from here on may round up to 2**64
_EXACT = np.uint64(2**53)
_FLOAT_POWERS = np.array([float(10**k) for k in range(23)])  # all exact
_BINADE = 0x7FF << 52  # bits of the exponent
_SPLITTER = 134217729.0  # 2**27 + 1, Dekker's constant for 53 bits


def scaled(mantissa: Words, scale: Index) -> tuple[Array, Flags]:
    """Return mantissa / 10**scale, rounded once, and where that is in doubt."""
    high = mantissa.astype(np.float64)
    if scale.size and int(scale.min()) >= 0:
        power = _FLOAT_POWERS.take(scale, mode="clip")
        values, doubtful = high / power, scale > 22
    else:
        power = _FLOAT_POWERS.take(np.abs(scale), mode="clip")
        values, doubtful = np.where(scale < 0, high * power, high / power), np.abs(scale) > 22
    long = np.flatnonzero(mantissa >= _EXACT)
    if long.size:
        doubtful[long] |= mantissa[long] >= TOP
        long = long[~doubtful[long]]
        low = (mantissa[long] - high[long].astype(np.uint64)).view(np.int64).astype(np.float64)
        values[long], doubt = _divide(high[long], low, power[long])
        doubtful[long] |= doubt | (scale[long] < 0)
    return values, doubtful


def _divide(high: Array, low: Array, power: Array) -> tuple[Array, Flags]:
    """Return (high + low) / power, and where its rounding is in doubt; the remainder gives the quotient's low half."""
    quotient = high / power
    product = quotient * power
    remainder = ((high - product) - _product_error(quotient, power, product)) + low
    rest = remainder / power
    total = quotient + rest
    spacing = ((total.view(np.int64) & _BINADE) - (52 << 52)).view(np.float64)  # six times as fast as np.spacing
    lost = np.abs((quotient - total) + rest) / spacing
    # a float is a midpoint at half a spacing, below a power of two also at a quarter
    doubt = (lost > 0.249) & (np.abs(lost * 4 - np.rint(lost * 4)) < 1e-6)
    return total, doubt


def _product_error(a: Array, b: Array, product: Array) -> Array:
    """Return a * b - product exactly (Dekker 1971)."""
    shifted = _SPLITTER * a
    a_high = shifted - (shifted - a)
    shifted = _SPLITTER * b
    b_high = shifted - (shifted - b)
    a_low, b_low = a - a_high, b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
