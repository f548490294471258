"""What `pointsman switches` and `python -m switch_sim` take."""

from __future__ import annotations

import asyncio
import errno
import json
import sys
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import click
from rich.console import Console

from protocol.datapath_ids import parse_datapath_id
from protocol.endpoint import MAX_PORT, Endpoint
from protocol.transport.terminal import (
    INTERRUPTED,
    WrongCall,
    collect_rarely,
    log_to_terminal,
    raise_file_limit,
    stop_event,
)

from . import transport
from .agent import Agent
from .interfaces import open_interface
from .network import Network, Topology, load_topology
from .network.ping_all import PING_ALL_TIMEOUT
from .options import channel_options, switch_options
from .real_switch import (
    DEFAULT_DATAPATH_ID,
    NAME,
    RealPort,
    one_switch,
    parse_ports,
)
from .report import ping_data, ping_summary, ping_table
from .settings import Settings
from .switch import Switch

DEFAULT_CONTROLLER = "tcp:127.0.0.1:6653"
DEFAULT_TOPOLOGY = "single,2"
CONNECT_TIMEOUT = 10.0  #: seconds in which all switches must have found their controller
LISTENERS_TOLD = 20  # each in a line; of more only the first and the last
SWITCH_NAME = "{switch}"  # in the path of a Unix socket

EXAMPLES = """\b
Examples:
  pointsman switches --topology tree,2,3 --controller tcp:127.0.0.1:6653
  pointsman switches --topology linear,4 --of-version 1.3 --ping-all --json
  pointsman switches --topology single,4 --listen ptcp:16633:127.0.0.1
  pointsman switches --datapath-id 1 --port 1=eth1 --port 2=eth2 --of-version 1.3
  pointsman switches --topology tree,2,3 --listen punix:/tmp/{switch}.sock
  pointsman switches --topology campus.toml --of-version 1.3+ --n-tables 8
\b
Topologies:
  single,HOSTS            one switch
  linear,SWITCHES[,HOSTS] switches in a row, HOSTS at each
  tree,DEPTH,FANOUT       levels of switches; the lowest have FANOUT hosts
  ring,SWITCHES           switches in a circle, one host at each
  mesh,SWITCHES           each switch linked to each other, one host at each
  torus,WIDTH,HEIGHT      a grid whose edges are joined, one host at each
  fattree,PORTS           a data centre of switches with that many ports
  random,SWITCHES[,SEED]  linked at random, one host at each
  FILE.toml               [[switch]] name, [[host]] name ip mac, [[link]] ends
  FILE.py                 topology: a Topology, or a function that returns one
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command was asked to do."""

    topology: Topology
    controllers: tuple[Endpoint, ...]
    listen: Endpoint | None
    ports: tuple[RealPort, ...]
    settings: Settings
    switch_options: Mapping[str, Any]
    ping_all: bool
    as_json: bool
    settle_time: float
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
    help="Whom all switches connect to: tcp:HOST:PORT, ssl:HOST:PORT or unix:PATH; several times "
    f"for several controllers.  [{DEFAULT_CONTROLLER}, unless they listen]",
)
@click.option(
    "--listen",
    metavar="ENDPOINT",
    help="Where the first switch listens: ptcp:PORT[:HOST] or pssl:PORT[:HOST]. The others take "
    "the ports after it; port 0 means a free one for each. Or punix:PATH, in which {switch} "
    "stands for the name of each.",
)
@channel_options
@switch_options
@click.option(
    "--ping-all",
    is_flag=True,
    help="Let every host ping every other, print who reached whom, and end: "
    "with status 0 if all pings came back.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="With --ping-all: one JSON value for programs."
)
@click.option(
    "--settle-time",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="How long to wait with the pings until a controller has looked for loops.  [0]",
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
    settings: Settings,
    switch_options: Mapping[str, Any],
    ping_all: bool,
    as_json: bool,
    settle_time: float,
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
            parse_ports(ports),
            settings,
            switch_options,
            ping_all,
            as_json,
            settle_time,
            ping_timeout,
        )
        _check(plan)
    except ValueError as error:
        raise WrongCall(str(error)) from error
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
            dials = dialling(endpoint)
            raise ValueError(f"{endpoint} listens: write --controller {dials}, or --listen")
    if not endpoints and listen is None:
        return (Endpoint.parse(DEFAULT_CONTROLLER),)
    return endpoints


def dialling(endpoint: Endpoint) -> str:
    """Return the form in which an endpoint that listens is dialled."""
    return f"{endpoint.kind[1:]}:{'PATH' if endpoint.path else 'HOST:PORT'}"


def _listener(text: str | None) -> Endpoint | None:
    endpoint = Endpoint.parse(text) if text is not None else None
    if endpoint is not None and not endpoint.listens:
        listens = f"p{endpoint.kind}:{'PATH' if endpoint.path else 'PORT[:HOST]'}"
        raise ValueError(f"{endpoint} dials: write --listen {listens}, or --controller")
    return endpoint


def _check(plan: Plan) -> None:
    if plan.as_json and not plan.ping_all:
        raise ValueError("--json tells what became of pings: give --ping-all as well")
    if plan.ping_all and plan.ports:
        raise ValueError("--ping-all needs simulated hosts: leave --port out")
    if plan.ping_all and not plan.controllers:
        raise ValueError("--ping-all needs a controller that says where packets go: --controller")
    for endpoint in (*plan.controllers, *_listeners(plan)):
        transport.context(endpoint, plan.settings.tls)


def _listeners(plan: Plan) -> list[Endpoint]:
    """Return where each switch listens, in their order; ValueError where there is no room."""
    first, names = plan.listen, [node.name for node in plan.topology.switches]
    if first is None:
        return []
    if first.path:
        if len(names) > 1 and SWITCH_NAME not in first.path:
            raise ValueError(
                f"{len(names)} switches need a socket each: write {SWITCH_NAME} for the name of "
                f"the switch, as in punix:{SWITCH_NAME}.sock"
            )
        return [replace(first, path=first.path.replace(SWITCH_NAME, name)) for name in names]
    if first.port and first.port + len(names) - 1 > MAX_PORT:
        raise ValueError(
            f"{len(names)} switches from port {first.port} on pass port {MAX_PORT}: "
            f"begin lower, or take port 0 for free ones"
        )
    return [replace(first, port=first.port and first.port + n) for n in range(len(names))]


def _run(plan: Plan) -> int:
    """Run the network until it is done, or a signal ends it; return the exit status."""
    raise_file_limit()
    collect_rarely()
    try:
        return asyncio.run(_run_network(plan, Console(quiet=plan.as_json)))
    except KeyboardInterrupt:
        return INTERRUPTED


async def _run_network(plan: Plan, console: Console) -> int:
    stop = stop_event()
    make_switch = partial(Switch, now=time.monotonic(), **plan.switch_options)
    agent = Agent(Network(plan.topology, make_switch), plan.settings, clock=time.monotonic)
    try:
        _attach(agent, plan.ports)
        _listen(agent, plan, console)
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
        line = f"the switches connect to {names}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _listen(agent: Agent, plan: Plan, console: Console) -> None:
    """Let all switches listen, and say where."""
    switches, endpoints = list(agent.network.switches), _listeners(plan)
    for number, (switch, endpoint) in enumerate(zip(switches, endpoints, strict=False)):
        try:
            bound = agent.listen(switch, endpoint)
        except (OSError, UnicodeError) as error:  # the latter for names that cannot be looked up
            raise click.ClickException(_cannot_listen(switch, endpoint, error)) from error
        if len(switches) <= LISTENERS_TOLD or number in (0, len(switches) - 1):
            line = f"{switch} listens at {bound}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def _cannot_listen(switch: str, endpoint: Endpoint, error: OSError | UnicodeError) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    cure = f"name an address of this machine, as in {endpoint.kind}:16633:127.0.0.1"
    if endpoint.path:
        cure = "name a file that can be made there, and at which nobody listens"
    elif isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES):
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
    await asyncio.sleep(plan.settle_time)
    pings = await agent.ping_all(plan.ping_timeout)
    if plan.as_json:
        click.echo(json.dumps(ping_data(pings)))
        return 1 if pings.lost else 0
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
