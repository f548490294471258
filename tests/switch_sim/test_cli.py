"""`pointsman switches`: what users type, and what they are told."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from protocol import (
    OF13,
    ApplyActions,
    DescReply,
    DescRequest,
    FeaturesReply,
    FeaturesRequest,
    FlowMod,
    Output,
    Port,
)
from protocol.endpoint import Endpoint
from protocol.table_features import TableFeaturesReply, TableFeaturesRequest
from switch_sim.cli import command
from tests.switch_sim.controller_side import ControllerSide, connect, listening, story

ROOT = Path(__file__).parents[2]
FLOOD = FlowMod(instructions=(ApplyActions((Output(Port.FLOOD),)),), priority=0)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[Process]:
    """Run `python -m switch_sim` beside the test."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "switch_sim", *arguments, stdout=PIPE, stderr=PIPE, cwd=ROOT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def line(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def flood(controller: ControllerSide) -> None:
    """Tell a switch to flood, and stay with it to the end."""
    await controller.open()
    controller.send(FLOOD)
    while not controller.reader.at_eof():
        await controller.read()


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (["--topology", "tre,2,3"], "did you mean tree?"),
        (["--topology", "tree,2,x"], "write tree,DEPTH,FANOUT"),
        (["--topology", "lost.toml"], "there is no file lost.toml"),
        (["--controller", "127.0.0.1"], "write tcp:HOST:PORT"),
        (["--controller", "ptcp:6653"], "write --controller tcp:HOST:PORT, or --listen"),
        (["--controller", "ssl:127.0.0.1:6653"], "ssl:127.0.0.1:6653 needs --private-key"),
        (["--controller", "pssl:6653"], "write --controller ssl:HOST:PORT, or --listen"),
        (["--listen", "unix:a"], "write --listen punix:PATH, or --controller"),
        (["--listen", "punix:a", "--topology", "linear,2"], "as in punix:{switch}.sock"),
        (["--listen", "punix:/no/such/s"], "name a file that can be made there"),
        (["--private-key", "k", "--ca-cert", "c"], "TLS needs --certificate as well"),
        (["--certificate", "c"], "--ca-cert none trusts everyone"),
        (["--of-version", "1.3-1.0"], "write 1.0-1.3"),
        (["--serial", "x" * 32], "has 32 bytes, OpenFlow takes 31: shorten it"),
        (["--n-tables", "256"], "255"),
        (["--queue", "1"], "write PORT:QUEUE"),
        (["--queue", "1:1,max=x"], "0 to 100 percent"),
        (["--queue", "1:1", "--queue", "1:1,max=3"], "port 1 has two queues 1: take one out"),
        (["--max-backoff", "0"], "--max-backoff"),
        (["--fail-mode", "open"], "'secure', 'standalone'"),
        (["--auxiliary", "256"], "0<=x<=255"),
        (["--packet-in-rate", "-1"], "--packet-in-rate"),
        (["--listen", "tcp:127.0.0.1:6653"], "write --listen ptcp:PORT[:HOST], or --controller"),
        (["--listen", "ptcp:65535", "--topology", "linear,2"], "begin lower, or take port 0"),
        (["--listen", "ptcp:0:192.0.2.1"], "name an address of this machine"),
        (["--of-version", "1.6"], "'1.6' is no version of OpenFlow; there are 1.0, 1.1"),
        (["--ping-all", "--listen", "ptcp:0"], "--ping-all needs a controller"),
        (["--ping-timeout", "0"], "--ping-timeout"),
        (["--port", "veth1"], "write --port 1=eth1, or --port 1=tap:NAME"),
        (["--port", "0=veth1"], "a port number outside of 1 to 65279"),
        (["--port", "1=a", "--port", "1=b"], "two ports have the number 1"),
        (["--port", "1=a", "--port", "2=tap:a"], "two ports have the interface a"),
        (["--port", "1=no/slash"], "cannot be an interface"),
        (["--port", "1=lost0"], "there is no interface lost0"),
        (["--port", "1=a", "--topology", "single"], "leave --topology out"),
        (["--port", "1=a", "--ping-all"], "leave --port out"),
        (["--port", "1=a", "--datapath-id", "x"], "write it as 3, 0x1f or s3"),
        (["--port", "1=a", "--datapath-id", "0"], "cannot have the datapath_id 0: write 1"),
        (["--port", "1=a", "--datapath-id", "0x10000000000000000"], "is no datapath_id"),
        (["--datapath-id", "1"], "--datapath-id is for a switch with --port"),
        (["--nonsense"], "No such option"),
    ],
)
def test_a_mistake_is_told_with_the_cure_and_without_a_traceback(
    arguments: list[str], cure: str
) -> None:
    result = run(*arguments)
    assert result.exit_code != 0
    assert cure in result.output
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit)


def test_a_port_that_is_taken_is_told_with_the_cure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("--listen", f"ptcp:{taken.getsockname()[1]}:127.0.0.1")
    assert result.exit_code == 1
    assert "s1 cannot listen" in result.output
    assert "take another port, or port 0 for any that is free" in result.output


def test_help_has_examples() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "pointsman switches --topology tree,2,3" in result.output


@story
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_switches_listen_where_they_say_until_a_signal_ends_them(
    number: signal.Signals,
) -> None:
    async with started("--topology", "linear,2", "--listen", "ptcp:0") as process:
        for datapath_id in (1, 2):
            told = re.fullmatch(
                rf"s{datapath_id} listens at (ptcp:\d+:127.0.0.1)", await line(process)
            )
            assert told
            client = await connect(Endpoint.parse(told[1]))
            client.send(FeaturesRequest())
            assert (await client.expect(FeaturesReply)).datapath_id == datapath_id
        assert "2 switches, 2 hosts, 3 links" in await line(process)
        process.send_signal(number)
        _, errors = await process.communicate()
        assert (process.returncode, errors) == (0, b"")


@story
async def test_ports_count_up_from_the_one_given() -> None:
    for _ in range(10):  # as long as other processes take one of the ports
        with socket.create_server(("127.0.0.1", 0)) as found:
            port = found.getsockname()[1]
        async with started("--topology", "linear,3", "--listen", f"ptcp:{port}") as process:
            told = [await line(process) for _ in range(3)]
            if "" not in told:
                break
    assert told == [f"s{n + 1} listens at ptcp:{port + n}:127.0.0.1" for n in range(3)]


@story
async def test_what_switches_say_of_themselves_can_be_chosen(tmp_path: Path) -> None:
    words = ["--mfr-desc", "Who", "--hw-desc", "What", "--sw-desc", "Which", "--serial", "77"]
    numbers = ["--n-tables", "3", "--n-buffers", "9", "--max-entries", "11"]
    path = str(tmp_path / "{switch}.sock")
    arguments = ["--topology", "linear,2", "--listen", f"punix:{path}", "--of-version", "1.0-1.3"]
    async with started(*arguments, *words, *numbers) as process:
        assert await line(process) == f"s1 listens at punix:{tmp_path}/s1.sock"
        assert await line(process) == f"s2 listens at punix:{tmp_path}/s2.sock"
        streams = await asyncio.open_unix_connection(tmp_path / "s2.sock")
        client = ControllerSide(*streams)
        assert await client.open() == OF13
        client.send(DescRequest(), FeaturesRequest(), TableFeaturesRequest())
        desc = await client.expect(DescReply)
        said = (desc.mfr_desc, desc.hw_desc, desc.sw_desc, desc.serial_num, desc.dp_desc)
        assert said == ("Who", "What", "Which", "77", "s2")
        features = await client.expect(FeaturesReply)
        assert (features.n_tables, features.n_buffers) == (3, 9)
        assert (await client.expect(TableFeaturesReply)).tables[0].max_entries == 11


@story
async def test_ping_all_prints_who_reached_whom() -> None:
    async with listening([OF13]) as listener:
        endpoint = str(listener.endpoint)
        arguments = ["--topology", "linear,2", "--controller", endpoint, "--ping-all"]
        async with started(*arguments, "--of-version", "1.3") as process:
            floods = [asyncio.create_task(flood(await listener.accept())) for _ in range(2)]
            output, errors = await process.communicate()
            assert (process.returncode, errors) == (0, b"")
            assert "2 of 2 pings came back" in output.decode()
            await asyncio.gather(*floods, return_exceptions=True)


@story
async def test_lost_pings_are_told_and_are_a_failure() -> None:
    async with listening() as listener:
        endpoint = str(listener.endpoint)
        arguments = ["--controller", endpoint, "--ping-all", "--ping-timeout", "0.1"]
        async with started(*arguments) as process:
            controller = await listener.accept()
            await controller.open()
            output, _ = await process.communicate()
            assert process.returncode == 1
            assert "0 of 2 pings came back" in output.decode()
            assert "lost: h1 to h2: nobody answered ARP for 10.0.0.2" in output.decode()


@story
async def test_a_signal_ends_a_ping_all_before_its_time() -> None:
    async with listening() as listener:
        arguments = ["--controller", str(listener.endpoint), "--ping-all", "--ping-timeout", "60"]
        async with started(*arguments) as process:
            await (await listener.accept()).open()
            process.terminate()
            _, errors = await process.communicate()
            assert process.returncode == 130
            assert b"Traceback" not in errors
