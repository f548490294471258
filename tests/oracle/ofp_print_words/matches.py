"""Matches, actions and instructions: read back, and compared as values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from protocol import Match, Port, Version
from protocol.actions import Action, Output
from protocol.instructions import ApplyActions, WriteActions
from protocol.oxm import FieldValue
from protocol.syntax import Flow, parse_actions, parse_match, spelled, spelled_actions

from .words import ALL64, Words


def plain_match(match: Match) -> dict[str, FieldValue]:
    """A match as values: 64 bits of a register are two of 32, and what is no condition goes."""
    fields: dict[str, FieldValue] = {}
    for name, value in match.items():
        if not name.startswith("xreg"):
            fields[name] = value
            continue
        pair = value if isinstance(value, tuple) else (value, ALL64)
        for shift, register in ((32, 0), (0, 1)):
            number, mask = (part >> shift & 0xFFFF_FFFF for part in pair)
            if mask:
                full = mask == 0xFFFF_FFFF
                fields[f"reg{2 * int(name[4:]) + register}"] = number if full else (number, mask)
    return {
        name: value
        for name, value in fields.items()
        if not _is_any(value) and (name, value) != ("packet_type", 0)  # Ethernet, as without
    }


def _is_any(value: FieldValue) -> bool:
    return isinstance(value, tuple) and value[1] == 0


def matches(ours: Match, text: str) -> Words:
    """Compare a match, which may have a priority before it."""
    said = plain_match(parse_match(text))
    if said != plain_match(ours):
        yield f"the match {text!r} is {said}, not {plain_match(ours)}"


def plain_actions(actions: Iterable[Action]) -> list[Action]:
    """Actions without what Open vSwitch does not keep: a max_len for others than controllers."""
    return [
        replace(one, max_len=0) if isinstance(one, Output) and one.port != Port.CONTROLLER else one
        for one in actions
    ]


def actions(ours: tuple[Action, ...], text: str, version: Version, match: Match) -> Words:
    """Compare a list of actions."""
    said = plain_actions(spelled_actions(parse_actions(text), version, match))
    wanted = plain_actions(ours)
    if said != wanted:
        yield f"the actions {text!r} are {said}, not {wanted}"


def plain_instructions(found: Iterable[Any]) -> dict[str, Any]:
    """Instructions by kind; to apply nothing, and to set no metadata, are none."""
    plain: dict[str, Any] = {}
    for one in found:
        if isinstance(one, ApplyActions | WriteActions):
            one = replace(one, actions=tuple(plain_actions(one.actions)))
        if not (isinstance(one, ApplyActions) and not one.actions):
            plain[type(one).__name__] = one
    return plain


def instructions(ours: Iterable[Any], text: str, version: Version, match: Match) -> Words:
    """Compare instructions, the order of which means nothing."""
    said = plain_instructions(spelled(Flow.parse(f"actions={text}").instructions, version, match))
    wanted = plain_instructions(ours)
    if said != wanted:
        yield f"the instructions {text!r} are {said}, not {wanted}"
