"""What a network is made of: switches, hosts, and the links between their ports.

    tree(2, 3)                    as Mininet's --topo tree,2,3
    parse_topology("linear,4")    the same, as users write it

Other networks are put together by a `TopologyBuilder`, or come from a file (topology_file.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import NamedTuple, NoReturn

from protocol import MacAddress
from protocol.queues import QueueDesc

MAX_SWITCHES = 10_000  # each takes some 100 kB, and a channel
MAX_HOSTS = 10_000  # every host with every other are 100 million pings
MAX_PORTS = 1_023  # a features_reply of OF1.1 names all ports of a switch in 65,535 bytes
MAX_NAME = 32  # characters, so that tables stay readable
MAX_DATAPATH_ID = 0xFFFF_FFFF_FFFF_FFFF
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
        self._switches[name] = SwitchNode(name, datapath_id or number, tuple(queues))
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


# The usual shapes


def single(hosts: int = 2) -> Topology:
    """One switch with hosts."""
    return linear(1, hosts)


def linear(switches: int = 2, hosts: int = 1) -> Topology:
    """Switches in a row; with several hosts a switch these are called h1s1, h2s1 … as Mininet does.

    >>> str(linear(4))
    '4 switches, 4 hosts, 7 links'
    """
    builder = TopologyBuilder()
    _row(builder, switches, hosts)
    return builder.build()


def ring(switches: int = 3) -> Topology:
    """Switches in a circle with one host each: broadcasts would go round for ever.

    >>> str(ring(3))
    '3 switches, 3 hosts, 6 links'
    """
    if switches < 3:
        raise ValueError(f"a ring of {switches} is none: it needs 3 switches")
    builder = TopologyBuilder()
    names = _row(builder, switches, 1)
    builder.link(names[0], names[-1])
    return builder.build()


def tree(depth: int = 1, fanout: int = 2) -> Topology:
    """Levels of switches, each with `fanout` below it; the lowest have that many hosts.

    >>> str(tree(2, 3))
    '4 switches, 9 hosts, 12 links'
    """
    _check_size(depth, fanout)
    builder = TopologyBuilder()
    above: list[tuple[int, str]] = [(depth, "")]  # levels that are left, and the port above
    while above:
        left, up = above.pop()
        if not left:
            builder.link(up, builder.host())
            continue
        name = builder.switch()
        if up:
            builder.link(up, f"{name}:{fanout + 1}")
        above += [(left - 1, f"{name}:{port}") for port in range(fanout, 0, -1)]
    return builder.build()


def _row(builder: TopologyBuilder, switches: int, hosts: int) -> list[str]:
    names: list[str] = []
    for number in range(1, switches + 1):
        name = builder.switch()
        for host in range(1, hosts + 1):
            alone = hosts == 1 or switches == 1
            builder.link(builder.host("" if alone else f"h{host}s{number}"), name)
        if names:
            builder.link(name, names[-1])
        names.append(name)
    return names


def _check_size(depth: int, fanout: int) -> None:
    """Refuse a tree that is too large before it is built."""
    if fanout >= MAX_PORTS:
        raise ValueError(f"a switch has at most {MAX_PORTS} ports, one goes up: lower the fanout")
    switches, level = 0, 1
    for _ in range(depth):
        switches, level = switches + level, level * fanout
        if switches > MAX_SWITCHES or level > max(MAX_HOSTS, MAX_SWITCHES):
            raise ValueError(
                f"tree,{depth},{fanout} has more than {MAX_SWITCHES} switches or {MAX_HOSTS} "
                f"hosts: lower the depth or the fanout"
            )


_SHAPES: dict[str, tuple[Callable[..., Topology], Sequence[str]]] = {
    "single": (single, ("HOSTS",)),
    "linear": (linear, ("SWITCHES", "HOSTS")),
    "tree": (tree, ("DEPTH", "FANOUT")),
    "ring": (ring, ("SWITCHES",)),
}


def parse_topology(text: str) -> Topology:
    """Return the shape that `text` names: single,N linear,N[,HOSTS] tree,DEPTH,FANOUT ring,N.

    Numbers that are left out are those of Mininet. ValueError for all else.
    """
    name, *numbers = (part.strip() for part in text.split(","))
    if name not in _SHAPES:
        raise ValueError(f"no topology is called {name!r}: {did_you_mean(name, _SHAPES)}")
    build, parameters = _SHAPES[name]
    usage = ",".join((name, *parameters))
    if len(numbers) > len(parameters):
        raise ValueError(f"{text!r} has too many numbers: write {usage}")
    return build(*(_count(number, text, usage) for number in numbers))


def _count(number: str, text: str, usage: str) -> int:
    if not (number.isascii() and number.isdigit() and int(number[:10])):
        _refuse_count(number, text, usage)
    if len(number) > 6 or int(number) > MAX_SWITCHES:
        raise ValueError(f"{text!r} is too large: the limit is {MAX_SWITCHES} switches or hosts")
    return int(number)


def _refuse_count(number: str, text: str, usage: str) -> NoReturn:
    raise ValueError(f"{text!r} has {number!r} where a number from 1 on belongs: write {usage}")
