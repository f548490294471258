"""Who is behind the switches: hosts and their addresses, and how packets tell who they are."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum

from protocol import Version

MAGIC = 0x6C6F_6164  #: stands before the token at the end of each frame
TAIL = struct.Struct(">II")  #: MAGIC and the token that tells a packet from all others
MIN_FRAME, MAX_FRAME = 60, 1514  #: bytes, without the frame check sequence (IEEE 802.3 3.2.7)
SLOT_BITS = 24  # of a token; the others tell the round
MIN_PORTS = 4  #: so that a host that moved is never where its partner is
MAX_HOSTS = 1 << 16  #: of a switch: the last two bytes of a MAC
MAX_SWITCHES = 1 << 16  #: and the two before them
FLAPPING = 1_000  #: the port whose link goes up and down; no host is there
_MAC = 0x02 << 40  # locally administered (IEEE 802 8.2)
_PORT_MAC = 0x06 << 40


class Kind(Enum):
    """What a switch has to tell in one step."""

    PACKET_IN = "a packet_in"
    ANNOUNCEMENT = "a packet_in with a host's gratuitous ARP"
    FLAP = "a port_status, and a packet_in"
    NEW_HOST = "a packet_in from a host that was never heard"
    MOVED_HOST = "a flow_removed, and a packet_in from the host at another port"


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the packets of all switches have in common."""

    version: Version
    hosts: int = 1_000  #: of each switch: as many at each port, at most MAX_HOSTS
    ports: int = 4  #: of each switch, from MIN_PORTS on
    buffered: bool = True  #: whether packet_ins have a buffer_id; else only the data
    frame_size: int = MIN_FRAME  #: bytes, up to MAX_FRAME

    def __post_init__(self) -> None:
        if not MIN_FRAME <= self.frame_size <= MAX_FRAME:
            raise ValueError(
                f"packets of {self.frame_size} bytes: there can be {MIN_FRAME} to {MAX_FRAME}"
            )
        if not MIN_PORTS <= self.ports < FLAPPING:
            raise ValueError(f"{self.ports} ports: there can be {MIN_PORTS} to {FLAPPING - 1}")
        if self.hosts % self.ports or not 0 < self.hosts <= MAX_HOSTS:
            raise ValueError(
                f"{self.hosts} hosts at {self.ports} ports: let each port have as many, "
                f"and all together at most {MAX_HOSTS}"
            )

    @property
    def numbers(self) -> range:
        """The ports at which hosts are."""
        return range(1, self.ports + 1)

    def port_of(self, host: int) -> int:
        """Return the port at which a host is, from 1 on: neighbours are at different ones."""
        return 1 + host % self.ports


def mac_of(switch: int, host: int) -> int:
    """Return the address of a host; its second byte is free for the round."""
    return _MAC | (switch & 0xFFFF) << 16 | host


def port_mac(switch: int, port: int) -> int:
    """Return the address of a switch's port, which is none of a host's."""
    return _PORT_MAC | (switch & 0xFFFF) << 16 | port


def ip_of(switch: int, host: int) -> int:
    """Return the IPv4 address of a host; switches 256 apart share them."""
    return 10 << 24 | (switch & 0xFF) << 16 | host
