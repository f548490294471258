"""What `ovs-ofctl` does with a simulated switch, and whether a real one says the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.interop import ovs
from tests.interop.simulated import simulated_switch

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(ovs.missing_tools()), reason=ovs.missing_tools()),
]

VERSIONS = ["10", "11", "12", "13", "14", "15"]
PORTS = 4

RULES = [
    "priority=0,actions=CONTROLLER:65535",
    "priority=1,actions=drop",
    "in_port=1,actions=output:2",
    "in_port=2,actions=output:1,output:3",
    "in_port=LOCAL,actions=FLOOD",
    "priority=7,dl_src=00:00:00:00:00:01,actions=NORMAL",
    "priority=8,dl_dst=01:00:00:00:00:00,actions=ALL",
    "priority=9,dl_type=0x88cc,actions=CONTROLLER:128",
    "cookie=0x1234,arp,arp_tpa=10.0.0.1,actions=FLOOD",
    "idle_timeout=60,hard_timeout=90,ip,nw_dst=10.0.0.0/8,actions=output:4",
    "ip,nw_src=10.1.0.0/16,nw_tos=32,actions=mod_nw_tos:64,output:1",
    "tcp,nw_src=10.0.0.1,tp_dst=80,actions=mod_tp_dst:8080,output:2",
    "udp,tp_src=53,actions=mod_nw_dst:192.0.2.1,mod_tp_src:5353,output:3",
    "icmp,icmp_type=8,icmp_code=0,actions=IN_PORT",
    "dl_vlan=5,actions=strip_vlan,output:1",
    "dl_vlan=6,dl_vlan_pcp=3,actions=mod_dl_src:00:00:00:00:00:0a,output:1",
    "send_flow_rem,dl_vlan=0xffff,actions=mod_dl_dst:00:00:00:00:00:0b,output:1",
]
RULES_SINCE_11 = [
    "table=1,priority=5,in_port=3,actions=output:4",
    "table=0,priority=6,in_port=3,actions=goto_table:1",
    "dl_type=0x8847,mpls_label=7,actions=pop_mpls:0x0800,output:2",
    "sctp,tp_dst=9,actions=dec_ttl,output:1",
    "dl_vlan=8,actions=push_vlan:0x88a8,output:2",
    "in_port=4,actions=write_actions(output:1)",
    "priority=77,in_port=4,actions=write_metadata:0x5/0xf,goto_table:2",
]
RULES_SINCE_12 = [
    "tcp6,ipv6_src=2001:db8::/32,tp_dst=443,actions=output:3",
    "icmp6,icmp_type=135,nd_target=fe80::1,actions=FLOOD",
    "ipv6,ipv6_label=0x12345,actions=set_field:2001:db8::2->ipv6_dst,output:1",
    "metadata=0x1/0xff,actions=set_field:00:00:00:00:00:0c->eth_src,output:2",
    "arp,arp_op=1,arp_sha=00:00:00:00:00:01,actions=set_field:2->arp_op,IN_PORT",
    "dl_vlan=9,actions=set_field:4106->vlan_vid,output:2",
]


def rules(version: str) -> list[str]:
    more = RULES_SINCE_11 if version > "10" else []
    return RULES + more + (RULES_SINCE_12 if version > "11" else [])


@pytest.fixture(scope="module")
def simulator() -> Iterator[str]:
    """The endpoint of a simulated switch that listens in a process of its own."""
    with simulated_switch(PORTS) as endpoint:
        yield endpoint


@pytest.fixture
def switch(simulator: str) -> str:
    """The endpoint of a simulated switch without flow entries."""
    ovs.ofctl("13", "del-flows", simulator)
    ovs.ofctl("13", "mod-port", simulator, "1", "up")
    return simulator


@pytest.fixture(scope="module")
def real() -> Iterator[ovs.OpenVSwitch]:
    """An Open vSwitch that has a bridge br0 with as many ports."""
    with ovs.OpenVSwitch(dummy=True) as started:
        started.add_bridge("br0", ports={number: f"p{number}" for number in range(1, PORTS + 1)})
        yield started


def flows(version: str, target: str, *selection: str) -> list[str]:
    """Return the flow entries that `dump-flows` prints, without counters and in order."""
    return entries(ovs.ofctl(version, "dump-flows", target, *selection))


def entries(printed: str) -> list[str]:
    lines = [line.strip() for line in printed.splitlines() if "actions=" in line]
    changing = r"(duration|n_packets|n_bytes|idle_age|hard_age)=[^,]*, "
    # In OpenFlow 1.1 Open vSwitch answers with OXM, where "no VLAN" says nothing of the priority.
    said = [line.replace("vlan_tci=0x0000/0x1fff", "vlan_tci=0x0000") for line in lines]
    return sorted(re.sub(changing, "", line) for line in said)


def add(version: str, target: str, *rules: str) -> None:
    for rule in rules:
        ovs.ofctl(version, "add-flow", target, rule)


each_version = pytest.mark.parametrize("version", VERSIONS)


@each_version
def test_show_tells_datapath_and_ports(version: str, switch: str) -> None:
    printed = ovs.ofctl(version, "show", switch)
    assert "dpid:0000000000000001" in printed
    for number in range(1, PORTS + 1):
        assert f" {number}(s1-eth{number}): addr:02:00:00:01:00:0{number}" in printed
    assert "current:    10GB-FD COPPER" in printed
    assert "frags=normal miss_send_len=128" in printed


@each_version
def test_flows_come_and_go(version: str, switch: str) -> None:
    add(version, switch, "in_port=1,actions=output:2", "in_port=2,actions=output:1")
    assert len(flows(version, switch)) == 2
    ovs.ofctl(version, "del-flows", switch, "in_port=1")
    assert flows(version, switch) == ["cookie=0x0, table=0, in_port=2 actions=output:1"]
    ovs.ofctl(version, "del-flows", switch)
    assert flows(version, switch) == []


@each_version
def test_flows_are_found_by_what_they_match(version: str, switch: str) -> None:
    add(version, switch, *rules(version))
    (found,) = flows(version, switch, "tcp,tp_dst=80")
    assert "nw_src=10.0.0.1,tp_dst=80" in found


@each_version
def test_a_port_goes_down_and_up(version: str, switch: str) -> None:
    ovs.ofctl(version, "mod-port", switch, "1", "down")
    assert "PORT_DOWN" in ovs.ofctl(version, "show", switch)
    ovs.ofctl(version, "mod-port", switch, "1", "up")
    assert "PORT_DOWN" not in ovs.ofctl(version, "show", switch)


@each_version
def test_ports_are_described(version: str, switch: str) -> None:
    printed = ovs.ofctl(version, "dump-ports-desc", switch)
    assert printed.count("(s1-eth") == PORTS
    assert printed.count("LIVE") == (PORTS if version > "10" else 0)


@each_version
def test_tables_tell_what_they_counted(version: str, switch: str) -> None:
    add(version, switch, "in_port=1,actions=output:2", "in_port=2,actions=output:1")
    printed = ovs.ofctl(version, "dump-tables", switch)
    assert re.search(r"table 0.*:\n +active=2, lookup=\d+, matched=\d+", printed)
    assert "flow_count=2" in ovs.ofctl(version, "dump-aggregate", switch)


@each_version
def test_ports_tell_what_they_counted(version: str, switch: str) -> None:
    assert ovs.ofctl(version, "dump-ports", switch).count("rx pkts=") == PORTS
    assert ovs.ofctl(version, "dump-ports", switch, "1").count("rx pkts=") == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_no_counter_of_a_port_is_unknown(version: str, switch: str) -> None:
    assert "?" not in ovs.ofctl(version, "dump-ports", switch, "1")


@pytest.mark.parametrize("version", VERSIONS[3:])
def test_table_features_tell_what_tables_can_do(version: str, switch: str) -> None:
    printed = ovs.ofctl(version, "dump-table-features", switch)
    first = printed.partition("table 1")[0]
    assert 'table 0 ("table0")' in first
    assert "next tables: 1-253" in first
    assert "apply_actions clear_actions write_actions write_metadata goto_table" in first
    assert "table 253" in printed


@each_version
def test_probe_finds_the_switch(version: str, switch: str) -> None:
    assert ovs.ofctl(version, "probe", switch) == ""


@each_version
@pytest.mark.parametrize("size", ["0", "64", "65527"])
def test_echoes_come_back(version: str, size: str, switch: str) -> None:
    printed = ovs.ofctl(version, "ping", switch, size)
    assert printed.count(f"{size} bytes from {switch}") == 10


@each_version
def test_a_flow_that_cannot_be_is_refused(version: str, switch: str) -> None:
    with pytest.raises(RuntimeError, match=r"OFPT_ERROR .*OFPBAC_BAD_OUT_PORT"):
        add(version, switch, "actions=output:0")


@each_version
def test_a_real_switch_prints_the_same_flows(
    version: str, switch: str, real: ovs.OpenVSwitch
) -> None:
    real.ofctl("13", "del-flows", "br0")
    for rule in rules(version):
        real.ofctl(version, "add-flow", "br0", rule)
    add(version, switch, *rules(version))
    expected = entries(real.ofctl(version, "dump-flows", "br0"))
    assert flows(version, switch) == expected
    assert len(expected) == len(rules(version))
