"""The controller and a real Open vSwitch: TLS from either side, roles of two controllers."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from controller import App, Controller, Datapath
from controller.certificates import make
from protocol import FlowMod, Match, Output, PacketIn, Port, RequestError, Role
from protocol.endpoint import Endpoint
from protocol.errors import RoleRequestFailedCode
from protocol.transport.tls import TlsFiles

from ..controller.fakes import eventually
from . import ovs
from .ovs import OpenVSwitch

pytestmark = pytest.mark.interop
pytest.importorskip("cryptography", reason="cryptography, which makes certificates")

FREE = Endpoint.parse("pssl:0")


@pytest.fixture(scope="module")
def switch() -> Iterator[OpenVSwitch]:
    """Run an Open vSwitch whose ports are dummies."""
    if reason := ovs.missing_tools():
        pytest.skip(reason)
    with OpenVSwitch(dummy=True) as running:
        yield running


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    """Return a directory as `pointsman tls init` makes it."""
    make(tmp_path / "tls")
    return tmp_path / "tls"


def files_of(directory: Path, side: str) -> TlsFiles:
    """Return one side's files."""
    names = (f"{side}.key", f"{side}.pem", "ca.pem")
    return TlsFiles(*(str(directory / name) for name in names))


@asynccontextmanager
async def running(*apps: App, tls: TlsFiles | None = None) -> AsyncIterator[Controller]:
    """Run a controller."""
    controller = Controller(apps, tls=tls)
    try:
        yield controller
    finally:
        await controller.close()


@pytest.fixture
def bridge(switch: OpenVSwitch) -> Iterator[str]:
    """Return a bridge without a controller."""
    yield switch.add_bridge("brc", datapath_id=0xC, ports={1: "c1", 2: "c2"})
    switch.vsctl("del-br", "brc")


def secure(switch: OpenVSwitch, files: TlsFiles) -> None:
    """Give Open vSwitch its files, as `tls init` prints it."""
    switch.vsctl("set-ssl", files.private_key, files.certificate, files.ca_cert)


async def test_open_vswitch_dials_us_over_tls(switch: OpenVSwitch, bridge: str, tls: Path) -> None:
    secure(switch, files_of(tls, "switch"))
    async with running(tls=files_of(tls, "controller")) as controller:
        bound = await controller.listen(FREE)
        switch.set_controller(bridge, f"ssl:127.0.0.1:{bound.port}")
        await eventually(lambda: 0xC in controller.datapaths)


async def test_we_dial_open_vswitch_over_tls(
    switch: OpenVSwitch, bridge: str, tls: Path, unused_port: int
) -> None:
    secure(switch, files_of(tls, "switch"))
    switch.set_controller(bridge, f"pssl:{unused_port}:127.0.0.1")
    async with running(tls=files_of(tls, "controller")) as controller:
        controller.dial(Endpoint.parse(f"ssl:127.0.0.1:{unused_port}"))
        await eventually(lambda: 0xC in controller.datapaths)


@pytest.fixture
def unused_port() -> int:
    """Return a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("wrong", "the peer's certificate is not trusted"),
        ("expired", "certificate has expired"),
        ("missing", "the peer speaks no TLS"),
    ],
)
async def test_a_bad_certificate_is_refused_with_a_sentence(
    fault: str,
    sentence: str,
    switch: OpenVSwitch,
    bridge: str,
    tls: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "controller")
    make(tmp_path / "other", days=0 if fault == "expired" else 30)
    secure(switch, replace(files_of(tmp_path / "other", "switch"), ca_cert=str(tls / "ca.pem")))
    ours = files_of(tls, "controller")
    if fault == "expired":
        ours = replace(ours, ca_cert=str(tmp_path / "other" / "ca.pem"))
    async with running(tls=ours) as controller:
        bound = await controller.listen(FREE)
        kind = "tcp" if fault == "missing" else "ssl"
        switch.set_controller(bridge, f"{kind}:127.0.0.1:{bound.port}")
        await eventually(lambda: sentence in caplog.text)
        assert not controller.datapaths


class Counting(App):
    """Counts the packet-ins that it gets."""

    def __init__(self) -> None:
        self.packets = 0

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        self.packets += 1


@pytest.mark.parametrize("version", ["10", "13", "15"])
async def test_two_controllers_pass_the_role_of_the_master_on(
    switch: OpenVSwitch, version: str
) -> None:
    apps = Counting(), Counting()
    async with running(apps[0]) as one, running(apps[1]) as other:
        ports = [(await each.listen(Endpoint.parse("ptcp:0"))).port for each in (one, other)]
        name = switch.add_bridge(
            "brr", datapath_id=0xD, ports={1: "r1", 2: "r2"}, protocols=f"OpenFlow{version}"
        )
        try:
            targets = [f"tcp:127.0.0.1:{port}" for port in ports]
            switch.vsctl("set-controller", name, *targets)
            await eventually(lambda: 0xD in one.datapaths and 0xD in other.datapaths)
            await hand_over(switch, apps, one.datapaths[0xD], other.datapaths[0xD], version)
        finally:
            switch.vsctl("del-br", name)


async def hand_over(
    switch: OpenVSwitch, apps: tuple[Counting, Counting], a: Datapath, b: Datapath, version: str
) -> None:
    """Let the role go from one controller to the other, with packets before and after."""
    assert await a.set_role(Role.MASTER, 1) is Role.MASTER
    assert await b.set_role(Role.SLAVE, 1) is Role.SLAVE
    a.add_flow(Match(), [Output(Port.CONTROLLER)], priority=0)
    await a.barrier()
    with pytest.raises(RequestError):
        await b.confirm(FlowMod(Match(), priority=1))
    receive(switch)
    await eventually(lambda: apps[0].packets == 1)
    assert await b.set_role(Role.MASTER, 2) is Role.MASTER
    if version != "10":  # Nicira's roles have no generations
        with pytest.raises(RequestError) as raised:
            await a.set_role(Role.MASTER, 1)
        assert raised.value.error.code == RoleRequestFailedCode.STALE
    receive(switch)
    await eventually(lambda: apps[1].packets == 1)
    await asyncio.gather(a.barrier(), b.barrier())
    assert [app.packets for app in apps] == [1, 1]


def receive(switch: OpenVSwitch) -> None:
    """Let a frame come in by the first port."""
    frame = "ffffffffffff 0200000000aa 0806".replace(" ", "") + "00" * 46
    switch.appctl("netdev-dummy/receive", "r1", frame)
