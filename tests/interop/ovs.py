"""A real Open vSwitch of one's own, for tests: its files in one directory, its end certain.

    with OpenVSwitch() as ovs:
        bridge = ovs.add_bridge("br0", datapath_id=1, controller="tcp:127.0.0.1:6653")
        ovs.ofctl("13", "add-flow", bridge, "actions=flood")

It is started beside a system's own and touches nothing of that, but two with packets need
network namespaces of their own: their interfaces have the same names. Bridges are of the userspace
datapath (netdev), which needs root and /dev/net/tun for the port that has the bridge's name.
With `dummy=True` there is no such port, nor any packet, and neither is needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

SCHEMAS = (
    Path("/usr/share/openvswitch/vswitch.ovsschema"),
    Path("/usr/local/share/openvswitch/vswitch.ovsschema"),
)
TOOLS = ("ovsdb-tool", "ovsdb-server", "ovs-vswitchd", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")
PROTOCOLS = "OpenFlow10,OpenFlow11,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15"
TUN = Path("/dev/net/tun")

PATIENCE = 20.0  # seconds that a daemon or a command may take
_POLL = 0.02  # seconds between two looks; the daemons have no other way to say that they are up


def missing_tools() -> str:
    """Return why Open vSwitch cannot be started here, empty if it can."""
    lost = [tool for tool in TOOLS if not _find(tool)]
    if lost:
        return f"not installed: {', '.join(lost)}"
    return "" if _schema() else "Open vSwitch's schema is not installed"


def missing_for_packets() -> str:
    """Return why a bridge cannot carry packets here, empty if it can."""
    if fault := missing_tools():
        return fault
    if os.geteuid() != 0:
        return "a userspace bridge of Open vSwitch needs root"
    return "" if TUN.exists() else f"a userspace bridge of Open vSwitch needs {TUN}"


class OpenVSwitch:
    """ovsdb-server and ovs-vswitchd for the time of a `with`."""

    def __init__(self, *, dummy: bool = False) -> None:
        self.dummy = dummy
        self._directory = Path()
        self._daemons: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        # The names of Unix sockets are short: the directory stands right below the temporary one.
        self._directory = Path(tempfile.mkdtemp(prefix="ovs-"))
        try:
            self._start_database()
            self._start_switch()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the daemons and remove what they wrote, and the interfaces that they made."""
        if len(self._daemons) == 2 and all(daemon.poll() is None for daemon in self._daemons):
            for bridge in self.bridges():  # whose interfaces would outlive it
                self.vsctl("del-br", bridge)
        for daemon in reversed(self._daemons):
            daemon.terminate()
            try:
                daemon.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self._daemons.clear()
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The number of ovs-vswitchd's process."""
        return self._daemons[-1].pid

    # Commands

    def vsctl(self, *arguments: str) -> str:
        """Run ovs-vsctl; return what it prints. Raises RuntimeError with what it says."""
        return self._run("ovs-vsctl", f"--timeout={PATIENCE:.0f}", f"--db={self._db}", *arguments)

    def appctl(self, *arguments: str) -> str:
        """Run ovs-appctl on the switch; return what it prints."""
        return self._run("ovs-appctl", "-t", str(self._control("ovs-vswitchd")), *arguments)

    def ofctl(self, version: str, command: str, target: str, *arguments: str) -> str:
        """Run ovs-ofctl at `target`, a bridge or an endpoint, with a version like "13"."""
        if (bridge := self.management(target)).exists():
            target = f"unix:{bridge}"
        return ofctl(version, command, target, *arguments)

    def log(self) -> str:
        """Return what ovs-vswitchd wrote to its log."""
        return (self._directory / "ovs-vswitchd.log").read_text(errors="replace")

    def management(self, bridge: str) -> Path:
        """Return the Unix socket on which a bridge takes controllers, as ovs-ofctl is one."""
        return self._directory / f"{bridge}.mgmt"

    # Bridges

    def bridges(self) -> list[str]:
        """Return the names of the bridges."""
        return self.vsctl("list-br").split()

    def add_bridge(
        self,
        name: str,
        *,
        datapath_id: int = 1,
        ports: Mapping[int, str] | None = None,
        controller: str = "",
        protocols: str = PROTOCOLS,
        options: Sequence[str] = (),
    ) -> str:
        """Add a bridge and return its name.

        `ports` are interfaces by OpenFlow port number: they exist, or, of a dummy, need not.
        `controller` is an endpoint, tcp:HOST:PORT or ptcp:PORT:HOST. `options` are settings of
        the bridge's row, like other_config:… or stp_enable=true.
        """
        kind = "dummy" if self.dummy else "netdev"
        self.vsctl(
            *("add-br", name, "--", "set", "bridge", name, f"datapath_type={kind}"),
            *("fail_mode=secure", f"protocols={protocols}", "other_config:disable-in-band=true"),
            *(f"other_config:datapath-id={datapath_id:016x}", *options),
        )
        for number, interface in (ports or {}).items():
            self.add_port(name, number, interface)
        if controller:
            self.set_controller(name, controller)
        return name

    def add_port(self, bridge: str, number: int, interface: str) -> None:
        """Give a bridge an interface as this OpenFlow port."""
        kind = ["type=dummy"] if self.dummy else []
        self.vsctl(
            *("add-port", bridge, interface, "--", "set", "interface", interface),
            *(f"ofport_request={number}", *kind),
        )

    def set_controller(self, bridge: str, endpoint: str) -> None:
        """Let a bridge connect to a controller, or listen; it asks for no sign of life."""
        self.vsctl("set-controller", bridge, endpoint)
        # A primary controller that connects by itself gets asynchronous messages, too.
        self.vsctl(
            *("set", "controller", bridge, "type=primary", "connection_mode=out-of-band"),
            *("max_backoff=1000", "inactivity_probe=0"),
        )

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until a condition holds; RuntimeError with the log if it never does."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise RuntimeError(f"{what}: not within {PATIENCE:g} s\n{self.log()}")
            time.sleep(_POLL)

    def is_connected(self, bridge: str) -> bool:
        """Return whether a bridge has a controller."""
        return "true" in self.vsctl("--columns=is_connected", "list", "controller", bridge)

    # Daemons

    @property
    def _db(self) -> str:
        return f"unix:{self._directory / 'db.sock'}"

    def _control(self, daemon: str) -> Path:
        return self._directory / f"{daemon}.ctl"

    def _start_database(self) -> None:
        database, schema = str(self._directory / "conf.db"), _schema()
        self._run("ovsdb-tool", "create", database, str(schema))
        self._start("ovsdb-server", database, f"--remote=p{self._db}")
        # flow-limit=0: without a cache a flow_mod acts on the next packet, counters are exact.
        self.vsctl(
            *("--no-wait", "init", "--", "set", "Open_vSwitch", "."),
            *("other_config:flow-limit=0", "other_config:vlan-limit=0"),
        )

    def _start_switch(self) -> None:
        dummy = ["--enable-dummy=override"] if self.dummy else []
        self._start("ovs-vswitchd", self._db, *dummy)

    def _start(self, daemon: str, *arguments: str) -> None:
        control = self._control(daemon)
        process = subprocess.Popen(
            [
                *(_find(daemon) or daemon, *arguments, f"--unixctl={control}"),
                *("-vconsole:off", f"--log-file={self._directory / daemon}.log"),
            ],
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._daemons.append(process)
        end = time.monotonic() + PATIENCE
        while not control.exists():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{daemon} does not start")
            time.sleep(_POLL)

    def _environment(self) -> dict[str, str]:
        places = dict.fromkeys(("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR"), str(self._directory))
        return {**os.environ, **places}

    def _run(self, *command: str) -> str:
        return run(command, self._environment())


def ofctl(version: str, command: str, target: str, *arguments: str) -> str:
    """Run ovs-ofctl at an endpoint with a version like "13"; return what it prints.

    Raises RuntimeError with what it says where it fails.
    """
    timeout = f"--timeout={PATIENCE:.0f}"
    return run(["ovs-ofctl", timeout, "-O", f"OpenFlow{version}", command, target, *arguments])


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Run a program; return what it prints, or raise RuntimeError with what it says."""
    program = _find(command[0]) or command[0]
    done = subprocess.run(
        [program, *command[1:]],
        capture_output=True,
        text=True,
        env=environment,
        timeout=2 * PATIENCE,
        check=False,
    )
    if done.returncode or "|WARN|" in done.stderr:
        raise RuntimeError(f"{' '.join(command)}: status {done.returncode}: {done.stderr}")
    return done.stdout


def _find(tool: str) -> str | None:
    """Return where a tool is; daemons are not in everybody's PATH."""
    return shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/sbin:/usr/local/sbin")


def _schema() -> Path | None:
    return next((path for path in SCHEMAS if path.exists()), None)
