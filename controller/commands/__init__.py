"""The commands that ask a running controller: topology, hosts, flows, ports, record, …"""

from __future__ import annotations

import click

from .flows import flows
from .groups import groups, meters
from .network import hosts, topology
from .ports import ports
from .record import record
from .send import send

COMMANDS: tuple[click.Command, ...] = (
    topology, hosts, ports, flows, groups, meters, send, record,
)  # fmt: skip
