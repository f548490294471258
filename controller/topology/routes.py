"""Which entries of which switches bring one host's frames to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from protocol import Action, MacAddress, Output

from .graph import Graph, Link, SwitchEnd

MAX_ROUTES = 100_000  #: above that the oldest is given up


class Pair(NamedTuple):
    """Who sends, and to whom."""

    source: MacAddress
    target: MacAddress


Entries = dict[SwitchEnd, Action]  #: for frames that come in there, what is done with them

#: Of a switch and several ports that lead nearer: what is done, and which ports that may take.
Spread = Callable[[int, list[int]], tuple[Action, list[int]]]


def entries(graph: Graph, source: SwitchEnd, target: SwitchEnd, spread: Spread) -> Entries | None:
    """Return an entry for each way in which a frame may come to a switch; None if none leads.

    Each switch sends nearer to the target only, so that no frame goes in a circle.
    """
    found: Entries = {}
    waiting = [] if source == target else [source]
    while waiting:
        end = waiting.pop()
        if end in found:
            continue
        if end.datapath_id == target.datapath_id:
            found[end] = Output(target.port_no)
            continue
        links = graph.next_links(end.datapath_id, target.datapath_id)
        if not links:
            return None
        if len(links) == 1:
            found[end] = Output(links[0].src.port_no)
            waiting.append(links[0].dst)
            continue
        found[end], taken = spread(end.datapath_id, [one.src.port_no for one in links])
        waiting += [link.dst for link in links if link.src.port_no in taken]
    return found


class RouteTable:
    """The routes that are in place, by pair; which pass a switch, and which are a host's."""

    def __init__(self, most: int = MAX_ROUTES) -> None:
        self._most = most
        self._routes: dict[Pair, Entries] = {}
        self._of_host: dict[MacAddress, set[Pair]] = {}
        self._through: dict[int, set[Pair]] = {}

    def __len__(self) -> int:
        return len(self._routes)

    def __contains__(self, pair: Pair) -> bool:
        return pair in self._routes

    def get(self, pair: Pair) -> Mapping[SwitchEnd, Action]:
        """Return a pair's entries; none where it has no route."""
        return self._routes.get(pair, {})

    def oldest_above_limit(self) -> Pair | None:
        """Return the pair to give up, None as long as there is room."""
        return next(iter(self._routes)) if len(self._routes) > self._most else None

    def put(self, pair: Pair, entries: Entries) -> None:
        """Note the entries of a pair, in place of those it had."""
        before = {end.datapath_id for end in self._routes.pop(pair, {})}
        now = {end.datapath_id for end in entries}
        self._routes[pair] = entries
        for host in pair:
            self._of_host.setdefault(host, set()).add(pair)
        for switch in now - before:
            self._through.setdefault(switch, set()).add(pair)
        for switch in before - now:
            _discard(self._through, switch, pair)

    def pop(self, pair: Pair) -> Entries:
        """Forget a pair; return its entries, none where it had no route."""
        entries = self._routes.pop(pair, {})
        for host in pair:
            _discard(self._of_host, host, pair)
        for end in entries:
            _discard(self._through, end.datapath_id, pair)
        return entries

    def of_host(self, host: MacAddress) -> list[Pair]:
        """Return the pairs in which a host is."""
        return sorted(self._of_host.get(host, ()))

    def through(self, datapath_id: int) -> list[Pair]:
        """Return the pairs whose frames may pass a switch."""
        return sorted(self._through.get(datapath_id, ()))

    def over(self, link: Link) -> list[Pair]:
        """Return the pairs whose frames may come in by a link."""
        passing = self._through.get(link.dst.datapath_id, ())
        return sorted(pair for pair in passing if link.dst in self._routes[pair])


K = TypeVar("K")


def _discard(index: dict[K, set[Pair]], key: K, pair: Pair) -> None:
    if pairs := index.get(key):
        pairs.discard(pair)
        if not pairs:
            del index[key]
