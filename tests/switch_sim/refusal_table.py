"""How each error of the specification is raised, or why a switch such as this never does.

Where the versions differ in why there is none, both stand here.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from protocol import (
    OF10,
    OF11,
    OF12,
    OF13,
    OF14,
    OF15,
    ApplyActions,
    AsyncConfigFailedCode,
    BadActionCode,
    BadInstructionCode,
    BadMatchCode,
    BadPropertyCode,
    BadRequestCode,
    BarrierReply,
    BarrierRequest,
    Bucket,
    BundleControl,
    BundleFailedCode,
    CopyField,
    DropBand,
    DscpRemarkBand,
    Enqueue,
    Experimenter,
    ExperimenterAction,
    ExperimenterInstruction,
    FlowModFailedCode,
    FlowModFlags,
    FlowMonitorFailedCode,
    FlowStatsRequest,
    GotoTable,
    Group,
    GroupMod,
    GroupModCommand,
    GroupModFailedCode,
    GroupType,
    Hello,
    HelloFailedCode,
    Match,
    Message,
    MeterAction,
    MeterMod,
    MeterModCommand,
    MeterModFailedCode,
    Output,
    PacketOut,
    Port,
    PortMod,
    PortModFailedCode,
    PushVlan,
    QueueOpFailedCode,
    Role,
    RoleRequest,
    RoleRequestFailedCode,
    SetAsync,
    SetConfig,
    SetField,
    SetQueue,
    SetVlanVid,
    Stats,
    StatTrigger,
    SwitchConfigFailedCode,
    TableFeaturesFailedCode,
    TableMod,
    TableModFailedCode,
    Version,
    set_field,
)
from protocol.bundles import (
    BundleAdd,
    BundleControlType,
    BundleFeatureFlags,
    BundleFeaturesRequest,
    BundleFlags,
)
from protocol.groups import BucketId
from protocol.monitors import FlowMonitorCommand, FlowMonitorRequest
from protocol.multipart import MultipartFlags
from protocol.ports import PortEthernet, PortFeatures, PortModEthernet
from protocol.properties import ExperimenterProperty
from protocol.queues import QueueStatsRequest
from protocol.record import Unknown
from protocol.table_features import NextTables, TableFeatures, TableFeaturesRequest
from protocol.tables import TableEviction, TableVacancy
from switch_sim.bundles import MAX_BUNDLES
from switch_sim.group_mods import MAX_BUCKETS
from switch_sim.group_table import MAX_CHAIN
from switch_sim.meter_mods import MAX_BANDS
from switch_sim.monitors import MAX_MONITORS
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow
from tests.switch_sim.refusals import Never, Refusal, changed, longer, swapped

ONE, TWO = Match(in_port=1), Match(in_port=2)
IP = Match(eth_type=0x0800)
TCP = Match(eth_type=0x0800, ip_proto=6)
NICIRA = 0x2320
ALL_BITS = (1 << 64) - 1
SEND = PacketOut((Output(2),), frames.TCP)
FEATURES = TableFeatures(0, "", ALL_BITS, ALL_BITS, max_entries=1, features=1)
WITH_NEXT = TableFeaturesRequest(
    (replace(FEATURES, features=0, properties=(NextTables((1, 2, 3, 4)),)),)
)
WITH_LAST = TableFeaturesRequest((replace(FEATURES, features=0, properties=(NextTables((254,)),)),))


def apply(*actions: Any, **fields: Any) -> Message:
    return flow(IP, *actions, **fields)


def group(group_id: int, *buckets: Bucket, **fields: Any) -> GroupMod:
    return GroupMod(group_id, buckets=buckets, **fields)


def to(*group_ids: int) -> Bucket:
    return Bucket(tuple(map(Group, group_ids)))


def features(version: Version, **change: Any) -> Message:
    return TableFeaturesRequest((replace(FEATURES, features=int(version >= OF15), **change),))


def bundle(kind: int, bundle_id: int = 1, **fields: Any) -> BundleControl:
    return BundleControl(bundle_id, kind, **fields)


OPEN, CLOSE = BundleControlType.OPEN_REQUEST, BundleControlType.CLOSE_REQUEST
COMMIT = BundleControlType.COMMIT_REQUEST


def unfinished(bench: Bench) -> None:
    """Nothing; the wire says the parts of the requests that never end."""


def used_buffer(bench: Bench) -> None:
    bench.say(flow(Match(), Output(Port.CONTROLLER, 40), priority=0))
    [packet_in] = bench.packet_ins(frames.TCP)
    assert packet_in.buffer_id == 1
    bench.say(PacketOut((), buffer_id=1))


def full(bench: Bench) -> None:
    bench.switch.tables[0].max_entries = 0


def slave(bench: Bench) -> None:
    bench.say(RoleRequest(Role.SLAVE, 1))


def no_more_groups(bench: Bench) -> None:
    bench.switch.datapath.groups.max_groups = 0


def no_more_meters(bench: Bench) -> None:
    bench.switch.datapath.meters.max_meters = 0


def many_monitors(bench: Bench) -> None:
    for number in range(MAX_MONITORS):
        bench.say(FlowMonitorRequest(number + 100))


def many_bundles(bench: Bench) -> None:
    for number in range(MAX_BUNDLES):
        bench.say(bundle(OPEN, number + 100))


def other_with_short_id(bench: Bench) -> None:
    bench.other().say(RoleRequest(short_id=5))


def a_port_with_speeds(bench: Bench) -> None:
    port = bench.switch.ports[1]
    port.desc = replace(port.desc, properties=(PortEthernet(supported=PortFeatures.COPPER),))


Request, Action = BadRequestCode, BadActionCode
Instruction, M = BadInstructionCode, BadMatchCode
Flow, G, Property = FlowModFailedCode, GroupModFailedCode, BadPropertyCode
Features, Monitor, Bundle = TableFeaturesFailedCode, FlowMonitorFailedCode, BundleFailedCode
MeterCode = MeterModFailedCode

REFUSALS: list[Refusal] = [
    # The channel
    Refusal(HelloFailedCode.INCOMPATIBLE, lambda version: Hello.offering({9}).encode(version)),
    Refusal(
        Request.BAD_VERSION, lambda version: bytes([version + 1]) + bytes.fromhex("14000800000000")
    ),
    Refusal(Request.BAD_TYPE, lambda version: bytes([version]) + bytes.fromhex("63000800000000")),
    Refusal(Request.BAD_TYPE, BarrierReply()),
    Refusal(Request.BAD_MULTIPART, changed(FlowStatsRequest(), 8, b"\x77\x77")),
    Refusal(Request.BAD_EXPERIMENTER, Experimenter(9)),
    Refusal(Request.BAD_EXP_TYPE, Experimenter(NICIRA, 0)),
    Refusal(Request.BAD_LEN, longer(BarrierRequest(), b"\0")),
    Refusal(Request.BUFFER_UNKNOWN, PacketOut((), buffer_id=9)),
    Refusal(Request.BUFFER_EMPTY, PacketOut((), buffer_id=1), prepare=used_buffer),
    Refusal(Request.BAD_TABLE_ID, FlowStatsRequest(table_id=254)),
    Refusal(Request.IS_SLAVE, apply(), prepare=slave),
    Refusal(Request.BAD_PORT, PacketOut((), frames.TCP, match=Match(in_port=Port.FLOOD))),
    Refusal(Request.BAD_PACKET, PacketOut((), b"short")),
    Refusal(
        Request.MULTIPART_BUFFER_OVERFLOW,
        TableFeaturesRequest(flags=MultipartFlags.MORE),
        prepare=unfinished,
    ),
    Refusal(Request.MULTIPART_BAD_SCHED, BundleFeaturesRequest(BundleFeatureFlags.TIME_SET_SCHED)),
    Refusal(
        Request.PIPELINE_FIELDS_ONLY,
        PacketOut((), frames.TCP, match=Match(in_port=1, eth_dst=1)),
    ),
    # Actions
    Refusal(Action.BAD_TYPE, swapped(SEND, "0000 0008 0002", "7777 0008 0002"), last=OF10),
    Refusal(Action.BAD_TYPE, swapped(SEND, "0000 0010 0000", "7777 0010 0000"), first=OF11),
    Refusal(Action.BAD_LEN, swapped(SEND, "0000 0008 0002", "0000 0004 0002"), last=OF10),
    Refusal(Action.BAD_LEN, swapped(SEND, "0000 0010 0000", "0000 0008 0000"), first=OF11),
    Refusal(Action.BAD_EXPERIMENTER, apply(ExperimenterAction(9, bytes(8)))),
    Refusal(Action.BAD_EXP_TYPE, apply(ExperimenterAction(NICIRA, b"\x77\x77" + bytes(6)))),
    Refusal(Action.BAD_OUT_PORT, apply(Output(0))),
    Refusal(Action.BAD_ARGUMENT, apply(SetVlanVid(0x1FFF)), last=OF11),
    Refusal(Action.BAD_ARGUMENT, apply(PushVlan(0x1234)), first=OF11),
    Refusal(Action.BAD_QUEUE, apply(Enqueue(1, 99)), last=OF10),
    Refusal(Action.BAD_QUEUE, apply(SetQueue(99)), first=OF11),
    Refusal(Action.BAD_OUT_GROUP, apply(Group(9))),
    Refusal(Action.MATCH_INCONSISTENT, apply(set_field(tcp_dst=80)), first=OF12),
    Refusal(Action.BAD_SET_TYPE, apply(set_field(in_port=1))),
    Refusal(
        Action.BAD_SET_LEN,
        swapped(apply(set_field(ip_dscp=1)), "80001001 01000000", "80001002 01000000"),
        last=OF14,
    ),
    Refusal(Action.BAD_SET_LEN, apply(CopyField(99, "eth_src", "eth_dst")), first=OF15),
    Refusal(
        Action.BAD_SET_ARGUMENT,
        flow(Match(vlan_vid=0x1001), SetField(Match.unchecked({"vlan_vid": 1}))),
    ),
    Refusal(
        Action.BAD_SET_MASK,
        swapped(
            apply(SetField(Match.unchecked({"eth_dst": (1, 1)}))),
            "8000070c 000000000001 000000000001",
            "80000b04 000008000000 000000000000",
        ),
    ),
    Refusal(Action.BAD_METER, apply(MeterAction(9))),
    # Instructions
    Refusal(
        Instruction.UNKNOWN_INST,
        swapped(flow(ONE, instructions=(GotoTable(7),)), "0001 0008 07", "7777 0008 07"),
    ),
    Refusal(
        Instruction.UNSUP_INST, flow(ONE, instructions=(ApplyActions(),) * 2), first=OF11, last=OF13
    ),
    Refusal(
        Instruction.UNSUP_INST, flow(ONE, instructions=(StatTrigger(1 << 9, Stats()),)), first=OF15
    ),
    Refusal(Instruction.BAD_TABLE_ID, flow(ONE, instructions=(GotoTable(0),))),
    Refusal(Instruction.BAD_EXPERIMENTER, flow(ONE, instructions=(ExperimenterInstruction(9),))),
    Refusal(
        Instruction.BAD_LEN,
        swapped(flow(ONE, instructions=(GotoTable(7),)), "0001 0008 07", "0001 0004 07"),
    ),
    Refusal(Instruction.DUP_INST, flow(ONE, instructions=(ApplyActions(),) * 2)),
    # Matches
    Refusal(M.BAD_TYPE, swapped(flow(ONE), "0000 0058 00000001", "0077 0058 00000001"), last=OF11),
    Refusal(M.BAD_TYPE, swapped(flow(ONE), "0001 000c 80000004", "0077 000c 80000004"), first=OF12),
    Refusal(M.BAD_LEN, swapped(flow(ONE), "0000 0058 00000001", "0000 0057 00000001"), last=OF11),
    Refusal(M.BAD_LEN, swapped(flow(ONE), "80000004 00000001", "80000003 00000001"), first=OF12),
    Refusal(M.BAD_FIELD, swapped(flow(ONE), "80000004", "8000fe04"), first=OF12),
    Refusal(M.BAD_VALUE, flow(Match.unchecked({"eth_type": 0x0800, "ip_dscp": 0x7F})), first=OF12),
    Refusal(
        M.BAD_MASK,
        swapped(flow(ONE), "0001 000c 80000004", "0001 0010 80000108 00000001"),
        first=OF12,
    ),
    Refusal(M.BAD_PREREQ, flow(Match.unchecked({"tcp_dst": 80})), first=OF12),
    Refusal(
        M.DUP_FIELD,
        swapped(
            flow(ONE),
            "0001 000c 80000004 00000001 00000000",
            "0001 0014 80000004 00000001 80000004 00000001 00000000",
        ),
        first=OF12,
    ),
    # Flow_mods
    Refusal(Flow.UNKNOWN, apply(flags=1 << 7), first=OF11, last=OF11),
    Refusal(Flow.TABLE_FULL, apply(), prepare=full),
    Refusal(Flow.BAD_TABLE_ID, apply(table_id=254)),
    Refusal(Flow.OVERLAP, apply(flags=FlowModFlags.CHECK_OVERLAP), before=[flow(IP)]),
    Refusal(Flow.BAD_EMERG_TIMEOUT, apply(flags=FlowModFlags.EMERG, idle_timeout=1)),
    Refusal(Flow.UNSUPPORTED, apply(flags=FlowModFlags.EMERG)),
    Refusal(Flow.BAD_COMMAND, apply(command=9)),
    Refusal(Flow.BAD_FLAGS, apply(flags=1 << 7)),
    # Groups
    Refusal(G.GROUP_EXISTS, group(1), before=[group(1)]),
    Refusal(G.INVALID_GROUP, group(0xFFFF_FFFF)),
    Refusal(G.OUT_OF_GROUPS, group(1), prepare=no_more_groups),
    Refusal(G.OUT_OF_BUCKETS, group(1, *[Bucket()] * (MAX_BUCKETS + 1)), last=OF14),
    Refusal(
        G.OUT_OF_BUCKETS,
        group(1, *[Bucket(bucket_id=number) for number in range(MAX_BUCKETS + 1)]),
        first=OF15,
    ),
    Refusal(
        G.CHAINING_UNSUPPORTED,
        group(MAX_CHAIN, to(MAX_CHAIN - 1)),
        before=[group(0), *(group(n, to(n - 1)) for n in range(1, MAX_CHAIN))],
    ),
    Refusal(G.WATCH_UNSUPPORTED, group(1, Bucket(watch_port=1))),
    Refusal(
        G.LOOP,
        group(1, to(2), command=GroupModCommand.MODIFY),
        before=[group(1), group(2, to(1))],
    ),
    Refusal(G.UNKNOWN_GROUP, group(1, command=GroupModCommand.MODIFY)),
    Refusal(
        G.CHAINED_GROUP,
        group(1, command=GroupModCommand.DELETE),
        before=[group(1), group(2, to(1))],
    ),
    Refusal(G.BAD_TYPE, group(1, type=9)),
    Refusal(G.BAD_COMMAND, group(1, command=99)),
    Refusal(G.BAD_BUCKET, group(1, Bucket(bucket_id=0xFFFF_FFF0)), first=OF15),
    Refusal(G.BAD_WATCH, group(1, Bucket(watch_port=0), type=GroupType.FF)),
    Refusal(
        G.UNKNOWN_BUCKET,
        group(1, command=GroupModCommand.REMOVE_BUCKET, command_bucket_id=7),
        before=[group(1)],
    ),
    Refusal(
        G.BUCKET_EXISTS,
        group(
            1,
            Bucket(bucket_id=7),
            command=GroupModCommand.INSERT_BUCKET,
            command_bucket_id=BucketId.LAST,
        ),
        before=[group(1, Bucket(bucket_id=7))],
    ),
    # Ports, tables, queues, configuration
    Refusal(PortModFailedCode.BAD_PORT, PortMod(9, 0xA1)),
    Refusal(PortModFailedCode.BAD_HW_ADDR, PortMod(1, 0xB1)),
    Refusal(PortModFailedCode.BAD_CONFIG, PortMod(1, 0xA1, mask=1 << 20)),
    Refusal(
        PortModFailedCode.BAD_ADVERTISE,
        PortMod(1, 0xA1, properties=(PortModEthernet(PortFeatures.FIBER),)),
        prepare=a_port_with_speeds,
    ),
    Refusal(TableModFailedCode.BAD_TABLE, TableMod(254)),
    Refusal(TableModFailedCode.BAD_CONFIG, TableMod(0, 1 << 20)),
    Refusal(QueueOpFailedCode.BAD_PORT, QueueStatsRequest(9, 0xFFFF_FFFF)),
    Refusal(QueueOpFailedCode.BAD_QUEUE, QueueStatsRequest(1, 9)),
    Refusal(SwitchConfigFailedCode.BAD_FLAGS, SetConfig(1 << 5)),
    Refusal(SwitchConfigFailedCode.BAD_LEN, SetConfig(0, 0xFFE6), first=OF12),
    # Controllers
    Refusal(
        RoleRequestFailedCode.STALE,
        RoleRequest(Role.MASTER, 1),
        before=[RoleRequest(Role.MASTER, 2)],
    ),
    Refusal(RoleRequestFailedCode.BAD_ROLE, RoleRequest(9)),
    Refusal(RoleRequestFailedCode.ID_IN_USE, RoleRequest(short_id=5), prepare=other_with_short_id),
    Refusal(AsyncConfigFailedCode.INVALID, SetAsync(packet_in_master=1 << 20)),
    Refusal(AsyncConfigFailedCode.UNSUPPORTED, SetAsync(properties=(Unknown(99, bytes(4)),))),
    # Meters
    Refusal(MeterCode.METER_EXISTS, MeterMod(1), before=[MeterMod(1)]),
    Refusal(MeterCode.INVALID_METER, MeterMod(0)),
    Refusal(MeterCode.UNKNOWN_METER, MeterMod(1, command=MeterModCommand.MODIFY)),
    Refusal(MeterCode.BAD_COMMAND, MeterMod(1, command=9)),
    Refusal(MeterCode.BAD_FLAGS, MeterMod(1, flags=1 << 9)),
    Refusal(
        MeterCode.BAD_BAND,
        swapped(MeterMod(1, bands=(DropBand(0x0A0B),)), "0001 0010 00000a0b", "0077 0010 00000a0b"),
    ),
    Refusal(MeterCode.BAD_BAND_VALUE, MeterMod(1, bands=(DscpRemarkBand(1, prec_level=9),))),
    Refusal(MeterCode.OUT_OF_METERS, MeterMod(1), prepare=no_more_meters),
    Refusal(MeterCode.OUT_OF_BANDS, MeterMod(1, bands=(DropBand(1),) * (MAX_BANDS + 1))),
    # Features of tables
    Refusal(Features.BAD_TABLE, lambda version: features(version, table_id=254).encode(version)),
    Refusal(
        Features.BAD_METADATA, lambda version: features(version, metadata_match=1).encode(version)
    ),
    Refusal(Features.BAD_TYPE, swapped(WITH_NEXT, "0002 0008 0102", "7777 0008 0102")),
    Refusal(Features.BAD_LEN, swapped(WITH_NEXT, "0002 0008 0102", "0002 0003 0102")),
    Refusal(Features.BAD_ARGUMENT, WITH_LAST),
    Refusal(
        Features.EPERM, lambda version: features(version, max_entries=0).encode(version), last=OF14
    ),
    Refusal(
        Features.EPERM, lambda version: features(version, command=3).encode(version), first=OF15
    ),
    Refusal(
        Features.BAD_CAPA, lambda version: features(version, capabilities=1 << 9).encode(version)
    ),
    Refusal(Features.BAD_MAX_ENT, lambda version: features(version, max_entries=0).encode(version)),
    Refusal(Features.BAD_FEATURES, TableFeaturesRequest((replace(FEATURES, features=2),))),
    Refusal(Features.BAD_COMMAND, TableFeaturesRequest((replace(FEATURES, command=9),))),
    Refusal(Features.TOO_MANY, TableFeaturesRequest((FEATURES,) * 255)),
    # Properties
    Refusal(Property.BAD_TYPE, longer(TableMod(), bytes.fromhex("7777000400000000"))),
    Refusal(Property.BAD_LEN, longer(TableMod(), bytes.fromhex("0002000300000000"))),
    Refusal(Property.BAD_VALUE, TableMod(0, 8, (TableVacancy(9, 8),))),
    Refusal(Property.DUP_TYPE, TableMod(0, 4, (TableEviction(),) * 2)),
    Refusal(Property.BAD_EXPERIMENTER, TableMod(0, 0, (ExperimenterProperty(9),))),
    # Flow monitors
    Refusal(Monitor.UNKNOWN, FlowMonitorRequest(1), prepare=many_monitors),
    Refusal(Monitor.MONITOR_EXISTS, FlowMonitorRequest(1), before=[FlowMonitorRequest(1)]),
    Refusal(Monitor.UNKNOWN_MONITOR, FlowMonitorRequest(1, command=FlowMonitorCommand.DELETE)),
    Refusal(Monitor.BAD_COMMAND, FlowMonitorRequest(1, command=9)),
    Refusal(Monitor.BAD_FLAGS, FlowMonitorRequest(1, monitor_flags=1 << 9)),
    Refusal(Monitor.BAD_TABLE_ID, FlowMonitorRequest(1, table_id=254)),
    Refusal(Monitor.BAD_OUT, FlowMonitorRequest(1, out_port=0)),
    # Bundles
    Refusal(Bundle.BAD_ID, bundle(CLOSE)),
    Refusal(Bundle.BUNDLE_EXIST, bundle(OPEN), before=[bundle(OPEN)]),
    Refusal(Bundle.BUNDLE_CLOSED, bundle(CLOSE), before=[bundle(OPEN), bundle(CLOSE)]),
    Refusal(Bundle.OUT_OF_BUNDLES, bundle(OPEN), prepare=many_bundles),
    Refusal(Bundle.BAD_TYPE, bundle(9)),
    Refusal(Bundle.BAD_FLAGS, bundle(OPEN, flags=1 << 9)),
    Refusal(Bundle.MSG_BAD_LEN, changed(BundleAdd(1, apply()), 18, b"\xff\xff")),
    Refusal(Bundle.MSG_BAD_XID, changed(BundleAdd(1, apply()), 20, b"\7\7\7\7")),
    Refusal(Bundle.MSG_UNSUP, BundleAdd(1, BarrierRequest())),
    Refusal(Bundle.MSG_FAILED, bundle(COMMIT), before=[BundleAdd(1, apply(Output(0)))]),
    Refusal(Bundle.SCHED_NOT_SUPPORTED, bundle(OPEN, flags=BundleFlags.TIME)),
]

_RIGHTS = "a controller that may speak may do all; a slave is told IS_SLAVE"
_UNSPECIFIED = "each fault has an error of its own"

NEVER: list[Never] = [
    *(
        Never(code.EPERM, _RIGHTS)
        for code in (
            HelloFailedCode,
            BadActionCode,
            BadInstructionCode,
            BadMatchCode,
            FlowModFailedCode,
            GroupModFailedCode,
            PortModFailedCode,
            TableModFailedCode,
            QueueOpFailedCode,
            SwitchConfigFailedCode,
            BadPropertyCode,
            AsyncConfigFailedCode,
            BundleFailedCode,
        )
    ),
    Never(Request.EPERM, _RIGHTS),
    Never(Request.UNKNOWN, _UNSPECIFIED),
    Never(Request.MULTIPART_REQUEST_TIMEOUT, "their number and size are bounded, not their age"),
    Never(Request.MULTIPART_REPLY_TIMEOUT, "it is the controller that waits for replies"),
    Never(Action.TOO_MANY, "an entry may have as many actions as a message can say"),
    Never(Action.MATCH_INCONSISTENT, "actions pass over packets without the field", last=OF11),
    Never(Action.UNSUPPORTED_ORDER, "actions are done in every order"),
    Never(Action.BAD_TAG, "what cannot be pushed is a bad argument"),
    Never(
        Instruction.UNSUP_INST, "every instruction of the version is done", first=OF14, last=OF14
    ),
    Never(Instruction.UNSUP_METADATA, "all bits of the metadata can be written"),
    Never(Instruction.UNSUP_METADATA_MASK, "the metadata can be written with every mask"),
    Never(Instruction.BAD_EXP_TYPE, "no experimenter is known that has instructions"),
    Never(M.BAD_TAG, "every tag that a match can say is matched"),
    Never(M.BAD_DL_ADDR_MASK, "addresses take every mask"),
    Never(M.BAD_NW_ADDR_MASK, "addresses take every mask"),
    Never(M.BAD_WILDCARDS, "every combination of fields may be left out"),
    Never(M.BAD_FIELD, "the struct has no place for an unknown field", last=OF11),
    Never(M.BAD_VALUE, "what a field of the struct cannot be is never matched", last=OF11),
    Never(Flow.UNKNOWN, _UNSPECIFIED, first=OF12),
    Never(Flow.BAD_TIMEOUT, "every timeout is kept"),
    Never(Flow.CANT_SYNC, "no table is synchronised with another"),
    Never(Flow.BAD_PRIORITY, "every priority may be used, since no table is synchronised"),
    Never(Flow.IS_SYNC, "no table is synchronised with another"),
    Never(G.WEIGHT_UNSUPPORTED, "select groups weigh their buckets"),
    Never(G.BAD_BUCKET, "before buckets had numbers, none was bad by itself", last=OF14),
    Never(RoleRequestFailedCode.UNSUP, "roles can be changed"),
    Never(RoleRequestFailedCode.ID_UNSUP, "controllers may have short ids"),
    Never(SwitchConfigFailedCode.BAD_LEN, "every miss_send_len is kept", last=OF11),
    Never(MeterCode.UNKNOWN, _UNSPECIFIED),
    Never(MeterCode.BAD_RATE, "every rate is kept"),
    Never(MeterCode.BAD_BURST, "every burst is kept"),
    Never(Property.TOO_MANY, "each property stands once, so that there are never too many"),
    Never(Property.BAD_EXP_TYPE, "no experimenter is known that has properties"),
    Never(Property.BAD_EXP_VALUE, "no experimenter is known that has properties"),
    Never(Monitor.INVALID_MONITOR, "every number can be a monitor's"),
    Never(Bundle.UNKNOWN, _UNSPECIFIED),
    Never(Bundle.MSG_CONFLICT, "messages are done in their order, so they may say the contrary"),
    Never(Bundle.BUNDLE_IN_PROGRESS, "a commit is done before the next message is looked at"),
    Never(Bundle.SCHED_FUTURE, "no bundle is scheduled"),
    Never(Bundle.SCHED_PAST, "no bundle is scheduled"),
]
