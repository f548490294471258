"""Networks of simulated switches: what they are made of, and what goes on in them."""

from .host import Datagram, Host, Ping
from .network import Counters, Network, Outgoing
from .ping_all import PingAll
from .storm import Storm
from .topology import (
    End,
    HostNode,
    Link,
    SwitchNode,
    Topology,
    TopologyBuilder,
    linear,
    parse_topology,
    ring,
    single,
    tree,
)
from .topology_file import load_topology

__all__ = [
    # what it is made of
    "Topology",
    "TopologyBuilder",
    "SwitchNode",
    "HostNode",
    "Link",
    "End",
    "single",
    "linear",
    "tree",
    "ring",
    "parse_topology",
    "load_topology",
    # what goes on
    "Network",
    "Outgoing",
    "Counters",
    "Storm",
    "Host",
    "Ping",
    "Datagram",
    "PingAll",
]
