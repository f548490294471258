"""`encap` and `decap` as ovs-ofctl's users write them (ovs-actions(7) "The encap action")."""

from __future__ import annotations

from collections.abc import Iterator

from ..actions import Action
from ..nicira import Decap, Encap, EncapClass, EncapProperty, PacketType
from .words import Word, number, unknown, words

_HEADERS = {
    "ethernet": PacketType.ETHERNET,
    "mpls": PacketType.MPLS,
    "mpls_mc": PacketType.MPLS_MC,
    "nsh": PacketType.NSH,
}
_HEADER_WORDS = {kind: word for word, kind in _HEADERS.items()}
_MD_TYPE, _TLV = 1, 2  # the properties of NSH
_TLV_HEAD = 4  # bytes before a TLV's value


def read_encap(text: str) -> Action:
    """Read what stands in the parentheses of `encap`: a header, and what it has in it."""
    found = list(words(text))
    if len(found) != 1:
        raise ValueError(f"encap({text}) is none; write one header, as in encap(nsh(md_type=1))")
    (word,) = found
    if word.name not in _HEADERS:
        raise unknown("header", word.name, _HEADERS)
    if word.value and word.name != "nsh":
        raise ValueError(f"encap: {word.name} has no properties; take {word.value!r} away")
    return Encap(_HEADERS[word.name], tuple(map(_read_property, words(word.value))))


def _read_property(word: Word) -> EncapProperty:
    if word.name == "md_type":
        return EncapProperty.nsh_md_type(number("md_type", word.value, 8))
    if word.name != "tlv":
        raise unknown("property of nsh", word.name, ("md_type", "tlv"))
    parts = [part.strip() for part in word.value.split(",")]
    if len(parts) != 3:
        raise ValueError(f"tlv({word.value}) is none; write tlv(CLASS,TYPE,0x…)")
    tlv_class, tlv_type, value = parts
    try:
        data = bytes.fromhex(value.removeprefix("0x"))
    except ValueError:
        raise ValueError(f"tlv: {value!r} is no value; it is bytes in hex, as in 0x0102") from None
    if not 1 <= len(data) <= 124:
        raise ValueError(f"tlv: a value has 1 to 124 bytes, not {len(data)}")
    return EncapProperty.nsh_tlv(number("tlv", tlv_class, 16), number("tlv", tlv_type, 8), data)


def show_encap(action: Encap) -> str:
    """Return the action as `read_encap` reads it, its word included."""
    header = _HEADER_WORDS.get(action.new_pkt_type)  # type: ignore[call-overload]
    if header is None:
        return f"encap({int(action.new_pkt_type):#x})"
    inside = ",".join(_property_words(action))
    return f"encap({header}({inside}))" if inside else f"encap({header})"


def _property_words(action: Encap) -> Iterator[str]:
    for found in action.properties:
        if (found.prop_class, found.type) == (EncapClass.NSH, _MD_TYPE) and len(found.data) == 1:
            yield f"md_type={found.data[0]}"
        elif (found.prop_class, found.type) == (EncapClass.NSH, _TLV):
            size = found.data[3] if len(found.data) >= _TLV_HEAD else 0
            value = found.data[_TLV_HEAD : _TLV_HEAD + size]
            tlv_class = int.from_bytes(found.data[:2], "big")
            yield f"tlv({tlv_class:#06x},{found.data[2]},0x{value.hex()})"
        else:
            yield f"{int(found.prop_class)}:{found.type}:{found.data.hex()}"


def read_decap(text: str) -> Action:
    """Read what stands in the parentheses of `decap`: nothing, or what is below."""
    if not text:
        return Decap()
    found = list(words(text))
    if len(found) != 1 or found[0].name != "packet_type":
        raise ValueError(f"decap({text}) is none; write decap() or decap(packet_type(ns=1,type=…))")
    given = {word.name: word.value for word in words(found[0].value)}
    if given.keys() != {"ns", "type"}:
        raise ValueError(f"decap: {found[0].text} is none; write packet_type(ns=…,type=…)")
    kind = number("decap: ns", given["ns"], 16) << 16 | number("decap: type", given["type"], 16)
    return Decap(PacketType(kind) if kind in PacketType._value2member_map_ else kind)


def show_decap(action: Decap) -> str:
    """Return the action as `read_decap` reads it, its word included."""
    if action.new_pkt_type == PacketType.USE_NEXT_PROTO:
        return "decap()"
    kind = int(action.new_pkt_type)
    return f"decap(packet_type(ns={kind >> 16},type={kind & 0xFFFF:#x}))"
