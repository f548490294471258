"""`pointsman topology` and `pointsman hosts`: what the topology application found."""

from __future__ import annotations

from pathlib import Path

import click

from .asking import asked, control_option, options, show, tell


@click.command(short_help="Show switches and links.")
@control_option
@click.option("--json", "as_json", is_flag=True, help="One JSON value for programs.")
def topology(control: Path, as_json: bool) -> None:
    """Show the switches and links that a running controller knows.

    \b
    Examples:
      pointsman topology
      pointsman topology --json
    """
    switches = list(asked(control, "switches"))
    if not as_json:  # they are known whether an application looks for links or not
        named = any(one["name"] for one in switches)
        shown = [{k: v for k, v in one.items() if named or k != "name"} for one in switches]
        show(shown, False, "Switches", "no switch is connected")
        click.echo()
    *links, end = asked(control, "topology")
    if as_json:
        tell([{"switches": switches, "links": links, "progress": end["progress"]}])
        return
    show(links, False, "Links", "no link is known")
    click.echo(f"\n{end['progress']}")


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
