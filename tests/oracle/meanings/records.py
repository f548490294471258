"""What concerns several fields of a record at once: what one says lets another be."""

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
    FieldId,
    FlowModCommand,
    FlowModFlags,
    GotoTable,
    GroupModCommand,
    GroupType,
    Meter,
    MeterFlags,
    MeterModCommand,
    Port,
    WriteActions,
)
from protocol.actions import Action
from protocol.async_config import ASYNC_PROPERTIES
from protocol.groups import BucketId, GroupId
from protocol.instructions import InstructionsShape
from protocol.meters import MeterId
from protocol.monitors import FlowMonitorFlags
from protocol.oxm import OXM
from protocol.table_features import (
    TableFeaturePropertyShape,
    TableMatch,
    TableWildcards,
)
from protocol.tables import TableConfig, TableVacancy
from protocol.version import OF10, OF11, OF14, OF15
from protocol.wire import resolve

from .matches import _RESHAPES, actions
from .names import is_foreign
from .numbers import group, port

if TYPE_CHECKING:
    from ..meaningful import Maker


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
    else:
        one = inserting(m, one)
    return group_buckets(m, one)


def inserting(m: Maker, one: Any) -> Any:
    """Something is inserted, and somewhere; Open vSwitch 3.1 hangs where nothing is."""
    if not one.buckets:
        one = replace(one, buckets=(m.record(Bucket.at(m.version, headed=False)),))
    if one.command_bucket_id == BucketId.ALL:
        one = replace(one, command_bucket_id=BucketId.LAST)
    return one


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
            watch = {"watch_port": port(m)} if m.often() else {"watch_group": group(m)}
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


def packet_out(m: Maker, one: Any) -> Any:
    if one.data:
        return replace(one, buffer_id=NO_BUFFER)
    return replace(one, buffer_id=m.number(31))


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
