"""The same entries and frames for a real Open vSwitch and for ours: what left where.

The real one has a datapath without interfaces: frames are put in by a command, and those
that leave stand in a capture of each port. So neither root nor a kernel is needed.
"""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from protocol import (
    OF13,
    BarrierReply,
    BarrierRequest,
    ErrorCode,
    ErrorMsg,
    Message,
    PortDesc,
)
from protocol.connection import Connection, Opened
from protocol.symmetric import UnknownError
from switch_sim import Session, Switch

from . import ovs
from .test_ovs_ofctl import entries

PORTS = 6
_MARK_PORT = 9  # where frames go that only tell that those before them are done
_MARK = bytes.fromhex("0000000000990000000000988899") + bytes(46)
_MARK_FLOW = f"priority=65535,dl_type=0x8899,actions=output:{_MARK_PORT}"
_VERSION = "13"  # of commands that are the same in all


def _format(version: str) -> list[str]:
    """Return the option that lets OF1.0 name tables and Nicira's fields."""
    return ["--flow-format=NXM+table_id"] if version == "10" else []


Left = dict[int, list[bytes]]  #: the frames that left, by port


class Teller:
    """A controller that says one thing, over a socket."""

    def __init__(self, peer: socket.socket) -> None:
        self._peer, self._connection = peer, Connection(0.0, (OF13,), echo_interval=0)
        peer.settimeout(ovs.PATIENCE)

    def refusal(self, message: Message) -> ErrorCode | UnknownError | None:
        """Return the code of the error that a message meets, None if it is done."""
        with self._peer:
            return self._refusal(message)

    def _refusal(self, message: Message) -> ErrorCode | UnknownError | None:
        self._until(Opened)
        self._connection.send(message)
        self._connection.send(BarrierRequest())
        errors = [one for one in self._until(BarrierReply) if isinstance(one, ErrorMsg)]
        return errors[0].code if errors else None

    def _until(self, kind: type) -> list[object]:
        """Send what is queued, and return what comes up to an event of this kind."""
        seen: list[object] = []
        while not any(isinstance(one, kind) for one in seen):
            if data := self._connection.data_to_send():
                self._peer.sendall(data)
            data = self._peer.recv(65536)
            if not data:
                raise RuntimeError("the switch ended the channel")
            seen += self._connection.receive_data(data, 0.0)
        return seen


class Dummy(Protocol):
    """A switch that takes entries as users of ovs-ofctl write them, and frames."""

    def install(self, flows: Sequence[str], version: str = "13") -> None:
        """Forget all entries and connections, and take these."""

    def send(self, in_port: int, frame: bytes) -> Left:
        """Return what leaves when a frame comes in."""

    def flows(self, *selection: str) -> list[str]:
        """Return the entries as ovs-ofctl prints them, without counters and in order."""


class Theirs:
    """Open vSwitch's own."""

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="ovs-pcap-")
        self._ovs = ovs.OpenVSwitch(dummy=True).__enter__()
        names = {number: f"p{number}" for number in (*range(1, PORTS + 1), _MARK_PORT)}
        self._bridge = self._ovs.add_bridge("br0", ports=names)
        for number, name in names.items():
            option = f"options:tx_pcap={self._path(number)}"
            self._ovs.vsctl("set", "interface", name, option)
        self._seen = dict.fromkeys(names, 24)  # bytes of each capture's own header
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ovs.close()
        self._directory.cleanup()

    def _path(self, port: int) -> Path:
        return Path(self._directory.name) / f"p{port}.pcap"

    def install(self, flows: Sequence[str], version: str = "13") -> None:
        self._ovs.ofctl(_VERSION, "del-flows", self._bridge)
        self._ovs.appctl("dpctl/flush-conntrack")
        file = Path(self._directory.name) / "flows"
        file.write_text("\n".join((_MARK_FLOW, *flows)))
        self._ovs.ofctl(version, "add-flows", self._bridge, *_format(version), str(file))

    def send(self, in_port: int, frame: bytes) -> Left:
        for data in (frame, _MARK):
            self._ovs.appctl("netdev-dummy/receive", f"p{in_port}", data.hex())
        end = time.monotonic() + ovs.PATIENCE
        while not self._news(_MARK_PORT):
            if time.monotonic() > end:
                raise RuntimeError(f"the frame does not come through\n{self._ovs.log()}")
            time.sleep(0.01)
        found = {port: self._news(port) for port in range(1, PORTS + 1)}
        return {port: frames for port, frames in found.items() if frames}

    def flows(self, *selection: str) -> list[str]:
        return entries(self._ovs.ofctl(_VERSION, "dump-flows", self._bridge, *selection))

    def teller(self) -> Teller:
        """Return a controller that is connected."""
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        peer.connect(str(self._ovs.management(self._bridge)))
        return Teller(peer)

    def _news(self, port: int) -> list[bytes]:
        """Return the frames that a capture has got since we looked last."""
        path = self._path(port)
        data = path.read_bytes()[self._seen[port] :] if path.exists() else b""
        frames, at = [], 0
        while len(data) >= at + 16:
            size = int.from_bytes(data[at + 8 : at + 12], "little")
            if len(data) < at + 16 + size:
                break
            frames.append(data[at + 16 : at + 16 + size])
            at += 16 + size
        self._seen[port] += at
        return frames


class Ours:
    """A simulated switch; ovs-ofctl talks to it over a socket of its own thread."""

    def __enter__(self) -> Self:
        self.switch = Switch(
            1, [PortDesc(n, name=f"p{n}") for n in (*range(1, PORTS + 1), _MARK_PORT)]
        )
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp:127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(ovs.PATIENCE)

    def install(self, flows: Sequence[str], version: str = "13") -> None:
        ovs.ofctl(_VERSION, "del-flows", self.endpoint)
        self.switch.datapath.nicira.conntrack.flush(lambda one: True)
        with tempfile.NamedTemporaryFile("w", prefix="flows-") as file:
            file.write("\n".join(flows))
            file.flush()
            ovs.ofctl(version, "add-flows", self.endpoint, *_format(version), file.name)

    def send(self, in_port: int, frame: bytes) -> Left:
        left: defaultdict[int, list[bytes]] = defaultdict(list)
        for port, data in self.switch.receive_frame(in_port, frame, 0.0).frames:
            left[port].append(data)
        left.pop(_MARK_PORT, None)  # theirs floods to it, too, which we do not tell from marks
        return dict(left)

    def flows(self, *selection: str) -> list[str]:
        return entries(ovs.ofctl(_VERSION, "dump-flows", self.endpoint, *selection))

    def teller(self) -> Teller:
        """Return a controller that is connected."""
        _, host, port = self.endpoint.split(":")
        return Teller(socket.create_connection((host, int(port))))

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return  # the test is over
            with peer:
                self._talk(peer)

    def _talk(self, peer: socket.socket) -> None:
        connection, session = Connection(0.0, echo_interval=0), None
        peer.sendall(connection.data_to_send())
        while data := peer.recv(65536):
            for event in connection.receive_data(data, 0.0):
                if isinstance(event, Opened):
                    session = self.switch.connect(event.version)
                elif isinstance(event, Message) and session is not None:
                    self._answer(connection, session, event)
            peer.sendall(connection.data_to_send())
        if session is not None:
            self.switch.disconnect(session)

    def _answer(self, connection: Connection, session: Session, message: Message) -> None:
        for _, answer in self.switch.handle(session, message, 0.0).messages:
            connection.send(answer, answer.xid)
