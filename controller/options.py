"""Options: what applications and the controller can be told, as typed attributes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec
from msgspec.structs import FieldInfo

Key = tuple[str, ...]
O = TypeVar("O", bound="Options")  # noqa: E741


class Options(msgspec.Struct):
    """The base of what an application can be told: a table in TOML, checked by its types.

        class WallOptions(Options):
            web: IPv4Address = IPv4Address("10.0.0.1")

        class Wall(App):
            def __init__(self, options: WallOptions = WallOptions()) -> None: ...

    Attributes may be of any type that msgspec knows, or that can be made of text: addresses,
    paths, and what has a `parse`.
    """


class OptionError(ValueError):
    """An option that cannot be; `key` is where, from the outermost table on."""

    def __init__(self, key: Key, text: str) -> None:
        super().__init__(text)
        self.key = key


def read_options(kind: type[O], table: Mapping[str, Any], key: Key = ()) -> O:
    """Return options from a table that stands at `key`. OptionError, with the cure."""
    known = {field.name: field for field in msgspec.structs.fields(kind)}
    values = {}
    for name, given in table.items():
        if name not in known:
            raise OptionError((*key, name), _unknown(name, list(known)))
        values[name] = _value(known[name].type, given, (*key, name))
    for name, field in known.items():
        if field.required and name not in table:
            raise OptionError(key, f"{name} is missing, and has no default")
    try:
        return kind(**values)
    except ValueError as error:  # as its __post_init__ may find
        raise OptionError(key, str(error)) from error


def described(kind: type[Options]) -> list[tuple[str, str, str]]:
    """Return name, default as TOML ("" where there is none), and meaning of each option."""
    found = []
    for field in msgspec.structs.fields(kind):
        info = msgspec.inspect.type_info(field.type)
        extra = info.extra_json_schema if isinstance(info, msgspec.inspect.Metadata) else None
        found.append((field.name, default_text(field), (extra or {}).get("description", "")))
    return found


def default_text(field: FieldInfo) -> str:
    """Return a default as TOML has it."""
    if field.required:
        return ""
    default = field.default
    if default is msgspec.NODEFAULT:
        default = field.default_factory()
    return json.dumps(msgspec.to_builtins(default, enc_hook=str))


def _value(kind: Any, given: object, key: Key) -> Any:
    if isinstance(kind, type) and issubclass(kind, Options):
        if not isinstance(given, Mapping):
            raise OptionError(key, f"write a table, [{'.'.join(key)}]")
        return read_options(kind, given, key)
    try:
        return msgspec.convert(given, kind, dec_hook=_made_of_text)
    except msgspec.ValidationError as error:
        raise OptionError(key, str(error).replace("`", "")) from error


def _made_of_text(kind: type, given: object) -> object:
    if not isinstance(given, str):
        raise ValueError(f'write it as text, "…", not {given!r}')
    return getattr(kind, "parse", kind)(given)


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    if close:
        return f"there is no {name} here; did you mean {close[0]}?"
    return f"there is no {name} here; there is {', '.join(known) or 'nothing to be set'}"
