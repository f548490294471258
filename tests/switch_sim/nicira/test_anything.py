"""Whatever comes in, nothing of the extensions breaks: all actions over all sorts of frames."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import Action, FlowModCommand, GotoTable, Match, Output
from protocol.actions import set_field
from protocol.nicira import (
    Bundle,
    BundleAlgorithm,
    BundleLoad,
    CheckPktLarger,
    Clone,
    Conjunction,
    Controller2,
    Ct,
    CtClear,
    CtFlags,
    DecTtlCntIds,
    Exit,
    FinTimeout,
    HashFields,
    Learn,
    LoadSpec,
    MatchSpec,
    Multipath,
    MultipathAlgorithm,
    Nat,
    NatFlags,
    OutputReg,
    OutputSpec,
    OutputTrunc,
    RegLoad,
    RegLoad2,
    RegMove,
    Resubmit,
    ResubmitTable,
    SetTunnel64,
    StackPop,
    StackPush,
    Subfield,
    WriteMetadata,
)

from .. import frames
from ..builders import Bench, flow
from .conversations import SYN, ping, tcp, udp, udp6, unreachable

ANY = Match()
IP = Match(eth_type=0x0800)
IP6 = Match(eth_type=0x86DD)
REG = Subfield("reg0")
NAT4 = Nat(NatFlags.SRC, ipv4_min=0x0A00_0063, ipv4_max=0x0A00_0064)
NAT6 = Nat(NatFlags.DST, ipv6_min=0xFD00 << 112 | 9, proto_min=5000, proto_max=5003)

#: Actions with what they need to be matched.
ACTIONS: list[tuple[Match, tuple[Action, ...]]] = [
    (ANY, (RegLoad(Subfield("vlan_tci"), 0x1064), Output(2))),
    (ANY, (RegLoad(Subfield("vlan_tci"), 0), Output(2))),
    (ANY, (RegLoad(Subfield("in_port_nxm"), 3), Output(1))),
    (ANY, (RegMove(Subfield("eth_src", 0, 32), REG), OutputReg(REG))),
    (ANY, (StackPush(Subfield("eth_src")), StackPop(Subfield("eth_dst")), Output(2))),
    (ANY, (CheckPktLarger(60, "reg0"), OutputReg(REG))),
    (ANY, (WriteMetadata(1), SetTunnel64(5), ResubmitTable(table_id=1))),
    (ANY, (Resubmit(3), Clone((Output(2), Exit())))),
    (ANY, (OutputTrunc(2, 14),)),
    *((ANY, (Bundle((2, 3), BundleAlgorithm.HRW, fields),)) for fields in HashFields),
    (ANY, (BundleLoad(Subfield("reg0", 0, 16), (2, 3)), OutputReg(REG))),
    *(
        (ANY, (Multipath(REG, HashFields.SYMMETRIC_L4, 1, kind, 5, 6), OutputReg(REG)))
        for kind in MultipathAlgorithm
    ),
    (
        ANY,
        (
            Learn(
                (
                    MatchSpec(Subfield("eth_src"), Subfield("eth_dst")),
                    MatchSpec(Subfield("vlan_tci", 0, 12), Subfield("vlan_tci", 0, 12)),
                    LoadSpec(Subfield("eth_dst", 16, 16), Subfield("reg3", 0, 16)),
                    OutputSpec(Subfield("in_port_nxm")),
                ),
                cookie=1,
            ),
            ResubmitTable(table_id=1),
        ),
    ),
    (ANY, (Controller2(pause=True), Output(2))),
    (ANY, (FinTimeout(1, 2), DecTtlCntIds((1,)), CtClear(), Output(2))),
    (IP, (RegLoad2(Match.unchecked({"ipv4_dst": (9, 0xFF)})), Output(2))),
    (IP, (RegLoad(Subfield("nw_ttl"), 7), RegLoad(Subfield("nw_tos"), 8), Output(2))),
    (IP, (Ct(CtFlags.COMMIT, recirc_table=2, actions=(NAT4, set_field(ct_mark=5))), Output(2))),
    (IP, (Ct(recirc_table=2, actions=(Nat(),)),)),
    (IP6, (Ct(CtFlags.COMMIT | CtFlags.FORCE, recirc_table=2, actions=(NAT6,)), Output(3))),
    (IP6, (Ct(recirc_table=2, actions=(Nat(),)),)),
]
SEEDS = [
    value for name, value in vars(frames).items() if name.isupper() and isinstance(value, bytes)
] + [
    tcp(SYN),
    udp(),
    udp6("fd00::1", "fd00::2"),
    ping(),
    unreachable(tcp(SYN)),
    unreachable(udp("10.0.0.99"), dst="10.0.0.99"),
]


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A frame with bytes that are other ones, or fewer."""
    frame = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 3))):
        frame[draw(st.integers(12, len(frame) - 1))] = draw(st.integers(0, 255))
    return bytes(frame[: draw(st.integers(14, len(frame)))])


def _made() -> list[Bench]:
    """One for each list of actions; what they learn and track stays from frame to frame."""
    made = []
    for match, actions in ACTIONS:
        bench = Bench()
        bench.say(flow(match, *actions))
        bench.say(flow(ANY, Output(3), table_id=1, priority=1))
        bench.say(flow(Match(reg0=(1, 1)), Output(2), table_id=1, priority=2))
        bench.say(flow(Match(eth_type=0x0800, ct_state=(0x20, 0x20)), Output(3), table_id=2))
        bench.say(flow(Match(eth_type=0x0800, ct_state=(0x02, 0x02)), Output(2), table_id=2))
        made.append(bench)
    return [*made, _by_fields(), _by_clauses()]


def _by_fields() -> Bench:
    """Looks at fields that are read when an entry asks, and goes on by registers."""
    bench = Bench()
    entries = [
        (Match(eth_type=0x0800, nw_ttl=64), 1, 5),
        (Match(eth_type=0x0800, nw_frag=(1, 1)), 2, 4),
        (Match(vlan_tci=(0x1000, 0x1000)), 3, 3),
        (Match(eth_type=0x8847, mpls_ttl=9), 4, 6),
        (ANY, 5, 1),
    ]
    for match, number, priority in entries:
        done = (RegLoad(REG, number), RegMove(Subfield("eth_src", 0, 8), Subfield("reg1", 0, 8)))
        goes_on = (*flow(match, *done).instructions, GotoTable(1))
        bench.say(flow(match, instructions=goes_on, priority=priority))
    for number in range(1, 6):
        bench.say(flow(Match(reg0=number), Output(1 + number % 3), table_id=1))
    bench.say(flow(Match(reg1=1, reg0=5), Output(3), table_id=1, priority=0x9000))
    return bench


def _by_clauses() -> Bench:
    bench = Bench()
    for in_port in (1, 2):
        bench.say(flow(Match(in_port=in_port), Conjunction(1, 0, 2), priority=9))
    for source in ("10.0.0.1", "10.0.0.99"):
        clause = Match(eth_type=0x0800, ipv4_src=source)
        bench.say(flow(clause, Conjunction(1, 1, 2), priority=9))
    bench.say(flow(Match(conj_id=1), Output(3)))
    bench.say(flow(ANY, Output(2), priority=1))
    return bench


@pytest.fixture(scope="module")
def switches() -> list[Bench]:
    return _made()


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Bench, Bench]]:
    return list(zip(_made(), _made(), strict=True))


@settings(deadline=None, max_examples=60)
@given(frame=broken(), in_port=st.integers(1, 3), now=st.floats(0, 1e6))
def test_no_frame_breaks_an_action(
    switches: list[Bench], frame: bytes, in_port: int, now: float
) -> None:
    for bench in switches:
        for _ in range(2):  # the second one by what is kept of the first
            bench.switch.receive_frame(in_port, frame, now)
        bench.switch.handle_timer(now)


@settings(deadline=None, max_examples=40)
@given(coming=st.lists(st.tuples(st.integers(1, 3), broken() | st.sampled_from(SEEDS)), max_size=4))
def test_what_is_kept_of_walks_changes_nothing(
    pairs: list[tuple[Bench, Bench]], coming: list[tuple[int, bytes]]
) -> None:
    for fast, slow in pairs:
        _forget(fast)
        _forget(slow)
        for in_port, frame in coming * 2:
            slow.switch.datapath.fast_path.cache.flush()
            assert fast.frames(frame, in_port) == slow.frames(frame, in_port)


def _forget(bench: Bench) -> None:
    bench.switch.datapath.nicira.conntrack.flush(lambda one: True)
    bench.say(flow(Match(), command=FlowModCommand.DELETE, table_id=1, cookie=1, cookie_mask=1))


@given(frame=broken())
def test_fields_of_broken_frames_are_numbers_or_none(frame: bytes) -> None:
    bench = Bench()
    for name in ("nw_ttl", "mpls_ttl", "nw_frag", "vlan_tci", "nw_tos", "in_port_nxm", "xxreg1"):
        for value in (0, 1):
            bench.say(flow(Match.unchecked({name: value, **_needs(name)}), Output(2)))
    bench.switch.receive_frame(1, frame, 0.0)


def _needs(name: str) -> dict[str, int]:
    if name == "mpls_ttl":
        return {"eth_type": 0x8847}
    return {"eth_type": 0x0800} if name.startswith("nw_") else {}


# Traces


@settings(deadline=None, max_examples=10)
@given(frame=st.sampled_from(SEEDS), in_port=st.integers(1, 3))
def test_a_trace_changes_nothing(frame: bytes, in_port: int) -> None:
    for bench in _made():
        before = _state(bench)
        bench.switch.trace(in_port, frame, 0.0)
        assert _state(bench) == before


def _state(bench: Bench) -> object:
    nicira = bench.switch.datapath.nicira
    entries = [
        (table_id, entry.match, entry.priority, entry.packet_count, entry.idle_timeout)
        for table_id, table in sorted(bench.switch.tables.items())
        for entry in table
    ]
    return entries, len(nicira.conntrack), len(nicira.waiting), nicira.sample_count


def test_a_trace_tells_what_would_become_of_a_connection() -> None:
    bench = Bench()
    bench.say(flow(IP, Ct(CtFlags.COMMIT, recirc_table=2)))
    bench.say(flow(Match(eth_type=0x0800, ct_state=(0x02, 0x02)), Output(2), table_id=2))
    bench.say(flow(Match(eth_type=0x0800, ct_state=(0x01, 0x01)), Output(3), table_id=2))
    bench.frames(udp())
    answer = udp("10.0.0.2", "10.0.0.1", 53, 1000)
    assert "port 2" in str(bench.switch.trace(1, answer, 0.0))
    assert "port 3" in str(bench.switch.trace(1, udp(), 0.0))
    (connection,) = bench.switch.datapath.nicira.conntrack
    assert connection.state == 0
