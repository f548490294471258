"""Checksums against vectors from elsewhere, and the Internet one against its definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.packet import crc32c, internet_checksum


def by_definition(data: bytes) -> int:
    """RFC 1071 1, word by word."""
    total = 0
    padded = data + bytes(len(data) % 2)
    for high, low in zip(padded[::2], padded[1::2], strict=True):
        total += high << 8 | low
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0xFFFF),
        ("0000", 0xFFFF),
        ("ffff", 0x0000),
        ("ffffffff", 0x0000),
        ("80", 0x7FFF),  # an odd byte is the higher one of its word
        ("0001f203f4f5f6f7", 0x220D),  # RFC 1071 3 "Numerical Examples"
        ("4500003412344000400600000a0000010a000002", 0x148E),  # os-ken 4.2.2
    ],
)
def test_known_internet_checksums(text: str, expected: int) -> None:
    assert internet_checksum(bytes.fromhex(text)) == expected


@given(st.binary(max_size=80))
def test_internet_checksum_is_the_sum_of_words(data: bytes) -> None:
    assert internet_checksum(data) == by_definition(data)


@given(st.binary(max_size=80).map(lambda data: data + bytes(len(data) % 2)))
def test_data_with_its_checksum_sums_up_to_nothing(data: bytes) -> None:
    checksum = internet_checksum(data)
    assert internet_checksum(data + checksum.to_bytes(2, "big")) == 0


@pytest.mark.parametrize(
    ("data", "expected"),
    [  # RFC 3720 B.4 "CRC Examples"
        (bytes(32), 0x8A91_36AA),
        (b"\xff" * 32, 0x62A8_AB43),
        (bytes(range(32)), 0x46DD_794E),
        (bytes(reversed(range(32))), 0x113F_DB5C),
    ],
)
def test_known_crcs(data: bytes, expected: int) -> None:
    assert crc32c(data) == expected
