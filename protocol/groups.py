"""Groups: group_mod, buckets, statistics, description, features (OF1.5.1 7.3.4.3)."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from .actions import Action, ActionShape
from .errors import BadPropertyCode
from .flows import ANY_GROUP
from .message import Message, message
from .multipart import MultipartReply, MultipartRequest, multipart_reply, multipart_request
from .ports import Port, PortNo
from .properties import properties
from .record import ListOf, Record
from .version import OF11, OF12, OF13, OF14, OF15
from .wire import (
    U8,
    U16,
    U32,
    U64,
    Converted,
    Enum,
    Flags,
    Length,
    Numbers,
    Pad,
    SizeOf,
    Spread,
    since,
    until,
)


class GroupId(IntEnum):
    """The groups that are no groups."""

    MAX = 0xFFFF_FF00
    ALL = 0xFFFF_FFFC
    ANY = ANY_GROUP


class BucketId(IntEnum):
    """Which buckets a command means (OF1.5)."""

    MAX = 0xFFFF_FF00
    FIRST = 0xFFFF_FFFD
    LAST = 0xFFFF_FFFE
    ALL = 0xFFFF_FFFF


class GroupType(IntEnum):
    """How a group chooses among its buckets."""

    ALL = 0
    SELECT = 1
    INDIRECT = 2
    FF = 3


class GroupModCommand(IntEnum):
    """What a group_mod does. The last two since OF1.5."""

    ADD = 0
    MODIFY = 1
    DELETE = 2
    INSERT_BUCKET = 3
    REMOVE_BUCKET = 5


BucketPropertyShape = properties("bucket", BadPropertyCode.BAD_TYPE)


@BucketPropertyShape.member(since(OF15, 0))
class BucketWeight(Record):
    """How many of a select group's packets the bucket gets."""

    weight: int
    layout = ("weight" / U16, Pad(2))


@BucketPropertyShape.member(since(OF15, 1))
class BucketWatchPort(Record):
    """The port that must live for the bucket to live."""

    watch: int
    layout = ("watch" / PortNo,)


@BucketPropertyShape.member(since(OF15, 2))
class BucketWatchGroup(Record):
    """The group that must live for the bucket to live."""

    watch: int
    layout = ("watch" / U32,)


_BucketFields = tuple[int | None, int, int, tuple[Record, ...]]


def _fields_of(found: tuple[Record, ...]) -> _BucketFields:
    weight: int | None = None
    watch_port, watch_group = int(Port.ANY), ANY_GROUP
    others: list[Record] = []
    for one in found:
        match one:
            case BucketWeight():
                weight = one.weight
            case BucketWatchPort():
                watch_port = one.watch
            case BucketWatchGroup():
                watch_group = one.watch
            case _:
                others.append(one)
    return weight, watch_port, watch_group, tuple(others)


def _properties_of(fields: _BucketFields) -> tuple[Record, ...]:
    weight, watch_port, watch_group, others = fields
    found: list[Record] = []
    if weight is not None:
        found.append(BucketWeight(weight))
    if watch_port != Port.ANY:
        found.append(BucketWatchPort(watch_port))
    if watch_group != ANY_GROUP:
        found.append(BucketWatchGroup(watch_group))
    return (*found, *others)


def _none_if_zero(weight: int) -> int | None:
    return weight or None


def _zero_if_none(weight: int | None) -> int:
    return weight or 0


class Bucket(Record):
    """Actions of a group that are done together; since OF1.5 its fields are properties."""

    actions: tuple[Action, ...] = ()
    weight: int | None = None  #: of a select group; None where it is not said
    watch_port: int = Port.ANY
    watch_group: int = ANY_GROUP
    bucket_id: int = 0
    properties: tuple[Record, ...] = ()  #: those that are no field
    layout = (
        Length(U16),
        "weight" / until(OF14, Converted(U16, _none_if_zero, _zero_if_none)),
        "watch_port" / until(OF14, PortNo),
        "watch_group" / until(OF14, U32),
        until(OF14, Pad(4)),
        since(OF15, SizeOf("actions", U16)),
        "bucket_id" / since(OF15, U32),
        "actions" / ActionShape,
        Spread(
            since(OF15, Converted(BucketPropertyShape, _fields_of, _properties_of)),
            "weight",
            "watch_port",
            "watch_group",
            "properties",
        ),
    )


GroupPropertyShape = properties("group", BadPropertyCode.BAD_TYPE)


@message(since(OF11, 15))
class GroupMod(Message):
    """Adds, changes or deletes a group (OF1.5.1 7.3.4.3 "Modify Group Entry Message")."""

    group_id: int
    type: GroupType | int = GroupType.ALL
    buckets: tuple[Bucket, ...] = ()
    command: GroupModCommand | int = GroupModCommand.ADD
    command_bucket_id: int = BucketId.ALL
    properties: tuple[Record, ...] = ()
    layout = (
        "command" / Enum(U16, GroupModCommand),
        "type" / Enum(U8, GroupType),
        Pad(1),
        "group_id" / Enum(U32, GroupId),
        since(OF15, SizeOf("buckets", U16)),
        since(OF15, Pad(2)),
        "command_bucket_id" / since(OF15, Enum(U32, BucketId)),
        "buckets" / ListOf(Bucket),
        "properties" / since(OF15, GroupPropertyShape),
    )


@multipart_request(since(OF11, 6))
class GroupStatsRequest(MultipartRequest):
    """Asks what groups counted (OF1.5.1 7.3.5 "Group Statistics")."""

    group_id: int = GroupId.ALL
    layout = ("group_id" / Enum(U32, GroupId), Pad(4))


class BucketStats(Record):
    """What a bucket counted."""

    packet_count: int = 0
    byte_count: int = 0
    layout = ("packet_count" / U64, "byte_count" / U64)


class GroupStats(Record):
    """What a group counted."""

    group_id: int
    ref_count: int = 0  #: flows and groups that use it
    packet_count: int = 0
    byte_count: int = 0
    duration_sec: int = 0
    duration_nsec: int = 0
    bucket_stats: tuple[BucketStats, ...] = ()
    layout = (
        Length(U16),
        Pad(2),
        "group_id" / U32,
        "ref_count" / U32,
        Pad(4),
        "packet_count" / U64,
        "byte_count" / U64,
        "duration_sec" / since(OF13, U32),
        "duration_nsec" / since(OF13, U32),
        "bucket_stats" / ListOf(BucketStats),
    )
    report = True


@multipart_reply(since(OF11, 6))
class GroupStatsReply(MultipartReply):
    """What the groups asked for counted."""

    groups: tuple[GroupStats, ...] = ()
    layout = ("groups" / ListOf(GroupStats),)
    gathers = "groups"


@multipart_request(since(OF11, 7))
class GroupDescRequest(MultipartRequest):
    """Asks for groups; OF1.5 can ask for one (OF1.5.1 7.3.5 "Group Description")."""

    group_id: int = GroupId.ALL
    layout = ("group_id" / since(OF15, Enum(U32, GroupId)), since(OF15, Pad(4)))


class GroupDesc(Record):
    """A group and its buckets."""

    group_id: int
    type: GroupType | int = GroupType.ALL
    buckets: tuple[Bucket, ...] = ()
    properties: tuple[Record, ...] = ()
    layout = (
        Length(U16),
        "type" / Enum(U8, GroupType),
        Pad(1),
        "group_id" / U32,
        since(OF15, SizeOf("buckets", U16)),
        since(OF15, Pad(6)),
        "buckets" / ListOf(Bucket),
        "properties" / since(OF15, GroupPropertyShape),
    )


@multipart_reply(since(OF11, 7))
class GroupDescReply(MultipartReply):
    """The groups asked for."""

    groups: tuple[GroupDesc, ...] = ()
    layout = ("groups" / ListOf(GroupDesc),)
    gathers = "groups"


@multipart_request(since(OF12, 8))
class GroupFeaturesRequest(MultipartRequest):
    """Asks what groups the switch can do (OF1.5.1 7.3.5 "Group Features")."""


class GroupCapabilities(IntFlag):
    """What the switch's groups can do."""

    SELECT_WEIGHT = 1 << 0
    SELECT_LIVENESS = 1 << 1
    CHAINING = 1 << 2
    CHAINING_CHECKS = 1 << 3


@multipart_reply(since(OF12, 8))
class GroupFeaturesReply(MultipartReply):
    """What groups the switch can do. The tuples have a number for each GroupType."""

    types: int = 0  #: a bit for each GroupType
    capabilities: GroupCapabilities | int = 0
    max_groups: tuple[int, int, int, int] = (0, 0, 0, 0)
    actions: tuple[int, int, int, int] = (0, 0, 0, 0)  #: a bit for each action type
    layout = (
        "types" / U32,
        "capabilities" / Flags(U32, GroupCapabilities),
        "max_groups" / Numbers("I", 4),
        "actions" / Numbers("I", 4),
    )
