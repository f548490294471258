"""The messages of one step, as the ordinary codec writes them, and where their fields lie.

A message is written twice with different values of a field: where the bytes differ is where
the field lies. So the places follow from the one declaration of the message, in each version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from protocol import (
    DEFAULT_PRIORITY,
    NO_BUFFER,
    FlowMod,
    FlowRemoved,
    MacAddress,
    Match,
    Message,
    PacketIn,
    PortDesc,
    PortReason,
    PortState,
    PortStatus,
    Version,
)
from protocol.packet import Arp, ArpOp, Ethernet, EthType, IpProto, IPv4, Udp
from protocol.packet.ethernet import BROADCAST

from .traffic import FLAPPING, MAGIC, MIN_FRAME, TAIL, Kind, Traffic, port_mac

_ETHERNET, HEADER, _UDP, _ARP = 14, 20, 8, 28  #: bytes of headers
CHECKSUM = 10  #: where an IPv4 header has it (RFC 791 3.1)
_DISCARD = 9  # a UDP port at which nobody answers (RFC 863)


def place(make: Callable[[int], bytes], width: int) -> list[int]:
    """Return where a message has a field of so many bytes; it may stand there more than once."""
    low, high = make(0), make((1 << 8 * width) - 1)
    differ = [at for at, (one, other) in enumerate(zip(low, high, strict=True)) if one != other]
    starts = differ[::width]
    assert differ == [at + n for at in starts for n in range(width)]
    return starts


def flow_mod_buffer_id(version: Version) -> int:
    """Return where a flow_mod has its buffer_id."""
    (at,) = place(lambda value: FlowMod(buffer_id=value).encode(version), 4)
    return at


@dataclass(frozen=True, slots=True)
class Values:
    """What is said of one packet; all else follows from the step."""

    buffer_id: int = 0
    eth_src: int = 0
    eth_dst: int = 0
    ip_src: int = 0
    ip_dst: int = 0
    checksum: int = 0  #: of the IPv4 header
    token: int = 0


WIDTHS = {"buffer_id": 4, "eth_src": 6, "eth_dst": 6}
WIDTHS |= {"ip_src": 4, "ip_dst": 4, "checksum": 2, "token": 4}


@dataclass(frozen=True, slots=True)
class Step:
    """The messages of one step as the ordinary codec writes them."""

    traffic: Traffic
    kind: Kind
    port: int
    left: int = 0  #: the port where a MOVED_HOST was
    down: bool = False  #: whether the link of a FLAP goes down

    def encode(self, values: Values) -> bytes:
        """Return the bytes of all messages of the step."""
        version, buffered = self.traffic.version, self.traffic.buffered
        frame = self._announcement(values) if self._announces else self._datagram(values)
        packet_in = PacketIn(
            values.buffer_id if buffered else NO_BUFFER,
            len(frame),
            match=Match(in_port=self.port),
            data=frame,
        )
        return b"".join(one.encode(version) for one in (*self._before(values), packet_in))

    @property
    def _announces(self) -> bool:
        return self.kind is Kind.ANNOUNCEMENT

    def _before(self, values: Values) -> tuple[Message, ...]:
        if self.kind is Kind.FLAP:
            state = PortState.LINK_DOWN if self.down else 0
            desc = PortDesc(FLAPPING, port_mac(0, FLAPPING), f"load{FLAPPING}", state=state)
            return (PortStatus(PortReason.MODIFY, desc),)
        if self.kind is Kind.MOVED_HOST:
            match = Match(in_port=self.left, eth_src=values.eth_src, eth_dst=values.eth_dst)
            return (FlowRemoved(match, priority=DEFAULT_PRIORITY),)
        return ()

    def _announcement(self, values: Values) -> bytes:
        src, ip_src = MacAddress(values.eth_src), IPv4Address(values.ip_src)
        size = MIN_FRAME - _ETHERNET - _ARP
        arp = Arp(ArpOp.REQUEST, src, ip_src, tpa=ip_src, trailer=_ended(size, values.token))
        return Ethernet(BROADCAST, src, EthType.ARP, arp.encode()).encode()

    def _datagram(self, values: Values) -> bytes:
        size = self.traffic.frame_size - _ETHERNET - HEADER - _UDP
        udp = Udp(_DISCARD, _DISCARD, _ended(size, values.token), checksum=0)
        ip = IPv4(
            IPv4Address(values.ip_src),
            IPv4Address(values.ip_dst),
            IpProto.UDP,
            payload=udp.encode(),
            checksum=values.checksum,
        )
        src, dst = MacAddress(values.eth_src), MacAddress(values.eth_dst)
        return Ethernet(dst, src, EthType.IPV4, ip.encode()).encode()


def _ended(size: int, token: int) -> bytes:
    return bytes(size - TAIL.size) + TAIL.pack(MAGIC, token)


def places(step: Step) -> dict[str, list[int]]:
    """Return where each of a step's values lies; those that it does not have lie nowhere."""

    def writing(name: str) -> Callable[[int], bytes]:
        return lambda value: step.encode(Values(**{name: value}))

    return {name: place(writing(name), width) for name, width in WIDTHS.items()}
