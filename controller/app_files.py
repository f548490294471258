"""`pointsman apps`: what applications there are; `pointsman apps new`: the files of a new one."""

from __future__ import annotations

import json
import re
from keyword import iskeyword
from pathlib import Path

import click

from protocol.transport.terminal import WrongCall

from . import loading
from .app import name_of
from .options import Options, described

_APP = '''"""{title}: say here what it does."""

from controller import App, Datapath, run
from protocol import Match, Output, PacketIn, Port


class {cls}(App):
    async def switch_ready(self, datapath: Datapath) -> None:
        # Up to now the switch drops everything. Let it ask what to do with packets.
        datapath.add_flow(Match(), [Output(Port.CONTROLLER)], priority=0)

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        # Send it out of all other ports, as a hub does.
        datapath.packet_out(message, [Output(Port.FLOOD)])


if __name__ == "__main__":
    run({cls}())
'''

_TEST = '''"""What {cls} tells a switch. Run it with pytest."""

import asyncio

import pytest

from controller.testing import recording
from protocol import ApplyActions, FlowMod, Match, Output, PacketIn, PacketOut, Port, Version

from {name} import {cls}


@pytest.mark.parametrize("version", Version)
def test_a_new_switch_asks_what_to_do_with_packets(version: Version) -> None:
    datapath, sent = recording(version)
    asyncio.run({cls}().switch_ready(datapath))
    assert sent == [FlowMod(Match(), (ApplyActions((Output(Port.CONTROLLER),)),), priority=0)]


def test_a_packet_goes_out_of_all_other_ports() -> None:
    datapath, sent = recording()
    packet = PacketIn(match=Match(in_port=1), data=bytes(60))
    asyncio.run({cls}().packet_in(datapath, packet))
    assert sent == [PacketOut((Output(Port.FLOOD),), bytes(60), match=Match(in_port=1))]
'''


def write_new(name: str, directory: Path) -> list[Path]:
    """Write an application and its test; return the files.

    ValueError, with the cure, for a name that is none; FileExistsError where one is there.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or iskeyword(name):
        raise ValueError(f"{name!r} is no name for a Python file: write it as in my_firewall")
    cls = "".join(part.capitalize() for part in name.split("_"))
    words = {"name": name, "cls": cls, "title": name.replace("_", " ").capitalize()}
    files = {f"{name}.py": _APP, f"test_{name}.py": _TEST}
    for file in files:
        if (directory / file).exists():
            raise FileExistsError(f"{directory / file} is there already: take another name")
    directory.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (directory / file).write_text(text.format(**words), encoding="utf-8")
    return [directory / file for file in files]


@click.group(invoke_without_command=True, short_help="Show the applications, or write one.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON each.")
@click.pass_context
def apps(context: click.Context, as_json: bool) -> None:
    """Show the applications that can be run by name, with their options, or write a new one.

    An option is set with `pointsman controller --set forwarding.multipath=false`, or in the
    file that `--config` names.

    \b
    Examples:
      pointsman apps
      pointsman apps new my_firewall
    """
    if context.invoked_subcommand is not None:
        return
    found = loading.known()
    width = max(map(len, found))
    for name, about in found.items():
        options = _options(name)
        if as_json:
            click.echo(json.dumps({"name": name, "about": about, "options": options}))
            continue
        click.echo(f"{name:{width}}  {about}")
        for one in options:
            told = f"{one['app']}.{one['option']} = {one['default'] or '(to be given)'}"
            click.echo(f"{'':{width}}    {told}  # {one['about']}".rstrip(" #"))


def _options(name: str) -> list[dict[str, str]]:
    """Return the options of a bundled application, and of those that it takes.

    What others offer is not loaded just to be shown.
    """
    if name not in loading.bundled():
        return []
    return [
        {"app": name_of(cls), "option": option, "default": default, "about": about}
        for cls in loading.classes_of(name)
        for kind in loading.arguments(cls).values()
        if issubclass(kind, Options)
        for option, default, about in described(kind)
    ]


@apps.command("new")
@click.argument("name")
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIRECTORY",
    help="Where to.  [here]",
)
def new(name: str, directory: Path) -> None:
    """Write the application NAME and its test, to begin with.

    \b
    Example:
      pointsman apps new my_firewall --directory firewall
    """
    try:
        app, test = write_new(name, directory)
    except ValueError as error:
        raise WrongCall(str(error)) from error
    except OSError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Made {app} and {test}. Run them:\n")
    click.echo(f"  pointsman controller {app}\n  pytest {test}")
