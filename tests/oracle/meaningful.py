"""Messages that mean something, at any version, made from the declarations.

`tests/protocol/strategies.py` makes all that has bytes, whatever it says; a witness refuses
most of that, and rightly so. Here numbers are those that have names in the version, a match
has what its fields depend on, actions fit the match, and so on: what the specification
allows (`meanings/`). The same class and version always give the same messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntFlag
from functools import cache
from random import Random
from typing import Any, TypeVar

import construct as c
from msgspec.structs import replace

from protocol import Match, Message, Version
from protocol.compiler import write
from protocol.record import FamilyList, Record, RecordList, RecordShape, nested
from protocol.stats import OXS, OxsStatsShape, Stats
from protocol.wire import S32, Bits, Converted, Rest, Shape, Spread, Text, bare

from .meanings.names import exists, is_foreign
from .meanings.numbers import World
from .meanings.records import FINISH
from .meanings.rules import BY_SHAPE, RULES

T = TypeVar("T")
MAX_ITEMS = 3
WORDS = ("eth0", "br-int", "Pointsman", "rack 7", "x" * 15)


@cache
def meaningful(
    cls: type[Message], version: Version, count: int, world: World | None = None
) -> tuple[Message, ...]:
    """Return messages of one class that its version can say, the same ones each time.

    Where there is a `world`, they speak of what is in it.
    """
    maker = Maker(version, Random(f"{cls.__name__} {version}"), world)
    return tuple(maker.record(cls.at(version)) for _ in range(count))


class Maker:
    """Makes values at one version; the rules of `meanings/` call back."""

    def __init__(self, version: Version, random: Random, world: World | None = None) -> None:
        self.version, self.random, self.world = version, random, world
        #: of the record in the making, which its actions must fit; None where it has none
        self.match: Match | None = None

    # What rules are made of

    def choice(self, values: Sequence[T]) -> T:
        return self.random.choice(values)

    def rarely(self) -> bool:
        return self.random.random() < 0.1

    def often(self) -> bool:
        return self.random.random() < 0.7

    def number(self, bits: int) -> int:
        """Small numbers, those with the upper bits set, and all others."""
        full = (1 << bits) - 1
        some = self.random.getrandbits(bits)
        return self.choice((0, 1, full, min(full, self.random.randrange(64)), some, some))

    def items(self, make: Any, least: int = 0) -> tuple[Any, ...]:
        return tuple(make() for _ in range(self.random.randint(least, MAX_ITEMS)))

    # The walk over a layout

    def record(self, shape: RecordShape, multiple: int = 1) -> Any:
        """Return a record; free bytes at its end fill it to such a multiple."""
        cls, outer = shape.record, self.match
        fields: dict[str, Any] = {}
        # The match stands behind in OF1.0 only, but actions must know it.
        members = sorted(shape.members, key=lambda one: one.name != "match")
        for member in members:
            fields |= self._member(cls, member, fields)
            if member.name == "match":
                self.match = fields["match"]
        made = cls(**nested(cls, fields))
        self.match = outer
        if multiple > 1 and "data" in fields:
            size = len(write(made, self.version))
            made = replace(made, data=made.data + bytes(-size % multiple))
        finish = FINISH.get(cls.__name__)
        return finish(self, made) if finish else made

    def _member(self, cls: type[Record], member: Shape, done: dict[str, Any]) -> dict[str, Any]:
        shape, name = bare(member), member.name
        if isinstance(shape, Bits):
            return {field: self.number(bits) for field, bits in shape.widths.items()}
        if isinstance(shape, Spread):
            return {field: self._named(cls, field, None) for field in shape.fields}
        return {name: self._named(cls, name, shape)} if name else {}

    def _named(self, cls: type[Record], name: str, shape: Shape) -> Any:
        last = name.rpartition(".")[2]
        for key in (*(f"{base.__name__}.{last}" for base in cls.__mro__), last):
            if key in BY_SHAPE:
                break
            if rule := RULES.get(key):
                return rule(self)
        return self.value(shape)

    def value(self, shape: Shape) -> Any:
        """Return a value that the shape can have."""
        match shape:
            case Converted():
                return self._converted(shape)
            case _ if shape is S32:
                return self.number(32) - (1 << 31)
            case c.FormatField():
                return self.number(8 * shape.sizeof())
            case c.Bytes():
                return self.random.randbytes(shape.sizeof())
            case RecordShape():
                return self.record(shape)
            case RecordList():
                return self.items(lambda: self.record(shape.item))
            case FamilyList():
                return self.members(shape)
            case OxsStatsShape():
                return self._stats()
            case _ if shape is Rest:
                return self.random.randbytes(8 * self.random.randrange(3))
            case _:
                raise NotImplementedError(f"nothing is made for {shape!r}")

    def _converted(self, shape: Converted) -> Any:
        inner, to_value = shape.subcon, shape.to_value
        if to_value is Text(1).to_value:
            return self.choice(WORDS)
        if isinstance(inner, c.FormatField) and isinstance(flags := to_value(0), IntFlag):
            return self.flags(type(flags))
        names = getattr(to_value, "__self__", None)
        if isinstance(names, dict):
            return self.choice([one for one in names.values() if exists(one, self.version)])
        return to_value(self.value(inner))

    def flags(self, cls: type[IntFlag]) -> IntFlag:
        """Return some of the flags that the version has."""
        found = [flag for flag in cls if exists(flag, self.version) and self.random.random() < 0.5]
        return cls(sum(found))

    def members(self, shape: FamilyList) -> tuple[Record, ...]:
        """Return members of a family, each class at most once."""
        classes = [cls for cls in shape.number_of if not is_foreign(cls) or self.rarely()]
        chosen = self.random.sample(classes, min(len(classes), self.random.randint(0, MAX_ITEMS)))
        multiple = shape.family.align if shape.family.length_counts_padding else 1
        return tuple(self.record(cls.at(self.version), multiple) for cls in chosen)

    def _stats(self) -> Stats:
        found = [oxs for oxs in OXS if self.often()]
        names = [name for oxs in found for name in oxs.members]
        numbers = {name: RULES.get(name, lambda m: m.number(32))(self) for name in names}
        return Stats(**numbers)
