"""Nicira's extensions of the language beside Open vSwitch's own: the same entries and frames."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from protocol import Action, ApplyActions, FlowMod, Match, Output, Port, onf
from protocol import nicira as nx
from protocol.actions import set_field

from . import ovs
from .connection_cases import CONNECTIONS, TRANSLATIONS
from .dummies import Left, Ours, Theirs
from .extension_cases import CONJUNCTIONS, LEARNING, REGISTERS, TCP, UDP, WAYS, Case

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(ovs.missing_tools()), reason=ovs.missing_tools()),
]


ALL = {
    f"{kind}: {name}": case
    for kind, cases in {
        "registers": REGISTERS,
        "ways": WAYS,
        "learn": LEARNING,
        "conjunctions": CONJUNCTIONS,
        "ct": CONNECTIONS,
        "nat": TRANSLATIONS,
    }.items()
    for name, case in cases.items()
}


@pytest.fixture(scope="module")
def theirs() -> Iterator[Theirs]:
    with Theirs() as started:
        yield started


@pytest.fixture(scope="module")
def ours() -> Iterator[Ours]:
    with Ours() as started:
        yield started


def _left(switch: Theirs | Ours, case: Case, version: str = "13") -> list[Left]:
    switch.install(case.flows, version)
    return [switch.send(in_port, frame) for in_port, frame in case.comes]


@pytest.mark.parametrize("case", ALL.values(), ids=ALL.keys())
def test_what_leaves_where_is_the_same(theirs: Theirs, ours: Ours, case: Case) -> None:
    assert _left(ours, case) == _left(theirs, case)


# OF1.0 has Nicira's flow_mod, and OF1.5 other actions for the same: set_field and copy_field.
IN_OTHER_WORDS = {
    f"{version}: {name}": (version, case)
    for version, cases in (("10", LEARNING | CONJUNCTIONS), ("15", REGISTERS | CONNECTIONS))
    for name, case in cases.items()
}


@pytest.mark.parametrize(("version", "case"), IN_OTHER_WORDS.values(), ids=IN_OTHER_WORDS.keys())
def test_what_leaves_where_is_the_same_in_other_versions(
    theirs: Theirs, ours: Ours, version: str, case: Case
) -> None:
    assert _left(ours, case, version) == _left(theirs, case, version)


@pytest.mark.parametrize("case", LEARNING.values(), ids=LEARNING.keys())
def test_what_is_learnt_is_the_same(theirs: Theirs, ours: Ours, case: Case) -> None:
    for switch in (theirs, ours):
        _left(switch, case)
    assert ours.flows("table=1") == theirs.flows("table=1")


# What is refused, and with which error


REFUSED: dict[str, tuple[Match, tuple[Action, ...]]] = {
    "a value that does not fit": (Match(), (nx.RegLoad(nx.Subfield("reg0", 0, 4), 16),)),
    "bits beyond a field": (Match(), (nx.RegLoad(nx.Subfield("reg0", 30, 4), 0),)),
    "a field that cannot be set": (Match(), (nx.RegLoad(nx.Subfield("ct_state"), 0),)),
    "a connection's mark outside of ct": (Match(), (nx.RegLoad(nx.Subfield("ct_mark"), 0),)),
    "a source that the match lacks": (
        Match(), (nx.RegMove(nx.Subfield("ipv4_src"), nx.Subfield("reg0")),)
    ),
    "a target that cannot be set": (
        Match(), (nx.RegMove(nx.Subfield("reg0"), nx.Subfield("ct_state")),)
    ),
    "pop into what cannot be set": (Match(), (nx.StackPop(nx.Subfield("ct_state")),)),
    "push of what the match lacks": (Match(), (nx.StackPush(nx.Subfield("tcp_src")),)),
    "check_pkt_larger beyond a field": (Match(), (nx.CheckPktLarger(1, "reg0", 32),)),
    "output of what the match lacks": (Match(), (nx.OutputReg(nx.Subfield("ipv4_src")),)),
    "a multipath that does not fit": (
        Match(), (nx.Multipath(nx.Subfield("reg0", 0, 1), max_link=2),)
    ),
    "a multipath of unknown fields": (Match(), (nx.Multipath(nx.Subfield("reg0"), 77),)),
    "a multipath of an unknown algorithm": (
        Match(), (nx.Multipath(nx.Subfield("reg0"), algorithm=77),)
    ),
    "a bundle of the controller": (Match(), (nx.Bundle((Port.CONTROLLER,)),)),
    "a bundle of unknown fields": (Match(), (nx.Bundle((1,), fields=77),)),
    "one clause": (Match(), (nx.Conjunction(1, 0, 1),)),
    "65 clauses": (Match(), (nx.Conjunction(1, 0, 65),)),
    "a clause beyond the last": (Match(), (nx.Conjunction(1, 2, 2),)),
    "a conjunction and an output": (Match(), (nx.Conjunction(1, 0, 2), Output(2))),
    "a learnt match without what it needs": (
        Match(), (nx.Learn((nx.MatchSpec(80, nx.Subfield("tcp_dst")),)),)
    ),
    "a learnt load without what it needs": (
        Match(), (nx.Learn((nx.LoadSpec(80, nx.Subfield("tcp_dst")),)),)
    ),
    "a learnt load of what cannot be set": (
        Match(), (nx.Learn((nx.LoadSpec(1, nx.Subfield("ct_state")),)),)
    ),
    "learning from what the match lacks": (
        Match(), (nx.Learn((nx.OutputSpec(nx.Subfield("tcp_dst", 0, 16)),)),)
    ),
    "learning with unknown flags": (Match(), (nx.Learn(flags=8),)),
    "ct without IP": (Match(eth_type=0x0806), (nx.Ct(),)),
    "force without commit": (Match(eth_type=0x0800), (nx.Ct(nx.CtFlags.FORCE),)),
    "an output in ct": (Match(eth_type=0x0800), (nx.Ct(nx.CtFlags.COMMIT, actions=(Output(2),)),)),
    "a register in ct": (
        Match(eth_type=0x0800), (nx.Ct(nx.CtFlags.COMMIT, actions=(set_field(reg0=2),)),)
    ),
    "a zone of too few bits": (
        Match(eth_type=0x0800), (nx.Ct(zone=nx.Subfield("reg0", 0, 8)),)
    ),
    "nat outside of ct": (Match(eth_type=0x0800), (nx.Nat(nx.NatFlags.SRC, ipv4_min=1),)),
    "output cut to nothing": (Match(), (nx.OutputTrunc(2, 13),)),
    "resubmit with ct, untracked": (Match(eth_type=0x0800), (nx.ResubmitTableCt(table_id=1),)),
    "deleting what is no option": (Match(), (nx.DeleteField("reg0"),)),
    "onf: bits that do not fit": (Match(), (onf.CopyField(48, "eth_src", "reg0"),)),
    "onf: a source that the match lacks": (Match(), (onf.CopyField(32, "ipv4_src", "reg0"),)),
}  # fmt: skip


@pytest.mark.parametrize("entry", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_is_refused_with_the_same_error(
    theirs: Theirs, ours: Ours, entry: tuple[Match, tuple[Action, ...]]
) -> None:
    match, actions = entry
    message = FlowMod(match, (ApplyActions(actions),))
    refusal = theirs.teller().refusal(message)
    assert refusal is not None
    assert ours.teller().refusal(message) == refusal


# What ovs-ofctl says in Nicira's own messages


NXM = "--flow-format=NXM+table_id"


def test_of10_manages_entries_in_nxm(ours: Ours) -> None:
    ours.install([])
    for flow in (
        "in_port=1,actions=load:5->NXM_NX_REG0[],resubmit(,1)",
        "table=1,reg0=5,actions=2",
    ):
        ovs.ofctl("10", "add-flow", ours.endpoint, NXM, f"cookie=7,{flow}")
    assert ours.send(1, TCP) == {2: [TCP]}
    told = ovs.ofctl("10", "dump-flows", ours.endpoint, "table=1,cookie=7/-1")
    assert "n_packets=1" in told
    assert "reg0=0x5 actions=output:2" in told
    assert "flow_count=2" in ovs.ofctl("10", "dump-aggregate", ours.endpoint, "cookie=7/-1")
    ovs.ofctl("10", "del-flows", ours.endpoint, NXM, "table=1,cookie=7/-1")
    assert ours.send(1, TCP) == {}


def test_options_are_mapped_by_ovs_ofctl(ours: Ours) -> None:
    mapped = "{class=0xffff,type=0,len=4}->tun_metadata0"
    ovs.ofctl("13", "add-tlv-map", ours.endpoint, mapped)
    told = ovs.ofctl("13", "dump-tlv-map", ours.endpoint)
    assert "max option space=256 max fields=64" in told
    assert "0xffff" in told
    ovs.ofctl("13", "del-tlv-map", ours.endpoint)
    assert "0xffff" not in ovs.ofctl("13", "dump-tlv-map", ours.endpoint)


def test_a_zone_is_flushed_by_ovs_ofctl(ours: Ours) -> None:
    ours.install(["ip,actions=ct(commit,zone=5)"])
    ours.send(1, UDP)
    assert len(ours.switch.datapath.nicira.conntrack) == 1
    ovs.ofctl("13", "ct-flush-zone", ours.endpoint, "5")
    assert len(ours.switch.datapath.nicira.conntrack) == 0
