"""A switch that looks up by going through all entries and keeps nothing: slow, and plain."""

from __future__ import annotations

from protocol import OF10
from switch_sim import Effects, Switch
from switch_sim.flow_entry import FlowEntry
from switch_sim.flow_key import FlowKey
from switch_sim.flow_table import FlowTable
from switch_sim.packet import Packet


def matches(entry: FlowEntry, key: FlowKey) -> bool:
    """Whether each field of an entry is in the frame and agrees in the bits of the mask."""
    for name, value in entry.match.items():
        number, mask = value if isinstance(value, tuple) else (value, -1)
        found = key.get(name)
        assert isinstance(number, int)
        if found is None or found & mask != number & mask:
            return False
    return True


class NaiveTable(FlowTable):
    def lookup(self, key: FlowKey) -> FlowEntry | None:
        found = [entry for entry in self if matches(entry, key)]
        return max(found, key=lambda entry: entry.rank, default=None)


class NaiveSwitch(Switch):
    """A switch whose tables are naive, with as many as are made beforehand."""

    def make_tables(self, count: int) -> None:
        for table_id in range(count):
            self.tables[table_id] = NaiveTable(self.tables.max_entries)

    def receive_frame(self, in_port: int, data: bytes, now: float) -> Effects:
        effects = Effects()
        port = self.ports.get(in_port)
        if port is not None and port.receive(data):
            packet = Packet(data, in_port, OF10, now, effects)
            if self.datapath.fast_path.drops_fragments and packet.key.is_fragment:
                port.counters.rx_dropped += 1
            else:
                self.datapath.pipeline.process(packet)
        return effects
