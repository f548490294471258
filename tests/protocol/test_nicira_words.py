"""Nicira's actions in ovs-ofctl's words: what is read, what is refused and how it is put right.

That the words mean what ovs-ofctl means by them, tests/oracle/test_flow_words.py asks it.
"""

from __future__ import annotations

import re

import pytest

from protocol import (
    OF10,
    OF13,
    OF15,
    ApplyActions,
    CopyField,
    DecNwTtl,
    ExperimenterAction,
    ExperimenterInstruction,
    FlowMod,
    Match,
    Output,
    Port,
    SetField,
    Stats,
    StatTrigger,
    StatTriggerFlags,
    Version,
    nicira,
    set_field,
)
from protocol.actions import Action
from protocol.syntax import Flow, actions_text, instructions_text, parse_actions, parse_instructions
from protocol.syntax.spelling import spelled_actions

from .flow_lines import LINES

Subfield = nicira.Subfield


def one(text: str) -> Action:
    (found,) = parse_actions(text)
    return found


@pytest.mark.parametrize("line", LINES)
def test_what_is_printed_is_read_as_the_same(line: str) -> None:
    flow = Flow.parse(line)
    assert Flow.parse(str(flow)) == flow
    assert str(Flow.parse(str(flow))) == str(flow)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("resubmit(,2)", nicira.ResubmitTable(Port.IN_PORT, 2)),
        ("load:0x5->NXM_NX_REG0[3..6]", nicira.RegLoad(Subfield("reg0", 3, 4), 5)),
        ("move:in_port[]->reg1[0..15]", CopyField(16, "in_port_nxm", "reg1")),
        ("conjunction(7,1/2)", nicira.Conjunction(7, 0, 2)),
        ("dec_ttl(1,2)", nicira.DecTtlCntIds((1, 2))),
        ("dec_ttl", DecNwTtl()),
        ("output(port=1,max_len=100)", nicira.OutputTrunc(1, 100)),
        ("controller:64", Output(Port.CONTROLLER, 64)),
        ("controller(id=3)", nicira.Controller(controller_id=3)),
        ("controller(userdata=01.02,pause)", nicira.Controller2(userdata=b"\1\2", pause=True)),
        ("note:01.02", nicira.Note(b"\1\2\0\0\0\0")),
        ("multipath(eth_src,50,hrw,4,0,reg0[0..1])",
         nicira.Multipath(Subfield("reg0", 0, 2), basis=50,
                          algorithm=nicira.MultipathAlgorithm.HRW, max_link=3)),
        ("ct(zone=reg0[0..15],table=3)", nicira.Ct(zone=Subfield("reg0", 0, 16), recirc_table=3)),
        ("experimenter(0xabcdef,0102)", ExperimenterAction(0xABCDEF, b"\1\2")),
    ],
)  # fmt: skip
def test_a_word_is_an_action(text: str, action: Action) -> None:
    assert one(text) == action


def test_learning_matches_loads_and_sends() -> None:
    learn = one("learn(table=1,eth_type=0x800,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:in_port)")
    assert learn == nicira.Learn(
        (
            nicira.MatchSpec(0x0800, Subfield("eth_type")),
            nicira.MatchSpec(Subfield("eth_src"), Subfield("eth_dst")),
            nicira.OutputSpec(Subfield("in_port_nxm")),
        ),
        table_id=1,
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("resubmit", "write resubmit(PORT,TABLE) or (,TABLE,ct)"),
        ("resubmit(,2,cd)", "write resubmit(PORT,TABLE) or (,TABLE,ct)"),
        ("load:5", "does not say where to; write load:…->FIELD[]"),
        ("load:5->reg0", "names no bits; write FIELD[FIRST..LAST] or FIELD[]"),
        ("load:5->NXM_NX_REGG0[]", "there is no match field 'NXM_NX_REGG0'; did you mean"),
        ("load:5->reg0[30..33]", "is not in reg0, which has bits 0 to 31"),
        ("load:16->reg0[0..3]", "load cannot be '16'; it is a number from 0 to 15"),
        ("load:5->xxreg0[]", "load sets 64 bits at most; write set_field:5->xxreg0"),
        ("move:reg0[]->eth_src[]", "reg0[] has 32 bits, eth_src[] has 48; move as many"),
        ("check_pkt_larger(9)->reg0[]", "has 32 bits; name one, as in reg0[0]"),
        ("output(port=1)", "write output(port=…,max_len=…)"),
        ("controller(reson=action)", "no word of controller 'reson'; did you mean reason?"),
        ("controller(reason=actoin)", "there is no reason 'actoin'; did you mean action?"),
        ("controller(userdata=xyz)", "it is bytes in hex, as in 01.02"),
        ("multipath(eth_src,50,hrw)", "multipath takes 6 words, not 3; write multipath(FIELDS,"),
        ("multipath(eth_src,5,hrw,0,0,reg0[])", "needs a link at least; write 1 or more"),
        ("multipath(eth_sc,5,hrw,1,0,reg0[])", "fields 'eth_sc'; did you mean eth_src?"),
        ("bundle(eth_src,0,hrw,ofport)", "write bundle(FIELDS,BASIS,ALGORITHM,ofport,members:1,2)"),
        ("conjunction(7)", "write conjunction(ID,CLAUSE/CLAUSES)"),
        ("conjunction(7,3/2)", "clause 3 of 2 cannot be; they are 1 to n, and n is 2 to 64"),
        ("sample(collector_set_id=1)", "write probability=…"),
        ("sample(probabilty=1)", "did you mean probability?"),
        ("fin_timeout(idle=3)", "there is no word of fin_timeout 'idle'"),
        ("exit(1)", "exit takes no value; take '1' away"),
        ("ct(comit)", "there is no word of ct 'comit'; did you mean commit?"),
        ("ct(force)", "force goes with commit only; add commit"),
        ("ct(table=255)", "table 255 means none; leave it out"),
        ("ct(zone=reg0[])", "a zone has 16, as in reg0[0..15]"),
        ("nat(src,dst)", "nat translates one end; write src or dst"),
        ("nat(random)", "nat(random) translates nothing; add src or dst"),
        ("nat(src=10.0.0)", "is no range; write src=FIRST-LAST:FIRST-LAST"),
        ("nat(src=10.0.0.9-10.0.0.1)", "ends before it begins; put the smaller first"),
        ("nat(src=10.0.0.300)", "nat: "),
        ("learn(tabel=3)", "there is no word of learn 'tabel'; did you mean table?"),
        ("learn(eth_dst=eth_src)", "eth_dst"),
        ("learn(reg0[0..3]=reg1[])", "has 32 bits where 4 are; name as many"),
        ("learn(load:5)", "does not say where to; write load:…->FIELD[]"),
        ("learn(reg0=5/7)", "has a mask, which learning does not take"),
        ("encap(nhs)", "there is no header 'nhs'; did you mean nsh?"),
        ("encap(mpls(md_type=1))", "mpls has no properties; take 'md_type=1' away"),
        ("encap(nsh(tlv(1,2)))", "write tlv(CLASS,TYPE,0x…)"),
        ("decap(nsh)", "write decap() or decap(packet_type(ns=1,type=…))"),
        ("clone(output:1,drop)", "drop stands beside other actions"),
        ("resubmitt(,2)", "there is no action 'resubmitt'; did you mean resubmit?"),
        ("experimenter()", "write experimenter(0x…,BYTES) with bytes in hex"),
        ("stat_trigger(packets=1)", "there is no word of stat_trigger 'packets'"),
        ("clone(" * 40 + ")" * 40, "more than 32 '(' are open at once; no action nests so deep"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_the_cure(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse_instructions(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("tcp,tcp_flags=0/0", (0, 0)),
        ("tcp,tcp_flags=+syn-ack", (0x02, 0x12)),
        ("tcp,tcp_flags=syn|ack|[800]", 0x812),
        ("tcp,tcp_flags=0", 0),
    ],
)
def test_flags_are_words_where_there_are_any(text: str, value: object) -> None:
    match = Match.parse(text)
    assert dict(match.items())["tcp_flags"] == value
    assert str(Flow(match)) == f"{text} actions=drop"


# One meaning in all versions


@pytest.mark.parametrize(
    ("text", "version", "actions"),
    [
        ("dec_ttl", OF10, (nicira.DecTtl(),)),
        ("group:7", OF10, (nicira.Group(7),)),
        ("mod_nw_ttl:9", OF10, (nicira.RegLoad(Subfield("nw_ttl"), 9),)),
        ("load:1->reg0[]", OF13, (nicira.RegLoad(Subfield("reg0"), 1),)),
        ("load:1->reg0[]", OF15, (set_field(reg0=1),)),
        ("load:1->reg0[0..3]", OF15, (set_field(reg0=(1, 0xF)),)),
        ("move:reg0[]->reg1[]", OF13, (nicira.RegMove(Subfield("reg0"), Subfield("reg1")),)),
        ("move:reg0[]->reg1[]", OF15, (CopyField(32, "reg0", "reg1"),)),
        ("set_tunnel:5", OF10, (nicira.SetTunnel(5),)),
        ("set_tunnel:5", OF13, (set_field(tunnel_id=5),)),
        ("set_field:0xf0f/0xf0f->reg0", OF13,
         (nicira.RegLoad(Subfield("reg0", 0, 4), 15), nicira.RegLoad(Subfield("reg0", 8, 4), 15))),
        ("set_field:1/3->nsh_c1", OF13,
         (nicira.RegLoad2(Match.unchecked({"nsh_c1": (1, 3)})),)),
        ("set_field:0x10000000000000002->ct_label", OF10,
         (nicira.RegLoad(Subfield("ct_label", 0, 64), 2),
          nicira.RegLoad(Subfield("ct_label", 64, 64), 1))),
        ("clone(dec_ttl)", OF10, (nicira.Clone((nicira.DecTtl(),)),)),
        ("ct(commit,exec(load:1->ct_mark[]))", OF15,
         (nicira.Ct(nicira.CtFlags.COMMIT, actions=(SetField(Match.unchecked({"ct_mark": 1})),)),)),
    ],
)  # fmt: skip
def test_a_version_has_its_own_actions(
    text: str, version: Version, actions: tuple[Action, ...]
) -> None:
    assert spelled_actions(parse_actions(text), version) == actions


def test_a_tag_that_a_clone_gets_is_not_the_packets() -> None:
    flow = Flow.parse("actions=clone(mod_vlan_vid:5),mod_vlan_vid:6").mod(version=OF13)
    text = "push_vlan:0x8100,set_field:4102->vlan_vid"
    assert instructions_text(flow.instructions).endswith(f"),{text}")


def test_openflow_1_0_goes_on_in_another_table_by_resubmitting() -> None:
    flow = Flow.parse("actions=output:1,write_metadata:5,goto_table:3")
    applied = (Output(1), nicira.WriteMetadata(5), nicira.ResubmitTable(Port.IN_PORT, 3))
    assert flow.mod(version=OF10).instructions == (ApplyActions(applied),)


def test_a_match_that_openflow_1_0_cannot_say_is_niciras() -> None:
    assert type(Flow.parse("reg0=5,actions=drop").mod(version=OF10)) is nicira.FlowMod
    assert type(Flow.parse("ip,actions=drop").mod(version=OF10)) is FlowMod
    assert type(Flow.parse("reg0=5,actions=drop").mod(version=OF13)) is FlowMod


# What nobody has words for


def test_actions_and_instructions_of_strangers_are_their_bytes() -> None:
    action = ExperimenterAction(0xABCDEF, b"\1\2\3\4")
    assert parse_actions(actions_text((action,))) == (action,)
    instruction = ExperimenterInstruction(0xABCDEF, b"")
    assert parse_instructions(instructions_text((instruction,))) == (instruction,)


def test_a_stat_trigger_names_its_thresholds() -> None:
    trigger = StatTrigger(StatTriggerFlags.PERIODIC, Stats(packet_count=1000, duration_sec=5))
    text = "stat_trigger(periodic,duration_sec=5,packet_count=1000)"
    assert instructions_text((trigger,)) == text
    assert parse_instructions(text) == (trigger,)
