"""What each witness is known not to take, or to read otherwise than the specification says.

Parts of messages as `witness.parts` names them, the versions in which it is so, and why. A
message that has such a part may be refused, or read otherwise; each entry must still be
needed. All else that a witness refuses is a failure.
"""

from __future__ import annotations

from protocol.version import OF10, OF11, OF12, OF13, OF14, OF15

from .witness import Unsupported, always

#: Open vSwitch 3.1's ovs-ofctl.
OFP_PRINT: Unsupported = {
    **always("a port of more than 16 bits", why="its ports have 16 bits (OFPBAC_BAD_OUT_PORT)"),
    **always(
        *("field.pbb_isid", "field.pbb_uca", "PushPbb", "PopPbb"), why="it has no PBB", first=OF13
    ),
    **always("field.ipv6_exthdr", why="it has no extension headers", first=OF13),
    **always("field.in_phy_port", why="it has no in_phy_port", first=OF12),
    **always(
        *(f"field.xreg{n}" for n in range(8, 16)),
        why="it has eight registers of 64 bits",
        first=OF15,
    ),
    **always("CopyTtlOut", "CopyTtlIn", why="it has no copy_ttl", first=OF11),
    "WriteActions>MeterAction": (OF15, OF15, "it does not put a meter into the action set"),
    **always("StatTrigger", why="it has no stat_trigger", first=OF15),
    **always(
        *("FlowCountersRequest", "FlowCountersReply"),
        *("ControllerStatus", "ControllerStatusRequest", "ControllerStatusReply"),
        *("BundleFeaturesRequest", "BundleFeaturesReply"),
        why="it does not know this message of OF1.5",
        first=OF15,
    ),
    "MeterFeaturesReply.features": (OF15, OF15, "it reads the struct of OF1.4, without them"),
    **always(
        *("Experimenter", "ExperimenterMultipartRequest", "ExperimenterMultipartReply"),
        *("ExperimenterAction", "ExperimenterInstruction", "ExperimenterBand"),
        "ExperimenterProperty",
        why="nobody knows the experimenter",
    ),
    "neighbour discovery with a code": (OF12, OF15, "it wants icmpv6_code=0 there"),
    "FlowMod.flags=EMERG": (OF10, OF10, "it has no emergency entries (OFPFMFC_TABLE_FULL)"),
    "FlowMonitorRequest.monitor_flags=NO_ABBREV": (OF14, OF15, "it always abbreviates"),
    **always(
        *("SetAsync.flow_stats_master", "SetAsync.flow_stats_slave"),
        *("SetAsync.controller_status_master", "SetAsync.controller_status_slave"),
        why="it does not know this message of OF1.5",
        first=OF15,
    ),
    "TableDescReply.tables=()": (OF14, OF15, "it wants a table at least (OFPBRC_BAD_LEN)"),
    "TableFeaturesReply.tables=()": (OF13, OF15, "it wants a table at least (OFPBRC_BAD_LEN)"),
    "TableMod+TableEviction": (
        OF14,
        OF15,
        "it takes the flags of the property for whether there is eviction",
    ),
}

#: Wireshark 4.0.
WIRESHARK: Unsupported = {
    "FlowMod.instructions=()": (OF10, OF10, "it wants actions"),
    "PacketOut.actions=()": (OF10, OF10, "it wants actions"),
    "PacketIn.data=()": (OF10, OF10, "it wants a packet"),
    **always(
        *("PacketOut>Enqueue", "PacketOut>SetDlSrc", "PacketOut>SetDlDst"),
        why="it takes each action for one of 8 bytes",
        last=OF10,
    ),
    "ErrorMsg": (OF13, OF15, "it dissects what is quoted, which may be half a message"),
    "ExperimenterMultipartReply": (OF13, OF15, "it reads beyond the end of any"),
    **always(
        *("ExperimenterBand", "ExperimenterInstruction", "ExperimenterProperty"),
        "ExperimenterAction",
        why="it reads beyond the end of some of experimenters",
        first=OF13,
    ),
    **always(
        *("QueueDesc", "QueueStats", "PortStatsOptical"),
        why="it has another length for it",
        first=OF14,
    ),
    **always(
        *("PortDesc.properties=()", "PortStats.properties=()"),
        why="it wants properties",
        first=OF14,
    ),
    "BundleAdd>GotoTable": (OF14, OF15, "it leaves out the instructions of what is added"),
    "PortRecirculate": (OF15, OF15, "it takes ports of OF1.4"),
    "BundleTime": (OF15, OF15, "it has other places for seconds and nanoseconds"),
    **always(
        *("FlowStats", "FlowCounters", "FlowStatsReply.flows=()"),
        why="it has the flow statistics of OF1.4",
        first=OF15,
    ),
    "TableStatus": (OF14, OF15, "it looks for the table at a wrong place"),
    **always(
        *("any match field", "FieldId", "CopyField", "TablePacketTypes"),
        why="it reads beyond the end of any field",
        first=OF15,
    ),
    **always("Bucket", "GroupDesc", why="it reads the bucket of OF1.4", first=OF15),
    **always(
        *("ControllerStatus", "ControllerStatusReply", "BundleFeaturesReply"),
        why="it does not know it",
        first=OF15,
    ),
}

#: What os-ken 4.2.2 reads for ever: it is not shown that.
OS_KEN_LOOPS: Unsupported = {
    "ExperimenterInstruction": (OF12, OF15, "it has no experimenters' instructions"),
}
#: os-ken 4.2.2.
OS_KEN: Unsupported = {
    **OS_KEN_LOOPS,
    "PortDescReply": (OF10, OF12, "it has no port descriptions before OF1.3"),
    "ExperimenterMultipartReply": (OF12, OF12, "it has no experimenters' statistics there"),
    "ExperimenterQueueProperty": (OF12, OF12, "it has no experimenters' properties there"),
    **always(
        *("FlowAdded", "FlowDeleted", "FlowModified", "MonitorResumed"),
        why="it has one event for each class of updates, where there are several",
        first=OF14,
    ),
    "ExperimenterBand": (OF13, OF15, "it wants all bands to have 12 bytes"),
    "MeterFeaturesReply.features=None": (OF15, OF15, "it wants them, as the specification does"),
    "CopyField": (OF15, OF15, "it asks for two fields before it has read them"),
    "BundleFeaturesReply+ExperimenterProperty": (OF15, OF15, "it reads a time in any property"),
    **always(
        *("GroupMod.buckets>1", "GroupDescReply.groups>1", "GroupDesc.buckets>1"),
        "ControllerStatusReply.controllers>1",
        why="it takes what is behind the first for properties of it",
        first=OF15,
    ),
}
