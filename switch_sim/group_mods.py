"""What a group_mod does (OF1.3.5 6.5 "Group Table Modification Messages").

A message is judged in this order: its command; its group_id and type; its buckets, each for
itself, then together; whether the group is there; the buckets that are there; room; the
groups that it leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from protocol import (
    ANY_GROUP,
    OF13,
    OF15,
    BadActionCode,
    BadPropertyCode,
    Bucket,
    ExperimenterProperty,
    Group,
    GroupMod,
    GroupModCommand,
    GroupModFailedCode,
    GroupType,
    Port,
    Version,
    nicira,
)
from protocol.compiler import write
from protocol.groups import BucketId, GroupId

from .check import Checker
from .group_stats import bucket_in
from .group_table import MAX_CHAIN, BucketEntry, GroupEntry, GroupTable
from .refused import Refused
from .statistics import MAX_RECORD

MAX_BUCKETS = 1_024  #: of a group; each has a number in its packet's way
_TYPES = frozenset(GroupType)
_WATCHED = (GroupType.SELECT, GroupType.FF)  # the types whose buckets may watch something

_METHODS = {"hash": True, "dp_hash": False}  # whether it takes fields

_Code = GroupModFailedCode


class _Plan(NamedTuple):
    """What a group is to be."""

    kind: int
    buckets: Sequence[BucketEntry]
    selection: nicira.SelectionMethod | None


class GroupMods:
    """Does group_mods, each wholly or, where it is refused, not at all."""

    def __init__(self, groups: GroupTable, checker: Checker) -> None:
        self.groups, self.checker = groups, checker
        self._commands: dict[int, Callable[[GroupMod, Version, float], list[int]]] = {
            GroupModCommand.ADD: self._add,
            GroupModCommand.MODIFY: self._modify,
            GroupModCommand.DELETE: self._delete,
            nicira.ADD_OR_MODIFY: self._add_or_modify,
        }
        self._commands15 = {
            **self._commands,
            GroupModCommand.INSERT_BUCKET: self._insert_buckets,
            GroupModCommand.REMOVE_BUCKET: self._remove_bucket,
        }

    def apply(self, message: GroupMod, version: Version, now: float) -> list[int]:
        """Do what a message says; return the groups that are deleted.

        Refused, with the error that the specification names, where it cannot be done.
        """
        commands = self._commands15 if version >= OF15 else self._commands
        command = commands.get(message.command)
        if command is None:
            raise Refused(_Code.BAD_COMMAND, f"group_mod has no command {message.command}")
        return command(message, version, now)

    # Commands

    def _add(self, message: GroupMod, version: Version, now: float) -> list[int]:
        plan = self._planned(message, version)
        if message.group_id in self.groups:
            raise Refused(_Code.GROUP_EXISTS, f"there is a group {message.group_id} already")
        self._put(GroupEntry(message.group_id, now), plan)
        return []

    def _modify(self, message: GroupMod, version: Version, now: float) -> list[int]:
        plan = self._planned(message, version)
        self._put(self._named(message), plan)
        return []

    def _add_or_modify(self, message: GroupMod, version: Version, now: float) -> list[int]:
        command = self._modify if message.group_id in self.groups else self._add
        return command(message, version, now)

    def _delete(self, message: GroupMod, version: Version, now: float) -> list[int]:
        if message.group_id != GroupId.ALL:
            _check_group_id(message.group_id)
        _check_command_bucket(message, (BucketId.ALL,))
        if message.buckets and version >= OF13:
            raise Refused(_Code.INVALID_GROUP, "a group is deleted without buckets")
        if message.group_id == GroupId.ALL:
            gone = list(self.groups)
        else:
            gone = [message.group_id] if message.group_id in self.groups else []
        for group_id in gone:
            others = self.groups.forwarders(group_id)
            if others and message.group_id != GroupId.ALL:
                reason = f"group {min(others)} forwards to group {group_id}"
                raise Refused(_Code.CHAINED_GROUP, reason)
        for group_id in gone:
            self.groups.take(group_id)
        return gone

    def _insert_buckets(self, message: GroupMod, version: Version, now: float) -> list[int]:
        _check_group_id(message.group_id)
        _check_command_bucket(message, (BucketId.FIRST, BucketId.LAST))
        entry = self._named(message)
        new = self._bucket_entries(message.buckets, entry.type, version)
        before = list(entry.buckets)
        at = _position(before, message.command_bucket_id, behind=True)
        taken = {bucket.bucket.bucket_id for bucket in before}
        for bucket in new:
            if bucket.bucket.bucket_id in taken:
                reason = f"there is a bucket {bucket.bucket.bucket_id} already"
                raise Refused(_Code.BUCKET_EXISTS, reason)
        buckets = [*before[:at], *new, *before[at:]]
        _check_count(entry.type, buckets)
        self._put(entry, _Plan(entry.type, buckets, entry.selection))
        return []

    def _remove_bucket(self, message: GroupMod, version: Version, now: float) -> list[int]:
        _check_group_id(message.group_id)
        _check_command_bucket(message, (BucketId.FIRST, BucketId.LAST, BucketId.ALL))
        if message.buckets:
            raise Refused(_Code.BAD_BUCKET, "buckets are removed by number, not by what they are")
        entry = self._named(message)
        left = list(entry.buckets)
        if message.command_bucket_id == BucketId.ALL:
            left.clear()
        elif left or message.command_bucket_id <= BucketId.MAX:
            del left[_position(left, message.command_bucket_id, behind=False)]
        self._put(entry, _Plan(entry.type, left, entry.selection))
        return []

    def _named(self, message: GroupMod) -> GroupEntry:
        entry = self.groups.get(message.group_id)
        if entry is None:
            raise Refused(_Code.UNKNOWN_GROUP, f"there is no group {message.group_id}")
        return entry

    # What the message says by itself

    def _planned(self, message: GroupMod, version: Version) -> _Plan:
        _check_group_id(message.group_id)
        _check_command_bucket(message, (BucketId.ALL,))
        if message.type not in _TYPES:
            raise Refused(_Code.BAD_TYPE, f"groups have no type {message.type}")
        buckets = self._bucket_entries(message.buckets, message.type, version)
        _check_count(message.type, buckets)
        return _Plan(message.type, buckets, _selection(message))

    def _bucket_entries(
        self, buckets: Sequence[Bucket], kind: int, version: Version
    ) -> list[BucketEntry]:
        """Return the buckets of a message; Refused where one of them cannot be."""
        entries: list[BucketEntry] = []
        for number, bucket in enumerate(buckets):
            self._check_bucket(bucket, kind, version)
            if version < OF15:  # which has no numbers of buckets; those to come need some
                weight = bucket.weight or 0
                told = weight if kind == GroupType.SELECT else None
                bucket = replace(bucket, bucket_id=number, weight=told)
            else:
                weight = 1 if bucket.weight is None else bucket.weight
            entries.append(BucketEntry(bucket, weight, version))
        if len({entry.bucket.bucket_id for entry in entries}) < len(entries):
            raise Refused(_Code.BAD_BUCKET, "two buckets have the same number")
        return entries

    def _check_bucket(self, bucket: Bucket, kind: int, version: Version) -> None:
        if bucket.bucket_id > BucketId.MAX:
            raise Refused(_Code.BAD_BUCKET, f"no bucket can be {bucket.bucket_id:#x}")
        for one in bucket.properties:
            raise Refused(BadPropertyCode.BAD_EXPERIMENTER, f"{one!r} is unknown")
        if bucket.weight and kind != GroupType.SELECT:
            raise Refused(_Code.INVALID_GROUP, "only select groups weigh their buckets")
        _check_watch(bucket, kind)
        # Whether the groups are there is looked at when all else is known to be right.
        others = (action for action in bucket.actions if not isinstance(action, Group))
        self.checker.check_actions(others, version)

    # What there is beside it

    def _put(self, entry: GroupEntry, plan: _Plan) -> None:
        """Let a group be as planned, unless there is no room or it leads nowhere or back."""
        self._check_room(entry, plan)
        self._check_ways(entry.group_id, plan.buckets)
        self.groups.put(entry, *plan)

    def _check_room(self, entry: GroupEntry, plan: _Plan) -> None:
        grows = entry.group_id not in self.groups or entry.type != plan.kind
        if grows and self.groups.counts[plan.kind] >= self.groups.max_groups:
            reason = f"there are {self.groups.max_groups} groups of this type already"
            raise Refused(_Code.OUT_OF_GROUPS, reason)
        if len(plan.buckets) > MAX_BUCKETS or _size(plan) > MAX_RECORD:
            reason = (
                f"a group has at most {MAX_BUCKETS} buckets, and {MAX_RECORD} bytes to describe"
            )
            raise Refused(_Code.OUT_OF_BUCKETS, reason)

    def _check_ways(self, group_id: int, buckets: Sequence[BucketEntry]) -> None:
        """Refuse buckets that lead to groups that are not there, or back to their own."""
        watched = {bucket.bucket.watch_group for bucket in buckets} - {ANY_GROUP}
        targets = {target for bucket in buckets for target in bucket.groups}
        for one in watched - {group_id} - self.groups.keys():
            raise Refused(_Code.BAD_WATCH, f"there is no group {one} to watch")
        for one in targets - {group_id} - self.groups.keys():
            raise Refused(BadActionCode.BAD_OUT_GROUP, f"there is no group {one}")
        behind = watched | targets
        if not behind:
            return
        if group_id in behind or group_id in self.groups.reach(behind):
            raise Refused(_Code.LOOP, f"group {group_id} would lead to itself")
        if self.groups.height(group_id) + 1 + self.groups.depth(behind) > MAX_CHAIN:
            reason = f"more than {MAX_CHAIN} groups would follow one another"
            raise Refused(_Code.CHAINING_UNSUPPORTED, reason)


def _selection(message: GroupMod) -> nicira.SelectionMethod | None:
    """Return the method that a select group is to choose by (ovs-ofctl(8) "Group Syntax")."""
    found: list[nicira.SelectionMethod] = []
    for one in message.properties:
        if isinstance(one, nicira.SelectionMethod):
            found.append(one)
        elif isinstance(one, ExperimenterProperty) and one.experimenter == nicira.NETRONOME:
            raise Refused(BadPropertyCode.BAD_EXP_TYPE, f"exp_type {one.exp_type} is unknown")
        else:
            raise Refused(BadPropertyCode.BAD_EXPERIMENTER, f"{one!r} is unknown")
    if not found:
        return None
    if len(found) > 1:
        raise Refused(BadPropertyCode.DUP_TYPE, "a group has one selection_method")
    [method] = found
    takes_fields = _METHODS.get(method.selection_method)
    if message.type != GroupType.SELECT or takes_fields is None:
        reason = f"selection_method {method.selection_method!r} is unknown to this group"
        raise Refused(BadPropertyCode.BAD_EXP_VALUE, reason)
    if method.fields and not takes_fields:
        reason = f"selection_method {method.selection_method} takes no fields"
        raise Refused(BadPropertyCode.BAD_EXP_VALUE, reason)
    return method


def _check_group_id(group_id: int) -> None:
    if group_id > GroupId.MAX:
        raise Refused(_Code.INVALID_GROUP, f"no group can be {group_id:#x}")


def _check_command_bucket(message: GroupMod, reserved: Sequence[BucketId]) -> None:
    """Refuse a command_bucket_id that the command cannot have (OF1.5.1 "Modify Group Entry")."""
    number = message.command_bucket_id
    by_number = (GroupModCommand.INSERT_BUCKET, GroupModCommand.REMOVE_BUCKET)
    if number in reserved or (number <= BucketId.MAX and message.command in by_number):
        return
    raise Refused(_Code.BAD_BUCKET, f"the command has no bucket {number:#x}")


def _check_count(kind: int, buckets: Sequence[BucketEntry]) -> None:
    if kind == GroupType.INDIRECT and len(buckets) > 1:
        raise Refused(_Code.INVALID_GROUP, "an indirect group has one bucket")


def _check_watch(bucket: Bucket, kind: int) -> None:
    port, group_id = bucket.watch_port, bucket.watch_group
    watches = port != Port.ANY or group_id != ANY_GROUP
    if watches and kind not in _WATCHED:
        raise Refused(_Code.WATCH_UNSUPPORTED, "groups of this type do not look who lives")
    if kind == GroupType.FF and not watches:
        raise Refused(_Code.INVALID_GROUP, "a bucket of a fast failover group watches something")
    # A port that is not there yet is one that does not live.
    if not (0 < port <= Port.MAX or port in (Port.LOCAL, Port.ANY)):
        raise Refused(_Code.BAD_WATCH, f"port {port:#x} cannot be watched")


def _position(buckets: Sequence[BucketEntry], bucket_id: int, *, behind: bool) -> int:
    """Return the index that a command_bucket_id means, or that of the place behind it."""
    if bucket_id == BucketId.FIRST:
        return 0
    if bucket_id == BucketId.LAST:
        return len(buckets) if behind else len(buckets) - 1
    for index, bucket in enumerate(buckets):
        if bucket.bucket.bucket_id == bucket_id:
            return index + behind
    raise Refused(_Code.UNKNOWN_BUCKET, f"there is no bucket {bucket_id}")


def _size(plan: _Plan) -> int:
    """Return how many bytes a group takes, not to find out too late that it cannot be told."""
    sizes = [
        len(write(bucket_in(one, plan.kind, one.version), one.version)) for one in plan.buckets
    ]
    if plan.selection is not None:
        sizes.append(len(write(plan.selection, OF15)))
    return sum(sizes)
