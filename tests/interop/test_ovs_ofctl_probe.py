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
#: What Open vSwitch 3.1 cannot read although it is right, with the reason.
MISREAD = {
    "1.5 meter-features SW": "24 bytes in OF1.5.1 7.3.5.15, of which it knows OF1.3's 16",
}


WHY_NOT = conformance.missing(SCRIPT) or ovs.missing_tools()

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT),
]


@pytest.mark.parametrize("version", COMMANDS)
def test_each_command_passes(version: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with simulated_switch(4) as endpoint:
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
    known = [one for one in MISREAD if one.startswith(f"1.{int(version) - 10} ")]
    told = [one for one in known if any(command.startswith(one) for command in failed)]
    assert len(failed) == len(told) == len(known), f"{failed}\n{log.read_text()[-8_000:]}"
