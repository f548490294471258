"""Every command of ovs-ofctl that speaks to a switch, in all versions, against ours.

The script is not part of this repository: POINTSMAN_CONFORMANCE names the directory with
`ovs_ofctl_probe.sh` where it is not at its usual place.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from . import conformance, ovs
from .simulated import simulated_switch

SCRIPT = "ovs_ofctl_probe.sh"
COMMANDS = {"10": 33, "11": 44, "12": 45, "13": 55, "14": 62, "15": 66}
#: Open vSwitch 3.1 knows 16 of the 24 bytes of a reply to meter-features in OF1.5.1, and reads
#: no other: a switch that is to serve its tools leaves the rest out.
OPTIONS = ("--no-meter-features",)


WHY_NOT = conformance.missing(SCRIPT) or ovs.missing_tools()

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT),
]


@pytest.mark.parametrize("version", COMMANDS)
def test_each_command_passes(version: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with simulated_switch(4, *OPTIONS) as endpoint:
        done = subprocess.run(
            ["bash", str(conformance.PLACE / SCRIPT), endpoint, version],
            env={**os.environ, "PROBE_LOG": str(log)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    verdicts = re.findall(r"^([A-Z]+(?:\(\d+\))?|ok) +(1\.\d \S.*)$", done.stdout, re.MULTILINE)
    assert len(verdicts) == COMMANDS[version], done.stdout
    failed = [command for verdict, command in verdicts if verdict != "ok"]
    assert failed == [], log.read_text()[-8_000:]
