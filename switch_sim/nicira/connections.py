"""What a connection remembers, and what its packets do to it: TCP, ICMP, and all others.

The states and how long each lasts are those of Open vSwitch's userspace datapath
(ovs-vswitchd.conf.db(5) "CT_Timeout_Policy TABLE" has the names). Sequence numbers are not
followed: a segment out of its window counts as valid.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, IntEnum, auto

from protocol.nicira import CtState
from protocol.packet import IpProto, TcpFlags

from .five_tuple import FiveTuple

#: Seconds that a connection is remembered without a packet.
TIMEOUTS = {
    "tcp_first_packet": 30,
    "tcp_opening": 30,
    "tcp_established": 24 * 60 * 60,
    "tcp_closing": 15 * 60,
    "tcp_fin_wait": 45,
    "tcp_closed": 30,
    "other_first": 60,
    "other_multiple": 60,
    "other_bidir": 30,
    "icmp_first": 60,
    "icmp_reply": 30,
}


class Verdict(Enum):
    """What a packet is to a connection that is known."""

    NEW = auto()  #: no answer was seen yet
    ESTABLISHED = auto()
    INVALID = auto()
    BEGINS_ANEW = auto()  #: the connection was over, this is another one


class TcpState(IntEnum):
    """How far one end of a TCP connection is; later ones are greater."""

    CLOSED = 0
    SYN_SENT = 1
    ESTABLISHED = 2
    CLOSING = 3  #: it sent a FIN
    FIN_WAIT_2 = 4  #: and that was acknowledged
    TIME_WAIT = 5  #: there was a RST


class Connection:
    """One connection: `way` is that of the packet it began with, `back` that of answers.

    Where addresses are translated, `back` is what answers look like before it is undone;
    `nat` is SRC_NAT or DST_NAT then.
    """

    __slots__ = ("back", "deadline", "label", "mark", "nat", "reply_state", "state", "timer", "way")

    def __init__(self, way: FiveTuple) -> None:
        self.way, self.back = way, way.back()
        self.mark = self.label = 0
        self.nat = CtState(0)
        self.state: IntEnum | int = 0  #: of the end that began it, or of both
        self.reply_state: IntEnum | int = 0  #: of the other end, for TCP
        self.deadline = 0.0  #: seconds; then it is forgotten
        self.timer = 0.0  #: when somebody looks at the deadline

    def keep(self, timeout: str, now: float) -> None:
        """Remember it for a time, from now on."""
        self.deadline = now + TIMEOUTS[timeout]


def may_begin(way: FiveTuple, tcp_flags: int) -> bool:
    """Whether a packet of no known connection may be the first of one.

    A TCP connection may be picked up in its middle, but not by a SYN that is acknowledged.
    """
    if way.ip_proto == IpProto.TCP:
        opened = tcp_flags & TcpFlags.SYN and tcp_flags & TcpFlags.ACK
        return not (opened or _is_impossible(tcp_flags))
    return way.begins


def begin(connection: Connection, now: float) -> None:
    """Let a connection begin with the packet it was made for."""
    proto = connection.way.ip_proto
    if proto == IpProto.TCP:
        connection.state, connection.reply_state = TcpState.SYN_SENT, TcpState.CLOSED
        connection.keep("tcp_first_packet", now)
    else:
        connection.keep("icmp_first" if proto in _ICMP else "other_first", now)


def follow(connection: Connection, is_reply: bool, tcp_flags: int, now: float) -> Verdict:
    """Take in one more packet of a connection."""
    follower = _FOLLOWERS.get(connection.way.ip_proto, _follow_other)
    return follower(connection, is_reply, tcp_flags, now)


# TCP (RFC 9293 3.3.2)


def _is_impossible(flags: int) -> bool:
    """Whether no TCP sends a segment with these flags."""
    if flags & TcpFlags.SYN:
        if flags & (TcpFlags.RST | TcpFlags.FIN):
            return True
    elif not flags & (TcpFlags.ACK | TcpFlags.RST):
        return True
    wants_ack = TcpFlags.FIN | TcpFlags.PSH | TcpFlags.URG
    return not flags & TcpFlags.ACK and bool(flags & wants_ack)


def _follow_tcp(connection: Connection, is_reply: bool, flags: int, now: float) -> Verdict:
    if _is_impossible(flags):
        return Verdict.INVALID
    here, there = connection.state, connection.reply_state
    if is_reply:
        here, there = there, here
    if flags & (TcpFlags.SYN | TcpFlags.ACK) == TcpFlags.SYN:
        if min(here, there) >= TcpState.FIN_WAIT_2:
            return Verdict.BEGINS_ANEW
        if here <= TcpState.SYN_SENT:
            _set_states(connection, is_reply, TcpState.SYN_SENT, there)
            connection.keep("tcp_first_packet", now)
            return Verdict.NEW
    here = max(here, TcpState.CLOSING if flags & TcpFlags.FIN else TcpState.SYN_SENT)
    if flags & TcpFlags.ACK:
        there = _ACKNOWLEDGED.get(there, there)
    if flags & TcpFlags.RST:
        here = there = TcpState.TIME_WAIT
    _set_states(connection, is_reply, here, there)
    connection.keep(_tcp_timeout(here, there), now)
    return Verdict.ESTABLISHED


_ACKNOWLEDGED: dict[int, int] = {
    TcpState.SYN_SENT: TcpState.ESTABLISHED,
    TcpState.CLOSING: TcpState.FIN_WAIT_2,
}


def _set_states(connection: Connection, is_reply: bool, here: int, there: int) -> None:
    if is_reply:
        here, there = there, here
    connection.state, connection.reply_state = here, there


def _tcp_timeout(here: int, there: int) -> str:
    low, high = sorted((here, there))
    if low >= TcpState.FIN_WAIT_2:
        return "tcp_closed"
    if low >= TcpState.CLOSING:
        return "tcp_fin_wait"
    if low < TcpState.ESTABLISHED:
        return "tcp_opening"
    return "tcp_closing" if high >= TcpState.CLOSING else "tcp_established"


# ICMP and all others: nothing more is known than whether there were answers

_FIRST, _MULTIPLE, _ANSWERED = range(3)
_ICMP = (IpProto.ICMP, IpProto.ICMPV6)


def _follow_icmp(connection: Connection, is_reply: bool, flags: int, now: float) -> Verdict:
    if is_reply:
        connection.state = _ANSWERED
    answered = connection.state == _ANSWERED
    connection.keep("icmp_reply" if answered else "icmp_first", now)
    return Verdict.ESTABLISHED if answered else Verdict.NEW


def _follow_other(connection: Connection, is_reply: bool, flags: int, now: float) -> Verdict:
    if is_reply:
        connection.state = _ANSWERED
    elif connection.state == _FIRST:
        connection.state = _MULTIPLE
    answered = connection.state == _ANSWERED
    connection.keep("other_bidir" if answered else "other_multiple", now)
    return Verdict.ESTABLISHED if answered else Verdict.NEW


_FOLLOWERS: dict[int, Callable[[Connection, bool, int, float], Verdict]] = {
    IpProto.TCP: _follow_tcp,
    IpProto.ICMP: _follow_icmp,
    IpProto.ICMPV6: _follow_icmp,
}
