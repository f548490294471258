"""What the specification calls things: OFPT_FLOW_MOD, OFPAT_SET_QUEUE, OFPFC_ADD.

Our names are the specification's without their prefixes; here the prefixes come back. Where
editions differ, the names are those of OF1.5.1.
"""

from __future__ import annotations

import re
from enum import Enum, IntFlag
from functools import cache

from .actions import Action, MeterAction
from .async_config import GetAsyncReply, GetAsyncRequest
from .bundles import BundleAdd, BundleControlType, BundleFeatureFlags, BundleFlags, RequestForward
from .errors import ErrorCode
from .features import Capabilities, ConfigFlags
from .flows import (
    FlowCountersReply,
    FlowCountersRequest,
    FlowModCommand,
    FlowModFlags,
    FlowRemovedReason,
    FlowStatsReason,
    FlowStatsReply,
    FlowStatsRequest,
)
from .groups import BucketId, GroupCapabilities, GroupId, GroupModCommand, GroupType
from .instructions import Instruction, StatTriggerFlags
from .message import Message
from .meters import MeterBand, MeterFeatureFlags, MeterFlags, MeterId, MeterModCommand
from .monitors import FlowMonitorCommand, FlowMonitorFlags
from .multipart import MultipartFlags, MultipartReply, MultipartRequest
from .oxm import VlanId
from .packets import PacketInReason
from .ports import Port, PortConfig, PortFeatures, PortReason, PortState
from .queues import QueueId
from .record import Record
from .roles import ChannelStatus, ControllerStatusReason, Role, RoleReason
from .symmetric import ErrorMsg
from .table_features import TableFeatureFlags, TableFeaturesCommand
from .tables import EvictionFlags, TableConfig, TableReason

#: Messages whose name is not their class's in capitals.
_MESSAGES: dict[type[Message], str] = {
    ErrorMsg: "OFPT_ERROR",
    GetAsyncRequest: "OFPT_GET_ASYNC_REQUEST",
    GetAsyncReply: "OFPT_GET_ASYNC_REPLY",
    RequestForward: "OFPT_REQUESTFORWARD",
    BundleAdd: "OFPT_BUNDLE_ADD_MESSAGE",
    FlowStatsRequest: "OFPMP_FLOW_DESC request",
    FlowStatsReply: "OFPMP_FLOW_DESC reply",
    FlowCountersRequest: "OFPMP_FLOW_STATS request",
    FlowCountersReply: "OFPMP_FLOW_STATS reply",
}

#: The prefix of the members of each enumeration.
PREFIXES: dict[type[Enum], str] = {
    FlowModCommand: "OFPFC",
    FlowModFlags: "OFPFF",
    FlowRemovedReason: "OFPRR",
    FlowStatsReason: "OFPFSR",
    GroupModCommand: "OFPGC",
    GroupType: "OFPGT",
    GroupId: "OFPG",
    GroupCapabilities: "OFPGFC",
    BucketId: "OFPG_BUCKET",
    MeterModCommand: "OFPMC",
    MeterFlags: "OFPMF",
    MeterId: "OFPM",
    MeterFeatureFlags: "OFPMFF",
    FlowMonitorCommand: "OFPFMC",
    FlowMonitorFlags: "OFPFMF",
    MultipartFlags: "OFPMPF",
    VlanId: "OFPVID",
    PacketInReason: "OFPR",
    Port: "OFPP",
    PortConfig: "OFPPC",
    PortState: "OFPPS",
    PortFeatures: "OFPPF",
    PortReason: "OFPPR",
    QueueId: "OFPQ",
    Role: "OFPCR_ROLE",
    RoleReason: "OFPCRR",
    ControllerStatusReason: "OFPCSR",
    ChannelStatus: "OFPCT_STATUS",
    TableConfig: "OFPTC",
    EvictionFlags: "OFPTMPEF",
    TableReason: "OFPTR",
    TableFeatureFlags: "OFPTFF",
    TableFeaturesCommand: "OFPTFC",
    BundleControlType: "OFPBCT",
    BundleFlags: "OFPBF",
    BundleFeatureFlags: "OFPBMPF",
    Capabilities: "OFPC",
    ConfigFlags: "OFPC",
    StatTriggerFlags: "OFPSTF",
}

_ERROR_PREFIXES = {
    "HelloFailed": "OFPHFC",
    "BadRequest": "OFPBRC",
    "BadAction": "OFPBAC",
    "BadInstruction": "OFPBIC",
    "BadMatch": "OFPBMC",
    "FlowModFailed": "OFPFMFC",
    "GroupModFailed": "OFPGMFC",
    "PortModFailed": "OFPPMFC",
    "TableModFailed": "OFPTMFC",
    "QueueOpFailed": "OFPQOFC",
    "SwitchConfigFailed": "OFPSCFC",
    "RoleRequestFailed": "OFPRRFC",
    "MeterModFailed": "OFPMMFC",
    "TableFeaturesFailed": "OFPTFFC",
    "BadProperty": "OFPBPC",
    "AsyncConfigFailed": "OFPACFC",
    "FlowMonitorFailed": "OFPMOFC",
    "BundleFailed": "OFPBFC",
}


@cache
def snake(name: str) -> str:
    """Return a class's name in lower case, words divided by underscores.

    >>> snake("SetNwTtl")
    'set_nw_ttl'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@cache
def class_name(cls: type[Record]) -> str:
    """Return the name under which a class is reached from `protocol`: `nicira.FlowMod`."""
    vendor = _vendor(cls)
    return f"{vendor}.{cls.__name__}" if vendor else cls.__name__


def _vendor(cls: type[Record]) -> str:
    """Return the package of an experimenter's class, "" for those of the specification."""
    package = cls.__module__.split(".")
    return package[1] if len(package) > 2 and package[1] in _VENDORS else ""


#: The prefixes of experimenters by their packages: of messages, multipart messages, actions.
_VENDORS = {"nicira": ("NXT_", "NXST_", "NXAST_"), "onf": ("ONFT_", "ONFMP_", "ONFACT_")}
_OWN = ("OFPT_", "OFPMP_", "OFPAT_")


@cache
def message_name(cls: type[Message]) -> str:
    """Return the name of a message.

    >>> from protocol import FlowMod, PortDescReply
    >>> message_name(FlowMod), message_name(PortDescReply)
    ('OFPT_FLOW_MOD', 'OFPMP_PORT_DESC reply')
    """
    if cls in _MESSAGES:
        return _MESSAGES[cls]
    name = snake(cls.__name__).upper()
    single, multipart, _ = _VENDORS.get(_vendor(cls), _OWN)
    for base, ending in ((MultipartRequest, "request"), (MultipartReply, "reply")):
        if issubclass(cls, base):
            short = name.removesuffix(f"_{ending.upper()}").removesuffix("_MULTIPART")
            return f"{multipart}{short} {ending}"
    return f"{single}{name}"


def member_name(cls: type[Record]) -> str:
    """Return the name of a member of a family: OFPAT_OUTPUT, OFPIT_METER; else the class's."""
    if cls is MeterAction:
        return "OFPAT_METER"
    action = _VENDORS.get(_vendor(cls), _OWN)[2]
    prefixes = ((Action, action, ""), (Instruction, "OFPIT_", ""), (MeterBand, "OFPMBT_", "Band"))
    for base, prefix, suffix in prefixes:
        if issubclass(cls, base):
            return prefix + snake(cls.__name__.removesuffix(suffix)).upper()
    return cls.__name__


def error_name(code: ErrorCode) -> str:
    """Return the name of an error's code: OFPBRC_BAD_LEN."""
    kind = type(code).__name__.removesuffix("Code")
    return f"{_ERROR_PREFIXES.get(kind, kind)}_{code.name}"


def value_name(value: object) -> str:
    """Return the name of a member of an enumeration, or of several bits; "" for other values.

    >>> from protocol import FlowModCommand, FlowModFlags
    >>> value_name(FlowModCommand.ADD), value_name(FlowModFlags(3))
    ('OFPFC_ADD', 'OFPFF_SEND_FLOW_REM|OFPFF_CHECK_OVERLAP')
    """
    if isinstance(value, ErrorCode):
        return error_name(value)
    if not isinstance(value, Enum):
        return ""
    prefix = PREFIXES.get(type(value), "")
    names = [one.name for one in value] if isinstance(value, IntFlag) else [value.name]
    return "|".join(f"{prefix}_{name}" if prefix else str(name) for name in names)
