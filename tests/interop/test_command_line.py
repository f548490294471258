"""The commands that change a switch, with a real Open vSwitch in every version."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from controller import Controller
from controller.control.server import Control
from protocol import OF13, Version
from protocol.endpoint import LOOPBACK, Endpoint
from switch_sim.lab.cli import main

from ..controller.fakes import PATIENCE, Recorder
from . import ovs
from .ovs import OpenVSwitch

pytestmark = pytest.mark.interop

GROUP = "group_id=1,type=all,bucket=output:1,bucket=output:2"
METER = "meter=1,kbps,bands=type=drop,rate=1000"


@pytest.fixture(scope="module")
def switch() -> Iterator[OpenVSwitch]:
    """Run an Open vSwitch whose ports are dummies."""
    if reason := ovs.missing_tools():
        pytest.skip(reason)
    with OpenVSwitch(dummy=True) as running:
        yield running


class Bridge:
    """A bridge, and a controller of it that commands ask."""

    def __init__(self, switch: OpenVSwitch, control: Path) -> None:
        self.switch, self.control = switch, control

    async def call(self, line: str, *words: str) -> Result:
        """Call a command."""
        called = [*line.split(), *words, "--control", str(self.control)]
        return await asyncio.to_thread(CliRunner().invoke, main, called)

    async def done(self, line: str, *words: str) -> None:
        """Call a command that shall go well."""
        result = await self.call(line, *words)
        assert result.exit_code == 0, result.output

    async def data(self, line: str, *words: str) -> list[dict[str, Any]]:
        """Call a command with --json; return what it prints."""
        result = await self.call(line, *words, "--json")
        assert result.exit_code == 0, result.output
        return [json.loads(one) for one in result.stdout.splitlines()]

    async def ofctl(self, command: str) -> str:
        """Return what Open vSwitch's own tool prints."""
        return await asyncio.to_thread(self.switch.ofctl, "15", command, "brc")


@asynccontextmanager
async def bridge(switch: OpenVSwitch, version: Version, path: Path) -> AsyncIterator[Bridge]:
    """Run a controller with a bridge that has two ports."""
    app = Recorder()
    controller = Controller([app], versions={version})
    control = Control(controller)
    try:
        bound = await controller.listen(Endpoint("ptcp", LOOPBACK, 0))
        await control.listen(path)
        to = f"tcp:{LOOPBACK}:{bound.port}"
        switch.add_bridge("brc", ports={1: "c1", 2: "c2"}, controller=to)
        async with asyncio.timeout(PATIENCE):
            await app.until("switch_ready")
        yield Bridge(switch, path)
    finally:
        await control.close()
        await controller.close()
        switch.vsctl("del-br", "brc")


@pytest.mark.parametrize("version", Version, ids=str)
async def test_open_vswitch_does_what_a_line_of_its_own_syntax_says(
    switch: OpenVSwitch, version: Version, tmp_path: Path
) -> None:
    async with bridge(switch, version, tmp_path / "c.sock") as one:
        await one.done("flows add brc", "priority=5,tcp,tp_dst=80,actions=output:2")
        assert "priority=5,tcp,tp_dst=80 actions=output:2" in await one.ofctl("dump-flows")
        (shown,) = await one.data("flows brc")
        assert (shown["priority"], shown["match"]["tcp_dst"]) == (5, 80)
        await one.done("flows mod brc", "tcp,tp_dst=80,actions=mod_nw_dst:10.0.0.9,output:1")
        assert "10.0.0.9" in await one.ofctl("dump-flows")
        await one.done("ports down brc", "c2")
        assert "PORT_DOWN" in await one.ofctl("dump-ports-desc")
        await one.done("ports up brc", "2")
        assert "config:     0" in await one.ofctl("dump-ports-desc")
        assert {port["port_no"] for port in await one.data("ports stats brc")} >= {1, 2}
        await one.done("flows del brc", "tcp")
        assert "tcp" not in await one.ofctl("dump-flows")


@pytest.mark.parametrize("version", Version, ids=str)
async def test_groups_and_meters_are_made_where_the_version_has_them(
    switch: OpenVSwitch, version: Version, tmp_path: Path
) -> None:
    async with bridge(switch, version, tmp_path / "c.sock") as one:
        for kind, line, has in (
            ("groups", GROUP, version > Version.OF10),
            ("meters", METER, version >= OF13),
        ):
            added = await one.call(f"{kind} add brc", line)
            assert (added.exit_code == 0) == has, added.output
            if not has:
                assert f"has no {kind}" in added.output
                continue
            assert len(await one.data(f"{kind} brc")) == 1
            name = line.partition(",")[0]
            await one.done(f"{kind} del brc", name)
            assert await one.data(f"{kind} brc") == []


async def test_what_open_vswitch_refuses_is_told_beside_what_it_is_about(
    switch: OpenVSwitch, tmp_path: Path
) -> None:
    async with bridge(switch, OF13, tmp_path / "c.sock") as one:
        refused = await one.call("flows add brc", "actions=group:7")
        assert refused.exit_code == 1
        assert "the switch refuses: there is no such group (OFPBAC_BAD_OUT_GROUP)" in refused.output
        lines = (await one.call("record --errors --ladder")).output.splitlines()
        assert "FLOW_MOD" in lines[-3]
        assert "there is no such group" in lines[-2]
        assert "└ about FLOW_MOD" in lines[-1]
