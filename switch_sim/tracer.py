"""The witness that goes along with a packet and writes its trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from protocol import OF10, ApplyActions, ClearActions, Match, Output, Port
from protocol.record import Record
from protocol.syntax.actions import INSTRUCTION_NAMES, action_text, instruction_text
from protocol.syntax.match import match_text

from .flow_entry import FlowEntry
from .flow_key import FlowKey
from .flow_table import FlowTable
from .near_misses import (
    MAX_CANDIDATES,
    MAX_EXAMINED,
    candidates,
    described,
    matches,
    shadowed,
    value_of,
)
from .packet import Does, Packet
from .session import Effects
from .trace import Change, Departed, Done, Entry, Event, LookUp, Remark, Sent, Trace

if TYPE_CHECKING:
    from .datapath import Datapath

MAX_EXPLAINED = 64  #: look-ups of which is told what came near
MAX_EVENTS = 1_000  #: of a trace: resubmits and groups of groups make many
_TTLS = ("nw_ttl", "mpls_ttl")  # which are read off the frame when they are asked for
_HIDDEN = {"in_phy_port", "packet_type", "actset_output", "metadata", "tunnel_id"}


class Tracer:
    """Notes what happens to a packet and its copies."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.left: list[str] = []  #: where it left
        self.losses: list[str] = []  #: why it did not
        self.keys: list[FlowKey] = []  #: the fields at each look-up
        self.visited: set[int] = set()

    def remark(self, subject: str, text: str) -> None:
        """Note what happens, and why."""
        self._add(Remark(subject, text))

    def lose(self, text: str) -> None:
        """Note why the packet, or a copy of it, ends."""
        self.losses.append(text)
        self._add(Remark("packet", text))

    def output(self, where: str, data: bytes, why_not: str) -> None:
        """Note that the packet comes to a way out."""
        self._add(Sent(where, data.hex(), why_not))
        if why_not:
            self.losses.append(f"{where}: {why_not}")
        else:
            self.left.append(where)

    def looked_up(self, packet: Packet, table: FlowTable, entry: FlowEntry | None) -> None:
        """Note a look-up, and what came near."""
        key = packet.key
        self.keys.append(_copy(key))
        self.visited.add(packet.table_id)
        found = described(entry) if entry is not None else None
        if len(self.keys) > MAX_EXPLAINED:
            self._add(LookUp(packet.table_id, found))
            return
        # An entry that would stand below the one that was met is no loss.
        rank = -1 if entry is None else entry.rank
        near = (other for other in islice(table, MAX_EXAMINED) if other.rank >= rank)
        below = () if entry is None else shadowed(table, key, entry)
        note = _note(packet, table, entry)
        self._add(LookUp(packet.table_id, found, candidates(near, key), below, note))

    def watch(self, does: Mapping[type, Does]) -> Mapping[type, Does]:
        """Return the same, which notes what is done."""
        return _Watched(self, does)

    def done(self, place: int, what: Record, before: FlowKey, note: str, packet: Packet) -> None:
        """Note an action or instruction before what it led to, and the fields that it changed."""
        text = instruction_text(what) if type(what) in INSTRUCTION_NAMES else action_text(what)
        self._add(Done(text + note, tuple(_changes(before, packet.key))), place)

    def _add(self, event: Event, place: int | None = None) -> None:
        if len(self.events) < MAX_EVENTS:
            self.events.insert(len(self.events) if place is None else place, event)


class _Watched(Mapping[type, Does]):
    """What actions or instructions do, noted when they are done."""

    def __init__(self, tracer: Tracer, does: Mapping[type, Does]) -> None:
        self._tracer, self._does = tracer, does

    def __getitem__(self, kind: type) -> Does:
        does = self._does[kind]
        if kind is ApplyActions:
            return does  # its actions are noted one by one
        return lambda packet, what: self._do(does, packet, what)

    def __iter__(self) -> Iterator[type]:
        return iter(self._does)

    def __len__(self) -> int:
        return len(self._does)

    def _do(self, does: Does, packet: Packet, what: Any) -> None:
        before = _copy(packet.key)
        place = len(self._tracer.events)
        cleared = _cleared(packet, what)
        try:
            does(packet, what)
        finally:
            self._tracer.done(place, what, before, cleared, packet)


def _copy(key: FlowKey) -> FlowKey:
    """Return the fields as they are now."""
    copy = FlowKey(key)
    copy.__dict__.update(key.__dict__)
    return copy


def _cleared(packet: Packet, what: object) -> str:
    if not isinstance(what, ClearActions):
        return ""
    forgotten = ",".join(map(action_text, packet.action_set.values()))
    return f": the action set forgets {forgotten or 'nothing'}"


def _changes(before: FlowKey, after: FlowKey) -> Iterator[Change]:
    for name in dict.fromkeys([*before, *after, *_TTLS]):
        if name != "actset_output" and before[name] != after[name]:
            yield Change(name, _shown(before, name), _shown(after, name))


def _shown(key: FlowKey, name: str) -> str | None:
    value = key[name]
    return None if value is None else value_of(name, value)


def _note(packet: Packet, table: FlowTable, entry: FlowEntry | None) -> str:
    if entry is None:
        return "the table is empty" if not len(table) else ""
    deadline = entry.deadline()
    if deadline is not None and deadline <= packet.now:
        return "its time is over: it goes as soon as the switch looks at its timers"
    return "a table-miss entry" if entry.is_miss else ""


# A whole trace


def trace(datapath: Datapath, in_port: int, data: bytes, now: float, is_alone: bool) -> Trace:
    """Return what would become of a frame; nothing becomes of it.

    `is_alone` is whether the switch forwards without its tables.
    """
    tracer, effects = Tracer(), Effects()
    packet = Packet(data, in_port, OF10, now, effects)
    packet.witness = tracer
    port = datapath.ports.get(in_port)
    why_not = f"there is no port {in_port}" if port is None else port.why_not_received(data)
    if why_not:
        tracer.lose(f"not received by port {in_port}: {why_not}")
    elif is_alone:
        tracer.remark("switch", "has no controller and forwards as NORMAL does, without tables")
        packet.is_egress = True
        datapath.forwarding.output(packet, Output(Port.NORMAL))
    elif datapath.fast_path.drops_fragments and packet.key.is_fragment:
        tracer.lose("dropped: an IP fragment (nw_frag), and the switch's config has FRAG_DROP")
    elif datapath.fast_path.reassembles and packet.key.is_fragment:
        tracer.lose("kept: an IP fragment waits for the rest, since the config has FRAG_REASM")
    else:
        datapath.pipeline.process(packet)
    whole, events = _packet_text(data, in_port), tuple(tracer.events)
    if tracer.left:
        return Trace(in_port, whole, events, (), (), f"sent: {', '.join(tracer.left)}")
    return Trace(
        in_port,
        whole,
        events,
        tuple(islice(_elsewhere(datapath, tracer), MAX_CANDIDATES)),
        tuple(islice(_departed(datapath, tracer, now), MAX_CANDIDATES)),
        "nothing leaves the switch: " + _why(tracer),
    )


def _why(tracer: Tracer) -> str:
    if tracer.losses:
        return "; ".join(dict.fromkeys(tracer.losses))
    return "no action sends it anywhere"


def _packet_text(data: bytes, in_port: int) -> str:
    key = Packet(data, in_port, OF10, 0.0, Effects()).key
    shown = {name: value for name, value in key.items() if name not in _HIDDEN}
    return match_text(Match.unchecked(shown))


def _elsewhere(datapath: Datapath, tracer: Tracer) -> Iterator[Entry]:
    """Yield the entries of other tables that the packet would match as it was at the end."""
    if not tracer.keys:
        return
    for table_id, table in sorted(datapath.tables.items()):
        if table_id not in tracer.visited:
            for entry in islice(table, MAX_EXAMINED):
                if entry.masks and matches(entry, tracer.keys[-1]):
                    yield described(entry)


def _departed(datapath: Datapath, tracer: Tracer, now: float) -> Iterator[Departed]:
    """Yield the entries that went lately, and would have matched in a table that was visited."""
    for at, entry, reason in reversed(datapath.departed):
        is_gone = entry.table_id in tracer.visited and not entry.is_present
        if is_gone and any(matches(entry, key) for key in tracer.keys):
            yield Departed(described(entry), reason.name, now - at)
