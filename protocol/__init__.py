"""OpenFlow 1.0 to 1.5: the messages, declared once, and the channel that carries them.

The everyday names stand here; all others are reached by chapter (`protocol.oxm.OXM`).
"""

from typing import TYPE_CHECKING, Any

# All chapters, so that every message is known before the first byte comes.
from . import (  # noqa: F401
    async_config,
    bundles,
    groups,
    meters,
    monitors,
    nicira,
    onf,
    queues,
    roles,
    table_features,
    tables,
)
from .actions import (
    Action,
    CopyField,
    CopyTtlIn,
    CopyTtlOut,
    DecMplsTtl,
    DecNwTtl,
    Enqueue,
    ExperimenterAction,
    Group,
    MeterAction,
    Output,
    PopMpls,
    PopPbb,
    PopVlan,
    PushMpls,
    PushPbb,
    PushVlan,
    SetDlDst,
    SetDlSrc,
    SetField,
    SetMplsLabel,
    SetMplsTc,
    SetMplsTtl,
    SetNwDst,
    SetNwEcn,
    SetNwSrc,
    SetNwTos,
    SetNwTtl,
    SetQueue,
    SetTpDst,
    SetTpSrc,
    SetVlanPcp,
    SetVlanVid,
    set_field,
)
from .addresses import MacAddress
from .async_config import GetAsyncReply, GetAsyncRequest, SetAsync
from .bundles import BundleAdd, BundleControl, BundleControlType, BundleFlags
from .connection import Closed, Connection, Event, Opened, State, Unreadable
from .errors import (
    AsyncConfigFailedCode,
    BadActionCode,
    BadInstructionCode,
    BadMatchCode,
    BadPropertyCode,
    BadRequestCode,
    BundleFailedCode,
    ErrorCode,
    FlowModFailedCode,
    FlowMonitorFailedCode,
    GroupModFailedCode,
    HelloFailedCode,
    MeterModFailedCode,
    PortModFailedCode,
    QueueOpFailedCode,
    RoleRequestFailedCode,
    SwitchConfigFailedCode,
    TableFeaturesFailedCode,
    TableModFailedCode,
    sayable,
)
from .exceptions import (
    ChannelClosed,
    DecodeError,
    EncodeError,
    NegotiationError,
    OpenFlowError,
    RequestError,
    RequestTimeout,
)
from .features import (
    BarrierReply,
    BarrierRequest,
    Capabilities,
    ConfigFlags,
    ControllerMaxLen,
    DescReply,
    DescRequest,
    FeaturesReply,
    FeaturesRequest,
    GetConfigReply,
    GetConfigRequest,
    SetConfig,
)
from .field_ids import FieldId
from .flows import (
    ALL_TABLES,
    ANY_GROUP,
    DEFAULT_PRIORITY,
    AggregateStatsReply,
    AggregateStatsRequest,
    FlowCounters,
    FlowCountersReply,
    FlowCountersRequest,
    FlowMod,
    FlowModCommand,
    FlowModFlags,
    FlowRemoved,
    FlowRemovedReason,
    FlowStats,
    FlowStatsReason,
    FlowStatsReply,
    FlowStatsRequest,
)
from .groups import Bucket, GroupMod, GroupModCommand, GroupType
from .instructions import (
    ApplyActions,
    ClearActions,
    ExperimenterInstruction,
    GotoTable,
    Instruction,
    Meter,
    StatTrigger,
    StatTriggerFlags,
    WriteActions,
    WriteMetadata,
)
from .match import Match
from .message import Message
from .meters import DropBand, DscpRemarkBand, MeterFlags, MeterMod, MeterModCommand
from .multipart import (
    ExperimenterMultipartReply,
    ExperimenterMultipartRequest,
    MultipartFlags,
    MultipartReply,
    MultipartRequest,
)
from .oxm import VlanId
from .packet import Ethernet
from .packets import NO_BUFFER, PacketIn, PacketInReason, PacketOut
from .ports import (
    Port,
    PortConfig,
    PortDesc,
    PortDescReply,
    PortDescRequest,
    PortEthernet,
    PortFeatures,
    PortMod,
    PortModEthernet,
    PortModOptical,
    PortOptical,
    PortPipelineInput,
    PortPipelineOutput,
    PortReason,
    PortRecirculate,
    PortState,
    PortStats,
    PortStatsEthernet,
    PortStatsOptical,
    PortStatsReply,
    PortStatsRequest,
    PortStatus,
)
from .properties import ExperimenterProperty
from .roles import Role, RoleReply, RoleRequest, RoleStatus
from .stats import Stats
from .symmetric import (
    EchoReply,
    EchoRequest,
    ErrorMsg,
    Experimenter,
    Hello,
    UnknownError,
    VersionBitmap,
)
from .tables import TableMod, TableStatsReply, TableStatsRequest, TableStatus
from .version import ALL_VERSIONS, OF10, OF11, OF12, OF13, OF14, OF15, Version

if TYPE_CHECKING:
    from .syntax import Flow


def __getattr__(name: str) -> Any:
    """Load Flow when it is first asked for: nobody needs it to speak OpenFlow."""
    if name == "Flow":
        from .syntax import Flow

        return Flow
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# fmt: off
__all__ = [
    # version
    "ALL_VERSIONS", "OF10", "OF11", "OF12", "OF13", "OF14", "OF15", "Version",
    # exceptions
    "ChannelClosed", "DecodeError", "EncodeError", "NegotiationError", "OpenFlowError",
    "RequestError", "RequestTimeout",
    # addresses
    "MacAddress",
    # errors
    "AsyncConfigFailedCode", "BadActionCode", "BadInstructionCode", "BadMatchCode",
    "BadPropertyCode", "BadRequestCode", "BundleFailedCode", "ErrorCode", "FlowModFailedCode",
    "FlowMonitorFailedCode", "GroupModFailedCode", "HelloFailedCode", "MeterModFailedCode",
    "PortModFailedCode", "QueueOpFailedCode", "RoleRequestFailedCode", "SwitchConfigFailedCode",
    "TableFeaturesFailedCode", "TableModFailedCode", "sayable",
    # message
    "Message",
    # symmetric
    "EchoReply", "EchoRequest", "ErrorMsg", "Experimenter", "Hello", "UnknownError",
    "VersionBitmap",
    # multipart
    "ExperimenterMultipartReply", "ExperimenterMultipartRequest", "MultipartFlags",
    "MultipartReply", "MultipartRequest",
    # connection
    "Closed", "Connection", "Event", "Opened", "State", "Unreadable",
    # properties
    "ExperimenterProperty",
    # ports
    "Port", "PortConfig", "PortDesc", "PortDescReply", "PortDescRequest", "PortEthernet",
    "PortFeatures", "PortMod", "PortModEthernet", "PortModOptical", "PortOptical",
    "PortPipelineInput", "PortPipelineOutput", "PortReason", "PortRecirculate", "PortState",
    "PortStats", "PortStatsEthernet", "PortStatsOptical", "PortStatsReply", "PortStatsRequest",
    "PortStatus",
    # features
    "BarrierReply", "BarrierRequest", "Capabilities", "ConfigFlags", "ControllerMaxLen",
    "DescReply", "DescRequest", "FeaturesReply", "FeaturesRequest", "GetConfigReply",
    "GetConfigRequest", "SetConfig",
    # oxm
    "VlanId",
    # field_ids
    "FieldId",
    # match
    "Match",
    # packet
    "Ethernet",
    # actions
    "Action", "CopyField", "CopyTtlIn", "CopyTtlOut", "DecMplsTtl", "DecNwTtl", "Enqueue",
    "ExperimenterAction", "Group", "MeterAction", "Output", "PopMpls", "PopPbb", "PopVlan",
    "PushMpls", "PushPbb", "PushVlan", "SetDlDst", "SetDlSrc", "SetField", "SetMplsLabel",
    "SetMplsTc", "SetMplsTtl", "SetNwDst", "SetNwEcn", "SetNwSrc", "SetNwTos", "SetNwTtl",
    "SetQueue", "SetTpDst", "SetTpSrc", "SetVlanPcp", "SetVlanVid", "set_field",
    # stats
    "Stats",
    # instructions
    "ApplyActions", "ClearActions", "ExperimenterInstruction", "GotoTable", "Instruction",
    "Meter", "StatTrigger", "StatTriggerFlags", "WriteActions", "WriteMetadata",
    # packets
    "NO_BUFFER", "PacketIn", "PacketInReason", "PacketOut",
    # groups
    "Bucket", "GroupMod", "GroupModCommand", "GroupType",
    # meters
    "DropBand", "DscpRemarkBand", "MeterFlags", "MeterMod", "MeterModCommand",
    # roles
    "Role", "RoleReply", "RoleRequest", "RoleStatus",
    # async_config
    "GetAsyncReply", "GetAsyncRequest", "SetAsync",
    # tables
    "TableMod", "TableStatsReply", "TableStatsRequest", "TableStatus",
    # bundles
    "BundleAdd", "BundleControl", "BundleControlType", "BundleFlags",
    # flows
    "ALL_TABLES", "ANY_GROUP", "DEFAULT_PRIORITY", "AggregateStatsReply",
    "AggregateStatsRequest", "FlowCounters", "FlowCountersReply", "FlowCountersRequest",
    "FlowMod", "FlowModCommand", "FlowModFlags", "FlowRemoved", "FlowRemovedReason",
    "FlowStats", "FlowStatsReason", "FlowStatsReply", "FlowStatsRequest",
    # syntax
    "Flow",
]
