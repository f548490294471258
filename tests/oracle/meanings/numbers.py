"""Ports, groups and other numbers that a switch may have."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from protocol.version import OF10

if TYPE_CHECKING:
    from ..meaningful import Maker

Rule = Callable[["Maker"], Any]


class World(NamedTuple):
    """What a switch has; elsewhere messages name whatever there may be."""

    ports: tuple[int, ...]
    groups: tuple[int, ...]
    meters: tuple[int, ...]


def port(m: Maker) -> int:
    """A port that may exist."""
    if m.world:
        return m.choice(m.world.ports)
    if m.version > OF10 and m.rarely():
        return 0x0001_0000 + m.number(16)
    return m.choice((1, 2, 3, 0xFEFF, 1 + m.random.randrange(0xFEFF)))


def port_or(*others: int) -> Rule:
    """A port, or one of the reserved ones."""
    return lambda m: m.choice(others) if m.random.random() < 0.4 else port(m)


def below(end: int) -> Rule:
    return lambda m: m.choice((0, end - 1, m.random.randrange(end), m.random.randrange(end)))


def number_or(make: Rule, *others: int) -> Rule:
    return lambda m: m.choice(others) if m.random.random() < 0.4 else make(m)


def one_of(*values: Any) -> Rule:
    return lambda m: m.choice(values)


def bits(size: int, shift: int = 0) -> Rule:
    return lambda m: m.number(size) << shift


def from_one(size: int) -> Rule:
    return lambda m: m.number(size) or 1


def nothing(m: Maker) -> tuple[()]:
    return ()


def group(m: Maker) -> int:
    return m.choice(m.world.groups) if m.world else below(0xFFFF_FF00)(m)


def meter_id(m: Maker) -> int:
    if m.world:
        return m.choice(m.world.meters)
    return m.choice((1, 1 + m.random.randrange(0xFFFF_0000)))


STRANGER = 0x00ABCDEF  #: an experimenter whom nobody knows
