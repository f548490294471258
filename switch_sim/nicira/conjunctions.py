"""Matches of several clauses, of which each must hold (ovs-fields(7) "Conjunctive Match Fields").

Entries whose only action is `conjunction` match nothing by themselves. Where for one id, at
one priority, an entry of each clause matches, the packet is looked up again with that
conj_id, and without such entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from ..flow_entry import FlowEntry, by_rank
from ..flow_key import FlowKey
from ..tuple_space import Tuple


def lookup(tuples: Iterable[Tuple], key: FlowKey) -> FlowEntry | None:
    """Return the entry of the highest rank that matches, clause by clause where it must."""
    tuples = list(tuples)
    found = sorted(_matching(tuples, key), key=by_rank, reverse=True)
    for _, same in groupby(found, by_rank):
        entries = list(same)
        for entry in entries:
            if not entry.doing.conjunctions:
                return entry
        for conj_id in _satisfied(entries):
            if entry_of := _lookup_with(tuples, key, conj_id):
                return entry_of
    return None


def _matching(tuples: Iterable[Tuple], key: FlowKey) -> Iterator[FlowEntry]:
    for one in tuples:
        yield from one.matching(key)


def _satisfied(entries: Iterable[FlowEntry]) -> list[int]:
    """Return the ids of which all clauses are among the entries."""
    clauses: dict[tuple[int, int], set[int]] = {}
    for entry in entries:
        for one in entry.doing.conjunctions:
            clauses.setdefault((one.id, one.n_clauses), set()).add(one.clause)
    return [conj_id for (conj_id, count), seen in clauses.items() if len(seen) == count]


def _lookup_with(tuples: Iterable[Tuple], key: FlowKey, conj_id: int) -> FlowEntry | None:
    before = key.get("conj_id")
    key["conj_id"] = conj_id
    try:
        hard = (one for one in _matching(tuples, key) if not one.doing.conjunctions)
        return max(hard, key=by_rank, default=None)
    finally:
        if before is None:
            del key["conj_id"]
        else:
            key["conj_id"] = before
