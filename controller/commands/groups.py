"""`pointsman groups` and `pointsman meters`: shown, added, changed and deleted."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from protocol import GroupModCommand, MeterModCommand
from protocol.syntax import parse_group, parse_meter

from .asking import Lists, asked, options, show, switch_argument
from .flows import change


@click.group(cls=Lists, short_help="Show, add, change and delete groups.")
def groups() -> None:
    """Show, add, change and delete groups, in ovs-ofctl's syntax.

    Without a subcommand the groups of SWITCH are shown, or of all switches. OpenFlow 1.0 has
    no groups.

    \b
    Examples:
      pointsman groups s1
      pointsman groups add s1 "group_id=1,type=select,bucket=output:1,bucket=output:2"
      pointsman groups del s1 group_id=1
    """


@groups.command("list")
@switch_argument(required=False)
@options
def list_groups(switch: str | None, control: Path, as_json: bool) -> None:
    """Show the groups of SWITCH, or of all.

    \b
    Example:
      pointsman groups list s1
    """
    answers = asked(control, "groups", switch=switch)
    show(answers, as_json, "Groups", "no group", {"datapath_id": "switch", "group": "group"})


@click.group(cls=Lists, short_help="Show, add, change and delete meters.")
def meters() -> None:
    """Show, add, change and delete meters, in ovs-ofctl's syntax.

    Without a subcommand the meters of SWITCH are shown, or of all switches. Meters came with
    OpenFlow 1.3.

    \b
    Examples:
      pointsman meters s1
      pointsman meters add s1 "meter=1,kbps,bands=type=drop,rate=1000"
      pointsman meters del s1 meter=1
    """


@meters.command("list")
@switch_argument(required=False)
@options
def list_meters(switch: str | None, control: Path, as_json: bool) -> None:
    """Show the meters of SWITCH, or of all.

    \b
    Example:
      pointsman meters list s1
    """
    answers = asked(control, "meters", switch=switch)
    show(answers, as_json, "Meters", "no meter", {"datapath_id": "switch", "meter": "meter"})


_GROUP = '"group_id=1,type=all,bucket=output:1,bucket=output:2"'
for _names, _words in {
    ("add", "ADD"): ("Add GROUP to SWITCH.", _GROUP),
    ("mod", "MODIFY"): ("Give a group of SWITCH another type and other buckets.", _GROUP),
    ("del", "DELETE"): ("Delete GROUP; group_id=all means all of them.", "group_id=1"),
    ("insert-buckets", "INSERT_BUCKET"): (
        "Put buckets into a group (OpenFlow 1.5).",
        '"group_id=1,command_bucket_id=last,bucket=bucket_id:7,output:3"',
    ),
    ("remove-buckets", "REMOVE_BUCKET"): (
        "Take a bucket out of a group (OpenFlow 1.5).",
        '"group_id=1,command_bucket_id=7"',
    ),
}.items():
    _parse = partial(parse_group, command=GroupModCommand[_names[1]])
    change(groups, "group_mod", _names, "GROUP", _parse, _words)

_METER = '"meter=1,kbps,bands=type=drop,rate=1000"'
for _names, _words in {
    ("add", "ADD"): ("Add METER to SWITCH.", _METER),
    ("mod", "MODIFY"): ("Give a meter of SWITCH other bands.", _METER),
    ("del", "DELETE"): ("Delete METER; meter=all means all of them.", "meter=1"),
}.items():
    change(
        meters,
        "meter_mod",
        _names,
        "METER",
        partial(parse_meter, command=MeterModCommand[_names[1]]),
        _words,
    )
