"""Ethernet frames (IEEE 802.3)."""

from __future__ import annotations

from enum import IntEnum

from ..addresses import Mac, MacAddress
from ..wire import U16, Enum, Rest
from .header import Header

BROADCAST = MacAddress(0xFFFF_FFFF_FFFF)  #: all stations


class EthType(IntEnum):
    """What a frame carries (IANA "IEEE 802 Numbers")."""

    IPV4 = 0x0800
    ARP = 0x0806
    VLAN = 0x8100
    IPV6 = 0x86DD
    FLOW_CONTROL = 0x8808
    MPLS = 0x8847
    MPLS_MULTICAST = 0x8848
    PAE = 0x888E
    SERVICE_VLAN = 0x88A8
    LLDP = 0x88CC
    PBB = 0x88E7
    PTP = 0x88F7


class Ethernet(Header):
    """An Ethernet frame without preamble and frame check sequence (IEEE 802.3 3.1.1).

    >>> Ethernet.parse(bytes.fromhex("ffffffffffff 000000000001 0806") + b"...")
    Ethernet(dst=MacAddress('ff:ff:ff:ff:ff:ff'), src=MacAddress('00:00:00:00:00:01'), \
eth_type=<EthType.ARP: 2054>, payload=b'...')
    """

    dst: MacAddress
    src: MacAddress
    eth_type: int = 0  #: below 0x0600 the length of an IEEE 802.2 payload
    payload: bytes = b""

    layout = (
        "dst"      / Mac,
        "src"      / Mac,
        "eth_type" / Enum(U16, EthType),
        "payload"  / Rest,
    )  # fmt: skip
