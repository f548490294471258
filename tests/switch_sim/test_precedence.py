"""Which error is told where a message has several faults: what is read first, first."""

from __future__ import annotations

from typing import Any

import pytest

from protocol import (
    OF10,
    OF13,
    OF14,
    OF15,
    BadActionCode,
    BadInstructionCode,
    BadMatchCode,
    BadRequestCode,
    Bucket,
    BundleFailedCode,
    FlowModFailedCode,
    FlowModFlags,
    FlowMonitorFailedCode,
    GotoTable,
    Group,
    GroupMod,
    GroupModFailedCode,
    GroupType,
    Match,
    Message,
    MeterMod,
    MeterModFailedCode,
    Output,
    PacketOut,
    Port,
    PortMod,
    PortModFailedCode,
    Role,
    RoleRequest,
    RoleRequestFailedCode,
    Version,
)
from protocol.bundles import BundleAdd
from protocol.monitors import FlowMonitorRequest
from protocol.multipart import MultipartFlags
from protocol.table_features import TableFeatures, TableFeaturesRequest
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow
from tests.switch_sim.refusals import swapped
from tests.switch_sim.wire import Wire

NO_PREREQUISITE = Match.unchecked({"tcp_dst": 80})
WITH_ADDRESS = Match(in_port=1, eth_dst=1)
BAD_FLAGS = 1 << 7
SEND = PacketOut((Output(2),), frames.TCP)


# What cannot be read is told before what cannot be done (OF1.3.5 7.4.4 "Error Message")


@pytest.mark.parametrize(
    ("version", "old", "new", "code"),
    [
        # an unknown action whose length cannot be
        (OF10, "0000 0008 0002", "7777 0005 0002", BadActionCode.BAD_LEN),
        (OF13, "0000 0010 0000", "7777 0005 0000", BadActionCode.BAD_LEN),
    ],
)
def test_lengths_come_first(version: Version, old: str, new: str, code: object) -> None:
    raw = swapped(SEND, old, new)(version)
    assert [error.code for error in Wire(version).send(raw)] == [code]


def test_a_slave_hears_first_that_it_is_one_unless_nothing_could_be_read() -> None:
    wire = Wire(OF13)
    wire.bench.say(RoleRequest(Role.SLAVE, 1))
    [error] = wire.send(flow(NO_PREREQUISITE, command=9).encode(OF13))
    assert error.code == BadRequestCode.IS_SLAVE
    [error] = wire.send(swapped(SEND, "0000 0010 0000", "7777 0010 0000")(OF13))
    assert error.code == BadActionCode.BAD_TYPE


# What is asked for, part by part


def faulty(**fields: Any) -> Message:
    """A flow_mod with all faults but those that the fields mend."""
    faults = {
        "match": NO_PREREQUISITE,
        "command": 9,
        "flags": BAD_FLAGS,
        "table_id": 254,
        "instructions": (GotoTable(0),),
    }
    return flow(**{**faults, **fields})


MENDING: list[tuple[dict[str, Any], object]] = [
    ({}, FlowModFailedCode.BAD_COMMAND),
    ({"command": 0}, FlowModFailedCode.BAD_FLAGS),
    ({"flags": FlowModFlags.CHECK_OVERLAP}, BadMatchCode.BAD_PREREQ),
    ({"match": Match()}, FlowModFailedCode.BAD_TABLE_ID),
    ({"table_id": 0}, BadInstructionCode.BAD_TABLE_ID),
    ({"instructions": ()}, FlowModFailedCode.OVERLAP),
    ({"flags": 0, "priority": 1}, FlowModFailedCode.TABLE_FULL),
]


@pytest.mark.parametrize("step", range(len(MENDING)))
def test_a_flow_mod_is_judged_from_its_command_to_its_room(step: int) -> None:
    mended: dict[str, Any] = {}
    for fields, _ in MENDING[: step + 1]:
        mended |= fields
    bench = Bench(OF13, max_entries=1)
    bench.say(flow(Match(in_port=1)))
    assert bench.refusal(faulty(**mended)) == MENDING[step][1]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        # the port it came in by, the actions, the fields, the packet
        (
            PacketOut((Group(9),), b"", match=Match(in_port=Port.FLOOD, eth_dst=1)),
            BadRequestCode.BAD_PORT,
        ),
        (
            PacketOut((Group(9),), b"", match=WITH_ADDRESS),
            BadActionCode.BAD_OUT_GROUP,
        ),
        (
            PacketOut((), b"", match=WITH_ADDRESS),
            BadRequestCode.PIPELINE_FIELDS_ONLY,
        ),
        (PacketOut((), b""), BadRequestCode.BAD_PACKET),
        # the port, its address, its configuration
        (PortMod(9, 0xB1, mask=1 << 20), PortModFailedCode.BAD_PORT),
        (PortMod(1, 0xB1, mask=1 << 20), PortModFailedCode.BAD_HW_ADDR),
        # the command, the number, the type, the buckets
        (GroupMod(0xFFFF_FFFF, command=99, type=9), GroupModFailedCode.BAD_COMMAND),
        (GroupMod(0xFFFF_FFFF, type=9), GroupModFailedCode.INVALID_GROUP),
        (GroupMod(1, type=9, buckets=(Bucket(watch_port=0),)), GroupModFailedCode.BAD_TYPE),
        (
            GroupMod(1, type=GroupType.FF, buckets=(Bucket((Group(7),), watch_port=0),)),
            GroupModFailedCode.BAD_WATCH,
        ),
        # the command, the number, the flags
        (MeterMod(0, command=9, flags=1 << 9), MeterModFailedCode.BAD_COMMAND),
        (MeterMod(0, flags=1 << 9), MeterModFailedCode.INVALID_METER),
        # the role, then the election
        (RoleRequest(9, 0), RoleRequestFailedCode.BAD_ROLE),
        # the command, the flags, the way out, the table, the match
        (
            FlowMonitorRequest(1, command=9, monitor_flags=1 << 9, out_port=0),
            FlowMonitorFailedCode.BAD_COMMAND,
        ),
        (FlowMonitorRequest(1, monitor_flags=1 << 9, out_port=0), FlowMonitorFailedCode.BAD_FLAGS),
        (FlowMonitorRequest(1, out_port=0, table_id=254), FlowMonitorFailedCode.BAD_OUT),
        (
            FlowMonitorRequest(1, table_id=254, match=NO_PREREQUISITE),
            FlowMonitorFailedCode.BAD_TABLE_ID,
        ),
        # the xid, the kind of message, the bundle
        (BundleAdd(1, RoleRequest(xid=3), flags=8, xid=2), BundleFailedCode.MSG_BAD_XID),
        (BundleAdd(1, RoleRequest(xid=2), flags=8, xid=2), BundleFailedCode.MSG_UNSUP),
    ],
)
def test_the_first_fault_is_told(message: Message, code: object) -> None:
    bench = Bench(OF15)
    bench.say(RoleRequest(Role.EQUAL))
    assert bench.refusal(message) == code


def test_a_controllers_number_is_judged_before_its_election() -> None:
    bench = Bench(OF15)
    bench.other().say(RoleRequest(Role.MASTER, 9, short_id=5))
    both = RoleRequest(Role.MASTER, 1, short_id=5)
    assert bench.refusal(both) == RoleRequestFailedCode.ID_IN_USE
    assert bench.refusal(RoleRequest(Role.MASTER, 1)) == RoleRequestFailedCode.STALE


def test_a_large_request_in_parts_is_quoted_from_its_beginning() -> None:
    # OF1.3.5 7.4.4 "Error Message": at least 64 bytes
    wire = Wire(OF14)
    tables = tuple(TableFeatures(0) for _ in range(900))
    parts = [
        TableFeaturesRequest(tables, flags=flags, xid=7).encode(OF14)
        for flags in (MultipartFlags.MORE, 0)
    ]
    assert wire.send(parts[0]) == []
    [error] = wire.send(parts[1])
    assert error.data[16:] == parts[0][16:64]
