"""A host: asks for neighbours and answers them, pings and is pinged, takes UDP datagrams.

As the cores of the channel and the switch, it has neither sockets nor a clock: frames come
in, frames go out, and `now` is in seconds on a clock that does not go back.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from protocol import DecodeError, MacAddress
from protocol.packet import (
    BROADCAST,
    Arp,
    ArpOp,
    Echo,
    Ethernet,
    EthType,
    Icmp,
    IcmpType,
    Icmpv6,
    Icmpv6Type,
    IPv4,
    IPv6,
    NdOption,
    NdOptionType,
    NeighborAdvertisement,
    NeighborSolicitation,
    Packet,
    Udp,
    build,
)

from .neighbors import IpAddress, Neighbors
from .topology import HostNode

PING_TIMEOUT = 1.0  #: seconds until a ping counts as lost
MAX_DATAGRAMS = 1_000  # kept for who asks; the oldest go
PING_DATA = bytes(range(56))  # as many as ping(8) sends
SILENCE = 255  # the hop limit that proves that a neighbour spoke (RFC 4861 7.1)


@dataclass(slots=True, eq=False)
class Ping:
    """An echo request, and what became of it."""

    src: str  #: the host that sent it
    dst: IpAddress
    number: int  #: counts the pings of a host from 1 on; id and seq of the echo are made of it
    sent_at: float
    timeout: float
    answered_at: float | None = None
    fault: str = ""  #: why it is lost, as a sentence

    @property
    def settled(self) -> bool:
        """Whether it is known what became of it."""
        return self.answered_at is not None or bool(self.fault)

    @property
    def rtt(self) -> float | None:
        """Seconds from the request to its answer."""
        return None if self.answered_at is None else self.answered_at - self.sent_at


@dataclass(slots=True, frozen=True)
class Datagram:
    """A UDP datagram that a host got."""

    src: IpAddress
    src_port: int
    dst_port: int
    payload: bytes
    at: float


def link_local(mac: MacAddress) -> IPv6Address:
    """Return the IPv6 address that every station has (RFC 4291 2.5.6, appendix A).

    >>> link_local(MacAddress(1))
    IPv6Address('fe80::200:ff:fe00:1')
    """
    identifier = (mac >> 24 ^ 0x020000) << 40 | 0xFFFE << 24 | mac & 0xFF_FFFF
    return IPv6Address(0xFE80 << 112 | identifier)


class Host:
    """A station at the edge of the network."""

    def __init__(self, node: HostNode) -> None:
        self.name, self.mac, self.ip = node.name, node.mac, node.ip
        self.ipv6 = link_local(node.mac)
        self.gateway = node.gateway
        self.network = IPv4Network((node.ip, node.prefix), strict=False)
        self.neighbors = Neighbors()
        self.datagrams: deque[Datagram] = deque(maxlen=MAX_DATAGRAMS)
        self.corrupted = 0  #: packets whose checksum was wrong
        self._pings: dict[int, Ping] = {}  # number -> what waits for an answer
        self._due: list[tuple[float, int]] = []  # a heap of when pings are lost
        self._number = 0

    # What it says

    def ping(
        self, dst: IpAddress, now: float, timeout: float = PING_TIMEOUT
    ) -> tuple[Ping, list[bytes]]:
        """Ask `dst` for an echo; the Ping tells later what became of it."""
        self._number += 1
        ping = Ping(self.name, dst, self._number, now, timeout)
        if dst in (self.ip, self.ipv6):
            ping.answered_at = now
            return ping, []
        self._pings[ping.number] = ping
        heappush(self._due, (now + timeout, ping.number))
        echo = Echo(ping.number >> 16 & 0xFFFF, ping.number & 0xFFFF, PING_DATA)
        return ping, self._send_echo(dst, True, echo, now)

    def send_udp(
        self, dst: IpAddress, dst_port: int, payload: bytes, now: float, src_port: int = 49_152
    ) -> list[bytes]:
        """Send a datagram; the other host has it in its `datagrams`."""
        return self._send(dst, self._ip_packet(dst, Udp(src_port, dst_port), payload), now)

    def _send_echo(self, dst: IpAddress, request: bool, echo: Echo, now: float) -> list[bytes]:
        if isinstance(dst, IPv4Address):
            type4 = IcmpType.ECHO_REQUEST if request else IcmpType.ECHO_REPLY
            return self._send(dst, self._ip_packet(dst, Icmp(type4), echo), now)
        type6 = Icmpv6Type.ECHO_REQUEST if request else Icmpv6Type.ECHO_REPLY
        return self._send(dst, self._ip_packet(dst, Icmpv6(type6), echo), now)

    def _ip_packet(self, dst: IpAddress, header: Icmp | Icmpv6 | Udp, rest: Echo | bytes) -> bytes:
        if isinstance(dst, IPv4Address):
            return build(IPv4(self.ip, dst), header, rest)
        return build(IPv6(self.ipv6, dst), header, rest)

    def _send(self, dst: IpAddress, packet: bytes, now: float) -> list[bytes]:
        """Return the packet's frame, or a question for the neighbour that it waits for."""
        hop = self._next_hop(dst)
        if (mac := self.neighbors.find(hop, now)) is not None:
            return [self._frame(mac, packet)]
        return [self._question(hop)] if self.neighbors.wait(hop, packet, now) else []

    def _next_hop(self, dst: IpAddress) -> IpAddress:
        if self.gateway is None or isinstance(dst, IPv6Address) or dst in self.network:
            return dst
        return self.gateway

    def _frame(self, dst: MacAddress, packet: bytes) -> bytes:
        eth_type = EthType.IPV4 if packet[0] >> 4 == 4 else EthType.IPV6
        return build(Ethernet(dst, self.mac, eth_type), packet)

    def _question(self, ip: IpAddress) -> bytes:
        if isinstance(ip, IPv4Address):
            question = Arp(ArpOp.REQUEST, self.mac, self.ip, tpa=ip)
            return build(Ethernet(BROADCAST, self.mac), question)
        group = 0xFF02 << 112 | 0x1_FF00_0000 | int(ip) & 0xFF_FFFF  # RFC 4291 2.7.1
        option = NdOption.link_address(NdOptionType.SOURCE_LINK_ADDRESS, self.mac)
        return build(
            Ethernet(MacAddress(0x3333 << 32 | group & 0xFFFF_FFFF), self.mac),
            IPv6(self.ipv6, IPv6Address(group), hop_limit=SILENCE),
            Icmpv6(Icmpv6Type.NEIGHBOR_SOLICITATION),
            NeighborSolicitation(ip, (option,)),
        )

    # What it hears

    def receive_frame(self, data: bytes, now: float) -> list[bytes]:
        """Take in a frame and return those that answer it."""
        try:
            packet = Packet.parse(data)
        except DecodeError:
            return []
        dst = packet[Ethernet].dst
        if dst != self.mac and not dst.is_multicast:
            return []
        match packet.headers[1:]:
            case (Arp() as arp,):
                return self._receive_arp(arp, now)
            case (IPv4() as ip, *_) if ip.dst == self.ip and self._is_intact(packet, ip):
                return self._receive_ip(packet, ip.src, now)
            case (IPv6() as ip6, *_) if self._concerns(ip6) and self._is_intact(packet, ip6):
                return self._receive_ip(packet, ip6.src, now)
        return []

    def _concerns(self, ip: IPv6) -> bool:
        return ip.dst == self.ipv6 or ip.dst.is_multicast

    def _is_intact(self, packet: Packet, ip: IPv4 | IPv6) -> bool:
        """Return whether the checksums are right, so that a wrong rewrite is noticed."""
        intact = all(
            header.replace().completed(ip).checksum == header.checksum
            for header in packet
            if isinstance(header, IPv4 | Icmp | Icmpv6 | Udp) and header.checksum
        )
        self.corrupted += not intact
        return intact

    def _receive_arp(self, arp: Arp, now: float) -> list[bytes]:
        if arp.tpa != self.ip:
            return self._release(arp.sha, self.neighbors.refresh(arp.spa, arp.sha, now))
        frames = self._release(arp.sha, self.neighbors.learn(arp.spa, arp.sha, now))
        if arp.op == ArpOp.REQUEST:
            frames.append(build(Ethernet(arp.sha, self.mac), arp.reply(self.mac)))
        return frames

    def _release(self, mac: MacAddress, packets: list[bytes]) -> list[bytes]:
        return [self._frame(mac, packet) for packet in packets]

    def _receive_ip(self, packet: Packet, src: IpAddress, now: float) -> list[bytes]:
        match packet.headers[2:]:
            case (Icmp(type=kind) | Icmpv6(type=kind), Echo() as echo):
                if kind in (IcmpType.ECHO_REQUEST, Icmpv6Type.ECHO_REQUEST):
                    return self._send_echo(src, False, echo, now)
                self._answered(src, echo, now)
            case (Icmpv6(), NeighborSolicitation() as question):
                return self._receive_question(src, question, now)
            case (Icmpv6(), NeighborAdvertisement(tll=MacAddress() as mac) as answer):
                return self._release(mac, self.neighbors.refresh(answer.target, mac, now))
            case (Udp() as udp,):
                self.datagrams.append(Datagram(src, udp.src, udp.dst, udp.payload, now))
        return []

    def _answered(self, src: IpAddress, echo: Echo, now: float) -> None:
        ping = self._pings.get(echo.id << 16 | echo.seq)
        if ping is not None and ping.dst == src and echo.payload == PING_DATA:
            ping.answered_at = now
            del self._pings[ping.number]

    def _receive_question(
        self, src: IpAddress, question: NeighborSolicitation, now: float
    ) -> list[bytes]:
        if question.target != self.ipv6 or question.sll is None or not isinstance(src, IPv6Address):
            return []
        frames = self._release(question.sll, self.neighbors.learn(src, question.sll, now))
        option = NdOption.link_address(NdOptionType.TARGET_LINK_ADDRESS, self.mac)
        answer = NeighborAdvertisement(self.ipv6, (option,), solicited=1, override=1)
        frames.append(
            build(
                Ethernet(question.sll, self.mac),
                IPv6(self.ipv6, src, hop_limit=SILENCE),
                Icmpv6(Icmpv6Type.NEIGHBOR_ADVERTISEMENT),
                answer,
            )
        )
        return frames

    # Time

    def deadline(self) -> float | None:
        """Return when `handle_timer` is due; None as long as nothing is awaited."""
        while self._due and self._due[0][1] not in self._pings:
            heappop(self._due)
        times = [self._due[0][0]] if self._due else []
        if (asked := self.neighbors.deadline()) is not None:
            times.append(asked)
        return min(times, default=None)

    def handle_timer(self, now: float) -> list[bytes]:
        """Give up the pings whose time is over, and return the questions to ask again."""
        while self._due and self._due[0][0] <= now:
            _, number = heappop(self._due)
            if ping := self._pings.pop(number, None):
                ping.fault = self._loss(ping)
        return [self._question(ip) for ip in self.neighbors.handle_timer(now)]

    def _loss(self, ping: Ping) -> str:
        hop = self._next_hop(ping.dst)
        if self.neighbors.is_asked(hop):
            protocol = "ARP" if isinstance(hop, IPv4Address) else "neighbour discovery"
            return f"nobody answered {protocol} for {hop}"
        return f"no echo came within {ping.timeout:g} s"
