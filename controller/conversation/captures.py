"""What was said from and to captures, which other tools read and write."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, BinaryIO

from protocol.endpoint import LOOPBACK, Endpoint
from protocol.pcap import OPENFLOW_PORTS, Captured, Writer, read
from protocol.pcap import Endpoint as Address

from ..recorder import Said, Tape

_CONTROLLER_PORT = 6653  # in captures, where Wireshark looks for OpenFlow
_DIALLED = ("tcp:", "ssl:")  # so begins the name of a switch that we dialled
_FIRST_PORT, _PORTS = 49_152, 16_384  # of switches that have none (RFC 6335 6)
_FEATURES_REPLY = 6  # in all versions
_FEATURES = slice(8, 16)  # where the datapath_id is in it


def said_in(file: BinaryIO, ports: Collection[int] = OPENFLOW_PORTS) -> Iterator[Said]:
    """Yield the messages of a capture, to and from `ports`; ValueError if the file is none.

    Switches are known by their datapath_id from their features_reply on; where the file can
    be read twice, as a pipe cannot, from their first message on.
    """
    tapes: dict[str, Tape] = {}
    if file.seekable():
        begin = file.tell()
        for captured in read(file, ports):
            _tape(tapes, captured)
        file.seek(begin)
    for captured in read(file, ports):
        tape = _tape(tapes, captured)
        yield Said(captured.time, tape, not captured.from_controller, captured.data)


def _tape(tapes: dict[str, Tape], captured: Captured) -> Tape:
    peer = str(captured.target if captured.from_controller else captured.source)
    tape = tapes.setdefault(peer, Tape(peer))
    data = captured.data
    if not captured.from_controller and data[1] == _FEATURES_REPLY and len(data) >= _FEATURES.stop:
        tape.datapath_id = int.from_bytes(data[_FEATURES])
    return tape


def write_capture(file: BinaryIO, answers: Iterable[dict[str, Any]], *, flush: bool = False) -> int:
    """Write what `pointsman record --json` prints as a capture; return how many messages.

    With `flush` each is seen at once by who reads the file.
    """
    writer, switches, count = Writer(file), dict[str, Address](), 0
    for one in answers:
        name = f"{one['peer']} {one['datapath_id'] or ''}"
        switch = switches.get(name) or _address(one["peer"], len(switches))
        switches[name] = switch
        host = "::1" if switch.address.version == 6 else LOOPBACK
        controller = Address.of(host, _CONTROLLER_PORT)
        ends = (switch, controller) if one["from_switch"] else (controller, switch)
        writer.write(bytes.fromhex(one["hex"]), one["at"], *ends)
        if flush:
            file.flush()
        count += 1
    return count


def _address(peer: str, number: int) -> Address:
    """Return a switch's address; one of our own making for a Unix socket, or for a name."""
    try:
        dialled = Endpoint.parse(peer if peer.startswith(_DIALLED) else f"tcp:{peer}")
        return Address.of(dialled.host, dialled.port)
    except ValueError:
        return Address.of(LOOPBACK, _FIRST_PORT + number % _PORTS)
