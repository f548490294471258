"""Bundles, tables that evict, and monitors: what `ovs-ofctl` makes of a simulated switch."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop import ovs
from tests.interop.simulated import simulated_switch

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(ovs.missing_tools()), reason=ovs.missing_tools()),
]

with_bundles = pytest.mark.parametrize("version", ["13", "14", "15"])  # 13: ONF's extension
with_descriptions = pytest.mark.parametrize("version", ["14", "15"])
each_version = pytest.mark.parametrize("version", ["10", "11", "12", "13", "14"])
_POLL = 0.02  # seconds between two looks at what a monitor has printed


@pytest.fixture(scope="module")
def simulator() -> Iterator[str]:
    with simulated_switch(2) as endpoint:
        yield endpoint


@pytest.fixture
def switch(simulator: str) -> str:
    """The endpoint of a simulated switch without flow entries."""
    ovs.ofctl("13", "del-flows", simulator)
    return simulator


def flow_count(version: str, switch: str) -> int:
    return ovs.ofctl(version, "dump-flows", switch).count("actions=")


@with_bundles
def test_a_bundle_is_done_as_a_whole(version: str, switch: str, tmp_path: Path) -> None:
    lines = ("add in_port=1,actions=output:2", "add tcp,actions=drop", "delete in_port=1")
    flows = tmp_path / "flows"
    flows.write_text("\n".join(lines))
    ovs.ofctl(version, "--bundle", "add-flows", switch, str(flows))
    assert flow_count(version, switch) == 1


@with_bundles
def test_a_bundle_that_fails_says_which_message_did(
    version: str, switch: str, tmp_path: Path
) -> None:
    flows = tmp_path / "flows"
    flows.write_text("add in_port=1,actions=output:2\nadd in_port=2,actions=group:77")
    with pytest.raises(RuntimeError, match=r"(?s)OFPBAC_BAD_OUT_GROUP.*OFPBFC_MSG_FAILED"):
        ovs.ofctl(version, "--bundle", "add-flows", switch, str(flows))
    assert flow_count(version, switch) == 0


@with_descriptions
def test_tables_evict_and_tell_their_room(version: str, switch: str) -> None:
    ovs.ofctl(version, "mod-table", switch, "0", "evict")
    ovs.ofctl(version, "mod-table", switch, "0", "vacancy:20,80")
    first = ovs.ofctl(version, "dump-table-desc", switch).partition("table 1")[0]
    assert "eviction=on eviction_flags=IMPORTANCE|LIFETIME" in first
    assert "vacancy=on vacancy_down=20% vacancy_up=80% vacancy=100%" in first
    ovs.ofctl(version, "mod-table", switch, "0", "noevict")
    ovs.ofctl(version, "mod-table", switch, "0", "novacancy")


@each_version
def test_a_monitor_tells_what_others_do(version: str, switch: str, tmp_path: Path) -> None:
    # In OpenFlow 1.4 ovs-ofctl writes its "own" as ONLY_OWN, which means something else there.
    printed = tmp_path / "printed"
    with printed.open("w") as file:
        watching = subprocess.Popen(
            ["ovs-ofctl", "-O", f"OpenFlow{version}", "monitor", switch, "watch:!own"],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ | {"OVS_RUNDIR": str(tmp_path)},
        )
    try:
        until(lambda: "FLOW_MONITOR reply" in printed.read_text())
        ovs.ofctl(version, "add-flow", switch, "priority=9,ip,actions=output:1")
        ovs.ofctl(version, "mod-flows", switch, "ip,actions=output:2")
        ovs.ofctl(version, "del-flows", switch, "ip")
        until(lambda: "DELETED" in printed.read_text())
    finally:
        watching.terminate()
        watching.wait(ovs.PATIENCE)
    told = [line.strip() for line in printed.read_text().splitlines() if "event=" in line]
    assert told == [
        "event=ADDED table=0 cookie=0 ip actions=output:1",
        "event=MODIFIED table=0 cookie=0 ip actions=output:2",
        "event=DELETED reason=delete table=0 cookie=0 ip actions=output:2",
    ]


def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + ovs.PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(_POLL)
