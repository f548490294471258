"""The sums that tell whether a packet came whole."""

from __future__ import annotations


def internet_checksum(data: bytes) -> int:
    """Return the ones' complement of the ones' complement sum of 16-bit words (RFC 1071).

    >>> hex(internet_checksum(bytes.fromhex("0001 f203 f4f5 f6f7")))
    '0x220d'
    """
    number = int.from_bytes(data, "big") << (8 if len(data) % 2 else 0)
    # 2**16 is 1 modulo 0xFFFF, so the remainder of all words as one number is their sum. Only
    # zeros add up to 0; other sums that are 0 modulo 0xFFFF are the other zero, 0xFFFF.
    total = number % 0xFFFF or (0xFFFF if number else 0)
    return total ^ 0xFFFF


def _crc32c_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F6_3B78 if byte & 1 else 0)
    return byte


_CRC32C = tuple(map(_crc32c_of, range(256)))


def crc32c(data: bytes) -> int:
    """Return the Castagnoli CRC of SCTP (RFC 9260 Appendix A).

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    value = 0xFFFF_FFFF
    for byte in data:
        value = value >> 8 ^ _CRC32C[(value ^ byte) & 0xFF]
    return value ^ 0xFFFF_FFFF
