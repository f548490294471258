"""Matches, instructions and actions that are refused, and with which error."""

from __future__ import annotations

from typing import Any

import pytest

from protocol import (
    OF10,
    OF11,
    OF12,
    OF13,
    OF14,
    OF15,
    Action,
    ApplyActions,
    BadActionCode,
    BadInstructionCode,
    BadMatchCode,
    CopyField,
    DecNwTtl,
    ExperimenterAction,
    ExperimenterInstruction,
    FlowModFailedCode,
    GotoTable,
    Group,
    Instruction,
    Match,
    Meter,
    MeterModFailedCode,
    Output,
    PopMpls,
    PopVlan,
    Port,
    PushMpls,
    PushPbb,
    PushVlan,
    SetField,
    SetMplsTc,
    SetNwTos,
    SetTpDst,
    SetVlanPcp,
    SetVlanVid,
    Version,
    WriteActions,
    set_field,
)
from switch_sim.check import Checker, Known, check_match
from switch_sim.refused import Refused
from switch_sim.stages import Stages
from tests.switch_sim.builders import Bench, flow

IP = Match(eth_type=0x0800)
TCP = Match(eth_type=0x0800, ip_proto=6)
TAGGED = Match(vlan_vid=(0x1000, 0x1000))
UNTAGGED = Match(vlan_vid=0)
MPLS = Match(eth_type=0x8847)


def refusal(match: Match, *actions: Action, version: Version = OF13) -> object:
    try:
        Checker(Stages(254)).check_actions(actions, version, Known(match, version))
    except Refused as refused:
        return refused.code
    return None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"tcp_dst": 80}, BadMatchCode.BAD_PREREQ),
        ({"ipv4_dst": 1, "eth_type": 0x86DD}, BadMatchCode.BAD_PREREQ),
        ({"oxm_8000fe04": bytes(4)}, BadMatchCode.BAD_FIELD),
    ],
)
def test_a_match_that_makes_no_sense_is_refused(fields: dict[str, Any], code: object) -> None:
    with pytest.raises(Refused) as refused:
        check_match(Match.unchecked(fields), OF13)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("version", "instructions", "code"),
    [
        (OF13, [GotoTable(1)], BadInstructionCode.BAD_TABLE_ID),
        (OF13, [GotoTable(254)], BadInstructionCode.BAD_TABLE_ID),
        (OF13, [Meter(1)], MeterModFailedCode.UNKNOWN_METER),
        (OF13, [ExperimenterInstruction(9)], BadInstructionCode.BAD_EXPERIMENTER),
        (OF14, [ApplyActions(), ApplyActions()], BadInstructionCode.DUP_INST),
        (OF13, [ApplyActions(), ApplyActions()], BadInstructionCode.UNSUP_INST),
        (OF13, [WriteActions((Group(1),))], BadActionCode.BAD_OUT_GROUP),
    ],
)
def test_instructions_that_cannot_be_done_are_refused(
    version: Version, instructions: list[Instruction], code: object
) -> None:
    message = flow(instructions=tuple(instructions), table_id=1)
    assert Bench(version).refusal(message) == code


@pytest.mark.parametrize(
    ("version", "action", "code"),
    [
        (OF13, Output(0), BadActionCode.BAD_OUT_PORT),
        (OF13, Output(Port.MAX + 1), BadActionCode.BAD_OUT_PORT),
        (OF13, Output(Port.ANY), BadActionCode.BAD_OUT_PORT),
        (OF13, Output(Port.TABLE), BadActionCode.BAD_OUT_PORT),
        (OF13, Output(77), None),
        (OF13, Output(Port.MAX), None),
        (OF13, ExperimenterAction(9), BadActionCode.BAD_EXPERIMENTER),
        (OF13, PushVlan(0x0800), BadActionCode.BAD_ARGUMENT),
        (OF13, PushMpls(0x0800), BadActionCode.BAD_ARGUMENT),
        (OF13, PushPbb(0x0800), BadActionCode.BAD_ARGUMENT),
        (OF10, SetVlanVid(4096), BadActionCode.BAD_ARGUMENT),
        (OF10, SetVlanPcp(8), BadActionCode.BAD_ARGUMENT),
        (OF10, SetNwTos(1), BadActionCode.BAD_ARGUMENT),
        (OF11, SetMplsTc(8), BadActionCode.BAD_ARGUMENT),
        (OF13, SetField(Match(in_port=1)), BadActionCode.BAD_SET_TYPE),
        (OF13, SetField(Match(metadata=1)), BadActionCode.BAD_SET_TYPE),
        (OF15, SetField(Match(metadata=1)), None),
        (OF13, SetField(Match.unchecked({"oxm_8000fe04": b""})), BadActionCode.BAD_SET_TYPE),
        (OF13, SetField(Match.unchecked({"vlan_vid": 5})), BadActionCode.BAD_SET_ARGUMENT),
        (OF13, SetField(Match(eth_dst=(1, 1))), BadActionCode.BAD_SET_MASK),
        (OF15, SetField(Match(eth_dst=(1, 1))), None),
        (OF15, CopyField(49, "eth_src", "eth_dst"), BadActionCode.BAD_SET_LEN),
        (OF15, CopyField(8, "eth_src", "in_port"), BadActionCode.BAD_SET_TYPE),
        (OF15, CopyField(8, "oxm_8000fe04", "eth_src"), BadActionCode.BAD_SET_TYPE),
        (OF15, CopyField(48, "eth_src", "eth_dst"), None),
    ],
)
def test_actions_that_cannot_be_done_are_refused(
    version: Version, action: Action, code: object
) -> None:
    assert refusal(Match(), action, version=version) == code


@pytest.mark.parametrize(
    ("match", "actions", "fits"),
    [
        (IP, [set_field(tcp_dst=80)], False),
        (TCP, [set_field(tcp_dst=80)], True),
        (TCP, [set_field(ip_proto=17), set_field(tcp_dst=80)], False),
        (TCP, [PushMpls(), set_field(tcp_dst=80)], False),
        (TCP, [PushMpls(), set_field(mpls_label=5)], True),
        (MPLS, [PopMpls(0x0800), set_field(ipv4_dst=5)], True),
        (MPLS, [PopMpls(0x0800), set_field(tcp_dst=5)], False),
        (UNTAGGED, [PopVlan()], False),
        (TAGGED, [PopVlan()], True),
        (UNTAGGED, [PushVlan(), set_field(vlan_vid=5), set_field(vlan_pcp=5)], True),
        (UNTAGGED, [set_field(vlan_vid=5)], False),
        (Match(), [set_field(vlan_pcp=5)], False),
        (IP, [PopMpls(0x0800)], False),
        (MPLS, [DecNwTtl()], False),
        (Match(), [DecNwTtl()], True),
    ],
)
def test_actions_must_fit_the_packets_that_the_match_lets_in(
    match: Match, actions: list[Action], fits: bool
) -> None:
    # OF1.3.5 7.2.5 "Action Structures": the prerequisites of a set-field stand in the match.
    expected = None if fits else BadActionCode.MATCH_INCONSISTENT
    assert refusal(match, *actions) == expected


def test_the_old_actions_pass_over_packets_that_they_do_not_fit() -> None:
    assert refusal(Match(), SetTpDst(80), version=OF10) is None


def test_output_to_the_tables_is_for_packets_of_the_controller() -> None:
    Checker(Stages(254)).check_actions([Output(Port.TABLE)], OF12, in_packet_out=True)


def test_openflow_10_says_it_with_the_errors_that_it_has() -> None:
    code = Bench(OF10).refusal(flow(IP, Output(Port.TABLE)))
    assert code == BadActionCode.BAD_OUT_PORT
    assert Bench(OF13).refusal(flow(IP, table_id=255)) == FlowModFailedCode.BAD_TABLE_ID
