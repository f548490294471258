"""Which links lead nearer to a target: worked out when asked for, and kept as long as it is right.

Most changes of a graph leave the distances to most targets what they are, and of those to
the others most. So after one no more is worked out anew than what it touches, and that only
for targets that somebody asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .graph import Link


@dataclass(slots=True)
class _Target:
    """What is known of the ways to a switch."""

    distances: dict[int, int]  # switch -> links to go
    next: dict[int, list[Link]] = field(default_factory=dict)  # switch -> links nearer, by port
    notes: dict[int, Any] = field(default_factory=dict)  # switch -> what others made of them
    touched: set[int] = field(default_factory=set)  # ends of links for which they may be wrong
    cut_off: int | None = None  # where that is all: who lost the only link that led nearer

    def drop(self, switch: int) -> None:
        """Forget what hangs on the links that lead nearer from a switch."""
        self.next.pop(switch, None)
        self.notes.pop(switch, None)


class Ways:
    """The first links of all shortest paths, from switches to switches.

    `links_of` gives the links that carry traffic from a switch just now, by port.
    """

    def __init__(self, links_of: Callable[[int], Mapping[int, Link]]) -> None:
        self._links_of = links_of
        self._targets: dict[int, _Target] = {}
        self._neighbours: dict[int, list[int]] = {}  # switch -> those that its links lead to

    def next_links(self, source: int, target: int) -> list[Link]:
        """Return the first links of all shortest paths, by port; [] where there is none."""
        ways = self._to(target)
        found = ways.next.get(source)
        if found is None:
            found = ways.next[source] = self._nearer(source, ways.distances)
        return found

    def notes(self, target: int) -> dict[int, Any]:
        """Return what was noted on the ways to a switch, by source.

        A note is gone when `next_links` of its source may be others than when it was put in.
        """
        return self._to(target).notes

    def forget_notes(self, source: int) -> None:
        """Forget what was noted on the ways from a switch."""
        for ways in self._targets.values():
            ways.notes.pop(source, None)

    def _to(self, target: int) -> _Target:
        ways = self._targets.get(target)
        if ways is None:
            ways = self._targets[target] = _Target(self._distances_to(target))
        elif ways.touched:
            self._renew(target, ways)
        elif ways.cut_off is not None:
            self._lengthen(ways, ways.cut_off)
        return ways

    def _renew(self, target: int, ways: _Target) -> None:
        """Work out distances anew, and drop what hangs on those that are others now."""
        before, ways.distances = ways.distances, self._distances_to(target)
        others = {switch for switch, _ in before.items() ^ ways.distances.items()}
        for switch in ways.touched:
            ways.drop(switch)
        self._drop_around(others, ways)
        ways.touched.clear()

    def _lengthen(self, ways: _Target, first: int) -> None:
        """Work out the distances that grew as a switch lost the only link that led nearer.

        That costs no more than there are such distances, and links of these switches.
        """
        distances, ways.cut_off = ways.distances, None
        longer = self._behind(first, distances)
        ends: list[tuple[int, int]] = []  # distances by others, which did not grow
        for switch in longer:
            near = [distances[one] for one in self._beside(switch) if one not in longer]
            ends += [(min(near) + 1, switch)] if near else []
        for switch in longer:
            del distances[switch]
        heapify(ends)
        while ends:
            distance, switch = heappop(ends)
            if switch not in distances:
                distances[switch] = distance
                for one in self._beside(switch):
                    if one in longer and one not in distances:
                        heappush(ends, (distance + 1, one))
        self._drop_around(longer, ways)

    def _behind(self, first: int, distances: Mapping[int, int]) -> set[int]:
        """Return the switches from which all shortest paths led over a link that went."""
        found, waiting = {first}, [first]
        for here in waiting:  # which grows meanwhile, the nearest first
            beyond = distances[here] + 1
            for there in self._beside(here):
                if distances[there] == beyond and there not in found:
                    nearer = (one for one in self._beside(there) if distances[one] < beyond)
                    if found.issuperset(nearer):
                        found.add(there)
                        waiting.append(there)
        return found

    def _drop_around(self, switches: set[int], ways: _Target) -> None:
        """Forget what hangs on distances that are others now."""
        for switch in switches.union(*map(self._beside, switches)):
            ways.drop(switch)

    def _nearer(self, source: int, distances: Mapping[int, int]) -> list[Link]:
        left = distances.get(source)
        if not left:
            return []
        links = self._links_of(source).values()
        found = [link for link in links if distances[link[1][0]] < left]  # those of its dst
        return found if len(found) == 1 else sorted(found)

    def _distances_to(self, target: int) -> dict[int, int]:
        found, distance = {target: 0}, 0
        edge: Iterable[int] = found
        while edge:
            distance += 1  # traffic comes by the same cables
            edge = set().union(*map(self._beside, edge)).difference(found)
            found |= dict.fromkeys(edge, distance)
        return found

    def _beside(self, switch: int) -> list[int]:
        """Return the switches to which links lead from one."""
        found = self._neighbours.get(switch)
        if found is None:
            links = self._links_of(switch).values()
            found = self._neighbours[switch] = [link.dst.datapath_id for link in links]
        return found

    def changed(self, link: Link) -> None:
        """A link that carries traffic came, or one that did went."""
        one, other = link.src.datapath_id, link.dst.datapath_id
        self._neighbours.pop(one, None)
        self._neighbours.pop(other, None)
        for ways in self._targets.values():
            here, there = ways.distances.get(one), ways.distances.get(other)
            if ways.cut_off is not None:
                ways.touched.add(ways.cut_off)
                ways.cut_off = None
            if ways.touched:
                ways.touched |= {one, other}
            elif here == there:
                continue  # no shortest path uses the link, nor did one
            elif here is None or there is None or abs(here - there) > 1:
                ways.touched |= {one, other}
            else:
                far = one if here > there else other
                ways.drop(far)
                # It is as far as before if another link leads nearer, or this one, which came.
                if not self._nearer(far, ways.distances):
                    ways.cut_off = far

    def forget(self, target: int) -> None:
        """Forget what leads to a switch, as it is gone."""
        self._targets.pop(target, None)
        self._neighbours.pop(target, None)
