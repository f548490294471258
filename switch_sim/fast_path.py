"""Frames that ports receive, through the pipeline by what is known of their like."""

from __future__ import annotations

from functools import partial

from protocol import OF10

from .action_set import in_order
from .flow_cache import END, FlowCache, Notes, Walk
from .packet import Packet
from .pipeline import Pipeline, count
from .reassembly import Reassembler
from .session import Effects


class FastPath:
    """Lets a frame follow the walk of an earlier one where there is one that fits.

    What follows is the same as if it had been looked up in each table: actions are done,
    counters count, timeouts begin anew.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.cache = FlowCache()
        self._drops_fragments = False
        self._reassembler: Reassembler | None = None

    @property
    def drops_fragments(self) -> bool:
        """Whether IP fragments are lost (OF1.3.5 7.3.2 "Switch Configuration")."""
        return self._drops_fragments

    @property
    def reassembles(self) -> bool:
        """Whether IP fragments wait until their datagram is whole."""
        return self._reassembler is not None

    def treat_fragments(self, *, drop: bool, reassemble: bool) -> None:
        """Say what becomes of IP fragments; else they are packets as others are."""
        if (drop, reassemble) != (self._drops_fragments, self.reassembles):
            self.cache.flush()
            self._drops_fragments = drop
            self._reassembler = Reassembler() if reassemble else None

    def receive(self, in_port: int, data: bytes, now: float, effects: Effects) -> bool:
        """Process a frame; return whether it was one to take in."""
        walk = self.cache.find(in_port, data)
        if walk is not None and not walk.holds():
            walk = None
        if walk is not None and walk.outputs is not None:
            self._forward(walk, walk.outputs, data, now, effects)
            return True
        packet = Packet(data, in_port, OF10, now, effects)
        if walk is not None:
            self.pipeline.process_by(packet, partial(self._follow, walk=walk))
            return True
        if (self._drops_fragments or self._reassembler) and packet.key.is_fragment:
            return self._take_fragment(packet)
        self._receive_first(packet)
        return True

    def _take_fragment(self, packet: Packet) -> bool:
        if self._reassembler is None:
            return False
        whole = self._reassembler.add(packet.data, packet.key, packet.in_port, packet.now)
        return whole is None or self.receive(packet.in_port, whole, packet.now, packet.effects)

    def _receive_first(self, packet: Packet) -> None:
        """Process a packet that looks like none before, and keep what it met."""
        in_port, data = packet.in_port, packet.data
        notes = Notes(sends_at_once=self.pipeline.forwarding.egress is None)
        if self._drops_fragments or self._reassembler:
            notes.seen.look_for_fragments(data, packet.key)
        self.pipeline.process_by(packet, partial(self._walk_noted, notes=notes))
        self.cache.keep(in_port, data, notes)

    def _walk_noted(self, packet: Packet, notes: Notes) -> bool:
        found = self.pipeline.walk(packet, 0, notes=notes)
        if found:
            notes.finish(in_order(packet.action_set) if packet.action_set else ())
        return found

    def _forward(
        self, walk: Walk, outputs: tuple[int, ...], data: bytes, now: float, effects: Effects
    ) -> None:
        """Count a frame in its tables and send it to ports as it came."""
        size = len(data)
        for table, _, _, entry, _ in walk.steps:
            table.lookup_count += 1
            if entry is not None:
                table.matched_count += 1
                entry.packet_count += 1
                entry.byte_count += size
                entry.used = now
        ports = self.pipeline.forwarding.ports
        for port_no in outputs:
            port = ports.get(port_no)
            if port is not None and port.send(data):
                effects.frames.append((port_no, data))

    def _follow(self, packet: Packet, walk: Walk) -> bool:
        """Do what the entries of a walk say, and go on by looking up where it ends."""
        goes_to: int | None = None
        for step in walk.steps:
            packet.table_id = step.table_id
            if not step.holds():  # an action of the packet itself changed the table
                return self.pipeline.walk(packet, step.table_id)
            if step.entry is None:
                count(packet, step.table, None)
                continue
            before = packet.data
            goes_to = self.pipeline.follow(packet, step.table, step.entry)
            if step.is_metered and goes_to is not None and packet.data is not before:
                return self.pipeline.walk(packet, goes_to)
        if walk.rest != END:
            return self.pipeline.walk(packet, walk.rest)
        return walk.steps[-1].entry is not None
