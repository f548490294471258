"""`pointsman trace`: the walk of one packet through flow entries, and why it ends as it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import msgspec

from protocol import ErrorMsg, MacAddress, Match, Message, PortDesc, Version
from protocol.syntax import Flow, parse_group, parse_meter
from protocol.transport.terminal import WrongCall, versions_like
from protocol.version import parse_versions

from ..session import Session
from ..switch import Switch
from .frame_text import frame_of

MAX_PORTS = 1_000
_HEX = frozenset("0123456789abcdefABCDEF")


@click.command("trace", short_help="Tell what a switch would do with a packet, and why.")
@click.argument("packet")
@click.option("--flow", "flows", multiple=True, metavar="FLOW", help="A flow entry.")
@click.option(
    "--flows",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A file of flow entries, one a line; lines that begin with group_id= or meter= are "
    "groups and meters, those with # are passed over.",
)
@click.option("--in-port", type=click.IntRange(1), help="Where the packet comes in.  [1]")
@click.option(
    "--ports", "n_ports", default=8, show_default=True, type=click.IntRange(1, MAX_PORTS),
    help="Ports of the switch, from 1 on.",
)  # fmt: skip
@click.option("--down", multiple=True, type=int, metavar="PORT", help="A port without a link.")
@click.option(
    "--of-version",
    "version",
    default="1.5",
    show_default=True,
    metavar="VERSION",
    shell_complete=versions_like,
)
@click.option("--json", "as_json", is_flag=True, help="One JSON value for programs.")
def command(
    packet: str,
    flows: tuple[str, ...],
    files: tuple[Path, ...],
    in_port: int | None,
    n_ports: int,
    down: tuple[int, ...],
    version: str,
    as_json: bool,
) -> None:
    """Tell what a switch would do with PACKET, and why.

    PACKET is a frame in hex, or its fields: in_port=1,tcp,nw_dst=10.0.0.1,tp_dst=80.
    Flow entries are written as for ovs-ofctl.

    \b
    Examples:
      pointsman trace in_port=1,tcp,tp_dst=80 --flow tcp,tp_dst=443,actions=output:2
      pointsman trace in_port=1,arp --flows flows.txt --of-version 1.3 --json
    """
    try:
        switch, session = _switch(n_ports, _version(version))
        _install(switch, session, [*flows, *_lines(files)])
        named, data = _frame(packet)
        for number in down:
            if number not in switch.ports:
                raise ValueError(f"there is no port {number} to be down: there are 1 to {n_ports}")
            switch.set_link(number, up=False, now=0.0)
        trace = switch.trace(in_port or named or 1, data, 0.0)
    except ValueError as error:
        raise WrongCall(str(error)) from error
    click.echo(msgspec.json.encode(trace) if as_json else str(trace))


def _version(text: str) -> Version:
    found = parse_versions(text)
    if len(found) != 1:
        raise ValueError("a trace needs one version, such as 1.3")
    return next(iter(found))


def _switch(n_ports: int, version: Version) -> tuple[Switch, Session]:
    ports = [
        PortDesc(number, MacAddress(number), f"port{number}") for number in range(1, n_ports + 1)
    ]
    switch = Switch(1, ports)
    return switch, switch.connect(version)


def _lines(files: Iterable[Path]) -> Iterator[str]:
    for path in files:
        for line in path.read_text("utf-8").splitlines():
            if (text := line.strip()) and not text.startswith("#"):
                yield text


def _install(switch: Switch, session: Session, lines: Iterable[str]) -> None:
    """Put in entries, groups and meters; groups first, as entries name them."""
    messages = sorted(((_rank(line), line) for line in lines), key=lambda one: one[0])
    for _, line in messages:
        message = _message(line, session.version)
        for _, answer in switch.handle(session, message, 0.0).messages:
            if isinstance(answer, ErrorMsg):
                raise ValueError(f"the switch refuses {line!r} with {answer.code}")


def _rank(line: str) -> int:
    return 0 if line.startswith("meter") else 1 if line.startswith("group_id") else 2


def _message(line: str, version: Version) -> Message:
    if line.startswith("meter"):
        return parse_meter(line)
    if line.startswith("group_id"):
        return parse_group(line, version=version)
    return Flow.parse(line).mod(version=version)


def _frame(text: str) -> tuple[int | None, bytes]:
    """Return the port that a description names, and the frame."""
    digits = text.replace(" ", "").replace(":", "")
    if digits and _HEX.issuperset(digits):
        if len(digits) % 2:
            raise ValueError("a frame in hex has an even number of digits")
        return None, bytes.fromhex(digits)
    match = Match.parse(text)
    return match.number("in_port"), frame_of(match)
