"""What the switch tells of its groups (OF1.3.5 7.3.5.9 to 7.3.5.11)."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from protocol import OF15, Bucket, GroupType, Version
from protocol.groups import (
    BucketStats,
    GroupCapabilities,
    GroupDesc,
    GroupDescReply,
    GroupFeaturesReply,
    GroupId,
    GroupStats,
    GroupStatsReply,
)

from .flow_entry import split_seconds
from .group_table import BucketEntry, GroupEntry, GroupTable
from .references import References
from .statistics import action_bits, in_sized_parts

_CAPABILITIES = (
    GroupCapabilities.SELECT_WEIGHT
    | GroupCapabilities.SELECT_LIVENESS
    | GroupCapabilities.CHAINING
    | GroupCapabilities.CHAINING_CHECKS
)


def group_stats(
    groups: GroupTable, references: References, group_id: int, version: Version, now: float
) -> Iterator[GroupStatsReply]:
    """Yield what groups counted (OF1.3.5 7.3.5.9 "Group Statistics")."""
    told = (
        _stats(
            entry,
            len(references.of_group(entry.group_id)) + len(groups.forwarders(entry.group_id)),
            now,
        )
        for entry in _named(groups, group_id)
    )
    return in_sized_parts(told, version, GroupStatsReply)


def _stats(entry: GroupEntry, ref_count: int, now: float) -> GroupStats:
    seconds, nanoseconds = split_seconds(now - entry.created)
    return GroupStats(
        entry.group_id,
        ref_count,
        entry.packet_count,
        entry.byte_count,
        seconds,
        nanoseconds,
        tuple(BucketStats(one.packet_count, one.byte_count) for one in entry.buckets),
    )


def group_descs(groups: GroupTable, group_id: int, version: Version) -> Iterator[GroupDescReply]:
    """Yield groups and their buckets (OF1.3.5 7.3.5.10 "Group Description").

    Groups that the version cannot say are left out: another one may have made them.
    """
    told = (_desc(entry, version) for entry in _named(groups, group_id))
    return in_sized_parts(told, version, GroupDescReply)


def _desc(entry: GroupEntry, version: Version) -> GroupDesc:
    buckets = tuple(bucket_in(bucket, entry.type, version) for bucket in entry.buckets)
    told = (entry.selection,) if entry.selection is not None and version >= OF15 else ()
    return GroupDesc(entry.group_id, GroupType(entry.type), buckets, told)


def bucket_in(entry: BucketEntry, kind: int, version: Version) -> Bucket:
    """Return a bucket of a group of this type as a version describes it."""
    if version >= OF15:
        return entry.bucket
    weight = entry.weight if kind == GroupType.SELECT else None
    return replace(entry.bucket, bucket_id=0, weight=weight)


def _named(groups: GroupTable, group_id: int) -> list[GroupEntry]:
    """Return the groups that a request means; none, where there is none of this number."""
    if group_id == GroupId.ALL:
        return [groups[one] for one in sorted(groups)]
    return [groups[group_id]] if group_id in groups else []


def group_features(groups: GroupTable, version: Version) -> GroupFeaturesReply:
    """Return what groups can do here (OF1.3.5 7.3.5.11 "Group Features")."""
    most, actions = groups.max_groups, action_bits(version)
    return GroupFeaturesReply(
        sum(1 << kind for kind in GroupType),
        _CAPABILITIES,
        (most, most, most, most),
        (actions, actions, actions, actions),
    )
