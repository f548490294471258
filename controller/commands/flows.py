"""`pointsman flows`: entries are shown, added, changed and deleted, as ovs-ofctl's users do it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from protocol.syntax import Flow
from protocol.transport.terminal import WrongCall

from .asking import Answer, Lists, asked, options, show, switch_argument, tell

_COOKIE = re.compile(r",cookie=0x[0-9a-f]+")
_COLUMNS = {
    "datapath_id": "switch",
    "app": "app",
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
    """Show the entries of SWITCH, or of all, and who added each.

    Cookies, which say which application that was, are in the JSON only.

    \b
    Example:
      pointsman flows list s1
    """
    answers: Iterable[Answer] = asked(control, "flows", switch=switch)
    if not as_json:
        answers = map(_without_cookie, answers)
    show(answers, as_json, "Flow entries", "no flow entry", _COLUMNS)


def _without_cookie(entry: Answer) -> Answer:
    """Leave out a cookie that says no more than the name of the application does."""
    shown = _COOKIE.sub("", entry["flow"]) if entry["app"] else entry["flow"]
    return {**entry, "flow": shown}


def change(
    group: click.Group,
    question: str,
    names: tuple[str, str],
    metavar: str,
    parse: Callable[[str], object],
    words: tuple[str, str],
) -> None:
    """Add a subcommand that changes something of a switch and waits until it is done.

    `names` are its own and that of the command in the message; `words` say what it does, and
    what is an example of its text. What `parse` refuses is not asked for.
    """
    (name, command), (about, example) = names, words
    shown = f"pointsman {group.name} {name} s1 {example}"

    @group.command(name, help=f"{about}\n\n\b\nExample:\n  {shown}")
    @switch_argument()
    @click.argument("text", metavar=metavar)
    @options
    def subcommand(switch: str, text: str, control: Path, as_json: bool) -> None:
        try:
            parse(text)
        except ValueError as error:
            raise WrongCall(str(error)) from error
        answers = asked(control, question, switch=switch, text=text, command=command)
        if as_json:
            tell(answers)
            return
        for one in answers:
            click.echo(f"{one['datapath_id']}: {one['done']}")


_ENTRY = '"priority=5,tcp,tp_dst=80,actions=output:2"'
_STRICT = "the entry with just FLOW's match and priority"
for _names, _words in {
    ("add", "ADD"): ("Add the entry FLOW to SWITCH.", _ENTRY),
    ("mod", "MODIFY"): (
        "Change the entries of SWITCH that FLOW covers.",
        '"tcp,actions=output:3"',
    ),
    ("mod-strict", "MODIFY_STRICT"): (f"Change {_STRICT}.", _ENTRY),
    ("del", "DELETE"): (
        'Delete the entries of SWITCH that FLOW covers; "" covers all.',
        '"tcp"',
    ),
    ("del-strict", "DELETE_STRICT"): (f"Delete {_STRICT}.", '"priority=5,tcp,tp_dst=80"'),
}.items():
    change(flows, "flow_mod", _names, "FLOW", Flow.parse, _words)
