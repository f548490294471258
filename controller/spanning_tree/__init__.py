"""The Spanning Tree Protocol: bridges agree on links that make a tree, and block the others."""

from .bridge import Bridge, Forget, PortChanged, Send, Times
from .port import MAX_PORT_NO, PortState, path_cost

__all__ = [
    "Bridge",
    "Times",
    "PortState",
    "path_cost",
    "MAX_PORT_NO",
    "Send",
    "PortChanged",
    "Forget",
]
