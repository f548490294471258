"""Hosts in network namespaces of their own, joined by cables that end with the run.

`isolated` runs a module of the tests inside fresh network and process namespaces: whatever
it makes (interfaces, addresses, programs) belongs to that run alone, and the kernel takes
it all back when the run ends. Root is required, nothing outside is touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0  #: seconds that anything may take to become ready


def why_not() -> str:
    """Return why namespaces cannot be had here, or nothing if they can."""
    if missing := [name for name in ("unshare", "nsenter", "ip", "ping") if not shutil.which(name)]:
        return f"{', '.join(missing)} is not installed"
    if os.geteuid() != 0:
        return "network namespaces need root"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "network namespaces are not allowed here"


def isolated(module: str, *arguments: str, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run a module of the tests in namespaces of its own."""
    fresh = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
    return subprocess.run(
        [*fresh, sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run(*command: str, may_fail: bool = False) -> str:
    """Run a command and return what it prints; RuntimeError if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode and not may_fail:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def loopback_up() -> None:
    """Make 127.0.0.1 work in a new namespace, and keep IPv6's own packets away."""
    run("ip", "link", "set", "lo", "up")
    for scope in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6").write_text("1")


def wait_for(ready: Callable[[], bool], what: str) -> None:
    """Wait until something holds; TimeoutError if it does not in time."""
    end = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} within {PATIENCE:g} s")
        time.sleep(0.05)


def cable(one: str, other: str) -> None:
    """Join two new interfaces; the packets on them carry real checksums."""
    run("ip", "link", "add", one, "type", "veth", "peer", "name", other)
    for name in (one, other):
        offloads = ("rx", "off", "tx", "off", "sg", "off", "tso", "off", "gso", "off", "gro", "off")
        run("ethtool", "-K", name, *offloads, may_fail=True)
        run("ip", "link", "set", name, "up")


class Host:
    """A network namespace with one interface and an address."""

    def __init__(self, interface: str, address: str) -> None:
        self.address = address
        self._process = subprocess.Popen(["unshare", "--net", "sleep", "300"])
        ours = os.readlink("/proc/self/ns/net")
        space = f"/proc/{self._process.pid}/ns/net"
        wait_for(lambda: os.readlink(space) != ours, "a host has no namespace")
        run("ip", "link", "set", interface, "netns", str(self._process.pid))
        self.run("ip", "address", "add", f"{address}/24", "dev", interface)
        self.run("ip", "link", "set", interface, "up")

    def run(self, *command: str, may_fail: bool = False) -> str:
        """Run a command there."""
        enter = ("nsenter", "--net", "--target", str(self._process.pid))
        return run(*enter, *command, may_fail=may_fail)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command there, whose output is read by the caller."""
        enter = ("nsenter", "--net", "--target", str(self._process.pid))
        return subprocess.Popen([*enter, *command], stdout=subprocess.PIPE, text=True)

    def end(self) -> None:
        """End the namespace, and with it its interface."""
        self._process.terminate()
        self._process.wait(PATIENCE)

    def reaches(self, other: Host) -> bool:
        """Whether a ping comes back."""
        return "1 received" in self.run("ping", "-c", "1", "-W", "3", other.address, may_fail=True)
