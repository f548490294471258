"""`ct` and `nat` as ovs-ofctl's users write them (ovs-actions(7) "The ct action")."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from ..actions import Action
from ..nicira import NO_RECIRCULATION, Ct, CtAlg, CtFlags, Nat, NatFlags, Subfield
from ..record import Record
from .subfields import subfield, subfield_text
from .words import Word, member, number, unknown, words

_WAYS = {"src": NatFlags.SRC, "dst": NatFlags.DST}
_OPTIONS = {
    "persistent": NatFlags.PERSISTENT,
    "hash": NatFlags.PROTO_HASH,
    "random": NatFlags.PROTO_RANDOM,
}
_ADDRESS = r"\[[0-9a-fA-F:.]+\]|\d+\.\d+\.\d+\.\d+|[0-9a-fA-F:]+"
_RANGE = re.compile(rf"({_ADDRESS})(?:-({_ADDRESS}))?(?::(\d+)(?:-(\d+))?)?")


# nat


def read_nat(text: str) -> Action:
    """Read what stands in the parentheses of `nat`."""
    flags, given = NatFlags(0), dict[str, int]()
    for word in words(text):
        if word.name in _WAYS:
            flags |= _WAYS[word.name]
            given |= _ranges(word) if word.value else {}
        elif word.name in _OPTIONS and not word.value:
            flags |= _OPTIONS[word.name]
        else:
            raise unknown("word of nat", word.name, [*_WAYS, *_OPTIONS])
    if NatFlags.SRC | NatFlags.DST in flags:
        raise ValueError("nat translates one end; write src or dst")
    if flags and not flags & (NatFlags.SRC | NatFlags.DST):
        raise ValueError(f"nat({text}) translates nothing; add src or dst")
    return Nat(flags, **given)


def _ranges(word: Word) -> dict[str, int]:
    """Read `10.0.0.1-10.0.0.9:1000-2000`; addresses of IPv6 before a port stand in brackets."""
    found = _RANGE.fullmatch(word.value)
    if not found:
        raise ValueError(
            f"nat: {word.text} is no range; write {word.name}=FIRST-LAST:FIRST-LAST, "
            "with IPv6 addresses before a port in brackets"
        )
    first, last, port_min, port_max = found.groups()
    kind = "ipv6" if ":" in first else "ipv4"
    given = {f"{kind}_min": _address(first, kind)}
    if last:
        given[f"{kind}_max"] = _address(last, kind)
    for name, text in (("proto_min", port_min), ("proto_max", port_max)):
        if text:
            given[name] = number("nat: port", text, 16)
    for name in (kind, "proto"):
        if given.get(f"{name}_max", 1 << 128) < given.get(f"{name}_min", 0):
            raise ValueError(f"nat: {word.value} ends before it begins; put the smaller first")
    return given


def _address(text: str, kind: str) -> int:
    try:
        plain = text.strip("[]")
        return int(IPv6Address(plain) if kind == "ipv6" else IPv4Address(plain))
    except ValueError as error:
        raise ValueError(f"nat: {error}") from None


def show_nat(action: Nat) -> str:
    """Return the action as `read_nat` reads it, its word included."""
    shown = ",".join(_nat_words(action))
    return f"nat({shown})" if shown else "nat"


def _nat_words(action: Nat) -> Iterator[str]:
    for word, way in _WAYS.items():
        if action.flags & way:
            ranges = _ranges_text(action)
            yield f"{word}={ranges}" if ranges else word
    for word, option in _OPTIONS.items():
        if action.flags & option:
            yield word


def _ranges_text(action: Nat) -> str:
    bracketed = action.proto_min is not None
    if action.ipv4_min is not None:
        addresses = _pair(map(_optional(IPv4Address), (action.ipv4_min, action.ipv4_max)))
    elif action.ipv6_min is not None:
        show = _optional(
            lambda value: f"[{IPv6Address(value)}]" if bracketed else IPv6Address(value)
        )
        addresses = _pair(map(show, (action.ipv6_min, action.ipv6_max)))
    else:
        return ""
    ports = _pair(map(_optional(str), (action.proto_min, action.proto_max)))
    return f"{addresses}:{ports}" if ports else addresses


def _optional(show: Callable[[int], object]) -> Callable[[int | None], str]:
    return lambda value: "" if value is None else str(show(value))


def _pair(texts: Iterable[str]) -> str:
    return "-".join(text for text in texts if text)


# ct


def read_ct(text: str, read_actions: Callable[[str], tuple[Action, ...]]) -> Action:
    """Read what stands in the parentheses of `ct`; `read_actions` those on the connection."""
    given: dict[str, Any] = {"flags": CtFlags(0)}
    nat: tuple[Action, ...] = ()
    executed: tuple[Action, ...] = ()
    for word in words(text):
        match word.name:
            case "commit" | "force":
                given["flags"] |= CtFlags[word.name.upper()]
            case "table":
                given["recirc_table"] = _table(word.value)
            case "zone":
                given["zone"] = _zone(word.value)
            case "alg":
                given["alg"] = member("alg", word.value, CtAlg)
            case "nat":
                nat = (read_nat(word.value),)
            case "exec":
                executed = read_actions(word.value)
            case name:
                known = ("commit", "force", "table", "zone", "alg", "nat", "exec")
                raise unknown("word of ct", name, known)
    if given["flags"] == CtFlags.FORCE:
        raise ValueError("ct: force goes with commit only; add commit")
    return Ct(actions=nat + executed, **given)


def _table(text: str) -> int:
    found = number("ct: table", text, 8)
    if found == NO_RECIRCULATION:
        raise ValueError(f"ct: table {NO_RECIRCULATION} means none; leave it out")
    return found


def _zone(text: str) -> int | Subfield:
    if "[" not in text:
        return number("ct: zone", text, 16)
    found = subfield(text, "ct: zone")
    if found.n_bits != 16:
        raise ValueError(f"ct: {text} has {found.n_bits} bits; a zone has 16, as in reg0[0..15]")
    return found


def show_ct(action: Ct, show_actions: Callable[[Iterable[Record]], str]) -> str:
    """Return the action as `read_ct` reads it, its word included."""
    return f"ct({','.join(_ct_words(action, show_actions))})"


def _ct_words(action: Ct, show_actions: Callable[[Iterable[Record]], str]) -> Iterator[str]:
    for flag in CtFlags:
        if action.flags & flag:
            yield str(flag.name).lower()
    if action.recirc_table != NO_RECIRCULATION:
        yield f"table={action.recirc_table}"
    if isinstance(action.zone, Subfield):
        yield f"zone={subfield_text(action.zone)}"
    elif action.zone:
        yield f"zone={action.zone}"
    executed = action.actions
    if executed and isinstance(executed[0], Nat):
        yield show_nat(executed[0])
        executed = executed[1:]
    if executed:
        yield f"exec({show_actions(executed)})"
    if action.alg:
        yield f"alg={action.alg.name.lower() if isinstance(action.alg, IntEnum) else action.alg}"
