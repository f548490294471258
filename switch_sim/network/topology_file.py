"""Topologies that users write down: in TOML, or in Python.

A TOML file names what there is; all but the links has defaults, as Mininet's:

    [[switch]]
    name = "s1"
    datapath_id = 1                # or "00:00:00:00:00:00:00:01"
    queues = ["1:0", "1:1,max=50"] # port:queue, and min= and max= in percent; none by default

    [[host]]
    name = "h1"
    ip = "10.0.0.1/8"
    mac = "00:00:00:00:00:01"
    gateway = "10.0.0.254"         # none by default

    [[link]]
    ends = ["h1", "s1"]            # "s1:3" for a port of your choice

A Python file defines `topology`: a Topology, or a function that returns one:

    from switch_sim.network import TopologyBuilder, tree

    topology = tree(2, 3)
"""

from __future__ import annotations

import runpy
import tomllib
import traceback
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

import msgspec

from protocol import MacAddress

from ..queues import parse_queue
from .shapes import parse_topology
from .topology import Topology, TopologyBuilder

_FORMAT = (
    "a file has [[switch]] name, datapath_id, queues; [[host]] name, ip, mac, gateway; "
    "[[link]] ends"
)


class _Switch(msgspec.Struct, forbid_unknown_fields=True):
    name: str = ""
    datapath_id: int | str = 0
    queues: tuple[str, ...] = ()


class _Host(msgspec.Struct, forbid_unknown_fields=True):
    name: str = ""
    ip: str = ""
    mac: str = ""
    gateway: str = ""


class _Link(msgspec.Struct, forbid_unknown_fields=True):
    ends: tuple[str, str]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    switch: list[_Switch] = []
    host: list[_Host] = []
    link: list[_Link] = []


def load_topology(text: str) -> Topology:
    """Return the topology in the file that `text` names, or the usual shape of that name.

    ValueError, in one sentence with the cure, where there is none.
    """
    path = Path(text)
    reader = {".toml": _read_toml, ".py": _read_python}.get(path.suffix)
    if reader is None:
        return parse_topology(text)
    if not path.is_file():
        raise ValueError(f"there is no file {text}: check the path")
    return reader(path)


def _read_toml(path: Path) -> Topology:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return _build(msgspec.convert(tables, _File))
    except msgspec.ValidationError as error:
        raise ValueError(f"{path}: {error}; {_FORMAT}") from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def _build(file: _File) -> Topology:
    builder = TopologyBuilder()
    for switch in file.switch:
        queues = map(parse_queue, switch.queues)
        builder.switch(switch.name, _datapath_id(switch.datapath_id), queues)
    for host in file.host:
        builder.host(
            host.name,
            IPv4Interface(host.ip) if host.ip else None,
            MacAddress.parse(host.mac) if host.mac else None,
            IPv4Address(host.gateway) if host.gateway else None,
        )
    for link in file.link:
        builder.link(*link.ends)
    return builder.build()


def _datapath_id(value: int | str) -> int:
    if isinstance(value, int):
        return value
    try:
        return int(value.replace(":", ""), 16)
    except ValueError:
        example = "00:00:00:00:00:00:00:01"
        raise ValueError(f"{value!r} is no datapath_id: write 1 or {example!r}") from None


def _read_python(path: Path) -> Topology:
    try:
        found = runpy.run_path(str(path)).get("topology")
        topology = found() if callable(found) else found
    except Exception as error:  # the user's own code can raise anything
        raise ValueError(_fault(path, error)) from error
    if isinstance(topology, Topology):
        return topology
    kind = f"is of type {type(topology).__name__}" if found else "is missing"
    raise ValueError(f"{path}: topology {kind}: define a Topology, or a function returning one")


def _fault(path: Path, error: Exception) -> str:
    """Return what is wrong in a user's file, and in which line."""
    if isinstance(error, SyntaxError):
        return f"{path}, line {error.lineno}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    line = next((frame.lineno for frame in reversed(frames) if frame.filename == str(path)), None)
    where = f", line {line}" if line else ""
    return f"{path}{where}: {type(error).__name__}: {error}"
