"""Matches of usual shapes put into the structs of OF1.0 and OF1.1 without looking at each field.

Which fields a match has, and which protocol they are of, decides all of the struct but for the
numbers. So for such a shape it is found out once, by putting numbers in, where each one goes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .addresses import MacAddress
from .match import Match
from .oxm import FieldValue
from .record import Record

_SHAPES = 256  # kept; an application uses a few
_NUMBERS = {int, MacAddress}
_DECIDING = ("eth_type", "ip_proto")  # by their numbers, fields stand elsewhere or cannot stand
_UNPLANNED = frozenset(
    {
        "vlan_vid",  # what it is written as depends on its number
        "arp_op",  # takes less than its field does
    }
)

Plan = Callable[..., Record]


class RawPlans:
    """Plans for one struct; `slowly` is what puts in field after field."""

    def __init__(self, slowly: Callable[[Match], Record]) -> None:
        self._slowly = slowly
        self._plans: dict[tuple[Any, ...], Plan | None] = {}

    def raw_of(self, match: Match) -> Any:
        """Return the struct of a match, None where that takes a closer look."""
        fields = match._fields  # past its methods: this is done for each match that is written
        numbers = fields.values()
        shape = (
            tuple(fields),
            tuple(map(type, numbers)),
            fields.get("eth_type"),
            fields.get("ip_proto"),
        )
        try:
            plan = self._plans[shape]
        except (KeyError, TypeError):
            plan = self._keep(shape, match)
        return plan(*numbers) if plan is not None else None

    def _keep(self, shape: tuple[Any, ...], match: Match) -> Plan | None:
        if not _NUMBERS.issuperset(shape[1]) or not _UNPLANNED.isdisjoint(shape[0]):
            return None
        if len(self._plans) >= _SHAPES:
            self._plans.clear()
        try:
            plan = self._plans[shape] = self._plan(match)
        except ValueError:  # the struct cannot say it
            plan = None
        return plan

    def _plan(self, match: Match) -> Plan:
        """Return what makes the struct of the numbers of a match with these fields."""
        numbers: dict[str, FieldValue] = {
            name: value if name in _DECIDING else 0 for name, value in match.items()
        }
        empty = self._slowly(Match.unchecked(numbers))
        record = type(empty)
        arguments = {name: repr(getattr(empty, name)) for name in record.__struct_fields__}
        for place, name in enumerate(numbers):
            if name not in _DECIDING:
                marked = self._slowly(Match.unchecked(numbers | {name: 1}))
                field, factor = _difference(empty, marked)
                arguments[field] = f"v{place} * {factor}" if factor > 1 else f"v{place}"
        source = f"lambda {', '.join(f'v{place}' for place in range(len(numbers)))}: "
        listed = ", ".join(f"{name}={value}" for name, value in arguments.items())
        # Our own structs, nobody's input.
        made: Plan = eval(f"{source}record({listed})", {"record": record})
        return made


def _difference(empty: Record, marked: Record) -> tuple[str, int]:
    """Return the one field that is not 0 as in the other, and its number."""
    fields = type(empty).__struct_fields__
    found = [name for name in fields if getattr(empty, name) != getattr(marked, name)]
    if len(found) != 1 or getattr(empty, found[0]) != 0:
        raise ValueError(f"{found} are not one field")
    return found[0], getattr(marked, found[0])
