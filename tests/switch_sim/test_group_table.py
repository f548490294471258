"""Which buckets a packet goes to: choice among them, and which of them live."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import (
    OF13,
    OF15,
    Bucket,
    Group,
    GroupMod,
    GroupModCommand,
    GroupType,
    Match,
    PortConfig,
    PortMod,
    Version,
    nicira,
)
from switch_sim.flow_key import FlowKey
from switch_sim.group_table import BucketEntry, GroupEntry, GroupTable, conversation
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow, group, group_stats

FF = "group_id=1,type=ff,bucket=watch_port:2,output:2,bucket=watch_port:3,output:3"


def bench_with(*groups: str, version: Version = OF13) -> Bench:
    """A switch of three ports that sends all that comes in to group 1."""
    bench = Bench(version)
    for text in groups:
        bench.say(group(text, version))
    bench.say(flow(Match(), Group(1)))
    return bench


def key(number: int) -> FlowKey:
    return FlowKey(ipv4_src=number, ipv4_dst=0x0A00_0001, ip_proto=6, tcp_src=1000, tcp_dst=80)


def chosen(bench: Bench, count: int = 1000) -> Counter[int]:
    """How many of so many conversations go to each bucket of group 1."""
    groups = bench.switch.datapath.groups
    found = (groups.choose(groups[1], key(number)) for number in range(count))
    return Counter(bucket.bucket.bucket_id for buckets in found for bucket in buckets)


# Fast failover (OF1.3.5 5.6.1 "Group Types"): the first bucket that lives


def test_fast_failover_takes_the_first_live_bucket() -> None:
    bench = bench_with(FF)
    assert bench.out_ports(frames.TCP) == [2]
    bench.switch.set_link(2, False, 0.0)
    assert bench.out_ports(frames.TCP) == [3]
    bench.switch.set_link(2, True, 0.0)
    assert bench.out_ports(frames.TCP) == [2]


def test_fast_failover_drops_where_no_bucket_lives() -> None:
    bench = bench_with(FF)
    bench.switch.set_link(2, False, 0.0)
    bench.switch.set_link(3, False, 0.0)
    assert bench.out_ports(frames.TCP) == []
    stats = group_stats(bench, 1)
    assert stats.packet_count == 1
    assert [one.packet_count for one in stats.bucket_stats] == [0, 0]


def test_a_port_that_a_controller_takes_down_does_not_live() -> None:
    # OF1.3.5 6.5: "The port must not be considered live … if OFPPC_PORT_DOWN"
    bench = bench_with(FF)
    desc = bench.switch.ports[2].desc
    down = PortConfig.PORT_DOWN
    bench.say(PortMod(2, hw_addr=desc.hw_addr, config=down, mask=down))
    assert bench.out_ports(frames.TCP) == [3]


def test_a_port_that_is_taken_out_does_not_live() -> None:
    bench = bench_with(FF)
    bench.switch.remove_port(2, 0.0)
    assert bench.out_ports(frames.TCP) == [3]


def test_a_bucket_lives_by_its_port_or_by_its_group() -> None:
    # OF1.3.5 6.5: "either watch_port is not OFPP_ANY and the port watched is live, or …"
    bench = Bench()
    bench.say(group("group_id=2,type=ff,bucket=watch_port:3,output:3", OF13))
    both = "group_id=1,type=ff,bucket=watch_port:2,watch_group:2,output:1"
    bench.say(group(both, OF13))
    groups = bench.switch.datapath.groups
    assert groups.lives(1)
    bench.switch.set_link(2, False, 0.0)
    assert groups.lives(1)
    bench.switch.set_link(3, False, 0.0)
    assert not groups.lives(1)


def test_groups_that_are_watched_pass_life_on_through_a_chain() -> None:
    bench = Bench()
    bench.say(group("group_id=3,type=ff,bucket=watch_port:3,output:3", OF13))
    bench.say(group("group_id=2,type=ff,bucket=watch_group:3,group:3", OF13))
    chain = "group_id=1,type=ff,bucket=watch_group:2,group:2,bucket=watch_port:2,output:2"
    bench.say(group(chain, OF13))
    bench.say(flow(Match(), Group(1)))
    assert bench.out_ports(frames.TCP) == [3]
    bench.switch.set_link(3, False, 0.0)
    assert bench.out_ports(frames.TCP) == [2]


def test_a_group_that_is_deleted_does_not_live() -> None:
    bench = Bench()
    bench.say(group("group_id=2,type=ff,bucket=watch_port:3,output:3", OF13))
    bench.say(group("group_id=1,type=ff,bucket=watch_group:2,output:1", OF13))
    bench.say(group("group_id=2", OF13, GroupModCommand.DELETE))
    assert not bench.switch.datapath.groups.lives(1)


def test_life_is_asked_once_of_each_group_however_they_are_chained() -> None:
    # 31 groups that each watch the one before twice: two ways at each, 2 ** 31 in all.
    bench = Bench()
    bench.say(group("group_id=0,type=ff,bucket=watch_port:3,output:3", OF13))
    for number in range(1, 32):
        twice = ",".join([f"bucket=watch_group:{number - 1},output:1"] * 2)
        bench.say(group(f"group_id={number},type=ff,{twice}", OF13))
    bench.switch.set_link(3, False, 0.0)
    assert not bench.switch.datapath.groups.lives(31)


# Select: by a hash of the header fields, in the proportion of the weights


@pytest.mark.parametrize("version", [OF13, OF15])
def test_select_follows_the_weights(version: Version) -> None:
    bench = bench_with(
        "group_id=1,type=select,bucket=weight:1,output:2,bucket=weight:3,output:3", version=version
    )
    counts = chosen(bench, 4000)
    assert counts.total() == 4000
    assert counts[0] == pytest.approx(1000, abs=150)


def test_a_bucket_of_weight_0_is_not_used() -> None:
    bench = bench_with("group_id=1,type=select,bucket=weight:0,output:2,bucket=weight:1,output:3")
    assert chosen(bench) == {1: 1000}
    bench = bench_with("group_id=1,type=select,bucket=weight:0,output:2")
    assert chosen(bench) == {}


def test_one_conversation_has_one_bucket() -> None:
    bench = bench_with("group_id=1,type=select,bucket=output:2,bucket=output:3")
    first = bench.out_ports(frames.TCP)
    assert [bench.out_ports(frames.TCP) for _ in range(5)] == [first] * 5
    assert len(first) == 1


def test_the_choice_is_the_same_in_every_run() -> None:
    assert conversation(key(1)) == conversation(FlowKey(key(1), in_port=7, metadata=3, vlan_vid=0))
    assert conversation(key(1)) % 1_000_003 == 977_856


def test_what_went_to_a_dead_bucket_goes_to_the_others_and_nothing_else_moves() -> None:
    text = ",".join(f"bucket=weight:1,watch_port:{port},output:{port}" for port in (1, 2, 3))
    bench = bench_with(f"group_id=1,type=select,{text}")
    groups = bench.switch.datapath.groups

    def choices() -> list[int]:
        found = (groups.choose(groups[1], key(number))[0] for number in range(3000))
        return [bucket.bucket.bucket_id for bucket in found]

    before = choices()
    bench.switch.set_link(2, False, 0.0)
    after = choices()
    moved = [new for old, new in zip(before, after, strict=True) if old == 1]
    assert Counter(moved)[0] == pytest.approx(len(moved) / 2, rel=0.15)
    assert 1 not in after
    assert all(old == new for old, new in zip(before, after, strict=True) if old != 1)


def test_select_needs_no_watch_to_see_that_a_port_is_down() -> None:
    # OF1.3.5 5.6.1: a switch "may restrict bucket selection … to live ports"
    bench = bench_with("group_id=1,type=select,bucket=output:2,bucket=output:3")
    bench.switch.set_link(2, False, 0.0)
    assert chosen(bench) == {1: 1000}
    bench.switch.set_link(3, False, 0.0)
    assert chosen(bench) == {}


def test_select_sees_that_a_group_behind_is_dead() -> None:
    bench = Bench()
    bench.say(group("group_id=2,type=ff,bucket=watch_port:2,output:2", OF13))
    bench.say(group("group_id=1,type=select,bucket=group:2,bucket=controller", OF13))
    assert set(chosen(bench)) == {0, 1}
    bench.switch.set_link(2, False, 0.0)
    assert chosen(bench) == {1: 1000}


def selecting(method: nicira.SelectionMethod) -> list[int]:
    """The buckets of a group of 8 that 200 conversations between other hosts go to."""
    bench = Bench(OF15)
    buckets = tuple(Bucket(bucket_id=number) for number in range(8))
    bench.say(GroupMod(1, GroupType.SELECT, buckets, properties=(method,)))
    groups = bench.switch.datapath.groups
    found = (groups.choose(groups[1], key(number))[0] for number in range(200))
    return [bucket.bucket.bucket_id for bucket in found]


def test_a_selection_method_says_which_fields_count() -> None:
    # ovs-ofctl(8) "Group Syntax": selection_method=hash, fields, with masks
    def spread(**fields: int) -> int:
        method = nicira.SelectionMethod("hash", 0, Match.unchecked(fields))
        return len(set(selecting(method)))

    assert spread(ipv4_src=0xFFFF_FFFF) == 8
    assert spread(ipv4_src=0xFFFF_FF00) == 1
    assert spread(tcp_src=0xFFFF) == 1
    assert spread() == 8


def test_the_parameter_of_a_selection_method_draws_anew() -> None:
    assert selecting(nicira.SelectionMethod("dp_hash", 1)) != selecting(
        nicira.SelectionMethod("dp_hash", 2)
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 100), min_size=1, max_size=8), st.integers(0, 2**32))
def test_shares_follow_any_weights(weights: list[int], seed: int) -> None:
    groups = GroupTable({})
    entry = GroupEntry(1, 0.0)
    buckets = [BucketEntry(Bucket(bucket_id=i), weight, OF15) for i, weight in enumerate(weights)]
    groups.put(entry, 1, buckets)
    found = (groups.choose(entry, key(seed + number)) for number in range(2000))
    counts = Counter(bucket.bucket.bucket_id for buckets in found for bucket in buckets)
    total = sum(weights)
    assert counts.total() == (2000 if total else 0)
    for number, weight in enumerate(weights):
        expected = 2000 * weight / total if total else 0
        assert counts[number] == pytest.approx(expected, abs=5 * expected**0.5 + 3 * bool(weight))
