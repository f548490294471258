"""`python -m controller`: the same as `pointsman controller`."""

from .cli import command

command(prog_name="python -m controller")
