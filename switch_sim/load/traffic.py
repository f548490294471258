"""What the switches send: packet_ins of their hosts, kept ready as bytes.

The ordinary codec writes a message once for each port, and once more with another value for
each field that changes: where the bytes differ is where the field lies. So the places follow
from the one declaration of the message, in each version, and no message is encoded while
it is measured: of those that wait in a ring one byte changes from round to round.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address
from itertools import chain

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
from protocol.packet.checksum import internet_checksum
from protocol.packet.ethernet import BROADCAST

MAGIC = 0x6C6F_6164  #: stands before the token at the end of each frame
TAIL = struct.Struct(">II")  #: MAGIC and the token that tells a packet from all others
MIN_FRAME, MAX_FRAME = 60, 1514  #: bytes, without the frame check sequence (IEEE 802.3 3.2.7)
SLOT_BITS = 24  # of a token; the others tell the round
MIN_PORTS = 4  #: so that a host that moved is never where its partner is
MAX_HOSTS = 1 << 16  #: of a switch: the last two bytes of a MAC
MAX_SWITCHES = 1 << 16  #: and the two before them
FLAPPING = 1_000  #: the port whose link goes up and down; no host is there
ANNOUNCING = 127  # the round of what hosts say first
LAST_ROUND = 126  # so that no buffer_id is NO_BUFFER, nor any of those that announce
_MAC = 0x02 << 40  # locally administered (IEEE 802 8.2)
_PORT_MAC = 0x06 << 40
_ETHERNET, _HEADER, _UDP, _ARP = 14, 20, 8, 28  # bytes of headers
_CHECKSUM = 10  # where an IPv4 header has it (RFC 791 3.1)
_DISCARD = 9  # a UDP port at which nobody answers (RFC 863)
_ROUNDS = [bytes([number]) for number in range(256)]


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
        if not MIN_PORTS <= self.ports < FLAPPING:
            raise ValueError(f"{self.ports} ports: there can be {MIN_PORTS} to {FLAPPING - 1}")
        if self.hosts % self.ports or not 0 < self.hosts <= MAX_HOSTS:
            raise ValueError(
                f"{self.hosts} hosts at {self.ports} ports: let each port have as many, "
                f"and all together at most {MAX_HOSTS}"
            )

    def port_of(self, host: int) -> int:
        """Return the port at which a host is, from 1 on: neighbours are at different ones."""
        return 1 + host % self.ports


def mac_of(switch: int, host: int) -> int:
    """Return the address of a host; its second byte is free for the round."""
    return _MAC | (switch & 0xFFFF) << 16 | host


def port_mac(switch: int, port: int) -> int:
    """Return the address of a switch's port, which is none of a host's."""
    return _PORT_MAC | (switch & 0xFFFF) << 16 | port


def _ip_of(switch: int, host: int) -> int:
    return 10 << 24 | (switch & 0xFF) << 16 | host


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
class _Values:
    """What is said of one packet; all else follows from the step."""

    buffer_id: int = 0
    eth_src: int = 0
    eth_dst: int = 0
    ip_src: int = 0
    ip_dst: int = 0
    checksum: int = 0  #: of the IPv4 header
    token: int = 0


_WIDTHS = {"buffer_id": 4, "eth_src": 6, "eth_dst": 6}
_WIDTHS |= {"ip_src": 4, "ip_dst": 4, "checksum": 2, "token": 4}


@dataclass(frozen=True, slots=True)
class _Step:
    """The messages of one step as the ordinary codec writes them."""

    traffic: Traffic
    kind: Kind
    port: int
    left: int = 0  #: the port where a MOVED_HOST was
    down: bool = False  #: whether the link of a FLAP goes down

    def encode(self, values: _Values) -> bytes:
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

    def _before(self, values: _Values) -> tuple[Message, ...]:
        if self.kind is Kind.FLAP:
            state = PortState.LINK_DOWN if self.down else 0
            desc = PortDesc(FLAPPING, port_mac(0, FLAPPING), f"load{FLAPPING}", state=state)
            return (PortStatus(PortReason.MODIFY, desc),)
        if self.kind is Kind.MOVED_HOST:
            match = Match(in_port=self.left, eth_src=values.eth_src, eth_dst=values.eth_dst)
            return (FlowRemoved(match, priority=DEFAULT_PRIORITY),)
        return ()

    def _announcement(self, values: _Values) -> bytes:
        src, ip_src = MacAddress(values.eth_src), IPv4Address(values.ip_src)
        size = MIN_FRAME - _ETHERNET - _ARP
        arp = Arp(ArpOp.REQUEST, src, ip_src, tpa=ip_src, trailer=_ended(size, values.token))
        return Ethernet(BROADCAST, src, EthType.ARP, arp.encode()).encode()

    def _datagram(self, values: _Values) -> bytes:
        size = self.traffic.frame_size - _ETHERNET - _HEADER - _UDP
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


class _Template:
    """A step as bytes, with the places of what changes from packet to packet."""

    def __init__(self, step: _Step) -> None:
        self.data = step.encode(_Values())
        self.places = {
            name: place(lambda value: step.encode(_Values(**{name: value})), width)  # noqa: B023
            for name, width in _WIDTHS.items()
        }

    def fill(self, values: _Values) -> bytearray:
        """Return the bytes with these values; the checksum is made."""
        data = bytearray(self.data)
        for name, width in _WIDTHS.items():
            for at in self.places[name]:
                data[at : at + width] = getattr(values, name).to_bytes(width, "big")
        for at in self.places["checksum"]:
            header = at - _CHECKSUM
            checksum = internet_checksum(bytes(data[header : header + _HEADER]))
            data[at : at + 2] = checksum.to_bytes(2, "big")
        return data


@lru_cache(maxsize=2 * FLAPPING)
def _template(step: _Step) -> _Template:
    return _Template(step)


class Ring:
    """The steps of one switch, one behind the other; after the last comes the first again.

    Each round has a number of its own in the first byte of all tokens and buffer_ids: an
    answer tells which packet it is for until LAST_ROUND others went.
    """

    def __init__(self, traffic: Traffic, kind: Kind, switch: int) -> None:
        self.kind = kind
        self.slots = traffic.hosts * (2 if kind in (Kind.MOVED_HOST, Kind.FLAP) else 1)
        steps = [_slot(traffic, kind, switch, slot) for slot in range(self.slots)]
        self.stride = len(steps[0])  #: bytes of a step
        self._data = bytearray().join(steps)
        self._view = memoryview(self._data)
        self._changing = _changing(traffic, kind)
        self._next, self._round = 0, ANNOUNCING if kind is Kind.ANNOUNCEMENT else 1

    def take(self, count: int) -> tuple[list[memoryview], Iterable[int]]:
        """Return the bytes of the next steps, and their tokens.

        The bytes are good until `slots` other steps were taken.
        """
        views: list[memoryview] = []
        tokens: list[range] = []
        while count:
            first, last = self._next, min(self._next + count, self.slots)
            self._number(first, last)
            views.append(self._view[first * self.stride : last * self.stride])
            above = self._round << SLOT_BITS
            tokens.append(range(above + first, above + last))
            count -= last - first
            self._next = last
            if last == self.slots:
                self._begin_round()
        return views, tokens[0] if len(tokens) == 1 else chain.from_iterable(tokens)

    def _number(self, first: int, last: int) -> None:
        number, stride = _ROUNDS[self._round] * (last - first), self.stride
        for at in self._changing:
            self._data[first * stride + at : last * stride : stride] = number

    def _begin_round(self) -> None:
        self._next = 0
        if self.kind is not Kind.ANNOUNCEMENT:
            self._round = self._round % LAST_ROUND + 1


def _slot(traffic: Traffic, kind: Kind, switch: int, slot: int) -> bytearray:
    lap, host = divmod(slot, traffic.hosts)
    partner = (host + (-2 if kind is Kind.MOVED_HOST else 1)) % traffic.hosts
    values = _Values(
        slot, mac_of(switch, host), mac_of(switch, partner),
        _ip_of(switch, host), _ip_of(switch, partner), token=slot,
    )  # fmt: skip
    return _template(_step(traffic, kind, host, lap)).fill(values)


def _step(traffic: Traffic, kind: Kind, host: int, lap: int) -> _Step:
    port = traffic.port_of(host)
    if kind is Kind.FLAP:
        return _Step(traffic, kind, port, down=not lap)
    if kind is not Kind.MOVED_HOST:
        return _Step(traffic, kind, port)
    # In every other lap all hosts are one port further.
    further = traffic.port_of(port)
    return _Step(traffic, kind, *((further, port) if lap else (port, further)))


def _changing(traffic: Traffic, kind: Kind) -> list[int]:
    """Return which bytes of a step tell the round."""
    places = _template(_Step(traffic, kind, port=1)).places
    changing = places["buffer_id"] + places["token"]
    if kind is Kind.NEW_HOST:
        changing += [at + 1 for at in places["eth_src"]]
    return changing
