"""Mininet's hosts reach one another through Open vSwitch bridges that our controller drives.

The script is not part of this repository: POINTSMAN_CONFORMANCE names the directory with
`mininet_pingall.py` where it is not at its usual place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from . import conformance, namespaces

SCRIPT = "mininet_pingall.py"
ROOT = Path(__file__).parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"  # Debian's, which has Mininet's modules
CONTROLLER = f"{sys.executable} -m controller forwarding --listen ptcp:{{port}}:127.0.0.1"


def why_not() -> str:
    """Return why Mininet cannot be had here, nothing if it can."""
    if reason := conformance.missing(SCRIPT) or namespaces.why_not():
        return reason
    lost = [tool for tool in ("mn", "ovs-vswitchd", "iperf") if not shutil.which(tool)]
    return f"not installed: {', '.join(lost)}" if lost else ""


# Mininet asks with telnet whether a controller listens, and takes a byte 1 in what that prints
# for the beginning of a mark of its own, whose end it waits for without a limit (Node.monitor).
# The hello of a controller that speaks at once has such bytes. This one prints nothing of it.
TELNET = """\
#!/bin/bash
: < "/dev/tcp/$3/$4" && echo Connected
"""

WHY_NOT = why_not()
pytestmark = [pytest.mark.interop, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


@pytest.mark.parametrize("version", ["10", "13", "15"])
@pytest.mark.parametrize("shape", ["linear,3", "tree,2,3", "torus,3,3"])
def test_no_ping_is_lost(shape: str, version: str, tmp_path: Path) -> None:
    telnet = tmp_path / "telnet"
    telnet.write_text(TELNET)
    telnet.chmod(0o755)
    words = ["--topo", shape, "--protocols", f"OpenFlow{version}", "--controller-cmd", CONTROLLER]
    done = subprocess.run(
        [SYSTEM_PYTHON, str(conformance.PLACE / SCRIPT), *words],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "loss 0%" in said, said[-4000:]
    assert done.returncode == 0
