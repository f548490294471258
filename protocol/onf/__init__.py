"""ONF's extensions to OF1.3, which OF1.4 and OF1.5 took over."""

from .extensions import BundleAdd, BundleControl, CopyField, RequestForward, RoleStatus
from .monitors import (
    FlowAbbreviated,
    FlowAdded,
    FlowDeleted,
    FlowModified,
    FlowMonitor,
    FlowMonitorCancel,
    FlowMonitorPaused,
    FlowMonitorReply,
    FlowMonitorRequest,
    FlowMonitorResumed,
)

__all__ = [
    # extensions
    "BundleAdd",
    "BundleControl",
    "CopyField",
    "RequestForward",
    "RoleStatus",
    # monitors
    "FlowAbbreviated",
    "FlowAdded",
    "FlowDeleted",
    "FlowModified",
    "FlowMonitor",
    "FlowMonitorCancel",
    "FlowMonitorPaused",
    "FlowMonitorReply",
    "FlowMonitorRequest",
    "FlowMonitorResumed",
]
