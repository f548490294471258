"""What Wireshark dissects of messages: many of them in one capture, each with its fields.

`differences` compares by name: Wireshark calls most fields as the specification does. Each
name that both have must have the same values in the same order.
"""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from protocol import FieldId, MacAddress, Match, Message, PacketOut, Port, Version
from protocol.oxm import OXM
from protocol.queues import QueueDesc
from protocol.record import Record
from protocol.version import OF10, OF14, OF15

PATIENCE = 60.0  #: seconds
VERSIONS = (Version.OF10, Version.OF13, Version.OF14, Version.OF15)  #: those that it dissects
_PCAP = struct.Struct("<IHHiIII")
_PACKET = struct.Struct("<IIII")
_RAW_IP = 101


class Dissection(NamedTuple):
    """One message: what was wrong with it, and its fields, each with its name and text."""

    faults: list[str]
    fields: list[tuple[str, str]]


def is_installed() -> bool:
    """Whether tshark is here."""
    return shutil.which("tshark") is not None


def capture(messages: Sequence[bytes]) -> bytes:
    """Return a capture of one TCP stream, each message a segment of its own."""
    packets, sequence = [], 1
    for data in messages:
        tcp = struct.pack(">HHIIBBHHH", 40000, 6653, sequence, 1, 5 << 4, 0x18, 0xFFFF, 0, 0)
        total = 20 + len(tcp) + len(data)
        ip = struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, total, 0, 0, 64, 6, 0, b"\x0a\0\0\1", b"\x0a\0\0\2"
        )
        packets.append(_PACKET.pack(0, 0, total, total) + ip + tcp + data)
        sequence += len(data)
    return _PCAP.pack(0xA1B2C3D4, 2, 4, 0, 0, 0x40000, _RAW_IP) + b"".join(packets)


def dissected(messages: Sequence[bytes]) -> list[Dissection]:
    """Return what Wireshark finds in each message."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "capture.pcap"
        path.write_bytes(capture(messages))
        layers = "openflow openflow_v1 openflow_v4 openflow_v5 openflow_v6 _ws.malformed"
        done = subprocess.run(
            [
                "tshark",
                "-r",
                str(path),
                "-d",
                "tcp.port==6653,openflow",
                "-T",
                "json",
                "-J",
                layers,
            ],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=True,
        )
    # Names stand more than once in an object: pairs keep them all.
    packets = json.loads(done.stdout, object_pairs_hook=list)
    assert len(packets) == len(messages)
    return [_dissection(dict(dict(packet)["_source"])["layers"]) for packet in packets]


def _dissection(layers: list[tuple[str, Any]]) -> Dissection:
    fields = [
        (name, value)
        for layer, inside in layers
        if layer.startswith("openflow") and isinstance(inside, list)
        for name, value in _leaves(inside)
    ]
    faults = [layer for layer, _ in layers if layer == "_ws.malformed"]
    faults += [value for name, value in fields if name == "_ws.malformed"]
    if not fields:
        faults.append("it finds no OpenFlow in it")
    return Dissection(faults, fields)


def _leaves(found: list[Any]) -> Iterator[tuple[str, str]]:
    for name, value in found:
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, list) and name not in _QUOTED:
            yield from _leaves([pair for pair in value if isinstance(pair, list | tuple)])


_QUOTED = {"Data"}  #: packets and the message in an error, which are dissected, too

# Our values, by the names of Wireshark

#: Names that mean several things, or that Wireshark has for other things than the specification.
_LEFT_OUT = {
    *("type", "length", "flags", "config", "state", "data", "match", "actions", "reason"),
    *("capabilities", "features", "supported", "tx_pwr", "name"),
}
_CALLED = {
    "matched_count": "match_count",
    "rx_frame_err": "rx_frame_error",
    "rx_over_err": "rx_over_error",
    "rx_crc_err": "rx_crc_error",
}


def differences(message: Message, version: Version, found: Dissection) -> Iterator[str]:
    """Return where Wireshark reads other values than we wrote."""
    ours, said = defaultdict(list), defaultdict(list)
    for name, value in _flat(message, version):
        ours[_CALLED.get(name, name)].append(value)
    for name, text in found.fields:
        said[_last(name)].append(text)
    for name in ours.keys() & said.keys() - _LEFT_OUT:
        values = [_value(text) for text in said[name]]
        if values != ours[name]:
            yield f"{name} is {values}, not {ours[name]}"
    oxms, read = list(_oxms_of(message, version)), list(_oxms(found))
    if version > OF10 and oxms != read:
        yield f"the fields are {read}, not {oxms}"


def compared(message: Message, version: Version, found: Dissection) -> set[str]:
    """Return the names that are compared."""
    ours = {_CALLED.get(name, name) for name, _ in _flat(message, version)}
    return ours & {_last(name) for name, _ in found.fields} - _LEFT_OUT


def _last(name: str) -> str:
    return "" if "sync_from" in name else name.rpartition(".")[2]


def _flat(record: Record, version: Version) -> Iterator[tuple[str, Any]]:
    """The numbers and texts of a record in the order of the wire."""
    for name in type(record).at(version, headed=isinstance(record, Message)).names:
        value = attrgetter(name)(record)
        last = name.rpartition(".")[2]
        if isinstance(value, tuple):
            for item in value:
                if isinstance(item, Record):
                    yield from _flat(item, version)
        elif isinstance(value, Record):
            yield from _flat(value, version)
        elif isinstance(value, MacAddress | str):
            yield last, str(value)
        elif isinstance(record, QueueDesc) and name == "port_no" and version < OF14:
            yield "port", value
        elif isinstance(value, int):
            yield last, _number(value, version, name)
        elif name == "weight":  # None where a bucket has none
            yield name, 0


def _number(value: int, version: Version, name: str) -> int:
    is_port = version == OF10 and "port" in name and value >= Port.MAX
    return value & 0xFFFF if is_port else int(value)


def _value(text: str) -> int | str:
    try:
        return int(text, 0)
    except ValueError:
        return text


def _oxms_of(value: Any, version: Version) -> Iterator[tuple[int, int, int | None]]:
    match value:
        case PacketOut() if version < OF15:  # its match has a place of its own
            yield from _oxms_of(value.actions, version)
        case Match():
            for name, given in value.items():
                number, mask = given if isinstance(given, tuple) else (given, None)
                yield OXM[name].number, int(number), mask  # type: ignore[arg-type]
        case FieldId():
            yield OXM[value.name].number, 0, None
        case Record():
            for name in value.__struct_fields__:
                yield from _oxms_of(getattr(value, name), version)
        case tuple():
            for item in value:
                yield from _oxms_of(item, version)


def _oxms(found: Dissection) -> Iterator[tuple[int, int, int | None]]:
    parts: list[list[tuple[str, str]]] = []
    for name, text in found.fields:
        if ".oxm." in name:
            if name.endswith(".class"):
                parts.append([])
            parts[-1].append((_last(name), text))
    for part in parts:
        yield _oxm(dict(part))


def _oxm(part: dict[str, str]) -> tuple[int, int, int | None]:
    value, mask = 0, None
    for name, text in part.items():
        if name == "value_vlan_present":
            value |= int(text) << 12
        elif name.startswith("value"):
            value |= _bits(name, text)
        elif "mask" in name:
            mask = _bits(name, text)
    return int(part.get("field", "-1")), value, mask


def _bits(name: str, text: str) -> int:
    if name in ("value", "mask") or ("ether" in name and ":" in text):
        return int(text.replace(":", ""), 16)
    return int(ip_address(text)) if "ipv" in name else int(text, 0)
