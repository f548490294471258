"""What each table can do, and can be told to do (OF1.5.1 7.3.5 "Table Features")."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from .errors import TableFeaturesFailedCode
from .field_ids import FieldId, FieldIds
from .multipart import MultipartReply, MultipartRequest, multipart_reply, multipart_request
from .record import Family, ListOf, Record
from .tables import TableConfig, TableConfigShape
from .version import OF13, OF14, OF15
from .wire import (
    U8,
    U16,
    U32,
    U64,
    Converted,
    Enum,
    Flags,
    Length,
    Pad,
    Rest,
    Text,
    between,
    since,
)

TableFeaturePropertyShape = Family(
    "table feature property",
    length_counts_padding=False,
    unknown=TableFeaturesFailedCode.BAD_TYPE,
    short=TableFeaturesFailedCode.BAD_LEN,
)


class FeatureId(Record):
    """The type of an instruction or an action; `data` is what an experimenter's has more."""

    type: int
    data: bytes = b""
    layout = ("type" / U16, Length(U16), "data" / Rest)


class _Ids(Record):
    ids: tuple[FeatureId, ...] = ()
    layout = ("ids" / ListOf(FeatureId),)


class _Tables(Record):
    table_ids: tuple[int, ...] = ()
    layout = ("table_ids" / Converted(Rest, tuple, bytes),)


class _Fields(Record):
    fields: tuple[FieldId, ...] = ()
    layout = ("fields" / FieldIds,)


class _Experimenter(Record):
    experimenter: int
    exp_type: int = 0
    data: bytes = b""
    layout = ("experimenter" / U32, "exp_type" / U32, "data" / Rest)


_member = TableFeaturePropertyShape.member


@_member(since(OF13, 0))
class TableInstructions(_Ids):
    """The instructions that entries of the table may have."""


@_member(since(OF13, 1))
class TableInstructionsMiss(_Ids):
    """Those of the table-miss entry; each Miss says the same of it, if it differs."""


@_member(since(OF13, 2))
class NextTables(_Tables):
    """The tables that a GotoTable may name."""


@_member(since(OF13, 3))
class NextTablesMiss(_Tables):
    """See NextTables."""


@_member(since(OF13, 4))
class TableWriteActions(_Ids):
    """The actions that WriteActions may have."""


@_member(since(OF13, 5))
class TableWriteActionsMiss(_Ids):
    """See TableWriteActions."""


@_member(since(OF13, 6))
class TableApplyActions(_Ids):
    """The actions that ApplyActions may have."""


@_member(since(OF13, 7))
class TableApplyActionsMiss(_Ids):
    """See TableApplyActions."""


@_member(since(OF13, 8))
class TableMatch(_Fields):
    """The fields that can be matched."""


@_member(since(OF13, 10))
class TableWildcards(_Fields):
    """The fields that can be left out."""


@_member(since(OF13, 12))
class TableWriteSetField(_Fields):
    """The fields that WriteActions can set."""


@_member(since(OF13, 13))
class TableWriteSetFieldMiss(_Fields):
    """See TableWriteSetField."""


@_member(since(OF13, 14))
class TableApplySetField(_Fields):
    """The fields that ApplyActions can set."""


@_member(since(OF13, 15))
class TableApplySetFieldMiss(_Fields):
    """See TableApplySetField."""


@_member(since(OF14, 16))
class TableSyncFrom(_Tables):
    """The tables whose changes come here, too."""


@_member(since(OF15, 18))
class TableWriteCopyField(_Fields):
    """The fields that WriteActions can copy."""


@_member(since(OF15, 19))
class TableWriteCopyFieldMiss(_Fields):
    """See TableWriteCopyField."""


@_member(since(OF15, 20))
class TableApplyCopyField(_Fields):
    """The fields that ApplyActions can copy."""


@_member(since(OF15, 21))
class TableApplyCopyFieldMiss(_Fields):
    """See TableApplyCopyField."""


@_member(since(OF15, 22))
class TablePacketTypes(Record):
    """The packet types that the table can process, as bytes of OXM fields."""

    oxm_values: bytes = b""
    layout = ("oxm_values" / Rest,)


@_member(since(OF13, 0xFFFE))
class ExperimenterTableFeature(_Experimenter):
    """A feature that the specification leaves to others."""


@_member(since(OF13, 0xFFFF))
class ExperimenterTableFeatureMiss(_Experimenter):
    """See ExperimenterTableFeature."""


class TableFeaturesCommand(IntEnum):
    """What a request does with the pipeline, since OF1.5."""

    REPLACE = 0
    MODIFY = 1
    ENABLE = 2
    DISABLE = 3


class TableFeatureFlags(IntFlag):
    """What a table is for, since OF1.5."""

    INGRESS_TABLE = 1 << 0
    EGRESS_TABLE = 1 << 1
    FIRST_EGRESS = 1 << 4


class TableFeatures(Record):
    """A table and what it can do."""

    table_id: int
    name: str = ""
    metadata_match: int = 0
    metadata_write: int = 0
    capabilities: TableConfig | int = 0  #: up to OF1.3 config
    max_entries: int = 0
    command: TableFeaturesCommand | int = TableFeaturesCommand.REPLACE
    features: TableFeatureFlags | int = 0
    properties: tuple[Record, ...] = ()
    layout = (
        Length(U16),
        "table_id" / U8,
        between(OF13, OF14, Pad(5)),
        "command" / since(OF15, Enum(U8, TableFeaturesCommand)),
        "features" / since(OF15, Flags(U32, TableFeatureFlags)),
        "name" / Text(32),
        "metadata_match" / U64,
        "metadata_write" / U64,
        "capabilities" / TableConfigShape,
        "max_entries" / U32,
        "properties" / TableFeaturePropertyShape,
    )


@multipart_request(since(OF13, 12))
class TableFeaturesRequest(MultipartRequest):
    """Asks what the tables can do, or, with tables, sets it."""

    tables: tuple[TableFeatures, ...] = ()
    layout = ("tables" / ListOf(TableFeatures),)
    gathers = "tables"


@multipart_reply(since(OF13, 12))
class TableFeaturesReply(MultipartReply):
    """What the tables can do."""

    tables: tuple[TableFeatures, ...] = ()
    layout = ("tables" / ListOf(TableFeatures),)
    gathers = "tables"
