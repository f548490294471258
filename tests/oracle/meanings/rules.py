"""What the fields of messages may say, where their layout leaves more.

A rule belongs to a field of a class (`Output.port`) or to all fields of a name (`table_id`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocol import (
    ALL_TABLES,
    ANY_GROUP,
    NO_BUFFER,
    FieldId,
    FlowMod,
    GroupMod,
    MacAddress,
    Match,
    MeterMod,
    Port,
    Role,
)
from protocol.async_config import ASYNC_PROPERTIES
from protocol.compiler import write
from protocol.errors import codes_at
from protocol.groups import BucketId, GroupId
from protocol.meters import MeterFeatureFlags, MeterId
from protocol.oxm import OXM, FieldValue
from protocol.queues import QueueId
from protocol.table_features import (
    FeatureId,
)
from protocol.version import OF10, OF12, OF13
from protocol.wire import resolve

from .matches import a_set_field, actions, copied, fields_at, match
from .numbers import (
    STRANGER,
    Rule,
    below,
    bits,
    from_one,
    group,
    meter_id,
    nothing,
    number_or,
    one_of,
    port,
    port_or,
)
from .records import instructions

if TYPE_CHECKING:
    from ..meaningful import Maker


def packet_in_match(m: Maker) -> Match:
    fields: dict[str, FieldValue] = {"in_port": port_or(Port.LOCAL)(m)}
    if m.version >= OF12:
        for row in (OXM["metadata"], OXM["tunnel_id"]):
            if row.first <= m.version and m.rarely():
                fields[row.name] = m.number(64)
    return Match(**fields)


def frame(m: Maker) -> bytes:
    """A frame of a protocol that nobody dissects, or nothing."""
    if m.rarely():
        return b""
    return m.random.randbytes(12) + b"\x88\xb5" + m.random.randbytes(m.choice((46, 48, 100)))


def packet_out_match(m: Maker) -> Match:
    return Match(in_port=port_or(Port.CONTROLLER, Port.LOCAL)(m))


#: The reasons that masks of an async configuration may name, by message, as bits.
_REASONS: dict[str, int] = {
    "packet_in": 0b11_1111,
    "port_status": 0b111,
    "flow_removed": 0b11_1111,
    "role_status": 0b111,
    "table_status": 0b1_1000,
    "requestforward": 0b11,
    "flow_stats": 0b11,
    "controller_status": 0b111_1111,
}
_REASONS_13 = {"packet_in": 0b111, "flow_removed": 0b1111}


def mask(name: str, number: Any) -> Rule:
    """A mask of an async configuration, which OF1.3 always has and others may leave away."""
    message = name.rpartition("_")[0]

    def make(m: Maker) -> int | None:
        if m.version == OF13:
            return m.number(6) & _REASONS_13.get(message, _REASONS[message])
        if resolve(number, m.version) is None or m.rarely():
            return None
        return m.number(8) & _REASONS[message]

    return make


def field_ids(m: Maker) -> tuple[FieldId, ...]:
    rows = m.random.sample(fields_at(m.version), m.random.randrange(4))
    return tuple(FieldId(row.name, row.maskable and m.rarely()) for row in rows)


def error_data(m: Maker) -> bytes:
    return write(m.record(FlowMod.at(m.version)), m.version)[:64]


def forwarded(m: Maker) -> Any:
    return m.record(m.choice((GroupMod, MeterMod)).at(m.version))


def feature_ids(m: Maker) -> Any:
    return tuple(FeatureId(number) for number in sorted(m.random.sample(range(1, 5), 2)))


def table_ids(m: Maker) -> tuple[int, ...]:
    return tuple(sorted(m.random.sample(range(254), m.random.randrange(9))))


def packet_types(m: Maker) -> bytes:
    header = OXM["packet_type"].header(False).to_bytes(4, "big")
    return b"".join(header + number.to_bytes(4, "big") for number in (0, 0x0001_0800))


def max_len(m: Maker) -> int:
    return m.choice((0, 64, 0xFFE5, 0xFFFF, m.number(16)))


_group_or_all, _meter_or_all = number_or(group, GroupId.ALL), number_or(meter_id, MeterId.ALL)
_table_or_all, _port_or_any = number_or(below(254), ALL_TABLES), port_or(Port.ANY)


def of_any_port(m: Maker) -> int:
    """OF1.0 asks for one port's queues only (OF1.0.1 5.3.4)."""
    return port(m) if m.version == OF10 else _port_or_any(m)


#: Fields that are named as those of a rule, and are other things.
BY_SHAPE = {
    *("FeaturesReply.actions", "GroupFeaturesReply.actions", "TableStats.match"),
    *("TableStats.instructions", "GroupFeaturesReply.capabilities"),
}

RULES: dict[str, Rule] = {
    "xid": bits(31),
    "match": match,
    "PacketIn.match": packet_in_match,
    "PacketOut.match": packet_out_match,
    "actions": actions,
    "instructions": instructions,
    "MultipartRequest.flags": one_of(0),
    "PacketIn.data": frame,
    "PacketOut.data": frame,
    "table_id": below(254),
    "FlowMod.table_id": _table_or_all,
    "_WhichFlows.table_id": _table_or_all,
    "FlowMonitorRequest.table_id": _table_or_all,
    "TableMod.table_id": _table_or_all,
    "port": port,
    "port_no": port_or(Port.LOCAL),
    "PortDescRequest.port_no": _port_or_any,
    "PortStatsRequest.port_no": _port_or_any,
    "QueueStatsRequest.port_no": _port_or_any,
    "QueueDescRequest.port_no": _port_or_any,
    "QueueGetConfigRequest.port": of_any_port,
    "PortRecirculate.port_nos": lambda m: m.items(lambda: port(m)),
    "out_port": port_or(Port.ANY, Port.ANY, Port.LOCAL, Port.CONTROLLER),
    "out_group": number_or(group, ANY_GROUP, ANY_GROUP),
    "queue_id": bits(16),
    "QueueStatsRequest.queue_id": number_or(bits(16), QueueId.ALL),
    "QueueDescRequest.queue_id": number_or(bits(16), QueueId.ALL),
    "group_id": group,
    "GroupMod.group_id": _group_or_all,
    "GroupStatsRequest.group_id": _group_or_all,
    "GroupDescRequest.group_id": _group_or_all,
    "command_bucket_id": one_of(0, 5, BucketId.FIRST, BucketId.LAST, BucketId.ALL),
    "weight": from_one(16),
    "watch_port": port,
    "watch_group": group,
    "bucket_id": bits(16),
    # Where they are spread over fields, those that are left over are experimenters'.
    "Bucket.properties": nothing,
    "AsyncConfig.properties": nothing,
    "BundleAdd.properties": nothing,
    "meter_id": meter_id,
    "MeterMod.meter_id": _meter_or_all,
    "MeterStatsRequest.meter_id": _meter_or_all,
    "MeterDescRequest.meter_id": _meter_or_all,
    "prec_level": one_of(1, 2),
    "buffer_id": number_or(bits(31), NO_BUFFER),
    "duration_nsec": below(1_000_000_000),
    "idle_nsec": below(1_000_000_000),
    "nanoseconds": below(1_000_000_000),
    "packet_count": bits(63),
    "byte_count": bits(63),
    "hw_addr": lambda m: MacAddress(m.number(48)),
    "dl_addr": lambda m: MacAddress(m.number(48)),
    "Output.port": port_or(
        Port.IN_PORT, Port.NORMAL, Port.FLOOD, Port.ALL, Port.CONTROLLER, Port.LOCAL
    ),
    "max_len": max_len,
    "PushVlan.ethertype": one_of(0x8100, 0x88A8),
    "PushMpls.ethertype": one_of(0x8847, 0x8848),
    "PopMpls.ethertype": one_of(0x0800, 0x86DD),
    "PushPbb.ethertype": one_of(0x88E7),
    "vlan_vid": bits(12),
    "vlan_pcp": bits(3),
    "nw_tos": bits(6, 2),
    "nw_ecn": bits(2),
    "nw_ttl": from_one(8),
    "mpls_label": bits(20),
    "mpls_tc": bits(3),
    "mpls_ttl": from_one(8),
    "SetField.field": a_set_field,
    "src": copied,
    "dst": copied,
    "experimenter": one_of(STRANGER),
    "versions": lambda m: frozenset(m.random.sample(range(1, 7), m.random.randint(1, 6))),
    "ErrorMsg.code": lambda m: m.choice(list(codes_at(m.version).values())),
    "ErrorMsg.data": error_data,
    "n_tables": from_one(8),
    "uri": one_of("tcp:127.0.0.1:6653", "tls:192.0.2.1:6654"),
    "message": lambda m: m.record(FlowMod.at(m.version)),
    "request": forwarded,
    "oxm_values": packet_types,
    "table_ids": table_ids,
    "fields": field_ids,
    "oxm_ids": field_ids,
    "ids": feature_ids,
    "RoleStatus.role": one_of(Role.EQUAL, Role.MASTER, Role.SLAVE),
    "band_types": one_of(0, 2, 4, 6),
    "MeterFeaturesReply.features": lambda m: m.choice((None, m.flags(MeterFeatureFlags))),
    **{name: mask(name, number) for name, number in ASYNC_PROPERTIES.items()},
}
