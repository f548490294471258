"""What a message is made of, as short names, and what a witness is known not to take.

`parts` names each class in a message, each flag that is set and each match field. The lists
of what a witness does not support name these parts: `Supported.excuse` tells why a message
may be refused, and nothing else excuses one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum, IntFlag
from typing import Any

from protocol import Match, Message, Version
from protocol.record import Record
from protocol.version import OF10, OF15

#: A part -> (first version, last version, why).
Unsupported = Mapping[str, tuple[Version, Version, str]]
MAX_PORT_16 = 0xFEFF
_PORTS = {"port", "port_no", "out_port", "watch_port", "port_nos"}


def parts(message: Message) -> set[str]:
    """Return the names of all that is in a message."""
    return set(_parts(message))


def _parts(value: Any) -> Iterator[str]:
    match value:
        case Record():
            yield from _record(value)
        case Match():
            yield from _fields(value)
        case tuple():
            for item in value:
                yield from _parts(item)


def _record(record: Record) -> Iterator[str]:
    kind = type(record).__name__
    yield kind
    for name in record.__struct_fields__:
        value = getattr(record, name)
        yield from _parts(value)
        if name == "actions" and isinstance(value, tuple):
            yield from (f"{kind}>{type(one).__name__}" for one in value)
        if value is None:
            yield f"{kind}.{name}=None"
        if isinstance(value, tuple) and len(value) > 1:
            yield f"{kind}.{name}>1"
        if value == () or value == b"":
            yield f"{kind}.{name}=()"
        elif value is not None and isinstance(record, Message):
            yield f"{kind}.{name}"
            if name == "properties":
                yield from (f"{kind}+{type(one).__name__}" for one in value)
        if isinstance(value, IntFlag):
            yield from (f"{kind}.{name}={flag.name}" for flag in type(value) if flag & value)
        elif isinstance(value, IntEnum):
            yield f"{kind}.{name}={value.name}"
        if isinstance(value, Message):
            yield from (f"{kind}>{part}" for part in _parts(value))
        if name in ("src", "dst"):
            yield f"field.{value}"
        if kind == "FieldId" and name == "name":
            yield f"field.{value}"
        if name in _PORTS and isinstance(value, int) and _is_large(value):
            yield "a port of more than 16 bits"
        if name == "port_nos" and any(map(_is_large, value)):
            yield "a port of more than 16 bits"


def _is_large(port: int) -> bool:
    return MAX_PORT_16 < port < 0xFFFF_FF00


def _fields(found: Match) -> Iterator[str]:
    if found:
        yield "any match field"
    for name, value in found.items():
        yield f"field.{name}"
        if isinstance(value, tuple):
            yield f"field.{name}/mask"
        elif name in ("in_port", "in_phy_port", "actset_output") and _is_large(int(value)):
            yield "a port of more than 16 bits"
    if any(name.startswith("ipv6_nd") for name in found) and found.get("icmpv6_code"):
        yield "neighbour discovery with a code"


def excuses(message: Message, version: Version, unsupported: Unsupported) -> dict[str, str]:
    """Return the parts of a message that a witness does not take, and why."""
    found = parts(message)
    return {
        part: why
        for part, (first, last, why) in unsupported.items()
        if part in found and first <= version <= last
    }


def always(*parts: str, why: str, first: Version = OF10, last: Version = OF15) -> Unsupported:
    """Parts that a witness does not take for the same reason."""
    return dict.fromkeys(parts, (first, last, why))
