"""What shapes are in words: how a field lies on the wire, and what its value is called."""

from __future__ import annotations

from typing import Any

import construct as c

from .features import ControllerMaxLen
from .flows import ALL_TABLES, ANY_GROUP
from .message import Message
from .multipart import MultipartReply, MultipartRequest
from .packets import NO_BUFFER
from .record import RecordShape
from .spec_names import member_name, message_name, value_name
from .symmetric import Experimenter
from .text import value_text
from .wire import S32, Bits, Converted, Length, Rest, Shape, SizedBy, SizeOf, Spread, bare


def carries_message(shape: RecordShape, inner: Shape) -> bool:
    """Whether a member is a whole message: BundleAdd and RequestForward have one."""
    fields = inner.fields if isinstance(inner, Spread) else ()
    return "message" in fields or (shape.record.__name__ == "RequestForward" and _is_rest(inner))


def _innermost(shape: Shape) -> Shape:
    while isinstance(shape, Converted | Spread | SizedBy | Length | SizeOf | c.Const):
        shape = shape.subcon
    return shape


def _is_rest(shape: Shape) -> bool:
    return _innermost(shape) is Rest


def is_leaf(shape: Shape) -> bool:
    """Whether a shape is one field: a number, or bytes."""
    inner = _innermost(shape)
    return inner is Rest or isinstance(inner, c.FormatField | c.Bytes)


def leaf_size(shape: Shape) -> int | None:
    """Return the size of a field, -1 for all that is left, None where construct must tell."""
    if not is_leaf(shape):
        return None
    return -1 if _is_rest(shape) else int(_innermost(shape).sizeof())


#: Numbers with a name that is not in an enumeration of their field.
_NAMED: dict[tuple[str, object], str] = {
    ("buffer_id", NO_BUFFER): "OFP_NO_BUFFER",
    ("out_group", ANY_GROUP): "OFPG_ANY",
    ("watch_group", ANY_GROUP): "OFPG_ANY",
    ("table_id", ALL_TABLES): "OFPTT_ALL",
    ("max_len", ControllerMaxLen.NO_BUFFER): "OFPCML_NO_BUFFER",
    ("miss_send_len", ControllerMaxLen.NO_BUFFER): "OFPCML_NO_BUFFER",
}


def said(name: str, value: Any) -> tuple[str, str]:
    """Return a value as text, and what the specification calls it, if that is another thing."""
    shown = value_text(name, value)
    known = (name, value) if isinstance(value, int) else ("", 0)
    meaning = value_name(value) or _NAMED.get(known, "")
    return shown, "" if meaning == shown else meaning


def number_in(shape: Shape, raw: bytes) -> int | None:
    """Return the number that a field holds, None where it holds none."""
    return int.from_bytes(raw, "big") if isinstance(_innermost(shape), c.FormatField) else None


def kind_of(shape: Shape) -> str:
    """Return how a field lies on the wire."""
    inner = _innermost(shape)
    if isinstance(inner, c.FormatField):
        return f"{'s' if inner is S32 else 'u'}{inner.sizeof() * 8}"
    return "bytes" if inner is Rest else f"{inner.sizeof()} bytes"


def member_name_in(shape: RecordShape, member: Shape, consts: int) -> str:
    """Return the name of a member; `consts` numbers that are known stand before it."""
    inner = bare(member)
    if isinstance(inner, c.Const):
        return _const_name(shape, consts)
    if isinstance(inner, Length):
        return "length"
    if isinstance(inner, Spread) and not isinstance(inner, Bits):
        return "properties" if "properties" in inner.fields else inner.fields[0]
    return f"{inner.target}_len" if isinstance(inner, SizeOf) else member.name or ""


def _const_name(shape: RecordShape, index: int) -> str:
    """Return the name of a number that is known: those of heads have no name in the layout."""
    if issubclass(shape.record, Message):
        names = ["version", "type"]
        if issubclass(shape.record, MultipartRequest | MultipartReply):
            names.append("multipart_type")
        return [*names, "experimenter", "exp_type"][index]
    if not shape.headed or not shape.record.head:
        return ("type", "length")[index]
    return ("type", "experimenter", "subtype")[index]


def const_text(name: str, raw: bytes) -> str:
    """Return a number that is known as text."""
    number = int.from_bytes(raw, "big")
    return hex(number) if name == "experimenter" else str(number)


def const_meaning(shape: RecordShape, name: str) -> str:
    """Return what the specification calls a number that is known."""
    record = shape.record
    if name == "version":
        return f"OpenFlow {shape.version}"
    if not issubclass(record, Message):
        return member_name(record) if name == "type" else ""
    if name in ("multipart_type", "exp_type"):
        return message_name(record)
    return _type_name(record) if name == "type" else ""


def _type_name(record: type[Message]) -> str:
    if issubclass(record, MultipartRequest):
        return "OFPT_MULTIPART_REQUEST"
    if issubclass(record, MultipartReply):
        return "OFPT_MULTIPART_REPLY"
    name = message_name(record)
    return name if name.startswith("OFPT_") else message_name(Experimenter)
