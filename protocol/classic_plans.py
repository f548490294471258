"""Matches of usual shapes written as the structs of OF1.0 and OF1.1 without a look at each field.

Which fields a match has, and which protocol they are of, decides all bytes of the struct but
for the numbers. So for such a shape it is found out once, by putting numbers in, where each
one goes; then all of them are packed together.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .compiler import form_of
from .match import Match
from .oxm import OXM, FieldValue
from .templates import Filled, Slot, template
from .version import Version
from .wire import Converted, Shape, resolve
from .writer import Form

_SHAPES = 256  # kept; an application uses a few
_DECIDING = ("eth_type", "ip_proto")  # by their numbers, fields stand elsewhere or cannot stand
_UNPLANNED = frozenset(
    {
        "vlan_vid",  # what it is written as depends on its number
        "arp_op",  # takes less than its field does
    }
)
# What a plan raises for what is no number, or too large, and where there is no plan.
_NEEDS_A_LOOK = (TypeError, struct.error, LookupError)


class MatchStruct(Converted):
    """A match as the record of a struct; fields of `below` are written as they are up to that."""

    def __init__(
        self,
        shape: Shape,
        to_value: Callable[[Any], Match],
        to_wire: Callable[[Match], Any],
        below: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        super().__init__(shape, to_value, to_wire)
        self.below = below
        self.version: Version | None = None

    def at(self, version: Version) -> MatchStruct:
        """Return the shape at a version; the match keeps what came under that name."""
        found = MatchStruct(resolve(self.subcon, version), self.to_value, self.to_wire, self.below)
        found.version = version
        return found

    def compiled(self) -> Form:
        """Return the straight form: matches of usual shapes are written by a plan."""
        inner = form_of(self.subcon)
        assert inner is not None
        decode_raw, encode_raw, _ = inner
        to_value, to_wire, version = self.to_value, self.to_wire, self.version
        plans = Plans(lambda match: encode_raw(to_wire(match)), self.below)
        known_plan, bytes_of = plans.known.get, plans.bytes_of

        def decode(buffer: bytes, at: int, end: int) -> tuple[Match, int]:
            raw, at = decode_raw(buffer, at, end)
            return to_value(raw), at

        def encode(match: Match) -> bytes:
            if (forms := match._forms) and (raw := forms.get(version)) is not None:
                return encode_raw(raw)  # as it came
            try:  # past all methods: this is done for each match that is written
                if plan := known_plan(match._shape):
                    return plan(match._fields)
            except _NEEDS_A_LOOK:
                return encode_raw(to_wire(match))
            return bytes_of(match) or encode_raw(to_wire(match))

        return Form(decode, encode)


class _Place(NamedTuple):
    """Where a number goes, as a multiple of itself."""

    start: int
    stop: int
    factor: int

    def number(self, data: bytes) -> int:
        return int.from_bytes(data[self.start : self.stop], "big")

    def others(self, data: bytes) -> bytes:
        return data[: self.start] + data[self.stop :]


class Plans:
    """Plans for one struct; `slowly` writes it field by field, or raises ValueError.

    Fields of `below` are written as they are only up to a number.
    """

    def __init__(self, slowly: Callable[[Match], bytes], below: Mapping[str, int]) -> None:
        self._slowly, self._below = slowly, below
        self.known: dict[object, Filled] = {}  #: of shapes that tell theirs, and of others

    def bytes_of(self, match: Match) -> bytes | None:
        """Return the struct of a match, None where that takes a closer look."""
        try:
            return self._plan_of(match)(match._fields)
        except _NEEDS_A_LOOK:
            return None

    def _plan_of(self, match: Match) -> Filled:
        """Return the plan of a match whose shape does not tell it, or did not come before."""
        fields = match._fields
        deciding = tuple([fields[name] for name in _DECIDING if name in fields])
        shape = match._shape if match._shape and not deciding else (tuple(fields), deciding)
        return self.known.get(shape) or self._keep(shape, match)

    def _keep(self, shape: object, match: Match) -> Filled:
        try:
            plan = self._plan(match)
        except (ValueError, TypeError, KeyError):  # the struct cannot say it in this way
            plan = _no_plan
        if len(self.known) >= _SHAPES:
            self.known.clear()
        self.known[shape] = plan
        return plan

    def _plan(self, match: Match) -> Filled:
        """Return what packs the numbers of a match with these fields."""
        if not _UNPLANNED.isdisjoint(match):
            raise ValueError("some of its fields are planned by no one")
        numbers: dict[str, FieldValue] = {
            name: value if name in _DECIDING else 0 for name, value in match.items()
        }
        empty = self._slowly(Match.unchecked(numbers))
        slots = []
        for name in numbers.keys() - _DECIDING:
            start, stop, factor = self._place(name, numbers, empty)
            slots.append(Slot(start, stop - start, name, factor, self._below.get(name)))
        return template(empty, sorted(slots))

    def _place(self, name: str, numbers: dict[str, FieldValue], empty: bytes) -> _Place:
        largest = self._below.get(name, OXM[name].all_ones + 1) - 1
        one, full = (
            self._slowly(Match.unchecked(numbers | {name: number})) for number in (1, largest)
        )
        changed = [at for at in range(len(empty)) if full[at] != empty[at]]
        place = _Place(changed[0], changed[-1] + 1, 0)
        factor = place.number(one)
        for written, number in ((empty, 0), (full, largest)):
            if place.number(written) != number * factor or place.others(written) != place.others(
                empty
            ):
                raise ValueError(f"{name} is not written as the number that it is")
        return place._replace(factor=factor)


def _no_plan(numbers: Mapping[str, FieldValue]) -> bytes:
    """Be the plan of a shape that has none."""
    raise LookupError("no plan")
