"""What controllers ask of tables."""

from __future__ import annotations

from protocol import TableFeaturesFailedCode, TableStatsRequest
from protocol.table_features import TableFeaturesRequest

from ..abilities import table_features
from ..datapath import Datapath
from ..refused import Refused
from ..request import Request, handles
from ..statistics import table_stats


@handles(TableStatsRequest)
def _table_stats(datapath: Datapath, request: Request[TableStatsRequest]) -> None:
    request.answer_in_parts(table_stats(datapath.tables, request.version))


@handles(TableFeaturesRequest)
def _table_features(datapath: Datapath, request: Request[TableFeaturesRequest]) -> None:
    if request.message.tables:
        raise Refused(TableFeaturesFailedCode.EPERM, "the tables are as they are")
    request.answer_in_parts(table_features(datapath.tables, request.version))
