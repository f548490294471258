"""Groups, meters and queues do the same on the fast path as where nothing is kept."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import (
    OF15,
    ApplyActions,
    Bucket,
    DropBand,
    DscpRemarkBand,
    FlowMod,
    FlowModCommand,
    GotoTable,
    Group,
    GroupMod,
    GroupModCommand,
    GroupType,
    Match,
    Message,
    MeterAction,
    MeterFlags,
    MeterMod,
    MeterModCommand,
    Output,
    SetQueue,
    WriteActions,
    set_field,
)
from protocol.groups import GroupDescRequest, GroupStatsRequest
from protocol.meters import MeterStatsRequest
from protocol.queues import QueueStatsRequest
from switch_sim.queues import parse_queue
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench

IDS = st.integers(0, 3)
PORTS = st.integers(1, 4)
FRAMES = [frames.TCP, frames.UDP, frames.TCP6, frames.ARP, frames.TCP_DSCP_46, frames.VLAN_TCP]
ASKED: list[Message] = [
    *(GroupStatsRequest(), GroupDescRequest(), MeterStatsRequest(), QueueStatsRequest())
]

actions = st.one_of(
    PORTS.map(Output),
    IDS.map(Group),
    IDS.map(MeterAction),
    st.integers(0, 1).map(SetQueue),
    st.sampled_from([set_field(eth_dst=7), set_field(vlan_vid=0x1005)]),
)
lists = st.lists(actions, max_size=4).map(tuple)
buckets = st.lists(
    st.builds(
        Bucket, lists, weight=st.none() | st.integers(0, 3), watch_port=PORTS | st.just(0xFFFF_FFFF)
    ),
    max_size=3,
).map(lambda found: tuple(Bucket(b.actions, b.weight, b.watch_port, bucket_id=i)
                          for i, b in enumerate(found)))  # fmt: skip
flow_mods = st.builds(
    FlowMod,
    st.sampled_from([Match(), Match(in_port=1), Match(eth_type=0x0800), Match(in_port=2)]),
    st.tuples(lists.map(ApplyActions), lists.map(WriteActions)) | st.just((GotoTable(1),)),
    command=st.sampled_from([FlowModCommand.ADD, FlowModCommand.ADD, FlowModCommand.DELETE]),
    priority=st.integers(0, 2),
    table_id=st.just(0) | st.integers(0, 1),
)
group_mods = st.builds(
    GroupMod,
    IDS,
    st.sampled_from(GroupType),
    buckets,
    command=st.sampled_from(
        [
            GroupModCommand.ADD,
            GroupModCommand.MODIFY,
            GroupModCommand.MODIFY,
            GroupModCommand.DELETE,
        ]
    ),
)
bands = st.builds(DropBand, st.integers(0, 20), st.integers(0, 3)) | st.builds(
    DscpRemarkBand, st.integers(0, 20), st.integers(0, 3), st.integers(0, 2)
)
meter_mods = st.builds(
    MeterMod,
    st.integers(1, 3),
    st.lists(bands, max_size=2).map(tuple),
    st.sampled_from(MeterModCommand),
    st.just(MeterFlags.PKTPS | MeterFlags.BURST) | st.just(MeterFlags.KBPS),
)
links = st.tuples(PORTS, st.booleans())
received = st.tuples(PORTS, st.sampled_from(FRAMES), st.floats(0, 0.3))
steps = st.lists(st.one_of(flow_mods, group_mods, meter_mods, links, *[received] * 3), max_size=40)


def start(**options: Any) -> Bench:
    queues = map(parse_queue, ("2:0", "3:0,max=0.0", "3:1"))
    bench = Bench(OF15, n_ports=4, queues=queues, **options)
    for number in range(4):
        bench.say(GroupMod(number))
        bench.ask(MeterMod(number))
    return bench


@settings(max_examples=150, deadline=None)
@given(steps)
def test_what_is_kept_of_walks_changes_nothing(steps: list[Any]) -> None:
    quick, slow = start(), start()
    now = 0.0
    for step in steps:
        if isinstance(step, Message):
            assert quick.ask(step, now) == slow.ask(step, now)
        elif isinstance(step[1], bool):
            for bench in (quick, slow):
                bench.switch.set_link(*step, now)
        else:
            in_port, data, pause = step
            now += pause
            slow.switch.datapath.fast_path.cache.flush()
            for _ in range(3):
                assert quick.frames(data, in_port, now) == slow.frames(data, in_port, now)
                slow.switch.datapath.fast_path.cache.flush()
    for request in ASKED:
        assert quick.ask(request, now) == slow.ask(request, now)
