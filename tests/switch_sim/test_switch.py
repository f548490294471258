"""The datapath's messages: what is asked and answered, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import (
    ALL_VERSIONS,
    OF10,
    OF11,
    OF12,
    OF13,
    OF14,
    OF15,
    BadActionCode,
    BadRequestCode,
    BarrierReply,
    BarrierRequest,
    Capabilities,
    ConfigFlags,
    DecodeError,
    DescReply,
    DescRequest,
    ErrorMsg,
    Experimenter,
    ExperimenterMultipartRequest,
    FeaturesReply,
    FeaturesRequest,
    FlowModFlags,
    FlowRemoved,
    FlowRemovedReason,
    GetConfigReply,
    GetConfigRequest,
    Group,
    Hello,
    Match,
    Message,
    Output,
    PacketIn,
    PacketOut,
    Port,
    PortDescReply,
    PortDescRequest,
    SetConfig,
    SwitchConfigFailedCode,
    Version,
)
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow

every_version = pytest.mark.parametrize("version", sorted(ALL_VERSIONS))
WEB = Match(eth_type=0x0800, ip_proto=6, tcp_dst=80)


@every_version
def test_bundles_and_monitors_are_told_since_of14(version: Version) -> None:
    """OF1.4.1 7.3.1 "Handshake" has the two capabilities; OF1.4.0 had not."""
    [reply] = Bench(version).say(FeaturesRequest())
    assert isinstance(reply, FeaturesReply)
    both = Capabilities.BUNDLES | Capabilities.FLOW_MONITORING
    assert reply.capabilities & both == (both if version >= OF14 else 0)


@every_version
def test_features_tell_what_the_switch_can(version: Version) -> None:
    [reply] = Bench(version).say(FeaturesRequest(xid=7))
    assert isinstance(reply, FeaturesReply)
    assert (reply.xid, reply.datapath_id, reply.n_tables, reply.n_buffers) == (7, 1, 254, 256)
    assert reply.capabilities & Capabilities.FLOW_STATS
    assert len(reply.ports) == (3 if version <= OF12 else 0)
    assert reply.actions == (0xFFF if version == OF10 else 0)


@every_version
def test_the_configuration_is_kept(version: Version) -> None:
    bench = Bench(version)
    bench.say(SetConfig(ConfigFlags.FRAG_DROP, 99))
    [reply] = bench.say(GetConfigRequest())
    assert reply == GetConfigReply(ConfigFlags.FRAG_DROP, 99)


def test_each_controller_has_its_own_miss_send_len() -> None:
    bench = Bench()
    bench.say(SetConfig(0, 99))
    bench.session = bench.switch.connect(OF13)
    assert bench.say(GetConfigRequest()) == [GetConfigReply()]


def test_fragments_are_dropped_or_put_together_but_not_both() -> None:
    # OF1.3.5 7.3.2 "Switch Configuration": ofp_config_flags
    request = SetConfig(ConfigFlags.FRAG_REASM | ConfigFlags.FRAG_DROP)
    assert Bench().refusal(request) == SwitchConfigFailedCode.BAD_FLAGS


@every_version
def test_unknown_flags_are_refused(version: Version) -> None:
    refusal = Bench(version).refusal(SetConfig(1 << 5))
    nearest = BadRequestCode.EPERM if version == OF10 else SwitchConfigFailedCode.BAD_FLAGS
    assert refusal == nearest


def test_fragments_are_dropped_where_that_is_set() -> None:
    bench = Bench()
    bench.say(flow(Match(), Output(2)))
    fragment = frames.TCP[:20] + bytes.fromhex("2000") + frames.TCP[22:]
    assert bench.out_ports(fragment) == [2]
    bench.say(SetConfig(ConfigFlags.FRAG_DROP))
    assert bench.out_ports(fragment) == []
    assert bench.out_ports(frames.TCP) == [2]


@every_version
def test_a_barrier_is_answered(version: Version) -> None:
    assert Bench(version).say(BarrierRequest(xid=7)) == [BarrierReply(xid=7)]


@every_version
def test_the_description_names_the_switch(version: Version) -> None:
    [reply] = Bench(version, name="s1").say(DescRequest())
    assert isinstance(reply, DescReply)
    assert reply.dp_desc == "s1"


@pytest.mark.parametrize("version", [OF13, OF14, OF15])
def test_ports_are_described(version: Version) -> None:
    [reply] = Bench(version).say(PortDescRequest())
    assert isinstance(reply, PortDescReply)
    assert [port.port_no for port in reply.ports] == [1, 2, 3]


def test_openflow_15_can_ask_for_one_port() -> None:
    bench = Bench(OF15)
    [reply] = bench.say(PortDescRequest(2))
    assert isinstance(reply, PortDescReply)
    assert [port.port_no for port in reply.ports] == [2]
    assert bench.refusal(PortDescRequest(9)) == BadRequestCode.BAD_PORT


# Refusals


@every_version
def test_experimenters_are_unknown_or_have_no_such_message(version: Version) -> None:
    bench = Bench(version)
    # ovs-ofctl asks for Nicira's extensions, and goes on without when it hears this.
    nicira = 0x0000_2320
    for who, code in (
        (9, BadRequestCode.BAD_EXPERIMENTER),
        (nicira, BadRequestCode.BAD_EXP_TYPE),
    ):
        assert bench.refusal(Experimenter(who)) == code
        assert bench.refusal(ExperimenterMultipartRequest(who)) == code


@pytest.mark.parametrize(
    "message", [BarrierReply(), FeaturesReply(1), GetConfigReply(), PacketIn()]
)
def test_what_switches_say_is_not_for_them(message: Message) -> None:
    bench = Bench()
    [(_, error)] = bench.switch.handle(bench.session, message, 0.0).messages
    assert isinstance(error, ErrorMsg)
    assert error.code == BadRequestCode.BAD_TYPE


def test_late_hellos_and_errors_are_passed_over() -> None:
    bench = Bench()
    assert bench.ask(Hello()) == []
    assert bench.ask(ErrorMsg(BadRequestCode.BAD_TYPE)) == []


def test_an_error_quotes_the_message_and_has_its_xid() -> None:
    # OF1.3.5 7.4.4 "Error Message": at least 64 bytes of the failed request
    bench = Bench()
    message = flow(WEB, Group(1), xid=7)
    raw = message.encode(OF13)
    for given_raw in (raw, b""):
        [(session, error)] = bench.switch.handle(bench.session, message, 0.0, given_raw).messages
        assert session is bench.session
        assert error == ErrorMsg(BadActionCode.BAD_OUT_GROUP, raw[:64], xid=7)


@every_version
def test_packets_out_that_cannot_be_are_refused(version: Version) -> None:
    bench = Bench(version)
    short = bench.refusal(PacketOut((), b"short"))
    assert short == (BadRequestCode.BAD_PACKET if version >= OF12 else BadRequestCode.BAD_LEN)
    unknown = bench.refusal(PacketOut((), buffer_id=9))
    assert unknown == BadRequestCode.BUFFER_UNKNOWN
    from_nowhere = PacketOut((), frames.TCP, match=Match(in_port=Port.FLOOD))
    code = bench.refusal(from_nowhere)
    assert code == (BadRequestCode.BAD_PORT if version >= OF12 else BadActionCode.BAD_OUT_PORT)


def test_a_packet_out_takes_pipeline_fields_only() -> None:
    message = PacketOut((), frames.TCP, match=Match(in_port=1, eth_dst=1))
    assert Bench(OF15).refusal(message) == BadRequestCode.PIPELINE_FIELDS_ONLY


# Time


@every_version
def test_entries_leave_in_their_time_and_are_told(version: Version) -> None:
    bench = Bench(version)
    bench.say(flow(WEB, idle_timeout=5, flags=FlowModFlags.SEND_FLOW_REM))
    bench.say(flow(Match(in_port=3), hard_timeout=20, priority=1))
    bench.frames(frames.TCP, now=2.0)
    assert bench.switch.deadline() == 5.0
    assert bench.switch.handle_timer(5.0).messages == []
    [(_, gone)] = bench.switch.handle_timer(7.0).messages
    assert isinstance(gone, FlowRemoved)
    assert (gone.match, gone.reason) == (WEB, FlowRemovedReason.IDLE_TIMEOUT)
    assert bench.switch.deadline() == 20.0
    assert bench.switch.handle_timer(20.0).messages == []
    assert bench.switch.deadline() is None


def test_a_controller_hears_only_of_entries_that_its_version_can_say() -> None:
    bench = Bench(OF13)
    old = bench.switch.connect(OF10)
    for match in (WEB, Match(eth_type=0x86DD, ipv6_dst="fd00::1")):
        bench.say(flow(match, hard_timeout=1, flags=FlowModFlags.SEND_FLOW_REM))
    told = bench.switch.handle_timer(1.0).messages
    assert [session for session, _ in told] == [bench.session, old, bench.session]


# Anything at all


@given(
    st.sampled_from(sorted(ALL_VERSIONS)),
    st.integers(0, 40),
    st.binary(max_size=120),
    st.sampled_from(list(range(256))),
)
def test_no_bytes_of_a_controller_raise(
    version: Version, number: int, body: bytes, low: int
) -> None:
    bench = Bench(version)
    bench.say(flow(WEB, Output(2)))
    raw = bytes([version, number]) + (len(body) + 8).to_bytes(2, "big") + bytes([0, 0, 0, low])
    try:
        message = Message.decode(raw + body)
    except DecodeError:
        return
    for _, answer in bench.switch.handle(bench.session, message, 0.0).messages:
        answer.encode(version)


@given(st.sampled_from(sorted(ALL_VERSIONS)), st.data())
def test_no_flow_mod_or_packet_out_with_changed_bytes_raises(
    version: Version, data: st.DataObject
) -> None:
    bench = Bench(version)
    good = data.draw(
        st.sampled_from([
            flow(WEB, Output(2), Output(Port.CONTROLLER, 20), idle_timeout=5),
            PacketOut((Output(Port.TABLE), Output(Port.FLOOD)), frames.TCP),
        ])
    )  # fmt: skip
    raw = bytearray(good.encode(version))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(8, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        message = Message.decode(bytes(raw))
    except DecodeError:
        return
    effects = bench.switch.handle(bench.session, message, 0.0, bytes(raw))
    effects.messages += bench.switch.receive_frame(1, frames.TCP, 1.0).messages
    for _, answer in effects.messages:
        answer.encode(version)


def test_openflow_11_matches_arp_by_addresses() -> None:
    [reply] = Bench(OF11).say(FeaturesRequest())
    assert isinstance(reply, FeaturesReply)
    assert reply.capabilities & Capabilities.ARP_MATCH_IP
