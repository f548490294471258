"""What the extensions' layouts need of the core: sizes of members that zeros fill up."""

from __future__ import annotations

import pytest

from protocol import OF13, DecodeError, EncodeError
from protocol.compiler import codec, read, write
from protocol.record import Record, build_shape
from protocol.wire import U8, U16, Converted, Fill, Rest, SizeOf


class Filled(Record):
    """A member whose size does not count the zeros behind it."""

    name: bytes
    rest: bytes = b""
    layout = (SizeOf("name", U16, align=8), "name" / Converted(Rest, bytes, bytes), "rest" / Rest)


class Counted(Record):
    """A member of entries that are counted."""

    pairs: bytes
    layout = (SizeOf("pairs", U8, unit=2), "pairs" / Converted(Rest, bytes, bytes), Fill(8))


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (Filled(b""), "0000"),
        (Filled(b"abc", b"x"), "0003 6162630000000000 78"),
        (Filled(b"12345678", b"x"), "0008 3132333435363738 78"),
        (Counted(b"abcd"), "02 61626364 000000"),
    ],
)
def test_zeros_stand_behind_a_member_in_both_forms(value: Record, data: str) -> None:
    raw, cls = bytes.fromhex(data), type(value)
    assert codec(cls, OF13, False).encode(value) == raw
    assert build_shape(cls.at(OF13, False), value, {}, "") == raw
    assert codec(cls, OF13, False).decode(raw, 0, len(raw)) == value
    assert cls.at(OF13, False).parse(raw) == value


def test_the_zeros_must_be_there() -> None:
    with pytest.raises(DecodeError, match="5 bytes are needed, 4 are left"):
        read(Filled, OF13, bytes.fromhex("0003 61626300000000"), headed=False)


def test_a_size_that_does_not_fit_is_an_encode_error() -> None:
    with pytest.raises(EncodeError, match="name"):
        write(Filled(bytes(0x1_0000)), OF13, headed=False)
