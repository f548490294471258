"""Ports: configuration, state, counters."""

from __future__ import annotations

import pytest

from protocol import (
    OF10,
    OF13,
    OF14,
    OF15,
    BadPropertyCode,
    MacAddress,
    Match,
    Output,
    Port,
    PortConfig,
    PortDesc,
    PortDescReply,
    PortEthernet,
    PortFeatures,
    PortMod,
    PortModEthernet,
    PortModFailedCode,
    PortModOptical,
    PortOptical,
    PortReason,
    PortRecirculate,
    PortState,
    PortStatus,
    Version,
)
from switch_sim.ports import Ports, SwitchPort
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow

BPDU = bytes.fromhex("0180c2000000") + frames.TCP[6:]
GIGABIT = PortEthernet(supported=PortFeatures.RATE_1GB_FD)


def test_a_port_mod_changes_the_bits_of_its_mask_and_is_told() -> None:
    bench = Bench()
    [status] = bench.say(PortMod(2, 0xA2, PortConfig.NO_FWD, PortConfig.NO_FWD))
    assert isinstance(status, PortStatus)
    assert (status.reason, status.desc.config) == (PortReason.MODIFY, PortConfig.NO_FWD)
    assert bench.say(PortMod(2, 0xA2, 0, PortConfig.NO_RECV)) == []
    assert bench.switch.ports[2].desc.config == PortConfig.NO_FWD


@pytest.mark.parametrize(
    ("version", "message", "code"),
    [
        (OF13, PortMod(9, 0xA2), PortModFailedCode.BAD_PORT),
        (OF13, PortMod(2, 0xBAD), PortModFailedCode.BAD_HW_ADDR),
        (OF13, PortMod(2, 0xA2, 0, PortConfig.NO_FLOOD), PortModFailedCode.BAD_CONFIG),
        (
            OF13,
            PortMod(2, 0xA2, properties=(PortModEthernet(PortFeatures.RATE_1GB_FD),)),
            PortModFailedCode.BAD_ADVERTISE,
        ),
        (OF14, PortMod(2, 0xA2, properties=(PortModOptical(),)), BadPropertyCode.BAD_TYPE),
    ],
)
def test_a_port_mod_that_cannot_be_is_refused(
    version: Version, message: PortMod, code: object
) -> None:
    assert Bench(version).refusal(message) == code


def test_a_port_advertises_what_it_is_told_to() -> None:
    port = SwitchPort(PortDesc(1, properties=(GIGABIT,)))
    wanted = (PortModEthernet(PortFeatures.RATE_1GB_FD),)
    port.modify(PortMod(1, properties=wanted), OF13)
    assert port.desc.ethernet.advertised == PortFeatures.RATE_1GB_FD


@pytest.mark.parametrize("config", [PortConfig.PORT_DOWN, PortConfig.NO_RECV])
def test_a_port_that_does_not_receive_drops(config: PortConfig) -> None:
    bench = Bench()
    bench.say(flow(Match(), Output(2)))
    bench.say(PortMod(1, 0xA1, config, config))
    assert bench.frames(frames.TCP) == []
    assert bench.frames(BPDU) == []
    assert bench.switch.ports[1].counters.rx_dropped == 2


def test_spanning_tree_has_a_bit_of_its_own_in_openflow_10() -> None:
    # OF1.0 5.2.1 "Port Structures"
    bench = Bench(OF10)
    bench.say(flow(Match(), Output(2)))
    bench.say(PortMod(1, 0xA1, PortConfig.NO_RECV, PortConfig.NO_RECV))
    assert bench.out_ports(frames.TCP) == []
    assert bench.out_ports(BPDU) == [2]
    deaf = PortConfig.NO_RECV | PortConfig.NO_RECV_STP
    bench.say(PortMod(1, 0xA1, deaf, deaf))
    assert bench.out_ports(BPDU) == []


def test_frames_are_counted() -> None:
    bench = Bench()
    bench.say(flow(Match(), Output(2)))
    bench.frames(frames.TCP)
    bench.frames(b"too short")
    counters = bench.switch.ports[1].counters
    assert (counters.rx_packets, counters.rx_bytes) == (1, len(frames.TCP))
    assert counters.rx_dropped == 1
    assert bench.switch.ports[2].counters.tx_bytes == len(frames.TCP)


def test_what_cannot_leave_is_counted_as_dropped() -> None:
    bench = Bench()
    bench.say(flow(Match(), Output(2)))
    bench.switch.set_link(2, up=False, now=0.0)
    assert bench.frames(frames.TCP) == []
    assert bench.switch.ports[2].counters.tx_dropped == 1


def test_a_link_that_breaks_is_told_once() -> None:
    bench = Bench()
    [(_, status)] = bench.switch.set_link(2, up=False, now=0.0).messages
    assert isinstance(status, PortStatus)
    assert status.desc.state == PortState.LINK_DOWN
    assert bench.switch.set_link(2, up=False, now=0.0).messages == []


def test_ports_come_and_go() -> None:
    bench = Bench()
    [(_, added)] = bench.switch.add_port(PortDesc(9), now=0.0).messages
    [(_, removed)] = bench.switch.remove_port(9, now=0.0).messages
    assert isinstance(added, PortStatus)
    assert isinstance(removed, PortStatus)
    assert (added.reason, removed.reason) == (PortReason.ADD, PortReason.DELETE)
    assert 9 not in bench.switch.ports


def test_two_ports_with_one_number_cannot_be() -> None:
    with pytest.raises(ValueError, match="two ports 1"):
        Ports([PortDesc(1), PortDesc(1)])


def test_a_version_gets_what_it_can_say() -> None:
    desc = PortDesc(
        1, MacAddress(1), "eth1", PortConfig.NO_FLOOD, properties=(PortOptical(), GIGABIT)
    )
    old, new = SwitchPort(desc).desc_in(OF10), SwitchPort(desc).desc_in(OF14)
    assert old is not None
    assert new is not None
    assert (old.config, old.state, old.properties) == (PortConfig.NO_FLOOD, 0, (GIGABIT,))
    assert (new.config, new.state, new.properties) == (0, PortState.LIVE, desc.properties)


def test_a_property_of_15_is_left_out_in_14() -> None:
    properties = (GIGABIT, PortRecirculate((2,)))
    port = SwitchPort(PortDesc(1, properties=properties))
    for version, sayable in ((OF14, (GIGABIT,)), (OF15, properties)):
        desc = port.desc_in(version)
        assert desc is not None
        assert desc.properties == sayable
        assert PortDescReply((desc,)).encode(version)


def test_openflow_10_has_no_number_for_some_ports() -> None:
    port = SwitchPort(PortDesc(0x1_0000))
    assert port.desc_in(OF10) is None
    assert SwitchPort(PortDesc(Port.LOCAL)).desc_in(OF10) is not None
