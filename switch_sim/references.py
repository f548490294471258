"""Which flow entries name which groups, meters and learnt entries.

So none of them is sought through all tables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from protocol import (
    Action,
    ApplyActions,
    Group,
    Instruction,
    Meter,
    MeterAction,
    WriteActions,
    nicira,
)

from .flow_entry import Doing, FlowEntry, with_nested

# By group_id or meter_id, or by table_id and cookie; in the order they came.
_Users = dict[Any, dict[FlowEntry, None]]


class References:
    """The entries of all tables that name a group or a meter, or that learn others.

    `orphaned` are table_id and cookie of learnt entries which should go with those that have
    learnt them, and of which the last one went (ovs-actions(7) "learn", delete_learned).
    """

    def __init__(self) -> None:
        self._groups: _Users = {}
        self._meters: _Users = {}
        self._learners: _Users = {}
        self.orphaned: set[tuple[int, int]] = set()

    def of_group(self, group_id: int) -> Collection[FlowEntry]:
        """Return the entries with an action to a group."""
        return tuple(self._groups.get(group_id, ()))

    def of_meter(self, meter_id: int) -> Collection[FlowEntry]:
        """Return the entries with an instruction or an action of a meter."""
        return tuple(self._meters.get(meter_id, ()))

    def has_learner(self, table_id: int, cookie: int) -> bool:
        """Whether there is an entry whose learnt entries these are, and go with it."""
        return (table_id, cookie) in self._learners

    def add(self, entry: FlowEntry) -> None:
        """Note what an entry that is in a table from now on names."""
        for users, number in self._named(entry.doing):
            users.setdefault(number, {})[entry] = None

    def remove(self, entry: FlowEntry) -> None:
        """Forget what an entry that leaves its table, or changes, has named."""
        for users, number in self._named(entry.doing):
            if (found := users.get(number)) is not None:
                found.pop(entry, None)
                if not found:
                    del users[number]
                    if users is self._learners:
                        self.orphaned.add(number)

    def _named(self, doing: Doing) -> Iterable[tuple[_Users, Any]]:
        return self._names(doing.instructions) if doing.names_some else ()

    def _names(self, instructions: tuple[Instruction, ...]) -> Iterator[tuple[_Users, Any]]:
        for instruction in instructions:
            if isinstance(instruction, Meter):
                yield self._meters, instruction.meter_id
            elif isinstance(instruction, ApplyActions | WriteActions):
                yield from self._named_by(instruction.actions)

    def _named_by(self, actions: Iterable[Action]) -> Iterator[tuple[_Users, Any]]:
        for action in with_nested(actions):
            match action:
                case Group(group_id=group_id) | nicira.Group(group_id=group_id):
                    yield self._groups, group_id
                case MeterAction(meter_id=meter_id):
                    yield self._meters, meter_id
                case nicira.Learn(flags=flags) if flags & nicira.LearnFlags.DELETE_LEARNED:
                    yield self._learners, (action.table_id, action.cookie)
