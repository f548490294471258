"""What controllers ask of tables, and change in them."""

from __future__ import annotations

from protocol import (
    ALL_TABLES,
    TableMod,
    TableModFailedCode,
    TableStatsRequest,
)
from protocol.table_features import TableFeaturesRequest
from protocol.tables import TableDescReply, TableDescRequest

from ..abilities import table_features
from ..datapath import Datapath
from ..refused import Refused
from ..request import Request, handles
from ..statistics import in_parts, table_stats
from ..table_config import TableChange, table_desc

_TABLE_DESC_SIZE = 24  # bytes of a table with both properties


@handles(TableMod)
def _table_mod(datapath: Datapath, request: Request[TableMod]) -> None:
    table_id, n_tables = request.message.table_id, datapath.tables.n_tables
    if table_id != ALL_TABLES and table_id >= n_tables:
        raise Refused(TableModFailedCode.BAD_TABLE, f"there is no table {table_id}")
    change = TableChange(request.message, request.version)
    for one in range(n_tables) if table_id == ALL_TABLES else (table_id,):
        change.apply(datapath.tables[one], datapath.undo)


@handles(TableDescRequest)
def _table_desc(datapath: Datapath, request: Request[TableDescRequest]) -> None:
    tables = datapath.tables
    descs = (table_desc(number, tables.known(number)) for number in range(tables.n_tables))
    request.answer_in_parts(in_parts(descs, _TABLE_DESC_SIZE, TableDescReply))


@handles(TableStatsRequest)
def _table_stats(datapath: Datapath, request: Request[TableStatsRequest]) -> None:
    request.answer_in_parts(table_stats(datapath.tables, request.version))


@handles(TableFeaturesRequest)
def _table_features(datapath: Datapath, request: Request[TableFeaturesRequest]) -> None:
    if request.message.tables:
        datapath.table_requests.apply(request.message.tables, request.version)
    request.answer_in_parts(table_features(datapath.tables, request.version))
