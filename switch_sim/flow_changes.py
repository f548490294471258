"""What became of flow entries, for all who want to know."""

from __future__ import annotations

from enum import Enum

import msgspec

from protocol import FlowRemovedReason

from .flow_entry import FlowEntry


class ChangeKind(Enum):
    """What became of an entry."""

    ADDED = "added"
    MODIFIED = "modified"
    REMOVED = "removed"


class FlowChange(msgspec.Struct, frozen=True):
    """What became of one entry; `reason` is why it was removed."""

    kind: ChangeKind
    entry: FlowEntry
    reason: FlowRemovedReason = FlowRemovedReason.DELETE


FlowChanges = list[FlowChange]
