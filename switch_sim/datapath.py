"""The parts of a switch, with which the handlers of messages work."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from protocol import (
    OF10,
    OF14,
    OF15,
    ConfigFlags,
    DescReply,
    FlowModFlags,
    FlowRemovedReason,
    Message,
    PortDesc,
    PortReason,
    PortStatus,
    StatTrigger,
    Version,
)
from protocol.flows import FlowCountersReply, FlowStatsReason
from protocol.queues import QueueDesc
from protocol.tables import TableStatus

from .asynchronous import reason_in
from .buffers import PacketBuffers
from .bundles import Bundles
from .check import Checker
from .egress import Egress
from .fast_path import FastPath
from .flow_changes import ChangeKind, FlowChanges
from .flow_entry import FlowEntry
from .flow_mods import FlowMods
from .flow_stats import counters
from .flow_table import FlowTables
from .forwarding import Forwarding
from .group_actions import GroupActions
from .group_mods import GroupMods
from .group_table import GroupTable
from .meter_actions import MeterActions
from .meter_mods import MeterMods
from .meter_table import MeterTable
from .monitors import Author, Monitors
from .nicira.commands import flow_removed_in_nxm
from .nicira.extension import Extension
from .packet import Packet
from .pipeline import Pipeline
from .ports import Ports, SwitchPort
from .queue_checks import QueueChecks
from .queues import Queues
from .request import Request
from .session import Effects, Session
from .sessions import Sessions, can_say
from .table_config import table_desc
from .table_requests import TableRequests
from .triggers import Triggers, check_trigger
from .undo import UndoLog

_DEPARTED = 64  #: entries that are remembered when they are gone


class Datapath:
    """Tables, ports, buffers, sessions (OF1.3.5 2 "Switch Components")."""

    def __init__(
        self,
        datapath_id: int,
        ports: Sequence[PortDesc],
        desc: DescReply,
        n_tables: int,
        n_buffers: int,
        max_entries: int,
        queues: Iterable[QueueDesc] = (),
        now: float = 0.0,
        meter_features: bool = True,
    ) -> None:
        self.datapath_id = datapath_id
        self.desc = desc
        self.flags = ConfigFlags(0)
        #: when entries went and why, the latest last: what a trace may have to tell
        self.departed: deque[tuple[float, FlowEntry, FlowRemovedReason]] = deque(maxlen=_DEPARTED)
        self.undo = UndoLog()  #: what changes state notes there how to take it back
        self.sessions = Sessions()
        self.bundles = Bundles()
        self.tables = FlowTables(n_tables, max_entries)
        self.buffers = PacketBuffers(n_buffers)
        self.ports = Ports(ports, now)
        self.queues = Queues(queues, now)
        self.forwarding = Forwarding(self.ports, self.buffers, self.sessions, self.queues)
        self.pipeline = Pipeline(self.tables, self.forwarding)
        self.fast_path = FastPath(self.pipeline)
        self.egress = Egress(self.pipeline, self.fast_path, self.undo)
        self.table_requests = TableRequests(self.tables, self.undo, self.egress)
        self.checker = Checker(self.tables.stages)
        self.monitors = Monitors(self.tables)
        self.flow_mods = FlowMods(self.tables, self.checker, self.undo)
        self.groups = GroupTable(self.ports, self.undo)
        self.group_mods = GroupMods(self.groups, self.checker)
        self._group_actions = GroupActions(self.groups, self.pipeline, self.checker)
        QueueChecks(self.queues, self.checker)
        self.meters = MeterTable(self.undo, tells_features=meter_features)
        self.meter_mods = MeterMods(self.meters)
        self._meter_actions = MeterActions(
            self.meters, self.pipeline, self.checker, self.forwarding
        )
        self.triggers = Triggers(self.tell_counters, self.undo)
        self.pipeline.instructions[StatTrigger] = self.triggers.see
        self.checker.instructions[StatTrigger] = check_trigger
        self.nicira = Extension(self.pipeline, self.forwarding, self.flow_mods, self.tell_changes)

    def buffered(self, buffer_id: int, session: Session, now: float, effects: Effects) -> Packet:
        """Take a packet out of its buffer; Refused where there is none."""
        kept = self.buffers.take(buffer_id)
        packet = Packet(kept.data, kept.in_port, session.version, now, effects)
        packet.tunnel_id = kept.tunnel_id
        return packet

    def remove_entries(
        self,
        entries: Iterable[FlowEntry],
        reason: FlowRemovedReason,
        request: Request[Any],
    ) -> None:
        """Take flow entries out of their tables, and tell it."""
        changes = self.flow_mods.remove(entries, reason)
        self.tell_changes(changes, request.now, request.effects, author_of(request))

    # What controllers are told of themselves

    def tell_changes(
        self, changes: FlowChanges, now: float, effects: Effects, author: Author | None = None
    ) -> None:
        """Tell what became of flow entries, and by whose message."""
        if self.monitors:
            self.monitors.tell(changes, author, effects)
        for change in changes:
            if change.kind is ChangeKind.REMOVED:
                self.tell_removed(change.entry, change.reason, now, effects)
            if change.entry.version >= OF15:
                self.triggers.note(change.entry, now)
            table_id = change.entry.table_id
            if self.tables[table_id].vacancy is not None:
                self._tell_vacancy(table_id, effects)

    def _tell_vacancy(self, table_id: int, effects: Effects) -> None:
        """Tell that the room in a table passed a threshold (OF1.4.1 7.4.5 "Table Status")."""
        table = self.tables[table_id]
        vacancy = table.vacancy
        assert vacancy is not None
        self.undo.note(partial(setattr, vacancy, "is_up_next", vacancy.is_up_next))
        reason = vacancy.passed(table.room, table.max_entries)
        if reason is not None:
            status = TableStatus(reason, table_desc(table_id, table))
            self.sessions.tell(
                effects, "table_status", reason, lambda version: status if version >= OF14 else None
            )

    def tell_port(self, port: SwitchPort, reason: PortReason, effects: Effects) -> None:
        """Tell that a port came, changed or went (OF1.3.5 7.4.3 "Port Status Message")."""

        def say(version: Version) -> Message | None:
            desc = port.desc_in(version)
            return None if desc is None else PortStatus(reason, desc)

        self.sessions.tell(effects, "port_status", reason, say)

    def tell_removed(
        self, entry: FlowEntry, reason: FlowRemovedReason, now: float, effects: Effects
    ) -> None:
        """Tell that an entry went, where that was asked for when it was made."""
        self.departed.append((now, entry, reason))
        if not entry.flags & FlowModFlags.SEND_FLOW_REM:
            return

        def say(version: Version) -> Message | None:
            message = entry.removed(reason_in("flow_removed", reason, version), now)
            # Nicira lets OF1.0 make entries that it has no words for itself.
            is_own = version == entry.version > OF10
            return message if is_own or can_say(message, version) else None

        self.sessions.tell(effects, "flow_removed", reason, say)
        self._tell_removed_in_nxm(entry, reason, now, effects)

    def _tell_removed_in_nxm(
        self, entry: FlowEntry, reason: FlowRemovedReason, now: float, effects: Effects
    ) -> None:
        """Tell those of OF1.0 who have asked for it what that has no words for."""
        asked = [one for one in self.sessions if one.wants_nxm and one.version == OF10]
        if not asked or can_say(entry.removed(reason, now), OF10):
            return
        message = flow_removed_in_nxm(entry.removed(reason_in("flow_removed", reason, OF10), now))
        wanting = [one for one in asked if one.wants("flow_removed", reason)]
        if can_say(message, OF10):
            effects.messages += [(session, message) for session in wanting]

    def tell_counters(self, entry: FlowEntry, now: float, effects: Effects) -> None:
        """Tell what an entry has counted, as it is to do by itself (OF1.5.1 7.2.5)."""
        reason = FlowStatsReason.STAT_TRIGGER
        told = FlowCountersReply((counters(entry, reason, now),))

        def say(version: Version) -> Message | None:
            return told if version >= OF15 else None

        self.sessions.tell(effects, "flow_stats", reason, say)


def author_of(request: Request[Any]) -> Author:
    """Return who makes the changes that a request asks for."""
    return Author(request.session.main, request.message.xid)
