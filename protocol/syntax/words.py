"""Text taken apart: words between commas, names with values, numbers; and the complaints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from enum import IntEnum
from typing import NamedTuple, TypeVar

from ..ports import Port

_SEPARATORS = ", \t\r\n"
MAX_DEPTH = 32  # of parentheses: what a user pastes must not fill our stack


class Word(NamedTuple):
    """A name and what stands behind it: `a=1`, `a:1` and `a(1)` alike; "" where nothing does."""

    name: str
    value: str
    text: str


def words(text: str) -> Iterator[Word]:
    """Return the words of `text`, which commas or white space divide; parentheses hold together.

    >>> [word.value for word in words("output:2, write_actions(group:1,output:3)")]
    ['2', 'group:1,output:3']
    """
    depth, start = 0, 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth > MAX_DEPTH:
            raise ValueError(f"more than {MAX_DEPTH} '(' are open at once; no action nests so deep")
        if depth < 0:
            raise ValueError(f"{text[:at]!r} has a ')' too many behind it; take it away")
        if not depth and char in _SEPARATORS:
            yield from _word(text[start:at])
            start = at + 1
    if depth:
        raise ValueError(f"{text[start:].strip()!r} opens a '(' that is not closed; add a ')'")
    yield from _word(text[start:])


def _word(text: str) -> Iterator[Word]:
    if not text:
        return
    for at, char in enumerate(text):
        if char in "=:":
            yield Word(text[:at], text[at + 1 :], text)
            return
        if char == "(":
            yield _called(text, at)
            return
    yield Word(text, "", text)


def _called(text: str, at: int) -> Word:
    """Return the word whose parenthesis opens at `at`; an arrow may follow where it closes."""
    depth = 0
    for end in range(at, len(text)):
        depth += (text[end] == "(") - (text[end] == ")")
        if not depth:
            break
    if end + 1 == len(text):
        return Word(text[:at], text[at + 1 : end], text)
    if text.startswith("->", end + 1):  # check_pkt_larger(1500)->reg0[0]
        return Word(text[:at], text[at:], text)
    raise ValueError(f"{text!r} goes on behind its ')'; put a comma there")


def unknown(what: str, name: str, known: Iterable[str]) -> ValueError:
    """Return the complaint about a name, with the nearest that there is."""
    close = get_close_matches(name.lower(), list(known), 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return ValueError(f"there is no {what} {name!r}{hint}")


def number(name: str, text: str, bits: int) -> int:
    """Read a number of so many bits, decimal or 0x…"""
    try:
        value = int(text, 10) if text.isdecimal() else int(text, 0)
    except ValueError:
        value = -1
    if not 0 <= value < 1 << bits:
        most = (1 << bits) - 1
        limit = most if bits <= 16 else hex(most)
        raise ValueError(f"{name} cannot be {text!r}; it is a number from 0 to {limit}")
    return value


def masked_number(name: str, text: str, bits: int) -> tuple[int, int | None]:
    """Read a number and, behind a slash, its mask, which may be -1 for all ones."""
    value, slash, mask = text.partition("/")
    if not slash:
        return number(name, value, bits), None
    ones = (1 << bits) - 1
    return number(name, value, bits), ones if mask == "-1" else number(name, mask, bits)


E = TypeVar("E", bound=IntEnum)


def member(name: str, text: str, of: type[E]) -> E:
    """Read the name of a member of an enumeration, in capitals or not."""
    try:
        return of[text.upper()]
    except KeyError:
        raise unknown(name, text, [one.name.lower() for one in of]) from None


def port(name: str, text: str) -> int:
    """Read a port: a number, or the name of a reserved one."""
    upper = text.upper()
    if upper == "NONE":  # what OF1.0 calls it
        return Port.ANY
    if upper in Port.__members__:
        return Port[upper]
    if text[:1].isdecimal():
        return _port_number(number(name, text, 32))
    raise unknown("port", text, map(str.lower, Port.__members__))


def _port_number(given: int) -> int:
    # The reserved ports of OF1.0, which ovs-ofctl takes as well, have 16 bits.
    wide = given + 0xFFFF_0000
    if wide > Port.MAX and wide in Port._value2member_map_:
        return Port(wide)
    return Port(given) if given in Port._value2member_map_ else given


def port_text(value: int) -> str:
    """Return a port as people write it."""
    return Port(value).name if value in Port._value2member_map_ else str(value)
