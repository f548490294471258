"""Networks of simulated switches: what they are made of, and what goes on in them."""

from .host import Datagram, Host, Ping
from .network import Counters, Network, Outgoing
from .ping_all import PingAll
from .shapes import fat_tree, linear, mesh, parse_topology, ring, scattered, single, torus, tree
from .storm import Storm
from .topology import (
    End,
    HostNode,
    Link,
    SwitchNode,
    Topology,
    TopologyBuilder,
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
    "mesh",
    "torus",
    "fat_tree",
    "scattered",
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
