"""Commands that ask a running controller: topology, hosts, flows, ports, groups, meters, …"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from protocol.endpoint import Endpoint
from protocol.pcap import Endpoint as Address
from protocol.pcap import Writer

from .control.client import NoAnswer, ask
from .control.place import default_path

Answer = dict[str, Any]
F = TypeVar("F", bound=Callable[..., None])

_CONTROLLER_PORT = 6653  # in captures, where Wireshark looks for OpenFlow


def _options(command: F) -> F:
    """Give a command the options that all of these have."""
    command = click.option(
        "--control",
        type=click.Path(path_type=Path),
        default=default_path,
        metavar="PATH",
        help="The controller's socket, where it was given another one.",
    )(command)
    return click.option("--json", "as_json", is_flag=True, help="One line of JSON each.")(command)


def _asked(control: Path, question: str, **arguments: Any) -> Iterator[Answer]:
    """Yield the answers; ClickException where there are none."""
    try:
        yield from ask(control, question, **arguments)
    except NoAnswer as error:
        raise click.ClickException(str(error)) from error


def _show(answers: Iterator[Answer], as_json: bool, title: str, nothing: str) -> None:
    """Print answers of one shape: a table, or a line of JSON each."""
    if as_json:
        for one in answers:
            click.echo(json.dumps(one))
        return
    found = list(answers)
    if not found:
        click.echo(nothing)
        return
    table = Table(title=title)
    for name in found[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for one in found:
        table.add_row(*map(_cell, one.values()))
    Console().print(table)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


@click.command(short_help="Show switches and links.")
@_options
def topology(control: Path, as_json: bool) -> None:
    """Show the switches and links that a running controller knows.

    \b
    Example:
      pointsman controller forwarding &
      pointsman topology
    """
    _show(_asked(control, "switches"), as_json, "Switches", "no switch is connected")
    answers = list(_asked(control, "topology"))
    _show(iter(answers[:-1]), as_json, "Links", "no link is known")
    if not as_json:
        click.echo(answers[-1]["progress"])


@click.command(short_help="Show the hosts that were heard of.")
@_options
def hosts(control: Path, as_json: bool) -> None:
    """Show the hosts that a running controller heard of.

    \b
    Example:
      pointsman hosts --json
    """
    _show(_asked(control, "hosts"), as_json, "Hosts", "no host was heard of")


def _lists(question: str, title: str, nothing: str, about: str) -> click.Command:
    """Return a command that lists something of one switch, or of all."""

    @click.command(name=question, help=f"{about}\n\n\b\nExample:\n  pointsman {question} s1")
    @click.argument("switch", required=False)
    @_options
    def command(switch: str | None, control: Path, as_json: bool) -> None:
        _show(_asked(control, question, switch=switch), as_json, title, nothing)

    return command


ports = _lists("ports", "Ports", "there are no ports", "Show the ports of a switch, or of all.")
groups = _lists("groups", "Groups", "no group", "Show the groups of a switch, or of all.")
meters = _lists("meters", "Meters", "no meter", "Show the meters of a switch, or of all.")


@click.group(invoke_without_command=True)
@click.pass_context
def flows(context: click.Context) -> None:
    """Show, add and delete flow entries, in ovs-ofctl's syntax.

    \b
    Examples:
      pointsman flows
      pointsman flows list s1 --json
      pointsman flows add s1 "priority=5,tcp,tp_dst=80,actions=output:2"
      pointsman flows delete s1 "tcp"
    """
    if context.invoked_subcommand is None:
        context.invoke(list_flows, switch=None, control=default_path(), as_json=False)


@flows.command("list")
@click.argument("switch", required=False)
@_options
def list_flows(switch: str | None, control: Path, as_json: bool) -> None:
    """Show the entries of SWITCH, or of all."""
    _show(_asked(control, "flows", switch=switch), as_json, "Flow entries", "no flow entry")


def _changes(command: str, about: str) -> None:
    @flows.command(command.replace("_", "-"), help=about)
    @click.argument("switch")
    @click.argument("flow")
    @_options
    def change(switch: str, flow: str, control: Path, as_json: bool) -> None:
        for one in _asked(control, "flow_mod", switch=switch, flow=flow, command=command):
            click.echo(json.dumps(one) if as_json else one["done"])


_changes("add", "Add the entry FLOW to SWITCH.")
_changes("modify", "Change the entries of SWITCH that FLOW covers.")
_changes("modify_strict", "Change the entry of SWITCH with just FLOW's match and priority.")
_changes("delete", "Delete the entries of SWITCH that FLOW covers.")
_changes("delete_strict", "Delete the entry of SWITCH with just FLOW's match and priority.")


@click.command()
@click.argument("switch")
@click.argument("message", metavar="HEX")
@_options
def send(switch: str, message: str, control: Path, as_json: bool) -> None:
    """Send SWITCH a message in hex, and show its answer.

    \b
    Example:
      pointsman send s1 0414000800000001      (a barrier_request of OpenFlow 1.3)
    """
    for one in _asked(control, "send", switch=switch, message=message):
        if as_json:
            click.echo(json.dumps(one))
        else:
            click.echo(f"sent:   {one['sent']}")
            click.echo(f"answer: {one['answer'] or 'none within 2 s'}")


@click.command(short_help="Show what was said lately.")
@click.argument("switch", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is said, until Ctrl-C.")
@click.option("--pcap", type=click.File("wb"), metavar="FILE", help="Write a capture instead.")
@_options
def record(switch: str | None, follow: bool, pcap: Any, control: Path, as_json: bool) -> None:
    """Show what a running controller and its switches said lately, a line a message.

    \b
    Examples:
      pointsman record s1 --follow
      pointsman record --pcap said.pcap         (Wireshark dissects it)
    """
    answers = _asked(control, "record", switch=switch, follow=follow)
    with suppress(KeyboardInterrupt, BrokenPipeError):
        if pcap is not None:
            click.echo(f"{_write_capture(pcap, answers)} messages written", err=True)
        for one in answers:
            click.echo(json.dumps(one) if as_json else _line(one))
            sys.stdout.flush()


def _line(said: Answer) -> str:
    at = said["at"]
    shown = time.strftime("%H:%M:%S", time.localtime(at)) + f"{at % 1:.6f}"[1:]
    name = said["datapath_id"] or said["peer"]
    arrow = "──▶ controller" if said["from_switch"] else "◀── controller"
    return f"{shown}  {name:>18} {arrow}  {said['text']}"


def _write_capture(file: Any, answers: Iterator[Answer]) -> int:
    writer, count = Writer(file), 0
    for one in answers:
        dialled = Endpoint.parse(f"tcp:{one['peer']}")
        switch = Address.of(dialled.host, dialled.port)
        host = "::1" if switch.address.version == 6 else "127.0.0.1"
        controller = Address.of(host, _CONTROLLER_PORT)
        ends = (switch, controller) if one["from_switch"] else (controller, switch)
        writer.write(bytes.fromhex(one["hex"]), one["at"], *ends)
        count += 1
    return count


COMMANDS: tuple[click.Command, ...] = (
    topology, hosts, ports, flows, groups, meters, send, record,
)  # fmt: skip
