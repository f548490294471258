"""What the switch tells of its tables and ports: what they counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from math import inf
from typing import Any, TypeVar

from protocol import (
    OF10,
    OF11,
    OF12,
    OF15,
    ApplyActions,
    ClearActions,
    EncodeError,
    Enqueue,
    GotoTable,
    Group,
    Meter,
    MeterAction,
    MultipartFlags,
    Output,
    Port,
    Stats,
    StatTrigger,
    TableStatsReply,
    Version,
    WriteActions,
    WriteMetadata,
)
from protocol.actions import ActionShape
from protocol.classic_match import Wildcards11
from protocol.compiler import write
from protocol.flows import AggregateStatsReply, AggregateStatsRequest
from protocol.instructions import InstructionsShape
from protocol.oxm import OXM
from protocol.ports import PortStats, PortStatsEthernet, PortStatsReply, PortStatsRequest
from protocol.record import Record
from protocol.tables import TableStats

from .check import MATCHABLE
from .execute import EFFECTS
from .fields import SETTABLE
from .flow_stats import PART, selected
from .flow_table import FlowTables
from .ports import Ports, SwitchPort

Entry = TypeVar("Entry")
Part = TypeVar("Part")
Told = TypeVar("Told", bound=Record)

MAX_RECORD = 65_000  #: bytes of what a reply cannot divide; a message has at most 65,535

_INSTRUCTIONS: tuple[type[Record], ...] = (
    GotoTable,
    WriteMetadata,
    WriteActions,
    ApplyActions,
    ClearActions,
    Meter,
    StatTrigger,
)
_ACTIONS: tuple[type[Record], ...] = (Output, Enqueue, Group, MeterAction, *EFFECTS)
_ALL_METADATA = (1 << 64) - 1
_ALL_WILDCARDS10 = (1 << 22) - 1  # the prefixes of addresses included
_TABLE_STATS_SIZE = 128  #: bytes of one table in OF1.2, which says most
_PORT_STATS_SIZE = 120
_NO_ERRORS = (PortStatsEthernet(),)  # which links without noise do not make


def in_parts(entries: Iterable[Entry], size: int, part: Callable[..., Part]) -> Iterator[Part]:
    """Yield replies with entries of at most `size` bytes; all but the last say MORE."""
    left, room = list(entries), max(1, PART // size)
    while len(left) > room:
        yield part(tuple(left[:room]), flags=MultipartFlags.MORE)
        left = left[room:]
    yield part(tuple(left))


def in_sized_parts(
    records: Iterable[Told], version: Version, part: Callable[..., Part]
) -> Iterator[Part]:
    """Yield replies with records of different sizes.

    What the version cannot say is left out: another one may have made it.
    """
    held: list[Told] = []
    size = 0.0
    for record in records:
        more = _size(record, version)
        if more > MAX_RECORD:
            continue
        if held and size + more > PART:
            yield part(tuple(held), flags=MultipartFlags.MORE)
            held, size = [], 0
        held.append(record)
        size += more
    yield part(tuple(held))


def _size(record: Record, version: Version) -> float:
    try:
        return len(write(record, version))
    except EncodeError:
        return inf


def aggregate_stats(
    tables: FlowTables, request: AggregateStatsRequest, version: Version
) -> AggregateStatsReply:
    """Return what the entries counted together (OF1.3.5 7.3.5.3 "Aggregate Flow Statistics")."""
    found = list(selected(tables, request, version))
    return AggregateStatsReply(
        Stats(
            flow_count=len(found),
            packet_count=sum(entry.packet_count for entry in found),
            byte_count=sum(entry.byte_count for entry in found),
        )
    )


# Ports


def port_stats(
    ports: Ports, request: PortStatsRequest, version: Version, now: float
) -> Iterator[PortStatsReply]:
    """Yield what the ports counted (OF1.3.5 7.3.5.6 "Port Statistics")."""
    if request.port_no != Port.ANY:
        named = [ports.named(request.port_no)]
    else:
        named = [port for port in ports.values() if port.desc_in(version) is not None]
    return in_parts((_port(port, now) for port in named), _PORT_STATS_SIZE, PortStatsReply)


def _port(port: SwitchPort, now: float) -> PortStats:
    counted = port.counters
    age = max(0.0, now - port.created)
    return PortStats(
        port.port_no,
        rx_packets=counted.rx_packets,
        tx_packets=counted.tx_packets,
        rx_bytes=counted.rx_bytes,
        tx_bytes=counted.tx_bytes,
        rx_dropped=counted.rx_dropped,
        tx_dropped=counted.tx_dropped,
        duration_sec=int(age),
        duration_nsec=int(age % 1 * 1e9),
        properties=_NO_ERRORS,
    )


# Tables


def table_stats(tables: FlowTables, version: Version) -> Iterator[TableStatsReply]:
    """Yield what the tables counted (OF1.3.5 7.3.5.4 "Table Statistics")."""
    return in_parts(
        (_table(tables, table_id, version) for table_id in range(tables.n_tables)),
        _TABLE_STATS_SIZE,
        TableStatsReply,
    )


def _table(tables: FlowTables, table_id: int, version: Version) -> TableStats:
    table = tables.known(table_id)
    return TableStats(
        table_id,
        name=table.name or table_name(table_id),
        **_abilities(version),
        config=table.config,
        max_entries=table.max_entries,
        active_count=len(table),
        lookup_count=table.lookup_count,
        matched_count=table.matched_count,
    )


def table_name(table_id: int) -> str:
    """Return what a table is called."""
    return f"table{table_id}"


@cache
def _abilities(version: Version) -> dict[str, int]:
    """Return what up to OF1.2 stands in the statistics: bits of fields and types."""
    if version == OF10:
        return {"wildcards": _ALL_WILDCARDS10}
    actions, instructions = action_bits(version), _bits(instruction_numbers(version))
    does = {
        "instructions": instructions,
        "write_actions": actions,
        "apply_actions": actions,
    }
    if version == OF11:
        fields = sum(Wildcards11) | sum(_ADDRESSES11)
        return does | {"wildcards": fields, "match": fields}
    if version == OF12:
        fields = _bits(OXM[name].number for name in known_fields(version, MATCHABLE))
        settable = _bits(OXM[name].number for name in known_fields(version, SETTABLE))
        return does | {
            "match": fields,
            "wildcards": fields,
            "write_setfields": settable,
            "apply_setfields": settable,
            "metadata_match": _ALL_METADATA,
            "metadata_write": _ALL_METADATA,
        }
    return {}


# Bits of ofp_flow_match_fields that are no wildcards: match type, the four addresses, and
# metadata (OF1.1 A.2.3 "Flow Match Structures").
_ADDRESSES11 = tuple(1 << bit for bit in range(10, 16))


def _bits(numbers: Iterable[int]) -> int:
    return sum({1 << number for number in numbers})


def _numbers(family: Any, members: Iterable[type[Record]]) -> list[int]:
    known = family.number_of
    return sorted(known[cls] for cls in members if cls in known)


def action_numbers(version: Version, without: Iterable[type[Record]] = ()) -> list[int]:
    """Return the types of all actions that the switch does, as a version numbers them."""
    return _numbers(ActionShape.at(version), [one for one in _ACTIONS if one not in without])


def action_bits(version: Version) -> int:
    """Return a bit for each of these types; experimenters have none."""
    return _bits(action_numbers(version))


def instruction_numbers(version: Version) -> list[int]:
    """Return the types of all instructions that the switch follows."""
    # OF1.5 has an action for Meter, and calls its number deprecated.
    known = [one for one in _INSTRUCTIONS if one is not Meter or version < OF15]
    return _numbers(InstructionsShape.at(version), known)


def known_fields(version: Version, names: Iterable[str]) -> list[str]:
    """Return those of the match fields that a version has, in the order of their numbers."""
    known = [OXM[name] for name in names if version >= OXM[name].first]
    return [row.name for row in sorted(known, key=lambda row: row.number)]
