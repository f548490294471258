"""The groups: their buckets, which of these a packet goes to, and which live."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import accumulate

from protocol import ANY_GROUP, Bucket, Group, GroupType, Output, Port, Version, nicira
from protocol.oxm import FieldValue

from .action_set import as_set, in_order
from .flow_entry import with_nested
from .flow_key import FlowKey
from .ports import SwitchPort
from .undo import UndoLog

MAX_GROUPS = 65_536  #: of each type
MAX_CHAIN = 32  #: groups that a packet can go through one after another

# What a select group tells one conversation from another by.
_CONVERSATION = (
    *("eth_src", "eth_dst", "eth_type", "vlan_vid", "mpls_label", "arp_spa", "arp_tpa"),
    *("ipv4_src", "ipv4_dst", "ipv6_src", "ipv6_dst", "ip_proto"),
    *("tcp_src", "tcp_dst", "udp_src", "udp_dst", "sctp_src", "sctp_dst"),
)
_HALF = 32  # bits of a hash that are used at a time
_ONES = (1 << _HALF) - 1


class BucketEntry:
    """A bucket and what it has counted. `weight` is its share of a select group's packets.

    `version` is the one in whose words its actions are.
    """

    __slots__ = ("bucket", "byte_count", "groups", "packet_count", "ports", "version", "weight")

    def __init__(self, bucket: Bucket, weight: int, version: Version) -> None:
        self.bucket, self.weight, self.version = bucket, weight, version
        self.packet_count = self.byte_count = 0
        actions = with_nested(bucket.actions)
        self.groups = tuple(one.group_id for one in actions if isinstance(one, Group))
        # An output that another action of the set takes the place of leads nowhere.
        done = in_order(as_set(bucket.actions))
        self.ports = tuple(one.port for one in done if isinstance(one, Output))

    @property
    def watches(self) -> bool:
        """Whether its life depends on a port or a group that it names."""
        return self.bucket.watch_port != Port.ANY or self.bucket.watch_group != ANY_GROUP


class GroupEntry:
    """A group (OF1.3.5 5.6 "Group Table"), and what it has counted since `created`."""

    __slots__ = (
        "_bounds",
        "buckets",
        "byte_count",
        "created",
        "group_id",
        "packet_count",
        "selection",
        "type",
    )

    def __init__(self, group_id: int, now: float) -> None:
        self.group_id = group_id
        self.created = now
        self.packet_count = self.byte_count = 0
        self.configure(GroupType.ALL, ())

    def configure(
        self,
        kind: int,
        buckets: Sequence[BucketEntry],
        selection: nicira.SelectionMethod | None = None,
    ) -> None:
        """Have this type and these buckets from now on; what was counted stays."""
        self.type, self.buckets, self.selection = kind, tuple(buckets), selection
        self._bounds = _bounds(self.buckets)

    @property
    def looks_who_lives(self) -> bool:
        """Whether dead buckets get nothing."""
        return self.type in (GroupType.SELECT, GroupType.FF)

    @property
    def targets(self) -> set[int]:
        """The groups that its buckets forward to."""
        return {target for bucket in self.buckets for target in bucket.groups}

    @property
    def watched(self) -> set[int]:
        """The groups that its buckets live by."""
        return {bucket.bucket.watch_group for bucket in self.buckets} - {ANY_GROUP}

    def pick(self, number: int) -> BucketEntry | None:
        """Return the bucket in whose share a number of 32 bits falls; None without shares."""
        return _pick(self.buckets, self._bounds, number)


class GroupTable(dict[int, GroupEntry]):
    """The groups by group_id. `ports` are the switch's, whose life buckets may watch."""

    def __init__(
        self,
        ports: Mapping[int, SwitchPort],
        undo: UndoLog | None = None,
        max_groups: int = MAX_GROUPS,
    ) -> None:
        super().__init__()
        self.ports, self.max_groups = ports, max_groups
        self.counts: Counter[int] = Counter()  #: how many groups there are of each type
        self._undo = UndoLog() if undo is None else undo
        self._forwarders: dict[int, set[int]] = {}  # group -> those with an action to it
        self._watchers: dict[int, set[int]] = {}  # group, be it there or not -> who lives by it

    # What there is

    def put(
        self,
        entry: GroupEntry,
        kind: int,
        buckets: Sequence[BucketEntry],
        selection: nicira.SelectionMethod | None = None,
    ) -> None:
        """Add a group, or change one that is there."""
        group_id = entry.group_id
        if group_id in self:
            before = entry.type, entry.buckets, entry.selection
            self._undo.note(lambda: self.put(entry, *before))
            self._unlink(entry)
        else:
            self._undo.note(lambda: self.take(group_id))
        entry.configure(kind, buckets, selection)
        self[group_id] = entry
        self.counts[kind] += 1
        for target in entry.targets:
            self._forwarders.setdefault(target, set()).add(group_id)
        for watched in entry.watched:
            self._watchers.setdefault(watched, set()).add(group_id)

    def take(self, group_id: int) -> None:
        """Take a group out."""
        entry = self.pop(group_id)
        self._undo.note(lambda: self.put(entry, entry.type, entry.buckets, entry.selection))
        self._unlink(entry)

    def _unlink(self, entry: GroupEntry) -> None:
        self.counts[entry.type] -= 1
        for users, others in ((self._forwarders, entry.targets), (self._watchers, entry.watched)):
            for one in others:
                users[one].discard(entry.group_id)
                if not users[one]:
                    del users[one]

    def forwarders(self, group_id: int) -> Collection[int]:
        """Return the groups with a bucket that forwards to a group."""
        return self._forwarders.get(group_id, ())

    # Chains

    def reach(self, group_ids: Iterable[int]) -> set[int]:
        """Return the groups that these lead to, or live by; they themselves are among them.

        So is a group that is not there, but is watched: it may come back.
        """
        found: set[int] = set()
        left = list(group_ids)
        while left:
            group_id = left.pop()
            if group_id not in found:
                found.add(group_id)
                left += self._below(group_id)
        return found

    def depth(self, group_ids: Iterable[int]) -> int:
        """Return how many groups follow one another from one of these on."""
        return _longest(group_ids, self._below, {})

    def height(self, group_id: int) -> int:
        """Return how many groups stand one above another over this one, be it there or not."""
        return _longest(self._above(group_id), self._above, {})

    def _below(self, group_id: int) -> set[int]:
        entry = self.get(group_id)
        return set() if entry is None else entry.targets | entry.watched

    def _above(self, group_id: int) -> set[int]:
        return {*self.forwarders(group_id), *self._watchers.get(group_id, ())}

    # Life (OF1.3.5 6.5 "Group Table Modification Messages")

    def lives(self, group_id: int) -> bool:
        """Whether at least one bucket of a group lives."""
        return self._group_lives(group_id, {})

    def why_dead(self, bucket: BucketEntry) -> str:
        """Return why a bucket gets no packet of its group, empty if it lives."""
        if self._bucket_lives(bucket, {}):
            return ""
        watched, parts = bucket.bucket, list[str]()
        if watched.watch_port != Port.ANY:
            parts.append(f"watch_port {watched.watch_port} is not live")
        if watched.watch_group != ANY_GROUP:
            parts.append(f"watch_group {watched.watch_group} is not live")
        return f"dead: {', '.join(parts) or 'where it leads is not live'}"

    def _group_lives(self, group_id: int, known: dict[int, bool]) -> bool:
        # Each group is asked once: chains that meet again and again would take for ever.
        if group_id not in known:
            entry = self.get(group_id)
            known[group_id] = entry is not None and any(
                self._bucket_lives(bucket, known) for bucket in entry.buckets
            )
        return known[group_id]

    def _bucket_lives(self, bucket: BucketEntry, known: dict[int, bool]) -> bool:
        # A bucket that watches nothing lives if what it leads to does.
        if bucket.watches:
            watched = bucket.bucket
            return self._port_lives(watched.watch_port) or (
                watched.watch_group != ANY_GROUP and self._group_lives(watched.watch_group, known)
            )
        return all(port > Port.MAX or self._port_lives(port) for port in bucket.ports) and all(
            self._group_lives(group_id, known) for group_id in bucket.groups
        )

    def _port_lives(self, port_no: int) -> bool:
        port = self.ports.get(port_no)
        return port is not None and port.is_up

    # Choice (OF1.3.5 5.6.1 "Group Types")

    def choose(self, entry: GroupEntry, key: FlowKey) -> Sequence[BucketEntry]:
        """Return the buckets that a packet goes to, each with a copy of it."""
        match entry.type:
            case GroupType.SELECT:
                return self._select(entry, key)
            case GroupType.FF:
                return self._first_alive(entry.buckets)
            case GroupType.INDIRECT:
                return entry.buckets[:1]
        return entry.buckets

    def _select(self, entry: GroupEntry, key: FlowKey) -> Sequence[BucketEntry]:
        number = conversation(key, entry.selection)
        found = entry.pick(number & _ONES)
        known: dict[int, bool] = {}
        if found is None or self._bucket_lives(found, known):
            return (found,) if found else ()
        # Only what went to the dead ones goes elsewhere; its place is drawn anew.
        alive = [bucket for bucket in entry.buckets if self._bucket_lives(bucket, known)]
        found = _pick(alive, _bounds(alive), number >> _HALF & _ONES)
        return (found,) if found else ()

    def _first_alive(self, buckets: Sequence[BucketEntry]) -> Sequence[BucketEntry]:
        known: dict[int, bool] = {}
        for bucket in buckets:
            if self._bucket_lives(bucket, known):
                return (bucket,)
        return ()


def conversation(key: FlowKey, selection: nicira.SelectionMethod | None = None) -> int:
    """Return a number that packets of one conversation have in common, in every run the same.

    `selection` may say which fields tell conversations from one another, and where to begin.
    """
    # The hash of a tuple of numbers is not salted; None has an address for its hash.
    if selection is None:
        return hash(tuple([key.get(name) or 0 for name in _CONVERSATION]))
    names = selection.fields or _CONVERSATION
    values = [(key.get(name) or 0) & _mask(selection.fields.get(name)) for name in names]
    return hash((selection.selection_method_param, *values))


def _mask(value: FieldValue | None) -> int:
    return value if isinstance(value, int) else -1


def _bounds(buckets: Sequence[BucketEntry]) -> list[int]:
    return list(accumulate(bucket.weight for bucket in buckets))


def _pick(buckets: Sequence[BucketEntry], bounds: Sequence[int], number: int) -> BucketEntry | None:
    """Return the bucket in whose share a number of 32 bits falls."""
    total = bounds[-1] if bounds else 0
    return buckets[bisect_right(bounds, number * total >> _HALF)] if total else None


def _longest(
    group_ids: Iterable[int],
    following: Callable[[int], Iterable[int]],
    known: dict[int, int],
) -> int:
    """Return the length of the longest way from one of these; there must be no circle."""
    lengths = [0]
    for group_id in group_ids:
        if group_id not in known:
            known[group_id] = 1 + _longest(following(group_id), following, known)
        lengths.append(known[group_id])
    return max(lengths)
