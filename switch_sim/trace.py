"""What would become of a packet, and why: a value that prints itself.

    trace = switch.trace(in_port, data, now)
    print(trace)                        # for people
    msgspec.json.encode(trace)          # for programs

Tables are told in the order in which the packet passes them. For an entry that did not match,
the first of its fields is told that the packet has not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Entry:
    """A flow entry, by its place and as ovs-ofctl's users write it."""

    table_id: int
    priority: int
    cookie: int
    text: str

    def __str__(self) -> str:
        return f"cookie={self.cookie:#x} {self.text}" if self.cookie else self.text


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which a packet is not as an entry wants it."""

    field: str
    wanted: str
    found: str | None  #: None where the packet lacks the field
    hint: str = ""  #: what may have gone wrong

    def __str__(self) -> str:
        found = "the packet has none" if self.found is None else f"the packet has {self.found}"
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.field}: wants {self.wanted}, {found}{hint}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that does not match, its first difference, and how many fields differ."""

    entry: Entry
    difference: Difference
    n_differences: int


@dataclass(frozen=True, slots=True)
class LookUp:
    """A table that the packet comes to; candidates are those that come nearest to matching.

    `shadowed` would have matched as well, had there not been one of a higher priority.
    """

    table_id: int
    entry: Entry | None
    candidates: tuple[Candidate, ...] = ()
    shadowed: tuple[Entry, ...] = ()
    note: str = ""
    kind: Literal["look_up"] = field(default="look_up", init=False)

    def lines(self) -> Iterator[str]:
        """Yield what people read."""
        yield f"table {self.table_id}: {self.entry or 'no entry matches'}"
        if self.note:
            yield f"    ({self.note})"
        for one in self.shadowed:
            yield f"    would match too, below it: {one}"
        for candidate in self.candidates:
            yield f"    not: {candidate.entry}"
            more = candidate.n_differences - 1
            yield f"         {candidate.difference}" + (f", and {more} more" if more else "")


@dataclass(frozen=True, slots=True)
class Change:
    """A field that an action changed; None where the packet has not got it."""

    field: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return f"{self.field} {self.before or 'none'} -> {self.after or 'none'}"


@dataclass(frozen=True, slots=True)
class Done:
    """An action or instruction that is done, and the fields that it changes."""

    what: str
    changes: tuple[Change, ...] = ()
    kind: Literal["done"] = field(default="done", init=False)

    def lines(self) -> Iterator[str]:
        """Yield what people read."""
        yield f"  {self.what}"
        for change in self.changes:
            yield f"    {change}"


@dataclass(frozen=True, slots=True)
class Remark:
    """What happens to the packet, and why, as the part of the switch says where it does."""

    subject: str
    text: str
    kind: Literal["remark"] = field(default="remark", init=False)

    def lines(self) -> Iterator[str]:
        """Yield what people read."""
        yield f"    {self.subject}: {self.text}"


@dataclass(frozen=True, slots=True)
class Sent:
    """The packet comes to a way out; `why_not` is empty where it leaves by it."""

    where: str  #: such as "port 2" or "controller"
    frame: str  #: in hex
    why_not: str = ""
    kind: Literal["sent"] = field(default="sent", init=False)

    def lines(self) -> Iterator[str]:
        """Yield what people read."""
        yield f"    {self.where}: {self.why_not or 'sent'}"


Event = LookUp | Done | Remark | Sent


@dataclass(frozen=True, slots=True)
class Departed:
    """An entry that would have matched, and is not there any more."""

    entry: Entry
    reason: str
    seconds: float  #: since it went


@dataclass(frozen=True, slots=True)
class Trace:
    """The walk of a packet, in the order in which things happen."""

    in_port: int
    packet: str  #: its match fields
    events: tuple[Event, ...]
    elsewhere: tuple[Entry, ...]  #: would match, but the packet does not come to their tables
    departed: tuple[Departed, ...]
    verdict: str

    @property
    def look_ups(self) -> tuple[LookUp, ...]:
        """The tables that the packet passes."""
        return tuple(event for event in self.events if isinstance(event, LookUp))

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"packet: {self.packet}"
        for event in self.events:
            yield from event.lines()
        for one in self.elsewhere:
            yield f"would match in table {one.table_id}, where the packet does not come: {one}"
        for gone in self.departed:
            yield f"would match, but went {gone.seconds:g} s ago ({gone.reason}): {gone.entry}"
        yield f"verdict: {self.verdict}"
