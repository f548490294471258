"""Channels over TLS and Unix sockets, both ways, and what is said where they fail."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from protocol import OF15, FeaturesReply, FeaturesRequest
from protocol.endpoint import Endpoint
from protocol.transport.tls import TlsFiles
from switch_sim.agent import Agent
from switch_sim.network import Network, single
from switch_sim.settings import Settings

from .certificates import Authority
from .controller_side import PATIENCE, ControllerSide, story

FREE = Endpoint("pssl", "127.0.0.1", 0)


@asynccontextmanager
async def running(
    tls: TlsFiles | None = None, handshake_timeout: float = 5.0
) -> AsyncIterator[Agent]:
    settings = Settings(tls=tls, echo_interval=0, handshake_timeout=handshake_timeout)
    agent = Agent(Network(single(2)), settings)
    try:
        yield agent
    finally:
        await agent.close()


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"), "ours")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("foreign"), "foreign")


async def connect(endpoint: Endpoint, context: ssl.SSLContext | None) -> ControllerSide:
    """Connect to a switch that listens, by TLS or a Unix socket, without a word so far."""
    if endpoint.path:
        return ControllerSide(*await asyncio.open_unix_connection(endpoint.path))
    streams = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=context)
    return ControllerSide(*streams)


@asynccontextmanager
async def dialled(context: ssl.SSLContext | None) -> AsyncIterator[tuple[Endpoint, ControllerCame]]:
    """A controller that listens for one switch."""
    came: ControllerCame = asyncio.get_running_loop().create_future()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not came.done():
            came.set_result(ControllerSide(reader, writer))

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=context)
    kind = "ssl" if context else "tcp"
    yield Endpoint.parse(f"{kind}:127.0.0.1:{server.sockets[0].getsockname()[1]}"), came
    server.close()
    if came.done():
        came.result().writer.transport.abort()


ControllerCame = asyncio.Future[ControllerSide]


async def asks_who_it_is(controller: ControllerSide) -> int:
    assert await controller.open() == OF15
    controller.send(FeaturesRequest())
    return (await controller.expect(FeaturesReply)).datapath_id


def refuse(listener: socket.socket, authority: Authority) -> None:
    """Take a client that this CA did not sign for, and tell it so."""
    connection, _ = listener.accept()
    connection.settimeout(PATIENCE)
    server = authority.sign("controller").server()
    with server.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as tls:
        with pytest.raises(ssl.SSLCertVerificationError):
            tls.do_handshake()
        while socket.socket.recv(tls, 4096):  # what it said meanwhile: unread, it would reset
            pass


async def told(caplog: pytest.LogCaptureFixture, sentence: str) -> None:
    """Wait until the log has a sentence."""
    while not re.search(sentence, caplog.text):
        await asyncio.sleep(0.001)


class TestTls:
    @story
    async def test_a_switch_dials_a_controller(self, ours: Authority) -> None:
        async with (
            running(ours.sign("switch")) as agent,
            dialled(ours.sign("controller").server()) as (endpoint, came),
        ):
            agent.dial("s1", endpoint)
            assert await asks_who_it_is(await came) == 1

    @story
    async def test_a_switch_listens(self, ours: Authority) -> None:
        async with running(ours.sign("switch")) as agent:
            endpoint = agent.listen("s1", FREE)
            assert endpoint.kind == "pssl"
            client = await connect(endpoint, ours.sign("controller").client())
            assert await asks_who_it_is(client) == 1

    @story
    async def test_the_certificate_shown_is_that_of_the_switch(self, ours: Authority) -> None:
        async with running(ours.sign("switch")) as agent:
            client = await connect(agent.listen("s1", FREE), ours.sign("controller").client())
            shown = client.writer.get_extra_info("peercert")
            assert shown["subject"] == ((("commonName", "switch"),),)

    @story
    async def test_a_controller_of_a_foreign_ca_is_not_spoken_with(
        self, ours: Authority, foreign: Authority, caplog: pytest.LogCaptureFixture
    ) -> None:
        server = replace(foreign.sign("controller"), ca_cert="none").server()
        async with running(ours.sign("switch")) as agent, dialled(server) as (endpoint, came):
            agent.dial("s1", endpoint)
            await told(caplog, "is not trusted .*: give the certificate of the CA .* as --ca-cert")
            assert not came.done()
            assert agent.connected == set()

    @story
    async def test_a_ca_of_none_trusts_everyone(self, ours: Authority, foreign: Authority) -> None:
        server = replace(foreign.sign("controller"), ca_cert="none").server()
        trusting = replace(ours.sign("switch"), ca_cert="none")
        async with running(trusting) as agent, dialled(server) as (endpoint, came):
            agent.dial("s1", endpoint)
            assert await asks_who_it_is(await came) == 1

    @story
    async def test_a_controller_that_does_not_trust_us_is_told(
        self, ours: Authority, foreign: Authority, caplog: pytest.LogCaptureFixture
    ) -> None:
        switch = replace(foreign.sign("switch"), ca_cert=ours.certificate)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            refuses = asyncio.create_task(asyncio.to_thread(refuse, listener, ours))
            async with running(switch) as agent:
                agent.dial("s1", Endpoint("ssl", port=listener.getsockname()[1]))
                await told(caplog, "does not trust our certificate: give one as --certificate")
            await refuses

    @story
    async def test_a_controller_that_hangs_up_instead_of_hello_is_told(
        self, ours: Authority, foreign: Authority, caplog: pytest.LogCaptureFixture
    ) -> None:
        switch = replace(foreign.sign("switch"), ca_cert=ours.certificate)
        server = ours.sign("controller").server()  # asyncio's, which does not say why
        async with running(switch) as agent, dialled(server) as (endpoint, _):
            agent.dial("s1", endpoint)
            await told(caplog, "hung up before it said hello: does it trust our certificate")

    @story
    async def test_a_client_without_a_certificate_is_turned_away(
        self, ours: Authority, caplog: pytest.LogCaptureFixture
    ) -> None:
        nobody = ssl.create_default_context(cafile=ours.certificate)
        nobody.check_hostname = False
        async with running(ours.sign("switch")) as agent:
            client = await connect(agent.listen("s1", FREE), nobody)
            with pytest.raises((ConnectionError, ssl.SSLError)):
                await client.open()
            await told(caplog, "the peer showed no certificate: give it one")
            assert agent.connected == set()

    @story
    async def test_a_controller_without_tls_is_told_with_the_cure(
        self, ours: Authority, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with running(ours.sign("switch")) as agent, dialled(None) as (endpoint, came):
            agent.dial("s1", replace(endpoint, kind="ssl"))
            (await came).flush()  # its hello, where TLS has its own
            await told(caplog, "the peer speaks no TLS: use tcp: to dial it")

    @story
    async def test_a_client_with_tls_at_a_plain_port_is_told_with_the_cure(
        self, ours: Authority, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with running() as agent:
            endpoint = agent.listen("s1", Endpoint("ptcp", "127.0.0.1", 0))
            with pytest.raises((ConnectionError, ssl.SSLError)):
                await connect(endpoint, ours.sign("controller").client())
            await told(caplog, "the peer speaks TLS: listen at pssl: for it")

    @story
    async def test_who_stays_silent_is_given_up(self, ours: Authority) -> None:
        async with running(ours.sign("switch"), handshake_timeout=0.05) as agent:
            endpoint = agent.listen("s1", FREE)
            reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
            assert await reader.read() == b""
            writer.close()


_SECRET = ("-aes256", "-passout", "pass:secret")


class TestFilesOfTls:
    def test_files_that_are_not_there_are_named(self, ours: Authority) -> None:
        files = replace(ours.sign("switch"), certificate="/no/such.pem")
        with pytest.raises(ValueError, match=r"--certificate /no/such\.pem: No such file"):
            files.client()

    def test_a_key_and_a_certificate_belong_together(self, ours: Authority) -> None:
        files = replace(ours.sign("one"), private_key=ours.sign("other").private_key)
        with pytest.raises(ValueError, match="is not that of the certificate"):
            files.server()

    def test_a_file_that_is_no_pem_is_told(self, ours: Authority) -> None:
        with pytest.raises(ValueError, match="give files that begin with -----BEGIN"):
            replace(ours.sign("switch"), certificate=__file__).client()
        with pytest.raises(ValueError, match="holds no certificate in PEM"):
            replace(ours.sign("switch"), ca_cert=__file__).client()

    def test_an_encrypted_key_is_told_and_not_asked_for(
        self, ours: Authority, tmp_path: Path
    ) -> None:
        plain, locked = ours.sign("switch"), str(tmp_path / "locked.key")
        subprocess.run(
            ["openssl", "ec", "-in", plain.private_key, "-out", locked, *_SECRET],
            check=True,
            capture_output=True,
        )
        with pytest.raises(ValueError, match=f"decrypt it with openssl pkey -in {locked}"):
            replace(plain, private_key=locked).client()

    @story
    async def test_without_files_there_is_no_tls(self) -> None:
        async with running() as agent:
            for take in (agent.listen, agent.dial):
                with pytest.raises(ValueError, match="needs --private-key, --certificate and"):
                    take("s1", FREE)


class TestUnixSockets:
    @story
    async def test_a_switch_listens(self, tmp_path: Path) -> None:
        async with running() as agent:
            endpoint = agent.listen("s1", Endpoint("punix", path=str(tmp_path / "s1.sock")))
            assert await asks_who_it_is(await connect(endpoint, None)) == 1
        assert not list(tmp_path.iterdir())  # the file went with the listener

    @story
    async def test_a_switch_dials_a_controller(self, tmp_path: Path) -> None:
        path, came = str(tmp_path / "c.sock"), asyncio.Queue[ControllerSide]()
        server = await asyncio.start_unix_server(
            lambda *streams: came.put_nowait(ControllerSide(*streams)), path
        )
        async with running() as agent:
            agent.dial("s1", Endpoint("unix", path=path))
            assert await asks_who_it_is(await came.get()) == 1
        server.close()

    @story
    async def test_a_file_where_nobody_listens_is_told(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with running() as agent:
            agent.dial("s1", Endpoint("unix", path=str(tmp_path / "c.sock")))
            await told(caplog, "cannot reach unix:.*c.sock: No such file or directory")

    @story
    async def test_a_socket_left_behind_is_taken_over(self, tmp_path: Path) -> None:
        path = str(tmp_path / "s1.sock")
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(path)
        async with running() as agent:
            endpoint = agent.listen("s1", Endpoint("punix", path=path))
            assert await asks_who_it_is(await connect(endpoint, None)) == 1

    @story
    async def test_a_socket_in_use_and_other_files_are_not(self, tmp_path: Path) -> None:
        async with running() as agent, running() as other:
            endpoint = agent.listen("s1", Endpoint("punix", path=str(tmp_path / "s1.sock")))
            (tmp_path / "notes").write_text("precious")
            for taken in (endpoint, replace(endpoint, path=str(tmp_path / "notes"))):
                with pytest.raises(OSError, match="in use"):
                    other.listen("s1", taken)
            assert (tmp_path / "notes").read_text() == "precious"
            assert await asks_who_it_is(await connect(endpoint, None)) == 1
