"""Which flow entries name which groups and meters, so that none is sought through all tables."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from protocol import ApplyActions, Group, Instruction, Meter, MeterAction, WriteActions

from .flow_entry import FlowEntry

_Users = dict[int, dict[FlowEntry, None]]  # by group_id or meter_id; in the order they came


class References:
    """The entries of all tables that name a group or a meter."""

    def __init__(self) -> None:
        self._groups: _Users = {}
        self._meters: _Users = {}

    def of_group(self, group_id: int) -> Collection[FlowEntry]:
        """Return the entries with an action to a group."""
        return tuple(self._groups.get(group_id, ()))

    def of_meter(self, meter_id: int) -> Collection[FlowEntry]:
        """Return the entries with an instruction or an action of a meter."""
        return tuple(self._meters.get(meter_id, ()))

    def add(self, entry: FlowEntry) -> None:
        """Note what an entry that is in a table from now on names."""
        for users, number in self._named(entry.instructions):
            users.setdefault(number, {})[entry] = None

    def remove(self, entry: FlowEntry) -> None:
        """Forget what an entry that leaves its table, or changes, has named."""
        for users, number in self._named(entry.instructions):
            if (found := users.get(number)) is not None:
                found.pop(entry, None)
                if not found:
                    del users[number]

    def _named(self, instructions: tuple[Instruction, ...]) -> Iterator[tuple[_Users, int]]:
        for instruction in instructions:
            if isinstance(instruction, Meter):
                yield self._meters, instruction.meter_id
            elif isinstance(instruction, ApplyActions | WriteActions):
                for action in instruction.actions:
                    if isinstance(action, Group):
                        yield self._groups, action.group_id
                    elif isinstance(action, MeterAction):
                        yield self._meters, action.meter_id
