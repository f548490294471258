"""What Nicira's actions do (ovs-actions(7)); those that choose, learn and track stand next door."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import protocol as standard
from protocol import Action, ControllerMaxLen, Output, PacketInReason, Port, onf
from protocol import nicira as nx
from protocol.packet import EthType, TcpFlags
from protocol.ports import port_of_16

from .. import tags
from ..execute import EFFECTS, decrement
from ..packet import Dropped, Finished, Held, Packet, Paused
from ..session import Session
from . import choices, subfields
from .course import MAX_DEPTH, resubmits
from .packet_ins import Told, Waiting
from .tracking import ct_clear

if TYPE_CHECKING:
    from .extension import Extension

Effect = Callable[[Packet, Any], None]

_WITH_CONTINUATION = nx.PacketInFormat.NXT_PACKET_IN2
_THIS_TABLE = 0xFF
_NO_PORT = 0xFFFF  # of 16 bits: what bundle_load sets where all members are down
_ALL_BITS = 0xFFFF_FFFF_FFFF_FFFF
_TAG_BYTES = 4


# Fields


def _reg_move(packet: Packet, action: nx.RegMove) -> None:
    subfields.write(packet, action.dst, subfields.read(packet, action.src))


def _reg_load(packet: Packet, action: nx.RegLoad) -> None:
    subfields.write(packet, action.dst, action.value)


def _write_metadata(packet: Packet, action: nx.WriteMetadata) -> None:
    mask = action.metadata_mask
    packet.set_metadata(packet.metadata & ~mask & _ALL_BITS | action.metadata & mask)


def _set_tunnel(packet: Packet, action: nx.SetTunnel | nx.SetTunnel64) -> None:
    packet.set_tunnel_id(action.tun_id)


def _delete_field(packet: Packet, action: nx.DeleteField) -> None:
    packet.forget_registers([action.field])


def _check_pkt_larger(packet: Packet, action: nx.CheckPktLarger) -> None:
    # A tag does not count (ovs-actions(7) "The check_pkt_larger action").
    size = len(packet.data) - (_TAG_BYTES if packet.key.vlan else 0)
    bit = nx.Subfield(action.dst, action.offset, 1)
    subfields.write(packet, bit, int(size > action.pkt_len))


def _push(packet: Packet, action: nx.StackPush) -> None:
    bits = action.subfield
    if not packet.course_of().push(subfields.read(packet, bits), bits.n_bits):
        raise Dropped("its stack is full")


def _pop(packet: Packet, action: nx.StackPop) -> None:
    # From an empty stack nothing comes, and nothing happens.
    number = packet.course_of().pop()
    if number is not None:
        subfields.write(packet, action.subfield, number)


def _multipath(packet: Packet, action: nx.Multipath) -> None:
    subfields.write(packet, action.dst, choices.link(packet.key, action))


# Nothing of the packet


def _nothing(packet: Packet, action: Action) -> None:
    """Do nothing: notes are for readers, conjunctions for look-ups."""


def _exit(packet: Packet, action: nx.Exit) -> None:
    raise Finished


def _pop_queue(packet: Packet, action: nx.PopQueue) -> None:
    packet.queue_id = None


#: The effects of the actions that need nothing but the packet.
ALONE: dict[type[Action], Effect] = {
    nx.RegMove: _reg_move,
    nx.RegLoad: _reg_load,
    nx.RegLoad2: EFFECTS[standard.SetField],
    nx.WriteMetadata: _write_metadata,
    nx.SetTunnel: _set_tunnel,
    nx.SetTunnel64: _set_tunnel,
    nx.DeleteField: _delete_field,
    nx.CheckPktLarger: _check_pkt_larger,
    nx.StackPush: _push,
    nx.StackPop: _pop,
    nx.Multipath: _multipath,
    nx.Note: _nothing,
    nx.Conjunction: _nothing,
    nx.Exit: _exit,
    nx.PopQueue: _pop_queue,
    onf.CopyField: EFFECTS[standard.CopyField],
    nx.CtClear: ct_clear,
    # What OF1.1 took over.
    nx.SetQueue: EFFECTS[standard.SetQueue],
    nx.DecTtl: EFFECTS[standard.DecNwTtl],
    nx.DecTtlCntIds: lambda packet, action: decrement(
        packet, tags.ip_ttl(packet), action.controller_ids
    ),
    nx.PushMpls: EFFECTS[standard.PushMpls],
    nx.PopMpls: EFFECTS[standard.PopMpls],
    nx.SetMplsTtl: EFFECTS[standard.SetMplsTtl],
    nx.DecMplsTtl: EFFECTS[standard.DecMplsTtl],
    nx.SetMplsLabel: EFFECTS[standard.SetMplsLabel],
    nx.SetMplsTc: EFFECTS[standard.SetMplsTc],
}


class SwitchActions:
    """The effects of the actions that need the switch around them."""

    def __init__(self, extension: Extension) -> None:
        self._extension = extension
        self._pipeline, self._forwarding = extension.pipeline, extension.forwarding
        self.effects: dict[type[Action], Effect] = {
            nx.Resubmit: self._resubmit,
            nx.ResubmitTable: self._resubmit,
            nx.ResubmitTableCt: self._resubmit_ct,
            nx.Clone: self._clone,
            nx.Controller: self._controller,
            nx.Controller2: self._controller2,
            nx.OutputReg: self._output_reg,
            nx.OutputReg2: self._output_reg,
            nx.OutputTrunc: self._output_trunc,
            nx.Bundle: self._bundle,
            nx.BundleLoad: self._bundle_load,
            nx.Group: self._group,
            nx.FinTimeout: self._fin_timeout,
            nx.Sample: self._sample,
            nx.Sample2: self._sample,
            nx.Sample3: self._sample,
            nx.Sample4: self._sample,
        }

    # Resubmitting

    def _resubmit(self, packet: Packet, action: nx.Resubmit | nx.ResubmitTable) -> None:
        in_port = packet.in_port if action.in_port == Port.IN_PORT else action.in_port
        table_id = action.table_id if isinstance(action, nx.ResubmitTable) else _THIS_TABLE
        self._again(packet, table_id, {"in_port": in_port})

    def _resubmit_ct(self, packet: Packet, action: nx.ResubmitTableCt) -> None:
        """Look up with the addresses and ports that the connection began with."""
        key = packet.key
        disguise = {"in_port": packet.in_port}
        if action.in_port != Port.IN_PORT:
            disguise["in_port"] = action.in_port
        if proto := key["ct_nw_proto"]:
            is_ipv4 = key["eth_type"] == EthType.IPV4
            ours, theirs = ("ipv4", "ct_nw") if is_ipv4 else ("ipv6", "ct_ipv6")
            transport = _TRANSPORTS.get(proto, ())
            disguise |= {f"{ours}_{end}": key[f"{theirs}_{end}"] or 0 for end in ("src", "dst")}
            disguise |= {name: key[f"ct_tp_{end}"] or 0 for name, end in transport}
            disguise["ip_proto"] = proto
        self._again(packet, action.table_id, disguise)

    def _again(self, packet: Packet, table_id: int, disguise: dict[str, int]) -> None:
        course = packet.course_of()
        if problem := resubmits(course):
            raise Dropped(problem)
        table_id = packet.table_id if table_id == _THIS_TABLE else table_id
        course.depth += 1
        try:
            self._pipeline.resubmit(packet, table_id, disguise)
        finally:
            course.depth -= 1

    def _clone(self, packet: Packet, action: nx.Clone) -> None:
        course = packet.course_of()
        if course.depth >= MAX_DEPTH:
            raise Dropped(f"{MAX_DEPTH} clones and resubmits stand in one another")
        course.depth += 1
        try:
            self._pipeline.act_on_copy(packet, action.actions)
        finally:
            course.depth -= 1

    # Sending

    def _controller(self, packet: Packet, action: nx.Controller) -> None:
        sessions = self._named(action.controller_id)
        reason = PacketInReason(action.reason)
        self._forwarding.packet_in(packet, reason, sessions, action.max_len)

    def _controller2(self, packet: Packet, action: nx.Controller2) -> None:
        if not action.pause:
            self._tell(packet, action, Told(action.userdata))
            return
        if packet.witness is not None:
            raise Dropped("it waits for a controller")
        # As it is here: on its way out of resubmits it would become what it was before them.
        waiting = packet.copy()
        waiting.action_set = dict(packet.action_set)
        raise Paused(lambda _, held: self._hold(waiting, held, action))

    def _hold(self, packet: Packet, held: Held, action: nx.Controller2) -> None:
        continuation = self._extension.waiting.keep(Waiting(packet, held))
        self._tell(packet, action, Told(action.userdata, continuation))

    def _tell(self, packet: Packet, action: nx.Controller2, told: Told) -> None:
        sessions = self._named(action.controller_id or 0)
        if told.continuation is not None:
            sessions = [one for one in sessions if one.packet_in_format == _WITH_CONTINUATION]
        reason = PacketInReason.ACTION if action.reason is None else PacketInReason(action.reason)
        max_len = ControllerMaxLen.NO_BUFFER if action.max_len is None else action.max_len
        if told.continuation is not None:
            max_len = ControllerMaxLen.NO_BUFFER
        self._forwarding.packet_in(packet, reason, sessions, max_len, told)

    def _named(self, controller_id: int) -> list[Session]:
        return [one for one in self._forwarding.sessions if one.controller_id == controller_id]

    def _output_reg(self, packet: Packet, action: nx.OutputReg | nx.OutputReg2) -> None:
        number = subfields.read(packet, action.src)
        port = port_of_16(number) if number <= _NO_PORT else number
        self._forwarding.output(packet, Output(port, action.max_len))

    def _output_trunc(self, packet: Packet, action: nx.OutputTrunc) -> None:
        short = packet.copy()
        if len(short.data) > action.max_len:
            short.change(short.data[: action.max_len])
        self._forwarding.output(short, Output(action.port))

    def _bundle(self, packet: Packet, action: nx.Bundle) -> None:
        port = choices.member(packet.key, action, self._is_live)
        if port is not None:
            self._forwarding.output(packet, Output(port))

    def _bundle_load(self, packet: Packet, action: nx.BundleLoad) -> None:
        port = choices.member(packet.key, action, self._is_live)
        subfields.write(packet, action.dst, _NO_PORT if port is None else port & _NO_PORT)

    def _is_live(self, port_no: int) -> bool:
        port = self._forwarding.ports.get(port_no)
        return port_no in (Port.LOCAL, Port.IN_PORT) or (port is not None and port.is_up)

    # Others

    def _group(self, packet: Packet, action: nx.Group) -> None:
        group = standard.Group(action.group_id)
        self._pipeline.actions[standard.Group](packet, group)

    def _fin_timeout(self, packet: Packet, action: nx.FinTimeout) -> None:
        flags, entry = packet.key["tcp_flags"] or 0, packet.entry
        if entry is None or packet.witness or not flags & (TcpFlags.FIN | TcpFlags.RST):
            return
        before = entry.idle_timeout, entry.hard_timeout
        entry.idle_timeout = _shorter(entry.idle_timeout, action.fin_idle_timeout)
        entry.hard_timeout = _shorter(entry.hard_timeout, action.fin_hard_timeout)
        # A timer for each change, not for each packet that could have made it.
        if entry.is_present and before != (entry.idle_timeout, entry.hard_timeout):
            self._pipeline.tables[entry.table_id].watch(entry)

    def _sample(self, packet: Packet, action: Action) -> None:
        # There are no collectors; what would have gone to them is counted.
        if packet.witness is None:
            self._extension.sample_count += 1


_TRANSPORTS = {
    6: (("tcp_src", "src"), ("tcp_dst", "dst")),
    17: (("udp_src", "src"), ("udp_dst", "dst")),
    132: (("sctp_src", "src"), ("sctp_dst", "dst")),
    1: (("icmpv4_type", "src"), ("icmpv4_code", "dst")),
    58: (("icmpv6_type", "src"), ("icmpv6_code", "dst")),
}


def _shorter(before: int, limit: int) -> int:
    """Return a timeout that is no longer than a limit; 0 is without end."""
    if not limit:
        return before
    return min(before, limit) if before else limit
