"""Actions within actions, as ct and clone have them."""

from __future__ import annotations

import io
import struct
from typing import Any

import construct as c

from ..actions import ActionShape
from ..compiler import form_of
from ..errors import BadActionCode
from ..exceptions import DecodeError
from ..record import FamilyList, parse_shape
from ..version import Version
from ..wire import Versioned
from ..writer import Form
from .fields import NICIRA

CT, CLONE = 35, 42  #: the actions that have others in them
MAX_NESTING = 8  #: what a peer sends must not fill our stack
_HEAD = struct.Struct(">HHIH")
_INSIDE = {(0xFFFF, NICIRA, CT): 24, (0xFFFF, NICIRA, CLONE): 16}  # where the others begin


class NestedActions(Versioned):
    """Actions up to the end of the action that they stand in."""

    def at(self, version: Version) -> NestedShape:
        return NestedShape(ActionShape.at(version))


class NestedShape(c.Construct):  # type: ignore[misc]
    """Nested actions of one version, of which no more than MAX_NESTING stand in each other."""

    def __init__(self, actions: FamilyList) -> None:
        super().__init__()
        self.actions = actions

    def _parse(self, stream: io.BytesIO, context: Any, path: str) -> Any:
        data = stream.getvalue()
        _check(data, stream.tell(), len(data))
        return parse_shape(self.actions, stream, context, path)

    def _build(self, value: Any, stream: io.BytesIO, context: Any, path: str) -> Any:
        return self.actions._build(value, stream, context, path)

    def compiled(self) -> Form:
        """Return the straight form, made when first needed: it has itself in it."""
        made: list[Form] = []

        def form() -> Form:
            if not made:
                found = form_of(self.actions)
                assert found is not None
                made.append(found)
            return made[0]

        def decode(buffer: bytes, at: int, end: int) -> tuple[Any, int]:
            _check(buffer, at, end)
            return form().decode(buffer, at, end)

        return Form(decode, lambda value: form().encode(value))


def _check(buffer: bytes, at: int, end: int) -> None:
    """Raise DecodeError if actions stand too deep in each other."""
    todo = [(at, end, 1)]
    while todo:
        at, end, level = todo.pop()
        if level > MAX_NESTING:
            raise DecodeError(BadActionCode.TOO_MANY, f"more than {MAX_NESTING} levels of actions")
        while at + _HEAD.size <= end:
            number, length, *member = _HEAD.unpack_from(buffer, at)
            if length < _HEAD.size - 2 or at + length > end:
                break  # who reads it, finds the words
            inside = _INSIDE.get((number, *member))
            if inside and length > inside:
                todo.append((at + inside, at + length, level + 1))
            at += length
