"""The reader of decimal numbers against Python's `float`, which rounds correctly (David Gay's algorithm)."""

import random
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcfit.formats.decimals import scan

NUMBER = st.from_regex(
    r"[-+]?(\d{1,22}\.?\d{0,26}|\.\d{1,26})([eE][-+]?\d{1,3})?", fullmatch=True, alphabet="0123456789.+-eE"
)


def text_of(cells: list[str]) -> bytes:
    return "".join(f"{cell}\n" for cell in cells).encode()


def assert_as_float(cells: list[str]) -> None:
    found = scan(text_of(cells), b",")
    expected = np.array([float(cell) for cell in cells])
    assert not found.wrong.any()
    assert found.values.tobytes() == expected.tobytes()  # bit for bit, the sign of zero too


@given(st.lists(NUMBER, min_size=1, max_size=30))
def test_any_decimal_number_is_rounded_as_float_does(cells: list[str]) -> None:
    assert_as_float(cells)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False).map(repr), min_size=1, max_size=30))
def test_the_shortest_text_of_a_float_gives_it_back(cells: list[str]) -> None:
    assert_as_float(cells)


def test_many_numbers_near_the_middle_between_two_floats() -> None:
    """The decimal expansion of a midpoint, cut and raised in its last digit, is the hardest to round."""
    rng = random.Random(7)
    cells = []
    for _ in range(3000):
        below = struct.unpack("<d", struct.pack("<Q", rng.randrange(0x3F00000000000000, 0x4200000000000000)))[0]
        middle = (int(below * 2**60) + int(np.nextafter(below, np.inf) * 2**60)) // 2  # exact: 60 binary places suffice
        digits = f"{middle * 5**60:061d}"
        exact = f"{digits[:-60]}.{digits[-60:]}"
        cells += [exact[: rng.randint(12, 24)], exact[:19], f"{below:.17g}"]
    assert_as_float([cell for cell in cells if "." in cell or cell.isdigit()])


HARD = """9007199254740993 9007199254740992.5 18440000000000000001 18446744073709551615 18446744073709551617
    0.00000000000000000000001 123456789012345678901234567890 -0 -0.0 1e308 1.8e308 4.9e-324 1e-400
    2.2250738585072011e-308 1e22 1e23 8.5e22 123456789e-31 +5 .5 5. 1e+05 1E5 007
1000000000000000000000000000 0000000000000000000000000007 0.0000000000000000000000000001"""
NO_NUMBERS = "x 1.2.3 1-2 1e e5 1e5.5 --1 +-1 0x10 1_000 1e5e5 . + ١ 5ä"


@pytest.mark.parametrize("cell", HARD.split())
def test_hard_cases(cell: str) -> None:
    assert_as_float([cell, "1.5", cell])


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "n.a.", "N/A", "#N/A", "NA", "null", "None", "-", "---"])
def test_cells_without_a_value(cell: str) -> None:
    found = scan(f"1.5,{cell}\n2.5,3\n".encode(), b",")
    assert not found.wrong.any()
    assert np.isnan(found.values[1])
    assert found.values[[0, 2, 3]].tolist() == [1.5, 2.5, 3.0]


@pytest.mark.parametrize("cell", [*NO_NUMBERS.split(), "1 2", "1" * 30 + "x"])
def test_cells_that_are_no_numbers(cell: str) -> None:
    found = scan(f"1.5,{cell}\n".encode(), b",")
    last = found.wrong.size - 1
    assert found.wrong[last]
    assert not found.wrong[0]
    assert np.isnan(found.values[last])


def test_infinity_is_kept_for_the_one_who_judges() -> None:
    assert scan(b"inf,-inf\n+Inf,infinity\n", b",").values.tolist() == [np.inf, -np.inf, np.inf, np.inf]


def test_lines_and_cells_are_counted() -> None:
    cells = scan(b"1;2;3\n\n4;5\n;\n", b";")
    assert cells.counts.tolist() == [3, 1, 2, 2]
    assert scan(b"", b";").counts.size == 0


def test_random_bytes_never_fail() -> None:
    rng = random.Random(11)
    for _ in range(500):
        text = bytes(rng.choice(b"0123456789.,-+eE \n\x00\xff") for _ in range(rng.randint(1, 200))) + b"\n"
        cells = scan(text, b",")
        for value, wrong, cell in zip(
            cells.values, cells.wrong, text[:-1].replace(b"\n", b",").split(b","), strict=True
        ):
            if not wrong and not np.isnan(value):
                assert value == float(cell)
