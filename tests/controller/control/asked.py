"""A running controller with two switches, and the commands that ask it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from controller import Controller
from controller.commands import COMMANDS
from controller.control.server import Control
from controller.loading import load
from protocol import OF13, Port, PortDesc, Version
from protocol.endpoint import LOOPBACK, Endpoint
from switch_sim.agent import Agent
from switch_sim.network import Network, parse_topology
from switch_sim.settings import Settings

from ..fakes import PATIENCE

NAMES = {command.name: command for command in COMMANDS}


class Asked:
    """A controller with two switches, and commands that ask it from another thread."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def run(self, command: str, *arguments: str) -> Result:
        """Run a command."""
        words = [*arguments, "--control", str(self.path)]
        return await asyncio.to_thread(CliRunner().invoke, NAMES[command], words)

    async def data(self, command: str, *arguments: str) -> list[dict[str, Any]]:
        """Run a command with --json; return what it prints."""
        result = await self.run(command, *arguments, "--json")
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.output.splitlines()]

    async def until(self, holds: Callable[[list[dict[str, Any]]], bool], *words: str) -> None:
        """Ask until the answer is as it shall be."""
        async with asyncio.timeout(PATIENCE):
            while not holds(await self.data(*words)):
                pass


@asynccontextmanager
async def running(
    path: Path,
    app: str = "forwarding",
    version: Version = OF13,
    bridges: Mapping[str, str] | None = None,
) -> AsyncIterator[Asked]:
    """Run a controller that answers at `path`, with two switches.

    `bridges` says what those that have a local port are called there.
    """
    controller = Controller(load(app))
    control = Control(controller)
    agent = Agent(Network(parse_topology("linear,2")), Settings(versions=frozenset({version})))
    for switch, name in (bridges or {}).items():
        agent.network.switches[switch].add_port(PortDesc(Port.LOCAL, name=name), 0.0)
    try:
        bound = await controller.listen(Endpoint("ptcp", LOOPBACK, 0))
        await control.listen(path)
        for switch in agent.network.switches:
            agent.dial(switch, Endpoint("tcp", bound.host, bound.port))
        assert not await agent.ready(PATIENCE)
        yield Asked(path)
    finally:
        await agent.close()
        await control.close()
        await controller.close()
