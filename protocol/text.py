"""Each message as one line that people read, in the manner of `ovs-ofctl ofp-print`.

Rules, groups and meters stand in ovs-ofctl's own words (`syntax/`), all else as names and
values; what is at its default is left out. `str(message)` and `str(record)` come here.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from enum import IntEnum, IntFlag
from typing import Any

from . import nicira
from .errors import ErrorCode
from .exceptions import DecodeError
from .flows import ANY_GROUP, FlowMod, FlowRemoved, FlowStats
from .groups import Bucket, GroupDesc, GroupMod
from .message import HEADER, Message
from .meters import MeterDesc, MeterMod
from .packet import Packet
from .packets import NO_BUFFER, PacketIn, PacketOut
from .record import Record
from .spec_names import error_name, message_name, snake
from .stats import Stats
from .symmetric import ErrorMsg, Hello, UnknownError, VersionBitmap
from .syntax import Flow, bucket_text, group_text, match_text, meter_text
from .syntax.actions import INSTRUCTION_NAMES, SHOWERS, actions_text, instruction_text
from .syntax.words import port_text
from .version import Version

MAX_ITEMS = 64  #: of a list that are shown; a table may have a million entries
MAX_BYTES = 32  #: of free data that are shown

_PORTS = {"port", "port_no", "in_port", "out_port", "watch_port", "watch"}
_GROUPS = {"out_group", "watch_group"}
_HEX = {
    "actions", "buffer_id", "cookie", "cookie_mask", "datapath_id", "ethertype", "experimenter",
    "exp_type", "generation_id", "metadata", "metadata_mask", "metadata_match", "metadata_write",
}  # fmt: skip


def message_text(message: Message) -> str:
    """Return a message as one line.

    >>> from protocol import EchoRequest, PortMod, PortConfig
    >>> message_text(EchoRequest(b"abc", xid=7))
    'OFPT_ECHO_REQUEST (xid=0x7): data=616263'
    >>> message_text(PortMod(3, hw_addr=1, config=PortConfig.PORT_DOWN, mask=1))
    'OFPT_PORT_MOD (xid=0x0): port_no=3 hw_addr=00:00:00:00:00:01 config=PORT_DOWN mask=1'
    """
    show = _MESSAGES.get(type(message))
    body = show(message) if show else _fields_text(message, {"xid"})
    head = f"{message_name(type(message))} (xid={message.xid:#x}):"
    return f"{head} {body}" if body else head


def brief_text(message: Message) -> str:
    """Return what a message says without its name; of what it lists only how much.

    >>> from protocol import PortDesc, PortDescReply
    >>> brief_text(PortDescReply((PortDesc(1), PortDesc(2))))
    '2 ports'
    """
    if show := _MESSAGES.get(type(message)):
        return show(message)
    return _fields_text(message, {"xid"}, list_text=lambda name, items: f"{len(items)} {name}")


def record_text(record: Record) -> str:
    """Return a record: a message, an action as people write it, others by their fields."""
    if isinstance(record, Message):
        return message_text(record)
    show = _RECORDS.get(type(record))
    return show(record) if show else f"{snake(type(record).__name__)}({_fields_text(record)})"


def _fields_text(
    record: Record,
    but: Container[str] = frozenset(),
    list_text: Callable[[str, tuple[Any, ...]], str] | None = None,
) -> str:
    """Return the fields that are not at their defaults; lists as `list_text` has them."""
    defaults = record.defaults()
    shown = []
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if name in but or (name in defaults and value == defaults[name]):
            continue
        if list_text and isinstance(value, tuple):
            shown.append(list_text(name, value))
        else:
            shown.append(f"{name}={value_text(name, value)}")
    return " ".join(shown)


def value_text(name: str, value: Any) -> str:
    """Return the value of a field of that name."""
    match value:
        case IntFlag():
            return "|".join(str(one.name) for one in value) or "0"
        case bool() | None:
            return str(value)
        case int() if name in _PORTS:
            return port_text(value)
        case int() if name in _GROUPS and value == ANY_GROUP:
            return "ANY"
        case IntEnum():
            return value.name
        case int():
            return _number_text(name, value)
        case bytes():
            return bytes_text(value)
        case str():
            return repr(value)
        case tuple() | frozenset() | list():
            return _list_text(name, value)
        case Message():
            return "{" + message_text(value) + "}"
        case ErrorCode():
            return error_name(value)
    return str(value)


def _number_text(name: str, value: int) -> str:
    if name == "datapath_id":
        return f"{value:016x}"
    if name in _HEX:
        return hex(value)
    if name in ("hw_addr", "dl_addr"):
        return (value & 0xFFFF_FFFF_FFFF).to_bytes(6, "big").hex(":")
    return str(value)


def bytes_text(data: bytes) -> str:
    """Return bytes in hex; of many the first, and how many there are.

    >>> bytes_text(bytes(100))
    '0000000000000000000000000000000000000000000000000000000000000000… (100 bytes)'
    """
    if len(data) <= MAX_BYTES:
        return data.hex() or "''"
    return f"{data[:MAX_BYTES].hex()}… ({len(data)} bytes)"


def _list_text(name: str, values: Any) -> str:
    items = sorted(values) if isinstance(values, frozenset) else list(values)
    shown = [value_text(name, item) for item in items[:MAX_ITEMS]]
    if (more := len(items) - len(shown)) > 0:
        shown.append(f"and {more} more")
    return f"[{', '.join(shown)}]"


def stats_text(stats: Stats) -> str:
    """Return counters and times as ovs-ofctl prints them of an entry."""
    return ", ".join(_stats_words(stats))


def _stats_words(stats: Stats) -> Iterator[str]:
    for name, sec, nsec in (
        ("duration", stats.duration_sec, stats.duration_nsec),
        ("idle_age", stats.idle_sec, stats.idle_nsec),
    ):
        if sec is not None or nsec is not None:
            yield f"{name}={sec or 0}.{nsec or 0:09d}".rstrip("0").rstrip(".") + "s"
    for name, count in (
        ("n_flows", stats.flow_count),
        ("n_packets", stats.packet_count),
        ("n_bytes", stats.byte_count),
    ):
        if count is not None:
            yield f"{name}={count}"


def _command_text(command: int) -> str:
    return command.name if isinstance(command, IntEnum) else f"command={command}"


def _flow_mod(message: FlowMod) -> str:
    buffer = f" buffer_id={message.buffer_id:#x}" if message.buffer_id != NO_BUFFER else ""
    return f"{_command_text(message.command)}{buffer} {Flow.of(message)}"


def _flow_stats(entry: FlowStats) -> str:
    counted = stats_text(entry.stats)
    return f"{counted}, {Flow.of(entry)}" if counted else str(Flow.of(entry))


def _flow_removed(message: FlowRemoved) -> str:
    parts = [f"table={message.table_id}", f"priority={message.priority}"]
    if len(message.match):
        parts.append(match_text(message.match))
    parts += [f"cookie={message.cookie:#x}", f"reason={value_text('reason', message.reason)}"]
    parts += [
        f"{name}={value}"
        for name in ("idle_timeout", "hard_timeout")
        if (value := getattr(message, name))
    ]
    counted = stats_text(message.stats)
    return ",".join(parts) + (f" {counted}" if counted else "")


def frame_text(data: bytes) -> str:
    """Return how long a frame is, and which headers it has."""
    try:
        headers = Packet.parse(data).headers
    except DecodeError:
        return f"{len(data)} bytes"
    ethernet: Any = headers[0]
    names = " ".join(type(header).__name__ for header in headers)
    return f"{len(data)} bytes ({names} {ethernet.src}->{ethernet.dst})"


def _packet_in(message: PacketIn) -> str:
    parts = [f"total_len={message.total_len}", match_text(message.match)]
    parts.append(f"(via {value_text('reason', message.reason).lower()})")
    if message.table_id:
        parts.append(f"table_id={message.table_id}")
    if message.cookie not in (0, 0xFFFF_FFFF_FFFF_FFFF):
        parts.append(f"cookie={message.cookie:#x}")
    if message.buffer_id != NO_BUFFER:
        parts.append(f"buffer_id={message.buffer_id:#x}")
    return " ".join([*parts, f"data={frame_text(message.data)}"])


def _packet_out(message: PacketOut) -> str:
    parts = [match_text(message.match), f"actions={actions_text(message.actions)}"]
    if message.buffer_id != NO_BUFFER:
        parts.append(f"buffer_id={message.buffer_id:#x}")
    if message.data:
        parts.append(f"data={frame_text(message.data)}")
    return " ".join(parts)


def _hello(message: Hello) -> str:
    parts = []
    for element in message.elements:
        if isinstance(element, VersionBitmap):
            parts.append(f"versions={','.join(map(_version_text, sorted(element.versions)))}")
        else:
            parts.append(record_text(element))
    return " ".join(parts)


def _version_text(number: int) -> str:
    return str(Version(number)) if number in Version._value2member_map_ else f"{number:#x}"


def _error(message: ErrorMsg) -> str:
    code = message.code
    name = str(code) if isinstance(code, UnknownError) else error_name(code)
    return f"{name} data={_offender_text(message.data)}" if message.data else name


def _offender_text(data: bytes) -> str:
    """Say which message an error is about, if the data begins with one."""
    if len(data) < HEADER.size or data[0] not in Version._value2member_map_:
        return bytes_text(data)
    version, number, length, xid = HEADER.unpack_from(data)
    said = f"OF{Version(version)} type {number}, length {length}, xid={xid:#x}"
    return f"{bytes_text(data)} ({said})"


_MESSAGES: dict[type[Message], Callable[[Any], str]] = {
    FlowMod: _flow_mod,
    nicira.FlowMod: _flow_mod,
    FlowRemoved: _flow_removed,
    nicira.FlowRemoved: _flow_removed,
    GroupMod: lambda message: f"{_command_text(message.command)} {group_text(message)}",
    MeterMod: lambda message: f"{_command_text(message.command)} {meter_text(message)}",
    PacketIn: _packet_in,
    nicira.PacketIn: _packet_in,
    PacketOut: _packet_out,
    Hello: _hello,
    ErrorMsg: _error,
}


_RECORDS: dict[type[Record], Callable[[Any], str]] = {
    **SHOWERS,
    **dict.fromkeys(INSTRUCTION_NAMES, instruction_text),
    Stats: lambda stats: "{" + stats_text(stats) + "}",
    **dict.fromkeys((FlowStats, nicira.FlowStats), lambda entry: "{" + _flow_stats(entry) + "}"),
    GroupDesc: lambda group: "{" + group_text(group) + "}",
    Bucket: lambda bucket: "{" + bucket_text(bucket) + "}",
    MeterDesc: lambda meter: "{" + meter_text(meter) + "}",
}
