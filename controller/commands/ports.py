"""`pointsman ports`: shown with what they counted, taken up and down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from protocol.text import value_text

from .asking import Answer, Lists, asked, options, show, switch_argument, tell

_COLUMNS = {
    "datapath_id": "switch",
    "port_no": "port no",
    "name": "name",
    "hw_addr": "hw addr",
    "link": "link",
    "config": "config",
}
_STATS = {
    "datapath_id": "switch",
    "port_no": "port no",
    "rx_packets": "rx packets",
    "rx_bytes": "rx bytes",
    "tx_packets": "tx packets",
    "tx_bytes": "tx bytes",
    "rx_dropped": "rx dropped",
    "tx_dropped": "tx dropped",
}


@click.group(cls=Lists, short_help="Show ports, take them up and down.")
def ports() -> None:
    """Show the ports of switches, and take them up and down.

    Without a subcommand the ports of SWITCH are shown, or of all switches.

    \b
    Examples:
      pointsman ports s1
      pointsman ports stats s1
      pointsman ports down s1 2
      pointsman ports up s1 s1-eth2
    """


@ports.command("list")
@switch_argument(required=False)
@options
def list_ports(switch: str | None, control: Path, as_json: bool) -> None:
    """Show the ports of SWITCH, or of all.

    \b
    Example:
      pointsman ports list s1
    """
    _show(asked(control, "ports", switch=switch), as_json, "Ports", _COLUMNS)


@ports.command("stats")
@switch_argument(required=False)
@options
def stats(switch: str | None, control: Path, as_json: bool) -> None:
    """Show what the ports of SWITCH counted, or of all.

    \b
    Example:
      pointsman ports stats s1
    """
    _show(asked(control, "port_stats", switch=switch), as_json, "Ports' counters", _STATS)


def _show(answers: Iterable[Answer], as_json: bool, title: str, columns: Mapping[str, str]) -> None:
    """Print ports; those with a name of the specification's, as LOCAL, by that in tables."""
    if not as_json:
        answers = ({**one, "port_no": value_text("port_no", one["port_no"])} for one in answers)
    show(answers, as_json, title, "there are no ports", columns)


def _sets(name: str, flag: str, value: bool, about: str) -> None:
    @ports.command(name, help=f"{about}\n\n\b\nExample:\n  pointsman ports {name} s1 2")
    @switch_argument()
    @click.argument("port")
    @options
    def subcommand(switch: str, port: str, control: Path, as_json: bool) -> None:
        given = {"switch": switch, "port": port, "flag": flag, "value": value}
        answers = asked(control, "port_mod", **given)
        if as_json:
            tell(answers)
            return
        for one in answers:
            click.echo(f"{one['datapath_id']}: {one['done']}")


for _name, _flag, _value, _about in (
    ("up", "PORT_DOWN", False, "Let PORT, a number or a name, be up."),
    ("down", "PORT_DOWN", True, "Take PORT, a number or a name, down."),
    ("receive", "NO_RECV", False, "Let PORT take packets that come in."),
    ("no-receive", "NO_RECV", True, "Let PORT drop packets that come in."),
    ("forward", "NO_FWD", False, "Let packets leave by PORT."),
    ("no-forward", "NO_FWD", True, "Let no packet leave by PORT."),
    ("packet-in", "NO_PACKET_IN", False, "Let packets from PORT come to controllers."),
    ("no-packet-in", "NO_PACKET_IN", True, "Let no packet from PORT come to controllers."),
    ("flood", "NO_FLOOD", False, "Let floods leave by PORT (OpenFlow 1.0)."),
    ("no-flood", "NO_FLOOD", True, "Let no flood leave by PORT (OpenFlow 1.0)."),
):
    _sets(_name, _flag, _value, _about)
