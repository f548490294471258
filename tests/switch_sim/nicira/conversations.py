"""Packets of connections, made by the headers' own classes, and what a tracker says of them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from protocol import MacAddress
from protocol.nicira import CtState, Nat
from protocol.packet import Echo, Ethernet, Icmp, IPv4, IPv6, Packet, Tcp, TcpFlags, Udp, build
from switch_sim.flow_key import flow_key
from switch_sim.nicira.conntrack import Conntrack, Tracked, Tracking
from switch_sim.nicira.five_tuple import five_tuple
from switch_sim.nicira.nat import Translation

CLIENT, SERVER, ROUTER = "10.0.0.1", "10.0.0.2", "10.0.0.254"
SYN, ACK, FIN, RST = TcpFlags.SYN, TcpFlags.ACK, TcpFlags.FIN, TcpFlags.RST

NEW = CtState.NEW | CtState.TRACKED
EST = CtState.ESTABLISHED | CtState.TRACKED
RPL = CtState.REPLY_DIR
REL = CtState.RELATED | CtState.TRACKED
INV = CtState.INVALID | CtState.TRACKED

_ETHERNET = Ethernet(dst=MacAddress(2), src=MacAddress(1))


def tcp(
    flags: int, src: str = CLIENT, dst: str = SERVER, sport: int = 1000, dport: int = 80
) -> bytes:
    return build(_ETHERNET, _ip(src, dst), Tcp(sport, dport, flags=flags))


def tcp_answer(flags: int, src: str = SERVER, dst: str = CLIENT, dport: int = 1000) -> bytes:
    return tcp(flags, src, dst, 80, dport)


def udp(src: str = CLIENT, dst: str = SERVER, sport: int = 1000, dport: int = 53) -> bytes:
    return build(_ETHERNET, _ip(src, dst), Udp(sport, dport), b"question")


def udp6(src: str, dst: str, sport: int = 1000, dport: int = 53) -> bytes:
    ip = IPv6(src=IPv6Address(src), dst=IPv6Address(dst))
    return build(_ETHERNET, ip, Udp(sport, dport), b"question")


def ping(kind: int = 8, src: str = CLIENT, dst: str = SERVER, number: int = 7) -> bytes:
    return build(_ETHERNET, _ip(src, dst), Icmp(kind), Echo(number, 1), b"payload!")


def unreachable(about: bytes, src: str = ROUTER, dst: str = CLIENT) -> bytes:
    """An ICMP error that quotes the IP header of a frame and 8 bytes behind it."""
    quoted = bytes(4) + about[14 : 14 + 28]
    return build(_ETHERNET, _ip(src, dst), Icmp(3, 1), quoted)


def _ip(src: str, dst: str) -> IPv4:
    return IPv4(src=IPv4Address(src), dst=IPv4Address(dst))


def checksums_are_right(frame: bytes) -> bool:
    """Whether a frame is just as when all checksums are computed anew."""
    headers = Packet.parse(frame)
    fresh = [
        header.replace(checksum=None) if hasattr(header, "checksum") else header
        for header in headers
    ]
    return build(*fresh, headers.payload) == frame


def commit(nat: Nat | None = None, force: bool = False) -> Tracking:
    translator = Translation(nat) if nat else None
    return Tracking(commit=True, force=force, translates=nat is not None, translator=translator)


LOOK = Tracking()


class Tracker:
    """A table of connections, and the clock that goes by with it."""

    def __init__(self, max_connections: int = 100) -> None:
        self.conntrack = Conntrack(max_connections)

    def __call__(
        self,
        frame: bytes,
        tracking: Tracking = LOOK,
        now: float = 0.0,
        zone: int = 0,
        before: CtState = CtState(0),  # noqa: B008
    ) -> CtState:
        return self.full(frame, tracking, now, zone, before).state

    def full(
        self,
        frame: bytes,
        tracking: Tracking = LOOK,
        now: float = 0.0,
        zone: int = 0,
        before: CtState = CtState(0),  # noqa: B008
    ) -> Tracked:
        key = flow_key(frame, 1)
        seen = five_tuple(key, frame, zone)
        return self.conntrack.track(seen, tracking, before, key["tcp_flags"] or 0, now)
