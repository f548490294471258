"""An action set: one action of each type, and the order in which they are done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from protocol import (
    Action,
    CopyField,
    CopyTtlIn,
    CopyTtlOut,
    DecMplsTtl,
    DecNwTtl,
    Enqueue,
    Group,
    MeterAction,
    Output,
    PopMpls,
    PopPbb,
    PopVlan,
    PushMpls,
    PushPbb,
    PushVlan,
    SetField,
    SetQueue,
)

from .packet import GROUP, OUTPUT

# The order in which an action set is done (OF1.3.5 5.10 "Action Set").
_STEPS: tuple[tuple[type[Action], ...], ...] = (
    (CopyTtlIn,),
    (PopVlan, PopMpls, PopPbb),
    (PushMpls,),
    (PushPbb,),
    (PushVlan,),
    (CopyTtlOut,),
    (DecMplsTtl, DecNwTtl),
    (),  # all that set a field
    (MeterAction, SetQueue),
    (Group,),
    (Output, Enqueue),
)
_STEP_OF = {kind: step for step, kinds in enumerate(_STEPS) for kind in kinds}
_SET_STEP = _STEPS.index(())


def _step(action: Action) -> int:
    return _STEP_OF.get(type(action), _SET_STEP)


def slot(action: Action) -> object:
    """Return what of an action set an action takes the place of: one is there of each type."""
    match action:
        case Output():
            return OUTPUT
        case Group():
            return GROUP
        case SetField(field=field):
            return (SetField, *field)
        case CopyField(dst=target):
            return (CopyField, target)
    return type(action)


def as_set(actions: Iterable[Action]) -> dict[object, Action]:
    """Return a list of actions as a set, such as each bucket of a group has."""
    return {slot(action): action for action in actions}


def in_order(action_set: Mapping[object, Action]) -> tuple[Action, ...]:
    """Return the actions in the order in which they are done; a group takes the output's place."""
    return tuple(
        action
        for action in sorted(action_set.values(), key=_step)
        if not (type(action) is Output and GROUP in action_set)
    )
