"""`pointsman send`: a message by hand, and what the switch answers."""

from __future__ import annotations

from pathlib import Path

import click

from .asking import asked, options, switch_argument, tell, types_like


@click.command(short_help="Send a switch a message, and show its answer.")
@switch_argument()
@click.argument("message", metavar="HEX|NAME", shell_complete=types_like)
@options
def send(switch: str, message: str, control: Path, as_json: bool) -> None:
    """Send SWITCH a message, and show its answer.

    A message is HEX, whose version must be the channel's, or the NAME of one that needs
    nothing said: port_desc_request, table_stats_request. It gets an xid of the controller's.

    \b
    Examples:
      pointsman send s1 desc_request
      pointsman send s1 0414000800000001      (a barrier_request of OpenFlow 1.3)
    """
    answers = asked(control, "send", switch=switch, message=message)
    if as_json:
        tell(answers)
        return
    for one in answers:
        click.echo(f"sent:   {one['sent']}")
        click.echo(f"answer: {one['answer'] or 'none within 2 s'}")
