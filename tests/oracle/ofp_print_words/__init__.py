"""What Open vSwitch prints of a message, side by side with what we wrote in it.

`differences` finds, in the text of a message, the words that Open vSwitch must have for
each of our values. Matches, actions and instructions are read back with the parsers of
`protocol.syntax` and compared as values, since their order and spelling are not ours. Where
there are more or fewer entries than we wrote, ValueError is raised, as for other texts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocol import Message, Version
from protocol.groups import GroupId
from protocol.meters import MeterId

from . import flows, groups, ports, switch
from .words import Words


def differences(message: Message, version: Version, text: str) -> Words:
    """Return what the text does not say as we meant it."""
    compare = COMPARE.get(type(message).__name__)
    if compare is not None:
        yield from compare(message, version, text)


COMPARE: dict[str, Callable[[Any, Version, str], Words]] = {
    "FlowMod": flows.flow_mod,
    "FlowStatsReply": flows.flow_stats,
    "FlowStatsRequest": flows.which_flows,
    "AggregateStatsRequest": flows.which_flows,
    "AggregateStatsReply": flows.aggregate,
    "FlowRemoved": flows.flow_removed,
    "PacketIn": flows.packet_in,
    "PacketOut": flows.packet_out,
    "PortStatus": ports.port_status,
    "PortDescReply": ports.port_descs,
    "PortDescRequest": ports.port_desc_request,
    "PortMod": ports.port_mod,
    "PortStatsReply": ports.port_stats,
    "PortStatsRequest": ports.port_of("port_no", "port_no"),
    "QueueGetConfigRequest": ports.port_of("port", "port"),
    "QueueGetConfigReply": ports.queue_descs,
    "QueueDescReply": ports.queue_descs,
    "QueueDescRequest": ports.queue_request,
    "QueueStatsRequest": ports.queue_request,
    "QueueStatsReply": ports.queue_stats,
    "GroupMod": groups.group_mod,
    "GroupDescReply": groups.group_descs,
    "GroupDescRequest": groups.group_desc_request,
    "GroupStatsReply": groups.group_stats,
    "GroupStatsRequest": groups.one_or_all("group_id", "group_id", GroupId.ALL, "ALL"),
    "GroupFeaturesReply": groups.group_features,
    "MeterMod": groups.meter_mod,
    "MeterDescReply": groups.meter_descs,
    "MeterStatsReply": groups.meter_stats,
    "MeterFeaturesReply": groups.meter_features,
    "MeterStatsRequest": groups.one_or_all("meter_id", "meter", MeterId.ALL, "all"),
    "MeterDescRequest": groups.one_or_all("meter_id", "meter", MeterId.ALL, "all"),
    "TableMod": switch.table_mod,
    "TableDescReply": switch.table_descs,
    "TableStatus": switch.table_status,
    "TableStatsReply": switch.table_stats,
    "TableFeaturesReply": switch.table_features,
    "TableFeaturesRequest": switch.table_features,
    "FeaturesReply": switch.features,
    "GetConfigReply": switch.config,
    "SetConfig": switch.config,
    "DescReply": switch.desc,
    "Hello": switch.hello,
    "ErrorMsg": switch.error,
    "EchoRequest": switch.echo,
    "EchoReply": switch.echo,
    "RoleRequest": switch.role,
    "RoleReply": switch.role,
    "RoleStatus": switch.role_status,
    "GetAsyncReply": switch.async_config,
    "SetAsync": switch.async_config,
    "BundleControl": switch.bundle_control,
    "BundleAdd": switch.bundle_add,
    "RequestForward": switch.request_forward,
    "FlowMonitorReply": flows.flow_updates,
    "FlowMonitorRequest": flows.flow_monitor,
}
