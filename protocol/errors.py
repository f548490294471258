"""The types and codes of OFPT_ERROR in all versions (OF1.5.1 7.5.4 "Error Message").

A code is a member of the enumeration of its type: `BadRequestCode.BAD_LEN`. Its value is
its number, with the range of versions that have it; the types' numbers stand below.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import Any

from .version import OF10, OF11, OF12, OF13, OF14, OF15, Version
from .wire import between, by_version, resolve, since, until


class ErrorCode(Enum):
    """What went wrong; the class is the type of the error."""

    def __str__(self) -> str:
        return f"{type(self).__name__.removesuffix('Code')}.{self.name}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"

    def at(self, version: Version) -> tuple[int, int] | None:
        """Return (type, code) as `version` numbers them, None if it has no such error."""
        kind = resolve(_TYPES[type(self)], version)
        code = resolve(self.value, version)
        return None if kind is None or code is None else (int(kind), int(code))


class HelloFailedCode(ErrorCode):
    """The hello protocol failed."""

    INCOMPATIBLE = 0
    EPERM = 1


class BadRequestCode(ErrorCode):
    """The request was not understood."""

    BAD_VERSION = 0
    BAD_TYPE = 1
    BAD_MULTIPART = 2
    BAD_EXPERIMENTER = 3
    BAD_EXP_TYPE = 4
    EPERM = 5
    BAD_LEN = 6
    BUFFER_EMPTY = 7
    BUFFER_UNKNOWN = 8
    BAD_TABLE_ID = since(OF11, 9)
    IS_SLAVE = since(OF12, 10)
    BAD_PORT = since(OF12, 11)
    BAD_PACKET = since(OF12, 12)
    MULTIPART_BUFFER_OVERFLOW = since(OF13, 13)
    MULTIPART_REQUEST_TIMEOUT = since(OF14, 14)
    MULTIPART_REPLY_TIMEOUT = since(OF14, 15)
    MULTIPART_BAD_SCHED = since(OF15, 16)
    PIPELINE_FIELDS_ONLY = since(OF15, 17)
    UNKNOWN = since(OF15, 18)


class BadActionCode(ErrorCode):
    """An action was wrong."""

    BAD_TYPE = 0
    BAD_LEN = 1
    BAD_EXPERIMENTER = 2
    BAD_EXP_TYPE = 3
    BAD_OUT_PORT = 4
    BAD_ARGUMENT = 5
    EPERM = 6
    TOO_MANY = 7
    BAD_QUEUE = 8
    BAD_OUT_GROUP = since(OF11, 9)
    MATCH_INCONSISTENT = since(OF11, 10)
    UNSUPPORTED_ORDER = since(OF11, 11)
    BAD_TAG = since(OF11, 12)
    BAD_SET_TYPE = since(OF12, 13)
    BAD_SET_LEN = since(OF12, 14)
    BAD_SET_ARGUMENT = since(OF12, 15)
    BAD_SET_MASK = since(OF15, 16)
    BAD_METER = since(OF15, 17)


class BadInstructionCode(ErrorCode):
    """An instruction was wrong."""

    UNKNOWN_INST = since(OF11, 0)
    UNSUP_INST = since(OF11, 1)
    BAD_TABLE_ID = since(OF11, 2)
    UNSUP_METADATA = since(OF11, 3)
    UNSUP_METADATA_MASK = since(OF11, 4)
    BAD_EXPERIMENTER = since(OF11, 5)
    BAD_EXP_TYPE = since(OF12, 6)
    BAD_LEN = since(OF12, 7)
    EPERM = since(OF12, 8)
    DUP_INST = since(OF14, 9)


class BadMatchCode(ErrorCode):
    """A match was wrong."""

    BAD_TYPE = since(OF11, 0)
    BAD_LEN = since(OF11, 1)
    BAD_TAG = since(OF11, 2)
    BAD_DL_ADDR_MASK = since(OF11, 3)
    BAD_NW_ADDR_MASK = since(OF11, 4)
    BAD_WILDCARDS = since(OF11, 5)
    BAD_FIELD = since(OF11, 6)
    BAD_VALUE = since(OF11, 7)
    BAD_MASK = since(OF12, 8)
    BAD_PREREQ = since(OF12, 9)
    DUP_FIELD = since(OF12, 10)
    EPERM = since(OF12, 11)


class FlowModFailedCode(ErrorCode):
    """A flow entry could not be changed. OF1.0 calls TABLE_FULL ALL_TABLES_FULL."""

    UNKNOWN = since(OF11, 0)
    TABLE_FULL = by_version({OF10: 0, OF11: 1})
    BAD_TABLE_ID = since(OF11, 2)
    OVERLAP = by_version({OF10: 1, OF11: 3})
    EPERM = by_version({OF10: 2, OF11: 4})
    BAD_TIMEOUT = since(OF11, 5)
    BAD_EMERG_TIMEOUT = until(OF10, 3)
    BAD_COMMAND = by_version({OF10: 4, OF11: 6})
    UNSUPPORTED = until(OF10, 5)
    BAD_FLAGS = since(OF12, 7)
    CANT_SYNC = since(OF14, 8)
    BAD_PRIORITY = since(OF14, 9)
    IS_SYNC = since(OF15, 10)


class GroupModFailedCode(ErrorCode):
    """A group could not be changed."""

    GROUP_EXISTS = since(OF11, 0)
    INVALID_GROUP = since(OF11, 1)
    WEIGHT_UNSUPPORTED = since(OF11, 2)
    OUT_OF_GROUPS = since(OF11, 3)
    OUT_OF_BUCKETS = since(OF11, 4)
    CHAINING_UNSUPPORTED = since(OF11, 5)
    WATCH_UNSUPPORTED = since(OF11, 6)
    LOOP = since(OF11, 7)
    UNKNOWN_GROUP = since(OF11, 8)
    CHAINED_GROUP = since(OF12, 9)
    BAD_TYPE = since(OF12, 10)
    BAD_COMMAND = since(OF12, 11)
    BAD_BUCKET = since(OF12, 12)
    BAD_WATCH = since(OF12, 13)
    EPERM = since(OF12, 14)
    UNKNOWN_BUCKET = since(OF15, 15)
    BUCKET_EXISTS = since(OF15, 16)


class PortModFailedCode(ErrorCode):
    """A port could not be changed."""

    BAD_PORT = 0
    BAD_HW_ADDR = 1
    BAD_CONFIG = since(OF11, 2)
    BAD_ADVERTISE = since(OF11, 3)
    EPERM = since(OF12, 4)


class TableModFailedCode(ErrorCode):
    """A table could not be changed."""

    BAD_TABLE = since(OF11, 0)
    BAD_CONFIG = since(OF11, 1)
    EPERM = since(OF12, 2)


class QueueOpFailedCode(ErrorCode):
    """A request about queues failed."""

    BAD_PORT = 0
    BAD_QUEUE = 1
    EPERM = 2


class SwitchConfigFailedCode(ErrorCode):
    """The switch's configuration could not be changed."""

    BAD_FLAGS = since(OF11, 0)
    BAD_LEN = since(OF11, 1)
    EPERM = since(OF12, 2)


class RoleRequestFailedCode(ErrorCode):
    """A controller's role could not be changed."""

    STALE = since(OF12, 0)
    UNSUP = since(OF12, 1)
    BAD_ROLE = since(OF12, 2)
    ID_UNSUP = since(OF15, 3)
    ID_IN_USE = since(OF15, 4)


class MeterModFailedCode(ErrorCode):
    """A meter could not be changed."""

    UNKNOWN = since(OF13, 0)
    METER_EXISTS = since(OF13, 1)
    INVALID_METER = since(OF13, 2)
    UNKNOWN_METER = since(OF13, 3)
    BAD_COMMAND = since(OF13, 4)
    BAD_FLAGS = since(OF13, 5)
    BAD_RATE = since(OF13, 6)
    BAD_BURST = since(OF13, 7)
    BAD_BAND = since(OF13, 8)
    BAD_BAND_VALUE = since(OF13, 9)
    OUT_OF_METERS = since(OF13, 10)
    OUT_OF_BANDS = since(OF13, 11)


class TableFeaturesFailedCode(ErrorCode):
    """The tables' features could not be set."""

    BAD_TABLE = since(OF13, 0)
    BAD_METADATA = since(OF13, 1)
    BAD_TYPE = between(OF13, OF13, 2)
    BAD_LEN = between(OF13, OF13, 3)
    BAD_ARGUMENT = between(OF13, OF13, 4)
    EPERM = since(OF13, 5)
    BAD_CAPA = since(OF15, 6)
    BAD_MAX_ENT = since(OF15, 7)
    BAD_FEATURES = since(OF15, 8)
    BAD_COMMAND = since(OF15, 9)
    TOO_MANY = since(OF15, 10)


class BadPropertyCode(ErrorCode):
    """A property was wrong."""

    BAD_TYPE = since(OF14, 0)
    BAD_LEN = since(OF14, 1)
    BAD_VALUE = since(OF14, 2)
    TOO_MANY = since(OF14, 3)
    DUP_TYPE = since(OF14, 4)
    BAD_EXPERIMENTER = since(OF14, 5)
    BAD_EXP_TYPE = since(OF14, 6)
    BAD_EXP_VALUE = since(OF14, 7)
    EPERM = since(OF14, 8)


class AsyncConfigFailedCode(ErrorCode):
    """The asynchronous configuration could not be set."""

    INVALID = since(OF14, 0)
    UNSUPPORTED = since(OF14, 1)
    EPERM = since(OF14, 2)


class FlowMonitorFailedCode(ErrorCode):
    """A flow monitor could not be set."""

    UNKNOWN = since(OF14, 0)
    MONITOR_EXISTS = since(OF14, 1)
    INVALID_MONITOR = since(OF14, 2)
    UNKNOWN_MONITOR = since(OF14, 3)
    BAD_COMMAND = since(OF14, 4)
    BAD_FLAGS = since(OF14, 5)
    BAD_TABLE_ID = since(OF14, 6)
    BAD_OUT = since(OF14, 7)


class BundleFailedCode(ErrorCode):
    """A bundle operation failed."""

    UNKNOWN = since(OF14, 0)
    EPERM = since(OF14, 1)
    BAD_ID = since(OF14, 2)
    BUNDLE_EXIST = since(OF14, 3)
    BUNDLE_CLOSED = since(OF14, 4)
    OUT_OF_BUNDLES = since(OF14, 5)
    BAD_TYPE = since(OF14, 6)
    BAD_FLAGS = since(OF14, 7)
    MSG_BAD_LEN = since(OF14, 8)
    MSG_BAD_XID = since(OF14, 9)
    MSG_UNSUP = since(OF14, 10)
    MSG_CONFLICT = since(OF14, 11)
    MSG_TOO_MANY = since(OF14, 12)
    MSG_FAILED = since(OF14, 13)
    TIMEOUT = since(OF14, 14)
    BUNDLE_IN_PROGRESS = since(OF14, 15)
    SCHED_NOT_SUPPORTED = since(OF15, 16)
    SCHED_FUTURE = since(OF15, 17)
    SCHED_PAST = since(OF15, 18)


# The number of each type (OF1.5.1 7.5.4).
_TYPES: dict[type[ErrorCode], Any] = {
    HelloFailedCode: 0,
    BadRequestCode: 1,
    BadActionCode: 2,
    BadInstructionCode: since(OF11, 3),
    BadMatchCode: since(OF11, 4),
    FlowModFailedCode: by_version({OF10: 3, OF11: 5}),
    GroupModFailedCode: since(OF11, 6),
    PortModFailedCode: by_version({OF10: 4, OF11: 7}),
    TableModFailedCode: since(OF11, 8),
    QueueOpFailedCode: by_version({OF10: 5, OF11: 9}),
    SwitchConfigFailedCode: since(OF11, 10),
    RoleRequestFailedCode: since(OF12, 11),
    MeterModFailedCode: since(OF13, 12),
    TableFeaturesFailedCode: since(OF13, 13),
    BadPropertyCode: since(OF14, 14),
    AsyncConfigFailedCode: since(OF14, 15),
    FlowMonitorFailedCode: since(OF14, 16),
    BundleFailedCode: since(OF14, 17),
}


# What a version without the code says instead. OF1.0 has no errors of matches and
# instructions, OF1.1 not yet all of them; the next best of the same meaning is taken.
_NEAREST: dict[ErrorCode, ErrorCode] = {
    BadRequestCode.IS_SLAVE: BadRequestCode.EPERM,
    BadRequestCode.BAD_PORT: BadActionCode.BAD_OUT_PORT,
    BadRequestCode.BAD_PACKET: BadRequestCode.BAD_LEN,
    BadActionCode.BAD_SET_TYPE: BadActionCode.BAD_ARGUMENT,
    BadActionCode.BAD_SET_LEN: BadActionCode.BAD_ARGUMENT,
    BadActionCode.BAD_SET_ARGUMENT: BadActionCode.BAD_ARGUMENT,
    BadActionCode.BAD_SET_MASK: BadActionCode.BAD_SET_TYPE,
    BadActionCode.BAD_TAG: BadActionCode.BAD_ARGUMENT,
    BadActionCode.BAD_METER: BadActionCode.BAD_ARGUMENT,
    BadActionCode.BAD_OUT_GROUP: BadActionCode.BAD_ARGUMENT,
    BadActionCode.MATCH_INCONSISTENT: BadActionCode.BAD_ARGUMENT,
    BadInstructionCode.BAD_LEN: BadRequestCode.BAD_LEN,
    BadInstructionCode.DUP_INST: BadInstructionCode.UNSUP_INST,
    BadMatchCode.BAD_LEN: BadRequestCode.BAD_LEN,
    BadMatchCode.BAD_MASK: BadMatchCode.BAD_WILDCARDS,
    BadMatchCode.BAD_PREREQ: BadMatchCode.BAD_FIELD,
    BadMatchCode.DUP_FIELD: BadMatchCode.BAD_FIELD,
    FlowModFailedCode.BAD_FLAGS: FlowModFailedCode.UNKNOWN,
    FlowModFailedCode.BAD_TABLE_ID: BadRequestCode.BAD_TABLE_ID,
    FlowModFailedCode.UNKNOWN: FlowModFailedCode.UNSUPPORTED,
    FlowModFailedCode.UNSUPPORTED: FlowModFailedCode.UNKNOWN,
    GroupModFailedCode.BAD_TYPE: GroupModFailedCode.INVALID_GROUP,
    GroupModFailedCode.BAD_COMMAND: GroupModFailedCode.INVALID_GROUP,
    GroupModFailedCode.BAD_BUCKET: GroupModFailedCode.INVALID_GROUP,
    GroupModFailedCode.BAD_WATCH: GroupModFailedCode.WATCH_UNSUPPORTED,
    TableFeaturesFailedCode.BAD_LEN: BadPropertyCode.BAD_LEN,
    TableFeaturesFailedCode.BAD_TYPE: BadPropertyCode.BAD_TYPE,
    TableFeaturesFailedCode.BAD_ARGUMENT: BadPropertyCode.BAD_VALUE,
}


def sayable(code: ErrorCode, version: Version) -> ErrorCode:
    """Return `code`, or what a version that has no such error says instead of it."""
    for _ in range(3):
        if code.at(version) is not None:
            return code
        if code not in _NEAREST:
            break
        code = _NEAREST[code]
    if isinstance(code, BadInstructionCode | BadMatchCode):
        return sayable(FlowModFailedCode.UNKNOWN, version)
    return BadRequestCode.BAD_LEN if code.name == "BAD_LEN" else BadRequestCode.EPERM


@cache
def codes_at(version: Version) -> dict[tuple[int, int], ErrorCode]:
    """Return all errors that `version` has by (type, code)."""
    codes = (code for kind in ErrorCode.__subclasses__() for code in kind)
    return {numbers: code for code in codes if (numbers := code.at(version)) is not None}
