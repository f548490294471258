"""Flow stats, in as many parts as they need (OF1.3.5 7.3.5.2 "Individual Flow Statistics")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec import structs

from protocol import (
    ALL_TABLES,
    OF10,
    BadRequestCode,
    EncodeError,
    FlowStatsReply,
    FlowStatsRequest,
    MultipartFlags,
    Version,
)
from protocol import nicira as nx
from protocol.flows import (
    AggregateStatsRequest,
    FlowCounters,
    FlowCountersReply,
    FlowCountersRequest,
    FlowStatsReason,
)

from .check import check_match
from .flow_entry import FlowEntry
from .flow_table import FlowTables, Selection
from .refused import Refused

PART = 16_000  #: bytes of a reply, which takes some 3 ms; a message has at most 65,535

_EMERGENCY = 0xFE  # OF1.0's table of emergency entries, which is always empty here


_WhichFlows = FlowStatsRequest | FlowCountersRequest | AggregateStatsRequest


def flow_stats(
    tables: FlowTables, request: FlowStatsRequest, version: Version, now: float
) -> Iterator[FlowStatsReply]:
    """Return the parts of the answer, all but the last with the flag MORE.

    Entries that the version cannot say are left out: another one may have made them.
    """
    for entries, flags in _parts(selected(tables, request, version), _size_in(version)):
        yield FlowStatsReply(tuple(entry.description(now) for entry in entries), flags=flags)


def flow_counters(
    tables: FlowTables, request: FlowCountersRequest, version: Version, now: float
) -> Iterator[FlowCountersReply]:
    """Return the parts of the answer without descriptions.

    OF1.5.1 7.3.5 "Individual Flow Statistics".
    """
    for entries, flags in _parts(selected(tables, request, version), _size_in(version)):
        flows = (counters(entry, FlowStatsReason.STATS_REQUEST, now) for entry in entries)
        yield FlowCountersReply(tuple(flows), flags=flags)


def counters(entry: FlowEntry, reason: FlowStatsReason, now: float) -> FlowCounters:
    """Return what an entry has counted, without its description."""
    return FlowCounters(entry.match, entry.priority, entry.table_id, reason, entry.stats(now))


def selected(tables: FlowTables, request: _WhichFlows, version: Version) -> Iterator[FlowEntry]:
    """Return the entries that a request means, table by table."""
    check_match(request.match, version)
    selection = Selection(request.out_port, request.out_group, request.cookie, request.cookie_mask)
    for table in [tables[one] for one in _table_ids(tables, request.table_id, version)]:
        yield from table.walk(request.match, selection)


def _table_ids(tables: FlowTables, table_id: int, version: Version) -> list[int]:
    if table_id == ALL_TABLES:
        return sorted(tables)
    if version == OF10 and table_id == _EMERGENCY:
        return []
    if table_id >= tables.n_tables:
        raise Refused(BadRequestCode.BAD_TABLE_ID, f"there is no table {table_id}")
    return [table_id]


def nicira_flow_stats(
    tables: FlowTables, request: nx.FlowStatsRequest, now: float
) -> Iterator[nx.FlowStatsReply]:
    """Return the parts of the answer in OF1.0, with matches in NXM that it has no words for."""
    for entries, flags in _parts(selected(tables, request, OF10), _nicira_size):
        flows = tuple(_nicira_description(entry, now) for entry in entries)
        yield nx.FlowStatsReply(flows, flags=flags)


def _nicira_description(entry: FlowEntry, now: float) -> nx.FlowStats:
    told = structs.asdict(entry.description(now))
    return nx.FlowStats(**told, hard_age=int(now - entry.modified))


def _nicira_size(entry: FlowEntry) -> int | None:
    try:
        reply = nx.FlowStatsReply((_nicira_description(entry, entry.created),))
        return len(reply.encode(OF10))
    except EncodeError:
        return None


def _size_in(version: Version) -> Callable[[FlowEntry], int | None]:
    return lambda entry: entry.size_in(version)


def _parts(
    entries: Iterable[FlowEntry], size_of: Callable[[FlowEntry], int | None]
) -> Iterator[tuple[list[FlowEntry], MultipartFlags]]:
    """Yield the entries of each message, and whether more follow."""
    part: list[FlowEntry] = []
    size = 0
    for entry in entries:
        more = size_of(entry)
        if more is None:
            continue
        if part and size + more > PART:
            yield part, MultipartFlags.MORE
            part, size = [], 0
        part.append(entry)
        size += more
    yield part, MultipartFlags(0)
