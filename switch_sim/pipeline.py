"""A packet through tables, instructions and its action set (OF1.3.5 5.1 "Pipeline Processing")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from protocol import (
    OF11,
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
    Version,
    WriteActions,
    WriteMetadata,
)

from .action_set import as_set, in_order, slot
from .execute import EFFECTS, InvalidTtl
from .flow_cache import Notes
from .flow_entry import FlowEntry
from .flow_table import FlowTable, FlowTables
from .forwarding import Forwarding
from .packet import Does, Dropped, Finished, Held, Packet, Paused

_Place = tuple[int, FlowEntry | None, Version, PacketInReason]


def _come_back(packet: Packet, before: _Place) -> None:
    packet.table_id, packet.entry, packet.version, packet.reason = before


class Pipeline:
    """What happens to packets between a port and another.

    `actions` and `instructions` say what each kind does. Groups, meters and extensions put in
    theirs; these may raise Dropped, and use `act`, `do_bucket` and `resubmit`.
    """

    def __init__(self, tables: FlowTables, forwarding: Forwarding) -> None:
        self.tables, self.forwarding = tables, forwarding
        self.tells_invalid_ttl = False  #: OF1.1 and OF1.2 have a flag of the switch for it
        self.instructions: dict[type[Instruction], Does] = {
            ApplyActions: self._apply,
            ClearActions: _clear_actions,
            WriteActions: _write_actions,
            WriteMetadata: _write_metadata,
        }
        self.actions: dict[type[Action], Does] = {
            **EFFECTS,
            Output: forwarding.output,
            Enqueue: forwarding.enqueue,
        }
        # Of all actions only those of a packet_out may name it (OF1.3.5 4.5 "Reserved Ports").
        forwarding.reserved[Port.TABLE] = lambda packet, action: self.process(packet.copy())

    def process(self, packet: Packet, table_id: int = 0) -> None:
        """Take a packet through the tables, from one on, and do its action set."""
        self.process_by(packet, lambda packet: self.walk(packet, table_id))

    def process_by(self, packet: Packet, walk: Callable[[Packet], bool]) -> None:
        """Let `walk` take a packet through the tables, and do its action set.

        `walk` returns whether each table had an entry for the packet.
        """
        self._try(packet, lambda packet: self._process(packet, walk))

    def _process(self, packet: Packet, walk: Callable[[Packet], bool]) -> None:
        if not self._to_its_end(packet, walk):
            self._miss(packet)
        elif packet.action_set:
            self._do_action_set(packet, PacketInReason.ACTION_SET)

    def _to_its_end(self, packet: Packet, work: Callable[[Packet], bool]) -> bool:
        """Do all that an action set comes behind; return False for what no table wanted."""
        try:
            return work(packet)
        except Finished:
            return True
        except Paused as pause:
            pause.later.with_action_set = True
            raise

    def perform(self, packet: Packet, actions: Iterable[Action]) -> None:
        """Do the actions of a packet_out (OF1.3.5 7.3.7 "Packet-Out Message")."""
        packet.reason = PacketInReason.PACKET_OUT
        self._try(packet, lambda packet: self._perform(packet, actions))

    def _perform(self, packet: Packet, actions: Iterable[Action]) -> None:
        def work(packet: Packet) -> bool:
            self.act(packet, actions)
            return True

        self._to_its_end(packet, work)
        if packet.action_set:  # which tables that it was resubmitted to wrote
            self._do_action_set(packet, PacketInReason.ACTION_SET)

    # For those who put in actions and instructions

    def act(self, packet: Packet, actions: Iterable[Action]) -> None:
        """Do actions on the packet itself, in their order; Dropped where it goes no further."""
        left = iter(actions)
        does: Mapping[type, Does] = self.actions
        if packet.witness is not None:
            does = packet.witness.watch(does)
        try:
            for action in left:
                does[type(action)](packet, action)
        except Paused as pause:
            pause.later.steps.append(partial(self.act, actions=tuple(left)))
            raise

    def act_on_copy(self, packet: Packet, actions: Iterable[Action]) -> None:
        """Do actions on a copy of the packet: what drops the copy does not end the packet."""
        self._try(packet.copy(), lambda copy: self.act(copy, actions))

    def go_on(self, packet: Packet, held: Held) -> None:
        """Do what is left to do with a packet that waited."""
        self._try(packet, lambda packet: self._go_on(packet, held))

    def _go_on(self, packet: Packet, held: Held) -> None:
        left = iter(held.steps)
        try:
            for step in left:
                step(packet)
        except Finished:
            pass
        except Paused as pause:
            pause.later.steps += left
            pause.later.with_action_set |= held.with_action_set
            raise
        if held.with_action_set:
            self._do_action_set(packet, PacketInReason.ACTION_SET)

    def do_bucket(self, packet: Packet, actions: Iterable[Action], version: Version) -> None:
        """Do the actions of a bucket on a copy of the packet, as an action set of its own.

        `version` is the one in whose words they are. What ends the copy does not end the
        packet (OF1.3.5 5.6 "Group Table").
        """
        copy = packet.copy()
        copy.version = version
        copy.action_set = as_set(actions)
        self._try(copy, self._do_bucket)

    def _do_bucket(self, packet: Packet) -> None:
        with suppress(Finished):
            self._do_action_set(packet, PacketInReason.GROUP)

    def resubmit(
        self, packet: Packet, table_id: int, disguise: Mapping[str, int] | None = None
    ) -> bool:
        """Take the packet through tables from one on, and come back with it as it then is.

        Return whether each table had an entry for it: where one has none, nothing is told.
        What instructions write to the action set stays there. Whoever calls bounds how often.
        `disguise` are fields that the packet seems to have in the first of the tables.
        """
        before = packet.table_id, packet.entry, packet.version, packet.reason
        try:
            return self.walk(packet, table_id, disguise)
        except InvalidTtl as fault:
            # What was to be done behind the resubmit is done still (ovs-actions(7) "dec_ttl").
            self._invalid_ttl(packet, fault)
            return True
        except Paused as pause:
            pause.later.steps.append(partial(_come_back, before=before))
            raise
        finally:
            _come_back(packet, before)

    # What happens

    def _try(self, packet: Packet, work: Callable[[Packet], None]) -> None:
        """Do something that may end the packet."""
        try:
            work(packet)
        except InvalidTtl as fault:
            if packet.witness is not None:
                packet.witness.lose(f"dropped: {fault}")
            self._invalid_ttl(packet, fault)
        except Paused as pause:
            pause.hold(packet, pause.later)
        except Dropped as drop:
            if packet.witness is not None:
                packet.witness.lose(f"dropped: {drop}")

    def walk(
        self,
        packet: Packet,
        table_id: int,
        disguise: Mapping[str, int] | None = None,
        notes: Notes | None = None,
    ) -> bool:
        """Follow the tables; return whether each had an entry for the packet."""
        while True:
            packet.table_id = table_id
            table = self.tables[table_id]
            if disguise:
                entry, disguise = _lookup_in(table, packet, disguise), None
            else:
                entry = table.lookup(packet.key)
            if notes is not None and not notes.found(packet, table, entry):
                notes = None
            if entry is None:
                count(packet, table, None)
                goes_to = self._passes_over(table_id)
                if goes_to is None:
                    return False
            elif notes is None:
                goes_to = self.follow(packet, table, entry)
            else:
                goes_to = self._follow_noted(packet, table, entry, notes)
            if goes_to is None:
                return True
            table_id = goes_to

    def follow(self, packet: Packet, table: FlowTable, entry: FlowEntry) -> int | None:
        """Do what an entry says that matches; return the table to go to."""
        count(packet, table, entry)
        return self._do(packet, entry.program)

    def _follow_noted(
        self, packet: Packet, table: FlowTable, entry: FlowEntry, notes: Notes
    ) -> int | None:
        """Do the same, and note on what the look-ups depend that follow, if some do."""
        program = entry.program
        if not program or type(program[-1]) is not GotoTable:
            return self.follow(packet, table, entry)
        count(packet, table, entry)
        for number, instruction in enumerate(program):
            if type(instruction) is ApplyActions:
                done = self._act_noted(packet, instruction.actions, notes)
                if done < len(instruction.actions):
                    rest = ApplyActions(instruction.actions[done:])
                    return self._do(packet, (rest, *program[number + 1 :]))
            elif type(instruction) is not GotoTable:
                before = packet.data
                self.instructions[type(instruction)](packet, instruction)
                notes.after(instruction, packet.data is not before)
        return program[-1].table_id

    def _act_noted(self, packet: Packet, actions: Sequence[Action], notes: Notes) -> int:
        """Do actions as long as their effects can be noted; return how many that were."""
        for number, action in enumerate(actions):
            if not notes.before(packet, action):
                return number
            self.actions[type(action)](packet, action)
        return len(actions)

    def _do(self, packet: Packet, program: Iterable[Instruction]) -> int | None:
        """Do instructions; return the table to go to."""
        left = iter(program)
        does: Mapping[type, Does] = self.instructions
        if packet.witness is not None:
            does = packet.witness.watch(does)
        try:
            for instruction in left:
                if type(instruction) is GotoTable:
                    return instruction.table_id
                does[type(instruction)](packet, instruction)
        except Paused as pause:
            pause.later.steps.append(partial(self._do_later, program=tuple(left)))
            raise
        return None

    def _do_later(self, packet: Packet, program: Iterable[Instruction]) -> None:
        goes_to = self._do(packet, program)
        if goes_to is not None:
            self.walk(packet, goes_to)

    def _passes_over(self, table_id: int) -> int | None:
        """Return the table where a packet goes on that misses, if it does (OF1.1 A.3.4.3)."""
        if not self.tables[table_id].passes_over:
            return None
        return next(iter(self.tables.stages.tables_behind(table_id)), None)

    def _apply(self, packet: Packet, instruction: ApplyActions) -> None:
        self.act(packet, instruction.actions)

    def _do_action_set(self, packet: Packet, reason: PacketInReason) -> None:
        packet.reason = reason
        self.act(packet, in_order(packet.action_set))

    def _miss(self, packet: Packet) -> None:
        # Up to OF1.2 the controller gets what no entry wants, unless the table is told to drop
        # it or to pass it on; since OF1.3 there is an entry for that, or the packet is dropped
        # (OF1.1 A.3.4.3 "Modify State Messages", OF1.3.5 5.4 "Table-miss").
        if packet.witness is not None:
            packet.witness.lose(f"dropped: no entry of table {packet.table_id} matches")
        if self.tables[packet.table_id].tells_misses:
            sessions = [one for one in self.forwarding.sessions if one.version <= OF12]
            if sessions:
                self.forwarding.packet_in(packet, PacketInReason.NO_MATCH, sessions)

    def _invalid_ttl(self, packet: Packet, fault: InvalidTtl) -> None:
        sessions = [
            one
            for one in self.forwarding.sessions
            if one.controller_id in fault.controller_ids
            and (self.tells_invalid_ttl or one.version not in (OF11, OF12))
        ]
        self.forwarding.packet_in(packet, PacketInReason.INVALID_TTL, sessions)


def count(packet: Packet, table: FlowTable, entry: FlowEntry | None) -> None:
    """Note that a packet was looked up in a table, and the entry that it met."""
    packet.entry = entry
    if entry is not None:
        packet.version = entry.version
        packet.reason = PacketInReason.ACTION
    if packet.witness is not None:
        packet.witness.looked_up(packet, table, entry)
        return
    table.lookup_count += 1
    if entry is not None:
        table.matched_count += 1
        entry.count(len(packet.data), packet.now)


def _lookup_in(table: FlowTable, packet: Packet, disguise: Mapping[str, int]) -> FlowEntry | None:
    """Look for an entry as if the packet had other fields."""
    key = packet.key
    before = {name: key.get(name) for name in disguise}
    key.update(disguise)
    try:
        return table.lookup(key)
    finally:
        for name, value in before.items():
            if value is None:
                del key[name]
            else:
                key[name] = value


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
