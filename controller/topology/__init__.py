"""The topology: links found by probes, hosts by what they send, and the graph they make."""

from .app import Topology
from .discovery import Discovery, LinkDown, LinkUp, Suspicion
from .graph import Graph, Link, Path, SwitchEnd
from .hosts import Host, HostAdded, HostGone, HostMoved, HostTable

__all__ = [
    "Topology",
    "Discovery", "LinkDown", "LinkUp", "Suspicion",
    "Graph", "Link", "Path", "SwitchEnd",
    "Host", "HostAdded", "HostGone", "HostMoved", "HostTable",
]  # fmt: skip
