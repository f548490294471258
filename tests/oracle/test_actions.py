"""What becomes of generated frames by generated actions, here and in Open vSwitch.

Each switch has an entry for each frame, which it tells by the address that sent it. All frames
go in at once; what leaves is read in a capture of the other port.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from protocol import (
    OF15,
    Action,
    DecMplsTtl,
    DecNwTtl,
    Match,
    Output,
    PopMpls,
    PopVlan,
    PushMpls,
    PushVlan,
    SetField,
    SetMplsTtl,
    SetNwTtl,
    VlanId,
)
from protocol.capture_file import read_frames
from protocol.oxm import OXM
from protocol.syntax import actions_text, match_text
from switch_sim.execute import EFFECTS, InvalidTtl
from switch_sim.fields import SETTABLE
from switch_sim.flow_key import FlowKey, flow_key
from tests.interop import ovs
from tests.switch_sim.any_frame import any_frame
from tests.switch_sim.builders import Bench, flow, packet

pytestmark = pytest.mark.oracle

MANY = 300
FIRST_SENDER = 0x02_00_00_00_00_00
LEAST = 80  # bytes, so that no frame is filled up when a tag is popped: we do, it does not
LAST = bytes(12).ljust(LEAST, b"z")  # leaves as it is, when all others have left
AT_ONCE = 50  # frames that one command puts in

# These tell what follows, and with another value the packet makes no sense. It sets neither of
# the last two.
NEVER_SET = {"eth_type", "ip_proto", "icmpv6_type", "icmpv6_code", "mpls_bos", "tcp_flags"}
NEVER_SET |= {"eth_src"}  # by it we know the frame again
KNOWN = ("eth_src", "eth_type", "vlan_vid", "ip_proto", "icmpv6_type", "icmpv6_code", "mpls_bos")

ROUTING = 1 << 5  # of ipv6_exthdr

octets = st.integers(2, 255)


@st.composite
def assignments(draw: st.DrawFn, key: FlowKey) -> SetField:
    """A field that the packet has, set as a whole or in part (OF1.5.1 7.2.6.7)."""
    tagless = set() if key.vlan else {"vlan_vid"}  # then it says that there is none
    name = draw(st.sampled_from(sorted((SETTABLE & key.keys()) - NEVER_SET - tagless)))
    ones = 2 ** OXM[name].bits - 1
    if name == "vlan_vid":
        return SetField(Match(vlan_vid=VlanId.PRESENT | draw(st.integers(0, 0xFFF))))
    value = draw(st.integers(0, ones))
    if name not in ("eth_dst", "ipv4_src", "ipv6_dst", "tcp_dst") or draw(st.booleans()):
        return SetField(Match.unchecked({name: value}))
    mask = draw(st.integers(1, ones - 1))
    return SetField(Match.unchecked({name: (value & mask, mask)}))


@st.composite
def fitting(draw: st.DrawFn, key: FlowKey) -> Action:
    """An action that applies to a packet, and that Open vSwitch does as the specification says."""
    choices: list[st.SearchStrategy[Action]] = [assignments(key)] * 4
    if key.mpls:
        bottom = {4: 0x0800, 6: 0x86DD}.get(key.data[key.mpls + 4] >> 4, 0x0800)
        choices += [st.builds(SetMplsTtl, octets), st.just(DecMplsTtl())]
        if key["mpls_bos"]:  # it pushes up to three
            choices.append(st.just(PushMpls()))
        choices.append(st.just(PopMpls(bottom if key["mpls_bos"] else 0x8847)))
    if key.network:
        choices += [st.builds(SetNwTtl, octets), st.just(DecNwTtl())]
    if key.vlan:
        choices.append(st.just(PopVlan()))
    elif not key.mpls:
        choices.append(st.sampled_from([PushVlan(), PushVlan(0x88A8)]))
    return draw(st.one_of(choices))


def is_comparable(frame: bytes) -> bool:
    """Whether it knows all headers; behind a route it does not mend the checksum."""
    key = flow_key(frame, 1)
    return not key.pbb and not (key["ipv6_exthdr"] or 0) & ROUTING


@st.composite
def cases(draw: st.DrawFn) -> tuple[bytes, list[Action]]:
    frame = draw(any_frame().filter(is_comparable)).ljust(LEAST, b"\0")
    one, actions = packet(frame, version=OF15), list[Action]()
    for _ in range(draw(st.integers(1, 4))):
        action = draw(fitting(one.key))
        actions.append(action)
        if isinstance(action, PopVlan | PopMpls):
            break  # the match does not tell what is behind, so what follows could be refused
        try:
            EFFECTS[type(action)](one, action)
        except InvalidTtl:
            break
    return frame, actions


def samples() -> Iterator[tuple[bytes, Match, list[Action]]]:
    """Frames, each from another sender; the match of an entry for it, and what that does."""
    found: list[tuple[bytes, list[Action]]] = []

    @given(cases())
    @settings(
        max_examples=MANY,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def collect(case: tuple[bytes, list[Action]]) -> None:
        found.append(case)

    collect()
    for number, (data, actions) in enumerate(found):
        frame = data[:6] + (FIRST_SENDER + number).to_bytes(6, "big") + data[12:]
        key = flow_key(frame, 1)
        yield frame, Match.unchecked({name: key[name] for name in KNOWN if name in key}), actions


def from_open_vswitch(
    entries: list[tuple[bytes, Match, list[Action]]], directory: Path
) -> list[bytes]:
    """Let Open vSwitch do it; return the frames that leave."""
    flows, capture = directory / "flows", directory / "sent.pcap"
    lines = [
        f"{match_text(match)},actions={actions_text((*actions, Output(2)))}"
        for _, match, actions in entries
    ]
    flows.write_text("\n".join([*lines, "priority=1,actions=output:2"]))
    with ovs.OpenVSwitch(dummy=True) as real:
        bridge = real.add_bridge("br0", ports={1: "p1", 2: "p2"})
        real.vsctl("set", "interface", "p2", f"options:tx_pcap={capture}")
        real.ofctl("15", "add-flows", bridge, str(flows))
        for at in range(0, len(entries), AT_ONCE):
            frames = [frame.hex() for frame, _, _ in entries[at : at + AT_ONCE]]
            real.appctl("netdev-dummy/receive", "p1", *frames)
        real.appctl("netdev-dummy/receive", "p1", LAST.hex())
        real.wait(lambda: LAST in capture.read_bytes(), "all frames leave")
    with capture.open("rb") as file:
        return [frame.data for frame in read_frames(file) if frame.data != LAST]


def test_open_vswitch_makes_the_same_of_them(tmp_path: Path) -> None:
    if reason := ovs.missing_tools():
        pytest.skip(reason)
    entries = list(samples())
    bench = Bench(OF15, 2)
    for _, match, actions in entries:
        bench.say(flow(match, *actions, Output(2)))
    ours = [data for frame, _, _ in entries for _, data in bench.frames(frame)]
    theirs = {frame[6:12]: frame for frame in from_open_vswitch(entries, tmp_path)}
    assert len(ours) > MANY // 2
    told = {frame[6:12]: (frame.hex(), actions) for frame, _, actions in entries}
    others = [
        (*told[frame[6:12]], frame.hex(), other.hex())
        for frame in ours
        if (other := theirs.pop(frame[6:12], b"")) != frame
    ]
    assert others == []
    assert theirs == {}
