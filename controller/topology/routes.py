"""Which entries of which switches bring one host's frames to another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
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


#: What a switch does with frames for another one, and where they may come in then.
Step = tuple[Action, list[SwitchEnd]]


@lru_cache(_OUTPUTS)
def output(port: int) -> Output:
    """Return the same output each time, so that what is the same need not be looked at."""
    return Output(port)


def along(link: Link) -> Step:
    """Return what sends frames over one link."""
    (_, port), end = link
    return output(port), [end]


Entries = dict[SwitchEnd, Action]  #: for frames that come in there, what is done with them


def entries(
    source: SwitchEnd,
    target: SwitchEnd,
    steps: dict[int, Step],
    find: Callable[[int], Step | None],
) -> Entries | None:
    """Return an entry for each way in which a frame may come to a switch; None if none leads.

    `steps` has those of some switches to the target's, where its own is put in; `find` is
    asked for others. Each leads nearer to the target only, so that no frame goes in a circle.
    """
    found: Entries = {}
    ways = [] if source == target else [source]
    steps[target.datapath_id] = output(target.port_no), []
    for end in ways:  # which grows meanwhile
        if end not in found:
            step = steps.get(end[0]) or find(end[0])
            if step is None:
                return None
            found[end], ends = step
            ways += ends
    return found


class RouteTable:
    """The routes that are in place, by pair; which come in by a port, and which are a host's."""

    def __init__(self, most: int = MAX_ROUTES) -> None:
        self._most = most
        self._routes: dict[Pair, Entries] = {}
        self._of_host: dict[MacAddress, set[Pair]] = {}
        self._into: defaultdict[SwitchEnd, set[Pair]] = defaultdict(set)  # whose frames come in

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

    def put(self, pair: Pair, entries: Entries) -> Entries:
        """Note the entries of a pair, in place of those it had; return which are others."""
        before = self._routes.pop(pair, None)
        self._routes[pair] = entries
        if before is None:
            for host in pair:
                self._of_host.setdefault(host, set()).add(pair)
            before = {}
        known, into, others, left = before.get, self._into, Entries(), len(before)
        for end, action in entries.items():
            there = known(end)
            if there is None:
                into[end].add(pair)
                others[end] = action
            else:
                left -= 1
                if there is not action and there != action:
                    others[end] = action
        if left:
            self._leave(pair, [end for end in before if end not in entries])
        return others

    def _leave(self, pair: Pair, ends: Iterable[SwitchEnd]) -> None:
        for end in ends:
            pairs = self._into[end]
            pairs.remove(pair)
            if not pairs:
                del self._into[end]

    def pop(self, pair: Pair) -> Entries:
        """Forget a pair; return its entries, none where it had no route."""
        entries = self._routes.pop(pair, {})
        for host in pair:
            _discard(self._of_host, host, pair)
        self._leave(pair, entries)
        return entries

    def of_host(self, host: MacAddress) -> list[Pair]:
        """Return the pairs in which a host is."""
        return sorted(self._of_host.get(host, ()))

    def through(self, datapath_id: int) -> list[Pair]:
        """Return the pairs whose frames may pass a switch."""
        into = [pairs for end, pairs in self._into.items() if end.datapath_id == datapath_id]
        return sorted(set().union(*into))

    def over(self, link: Link) -> list[Pair]:
        """Return the pairs whose frames may come in by a link."""
        return sorted(self._into.get(link.dst, ()))


K = TypeVar("K")


def _discard(index: dict[K, set[Pair]], key: K, pair: Pair) -> None:
    if pairs := index.get(key):
        pairs.discard(pair)
        if not pairs:
            del index[key]
