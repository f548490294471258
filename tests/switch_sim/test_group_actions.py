"""Packets through groups: copies, action sets, chains, counters, and what is told of them."""

from __future__ import annotations

from typing import Any

import pytest

from protocol import (
    OF11,
    OF12,
    OF13,
    OF14,
    OF15,
    Bucket,
    Capabilities,
    DecNwTtl,
    FeaturesReply,
    FeaturesRequest,
    FlowStatsReply,
    FlowStatsRequest,
    Group,
    GroupMod,
    GroupModCommand,
    GroupModFailedCode,
    GroupType,
    Match,
    MeterAction,
    Output,
    PacketInReason,
    PacketOut,
    Port,
    PushVlan,
    SetField,
    SetQueue,
    Version,
    WriteActions,
    nicira,
    set_field,
)
from protocol.actions import ActionShape
from protocol.groups import (
    GroupCapabilities,
    GroupDescReply,
    GroupDescRequest,
    GroupFeaturesReply,
    GroupFeaturesRequest,
    GroupStatsReply,
    GroupStatsRequest,
)
from protocol.table_features import (
    TableApplyActions,
    TableFeaturesReply,
    TableFeaturesRequest,
    TableInstructions,
    TableWriteActions,
)
from switch_sim.group_actions import MAX_COPIES
from switch_sim.nicira.course import MAX_DEPTH
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow, group, group_stats

since_groups = pytest.mark.parametrize("version", [OF11, OF12, OF13, OF14, OF15])


def bench_with(*groups: str, version: Version = OF13, **options: Any) -> Bench:
    """A switch that sends all that comes in to group 1."""
    bench = Bench(version, **options)
    for text in groups:
        bench.say(group(text, version))
    bench.say(flow(Match(), Group(1)))
    return bench


# Types (OF1.3.5 5.6.1 "Group Types")


@since_groups
def test_all_sends_a_copy_through_each_bucket(version: Version) -> None:
    bench = bench_with("group_id=1,type=all,bucket=output:2,bucket=output:3", version=version)
    assert bench.frames(frames.TCP) == [(2, frames.TCP), (3, frames.TCP)]


@since_groups
def test_indirect_sends_through_its_one_bucket(version: Version) -> None:
    bench = bench_with("group_id=1,type=indirect,bucket=output:2", version=version)
    assert bench.frames(frames.TCP) == [(2, frames.TCP)]


def test_a_group_without_buckets_drops() -> None:
    for kind in ("all", "select", "indirect", "ff"):
        assert bench_with(f"group_id=1,type={kind}").frames(frames.TCP) == []


def test_no_bucket_sends_out_of_the_in_port_unless_it_says_so() -> None:
    bench = bench_with("group_id=1,type=all,bucket=output:1,bucket=output:2,bucket=in_port")
    assert bench.out_ports(frames.TCP, in_port=1) == [2, 1]


# Buckets


def test_the_buckets_do_not_see_one_anothers_changes_nor_does_what_follows() -> None:
    bench = Bench()
    first = "bucket=set_field:10.0.0.9->ip_dst,output:2"
    bench.say(group(f"group_id=1,type=all,{first},bucket=output:2", OF13))
    bench.say(flow(Match(), Group(1), Output(3)))
    assert bench.frames(frames.TCP) == [
        (2, frames.TCP_TO_10_0_0_9),
        (2, frames.TCP),
        (3, frames.TCP),
    ]


def test_a_bucket_sees_what_was_changed_before_the_group() -> None:
    bench = Bench()
    bench.say(group("group_id=1,type=indirect,bucket=output:2", OF13))
    bench.say(flow(Match(eth_type=0x0800), set_field(ipv4_dst="10.0.0.9"), Group(1)))
    assert bench.frames(frames.TCP) == [(2, frames.TCP_TO_10_0_0_9)]


def test_the_actions_of_a_bucket_are_a_set_whatever_their_order() -> None:
    # OF1.3.5 5.10 "Action Set": push before set, output last; of each type the last one counts.
    bench = bench_with(
        "group_id=1,type=indirect,bucket=output:3,output:2,"
        "set_field:4196->vlan_vid,push_vlan:0x8100"
    )
    [(port_no, data)] = bench.frames(frames.TCP)
    assert port_no == 2
    assert data[12:16] == bytes.fromhex("81000064")


def test_a_group_takes_the_place_of_an_output_in_an_action_set() -> None:
    bench = Bench()
    bench.say(group("group_id=2,type=indirect,bucket=output:3", OF13))
    bench.say(group("group_id=1,type=indirect,bucket=output:2,group:2", OF13))
    written = (WriteActions((Output(2), Group(1))),)
    bench.say(flow(Match(), instructions=written))
    assert bench.out_ports(frames.TCP) == [3]


def test_a_bucket_that_cannot_decrement_its_ttl_ends_its_own_copy_only() -> None:
    bench = bench_with("group_id=1,type=all,bucket=dec_ttl,output:2,bucket=output:3")
    assert bench.out_ports(frames.TCP_TTL_1) == [3]
    assert bench.frames(frames.TCP) == [(2, frames.TCP_TTL_63), (3, frames.TCP)]


def test_a_packet_out_may_go_through_a_group() -> None:
    bench = bench_with("group_id=1,type=all,bucket=output:2,bucket=output:3")
    effects = bench.effects_of(PacketOut((Group(1),), frames.TCP))
    assert [port for port, _ in effects.frames] == [2, 3]


@pytest.mark.parametrize(
    ("version", "reason"), [(OF13, PacketInReason.ACTION), (OF14, PacketInReason.GROUP)]
)
def test_a_controller_hears_that_a_group_sent_it(version: Version, reason: PacketInReason) -> None:
    bench = bench_with("group_id=1,type=indirect,bucket=controller", version=version)
    [told] = bench.packet_ins(frames.TCP)
    assert (told.reason, told.data, told.cookie) == (reason, frames.TCP, 0)


def test_packets_that_look_alike_follow_the_group_as_it_is_now() -> None:
    # What a group does is no part of the walk that the fast path keeps.
    bench = bench_with("group_id=1,type=all,bucket=output:2")
    assert [bench.out_ports(frames.TCP) for _ in range(3)] == [[2]] * 3
    changed = "group_id=1,type=all,bucket=output:3"
    bench.say(group(changed, OF13, GroupModCommand.MODIFY))
    assert [bench.out_ports(frames.TCP) for _ in range(3)] == [[3]] * 3
    assert group_stats(bench, 1).packet_count == 6


# Chains


def test_groups_forward_to_groups() -> None:
    bench = bench_with(
        "group_id=2,type=all,bucket=output:2,bucket=output:3",
        "group_id=1,type=all,bucket=group:2,bucket=push_vlan:0x8100,group:2",
    )
    assert [port for port, _ in bench.frames(frames.TCP)] == [2, 3, 2, 3]
    assert [len(data) - len(frames.TCP) for _, data in bench.frames(frames.TCP)] == [0, 0, 4, 4]


def test_chains_multiply_a_packet_so_often_and_no_more() -> None:
    bench = Bench()
    bench.say(group("group_id=16,type=all,bucket=output:2,bucket=output:3", OF13))
    for number in range(15, 0, -1):
        twice = ",".join([f"bucket=group:{number + 1}"] * 2)
        bench.say(group(f"group_id={number},type=all,{twice}", OF13))
    bench.say(flow(Match(), Group(1)))
    sent = len(bench.out_ports(frames.TCP))
    assert MAX_COPIES / 2 - 20 < sent < MAX_COPIES
    # The next packet is not made to pay for it.
    assert len(bench.out_ports(frames.TCP)) == sent


def test_a_bucket_that_resubmits_to_its_own_group_ends_some_day() -> None:
    bench = Bench()
    again = Bucket((nicira.ResubmitTable(Port.IN_PORT, 0),))
    bench.say(GroupMod(1, GroupType.ALL, (again, Bucket((Output(2),)))))
    bench.say(flow(Match(), Group(1)))

    def deep_in_a_program(frames_left: int) -> list[int]:
        if frames_left:
            return deep_in_a_program(frames_left - 1)
        return bench.out_ports(frames.TCP)

    # A group is as deep as two resubmits.
    assert deep_in_a_program(200) == [2] * (MAX_DEPTH // 3)


def test_a_bucket_leads_to_no_group_by_a_clone_that_may_not_be_led_to() -> None:
    bench = Bench()
    bench.say(group("group_id=1,type=all", OF13))
    bench.say(group("group_id=2,type=all,bucket=group:1", OF13))
    clone = Bucket((nicira.Clone((Group(2),)),))
    message = GroupMod(1, GroupType.ALL, (clone,), command=GroupModCommand.MODIFY)
    assert bench.refusal(message) == GroupModFailedCode.LOOP


# Counters (OF1.3.5 5.8 "Counters": per group, per bucket)


@since_groups
def test_groups_and_buckets_count_what_goes_through(version: Version) -> None:
    bench = bench_with(
        "group_id=2,type=all,bucket=output:2,bucket=output:3",
        "group_id=1,type=all,bucket=output:2,bucket=group:2,bucket=group:2",
        version=version,
    )
    bench.frames(frames.TCP)
    size = len(frames.TCP)
    one, two = group_stats(bench, 1), group_stats(bench, 2)
    assert (one.packet_count, one.byte_count) == (1, size)
    assert [(b.packet_count, b.byte_count) for b in one.bucket_stats] == [(1, size)] * 3
    assert (two.packet_count, two.byte_count) == (2, 2 * size)
    assert [(b.packet_count, b.byte_count) for b in two.bucket_stats] == [(2, 2 * size)] * 2


@since_groups
def test_references_are_flow_entries_and_groups_that_forward(version: Version) -> None:
    bench = bench_with("group_id=2,type=all", "group_id=1,type=all,bucket=group:2", version=version)
    bench.say(flow(Match(in_port=1), Group(2), priority=9))
    bench.say(flow(Match(in_port=2), Group(2), priority=9))
    assert (group_stats(bench, 1).ref_count, group_stats(bench, 2).ref_count) == (1, 3)
    bench.say(flow(Match(in_port=2), Output(1), priority=9))  # takes the place of one
    assert group_stats(bench, 2).ref_count == 2


def test_an_entry_that_is_modified_refers_to_what_it_names_now() -> None:
    bench = bench_with("group_id=2,type=all", "group_id=1,type=all")
    bench.say(flow(Match(), Group(2), command=1))
    assert (group_stats(bench, 1).ref_count, group_stats(bench, 2).ref_count) == (0, 1)


def test_a_group_tells_how_long_it_is_there() -> None:
    bench = Bench()
    bench.say(group("group_id=1,type=all", OF13), now=10.0)
    stats = group_stats(bench, 1, now=12.25)
    assert (stats.duration_sec, stats.duration_nsec) == (2, 250_000_000)


# What is told


@since_groups
def test_one_group_or_all_can_be_asked_for(version: Version) -> None:
    bench = Bench(version)
    for number in (3, 1):
        bench.say(group(f"group_id={number},type=all", version))
    [reply] = bench.say(GroupStatsRequest())
    assert isinstance(reply, GroupStatsReply)
    assert [one.group_id for one in reply.groups] == [1, 3]
    assert group_stats(bench, 3).group_id == 3
    assert bench.say(GroupStatsRequest(9)) == [GroupStatsReply()]


def test_many_groups_are_told_in_many_parts() -> None:
    bench = Bench(OF13)
    buckets = ",".join(["bucket=output:2"] * 30)
    for number in range(200):
        bench.say(group(f"group_id={number},type=all,{buckets}", OF13))
    for request in (GroupStatsRequest(), GroupDescRequest()):
        replies = bench.say(request)
        assert len(replies) > 1
        told: list[int] = []
        for reply in replies:
            assert isinstance(reply, GroupStatsReply | GroupDescReply)
            told += [one.group_id for one in reply.groups]
        assert told == list(range(200))


def test_what_a_version_has_no_words_for_is_left_out() -> None:
    bench = Bench(OF15)
    bench.say(group("group_id=1,type=all,bucket=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]", OF15))
    bench.say(group("group_id=2,type=all", OF15))
    bench.version, bench.session = OF13, bench.switch.connect(OF13)
    [reply] = bench.say(GroupDescRequest())
    assert isinstance(reply, GroupDescReply)
    assert [desc.group_id for desc in reply.groups] == [2]


@pytest.mark.parametrize("version", [OF12, OF13, OF14, OF15])
def test_features_tell_what_groups_can_do(version: Version) -> None:
    bench = Bench(version)
    [reply] = bench.say(GroupFeaturesRequest())
    assert isinstance(reply, GroupFeaturesReply)
    assert reply.types == 0b1111
    assert reply.capabilities == sum(GroupCapabilities)
    assert len({*reply.max_groups, bench.switch.datapath.groups.max_groups}) == 1
    numbers = ActionShape.at(version).number_of
    for kind in (Output, Group, PushVlan, SetField, DecNwTtl):
        assert all(actions >> numbers[kind] & 1 for actions in reply.actions)


@pytest.mark.parametrize("version", [OF13, OF14, OF15])
def test_tables_take_groups_queues_and_meters(version: Version) -> None:
    replies = Bench(version, n_tables=1).say(TableFeaturesRequest())
    [properties] = [
        table.properties
        for reply in replies
        if isinstance(reply, TableFeaturesReply)
        for table in reply.tables
    ]
    kinds = (TableApplyActions, TableWriteActions, TableInstructions)
    told = {type(one): {each.type for each in one.ids} for one in properties if type(one) in kinds}
    actions = ActionShape.at(version).number_of
    for kind in (TableApplyActions, TableWriteActions):
        assert {actions[Group], actions[SetQueue]} <= told[kind]
        assert (actions.get(MeterAction) in told[kind]) == (version >= OF15)
    # OF1.5 has an action for the instruction, whose number 6 is "deprecated".
    assert (6 in told[TableInstructions]) == (version < OF15)


@since_groups
def test_the_switch_says_that_it_counts_groups(version: Version) -> None:
    [reply] = Bench(version).say(FeaturesRequest())
    assert isinstance(reply, FeaturesReply)
    assert reply.capabilities & Capabilities.GROUP_STATS


def test_flow_entries_are_found_by_the_group_they_lead_to() -> None:
    bench = bench_with("group_id=1,type=all")
    bench.say(flow(Match(in_port=1), Output(2)))
    [reply] = bench.say(FlowStatsRequest(out_group=1))
    assert isinstance(reply, FlowStatsReply)
    assert [one.match for one in reply.flows] == [Match()]
