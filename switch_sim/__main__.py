"""`python -m switch_sim`: the same as `pointsman switches`."""

from .cli import command

command(prog_name="python -m switch_sim")
