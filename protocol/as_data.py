"""Messages as plain data, for JSON: dictionaries of all the fields that a version has.

Numbers with a name become the name, flags the list of their names, addresses text, bytes
hex, a Match a dictionary that `Match(**…)` takes. What may be of several kinds (an action,
a property, a message in a bundle) is a dictionary of one entry, under the name of its class:
`{"Output": {"port": 2, "max_len": 65535}}`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, IntFlag
from functools import cache
from typing import Any

from .errors import ErrorCode
from .exceptions import EncodeError
from .match import Match
from .oxm import DECIMAL, OXM
from .record import Record, Unknown
from .spec_names import class_name
from .symmetric import UnknownError
from .syntax.match import value_text
from .version import Version


def as_data(record: Record, version: Version) -> dict[str, Any]:
    """Return the fields that a message, or a part of one, has in `version`.

    >>> from protocol import EchoRequest
    >>> as_data(EchoRequest(b"abc", xid=7), Version.OF13)
    {'xid': 7, 'data': '616263'}
    """
    return _record(record, version)


def _record(record: Record, version: Version) -> dict[str, Any]:
    data: dict[str, Any] = {}
    shown = _SHOWN
    for name in _fields(type(record), version):
        value = getattr(record, name)
        kind = type(value)
        if kind is int:
            data[name] = value
        else:
            data[name] = (shown.get(kind) or _show_of(kind))(value, version)
    return data


@cache
def _fields(cls: type[Record], version: Version) -> tuple[str, ...]:
    """Return the fields that stand in the layout of a version; all, where it has none."""
    try:
        names = cls.at(version, headed=bool(cls.head)).names
    except EncodeError:
        return cls.__struct_fields__
    found = (name.partition(".")[0] for name in names)
    return tuple(dict.fromkeys(found)) or cls.__struct_fields__


def _value(value: Any, version: Version) -> Any:
    show = _SHOWN.get(type(value)) or _show_of(type(value))
    return show(value, version)


def _show_of(kind: type) -> Callable[[Any, Version], Any]:
    """Find how values of a class are shown, and remember it."""
    for base, show in _KINDS:
        if issubclass(kind, base):
            _SHOWN[kind] = show
            return show
    _SHOWN[kind] = lambda value, version: str(value)
    return _SHOWN[kind]


def _flags(value: IntFlag, version: Version) -> Any:
    return [flag.name for flag in value] if value else []


def _items(value: Any, version: Version) -> list[Any]:
    return [_value(item, version) for item in value] if value else []


def _one_of_several(value: Record, version: Version) -> dict[str, Any]:
    """Return a record, under its name where others could stand in its place."""
    data = _record(value, version)
    name = _name_among_several(type(value))
    return {name: data} if name else data


@cache
def _name_among_several(cls: type[Record]) -> str:
    """Return the name of a class that others could stand in the place of, else ""."""
    several = cls.head or issubclass(cls, Unknown | UnknownError)
    return class_name(cls) if several else ""


def _match(value: Match, version: Version) -> dict[str, Any]:
    return {name: _field(name, given) for name, given in value.items()}


def _field(name: str, value: Any) -> Any:
    row = OXM.get(name)
    if row is not None and row.kind is DECIMAL and isinstance(value, int):
        return int(value)
    return value_text(name, value)


#: How values of each class are shown; the first that fits.
_KINDS: tuple[tuple[type, Callable[[Any, Version], Any]], ...] = (
    (Match, _match),
    (Record, _one_of_several),
    (IntFlag, _flags),
    (IntEnum, lambda value, version: value.name),
    (ErrorCode, lambda value, version: str(value)),
    (bool, lambda value, version: value),
    (bytes, lambda value, version: value.hex()),
    (tuple, _items),
    (frozenset, lambda value, version: sorted(value)),
    (type(None), lambda value, version: None),
    (str, lambda value, version: value),
)
_SHOWN: dict[type, Callable[[Any, Version], Any]] = {int: lambda value, version: value}
