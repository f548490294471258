"""Tables: table_mod, table_status, statistics and descriptions (OF1.5.1 7.3.4.1)."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from .errors import BadPropertyCode
from .flows import ALL_TABLES
from .message import Message, message
from .multipart import MultipartReply, MultipartRequest, multipart_reply, multipart_request
from .properties import properties
from .record import ListOf, Record, RecordOf
from .version import OF10, OF11, OF12, OF13, OF14
from .wire import (
    U8,
    U16,
    U32,
    U64,
    Enum,
    Flags,
    Length,
    Pad,
    Text,
    between,
    by_version,
    since,
    until,
)


class TableConfig(IntFlag):
    """How a table behaves. The two lowest bits, what is done on a miss: OF1.1 and OF1.2."""

    TABLE_MISS_CONTINUE = 1 << 0
    TABLE_MISS_DROP = 1 << 1
    EVICTION = 1 << 2
    VACANCY_EVENTS = 1 << 3


TableConfigShape = Flags(U32, TableConfig)
TablePropertyShape = properties("table", BadPropertyCode.BAD_TYPE)


class EvictionFlags(IntFlag):
    """What an eviction looks at."""

    OTHER = 1 << 0
    IMPORTANCE = 1 << 1
    LIFETIME = 1 << 2


@TablePropertyShape.member(since(OF14, 2))
class TableEviction(Record):
    """How a full table makes room."""

    flags: EvictionFlags | int = 0
    layout = ("flags" / Flags(U32, EvictionFlags),)


@TablePropertyShape.member(since(OF14, 3))
class TableVacancy(Record):
    """At how much room the controller is told; all in percent."""

    vacancy_down: int
    vacancy_up: int
    vacancy: int = 0  #: the room there is; 0 in a table_mod
    layout = ("vacancy_down" / U8, "vacancy_up" / U8, "vacancy" / U8, Pad(1))


@message(since(OF11, 17))
class TableMod(Message):
    """Changes how a table behaves (OF1.5.1 7.3.4.1 "Modify Flow Table Message")."""

    table_id: int = ALL_TABLES
    config: TableConfig | int = 0
    properties: tuple[Record, ...] = ()
    layout = (
        "table_id" / U8,
        Pad(3),
        "config" / TableConfigShape,
        "properties" / since(OF14, TablePropertyShape),
    )


class TableDesc(Record):
    """How a table behaves."""

    table_id: int
    config: TableConfig | int = 0
    properties: tuple[Record, ...] = ()
    layout = (
        Length(U16),
        "table_id" / U8,
        Pad(1),
        "config" / TableConfigShape,
        "properties" / TablePropertyShape,
    )


@multipart_request(since(OF14, 14))
class TableDescRequest(MultipartRequest):
    """Asks how the tables behave (OF1.5.1 7.3.5 "Table Description")."""


@multipart_reply(since(OF14, 14))
class TableDescReply(MultipartReply):
    """How the tables behave."""

    tables: tuple[TableDesc, ...] = ()
    layout = ("tables" / ListOf(TableDesc),)
    gathers = "tables"


class TableReason(IntEnum):
    """Why a table's status is told."""

    VACANCY_DOWN = 3
    VACANCY_UP = 4


@message(since(OF14, 31))
class TableStatus(Message):
    """A table's room passed a threshold (OF1.5.1 7.4.5 "Table Status Message")."""

    reason: TableReason | int
    table: TableDesc
    layout = ("reason" / Enum(U8, TableReason), Pad(7), "table" / RecordOf(TableDesc))


@multipart_request(3)
class TableStatsRequest(MultipartRequest):
    """Asks what the tables counted (OF1.5.1 7.3.5 "Table Statistics")."""


class TableStats(Record):
    """What a table counted; up to OF1.2 also what it can do.

    `wildcards` and `match` have a bit for each field, numbered as the version numbers them:
    OF1.0 and OF1.1 as their wildcards, OF1.2 as OXM. The others are bits of types.
    """

    table_id: int
    name: str = ""
    wildcards: int = 0
    match: int = 0
    instructions: int = 0
    write_actions: int = 0
    apply_actions: int = 0
    write_setfields: int = 0
    apply_setfields: int = 0
    metadata_match: int = 0
    metadata_write: int = 0
    config: TableConfig | int = 0
    max_entries: int = 0
    active_count: int = 0  #: entries
    lookup_count: int = 0  #: packets
    matched_count: int = 0  #: packets that an entry matched
    layout = (
        "table_id" / U8,
        by_version({OF10: Pad(3), OF11: Pad(7), OF13: Pad(3)}),
        "name" / until(OF12, Text(32)),
        "match" / between(OF12, OF12, U64),
        "wildcards" / by_version({OF10: U32, OF12: U64, OF13: None}),
        "match" / between(OF11, OF11, U32),
        "instructions" / between(OF11, OF11, U32),
        "write_actions" / between(OF11, OF12, U32),
        "apply_actions" / between(OF11, OF12, U32),
        "write_setfields" / between(OF12, OF12, U64),
        "apply_setfields" / between(OF12, OF12, U64),
        "metadata_match" / between(OF12, OF12, U64),
        "metadata_write" / between(OF12, OF12, U64),
        "instructions" / between(OF12, OF12, U32),
        "config" / between(OF11, OF12, TableConfigShape),
        "max_entries" / until(OF12, U32),
        "active_count" / U32,
        "lookup_count" / U64,
        "matched_count" / U64,
    )
    report = True


@multipart_reply(3)
class TableStatsReply(MultipartReply):
    """What the tables counted."""

    tables: tuple[TableStats, ...] = ()
    layout = ("tables" / ListOf(TableStats),)
    gathers = "tables"
