"""OF1.5's egress tables: packets on their way out (OF1.5.1 5.1 "OpenFlow Pipeline").

Where a table is the first egress table, a packet that is sent to a port goes through the
tables from that one on before it leaves, with an action set that has this output. It enters
them once: what is sent from there, leaves.
"""

from __future__ import annotations

from protocol import Output

from .flow_table import FlowTables
from .packet import OUTPUT, Packet
from .pipeline import Pipeline
from .ports import SwitchPort
from .undo import UndoLog


class Egress:
    """Takes packets through the egress tables, as long as there are some."""

    def __init__(self, tables: FlowTables, pipeline: Pipeline, undo: UndoLog) -> None:
        self.tables, self.pipeline, self.undo = tables, pipeline, undo

    def begin_at(self, table_id: int | None) -> None:
        """Let egress processing begin at a table; None is no egress processing."""
        before = self.tables.first_egress
        self.undo.note(lambda: self._begin_at(before))
        self._begin_at(table_id)

    def _begin_at(self, table_id: int | None) -> None:
        self.tables.first_egress = table_id
        self.pipeline.forwarding.egress = None if table_id is None else self._leave

    def _leave(self, port: SwitchPort, packet: Packet) -> None:
        first = self.tables.first_egress
        assert first is not None, "it is called as long as there are egress tables"
        copy = packet.copy()
        copy.version = packet.version
        copy.egress_port = port.port_no
        copy.action_set = {OUTPUT: Output(port.port_no)}
        copy.note_action_set()
        self.pipeline.process(copy, first)
