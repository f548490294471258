"""Packets on their way to a port, through egress tables (OF1.5.1 5.1 "Pipeline Processing").

Each packet that is sent to a port goes, as a copy, through the first egress table and those to
which that leads. Its action set begins with the output to that port, which is what egress
tables match as actset_output; they can clear it, but not put another in its place. Whatever
else they send leaves at once: no packet passes this stage twice.

Standard ports have this stage, and reserved ones by the standard ports that they stand for. What
goes to a controller goes there at once.
"""

from __future__ import annotations

from functools import partial

from protocol import GotoTable, Output, WriteActions

from .check import DIRECTING
from .fast_path import FastPath
from .flow_entry import FlowEntry
from .packet import OUTPUT, Dropped, Packet
from .pipeline import Pipeline
from .ports import SwitchPort
from .stages import Stages
from .undo import UndoLog

MAX_COPIES = 16_384  #: of one packet that go through egress tables, whatever ways lead there


class Egress:
    """The second stage of a pipeline; at first there is none."""

    def __init__(self, pipeline: Pipeline, fast_path: FastPath, undo: UndoLog) -> None:
        self.pipeline, self.fast_path, self.undo = pipeline, fast_path, undo
        self.stages = pipeline.tables.stages

    def begin_at(self, table_id: int | None) -> None:
        """Let the tables from one on be egress tables; None: let there be none.

        Whether entries that are there agree with that is the caller's concern.
        """
        before = self.stages.first_egress
        if table_id == before:
            return
        self.undo.note(partial(self.begin_at, before))
        self.stages.first_egress = table_id
        self.pipeline.forwarding.egress = None if table_id is None else self._process
        self.fast_path.cache.flush()  # walks that were kept send without asking

    def _process(self, port: SwitchPort, packet: Packet) -> None:
        """Take a copy of a packet through the egress tables, and do its action set."""
        budget = packet.course_of().budget
        if budget.egress >= MAX_COPIES:
            raise Dropped(f"{MAX_COPIES} copies of the packet went through egress tables already")
        budget.egress += 1
        copy = packet.copy()
        copy.is_egress = True
        copy.action_set = {OUTPUT: Output(port.port_no)}
        if packet.witness is not None:
            packet.witness.remark(f"port {port.port_no}", "egress tables come before it")
        assert self.stages.first_egress is not None
        self.pipeline.process(copy, self.stages.first_egress)
        if packet.witness is not None and OUTPUT not in copy.action_set:
            packet.witness.lose(f"dropped: its egress action set lost port {port.port_no}")


def fits(entry: FlowEntry, stages: Stages) -> bool:
    """Whether an entry may be where it is, if the tables are parted into these stages."""
    for instruction in entry.instructions:
        match instruction:
            case GotoTable(table_id=target):
                if target not in stages.tables_behind(entry.table_id):
                    return False
            case WriteActions(actions=actions) if stages.is_egress(entry.table_id):
                if any(isinstance(action, DIRECTING) for action in actions):
                    return False
    return True
