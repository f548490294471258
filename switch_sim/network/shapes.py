"""Networks of the usual shapes.

tree(2, 3)                    as Mininet's --topo tree,2,3
parse_topology("linear,4")    the same, as users write it
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NoReturn

from .topology import (
    MAX_HOSTS,
    MAX_PORTS,
    MAX_SWITCHES,
    Topology,
    TopologyBuilder,
    did_you_mean,
)

MAX_MESH = 200  # switches, which have 19,900 links


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


def mesh(switches: int = 4) -> Topology:
    """Switches each of which is linked to each other, with one host each.

    >>> str(mesh(4))
    '4 switches, 4 hosts, 10 links'
    """
    if switches > MAX_MESH:
        raise ValueError(f"a mesh of {switches} has too many links: take at most {MAX_MESH}")
    builder = TopologyBuilder()
    names = [_with_host(builder) for _ in range(switches)]
    for a, b in combinations(names, 2):
        builder.link(a, b)
    return builder.build()


def torus(width: int = 3, height: int = 3) -> Topology:
    """Switches in a grid whose edges are joined, with one host each.

    >>> str(torus(3, 4))
    '12 switches, 12 hosts, 36 links'
    """
    if min(width, height) < 3:
        raise ValueError(f"a torus of {width} by {height} is none: it needs 3 by 3 switches")
    _check_count(width * height)
    builder = TopologyBuilder()
    grid = [[_with_host(builder) for _ in range(height)] for _ in range(width)]
    for x, column in enumerate(grid):
        for y, name in enumerate(column):
            builder.link(name, grid[(x + 1) % width][y])
            builder.link(name, column[(y + 1) % height])
    return builder.build()


def fat_tree(ports: int = 4) -> Topology:
    """A data centre's network of switches that have `ports` ports, an even number.

    Al-Fares, Loukissas, Vahdat: "A Scalable, Commodity Data Center Network Architecture", 2008.

    >>> str(fat_tree(4))
    '20 switches, 16 hosts, 48 links'
    """
    if ports < 2 or ports % 2:
        raise ValueError(f"a fat tree has switches with an even number of ports, not {ports}")
    half = ports // 2
    _check_count(max(ports * half * half, 5 * half * half))
    builder = TopologyBuilder()
    core = [builder.switch() for _ in range(half * half)]
    for _ in range(ports):
        upper = [builder.switch() for _ in range(half)]
        for place, name in enumerate(upper):
            for root in core[place * half : (place + 1) * half]:
                builder.link(name, root)
        for _ in range(half):
            edge = builder.switch()
            for name in upper:
                builder.link(edge, name)
            for _ in range(half):
                builder.link(builder.host(), edge)
    return builder.build()


def scattered(switches: int = 10, seed: int = 1) -> Topology:
    """Switches linked at random, all connected, about three links each; one host each.

    The same numbers give the same network.

    >>> str(scattered(10))
    '10 switches, 10 hosts, 25 links'
    """
    dice = random.Random(seed)
    builder = TopologyBuilder()
    names = [_with_host(builder) for _ in range(switches)]
    linked = {(dice.randrange(one), one) for one in range(1, switches)}
    most = min(switches * 3 // 2, switches * (switches - 1) // 2)
    while len(linked) < most:
        a, b = sorted(dice.sample(range(switches), 2))
        linked.add((a, b))
    for a, b in sorted(linked):
        builder.link(names[a], names[b])
    return builder.build()


def _with_host(builder: TopologyBuilder) -> str:
    name = builder.switch()
    builder.link(builder.host(), name)
    return name


def _check_count(switches: int) -> None:
    if switches > MAX_SWITCHES:
        raise ValueError(f"these are {switches} switches or hosts: take at most {MAX_SWITCHES}")


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
    "mesh": (mesh, ("SWITCHES",)),
    "torus": (torus, ("WIDTH", "HEIGHT")),
    "fattree": (fat_tree, ("PORTS",)),
    "random": (scattered, ("SWITCHES", "SEED")),
}


def parse_topology(text: str) -> Topology:
    """Return the shape that `text` names: single,N linear,N[,HOSTS] tree,DEPTH,FANOUT ring,N
    mesh,N torus,WIDTH,HEIGHT fattree,PORTS random,N[,SEED].

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
