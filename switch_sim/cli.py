"""What `pointsman switches` and `python -m switch_sim` take."""

from __future__ import annotations

import asyncio
import errno
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click
from rich.console import Console

from protocol import ALL_VERSIONS, Version
from protocol.endpoint import MAX_PORT, Endpoint

from .agent import Agent
from .interfaces import open_interface
from .network import Network, Topology, load_topology
from .network.ping_all import PING_ALL_TIMEOUT
from .real_switch import (
    DEFAULT_DATAPATH_ID,
    NAME,
    RealPort,
    one_switch,
    parse_datapath_id,
    parse_ports,
)
from .report import ping_summary, ping_table
from .terminal import log_to_terminal, raise_file_limit, stop_event

DEFAULT_CONTROLLER = "tcp:127.0.0.1:6653"
DEFAULT_TOPOLOGY = "single,2"
CONNECT_TIMEOUT = 10.0  #: seconds in which all switches must have found their controller
LISTENERS_TOLD = 20  # each in a line; of more only the first and the last
INTERRUPTED = 130  # the status of a command that Ctrl-C ended before its time

EXAMPLES = """\b
Examples:
  pointsman switches --topology tree,2,3 --controller tcp:127.0.0.1:6653
  pointsman switches --topology linear,4 --of-version 1.3 --ping-all
  pointsman switches --topology single,4 --listen ptcp:16633:127.0.0.1
  pointsman switches --topology campus.toml
  pointsman switches --datapath-id 1 --port 1=eth1 --port 2=eth2 --of-version 1.3
\b
Topologies:
  single,HOSTS                one switch
  linear,SWITCHES[,HOSTS]     switches in a row, HOSTS at each
  tree,DEPTH,FANOUT           levels of switches; the lowest have FANOUT hosts
  ring,SWITCHES               switches in a circle, one host at each
  FILE.toml                   [[switch]] name; [[host]] name, ip, mac; [[link]] ends
  FILE.py                     defines topology: a Topology, or a function returning one
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command was asked to do."""

    topology: Topology
    controllers: tuple[Endpoint, ...]
    listen: Endpoint | None
    versions: frozenset[Version]
    ports: tuple[RealPort, ...]
    ping_all: bool
    ping_timeout: float


@click.command(
    name="switches", epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option(
    "--topology",
    metavar="SHAPE|FILE",
    help=f"What the network is made of.  [{DEFAULT_TOPOLOGY}]",
)
@click.option(
    "--port",
    "ports",
    multiple=True,
    metavar="N=INTERFACE",
    help="Instead of a network, run one switch whose port N is an interface of this machine, "
    "or with N=tap:NAME one that is made for it; several times for several ports. Needs root.",
)
@click.option(
    "--datapath-id",
    metavar="ID",
    help=f"What the switch with --port is called: a number, or 16 hex digits.  "
    f"[{DEFAULT_DATAPATH_ID}]",
)
@click.option(
    "--controller",
    "controllers",
    multiple=True,
    metavar="ENDPOINT",
    help=f"Whom all switches connect to: tcp:HOST:PORT; several times for several controllers.  "
    f"[{DEFAULT_CONTROLLER}, unless they listen]",
)
@click.option(
    "--listen",
    metavar="ENDPOINT",
    help="Where the first switch listens: ptcp:PORT[:HOST]. The others take the ports after it; "
    "port 0 means a free one for each.",
)
@click.option(
    "--of-version",
    "versions",
    multiple=True,
    metavar="VERSION",
    help="Speak this version of OpenFlow only; may be given several times.  [1.0 to 1.5]",
)
@click.option(
    "--ping-all",
    is_flag=True,
    help="Let every host ping every other, print who reached whom, and end: "
    "with status 0 if all pings came back.",
)
@click.option(
    "--ping-timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=PING_ALL_TIMEOUT,
    show_default=True,
    metavar="SECONDS",
    help="When a ping counts as lost.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def command(
    topology: str | None,
    ports: tuple[str, ...],
    datapath_id: str | None,
    controllers: tuple[str, ...],
    listen: str | None,
    versions: tuple[str, ...],
    ping_all: bool,
    ping_timeout: float,
    verbose: bool,
) -> None:
    """Run a network of simulated switches and hosts. It needs no root.

    Hosts answer ARP and ping. Switches are OpenFlow switches: without a controller, or a
    tool that installs flow entries, they forward nothing.
    """
    log_to_terminal(verbose)
    try:
        plan = Plan(
            _topology(topology, ports, datapath_id),
            _controllers(controllers, listen),
            _listener(listen),
            frozenset(Version.parse(text) for text in versions) or ALL_VERSIONS,
            parse_ports(ports),
            ping_all,
            ping_timeout,
        )
        _check(plan)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(_run(plan))


def _topology(text: str | None, ports: Sequence[str], datapath_id: str | None) -> Topology:
    if ports:
        if text is not None:
            raise ValueError("--port makes a switch of its own: leave --topology out")
        return one_switch(parse_datapath_id(datapath_id or str(DEFAULT_DATAPATH_ID)))
    if datapath_id is not None:
        raise ValueError("--datapath-id is for a switch with --port; a topology file has its own")
    return load_topology(text or DEFAULT_TOPOLOGY)


def _controllers(texts: Sequence[str], listen: str | None) -> tuple[Endpoint, ...]:
    endpoints = tuple(map(Endpoint.parse, texts))
    for endpoint in endpoints:
        if endpoint.listens:
            raise ValueError(f"{endpoint} listens: write --controller tcp:HOST:PORT, or --listen")
    if not endpoints and listen is None:
        return (Endpoint.parse(DEFAULT_CONTROLLER),)
    return endpoints


def _listener(text: str | None) -> Endpoint | None:
    endpoint = Endpoint.parse(text) if text is not None else None
    if endpoint is not None and not endpoint.listens:
        raise ValueError(f"{endpoint} dials: write --listen ptcp:PORT[:HOST], or --controller")
    return endpoint


def _check(plan: Plan) -> None:
    if plan.ping_all and plan.ports:
        raise ValueError("--ping-all needs simulated hosts: leave --port out")
    if plan.ping_all and not plan.controllers:
        raise ValueError("--ping-all needs a controller that says where packets go: --controller")
    count = len(plan.topology.switches)
    if plan.listen is not None and plan.listen.port and plan.listen.port + count - 1 > MAX_PORT:
        raise ValueError(
            f"{count} switches from port {plan.listen.port} on pass port {MAX_PORT}: "
            f"begin lower, or take port 0 for free ones"
        )


def _run(plan: Plan) -> int:
    """Run the network until it is done, or a signal ends it; return the exit status."""
    raise_file_limit()
    try:
        return asyncio.run(_run_network(plan, Console()))
    except KeyboardInterrupt:
        return INTERRUPTED


async def _run_network(plan: Plan, console: Console) -> int:
    stop = stop_event()
    agent = Agent(Network(plan.topology), plan.versions)
    try:
        _attach(agent, plan.ports)
        if plan.listen is not None:
            _listen(agent, plan.listen, console)
        for endpoint in plan.controllers:
            for switch in agent.network.switches:
                agent.dial(switch, endpoint)
        if plan.ping_all:
            return await unless(stop, _ping_all(agent, plan, console))
        _greet(plan, console)
        await stop.wait()
        return 0
    finally:
        await agent.close()


def _attach(agent: Agent, ports: Sequence[RealPort]) -> None:
    """Give the switch its ports; they are given back when the agent ends."""
    for port in ports:
        try:
            agent.attach(NAME, port.port_no, open_interface(port.interface))
        except (OSError, ValueError) as error:  # the former where it is gone in between
            raise click.ClickException(str(error)) from error


def _greet(plan: Plan, console: Console) -> None:
    what = str(plan.topology)
    if plan.ports:
        ports = ", ".join(f"{port.port_no} is {port.interface}" for port in plan.ports)
        what = f"{NAME} with real ports: {ports}"
    console.print(f"{what}; Ctrl-C ends", markup=False, highlight=False)
    if plan.controllers:
        names = ", ".join(map(str, plan.controllers))
        console.print(f"the switches connect to {names}", markup=False, highlight=False)


def _listen(agent: Agent, first: Endpoint, console: Console) -> None:
    """Let all switches listen, and say where."""
    switches = list(agent.network.switches)
    for number, switch in enumerate(switches):
        endpoint = replace(first, port=first.port + number if first.port else 0)
        try:
            bound = agent.listen(switch, endpoint)
        except (OSError, UnicodeError) as error:  # the latter for names that cannot be looked up
            raise click.ClickException(_cannot_listen(switch, endpoint, error)) from error
        if len(switches) <= LISTENERS_TOLD or number in (0, len(switches) - 1):
            console.print(f"{switch} listens at {bound}", markup=False, highlight=False)


def _cannot_listen(switch: str, endpoint: Endpoint, error: OSError | UnicodeError) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    cure = "name an address of this machine, as in ptcp:16633:127.0.0.1"
    if isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES):
        cure = "take another port, or port 0 for any that is free"
    elif isinstance(error, OSError) and error.errno == errno.EMFILE:
        cure = "let the process open more files: ulimit -n"
    return f"{switch} cannot listen at {endpoint}: {reason}; {cure}"


async def _ping_all(agent: Agent, plan: Plan, console: Console) -> int:
    """Ping when all switches have a controller; return the exit status."""
    if without := await agent.ready(CONNECT_TIMEOUT):
        where = " or ".join(map(str, plan.controllers))
        count = len(plan.topology.switches)
        click.echo(
            f"Error: {len(without)} of {count} switches found no controller in "
            f"{CONNECT_TIMEOUT:g} s: is one running at {where}? Start it with "
            f"pointsman controller",
            err=True,
        )
        return 1
    pings = await agent.ping_all(plan.ping_timeout)
    console.print(ping_table(pings, list(agent.network.hosts)))
    console.print(ping_summary(pings), highlight=False)
    return 1 if pings.lost else 0


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, int]) -> int:
    """Return the status of some work, or INTERRUPTED if `stop` is set before it is done."""
    task, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else INTERRUPTED
    finally:
        for one in (task, stopped):
            one.cancel()
        await asyncio.gather(task, stopped, return_exceptions=True)
