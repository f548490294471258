"""A flow entry: what it matches, what it does, and what it has counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from operator import attrgetter, itemgetter
from typing import Any

from protocol import (
    ANY_GROUP,
    OF10,
    Action,
    ApplyActions,
    ClearActions,
    EncodeError,
    Enqueue,
    FlowMod,
    FlowModFlags,
    FlowRemoved,
    FlowStats,
    FlowStatsReply,
    GotoTable,
    Group,
    Instruction,
    Match,
    Meter,
    MeterAction,
    Output,
    Port,
    Stats,
    StatTrigger,
    Version,
    WriteActions,
    WriteMetadata,
    nicira,
)
from protocol.compiler import is_told_by_value
from protocol.nicira import Conjunction, Note
from protocol.oxm import OXM

_UNTOLD = 0xFFFF_FFFF_FFFF_FFFF  # a counter that is not kept (OF1.3.5 5.8 "Counters")

# The order in which an entry's instructions are done (OF1.3.5 5.9 "Instructions"). It says
# nothing of StatTrigger, which looks at the packet as it was counted.
_ORDER = (StatTrigger, Meter, ApplyActions, ClearActions, WriteActions, WriteMetadata, GotoTable)

_SHAPES = 1024  # of matches, kept; a controller has a few

Masks = tuple[tuple[str, int], ...]  #: field and mask, by name; -1 takes all bits


def split_match(match: Match) -> tuple[Masks, tuple[int, ...]]:
    """Return which bits a match looks at, and what they must be.

    Equal meanings give equal results, however they were written.
    """
    given = tuple(match.values())
    if tuple not in map(type, given):
        masks, in_order = _whole(tuple(match.keys()))
        return masks, in_order(given)
    found: dict[str, tuple[int, int]] = {}
    for name, value in match.items():
        assert not isinstance(value, bytes), "unknown fields do not come this far"
        number, mask = value if isinstance(value, tuple) else (value, -1)
        if mask == OXM[name].all_ones:
            mask = -1
        if mask:
            found[name] = (mask, number & mask)
    names = sorted(found)
    return tuple((name, found[name][0]) for name in names), tuple(found[n][1] for n in names)


@lru_cache(_SHAPES)
def _whole(names: tuple[str, ...]) -> tuple[Masks, Callable[[tuple[Any, ...]], tuple[int, ...]]]:
    """Return the masks of whole fields, and how to bring their values into the same order."""
    order = sorted(range(len(names)), key=names.__getitem__)
    masks = tuple((names[at], -1) for at in order)
    if len(order) > 1:
        return masks, itemgetter(*order)
    return masks, tuple


Sizes = tuple[tuple[Version, int | None], ...]


class Doing:
    """What an entry does; those that do the same share it."""

    __slots__ = ("conjunctions", "instructions", "names_some", "program")

    def __init__(self, instructions: tuple[Instruction, ...]) -> None:
        self.instructions = instructions
        #: In the order of doing. Each is the only one of its type, so types alone decide it.
        self.program = instructions
        if len(instructions) > 1:
            self.program = tuple(sorted(instructions, key=lambda one: _ORDER.index(type(one))))
        #: which clauses of which matches the entry is, in place of a match by itself
        self.conjunctions = _conjunctions(instructions)
        self.names_some = _names_some(instructions)  #: groups, meters, learnt entries

    @staticmethod
    def of(instructions: tuple[Instruction, ...]) -> Doing:
        """Return what these instructions amount to, the same object for most of the same."""
        # To know the same object again costs less than to compare what it consists of.
        known = _doings.get(id(instructions))
        if known is not None:
            return known[1]
        if len(_doings) >= _SHAPES:
            _doings.clear()
        # What is equal may differ still, as the width of an option of a tunnel does.
        doing = _doing(instructions) if is_told_by_value(instructions) else Doing(instructions)
        _doings[id(instructions)] = instructions, doing
        return doing


_doing = lru_cache(_SHAPES)(Doing)
# By the id of instructions. They are kept with it, so that no others get that id.
_doings: dict[int, tuple[tuple[Instruction, ...], Doing]] = {}


class FlowEntry:
    """An entry of a flow table (OF1.3.5 5.2 "Flow Table").

    `version` is the one of the channel that made it: some actions mean other things in
    other versions. `rank` decides which of several matching entries counts: priority, and
    behind all of the same priority the one that matches everything.
    """

    __slots__ = (
        "byte_count",
        "cookie",
        "created",
        "doing",
        "flags",
        "hard_timeout",
        "idle_timeout",
        "importance",
        "is_miss",
        "is_present",
        "masks",
        "match",
        "modified",
        "packet_count",
        "priority",
        "program",
        "rank",
        "sizes",
        "table_id",
        "used",
        "values",
        "version",
    )

    def __init__(
        self,
        message: FlowMod,
        version: Version,
        now: float,
        doing: Doing | None = None,
    ) -> None:
        self.match = message.match
        self.priority = message.priority
        self.table_id = message.table_id
        self.cookie = message.cookie
        self.idle_timeout = message.idle_timeout
        self.hard_timeout = message.hard_timeout
        self.flags = message.flags
        self.importance = message.importance
        self.created = self.used = self.modified = now
        self.packet_count = self.byte_count = 0
        self.is_present = False  #: in a table
        self.masks, self.values = split_match(message.match)
        self.rank = _rank(self, version)
        self.is_miss = self.priority == 0 and not self.masks
        self.change(doing or Doing.of(message.instructions), version)

    @property
    def fields(self) -> dict[str, tuple[int, int]]:
        """The value and mask of each field by name."""
        return {
            name: (value, mask) for (name, mask), value in zip(self.masks, self.values, strict=True)
        }

    def change(self, doing: Doing, version: Version) -> None:
        """Do other things from now on."""
        self.doing, self.version = doing, version
        self.program = doing.program
        self.sizes: Sizes = ()  # in a flow stats reply

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """What it does, as it was told."""
        return self.doing.instructions

    def count(self, size: int, now: float) -> None:
        """Count a packet of so many bytes."""
        self.packet_count += 1
        self.byte_count += size
        self.used = now

    def reset_counts(self) -> None:
        """Begin to count anew."""
        self.packet_count = self.byte_count = 0

    def continue_counts(self, before: FlowEntry) -> None:
        """Take over what an entry that this one replaces has counted."""
        self.packet_count, self.byte_count = before.packet_count, before.byte_count

    @property
    def actions(self) -> tuple[Action, ...]:
        """All actions, of whichever instruction."""
        return tuple(
            action
            for instruction in self.instructions
            if isinstance(instruction, ApplyActions | WriteActions)
            for action in instruction.actions
        )

    def sends_to(self, port_no: int) -> bool:
        """Whether an action outputs to a port; Port.ANY means whatever port."""
        return port_no == Port.ANY or any(
            _port_of(action) == port_no for action in with_nested(self.actions)
        )

    def uses_group(self, group_id: int) -> bool:
        """Whether an action names a group; ANY_GROUP means whatever group."""
        return group_id == ANY_GROUP or any(
            isinstance(action, Group | nicira.Group) and action.group_id == group_id
            for action in with_nested(self.actions)
        )

    def has_cookie(self, cookie: int, cookie_mask: int) -> bool:
        """Whether the cookie agrees in the bits of the mask."""
        return (self.cookie ^ cookie) & cookie_mask == 0

    def deadline(self) -> float | None:
        """Return when the entry goes if no packet comes, None for never."""
        if not self.hard_timeout:
            return self.used + self.idle_timeout if self.idle_timeout else None
        end = self.modified + self.hard_timeout
        return min(self.used + self.idle_timeout, end) if self.idle_timeout else end

    def stats(self, now: float) -> Stats:
        """Return what was counted."""
        age, idle = split_seconds(now - self.created), split_seconds(now - self.used)
        packets = _UNTOLD if self.flags & FlowModFlags.NO_PKT_COUNTS else self.packet_count
        octets = _UNTOLD if self.flags & FlowModFlags.NO_BYT_COUNTS else self.byte_count
        return Stats(
            duration_sec=age[0],
            duration_nsec=age[1],
            idle_sec=idle[0],
            idle_nsec=idle[1],
            packet_count=packets,
            byte_count=octets,
        )

    def description(self, now: float) -> FlowStats:
        """Return the entry as flow stats tell it."""
        return FlowStats(
            match=self.match,
            instructions=self.instructions,
            priority=self.priority,
            idle_timeout=self.idle_timeout,
            hard_timeout=self.hard_timeout,
            table_id=self.table_id,
            cookie=self.cookie,
            flags=self.flags,
            importance=self.importance,
            stats=self.stats(now),
        )

    def removed(self, reason: int, now: float) -> FlowRemoved:
        """Return the message that the entry went."""
        return FlowRemoved(
            match=self.match,
            cookie=self.cookie,
            priority=self.priority,
            reason=reason,
            table_id=self.table_id,
            idle_timeout=self.idle_timeout,
            hard_timeout=self.hard_timeout,
            stats=self.stats(now),
        )

    def size_in(self, version: Version) -> int | None:
        """Return how many bytes of a flow stats reply it takes.

        None if the version cannot say it: another one may have made it.
        """
        for known, size in self.sizes:
            if known is version:
                return size
        try:
            reply = FlowStatsReply((self.description(self.created),)).encode(version)
            size = len(reply) - _empty_reply(version)
        except EncodeError:
            size = None
        self.sizes = _with_size(self.sizes, version, size)
        return size


@cache
def _empty_reply(version: Version) -> int:
    return len(FlowStatsReply().encode(version))


@lru_cache(maxsize=4096)
def _with_size(sizes: Sizes, version: Version, size: int | None) -> Sizes:
    """Return sizes with one more; entries of the same sizes share them."""
    return (*sizes, (version, size))


by_rank = attrgetter("rank")


def with_nested(actions: Iterable[Action]) -> Iterator[Action]:
    """Yield actions, and those that stand in them."""
    for action in actions:
        yield action
        if isinstance(action, nicira.Clone):
            yield from with_nested(action.actions)


def _port_of(action: Action) -> int | None:
    match action:
        case Output(port=port) | Enqueue(port=port):
            return port
        case nicira.Controller() | nicira.Controller2():
            return Port.CONTROLLER
    return None


def _conjunctions(instructions: tuple[Instruction, ...]) -> tuple[Conjunction, ...]:
    found: list[Conjunction] = []
    for instruction in instructions:
        if type(instruction) is ApplyActions:
            for action in instruction.actions:
                if type(action) is Conjunction:
                    found.append(action)
                elif type(action) is not Note:
                    return tuple(found)  # nothing else stands beside them
    return tuple(found)


# The actions, beside the instruction Meter, of which references.py keeps account.
_NAMING = frozenset({Group, nicira.Group, MeterAction, nicira.Learn, nicira.Learn2, nicira.Clone})


def _names_some(instructions: tuple[Instruction, ...]) -> bool:
    for one in instructions:
        if type(one) is ApplyActions or type(one) is WriteActions:
            if not _NAMING.isdisjoint(map(type, one.actions)):
                return True
        elif type(one) is Meter:
            return True
    return False


def split_seconds(seconds: float) -> tuple[int, int]:
    """Return whole seconds and the nanoseconds beside them."""
    return divmod(max(0, round(seconds * 1_000_000_000)), 1_000_000_000)


def _rank(entry: FlowEntry, version: Version) -> int:
    rank = entry.priority * 2 + bool(entry.masks)
    # In OF1.0 an entry without wildcards is above all others (OF1.0 3.4 "Matching").
    if version == OF10 and _is_exact(entry.match):
        rank += 1 << 17
    return rank


_ALWAYS = ("in_port", "eth_src", "eth_dst", "eth_type", "vlan_vid")
_ADDRESSES = {0x0800: ("ip_dscp", "ip_proto", "ipv4_src", "ipv4_dst"),
              0x0806: ("arp_op", "arp_spa", "arp_tpa")}  # fmt: skip
_PORTS = {
    1: ("icmpv4_type", "icmpv4_code"),
    6: ("tcp_src", "tcp_dst"),
    17: ("udp_src", "udp_dst"),
}


def _is_exact(match: Match) -> bool:
    """Whether a match of OF1.0 leaves nothing open."""
    names = list(_ALWAYS)
    if match.number("vlan_vid"):
        names.append("vlan_pcp")
    names += _ADDRESSES.get(match.number("eth_type") or 0, ())
    if match.number("eth_type") == 0x0800:
        names += _PORTS.get(match.number("ip_proto") or 0, ())
    return all(match.number(name) is not None for name in names)
