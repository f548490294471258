"""`pointsman completion`: what makes a shell complete the words of our commands."""

from __future__ import annotations

import click

_LINES = {
    "bash": ('eval "$(_POINTSMAN_COMPLETE=bash_source pointsman)"', "~/.bashrc"),
    "zsh": ('eval "$(_POINTSMAN_COMPLETE=zsh_source pointsman)"', "~/.zshrc"),
    "fish": (
        "_POINTSMAN_COMPLETE=fish_source pointsman | source",
        "~/.config/fish/completions/pointsman.fish",
    ),
}


@click.command(short_help="Let a shell complete our commands.")
@click.argument("shell", type=click.Choice(list(_LINES)))
def completion(shell: str) -> None:
    """Print the line that lets SHELL complete commands, options, applications and versions.

    Where a controller runs, the numbers of its switches are completed, too.

    \b
    Examples:
      pointsman completion bash >>~/.bashrc
      pointsman completion fish >~/.config/fish/completions/pointsman.fish
    """
    line, file = _LINES[shell]
    click.echo(f"# This line is for {file}; `pointsman` must be on the PATH.\n{line}")
