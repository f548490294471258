"""Entries made from packets (ovs-actions(7) "The learn action")."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from msgspec.structs import replace

from protocol import (
    OF10,
    OF15,
    Action,
    ApplyActions,
    FlowMod,
    FlowModCommand,
    FlowModFlags,
    FlowRemovedReason,
    Match,
    Output,
    Port,
    SetField,
    Version,
)
from protocol.match import in_order
from protocol.nicira import (
    FinTimeout,
    Learn,
    Learn2,
    LearnFlags,
    LoadSpec,
    MatchSpec,
    OutputSpec,
    RegLoad,
    RegLoad2,
    Subfield,
)
from protocol.nicira.match import NxmFields
from protocol.oxm import OXM, FieldValue
from protocol.ports import port_of_16

from ..flow_changes import FlowChanges
from ..flow_entry import FlowEntry
from ..flow_mods import FlowMods
from ..flow_table import Selection
from ..packet import Packet
from ..refused import Refused
from ..session import Effects
from . import subfields

_ALL_BITS = 0xFFFF_FFFF_FFFF_FFFF
_KEEPS_COOKIE = _ALL_BITS  # the cookie of an action that leaves that of the entry
_RESERVED = frozenset({Port.IN_PORT, Port.FLOOD, Port.LOCAL, Port.ALL})
_REG_LOAD_BITS = 64

TellChanges = Callable[[FlowChanges, float, Effects], None]


class Learner:
    """Adds and changes entries as actions and packets say.

    `failed_count` is of those that the switch would have refused in a flow_mod, and of those
    that found their table full or at its limit.
    """

    def __init__(self, flow_mods: FlowMods, tell_changes: TellChanges) -> None:
        self.flow_mods, self.tell_changes = flow_mods, tell_changes
        self.failed_count = 0

    def learn(self, packet: Packet, action: Learn) -> None:
        """Add the entry that a packet means, or change the one that is there."""
        if packet.witness is not None:
            packet.witness.remark("learn", f"would learn {learnt(packet, action)!r}")
            return
        done = self._learn(packet, action)
        self.failed_count += not done
        if isinstance(action, Learn2) and action.flags & LearnFlags.WRITE_RESULT:
            result = Subfield(action.result_dst, action.result_offset, 1)
            subfields.write(packet, result, int(done))

    def _learn(self, packet: Packet, action: Learn) -> bool:
        message = learnt(packet, action)
        table = self.flow_mods.tables[action.table_id]
        before = table.find(message.match, message.priority)
        if before is None and isinstance(action, Learn2) and action.limit:
            same = (one for one in table if one.cookie == action.cookie)
            if sum(1 for _ in islice(same, action.limit)) >= action.limit:
                return False
        try:
            self._apply(message, before, packet)
        except Refused:
            return False
        return True

    def _apply(self, message: FlowMod, before: FlowEntry | None, packet: Packet) -> None:
        """Do the flow_mod; what is there keeps its timeouts, which begin anew."""
        if before is None:
            self._do(message, packet)
            return
        cookie = before.cookie if message.cookie == _KEEPS_COOKIE else message.cookie
        if (before.instructions, before.cookie) != (message.instructions, cookie):
            change = replace(message, command=FlowModCommand.MODIFY_STRICT, cookie=0)
            self._do(change, packet)
            before.cookie = cookie
        before.modified = packet.now

    def _do(self, message: FlowMod, packet: Packet) -> None:
        changes = self.flow_mods.apply(message, packet.version, packet.now)
        self.tell_changes(changes, packet.now, packet.effects)

    def forget_orphans(self, now: float, effects: Effects) -> None:
        """Delete learnt entries that go with the entries that have learnt them."""
        references, tables = self.flow_mods.tables.references, self.flow_mods.tables
        while references.orphaned:
            table_id, cookie = references.orphaned.pop()
            if references.has_learner(table_id, cookie) or table_id not in tables:
                continue
            theirs = Selection(cookie=cookie, cookie_mask=_ALL_BITS)
            found = tables[table_id].select(Match(), theirs)
            self.tell_changes(self.flow_mods.remove(found, FlowRemovedReason.DELETE), now, effects)


def learnt(packet: Packet, action: Learn) -> FlowMod:
    """Return the flow_mod that an action makes of a packet."""
    fields: dict[str, FieldValue] = {}
    actions: list[Action] = []
    if action.fin_idle_timeout or action.fin_hard_timeout:
        actions.append(FinTimeout(action.fin_idle_timeout, action.fin_hard_timeout))
    for spec in action.specs:
        match spec:
            case MatchSpec(src=src, dst=dst):
                _match(fields, dst, _value(packet, src))
            case LoadSpec(src=src, dst=dst):
                actions.append(_load(dst, _value(packet, src), packet.version))
            case OutputSpec(src=src):
                actions += _output(subfields.read(packet, src))
    is_told = action.flags & LearnFlags.SEND_FLOW_REM
    return FlowMod(
        Match.unchecked(_standard(fields)),
        (ApplyActions(tuple(actions)),) if actions else (),
        command=FlowModCommand.ADD,
        priority=action.priority,
        idle_timeout=action.idle_timeout,
        hard_timeout=action.hard_timeout,
        cookie=action.cookie,
        table_id=action.table_id,
        flags=FlowModFlags.SEND_FLOW_REM if is_told else FlowModFlags(0),
    )


def _value(packet: Packet, src: Subfield | int) -> int:
    return src if isinstance(src, int) else subfields.read(packet, src)


def _match(fields: dict[str, FieldValue], dst: Subfield, value: int) -> None:
    """Add bits of a field to those that a match has already."""
    before = fields.get(dst.field, (0, 0))
    assert isinstance(before, tuple), "fields are put together with their masks"
    bits = (1 << dst.n_bits) - 1
    kept, mask = before[0] & ~(bits << dst.offset), before[1] | bits << dst.offset
    fields[dst.field] = kept | (value & bits) << dst.offset, mask


def _standard(fields: dict[str, FieldValue]) -> dict[str, FieldValue]:
    """Return the fields in the words that matches have, without masks that leave nothing out."""
    plain = {
        name: value[0] if isinstance(value, tuple) and value[1] == OXM[name].all_ones else value
        for name, value in fields.items()
    }
    return in_order(NxmFields().at(OF10).to_match(plain))


def _load(dst: Subfield, value: int, version: Version) -> Action:
    """Return the action that sets bits, in words that a version has."""
    if version < OF15 and dst.n_bits <= _REG_LOAD_BITS:
        return RegLoad(dst, value)
    bits = (1 << dst.n_bits) - 1
    field = value << dst.offset, bits << dst.offset
    whole = dst.n_bits == OXM[dst.field].bits
    match = Match.unchecked({dst.field: value if whole else field})
    return SetField(match) if version >= OF15 else RegLoad2(match)


def _output(number: int) -> Iterator[Action]:
    port = port_of_16(number & 0xFFFF)
    if 0 < port <= Port.MAX or port in _RESERVED:
        yield Output(port)
