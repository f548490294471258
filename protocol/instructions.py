"""Instructions: what an entry says beside its match (OF1.5.1 7.2.5 "Instruction Structures").

OF1.0 has none: an entry there is a list of actions, which is one ApplyActions here.
"""

from __future__ import annotations

from enum import IntFlag

from .actions import Action, ActionShape
from .errors import BadInstructionCode
from .record import Family, Record
from .stats import OxsStats, Stats
from .version import OF10, OF11, OF13, OF15
from .wire import U8, U32, U64, Converted, Fill, Flags, Pad, Rest, by_version, since

_InstructionFamily = Family(
    "instruction",
    length_counts_padding=True,
    unknown=BadInstructionCode.UNKNOWN_INST,
    short=BadInstructionCode.BAD_LEN,
    recurs=True,
)


class Instruction(Record):
    """The base of all instructions."""


@_InstructionFamily.member(since(OF11, 1))
class GotoTable(Instruction):
    """Go on in a table with a higher number."""

    table_id: int
    layout = ("table_id" / U8, Pad(3))


@_InstructionFamily.member(since(OF11, 2))
class WriteMetadata(Instruction):
    """Set the bits of the metadata that the mask names."""

    metadata: int
    metadata_mask: int = 0xFFFF_FFFF_FFFF_FFFF
    layout = (Pad(4), "metadata" / U64, "metadata_mask" / U64)


@_InstructionFamily.member(since(OF11, 3))
class WriteActions(Instruction):
    """Put actions into the action set, which is done when the pipeline ends."""

    actions: tuple[Action, ...] = ()
    layout = (Pad(4), "actions" / ActionShape)


@_InstructionFamily.member(since(OF11, 4))
class ApplyActions(Instruction):
    """Do actions at once, in their order."""

    actions: tuple[Action, ...] = ()
    layout = (Pad(4), "actions" / ActionShape)


@_InstructionFamily.member(since(OF11, 5))
class ClearActions(Instruction):
    """Empty the action set."""

    layout = (Pad(4),)


@_InstructionFamily.member(since(OF13, 6))
class Meter(Instruction):
    """Let a meter decide whether the packet goes on.

    OF1.5 calls the number deprecated, and has the action MeterAction: switches refuse it.
    """

    meter_id: int
    layout = ("meter_id" / U32,)


class StatTriggerFlags(IntFlag):
    """How the thresholds of a StatTrigger are read."""

    PERIODIC = 1 << 0
    ONLY_FIRST = 1 << 1


@_InstructionFamily.member(since(OF15, 7))
class StatTrigger(Instruction):
    """Tell the controller when a counter passes a threshold."""

    flags: StatTriggerFlags | int = 0
    thresholds: Stats = Stats()
    layout = ("flags" / Flags(U32, StatTriggerFlags), "thresholds" / OxsStats())


@_InstructionFamily.member(since(OF11, 0xFFFF))
class ExperimenterInstruction(Instruction):
    """An instruction that the specification leaves to others."""

    experimenter: int
    data: bytes = b""
    layout = ("experimenter" / U32, "data" / Rest, Fill(8))


def _applied(actions: tuple[Action, ...]) -> tuple[Instruction, ...]:
    return (ApplyActions(actions),) if actions else ()


def _only_actions(instructions: tuple[Instruction, ...]) -> tuple[Action, ...]:
    if not instructions:
        return ()
    if len(instructions) == 1 and type(instructions[0]) is ApplyActions:
        return instructions[0].actions
    raise ValueError("OpenFlow 1.0 knows one ApplyActions only")


#: A list of actions that is one ApplyActions, as OF1.0 has it.
AppliedActions = Converted(ActionShape, _applied, _only_actions)
#: The instructions of an entry as each version writes them.
InstructionsShape = by_version({OF10: AppliedActions, OF11: _InstructionFamily})
