"""The fast path: walks through the tables, kept by the bits of the frame that they looked at.

A frame that comes in and agrees with an earlier one in those bits meets the same entries. So
the look-ups are left out, and all that entries do is done: actions run on this packet, groups
choose, meters measure, counters count. Open vSwitch calls such a thing a megaflow.

What a walk has met is asked again at each table that it passes: an entry that was removed or
does something else by now, or a table in which something was added since, ends its use there,
and the packet goes on by looking up. So no change of a table has to find the walks that it
concerns. When there are too many walks, all are forgotten: what is in use comes back with its
next packet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from protocol import (
    Action,
    ApplyActions,
    ClearActions,
    CopyField,
    CopyTtlIn,
    CopyTtlOut,
    DecMplsTtl,
    DecNwTtl,
    Enqueue,
    GotoTable,
    Group,
    Instruction,
    Meter,
    Output,
    PopMpls,
    PopVlan,
    Port,
    PushMpls,
    PushVlan,
    SetDlDst,
    SetDlSrc,
    SetField,
    SetMplsLabel,
    SetMplsTc,
    SetMplsTtl,
    SetNwDst,
    SetNwEcn,
    SetNwSrc,
    SetNwTos,
    SetNwTtl,
    SetQueue,
    SetTpDst,
    SetTpSrc,
    WriteActions,
    WriteMetadata,
)

from .fields import HEADERS
from .flow_entry import FlowEntry
from .flow_key import PIPELINE_FIELDS
from .flow_table import FlowTable
from .footprint import Footprint
from .packet import Packet

MAX_WALKS = 8192  #: of a switch; some 6 MB
MAX_SHAPES = 48  #: of an in_port: each costs a third of a microsecond to ask
MAX_WHOLE = 256  #: bytes of a frame that is kept whole
_ANY_SIZE = 1 << 32  # bytes; no frame is so long
END = -1  #: in place of a table: no more tables, the action set is next


class Step(NamedTuple):
    """A table that a walk passed, and what it found there; no entry is a miss."""

    table: FlowTable
    table_id: int
    generation: int
    entry: FlowEntry | None
    program: tuple[Instruction, ...]

    def holds(self) -> bool:
        """Whether the look-up would find the same."""
        table, _, generation, entry, program = self
        return table.generation == generation and (
            entry is None or (entry.is_present and entry.program is program)
        )

    @property
    def is_metered(self) -> bool:
        """Whether a meter may change the packet, by its rate and not by its bits."""
        return bool(self.program) and type(self.program[0]) is Meter


class Walk:
    """What a packet met: tables passed, and the table where it goes on by looking up.

    `outputs` are ports, where sending the frame there as it is is all that happens.
    """

    __slots__ = ("outputs", "rest", "steps")

    def __init__(self, steps: tuple[Step, ...], rest: int, outputs: tuple[int, ...] | None):
        self.steps, self.rest, self.outputs = steps, rest, outputs

    def holds(self) -> bool:
        """Whether a packet would meet the same in each table."""
        for table, _, generation, entry, program in self.steps:
            if table.generation != generation:
                return False
            if entry is not None and not (entry.is_present and entry.program is program):
                return False
        return True


class Shape:
    """Walks that looked at the same bits."""

    __slots__ = ("at_least", "at_most", "length", "length_at", "mask", "size", "walks")

    def __init__(self, mask: int, at_least: int, at_most: int, length_at: int, length: int):
        self.mask, self.at_least, self.at_most = mask, at_least, at_most
        self.size = (mask.bit_length() + 7) // 8  #: bytes that the mask reaches over
        self.length_at, self.length = length_at, length
        self.walks: dict[int, Walk] = {}

    @classmethod
    def of(cls, seen: Footprint, frame_size: int) -> Shape:
        """Return the shape of what was seen of a frame."""
        return cls(*_key(seen, frame_size))

    def frame_of(self, data: bytes) -> int:
        """Return the bits of a frame that count."""
        return int.from_bytes(data[: self.size], "little") & self.mask

    def is_long_enough(self, data: bytes) -> bool:
        """Whether an IP header says that there is as much behind it as in the first frame."""
        at = self.length_at
        return not at or int.from_bytes(data[at : at + 2], "big") >= self.length


def _key(seen: Footprint, frame_size: int) -> tuple[int, int, int, int, int]:
    if seen.is_whole:
        return (1 << 8 * frame_size) - 1, frame_size, frame_size, 0, 0
    return seen.mask, seen.at_least, _ANY_SIZE, seen.length_at, seen.length


class FlowCache:
    """The walks of a switch, by the port that the frame came in by and the shape."""

    def __init__(self) -> None:
        self._shapes: dict[int, dict[tuple[int, ...], Shape]] = {}
        # Walks of one table, by in_port and entry: frames that meet the same share them.
        self._short: dict[tuple[int, FlowEntry], Walk] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def find(self, in_port: int, data: bytes) -> Walk | None:
        """Return the walk of frames that look like this one, None if there is none."""
        size = len(data)
        shapes = self._shapes.get(in_port)
        if shapes is None:
            return None
        for shape in shapes.values():
            if shape.at_least <= size <= shape.at_most:
                # In place of frame_of, as each frame comes by here.
                walk = shape.walks.get(int.from_bytes(data[: shape.size], "little") & shape.mask)
                if walk is not None and (not shape.length_at or shape.is_long_enough(data)):
                    return walk
        return None

    def keep(self, in_port: int, data: bytes, notes: Notes) -> None:
        """Keep what a packet met that came in as `data`, in place of what was kept for it."""
        seen = notes.seen
        if seen.is_whole and len(data) > MAX_WHOLE:
            return
        if self._count >= MAX_WALKS:
            self.flush()
        shape = self._shape(in_port, _key(seen, len(data)))
        frame = shape.frame_of(data)
        self._count += frame not in shape.walks
        shape.walks[frame] = self._walk(in_port, notes)

    def _walk(self, in_port: int, notes: Notes) -> Walk:
        entry = notes.only_entry
        if entry is None:
            return notes.walk(in_port)
        known = self._short.get((in_port, entry))
        if known is None or not known.holds():
            known = self._short[in_port, entry] = notes.walk(in_port)
        return known

    def _shape(self, in_port: int, key: tuple[int, int, int, int, int]) -> Shape:
        shapes = self._shapes.setdefault(in_port, {})
        shape = shapes.get(key)
        if shape is None:
            if len(shapes) >= MAX_SHAPES:
                self._count -= sum(len(one.walks) for one in shapes.values())
                shapes.clear()
            shape = shapes[key] = Shape(*key)
        return shape

    def flush(self) -> None:
        """Forget all walks: after a change that they do not notice themselves."""
        self._shapes.clear()
        self._short.clear()
        self._count = 0


# What is noted while a packet walks for the first time


class Notes(msgspec.Struct):
    """What a packet meets, and which bits of it decided that.

    They end with an action of which it is not known on what its effects depend, or that needs
    more than the packet for them: from there on, each packet looks up for itself.

    They end with an output as well: egress tables are looked up in each time. `sends_at_once` is
    whether there are none.
    """

    sends_at_once: bool = True
    seen: Footprint = msgspec.field(default_factory=Footprint)
    _steps: list[Step] = []
    _rest: int = 0
    _set: tuple[Action, ...] | None = None
    _is_closed: bool = False

    def found(self, packet: Packet, table: FlowTable, entry: FlowEntry | None) -> bool:
        """Note a look-up; return whether there are notes to be made of what follows."""
        if self._is_closed:
            return False
        self.seen.look(packet.data, packet.key, table.searched(entry), table.footprints)
        program = entry.program if entry is not None else ()
        self._steps.append(Step(table, packet.table_id, table.generation, entry, program))
        last = program[-1] if program else None
        self._rest = last.table_id if type(last) is GotoTable else END
        return True

    def before(self, packet: Packet, action: Action) -> bool:
        """Note what later look-ups depend on because of an action that is done next.

        Return whether that can be told.
        """
        note = _NOTES.get(type(action))
        if note is None:
            self._is_closed = True
            return False
        note(self.seen, packet, action)
        return True

    def after(self, instruction: Instruction, has_changed: bool) -> None:
        """Note the same of an instruction that was done."""
        if type(instruction) not in _SILENT and (type(instruction) is not Meter or has_changed):
            self._is_closed = True

    @property
    def only_entry(self) -> FlowEntry | None:
        """The entry of the first table, where it leads to no other."""
        return self._steps[0].entry if len(self._steps) == 1 and self._rest == END else None

    def finish(self, action_set: tuple[Action, ...]) -> None:
        """Note what is left to be done at the end of the tables."""
        if not self._is_closed:
            self._set = action_set

    def walk(self, in_port: int) -> Walk:
        """Return what was noted."""
        return Walk(tuple(self._steps), self._rest, self._outputs(in_port))

    def _outputs(self, in_port: int) -> tuple[int, ...] | None:
        """Return the ports where sending the frame as it came is all that was done."""
        if self._set is None or not self.sends_at_once:
            return None
        ports: list[int] = []
        for step in self._steps:
            if step.entry is None:
                return None
            for instruction in step.program:
                if type(instruction) is ApplyActions:
                    if not _add_outputs(ports, instruction.actions, in_port):
                        return None
                elif type(instruction) not in _SILENT:
                    return None
        return tuple(ports) if _add_outputs(ports, self._set, in_port) else None


# What in itself sends nothing.
_SILENT = frozenset({GotoTable, WriteActions, ClearActions, WriteMetadata})
_MAX, _IN_PORT, _LOCAL = int(Port.MAX), int(Port.IN_PORT), int(Port.LOCAL)


def _add_outputs(ports: list[int], actions: Iterable[Action], in_port: int) -> bool:
    """Add where actions send a packet; return whether it is only sent, and to ports."""
    for action in actions:
        if type(action) is not Output:
            return False
        port = action.port
        if port == _IN_PORT:
            ports.append(in_port)
        elif port > _MAX and port != _LOCAL:
            return False
        elif port != in_port:
            ports.append(port)
    return True


Note = Callable[[Footprint, Packet, Any], None]


def _nothing(seen: Footprint, packet: Packet, action: Action) -> None:
    """Later look-ups find what the action sets, or look at the bits that it changes."""


def _set(seen: Footprint, packet: Packet, action: SetField) -> None:
    for name in action.field:
        if name not in HEADERS and name not in PIPELINE_FIELDS:
            seen.is_whole = True  # such as vlan_tci, which may push and pop


def _copied(seen: Footprint, packet: Packet, action: CopyField) -> None:
    seen.look_at(packet.data, packet.key, action.src)


def _pushed_vlan(seen: Footprint, packet: Packet, action: PushVlan) -> None:
    seen.look_at(packet.data, packet.key, "vlan_vid", "vlan_pcp")
    seen.move(12, 0, 4)


def _popped_vlan(seen: Footprint, packet: Packet, action: PopVlan) -> None:
    seen.look_at(packet.data, packet.key, "vlan_vid")
    if packet.key.vlan:
        seen.move(12, 4, 0)


def _pushed_mpls(seen: Footprint, packet: Packet, action: PushMpls) -> None:
    seen.look_at(packet.data, packet.key, "eth_type", "mpls_label", "mpls_tc")
    seen.move(packet.key.type_at, 2, 6)


def _popped_mpls(seen: Footprint, packet: Packet, action: PopMpls) -> None:
    seen.look_at(packet.data, packet.key, "mpls_bos")
    if packet.key.mpls:
        seen.move(packet.key.type_at, 6, 2)


_NOTES: dict[type[Action], Note] = {
    **dict.fromkeys(
        (Output, Enqueue, Group, SetQueue, SetDlSrc, SetDlDst, SetNwSrc, SetNwDst,
         SetNwTos, SetNwEcn, SetNwTtl, SetTpSrc, SetTpDst, SetMplsLabel, SetMplsTc, SetMplsTtl,
         DecNwTtl, DecMplsTtl, CopyTtlIn, CopyTtlOut),
        _nothing,
    ),
    SetField: _set,
    CopyField: _copied,
    PushVlan: _pushed_vlan,
    PopVlan: _popped_vlan,
    PushMpls: _pushed_mpls,
    PopMpls: _popped_mpls,
}  # fmt: skip
