"""Registers and other fields that Nicira added (ovs-fields(7), ovs-actions(7))."""

from __future__ import annotations

import pytest

from protocol import OF12, OF13, OF15, Action, BadActionCode, GotoTable, Match, Output, SetField
from protocol.actions import set_field
from protocol.nicira import (
    CheckPktLarger,
    OutputReg,
    RegLoad,
    RegLoad2,
    RegMove,
    SetTunnel,
    StackPop,
    StackPush,
    Subfield,
    WriteMetadata,
)

from .. import frames
from ..builders import Bench, flow, packet


@pytest.fixture
def bench() -> Bench:
    return Bench()


def goes_on(bench: Bench, *actions: Action) -> None:
    """Do actions in table 0, and look the packet up in table 1."""
    entry = flow(Match(), *actions)
    bench.say(flow(instructions=(*entry.instructions, GotoTable(1))))


# ovs-fields(7) "REGISTER FIELDS"


def test_a_register_is_zero_at_first(bench: Bench) -> None:
    bench.say(flow(Match(reg0=0), Output(2)))
    assert bench.out_ports(frames.TCP) == [2]


def test_a_register_that_is_loaded_is_matched_in_the_next_table(bench: Bench) -> None:
    goes_on(bench, RegLoad(Subfield("reg5"), 0x1234))
    bench.say(flow(Match(reg5=0x1234), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]


def test_a_register_is_matched_under_a_mask(bench: Bench) -> None:
    goes_on(bench, RegLoad(Subfield("reg5", 8, 4), 7))
    bench.say(flow(Match(reg5=(0x700, 0xF00)), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]


@pytest.mark.parametrize(
    ("loaded", "value", "seen"),
    [
        ("xreg1", 0x1_0000_0002, Match(reg2=1, reg3=2)),
        ("reg3", 5, Match(xreg1=5)),
        ("reg2", 5, Match(xreg1=5 << 32)),
        ("xreg2", 7, Match(xxreg1=7 << 64)),
        ("reg7", 7, Match(xxreg1=7)),
        ("reg15", 7, Match(xxreg3=7, xreg7=7)),
    ],
)
def test_wide_registers_are_views_of_narrow_ones(
    bench: Bench, loaded: str, value: int, seen: Match
) -> None:
    goes_on(bench, RegLoad(Subfield(loaded), value))
    bench.say(flow(seen, Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]


def test_a_wide_register_is_set_in_its_four_parts(bench: Bench) -> None:
    value = 0x1 << 96 | 0x2 << 64 | 0x3 << 32 | 0x4
    goes_on(bench, SetField(Match.unchecked({"xxreg0": value})))
    bench.say(flow(Match(reg0=1, reg1=2, reg2=3, reg3=4), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]


def test_registers_are_forgotten_from_packet_to_packet(bench: Bench) -> None:
    bench.say(flow(Match(in_port=1), RegLoad(Subfield("reg0"), 1), Output(2)))
    bench.frames(frames.TCP)
    bench.say(flow(Match(reg0=0), Output(3), priority=0x9000))
    assert bench.out_ports(frames.TCP) == [3]


# ovs-fields(7) "METADATA FIELDS", "TUNNEL FIELDS"


def test_pkt_mark_is_a_register_too(bench: Bench) -> None:
    goes_on(bench, set_field(pkt_mark=9))
    bench.say(flow(Match(pkt_mark=9), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]


def test_a_tunnel_key_is_set_and_matched(bench: Bench) -> None:
    goes_on(bench, SetTunnel(5))
    bench.say(flow(Match(tunnel_id=5), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]


def test_write_metadata_is_an_action(bench: Bench) -> None:
    goes_on(bench, WriteMetadata(0xFF, 0x0F))
    bench.say(flow(Match(metadata=0x0F), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]


# Fields of headers


@pytest.mark.parametrize(
    "match",
    [
        Match(eth_type=0x0800, nw_ttl=64),
        Match(eth_type=0x0800, nw_frag=0),
        Match(eth_type=0x0800, nw_tos=0),
        Match(vlan_tci=0),
        Match(in_port_nxm=1),
    ],
)
def test_fields_of_headers_are_read_when_a_flow_asks(bench: Bench, match: Match) -> None:
    bench.say(flow(match, Output(2)))
    assert bench.out_ports(frames.TCP) == [2]


def test_a_tag_is_one_number(bench: Bench) -> None:
    bench.say(flow(Match(vlan_tci=(0x1064, 0x1FFF)), Output(2)))
    assert bench.out_ports(frames.VLAN_TCP) == [2]


def test_mpls_ttl_is_matched(bench: Bench) -> None:
    bench.say(flow(Match(eth_type=0x8847, mpls_ttl=9), Output(2)))
    assert bench.out_ports(frames.MPLS_TTL_9_TCP) == [2]
    assert bench.out_ports(frames.MPLS_TCP) == []


def test_a_ttl_that_was_set_is_seen_in_the_next_table(bench: Bench) -> None:
    entry = flow(Match(eth_type=0x0800), SetField(Match.unchecked({"nw_ttl": 63})))
    bench.say(flow(Match(eth_type=0x0800), instructions=(*entry.instructions, GotoTable(1))))
    bench.say(flow(Match(eth_type=0x0800, nw_ttl=63), Output(2), table_id=1))
    assert bench.frames(frames.TCP) == [(2, frames.TCP_TTL_63)]


def test_a_tag_is_put_on_by_loading_it(bench: Bench) -> None:
    bench.say(flow(Match(), RegLoad(Subfield("vlan_tci"), 0x7064), Output(2)))
    assert bench.frames(frames.TCP) == [(2, frames.VLAN_TCP)]


def test_a_tag_is_taken_off_by_loading_zero(bench: Bench) -> None:
    bench.say(flow(Match(), RegLoad(Subfield("vlan_tci"), 0), Output(2)))
    assert bench.frames(frames.VLAN_TCP) == [(2, frames.TCP)]


# ovs-actions(7) "The load action", "The move action", "The set_field action"


def test_bits_move_from_a_header_to_a_register(bench: Bench) -> None:
    goes_on(bench, RegMove(Subfield("eth_src", 0, 16), Subfield("reg1", 16, 16)))
    bench.say(flow(Match(reg1=0x0001_0000), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]


def test_bits_move_from_a_register_to_a_header(bench: Bench) -> None:
    ip = Match(eth_type=0x0800)
    bench.say(
        flow(
            ip,
            RegLoad(Subfield("reg0"), 0x0A00_0009),
            RegMove(Subfield("reg0"), Subfield("ipv4_dst")),
            Output(2),
        )
    )
    assert bench.frames(frames.TCP) == [(2, frames.TCP_TO_10_0_0_9)]


def test_a_masked_set_field_leaves_other_bits(bench: Bench) -> None:
    ip = Match(eth_type=0x0800)
    bench.say(flow(ip, RegLoad2(Match.unchecked({"ipv4_dst": (9, 0xFF)})), Output(2)))
    assert bench.frames(frames.TCP) == [(2, frames.TCP_TO_10_0_0_9)]


# ovs-actions(7) "The push and pop actions"


def test_what_was_pushed_last_is_popped_first(bench: Bench) -> None:
    goes_on(
        bench,
        RegLoad(Subfield("reg0"), 1),
        StackPush(Subfield("reg0")),
        RegLoad(Subfield("reg0"), 2),
        StackPush(Subfield("reg0")),
        StackPop(Subfield("reg1")),
        StackPop(Subfield("reg2")),
    )
    bench.say(flow(Match(reg1=2, reg2=1), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]


def test_an_empty_stack_gives_nothing(bench: Bench) -> None:
    goes_on(bench, RegLoad(Subfield("reg0"), 1), StackPop(Subfield("reg0")))
    bench.say(flow(Match(reg0=1), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]


# ovs-actions(7) "The check_pkt_larger action"


@pytest.mark.parametrize(("length", "result"), [(65, 1), (66, 0)])
def test_a_packet_is_measured(bench: Bench, length: int, result: int) -> None:
    assert len(frames.TCP) == 66
    goes_on(bench, CheckPktLarger(length, "reg0"))
    bench.say(flow(Match(reg0=result), Output(2), table_id=1))
    assert bench.out_ports(frames.TCP) == [2]


def test_a_tag_does_not_count_when_a_packet_is_measured(bench: Bench) -> None:
    goes_on(bench, CheckPktLarger(66, "reg0"))
    bench.say(flow(Match(reg0=0), Output(2), table_id=1))
    assert bench.out_ports(frames.VLAN_TCP) == [2]


def test_a_register_names_the_port(bench: Bench) -> None:
    bench.say(flow(Match(), RegLoad(Subfield("reg0"), 3), OutputReg(Subfield("reg0"))))
    assert bench.out_ports(frames.TCP) == [3]


# What is refused


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (RegLoad(Subfield("reg0", 0, 4), 16), BadActionCode.BAD_ARGUMENT),
        (RegLoad(Subfield("reg0", 30, 4), 0), BadActionCode.BAD_SET_LEN),
        (RegLoad(Subfield("ct_mark"), 0), BadActionCode.BAD_SET_ARGUMENT),
        (RegLoad(Subfield("dp_hash"), 0), BadActionCode.BAD_SET_TYPE),
        (RegMove(Subfield("ipv4_src"), Subfield("reg0")), BadActionCode.MATCH_INCONSISTENT),
        (RegMove(Subfield("reg0"), Subfield("ct_state")), BadActionCode.BAD_SET_ARGUMENT),
        (StackPop(Subfield("ct_state")), BadActionCode.BAD_SET_ARGUMENT),
        (CheckPktLarger(1, "reg0", 32), BadActionCode.BAD_SET_LEN),
        (OutputReg(Subfield("ipv4_src")), BadActionCode.MATCH_INCONSISTENT),
        (set_field(ct_mark=1), BadActionCode.BAD_SET_TYPE),
    ],
)
def test_what_cannot_be_set_or_read_is_refused(
    bench: Bench, action: Action, code: BadActionCode
) -> None:
    assert bench.refusal(flow(Match(), action)) == code


@pytest.mark.parametrize("version", [OF12, OF13, OF15])
def test_registers_are_set_as_the_fields_of_the_specification(version: object) -> None:
    bench = Bench(version)  # type: ignore[arg-type]
    bench.say(flow(Match(), set_field(reg0=3), OutputReg(Subfield("reg0"))))
    assert bench.out_ports(frames.TCP) == [3]


def test_a_copy_has_registers_of_its_own() -> None:
    one = packet(frames.TCP)
    one.set_register("reg0", 1)
    other = one.copy()
    other.set_register("reg0", 2)
    assert (one.key["reg0"], other.key["reg0"]) == (1, 2)
