"""Messages as one line that people read."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol import (
    OF13,
    OF14,
    ApplyActions,
    BadRequestCode,
    Bucket,
    BundleAdd,
    DropBand,
    EchoRequest,
    ErrorMsg,
    ExperimenterAction,
    FlowMod,
    FlowModCommand,
    FlowRemoved,
    FlowRemovedReason,
    FlowStats,
    FlowStatsReply,
    GotoTable,
    GroupMod,
    GroupType,
    Hello,
    Match,
    Message,
    MeterFlags,
    MeterMod,
    Output,
    PacketIn,
    PacketInReason,
    PacketOut,
    Port,
    PortConfig,
    PortMod,
    Stats,
    Version,
    VersionBitmap,
    nicira,
    set_field,
)
from protocol.spec_names import error_name, message_name
from protocol.text import MAX_ITEMS

from .strategies import message_classes, messages
from .vectors import read_vectors

FRAME = bytes.fromhex("ffffffffffff 000000000001 0806 0001080006040001 000000000001 0a000001")
FRAME += bytes.fromhex("000000000000 0a000002")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            FlowMod(
                Match.parse("tcp,nw_src=10.0.0.0/8"),
                (ApplyActions((set_field(eth_dst=1), Output(2))), GotoTable(3)),
                priority=5,
                table_id=1,
                xid=1,
            ),
            "OFPT_FLOW_MOD (xid=0x1): ADD table=1,priority=5,tcp,nw_src=10.0.0.0/8 "
            "actions=set_field:00:00:00:00:00:01->eth_dst,output:2,goto_table:3",
        ),
        (
            FlowMod(command=FlowModCommand.DELETE, table_id=255, cookie=5, cookie_mask=15),
            "OFPT_FLOW_MOD (xid=0x0): DELETE table=255,cookie=0x5/0xf actions=drop",
        ),
        (
            FlowRemoved(
                Match(in_port=3),
                cookie=9,
                priority=7,
                reason=FlowRemovedReason.DELETE,
                stats=Stats(2, 500_000_000, packet_count=1, byte_count=42),
            ),
            "OFPT_FLOW_REMOVED (xid=0x0): table=0,priority=7,in_port=3,cookie=0x9,reason=DELETE "
            "duration=2.5s, n_packets=1, n_bytes=42",
        ),
        (
            PacketIn(5, 42, PacketInReason.ACTION, match=Match(in_port=1), data=FRAME),
            "OFPT_PACKET_IN (xid=0x0): total_len=42 in_port=1 (via action) buffer_id=0x5 "
            "data=42 bytes (Ethernet Arp 00:00:00:00:00:01->ff:ff:ff:ff:ff:ff)",
        ),
        (
            PacketOut((Output(Port.FLOOD),), buffer_id=9, match=Match(in_port=3)),
            "OFPT_PACKET_OUT (xid=0x0): in_port=3 actions=FLOOD buffer_id=0x9",
        ),
        (
            GroupMod(1, GroupType.SELECT, (Bucket((Output(1),), weight=2),)),
            "OFPT_GROUP_MOD (xid=0x0): ADD group_id=1,type=select,bucket=weight:2,actions=output:1",
        ),
        (
            MeterMod(3, (DropBand(1000, 5),), flags=MeterFlags.PKTPS),
            "OFPT_METER_MOD (xid=0x0): ADD meter=3,pktps,bands=type=drop,rate=1000,burst_size=5",
        ),
        (
            PortMod(3, 1, PortConfig.PORT_DOWN, PortConfig.PORT_DOWN | PortConfig.NO_FWD),
            "OFPT_PORT_MOD (xid=0x0): port_no=3 hw_addr=00:00:00:00:00:01 config=PORT_DOWN "
            "mask=PORT_DOWN|NO_FWD",
        ),
        (
            ErrorMsg(BadRequestCode.BAD_LEN, EchoRequest().encode(OF13)),
            "OFPT_ERROR (xid=0x0): OFPBRC_BAD_LEN "
            "data=0402000800000000 (OF1.3 type 2, length 8, xid=0x0)",
        ),
        (
            BundleAdd(1, EchoRequest(b"a")),
            "OFPT_BUNDLE_ADD_MESSAGE (xid=0x0): bundle_id=1 "
            "message={OFPT_ECHO_REQUEST (xid=0x0): data=61}",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Message) else "",
)
def test_a_message_is_one_line_in_the_words_of_the_specification(
    message: Message, text: str
) -> None:
    assert str(message) == text


def test_a_hello_tells_its_versions() -> None:
    assert str(Hello.offering([Version.OF10, OF13])) == "OFPT_HELLO (xid=0x0): versions=1.0,1.3"


def test_what_ovs_ofctl_has_no_word_for_is_shown_by_its_fields() -> None:
    element = VersionBitmap(frozenset({4}))
    assert str(element) == "version_bitmap(versions=[4])"


def test_niciras_flow_mod_is_a_rule_as_the_standards_is() -> None:
    message = nicira.FlowMod(Match(reg0=5), (ApplyActions((Output(1),)),), xid=3)
    assert str(message) == "NXT_FLOW_MOD (xid=0x3): ADD table=0,reg0=0x5 actions=output:1"


def test_an_experimenters_action_that_nobody_knows_is_its_bytes() -> None:
    assert str(ExperimenterAction(0x2320, b"\x01")) == "experimenter(0x2320,01)"


def test_an_action_alone_is_shown_as_in_a_rule() -> None:
    assert str(Output(Port.CONTROLLER, 128)) == "CONTROLLER:128"


def test_long_lists_are_cut_and_say_so() -> None:
    flows = tuple(FlowStats(priority=number) for number in range(MAX_ITEMS + 10))
    assert str(FlowStatsReply(flows)).endswith("and 10 more]")


def test_long_data_is_cut_and_says_so() -> None:
    assert str(EchoRequest(bytes(1000))).endswith("… (1000 bytes)")


def test_an_entry_is_shown_with_its_counters_before_its_rule() -> None:
    entry = FlowStats(Match(in_port=1), priority=3, stats=Stats(5, 0, packet_count=2))
    assert str(entry) == "{duration=5s, n_packets=2, table=0,priority=3,in_port=1 actions=drop}"


@pytest.mark.parametrize("version", Version, ids=str)
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_a_message_says_is_one_line(version: Version, data: st.DataObject) -> None:
    cls = data.draw(st.sampled_from(list(message_classes(version))))
    message = data.draw(messages(cls, version))
    text = str(message)
    assert text.startswith(message_name(type(message)))
    assert "\n" not in text


def test_all_vectors_have_a_line() -> None:
    for vector in read_vectors():
        assert str(vector.message())


def test_error_codes_have_the_names_of_the_specification() -> None:
    assert error_name(BadRequestCode.MULTIPART_BUFFER_OVERFLOW).startswith("OFPBRC_MULTIPART")


def test_nothing_of_this_is_loaded_before_somebody_reads() -> None:
    code = "import protocol, sys; print([m for m in sys.modules if 'text' in m or 'syntax' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "protocol" not in done.stdout


def test_repr_stays_python() -> None:
    message = EchoRequest(b"a", xid=1)
    assert repr(message) == "EchoRequest(data=b'a', xid=1)"
    assert str(message) != repr(message)


def test_a_message_decoded_says_what_it_said_before() -> None:
    message = FlowMod(Match.parse("arp,arp_op=1"), (ApplyActions((Output(1),)),))
    assert str(Message.decode(message.encode(OF14))) == str(message)
