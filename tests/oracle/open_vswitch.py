"""An Open vSwitch of its own, without a kernel or a network, that tells its bytes.

`Switch` runs ovsdb-server and ovs-vswitchd with the dummy datapath in a directory that is
thrown away. `Switch.ofctl` lets ovs-ofctl speak to it through a socket that listens in.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from protocol import Version

PROGRAMS = ("ovsdb-tool", "ovsdb-server", "ovs-vswitchd", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")
SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")
PATIENCE = 10.0  #: seconds that a program may take
HEADER = struct.Struct(">BBHI")
DATAPATH_ID = 0x0000_0000_0000_002A
BRIDGE_MAC = "00:00:00:00:00:2a"
PORT_MAC = "aa:55:aa:55:00:01"


def is_installed() -> bool:
    """Whether all that is needed is here."""
    return SCHEMA.is_file() and all(shutil.which(program) for program in PROGRAMS)


class Switch:
    """A bridge br0 with the port p1, number 1, that speaks all six versions."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="ovs-")
        self.path = Path(self._directory.name)
        self._running: list[subprocess.Popen[bytes]] = []
        self._environment = os.environ | {
            f"OVS_{kind}DIR": str(self.path) for kind in ("RUN", "LOG", "DB", "SYSCONF")
        }

    def __enter__(self) -> Self:
        self._run("ovsdb-tool", "create", "conf.db", str(SCHEMA))
        self._start("ovsdb-server", "conf.db", "--remote=punix:db.sock", "--unixctl=db.ctl")
        self._wait_for("db.sock")
        self._vsctl("--no-wait", "init")
        self._start(
            "ovs-vswitchd", "unix:db.sock", "--enable-dummy", "--disable-system", "--unixctl=sw.ctl"
        )
        self._vsctl(
            *("add-br", "br0", "--", "set", "bridge", "br0", "datapath-type=dummy"),
            *("fail-mode=secure", f"other-config:hwaddr={BRIDGE_MAC}"),
            f"other-config:datapath-id={DATAPATH_ID:016x}",
            "protocols=" + ",".join(f"OpenFlow1{version - 1}" for version in Version),
            *("--", "add-port", "br0", "p1", "--", "set", "interface", "p1", "type=dummy"),
            *("ofport_request=1", f'mac="{PORT_MAC}"'),
        )
        self._wait_for("br0.mgmt")
        self.appctl("time/stop")
        return self

    def __exit__(self, *_: object) -> None:
        for program in reversed(self._running):
            program.terminate()
        for program in self._running:
            program.wait(PATIENCE)
        self._directory.cleanup()

    def _run(self, *command: str, may_fail: bool = False) -> str:
        done = subprocess.run(
            command,
            cwd=self.path,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode and not may_fail:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
        return done.stdout

    def _start(self, *command: str) -> None:
        self._running.append(
            subprocess.Popen(
                command,
                cwd=self.path,
                env=self._environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    def _wait_for(self, name: str) -> None:
        end = time.monotonic() + PATIENCE
        while not (self.path / name).exists():
            if time.monotonic() > end:
                raise TimeoutError(f"Open vSwitch has made no {name}")
            time.sleep(0.01)

    def _vsctl(self, *arguments: str) -> None:
        self._run("ovs-vsctl", "--db=unix:db.sock", *arguments)

    def appctl(self, *arguments: str) -> str:
        """Ask ovs-vswitchd itself."""
        return self._run("ovs-appctl", "-t", str(self.path / "sw.ctl"), *arguments)

    def ofctl(
        self,
        version: Version,
        command: str,
        *arguments: str,
        strict: bool = False,
        nicira: bool = False,
    ) -> list[bytes]:
        """Run a command of ovs-ofctl, and return all messages that went either way.

        In OF1.0 it says what it can without Nicira's messages, unless they are asked for.
        """
        form = f"OpenFlow1{version - 1}"
        options = ["-F", "OpenFlow10"] if version == 1 and not nicira else []
        options += ["--strict"] if strict else []
        with Listener(self.path / "br0.mgmt", self.path / "listen.sock") as listener:
            self._run(  # what the switch refuses was said all the same
                *("ovs-ofctl", "-O", form, *options, command, "unix:listen.sock", *arguments),
                may_fail=True,
            )
        return listener.messages()

    def talk(self, version: Version) -> Channel:
        """Return a channel to the switch, greeted, that gets what a controller gets."""
        return Channel(self.path / "br0.mgmt", version)


class Listener:
    """A socket that passes on all it gets, and keeps it."""

    def __init__(self, switch: Path, path: Path) -> None:
        self._switch, self._path = switch, path
        self._heard: list[bytearray] = []
        self._threads: list[threading.Thread] = []
        self._server = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> Self:
        self._server.bind(str(self._path))
        self._server.listen()
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        self._server.close()
        self._path.unlink()

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:  # it was shut down
                return
            self._begin(self._pass_on, client)

    def _pass_on(self, client: socket.socket) -> None:
        switch = socket.socket(socket.AF_UNIX)
        switch.connect(str(self._switch))
        ways = {client: (switch, bytearray()), switch: (client, bytearray())}
        self._heard += [heard for _, heard in ways.values()]
        with client, switch:
            while True:
                for one in select.select(list(ways), [], [])[0]:
                    if not (data := one.recv(65536)):
                        return
                    other, heard = ways[one]
                    heard += data
                    other.sendall(data)

    def messages(self) -> list[bytes]:
        """Return what ovs-ofctl said, and what it was answered, connection by connection."""
        return [message for heard in self._heard for message in split(bytes(heard))]


class Channel:
    """A controller's side, that writes its few messages by hand."""

    def __init__(self, path: Path, version: Version) -> None:
        self.version = version
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(str(path))
        self._heard = b""
        self.say(0)
        self.say(9, struct.pack(">HH", 0, 0xFFFF))  # set_config: with it messages come

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def say(self, number: int, body: bytes = b"") -> None:
        """Send a message, which is a number and bytes."""
        self._socket.sendall(HEADER.pack(self.version, number, HEADER.size + len(body), 7) + body)

    def hear(self, number: int) -> bytes:
        """Return the next message of that number."""
        while True:
            for message in split(self._heard):
                self._heard = self._heard[len(message) :]
                if message[1] == number:
                    return message
            if not (data := self._socket.recv(65536)):
                raise EOFError(f"Open vSwitch has said no message {number}")
            self._heard += data

    def settle(self) -> None:
        """Wait until the switch has done all that it was told before."""
        self.say(18 if self.version == 1 else 20)
        self.hear(19 if self.version == 1 else 21)


def split(data: bytes) -> Iterator[bytes]:
    """Return the whole messages that `data` begins with."""
    while len(data) >= HEADER.size and len(data) >= (length := HEADER.unpack_from(data)[2]):
        yield data[:length]
        data = data[length:]
