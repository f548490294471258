"""Which entries of which switches bring one host's frames to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple, TypeVar

from protocol import Action, MacAddress, Output

from .graph import Link, SwitchEnd

_OUTPUTS = 4096  # kept ready
MAX_ROUTES = 100_000  #: above that the oldest is given up


class Pair(NamedTuple):
    """Who sends, and to whom."""

    source: MacAddress
    target: MacAddress


class Step(NamedTuple):
    """What a switch does with frames for another one, and where they may come in then."""

    action: Action
    ends: list[SwitchEnd]
    links: list[Link]  #: those that lead nearer, of which it takes some


@lru_cache(_OUTPUTS)
def output(port: int) -> Output:
    """Return the same output each time, so that what is the same need not be looked at."""
    return Output(port)


Entries = dict[SwitchEnd, Action]  #: for frames that come in there, what is done with them


def entries(
    source: SwitchEnd,
    target: SwitchEnd,
    steps: Mapping[int, Step],
    find: Callable[[int], Step | None],
) -> Entries | None:
    """Return an entry for each way in which a frame may come to a switch; None if none leads.

    `steps` has those of some switches to the target's, `find` is asked for others. Each leads
    nearer to the target only, so that no frame goes in a circle.
    """
    found: Entries = {}
    waiting = [] if source == target else [source]
    switch, arrival = target.datapath_id, output(target.port_no)
    while waiting:
        end = waiting.pop()
        if end in found:
            continue
        here = end.datapath_id
        if here == switch:
            found[end] = arrival
        elif step := steps.get(here) or find(here):
            found[end], ends, _ = step
            waiting += ends
        else:
            return None
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
        before = self._routes.pop(pair, None)
        self._routes[pair] = entries
        if before is None:
            for host in pair:
                self._of_host.setdefault(host, set()).add(pair)
        elif before.keys() == entries.keys():
            return
        were, are = ({end.datapath_id for end in ends} for ends in (before or {}, entries))
        for switch in are - were:
            self._through.setdefault(switch, set()).add(pair)
        for switch in were - are:
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
