"""`pointsman send`: a message by hand, and what the switch answers."""

from __future__ import annotations

from pathlib import Path

import click

from .asking import asked, options, switch_argument, tell


@click.command(short_help="Send a switch a message in hex, and show its answer.")
@switch_argument()
@click.argument("message", metavar="HEX")
@options
def send(switch: str, message: str, control: Path, as_json: bool) -> None:
    """Send SWITCH a message in hex, and show its answer.

    The message gets an xid of the controller's; its version must be the channel's.

    \b
    Example:
      pointsman send s1 0414000800000001      (a barrier_request of OpenFlow 1.3)
    """
    answers = asked(control, "send", switch=switch, message=message)
    if as_json:
        tell(answers)
        return
    for one in answers:
        click.echo(f"sent:   {one['sent']}")
        click.echo(f"answer: {one['answer'] or 'none within 2 s'}")
