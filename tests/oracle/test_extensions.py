"""Open vSwitch says the extensions' vectors still, and reads what we write of them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol import OF10, OF13, Message, Version
from protocol.compiler import write

from ..protocol.extension_vectors import Actions, Vector, read_vectors
from .open_vswitch import Switch, is_installed

pytestmark = pytest.mark.oracle
needs_ovs = pytest.mark.skipif(not shutil.which("ovs-ofctl"), reason="ovs-ofctl is not installed")

VECTORS = list(read_vectors())
MESSAGES = [one for one in VECTORS if one.is_message]
ADDED = [
    one
    for one in MESSAGES
    if one.meaning.startswith("ovs-ofctl add-flow") and "FlowMod(" in one.expression
]
OPTIONS = (
    "{class=0xffff,type=1,len=4}->tun_metadata0,{class=0xffff,type=2,len=8}->tun_metadata1,"
    "{class=0xffff,type=3,len=4}->tun_metadata2"
)
PATIENCE = 60.0  #: seconds
#: Messages that ovs-ofctl 3.1 cannot read, by their beginning: newer ones, and switches' own.
NEWER = ("nicira.CtFlush(6, mark", "nicira.CtFlush(6, label", "nicira.CtFlush(6, zone_id=13, mark")


def without_xid(message: bytes) -> bytes:
    return message[:4] + bytes(4) + message[8:]


@pytest.fixture(scope="module")
def switch() -> Iterator[Switch]:
    if not is_installed():
        pytest.skip("Open vSwitch is not installed")
    with Switch() as found:
        yield found


@pytest.mark.parametrize("version", sorted({one.version for one in ADDED}))
def test_open_vswitch_says_them_still(switch: Switch, version: Version) -> None:
    switch.ofctl(version, "add-tlv-map", OPTIONS)
    for vector in (one for one in ADDED if one.version == version):
        _, command, *arguments = vector.meaning.split()
        heard = switch.ofctl(version, command, *arguments, nicira=True)
        said = {without_xid(message) for message in heard}
        assert vector.data in said, vector.place


@needs_ovs
def test_ovs_ofctl_reads_what_we_write() -> None:
    stream, places = b"", []
    for xid, vector in enumerate(MESSAGES, 1):
        if vector.expression.startswith(NEWER):
            continue
        message = vector.value()
        assert isinstance(message, Message)
        stream += message.numbered(xid).encode(vector.version)
        places.append((vector, f"(xid={xid:#x})"))
    said = _printed(stream)
    unread = [vector.place for vector, xid in places if xid not in said]
    assert not unread
    refused = [line for line in said.splitlines() if "decode error" in line or "***" in line]
    assert not refused


def _printed(stream: bytes) -> str:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "stream"
        path.write_bytes(stream)
        done = subprocess.run(
            ["ovs-ofctl", "ofp-parse", str(path)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
    return done.stdout


@needs_ovs
@pytest.mark.parametrize("version", [OF10, OF13])
def test_ovs_ofctl_names_the_actions_as_its_tests_do(version: Version) -> None:
    facts = [
        one
        for one in VECTORS
        if not one.is_message and one.version == version and "sampling_port=0)" not in one.meaning
    ]
    lines = [_hex(one) for one in facts]
    done = subprocess.run(
        ["ovs-ofctl", "parse-actions", f"OpenFlow1{version - 1}"],
        input="\n\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    said = [line for line in done.stdout.splitlines() if line]
    assert said == [one.meaning.partition('"')[2].removesuffix('"') for one in facts]


def _hex(vector: Vector) -> str:
    value = vector.value()
    assert isinstance(value, Actions)
    return write(value, vector.version, headed=False).hex()
