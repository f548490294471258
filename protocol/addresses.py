"""Addresses: integers that print as people write them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Self

from .wire import U32, Bytes, Converted


def mac_number(text: str) -> int | None:
    """Return the number of an address as most people write it, None for all other texts.

    >>> mac_number("00:00:00:00:00:2a"), mac_number("0-0-0-0-0-2a")
    (42, None)
    """
    if len(text) != 17 or text[2::3] != ":::::":
        return None
    try:
        raw = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        return None
    return int.from_bytes(raw, "big") if len(raw) == 6 else None


class MacAddress(int):
    """An Ethernet address, an integer of 48 bits.

    >>> MacAddress.parse("00:00:00:00:00:2a")
    MacAddress('00:00:00:00:00:2a')
    >>> MacAddress.parse("ff:ff:ff:ff:ff:ff") == 2**48 - 1
    True
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read six pairs of hex digits between colons or hyphens; ValueError for others."""
        if (number := mac_number(text)) is not None:
            return cls(number)
        pairs = text.replace("-", ":").split(":")
        try:
            raw = bytes(int(pair, 16) for pair in pairs if len(pair) <= 2)
        except ValueError:
            raw = b""
        if len(raw) != 6 or len(pairs) != 6:
            raise ValueError(f"{text!r} is no Ethernet address like 00:00:00:00:00:01")
        return cls.from_bytes(raw, "big")

    @property
    def is_multicast(self) -> bool:
        """Whether a group of stations is meant; broadcast is one."""
        return bool(self >> 40 & 1)

    def __str__(self) -> str:
        return (self & 0xFFFF_FFFF_FFFF).to_bytes(6, "big").hex(":")

    def __repr__(self) -> str:
        return f"MacAddress('{self}')"


_KNOWN_MAX = 1 << 16  # addresses kept ready, so that a peer cannot fill our memory with them


class _Known(dict[bytes, MacAddress]):
    """Addresses by their bytes, made when first needed."""

    def __missing__(self, raw: bytes) -> MacAddress:
        if len(self) >= _KNOWN_MAX:
            self.clear()
        found = self[raw] = MacAddress.from_bytes(raw, "big")
        return found


def _mac_bytes(value: int) -> bytes:
    return value.to_bytes(6, "big")


def _ipv6_bytes(value: IPv6Address) -> bytes:
    return value.packed


Mac = Converted(Bytes(6), _Known().__getitem__, _mac_bytes)
Ipv4 = Converted(U32, IPv4Address, int)
Ipv6 = Converted(Bytes(16), IPv6Address, _ipv6_bytes)
