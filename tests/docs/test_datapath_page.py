"""What docs/datapath.md shows is done by a simulated switch, and prints what it says."""

from __future__ import annotations

import ast
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from inspect import isawaitable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from controller import App, Controller, Datapath
from protocol import Version
from protocol.endpoint import LOOPBACK, Endpoint
from protocol.queues import MinRate, QueueDesc
from protocol.version import parse_versions
from switch_sim.agent import Agent
from switch_sim.network import Network
from switch_sim.network.topology import TopologyBuilder
from switch_sim.settings import Settings

from ..controller.fakes import eventually

PAGE = Path(__file__).parents[2] / "docs" / "datapath.md"


class Example(NamedTuple):
    """A piece of code on the page."""

    heading: str
    version: Version
    code: str
    printed: str  #: what the page says that it prints, if it does


def examples() -> tuple[str, list[Example]]:
    """Return the imports of the page, and its pieces of code."""
    text = PAGE.read_text("utf-8")
    pattern = r"```python(?: of=([\d.]+))?\n(.*?)```\n(?:\nprints\n\n    (.*?)\n)?"
    found = []
    for piece in re.finditer(pattern, text, re.DOTALL):
        version, code, printed = piece.groups()
        heading = re.findall(r"^#+ (.*)$", text[: piece.start()], re.MULTILINE)[-1]
        (spoken,) = parse_versions(version or "1.3")
        found.append(Example(heading, spoken, code, printed or ""))
    return found[0].code, found[1:]


IMPORTS, EXAMPLES = examples()


@asynccontextmanager
async def switch(version: Version) -> AsyncIterator[Datapath]:
    """Yield a switch with two hosts, and a queue at the port of one of them."""
    builder = TopologyBuilder()
    builder.switch(queues=[QueueDesc(7, 1, (MinRate(100),))])
    for host in (builder.host(), builder.host()):
        builder.link("s1", host)
    agent = Agent(Network(builder.build()), Settings(versions=frozenset({version})))
    controller = Controller([App()])
    try:
        bound = await controller.listen(Endpoint("ptcp", LOOPBACK, 0))
        agent.dial("s1", Endpoint("tcp", bound.host, bound.port))
        await eventually(lambda: bool(controller.datapaths))
        yield next(iter(controller.datapaths.values()))
    finally:
        await agent.close()
        await controller.close()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.heading)
async def test_an_example_does_what_it_says(
    example: Example, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    async with switch(example.version) as datapath:
        names: dict[str, Any] = {"datapath": datapath}
        exec(IMPORTS, names)
        running = eval(compile(example.code, str(PAGE), "exec", flags=flags), names)
        if isawaitable(running):
            await running
        await datapath.barrier()
    if example.printed:
        assert capsys.readouterr().out.strip() == example.printed


def test_each_of_the_families_has_an_example() -> None:
    code = "".join(one.code for one in EXAMPLES)
    shown = set(re.findall(r"datapath\.(\w+)", code))
    orders = {"add_flow", "add_group", "add_meter", "port_mod", "table_mod", "set_config"}
    questions = {name for name in dir(Datapath) if name.endswith(("_stats", "_desc", "_features"))}
    assert orders | questions <= shown


def test_all_that_is_imported_is_used() -> None:
    names = {
        alias.name
        for node in ast.walk(ast.parse(IMPORTS))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    used = set(re.findall(r"\w+", "".join(one.code for one in EXAMPLES)))
    assert names <= used
