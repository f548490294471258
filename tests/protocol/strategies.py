"""Values of every record and message at every version, derived from the declarations.

`messages(cls, version)` walks the layout of the class: a number of n bytes gives integers
of n bytes, an enumeration what its numbers mean, a family a list of its members. So a new
message is generated from the day it is declared.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import construct as c
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from protocol import (
    EchoRequest,
    EncodeError,
    FlowMod,
    Match,
    Message,
    Stats,
    Version,
    VlanId,
    async_config,
    bundles,
    field_ids,
)
from protocol.classic_match import Match10, Match11
from protocol.field_names import FieldNameShape
from protocol.match import OneOxmShape, OxmMatchShape
from protocol.nicira.match import FieldsShape
from protocol.oxm import OXM, FieldValue, OxmField, oxm_name
from protocol.oxm_table import OxmTable
from protocol.packet import EthType
from protocol.record import FamilyList, Record, RecordList, RecordShape, Unknown, fixed_size, nested
from protocol.stats import OXS, OxsStatsShape
from protocol.version import OF10, OF11
from protocol.wire import S32, Bits, ByNumber, Converted, Rest, Shape, Spread, bare, resolve

MAX_ITEMS = 3  #: of a list; more of them find nothing else
MAX_BYTES = 24  #: of free data


def message_classes(version: Version) -> Iterator[type[Message]]:
    """Return the classes of messages that the specification of `version` has."""
    for cls in _registered(Message):
        if cls.__module__.count(".") > 1:
            continue  # an experimenter's: they are made of shapes of their own
        try:
            cls.at(version)
        except EncodeError:
            continue
        yield cls


def _registered(cls: type[Message]) -> Iterator[type[Message]]:
    if cls.head:
        yield cls
    for inner in cls.__subclasses__():
        yield from _registered(inner)


def any_message(version: Version) -> SearchStrategy[Any]:
    """Return a strategy for the messages of all classes at one version."""
    classes = st.sampled_from(list(message_classes(version)))
    return classes.flatmap(lambda cls: messages(cls, version))


@cache
def messages(cls: type[Message], version: Version) -> SearchStrategy[Any]:
    """Return a strategy for the messages of one class at one version."""
    return records(cls.at(version))


def records(shape: RecordShape, multiple: int = 1) -> SearchStrategy[Any]:
    """Return a strategy for a record, the size of which is to be such a multiple."""
    fields: dict[str, SearchStrategy[Any]] = {}
    spread: list[SearchStrategy[dict[str, Any]]] = []
    for member in shape.members:
        inner = bare(member)
        if isinstance(inner, Bits):
            fields |= {name: _numbers(width) for name, width in inner.widths.items()}
        elif isinstance(inner, Spread):
            spread.append(values(inner.subcon, shape.version).map(partial(_named, inner.fields)))
        elif member.name:
            fields[member.name] = values(inner, shape.version)
            if inner is Rest:
                fields[member.name] = _rest(shape, multiple)
    made = partial(_made, shape.record)
    return st.tuples(st.fixed_dictionaries(fields), *spread).map(made)


def _named(names: tuple[str, ...], found: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(names, found, strict=True))


def _made(record: type[Record], parts: tuple[dict[str, Any], ...]) -> Record:
    fields = {name: value for part in parts for name, value in part.items()}
    return record(**nested(record, fields))


def _rest(shape: RecordShape, multiple: int) -> SearchStrategy[bytes]:
    before = sum(fixed_size(member) or 0 for member in shape.members)
    sizes = [size for size in range(MAX_BYTES) if (before + size) % multiple == 0]
    return st.sampled_from(sizes).flatmap(_bytes)


def _bytes(size: int) -> SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


def _numbers(bits: int) -> SearchStrategy[int]:
    """Small numbers, which have names, and all others."""
    return st.integers(0, min(16, (1 << bits) - 1)) | st.integers(0, (1 << bits) - 1)


def values(shape: Shape, version: Version) -> SearchStrategy[Any]:
    """Return a strategy for what stands in a layout under a name."""
    from .extension_strategies import own  # which is made of these strategies

    if (found := own(shape, version)) is not None:
        return found
    match shape:
        case Converted():
            return _converted(shape, version)
        case _ if shape is S32:
            return _numbers(32).map(lambda number: number - (1 << 31))
        case c.FormatField():
            return _numbers(8 * shape.sizeof())
        case c.Bytes():
            return _bytes(shape.sizeof()) | _short_bytes(shape.sizeof())
        case RecordShape():
            return records(shape)
        case RecordList():
            return st.lists(records(shape.item), max_size=MAX_ITEMS).map(tuple)
        case FamilyList():
            return _families(shape)
        case OxmMatchShape():
            return _oxms(shape.table, max_size=5).map(Match.unchecked)
        case OneOxmShape():
            return _oxms(shape.table, min_size=1, max_size=1).map(Match.unchecked)
        case FieldsShape():
            return _oxms(shape.table).map(shape.to_match).map(Match.unchecked)
        case ByNumber():
            return st.one_of([values(inner, version) for inner in shape.shapes.values()])
        case OxsStatsShape():
            return _oxs_stats()
        case FieldNameShape():
            return st.sampled_from(sorted(shape.name_of.values()))
        case _ if shape is Rest:
            return st.binary(max_size=MAX_BYTES)
        case _:
            raise NotImplementedError(f"there is no strategy for {shape!r}")


def _short_bytes(size: int) -> SearchStrategy[bytes]:
    return st.binary(max_size=size).map(lambda raw: raw.ljust(size, b"\0"))


def _converted(shape: Converted, version: Version) -> SearchStrategy[Any]:
    inner, to_value = shape.subcon, shape.to_value
    if (special := _special(inner, to_value, version)) is not None:
        return special
    generated = values(inner, version).map(to_value)
    if not isinstance(inner, RecordShape):
        return generated
    if inner.record is Match10:
        return generated | _classic_matches(OF10).map(Match.unchecked)
    if inner.record is Match11:
        return generated | _classic_matches(OF11).map(Match.unchecked)
    return generated


def _special(shape: Shape, to_value: Any, version: Version) -> SearchStrategy[Any] | None:
    """Return a strategy for values whose bytes are no free choice."""
    if to_value is field_ids.FieldIds.to_value:
        return st.lists(_field_ids(), max_size=MAX_ITEMS).map(tuple)
    match getattr(to_value, "__qualname__", "").partition(".")[0]:
        case "_carried":
            return _small_messages(version)
        case "_features_of":
            return st.none() | st.lists(records(shape.item), min_size=1, max_size=1).map(to_value)
        case "Numbers" if shape is Rest:
            return st.lists(_numbers(32), max_size=MAX_ITEMS).map(tuple)
        case "_added":
            return st.tuples(_small_messages(version), values(_bundle_properties(version), version))
        case "_shape" if to_value.__module__ == async_config.__name__:
            return _async_fields(version)
    return None


def _field_ids() -> SearchStrategy[Any]:
    known = st.builds(field_ids.FieldId, st.sampled_from(sorted(OXM)), st.booleans())
    header = (0xFFFF << 16) | (5 << 9) | 8
    foreign = _numbers(32).map(lambda n: field_ids.FieldId(oxm_name(header), False, n))
    return known | foreign


def _small_messages(version: Version) -> SearchStrategy[Any]:
    return st.sampled_from([EchoRequest, FlowMod]).flatmap(lambda cls: messages(cls, version))


def _bundle_properties(version: Version) -> FamilyList:
    return bundles.BundlePropertyShape.at(version)


def _async_fields(version: Version) -> SearchStrategy[Any]:
    numbers = [resolve(number, version) for number in async_config.ASYNC_PROPERTIES.values()]
    masks = [st.none() if n is None else st.none() | _numbers(32) for n in numbers]
    return st.tuples(*masks, st.just(()))


@cache
def _families(shape: FamilyList) -> SearchStrategy[tuple[Record, ...]]:
    family, version = shape.family, shape.version
    multiple = family.align if family.length_counts_padding else 1
    items = [records(cls.at(version), multiple) for cls in shape.class_of.values()]
    if family.unknown is None:
        numbers = _numbers(8 * family.number.sizeof()).filter(lambda n: n not in shape.class_of)
        items.append(st.builds(Unknown, numbers, st.binary(max_size=MAX_BYTES)))
    if not items:  # the version has none
        return st.just(())
    return st.lists(st.one_of(items), max_size=MAX_ITEMS).map(tuple)


def _oxs_stats() -> SearchStrategy[Stats]:
    """Stats of which each OXS field is there or not; the two halves of a time go together."""
    return st.fixed_dictionaries(
        {}, optional={oxs.members: _oxs_numbers(oxs.format) for oxs in OXS}
    ).map(
        lambda found: Stats(
            **{
                name: number
                for names, numbers in found.items()
                for name, number in zip(names, numbers, strict=True)
            }
        )
    )


def _oxs_numbers(form: str) -> SearchStrategy[tuple[int, ...]]:
    widths = {"I": 32, "Q": 64}
    return st.tuples(*(_numbers(widths[code]) for code in form[1:]))


# Matches: the values as they are on the wire, prerequisites or not


def _oxms(table: OxmTable, min_size: int = 0, max_size: int = 5) -> SearchStrategy[Any]:
    found = st.lists(
        _oxm(table), min_size=min_size, max_size=max_size, unique_by=lambda one: one[0]
    )
    return found.map(dict)


@cache
def _oxm(table: OxmTable) -> SearchStrategy[tuple[str, FieldValue]]:
    """Return a strategy for one field; those of any width are left to their own chapter."""
    rows = [row for row in table.by_number.values() if not row.variable]
    return st.sampled_from(rows).flatmap(_field) | _unknown_fields()


def _field(row: OxmField) -> SearchStrategy[tuple[str, FieldValue]]:
    number = _numbers(row.bits)
    value: SearchStrategy[FieldValue] = number
    if row.takes_mask:
        value |= st.tuples(number, number).map(lambda pair: (pair[0] & pair[1], pair[1]))
    return st.tuples(st.just(row.name), value)


def _unknown_fields() -> SearchStrategy[tuple[str, bytes]]:
    """Fields of classes that nobody has, or of experimenters that do not exist."""
    nobodys = st.tuples(st.sampled_from([0x7000, 0x9000]), st.binary(max_size=MAX_BYTES))
    experimenters = st.binary(max_size=MAX_BYTES).map(lambda raw: (0xFFFF, b"\xfe" * 4 + raw))
    return st.tuples(nobodys | experimenters, _numbers(8)).map(_unknown_field)


def _unknown_field(given: tuple[tuple[int, bytes], int]) -> tuple[str, bytes]:
    (oxm_class, body), number = given
    return oxm_name(oxm_class << 16 | number << 8 | len(body)), body


@st.composite
def _classic_matches(draw: st.DrawFn, version: Version) -> dict[str, FieldValue]:
    """Matches that the structs of OF1.0 and OF1.1 can say, in their canonical form."""
    fields: dict[str, FieldValue] = {}

    def put(name: str, strategy: SearchStrategy[Any]) -> None:
        if draw(st.booleans()):
            fields[name] = draw(strategy)

    ports = _numbers(15) if version == OF10 else _numbers(32)
    put("in_port", ports)
    masks = version == OF11
    if masks:
        put("metadata", _numbers(64) | _masked(64))
    for name in ("eth_src", "eth_dst"):
        put(name, _numbers(48) | _masked(48) if masks else _numbers(48))
    put("vlan_vid", st.just(0) | _numbers(12).map(lambda vid: vid | VlanId.PRESENT))
    if fields.get("vlan_vid"):
        put("vlan_pcp", _numbers(3))
    put("eth_type", st.sampled_from(EthType).map(int) | _numbers(16))
    below = {EthType.IPV4: _put_ipv4, EthType.ARP: _put_arp, EthType.MPLS: _put_mpls}
    if fill_in := below.get(fields.get("eth_type")):  # type: ignore[call-overload]
        fill_in(put, fields, version)
    return fields


def _masked(bits: int) -> SearchStrategy[tuple[int, int]]:
    masks = st.integers(1, (1 << bits) - 2)
    return st.tuples(_numbers(bits), masks).map(lambda pair: (pair[0] & pair[1], pair[1]))


def _addresses(version: Version) -> SearchStrategy[FieldValue]:
    prefixes = st.integers(1, 31).map(lambda size: 0xFFFF_FFFF ^ 0xFFFF_FFFF >> size)
    under_prefix = st.tuples(_numbers(32), prefixes).map(lambda one: (one[0] & one[1], one[1]))
    return _numbers(32) | (_masked(32) if version == OF11 else under_prefix)


def _put_ipv4(put: Any, fields: dict[str, FieldValue], version: Version) -> None:
    put("ip_dscp", _numbers(6))
    put("ip_proto", st.sampled_from([1, 6, 17, 132]) | _numbers(8))
    for name in ("ipv4_src", "ipv4_dst"):
        put(name, _addresses(version))
    transports = {1: ("icmpv4_type", "icmpv4_code"), 6: ("tcp_src", "tcp_dst")}
    transports |= {17: ("udp_src", "udp_dst"), 132: ("sctp_src", "sctp_dst")}
    for name in transports.get(fields.get("ip_proto"), ()):  # type: ignore[arg-type]
        put(name, _numbers(8 if "icmp" in name else 16))


def _put_arp(put: Any, fields: dict[str, FieldValue], version: Version) -> None:
    put("arp_op", _numbers(8))
    for name in ("arp_spa", "arp_tpa"):
        put(name, _addresses(version))


def _put_mpls(put: Any, fields: dict[str, FieldValue], version: Version) -> None:
    if version == OF11:
        put("mpls_label", _numbers(20))
        put("mpls_tc", _numbers(3))
