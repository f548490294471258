"""Where the keys of a TOML file stand, which tomllib does not tell."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

Key = tuple[str, ...]


def lines_of(text: str) -> dict[Key, int]:
    """Return the line, from 1, in which each table and each key begins.

    `text` must be good TOML. Each statement is read alone, by tomllib itself; a statement
    ends with the first line with which it can be read.
    """
    found: dict[Key, int] = {}
    table: Key = ()
    for number, statement in _statements(text):
        read = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            (table,) = _keys(read, leaves_only=True)
            found.setdefault(table, number)
        else:
            for key in _keys(read):
                found.setdefault((*table, *key), number)
    return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
    statement, began = "", 1
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if not statement:
            began = number
        statement += line
        try:
            tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue  # it goes on: a list or a text of several lines
        yield began, statement
        statement = ""


def _keys(table: dict[str, Any], *, leaves_only: bool = False) -> list[Key]:
    """Return the keys that a statement names, those inside others included."""
    found: list[Key] = []
    for name, value in table.items():
        inner = value[0] if isinstance(value, list) and value else value
        below = _keys(inner, leaves_only=leaves_only) if isinstance(inner, dict) else []
        if not below or not leaves_only:
            found.append((name,))
        found += [(name, *key) for key in below]
    return found
