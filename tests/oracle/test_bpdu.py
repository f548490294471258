"""BPDUs of ours, as Wireshark reads them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from protocol import MacAddress
from protocol.capture_file import write_frame, write_head
from protocol.packet import (
    BRIDGE_GROUP,
    Bpdu,
    BpduFlags,
    BpduType,
    BridgeId,
    ConfigurationBpdu,
    Ethernet,
    Llc,
    build,
)

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed"),
]
FIELDS = {
    "eth.dst": "01:80:c2:00:00:00",
    "eth.len": "38",
    "llc.dsap": "0x42",
    "stp.type": "0x00",
    "stp.flags.tc": "1",
    "stp.flags.tcack": "0",
    "stp.root.prio": "4096",
    "stp.root.ext": "7",
    "stp.root.hw": "02:00:00:00:00:01",
    "stp.root.cost": "19",
    "stp.bridge.prio": "32768",
    "stp.bridge.ext": "0",
    "stp.bridge.hw": "02:00:00:00:00:02",
    "stp.port": "0x8102",
    "stp.msg_age": "1.5",
    "stp.max_age": "20",
    "stp.hello": "2",
    "stp.forward": "15",
}
SAID = ConfigurationBpdu(
    root=BridgeId(0x1007, MacAddress(0x0200_0000_0001)),
    root_path_cost=19,
    bridge=BridgeId(0x8000, MacAddress(0x0200_0000_0002)),
    port_id=0x8102,
    message_age=1.5,
    flags=BpduFlags.TOPOLOGY_CHANGE,
)


def read_by_wireshark(directory: Path, frame: bytes, names: list[str]) -> list[str]:
    """Return what it finds in the fields of a frame, and whether that is malformed."""
    capture = directory / "frame.pcap"
    with capture.open("wb") as file:
        write_head(file)
        write_frame(file, 0.0, frame)
    wanted = [word for name in [*names, "_ws.malformed"] for word in ("-e", name)]
    done = subprocess.run(
        ["tshark", "-r", str(capture), "-T", "fields", "-E", "separator=;", *wanted],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip("\n").split(";")


def test_a_configuration_says_the_same_to_wireshark(tmp_path: Path) -> None:
    frame = build(Ethernet(BRIDGE_GROUP, MacAddress(1)), Llc(), Bpdu(), SAID)
    *found, fault = read_by_wireshark(tmp_path, frame, list(FIELDS))
    assert dict(zip(FIELDS, found, strict=True)) == FIELDS
    assert fault == ""


def test_a_topology_change_says_the_same_to_wireshark(tmp_path: Path) -> None:
    change = Bpdu(type=BpduType.TOPOLOGY_CHANGE)
    frame = build(Ethernet(BRIDGE_GROUP, MacAddress(1)), Llc(), change)
    assert read_by_wireshark(tmp_path, frame, ["eth.len", "stp.type"]) == ["7", "0x80", ""]
