"""`pointsman trace`: what people type, and what they read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from protocol import Match
from switch_sim.flow_key import flow_key
from switch_sim.lab.cli import main
from switch_sim.lab.frame_text import frame_of
from tests.switch_sim import frames


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["trace", *arguments])


def test_a_packet_that_is_described_meets_its_entry() -> None:
    result = run("in_port=2,tcp,nw_dst=10.0.0.9", "--flow", "tcp,nw_dst=10.0.0.9,actions=output:3")
    assert result.exit_code == 0
    assert "table 0: priority=32768,tcp,nw_dst=10.0.0.9 actions=output:3" in result.output
    assert result.output.splitlines()[-1] == "verdict: sent: port 3"


def test_a_packet_in_hex_is_told_why_it_misses() -> None:
    result = run(frames.TCP.hex(), "--flow", "cookie=7,tcp,tp_dst=443,actions=output:3")
    assert "tcp_dst: wants 443, the packet has 80" in result.output
    assert "cookie=0x7" in result.output


def test_a_file_may_have_groups_and_meters_in_any_order(tmp_path: Path) -> None:
    file = tmp_path / "flows"
    file.write_text(
        "# the first bucket is dead\n\nip,actions=group:1\n"
        "group_id=1,type=ff,bucket=watch_port:2,output:2,bucket=watch_port:3,output:3\n"
    )
    result = run("ip", "--flows", str(file), "--down", "2")
    assert result.output.splitlines()[-1] == "verdict: sent: port 3"
    assert "bucket 0: " in result.output


def test_a_program_gets_json() -> None:
    result = run("arp", "--json", "--flow", "arp,actions=FLOOD", "--ports", "3")
    data = json.loads(result.output)
    assert data["verdict"] == "sent: port 2, port 3"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("tcp,nw_dst=10.0.0.0/8",), "ipv4_dst has a mask, and a frame has one value"),
        (("arp", "--flow", "tp_dst=80,actions=drop"), "tp_dst"),
        (("arp", "--flow", "actions=group:9"), "BadAction.BAD_OUT_GROUP"),
        (("arp", "--down", "9"), "there is no port 9 to be down"),
        (("abc",), "even number"),
        (("arp", "--of-version", "1.0-1.3"), "one version"),
    ],
)
def test_what_cannot_be_is_told_in_words(arguments: tuple[str, ...], told: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert told in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "text",
    [
        "arp,arp_op=2,arp_spa=10.0.0.7,arp_sha=00:00:00:00:00:07",
        "tcp,nw_src=10.1.2.3,tp_src=5,tp_dst=80,nw_tos=184,nw_ecn=1",
        "udp6,ipv6_src=fd00::7,tp_dst=53,ipv6_label=9",
        "dl_vlan=100,dl_vlan_pcp=3,sctp,tp_dst=5000",
        "icmp,icmp_type=0,icmp_code=0",
        "icmp6,icmp_type=128",
        "mplsm,mpls_label=77,mpls_tc=2,mpls_bos=1",
        "dl_src=02:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff,dl_type=0x88cc",
    ],
)
def test_a_frame_has_the_fields_that_were_described(text: str) -> None:
    match = Match.parse(text)
    key = flow_key(frame_of(match), 1)
    assert {name: key[name] for name in match} == dict(match.items())
