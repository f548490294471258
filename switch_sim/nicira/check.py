"""Which of Nicira's actions the switch refuses, and with which error.

The errors are those of Open vSwitch; where these are Nicira's own, the standard's next ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from protocol import (
    Action,
    BadActionCode,
    BadPropertyCode,
    CopyField,
    Group,
    Match,
    PacketInReason,
    Port,
    SetField,
    Version,
)
from protocol import nicira as nx
from protocol.match import in_order
from protocol.oxm import OXM, FieldValue, OxmField

from ..fields import SETTABLE as STANDARD_SETTABLE
from ..refused import Refused
from . import choices
from .fields import MATCHABLE, OPTIONS, SETTABLE
from .tracking import ON_CONNECTION

if TYPE_CHECKING:
    from ..check import Checker

Check = Callable[[Any, Version], None]

_THIS_TABLE = 0xFF
_MIN_FRAME = 14
_MAX_CLAUSES = 64
_ZONE_BITS = 16
_WRITABLE = STANDARD_SETTABLE | SETTABLE | {"in_port"}
_READABLE = _WRITABLE | MATCHABLE | {"in_phy_port", "ipv6_exthdr"}
_NO_TRUNC = frozenset(
    {Port.TABLE, Port.NORMAL, Port.FLOOD, Port.ALL, Port.CONTROLLER, Port.ANY}
)  # ovs-actions(7) "The output action"


def _bad(reason: str) -> Refused:
    return Refused(BadActionCode.BAD_ARGUMENT, reason)


# Fields


def _row(name: str, known: Iterable[str]) -> OxmField:
    row = OXM.get(name)
    if row is None or name not in _READABLE:
        raise Refused(BadActionCode.BAD_SET_TYPE, f"there is no field {name}")
    if name not in known:
        raise Refused(BadActionCode.BAD_SET_ARGUMENT, f"{name} cannot be set")
    return row


def _bits(subfield: nx.Subfield, known: Iterable[str]) -> None:
    row = _row(subfield.field, known)
    if not subfield.n_bits or subfield.offset + subfield.n_bits > row.bits:
        reason = f"{subfield.field} has {row.bits} bits, {subfield!r} does not fit"
        raise Refused(BadActionCode.BAD_SET_LEN, reason)


def _source(subfield: nx.Subfield) -> None:
    _bits(subfield, _READABLE)


def _target(subfield: nx.Subfield) -> None:
    _bits(subfield, _WRITABLE)


def _value(value: int, subfield: nx.Subfield) -> None:
    if value >> subfield.n_bits:
        raise _bad(f"{value:#x} has more than {subfield.n_bits} bits")


def _reg_move(action: nx.RegMove, version: Version) -> None:
    _source(action.src)
    _target(action.dst)


def _reg_load(action: nx.RegLoad, version: Version) -> None:
    _target(action.dst)
    _value(action.value, action.dst)


def _reg_load2(action: nx.RegLoad2, version: Version) -> None:
    for name in action.field:
        _row(name, _WRITABLE)


def _check_pkt_larger(action: nx.CheckPktLarger, version: Version) -> None:
    _target(nx.Subfield(action.dst, action.offset, 1))


def _delete_field(action: nx.DeleteField, version: Version) -> None:
    if action.field not in OPTIONS:
        raise _bad(f"{action.field} is no option of a tunnel")


# Choices


def _multipath(action: nx.Multipath, version: Version) -> None:
    _target(action.dst)
    _value(action.max_link, action.dst)
    if action.fields not in choices.KNOWN_FIELDS or action.algorithm not in choices.KNOWN_LINKS:
        raise _bad(f"fields {action.fields} or algorithm {action.algorithm} is unknown")


def _members(action: nx.Bundle | nx.BundleLoad, version: Version) -> None:
    if action.fields not in choices.KNOWN_FIELDS or action.algorithm not in choices.KNOWN_MEMBERS:
        raise _bad(f"fields {action.fields} or algorithm {action.algorithm} is unknown")
    for port in action.members:
        if not (0 < port <= Port.MAX or port in (Port.LOCAL, Port.IN_PORT, Port.ANY)):
            raise Refused(BadActionCode.BAD_OUT_PORT, f"port {port:#x} cannot be a member")
    if isinstance(action, nx.BundleLoad):
        _target(action.dst)
        if action.dst.n_bits < _ZONE_BITS:
            raise _bad(f"{action.dst!r} is too small for a port")


def _conjunction(action: nx.Conjunction, version: Version) -> None:
    if not (2 <= action.n_clauses <= _MAX_CLAUSES and action.clause < action.n_clauses):
        reason = f"clause {action.clause} of {action.n_clauses} cannot be"
        raise Refused(nx.NiciraCode.CONJUNCTION, reason)


def check_list(actions: Sequence[Action]) -> None:
    """Refuse a conjunction with anything beside it but notes, and two that contradict."""
    if not any(type(action) is nx.Conjunction for action in actions):
        return
    for action in actions:
        if not isinstance(action, nx.Conjunction | nx.Note):
            reason = f"{type(action).__name__} cannot stand beside a conjunction"
            raise Refused(nx.NiciraCode.CONJUNCTION, reason)


# Sending


def _output_trunc(action: nx.OutputTrunc, version: Version) -> None:
    if action.max_len < _MIN_FRAME:
        raise _bad(f"a frame of {action.max_len} bytes is none")
    if action.port in _NO_TRUNC:
        raise Refused(BadActionCode.BAD_OUT_PORT, f"port {action.port:#x} takes whole packets only")


def _nothing_to_check(action: Action, version: Version) -> None:
    pass


def _controller(action: nx.Controller | nx.Controller2, version: Version) -> None:
    if action.reason is not None and action.reason not in set(PacketInReason):
        raise _bad(f"there is no reason {action.reason}")


def _controller2(action: nx.Controller2, version: Version) -> None:
    _controller(action, version)
    if action.meter_id is not None or action.properties:
        raise Refused(BadPropertyCode.BAD_TYPE, "controller takes no meter, and no such property")


class Checks:
    """The checks that need to know what there is in the switch."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker

    def put_in(self, actions: Iterable[type[Action]]) -> None:
        """Let the switch take these actions."""
        special = _CHECKS | {
            nx.ResubmitTable: self._resubmit,
            nx.ResubmitTableCt: self._resubmit,
            nx.Clone: self._clone,
            nx.Ct: self._ct,
            nx.Learn: self._learn,
            nx.Learn2: self._learn,
            nx.Group: self._group,
        }
        for kind in actions:
            self._checker.actions[kind] = special.get(kind, _nothing_to_check)
        self._checker.actions[nx.Nat] = _nat
        self._checker.actions[nx.Encap] = self._checker.actions[nx.Decap] = _header
        self._checker.lists.append(check_list)

    def _table(self, table_id: int) -> None:
        if table_id >= self._checker.n_tables:
            raise _bad(f"there is no table {table_id}")

    def _resubmit(self, action: nx.ResubmitTable, version: Version) -> None:
        if action.table_id != _THIS_TABLE:
            self._table(action.table_id)

    def _clone(self, action: nx.Clone, version: Version) -> None:
        self._checker.check_actions(action.actions, version)

    def _group(self, action: nx.Group, version: Version) -> None:
        self._checker.check_actions([Group(action.group_id)], version)

    def _ct(self, action: nx.Ct, version: Version) -> None:
        if action.flags & nx.CtFlags.FORCE and not action.flags & nx.CtFlags.COMMIT:
            raise _bad("force without commit")
        if isinstance(action.zone, nx.Subfield):
            _source(action.zone)
            if action.zone.n_bits != _ZONE_BITS:
                raise Refused(BadActionCode.BAD_SET_LEN, f"a zone has {_ZONE_BITS} bits")
        if action.recirc_table != nx.NO_RECIRCULATION:
            self._table(action.recirc_table)
        if action.alg != nx.CtAlg.NONE:
            raise _bad(f"connections of protocol {action.alg} are not looked into")
        for nested in action.actions:
            _on_connection(nested)

    def _learn(self, action: nx.Learn, version: Version) -> None:
        self._table(action.table_id)
        unknown = action.flags & ~int(_LEARN2 if isinstance(action, nx.Learn2) else _LEARN)
        if unknown:
            raise _bad(f"the flags {unknown:#x} are unknown")
        if isinstance(action, nx.Learn2) and action.result_dst:
            _target(nx.Subfield(action.result_dst, action.result_offset, 1))
        matched: dict[str, FieldValue] = {}
        loaded: list[str] = []
        for spec in action.specs:
            _spec(spec, matched, loaded)
        for name in (None, *loaded):
            fields = matched if name is None else matched | {name: matched.get(name, 0)}
            if problem := Match.unchecked(in_order(fields)).missing():
                raise Refused(BadActionCode.MATCH_INCONSISTENT, problem)


def _spec(spec: nx.FlowModSpec, matched: dict[str, FieldValue], loaded: list[str]) -> None:
    """Check a part of a learnt entry; note what the entry matches and what it sets."""
    match spec:
        case nx.OutputSpec(src=src):
            _source(src)
        case nx.MatchSpec(src=src, dst=dst):
            _bits(dst, _READABLE)
            matched[dst.field] = src if isinstance(src, int) else 0
            _spec_source(src, dst)
        case nx.LoadSpec(src=src, dst=dst):
            _target(dst)
            loaded.append(dst.field)
            _spec_source(src, dst)


def _spec_source(src: nx.Subfield | int, dst: nx.Subfield) -> None:
    if isinstance(src, int):
        _value(src, dst)
    else:
        _source(src)


def _on_connection(action: Action) -> None:
    """Refuse what `ct` cannot do to a connection: it translates, and sets mark and label."""
    match action:
        case nx.Nat():
            return
        case nx.RegMove(src=src, dst=dst):
            _source(src)
            _bits(dst, _READABLE)
            names = [dst.field]
        case nx.RegLoad(dst=dst, value=value):
            _bits(dst, _READABLE)
            _value(value, dst)
            names = [dst.field]
        case nx.RegLoad2(field=field) | SetField(field=field):
            names = list(field)
        case CopyField():
            _source(nx.Subfield(action.src, action.src_offset, action.n_bits))
            _bits(nx.Subfield(action.dst, action.dst_offset, action.n_bits), _READABLE)
            names = [action.dst]
        case _:
            raise _bad(f"{type(action).__name__} does nothing to a connection")
    if not set(names) <= set(ON_CONNECTION):
        raise _bad(f"a connection has no {names[0]}")


def _header(action: nx.Encap | nx.Decap, version: Version) -> None:
    """Refuse what would make a packet of another type than Ethernet, or of it another."""
    reason = f"packets of type {action.new_pkt_type:#x} are unknown here"
    raise Refused(nx.NiciraCode.BAD_HEADER_TYPE, reason)


def _nat(action: nx.Nat, version: Version) -> None:
    raise Refused(BadActionCode.BAD_SET_ARGUMENT, "nat stands in ct only")


_LEARN = nx.LearnFlags.SEND_FLOW_REM | nx.LearnFlags.DELETE_LEARNED
_LEARN2 = _LEARN | nx.LearnFlags.WRITE_RESULT
_CHECKS: dict[type[Action], Check] = {
    nx.RegMove: _reg_move,
    nx.RegLoad: _reg_load,
    nx.RegLoad2: _reg_load2,
    nx.StackPush: lambda action, version: _source(action.subfield),
    nx.StackPop: lambda action, version: _target(action.subfield),
    nx.OutputReg: lambda action, version: _source(action.src),
    nx.OutputReg2: lambda action, version: _source(action.src),
    nx.CheckPktLarger: _check_pkt_larger,
    nx.DeleteField: _delete_field,
    nx.Multipath: _multipath,
    nx.Bundle: _members,
    nx.BundleLoad: _members,
    nx.Conjunction: _conjunction,
    nx.OutputTrunc: _output_trunc,
    nx.Controller: _controller,
    nx.Controller2: _controller2,
}
