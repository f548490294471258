"""A simulated switch that listens in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.interop import ovs

_ROOT = Path(__file__).parents[2]


@contextmanager
def simulated_switch(n_ports: int, *options: str) -> Iterator[str]:
    """Run `pointsman switches` with these options for the time of a `with`; give the endpoint."""
    command = ["-m", "switch_sim", "--topology", f"single,{n_ports}", "--listen", "ptcp:0"]
    process = subprocess.Popen(
        [sys.executable, *command, *options], stdout=subprocess.PIPE, text=True, cwd=_ROOT
    )
    try:
        assert process.stdout is not None
        told = re.search(r"ptcp:(\d+):([\d.]+)", process.stdout.readline())
        assert told
        yield f"tcp:{told[2]}:{told[1]}"
    finally:
        process.terminate()
        process.wait(ovs.PATIENCE)
