"""What the actions `ct` and `ct_clear` do to packets (ovs-actions(7) "The ct action")."""

from __future__ import annotations

from collections.abc import Callable

from protocol import CopyField, SetField
from protocol.nicira import (
    NO_RECIRCULATION,
    Ct,
    CtClear,
    CtFlags,
    CtState,
    Nat,
    RegLoad,
    RegLoad2,
    RegMove,
    Subfield,
)
from protocol.packet import EthType, IpProto

from ..packet import Dropped, Packet
from . import subfields
from .conntrack import Conntrack, Tracked, Tracking
from .course import MAX_RECIRCULATIONS
from .fields import CT_FIELDS
from .five_tuple import five_tuple
from .nat import Translation, translate

#: The fields of the connection that actions in `ct` may set.
ON_CONNECTION = ("ct_mark", "ct_label")


class Tracker:
    """Tracks the connections of packets; `recirculate` lets a packet begin again in a table."""

    def __init__(self, conntrack: Conntrack, recirculate: Callable[[Packet, int], None]) -> None:
        self.conntrack, self.recirculate = conntrack, recirculate

    def track(self, packet: Packet, action: Ct) -> None:
        """Do what `ct` says: the packet goes on untracked, a copy knows what was found."""
        zone = action.zone if isinstance(action.zone, int) else subfields.read(packet, action.zone)
        marks = [_mark(packet, one) for one in action.actions if not isinstance(one, Nat)]
        tracked, state = self._track(packet, action, zone)
        commits = action.flags & CtFlags.COMMIT and packet.witness is None
        if commits and tracked.connection is not None:
            for name, value, mask in marks:
                _set_mark(tracked, name, value, mask)
        if action.recirc_table != NO_RECIRCULATION:
            self._fork(packet, action.recirc_table, zone, tracked, state)
        clear(packet)

    def _track(self, packet: Packet, action: Ct, zone: int) -> tuple[Tracked, CtState]:
        """Find the packet's connection, and translate its addresses."""
        key = packet.key
        nat = next((one for one in action.actions if isinstance(one, Nat)), None)
        tracking = Tracking(
            commit=bool(action.flags & CtFlags.COMMIT),
            force=bool(action.flags & CtFlags.FORCE),
            translates=nat is not None,
            translator=Translation(nat) if nat is not None else None,
            only_looks=packet.witness is not None,
        )
        before = CtState(key["ct_state"] or 0) if key["ct_zone"] == zone else CtState(0)
        seen = five_tuple(key, packet.data, zone)
        flags = key["tcp_flags"] or 0
        tracked = self.conntrack.track(seen, tracking, before, flags, packet.now)
        state = tracked.state
        if tracked.translates and tracked.connection is not None:
            is_related = bool(state & CtState.RELATED)
            state |= translate(packet, tracked.connection, tracked.is_reply, is_related)
        return tracked, state

    def _fork(
        self, packet: Packet, table_id: int, zone: int, tracked: Tracked, state: CtState
    ) -> None:
        copy = packet.copy()
        copy.action_set = dict(packet.action_set)
        course = copy.course_of()
        course.recirculations += 1
        if course.recirculations > MAX_RECIRCULATIONS:
            raise Dropped(f"it comes again from ct more than {MAX_RECIRCULATIONS} times")
        for name, value in _told(zone, tracked, state).items():
            copy.set_register(name, value)
        self.recirculate(copy, table_id)


def clear(packet: Packet) -> None:
    """Forget what is known of the packet's connection."""
    packet.forget_registers(CT_FIELDS)


def ct_clear(packet: Packet, action: CtClear) -> None:
    """Do what `ct_clear` says."""
    clear(packet)


def _mark(packet: Packet, action: object) -> tuple[str, int, int]:
    """Return which of the connection's fields an action sets, to what, in which bits."""
    match action:
        case RegLoad(dst=dst, value=value):
            bits = (1 << dst.n_bits) - 1
            return dst.field, value << dst.offset, bits << dst.offset
        case RegMove(src=src, dst=dst):
            bits = (1 << dst.n_bits) - 1
            return dst.field, subfields.read(packet, src) << dst.offset, bits << dst.offset
        case CopyField():
            bits = (1 << action.n_bits) - 1
            src = Subfield(action.src, action.src_offset, action.n_bits)
            value = subfields.read(packet, src) << action.dst_offset
            return action.dst, value, bits << action.dst_offset
        case RegLoad2(field=field) | SetField(field=field):
            ((name, given),) = field.items()
            assert not isinstance(given, bytes), "unknown fields were refused"
            return (name, *(given if isinstance(given, tuple) else (given, -1)))
    raise AssertionError(f"{action!r} was refused")


def _set_mark(tracked: Tracked, name: str, value: int, mask: int) -> None:
    connection = tracked.connection
    assert connection is not None, "only known connections have marks"
    if name == "ct_mark":
        connection.mark = connection.mark & ~mask | value & mask
    else:
        connection.label = connection.label & ~mask | value & mask


def _told(zone: int, tracked: Tracked, state: CtState) -> dict[str, int]:
    """Return the fields that a tracked packet has."""
    found = {"ct_state": int(state), "ct_zone": zone}
    if connection := tracked.connection:
        found |= {"ct_mark": connection.mark, "ct_label": connection.label}
    if way := tracked.way:
        family = "ct_nw" if way.eth_type == EthType.IPV4 else "ct_ipv6"
        # ICMP has its type and code where others have ports.
        is_icmp = way.ip_proto in (IpProto.ICMP, IpProto.ICMPV6)
        ports = (way.icmp_type, 0) if is_icmp else (way.src_port, way.dst_port)
        found |= {
            "ct_nw_proto": way.ip_proto,
            f"{family}_src": way.src,
            f"{family}_dst": way.dst,
            "ct_tp_src": ports[0],
            "ct_tp_dst": ports[1],
        }
    return found
