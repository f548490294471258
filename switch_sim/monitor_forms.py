"""The words in which monitors speak: those of OF1.4, of Nicira and of ONF."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from protocol import Message, monitors, nicira, onf
from protocol.monitors import FlowMonitorFlags
from protocol.record import Record

from .flow_changes import ChangeKind, FlowChange
from .flow_entry import FlowEntry


@dataclass(frozen=True, slots=True)
class Form:
    """The classes of what is said, and whether all monitors of a controller speak together."""

    reply: Any
    initial: Any
    added: Any
    deleted: Any
    modified: Any
    abbreviated: Any
    paused: Callable[[int], Message]
    resumed: Callable[[int], Message]
    is_one_voice: bool

    def changed(self, change: FlowChange, flags: int) -> Record:
        """Return what became of an entry."""
        if change.kind is ChangeKind.REMOVED:
            return self.full(self.deleted, change.entry, flags, change.reason)
        kind = self.added if change.kind is ChangeKind.ADDED else self.modified
        return self.full(kind, change.entry, flags)

    def full(self, kind: Any, entry: FlowEntry, flags: int, reason: int = 0) -> Record:
        """Return an entry, with its instructions where these are asked for."""
        wanted = flags & FlowMonitorFlags.INSTRUCTIONS
        update: Record = kind(
            match=entry.match,
            instructions=entry.instructions if wanted else (),
            table_id=entry.table_id,
            reason=reason,
            idle_timeout=entry.idle_timeout,
            hard_timeout=entry.hard_timeout,
            priority=entry.priority,
            cookie=entry.cookie,
        )
        return update


STANDARD = Form(
    monitors.FlowMonitorReply,
    monitors.FlowInitial,
    monitors.FlowAdded,
    monitors.FlowDeleted,
    monitors.FlowModified,
    monitors.FlowAbbreviated,
    lambda xid: monitors.FlowMonitorReply((monitors.MonitorPaused(),), xid=xid),
    lambda xid: monitors.FlowMonitorReply((monitors.MonitorResumed(),), xid=xid),
    is_one_voice=False,
)


def _one_voice(words: ModuleType) -> Form:
    """Return the form of an extension, whose classes have the same names in both."""
    return Form(
        words.FlowMonitorReply,
        words.FlowAdded,
        words.FlowAdded,
        words.FlowDeleted,
        words.FlowModified,
        words.FlowAbbreviated,
        lambda xid: words.FlowMonitorPaused(xid=xid),
        lambda xid: words.FlowMonitorResumed(xid=xid),
        is_one_voice=True,
    )


NICIRA, ONF = _one_voice(nicira), _one_voice(onf)
