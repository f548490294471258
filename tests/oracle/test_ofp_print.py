"""Open vSwitch and Wireshark read what we write, and name the same values."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from protocol import (
    OF10,
    OF12,
    OF13,
    OF14,
    ErrorCode,
    ErrorMsg,
    FlowMod,
    FlowModCommand,
    FlowRemoved,
    Message,
    PacketIn,
    PacketOut,
    PortMod,
    Version,
)

from ..protocol.vectors import Vector, read_vectors
from .wireshark import dissected

pytestmark = pytest.mark.oracle
needs_ovs = pytest.mark.skipif(not shutil.which("ovs-ofctl"), reason="ovs-ofctl is not installed")
needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
PATIENCE = 60.0  #: seconds

VECTORS = list(read_vectors())

#: Words of vectors that Open vSwitch refuses, and why.
OVS_REFUSES = {
    "pbb_": "it has no PBB",
    "Pbb(": "it has no PBB",
    "ipv6_exthdr": "it has no extension headers",
    "in_phy_port": "it does not match on in_phy_port",
    "CopyTtl": "it has no copy_ttl_out and copy_ttl_in",
    "StatTrigger": "it has no stat_trigger",
    "FlowCounters": "it has no flow statistics of OF1.5",
    "ExperimenterAction(0x00ABCDEF": "the experimenter is invented",
    "Experimenter(0x00ABCDEF": "the experimenter is invented",
    "ExperimenterMultipartRequest(0x00ABCDEF": "the experimenter is invented",
}
_WITH_PREREQUISITES = (
    "SetVlanPcp|SetNw|SetTp|DecNwTtl|MplsTtl|PopMpls|SetMpls|PopVlan|set_field|CopyField"
)


def _is_refused(vector: Vector) -> bool:
    if any(word in vector.expression for word in OVS_REFUSES):
        return True
    # An action on a header needs a match on it; those of os-ken's vectors stand alone.
    alone = vector.expression.startswith("FlowMod(instructions=")
    return alone and re.search(_WITH_PREREQUISITES, vector.expression) is not None


def numbered(vectors: Iterable[Vector]) -> list[tuple[Vector, Message, bytes]]:
    """Return our own bytes of each, with the xid that tells them apart."""
    found = []
    for xid, vector in enumerate(vectors, 1):
        message = msgspec.structs.replace(vector.message(), xid=xid)
        found.append((vector, message, message.encode(vector.version)))
    return found


def ofp_parse(stream: bytes, directory: Path) -> dict[int, str]:
    """Return what ovs-ofctl says of each message of a stream, by xid."""
    path = directory / "stream"
    path.write_bytes(stream)
    done = subprocess.run(
        ["ovs-ofctl", "ofp-parse", str(path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    texts = re.split(r"^(?=\S.*\(xid=0x[0-9a-f]+\))", done.stdout, flags=re.MULTILINE)
    return {
        int(found[1], 16): text
        for text in texts
        if (found := re.search(r"\(xid=0x([0-9a-f]+)\)", text))
    }


def expected(message: Message, version: Version) -> list[str]:
    """Return what Open vSwitch must say of a message, in its words."""
    match message:
        case FlowMod():
            return _expected_of_flow_mod(message)
        case PacketIn():
            cookie = f"cookie=0x{message.cookie:x}" if version > OF12 else ""
            return [f"total_len={message.total_len}", f"in_port={message.in_port}", cookie]
        case PacketOut() if message.data:
            return [f"data_len={len(message.data)}"]
        case PacketOut():
            return [f"buffer=0x{message.buffer_id:08x}"]
        case FlowRemoved():
            counted = message.stats
            return [
                f"priority={message.priority}",
                f"cookie:0x{message.cookie:x}",
                f"idle{message.idle_timeout}",
                f"pkts{counted.packet_count} bytes{counted.byte_count}",
            ]
        case ErrorMsg(code=ErrorCode(name=name)):
            return [name]
        case PortMod():
            return [f"port: {message.port_no}", f"addr:{message.hw_addr}"]
    return []


def _expected_of_flow_mod(message: FlowMod) -> list[str]:
    strict = {FlowModCommand.ADD: "ADD", FlowModCommand.MODIFY: "MOD", FlowModCommand.DELETE: "DEL"}
    words = [strict.get(FlowModCommand(message.command), "STRICT")]
    if message.priority != 0x8000:
        words.append(f"priority={message.priority}")
    if message.cookie and not message.cookie_mask:
        words.append(f"cookie:0x{message.cookie:x}")
    if message.idle_timeout:
        words.append(f"idle:{message.idle_timeout}")
    if message.hard_timeout:
        words.append(f"hard:{message.hard_timeout}")
    if message.importance:
        words.append(f"importance:{message.importance}")
    if (port := message.match.number("in_port")) is not None and port < 0xFF00:
        words.append(f"in_port={port}")
    return words


@needs_ovs
def test_open_vswitch_reads_what_we_write(tmp_path: Path) -> None:
    told = numbered(vector for vector in VECTORS if not _is_refused(vector))
    texts = ofp_parse(b"".join(data for _, _, data in told), tmp_path)
    wrong = []
    for vector, message, data in told:
        text = texts.get(message.xid, "***nothing***")
        if isinstance(message, ErrorMsg):  # what it quotes is no message, or a wrong one
            text = text.partition("***")[0]
        missing = [word for word in expected(message, vector.version) if word not in text]
        if "***" in text or missing:
            wrong.append((vector.place, vector.expression, missing, data.hex(), text))
    assert wrong == []


@needs_ovs
@pytest.mark.parametrize("word", OVS_REFUSES)
def test_what_open_vswitch_refuses_it_refuses_still(word: str, tmp_path: Path) -> None:
    told = numbered(vector for vector in VECTORS if word in vector.expression)
    texts = ofp_parse(b"".join(data for _, _, data in told), tmp_path)
    assert any("***" in texts.get(message.xid, "***") for _, message, _ in told)


# Wireshark


def _wireshark_fails(vector: Vector) -> bool:
    """Whether Wireshark 4.0 calls a message malformed that is not.

    It wants each flow_mod of OF1.0 to have actions, reads the data of any error as a whole
    message, and does not know all properties of a port_mod.
    """
    message = vector.message()
    if isinstance(message, PortMod):
        return len(message.properties) > 1
    if isinstance(message, FlowMod) and vector.version == OF10:
        return not message.instructions
    return isinstance(message, ErrorMsg)


# It has no OF1.1 and OF1.2, and in OF1.5 it stumbles over every match field.
@needs_tshark
@pytest.mark.parametrize("version", [OF10, OF13, OF14])
def test_wireshark_finds_nothing_malformed(version: Version) -> None:
    told = numbered(
        vector for vector in VECTORS if vector.version == version and not _wireshark_fails(vector)
    )
    found = dissected([data for _, _, data in told])
    wrong = [
        (vector.place, vector.expression, one.faults)
        for (vector, _, _), one in zip(told, found, strict=True)
        if one.faults
    ]
    assert wrong == []
