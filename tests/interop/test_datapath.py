"""What the controller says to a switch and asks of it, said to a real Open vSwitch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from controller import App, Controller, Datapath
from protocol import (
    OF11,
    OF12,
    OF13,
    OF14,
    OF15,
    Bucket,
    ConfigFlags,
    DropBand,
    FlowStatsReply,
    FlowStatsRequest,
    GroupType,
    Match,
    Output,
    PacketInReason,
    PortConfig,
    SetAsync,
    Version,
)
from protocol.endpoint import Endpoint
from protocol.tables import TableConfig

from ..controller.fakes import eventually
from . import ovs
from .ovs import OpenVSwitch

pytestmark = pytest.mark.interop

WEB = Match(eth_type=0x0800, ip_proto=6, tcp_dst=80)
FLOWS = 1500  # more than one message holds


@pytest.fixture(scope="module")
def switch() -> Iterator[OpenVSwitch]:
    """Run an Open vSwitch whose ports are dummies."""
    if reason := ovs.missing_tools():
        pytest.skip(reason)
    with OpenVSwitch(dummy=True) as running:
        yield running


@asynccontextmanager
async def connected(switch: OpenVSwitch, version: Version) -> AsyncIterator[Datapath]:
    """Yield a bridge with ports 1 and 2 that speaks one version."""
    controller = Controller([App()])
    bound = await controller.listen(Endpoint.parse("ptcp:0"))
    name = switch.add_bridge(
        "brd",
        datapath_id=0xD,
        ports={1: "d1", 2: "d2"},
        controller=f"tcp:127.0.0.1:{bound.port}",
        protocols=f"OpenFlow{str(version).replace('.', '')}",
    )
    try:
        await eventually(lambda: 0xD in controller.datapaths)
        yield controller.datapaths[0xD]
    finally:
        switch.vsctl("del-br", name)
        await controller.close()


@pytest.mark.parametrize("version", Version, ids=str)
async def test_open_vswitch_does_and_tells_what_each_chapter_has(
    switch: OpenVSwitch, version: Version
) -> None:
    async with connected(switch, version) as datapath:
        await flows(datapath)
        await ports_and_queues(datapath)
        await tables_and_configuration(datapath)
        if version >= OF11:
            await groups(datapath)
        if version >= OF13:
            await meters(datapath)
        await masks(datapath)


async def flows(datapath: Datapath) -> None:
    """Add, change, find, count, stream and delete entries."""
    datapath.add_flow(WEB, [Output(1)], priority=5, cookie=0x15)
    datapath.modify_flows(WEB, [Output(2)], cookie=0x15 if datapath.version < OF11 else 0)
    (entry,) = await datapath.flow_stats(WEB, out_port=2)
    assert (entry.priority, entry.cookie) == (5, 0x15)
    assert await datapath.flow_stats(out_port=1) == ()
    if datapath.version >= OF11:
        assert len(await datapath.flow_stats(cookie=0x10, cookie_mask=0xF0)) == 1
    datapath.delete_flows(WEB)
    for port in range(FLOWS):
        datapath.add_flow(Match(eth_type=0x0800, ip_proto=6, tcp_dst=port), [Output(1)])
    parts = [len(part.flows) async for part in datapath.stream(FlowStatsRequest(), FlowStatsReply)]
    assert sum(parts) == FLOWS
    assert len(parts) > 1
    assert (await datapath.aggregate_stats()).flow_count == FLOWS
    datapath.delete_flows()
    assert await datapath.flow_stats() == ()


async def ports_and_queues(datapath: Datapath) -> None:
    """Shut a port, and see its counters; a dummy has queue 0."""
    assert {one.port_no for one in await datapath.port_desc()} == set(datapath.ports)
    datapath.port_mod(2, PortConfig.PORT_DOWN, PortConfig.PORT_DOWN)
    (port,) = await datapath.port_desc(2)
    assert port.config & PortConfig.PORT_DOWN
    await eventually(lambda: bool(datapath.ports[2].config & PortConfig.PORT_DOWN))
    assert [one.port_no for one in await datapath.port_stats(2)] == [2]
    assert {one.port_no for one in await datapath.port_stats()} == set(datapath.ports)
    named = {(one.port_no, one.queue_id) for one in await datapath.queue_desc()}
    assert named >= {(1, 0), (2, 0)}
    assert [(one.port_no, one.queue_id) for one in await datapath.queue_desc(1)] == [(1, 0)]
    assert {(one.port_no, one.queue_id) for one in await datapath.queue_stats()} >= named


async def tables_and_configuration(datapath: Datapath) -> None:
    """Ask what the switch and its tables are, and let them be otherwise."""
    assert "Open vSwitch" in (await datapath.desc()).hw_desc
    assert (await datapath.table_stats())[0].table_id == 0
    datapath.set_config(ConfigFlags.FRAG_DROP, 77)
    found = await datapath.get_config()
    assert (found.flags, found.miss_send_len) == (ConfigFlags.FRAG_DROP, 77)
    if datapath.version >= OF13:
        assert (await datapath.table_features())[0].properties
    if datapath.version >= OF14:
        datapath.table_mod(0, TableConfig.EVICTION)
        assert (await datapath.table_desc())[0].config & TableConfig.EVICTION


async def groups(datapath: Datapath) -> None:
    """Add, change, ask for and delete groups."""
    datapath.add_group(3, GroupType.ALL, [Bucket((Output(1),))])
    datapath.add_group(4, GroupType.ALL, [Bucket((Output(1),))])
    datapath.modify_group(4, GroupType.ALL, [Bucket((Output(2),)), Bucket((Output(1),))])
    assert sorted(one.group_id for one in await datapath.group_desc()) == [3, 4]
    (group,) = await datapath.group_desc(4)
    assert [one.actions for one in group.buckets] == [(Output(2),), (Output(1),)]
    assert [one.group_id for one in await datapath.group_stats(4)] == [4]
    if datapath.version >= OF12:
        assert (await datapath.group_features()).types & 1 << GroupType.ALL
    if datapath.version >= OF15:
        datapath.insert_buckets(3, [Bucket((Output(2),), bucket_id=9)])
        datapath.remove_buckets(3, 0)
        (group,) = await datapath.group_desc(3)
        assert [one.bucket_id for one in group.buckets] == [9]
    datapath.delete_group()
    assert await datapath.group_desc() == ()


async def meters(datapath: Datapath) -> None:
    """Add, change, ask for and delete meters."""
    datapath.add_meter(3, [DropBand(100)])
    datapath.modify_meter(3, [DropBand(200)])
    (meter,) = await datapath.meter_desc(3)
    assert [band.rate for band in meter.bands] == [200]
    assert [one.meter_id for one in await datapath.meter_stats()] == [3]
    assert (await datapath.meter_features()).max_meter
    datapath.delete_meter(3)
    assert await datapath.meter_desc() == ()


async def masks(datapath: Datapath) -> None:
    """Say which packets come, and, where the version can, ask."""
    wanted = 1 << PacketInReason.ACTION
    await datapath.set_async(SetAsync(packet_in_master=wanted))
    if datapath.version >= OF13:
        found = await datapath.get_async()
        assert found.packet_in_master == wanted
        assert found.port_status_master
    if datapath.version >= OF15:
        with pytest.raises(Exception, match="refused"):
            await datapath.controllers()
