"""Numbers put into bytes: the same in pure Python and in C, see `test_compiled.py`."""

from __future__ import annotations

import struct

import pytest

from protocol.match import CHECKS
from protocol.templates import Slot, template

EMPTY = bytes.fromhex("ffff 0000 0000 0000 ee")
PUT = template(EMPTY, [Slot(2, 2, "c"), Slot(4, 3, "a", factor=16), Slot(7, 1, "b", limit=8)])


def fill(a: object, b: object, c: object) -> bytes:
    """Put three numbers in, the last one first."""
    return PUT({"a": a, "b": b, "c": c})


def test_each_number_goes_to_its_slot() -> None:
    assert fill(0x1234, 7, 0xABCD).hex() == "ffff" + "abcd" + "012340" + "07" + "ee"


def test_what_is_a_number_to_others_is_one() -> None:
    assert fill(True, 0, 0).hex() == "ffff" + "0000" + "000010" + "00" + "ee"


@pytest.mark.parametrize("numbers", [(0, 0, 1 << 16), (1 << 20, 0, 0), (0, 0, -1), (0, 0, 1 << 99)])
def test_a_number_without_room_is_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(struct.error):
        fill(*numbers)


@pytest.mark.parametrize("number", [8, 1 << 99])
def test_a_number_at_the_limit_is_refused(number: int) -> None:
    with pytest.raises((struct.error, TypeError)):
        fill(0, number, 0)


@pytest.mark.parametrize("other", ["1", (1, 2), None, b"1"])
def test_what_is_no_number_is_refused(other: object) -> None:
    with pytest.raises((struct.error, TypeError)):
        fill(other, 0, 0)


def test_a_number_may_have_16_bytes() -> None:
    put = template(bytes(18), [Slot(1, 16, "n")])
    assert put({"n": 1 << 127 | 5}).hex() == "0080" + "00" * 14 + "0500"


@pytest.mark.parametrize(
    ("numbers", "is_match"),
    [
        ((0xFFFF_FFFF, (1 << 48) - 1), True),
        ((0, 0), True),
        ((1 << 32, 0), False),
        ((0, 1 << 48), False),
        ((-1, 0), False),
        ((0, 1 << 99), False),
    ],
)
def test_numbers_that_fit_their_fields_make_a_match(
    numbers: tuple[int, int], is_match: bool
) -> None:
    given = dict(zip(("in_port", "eth_src"), numbers, strict=True))
    assert (not CHECKS["in_port", "eth_src"](given)) is is_match


@pytest.mark.parametrize("other", ["1", 1.0, None, (1, 1)])
def test_what_is_no_number_needs_a_closer_look(other: object) -> None:
    with pytest.raises(TypeError):
        CHECKS["in_port", "eth_src"]({"in_port": other, "eth_src": 1})
