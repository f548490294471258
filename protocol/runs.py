"""Neighbouring members of fixed size, which one `struct` call reads and one writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .wire import Converted, Shape

_KNOWN_MAX = 4096  # numbers whose values are kept, for each field: a peer may send any


class Head(NamedTuple):
    """What a message begins with, up to its first field of variable size."""

    kind: int  # version and type as one number
    size: int
    line: str  # which reads it


class Run:
    """Neighbouring members of fixed size, read by one `struct` call and written by one."""

    def __init__(self) -> None:
        self.codes_in: list[str] = []
        self.codes_out: list[str] = []
        self.targets: list[str] = []
        self.values: list[str] = []
        self.after: list[str] = []  # lines of decode that make values of what was unpacked

    def add(self, code_in: str, code_out: str, target: str = "", value: str = "") -> None:
        self.codes_in.append(code_in)
        self.codes_out.append(code_out)
        if target:
            self.targets.append(target)
        if value:
            self.values.append(value)

    def add_written(self, code: str, value: str) -> None:
        """Add what is read by others."""
        self.codes_out.append(code)
        self.values.append(value)

    def forget_reading(self) -> None:
        """Begin anew with what is read."""
        self.codes_in, self.targets, self.after = [], [], []


class Known(dict[Any, Any]):
    """What several conversions in a row make of numbers, found once for each."""

    def __init__(self, conversions: Sequence[Callable[[Any], Any]]) -> None:
        super().__init__()
        self._conversions = conversions  # outermost first

    def __missing__(self, number: Any) -> Any:
        value = number
        for convert in reversed(self._conversions):
            value = convert(value)
        if len(self) >= _KNOWN_MAX:
            self.clear()
        self[number] = value
        return value


class Written:
    """What several conversions in a row make of objects that come again, found once for each."""

    def __init__(self, conversions: Sequence[Callable[[Any], Any]]) -> None:
        self._conversions = conversions  # outermost first
        #: By its id an object, which stays so that the id stays its own, and what it becomes.
        self.known: dict[int, tuple[Any, Any]] = {}

    def find(self, value: Any) -> Any:
        """Return what an object becomes, and keep it; raises what the conversions raise."""
        found = value
        for convert in self._conversions:
            found = convert(found)
        if len(self.known) >= _KNOWN_MAX:
            self.known.clear()
        self.known[id(value)] = value, found
        return found


def conversions_of(shape: Shape) -> list[Converted]:
    """Return the conversions around a number, outermost first."""
    found = []
    while isinstance(shape, Converted):
        found.append(shape)
        shape = shape.subcon
    return found
