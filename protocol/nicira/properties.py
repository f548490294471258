"""Properties that are fields: TLVs of which each stands once, or not at all.

A layout names them: `Properties("packet_in2", packet=raw(0), table_id=number(3, 1), …)`. What
is not told is None, or as `absent` says. Properties that are unknown are kept, in the field
`properties`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

from ..compiler import read, write
from ..errors import BadPropertyCode
from ..record import Family, Record, Unknown
from ..version import Version
from ..wire import Converted, Spread, by_version

_SMALL = 4  # bytes that numbers of 2 take, as if they had 4


class Property(NamedTuple):
    """The number of a property, and how its value is read and written."""

    number: int
    read: Callable[[bytes, Version], Any]
    write: Callable[[Any, Version], bytes]
    absent: Any = None  #: the value where the property is not there
    optional: bool = True

    def always(self, default: Any) -> Property:
        """Return the property as one that is there always."""
        return self._replace(absent=default, optional=False)


def raw(number: int, absent: Any = None) -> Property:
    """Bytes."""
    return Property(number, lambda body, version: body, lambda value, version: b"" + value, absent)


def flag(number: int) -> Property:
    """Something that is so if the property is there; False, not None, where it is not."""

    def to_value(body: bytes, version: Version) -> bool:
        if body:
            raise ValueError(f"a flag with {len(body)} bytes")
        return True

    return Property(number, to_value, lambda value, version: b"", False)


def number(
    number: int, size: int, names: type[IntEnum] | None = None, *, absent: Any = None
) -> Property:
    """A number of `size` bytes; 8 stand at a multiple of 8, 2 take up 4."""
    before, behind = (4, 0) if size == 8 else (0, 2 if size == 2 else 0)
    named = {int(name): name for name in names or ()}

    def to_value(body: bytes, version: Version) -> int:
        if len(body) != before + size and not size < len(body) <= _SMALL:
            raise ValueError(f"{len(body)} bytes for a number of {size}")
        found = int.from_bytes(body[before : before + size], "big")
        return named.get(found, found)

    def to_body(value: int, version: Version) -> bytes:
        return bytes(before) + value.to_bytes(size, "big") + bytes(behind)

    return Property(number, to_value, to_body, absent)


def record(number: int, cls: type[Record]) -> Property:
    """A record."""

    def to_value(body: bytes, version: Version) -> Record:
        return read(cls, version, body, headed=False)

    return Property(number, to_value, lambda value, version: write(value, version, headed=False))


def wrapped(number: int, cls: type[Record], absent: Any = None) -> Property:
    """The one field of a record."""
    (name,) = cls.__struct_fields__

    def to_value(body: bytes, version: Version) -> Any:
        return getattr(read(cls, version, body, headed=False), name)

    def to_body(value: Any, version: Version) -> bytes:
        return write(cls(value), version, headed=False)

    return Property(number, to_value, to_body, absent)


def Properties(of: str, **fields: Property) -> Spread:
    """The shape of all properties of something; its record has these fields, and `properties`."""
    family = Family(
        f"{of} property",
        length_counts_padding=False,
        unknown=None,
        short=BadPropertyCode.BAD_LEN,
    )
    shapes = {version: _shape(family, fields, version) for version in Version}
    return Spread(by_version(shapes), *fields, "properties")


def _shape(family: Family, fields: dict[str, Property], version: Version) -> Converted:
    name_of = {found.number: name for name, found in fields.items()}
    absent = {name: found.absent for name, found in fields.items()}

    def to_fields(found: tuple[Any, ...]) -> tuple[Any, ...]:
        values, others, seen = dict[str, Any](absent), [], set[str]()
        for one in found:
            name = name_of.get(one.number)
            if name is None:
                others.append(one)
            elif name in seen:
                raise ValueError(f"{name} stands twice")
            else:
                seen.add(name)
                values[name] = fields[name].read(one.body, version)
        return (*values.values(), tuple(others))

    def to_properties(values: tuple[Any, ...]) -> tuple[Any, ...]:
        *known, others = values
        return (
            *(
                Unknown(found.number, found.write(value, version))
                for found, value in zip(fields.values(), known, strict=True)
                if not (found.optional and value == found.absent)
            ),
            *others,
        )

    return Converted(family, to_fields, to_properties)
