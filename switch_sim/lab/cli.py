"""`pointsman`: the controller, the switches and the demo in one command."""

from __future__ import annotations

import io
import sys
from importlib.metadata import PackageNotFoundError, version

import click

from controller.app_files import apps
from controller.certificates import tls
from controller.cli import command as controller
from controller.commands import COMMANDS
from protocol.ready import READY

from ..cli import command as switches
from ..load.cli import command as load
from .completion import completion
from .demo import command as demo
from .tools import codec, explain_command
from .trace_command import command as trace


def _version() -> str:
    try:
        found = version("pointsman")
    except PackageNotFoundError:  # run from a directory, without being installed
        found = "unknown"
    return f"{found}, compiled" if READY else found


STATUS = """\b
Status:
  0 if all went well, 1 if not, 2 if it was called wrongly
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version(), prog_name="pointsman")
def main() -> None:
    """OpenFlow 1.0 to 1.5: a controller, simulated switches, and both at once."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that it cannot write must not end us
            stream.reconfigure(errors="replace")


for _command in (
    controller,
    switches,
    load,
    demo,
    codec,
    explain_command,
    trace,
    apps,
    tls,
    *COMMANDS,
    completion,
):
    main.add_command(_command)


def _say_status(command: click.Command) -> None:
    """Let the help of a command, and of those below it, end with what its status means."""
    command.epilog = "\n\n".join(filter(None, (command.epilog, STATUS)))
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _say_status(below)


for _command in main.commands.values():
    _say_status(_command)
