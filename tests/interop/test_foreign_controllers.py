"""Controllers of other people bring a tree of seven simulated switches to full connectivity.

They also answer all that `pointsman load` puts on them. docs/controllers.md tells how to do the
same by hand, and with POX and Faucet.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from protocol import OF10, OF11, OF13, Version
from protocol.endpoint import Endpoint
from switch_sim.load.outcome import Outcome
from switch_sim.load.plan import Mode, Plan
from switch_sim.load.processes import run_in_processes
from switch_sim.load.sockets import Place

from ..oracle import os_ken
from . import ovs

pytestmark = pytest.mark.interop

ROOT = Path(__file__).parents[2]
TOPOLOGY, PINGS = "tree,3,2", 56  # seven switches, eight hosts
OS_KEN_APP = Path(__file__).with_name("osken_learning_switch.py")
START_TIME = 60.0  # seconds in which a controller must have come up
POLL = 0.05


@contextmanager
def running(command: list[str], is_up: list[str]) -> Iterator[None]:
    """Run a controller beside the test; `is_up` is an endpoint's kind and place."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        end = time.monotonic() + START_TIME
        while not answers(*is_up):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < end, f"{command[0]} does not listen"
            time.sleep(POLL)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=ovs.PATIENCE)


def answers(family: str, place: str) -> bool:
    unix = family == "unix"
    with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as probe:
        return probe.connect_ex(place if unix else ("127.0.0.1", int(place))) == 0


def ping_all(controller: str, version: Version) -> subprocess.CompletedProcess[str]:
    """Let every host of the tree ping every other."""
    arguments = ["--topology", TOPOLOGY, "--controller", controller, "--of-version", str(version)]
    return subprocess.run(
        [sys.executable, "-m", "switch_sim", *arguments, "--ping-all"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def testcontroller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where ovs-testcontroller listens: a Unix socket, which nobody else can take."""
    program = shutil.which("ovs-testcontroller")
    if program is None:
        pytest.skip("ovs-testcontroller is not installed")
    directory = tmp_path_factory.mktemp("c")
    path, control = str(directory / "c"), str(directory / "ctl")
    command = [program, f"punix:{path}", f"--unixctl={control}", "--no-chdir", "-vconsole:warn"]
    with running(command, ["unix", path]):
        yield f"unix:{path}"


@pytest.fixture(scope="module")
def os_ken_app() -> Iterator[str]:
    """Where the application for os-ken listens: a port that was free a moment ago."""
    if not os_ken.is_installed():
        pytest.skip("os-ken is not installed")
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = str(found.getsockname()[1])
    with running([sys.executable, str(OS_KEN_APP), port], ["tcp", port]):
        yield f"tcp:127.0.0.1:{port}"


@pytest.mark.parametrize("version", Version, ids=str)
def test_ovs_testcontroller(testcontroller: str, version: Version) -> None:
    done = ping_all(testcontroller, version)
    assert f"{PINGS} of {PINGS} pings came back" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("version", sorted(set(Version) - {OF11}), ids=str)
def test_a_learning_switch_of_os_ken(os_ken_app: str, version: Version) -> None:
    done = ping_all(os_ken_app, version)
    assert f"{PINGS} of {PINGS} pings came back" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def answered(controller: str, version: Version, mode: Mode, buffered: bool) -> Outcome:
    """Put some load on a controller, and see that it answered all of it."""
    plan = Plan(
        mode,
        frozenset({version}),
        switches=4,
        hosts=16,
        window=4,
        buffered=buffered,
        warm_up=0.0,
        duration=0.2,
        settle=0.1,
    )
    place = Place.of(Endpoint.parse(controller))
    found = run_in_processes(plan, 1, place, None, lambda progress: None)
    assert (found.switches, found.errors) == (4, {})
    assert found.answered > 10
    assert (found.tally.lost, found.tally.strays) == (0, 0)
    return found


@pytest.mark.parametrize("version", Version, ids=str)
@pytest.mark.parametrize("mode", [Mode.THROUGHPUT, Mode.UNLEARNING])
def test_ovs_testcontroller_lets_a_packet_go_by_the_entry_that_it_adds(
    testcontroller: str, version: Version, mode: Mode
) -> None:
    found = answered(testcontroller, version, mode, buffered=True)
    assert found.packet_outs == 0
    assert found.flow_mods == found.answered


@pytest.mark.parametrize("version", [OF10, OF13], ids=str)
def test_ovs_testcontroller_sends_packets_back_that_no_switch_keeps(
    testcontroller: str, version: Version
) -> None:
    found = answered(testcontroller, version, Mode.THROUGHPUT, buffered=False)
    assert found.packet_outs == pytest.approx(found.answered, abs=16)


@pytest.mark.parametrize("version", sorted(set(Version) - {OF11}), ids=str)
@pytest.mark.parametrize("mode", [Mode.THROUGHPUT, Mode.FLAPS])
def test_os_ken_adds_an_entry_and_sends_the_packet_back(
    os_ken_app: str, version: Version, mode: Mode
) -> None:
    found = answered(os_ken_app, version, mode, buffered=True)
    # Of the two messages for a packet the time that is measured may have the first alone.
    assert found.flow_mods == pytest.approx(found.packet_outs, abs=16)
    assert found.packet_outs == pytest.approx(found.answered, abs=16)
