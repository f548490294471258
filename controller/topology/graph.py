"""The graph of switches: which port of which leads where, and the paths through it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from heapq import heappop, heappush
from typing import Any, NamedTuple

from .ways import Ways


class SwitchEnd(NamedTuple):
    """A port of a switch."""

    datapath_id: int
    port_no: int

    def __str__(self) -> str:
        return f"{self.datapath_id:x}:{self.port_no}"


class Link(NamedTuple):
    """A cable in one direction; the other direction is a link of its own."""

    src: SwitchEnd
    dst: SwitchEnd

    @property
    def back(self) -> Link:
        """The other direction."""
        return Link(self.dst, self.src)

    def __str__(self) -> str:
        return f"{self.src} -> {self.dst}"


Path = tuple[Link, ...]  #: links one after another, none twice; () is from a switch to itself


class Graph:
    """Switches and links. Only links whose both directions are known carry traffic.

    >>> graph = Graph()
    >>> for a, b in [(1, 2), (2, 3)]:
    ...     link = Link(SwitchEnd(a, b), SwitchEnd(b, a))
    ...     graph.add(link), graph.add(link.back)
    (True, True)
    (True, True)
    >>> [str(link) for link in graph.path(1, 3)]
    ['1:2 -> 2:1', '2:3 -> 3:2']
    """

    def __init__(self) -> None:
        self.cables = 0  #: links whose both directions are known, counted once
        self._links: dict[SwitchEnd, Link] = {}  # by where they begin
        self._into: dict[SwitchEnd, set[Link]] = {}  # by where they end
        self._touching: dict[int, set[Link]] = {}  # switch -> links that begin or end there
        self._switches: dict[int, dict[int, Link]] = {}  # -> port -> link both ways
        self._ways = Ways(self.links_of)
        self._tree: frozenset[SwitchEnd] | None = None

    # Changes

    def add_switch(self, datapath_id: int) -> None:
        """Put in a switch."""
        if datapath_id not in self._switches:
            self._switches[datapath_id] = {}
            self._touching[datapath_id] = set()
            self._tree = None

    def remove_switch(self, datapath_id: int) -> list[Link]:
        """Take out a switch; return its links in both directions, which go as well."""
        if datapath_id not in self._switches:
            return []
        gone = sorted(self._touching[datapath_id])
        for link in gone:
            self.remove(link)
        del self._switches[datapath_id], self._touching[datapath_id]
        self._ways.forget(datapath_id)
        self._tree = None
        return gone

    def add(self, link: Link) -> bool:
        """Put in a link, in the place of another that begins there; return if it is news."""
        if self._links.get(link.src) == link:
            return False
        if before := self._links.get(link.src):
            self.remove(before)
        self._links[link.src] = link
        self._into.setdefault(link.dst, set()).add(link)
        for end in link:
            self.add_switch(end.datapath_id)
            self._touching[end.datapath_id].add(link)
        back = self._links.get(link.dst)
        if back == link.back:
            self.cables += 1
            for one in (link, back):
                self._switches[one.src.datapath_id][one.src.port_no] = one
            self._changed(link)
        return True

    def remove(self, link: Link) -> bool:
        """Take out a link in this direction; return whether it was there."""
        if self._links.get(link.src) != link:
            return False
        carried = self.both_ways(link)
        del self._links[link.src]
        self._into[link.dst].discard(link)
        if not self._into[link.dst]:
            del self._into[link.dst]
        for one in (link, link.back):
            self._touching[one.src.datapath_id].discard(link)
            if carried:
                del self._switches[one.src.datapath_id][one.src.port_no]
        if carried:
            self.cables -= 1
            self._changed(link)
        return True

    def _changed(self, link: Link) -> None:
        self._ways.changed(link)
        self._tree = None

    # What there is

    @property
    def switches(self) -> list[int]:
        """The datapath_ids, smallest first."""
        return sorted(self._switches)

    @property
    def links(self) -> Mapping[SwitchEnd, Link]:
        """All links by where they begin, in both directions."""
        return self._links

    def into(self, end: SwitchEnd) -> list[Link]:
        """Return the links that end at a port: more than one where a hub lies between."""
        return sorted(self._into.get(end, ()))

    def both_ways(self, link: Link) -> bool:
        """Return whether a link and its other direction are known."""
        return self._links.get(link.src) == link and self._links.get(link.dst) == link.back

    def links_of(self, datapath_id: int) -> Mapping[int, Link]:
        """Return the links that carry traffic from a switch, by port."""
        return self._switches.get(datapath_id, {})

    # Paths

    def next_links(self, source: int, target: int) -> list[Link]:
        """Return the first links of all shortest paths, by port; [] where there is none.

        Each brings a packet nearer to the target, so that whichever a switch takes, no
        packet goes in a circle.
        """
        return self._ways.next_links(source, target)

    def notes(self, target: int) -> dict[int, Any]:
        """Return a dict by source, for what is made of `next_links` to a switch.

        A note is gone when the links of its source may be others than when it was put in.
        """
        return self._ways.notes(target)

    def forget_notes(self, source: int) -> None:
        """Forget what was noted of a switch as a source."""
        self._ways.forget_notes(source)

    def path(self, source: int, target: int) -> Path | None:
        """Return a shortest path, () from a switch to itself, None where there is none."""
        path: list[Link] = []
        while source != target:
            choice = self.next_links(source, target)
            if not choice:
                return None
            path.append(choice[0])
            source = choice[0].dst.datapath_id
        return tuple(path)

    def paths(self, source: int, target: int, most: int) -> Iterator[Path]:
        """Yield up to `most` paths without circles, the shortest first.

        As Yen found them ("Finding the k shortest loopless paths in a network", 1971).
        """
        first = self.path(source, target)
        if first is None:
            return
        found, known = [first], {first}
        candidates: list[tuple[int, Path]] = []
        while found:
            path = found.pop()
            yield path
            most -= 1
            if most <= 0:
                return
            known.add(path)
            for candidate in self._detours(path, target, known):
                known.add(candidate)
                heappush(candidates, (len(candidate), candidate))
            if candidates:
                found.append(heappop(candidates)[1])

    def _detours(self, path: Path, target: int, known: set[Path]) -> Iterator[Path]:
        """Yield, for each switch of a path, the shortest path that leaves it there anew."""
        for place, link in enumerate(path):
            root = path[:place]
            taken = {
                other[place] for other in known if len(other) > place and other[:place] == root
            }
            passed = {one.src.datapath_id for one in root}
            rest = self._search(link.src.datapath_id, target, taken, passed)
            if rest is not None and root + rest not in known:
                yield root + rest

    def _search(self, source: int, target: int, taken: set[Link], passed: set[int]) -> Path | None:
        """Return a shortest path that does not begin with a taken link nor visit a switch twice."""
        came_by: dict[int, Link | None] = {source: None}
        queue = deque([source])
        while queue:
            here = queue.popleft()
            if here == target:
                return _walk_back(came_by, target)
            for link in sorted(self.links_of(here).values()):
                there = link.dst.datapath_id
                if link not in taken and there not in came_by and there not in passed:
                    came_by[there] = link
                    queue.append(there)
        return None

    def tree(self) -> frozenset[SwitchEnd]:
        """Return the ports between switches that a broadcast may use: a tree in each part.

        The root of each is the switch with the smallest datapath_id.
        """
        if self._tree is None:
            self._tree = frozenset(end for root in self._roots() for end in root)
        return self._tree

    def _roots(self) -> Iterator[list[SwitchEnd]]:
        seen: set[int] = set()
        for root in self.switches:
            if root in seen:
                continue
            seen.add(root)
            ends: list[SwitchEnd] = []
            queue = deque([root])
            while queue:
                for _, link in sorted(self.links_of(queue.popleft()).items()):
                    if link.dst.datapath_id not in seen:
                        seen.add(link.dst.datapath_id)
                        queue.append(link.dst.datapath_id)
                        ends += link
            yield ends


def _walk_back(came_by: Mapping[int, Link | None], target: int) -> Path:
    path: list[Link] = []
    link = came_by[target]
    while link is not None:
        path.append(link)
        link = came_by[link.src.datapath_id]
    return tuple(reversed(path))
