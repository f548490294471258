"""Entries that tell when they have counted so much (OF1.5.1 7.2.5 "Instruction Structures").

What a packet makes pass is found out with the packet, what time makes pass with a timer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from math import floor

from protocol import BadInstructionCode, StatTrigger, Version
from protocol.instructions import StatTriggerFlags

from .flow_entry import FlowEntry
from .packet import Packet
from .refused import Refused
from .session import Effects
from .undo import UndoLog

_FLAGS = sum(StatTriggerFlags)
_STALE = 64  # timers of entries that went, which may be kept beside one for each that is there

Tell = Callable[[FlowEntry, float, Effects], None]


def check_trigger(instruction: StatTrigger, version: Version) -> None:
    """Refuse (UNSUP_INST) what is not known how to be passed."""
    if instruction.flags & ~_FLAGS or instruction.thresholds.flow_count is not None:
        raise Refused(BadInstructionCode.UNSUP_INST, f"{instruction!r} is not supported")


class Trigger:
    """The thresholds of an entry."""

    def __init__(self, entry: FlowEntry, instruction: StatTrigger) -> None:
        self.entry = entry
        self.is_periodic = bool(instruction.flags & StatTriggerFlags.PERIODIC)
        self.fires_once = bool(instruction.flags & StatTriggerFlags.ONLY_FIRST)
        limits = instruction.thresholds
        self.packets, self.octets = limits.packet_count or 0, limits.byte_count or 0
        self.duration = _seconds(limits.duration_sec, limits.duration_nsec)
        self.idle = _seconds(limits.idle_sec, limits.idle_nsec)
        self.has_fired = False
        self.is_awaited = False  #: whether a timer runs

    def fires_at_packet(self, size: int) -> bool:
        """Whether a packet of so many bytes, which was counted already, passed a threshold."""
        packets, octets = self.entry.packet_count, self.entry.byte_count
        return self._fires(
            self._passes(packets - 1, packets, self.packets)
            or self._passes(octets - size, octets, self.octets)
        )

    def fires_between(self, before: float, now: float) -> bool:
        """Whether time passed a threshold since `before`."""
        created, used = self.entry.created, self.entry.used
        return self._fires(
            self._passes(before - created, now - created, self.duration)
            or self._passes(max(before, used) - used, now - used, self.idle)
        )

    def next_time(self, now: float) -> float | None:
        """Return when time passes the next threshold if no packet comes; None for never."""
        if self.fires_once and self.has_fired:
            return None
        times = [
            time
            for began, limit in (
                (self.entry.created, self.duration),
                (self.entry.used, self.idle),
            )
            if (time := self._following(began, limit, now)) is not None
        ]
        return min(times, default=None)

    def _following(self, began: float, limit: float, now: float) -> float | None:
        if not limit:
            return None
        times = floor((now - began) / limit) + 1 if self.is_periodic else 1
        time = began + times * limit
        return time if time > now else None

    def _passes(self, before: float, after: float, limit: float) -> bool:
        if not limit:
            return False
        if self.is_periodic:
            return before // limit < after // limit
        return before < limit <= after

    def _fires(self, passes: bool) -> bool:
        if not passes or (self.fires_once and self.has_fired):
            return False
        self.has_fired = True
        return True


def _seconds(seconds: int | None, nanoseconds: int | None) -> float:
    return (seconds or 0) + (nanoseconds or 0) / 1e9


class Triggers:
    """All entries of a switch that tell by themselves what they have counted."""

    def __init__(self, tell: Tell, undo: UndoLog) -> None:
        self._tell, self._undo = tell, undo
        self._of: dict[FlowEntry, Trigger] = {}
        self._timers: list[tuple[float, int, float, Trigger]] = []  # due, number, set at
        self._count = 0

    def __len__(self) -> int:
        """How many timers there are."""
        return len(self._timers)

    def note(self, entry: FlowEntry, now: float) -> None:
        """Take note of an entry that was added, changed or removed."""
        before = self._of.pop(entry, None)
        found = [one for one in entry.instructions if isinstance(one, StatTrigger)]
        if before is not None or found:
            self._undo.note(lambda: self._restore(entry, before))
        if found and entry.is_present:
            trigger = self._of[entry] = Trigger(entry, found[0])
            self._watch(trigger, now)

    def _restore(self, entry: FlowEntry, before: Trigger | None) -> None:
        self._of.pop(entry, None)
        if before is not None:
            self._of[entry] = before

    def see(self, packet: Packet, instruction: StatTrigger) -> None:
        """Do the instruction: look whether a packet passed a threshold."""
        trigger = self._of.get(packet.entry) if packet.entry is not None else None
        if trigger is None or packet.witness is not None:
            return
        if not trigger.is_awaited:  # it can become idle again
            self._watch(trigger, packet.now)
        if trigger.fires_at_packet(len(packet.data)):
            self._tell(trigger.entry, packet.now, packet.effects)

    # Time

    def _watch(self, trigger: Trigger, now: float) -> None:
        time = trigger.next_time(now)
        trigger.is_awaited = time is not None
        if time is not None:
            self._count += 1
            heappush(self._timers, (time, self._count, now, trigger))
            if len(self._timers) > 2 * len(self._of) + _STALE:
                self._timers = [one for one in self._timers if self._is_known(one[3])]
                heapify(self._timers)

    def _due(self, now: float) -> Iterator[tuple[float, Trigger]]:
        while self._timers and self._timers[0][0] <= now:
            _, _, since, trigger = heappop(self._timers)
            if self._is_known(trigger):
                yield since, trigger

    def _is_known(self, trigger: Trigger) -> bool:
        return self._of.get(trigger.entry) is trigger

    def deadline(self) -> float | None:
        """Return when `handle_timer` is due; None for never."""
        return self._timers[0][0] if self._timers else None

    def handle_timer(self, now: float, effects: Effects) -> None:
        """Tell of the entries that passed a threshold by living so long, or being idle."""
        for since, trigger in list(self._due(now)):
            if trigger.fires_between(since, now):
                self._tell(trigger.entry, now, effects)
            self._watch(trigger, now)
