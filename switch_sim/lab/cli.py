"""`pointsman`: the controller, the switches and the demo in one command."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import click

from controller.app_files import apps
from controller.certificates import tls
from controller.cli import command as controller
from controller.commands import COMMANDS

from ..cli import command as switches
from ..load.cli import command as load
from .demo import command as demo
from .tools import codec, explain_command
from .trace_command import command as trace


def _version() -> str:
    try:
        return version("pointsman")
    except PackageNotFoundError:  # run from a directory, without being installed
        return "unknown"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version(), prog_name="pointsman")
def main() -> None:
    """OpenFlow 1.0 to 1.5: a controller, simulated switches, and both at once."""


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
):
    main.add_command(_command)
