"""A packet through tables, instructions and its action set (OF1.3.5 5.1 "Pipeline Processing")."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from protocol import (
    OF12,
    Action,
    ApplyActions,
    ClearActions,
    Enqueue,
    GotoTable,
    Instruction,
    Output,
    PacketInReason,
    Port,
    WriteActions,
    WriteMetadata,
)

from .action_set import in_order, slot
from .execute import EFFECTS, InvalidTtl
from .flow_entry import FlowEntry
from .flow_table import FlowTables
from .forwarding import Forwarding
from .packet import Packet


class Pipeline:
    """What happens to packets between a port and another."""

    def __init__(self, tables: FlowTables, forwarding: Forwarding) -> None:
        self.tables, self.forwarding = tables, forwarding
        self.tells_invalid_ttl = False  #: OF1.1 and OF1.2 have a flag of the switch for it
        self._instructions: dict[type[Instruction], Callable[[Packet, Any], None]] = {
            ApplyActions: self._apply,
            ClearActions: _clear_actions,
            WriteActions: _write_actions,
            WriteMetadata: _write_metadata,
        }
        self._outward: dict[type[Action], Callable[[Packet, Any], None]] = {
            Output: self.forwarding.output,
            Enqueue: lambda packet, action: self.forwarding.send(packet, action.port),
        }

    def process(self, packet: Packet) -> None:
        """Take a packet through the tables, from the first one on."""
        try:
            table_id: int | None = 0
            while table_id is not None:
                packet.table_id = table_id
                entry = self._match(packet, table_id)
                if entry is None:
                    self._miss(packet)
                    return
                table_id = self._do(packet, entry)
            if packet.action_set:
                self._do_action_set(packet)
        except InvalidTtl:
            self._invalid_ttl(packet)

    def perform(self, packet: Packet, actions: Iterable[Action]) -> None:
        """Do the actions of a packet_out (OF1.3.5 7.3.7 "Packet-Out Message")."""
        packet.reason = PacketInReason.PACKET_OUT
        try:
            for action in actions:
                if isinstance(action, Output) and action.port == Port.TABLE:
                    self.process(packet.copy())
                else:
                    self._act(packet, action)
        except InvalidTtl:
            self._invalid_ttl(packet)

    def _match(self, packet: Packet, table_id: int) -> FlowEntry | None:
        table = self.tables[table_id]
        table.lookup_count += 1
        entry = packet.entry = table.lookup(packet.key)
        if entry is not None:
            table.matched_count += 1
            entry.packet_count += 1
            entry.byte_count += len(packet.data)
            entry.used = packet.now
        return entry

    def _do(self, packet: Packet, entry: FlowEntry) -> int | None:
        """Do the instructions of an entry; return the table to go to."""
        packet.version = entry.version
        packet.reason = PacketInReason.ACTION
        for instruction in entry.program:
            if type(instruction) is GotoTable:
                return instruction.table_id
            self._instructions[type(instruction)](packet, instruction)
        return None

    def _apply(self, packet: Packet, instruction: ApplyActions) -> None:
        for action in instruction.actions:
            self._act(packet, action)

    def _act(self, packet: Packet, action: Action) -> None:
        kind = type(action)
        (self._outward.get(kind) or EFFECTS[kind])(packet, action)

    def _do_action_set(self, packet: Packet) -> None:
        packet.reason = PacketInReason.ACTION_SET
        for action in in_order(packet.action_set):
            self._act(packet, action)

    def _miss(self, packet: Packet) -> None:
        # Up to OF1.2 the controller gets what no entry wants; since OF1.3 there is an entry
        # for that, or the packet is dropped (OF1.3.5 5.4 "Table-miss").
        sessions = [one for one in self.forwarding.sessions if one.version <= OF12]
        self.forwarding.packet_in(packet, PacketInReason.NO_MATCH, sessions)

    def _invalid_ttl(self, packet: Packet) -> None:
        if self.tells_invalid_ttl:
            sessions = self.forwarding.sessions
            self.forwarding.packet_in(packet, PacketInReason.INVALID_TTL, sessions)


def _write_actions(packet: Packet, instruction: WriteActions) -> None:
    for action in instruction.actions:
        packet.action_set[slot(action)] = action
    packet.note_action_set()


def _clear_actions(packet: Packet, instruction: ClearActions) -> None:
    packet.action_set.clear()
    packet.note_action_set()


def _write_metadata(packet: Packet, instruction: WriteMetadata) -> None:
    mask = instruction.metadata_mask
    packet.set_metadata(packet.metadata & ~mask | instruction.metadata & mask)
