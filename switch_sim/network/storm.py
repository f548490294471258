"""Broadcast storms: when one frame has become too many, and which circle they run in."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from .topology import HOST_PORT, Link

# One frame can make a host send what waited for an answer, each packet is answered in turn,
# and all of them can be flooded: that is less than 32 frames for each link.
FRAMES_PER_LINK = 32
FRAMES_BESIDES = 1_000  # so that small networks may do unusual things


@dataclass(slots=True, frozen=True)
class Storm:
    """One frame became so many that the network dropped the rest."""

    frames: int
    cycle: tuple[str, ...]  #: switches, the first again at the end; empty where there is none

    def __str__(self) -> str:
        where = f" going round {' - '.join(self.cycle)}" if self.cycle else ""
        return (
            f"broadcast storm: one frame became {self.frames}{where}; the rest was dropped. "
            f"Take a link away, or use an application that is safe with loops"
        )


class Journey:
    """What became of one frame that entered the network: copies, and answers to them."""

    __slots__ = ("left", "watched")

    def __init__(self, left: int) -> None:
        self.left = left  # frames that may still be sent
        self.watched: set[Link] = set()  # where they went after half of them were sent


def budget(links: int) -> int:
    """Return how many frames one may become in a network of so many links."""
    return FRAMES_PER_LINK * links + FRAMES_BESIDES


def find_cycle(links: Iterable[Link]) -> tuple[str, ...]:
    """Return the switches of a circle of links, the first again at the end.

    >>> from .shapes import ring
    >>> find_cycle(ring(3).links)
    ('s1', 's2', 's3', 's1')
    """
    joined: dict[str, list[str]] = {}
    roots: dict[str, str] = {}  # switch -> another that it is joined with
    for link in sorted(links):
        if HOST_PORT in (link.a.port, link.b.port):
            continue
        a, b = link.a.node, link.b.node
        if _root(roots, a) == _root(roots, b):  # the link closes it
            return _from_first((*_path(joined, b, a), b))
        roots[_root(roots, a)] = _root(roots, b)
        joined.setdefault(a, []).append(b)
        joined.setdefault(b, []).append(a)
    return ()


def _root(roots: dict[str, str], node: str) -> str:
    while (above := roots.get(node, node)) != node:
        roots[node] = roots.get(above, above)  # the next search is shorter
        node = above
    return node


def _path(joined: dict[str, list[str]], start: str, goal: str) -> tuple[str, ...]:
    """Return a shortest way between two joined switches."""
    before: dict[str, str] = {start: ""}
    queue = deque([start])
    while queue and goal not in before:
        node = queue.popleft()
        for other in joined.get(node, ()):
            if other not in before:
                before[other] = node
                queue.append(other)
    path = [goal]
    while before[path[-1]]:
        path.append(before[path[-1]])
    return tuple(reversed(path))


def _from_first(cycle: tuple[str, ...]) -> tuple[str, ...]:
    """Turn a cycle so that it begins with its least name, and runs to the lesser neighbour."""
    body = cycle[:-1]
    at = body.index(min(body))
    body = body[at:] + body[:at]
    if len(body) > 2 and body[-1] < body[1]:
        body = body[:1] + body[:0:-1]
    return (*body, body[0])
