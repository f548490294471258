"""Fields whose values have words: flags (`+syn-ack`, `syn|ack`), fragments, packet types."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..nicira.fields import CtState, IpFrag
from ..oxm import HEX, FieldValue
from ..packet.tcp import TcpFlags
from .words import number, unknown

_ALL_FRAG = int(IpFrag.ANY | IpFrag.LATER)

#: The bits of each field of flags by their words, the lowest first.
_FLAGS: dict[str, dict[str, int]] = {
    # RFC 9293 reserves the last three, and calls NS by another name by now.
    "tcp_flags": {
        **{str(flag.name).lower(): flag for flag in TcpFlags if flag is not TcpFlags.AE},
        "ns": TcpFlags.AE,
        "[200]": 0x200,
        "[400]": 0x400,
        "[800]": 0x800,
    },
    "ct_state": {
        "new": CtState.NEW,
        "est": CtState.ESTABLISHED,
        "rel": CtState.RELATED,
        "rpl": CtState.REPLY_DIR,
        "inv": CtState.INVALID,
        "trk": CtState.TRACKED,
        "snat": CtState.SRC_NAT,
        "dnat": CtState.DST_NAT,
    },
    "tun_flags": {"oam": 1},
}
_FRAGMENTS: dict[str, FieldValue] = {
    "no": 0,
    "yes": (int(IpFrag.ANY), int(IpFrag.ANY)),
    "first": int(IpFrag.ANY),
    "later": _ALL_FRAG,
    "not_later": (0, int(IpFrag.LATER)),
}
_FRAGMENT_WORDS = {value: word for word, value in _FRAGMENTS.items()}


_CT_STATES = sum(_FLAGS["ct_state"].values())  # bits that mean something; the field has 32


def read_words(name: str, text: str) -> FieldValue | None:
    """Return the value that words say; None where the text is a number, or the field has none."""
    if name == "nw_frag" and not text[:1].isdecimal():
        if text not in _FRAGMENTS:
            raise unknown("fragment", text, _FRAGMENTS)
        return _FRAGMENTS[text]
    if name == "packet_type" and text[:1] == "(":
        return _read_packet_type(text)
    if name in _FLAGS and not text[:1].isdecimal():
        if text[:1] in "+-":
            return _read_signed(name, text)
        value = _read_all(name, text)
        return (value, _CT_STATES) if name == "ct_state" else value
    return None


def _read_signed(name: str, text: str) -> FieldValue:
    """Read `+syn-ack`: flags that must be set, flags that must not."""
    value = mask = 0
    for sign, word in re.findall(r"([+-])([^+-]*)", text):
        mask |= _flag(name, word)
        value |= _flag(name, word) if sign == "+" else 0
    return value, mask


def _read_all(name: str, text: str) -> int:
    """Read `syn|ack`: these, and no others."""
    value = 0
    for word in text.split("|"):
        value |= _flag(name, word)
    return value


def _flag(name: str, word: str) -> int:
    known = _FLAGS[name]
    if name == "tcp_flags" and word.lower() == "ae":
        return int(TcpFlags.AE)
    if word.lower() not in known:
        what = "TCP flag" if name == "tcp_flags" else f"flag of {name}"
        raise unknown(what, word, known)
    return int(known[word.lower()])


def _read_packet_type(text: str) -> int:
    space, comma, kind = text.strip("()").partition(",")
    if not comma:
        raise ValueError(f"packet_type cannot be {text}; write packet_type=(NAMESPACE,TYPE)")
    return number("packet_type", space, 16) << 16 | number("packet_type", kind, 16)


def _show_flags(name: str, value: FieldValue) -> str | None:
    known, shown = _FLAGS[name], ""
    if name == "ct_state" and isinstance(value, tuple) and value[0] and value[1] == _CT_STATES:
        value = value[0]
    if isinstance(value, tuple):
        for word, flag in known.items():
            shown += ("+" if value[0] & flag else "-") + word if value[1] & flag else ""
        return shown or None if not value[1] & ~sum(known.values()) else None
    if isinstance(value, bytes) or not value or value & ~sum(known.values()):
        return None
    return "|".join(word for word, flag in known.items() if value & flag)


def _show_packet_type(value: FieldValue) -> str | None:
    if not isinstance(value, int):
        return None
    return f"({value >> 16},{HEX.show(value & 0xFFFF)})"


_SHOWN: dict[str, Callable[[FieldValue], str | None]] = {
    **{name: lambda value, name=name: _show_flags(name, value) for name in _FLAGS},  # type: ignore[misc]
    "nw_frag": lambda value: _FRAGMENT_WORDS.get(value),
    "packet_type": _show_packet_type,
}


def words_for(name: str, value: FieldValue) -> str | None:
    """Return a value in words; None where there are none for it."""
    show = _SHOWN.get(name)
    return show(value) if show else None
