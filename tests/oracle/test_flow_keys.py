"""What a frame can be matched by, as Open vSwitch finds it in generated frames."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from protocol.capture_file import write_frame, write_head
from protocol.syntax import parse_match
from switch_sim.flow_key import PIPELINE_FIELDS, flow_key
from tests.interop import ovs
from tests.switch_sim import frames
from tests.switch_sim.any_frame import any_frame

pytestmark = pytest.mark.oracle

MANY = 500
# What is no field of the specification, or of the packet; inner tags are in no key.
NOT_COMPARED = re.compile(r"(in_port|vlan_tci|vlan_tci1|dl_vlan1|dl_vlan_pcp1|mpls_lse\d)=[^,]*,?")
# Open vSwitch finds a target without an option, and then calls the address 0.
ABSENT = re.compile(r",nd_[st]ll=00:00:00:00:00:00")
# It does not look into PBB, nor tell of extension headers.
UNKNOWN = {"pbb_isid", "pbb_uca", "pbb_pcp", "ipv6_exthdr"}


def samples() -> list[bytes]:
    found = [data for name, data in vars(frames).items() if name.isupper()]

    @given(any_frame())
    @settings(
        max_examples=MANY,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    def collect(frame: bytes) -> None:
        found.append(frame)

    collect()
    return found


def ours(frame: bytes, names: Iterable[str]) -> dict[str, int | None]:
    """The fields that a key keeps, and those with these names."""
    key = flow_key(frame, 1)
    kept = set(key) - PIPELINE_FIELDS - UNKNOWN
    return {name: key[name] for name in kept | set(names)}


def test_keys_have_the_fields_that_open_vswitch_finds(tmp_path: Path) -> None:
    if reason := ovs.missing_tools():
        pytest.skip(reason)
    data, capture = samples(), tmp_path / "frames.pcap"
    with capture.open("wb") as file:
        write_head(file)
        for frame in data:
            write_frame(file, 0.0, frame)
    told = subprocess.run(
        ["ovs-ofctl", "parse-pcap", str(capture)], capture_output=True, text=True, check=True
    )
    lines = told.stdout.splitlines()
    assert len(lines) == len(data) > MANY
    for frame, line in zip(data, lines, strict=True):
        theirs = dict(parse_match(ABSENT.sub("", NOT_COMPARED.sub("", line))).items())
        theirs.setdefault("vlan_vid", 0)
        assert ours(frame, theirs) == theirs, f"{frame.hex()}: {line}"
