"""Nicira's messages (ovs-ofctl(8); nicira-ext.h has their numbers)."""

from __future__ import annotations

import pytest

from protocol import (
    OF10,
    OF11,
    OF13,
    BadActionCode,
    BadMatchCode,
    BadRequestCode,
    ErrorMsg,
    Experimenter,
    FlowModCommand,
    FlowModFailedCode,
    FlowModFlags,
    FlowRemoved,
    Match,
    Output,
    Role,
    RoleRequestFailedCode,
    Version,
    sayable,
)
from protocol import nicira as nx
from protocol.actions import CopyField
from protocol.nicira import RegLoad, ResubmitTable, Subfield
from protocol.onf import CopyField as OnfCopyField
from protocol.symmetric import UnknownError

from .. import frames
from ..builders import Bench, flow


def nxm(match: Match, *actions: object, **fields: object) -> nx.FlowMod:
    made = flow(match, *actions, **fields)  # type: ignore[arg-type]
    names = ("instructions", "command", "priority", "cookie", "table_id", "flags", "idle_timeout")
    return nx.FlowMod(made.match, **{name: getattr(made, name) for name in names})


@pytest.fixture
def bench() -> Bench:
    return Bench(OF10)


# Flow entries whose match is in NXM


def test_of10_matches_registers_in_nxm(bench: Bench) -> None:
    bench.say(nxm(Match(in_port=1), RegLoad(Subfield("reg0"), 5), ResubmitTable(table_id=1)))
    bench.say(nx.FlowModTableId(1))
    bench.say(nxm(Match(reg0=5), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]


def test_nxm_wants_what_a_field_depends_on(bench: Bench) -> None:
    message = nxm(Match.unchecked({"tcp_dst": 80}), Output(2))
    assert bench.refusal(message) == sayable(BadMatchCode.BAD_PREREQ, OF10)


def test_a_table_is_named_only_where_that_was_agreed(bench: Bench) -> None:
    message = nxm(Match(), Output(2), table_id=1)
    assert bench.refusal(message) == FlowModFailedCode.BAD_COMMAND
    bench.say(nx.FlowModTableId(1))
    bench.say(message)
    assert len(bench.switch.tables[1]) == 1
    bench.say(nx.FlowModTableId(0))
    assert bench.refusal(message) == FlowModFailedCode.BAD_COMMAND


def test_the_standard_s_flow_mod_names_a_table_in_its_command(bench: Bench) -> None:
    bench.say(nx.FlowModTableId(1))
    bench.say(flow(Match(in_port=1), Output(2), command=3 << 8))
    assert [len(bench.switch.tables[one]) for one in (0, 3)] == [0, 1]
    delete = FlowModCommand.DELETE
    bench.say(flow(Match(), command=2 << 8 | delete))
    assert len(bench.switch.tables[3]) == 1
    bench.say(flow(Match(), command=3 << 8 | delete))
    assert len(bench.switch.tables[3]) == 0


def test_without_an_agreement_deletes_are_for_all_tables(bench: Bench) -> None:
    bench.say(nx.FlowModTableId(1))
    bench.say(nxm(Match(), Output(2), table_id=3))
    bench.say(nx.FlowModTableId(0))
    bench.say(nxm(Match(), command=FlowModCommand.DELETE))
    assert len(bench.switch.tables[3]) == 0


def test_a_cookie_in_the_match_tells_which_entries_are_meant(bench: Bench) -> None:
    for in_port in (1, 2):
        bench.say(nxm(Match(in_port=in_port), Output(3), cookie=in_port))
    chosen = Match.unchecked({"cookie": 2})
    bench.say(nxm(chosen, Output(4), command=FlowModCommand.MODIFY, cookie=9))
    assert {entry.cookie: entry.actions for entry in bench.switch.tables[0]} == {
        1: (Output(3),),
        9: (Output(4),),
    }
    masked = Match.unchecked({"cookie": (1, 0x0F)})
    bench.say(nxm(masked, command=FlowModCommand.DELETE))
    assert [entry.cookie for entry in bench.switch.tables[0]] == [9]


def test_flow_stats_in_nxm_tell_all_entries(bench: Bench) -> None:
    bench.say(nxm(Match(reg0=5), Output(2), idle_timeout=60, cookie=7), now=1.0)
    (reply,) = bench.say(nx.FlowStatsRequest(), now=4.0)
    assert isinstance(reply, nx.FlowStatsReply)
    (told,) = reply.flows
    assert (told.match, told.cookie, told.idle_timeout) == (Match(reg0=5), 7, 60)
    assert isinstance(told, nx.FlowStats)
    assert (told.hard_age, told.stats.idle_sec) == (3, 3)


def test_flow_stats_in_nxm_are_asked_for_by_cookie(bench: Bench) -> None:
    for in_port in (1, 2):
        bench.say(nxm(Match(in_port=in_port), Output(3), cookie=in_port))
    (reply,) = bench.say(nx.FlowStatsRequest(match=Match.unchecked({"cookie": 2})))
    assert isinstance(reply, nx.FlowStatsReply)
    assert [one.cookie for one in reply.flows] == [2]
    (aggregate,) = bench.say(nx.AggregateStatsRequest(match=Match.unchecked({"cookie": (0, 1)})))
    assert isinstance(aggregate, nx.AggregateStatsReply)
    assert aggregate.stats.flow_count == 1


def test_many_entries_are_told_in_parts(bench: Bench) -> None:
    for number in range(1500):
        bench.say(nxm(Match(reg0=number), Output(2)))
    replies = bench.say(nx.FlowStatsRequest())
    assert len(replies) > 1
    flows = [
        one for reply in replies if isinstance(reply, nx.FlowStatsReply) for one in reply.flows
    ]
    assert len(flows) == 1500


def test_an_entry_that_of10_has_no_words_for_is_told_in_nxm_to_who_asks(bench: Bench) -> None:
    told = FlowModFlags.SEND_FLOW_REM

    def seen() -> set[type[object]]:
        bench.say(nxm(Match(reg0=5), Output(2), flags=told))
        bench.say(nxm(Match(in_port=5), Output(2), flags=told))
        answers = bench.say(nxm(Match(), command=FlowModCommand.DELETE))
        return {type(one) for one in answers}

    assert seen() == {FlowRemoved}
    bench.say(nx.SetFlowFormat(nx.FlowFormat.NXM))
    assert seen() == {FlowRemoved, nx.FlowRemoved}


# Options of tunnels


def tlv_mod(command: nx.TlvTableCommand, *maps: nx.TlvMap) -> nx.TlvTableMod:
    return nx.TlvTableMod(command, maps)


ADD, DELETE, CLEAR = nx.TlvTableCommand


def told_maps(bench: Bench) -> tuple[nx.TlvMap, ...]:
    (reply,) = bench.say(nx.TlvTableRequest())
    assert isinstance(reply, nx.TlvTableReply)
    assert (reply.max_option_space, reply.max_fields) == (256, 64)
    return reply.maps


def test_options_are_mapped_and_told(bench: Bench) -> None:
    one, other = nx.TlvMap(0, 0xFFFF, 1, 4), nx.TlvMap(1, 0xFFFF, 2, 8)
    bench.say(tlv_mod(ADD, one, other))
    assert told_maps(bench) == (one, other)
    bench.say(tlv_mod(DELETE, one))
    assert told_maps(bench) == (other,)
    bench.say(tlv_mod(CLEAR))
    assert told_maps(bench) == ()


@pytest.mark.parametrize(
    ("message", "exp_type"),
    [
        (nx.TlvTableMod(7), 16),
        (tlv_mod(ADD, nx.TlvMap(1, 0, 0, 5)), 17),
        (tlv_mod(ADD, nx.TlvMap(1, 0, 0, 128)), 17),
        (tlv_mod(ADD, nx.TlvMap(64, 0, 0, 4)), 18),
        (tlv_mod(DELETE, nx.TlvMap(64)), 18),
        (tlv_mod(ADD, *(nx.TlvMap(number, 1, number, 124) for number in (1, 2, 3))), 19),
        (tlv_mod(ADD, nx.TlvMap(0, 9, 9, 4)), 20),
        (tlv_mod(ADD, nx.TlvMap(1, 0xFFFF, 1, 4)), 21),
    ],
)
def test_options_that_cannot_be_mapped_are_refused(message: nx.TlvTableMod, exp_type: int) -> None:
    bench = Bench(OF13)
    known = nx.TlvMap(0, 0xFFFF, 1, 4)
    bench.say(tlv_mod(ADD, known))
    assert bench.refusal(message) == UnknownError(0xFFFF, exp_type)
    assert told_maps(bench) == (known,)


# What is set up


def test_roles_in_nicira_s_numbers(bench: Bench) -> None:
    (reply,) = bench.say(nx.RoleRequest(nx.Role.PRIMARY))
    assert reply == nx.RoleReply(nx.Role.PRIMARY)
    assert bench.session.role is Role.MASTER
    other = bench.switch.connect(OF10)
    bench.switch.handle(other, nx.RoleRequest(nx.Role.PRIMARY), 0.0)
    assert bench.session.role is Role.SLAVE
    assert bench.refusal(nx.RoleRequest(9)) == sayable(RoleRequestFailedCode.BAD_ROLE, OF10)


def test_a_secondary_changes_nothing(bench: Bench) -> None:
    bench.say(nx.RoleRequest(nx.Role.SECONDARY))
    slave = sayable(BadRequestCode.IS_SLAVE, OF10)
    assert bench.refusal(nxm(Match(), Output(2))) == slave
    assert bench.refusal(nx.CtFlushZone(1)) == slave


def test_flow_formats_and_ages_are_taken(bench: Bench) -> None:
    bench.say(nx.SetFlowFormat(nx.FlowFormat.NXM))
    bench.say(nx.FlowAge())
    assert bench.refusal(nx.SetFlowFormat(9)) is not None


def test_masks_of_of13_are_set_by_nicira(bench: Bench) -> None:
    bench.say(flow(Match(), Output(2), flags=FlowModFlags.SEND_FLOW_REM))
    bench.say(nx.SetAsyncConfig(flow_removed_master=0))
    assert bench.say(flow(Match(), command=FlowModCommand.DELETE)) == []
    bench.say(flow(Match(), Output(2), flags=FlowModFlags.SEND_FLOW_REM))
    bench.say(nx.SetAsyncConfig2(flow_removed_master=0xFF))
    assert len(bench.say(flow(Match(), command=FlowModCommand.DELETE))) == 1


# What is unknown


@pytest.mark.parametrize("version", [OF10, OF11, OF13])
def test_messages_of_others_are_refused(version: Version) -> None:
    other = Experimenter(0x00ABCDEF, data=bytes(8))
    assert Bench(version).refusal(other) == BadRequestCode.BAD_EXPERIMENTER


def test_what_of_nicira_is_known_but_not_done_is_refused(bench: Bench) -> None:
    assert bench.refusal(nx.RoleReply(0)) == BadRequestCode.BAD_EXP_TYPE


# ONF (EXT-320)


def test_onf_lends_copy_field_to_of13() -> None:
    bench = Bench(OF13)
    copy = OnfCopyField(32, "ipv4_src", "reg0")
    ip = Match(eth_type=0x0800)
    bench.say(flow(ip, copy, ResubmitTable(table_id=1)))
    bench.say(flow(Match(reg0=0x0A00_0001), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]
    assert isinstance(copy, CopyField)


@pytest.mark.parametrize(
    ("copy", "code"),
    [
        (OnfCopyField(48, "eth_src", "reg0"), BadActionCode.BAD_SET_LEN),
        (OnfCopyField(16, "eth_src", "in_port"), BadActionCode.BAD_SET_TYPE),
        (OnfCopyField(32, "ipv4_src", "reg0"), BadActionCode.MATCH_INCONSISTENT),
    ],
)
def test_what_onf_s_copy_field_cannot_copy_is_refused(
    copy: OnfCopyField, code: BadActionCode
) -> None:
    assert Bench(OF13).refusal(flow(Match(), copy)) == code


# Encapsulation


def test_packets_of_other_types_are_refused() -> None:
    decap = nx.Decap()
    (answer,) = Bench(OF13).ask(flow(Match(), decap))
    assert isinstance(answer, ErrorMsg)
    assert answer.code == UnknownError(0xFFFF, 39)  # NXBAC_BAD_HEADER_TYPE
