"""Which entries a packet nearly matches, and in what it differs: what a trace tells of tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nsmallest
from itertools import islice

from protocol import Match
from protocol.oxm import OXM
from protocol.syntax.actions import instructions_text
from protocol.syntax.match import match_text

from .flow_entry import FlowEntry
from .flow_key import FlowKey
from .trace import Candidate, Difference, Entry

MAX_CANDIDATES = 5  #: told of each table
MAX_EXAMINED = 20_000  #: entries of a table; a trace of more would hold up the switch


def described(entry: FlowEntry) -> Entry:
    """Return an entry as people read it."""
    text = f"priority={entry.priority},{match_text(entry.match)}"
    actions = instructions_text(entry.instructions)
    return Entry(entry.table_id, entry.priority, entry.cookie, f"{text} actions={actions}")


def matches(entry: FlowEntry, key: FlowKey) -> bool:
    """Whether all fields are as the entry wants them."""
    return not any(True for _ in _differing(entry, key))


def candidates(entries: Iterable[FlowEntry], key: FlowKey) -> tuple[Candidate, ...]:
    """Return the entries that come nearest to matching without doing so, the nearest first."""
    found = [
        (len(names), -entry.rank, number, entry, names[0])
        for number, entry in enumerate(islice(entries, MAX_EXAMINED))
        if (names := list(_differing(entry, key)))
    ]
    return tuple(
        Candidate(described(entry), difference(entry, key, name), count)
        for count, _, _, entry, name in nsmallest(MAX_CANDIDATES, found)
    )


def shadowed(
    entries: Iterable[FlowEntry], key: FlowKey, winner: FlowEntry | None
) -> tuple[Entry, ...]:
    """Return the entries that match as well as the one that was taken."""
    found = [
        entry
        for entry in islice(entries, MAX_EXAMINED)
        if entry is not winner and matches(entry, key)
    ]
    found.sort(key=lambda entry: -entry.rank)
    return tuple(map(described, found[:MAX_CANDIDATES]))


def _differing(entry: FlowEntry, key: FlowKey) -> Iterator[str]:
    """Yield the fields in which a packet differs, in the order of the match."""
    fields = entry.fields
    for name in entry.match:
        if name in fields:  # a mask of zeros asks for nothing
            value, mask = fields[name]
            found = key[name]
            if found is None or found & mask != value:
                yield name


def difference(entry: FlowEntry, key: FlowKey, name: str) -> Difference:
    """Return what an entry wants of a field, and what the packet has."""
    value, mask = entry.fields[name]
    wanted = entry.match[name]
    found = key[name]
    shown = None if found is None else value_of(name, found)
    hint = _missing(name, key) if found is None else _hint(value, mask, found, OXM[name].bits)
    return Difference(name, _text(name, wanted), shown, hint)


def value_of(name: str, value: int) -> str:
    """Return a field's value as people write it."""
    return _text(name, value)


def _text(name: str, value: object) -> str:
    text = match_text(Match.unchecked({name: value}))  # type: ignore[dict-item]
    return text.partition("=")[2] or text


def _missing(name: str, key: FlowKey) -> str:
    """Say which prerequisite a packet without the field does not meet."""
    for needed, values in OXM[name].requires:
        found = key[needed]
        if found is None:
            return f"as it has no {needed}"
        if values and found not in values:
            wanted = " or ".join(value_of(needed, value) for value in values)
            return f"that needs {needed}={wanted}, the packet has {value_of(needed, found)}"
    return ""


def _hint(value: int, mask: int, found: int, bits: int) -> str:
    """Say what may have been meant: bytes the other way round, or a mask of other length."""
    size = (bits + 7) // 8
    turned = int.from_bytes(found.to_bytes(size, "big"), "little")
    if size > 1 and turned & mask == value and turned != found:
        return "the same bytes in reverse order"
    if mask == -1:
        return ""
    shorter = mask & mask - 1  # without its lowest bit
    if shorter and (found ^ value) & shorter == 0:
        return f"a mask of {shorter.bit_count()} in place of {mask.bit_count()} bits would match"
    return ""
