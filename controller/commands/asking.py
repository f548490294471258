"""What these commands share: the controller's socket, its answers as tables or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..control.client import NoAnswer, ask
from ..control.place import default_path
from ..conversation.selection import known_types

Answer = dict[str, Any]
F = TypeVar("F", bound=Callable[..., None])

_COMPLETION_TIMEOUT = 1.0  # seconds that a shell waits for the names of switches


def connected(context: click.Context, incomplete: str) -> list[CompletionItem]:
    """Return the switches that are connected and may be meant."""
    control = context.params.get("control") or default_path()
    try:
        found = list(ask(control, "switches", timeout=_COMPLETION_TIMEOUT))
    except NoAnswer:
        return []
    shown = [(one, one.get("name") or one["datapath_id"]) for one in found]
    for write in ("{:#x}", "s{}"):  # who begins to write a number goes on to write it so
        if not any(text.startswith(incomplete) for _, text in shown):
            shown = [(one, write.format(int(one["datapath_id"], 16))) for one in found]
    return [
        CompletionItem(text, help=f"OpenFlow {one['version']}, {one['ports']} ports")
        for one, text in shown
        if text.startswith(incomplete)
    ]


def _connected(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    return connected(context, incomplete)


def switch_argument(**attributes: Any) -> Callable[[F], F]:
    """Add the argument SWITCH, which shells complete from those that are connected."""
    return click.argument("switch", shell_complete=_connected, **attributes)


def switch_option(name: str, to: str, about: str) -> Callable[[F], F]:
    """Add an option that names a switch, and may stand several times."""
    return click.option(
        name,
        to,
        multiple=True,
        shell_complete=_connected,
        metavar="SWITCH",
        help=about,
    )


def types_like(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names of messages that begin so."""
    word = incomplete.replace("-", "_").upper()
    return [CompletionItem(one.lower()) for one in known_types() if one.startswith(word)]


def control_option(command: F) -> F:
    """Add where the controller answers; shells need it before the names of switches."""
    return click.option(
        "--control",
        type=click.Path(path_type=Path),
        default=default_path,
        is_eager=True,
        metavar="PATH",
        help="The controller's socket, where it was given another one.",
    )(command)


def json_option(command: F) -> F:
    """Add the choice of JSON."""
    return click.option("--json", "as_json", is_flag=True, help="One line of JSON each.")(command)


def options(command: F) -> F:
    """Give a command the options that all of these have."""
    return json_option(control_option(command))


def asked(control: Path, question: str, **arguments: Any) -> Iterator[Answer]:
    """Yield the answers; ClickException where there are none."""
    try:
        yield from ask(control, question, **arguments)
    except NoAnswer as error:
        raise click.ClickException(_printable(str(error))) from error


def show(
    answers: Iterable[Answer],
    as_json: bool,
    title: str,
    nothing: str,
    columns: Mapping[str, str] | None = None,
) -> None:
    """Print answers of one shape: a table, or a line of JSON each.

    `columns` says which values a table has, and how it calls them; all, where it is None.
    """
    if as_json:
        tell(answers)
        return
    found = list(answers)
    if not found:
        click.echo(nothing)
        return
    names = columns or {name: name.replace("_", " ") for name in found[0]}
    rows = [[_cell(one[name]) for name in names] for one in found]
    console = Console()
    if console.is_terminal:
        console.print(_table(title, list(names.values()), rows))
    else:
        for line in plain_table(list(names.values()), rows):
            click.echo(line)


def tell(answers: Iterable[Answer]) -> None:
    """Print a line of JSON each."""
    for one in answers:
        click.echo(json.dumps(one))


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for at, head in enumerate(heads):
        counts = all(row[at].isdigit() for row in rows)
        table.add_column(head, overflow="fold", justify="right" if counts else "left")
    for row in rows:
        table.add_row(*map(_foldable, row))
    return table


def _foldable(cell: str) -> Text:
    """Return a cell that is folded behind commas; flows are read with blanks there, too."""
    return Text(cell.replace(",", ", "))  # which is no markup: a switch may call a port [bold]


def plain_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table for other programs: a line a row, none of it folded or cut.

    >>> print(*plain_table(["port no", "name"], [["1", "s1-eth1"]]), sep="\\n")
    PORT_NO  NAME
    1        s1-eth1
    """
    names = [head.upper().replace(" ", "_") for head in heads]
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    for row in (names, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _cell(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else _printable(str(value))


def _printable(text: str) -> str:
    """Return a text that does not steer the terminal, whatever a switch calls its ports."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


class Lists(click.Group):
    """A group whose `list` may be left out: `flows s1` is `flows list s1`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` in front of what is no subcommand."""
        if not args:  # but a shell that completes it wants to know what there is
            whole = [] if ctx.resilient_parsing else ["list"]
        elif self.get_command(ctx, args[0]) or args[0] in ctx.help_option_names:
            whole = args
        else:
            if len(args) > 1 and not any(one.startswith("-") for one in args[:2]):
                known = ", ".join(self.commands)  # as `list` takes one word, this was to be one
                raise click.UsageError(f"there is no command {args[0]}: write one of {known}", ctx)
            whole = ["list", *args]
        return super().parse_args(ctx, whole)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the subcommands and the switches that begin so."""
        return super().shell_complete(ctx, incomplete) + connected(ctx, incomplete)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a subcommand, also under its long name: `delete` is `del`."""
        short = cmd_name.replace("delete", "del", 1).replace("modify", "mod", 1)
        return super().get_command(ctx, short)
