"""Matches, rules, groups and meters as ovs-ofctl's users write them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from protocol import (
    ALL_TABLES,
    OF10,
    OF11,
    OF12,
    OF13,
    OF15,
    Action,
    ApplyActions,
    Bucket,
    ClearActions,
    CopyField,
    CopyTtlIn,
    CopyTtlOut,
    DecMplsTtl,
    DecNwTtl,
    DropBand,
    DscpRemarkBand,
    EncodeError,
    Enqueue,
    FlowModCommand,
    FlowModFlags,
    FlowStats,
    GotoTable,
    Group,
    GroupMod,
    GroupModCommand,
    GroupType,
    Instruction,
    MacAddress,
    Match,
    Meter,
    MeterAction,
    MeterFlags,
    MeterMod,
    MeterModCommand,
    Output,
    PopMpls,
    PopPbb,
    PopVlan,
    Port,
    PushMpls,
    PushPbb,
    PushVlan,
    SetDlDst,
    SetDlSrc,
    SetField,
    SetMplsTtl,
    SetNwDst,
    SetNwSrc,
    SetNwTos,
    SetNwTtl,
    SetQueue,
    SetTpDst,
    SetVlanVid,
    Version,
    VlanId,
    WriteActions,
    WriteMetadata,
    set_field,
)
from protocol.nicira import SelectionMethod
from protocol.oxm import OXM, STANDARD, FieldValue, OxmField
from protocol.syntax import (
    Flow,
    group_text,
    meter_text,
    parse_actions,
    parse_group,
    parse_instructions,
    parse_match,
    parse_meter,
    spelled,
)

# Matches


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", Match()),
        ("any", Match()),
        ("in_port=1,tcp,tp_dst=80", Match(in_port=1, eth_type=0x800, ip_proto=6, tcp_dst=80)),
        ("in_port=LOCAL", Match(in_port=Port.LOCAL)),
        ("tcp in_port=1", Match(in_port=1, eth_type=0x800, ip_proto=6)),
        ("tp_src=53,udp6", Match(eth_type=0x86DD, ip_proto=17, udp_src=53)),
        ("sctp,tp_dst=0x10", Match(eth_type=0x800, ip_proto=132, sctp_dst=16)),
        ("dl_type=0x0800,nw_proto=6", Match(eth_type=0x800, ip_proto=6)),
        ("ip,nw_src=10.0.0.0/8", Match(eth_type=0x800, ipv4_src="10.0.0.0/8")),
        ("ip,nw_dst=10.0.0.1/255.0.0.255", Match(eth_type=0x800, ipv4_dst="10.0.0.1/255.0.0.255")),
        ("eth_type=0x800,ipv4_dst=10.0.0.1", Match(eth_type=0x800, ipv4_dst="10.0.0.1")),
        ("ip,ip_src=1.2.3.4", Match(eth_type=0x800, ipv4_src="1.2.3.4")),
        ("arp,nw_src=10.0.0.1,nw_proto=2", Match(eth_type=0x806, arp_spa="10.0.0.1", arp_op=2)),
        ("arp,arp_tpa=10.0.0.0/24", Match(eth_type=0x806, arp_tpa="10.0.0.0/24")),
        ("dl_src=00:00:00:00:00:01", Match(eth_src=1)),
        (
            "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00",
            Match(eth_dst=("01:00:00:00:00:00", "01:00:00:00:00:00")),
        ),
        ("dl_vlan=5", Match(vlan_vid=VlanId.PRESENT | 5)),
        ("dl_vlan=0", Match(vlan_vid=VlanId.PRESENT)),
        ("dl_vlan=0xffff", Match(vlan_vid=0)),
        ("dl_vlan_pcp=3", Match(vlan_vid=(0x1000, 0x1000), vlan_pcp=3)),
        ("dl_vlan=5,dl_vlan_pcp=3", Match(vlan_vid=0x1005, vlan_pcp=3)),
        ("vlan_tci=0", Match(vlan_vid=0)),
        ("vlan_tci=0/0x1fff", Match(vlan_vid=0)),
        ("vlan_tci=0x1000/0x1000", Match(vlan_vid=(0x1000, 0x1000))),
        ("vlan_tci=0x1005/0x1fff", Match(vlan_vid=0x1005)),
        ("vlan_tci=0xf005", Match(vlan_vid=0x1005, vlan_pcp=7)),
        ("ip,nw_tos=32", Match(eth_type=0x800, ip_dscp=8)),
        ("ip,ip_dscp=8,nw_ecn=1", Match(eth_type=0x800, ip_dscp=8, ip_ecn=1)),
        ("icmp,icmp_type=8,icmp_code=0", Match.parse("ip,ip_proto=1,icmpv4_type=8,icmpv4_code=0")),
        ("icmp6,icmp_type=135", Match(eth_type=0x86DD, ip_proto=58, icmpv6_type=135)),
        (
            "icmp6,icmp_type=135,nd_target=fe80::1",
            Match(eth_type=0x86DD, ip_proto=58, icmpv6_type=135, ipv6_nd_target="fe80::1"),
        ),
        ("ipv6,ipv6_src=fe80::/64", Match(eth_type=0x86DD, ipv6_src="fe80::/64")),
        ("ipv6,ipv6_label=0x5", Match(eth_type=0x86DD, ipv6_flabel=5)),
        ("mpls,mpls_label=3", Match(eth_type=0x8847, mpls_label=3)),
        ("tun_id=5", Match(tunnel_id=5)),
        ("metadata=0x1/0xf", Match(metadata=(1, 15))),
        ("tcp,tcp_flags=+syn-ack", Match(eth_type=0x800, ip_proto=6, tcp_flags=(2, 0x12))),
        ("tcp,tcp_flags=+ns-[800]", Match(eth_type=0x800, ip_proto=6, tcp_flags=(0x100, 0x900))),
        ("tcp,tcp_flags=syn|ack", Match(eth_type=0x800, ip_proto=6, tcp_flags=0x12)),
        ("OXM_OF_IN_PORT=3", Match(in_port=3)),
        ("tp_dst=010,tcp", Match(eth_type=0x800, ip_proto=6, tcp_dst=10)),
        ("oxm_ffff0204=01020304", Match.unchecked({"oxm_ffff0204": bytes([1, 2, 3, 4])})),
    ],
)
def test_a_match_is_read(text: str, match: Match) -> None:
    assert parse_match(text) == match


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tp_dst=80", "tp_dst=80 says nothing without tcp, udp or sctp; add it"),
        ("nw_src=1.2.3.4", "nw_src=1.2.3.4 says nothing without ip or arp; add it"),
        ("tcp,udp", "udp contradicts tcp; leave one of them out"),
        ("in_port=1,in_port=2", "in_port=2 contradicts in_port=1; leave one of them out"),
        ("inport=1", "there is no match field 'inport'; did you mean in_port?"),
        ("tcp_dst=80", "tcp_dst needs eth_type=0x800 or 0x86dd and ip_proto=6"),
        ("in_port=flod", "there is no port 'flod'; did you mean flood?"),
        ("dl_vlan=4096", "dl_vlan cannot be 4096; VIDs end with 4095, 0xffff means no tag"),
        ("vlan_tci=0x2000/0x2000", "asks for a part of the priority; OpenFlow has no mask"),
        ("ip,nw_tos=3", "nw_tos=3 has bits of the ECN; write nw_tos=0 and nw_ecn=3"),
        ("in_port", "in_port lacks its value; write in_port=…"),
        ("tcp,tcp_flags=+sin", "there is no TCP flag 'sin'; did you mean syn?"),
        ("dl_src=1:2:3", "eth_src cannot be '1:2:3'"),
        ("ip,nw_src=10.0.0.0/33", "there is no prefix of 33 bits"),
        ("in_port=(1", "opens a '(' that is not closed; add a ')'"),
        ("in_port=1)", "has a ')' too many behind it; take it away"),
        ("oxm_ffff0204=xx", "it is bytes in hex"),
    ],
)
def test_what_is_no_match_is_refused_with_the_cure(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse_match(text)


def _numbers(bits: int) -> SearchStrategy[int]:
    return st.integers(0, min(7, (1 << bits) - 1)) | st.integers(0, (1 << bits) - 1)


@st.composite
def _values(draw: st.DrawFn, row: OxmField) -> FieldValue:
    value = draw(_numbers(row.bits))
    if row.name == "vlan_vid" and value:
        value |= VlanId.PRESENT
    if row.maskable and draw(st.booleans()):
        mask = draw(st.integers(0, row.all_ones - 1))
        return value & mask, mask
    return value


@st.composite
def _matches(draw: st.DrawFn) -> Match:
    """Matches of any fields of the specification, with all that these depend on."""
    fields: dict[str, FieldValue] = {}
    names = sorted(STANDARD - {"packet_type"})
    for name in draw(st.lists(st.sampled_from(names), max_size=5, unique=True)):
        for needed, allowed in OXM[name].requires:
            if needed not in fields:
                given = st.sampled_from([int(one) for one in allowed])
                fields[needed] = draw(given if allowed else st.just(0x1005))
        if name not in fields:
            fields[name] = draw(_values(OXM[name]))
    match = Match.unchecked(fields)
    return match if not match.missing() else Match()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(match=_matches())
def test_a_match_that_was_shown_is_read_as_the_same(match: Match) -> None:
    assert Match.parse(str(match)) == match


def test_fields_stand_behind_what_they_depend_on_however_they_were_written() -> None:
    match = Match.parse("nd_target=fe80::1,icmp_type=135,icmp6")
    assert list(match) == ["eth_type", "ip_proto", "icmpv6_type", "ipv6_nd_target"]
    assert list(Match(tcp_dst=1, ip_proto=6, eth_type=0x800)) == ["eth_type", "ip_proto", "tcp_dst"]


def test_fields_that_are_in_order_stay_as_they_were_given() -> None:
    assert list(Match(eth_type=0x800, in_port=1)) == ["eth_type", "in_port"]


def test_a_match_is_shown_in_the_words_of_ovs_ofctl() -> None:
    match = Match(in_port=1, eth_type=0x800, ip_proto=6, ipv4_src="10.0.0.0/8", tcp_dst=80)
    assert str(match) == "tcp,in_port=1,nw_src=10.0.0.0/8,tp_dst=80"


def test_fields_without_what_they_need_are_shown_by_the_name_of_the_specification() -> None:
    assert str(Match.unchecked({"tcp_dst": 80, "ipv4_src": 1})) == "tcp_dst=80,ipv4_src=0.0.0.1"


# Actions and instructions


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("drop", ()),
        ("", ()),
        ("output:2", (Output(2),)),
        ("output=2", (Output(2),)),
        ("2", (Output(2),)),
        ("LOCAL,in_port,flood,all,normal,table", tuple(map(Output, [
            Port.LOCAL, Port.IN_PORT, Port.FLOOD, Port.ALL, Port.NORMAL, Port.TABLE,
        ]))),
        ("controller", (Output(Port.CONTROLLER, 0xFFFF),)),
        ("CONTROLLER:128", (Output(Port.CONTROLLER, 128),)),
        ("controller(max_len=128)", (Output(Port.CONTROLLER, 128),)),
        ("output:0xfffffffd", (Output(Port.CONTROLLER),)),
        ("output:65531", (Output(Port.FLOOD),)),
        ("group:5,set_queue:3", (Group(5), SetQueue(3))),
        ("enqueue:1:2", (Enqueue(1, 2),)),
        ("enqueue(1,2)", (Enqueue(1, 2),)),
        ("mod_vlan_vid:5", (SetVlanVid(5),)),
        ("set_vlan_vid:5", (set_field(vlan_vid=5),)),
        ("set_vlan_pcp:5", (SetField(Match.unchecked({"vlan_pcp": 5})),)),
        ("strip_vlan,pop_vlan", (PopVlan(), PopVlan())),
        ("push_vlan:0x8100", (PushVlan(),)),
        ("push_mpls:0x8847,pop_mpls:0x0800", (PushMpls(), PopMpls(0x800))),
        ("dec_ttl,dec_mpls_ttl,set_mpls_ttl:3", (DecNwTtl(), DecMplsTtl(), SetMplsTtl(3))),
        ("mod_dl_src:00:00:00:00:00:01", (SetDlSrc(MacAddress(1)),)),
        ("mod_nw_src:10.0.0.1,mod_nw_tos:32", (SetNwSrc(0x0A000001), SetNwTos(32))),
        ("mod_tp_dst:80", (SetTpDst(80),)),
        ("set_field:80->tcp_dst", (set_field(tcp_dst=80),)),
        ("set_field:10.0.0.1->ip_dst", (set_field(ipv4_dst="10.0.0.1"),)),
        ("set_field:10.0.0.1->nw_dst", (set_field(ipv4_dst="10.0.0.1"),)),
        ("set_field:fe80::1->ipv6_src", (set_field(ipv6_src="fe80::1"),)),
        ("set_field:00:00:00:00:00:01->eth_src", (set_field(eth_src=1),)),
        ("set_field:0x1/0xf->metadata", (set_field(metadata=(1, 15)),)),
        ("move:tcp_src[0..3]->tcp_dst[4..7]", (CopyField(4, "tcp_src", "tcp_dst", 0, 4),)),
        ("move:eth_src[]->eth_dst[]", (CopyField(48, "eth_src", "eth_dst"),)),
        ("move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[]", (CopyField(32, "ipv4_src", "ipv4_dst"),)),
        ("move:NXM_NX_TUN_ID[]->OXM_OF_PKT_REG4[]", (CopyField(64, "tunnel_id", "xreg4"),)),
    ],
)  # fmt: skip
def test_actions_are_read(text: str, actions: tuple[Action, ...]) -> None:
    assert parse_actions(text) == actions


def test_instructions_are_read_in_their_order() -> None:
    text = "meter:1,output:1,2,clear_actions,write_actions(group:1,output:3),"
    text += "write_metadata:0x1/0xf,goto_table:3"
    assert parse_instructions(text) == (
        Meter(1),
        ApplyActions((Output(1), Output(2))),
        ClearActions(),
        WriteActions((Group(1), Output(3))),
        WriteMetadata(1, 15),
        GotoTable(3),
    )


def test_a_meter_among_actions_is_an_action() -> None:
    found = parse_instructions("pop_vlan,meter:1,output:2")
    assert found == (ApplyActions((PopVlan(), MeterAction(1), Output(2))),)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("outptu:1", "there is no action 'outptu'; did you mean output?"),
        ("output:1,drop", "drop stands beside other actions; leave it or them out"),
        ("output:1,goto_table:1,output:2", "apply_actions stands twice, or is divided by others"),
        ("goto_table:1,goto_table:2", "goto_table stands twice"),
        ("output", "output lacks its port; write output:…"),
        ("set_field:1", "does not say which field; write set_field:VALUE->FIELD"),
        ("enqueue:1", "does not say which queue; write enqueue:PORT:QUEUE"),
        ("move:eth_src[]", "does not say where to; write move:…->FIELD[]"),
        ("move:eth_src[0..3]->eth_dst[0..4]", "has 4 bits, eth_dst[0..4] has 5; move as many"),
        ("move:eth_src[48]->eth_dst[0]", "is not in eth_src, which has bits 0 to 47"),
        ("dec_mpls_ttl:3", "dec_mpls_ttl takes no value; take '3' away"),
        ("mod_nw_src:1.2.3", "mod_nw_src: "),
        ("mod_vlan_vid:5000", "mod_vlan_vid cannot be '5000'; it is a number from 0 to 4095"),
        ("push_vlan", "push_vlan lacks its value; write push_vlan:…"),
        ("set_field:1->eth_tpe", "there is no match field 'eth_tpe'; did you mean eth_type?"),
        ("write_actions(output:1)output:2", "goes on behind its ')'; put a comma there"),
    ],
)
def test_what_are_no_actions_is_refused_with_the_cure(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse_instructions(text)


_PORTS = st.integers(1, 0xFF00) | st.sampled_from([Port.IN_PORT, Port.FLOOD, Port.LOCAL])
_SETTABLE = [OXM[name] for name in sorted(STANDARD - {"vlan_vid", "packet_type"})]
_ACTIONS: SearchStrategy[Action] = st.one_of(
    _PORTS.map(Output),
    _numbers(16).map(lambda max_len: Output(Port.CONTROLLER, max_len)),
    st.sampled_from([DecNwTtl(), DecMplsTtl(), PopVlan(), PopPbb(), CopyTtlIn(), CopyTtlOut()]),
    st.sampled_from([PushVlan(), PushVlan(0x88A8), PushMpls(), PopMpls(0x800), PushPbb()]),
    _numbers(32).map(Group),
    _numbers(32).map(SetQueue),
    _numbers(8).map(SetNwTtl),
    _numbers(12).map(SetVlanVid),
    _numbers(48).map(lambda value: SetDlDst(MacAddress(value))),
    _numbers(32).map(SetNwDst),
    st.builds(Enqueue, _PORTS, _numbers(32)),
    st.sampled_from(_SETTABLE).flatmap(
        lambda row: _values(row).map(lambda value: SetField(Match.unchecked({row.name: value})))
    ),
)
_SOME_ACTIONS = st.lists(_ACTIONS, min_size=1, max_size=4).map(tuple)
_INSTRUCTIONS: SearchStrategy[tuple[Instruction, ...]] = st.lists(
    st.one_of(
        _numbers(8).map(GotoTable),
        _numbers(32).map(Meter),
        st.just(ClearActions()),
        _SOME_ACTIONS.map(ApplyActions),
        _SOME_ACTIONS.map(WriteActions),
        st.builds(WriteMetadata, _numbers(64), _numbers(64)),
    ),
    max_size=4,
    unique_by=type,
).map(tuple)
_FLOWS = st.builds(
    Flow,
    match=_matches(),
    instructions=_INSTRUCTIONS,
    priority=_numbers(16),
    table_id=st.none() | _numbers(8),
    cookie=_numbers(64),
    cookie_mask=st.just(0) | _numbers(64),
    idle_timeout=_numbers(16),
    hard_timeout=_numbers(16),
    importance=_numbers(16),
    flags=st.integers(0, 31).map(FlowModFlags),
    out_port=st.just(Port.ANY) | _PORTS,
    out_group=st.just(0xFFFF_FFFF) | _numbers(32),
)


# Flows


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(flow=_FLOWS)
def test_a_flow_that_was_shown_is_read_as_the_same(flow: Flow) -> None:
    assert Flow.parse(str(flow)) == flow


def test_all_settings_of_a_flow_are_read() -> None:
    flow = Flow.parse(
        "table=1,priority=5,cookie=0x7/0xf,idle_timeout=10,hard_timeout=20,importance=3,"
        "send_flow_rem,check_overlap,reset_counts,no_packet_counts,no_byte_counts,"
        "out_port=LOCAL,out_group=4,in_port=1 actions=output:2"
    )
    assert flow == Flow(
        Match(in_port=1),
        (ApplyActions((Output(2),)),),
        priority=5,
        table_id=1,
        cookie=7,
        cookie_mask=15,
        idle_timeout=10,
        hard_timeout=20,
        importance=3,
        flags=FlowModFlags(31),
        out_port=Port.LOCAL,
        out_group=4,
    )


def test_counters_that_ovs_ofctl_prints_are_passed_over() -> None:
    text = "cookie=0x0, duration=3.5s, table=0, n_packets=1, n_bytes=2, ip actions=NORMAL"
    assert Flow.parse(text).match == Match(eth_type=0x800)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("prioritty=5", "there is no word 'prioritty'; did you mean priority?"),
        ("table=300", "table cannot be '300'; it is a number from 0 to 255"),
        ("priority=1,priority=2", "priority stands twice; leave one of them out"),
        ("cookie=x", "cookie cannot be 'x'"),
    ],
)
def test_what_is_no_flow_is_refused_with_the_cure(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        Flow.parse(text)


def test_a_deletion_means_all_tables_and_the_cookie_itself() -> None:
    message = Flow.parse("ip,cookie=5").mod(FlowModCommand.DELETE)
    assert (message.table_id, message.cookie, message.cookie_mask) == (ALL_TABLES, 5, 2**64 - 1)


def test_an_addition_goes_to_the_first_table_if_none_is_named() -> None:
    assert Flow.parse("ip,cookie=5,actions=drop").mod().table_id == 0


def test_a_flow_is_made_of_an_entry_that_a_switch_tells() -> None:
    entry = FlowStats(Match(in_port=1), (ApplyActions((Output(2),)),), priority=5, table_id=3)
    assert str(Flow.of(entry)) == "table=3,priority=5,in_port=1 actions=output:2"


@pytest.mark.parametrize("version", Version, ids=str)
def test_a_rule_of_old_words_can_be_said_in_every_version(version: Version) -> None:
    flow = Flow.parse("tcp,actions=mod_dl_dst:00:00:00:00:00:01,mod_tp_dst:80,output:2")
    assert flow.mod(version=version).encode(version)


@pytest.mark.parametrize("version", Version, ids=str)
def test_a_rule_of_new_words_can_be_said_in_every_version(version: Version) -> None:
    flow = Flow.parse("tcp,actions=set_field:00:00:00:00:00:01->eth_dst,set_field:1->tcp_dst,1")
    assert flow.mod(version=version).encode(version)


# How versions say it


def test_old_versions_have_an_action_for_each_field() -> None:
    wanted = (ApplyActions((SetDlDst(1), SetNwTos(32))),)
    given = (ApplyActions((set_field(eth_dst=1), set_field(ip_dscp=8))),)
    assert spelled(given, OF10) == spelled(given, OF11) == wanted


def test_later_versions_set_fields() -> None:
    given = (ApplyActions((SetDlDst(MacAddress(1)), SetTpDst(80))),)
    match = Match.parse("udp")
    assert spelled(given, OF12, match) == (
        ApplyActions((set_field(eth_dst=1), set_field(udp_dst=80))),
    )


def test_a_port_is_set_only_where_the_match_tells_whose() -> None:
    with pytest.raises(ValueError, match="mod_tp_dst needs a match with tcp, udp or sctp"):
        spelled((ApplyActions((SetTpDst(80),)),), OF13)


def test_mod_vlan_vid_adds_a_tag_where_there_is_none() -> None:
    given = (ApplyActions((SetVlanVid(5), SetVlanVid(6))),)
    tagged = (ApplyActions((set_field(vlan_vid=5), set_field(vlan_vid=6))),)
    untagged = (ApplyActions((PushVlan(), *tagged[0].actions)),)
    assert spelled(given, OF13) == untagged
    assert spelled(given, OF13, Match(vlan_vid=3)) == tagged
    assert spelled(given, OF10) == given


def test_enqueue_becomes_set_queue_and_output() -> None:
    given = (ApplyActions((Enqueue(1, 2),)),)
    assert spelled(given, OF10) == given
    assert spelled(given, OF13) == (ApplyActions((SetQueue(2), Output(1))),)


def test_a_meter_is_an_action_since_openflow_1_5() -> None:
    given = (Meter(1), ApplyActions((Output(2),)), GotoTable(3))
    assert spelled(given, OF13) == given
    assert spelled(given, OF15) == (ApplyActions((MeterAction(1), Output(2))), GotoTable(3))
    assert spelled((Meter(1),), OF15) == (ApplyActions((MeterAction(1),)),)


def test_what_an_old_version_cannot_say_is_told_when_it_is_encoded() -> None:
    flow = Flow.parse("ip,actions=push_vlan:0x8100,output:1")
    with pytest.raises(EncodeError, match=r"PushVlan does not exist in OpenFlow 1\.0"):
        flow.mod(version=OF10).encode(OF10)


def test_a_flow_is_an_everyday_name_that_is_loaded_when_it_is_asked_for() -> None:
    program = (
        "import sys, protocol; assert 'protocol.syntax' not in sys.modules;"
        "print(protocol.Flow.parse('actions=resubmit(,2)'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "actions=resubmit(,2)\n"


# Groups and meters


def test_a_group_is_read() -> None:
    text = "group_id=1,type=select,bucket=weight:2,output:1,bucket=watch_port:3,actions=output:2,3"
    assert parse_group(text, version=OF13) == GroupMod(
        1,
        GroupType.SELECT,
        (
            Bucket((Output(1),), weight=2),
            Bucket((Output(2), Output(3)), weight=1, watch_port=3),
        ),
    )


def test_buckets_are_numbered_in_openflow_1_5() -> None:
    group = parse_group("group_id=1,type=all,bucket=output:1,bucket=bucket_id:9,output:2")
    assert [bucket.bucket_id for bucket in group.buckets] == [0, 9]


def test_actions_of_buckets_are_spelled_as_the_version_does() -> None:
    group = parse_group("group_id=1,type=all,bucket=mod_dl_src:00:00:00:00:00:01,output:1")
    assert group.buckets[0].actions[0] == set_field(eth_src=1)


@pytest.mark.parametrize(
    "text",
    [
        "group_id=1,type=ff,bucket=bucket_id:1,watch_port:3,watch_group:4,actions=output:1",
        "group_id=all,type=indirect",
        "group_id=1,type=select,selection_method=dp_hash,selection_method_param=7",
        "group_id=1,type=select,selection_method=hash,fields(ip_dst,nw_src=255.0.0.0,tcp_dst=0xff)",
        "group_id=1,type=all,command_bucket_id=last,bucket=bucket_id:3,actions=drop",
    ],
)
def test_a_group_that_was_shown_is_read_as_the_same(text: str) -> None:
    group = parse_group(text)
    assert parse_group(group_text(group)) == group


def test_a_selection_method_is_read_as_ovs_ofctl_prints_it() -> None:
    text = "group_id=1,type=select,selection_method=hash,fields=ip_dst,bucket=actions=output:1"
    method = SelectionMethod("hash", 0, Match.unchecked({"ipv4_dst": 0xFFFF_FFFF}))
    assert parse_group(text).properties == (method,)


def test_a_group_can_be_deleted_by_its_number_alone() -> None:
    group = parse_group("group_id=all", GroupModCommand.DELETE)
    assert (group.group_id, group.command) == (0xFFFF_FFFC, GroupModCommand.DELETE)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("type=all", "a group needs its number; write group_id=…"),
        ("group_id=1", "a group needs its type; write type=all, select, indirect or ff"),
        ("group_id=1,type=al", "there is no type 'al'; did you mean all?"),
        ("group_id=1,typ=all", "there is no word of a group 'typ'; did you mean type?"),
        ("group_id=1,type=all,bucket=wieght:1", "there is no action 'wieght'"),
        ("group_id=1,type=all,fields=ip_dst", "fields needs a method; write selection_method=hash"),
        ("group_id=1,type=all,selection_method=" + 16 * "x", "is longer than 15 bytes"),
        ("group_id=1,type=all,selection_method=a,selection_method=b", "stands twice"),
        (
            "group_id=1,type=all,selection_method=hash,fields(tcp_dst=1/2)",
            "tcp_dst=1/2 has a mask in a mask; write tcp_dst=MASK",
        ),
        ("group_id=1,group_id=2", "group_id stands twice; leave one of them out"),
    ],
)
def test_what_is_no_group_is_refused_with_the_cure(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse_group(text)


def test_a_meter_is_read() -> None:
    text = "meter=1,kbps,burst,stats,bands=type=drop,rate=1000,burst_size=100,"
    text += "type=dscp_remark rate=2000 prec_level=2"
    assert parse_meter(text) == MeterMod(
        1,
        (DropBand(1000, 100), DscpRemarkBand(2000, prec_level=2)),
        flags=MeterFlags.KBPS | MeterFlags.BURST | MeterFlags.STATS,
    )


@pytest.mark.parametrize(
    "text", ["meter=controller,pktps,bands=type=drop,rate=1,burst_size=0", "meter=3,kbps,stats"]
)
def test_a_meter_that_was_shown_is_read_as_the_same(text: str) -> None:
    meter = parse_meter(text)
    assert parse_meter(meter_text(meter)) == meter == parse_meter(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kbps", "a meter needs its number; write meter=…"),
        ("meter=1", "a meter needs its unit; write kbps or pktps"),
        ("meter=1,kbsp", "there is no word of a meter 'kbsp'; did you mean kbps?"),
        ("meter=1,kbps,bands=rate=1", "rate=1 stands before its band's type"),
        ("meter=1,kbps,bands=type=drp", "there is no type of band 'drp'; did you mean drop?"),
        ("meter=1,kbps,bands=type=drop", "a band needs its rate; write rate=…"),
        ("meter=1,kbps,bands=type=drop,prec_level=1", "there is no word of such a band"),
    ],
)
def test_what_is_no_meter_is_refused_with_the_cure(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse_meter(text)


def test_a_meter_can_be_deleted_by_its_number_alone() -> None:
    assert parse_meter("meter=all", MeterModCommand.DELETE).meter_id == 0xFFFF_FFFF


# What ovs-ofctl makes of the same text

needs_ovs = [
    pytest.mark.oracle,
    pytest.mark.skipif(not shutil.which("ovs-ofctl"), reason="ovs-ofctl is not installed"),
]
ALL, SINCE_11, SINCE_12 = list(Version), list(Version)[1:], list(Version)[2:]
SINCE_13 = list(Version)[3:]
RULES = [
    ("priority=5,ip,nw_src=10.0.0.0/8,actions=output:2", ALL),
    ("in_port=1,tcp,tp_dst=80,actions=controller", ALL),
    ("in_port=LOCAL,actions=flood,all,in_port,local,normal,controller:128", ALL),
    ("dl_vlan=5,dl_vlan_pcp=3,actions=strip_vlan,output:1", ALL),
    ("vlan_tci=0,actions=output:1", ALL),
    ("dl_src=00:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff,actions=drop", ALL),
    ("arp,arp_spa=10.0.0.1,arp_tpa=10.0.0.0/24,arp_op=1,actions=normal", ALL),
    ("icmp,icmp_type=8,icmp_code=0,nw_tos=32,actions=local", ALL),
    ("dl_type=0x88cc,idle_timeout=10,hard_timeout=20,cookie=0x1234,actions=controller", ALL),
    ("udp,tp_src=53,send_flow_rem,check_overlap,actions=1", ALL),
    ("tcp,actions=mod_dl_src:00:00:00:00:00:01,mod_dl_dst:00:00:00:00:00:02,output:1", ALL),
    ("tcp,actions=mod_nw_src:10.0.0.1,mod_nw_dst:10.0.0.2,mod_nw_tos:32,output:1", ALL),
    ("tcp,actions=mod_tp_src:1,mod_tp_dst:2,output:1", ALL),
    ("dl_vlan=1,actions=mod_vlan_vid:5,mod_vlan_pcp:3,output:1", ALL),
    ("udp,actions=set_field:00:00:00:00:00:01->eth_src,set_field:53->udp_dst,output:1", SINCE_11),
    ("table=1,ip,actions=output:1,write_metadata:0x1/0xf,goto_table:2", SINCE_11),
    ("ip,actions=clear_actions,write_actions(output:1,group:2),goto_table:2", SINCE_11),
    ("ip,actions=push_vlan:0x8100,set_field:4101->vlan_vid,group:7,set_queue:3", SINCE_12),
    ("mpls,mpls_label=3,mpls_tc=1,actions=dec_mpls_ttl,set_mpls_ttl:3,output:1", SINCE_12),
    ("ip,actions=push_mpls:0x8847,set_field:7->mpls_label,output:1", SINCE_12),
    ("mpls,actions=pop_mpls:0x0800,output:1", SINCE_12),
    ("ip,metadata=0x1/0xf,actions=dec_ttl,output:1", SINCE_12),
    ("reset_counts,tcp6,tp_dst=443,ipv6_dst=2001:db8::/32,actions=output:1", SINCE_12),
    ("icmp6,icmp_type=135,nd_target=fe80::1,actions=output:1", SINCE_12),
    ("ipv6,ipv6_label=0x12345,actions=output:1", SINCE_12),
    ("sctp,tp_dst=7,actions=output:1", SINCE_12),
    ("vlan_tci=0x1000/0x1000,actions=pop_vlan,output:1", SINCE_12),
    ("dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=drop", SINCE_12),
    ("ip,actions=meter:1,output:2,goto_table:3", SINCE_13),
    ("no_packet_counts,no_byte_counts,tun_id=5/0xf,actions=output:1", SINCE_13),
    ("importance=7,actions=output:1", [Version.OF14, OF15]),
    ("tcp,actions=move:tcp_src[0..3]->tcp_dst[4..7],output:1", [OF15]),
    ("ip,actions=output:2,enqueue:1:3", [OF10]),
]


def ofctl(*arguments: str) -> str:
    done = subprocess.run(
        ["ovs-ofctl", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return re.sub(r" \(xid=0x[0-9a-f]+\)", "", done.stdout.splitlines()[-1])


def theirs(text: str, version: Version) -> str:
    form = f"OpenFlow1{version - 1}"
    flow_format = form if version <= OF11 else f"OXM-{form}"
    return ofctl("-O", form, "-F", flow_format, "parse-flow", text)


def ours(text: str, version: Version) -> str:
    return ofctl("ofp-print", Flow.parse(text).mod(version=version).encode(version).hex())


@pytest.mark.parametrize(
    ("text", "version"),
    [
        pytest.param(text, version, id=f"{version}-{text}", marks=needs_ovs)
        for text, versions in RULES
        for version in versions
    ],
)
def test_ovs_ofctl_means_the_same_by_the_same_text(text: str, version: Version) -> None:
    assert ours(text, version) == theirs(text, version)


@pytest.mark.parametrize(
    "text", [pytest.param(text, id=text, marks=needs_ovs) for text, _ in RULES]
)
def test_ovs_ofctl_reads_what_we_show(text: str) -> None:
    version = max(dict(RULES)[text])
    assert theirs(str(Flow.parse(text)), version) == theirs(text, version)


@pytest.mark.oracle
@needs_ovs[1]
def test_ovs_takes_fields_however_they_were_given() -> None:
    match = Match(tcp_dst=80, ip_proto=6, eth_type=0x0800).replace(in_port=1)
    shown = ofctl("ofp-print", Flow(match).mod(version=OF13).encode(OF13).hex())
    assert shown == "OFPT_FLOW_MOD (OF1.3): ADD tcp,in_port=1,tp_dst=80 actions=drop"
