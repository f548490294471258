"""What a switch is asked it tells, in each version, in the words of that version."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from controller import App, Controller, Datapath
from protocol import (
    ANY_GROUP,
    OF10,
    OF11,
    OF12,
    OF13,
    OF14,
    OF15,
    Bucket,
    ConfigFlags,
    DropBand,
    EncodeError,
    FlowStatsReply,
    FlowStatsRequest,
    GroupType,
    Match,
    Output,
    PacketInReason,
    PortConfig,
    RequestError,
    SetAsync,
    Version,
)
from protocol.endpoint import LOOPBACK, Endpoint
from protocol.queues import MinRate, QueueDesc
from protocol.tables import TableConfig
from switch_sim.agent import Agent
from switch_sim.network import Network
from switch_sim.network.topology import TopologyBuilder
from switch_sim.settings import Settings

from ..controller.fakes import eventually

EACH = pytest.mark.parametrize("version", Version, ids=str)
WEB = Match(eth_type=0x0800, ip_proto=6, tcp_dst=80)
MAIL = Match(eth_type=0x0800, ip_proto=6, tcp_dst=25)
NO_INVALID_TTL = 1 << PacketInReason.NO_MATCH | 1 << PacketInReason.ACTION


def since(first: Version) -> pytest.MarkDecorator:
    """Run a test in each version from `first` on."""
    return pytest.mark.parametrize("version", [one for one in Version if one >= first], ids=str)


@asynccontextmanager
async def connected(version: Version) -> AsyncIterator[Datapath]:
    """Yield a switch with ports 1 and 2, and queue 7 at each of them."""
    builder = TopologyBuilder()
    builder.switch(queues=[QueueDesc(7, port, (MinRate(100),)) for port in (1, 2)])
    for host in (builder.host(), builder.host()):
        builder.link("s1", host)
    agent = Agent(Network(builder.build()), Settings(versions=frozenset({version})))
    controller = Controller([App()])
    try:
        bound = await controller.listen(Endpoint("ptcp", LOOPBACK, 0))
        agent.dial("s1", Endpoint("tcp", bound.host, bound.port))
        await eventually(lambda: bool(controller.datapaths))
        (datapath,) = controller.datapaths.values()
        yield datapath
    finally:
        await agent.close()
        await controller.close()


@EACH
async def test_entries_are_told_as_far_as_match_table_and_port_say(version: Version) -> None:
    async with connected(version) as datapath:
        datapath.add_flow(WEB, [Output(1)], priority=5, cookie=0x15)
        datapath.add_flow(MAIL, [Output(2)], priority=6, cookie=0x26)

        async def priorities(*match: Match, **which: int) -> list[int]:
            return sorted(one.priority for one in await datapath.flow_stats(*match, **which))

        assert await priorities() == [5, 6]
        assert await priorities(WEB) == [5]
        assert await priorities(table_id=0) == [5, 6]
        assert await priorities(out_port=2) == [6]
        assert await priorities(out_port=2, out_group=ANY_GROUP) == [6]
        assert (await datapath.aggregate_stats(WEB)).flow_count == 1
        assert (await datapath.aggregate_stats()).flow_count == 2
        if version >= OF11:
            assert await priorities(cookie=0x10, cookie_mask=0xF0) == [5]
            assert (await datapath.aggregate_stats(cookie=6, cookie_mask=15)).flow_count == 1


@EACH
async def test_entries_change_their_actions_and_nothing_else(version: Version) -> None:
    async with connected(version) as datapath:
        datapath.add_flow(WEB, [Output(1)], priority=5, cookie=0x15)
        datapath.modify_flows(WEB, [Output(2)], cookie=0x15)
        (entry,) = await datapath.flow_stats()
        assert (entry.priority, entry.cookie) == (5, 0x15)
        assert await datapath.flow_stats(out_port=2)


@EACH
async def test_a_long_table_streams_as_it_is_gathered(version: Version) -> None:
    async with connected(version) as datapath:
        for port in range(2000):
            datapath.add_flow(Match(eth_type=0x0800, ip_proto=6, tcp_dst=port), [Output(1)])
        streamed, parts = [], 0
        async for part in datapath.stream(FlowStatsRequest(), FlowStatsReply):
            parts += 1
            streamed += [entry.match for entry in part.flows]
        assert parts > 1
        assert streamed == [entry.match for entry in await datapath.flow_stats()]
        assert len(streamed) == 2000


@EACH
async def test_the_switch_its_ports_and_its_tables_are_described(version: Version) -> None:
    async with connected(version) as datapath:
        assert (await datapath.desc()).mfr_desc
        assert {one.port_no: one for one in await datapath.port_desc()} == datapath.ports
        assert await datapath.port_desc(2) == (datapath.ports[2],)
        assert sorted(one.port_no for one in await datapath.port_stats()) == sorted(datapath.ports)
        assert [one.port_no for one in await datapath.port_stats(2)] == [2]
        tables = await datapath.table_stats()
        assert len(tables) == datapath.features.n_tables
        assert tables[0].table_id == 0


@EACH
async def test_queues_are_described_and_counted_for_one_port_and_for_all(version: Version) -> None:
    async with connected(version) as datapath:
        named = [(one.port_no, one.queue_id) for one in await datapath.queue_desc()]
        assert [one for one in named if one[1]] == [(1, 7), (2, 7)]
        (one,) = await datapath.queue_desc(2, 7)
        assert one == QueueDesc(7, 2, (MinRate(100),))
        assert {(one.port_no, one.queue_id) for one in await datapath.queue_stats()} == set(named)
        assert [one.queue_id for one in await datapath.queue_stats(1, 7)] == [7]


@EACH
async def test_a_port_is_shut_and_told_so(version: Version) -> None:
    async with connected(version) as datapath:
        datapath.port_mod(2, PortConfig.PORT_DOWN, PortConfig.PORT_DOWN)
        (port,) = await datapath.port_desc(2)
        assert port.config & PortConfig.PORT_DOWN
        await eventually(lambda: datapath.ports[2] == port)


@EACH
async def test_the_configuration_is_what_was_set(version: Version) -> None:
    async with connected(version) as datapath:
        datapath.set_config(ConfigFlags.FRAG_DROP, 77)
        found = await datapath.get_config()
        assert (found.flags, found.miss_send_len) == (ConfigFlags.FRAG_DROP, 77)


@since(OF11)
async def test_groups_are_told_for_one_and_for_all(version: Version) -> None:
    async with connected(version) as datapath:
        for group_id in (3, 4):
            datapath.add_group(group_id, GroupType.ALL, [Bucket((Output(group_id - 2),))])
        assert sorted(one.group_id for one in await datapath.group_desc()) == [3, 4]
        (one,) = await datapath.group_desc(4)
        assert one.buckets[0].actions == (Output(2),)
        assert [one.group_id for one in await datapath.group_stats(3)] == [3]
        datapath.modify_group(4, GroupType.ALL, [Bucket((Output(1),))])
        (one,) = await datapath.group_desc(4)
        assert one.buckets[0].actions == (Output(1),)
        datapath.delete_group()
        assert await datapath.group_desc() == ()
        if version >= OF12:
            assert (await datapath.group_features()).types & 1 << GroupType.ALL


async def test_single_buckets_come_and_go() -> None:
    async with connected(OF15) as datapath:
        datapath.add_group(3, GroupType.SELECT, [Bucket((Output(1),), weight=1)])
        bucket = Bucket((Output(2),), weight=1, bucket_id=9)
        datapath.insert_buckets(3, [bucket])
        (group,) = await datapath.group_desc(3)
        assert [one.bucket_id for one in group.buckets] == [0, 9]
        datapath.remove_buckets(3, 0)
        (group,) = await datapath.group_desc(3)
        assert [one.bucket_id for one in group.buckets] == [9]


@since(OF13)
async def test_meters_are_told_for_one_and_for_all(version: Version) -> None:
    async with connected(version) as datapath:
        datapath.add_meter(3, [DropBand(100)])
        datapath.add_meter(4, [DropBand(100)])
        datapath.modify_meter(4, [DropBand(200)])
        assert sorted(one.meter_id for one in await datapath.meter_desc()) == [3, 4]
        (one,) = await datapath.meter_desc(4)
        assert one.bands == (DropBand(200),)
        assert [one.meter_id for one in await datapath.meter_stats(3)] == [3]
        assert (await datapath.meter_features()).max_meter
        datapath.delete_meter(3)
        assert [one.meter_id for one in await datapath.meter_desc()] == [4]


@since(OF13)
async def test_features_of_tables_are_told(version: Version) -> None:
    async with connected(version) as datapath:
        tables = await datapath.table_features()
        assert len(tables) == datapath.features.n_tables
        assert tables[0].properties


@since(OF14)
async def test_tables_evict_if_they_are_told_to(version: Version) -> None:
    async with connected(version) as datapath:
        datapath.table_mod(0, TableConfig.EVICTION)
        descs = await datapath.table_desc()
        assert descs[0].config & TableConfig.EVICTION
        assert not descs[1].config & TableConfig.EVICTION


@since(OF13)
async def test_of_the_masks_only_those_change_that_were_named(version: Version) -> None:
    async with connected(version) as datapath:
        before = await datapath.get_async()
        await datapath.set_async(SetAsync(packet_in_master=NO_INVALID_TTL, flow_removed_slave=1))
        after = await datapath.get_async()
        assert (after.packet_in_master, after.flow_removed_slave) == (NO_INVALID_TTL, 1)
        assert before.port_status_master == after.port_status_master != 0
        assert before.flow_removed_master == after.flow_removed_master != 0


@pytest.mark.parametrize("version", [OF10, OF11, OF12], ids=str)
async def test_before_of13_nicira_masks_say_which_messages_come(version: Version) -> None:
    async with connected(version) as datapath:
        await datapath.set_async(SetAsync(port_status_master=0))
        datapath.port_mod(2, PortConfig.PORT_DOWN, PortConfig.PORT_DOWN)
        await datapath.barrier()
        assert not datapath.ports[2].config & PortConfig.PORT_DOWN
        await datapath.set_async(SetAsync())  # as at first
        datapath.port_mod(1, PortConfig.PORT_DOWN, PortConfig.PORT_DOWN)
        await datapath.barrier()
        assert datapath.ports[1].config & PortConfig.PORT_DOWN


async def test_the_controllers_of_a_switch_are_told() -> None:
    async with connected(OF15) as datapath:
        assert len(await datapath.controllers()) == 1


Question = Callable[[Datapath], Awaitable[Any]]
UNKNOWN: dict[str, tuple[Version, Question, str]] = {
    "groups": (OF10, Datapath.group_desc, "has no groups, 1.1 to 1.5 do"),
    "group stats": (OF10, Datapath.group_stats, "has no groups, 1.1 to 1.5 do"),
    "group features": (OF11, Datapath.group_features, "has no features of groups, 1.2 to 1.5 do"),
    "meters": (OF12, Datapath.meter_desc, "has no meters, 1.3 to 1.5 do"),
    "table features": (OF12, Datapath.table_features, "has no features of tables, 1.3 to 1.5 do"),
    "table desc": (OF13, Datapath.table_desc, "has no descriptions of tables, 1.4 to 1.5 do"),
    "masks": (OF12, Datapath.get_async, "has no way to ask for masks, 1.3 to 1.5 do"),
    "controllers": (OF14, Datapath.controllers, "has no list of controllers, 1.5 does"),
    "cookies": (
        OF10,
        lambda one: one.flow_stats(cookie=1, cookie_mask=1),
        r"FlowStatsRequest\.cookie.* does not exist in OpenFlow 1\.0",
    ),
    "later masks": (
        OF13,
        lambda one: one.set_async(SetAsync(role_status_master=1)),
        "role_status_master does not exist in OpenFlow 1.3",
    ),
}


@pytest.mark.parametrize("what", UNKNOWN)
async def test_what_a_version_cannot_tell_is_refused_before_it_is_asked(what: str) -> None:
    version, ask, sentence = UNKNOWN[what]
    async with connected(version) as datapath:
        with pytest.raises(EncodeError, match=f"^{datapath}: .*{sentence}"):
            await ask(datapath)
        assert not datapath._requests


@since(OF11)
async def test_what_is_not_there_is_refused_by_the_switch(version: Version) -> None:
    async with connected(version) as datapath:
        with pytest.raises(RequestError):
            await datapath.port_stats(99)
        with pytest.raises(RequestError):
            await datapath.queue_stats(1, 99)
