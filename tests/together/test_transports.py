"""A controller and simulated switches over TCP, TLS and Unix sockets, dialled from either side."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from controller import Controller
from controller.apps.hub import Hub
from controller.certificates import make
from protocol import ALL_VERSIONS, EchoReply, EchoRequest
from protocol.endpoint import Endpoint
from protocol.transport.tls import TlsFiles
from switch_sim.agent import Agent
from switch_sim.network import Network, single
from switch_sim.settings import Settings

from ..controller.fakes import PATIENCE, eventually

pytest.importorskip("cryptography", reason="cryptography, which makes certificates")


def files_of(directory: Path, side: str, ca: Path | None = None) -> TlsFiles:
    """Return one side's files in a directory that `make` filled, and whom it trusts."""
    trusted = (ca or directory) / "ca.pem"
    return TlsFiles(str(directory / f"{side}.key"), str(directory / f"{side}.pem"), str(trusted))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with certificates."""
    directory = tmp_path_factory.mktemp("tls") / "ours"
    make(directory)
    return directory


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with certificates of another CA."""
    directory = tmp_path_factory.mktemp("tls") / "foreign"
    make(directory)
    return directory


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[Path]:
    """Return a directory for sockets whose path is short enough."""
    here = Path.cwd()
    os.chdir(tmp_path)
    yield Path()
    os.chdir(here)


@asynccontextmanager
async def both(
    controllers: TlsFiles | None, switches: TlsFiles | None
) -> AsyncIterator[tuple[Controller, Agent]]:
    """Run a controller and a switch that do not know one another yet."""
    controller = Controller([Hub()], tls=controllers, handshake_timeout=2.0)
    settings = Settings(versions=ALL_VERSIONS, tls=switches, max_backoff=0.2)
    agent = Agent(Network(single(2)), settings)
    try:
        yield controller, agent
    finally:
        await agent.close()
        await controller.close()


def dialling(endpoint: Endpoint) -> Endpoint:
    """Return what dials an endpoint that listens."""
    return replace(endpoint, kind=endpoint.kind.removeprefix("p"))


KINDS = ["ptcp:0", "pssl:0", "punix:of.sock"]


@pytest.mark.parametrize("text", KINDS)
async def test_switches_dial_the_controller(text: str, ours: Path, sockets: Path) -> None:
    async with both(files_of(ours, "controller"), files_of(ours, "switch")) as (controller, agent):
        bound = await controller.listen(Endpoint.parse(text))
        agent.dial("s1", dialling(bound))
        await eventually(lambda: len(controller.datapaths) == 1)
        assert not await agent.ready(PATIENCE)


@pytest.mark.parametrize("text", KINDS)
async def test_the_controller_dials_switches_and_dials_again(
    text: str, ours: Path, sockets: Path
) -> None:
    async with both(files_of(ours, "controller"), files_of(ours, "switch")) as (controller, agent):
        bound = agent.listen("s1", Endpoint.parse(text))
        controller.dial(dialling(bound))
        await eventually(lambda: len(controller.datapaths) == 1)
        next(iter(controller._peers)).channel.close("for the test")
        await eventually(lambda: not controller.datapaths)
        await eventually(lambda: len(controller.datapaths) == 1)


async def test_who_is_not_there_is_told_once_and_dialled_until_it_is(
    caplog: pytest.LogCaptureFixture, sockets: Path
) -> None:
    caplog.set_level(logging.WARNING, "controller")
    async with both(None, None) as (controller, agent):
        controller.dial(Endpoint.parse("unix:of.sock"))
        await eventually(lambda: "cannot reach unix:of.sock: No such file" in caplog.text)
        agent.listen("s1", Endpoint.parse("punix:of.sock"))
        await eventually(lambda: len(controller.datapaths) == 1)
        assert caplog.text.count("cannot reach") == 1


async def a_switch_with(
    caplog: pytest.LogCaptureFixture, controllers: TlsFiles, switches: TlsFiles | None, kind: str
) -> Callable[[str], bool]:
    """Let a switch dial a controller that speaks TLS; return what looks into both logs."""
    caplog.set_level(logging.INFO)
    async with both(controllers, switches) as (controller, agent):
        bound = await controller.listen(Endpoint.parse("pssl:0"))
        agent.dial("s1", replace(bound, kind=kind))
        await eventually(lambda: "peer 127.0.0.1" in caplog.text and "closed: " in caplog.text)
        assert not controller.datapaths
    return lambda words: words in caplog.text


async def test_a_certificate_of_another_ca_is_refused_with_a_sentence(
    ours: Path, foreign: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = files_of(foreign, "switch", ca=ours)
    said = await a_switch_with(caplog, files_of(ours, "controller"), stranger, "ssl")
    assert said("the peer's certificate is not trusted")


async def test_a_certificate_that_expired_is_refused_with_a_sentence(
    ours: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make(tmp_path / "old", days=0)  # valid from yesterday up to now
    await asyncio.sleep(0)
    expired, controllers = (
        files_of(tmp_path / "old", "switch", ca=ours),
        replace(files_of(ours, "controller"), ca_cert=str(tmp_path / "old" / "ca.pem")),
    )
    said = await a_switch_with(caplog, controllers, expired, "ssl")
    assert said("certificate has expired")


async def test_a_switch_without_tls_is_refused_with_a_sentence(
    ours: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = await a_switch_with(caplog, files_of(ours, "controller"), None, "tcp")
    assert said("closed: the peer speaks no TLS: use tcp: to dial it, ptcp: to listen for it")


async def test_new_certificates_are_used_without_a_restart(
    ours: Path, foreign: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "controller")
    used = tmp_path / "used"
    used.mkdir()

    def install(source: Path) -> None:
        for name in ("controller.key", "controller.pem", "ca.pem"):
            (used / name).write_bytes((source / name).read_bytes())

    install(foreign)
    async with both(files_of(used, "controller"), files_of(ours, "switch")) as (controller, agent):
        bound = await controller.listen(Endpoint.parse("pssl:0"))
        agent.dial("s1", dialling(bound))
        await eventually(lambda: "closed: " in caplog.text)
        assert not controller.datapaths
        install(ours)
        await eventually(lambda: len(controller.datapaths) == 1)
        assert "the certificates were renewed" in caplog.text
        (used / "controller.pem").write_text("broken")
        next(iter(controller._peers)).channel.close("for the test")
        await eventually(lambda: "the renewed certificates are not used" in caplog.text)
        await eventually(lambda: len(controller.datapaths) == 1)


async def test_tls_without_files_says_which_are_needed() -> None:
    controller = Controller([])
    with pytest.raises(ValueError, match="needs --private-key, --certificate and --ca-cert"):
        await controller.listen(Endpoint.parse("pssl:0"))
    with pytest.raises(ValueError, match="listens; a controller dials"):
        controller.dial(Endpoint.parse("ptcp:0"))


async def test_much_is_said_over_tls_in_both_directions(ours: Path) -> None:
    async with both(files_of(ours, "controller"), files_of(ours, "switch")) as (controller, agent):
        bound = await controller.listen(Endpoint.parse("pssl:0"))
        agent.dial("s1", dialling(bound))
        await eventually(lambda: len(controller.datapaths) == 1)
        (datapath,) = controller.datapaths.values()
        data = bytes(range(256)) * 250
        replies = await asyncio.gather(*(datapath.request(EchoRequest(data)) for _ in range(50)))
        assert all(isinstance(one, EchoReply) and one.data == data for one in replies)


@pytest.mark.parametrize("text", KINDS)
async def test_switches_open_auxiliary_channels_that_come_and_go_with_the_main_one(
    text: str, ours: Path, sockets: Path
) -> None:
    async with both(files_of(ours, "controller"), files_of(ours, "switch")) as (controller, agent):
        agent.settings = replace(agent.settings, auxiliary=2)
        bound = await controller.listen(Endpoint.parse(text))
        agent.dial("s1", dialling(bound))
        for _ in range(2):
            await eventually(lambda: any(len(one.auxiliaries) == 2 for one in controller._peers))
            (main,) = controller._by_id.values()
            assert sorted(main.auxiliaries) == [1, 2]
            main.channel.close("for the test")
            assert not main.auxiliaries
