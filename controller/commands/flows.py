"""`pointsman flows`: entries are shown, added, changed and deleted, as ovs-ofctl's users do it."""

from __future__ import annotations

from pathlib import Path

import click

from .asking import Lists, asked, options, show, switch_argument, tell

_COLUMNS = {
    "datapath_id": "switch",
    "flow": "flow",
    "packet_count": "packets",
    "byte_count": "bytes",
    "duration_sec": "seconds",
}


@click.group(cls=Lists, short_help="Show, add, change and delete flow entries.")
def flows() -> None:
    """Show, add, change and delete flow entries, in ovs-ofctl's syntax.

    Without a subcommand the entries of SWITCH are shown, or of all switches.

    \b
    Examples:
      pointsman flows
      pointsman flows s1 --json
      pointsman flows add s1 "priority=5,tcp,tp_dst=80,actions=output:2"
      pointsman flows mod s1 "tcp,actions=output:3"
      pointsman flows del s1 "tcp"
    """


@flows.command("list")
@switch_argument(required=False)
@options
def list_flows(switch: str | None, control: Path, as_json: bool) -> None:
    """Show the entries of SWITCH, or of all.

    \b
    Example:
      pointsman flows list s1
    """
    answers = asked(control, "flows", switch=switch)
    show(answers, as_json, "Flow entries", "no flow entry", _COLUMNS)


def change(
    group: click.Group, question: str, name: str, command: str, what: str, about: str, example: str
) -> None:
    """Add a subcommand that changes something of a switch and waits until it is done."""

    @group.command(name, help=f"{about}\n\n\b\nExample:\n  pointsman {group.name} {name} {example}")
    @switch_argument()
    @click.argument("text", metavar=what)
    @options
    def subcommand(switch: str, text: str, control: Path, as_json: bool) -> None:
        answers = asked(control, question, switch=switch, text=text, command=command)
        if as_json:
            tell(answers)
            return
        for one in answers:
            click.echo(f"{one['datapath_id']}: {one['done']}")


for _name, _command, _about, _example in (
    ("add", "ADD", "Add the entry FLOW.", '"priority=5,tcp,tp_dst=80,actions=output:2"'),
    ("mod", "MODIFY", "Change the entries that FLOW covers.", '"tcp,actions=output:3"'),
    (
        "mod-strict",
        "MODIFY_STRICT",
        "Change the entry with just FLOW's match and priority.",
        '"priority=5,tcp,actions=output:3"',
    ),
    ("del", "DELETE", "Delete the entries that FLOW covers; \"\" covers all.", '"tcp"'),
    (
        "del-strict",
        "DELETE_STRICT",
        "Delete the entry with just FLOW's match and priority.",
        '"priority=5,tcp"',
    ),
):  # fmt: skip
    change(flows, "flow_mod", _name, _command, "FLOW", _about, f"s1 {_example}")
