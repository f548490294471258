"""A packet through groups (OF1.3.5 5.6 "Group Table")."""

from __future__ import annotations

from protocol import BadActionCode, Group, Version

from .check import Checker
from .group_table import MAX_CHAIN, GroupEntry, GroupTable
from .nicira.course import MAX_DEPTH, Budget
from .packet import Dropped, Packet
from .pipeline import Pipeline
from .refused import Refused

MAX_COPIES = 4_096  #: of one packet, which groups of groups multiply
_DEPTH = MAX_DEPTH // MAX_CHAIN  # how deep a group is, in resubmits, on Python's stack


class GroupActions:
    """Does the action Group in a pipeline, and refuses it where there is no such group."""

    def __init__(self, groups: GroupTable, pipeline: Pipeline, checker: Checker) -> None:
        self.groups, self.pipeline = groups, pipeline
        pipeline.actions[Group] = self._do
        checker.actions[Group] = self._check

    def _check(self, action: Group, version: Version) -> None:
        if action.group_id not in self.groups:
            raise Refused(BadActionCode.BAD_OUT_GROUP, f"there is no group {action.group_id}")

    def _do(self, packet: Packet, action: Group) -> None:
        entry = self.groups.get(action.group_id)
        if entry is None:
            raise Dropped(f"there is no group {action.group_id}")
        # Buckets that resubmit can lead to their group again.
        course = packet.course_of()
        if course.depth + _DEPTH > MAX_DEPTH:
            raise Dropped("too many groups and resubmits stand in one another")
        course.depth += _DEPTH
        try:
            self._forward(packet, entry, course.budget)
        finally:
            course.depth -= _DEPTH

    def _forward(self, packet: Packet, entry: GroupEntry, budget: Budget) -> None:
        size = len(packet.data)
        if packet.witness is None:
            entry.packet_count += 1
            entry.byte_count += size
        else:
            self._testify(packet, entry)
        for bucket in self.groups.choose(entry, packet.key):
            if budget.copies >= MAX_COPIES:
                raise Dropped(f"groups made {MAX_COPIES} copies of the packet already")
            budget.copies += 1
            if packet.witness is None:
                bucket.packet_count += 1
                bucket.byte_count += size
            self.pipeline.do_bucket(packet, bucket.bucket.actions, bucket.version)

    def _testify(self, packet: Packet, entry: GroupEntry) -> None:
        """Say which buckets are dead, and which the packet goes to."""
        assert packet.witness is not None
        chosen = self.groups.choose(entry, packet.key)
        for bucket in entry.buckets:
            subject = f"group {entry.group_id} bucket {bucket.bucket.bucket_id}"
            if fault := self.groups.why_dead(bucket) if entry.looks_who_lives else "":
                packet.witness.remark(subject, fault)
            elif bucket in chosen:
                packet.witness.remark(subject, "gets a copy")
        if not chosen:
            packet.witness.remark(f"group {entry.group_id}", "no bucket takes the packet")
