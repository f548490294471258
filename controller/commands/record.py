"""`pointsman record`: what was said, a line a message, as a ladder, as JSON, as a capture."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import click

from protocol.datapath_ids import parse_datapath_id
from protocol.endpoint import MAX_PORT
from protocol.pcap import OPENFLOW_PORTS

from ..conversation.captures import said_in, write_capture
from ..conversation.exchanges import Exchanges
from ..conversation.ladder import Ladder, duration
from ..conversation.selection import Selection
from ..conversation.telling import from_answers
from ..recorder import Said
from .asking import Answer, asked, options, switch_argument, switch_option, tell, types_like

_ASCII = str.maketrans("│─╌▶◀┼└…µ", "|-.><+`~u")
_WIDTH = 80  # columns of a terminal that does not say


@click.command(short_help="Show what was said, or follow it.")
@switch_argument(nargs=-1)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is said, until Ctrl-C.")
@click.option("--ladder", is_flag=True, help="Draw a ladder: a column a party, an arrow a message.")
@click.option("--pcap", type=click.File("wb"), metavar="FILE", help="Write a capture instead.")
@click.option(
    "--read",
    "source",
    type=click.File("rb"),
    metavar="FILE",
    help="Show what is in a capture instead, pcap or pcapng; - for standard input.",
)
@click.option(
    "--port",
    "ports",
    multiple=True,
    type=click.IntRange(1, MAX_PORT),
    metavar="PORT",
    help="With --read: where the controllers of the capture listen; several times for several.  "
    "[6653, 6633]",
)
@switch_option("--datapath-id", "more", "Only this switch, as the argument; or several of them.")
@click.option(
    "--type",
    "types",
    multiple=True,
    shell_complete=types_like,
    metavar="NAME",
    help="Only messages of a type, as flow_mod or echo (request and reply); several times for "
    "several.",
)
@click.option("--errors", is_flag=True, help="Only errors, each below the message it is about.")
@options
def record(
    switch: tuple[str, ...],
    follow: bool,
    ladder: bool,
    pcap: BinaryIO | None,
    source: BinaryIO | None,
    ports: tuple[int, ...],
    more: tuple[str, ...],
    types: tuple[str, ...],
    errors: bool,
    control: Path,
    as_json: bool,
) -> None:
    """Show what a running controller and its switches said lately, a line a message.

    The controller keeps the newest 64 MB of all channels together.

    \b
    Examples:
      pointsman record s1 --follow
      pointsman record --ladder --type flow_mod --type packet_in
      pointsman record --errors
      pointsman record --pcap said.pcap          (Wireshark dissects it)
      pointsman record --read said.pcap --ladder
    """
    if follow and source is not None:
        raise click.UsageError("a capture cannot be followed: leave out --follow or --read")
    switches = [*switch, *more]
    try:
        # Who answers knows what switches are called, a capture their numbers only.
        numbers = () if source is None else map(parse_datapath_id, switches)
        wanted = Selection.of(numbers, types, errors)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if source is None:
        said = _recorded(control, switches, follow)
    else:
        said = _captured(source, ports or OPENFLOW_PORTS)
    answers = _picked(said, wanted)
    with suppress(KeyboardInterrupt):
        if pcap is not None:
            click.echo(f"{write_capture(pcap, answers, flush=follow)} messages written", err=True)
        elif as_json:
            tell(answers)
        else:
            _show(answers, _ladder() if ladder else lines)


def _captured(source: BinaryIO, ports: Collection[int]) -> Iterator[tuple[Said, int]]:
    try:
        yield from ((said, 0) for said in said_in(source, ports))
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _recorded(control: Path, switches: list[str], follow: bool) -> Iterator[tuple[Said, int]]:
    return from_answers(asked(control, "record", switches=switches, follow=follow))


def _picked(said: Iterable[tuple[Said, int]], wanted: Selection) -> Iterator[Answer]:
    """Yield what is wanted, joined with what it answers."""
    exchanges, missed = Exchanges(), 0
    for one, gap in said:
        missed += gap
        for heard in wanted.pick(exchanges.hear(one)):
            yield {**heard.as_data(), "missed": missed}
            missed = 0


def _ladder() -> Callable[[Answer], Iterable[str]]:
    width = shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else None
    return Ladder(width).draw


def _show(answers: Iterable[Answer], draw: Callable[[Answer], Iterable[str]]) -> None:
    for one in answers:
        for line in draw(one):
            shown = _writable(line)
            click.echo(click.style(shown, fg="red") if one["error"] else shown)
        sys.stdout.flush()


def _writable(line: str) -> str:
    """Return a line as standard output can write it, arrows in ASCII where need be."""
    try:
        line.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return line.translate(_ASCII)
    return line


def lines(one: Answer) -> Iterator[str]:
    """Yield a message as a line, and below an error what it means and is about."""
    at = one["at"]
    shown = time.strftime("%H:%M:%S", time.localtime(at)) + f"{at % 1:.6f}"[1:]
    name = one["datapath_id"] or one["peer"]
    if one["missed"]:
        yield f"{shown}  … {one['missed']} readings are left out here"
    arrow = "──▶ controller" if one["from_switch"] else "◀── controller"
    yield f"{shown}  {name:>18} {arrow}  {one['text']}"
    if one["error"] and one["type"]:
        about = f"; {duration(one['after'])} after {one['answers']}" if one["answers"] else ""
        yield f"{'':15}  {'':>18} {'':14}  └ {one['error']}{about}"
