"""What the fields of messages may say, where their layout leaves more: data for `meaningful.py`.

A rule belongs to a field of a class (`Output.port`) or to all fields of a name (`table_id`).
`FINISH` has what concerns several fields of a record at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from protocol import (
    ALL_TABLES,
    ANY_GROUP,
    NO_BUFFER,
    ApplyActions,
    Bucket,
    EncodeError,
    FieldId,
    FlowMod,
    FlowModCommand,
    FlowModFlags,
    GotoTable,
    GroupMod,
    GroupModCommand,
    GroupType,
    MacAddress,
    Match,
    Meter,
    MeterFlags,
    MeterMod,
    MeterModCommand,
    Port,
    Role,
    Version,
    VlanId,
    WriteActions,
)
from protocol import actions as a
from protocol.actions import Action, ActionShape
from protocol.async_config import ASYNC_PROPERTIES
from protocol.compiler import write
from protocol.errors import codes_at
from protocol.groups import BucketId, GroupId
from protocol.instructions import InstructionsShape
from protocol.meters import MeterId
from protocol.monitors import FlowMonitorFlags
from protocol.oxm import OPENFLOW_BASIC, OXM, PACKET_REGS, FieldValue, OxmField
from protocol.queues import QueueId
from protocol.table_features import (
    FeatureId,
    TableFeaturePropertyShape,
    TableMatch,
    TableWildcards,
)
from protocol.tables import TableConfig, TableVacancy
from protocol.version import OF10, OF11, OF12, OF13, OF14, OF15
from protocol.wire import resolve

if TYPE_CHECKING:
    from .meaningful import Maker

Rule = Callable[["Maker"], Any]

#: Names of numbers and flags that not all versions have, with the first and the last one.
ONLY_IN: dict[str, tuple[Version, Version]] = {
    **dict.fromkeys(
        ("PortConfig.NO_STP", "PortConfig.NO_RECV_STP", "PortConfig.NO_FLOOD"), (OF10, OF10)
    ),
    **dict.fromkeys(("PortState.STP_LEARN", "PortState.STP_FORWARD"), (OF10, OF10)),
    **dict.fromkeys(("PortState.BLOCKED", "PortState.LIVE"), (OF11, OF15)),
    **dict.fromkeys(
        tuple(
            f"PortFeatures.{n}" for n in ("RATE_40GB_FD", "RATE_100GB_FD", "RATE_1TB_FD", "OTHER")
        ),
        (OF11, OF15),
    ),
    "FlowModFlags.RESET_COUNTS": (OF12, OF15),
    "FlowModFlags.NO_PKT_COUNTS": (OF13, OF15),
    "FlowModFlags.NO_BYT_COUNTS": (OF13, OF15),
    "FlowModFlags.EMERG": (OF10, OF10),
    "FlowRemovedReason.GROUP_DELETE": (OF11, OF15),
    "FlowRemovedReason.METER_DELETE": (OF14, OF15),
    "FlowRemovedReason.EVICTION": (OF14, OF15),
    "PacketInReason.INVALID_TTL": (OF12, OF15),
    "PacketInReason.ACTION_SET": (OF14, OF15),
    "PacketInReason.GROUP": (OF14, OF15),
    "PacketInReason.PACKET_OUT": (OF14, OF15),
    "Capabilities.GROUP_STATS": (OF11, OF15),
    "Capabilities.ARP_MATCH_IP": (OF10, OF11),
    "Capabilities.PORT_BLOCKED": (OF12, OF15),
    "Capabilities.BUNDLES": (OF14, OF15),
    "Capabilities.FLOW_MONITORING": (OF14, OF15),
    "Capabilities.STP": (OF10, OF10),
    "ConfigFlags.INVALID_TTL_TO_CONTROLLER": (OF11, OF12),
    "TableConfig.TABLE_MISS_CONTINUE": (OF11, OF12),
    "TableConfig.TABLE_MISS_DROP": (OF11, OF12),
    "TableConfig.EVICTION": (OF14, OF15),
    "TableConfig.VACANCY_EVENTS": (OF14, OF15),
    "GroupModCommand.INSERT_BUCKET": (OF15, OF15),
    "GroupModCommand.REMOVE_BUCKET": (OF15, OF15),
    "BundleFlags.TIME": (OF15, OF15),
}


def exists(name: Any, version: Version) -> bool:
    """Whether a version has this name of a number, or this flag."""
    first, last = ONLY_IN.get(f"{type(name).__name__}.{name.name}", (OF10, OF15))
    return first <= version <= last


# Numbers


def port(m: Maker) -> int:
    """A port that may exist."""
    if m.version > OF10 and m.rarely():
        return 0x0001_0000 + m.number(16)
    return m.choice((1, 2, 3, 0xFEFF, 1 + m.random.randrange(0xFEFF)))


def port_or(*others: int) -> Rule:
    """A port, or one of the reserved ones."""
    return lambda m: m.choice(others) if m.random.random() < 0.4 else port(m)


def below(end: int) -> Rule:
    return lambda m: m.choice((0, end - 1, m.random.randrange(end), m.random.randrange(end)))


def number_or(make: Rule, *others: int) -> Rule:
    return lambda m: m.choice(others) if m.random.random() < 0.4 else make(m)


def one_of(*values: Any) -> Rule:
    return lambda m: m.choice(values)


# Matches


def match(m: Maker) -> Match:
    """A match whose fields depend on fields that it has."""
    fields: dict[str, FieldValue] = {}
    rows = [OXM["eth_type"]] if m.random.random() < 0.4 else []
    for row in (*rows, *m.random.sample(fields_at(m.version), m.random.randrange(6))):
        added = dict(fields)
        if put(m, added, row):
            fields = added
    return Match(**fields)


def fields_at(version: Version) -> list[OxmField]:
    """The fields that the specification has in a version; up to OF1.1 in a struct."""
    if version >= OF12:
        rows = [row for row in OXM.values() if row.oxm_class == OPENFLOW_BASIC]
        rows += [row for row in OXM.values() if row.oxm_class == PACKET_REGS and version == OF15]
        return [row for row in rows if row.first <= version]
    return [row for row in OXM.values() if row.first == OF12 and _is_in_struct(row, version)]


def _is_in_struct(row: OxmField, version: Version) -> bool:
    fields: dict[str, Any] = {}
    for name, values in (*row.requires, (row.name, ())):
        fields[name] = values[0] if values else 1
    try:
        FlowMod(Match(**fields)).encode(version)
    except (EncodeError, ValueError):
        return False
    return True


def put(m: Maker, fields: dict[str, FieldValue], row: OxmField) -> bool:
    """Add a field, and what it depends on; return whether that fits with the others."""
    if row.name in fields:
        return False
    for name, values in row.requires:
        if name not in fields:
            if values:
                fields[name] = m.choice(values)
            else:
                fields[name] = field_value(m, OXM[name], masked=False) or VlanId.PRESENT | 5
        elif not _meets(fields[name], values):
            return False
    fields[row.name] = field_value(m, row, masked=_takes_mask(m, row))
    return sayable(fields, m.version)


def _meets(value: FieldValue, values: tuple[int, ...]) -> bool:
    return value in values if values else isinstance(value, int) and value != 0


def _takes_mask(m: Maker, row: OxmField) -> bool:
    return row.maskable and m.random.random() < 0.4


def sayable(fields: dict[str, FieldValue], version: Version) -> bool:
    """Whether a version can say a match; always, since OF1.2."""
    try:
        made = Match(**fields)
        FlowMod(made).encode(version)
    except (EncodeError, ValueError):
        return False
    return True


_VALUES: dict[str, Rule] = {
    "in_port": port_or(Port.LOCAL),
    "in_phy_port": port,
    "actset_output": port,
    "eth_type": one_of(0x0800, 0x86DD, 0x0806, 0x8847, 0x88CC, 0x88E7, 0x1234),
    "ip_proto": one_of(1, 6, 17, 58, 132, 47, 89),
    "arp_op": below(256),
    "packet_type": one_of(0),  # with others a match on Ethernet contradicts itself
}


def field_value(m: Maker, row: OxmField, masked: bool) -> FieldValue:
    """A value of a match field."""
    if row.name == "vlan_vid":
        if masked:
            return VlanId.PRESENT, VlanId.PRESENT
        return m.choice((0, VlanId.PRESENT | m.number(12), VlanId.PRESENT | m.number(12)))
    if rule := _VALUES.get(row.name):
        return rule(m)  # type: ignore[no-any-return]
    value = m.number(row.bits)
    if not masked:
        return value
    if m.version == OF10 or m.rarely():
        mask = row.all_ones ^ row.all_ones >> m.random.randrange(1, row.bits)
    else:
        mask = m.random.randrange(1, row.all_ones)
    return value & mask, mask


# Actions


def needs(m: Maker) -> dict[type[Action], bool]:
    """Whether the match in the making has the header that an action changes."""
    if m.match is None:  # who knows what packets will come
        return {}
    found = m.match
    eth_type, proto = found.number("eth_type"), found.number("ip_proto")
    vlan = found.get("vlan_vid")
    is_ip = eth_type in (0x0800, 0x86DD)
    is_mpls = eth_type in (0x8847, 0x8848)
    has_vlan = vlan is not None and vlan != 0
    ports = is_ip and proto in (6, 17, 132)
    tells_vlan = m.version == OF10 or has_vlan
    return {
        a.SetVlanVid: tells_vlan,
        a.SetVlanPcp: tells_vlan,
        a.PopVlan: tells_vlan,
        a.SetNwSrc: eth_type == 0x0800,
        a.SetNwDst: eth_type == 0x0800,
        a.SetNwTos: is_ip,
        a.SetNwEcn: is_ip,
        a.SetTpSrc: ports,
        a.SetTpDst: ports,
        a.SetNwTtl: is_ip,
        a.DecNwTtl: is_ip,
        a.SetMplsLabel: is_mpls,
        a.SetMplsTc: is_mpls,
        a.SetMplsTtl: is_mpls,
        a.DecMplsTtl: is_mpls,
        a.PopMpls: is_mpls,
        a.CopyTtlIn: is_mpls,
        a.CopyTtlOut: is_mpls,
        a.PopPbb: eth_type == 0x88E7,
    }


#: After these the packet has other headers than the match says: nothing but outputs follows.
_RESHAPES = {a.PushVlan, a.PopVlan, a.PushMpls, a.PopMpls, a.PushPbb, a.PopPbb, a.CopyTtlIn}
_ALWAYS = {a.Output, a.Group, a.SetQueue, a.Enqueue, a.MeterAction}


def actions(m: Maker) -> tuple[Action, ...]:
    """Actions that fit the match, in an order in which each finds its header."""
    wanted = needs(m)
    known = [cls for cls in ActionShape.at(m.version).number_of if wanted.get(cls, True)]
    if not settable(m):
        known = [cls for cls in known if cls not in (a.SetField, a.CopyField)]
    chosen = m.random.sample(known, min(len(known), m.random.randrange(5)))
    reshaping = [cls for cls in chosen if cls in _RESHAPES][:1]
    plain = [cls for cls in chosen if cls not in _RESHAPES and cls not in _ALWAYS]
    last = [cls for cls in chosen if cls in _ALWAYS]
    if a.ExperimenterAction in plain and not m.rarely():
        plain.remove(a.ExperimenterAction)
    return tuple(m.record(cls.at(m.version), 8) for cls in (*plain, *reshaping, *last))


#: Fields that a set_field may not name, or that no packet has.
_NOT_SET = {
    *("in_port", "in_phy_port", "eth_type", "ip_proto", "actset_output", "packet_type"),
    *("mpls_bos", "ipv6_exthdr", "tcp_flags"),
}


def settable(m: Maker) -> list[OxmField]:
    """The fields that can be set in packets that match, or in any where there is no match."""
    found = []
    if m.match is None:
        return [row for row in fields_at(m.version) if row.name not in _NOT_SET]
    for row in fields_at(m.version):
        if row.name in _NOT_SET:
            continue
        if all(_has(m.match, name, values) for name, values in row.requires):
            found.append(row)
    return [row for row in found if row.name != "vlan_vid" or _has(m.match, "vlan_vid", ())]


def _has(found: Match, name: str, values: tuple[int, ...]) -> bool:
    value = found.get(name)
    return value in values if values else value not in (None, 0)


def a_set_field(m: Maker) -> Match:
    row = m.choice(settable(m))
    masked = m.version >= OF15 and _takes_mask(m, row)
    value = field_value(m, row, masked)
    if row.name == "vlan_vid":
        value = VlanId.PRESENT | m.number(12)
    return Match.unchecked({row.name: value})


def copied(m: Maker) -> str:
    return m.choice(settable(m)).name


# Several fields at once


def flow_mod(m: Maker, one: Any) -> Any:
    deletes = one.command in (FlowModCommand.DELETE, FlowModCommand.DELETE_STRICT)
    if not deletes:
        one = replace(one, out_port=Port.ANY, out_group=ANY_GROUP)
        if one.table_id == ALL_TABLES:
            one = replace(one, table_id=3)
    else:
        one = replace(one, instructions=(), importance=0)
    if one.table_id == ALL_TABLES and m.version == OF11:  # it has come with OF1.2
        one = replace(one, table_id=3)
    if one.flags & FlowModFlags.EMERG:  # such an entry stays
        one = replace(one, idle_timeout=0, hard_timeout=0)
    if one.command == FlowModCommand.ADD:
        one = replace(one, cookie_mask=0)
    elif one.importance:
        one = replace(one, importance=0)
    return _forward_only(one)


def _forward_only(one: Any) -> Any:
    """A goto_table leads to a later table."""
    instructions = tuple(
        GotoTable(min(254, one.table_id + 1 + step.table_id % 4))
        if isinstance(step, GotoTable)
        else step
        for step in one.instructions
        if not (isinstance(step, GotoTable) and one.table_id >= 254)
    )
    return replace(one, instructions=instructions)


def instructions(m: Maker) -> Any:
    if m.version == OF10:
        found = actions(m)
        return (ApplyActions(found),) if found else ()
    found = m.members(InstructionsShape.at(m.version))
    if any(type(action) in _RESHAPES for one in found for action in _applied(one)):
        # What is written is done to packets with other headers than the match says.
        found = tuple(one for one in found if not isinstance(one, WriteActions))
    # OF1.5 calls the number of the Meter deprecated.
    return tuple(one for one in found if m.version < OF15 or not isinstance(one, Meter))


def _applied(one: Any) -> tuple[Action, ...]:
    return one.actions if isinstance(one, ApplyActions) else ()


def group_mod(m: Maker, one: Any) -> Any:
    """What a command has no use for is left away; a fast failover watches."""
    if one.command == GroupModCommand.DELETE:
        one = replace(one, buckets=(), properties=())
    elif one.group_id == GroupId.ALL:
        one = replace(one, group_id=7)
    with_id = (GroupModCommand.INSERT_BUCKET, GroupModCommand.REMOVE_BUCKET)
    if one.command in with_id and one.type == GroupType.INDIRECT:  # it has one bucket, always
        one = replace(one, type=GroupType.ALL)
    if one.command not in with_id:
        one = replace(one, command_bucket_id=BucketId.ALL)
    elif one.command == GroupModCommand.REMOVE_BUCKET:
        one = replace(one, buckets=())
    elif one.command_bucket_id == BucketId.ALL:
        one = replace(one, command_bucket_id=BucketId.LAST)
    return group_buckets(m, one)


_WITHOUT_BUCKETS = (GroupModCommand.DELETE, GroupModCommand.REMOVE_BUCKET)


def group_buckets(m: Maker, one: Any) -> Any:
    buckets = one.buckets
    if one.type == GroupType.INDIRECT:
        buckets = buckets[:1] or (m.record(Bucket.at(m.version, headed=False)),)
        if getattr(one, "command", None) in _WITHOUT_BUCKETS:
            buckets = ()
    made = []
    for index, bucket in enumerate(buckets):
        weight = None
        if one.type == GroupType.SELECT:
            weight = bucket.weight or 1
        watch = {"watch_port": Port.ANY, "watch_group": ANY_GROUP}
        if one.type == GroupType.FF:
            watch = {"watch_port": port(m)} if m.often() else {"watch_group": 5}
            watch = {"watch_port": Port.ANY, "watch_group": ANY_GROUP} | watch
        ident = {"bucket_id": 10 + index} if m.version >= OF15 else {}
        made.append(replace(bucket, weight=weight, **watch, **ident))
    return replace(one, buckets=tuple(made))


def meter(m: Maker, one: Any) -> Any:
    unit = m.choice((MeterFlags.KBPS, MeterFlags.PKTPS))
    flags = one.flags & (MeterFlags.STATS | MeterFlags.BURST) | unit
    one = replace(one, flags=flags)
    if not flags & MeterFlags.BURST:
        one = replace(one, bands=tuple(replace(band, burst_size=0) for band in one.bands))
    if getattr(one, "command", None) == MeterModCommand.DELETE:
        return replace(one, bands=())
    return replace(one, meter_id=5) if one.meter_id == MeterId.ALL else one


def packet_in(m: Maker, one: Any) -> Any:
    return replace(one, total_len=len(one.data) + m.choice((0, 0, 100)))


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


def packet_out(m: Maker, one: Any) -> Any:
    if one.data:
        return replace(one, buffer_id=NO_BUFFER)
    return replace(one, buffer_id=m.number(31))


def packet_out_match(m: Maker) -> Match:
    return Match(in_port=port_or(Port.CONTROLLER, Port.LOCAL)(m))


def async_config(m: Maker, one: Any) -> Any:
    """Half of them say nothing of the messages that have come with OF1.5."""
    new = [name for name, number in ASYNC_PROPERTIES.items() if resolve(number, OF14) is None]
    return replace(one, **dict.fromkeys(new)) if m.random.random() < 0.5 else one


def flow_monitor(m: Maker, one: Any) -> Any:
    """A monitor watches for something."""
    return replace(one, monitor_flags=one.monitor_flags | FlowMonitorFlags.ADD)


def vacancy(m: Maker, one: Any) -> Any:
    down, up = sorted((m.random.randrange(101), m.random.randrange(101)))
    return replace(one, vacancy_down=down, vacancy_up=up, vacancy=m.random.randrange(101))


def table_mod(m: Maker, one: Any) -> Any:
    """What there is now is told in a description only; a miss does one thing."""
    properties = tuple(
        replace(each, vacancy=0) if isinstance(each, TableVacancy) else each
        for each in one.properties
    )
    return replace(one, config=one_miss(one.config), properties=properties)


def features(m: Maker, one: Any) -> Any:
    """No two ports have one number."""
    return replace(one, ports=tuple({port.port_no: port for port in one.ports}.values()))


def one_miss(config: Any) -> Any:
    both = TableConfig.TABLE_MISS_CONTINUE | TableConfig.TABLE_MISS_DROP
    return config & ~TableConfig.TABLE_MISS_DROP if config & both == both else config


def table_features(m: Maker, one: Any) -> Any:
    """A table tells all that there is to tell; what a miss does may be left away."""
    shape = TableFeaturePropertyShape.at(m.version)
    told = [
        cls
        for cls in shape.number_of
        if not is_foreign(cls) and (m.rarely() or not cls.__name__.endswith("Miss"))
    ]
    found = tuple(m.record(cls.at(m.version)) for cls in told)
    matched = next(each.fields for each in found if isinstance(each, TableMatch))
    return replace(one, properties=tuple(_within(each, matched) for each in found))


def _within(one: Any, matched: tuple[FieldId, ...]) -> Any:
    """What may be left out of a match is among what may be in it, which alone has masks."""
    if isinstance(one, TableMatch) or not hasattr(one, "fields"):
        return one
    fields = matched[:1] if isinstance(one, TableWildcards) else one.fields
    return replace(one, fields=tuple(replace(each, masked=False) for each in fields))


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


def band(m: Maker, one: Any) -> Any:
    return replace(one, rate=one.rate or 1)


def metadata(m: Maker, one: Any) -> Any:
    mask = one.metadata_mask or 1
    return replace(one, metadata_mask=mask, metadata=one.metadata & mask)


def copy_field(m: Maker, one: Any) -> Any:
    """Bits that both fields have."""
    sizes = [OXM[name].bits for name in (one.src, one.dst)]
    n_bits = m.random.randint(1, min(sizes))
    offsets = [m.random.randint(0, size - n_bits) for size in sizes]
    return replace(one, n_bits=n_bits, src_offset=offsets[0], dst_offset=offsets[1])


def hello(m: Maker, one: Any) -> Any:
    """The bitmap names the version of the header at least."""
    elements = tuple(
        replace(element, versions=element.versions | {int(m.version)}) for element in one.elements
    )
    return replace(one, elements=elements)


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


def bits(size: int, shift: int = 0) -> Rule:
    return lambda m: m.number(size) << shift


def from_one(size: int) -> Rule:
    return lambda m: m.number(size) or 1


def nothing(m: Maker) -> tuple[()]:
    return ()


STRANGER = 0x00ABCDEF  #: an experimenter whom nobody knows
_group, _meter = below(0xFFFF_FF00), number_or(lambda m: 1 + m.random.randrange(0xFFFF_0000), 1)
_group_or_all, _meter_or_all = number_or(_group, GroupId.ALL), number_or(_meter, MeterId.ALL)
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
    "out_group": number_or(_group, ANY_GROUP, ANY_GROUP),
    "queue_id": bits(16),
    "QueueStatsRequest.queue_id": number_or(bits(16), QueueId.ALL),
    "QueueDescRequest.queue_id": number_or(bits(16), QueueId.ALL),
    "group_id": _group,
    "GroupMod.group_id": _group_or_all,
    "GroupStatsRequest.group_id": _group_or_all,
    "GroupDescRequest.group_id": _group_or_all,
    "command_bucket_id": one_of(0, 5, BucketId.FIRST, BucketId.LAST, BucketId.ALL),
    "weight": from_one(16),
    "watch_port": port,
    "watch_group": _group,
    "bucket_id": bits(16),
    # Where they are spread over fields, those that are left over are experimenters'.
    "Bucket.properties": nothing,
    "AsyncConfig.properties": nothing,
    "BundleAdd.properties": nothing,
    "meter_id": _meter,
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
    **{name: mask(name, number) for name, number in ASYNC_PROPERTIES.items()},
}

FINISH: dict[str, Callable[[Maker, Any], Any]] = {
    "FlowMod": flow_mod,
    "FlowStats": lambda m, one: _forward_only(one),
    **dict.fromkeys(
        ("FlowInitial", "FlowAdded", "FlowModified"), lambda m, one: _forward_only(one)
    ),
    "FlowDeleted": lambda m, one: replace(one, instructions=()),
    "GroupMod": group_mod,
    "GroupDesc": group_buckets,
    "MeterMod": meter,
    "MeterDesc": meter,
    "DropBand": band,
    "DscpRemarkBand": band,
    "ExperimenterBand": band,
    "WriteMetadata": metadata,
    "CopyField": copy_field,
    "PacketIn": packet_in,
    "PacketOut": packet_out,
    "BundleAdd": lambda m, one: replace(one, message=replace(one.message, xid=one.xid)),
    "SetAsync": async_config,
    "GetAsyncReply": async_config,
    "FlowMonitorRequest": flow_monitor,
    "TableVacancy": vacancy,
    "FeaturesReply": features,
    "TableMod": table_mod,
    "TableStats": lambda m, one: replace(one, config=one_miss(one.config)),
    "TableFeatures": table_features,
    "Hello": hello,
}


def is_foreign(cls: type) -> bool:
    """Whether a member of a family is an experimenter's."""
    return cls.__name__.startswith("Experimenter")
