"""The words that layouts are written in, each by itself."""

from __future__ import annotations

from enum import IntEnum, IntFlag

import pytest

from protocol.version import OF10, OF11, OF12, OF13, OF15, Version
from protocol.wire import (
    U8,
    U16,
    U32,
    Bits,
    Enum,
    Flags,
    Text,
    between,
    by_version,
    resolve,
    since,
    until,
)


class Colour(IntEnum):
    RED = 1


class Wish(IntFlag):
    FAST = 1 << 0
    CHEAP = 1 << 1
    GOOD = 1 << 4


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        (since(OF12, 7), [None, None, 7, 7, 7, 7]),
        (until(OF12, 7), [7, 7, 7, None, None, None]),
        (between(OF11, OF13, 7), [None, 7, 7, 7, None, None]),
        (until(OF15, 7), [7] * 6),
        (by_version({OF10: 1, OF12: None, OF15: 3}), [1, 1, None, None, None, 3]),
        (since(OF11, by_version({OF10: 1, OF13: 2})), [None, 1, 1, 2, 2, 2]),
    ],
)
def test_ranges_say_what_stands_at_each_version(shape: object, found: list[int | None]) -> None:
    assert [resolve(shape, version) for version in Version] == found


def test_a_name_is_kept_when_a_range_is_resolved() -> None:
    member = resolve("field" / since(OF12, U16), OF13)
    assert (member.name, member.sizeof()) == ("field", 2)
    assert resolve("field" / since(OF12, U16), OF11) is None


def test_numbers_without_a_name_stay_numbers() -> None:
    shape = Enum(U8, Colour)
    assert shape.parse(b"\x01") is Colour.RED
    assert shape.parse(b"\x02") == 2
    assert shape.build(2) == b"\x02"


def test_flags_without_a_name_stay_numbers() -> None:
    shape = Flags(U8, Wish)
    assert shape.parse(b"\x03") is Wish.FAST | Wish.CHEAP
    assert type(shape.parse(b"\x83")) is int
    assert shape.build(shape.parse(b"\x83")) == b"\x83"


def test_a_peer_cannot_fill_the_memory_with_flags() -> None:
    shape = Flags(U32, Wish)
    known = len(Wish._value2member_map_)
    for bits in range(0x1000, 0x1100):
        shape.parse(bits.to_bytes(4, "big"))
    assert len(Wish._value2member_map_) <= known + 8


MOVED = Flags(U8, Wish, {Wish.FAST: 1 << 7, Wish.GOOD: 1 << 0})


def test_a_version_may_number_flags_otherwise() -> None:
    assert MOVED.parse(b"\x81") == Wish.FAST | Wish.GOOD
    assert MOVED.build(Wish.FAST) == b"\x80"


def test_moved_bits_without_a_name_come_back_to_their_place() -> None:
    value = MOVED.parse(b"\x82")
    assert value & Wish.FAST
    assert not value & Wish.CHEAP
    assert MOVED.build(value) == b"\x82"


def test_a_flag_that_a_version_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="CHEAP"):
        MOVED.build(Wish.CHEAP)


@pytest.mark.parametrize("raw", [b"name", b"", b"caf\xe9", b"\xc3\xa9", b"\xef\x9e\x80", b"\xef"])
def test_a_name_loses_nothing(raw: bytes) -> None:
    shape = Text(8)
    padded = raw.ljust(8, b"\0")
    text = shape.parse(padded)
    assert shape.build(text) == padded
    assert text.encode().decode() == text


def test_good_utf_8_is_shown_as_it_is() -> None:
    assert Text(16).parse("私のポート".encode().ljust(16, b"\0")) == "私のポート"


def test_bits_stand_highest_first() -> None:
    shape = Bits(U16, pcp=3, dei=1, vid=12)
    assert shape.split(0xB00F) == (5, 1, 15)
    assert shape.join(5, 1, 15) == 0xB00F
    with pytest.raises(ValueError, match="pcp has 3 bits, 8 does not fit"):
        shape.join(8, 0, 0)


@pytest.mark.parametrize("text", ["1.3", "OpenFlow13", "openflow1.3", "OF13", "13"])
def test_a_version_is_written_in_many_ways(text: str) -> None:
    assert Version.parse(text) is OF13


def test_what_is_no_version_is_told_which_there_are() -> None:
    with pytest.raises(ValueError, match=r"1\.0, 1\.1, 1\.2, 1\.3, 1\.4, 1\.5"):
        Version.parse("1.6")
