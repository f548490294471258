"""A simulated switch between real hosts: its ports are veths and a tap.

Run in namespaces of its own by test_real_ports.py. It prints one JSON object: what came
through, what the switch told, and how commands ended that could not work.
"""

from __future__ import annotations

import asyncio
import json
import re
import select
import subprocess
import sys
import time
from typing import Any

from protocol import (
    OF13,
    ApplyActions,
    FeaturesReply,
    FeaturesRequest,
    FlowMod,
    Output,
    Port,
    PortDescReply,
    PortDescRequest,
    PortState,
    PortStatus,
)
from protocol.endpoint import Endpoint
from protocol.ports import PortStatsReply, PortStatsRequest
from switch_sim.interfaces import Tap
from tests.switch_sim.controller_side import ControllerSide, connect

from .namespaces import Host, cable, loopback_up, run

PORTS = ("1=s1", "2=s2", "3=s3", "4=s4", "5=s5", "6=s6", "9=tap:t9")
NAMES = ("s1", "s2", "s3", "s4", "s5", "s6", "t9")
SIZE = 1 << 20  #: bytes sent by TCP
TAGS = {
    "none": "",
    "802.1Q": "8100 2005",
    "802.1ad": "88a8 e006",
    "priority": "8100 a000",
    "stacked": "88a8 0007 8100 0008",
    "three": "88a8 0007 88a8 1009 8100 0008",
}  #: of frames that the switch carries, in hex
OVERSIZED = "20000"  #: bytes of a ping that comes in many fragments

SERVE = """
import hashlib, socket
listener = socket.create_server(("", 7))
stream, _ = listener.accept()
print(hashlib.file_digest(stream.makefile("rb"), "sha256").hexdigest())
"""
SEND = f"""
import hashlib, random, socket, sys, time
data = random.Random(1).randbytes({SIZE})
for _ in range(100):
    try:
        stream = socket.create_connection((sys.argv[1], 7))
        break
    except ConnectionRefusedError:
        time.sleep(0.1)
stream.sendall(data)
stream.close()
print(hashlib.sha256(data).hexdigest())
"""


def switches(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "switch_sim", *arguments]


async def start_switch() -> tuple[asyncio.subprocess.Process, ControllerSide]:
    """Start the switch; return its process, and a channel to it."""
    ports = [word for port in PORTS for word in ("--port", port)]
    command = switches("--datapath-id", "42", *ports, "--listen", "ptcp:0:127.0.0.1")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    found = re.search(r"listens at ptcp:(\d+)", line)
    assert found is not None, line
    return process, await connect(Endpoint("tcp", "127.0.0.1", int(found[1])), {OF13})


def plain_cable(one: str, other: str) -> None:
    """Join two interfaces as Linux does if it is not told otherwise: they do not count sums."""
    run("ip", "link", "add", one, "type", "veth", "peer", "name", other)
    for name in (one, other):
        run("ip", "link", "set", name, "up")


def tagged(tags: str) -> bytes:
    """Return a broadcast with tags, which are given as hex digits."""
    return bytes.fromhex(f"ffffffffffff 0200000000ff {tags} 88b5") + b"tagged".ljust(46, b"-")


def carried(frame: bytes, source: Tap, target: Tap) -> bool:
    """Whether a frame that comes out of one interface's cable goes into another's, as it is.

    What a tap reads and writes has its tags in it; to the switch the interface is any other.
    """
    source.send(frame)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        ready, _, _ = select.select([target], [], [], 0.1)
        if ready and frame in target.receive():
            return True
    return False


def pings(host: Host, address: str, *options: str) -> bool:
    """Whether a ping of a host comes back."""
    command = ("ping", "-c", "1", "-W", "3", *options, address)
    return "1 received" in host.run(*command, may_fail=True)


async def transfer(source: Host, target: Host) -> list[str]:
    """Send by TCP; return the digests of what was received, and of what was sent."""
    server = asyncio.to_thread(target.run, sys.executable, "-c", SERVE)
    client = asyncio.to_thread(source.run, sys.executable, "-c", SEND, target.address)
    return [text.strip() for text in await asyncio.gather(server, client)]


async def described(controller: ControllerSide) -> dict[str, Any]:
    controller.send(FeaturesRequest(), PortDescRequest())
    features = await controller.expect(FeaturesReply)
    ports = (await controller.expect(PortDescReply)).ports
    return {
        "datapath_id": features.datapath_id,
        "ports": {port.name: (port.port_no, str(port.hw_addr)) for port in ports},
        "addresses": {name: address(name) for name in NAMES},
    }


def address(interface: str) -> str:
    links = json.loads(run("ip", "-json", "link", "show", interface))
    return str(links[0]["address"])


async def told(controller: ControllerSide, *command: str) -> list[object]:
    """Run a command; return what the switch tells of a port then."""
    run(*command)
    status = await controller.expect(PortStatus)
    return [status.desc.port_no, bool(status.desc.state & PortState.LINK_DOWN)]


async def links(controller: ControllerSide, hosts: list[Host]) -> dict[str, Any]:
    """Take links away and bring them back."""
    seen: dict[str, Any] = {}
    seen["down"] = await told(controller, "ip", "link", "set", "s2", "down")
    seen["silent"] = pings(hosts[0], hosts[1].address)
    seen["up"] = await told(controller, "ip", "link", "set", "s2", "up")
    seen["reached"] = pings(hosts[0], hosts[1].address)
    seen["removed"] = await told(controller, "ip", "link", "delete", "s1")
    run("ip", "link", "add", "s1", "type", "veth", "peer", "name", "h1")
    run("ip", "link", "set", "s1", "up")
    seen["made anew"] = await told(controller, "ip", "link", "set", "h1", "up")
    seen["tap removed"] = await told(controller, "ip", "link", "delete", "t9")
    seen["reached anew"] = pings(Host("h1", hosts[0].address), hosts[1].address)
    return seen


async def dropped(controller: ControllerSide, hosts: list[Host]) -> int:
    """Let the switch send a frame that is longer than the interface can; return what it counts."""
    run("ip", "link", "set", "s4", "mtu", "1000")
    pings(hosts[2], hosts[3].address, "-s", "1400", "-M", "do")
    controller.send(PortStatsRequest(4))
    (stats,) = (await controller.expect(PortStatsReply)).ports
    return stats.tx_dropped


def refusals() -> dict[str, list[object]]:
    """Return how commands end that cannot work, and with which words."""
    drop = ("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", "--reuid=65534")
    wrong = {
        "missing": switches("--port", "1=lost0"),
        "forbidden": [*drop, "--clear-groups", *switches("--port", "1=lo")],
        "busy": switches("--port", "1=tap:t9"),
        "no tap": switches("--port", "1=tap:s1"),
    }
    done = {
        name: subprocess.run(one, capture_output=True, text=True) for name, one in wrong.items()
    }
    return {name: [one.returncode, one.stderr] for name, one in done.items()}


async def main() -> None:
    """Build, try, print."""
    loopback_up()
    for number, join in enumerate((cable, cable, plain_cable, plain_cable), 1):
        join(f"s{number}", f"h{number}")
    taps = [Tap("s5"), Tap("s6")]
    hosts = [Host(f"h{number}", f"10.0.0.{number}") for number in range(1, 5)]
    process, controller = await start_switch()
    controller.send(FlowMod(instructions=(ApplyActions((Output(Port.NORMAL),)),)))
    await controller.barrier()
    run("ip", "address", "add", "10.0.0.9/24", "dev", "t9")
    found: dict[str, Any] = await described(controller)
    found["veth"] = pings(hosts[0], hosts[1].address)
    found["tap"] = pings(hosts[0], "10.0.0.9")
    found["fragments"] = pings(hosts[0], hosts[1].address, "-s", OVERSIZED)
    found["tags"] = {name: carried(tagged(tags), *taps) for name, tags in TAGS.items()}
    found["transfer"] = await transfer(hosts[2], hosts[3])
    found["refusals"] = refusals()
    found["dropped"] = await dropped(controller, hosts)
    found["links"] = await links(controller, hosts)
    process.terminate()
    found["status"] = await process.wait()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(), 90))
