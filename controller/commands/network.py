"""`pointsman topology` and `pointsman hosts`: what the topology application found."""

from __future__ import annotations

from pathlib import Path

import click

from .asking import asked, options, show, tell


@click.command(short_help="Show switches and links.")
@options
def topology(control: Path, as_json: bool) -> None:
    """Show the switches and links that a running controller knows.

    \b
    Example:
      pointsman controller forwarding &
      pointsman topology
    """
    show(asked(control, "switches"), as_json, "Switches", "no switch is connected")
    answers = list(asked(control, "topology"))
    if as_json:
        tell(answers[:-1])
        return
    click.echo()
    show(answers[:-1], as_json, "Links", "no link is known")
    click.echo(f"\n{answers[-1]['progress']}")


@click.command(short_help="Show the hosts that were heard of.")
@options
def hosts(control: Path, as_json: bool) -> None:
    """Show the hosts that a running controller heard of.

    \b
    Examples:
      pointsman hosts
      pointsman hosts --json
    """
    show(asked(control, "hosts"), as_json, "Hosts", "no host was heard of")
