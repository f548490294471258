"""What `ovs-ofctl ofp-parse` says of messages: many of them in one run, each with its text.

Between any two stands a barrier request with a number of its own, since what Open vSwitch
prints of one message may hold others, and of one that it does not know holds nothing.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from protocol import OF13, BarrierRequest

PATIENCE = 60.0  #: seconds
_BASE = 0x7E00_0000  #: the xids of the barriers; those of messages are smaller
_BARRIER = re.compile(r"^OFPT_BARRIER_REQUEST \(OF1\.3\) \(xid=0x7e[0-9a-f]{6}\):\n", re.MULTILINE)


def is_installed() -> bool:
    """Whether ovs-ofctl is here."""
    return shutil.which("ovs-ofctl") is not None


def printed(messages: Sequence[bytes]) -> list[str]:
    """Return what Open vSwitch prints of each message."""
    barriers = (BarrierRequest(xid=_BASE + at).encode(OF13) for at in range(len(messages)))
    parts = [part for pair in zip(messages, barriers, strict=True) for part in pair]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "stream"
        path.write_bytes(b"".join(parts))
        done = subprocess.run(
            ["ovs-ofctl", "ofp-parse", str(path)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=True,
        )
    *texts, _ = _BARRIER.split(done.stdout)
    assert len(texts) == len(messages)
    return texts
