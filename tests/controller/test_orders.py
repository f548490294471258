"""Orders: what each version is told, and what is refused before it is sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from controller.datapath import Bundle, Datapath
from controller.testing import recording
from protocol import (
    OF10,
    OF11,
    OF12,
    OF13,
    OF14,
    OF15,
    ApplyActions,
    Bucket,
    ConfigFlags,
    DropBand,
    EncodeError,
    FlowMod,
    FlowModCommand,
    GotoTable,
    Group,
    GroupMod,
    GroupModCommand,
    GroupType,
    MacAddress,
    Match,
    Message,
    Meter,
    MeterFlags,
    MeterMod,
    MeterModCommand,
    Output,
    PacketIn,
    PortConfig,
    PortDesc,
    PortFeatures,
    PortMod,
    PortModEthernet,
    SetConfig,
    TableMod,
    Version,
)
from protocol.groups import BucketId, GroupId
from protocol.meters import MeterId
from protocol.tables import EvictionFlags, TableConfig, TableEviction

Order = Callable[[Datapath], int]
WEB = Match(eth_type=0x0800, ip_proto=6, tcp_dst=80)
BUCKETS = [Bucket((Output(1),)), Bucket((Output(2),))]
DOWN = PortConfig.PORT_DOWN
EVICTION = TableConfig.EVICTION


def told(version: Version, order: Order) -> Message:
    """Return what arrives when an order is given in a version."""
    datapath, sent = recording(version)
    datapath.ports[3] = PortDesc(3, MacAddress(0x3333))
    order(datapath)
    (message,) = sent
    return Message.decode(message.encode(version))


@pytest.mark.parametrize("version", Version, ids=str)
def test_entries_are_modified(version: Version) -> None:
    arrived = told(version, lambda one: one.modify_flows(WEB, [Output(2)]))
    modify = FlowModCommand.MODIFY
    assert arrived == FlowMod(WEB, (ApplyActions((Output(2),)),), command=modify)


@pytest.mark.parametrize("version", [one for one in Version if one >= OF11], ids=str)
def test_groups_are_modified_and_deleted(version: Version) -> None:
    arrived = told(version, lambda one: one.modify_group(7, GroupType.ALL, BUCKETS))
    assert isinstance(arrived, GroupMod)
    assert arrived.command == GroupModCommand.MODIFY
    assert [one.actions for one in arrived.buckets] == [(Output(1),), (Output(2),)]
    assert [one.bucket_id for one in arrived.buckets] == ([0, 1] if version >= OF15 else [0, 0])
    deleted = told(version, lambda one: one.delete_group())
    assert deleted == GroupMod(GroupId.ALL, command=GroupModCommand.DELETE)


def test_single_buckets_come_and_go_since_of15() -> None:
    bucket = Bucket((Output(3),), bucket_id=9)
    arrived = told(OF15, lambda one: one.insert_buckets(7, [bucket], after=BucketId.FIRST))
    insert, remove = GroupModCommand.INSERT_BUCKET, GroupModCommand.REMOVE_BUCKET
    assert arrived == GroupMod(
        7, buckets=(bucket,), command=insert, command_bucket_id=BucketId.FIRST
    )
    removed = told(OF15, lambda one: one.remove_buckets(7, 9))
    assert removed == GroupMod(7, command=remove, command_bucket_id=9)


@pytest.mark.parametrize("version", [OF13, OF14, OF15], ids=str)
def test_meters_are_added_modified_and_deleted(version: Version) -> None:
    flags, bands = MeterFlags.PKTPS | MeterFlags.BURST, (DropBand(100, 10),)
    added = told(version, lambda one: one.add_meter(5, bands, flags))
    assert added == MeterMod(5, bands, MeterModCommand.ADD, flags)
    modified = told(version, lambda one: one.modify_meter(5, bands))
    assert modified == MeterMod(5, bands, MeterModCommand.MODIFY)
    deleted = told(version, lambda one: one.delete_meter())
    assert deleted == MeterMod(MeterId.ALL, command=MeterModCommand.DELETE)


@pytest.mark.parametrize("version", Version, ids=str)
def test_a_port_is_named_by_its_address_too(version: Version) -> None:
    speed = PortModEthernet(PortFeatures.RATE_1GB_FD)
    arrived = told(version, lambda one: one.port_mod(3, DOWN, DOWN, [speed]))
    assert arrived == PortMod(3, MacAddress(0x3333), DOWN, DOWN, (speed,))


def test_a_port_that_is_not_there_is_refused_with_those_that_are() -> None:
    datapath, sent = recording()
    with pytest.raises(ValueError, match="datapath 0x0000000000000001 has no port 7; it has 1, 2"):
        datapath.port_mod(7, DOWN, DOWN)
    assert sent == []


def test_tables_behave_on_a_miss_or_when_full_as_the_version_has_it() -> None:
    drop = TableConfig.TABLE_MISS_DROP
    for version in (OF11, OF12):
        assert told(version, lambda one: one.table_mod(2, drop)) == TableMod(2, drop)
    eviction = TableEviction(EvictionFlags.IMPORTANCE)
    for version in (OF14, OF15):
        arrived = told(version, lambda one: one.table_mod(2, EVICTION, [eviction]))
        assert arrived == TableMod(2, EVICTION, (eviction,))


@pytest.mark.parametrize("version", Version, ids=str)
def test_fragments_and_the_length_of_packet_ins_are_set(version: Version) -> None:
    arrived = told(version, lambda one: one.set_config(ConfigFlags.FRAG_DROP, 64))
    assert arrived == SetConfig(ConfigFlags.FRAG_DROP, 64)


NAME = "datapath 0x0000000000000001: "
_NO_SUCH_PORT = (
    "PacketOut.actions[0].Output.port: 65536 does not fit: "
    "ports of OpenFlow 1.0 have numbers below 0xff00"
)
REFUSED: dict[str, tuple[Version, Order, str]] = {
    "groups": (
        OF10,
        lambda one: one.add_group(1, GroupType.ALL, BUCKETS),
        "OpenFlow 1.0 has no groups, 1.1 to 1.5 do: let the flow entries name their output ports",
    ),
    "meters": (
        OF12,
        lambda one: one.add_meter(1, [DropBand(5)]),
        "OpenFlow 1.2 has no meters, 1.3 to 1.5 do: send packets through queues, which have rates",
    ),
    "single buckets": (
        OF14,
        lambda one: one.remove_buckets(1),
        "OpenFlow 1.4 has no commands for single buckets, 1.5 does: use modify_group()",
    ),
    "flooding of ports": (
        OF13,
        lambda one: one.port_mod(3, PortConfig.NO_FLOOD, PortConfig.NO_FLOOD),
        "OpenFlow 1.3 has no NO_FLOOD of ports, 1.0 does: let flow entries say it",
    ),
    "tables": (
        OF10,
        lambda one: one.table_mod(),
        "OpenFlow 1.0 has no table_mod, 1.1 to 1.5 do: add an entry of priority 0 for what no "
        "other entry matches",
    ),
    "misses": (
        OF13,
        lambda one: one.table_mod(0, TableConfig.TABLE_MISS_DROP),
        "OpenFlow 1.3 has no behaviour of tables on a miss, 1.1 to 1.2 do: add an entry of "
        "priority 0, which tells what to do on a miss",
    ),
    "eviction": (
        OF13,
        lambda one: one.table_mod(0, EVICTION),
        "OpenFlow 1.3 has no eviction or vacancy events, 1.4 to 1.5 do: let idle_timeout and "
        "hard_timeout make room in the table",
    ),
    "TTL": (
        OF13,
        lambda one: one.set_config(ConfigFlags.INVALID_TTL_TO_CONTROLLER),
        "OpenFlow 1.3 has no flag INVALID_TTL_TO_CONTROLLER, 1.1 to 1.2 do: since OpenFlow 1.3 "
        "set_async() asks for packet_ins of that reason",
    ),
    "a group as an action": (
        OF10,
        lambda one: one.add_flow(WEB, [Group(1)]),
        "Group does not exist in OpenFlow 1.0: let the flow entries name their output ports",
    ),
    "a meter as an instruction": (
        OF12,
        lambda one: one.add_flow(WEB, instructions=[Meter(1)]),
        "Meter does not exist in OpenFlow 1.2: send packets through queues, which have rates",
    ),
    "another table": (
        OF10,
        lambda one: one.add_flow(WEB, instructions=[GotoTable(1)]),
        "FlowMod.instructions: (GotoTable(table_id=1),) does not fit: OpenFlow 1.0 knows one "
        "ApplyActions only: put all into one table, as actions that are applied",
    ),
    "a part without another way": (
        OF10,
        lambda one: one.add_flow(Match(metadata=1)),
        "FlowMod.match: Match(metadata=0x1) does not fit: metadata does not exist in OpenFlow 1.0",
    ),
    "a packet_out of a frame to a port above 16 bits": (
        OF10,
        lambda one: one.packet_out(b"frame", [Output(1 << 16)]),
        _NO_SUCH_PORT,
    ),
    "a packet_out of what came to a port above 16 bits": (
        OF10,
        lambda one: one.packet_out(PacketIn(match=Match(in_port=1)), [Output(1 << 16)]),
        _NO_SUCH_PORT,
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_version_cannot_do_is_refused_with_what_to_do_instead(what: str) -> None:
    version, order, sentence = REFUSED[what]
    datapath, sent = recording(version)
    datapath.ports[3] = PortDesc(3)
    with pytest.raises(EncodeError) as raised:
        order(datapath)
    assert str(raised.value) == NAME + sentence
    assert sent == []


def test_a_bundle_refuses_in_the_same_words() -> None:
    datapath, _ = recording(OF12)
    bundle = Bundle(datapath)
    with pytest.raises(EncodeError, match=f"^a bundle for {NAME}OpenFlow 1.2 has no meters"):
        bundle.add_meter(1, [DropBand(5)])
    assert bundle.messages == []
