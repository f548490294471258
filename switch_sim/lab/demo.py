"""The demo: a controller and a network of simulated switches, which talk over TCP on loopback."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import click
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from controller import Controller, Datapath
from controller.cli import apps_like
from controller.loading import LoadError, load
from protocol import (
    ApplyActions,
    FlowStats,
    FlowStatsReply,
    FlowStatsRequest,
    OpenFlowError,
    Output,
    Version,
)
from protocol.endpoint import LOOPBACK, Endpoint
from protocol.transport.terminal import (
    INTERRUPTED,
    WrongCall,
    log_to_terminal,
    raise_file_limit,
    stop_event,
)

from ..agent import Agent
from ..cli import CONNECT_TIMEOUT, unless
from ..network import Network, Topology, load_topology
from ..options import of_version
from ..report import ping_data, ping_summary, ping_table
from ..settings import Settings

DEFAULT_TOPOLOGY = "tree,3,2"  # seven switches, eight hosts
DEFAULT_APP = "learning_switch"
REFRESH = 1.0  #: seconds between two looks at the counters
SWITCHES_SHOWN = 20
HOSTS_SHOWN = 8  # behind one port

EXAMPLES = """\b
Examples:
  pointsman demo
  pointsman demo --topology linear,8 --of-version 1.0
  pointsman demo --app hub --json
"""


@dataclass(slots=True)
class Demo:
    """The two sides."""

    controller: Controller
    agent: Agent
    console: Console
    as_json: bool = False  #: tells programs what became of the pings, and nothing else

    @property
    def network(self) -> Network:
        """The simulated side."""
        return self.agent.network

    async def start(self) -> None:
        """Let the controller listen and the switches connect."""
        bound = await self.controller.listen(Endpoint("ptcp", LOOPBACK, 0))
        dialled = Endpoint("tcp", bound.host, bound.port)
        for switch in self.network.switches:
            self.agent.dial(switch, dialled)
        if without := await self.agent.ready(CONNECT_TIMEOUT):
            raise click.ClickException(
                f"{len(without)} of {len(self.network.switches)} switches found no controller at "
                f"{dialled} in {CONNECT_TIMEOUT:g} s: is the machine very busy?"
            )
        self.console.print(f"{self.network.topology}, a controller at {bound}", highlight=False)

    async def run(self) -> int:
        """Ping, and show what came of it; return the exit status."""
        await self.start()
        pings = await self.agent.ping_all()
        if self.as_json:
            click.echo(json.dumps(ping_data(pings)))
            return 1 if pings.lost else 0
        self.console.print(ping_table(pings, list(self.network.hosts)))
        self.console.print(ping_summary(pings), highlight=False)
        if not self.console.is_terminal:
            self.console.print(await self.flows())
        return 1 if pings.lost else 0

    async def watch(self) -> int:
        """Let the first host ping the last, and show counters, until it is cancelled."""
        hosts = list(self.network.hosts)
        with Live(await self.view(), console=self.console, auto_refresh=False) as live:
            while True:
                if len(hosts) > 1:
                    self.network.ping(hosts[0], hosts[-1], self.agent.clock())
                    self.agent.soon()
                await asyncio.sleep(REFRESH)
                live.update(await self.view(), refresh=True)

    async def view(self) -> Group:
        """Return what is looked at: flow entries, and what the network counted."""
        counters = self.network.counters
        line = (
            f"frames: {counters.sent} sent, {counters.delivered} delivered, "
            f"{counters.dropped} dropped; {len(self.controller.datapaths)} switches connected; "
            f"Ctrl-C ends"
        )
        return Group(await self.flows(), line)

    async def flows(self) -> Table:
        """Return what the switches learned, as the controller is told it over OpenFlow."""
        versions = {str(datapath.version) for datapath in self.controller.datapaths.values()}
        spoken = ", ".join(sorted(versions))
        table = Table("Switch", title=f"What the switches learned (OpenFlow {spoken})")
        table.add_column("flow entries", justify="right")
        table.add_column("packets", justify="right")
        table.add_column("port: hosts behind it")
        names = {int(host.mac): name for name, host in self.network.hosts.items()}
        shown = list(self.network.switches.items())[:SWITCHES_SHOWN]
        for name, switch in shown:
            if datapath := self.controller.datapaths.get(switch.datapath_id):
                entries = await _entries(datapath)
                packets = sum(entry.stats.packet_count or 0 for entry in entries)
                hosts = _hosts_by_port(entries, names)
                table.add_row(escape(name), str(len(entries)), str(packets), hosts)
        if (more := len(self.network.switches) - len(shown)) > 0:
            table.caption = f"and {more} more switches"
        return table


async def _entries(datapath: Datapath) -> tuple[FlowStats, ...]:
    """Ask a switch for its flow entries; there are none if it goes away meanwhile."""
    try:
        return (await datapath.request(FlowStatsRequest(), FlowStatsReply)).flows
    except OpenFlowError:
        return ()


def _hosts_by_port(entries: Iterable[FlowStats], names: Mapping[int, str]) -> str:
    """Return which hosts a switch reaches by which port, read off its flow entries."""
    found: dict[int, set[str]] = {}
    for entry in entries:
        if name := names.get(entry.match.number("eth_dst") or 0):
            for port in _outputs(entry):
                found.setdefault(port, set()).add(name)
    order = {name: place for place, name in enumerate(names.values())}
    lines = []
    for port, hosts in sorted(found.items()):
        listed = sorted(hosts, key=lambda name: order[name])
        more = " …" if len(listed) > HOSTS_SHOWN else ""
        lines.append(f"{port}: {escape(' '.join(listed[:HOSTS_SHOWN]))}{more}")
    return "   ".join(lines)


def _outputs(entry: FlowStats) -> list[int]:
    return [
        action.port
        for instruction in entry.instructions
        if isinstance(instruction, ApplyActions)
        for action in instruction.actions
        if isinstance(action, Output)
    ]


@click.command(
    short_help="Run both sides: all hosts ping.",
    name="demo",
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--topology",
    default=DEFAULT_TOPOLOGY,
    show_default=True,
    metavar="SHAPE|FILE",
    help="What the network is made of; see pointsman switches --help.",
)
@click.option(
    "--app",
    default=DEFAULT_APP,
    show_default=True,
    shell_complete=apps_like,
    help="The controller's application: a bundled one, a module, or a file.",
)
@of_version
@click.option("--json", "as_json", is_flag=True, help="Only tell programs of the pings, and end.")
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def command(
    topology: str, app: str, versions: frozenset[Version], as_json: bool, verbose: bool
) -> None:
    """Run a controller and simulated switches: every host pings every other.

    With a terminal it stays, with live counters, until Ctrl-C. Without one it ends, with
    status 0 if all pings came back.
    """
    log_to_terminal(verbose)
    try:
        shape = load_topology(topology)
        apps = load(app)
    except (ValueError, LoadError) as error:
        raise WrongCall(str(error)) from error
    raise_file_limit()
    try:
        sys.exit(asyncio.run(_run(Controller(apps), shape, versions, as_json)))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


async def _run(
    controller: Controller, topology: Topology, versions: frozenset[Version], as_json: bool
) -> int:
    stop = stop_event()
    console = Console(quiet=as_json, force_terminal=False if as_json else None)
    agent = Agent(Network(topology), Settings(versions=versions))
    demo = Demo(controller, agent, console, as_json)
    try:
        status = await unless(stop, demo.run())
        if status == 0 and demo.console.is_terminal:
            await unless(stop, demo.watch())
        return status
    finally:
        await demo.agent.close()
        await controller.close()
