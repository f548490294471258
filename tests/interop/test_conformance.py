"""os-ken's switch tester against a simulated switch on real ports, case by case.

What runs it is not part of this repository: POINTSMAN_CONFORMANCE names the directory with
`osken_switch_tests.py` where it is not at its usual place. docs/conformance.md has the figures.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from . import conformance, namespaces, ovs

pytestmark = pytest.mark.interop

SCRIPT = conformance.PLACE / "osken_switch_tests.py"

CASES = {"of10": 184, "of13": 940, "of14": 952}
PARTS = {"of10": "", "of13": "match,action", "of14": "match,action"}  # the others need minutes
INTERVAL = "0.1"  # seconds that the tester waits for what must not come
TIME_LIMIT = 240  # seconds; 40 as a rule

SWITCH = shlex.join([sys.executable, "-m", "switch_sim"]) + (
    " --datapath-id {dpid} --of-version {version} --controller tcp:{controller}"
    " --port 1={if1} --port 2={if2} --port 3={if3}"
)


def why_not() -> str:
    """Return why the tester cannot run here, or nothing if it can."""
    if lost_script := conformance.missing(SCRIPT.name):
        return lost_script
    if lost := [name for name in ("os_ken", "eventlet") if not importlib.util.find_spec(name)]:
        return f"{' and '.join(lost)} not installed: pip install 'pointsman[oracle]'"
    if lost := [name for name in ("ethtool", "ss") if not shutil.which(name)]:
        return f"{' and '.join(lost)} not installed"
    return ovs.missing_for_packets() or namespaces.why_not()


def results(suite: str, directory: Path) -> list[dict[str, Any]]:
    """Run the cases of a suite; return what became of each."""
    report, log = directory / "report.json", directory / "log"
    command = [sys.executable, str(SCRIPT), "--suite", suite, "--only", PARTS[suite]]
    command += ["--interval", INTERVAL, "--json", str(report), "--log", str(log)]
    done = subprocess.run(
        [*command, "--timeout", str(TIME_LIMIT), "--target-cmd", SWITCH],
        env={**os.environ, "OSKEN_PYTHON": sys.executable, "PYTHONPATH": str(conformance.ROOT)},
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT + 60,
        check=False,
    )
    assert report.is_file(), f"{done.stdout}{done.stderr}{log.read_text()[-4_000:]}"
    found: list[dict[str, Any]] = json.loads(report.read_text())["tests"]
    return found


@pytest.mark.parametrize("suite", CASES)
def test_each_case_passes(suite: str, tmp_path: Path) -> None:
    if reason := why_not():
        pytest.skip(reason)
    found = results(suite, tmp_path)
    failed = [f"{one['file']}: {one['test']}: {one['result']}" for one in found]
    failed = [text for text in failed if not text.endswith(": OK")]
    assert failed == []
    assert len(found) == CASES[suite]
