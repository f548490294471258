"""What a network is made of: switches, hosts, and the links between their ports.

Networks are put together by a `TopologyBuilder`; shapes.py has the usual ones, and
topology_file.py reads others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import NamedTuple

from protocol import MacAddress
from protocol.datapath_ids import MAX_DATAPATH_ID
from protocol.queues import QueueDesc

from ..queues import Queues

MAX_SWITCHES = 10_000  # each takes some 100 kB, and a channel
MAX_HOSTS = 10_000  # every host with every other are 100 million pings
MAX_PORTS = 1_023  # a features_reply of OF1.1 names all ports of a switch in 65,535 bytes
MAX_NAME = 32  # characters, so that tables stay readable
HOST_PORT = 0  #: the only port of a host

_HOSTS = IPv4Network("10.0.0.0/8")  # the network of Mininet's hosts


@dataclass(frozen=True, slots=True)
class SwitchNode:
    """A switch to be."""

    name: str
    datapath_id: int
    queues: tuple[QueueDesc, ...] = ()


@dataclass(frozen=True, slots=True)
class HostNode:
    """A host to be."""

    name: str
    mac: MacAddress
    ip: IPv4Address
    prefix: int = 8  #: bits of ip that all hosts of its network share
    gateway: IPv4Address | None = None  #: where what goes beyond is sent


class End(NamedTuple):
    """Where a link ends: a port of a switch, or a host, whose port is `HOST_PORT`."""

    node: str
    port: int = HOST_PORT

    def __str__(self) -> str:
        return self.node if self.port == HOST_PORT else f"{self.node}:{self.port}"


class Link(NamedTuple):
    """A cable between two ends."""

    a: End
    b: End

    def __str__(self) -> str:
        return f"{self.a} - {self.b}"


@dataclass(frozen=True, slots=True)
class Topology:
    """A network that could be; made by a `TopologyBuilder`, which sees that it is sound."""

    switches: tuple[SwitchNode, ...]
    hosts: tuple[HostNode, ...]
    links: tuple[Link, ...]

    def ports(self) -> dict[str, list[int]]:
        """Return the port numbers of each switch, in ascending order."""
        ports: dict[str, list[int]] = {switch.name: [] for switch in self.switches}
        for link in self.links:
            for end in (link.a, link.b):
                if end.port != HOST_PORT:
                    ports[end.node].append(end.port)
        return {name: sorted(numbers) for name, numbers in ports.items()}

    def __str__(self) -> str:
        counts = (
            (len(self.switches), "switch", "switches"),
            (len(self.hosts), "host", "hosts"),
            (len(self.links), "link", "links"),
        )
        return ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the half sentence that helps who misspelt one of `known`.

    >>> did_you_mean("tre", ["linear", "tree"])
    'did you mean tree?'
    >>> did_you_mean("x", ["linear", "tree"])
    'there are linear, tree'
    """
    names = list(known)
    if close := get_close_matches(word, names, 1, 0.5):
        return f"did you mean {close[0]}?"
    more = " …" if len(names) > 10 else ""
    return f"there are {', '.join(names[:10])}{more}" if names else "there are none yet"


class TopologyBuilder:
    """Puts a network together; ValueError, in one sentence with the cure, for what cannot be.

    >>> builder = TopologyBuilder()
    >>> s1, h1, h2 = builder.switch(), builder.host(), builder.host("server")
    >>> builder.link(h1, s1)
    >>> builder.link("server", "s1:8")
    >>> [str(link) for link in builder.build().links]
    ['h1 - s1:1', 'server - s1:8']
    """

    def __init__(self) -> None:
        self._switches: dict[str, SwitchNode] = {}
        self._hosts: dict[str, HostNode] = {}
        self._links: list[Link] = []
        self._used: dict[str, set[int]] = {}  # node -> its ports that have a link
        self._next: Counter[str] = Counter()  # switch -> the last port given out

    def switch(self, name: str = "", datapath_id: int = 0, queues: Iterable[QueueDesc] = ()) -> str:
        """Add a switch and return its name, by default s1, s2 …; its datapath_id counts, too."""
        number = len(self._switches) + 1
        if number > MAX_SWITCHES:
            raise ValueError(f"a network has at most {MAX_SWITCHES} switches: leave some out")
        name = self._claim(name or f"s{number}")
        if not 0 <= datapath_id <= MAX_DATAPATH_ID:
            raise ValueError(f"{name} has datapath_id {datapath_id:#x}: write one of 64 bits")
        descs = tuple(queues)
        Queues(descs)  # says what is wrong with them before there is a switch
        self._switches[name] = SwitchNode(name, datapath_id or number, descs)
        return name

    def host(
        self,
        name: str = "",
        ip: IPv4Interface | None = None,
        mac: MacAddress | None = None,
        gateway: IPv4Address | None = None,
    ) -> str:
        """Add a host and return its name; host n is by default hn, 10.0.0.n/8, 00:00:00:00:00:n."""
        number = len(self._hosts) + 1
        if number > MAX_HOSTS:
            raise ValueError(f"a network has at most {MAX_HOSTS} hosts: leave some out")
        name = self._claim(name or f"h{number}")
        mac = MacAddress(number) if mac is None else mac
        if mac.is_multicast or not mac:
            raise ValueError(f"{name} has mac {mac}: write one that belongs to a single station")
        ip = ip or IPv4Interface((_HOSTS[number], _HOSTS.prefixlen))
        self._hosts[name] = HostNode(name, mac, ip.ip, ip.network.prefixlen, gateway)
        return name

    def link(self, a: str, b: str) -> None:
        """Join two nodes; `s1:3` means port 3 of s1, `s1` its next free port."""
        ends = [self._end(text) for text in (a, b)]
        self._links.append(Link(*ends))

    def build(self) -> Topology:
        """Return the network, if no two nodes have the same address and each host a link."""
        hosts, switches = self._hosts.values(), self._switches.values()
        if not switches:
            raise ValueError("a network needs a switch: add one")
        _differ("datapath_id", [(one.name, hex(one.datapath_id)) for one in switches])
        _differ("mac", [(one.name, str(one.mac)) for one in hosts])
        _differ("ip", [(one.name, str(one.ip)) for one in hosts])
        for name in self._hosts.keys() - self._used.keys():
            raise ValueError(f"{name} has no link: link it to a switch")
        return Topology(tuple(switches), tuple(hosts), tuple(self._links))

    def _claim(self, name: str) -> str:
        if name in self._switches or name in self._hosts:
            raise ValueError(f"two nodes are called {name}: give one another name")
        if len(name) > MAX_NAME or not name.isprintable() or set(name) & set(": "):
            raise ValueError(
                f"{name!r} cannot be a name: use up to {MAX_NAME} characters without space or colon"
            )
        return name

    def _end(self, text: str) -> End:
        node, colon, number = text.partition(":")
        if node in self._hosts:
            return self._host_end(node, text, bool(colon))
        if node not in self._switches:
            known = [*self._switches, *self._hosts]
            raise ValueError(f"no node is called {node!r}: {did_you_mean(node, known)}")
        port = _port(number, text) if colon else self._free_port(node)
        used = self._used.setdefault(node, set())
        if port in used:
            raise ValueError(f"{node}:{port} has two links: write {node} for its next free port")
        if port > MAX_PORTS:
            raise ValueError(f"{node} has a port {port}, a switch has at most {MAX_PORTS}: use two")
        used.add(port)
        return End(node, port)

    def _host_end(self, node: str, text: str, has_port: bool) -> End:
        if has_port:
            raise ValueError(f"{text!r} is a host, which has one port without a number: {node}")
        if node in self._used:
            raise ValueError(f"{node} has two links: a host has one, use a switch in between")
        self._used[node] = {HOST_PORT}
        return End(node)

    def _free_port(self, node: str) -> int:
        port = self._next[node] + 1
        while port in self._used.get(node, ()):
            port += 1
        self._next[node] = port
        return port


def _port(number: str, text: str) -> int:
    if number.isascii() and number.isdigit() and 0 < len(number) < 5 and int(number):
        return int(number)
    raise ValueError(f"{text!r} has no port from 1 to {MAX_PORTS}: write it like s1:3")


def _differ(what: str, values: Iterable[tuple[str, str]]) -> None:
    seen: dict[str, str] = {}
    for name, value in values:
        if value in seen:
            raise ValueError(f"{seen[value]} and {name} have the same {what} {value}: change one")
        seen[value] = name
